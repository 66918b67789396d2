//! What a reader of items is, and how one is found for bytes that say nothing about themselves.
//!
//! What surprises: a file that is no such file at all is an error, once; a row that is no item is a value like any other, and the rows
//! behind it go on.

use std::fmt;
use std::io::{self, Read};

use thiserror::Error;

use super::batch::{Batch, Place, RowRef};
use super::item::Incoming;
use super::rejected::{Fault, Rejected, RowProblem};
use super::{READERS, csv, geojson, ndjson};

/// Bytes from anywhere.
pub type Source = Box<dyn Read + Send>;

/// Rows as they are read, many together, and at most one error of the source, which ends them.
pub type Batches = Box<dyn Iterator<Item = io::Result<Batch>> + Send>;

/// Rows that readers of one row at a time gather into a batch, at most, and bytes of them.
const GATHERED: usize = 2048;
const GATHERED_BYTES: usize = 1 << 20;

/// Rows as they come: good ones, refused ones, and at most one error of the source, which ends them.
///
/// One by one each has memory of its own. Whoever has many to read takes [`batches`](Rows::batches).
pub struct Rows {
    batches: Batches,
    /// The batch that is being handed out one by one, and how far.
    batch: Batch,
    place: Place,
}

impl Rows {
    /// The rows of some batches.
    pub fn of_batches(batches: impl Iterator<Item = io::Result<Batch>> + Send + 'static) -> Rows {
        Rows { batches: Box::new(batches), batch: Batch::default(), place: Place::default() }
    }

    /// Rows of a reader that reads one at a time.
    pub fn one_by_one(rows: impl Iterator<Item = io::Result<Result<Incoming, Rejected>>> + Send + 'static) -> Rows {
        Rows::of_batches(Gathered { rows, error: None })
    }

    /// The same rows, in batches; of one that was begun one by one the rest is left out.
    pub fn batches(self) -> Batches {
        self.batches
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("batch", &self.batch).finish_non_exhaustive()
    }
}

impl Iterator for Rows {
    type Item = io::Result<Result<Incoming, Rejected>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.batch.next(&mut self.place) {
                return Some(Ok(row.map(RowRef::to_incoming).map_err(Clone::clone)));
            }
            match self.batches.next()? {
                Ok(batch) => (self.batch, self.place) = (batch, Place::default()),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// Gathers rows into batches.
struct Gathered<I> {
    rows: I,
    /// What ended the last batch.
    error: Option<io::Error>,
}

impl<I: Iterator<Item = io::Result<Result<Incoming, Rejected>>>> Iterator for Gathered<I> {
    type Item = io::Result<Batch>;

    fn next(&mut self) -> Option<io::Result<Batch>> {
        let mut batch = Batch::default();
        while self.error.is_none() && batch.len() < GATHERED && batch.bytes() < GATHERED_BYTES {
            match self.rows.next() {
                Some(Ok(row)) => batch.push(row),
                Some(Err(error)) => self.error = Some(error),
                None => break,
            }
        }
        batch.finish();
        // First what came before the error.
        if batch.is_empty() { self.error.take().map(Err) } else { Some(Ok(batch)) }
    }
}

/// A way to read items.
pub struct Reader {
    /// The name users write, lower case.
    pub name: &'static str,
    /// One sentence on what it reads.
    pub summary: &'static str,
    /// What it is called on the web, the usual name first.
    pub media_types: &'static [&'static str],
    /// How names of such files end, without the dot.
    pub extensions: &'static [&'static str],
    /// Reads the beginning; the rows follow one by one, in bounded memory.
    pub open: fn(Source, &ReadOptions) -> Result<Rows, HeaderError>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reader").field(&self.name).finish()
    }
}

/// What a user says about a file that it does not say itself. Only CSV listens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// The column of the latitude.
    pub lat_column: Option<String>,
    /// The column of the longitude.
    pub lon_column: Option<String>,
    /// The column of the id.
    pub id_column: Option<String>,
    /// What stands between fields; any byte of ASCII that is no quote and no line break.
    pub delimiter: Option<u8>,
}

impl ReadOptions {
    /// What reads a file of which nothing else says what it is: whoever names a delimiter means CSV, which is recognised by those that are
    /// common.
    pub fn reader(&self) -> Option<&'static Reader> {
        self.delimiter.and_then(|_| reader_named(super::csv::NAME))
    }
}

/// Why a file cannot be read at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Its header is none. The code is one of [`FILE_PROBLEMS`].
    #[error("{0}")]
    Unusable(Fault),
    /// The source failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

pub(super) const EMPTY_FILE: &RowProblem =
    &RowProblem { code: "empty-file", sentence: "there is nothing in the file, not even a header" };
pub(super) const MISSING_COLUMN: &RowProblem =
    &RowProblem { code: "missing-column", sentence: "the header names no column for a coordinate" };
pub(super) const REPEATED_COLUMN: &RowProblem =
    &RowProblem { code: "repeated-column", sentence: "a column name stands twice in the header" };
pub(super) const BAD_HEADER: &RowProblem =
    &RowProblem { code: "bad-header", sentence: "the header is no UTF-8 text, or longer than 1 MiB" };
pub(super) const BAD_DELIMITER: &RowProblem =
    &RowProblem { code: "bad-delimiter", sentence: "the delimiter that was asked for cannot be one" };

