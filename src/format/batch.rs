//! Rows that were read together, and lie together.
//!
//! ```text
//! text       id₀ properties₀ id₁ properties₁ …      one piece of memory for all
//! good       point │ length of the id │ where the properties end      a row each; no id is an id of no bytes
//! refused    how many good rows stand before it │ why
//! ends       which good row │ when it is due to be removed            few have one
//! ```
//!
//! What surprises: no row has memory of its own. Two allocations for each, made on one thread and given back on another, took a fifth of the
//! time of reading CSV.

use super::item::{Expires, Incoming};
use super::rejected::Rejected;
use crate::collection::{Id, NewItem, Properties};
use crate::geometry::Point;

/// What a refused row takes, about: its sentences are written for it.
const REFUSED_BYTES: usize = 512;

/// Rows in the order in which they stood, good and refused.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The text once it is whole; until then it is bytes: that it is UTF-8 is looked at once and not for each field.
    text: String,
    bytes: Vec<u8>,
    good: Vec<Good>,
    refused: Vec<(u32, Rejected)>,
    ends: Vec<(u32, Expires)>,
}

/// A good row, but for its texts.
#[derive(Debug, Clone, Copy)]
struct Good {
    point: Point,
    id_bytes: u32,
    end: u32,
}

/// What a row is besides its texts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) point: Point,
    pub(super) id_bytes: usize,
    pub(super) expires: Expires,
}

/// A good row, read where it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowRef<'a> {
    id: Option<&'a str>,
    point: Point,
    properties: &'a str,
    expires: Expires,
}

impl<'a> RowRef<'a> {
    /// Where it is.
    pub fn point(&self) -> Point {
        self.point
    }

    /// When it is due to be removed.
    pub fn expires(&self) -> Expires {
        self.expires
    }

    /// The item, with a new id if the row came without one; `now_ms` is the present in milliseconds since 1970.
    pub fn item<'b>(&self, new_id: impl FnOnce() -> &'b Id, now_ms: i64) -> NewItem<'b>
    where
        'a: 'b,
    {
        let id = self.id.unwrap_or_else(|| new_id().as_str());
        NewItem::checked_before(id, self.point, self.properties, self.expires.at_ms(now_ms))
    }

    /// The same with memory of its own.
    pub fn to_incoming(self) -> Incoming {
        let id = self.id.map(|id| Id::new(id).expect("it was checked when it was read"));
        let properties = Properties::checked_before(self.properties).expect("they were checked when they were read");
        Incoming { id, point: self.point, properties, expires: self.expires }
    }
}

impl Batch {
    /// How many rows there are, good and refused.
    pub fn len(&self) -> usize {
        self.good.len() + self.refused.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many rows are good.
    pub fn good_count(&self) -> usize {
        self.good.len()
    }

    /// The rows in their order.
    pub fn rows(&self) -> impl Iterator<Item = Result<RowRef<'_>, &Rejected>> {
        let mut place = Place::default();
        std::iter::from_fn(move || self.next(&mut place))
    }

