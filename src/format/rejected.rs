//! Why a row did not become an item: a stable word, the value, a sentence, and what would be right.
//!
//! What surprises: the words are a contract. Programs sort rejected rows by them, so they are listed in [`ROW_PROBLEMS`] and
//! outlive any rewording of the sentences.

use std::fmt;

use crate::collection::ItemError;
use crate::geometry::GeometryError;

/// The most characters of a value that a message repeats.
const VALUE_CHARACTERS: usize = 120;

/// A kind of thing that can be wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct RowProblem {
    /// The stable word.
    pub code: &'static str,
    /// What it means, for the documents.
    pub sentence: &'static str,
}

const fn problem(code: &'static str, sentence: &'static str) -> RowProblem {
    RowProblem { code, sentence }
}

pub(super) const MISSING_LATITUDE: &RowProblem = &problem("missing-latitude", "there is no latitude");
pub(super) const MISSING_LONGITUDE: &RowProblem = &problem("missing-longitude", "there is no longitude");
pub(super) const BAD_LATITUDE: &RowProblem = &problem("bad-latitude", "the latitude is no number within -90..90");
pub(super) const BAD_LONGITUDE: &RowProblem = &problem("bad-longitude", "the longitude is no number within -180..180");
pub(super) const BAD_ID: &RowProblem = &problem("bad-id", "the id is not 1 to 256 bytes of printable text");
pub(super) const BAD_PROPERTIES: &RowProblem =
    &problem("bad-properties", "the properties are no JSON object of at most 64 KiB");
pub(super) const BAD_EXPIRY: &RowProblem =
    &problem("bad-expiry", "`ttl` is no duration, or `expires_at` no moment, or there are both");
pub(super) const TOO_FEW_FIELDS: &RowProblem = &problem("too-few-fields", "the row has fewer fields than the header");
pub(super) const TOO_MANY_FIELDS: &RowProblem = &problem("too-many-fields", "the row has more fields than the header");
pub(super) const BAD_ENCODING: &RowProblem = &problem("bad-encoding", "the bytes are not UTF-8");
pub(super) const TOO_LONG: &RowProblem = &problem("too-long", "the row or feature has more than 1 MiB");
pub(super) const UNCLOSED_QUOTE: &RowProblem = &problem("unclosed-quote", "a quoted field has no end");
pub(super) const BAD_JSON: &RowProblem = &problem("bad-json", "this is no JSON object");
pub(super) const UNKNOWN_MEMBER: &RowProblem = &problem(
    "unknown-member",
    "a member that an item does not have; what is known of a thing goes into its properties",
);
pub(super) const REPEATED_MEMBER: &RowProblem = &problem("repeated-member", "a member stands twice");
pub(super) const NO_FEATURE: &RowProblem =
    &problem("no-feature", "this is GeoJSON, but no Feature and no FeatureCollection");
pub(super) const NO_POINT: &RowProblem = &problem("no-point", "the geometry of the Feature is no Point");
pub(super) const REST_UNREAD: &RowProblem =
    &problem("rest-unread", "from this line on the file could not be read, and nothing behind it was looked at");

/// Everything that can be wrong with a row, whatever its format.
pub static ROW_PROBLEMS: &[&RowProblem] = &[
    MISSING_LATITUDE,
    MISSING_LONGITUDE,
    BAD_LATITUDE,
    BAD_LONGITUDE,
    BAD_ID,
    BAD_PROPERTIES,
    BAD_EXPIRY,
    TOO_FEW_FIELDS,
    TOO_MANY_FIELDS,
    BAD_ENCODING,
    TOO_LONG,
    UNCLOSED_QUOTE,
    BAD_JSON,
    UNKNOWN_MEMBER,
    REPEATED_MEMBER,
    NO_FEATURE,
    NO_POINT,
    REST_UNREAD,
];

/// What is wrong with a row, without saying where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The stable word, one of [`ROW_PROBLEMS`], or of [`FILE_PROBLEMS`](super::FILE_PROBLEMS) for a whole file.
    pub code: &'static str,
    /// The value as given, shortened to 120 characters.
    pub value: Option<String>,
    /// What is wrong, as a sentence.
    pub detail: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl Fault {
    pub(super) fn new(problem: &'static RowProblem, detail: impl Into<String>) -> Fault {
        Fault { code: problem.code, value: None, detail: detail.into(), hint: None }
    }

    pub(super) fn value(self, value: &str) -> Fault {
        Fault { value: Some(shortened(value)), ..self }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Fault {
        Fault { hint: Some(hint.into()), ..self }
    }

    /// The same, of the row that begins on a line.
    pub fn at_line(self, line: u64) -> Rejected {
        let Fault { code, value, detail, hint } = self;
        Rejected { line, code, value, detail, hint, row: None }
    }

    /// Numbers that are no position. The sentence of the geometry ends in what would be right, if anybody can tell.
    pub(super) fn of_position(error: &GeometryError) -> Fault {
        let (problem, value) = match error {
            GeometryError::Latitude { lat_deg, .. } => (BAD_LATITUDE, lat_deg.to_string()),
            GeometryError::Longitude { lon_deg } => (BAD_LONGITUDE, lon_deg.to_string()),
            other => (BAD_LATITUDE, other.to_string()),
        };
        let text = error.to_string();
        match text.split_once("; ") {
            Some((detail, hint)) => Fault::new(problem, detail).value(&value).hint(hint),
            None => Fault::new(problem, text).value(&value),
        }
    }

    pub(super) fn of_id(error: &ItemError, id: &str) -> Fault {
        Fault::new(BAD_ID, error.to_string()).value(id)
    }

    pub(super) fn of_properties(error: &ItemError) -> Fault {
        Fault::new(BAD_PROPERTIES, error.to_string())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        say(f, &self.detail, self.hint.as_deref())
    }
}

/// A row that became no item, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The line on which the row begins; the first line of a file is 1.
    pub line: u64,
    /// The stable word, one of [`ROW_PROBLEMS`].
    pub code: &'static str,
    /// The value as given, shortened to 120 characters.
    pub value: Option<String>,
    /// What is wrong, as a sentence.
    pub detail: String,
    /// What would be right.
    pub hint: Option<String>,
    /// The row as it stands in the file, where it was at hand; bytes that are no text are replaced.
    pub row: Option<String>,
}

impl Rejected {
    /// The same with the row as it stands, the end of its line taken off.
    pub(super) fn of_row(self, row: &[u8]) -> Rejected {
        let row = row.strip_suffix(b"\n").unwrap_or(row);
        let row = row.strip_suffix(b"\r").unwrap_or(row);
        Rejected { row: Some(String::from_utf8_lossy(row).into_owned()), ..self }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        say(f, &self.detail, self.hint.as_deref())
    }
}

fn say(f: &mut fmt::Formatter<'_>, detail: &str, hint: Option<&str>) -> fmt::Result {
    f.write_str(detail)?;
    hint.map_or(Ok(()), |hint| write!(f, "; {hint}"))
}

/// The value for a message: enough to recognise it by.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARACTERS) {
        None => text.to_owned(),
        Some(_) => text.chars().take(VALUE_CHARACTERS - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_at_most_so_many_characters() {
        assert_eq!(shortened(&"é".repeat(120)), "é".repeat(120));
        let long = shortened(&"é".repeat(121));
        assert!(long.chars().count() == 120 && long.ends_with("é…"), "{long}");
    }

    #[test]
    fn every_code_stands_once() {
        let mut codes: Vec<&str> = ROW_PROBLEMS.iter().map(|problem| problem.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ROW_PROBLEMS.len());
    }
}