/// Everything that can be wrong with a file as a whole.
pub static FILE_PROBLEMS: &[&RowProblem] = &[EMPTY_FILE, MISSING_COLUMN, REPEATED_COLUMN, BAD_HEADER, BAD_DELIMITER];

/// The reader of a name, such as `csv`.
pub fn reader_named(name: &str) -> Option<&'static Reader> {
    READERS.iter().find(|reader| reader.name == name)
}

/// The reader of a media type, such as `text/csv; charset=utf-8`.
pub fn reader_for_media_type(media_type: &str) -> Option<&'static Reader> {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    READERS.iter().find(|reader| reader.media_types.iter().any(|known| known.eq_ignore_ascii_case(essence)))
}

/// The reader for the name of a file, by its ending.
pub fn reader_for_file(name: &str) -> Option<&'static Reader> {
    let ending = name.rsplit_once('.')?.1;
    READERS.iter().find(|reader| reader.extensions.iter().any(|known| known.eq_ignore_ascii_case(ending)))
}

/// The reader for a content, told by its first bytes: a few hundred are enough, a few thousand are better.
///
/// ```
/// use nigh::format::sniff;
/// let name = |text: &str| sniff(text.as_bytes()).map(|reader| reader.name);
/// assert_eq!(name("name,lat,lon\n"), Some("csv"));
/// assert_eq!(name("{\"lat\":1,\"lon\":2}\n{\"lat\":3,"), Some("ndjson"));
/// assert_eq!(name("{\"type\":\"FeatureCollection\",\"features\":["), Some("geojson"));
/// assert_eq!(name("\u{0}\u{1}"), None);
/// ```
pub fn sniff(first_bytes: &[u8]) -> Option<&'static Reader> {
    let bytes = first_bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first_bytes).trim_ascii_start();
    let reader = match bytes.first()? {
        0x1e => &ndjson::READER,
        b'[' => &geojson::READER,
        b'{' if is_one_object_a_line(bytes) => &ndjson::READER,
        b'{' => &geojson::READER,
        _ if is_a_header(bytes) => &csv::READER,
        _ => return None,
    };
    reader_named(reader.name)
}

/// Whether an object ends on the line on which it begins, and is not a whole collection.
fn is_one_object_a_line(bytes: &[u8]) -> bool {
    let collection = contains(bytes, b"\"FeatureCollection\"") || contains(bytes, b"\"features\"");
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let rest = bytes[first.len()..].trim_ascii_start();
    let ends = first.trim_ascii_end().ends_with(b"}");
    match (rest.first(), ends) {
        (Some(b'{' | 0x1e), true) => true,
        // The first bytes end before the first line does, or there is one line only.
        (None, _) => !collection,
        _ => false,
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Whether this is text whose first line has columns.
fn is_a_header(bytes: &[u8]) -> bool {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let text = match std::str::from_utf8(line) {
        Ok(_) => true,
        // A character that the end of what is known cut in two.
        Err(error) => error.error_len().is_none(),
    };
    let control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r');
    text && !line.iter().any(control) && line.iter().any(|byte| matches!(byte, b',' | b';' | b'\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_tells_its_reader() {
        for (bytes, expected) in [
            (&b"lat,lon\n1,2\n"[..], Some("csv")),
            (b"\xEF\xBB\xBF\nlat;lon", Some("csv")),
            (b"name\tlat\tlon\xc3", Some("csv")),
            (b"\"{\",lat,lon", Some("csv")),
            (b"lat\n", None),
            (b"", None),
            (b"\n \n", None),
            (b"PK\x03\x04,,", None),
            (b"\x1f\x8b\x08", None),
            (b"la\xff,lon\n", None),
            (b"\x1e{\"type\":\"Feature\"}\n", Some("ndjson")),
            (b"{\"lat\":1}", Some("ndjson")),
            (b"{\"lat\":1}\r\n\r\n{\"lat", Some("ndjson")),
            (b"{\"type\":\"Feature\",\"properties\":{\"features\":1}}\n{\"type\":\"Feature\"", Some("ndjson")),
            (b"{\"type\":\"Feature\",\"properties\":{\"a long one", Some("ndjson")),
            (b"{\"type\":\"FeatureCollection\",\"features\":[{\"type", Some("geojson")),
            (b"{ \"type\": \"FeatureCollection\",\n\"features\": [\n{ \"type", Some("geojson")),
            (b"\xEF\xBB\xBF {\n \"type\": \"Feature\"", Some("geojson")),
            (b"{\"type\":\"FeatureCollection\",\"features\":[]}\n", Some("geojson")),
            (b"[{\"type\":\"Feature\"}]", Some("geojson")),
        ] {
            assert_eq!(sniff(bytes).map(|reader| reader.name), expected, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn names_media_types_and_endings_lead_to_one_reader_each() {
        for reader in READERS {
            assert_eq!(reader_named(reader.name).unwrap().name, reader.name);
            for media_type in reader.media_types {
                let found = reader_for_media_type(&format!("{} ; charset=UTF-8", media_type.to_uppercase()));
                assert_eq!(found.unwrap().name, reader.name);
            }
            for extension in reader.extensions {
                assert_eq!(reader_for_file(&format!("a.b.{extension}")).unwrap().name, reader.name);
            }
        }
        assert!(
            reader_named("xml").is_none() && reader_for_media_type("").is_none() && reader_for_file("csv").is_none()
        );
    }
}
