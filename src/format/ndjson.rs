//! Items as lines of JSON, out and in again, to the bit.
//!
//! What surprises: properties may hold line breaks between their members, and a line may not. Such properties are written as a
//! string, `properties_text`, so that they come back as the text they were.
//!
//! ```text
//! {"id":"flore","lat":48.8541,"lon":2.3326,"expires_at_ms":1790000000000,"properties":{"seats": 120}}
//! ```

use std::io::{self, BufRead};

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use super::append;
use crate::collection::{Id, Item, ItemRef, Properties};
use crate::geometry::Point;

/// The longest line that is read: an id and properties as long as they may be, every byte escaped.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Appends an item and the end of its line.
pub fn write_line(out: &mut Vec<u8>, item: &ItemRef<'_>) {
    out.extend_from_slice(br#"{"id":"#);
    append::id(out, item);
    out.extend_from_slice(br#","lat":"#);
    append::number(out, item.point.lat_deg());
    out.extend_from_slice(br#","lon":"#);
    append::number(out, item.point.lon_deg());
    if let Some(at_ms) = item.expires_at_ms {
        append::plain(out, format_args!(r#","expires_at_ms":{at_ms}"#));
    }
    if item.properties.contains(['\n', '\r']) {
        out.extend_from_slice(br#","properties_text":"#);
        append::text(out, item.properties);
    } else {
        out.extend_from_slice(br#","properties":"#);
        out.extend_from_slice(item.properties.as_bytes());
    }
    out.extend_from_slice(b"}\n");
}

/// A line that is no item.
#[derive(Debug, Error)]
#[error("line {line}: {reason}")]
pub struct Rejected {
    /// Which line; the first is 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// The items of lines, one by one.
///
/// ```
/// use nigh::format::ndjson::Lines;
/// let mut lines = Lines::new("{\"id\":\"a\",\"lat\":1,\"lon\":2}\n{\"id\":\"b\"}\n".as_bytes());
/// assert_eq!(lines.next().unwrap()?.unwrap().id.as_str(), "a");
/// assert_eq!(lines.next().unwrap()?.unwrap_err().line, 2);
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    line: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// Reads lines from an input.
    pub fn new(input: R) -> Lines<R> {
        Lines { input, line: 0, buffer: Vec::new() }
    }

    /// Reads a line into the buffer, as far as it is not too long; whether there was one.
    fn read_line(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        let mut ended = false;
        while !ended {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            let end = bytes.iter().position(|&byte| byte == b'\n');
            let taken = end.map_or(bytes.len(), |end| end + 1);
            let room = (LINE_BYTES_MAX + 1).saturating_sub(self.buffer.len());
            self.buffer.extend_from_slice(&bytes[..taken.min(room)]);
            self.input.consume(taken);
            ended = end.is_some();
        }
        Ok(!self.buffer.is_empty())
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Result<Item, Rejected>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.read_line() {
                Ok(true) => self.line += 1,
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
            if !self.buffer.trim_ascii().is_empty() {
                let line = self.line;
                return Some(Ok(item(&self.buffer).map_err(|reason| Rejected { line, reason })));
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    id: String,
    lat: f64,
    lon: f64,
    expires_at_ms: Option<i64>,
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
    properties_text: Option<String>,
}

fn item(line: &[u8]) -> Result<Item, String> {
    if line.len() > LINE_BYTES_MAX {
        return Err(format!("the line is longer than {LINE_BYTES_MAX} bytes"));
    }
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let properties = match (line.properties, &line.properties_text) {
        (Some(_), Some(_)) => return Err("it has properties and properties_text; write one of them".to_owned()),
        (Some(json), None) => Properties::from_json(json.get()),
        (None, Some(text)) => Properties::from_json(text),
        (None, None) => Ok(Properties::none()),
    };
    let point = Point::new(line.lat, line.lon).map_err(|error| error.to_string())?;
    let id = Id::new(line.id).map_err(|error| error.to_string())?;
    let properties = properties.map_err(|error| error.to_string())?;
    Ok(Item { id, point, properties, expires_at_ms: line.expires_at_ms })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::{Change, Collection};

    fn read(text: &[u8]) -> Vec<Result<Item, Rejected>> {
        Lines::new(text).map(|line| line.unwrap()).collect()
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
        let long = format!("{{\"id\":\"{}\"}}", "x".repeat(3 * LINE_BYTES_MAX));
        let lines = [
            "",
            "{\"id\":\"a\",\"lat\":1,\"lon\":2}\r",
            "{\"id\":1}",
            &long,
            "",
            "{\"id\":\"b\",\"lat\":91,\"lon\":2}",
        ];
        let text = lines.join("\n") + "\n{\"id\":\"c\",\"lat\":3,\"lon\":4}";
        let id_or_line = |line: Result<Item, Rejected>| line.map(|item| item.id.to_string()).map_err(|bad| bad.line);
        let found: Vec<Result<String, u64>> = read(text.as_bytes()).into_iter().map(id_or_line).collect();
        assert_eq!(found, [Ok("a".to_owned()), Err(3), Err(4), Err(6), Ok("c".to_owned())]);
    }
}
