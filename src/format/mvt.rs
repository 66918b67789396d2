//! Mapbox Vector Tiles out: one layer of points, in the few pieces of protocol buffers that it takes.
//!
//! What surprises: a tile has an end even if the properties have none. Once it is 4 MiB long, further items are written with their
//! id alone, and [`write_tile`] says so.
//!
//! | | |
//! |---|---|
//! | layer | `points`, version 2, extent 4096; a tile on which nothing is seen is 0 bytes |
//! | item | a point; `id`, and the properties that are asked for: text, numbers and truth as such, lists and objects as JSON text, null left out; of a repeated name the last counts; the first 256. A property of the name `id` gives way |
//! | feature id | the item's id when it is a whole number, written without a sign or leading zeros |
//! | cluster | `cluster` = true, `point_count`, `point_count_abbreviated` such as `1.2k` |
//!
//! *References*: Mapbox Vector Tile Specification 2.1.

use hashbrown::HashMap;

use super::Fields;
use crate::geometry::tile::EXTENT;
use crate::query::tile::{Feature, TileAnswer, TileFeature};

/// What it is called on the web.
pub const MEDIA_TYPE: &str = "application/vnd.mapbox-vector-tile";

/// The name of the layer.
pub const LAYER: &str = "points";

/// From so many bytes on, items are written with their id alone.
const BYTES_MAX: usize = 4 << 20;

/// Appends a tile; whether every item has all the properties that were asked for.
pub fn write_tile(out: &mut Vec<u8>, answer: &TileAnswer, fields: &Fields) -> bool {
    let mut layer = Layer { bytes_max: BYTES_MAX, whole: true, ..Layer::default() };
    answer.features().for_each(|seen| layer.add(&seen, fields));
    layer.write(out);
    layer.whole
}

/// The most properties of an item on a tile: each is looked for among those before it.
const PROPERTIES_MAX: usize = 256;

/// How a field is written: as a number, or as its length and its bytes.
const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const BYTES: u64 = 2;

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3 | VARINT);
    varint(out, value);
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | BYTES);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// Small numbers for small magnitudes of either sign.
fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// A `Value` of the specification.
fn text_value(text: &str) -> Vec<u8> {
    let mut value = Vec::with_capacity(text.len() + 4);
    bytes(&mut value, 1, text.as_bytes());
    value
}

/// The same for JSON text; none for null.
fn value_of(json: &str) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    match json.as_bytes().first()? {
        b'n' => return None,
        b't' => number(&mut value, 7, 1),
        b'f' => number(&mut value, 7, 0),
        // Half a surrogate pair is JSON but no text: then the JSON stands for itself.
        b'"' => return Some(text_value(&serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned()))),
        b'{' | b'[' => return Some(text_value(json)),
        _ => match (json.parse::<u64>(), json.parse::<i64>(), json.parse::<f64>()) {
            (Ok(whole), ..) => number(&mut value, 5, whole),
            (_, Ok(whole), _) => number(&mut value, 6, zigzag(whole)),
            (_, _, Ok(real)) if real.is_finite() => {
                varint(&mut value, 3 << 3 | EIGHT_BYTES);
                value.extend_from_slice(&real.to_le_bytes());
            }
            _ => return Some(text_value(json)),
        },
    }
    Some(value)
}

/// Words or values in the order in which they were first said.
#[derive(Default)]
struct Table {
    places: HashMap<Vec<u8>, u64, foldhash::fast::RandomState>,
    written: Vec<u8>,
}

impl Table {
    fn place(&mut self, field: u64, entry: Vec<u8>) -> u64 {
        let next = self.places.len() as u64;
        *self.places.entry(entry).or_insert_with_key(|entry| {
            bytes(&mut self.written, field, entry);
            next
        })
    }
}

#[derive(Default)]
struct Layer {
    features: Vec<u8>,
    keys: Table,
    values: Table,
    bytes_max: usize,
    whole: bool,
    /// Of the feature at hand: key and value, by their places.
    tags: Vec<(u64, u64)>,
}

