//! What each column of a CSV file means, and a record read by it.
//!
//! What surprises: a column is a property unless its name says otherwise, and `properties.` before a name is taken off. Answers
//! write it before names that would mean something else, and other tools write it when they flatten GeoJSON. A field of the column
//! `properties` that is a JSON object is not one property but all that is in it.

use super::records::Records;
use super::{ID_COLUMNS, LAT_COLUMNS, LON_COLUMNS};
use crate::collection::{Id, Properties};
use crate::format::item::{Expires, Incoming, read_expires_at, read_ttl};
use crate::format::reader::{MISSING_COLUMN, REPEATED_COLUMN};
use crate::format::rejected::{
    BAD_ENCODING, BAD_EXPIRY, BAD_LATITUDE, BAD_LONGITUDE, Fault, MISSING_LATITUDE, MISSING_LONGITUDE, RowProblem,
    TOO_FEW_FIELDS, TOO_MANY_FIELDS, shortened,
};
use crate::format::{PROPERTIES_PREFIX, ReadOptions};
use crate::geometry::Point;
use serde_json::value::RawValue;
use std::io::Read;

/// The column that may hold properties as JSON.
const JSON_COLUMN: &str = "properties";

/// What each column means.
pub(super) struct Columns {
    names: Vec<String>,
    lat: usize,
    lon: usize,
    id: Option<usize>,
    ttl: Option<usize>,
    expires_at: Option<usize>,
    expires_at_ms: Option<usize>,
    /// The column that holds properties as JSON, where a field of it is an object.
    json: Option<usize>,
    /// The columns that are properties, each with its name as the text of JSON.
    properties: Vec<(usize, String)>,
}

impl Columns {
    /// Reads the names of the header.
    pub(super) fn of_header(names: Vec<String>, options: &ReadOptions) -> Result<Columns, Fault> {
        let repeated = |name: &str| {
            Fault::new(REPEATED_COLUMN, format!("column {name:?} stands twice in the header"))
                .value(name)
                .hint("give each column a name of its own")
        };
        if let Some(name) = first_repeated(names.iter().map(String::as_str)) {
            return Err(repeated(name));
        }
        let lat = required(&names, "latitude", options.lat_column.as_deref(), LAT_COLUMNS)?;
        let lon = required(&names, "longitude", options.lon_column.as_deref(), LON_COLUMNS)?;
        let id = match &options.id_column {
            Some(_) => Some(required(&names, "id", options.id_column.as_deref(), ID_COLUMNS)?),
            None => known(&names, ID_COLUMNS),
        };
        let (ttl, expires_at) = (known(&names, &["ttl"]), known(&names, &["expires_at"]));
        let expires_at_ms = known(&names, &["expires_at_ms"]);
        let json = names.iter().position(|name| name == JSON_COLUMN);
        let taken = [Some(lat), Some(lon), id, ttl, expires_at, expires_at_ms];
        let bare = |at: usize| names[at].strip_prefix(PROPERTIES_PREFIX).unwrap_or(&names[at]);
        let properties: Vec<usize> = (0..names.len()).filter(|&at| !taken.contains(&Some(at))).collect();
        if let Some(name) = first_repeated(properties.iter().map(|&at| bare(at))) {
            return Err(repeated(name));
        }
        let properties = properties.into_iter().map(|at| (at, quoted(bare(at)))).collect();
        Ok(Columns { lat, lon, id, ttl, expires_at, expires_at_ms, json, properties, names })
    }

    /// Reads a record.
    pub(super) fn row(&self, record: &Records<impl Read>) -> Result<Incoming, Fault> {
        let (found, expected) = (record.len(), self.names.len());
        if found != expected {
            let (problem, hint) = match found < expected {
                true => (TOO_FEW_FIELDS, "leave a field empty rather than out"),
                false => (TOO_MANY_FIELDS, "quote fields that hold the delimiter"),
            };
            let detail = format!("{found} fields where the header has {expected}");
            return Err(Fault::new(problem, detail).hint(hint));
        }
        let lat_deg = self.degrees(record, self.lat, MISSING_LATITUDE, BAD_LATITUDE)?;
        let lon_deg = self.degrees(record, self.lon, MISSING_LONGITUDE, BAD_LONGITUDE)?;
        let point = Point::new(lat_deg, lon_deg).map_err(|error| Fault::of_position(&error))?;
        let id = match self.optional(record, self.id)? {
            Some(text) => Some(Id::new(text).map_err(|error| Fault::of_id(&error, text))?),
            None => None,
        };
        let (expires, properties) = (self.expires(record)?, self.properties(record)?);
        Ok(Incoming { id, point, properties, expires })
    }

