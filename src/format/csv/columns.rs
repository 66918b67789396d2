//! What each column of a CSV file means, and a record read by it.
//!
//! What surprises: a column is a property unless its name says otherwise, and `properties.` before a name is taken off. Answers
//! write it before names that would mean something else, and other tools write it when they flatten GeoJSON. A field of the column
//! `properties` that is a JSON object is not one property but all that is in it.

use super::numbers::{read_number, stays_a_number};
use super::{ID_COLUMNS, LAT_COLUMNS, LON_COLUMNS};
use crate::collection::{ID_BYTES_MAX, Id, PROPERTIES_BYTES_MAX, Properties};
use crate::format::batch::Head;
use crate::format::item::{Expires, read_expires_at, read_ttl};
use crate::format::reader::{MISSING_COLUMN, REPEATED_COLUMN};
use crate::format::rejected::{
    BAD_ENCODING, BAD_EXPIRY, BAD_LATITUDE, BAD_LONGITUDE, Fault, MISSING_LATITUDE, MISSING_LONGITUDE, RowProblem,
    TOO_FEW_FIELDS, TOO_MANY_FIELDS, shortened,
};
use crate::format::{PROPERTIES_PREFIX, ReadOptions};
use crate::geometry::Point;
use serde_json::value::RawValue;

/// The fields of a record, without their quotes.
pub(super) trait Record {
    /// How many there are.
    fn len(&self) -> usize;

    /// The bytes of one.
    fn bytes(&self, at: usize) -> &[u8];

    /// Whether it is known of all that they are UTF-8.
    fn is_text(&self) -> bool;

    /// Whether it is known of one that there is no control character in it.
    fn is_printable(&self, at: usize) -> bool;

