//! Items as lines of JSON: in, out as answers, and out to the bit.
//!
//! What surprises: properties may hold line breaks between their members, and a line may not. [`write_line`] writes such properties as
//! a string, `properties_text`, so that they come back as the text they were; an answer has spaces in their place, because whoever
//! reads answers looks for `properties`.
//!
//! ```text
//! {"id":"flore","lat":48.8541,"lon":2.3326,"expires_at_ms":1790000000000,"properties":{"seats": 120}}
//! ```
//!
//! *References*: RFC 8142 for the record separator that may stand before a line.

use std::io::{self, BufRead, BufReader};

use super::item::{Incoming, read_item};
use super::lines::{ROW_BYTES_MAX, read_line};
use super::rejected::{Fault, Rejected, TOO_LONG};
use super::{Fields, Format, Page, Reader, Row, Rows, compact};
use crate::collection::ItemRef;
use crate::query::AnswerHit;

/// The registered format of answers.
pub(super) const NDJSON: Format = Format {
    name: "ndjson",
    summary: "one item a line, each as in `json`; counts and the next page stand in the head of the answer",
    media_type: "application/x-ndjson",
    rows_only: true,
    write_page,
    write_item: write_answer,
};

/// The registered reader.
pub(super) const READER: Reader = Reader {
    name: "ndjson",
    summary: "one JSON object a line: an item with `lat` and `lon`, or a GeoJSON Feature",
    media_types: &["application/x-ndjson", "application/ndjson", "application/jsonl", "application/geo+json-seq"],
    extensions: &["ndjson", "jsonl", "geojsonl", "geojsons"],
    open: |source, _| Ok(Rows::one_by_one(Lines::new(BufReader::new(source)))),
};

/// What stands before a line of a sequence of JSON texts.
const RECORD_SEPARATOR: u8 = 0x1e;

fn write_page(out: &mut Vec<u8>, page: &Page<'_>) {
    page.answer.hits().for_each(|hit| write_answer(out, &hit, page.fields));
}

fn write_answer(out: &mut Vec<u8>, hit: &AnswerHit<'_>, fields: &Fields) {
    let start = out.len();
    compact::write_item(out, hit, fields);
    // Between members a line break is worth a space, and inside a text of JSON there is none.
    if has_breaks(hit.item.properties_bytes()) {
        out[start..].iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    }
    out.push(b'\n');
}

fn has_breaks(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b'\n' | b'\r'))
}

/// Appends an item and the end of its line.
pub fn write_line(out: &mut Vec<u8>, item: &ItemRef<'_>) {
    Row::of(item).write_line(out);
}

/// The items of lines, one by one. Blank lines are passed over.
///
/// ```
/// use nigh::format::ndjson::Lines;
/// let mut lines = Lines::new("{\"id\":\"a\",\"lat\":1,\"lon\":2}\n{\"id\":\"b\"}\n".as_bytes());
/// assert_eq!(lines.next().unwrap()?.unwrap().id.unwrap().as_str(), "a");
/// assert_eq!(lines.next().unwrap()?.unwrap_err().line, 2);
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    line: u64,
    buffer: Vec<u8>,
    failed: bool,
}

impl<R: BufRead> Lines<R> {
    /// Reads lines from an input.
    pub fn new(input: R) -> Lines<R> {
        Lines { input, line: 0, buffer: Vec::new(), failed: false }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Result<Incoming, Rejected>>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            match read_line(&mut self.input, &mut self.buffer) {
                Ok(true) => self.line += 1,
                Ok(false) => return None,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
            let line = self.buffer.strip_prefix(&[RECORD_SEPARATOR]).unwrap_or(&self.buffer).trim_ascii();
            if !line.is_empty() {
                return Some(Ok(item(line).map_err(|fault| fault.at_line(self.line))));
            }
        }
        None
    }
}

