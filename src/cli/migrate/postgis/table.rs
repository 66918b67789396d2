//! The table: its columns, how its rows are read as SQL, and what a row becomes.
//!
//! What surprises: properties are made by PostgreSQL, as JSON in the order of the columns, so that a number stays the number it is and JSON stays the
//! text it is. And positions are asked for as two numbers, in binary, so that no digit is lost.

use postgres::{Client, GenericClient, Row as SqlRow};

use super::super::source::{Facts, Options, Refused, Row};
use crate::collection::{Id, Item, Properties};
use crate::format::Fault;
use crate::geometry::Point;

/// Rows that are read together.
pub(super) const TOGETHER: i32 = 5000;

/// The function of the session that gives NULL for what cannot be transformed, where one row would otherwise end all reading.
const CAREFUL: &str = "CREATE OR REPLACE FUNCTION pg_temp.nigh_degrees(g geometry) RETURNS geometry LANGUAGE plpgsql AS \
    $$BEGIN RETURN ST_Transform(g, 4326); EXCEPTION WHEN OTHERS THEN RETURN NULL; END$$";

/// What is known of a table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// As SQL and `test_decoding` write it.
    pub(super) name: String,
    pub(super) id: String,
    /// The type of ids, without a length.
    pub(super) id_type: String,
    geometry: String,
    pub(super) is_geography: bool,
    others: Vec<String>,
    /// Whether positions may have to be transformed.
    transforms: bool,
}

fn place(table: &str) -> String {
    format!("the table {table}")
}

impl Table {
    /// Finds out about the table; what stands in the way is written to `facts`, and then there is none.
    pub(super) fn find(
        client: &mut Client,
        options: &Options,
        facts: &mut Facts,
    ) -> Result<Option<Table>, postgres::Error> {
        let asked = options.table.as_deref().unwrap_or_default();
        let found = client.query_opt(
            "SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relkind::text, c.relreplident::text, \
             c.relhassubclass, c.reltuples::float8 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.oid = to_regclass($1::text)",
            &[&asked],
        )?;
        let Some(found) = found else {
            facts.obstacles.push(format!("there is no table {asked}"));
            return Ok(None);
        };
        let (oid, name): (u32, String) = (found.get(0), found.get(1));
        let rows: f64 = found.get(5);
        facts.rows = (rows >= 0.0).then_some(rows as u64);
        let columns = client.query(
            "SELECT a.attname::text, quote_ident(a.attname), t.typname::text, format_type(a.atttypid, NULL), \
             COALESCE((SELECT bool_or(i.indisprimary) FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indnkeyatts = 1 \
               AND i.indkey[0] = a.attnum), false), \
             COALESCE((SELECT bool_or(i.indisunique AND i.indpred IS NULL) FROM pg_index i WHERE i.indrelid = a.attrelid \
               AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum), false), \
             COALESCE((SELECT bool_or(i.indisreplident) FROM pg_index i WHERE i.indrelid = a.attrelid \
               AND a.attnum = ANY(i.indkey)), false), a.atttypmod \
             FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
             WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            &[&oid],
        )?;
        let named = |wanted: &str| columns.iter().find(|column| column.get::<_, String>(0) == wanted);
        let id = match &options.id {
            Some(wanted) => named(wanted),
            None => columns.iter().find(|column| column.get::<_, bool>(4)),
        };
        let is_place = |column: &&SqlRow| ["geometry", "geography"].contains(&&*column.get::<_, String>(2));
        let mut places = columns.iter().filter(is_place);
        let geometry = match &options.geometry {
            Some(wanted) => named(wanted).filter(|column| is_place(column)),
            None => places.next().filter(|_| places.next().is_none()),
        };
        let (Some(id), Some(geometry)) = (id, geometry) else {
            if id.is_none() {
                facts.obstacles.push(format!("{} has no column of ids that is known; --id names one", place(&name)));
            }
            if geometry.is_none() {
                facts.obstacles.push(format!("{} has no one column of points; --geometry names one", place(&name)));
            }
            return Ok(None);
        };
        let is_geography = geometry.get::<_, String>(2) == "geography";
        let (id_at, geometry_at): (String, String) = (id.get(0), geometry.get(0));
        let is_other = |column: &&SqlRow| ![&id_at, &geometry_at].contains(&&column.get::<_, String>(0));
        let others = columns.iter().filter(is_other).map(|column| column.get(1)).collect();
        let mut table = Table {
            name,
            id: id.get(1),
            id_type: id.get(3),
            geometry: geometry.get(1),
            is_geography,
            others,
            transforms: false,
        };
        table.look_at_ids(client, id.get(5), facts)?;
        table.look_at_places(client, facts)?;
        // A table that others inherit from, or a part of one, tells its changes under other names.
        let is_plain = found.get::<_, String>(2) == "r" && !found.get::<_, bool>(4);
        let identity: String = found.get(3);
        let tells_ids = match &*identity {
            "d" => id.get(4),
            "f" => true,
            "i" => id.get(6),
            _ => false,
        };
        live(client, is_plain, tells_ids, facts)?;
        Ok(Some(table))
    }

