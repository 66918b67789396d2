//! A table of PostgreSQL with a column of points.
//!
//! What surprises: the slot from which changes are read is a temporary one. It belongs to the connection and goes with it, however that ends,
//! so nothing is left behind that would fill the disk of the source. The price is that a connection which breaks has both sides
//! compared anew.

use std::collections::HashMap;
use std::thread::sleep;
use std::time::Duration;

use postgres::{Client, Config, NoTls};

use super::super::Failure;
use super::source::{Each, Event, Facts, Feed, Kind, Measure, Options, Question, Refused, Source, Trouble, Wanted};
use crate::collection::{Id, Item};
use crate::format::Fault;
use crate::geometry::METRICS;
use decoding::{Told, told};
use table::Table;

mod decoding;
mod table;

/// The registered source.
pub(super) const POSTGIS: Kind = Kind {
    form: "postgres://USER:PASSWORD@HOST[:PORT]/DATABASE?table=NAME[&id=COLUMN][&geometry=COLUMN]",
    names: |text| text.starts_with("postgres://") || text.starts_with("postgresql://"),
    open: |text, options| Ok(Box::new(PostGis::open(text, options)?)),
};

/// The mean radius by which PostGIS measures on a sphere.
const EARTH_RADIUS_M: f64 = 6_371_008.771_415_06;

/// Changes that are read at a time.
const CHANGES: i32 = 20_000;

struct PostGis {
    config: Config,
    options: Options,
    client: Option<Client>,
    table: Option<Table>,
    is_live: bool,
}

fn troubled(error: postgres::Error) -> Trouble {
    let Some(said) = error.as_db_error() else {
        return Trouble::Lost(format!("the connection to PostgreSQL broke: {error}"));
    };
    // It is being stopped, or not yet there.
    match said.code().code() {
        "57P01" | "57P02" | "57P03" | "08006" | "08003" => {
            Trouble::Lost(format!("PostgreSQL ended: {}", said.message()))
        }
        _ => Trouble::failed(format!("PostgreSQL refuses: {}", said.message())),
    }
}

impl PostGis {
    /// Reads the address; `table`, `id` and `geometry` in it are ours, everything else is PostgreSQL's.
    fn open(text: &str, options: &Options) -> Result<PostGis, Failure> {
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let mut options = options.clone();
        let mut others = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned();
            match name {
                "table" => options.table = options.table.or(Some(value)),
                "id" => options.id = options.id.or(Some(value)),
                "geometry" => options.geometry = options.geometry.or(Some(value)),
                _ => others.push(pair),
            }
        }
        if options.table.as_deref().unwrap_or_default().is_empty() {
            return Err(Failure::Usage(
                "the address names no table; write postgres://HOST/DATABASE?table=NAME, or give --table".to_owned(),
            ));
        }
        let address = if others.is_empty() { address.to_owned() } else { format!("{address}?{}", others.join("&")) };
        let mut config: Config =
            address.parse().map_err(|error| Failure::Usage(format!("the address of PostgreSQL: {error}")))?;
        config.application_name("nigh migrate").connect_timeout(Duration::from_secs(10));
        Ok(PostGis { config, options, client: None, table: None, is_live: false })
    }

    fn connect(&self) -> Result<Client, Trouble> {
        let mut client = self.config.connect(NoTls).map_err(|error| match error.as_db_error() {
            Some(_) => troubled(error),
            None => Trouble::Lost(format!("PostgreSQL cannot be reached: {}", in_full(&error))),
        })?;
        // How values are written as text, in every session the same.
        client
            .batch_execute("SET DateStyle = ISO; SET IntervalStyle = iso_8601; SET TimeZone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = hex")
            .map_err(troubled)?;
        Ok(client)
    }

    /// The table, and a connection on which it can be read.
    fn table(&mut self) -> Result<(Table, &mut Client), Trouble> {
        if self.table.is_none() {
            self.facts()?;
        }
        let table = self.table.clone().ok_or_else(|| Trouble::failed("the table cannot be read any more"))?;
        if self.client.as_ref().is_none_or(Client::is_closed) {
            let mut client = self.connect()?;
            table.prepare(&mut client).map_err(troubled)?;
            self.client = Some(client);
        }
        Ok((table, self.client.as_mut().expect("just made")))
    }
}

/// An error with what is behind it.
fn in_full(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {}", in_full(source)))
}

impl Source for PostGis {
    fn facts(&mut self) -> Result<Facts, Trouble> {
        let mut client = self.connect()?;
        let version: String = client.query_one("SHOW server_version", &[]).map_err(troubled)?.get(0);
        let extension = client.query_opt("SELECT extversion FROM pg_extension WHERE extname = 'postgis'", &[]);
        let extension: Option<String> = extension.map_err(troubled)?.map(|row| row.get(0));
        let asked = self.options.table.clone().unwrap_or_default();
        let source =
            format!("table {asked} of PostgreSQL {version}, PostGIS {}", extension.as_deref().unwrap_or("none"));
        let mut facts = Facts { source, ..Facts::default() };
        if extension.is_none() {
            facts.obstacles.push("this database has no PostGIS".to_owned());
            return Ok(facts);
        }
        self.table = Table::find(&mut client, &self.options, &mut facts).map_err(troubled)?;
        if let Some(table) = &self.table {
            table.prepare(&mut client).map_err(troubled)?;
        }
        self.is_live = facts.live;
        self.client = Some(client);
        Ok(facts)
    }

