//! CSV out: one row for each item, one column for each property on the page.
//!
//! What surprises: the columns belong to the page. They are the names its items have, in the order in which they are met, unless
//! `fields` says which; so the next page may have others.
//!
//! - Texts stand without quotes unless they need them, numbers as they were written, lists and objects as JSON. What is empty, `null`
//!   and absent look the same, and so do `1` and `"1"`: whoever needs the difference takes NDJSON.
//! - A property whose name means something else in a CSV of ours, such as `lat`, stands under `properties.lat`.
//! - Nothing is put before a text that a spreadsheet would take as a formula: data goes out as it came in.
//!
//! *References*: RFC 4180; lines end in LF, as most tools write them.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::collection::ItemRef;
use crate::format::fields::{GEOHASH, each_member, geohash_of};
use crate::format::{Fields, Format, PROPERTIES_PREFIX, Page, append};
use crate::query::AnswerHit;

/// The registered format of answers.
pub(in crate::format) const CSV: Format = Format {
    name: "csv",
    summary: "CSV: id, distance_m, lat, lon and a column for each property; counts and the next page stand in the head of the answer",
    media_type: "text/csv",
    rows_only: true,
    write_page: |out, page: &Page<'_>| write_table(out, page.answer.hits(), page.answer.is_measured(), page.fields),
    write_item: |out, hit, fields| {
        write_table(out, std::iter::once(AnswerHit { ..*hit }), hit.distance_m.is_some(), fields);
    },
};

/// Names that mean something else, and so are no names of properties here.
const TAKEN: &[&str] = &["id", "distance_m", "lat", "lon", "ttl", "expires_at", "expires_at_ms", "properties"];

/// The most columns of properties. Ten thousand items may have a thousand names each; what has no column of its own stands
/// together in a last one, `properties`, as JSON.
const COLUMNS_MAX: usize = 1_000;

fn write_table<'a>(out: &mut Vec<u8>, hits: impl Iterator<Item = AnswerHit<'a>>, measured: bool, fields: &Fields) {
    let hits: Vec<AnswerHit<'a>> = hits.collect();
    let mut table = Table::new(fields);
    let rows: Vec<Row<'a>> = hits.iter().map(|hit| table.row(hit.item.properties())).collect();
    let head = [("id", true), ("distance_m", measured), ("lat", fields.position()), ("lon", fields.position())];
    append::separated(out, head.into_iter().filter(|(_, shown)| *shown), |out, (name, _)| {
        out.extend_from_slice(name.as_bytes());
    });
    table.write_names(out);
    for (hit, row) in hits.iter().zip(&rows) {
        write_field(out, hit.item.id());
        if let Some(distance_m) = hit.distance_m {
            out.push(b',');
            append::metres(out, distance_m);
        }
        if fields.position() {
            let (lon, lat) = hit.item.lon_and_lat();
            append::plain(out, format_args!(",{lat},{lon}"));
        }
        table.write_values(out, &hit.item, row);
    }
}

/// What an item has for the columns of properties.
struct Row<'a> {
    /// A column, and the text of JSON for it; of a name that is repeated the last counts, as in most readers of JSON.
    values: Vec<(usize, &'a str)>,
    /// Members without a column, as JSON without its braces.
    rest: String,
}

/// The columns of properties.
struct Table<'a> {
    names: Vec<Cow<'a, str>>,
    places: HashMap<Cow<'a, str>, usize>,
    /// What was asked for, unless everything was.
    asked: Option<Fields>,
    has_rest: bool,
}

impl<'a> Table<'a> {
    fn new(fields: &Fields) -> Table<'a> {
        let asked = fields.asked().map(|_| fields.clone());
        let mut table = Table { names: Vec::new(), places: HashMap::new(), asked, has_rest: false };
        for name in fields.asked().unwrap_or_default().iter().take(COLUMNS_MAX) {
            table.add(Cow::Owned(name.clone()));
        }
        table
    }

    fn add(&mut self, name: Cow<'a, str>) -> usize {
        let place = self.names.len();
        self.places.insert(name.clone(), place);
        self.names.push(name);
        place
    }

    /// Finds the columns for the properties of an item, and makes those that are new.
    fn row(&mut self, properties: &'a str) -> Row<'a> {
        let mut row = Row { values: Vec::new(), rest: String::new() };
        if self.asked.as_ref().is_some_and(|fields| !fields.position()) {
            return row;
        }
        each_member(properties, |quoted, value| {
            let name = plain(quoted);
            let place = match (self.places.get(&name), &self.asked) {
                (Some(&place), _) => Some(place),
                (None, None) if self.names.len() < COLUMNS_MAX => Some(self.add(name)),
                (None, None) => None,
                (None, Some(fields)) if fields.names(&name) => None,
                (None, Some(_)) => return,
            };
            match place {
                Some(place) => row.values.push((place, value)),
                None => {
                    row.rest.push_str(if row.rest.is_empty() { "" } else { "," });
                    row.rest.extend([quoted, ":", value]);
                }
            }
        });
        self.has_rest |= !row.rest.is_empty();
        row
    }

    fn write_names(&self, out: &mut Vec<u8>) {
        for name in &self.names {
            out.push(b',');
            if takes_another_meaning(name) {
                write_field(out, &format!("{PROPERTIES_PREFIX}{name}"));
            } else {
                write_field(out, name);
            }
        }
        out.extend_from_slice(if self.has_rest { b",properties\n" } else { b"\n" });
    }

    fn write_values(&self, out: &mut Vec<u8>, item: &ItemRef<'_>, row: &Row<'_>) {
        let mut values: Vec<&str> = vec!["null"; self.names.len()];
        row.values.iter().for_each(|&(place, value)| values[place] = value);
        for (name, value) in self.names.iter().zip(values) {
            out.push(b',');
            if self.asked.is_some() && name == GEOHASH {
                out.extend_from_slice(geohash_of(item).as_bytes());
            } else if value != "null" {
                write_field(out, &plain(value));
            }
        }
        if self.has_rest {
            out.push(b',');
            if !row.rest.is_empty() {
                write_field(out, &format!("{{{}}}", row.rest));
            }
        }
        out.push(b'\n');
    }
}

/// Whether a name of a property means something else in a CSV of ours.
pub(super) fn takes_another_meaning(name: &str) -> bool {
    name.trim().is_empty()
        || name.starts_with(PROPERTIES_PREFIX)
        || TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(name.trim()))
}

/// A text of JSON without its quotes and escapes, or any other value as it stands. Half a surrogate pair is no text, so what holds one stays
/// as it stands too.
pub(super) fn plain(json: &str) -> Cow<'_, str> {
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        None => Cow::Borrowed(json),
        Some(inside) if !inside.contains('\\') => Cow::Borrowed(inside),
        Some(_) => serde_json::from_str(json).map_or(Cow::Borrowed(json), Cow::Owned),
    }
}

/// A field, in quotes if anybody could take it for something else; `;` and tab are delimiters elsewhere.
pub(super) fn write_field(out: &mut Vec<u8>, text: &str) {
    if !text.contains([',', '"', '\n', '\r', ';', '\t']) {
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
    for piece in text.split_inclusive('"') {
        out.extend_from_slice(piece.as_bytes());
        if piece.ends_with('"') {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