    /// The row at a place, which moves on to the next.
    pub(super) fn next(&self, place: &mut Place) -> Option<Result<RowRef<'_>, &Rejected>> {
        if let Some((before, rejected)) = self.refused.get(place.refused)
            && *before as usize == place.good
        {
            place.refused += 1;
            return Some(Err(rejected));
        }
        let &Good { point, id_bytes, end } = self.good.get(place.good)?;
        let (id, properties) = self.text[place.text..end as usize].split_at(id_bytes as usize);
        let expires = match self.ends.get(place.ends) {
            Some((row, expires)) if *row as usize == place.good => {
                place.ends += 1;
                *expires
            }
            _ => Expires::Unsaid,
        };
        (place.good, place.text) = (place.good + 1, end as usize);
        Some(Ok(RowRef { id: (!id.is_empty()).then_some(id), point, properties, expires }))
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + self.bytes.len() + self.good.len() * size_of::<Good>() + self.refused.len() * REFUSED_BYTES
    }

    /// Makes room for rows that are about to come.
    pub(super) fn reserve(&mut self, rows: usize, text_bytes: usize) {
        self.good.reserve(rows);
        self.bytes.reserve(text_bytes);
    }

    /// Where the id and the properties of the next row are written, one behind the other, in UTF-8.
    pub(super) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Ends the batch: from here on its rows can be read, and none can be added.
    pub(super) fn finish(&mut self) {
        self.text = String::from_utf8(std::mem::take(&mut self.bytes)).expect("rows are written in UTF-8");
    }

    /// Ends a row of which the texts have been written, or forgets what was written and keeps why it was refused.
    pub(super) fn end_row(&mut self, row: Result<Head, Rejected>) {
        match row {
            Ok(Head { point, id_bytes, expires }) => {
                if expires != Expires::Unsaid {
                    self.ends.push((self.good.len() as u32, expires));
                }
                // Whoever fills a batch stops at a few MiB.
                self.good.push(Good { point, id_bytes: id_bytes as u32, end: self.bytes.len() as u32 });
            }
            Err(rejected) => {
                self.bytes.truncate(self.good.last().map_or(0, |good| good.end as usize));
                self.refused.push((self.good.len() as u32, rejected));
            }
        }
    }

    /// Adds a row that has memory of its own.
    pub(super) fn push(&mut self, row: Result<Incoming, Rejected>) {
        let head = row.map(|Incoming { id, point, properties, expires }| {
            let id = id.as_ref().map_or("", Id::as_str);
            self.bytes.extend_from_slice(id.as_bytes());
            self.bytes.extend_from_slice(properties.as_json().as_bytes());
            Head { point, id_bytes: id.len(), expires }
        });
        self.end_row(head);
    }

    /// Counts the lines of refused rows from another beginning.
    pub(super) fn move_lines(&mut self, lines: u64) {
        self.refused.iter_mut().for_each(|(_, rejected)| rejected.line += lines);
    }

    /// Forgets all rows, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes = std::mem::take(&mut self.text).into_bytes();
        self.bytes.clear();
        self.good.clear();
        self.refused.clear();
        self.ends.clear();
    }
}

/// How far the rows of a batch have been read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    good: usize,
    refused: usize,
    ends: usize,
    text: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::rejected::{BAD_ID, Fault};

    #[test]
    fn rows_come_out_as_they_went_in() {
        let point = |lat| Point::new(lat, 0.0).unwrap();
        let good = |id: Option<&str>, lat, properties, expires| {
            let id = id.map(|id| Id::new(id).unwrap());
            Ok(Incoming { id, point: point(lat), properties: Properties::from_json(properties).unwrap(), expires })
        };
        let bad = |line| Err(Fault::new(BAD_ID, "no").at_line(line));
        let given = [
            bad(1),
            good(Some("é"), 1.0, "{}", Expires::Unsaid),
            good(None, 2.0, r#"{"a":"é"}"#, Expires::At(7)),
            bad(4),
            bad(5),
            good(Some("b"), 3.0, "{}", Expires::Unsaid),
            good(Some("c"), 4.0, "{ }", Expires::At(8)),
            bad(8),
        ];
        let mut batch = Batch::default();
        given.iter().cloned().for_each(|row| batch.push(row));
        batch.finish();
        let came: Vec<_> = batch.rows().map(|row| row.map(RowRef::to_incoming).map_err(Clone::clone)).collect();
        assert_eq!((came, batch.len(), batch.good_count()), (given.to_vec(), 8, 4));
        batch.move_lines(10);
        assert_eq!(batch.rows().filter_map(|row| Some(row.err()?.line)).collect::<Vec<_>>(), [11, 14, 15, 18]);
    }

    #[test]
    fn what_was_written_of_a_refused_row_is_forgotten() {
        let mut batch = Batch::default();
        let head = Head { point: Point::new(1.0, 2.0).unwrap(), id_bytes: 1, expires: Expires::Unsaid };
        batch.text().extend_from_slice(b"a{}");
        batch.end_row(Ok(head));
        batch.text().extend_from_slice(b"b{\"half");
        batch.end_row(Err(Fault::new(BAD_ID, "no").at_line(2)));
        batch.text().extend_from_slice(b"c{}");
        batch.end_row(Ok(head));
        batch.finish();
        let named = Id::new("new").unwrap();
        let ids: Vec<_> =
            batch.rows().filter_map(Result::ok).map(|row| row.item(|| &named, 0).id().to_owned()).collect();
        assert_eq!(ids, ["a", "c"]);
    }
}