    fn text<'r>(&self, record: &'r Records<impl Read>, at: usize) -> Result<&'r str, Fault> {
        let bytes = record.field(at);
        std::str::from_utf8(bytes).map_err(|_| {
            let name = &self.names[at];
            Fault::new(BAD_ENCODING, format!("column {name:?} is not UTF-8"))
                .value(&String::from_utf8_lossy(bytes))
                .hint("save the file as UTF-8")
        })
    }

    /// The text of a column that may be missing or empty.
    fn optional<'r>(&self, record: &'r Records<impl Read>, at: Option<usize>) -> Result<Option<&'r str>, Fault> {
        let text = at.map(|at| self.text(record, at)).transpose()?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    fn degrees(
        &self,
        record: &Records<impl Read>,
        at: usize,
        missing: &'static RowProblem,
        bad: &'static RowProblem,
    ) -> Result<f64, Fault> {
        let (text, name) = (self.text(record, at)?.trim(), &self.names[at]);
        if text.is_empty() {
            return Err(Fault::new(missing, format!("column {name:?} is empty")).hint("write degrees as in 48.857"));
        }
        text.parse().map_err(|_| {
            let comma = text.contains(',');
            let hint = if comma { "write a decimal point, not a comma" } else { "write degrees as in 48.857" };
            let detail = format!("column {name:?} is {:?}, which is no number", shortened(text));
            Fault::new(bad, detail).value(text).hint(hint)
        })
    }

    fn expires(&self, record: &Records<impl Read>) -> Result<Expires, Fault> {
        let given = [self.ttl, self.expires_at, self.expires_at_ms].map(|at| self.optional(record, at));
        let [ttl, expires_at, expires_at_ms] = given;
        match (ttl?, expires_at?, expires_at_ms?) {
            (None, None, None) => Ok(Expires::Unsaid),
            (Some(text), None, None) => read_ttl(text),
            (None, Some(text), None) => read_expires_at(text),
            (None, None, Some(text)) => text.parse().map(Expires::At).map_err(|_| {
                Fault::new(BAD_EXPIRY, "expires_at_ms is no whole number")
                    .value(text)
                    .hint("write milliseconds since 1970")
            }),
            _ => Err(Fault::new(BAD_EXPIRY, "it says in two columns when it ends").hint("leave one of them empty")),
        }
    }

    /// The object in the column of JSON. Any other text there is a property like those of other columns.
    fn object<'r>(&self, record: &'r Records<impl Read>) -> Result<Option<&'r str>, Fault> {
        let text = self.optional(record, self.json)?;
        Ok(text.filter(|text| text.starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok()))
    }

    fn properties(&self, record: &Records<impl Read>) -> Result<Properties, Fault> {
        let object = self.object(record)?;
        let mut json = String::from("{");
        for (at, name) in self.properties.iter().filter(|(at, _)| object.is_none() || self.json != Some(*at)) {
            let text = self.text(record, *at)?;
            if text.is_empty() {
                continue;
            }
            if json.len() > 1 {
                json.push(',');
            }
            json.push_str(name);
            json.push(':');
            if stays_a_number(text) { json.push_str(text) } else { json.push_str(&quoted(text)) }
        }
        match object {
            // Alone it stays as it is, to the last space.
            Some(object) if json.len() == 1 => json = object.to_owned(),
            Some(object) => json = joined(json, object),
            None => json.push('}'),
        }
        // We have written JSON; only its length is left to see.
        let short = Properties::checked_before(&json);
        short.map_or_else(|| Properties::from_json(&json).map_err(|error| Fault::of_properties(&error)), Ok)
    }
}

/// The members of an object that is not closed yet, and those of another.
fn joined(mut open: String, object: &str) -> String {
    let members = object.trim().strip_prefix('{').expect("an object begins so");
    if members.trim_start() != "}" {
        open.push(',');
    }
    open.push_str(members);
    open
}

fn first_repeated<'n>(names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let mut seen = std::collections::HashSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

/// The first of the known names that is there, whatever its case.
fn known(names: &[String], known: &[&str]) -> Option<usize> {
    known.iter().find_map(|wanted| names.iter().position(|name| name.eq_ignore_ascii_case(wanted)))
}

fn required(names: &[String], what: &str, asked: Option<&str>, usual: &[&str]) -> Result<usize, Fault> {
    let found = match asked {
        Some(asked) => names.iter().position(|name| name == asked).or_else(|| known(names, &[asked])),
        None => known(names, usual),
    };
    found.ok_or_else(|| {
        let detail = match asked {
            Some(asked) => format!("no column {asked:?} for the {what}"),
            None => format!("no column for the {what}: name one of them {}", usual.join(", ")),
        };
        let shown: Vec<&str> = names.iter().map(String::as_str).take(20).collect();
        let more = if names.len() > shown.len() { ", …" } else { "" };
        let hint = format!("the first line has {}{more}; it must name the columns", shown.join(", "));
        Fault::new(MISSING_COLUMN, detail).value(asked.unwrap_or_default()).hint(hint)
    })
}

/// Whether a field is written into JSON as it stands. It must be a number by JSON's grammar, so `007` and `+49` are
/// text; and a whole number beyond 2⁵³ is text too, because most readers of JSON would round it, and it is an id rather than an amount.
pub(super) fn stays_a_number(text: &str) -> bool {
    // JSON's grammar begins and ends so; the reader alone would let white space pass.
    if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) || text.trim_end() != text {
        return false;
    }
    let whole = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    serde_json::from_str::<f64>(text).is_ok_and(|number| !whole || number.abs() < 9_007_199_254_740_992.0)
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is always JSON")
}
