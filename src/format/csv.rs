//! CSV in: columns found by name in any order, one row at a time, a bad row refused without harm to its neighbours.
//!
//! What surprises is how hard the line number of a refused row is to get right: a quoted field may hold line breaks, blank
//! lines are skipped, and lines end in LF or CRLF, even within one file. See `line_of_last_record`.
//!
//! *References*: RFC 4180. Beyond it: a byte-order mark is skipped, `;` and tab are recognised as delimiters.

use std::io::{self, Chain, Cursor, Read};

use ::csv::{ByteRecord, Reader, ReaderBuilder, Terminator};
use thiserror::Error;

use crate::geometry::{GeometryError, Point};

/// Column names that are read as the latitude; the first that is present wins, and the others stay properties.
pub const LAT_COLUMNS: &[&str] = &["lat", "latitude", "y"];
/// Column names that are read as the longitude, likewise.
pub const LON_COLUMNS: &[&str] = &["lon", "lng", "long", "longitude", "x"];
/// Column names that are read as the id, likewise.
pub const ID_COLUMNS: &[&str] = &["id", "key", "uuid"];

/// One row that can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The id as written, if the file has an id column and it is not empty here.
    pub id: Option<String>,
    /// Where it is.
    pub point: Point,
    /// Every other column that is not empty here, as the text of a JSON object.
    pub properties_json: String,
}

/// One row that cannot be used.
#[derive(Debug, Error)]
#[error("line {line}: {reason}")]
pub struct Rejected {
    /// The line of the file on which the row begins; the header is line 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: RowError,
}

/// What can be wrong with a row.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum RowError {
    /// More or fewer fields than the header has.
    #[error("{found} fields where the header has {expected}; quote fields that hold the delimiter")]
    FieldCount {
        /// How many the header has.
        expected: usize,
        /// How many this row has.
        found: usize,
    },
    /// Bytes that are no text.
    #[error("column {column:?} is not UTF-8")]
    NotUtf8 {
        /// The column's name.
        column: String,
    },
    /// A latitude or longitude that is no number.
    #[error("column {column:?} is {value:?}, which is no number; {hint}")]
    NotANumber {
        /// The column's name.
        column: String,
        /// The text found there.
        value: String,
        /// What would be right.
        hint: &'static str,
    },
    /// Numbers that are no position.
    #[error(transparent)]
    Position(#[from] GeometryError),
}

/// Why a file cannot be read as CSV at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CsvError {
    /// No column for a coordinate.
    #[error("no column for the {what}: name one of them {}; found {}", known.join(", "), found.join(", "))]
    MissingColumn {
        /// `latitude` or `longitude`.
        what: &'static str,
        /// The names that would be right.
        known: &'static [&'static str],
        /// The names in the header.
        found: Vec<String>,
    },
    /// A column name that stands twice: two properties cannot share a name.
    #[error("column {name:?} stands twice in the header")]
    RepeatedColumn {
        /// The name.
        name: String,
    },
    /// A header that is no text.
    #[error("the header is not UTF-8")]
    HeaderNotUtf8,
    /// The source failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The rows of a CSV text, good and bad, in order.
///
/// ```
/// use nigh::format::csv::Rows;
/// let text = "name,lng,lat,stars\nLe Procope,2.3387,48.8532,4\nNowhere,2.3,N/A,\n";
/// let mut rows = Rows::read(text.as_bytes()).unwrap();
/// let cafe = rows.next().unwrap().unwrap().unwrap();
/// assert_eq!(cafe.properties_json, r#"{"name":"Le Procope","stars":4}"#);
/// let rejected = rows.next().unwrap().unwrap().unwrap_err();
/// assert!(rejected.to_string().starts_with(r#"line 3: column "lat" is "N/A""#));
/// ```
pub struct Rows<R: Read> {
    reader: Reader<Source<R>>,
    columns: Columns,
    record: ByteRecord,
}

/// The first line, which was read to look at, then the rest, then a line break in case the last line has none.
type Source<R> = Chain<Chain<Cursor<Vec<u8>>, R>, &'static [u8]>;

impl<R: Read> Rows<R> {
    /// Reads the header; the rows follow one by one from the iterator.
    pub fn read(mut source: R) -> Result<Rows<R>, CsvError> {
        let mut start = first_line(&mut source)?;
        if start.starts_with(b"\xEF\xBB\xBF") {
            start.drain(..3);
        }
        let delimiter = delimiter_of(&start);
        // Lines end at LF for the tokeniser, and a CR before it is taken off here: only so can lines be counted.
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .terminator(Terminator::Any(b'\n'))
            .has_headers(false)
            .flexible(true)
            .from_reader(Cursor::new(start).chain(source).chain(&b"\n"[..]));
        let mut record = ByteRecord::new();
        reader.read_byte_record(&mut record).map_err(io_error)?;
        let columns = Columns::of_header(&record)?;
        Ok(Rows { reader, columns, record })
    }