impl Layer {
    fn add(&mut self, seen: &TileFeature<'_>, fields: &Fields) {
        self.tags.clear();
        let mut feature = Vec::new();
        match seen.what {
            Feature::Item(item) => {
                if let Some(whole) = whole_number(item.id()) {
                    number(&mut feature, 1, whole);
                }
                self.tag("id", Some(text_value(item.id())));
                if self.features.len() + self.keys.written.len() + self.values.written.len() < self.bytes_max {
                    let layer = &mut *self;
                    fields.each_property(&item, |name, json| {
                        if layer.tags.len() >= PROPERTIES_MAX {
                            layer.whole = false;
                        } else if name != "id" {
                            layer.tag(&name, value_of(json));
                        }
                    });
                    if let Some(geohash) = fields.geohash(&item) {
                        self.tag("geohash", Some(text_value(&geohash)));
                    }
                } else {
                    self.whole &= !fields.position();
                }
            }
            Feature::Cluster { count, .. } => {
                self.tag("cluster", value_of("true"));
                self.tag("point_count", value_of(&count.to_string()));
                self.tag("point_count_abbreviated", Some(text_value(&abbreviated(count))));
            }
        }
        let mut tags = Vec::new();
        for &(key, value) in &self.tags {
            varint(&mut tags, key);
            varint(&mut tags, value);
        }
        bytes(&mut feature, 2, &tags);
        number(&mut feature, 3, 1); // a point
        let mut geometry = vec![9]; // move once
        varint(&mut geometry, zigzag(seen.x.into()));
        varint(&mut geometry, zigzag(seen.y.into()));
        bytes(&mut feature, 4, &geometry);
        bytes(&mut self.features, 2, &feature);
    }

    /// Gives the feature at hand a property, or takes it away: a name that is said again counts as said last.
    fn tag(&mut self, key: &str, value: Option<Vec<u8>>) {
        let Some(value) = value else {
            let known = self.keys.places.get(key.as_bytes()).copied();
            return self.tags.retain(|(key, _)| Some(*key) != known);
        };
        let (key, value) = (self.keys.place(3, key.as_bytes().to_vec()), self.values.place(4, value));
        match self.tags.iter_mut().find(|(own, _)| *own == key) {
            Some((_, own)) => *own = value,
            None => self.tags.push((key, value)),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        if self.features.is_empty() {
            return;
        }
        let mut layer = Vec::with_capacity(self.features.len() + self.values.written.len() + 100);
        bytes(&mut layer, 1, LAYER.as_bytes());
        layer.extend_from_slice(&self.features);
        layer.extend_from_slice(&self.keys.written);
        layer.extend_from_slice(&self.values.written);
        number(&mut layer, 5, EXTENT as u64);
        number(&mut layer, 15, 2); // the version
        bytes(out, 3, &layer);
    }
}

/// The number that an id is, if it is written as numbers are.
fn whole_number(id: &str) -> Option<u64> {
    let plain = id.bytes().all(|byte| byte.is_ascii_digit()) && (id == "0" || !id.starts_with('0'));
    id.parse().ok().filter(|_| plain)
}

/// A count in at most a few characters: 999, 1.2k, 12k, 1.2M.
fn abbreviated(count: u64) -> String {
    let (unit, letter) = match count {
        0..1_000 => return count.to_string(),
        1_000..999_500 => (1_000, 'k'),
        _ => (1_000_000, 'M'),
    };
    let tenths = (count * 10 + unit / 2) / unit;
    if tenths < 100 && !tenths.is_multiple_of(10) {
        return format!("{}.{}{letter}", tenths / 10, tenths % 10);
    }
    format!("{}{letter}", (count + unit / 2) / unit)
}

#[cfg(test)]
#[path = "mvt_tests.rs"]
mod tests;
