//! CSV in: columns found by name in any order, a bad row refused without harm to its neighbours, read on all cores.
//!
//! What surprises is how hard the line number of a refused row is to get right: a quoted field may hold line breaks, blank
//! lines are skipped, lines end in LF or CRLF, even within one file, and a quote may never be closed. See the module of records.
//!
//! A CR that is not before an LF is data: files of the last century, whose lines end in CR alone, are one long line.
//!
//! *References*: RFC 4180. Beyond it: a byte-order mark is skipped, `;` and tab are recognised as delimiters.

mod chunks;
mod columns;
mod numbers;
mod records;
mod rejects;
mod sheet;
mod tokens;
mod write;

use std::io::{self, Read};

use super::reader::{BAD_DELIMITER, BAD_HEADER, EMPTY_FILE};
use super::rejected::{Fault, Rejected, TOO_LONG, UNCLOSED_QUOTE};
use super::{Batch, HeaderError, Incoming, ReadOptions, Reader, RowRef};
pub use chunks::ChunkedRows;
use columns::{Columns, Record};
use records::{Found, Records};
pub use rejects::{REJECTED_HEADER, write_rejected};

pub use sheet::Sheet;
pub(super) use write::CSV;

/// Column names that are read as the latitude; the first that is present wins, and the others stay properties.
pub const LAT_COLUMNS: &[&str] = &["lat", "latitude", "y"];
/// Column names that are read as the longitude, likewise.
pub const LON_COLUMNS: &[&str] = &["lon", "lng", "long", "longitude", "x"];
/// Column names that are read as the id, likewise.
pub const ID_COLUMNS: &[&str] = &["id", "key", "uuid"];

/// The delimiter that somebody writes: a character of ASCII that is no quote and no line break, or `tab`.
///
/// ```
/// use nigh::format::csv::delimiter_named;
/// assert_eq!([";", "|", "tab", "\\t"].map(delimiter_named), [Some(b';'), Some(b'|'), Some(b'\t'), Some(b'\t')]);
/// assert_eq!(["", "||", "é", "\"", "\n"].map(delimiter_named), [None; 5]);
/// ```
pub fn delimiter_named(text: &str) -> Option<u8> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Some(b'\t'),
        &[one] => Some(one).filter(|&one| can_delimit(one)),
        _ => None,
    }
}

fn can_delimit(byte: u8) -> bool {
    byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0)
}

/// What users call the format.
pub const NAME: &str = "csv";

/// The registered reader.
pub(super) const READER: Reader = Reader {
    name: NAME,
    summary: "a header that names `lat` and `lon` in any order, then one item a row; every other column is a property",
    media_types: &["text/csv", "application/csv", "text/tab-separated-values"],
    extensions: &["csv", "tsv"],
    open: |source, options| Ok(super::Rows::of_batches(ChunkedRows::read(source, options)?)),
};

/// The rows of a CSV text, good and bad, in order, one after the other.
///
/// ```
/// use nigh::format::{ReadOptions, csv::Rows};
/// let text = "name,lng,lat,stars\nLe Procope,2.3387,48.8532,4\nNowhere,2.3,N/A,\n";
/// let mut rows = Rows::read(text.as_bytes(), &ReadOptions::default()).unwrap();
/// let cafe = rows.next().unwrap().unwrap().unwrap();
/// assert_eq!(cafe.properties.as_json(), r#"{"name":"Le Procope","stars":4}"#);
/// let rejected = rows.next().unwrap().unwrap().unwrap_err();
/// assert_eq!((rejected.line, rejected.code, rejected.value.as_deref()), (3, "bad-latitude", Some("N/A")));
/// ```
pub struct Rows<R> {
    records: Records<R>,
    columns: Columns,
    /// The row that was read last, where they are asked for one by one.
    row: Batch,
    failed: bool,
}

impl<R: Read> Rows<R> {
    /// Reads the header; the rows follow one by one from the iterator.
    pub fn read(source: R, options: &ReadOptions) -> Result<Rows<R>, HeaderError> {
        if options.delimiter.is_some_and(|delimiter| !can_delimit(delimiter)) {
            let fault = Fault::new(BAD_DELIMITER, "a delimiter is one character of ASCII, no quote and no line break");
            return Err(HeaderError::Unusable(fault));
        }
        let mut records = Records::open(source, options.delimiter)?;
        let names = header(&mut records)?;
        let columns = Columns::of_header(names, options).map_err(HeaderError::Unusable)?;
        Ok(Rows { records, columns, row: Batch::default(), failed: false })
    }

    /// Reads the next row into a batch, good or refused; whether there was one.
    fn read_into(&mut self, batch: &mut Batch) -> io::Result<bool> {
        if self.failed {
            return Ok(false);
        }
        let (found, line) = self.records.advance().inspect_err(|_| self.failed = true)?;
        let row = match found {
            Found::End => return Ok(false),
            Found::Record => {
                let row = self.columns.write(&self.records, batch.text());
                row.map_err(|fault| fault.at_line(line).of_row(self.records.raw()))
            }
            Found::TooLong => Err(Fault::new(TOO_LONG, "the row has more than 1 MiB")
                .hint("a quote that opens on this line may lack its end; the next line is read on its own")
                .at_line(line)),
            Found::Unclosed => Err(Fault::new(UNCLOSED_QUOTE, "a quoted field opens on this line and has no end")
                .hint("close it, and double quotes inside it; the next line is read on its own")
                .at_line(line)),
        };
        batch.end_row(row);
        Ok(true)
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = io::Result<Result<Incoming, Rejected>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        let read = self.read_into(&mut row);
        row.finish();
        let first = row.rows().next().map(|row| row.map(RowRef::to_incoming).map_err(Clone::clone));
        self.row = row;
        read.map(|_| first).transpose()
    }
}

/// The names of the columns.
fn header(records: &mut Records<impl Read>) -> Result<Vec<String>, HeaderError> {
    let refuse = |detail: &str, hint: &str| HeaderError::Unusable(Fault::new(BAD_HEADER, detail).hint(hint));
    if records.waiting().starts_with(b"\xFF\xFE") || records.waiting().starts_with(b"\xFE\xFF") {
        return Err(refuse("the file is UTF-16", "save it as UTF-8"));
    }
    let too_long = || refuse("the header has more than 1 MiB", "is this a CSV file?");
    if records.is_too_long()? {
        return Err(too_long());
    }
    match records.advance()?.0 {
        Found::Record => {}
        Found::End => {
            let fault =
                Fault::new(EMPTY_FILE, "the file is empty").hint("its first line names the columns, as in lat,lon");
            return Err(HeaderError::Unusable(fault));
        }
        Found::TooLong => return Err(too_long()),
        Found::Unclosed => return Err(refuse("a quote in the header is not closed", "close it")),
    }
    let name = |at: usize| {
        let name = std::str::from_utf8(records.bytes(at)).map(str::trim);
        // Tables with row numbers often leave the first name empty.
        name.map(|name| if name.is_empty() { format!("column{}", at + 1) } else { name.to_owned() })
    };
    let names: Result<_, std::str::Utf8Error> = (0..records.len()).map(name).collect();
    names.map_err(|_| refuse("the header is not UTF-8", "save the file as UTF-8"))
}

#[cfg(test)]
mod tests;