    fn look_at_ids(&self, client: &mut Client, is_unique: bool, facts: &mut Facts) -> Result<(), postgres::Error> {
        if is_unique {
            return Ok(());
        }
        let Table { name, id, .. } = self;
        let twice = client.query_opt(
            &format!(
                "SELECT t.{id}::text FROM {name} t WHERE t.{id} IS NOT NULL GROUP BY t.{id} HAVING count(*) > 1 LIMIT 1"
            ),
            &[],
        )?;
        if let Some(twice) = twice {
            let value: String = twice.get(0);
            facts
                .obstacles
                .push(format!("the id {value:?} stands on more than one row; --id names a column of ids that differ"));
        }
        Ok(())
    }

    fn look_at_places(&mut self, client: &mut Client, facts: &mut Facts) -> Result<(), postgres::Error> {
        facts.positions = "carried to the bit; heights and measures are not carried".to_owned();
        if self.is_geography {
            return Ok(());
        }
        let Table { name, geometry, .. } = self;
        let systems = client.query(
            &format!("SELECT DISTINCT ST_SRID(t.{geometry}) FROM {name} t WHERE t.{geometry} IS NOT NULL"),
            &[],
        )?;
        for system in systems {
            match system.get::<_, i32>(0) {
                4326 => {}
                0 => facts
                    .notes
                    .push("some points have no reference system (SRID 0); they are taken for degrees".to_owned()),
                other => {
                    self.transforms = true;
                    facts.notes.push(format!(
                        "points of SRID {other} are transformed by ST_Transform into degrees, which are not exact"
                    ));
                }
            }
        }
        Ok(())
    }

    /// What a session has to be told before it reads.
    pub(super) fn prepare(&self, client: &mut Client) -> Result<(), postgres::Error> {
        if self.transforms { client.batch_execute(CAREFUL) } else { Ok(()) }
    }

    /// The point of a row of `t`, in degrees; NULL where it is none.
    fn degrees(&self) -> String {
        let Table { geometry, transforms, .. } = self;
        let shape = format!("t.{geometry}::geometry");
        let degrees = match transforms {
            true => {
                format!("CASE WHEN ST_SRID({shape}) IN (0, 4326) THEN {shape} ELSE pg_temp.nigh_degrees({shape}) END")
            }
            false => shape.clone(),
        };
        format!("CASE WHEN ST_GeometryType({shape}) = 'ST_Point' THEN {degrees} END")
    }

    /// The statement that reads rows, with what follows `WHERE`.
    pub(super) fn select(&self, condition: &str) -> String {
        let Table { name, id, geometry, others, .. } = self;
        let others: Vec<String> = others.iter().map(|other| format!("t.{other}")).collect();
        let properties = match others.is_empty() {
            true => "'{}'".to_owned(),
            false => format!("(SELECT row_to_json(o)::text FROM (SELECT {}) o)", others.join(", ")),
        };
        format!(
            "SELECT t.{id}::text, ST_GeometryType(t.{geometry}::geometry), ST_Y(p.p), ST_X(p.p), {properties}, \
             p.p IS NULL FROM {name} t CROSS JOIN LATERAL (SELECT {} AS p) p {condition}",
            self.degrees()
        )
    }

    /// The ids that are within some metres, `$3`, of a place.
    pub(super) fn within(&self) -> String {
        let Table { name, id, .. } = self;
        format!("SELECT t.{id}::text FROM {name} t WHERE ST_DWithin({}, {CENTRE}, $3::float8)", self.geography())
    }

    /// The ids of the nearest, `$3` of them, on a sphere.
    pub(super) fn nearest(&self) -> String {
        let Table { name, id, .. } = self;
        let geography = self.geography();
        format!(
            "SELECT t.{id}::text FROM {name} t WHERE {geography} IS NOT NULL ORDER BY {geography} <-> {CENTRE} LIMIT $3::int8"
        )
    }

    fn geography(&self) -> String {
        match self.is_geography {
            true => format!("t.{}", self.geometry),
            false => format!("({})::geography", self.degrees()),
        }
    }