    /// Whether it is known of one that it stands in JSON as it is, between quotes.
    fn is_plain(&self, at: usize) -> bool;
}

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
    /// The columns that are properties, each with what stands before its text in JSON: a comma, the name, a colon, and a quote.
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
        let properties = properties.into_iter().map(|at| (at, format!(",{}:\"", quoted(bare(at))))).collect();
        Ok(Columns { lat, lon, id, ttl, expires_at, expires_at_ms, json, properties, names })
    }

    /// Reads a record: its id and its properties are appended to a text, the rest comes back. Of a record that is refused anything may
    /// have been appended.
    pub(super) fn write(&self, record: &impl Record, text: &mut Vec<u8>) -> Result<Head, Fault> {
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
        let id = self.id.map_or(Ok(&[][..]), |at| self.text(record, at))?;
        let is_printable = self.id.is_some_and(|at| record.is_printable(at)) && id.len() <= ID_BYTES_MAX;
        if !id.is_empty() && !is_printable {
            let id = checked(id);
            Id::check(id).map_err(|error| Fault::of_id(&error, id))?;
        }
        let expires = self.expires(record)?;
        text.extend_from_slice(id);
        self.write_properties(record, text)?;
        Ok(Head { point, id_bytes: id.len(), expires })
    }

    /// The bytes of a column, which are UTF-8.
    #[inline]
    fn text<'r>(&self, record: &'r impl Record, at: usize) -> Result<&'r [u8], Fault> {
        let bytes = record.bytes(at);
        if record.is_text() || std::str::from_utf8(bytes).is_ok() { Ok(bytes) } else { Err(self.no_text(at, bytes)) }
    }

    #[cold]
    fn no_text(&self, at: usize, bytes: &[u8]) -> Fault {
        let name = &self.names[at];
        Fault::new(BAD_ENCODING, format!("column {name:?} is not UTF-8"))
            .value(&String::from_utf8_lossy(bytes))
            .hint("save the file as UTF-8")
    }

    /// The text of a column that may be missing or empty.
    fn optional<'r>(&self, record: &'r impl Record, at: Option<usize>) -> Result<Option<&'r str>, Fault> {
        let text = at.map(|at| self.text(record, at)).transpose()?;
        Ok(text.filter(|text| !text.is_empty()).map(checked))
    }

    fn degrees(
        &self,
        record: &impl Record,
        at: usize,
        missing: &'static RowProblem,
        bad: &'static RowProblem,
    ) -> Result<f64, Fault> {
        let text = self.text(record, at)?;
        read_number(text).ok_or_else(|| self.no_degrees(at, checked(text).trim(), missing, bad))
    }

    #[cold]
    fn no_degrees(&self, at: usize, text: &str, missing: &'static RowProblem, bad: &'static RowProblem) -> Fault {
        let name = &self.names[at];
        if text.is_empty() {
            return Fault::new(missing, format!("column {name:?} is empty")).hint("write degrees as in 48.857");
        }
        let comma = text.contains(',');
        let hint = if comma { "write a decimal point, not a comma" } else { "write degrees as in 48.857" };
        let detail = format!("column {name:?} is {:?}, which is no number", shortened(text));
        Fault::new(bad, detail).value(text).hint(hint)
    }

    fn expires(&self, record: &impl Record) -> Result<Expires, Fault> {
        let columns = [self.ttl, self.expires_at, self.expires_at_ms];
        if columns == [None; 3] {
            return Ok(Expires::Unsaid);
        }
        let given = columns.map(|at| self.optional(record, at));
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
    fn object<'r>(&self, record: &'r impl Record) -> Result<Option<&'r str>, Fault> {
        let text = self.optional(record, self.json)?;
        Ok(text.filter(|text| text.starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok()))
    }

    fn write_properties(&self, record: &impl Record, json: &mut Vec<u8>) -> Result<(), Fault> {
        let object = self.object(record)?;
        let start = json.len();
        json.push(b'{');
        for (at, before) in self.properties.iter().filter(|(at, _)| object.is_none() || self.json != Some(*at)) {
            let (text, before) = (self.text(record, *at)?, before.as_bytes());
            if text.is_empty() {
                continue;
            }
            let before = if json.len() == start + 1 { &before[1..] } else { before };
            if stays_a_number(text) {
                json.extend_from_slice(&before[..before.len() - 1]);
                json.extend_from_slice(text);
            } else {
                json.extend_from_slice(before);
                if record.is_plain(*at) {
                    json.extend_from_slice(text);
                } else {
                    push_unquoted(json, text);
                }
                json.push(b'"');
            }
        }
        match object {
            // Alone it stays as it is, to the last space.
            Some(object) if json.len() == start + 1 => {
                json.truncate(start);
                json.extend_from_slice(object.as_bytes());
            }
            Some(object) => join(json, object),
            None => json.push(b'}'),
        }
        let written = &json[start..];
        if written.len() <= PROPERTIES_BYTES_MAX && written.ends_with(b"}") {
            return Ok(()); // we have written JSON
        }
        let properties = Properties::from_json(checked(written)).map_err(|error| Fault::of_properties(&error))?;
        json.truncate(start);
        json.extend_from_slice(properties.as_json().as_bytes());
        Ok(())
    }
}

/// The members of an object that is not closed yet, and those of another.
fn join(open: &mut Vec<u8>, object: &str) {
    let members = object.trim().strip_prefix('{').expect("an object begins so");
    if members.trim_start() != "}" {
        open.push(b',');
    }
    open.extend_from_slice(members.as_bytes());
}

/// Bytes that have been looked at, as a text.
fn checked(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("it was looked at before")
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

pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is always JSON")
}

/// Appends what stands between the quotes of a text in JSON; most have nothing in them that has to be escaped.
fn push_unquoted(json: &mut Vec<u8>, text: &[u8]) {
    // All of it is looked at, without a way out: that is one instruction for many bytes.
    let escapes = text.iter().fold(false, |found, byte| found | matches!(byte, b'"' | b'\\' | 0..0x20));
    if escapes {
        let quoted = quoted(checked(text));
        return json.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
    }
    json.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repeatable::repeatable;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(repeatable(10_000))]
        #[test]
        fn a_text_is_written_as_the_writer_of_json_writes_it(text in "[a\\x00-\\x7f\"\\\\é\u{7f}\u{2028}]{0,40}") {
            let mut json = b"\"".to_vec();
            push_unquoted(&mut json, text.as_bytes());
            json.push(b'"');
            prop_assert_eq!(String::from_utf8(json).unwrap(), serde_json::to_string(&text).unwrap());
        }
    }
}