    fn scan(&mut self, each: Each<'_>) -> Result<(), Trouble> {
        let (table, client) = self.table()?;
        table::stream(client, &table.select(""), |row| each(table.item(row)))
    }

    fn find(&mut self, ids: &[Id]) -> Result<HashMap<Id, Item>, Trouble> {
        let (table, client) = self.table()?;
        let mut found = HashMap::new();
        for ids in ids.chunks(CHANGES as usize) {
            let texts: Vec<&str> = ids.iter().map(Id::as_str).collect();
            let by_value = table.select(&format!("WHERE t.{} = ANY($1::text[]::{}[])", table.id, table.id_type));
            let rows = match client.query(&by_value, &[&texts]) {
                // An id that came from here need not be one of that type: then ids are compared as texts, without an index.
                Err(error) if error.as_db_error().is_some_and(|said| said.code().code().starts_with("22")) => {
                    client.query(&table.select(&format!("WHERE t.{}::text = ANY($1::text[])", table.id)), &[&texts])
                }
                rows => rows,
            };
            for row in rows.map_err(troubled)? {
                if let Ok(item) = table.item(&row) {
                    found.insert(item.id.clone(), item);
                }
            }
        }
        Ok(found)
    }

    fn feed(&mut self) -> Result<Option<Box<dyn Feed>>, Trouble> {
        let (table, _) = self.table()?;
        if !self.is_live {
            return Ok(None);
        }
        let mut client = self.connect()?;
        let slot = format!("nigh_migrate_{}_{:x}", std::process::id(), self.options.now_ms);
        let made = "SELECT pg_create_logical_replication_slot($1::text::name, 'test_decoding', true)";
        client.execute(made, &[&slot]).map_err(troubled)?;
        Ok(Some(Box::new(Slot { client, slot, table, emptied: 0 })))
    }

    fn measure(&self, question: &Question) -> Measure {
        match question.wanted {
            // What is within a radius is reckoned on the ellipsoid, what is nearest on a sphere.
            Wanted::Within(_) => {
                let ellipsoid = METRICS.iter().find(|metric| metric.name() == "vincenty").expect("it is in the list");
                Measure { metric: *ellipsoid, scale: 1.0 }
            }
            Wanted::Nearest(_) => Measure::sphere(EARTH_RADIUS_M),
        }
    }

    fn ask(&mut self, question: &Question) -> Result<Option<Vec<String>>, Trouble> {
        let (lat, lon) = (question.centre.lat_deg(), question.centre.lon_deg());
        let (table, client) = self.table()?;
        let rows = match question.wanted {
            Wanted::Within(metres) => client.query(&table.within(), &[&lat, &lon, &metres]),
            Wanted::Nearest(k) => client.query(&table.nearest(), &[&lat, &lon, &(k as i64)]),
        };
        match rows {
            Ok(rows) => Ok(Some(rows.iter().filter_map(|row| row.get(0)).collect())),
            // A row on which PostGIS cannot reckon ends the question, not the migration: the table is read instead.
            Err(error) if error.as_db_error().is_some() => Ok(None),
            Err(error) => Err(troubled(error)),
        }
    }
}

/// The changes since a slot was made.
struct Slot {
    client: Client,
    slot: String,
    table: Table,
    /// How often nothing was left to read.
    emptied: u64,
}

impl Feed for Slot {
    fn next(&mut self, patience: Duration) -> Result<Vec<Event>, Trouble> {
        let read = "SELECT data FROM pg_logical_slot_get_changes($1::text::name, NULL, $2)";
        let rows = self.client.query(read, &[&self.slot, &CHANGES]).map_err(troubled)?;
        let mut events = Vec::new();
        for row in &rows {
            match told(row.get(0), &self.table.name, &self.table.id) {
                Told::Nothing => {}
                Told::Everything(reason) => events.push(Event::Everything(reason.to_owned())),
                Told::Rows(ids) => events.extend(ids.into_iter().map(|text| match Id::new(&*text) {
                    Ok(id) => Event::Look(id),
                    Err(error) => Event::Refused(None, refused(&text, &error)),
                })),
            }
        }
        // It stops at the end of a transaction, at or after so many changes; with fewer there was nothing more.
        if rows.len() < CHANGES as usize {
            self.emptied += 1;
            if events.is_empty() {
                sleep(patience.min(Duration::from_millis(50)));
            }
        }
        Ok(events)
    }

    fn mark(&mut self) -> Result<u64, Trouble> {
        Ok(self.emptied + 1)
    }

    fn reached(&self) -> u64 {
        self.emptied
    }
}

fn refused(text: &str, error: &crate::collection::ItemError) -> Refused {
    let value = Some(text.chars().take(120).collect());
    let fault = Fault { code: "bad-id", value, detail: error.to_string(), hint: None };
    Refused { place: format!("row \"{}\"", text.escape_debug()), fault }
}
