//! What a segment is to be made of, and the making.
//!
//! What surprises: a draft copies no record. It points at those of the segments it joins, and the one copy is made when all
//! are brought into the order of the curve.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::path::Path;
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rayon::prelude::*;

use super::expiries::Expiries;
use super::item::{Id, Item, NewItem, Properties};
use super::marks::Marks;
use super::names::Names;
use super::payload::{Payload, Record, write_record};
use super::segment::{PLAIN_UP_TO, Segment};
use super::{Collection, FileError};
use crate::geometry::Point;
use crate::index::{Kind, PARALLEL_FROM, Sorted};

/// Points and records in any order.
#[derive(Debug, Default)]
pub(super) struct Draft<'a> {
    points: Vec<Point>,
    /// With what has to be added to the sequence number of each.
    records: Vec<(&'a [u8], u64)>,
}

impl<'a> Draft<'a> {
    fn push(&mut self, point: Point, record: &'a [u8], before_seq: u64) {
        self.points.push(point);
        self.records.push((record, before_seq));
    }

    /// Adds every slot of a segment that is still there.
    pub(super) fn push_live(&mut self, segment: &'a Segment) {
        for slot in segment.points.slots().filter(|&slot| segment.marks.is_live(slot)) {
            self.push(segment.points.point(slot), segment.payload.record_bytes(slot), segment.payload.before_seq());
        }
    }

    pub(super) fn len(&self) -> usize {
        self.points.len()
    }

    /// Builds the segment of that number; later changes to it have sequence numbers above `base_seq`.
    pub(super) fn build(self, number: u64, kinds: &[&'static Kind], base_seq: u64) -> Segment {
        let sorted = Sorted::new(&self.points);
        let len = sorted.points.len();
        let kept = if len <= PLAIN_UP_TO { &[] } else { kinds };
        let named = || {
            let (payload, expiring) = Payload::gather(sorted.order.iter().map(|&index| self.records[index as usize]));
            let names = Names::build(&payload, len as u32);
            let expiries = Expiries::build(&payload, expiring);
            (payload, names, expiries)
        };
        let directory = |kind: &&'static Kind| (*kind, (kind.build)(&sorted));
        let ((payload, names, expiries), directories) = if len < PARALLEL_FROM {
            (named(), kept.iter().map(directory).collect())
        } else {
            rayon::join(named, || kept.par_iter().map(directory).collect())
        };
        let marks = Arc::new(Marks::new(len, base_seq));
        Segment { number, points: sorted.points, directories, payload, names, expiries, marks, saved: None }
    }
}

/// The records of new items, written one after the other until a draft takes them.
#[derive(Debug, Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
    ends: Vec<(Point, usize)>,
}

impl Records {
    pub(super) fn push<'i>(&mut self, item: impl Into<NewItem<'i>>, seq: u64) {
        let item = item.into();
        write_record(item, seq, &mut self.bytes);
        self.ends.push((item.point(), self.bytes.len()));
    }

    pub(super) fn draft(&self) -> Draft<'_> {
        self.draft_of(|_| true)
    }

    fn draft_of(&self, stays: impl Fn(u32) -> bool) -> Draft<'_> {
        let mut draft = Draft::default();
        let mut start = 0;
        for (&(point, end), place) in self.ends.iter().zip(0..) {
            if stays(place) {
                draft.push(point, &self.bytes[start..end], 0);
            }
            start = end;
        }
        draft
    }

    /// The bytes of a record, by its place.
    fn record(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before].1);
        &self.bytes[start..self.ends[place].1]
    }

    fn id_bytes(&self, place: usize) -> &[u8] {
        Record::of(self.record(place)).id_bytes()
    }

    fn item(&self, place: usize) -> Item {
        let record = Record::of(self.record(place));
        Item {
            id: Id::new(record.id()).expect("records hold the ids of items"),
            point: self.ends[place].0,
            properties: Properties::checked_before(record.properties()).expect("records hold the properties of items"),
            expires_at_ms: record.expires_at_ms(),
        }
    }
}

/// Items for a segment that goes to a file at once, for loading many: [`Collection::adopt`] takes it up.
#[derive(Debug, Default)]
pub struct SegmentDraft {
    records: Records,
    last_seq: u64,
    /// For every id, its hash and the place of its last record. Without the hash a table that grows would look into every record again,
    /// wherever in memory that is.
    latest: HashTable<(u32, u32)>,
    /// The places of records that a later one with the same id replaced.
    replaced: HashSet<u32>,
    hasher: foldhash::fast::RandomState,
}

/// A hash of 64 bits from one of 32: the table takes the place from its lower end and a tag from its upper one.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

impl SegmentDraft {
    /// A draft of nothing.
    pub fn new() -> SegmentDraft {
        SegmentDraft::default()
    }

    /// Adds an item with the number of the change that puts it. It takes the place of an earlier one with its id, which is
    /// given back.
    pub fn push<'i>(&mut self, item: impl Into<NewItem<'i>>, seq: u64) -> Option<Item> {
        let item = item.into();
        let SegmentDraft { records, latest, hasher, .. } = self;
        let place = records.ends.len() as u32;
        records.push(item, seq);
        self.last_seq = self.last_seq.max(seq);
        let id = item.id().as_bytes();
        let hash = hasher.hash_one(id) as u32;
        let same = |&(other, place): &(u32, u32)| other == hash && records.id_bytes(place as usize) == id;
        match latest.entry(spread(hash), same, |&(hash, _)| spread(hash)) {
            Entry::Vacant(free) => {
                free.insert((hash, place));
                None
            }
            Entry::Occupied(mut taken) => {
                let (_, before) = std::mem::replace(taken.get_mut(), (hash, place));
                self.replaced.insert(before);
                Some(self.records.item(before as usize))
            }
        }
    }

    /// How many items it has.
    pub fn len(&self) -> usize {
        self.records.ends.len() - self.replaced.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that it holds, about.
    pub fn bytes(&self) -> usize {
        self.records.bytes.len() + self.records.ends.len() * (size_of::<(Point, usize)>() + 4 * size_of::<u32>())
    }

    /// Builds the segment for a collection, in memory.
    pub fn build(self, collection: &Collection) -> Segment {
        let (number, kinds) = (collection.shared.writer().next_number(), &collection.shared.kinds);
        drop(self.latest);
        let draft = self.records.draft_of(|place| !self.replaced.contains(&place));
        draft.build(number, kinds, self.last_seq)
    }

    /// Builds the segment for a collection, writes it into the collection's folder, and opens it there.
    pub fn write(self, collection: &Collection, folder: &Path) -> Result<Arc<Segment>, FileError> {
        let kinds = &collection.shared.kinds;
        let segment = self.build(collection);
        let twin = loop {
            let file = collection.shared.saving.next_file(folder)?;
            match segment.save(folder, file, kinds) {
                // A collection that is made anew beside one that writes a checkpoint may meet it at the same number.
                Err(FileError::Io { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {}
                saved => break saved?,
            }
        };
        super::file::sync_folder(folder)?;
        Ok(Arc::new(twin))
    }
}
