//! CSV out for whole collections: one sheet with the same columns from its first row to its last, which comes back to the bit.
//!
//! What surprises: the items are met twice. The first time tells which columns there are, the second time they are written; so memory holds
//! the names of columns and no item.
//!
//! A row of CSV cannot say everything that JSON can: `1` and `"1"` look the same, and so do nothing and an empty text. An item that
//! would come back otherwise than it went has its properties as they are, as JSON in the column `properties`, and leaves the others empty.

use std::borrow::Cow;
use std::collections::HashMap;

use super::columns::quoted;
use super::numbers::stays_a_number;
use super::write::{plain, takes_another_meaning, write_field};
use crate::format::fields::each_member;
use crate::format::{PROPERTIES_PREFIX, Row, append};

/// The most columns of properties, and the longest name of one; what has no column stands in `properties`.
const COLUMNS_MAX: usize = 1_000;
const NAME_BYTES_MAX: usize = 200;

/// The columns of a sheet.
///
/// ```
/// use nigh::format::{Row, csv::Sheet};
/// let rows = [r#"{"id":"a","lat":1,"lon":2,"properties":{"seats":4}}"#, r#"{"id":"b","lat":3,"lon":4,"properties":{"seats":"4"}}"#];
/// let rows: Vec<Row<'_>> = rows.iter().map(|row| Row::from_json(row)).collect::<Result<_, _>>()?;
/// let (mut sheet, mut out) = (Sheet::default(), Vec::new());
/// rows.iter().for_each(|row| sheet.meet(row));
/// sheet.write_head(&mut out);
/// rows.iter().for_each(|row| sheet.write_row(&mut out, row));
/// assert_eq!(String::from_utf8(out)?, "id,lat,lon,seats,properties\na,1,2,4,\nb,3,4,,\"{\"\"seats\"\":\"\"4\"\"}\"\n");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Sheet {
    /// The columns of properties, each with its name as JSON.
    names: Vec<(String, String)>,
    places: HashMap<String, usize>,
    has_distance: bool,
    has_geohash: bool,
    has_position: bool,
    has_end: bool,
    has_json: bool,
}

impl Sheet {
    /// Learns which columns an item needs.
    pub fn meet(&mut self, row: &Row<'_>) {
        self.has_distance |= row.distance_m.is_some();
        self.has_geohash |= row.geohash.is_some();
        self.has_position |= row.position.is_some();
        self.has_end |= row.expires_at_ms.is_some();
        let Some(properties) = row.properties else { return };
        each_member(properties, |name, value| {
            let name = plain(name);
            // A list or an object is JSON anyway.
            let fits = !value.starts_with(['{', '[']) && can_be_a_column(&name) && self.names.len() < COLUMNS_MAX;
            if fits && !self.places.contains_key(&*name) {
                self.places.insert(name.clone().into_owned(), self.names.len());
                self.names.push((name.clone().into_owned(), quoted(&name)));
            }
        });
        self.has_json |= self.fields(properties).is_none();
    }

    /// Makes room for whatever items to come may have: they may not all have been met.
    pub fn expect_anything(&mut self) {
        self.has_end = true;
        self.has_json = true;
    }

    /// Appends the names of the columns.
    pub fn write_head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"id");
        let fixed = [
            ("distance_m", self.has_distance),
            ("geohash", self.has_geohash),
            ("lat", self.has_position),
            ("lon", self.has_position),
            ("expires_at_ms", self.has_end),
        ];
        for (name, _) in fixed.into_iter().filter(|(_, is_there)| *is_there) {
            append::plain(out, format_args!(",{name}"));
        }
        for (name, _) in &self.names {
            out.push(b',');
            if takes_another_meaning(name) {
                write_field(out, &format!("{PROPERTIES_PREFIX}{name}"));
            } else {
                write_field(out, name);
            }
        }
        out.extend_from_slice(if self.has_json { b",properties\n" } else { b"\n" });
    }

    /// Appends an item.
    pub fn write_row(&self, out: &mut Vec<u8>, row: &Row<'_>) {
        write_field(out, &row.id);
        let (lat, lon) = row.position.unwrap_or_default();
        let end = row.expires_at_ms.map(|at_ms| at_ms.to_string()).unwrap_or_default();
        let fixed = [
            (row.distance_m.unwrap_or_default(), self.has_distance),
            (row.geohash.as_deref().unwrap_or_default(), self.has_geohash),
            (lat, self.has_position),
            (lon, self.has_position),
            (&*end, self.has_end),
        ];
        for (text, _) in fixed.into_iter().filter(|(_, is_there)| *is_there) {
            append::plain(out, format_args!(",{text}"));
        }
        let properties = row.shown_properties();
        let fields = self.fields(properties);
        let mut written = fields.as_deref().unwrap_or_default().iter().peekable();
        for place in 0..self.names.len() {
            out.push(b',');
            if let Some((_, text)) = written.next_if(|(at, _)| *at == place) {
                write_field(out, text);
            }
        }
        if self.has_json {
            out.push(b',');
            if fields.is_none() {
                write_field(out, properties);
            }
        }
        out.push(b'\n');
    }

    /// The fields of properties, in the order of their columns; nothing when the reader would make another text of them.
    fn fields<'p>(&self, properties: &'p str) -> Option<Vec<(usize, Cow<'p, str>)>> {
        let mut fields = Vec::new();
        let mut sound = true;
        each_member(properties, |name, value| match self.places.get(&*plain(name)) {
            Some(&place) => fields.push((place, plain(value))),
            None => sound = false,
        });
        sound &= fields.is_sorted_by(|(a, _), (b, _)| a < b);
        sound &= fields.iter().all(|(_, text)| !text.is_empty() && !text.contains(char::is_control));
        (sound && self.as_read(&fields) == properties).then_some(fields)
    }

    /// What the reader makes of fields.
    fn as_read(&self, fields: &[(usize, Cow<'_, str>)]) -> String {
        let members = fields.iter().map(|(place, text)| {
            let value = if stays_a_number(text.as_bytes()) { text.clone() } else { Cow::Owned(quoted(text)) };
            format!("{}:{value}", self.names[*place].1)
        });
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

/// Whether a name comes back from the head of a sheet as it is.
fn can_be_a_column(name: &str) -> bool {
    // The column `properties` is taken, by what has no column.
    name != "properties"
        && (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.trim() == name
        && !name.contains(char::is_control)
}