fn item(line: &[u8]) -> Result<Incoming, Fault> {
    if line.len() > ROW_BYTES_MAX {
        let beginning = String::from_utf8_lossy(&line[..120]).into_owned();
        return Err(Fault::new(TOO_LONG, format!("the line has more than {ROW_BYTES_MAX} bytes")).value(&beginning));
    }
    read_item(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::{Change, Collection, Id, Item, Properties};
    use crate::geometry::Point;

    fn read(text: &[u8]) -> Vec<Result<Item, Rejected>> {
        let item = |came: Incoming| came.into_item(|| Id::new("new").unwrap(), 0);
        Lines::new(text).map(|line| line.unwrap().map(item)).collect()
    }

    #[test]
    fn items_come_back_to_the_bit() {
        let odd = ["{}", r#"{ "a" : 1.50, "b":"\u00e9\n" }"#, "{\n\t\"a\": \"\\\\\"\r\n}", r#"{"a":1e400,"a":null}"#];
        let places = [(0.0, -0.0), (-90.0, 180.0), (5e-324, -179.999_999_999_999_97), (48.856_613_1, 2.352_222)];
        let collection = Collection::new();
        let mut given = Vec::new();
        for (number, (properties, (lat, lon))) in odd.iter().zip(places).enumerate() {
            let item = Item::new(Id::new(format!("é\"{number}\\")).unwrap(), Point::new(lat, lon).unwrap());
            let item = item.with_properties(Properties::from_json(properties).unwrap());
            given.push(if number % 2 == 0 { item.expiring_at(i64::MAX - number as i64) } else { item });
        }
        collection.apply(1, given.iter().cloned().map(Change::Put).collect());
        let mut text = Vec::new();
        collection.snapshot().items().for_each(|item| write_line(&mut text, &item));
        assert_eq!(text.iter().filter(|&&byte| byte == b'\n').count(), given.len());
        for (came, gave) in read(&text).into_iter().zip(given) {
            let came = came.unwrap();
            let bits = |point: Point| [point.lat_deg().to_bits(), point.lon_deg().to_bits()];
            assert_eq!((bits(came.point), &came), (bits(gave.point), &gave));
        }
    }

    #[test]
    fn a_bad_line_is_named_and_hurts_no_other() {
        let long = format!("{{\"id\":\"{}\"}}", "x".repeat(3 * ROW_BYTES_MAX));
        let lines = [
            "",
            "{\"id\":\"a\",\"lat\":1,\"lon\":2}\r",
            "{\"id\":1}",
            "\x1e{\"lat\":1,\"lon\":2}",
            &long,
            "",
            "{\"id\":\"b\",\"lat\":91,\"lon\":2}",
        ];
        let text = lines.join("\n") + "\n{\"id\":\"c\",\"lat\":3,\"lon\":4}";
        let id_or_line = |line: Result<Item, Rejected>| line.map(|item| item.id.to_string()).map_err(|bad| bad.line);
        let found: Vec<Result<String, u64>> = read(text.as_bytes()).into_iter().map(id_or_line).collect();
        assert_eq!(found, [Ok("a".to_owned()), Err(3), Ok("new".to_owned()), Err(5), Err(7), Ok("c".to_owned())]);
    }

    #[test]
    fn an_answer_keeps_to_its_line() {
        let snapshot = crate::format::tests::stored("a", 1.0, 2.0, "{\n\"a\":\r\n \"\\n\"\n}");
        let hit = AnswerHit { distance_m: Some(0.5), item: snapshot.get("a").unwrap() };
        let mut out = Vec::new();
        write_answer(&mut out, &hit, &Fields::all());
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "{\"id\":\"a\",\"distance_m\":0.500,\"lat\":1.0,\"lon\":2.0,\"properties\":{ \"a\":   \"\\n\" }}\n"
        );
        assert_eq!(read(text.as_bytes())[0].as_ref().unwrap().id.as_str(), "a");
    }
}