    /// Fetches the next record that is not blank; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        while self.reader.read_byte_record(&mut self.record).map_err(io_error)? {
            if self.record.as_slice() != b"\r" {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The physical line on which the record just read begins.
    ///
    /// The tokeniser notes a position *before* it skips blank lines, so we reckon from the other end: it now stands behind the
    /// record's own line break, and every other line break of the record lies inside its fields.
    fn line_of_last_record(&self) -> u64 {
        let inside = self.record.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.reader.position().line() - 1 - inside
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = io::Result<Result<Row, Rejected>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.advance() {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(error)),
        }
        let row = self.columns.row(&self.record);
        Some(Ok(row.map_err(|reason| Rejected { line: self.line_of_last_record(), reason })))
    }
}

/// What each column means.
struct Columns {
    names: Vec<String>,
    lat: usize,
    lon: usize,
    id: Option<usize>,
}

impl Columns {
    fn of_header(header: &ByteRecord) -> Result<Columns, CsvError> {
        let mut names = Vec::with_capacity(header.len());
        for (at, field) in header.iter().enumerate() {
            let name = std::str::from_utf8(field).map_err(|_| CsvError::HeaderNotUtf8)?.trim();
            // Tables with row numbers often leave the first name empty.
            let name = if name.is_empty() { format!("column{}", at + 1) } else { name.to_owned() };
            if names.contains(&name) {
                return Err(CsvError::RepeatedColumn { name });
            }
            names.push(name);
        }
        let position = |known: &[&str]| {
            known.iter().find_map(|wanted| names.iter().position(|name| name.eq_ignore_ascii_case(wanted)))
        };
        let missing = |what, known| CsvError::MissingColumn { what, known, found: names.clone() };
        let lat = position(LAT_COLUMNS).ok_or_else(|| missing("latitude", LAT_COLUMNS))?;
        let lon = position(LON_COLUMNS).ok_or_else(|| missing("longitude", LON_COLUMNS))?;
        let id = position(ID_COLUMNS);
        Ok(Columns { names, lat, lon, id })
    }

    fn row(&self, record: &ByteRecord) -> Result<Row, RowError> {
        if record.len() != self.names.len() {
            return Err(RowError::FieldCount { expected: self.names.len(), found: record.len() });
        }
        let point = Point::new(self.number(record, self.lat)?, self.number(record, self.lon)?)?;
        let id = self.id.map(|at| self.text(record, at)).transpose()?;
        Ok(Row {
            id: id.filter(|id| !id.is_empty()).map(str::to_owned),
            point,
            properties_json: self.properties(record)?,
        })
    }

    fn text<'r>(&self, record: &'r ByteRecord, at: usize) -> Result<&'r str, RowError> {
        let text =
            std::str::from_utf8(&record[at]).map_err(|_| RowError::NotUtf8 { column: self.names[at].clone() })?;
        let last = at + 1 == self.names.len();
        Ok(if last { text.strip_suffix('\r').unwrap_or(text) } else { text })
    }

    fn number(&self, record: &ByteRecord, at: usize) -> Result<f64, RowError> {
        let text = self.text(record, at)?.trim();
        text.parse().map_err(|_| RowError::NotANumber {
            column: self.names[at].clone(),
            value: shortened(text),
            hint: if text.contains(',') { "write a decimal point, not a comma" } else { "write degrees as in 48.857" },
        })
    }

    fn properties(&self, record: &ByteRecord) -> Result<String, RowError> {
        let mut json = String::from("{");
        for (at, name) in self.names.iter().enumerate() {
            if at == self.lat || at == self.lon || Some(at) == self.id {
                continue;
            }
            let text = self.text(record, at)?;
            if text.is_empty() {
                continue;
            }
            if json.len() > 1 {
                json.push(',');
            }
            json.push_str(&quoted(name));
            json.push(':');
            if stays_a_number(text) { json.push_str(text) } else { json.push_str(&quoted(text)) }
        }
        json.push('}');
        Ok(json)
    }
}

/// Whether a field is written into JSON as it stands. It must be a number by JSON's grammar, so `007` and `+49` are
/// text; and a whole number beyond 2⁵³ is text too, because most readers of JSON would round it, and it is an id rather than an amount.
fn stays_a_number(text: &str) -> bool {
    // JSON's grammar begins and ends so; the reader alone would let white space pass.
    if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) || text.trim_end() != text {
        return false;
    }
    let whole = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    serde_json::from_str::<f64>(text).is_ok_and(|number| !whole || number.abs() < 9_007_199_254_740_992.0)
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is always JSON")
}

/// The value for a message: enough to recognise it by.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    if text.chars().count() <= SHOWN { text.to_owned() } else { text.chars().take(SHOWN).chain(['…']).collect() }
}

/// Reads up to the first line break, or a little further.
fn first_line(source: &mut impl Read) -> io::Result<Vec<u8>> {
    const LONGEST_HEADER: usize = 1 << 20;
    let mut start = Vec::new();
    let mut piece = [0; 4096];
    while !start.contains(&b'\n') && start.len() < LONGEST_HEADER {
        match source.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => start.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(start)
}

/// The one of `,`, `;` and tab that the header holds most of.
fn delimiter_of(start: &[u8]) -> u8 {
    let header = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| header.iter().filter(|&&byte| byte == delimiter).count();
    // `max_by_key` keeps the last of equals, so the comma stands last.
    [b'\t', b';', b','].into_iter().max_by_key(|&delimiter| count(delimiter)).expect("there are three")
}

/// In flexible byte records only the source can fail.
fn io_error(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
