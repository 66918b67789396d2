//! What each column of a CSV file means, and a record read by it.
//!
//! What surprises: a column is a property unless its name says otherwise, and `properties.` before a name is taken off. Answers
//! write it before names that would mean something else, and other tools write it when they flatten GeoJSON. A field of the column
//! `properties` that is a JSON object is not one property but all that is in it.

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

/// The fields of a record, without their quotes.
pub(super) trait Record {
    /// How many there are.
    fn len(&self) -> usize;

    /// The text of one; its bytes, where they are none.
    fn text(&self, at: usize) -> Result<&str, &[u8]>;
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
    /// The columns that are properties, each with its name as JSON has it, and a colon.
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
        let properties = properties.into_iter().map(|at| (at, quoted(bare(at)) + ":")).collect();
        Ok(Columns { lat, lon, id, ttl, expires_at, expires_at_ms, json, properties, names })
    }

    /// Reads a record. The buffer is used over and over; what is in it does not matter.
    pub(super) fn row(&self, record: &impl Record, json: &mut String) -> Result<Incoming, Fault> {
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
        let (expires, properties) = (self.expires(record)?, self.properties(record, json)?);
        Ok(Incoming { id, point, properties, expires })
    }

    fn text<'r>(&self, record: &'r impl Record, at: usize) -> Result<&'r str, Fault> {
        record.text(at).map_err(|bytes| {
            let name = &self.names[at];
            Fault::new(BAD_ENCODING, format!("column {name:?} is not UTF-8"))
                .value(&String::from_utf8_lossy(bytes))
                .hint("save the file as UTF-8")
        })
    }

    /// The text of a column that may be missing or empty.
    fn optional<'r>(&self, record: &'r impl Record, at: Option<usize>) -> Result<Option<&'r str>, Fault> {
        let text = at.map(|at| self.text(record, at)).transpose()?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    fn degrees(
        &self,
        record: &impl Record,
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

    fn expires(&self, record: &impl Record) -> Result<Expires, Fault> {
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
    fn object<'r>(&self, record: &'r impl Record) -> Result<Option<&'r str>, Fault> {
        let text = self.optional(record, self.json)?;
        Ok(text.filter(|text| text.starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok()))
    }

    fn properties(&self, record: &impl Record, json: &mut String) -> Result<Properties, Fault> {
        let object = self.object(record)?;
        json.clear();
        json.push('{');
        for (at, name) in self.properties.iter().filter(|(at, _)| object.is_none() || self.json != Some(*at)) {
            let text = self.text(record, *at)?;
            if text.is_empty() {
                continue;
            }
            if json.len() > 1 {
                json.push(',');
            }
            json.push_str(name);
            if stays_a_number(text) { json.push_str(text) } else { push_quoted(json, text) }
        }
        match object {
            // Alone it stays as it is, to the last space.
            Some(object) if json.len() == 1 => {
                json.clear();
                json.push_str(object);
            }
            Some(object) => join(json, object),
            None => json.push('}'),
        }
        // We have written JSON; only its length is left to see.
        let short = Properties::checked_before(json);
        short.map_or_else(|| Properties::from_json(json).map_err(|error| Fault::of_properties(&error)), Ok)
    }
}

/// The members of an object that is not closed yet, and those of another.
fn join(open: &mut String, object: &str) {
    let members = object.trim().strip_prefix('{').expect("an object begins so");
    if members.trim_start() != "}" {
        open.push(',');
    }
    open.push_str(members);
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
    let Some(Number { is_whole, is_short }) = Number::of(text.as_bytes()) else { return false };
    // So few digits are within bounds; of more the reader of JSON has to say what they come to.
    is_short
        || serde_json::from_str::<f64>(text).is_ok_and(|number| !is_whole || number.abs() < 9_007_199_254_740_992.0)
}

/// A text that is a number by JSON's grammar.
struct Number {
    /// Without a fraction and an exponent.
    is_whole: bool,
    /// Of at most 15 digits in front, and without an exponent.
    is_short: bool,
}

impl Number {
    fn of(text: &[u8]) -> Option<Number> {
        let unsigned = text.strip_prefix(b"-").unwrap_or(text);
        let whole = digits(unsigned);
        if whole == 0 || (whole > 1 && unsigned[0] == b'0') {
            return None;
        }
        let mut rest = &unsigned[whole..];
        let mut number = Number { is_whole: rest.is_empty(), is_short: whole <= 15 };
        if let [b'.', fraction @ ..] = rest {
            let length = digits(fraction);
            rest = &fraction[length..];
            if length == 0 {
                return None;
            }
        }
        if let [b'e' | b'E', exponent @ ..] = rest {
            let unsigned = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
            number.is_short = false;
            rest = &unsigned[digits(unsigned)..];
            if rest.len() == unsigned.len() {
                return None;
            }
        }
        rest.is_empty().then_some(number)
    }
}

/// How many digits stand at the beginning.
fn digits(text: &[u8]) -> usize {
    text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len())
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is always JSON")
}

/// Appends a text as JSON; most have nothing in them that has to be escaped.
fn push_quoted(json: &mut String, text: &str) {
    // All of it is looked at, without a way out: that is one instruction for many bytes.
    let escapes = text.bytes().fold(false, |found, byte| found | matches!(byte, b'"' | b'\\' | 0..0x20));
    if escapes {
        return json.push_str(&quoted(text));
    }
    json.push('"');
    json.push_str(text);
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repeatable::repeatable;
    use proptest::prelude::*;

    /// The same, asked of the reader of JSON alone.
    fn is_read_as_a_number(text: &str) -> bool {
        if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) || text.trim_end() != text {
            return false;
        }
        let whole = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
        serde_json::from_str::<f64>(text).is_ok_and(|number| !whole || number.abs() < 9_007_199_254_740_992.0)
    }

    proptest! {
        #![proptest_config(repeatable(20_000))]
        #[test]
        fn a_number_is_what_the_reader_of_json_takes_for_one(text in "-?[0-9]{0,18}[-+.eE0 ]{0,2}[0-9]{0,4}[-+.eE0]{0,2}[0-9]{0,3}") {
            prop_assert_eq!(stays_a_number(&text), is_read_as_a_number(&text), "{}", text);
        }

        #[test]
        fn a_text_is_written_as_the_writer_of_json_writes_it(text in "[a\\x00-\\x7f\"\\\\é\u{7f}\u{2028}]{0,40}") {
            let mut json = String::new();
            push_quoted(&mut json, &text);
            prop_assert_eq!(json, serde_json::to_string(&text).unwrap());
        }
    }

    #[test]
    fn numbers_end_where_readers_would_round_or_overflow() {
        for (text, expected) in [
            ("9007199254740991", true),
            ("9007199254740992", false),
            ("-9007199254740991", true),
            ("999999999999999", true),
            ("1e308", true),
            ("1e309", false),
            ("0.1", true),
            ("00.1", false),
            ("-0", true),
            ("-", false),
            ("1.", false),
            ("1e", false),
            ("1e+5", true),
        ] {
            assert_eq!(stays_a_number(text), expected, "{text}");
            assert_eq!(is_read_as_a_number(text), expected, "{text}");
        }
        let long = "1".repeat(400);
        assert!(!stays_a_number(&long) && !stays_a_number(&format!("{long}.5")));
    }
}