    /// A row as an item.
    pub(super) fn item(&self, row: &SqlRow) -> Row {
        let id: Option<String> = row.get(0);
        let at = || match &id {
            Some(id) => format!("row \"{}\"", id.escape_debug()),
            None => "a row without an id".to_owned(),
        };
        let refuse = |code, value: Option<&str>, detail: String| Refused {
            place: at(),
            fault: Fault { code, value: value.map(|value| value.chars().take(120).collect()), detail, hint: None },
        };
        let Some(text) = &id else { return Err(refuse("bad-id", None, "the id is null".to_owned())) };
        let id = Id::new(&**text).map_err(|error| refuse("bad-id", Some(text), error.to_string()))?;
        let kind: Option<String> = row.get(1);
        let Some(kind) = kind else { return Err(refuse("no-point", None, "the geometry is null".to_owned())) };
        if kind != "ST_Point" {
            return Err(refuse(
                "no-point",
                Some(&kind),
                format!("the geometry is a {}", kind.trim_start_matches("ST_")),
            ));
        }
        if row.get(5) {
            return Err(refuse("no-point", None, "the point cannot be transformed into degrees".to_owned()));
        }
        let (Some(lat), Some(lon)) = (row.get::<_, Option<f64>>(2), row.get::<_, Option<f64>>(3)) else {
            return Err(refuse("no-point", Some("POINT EMPTY"), "the point is empty".to_owned()));
        };
        let point = Point::new(lat, lon).map_err(|error| {
            let code = if (-90.0..=90.0).contains(&lat) { "bad-longitude" } else { "bad-latitude" };
            refuse(code, Some(&format!("{lat},{lon}")), error.to_string())
        })?;
        let properties: Option<&str> = row.get(4);
        let properties = properties.unwrap_or("{}");
        let properties = Properties::from_json(properties)
            .map_err(|error| refuse("bad-properties", Some(properties), error.to_string()))?;
        Ok(Item::new(id, point).with_properties(properties))
    }
}

/// The place that questions ask about.
const CENTRE: &str = "ST_SetSRID(ST_MakePoint($2::float8, $1::float8), 4326)::geography";

/// Whether changes can be followed, and what is missing.
fn live(client: &mut Client, is_plain: bool, tells_ids: bool, facts: &mut Facts) -> Result<(), postgres::Error> {
    let level: String = client.query_one("SELECT current_setting('wal_level')", &[])?.get(0);
    let room = client.query_one(
        "SELECT current_setting('max_replication_slots')::int8 > (SELECT count(*) FROM pg_replication_slots), \
         pg_is_in_recovery(), (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user)",
        &[],
    )?;
    let (has_room, is_standby, may): (bool, bool, bool) = (room.get(0), room.get(1), room.get(2));
    let missing: Vec<&str> = [
        (level == "logical", "wal_level = logical"),
        (has_room, "a free replication slot (max_replication_slots)"),
        (!is_standby, "the primary, not a standby"),
        (may, "a user with REPLICATION"),
        (is_plain, "a plain table: none with partitions or heirs, and no view"),
        (
            tells_ids,
            "a replica identity that tells the ids: a primary key on them, or ALTER TABLE … REPLICA IDENTITY FULL",
        ),
    ]
    .into_iter()
    .filter_map(|(holds, what)| (!holds).then_some(what))
    .collect();
    facts.live = missing.is_empty();
    facts.live_how = match facts.live {
        true => "by a temporary logical replication slot (test_decoding), which PostgreSQL drops with the connection; it waits for the transactions that are open when it is made, and keeps WAL while it is there".to_owned(),
        false => format!("needs {}; without, both sides are compared until nothing differs", missing.join(", ")),
    };
    Ok(())
}

/// Reads what a statement gives, some rows at a time.
pub(super) fn stream(
    client: &mut impl GenericClient,
    statement: &str,
    mut each: impl FnMut(&SqlRow) -> Result<(), super::Trouble>,
) -> Result<(), super::Trouble> {
    let mut transaction = client.transaction().map_err(super::troubled)?;
    let begin = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";
    transaction.batch_execute(begin).map_err(super::troubled)?;
    let portal = transaction.bind(statement, &[]).map_err(super::troubled)?;
    loop {
        let rows = transaction.query_portal(&portal, TOGETHER).map_err(super::troubled)?;
        if rows.is_empty() {
            return transaction.rollback().map_err(super::troubled);
        }
        rows.iter().try_for_each(&mut each)?;
    }
}
