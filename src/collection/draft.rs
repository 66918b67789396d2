//! What a segment is to be made of, and the making.
//!
//! What surprises: a draft copies no record. It points at those of the segments it joins, and the one copy is made when all
//! are brought into the order of the curve.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::expiries::Expiries;
use super::item::Item;
use super::marks::Marks;
use super::names::Names;
use super::payload::{Payload, write_record};
use super::segment::{PLAIN_UP_TO, Segment};
use super::{Collection, FileError};
use crate::geometry::Point;
use crate::index::{Kind, PARALLEL_FROM, Sorted};

/// Points and records in any order.
#[derive(Debug, Default)]
pub(super) struct Draft<'a> {
    points: Vec<Point>,
    records: Vec<&'a [u8]>,
}

impl<'a> Draft<'a> {
    fn push(&mut self, point: Point, record: &'a [u8]) {
        self.points.push(point);
        self.records.push(record);
    }

    /// Adds every slot of a segment that is still there.
    pub(super) fn push_live(&mut self, segment: &'a Segment) {
        for slot in segment.points.slots().filter(|&slot| segment.marks.is_live(slot)) {
            self.push(segment.points.point(slot), segment.payload.record_bytes(slot));
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
    pub(super) fn push(&mut self, item: &Item, seq: u64) {
        write_record(item, seq, &mut self.bytes);
        self.ends.push((item.point, self.bytes.len()));
    }

    pub(super) fn draft(&self) -> Draft<'_> {
        let mut draft = Draft::default();
        let mut start = 0;
        for &(point, end) in &self.ends {
            draft.push(point, &self.bytes[start..end]);
            start = end;
        }
        draft
    }
}

/// Items for a segment that goes to a file at once, for loading many: [`Collection::adopt`] takes it up.
///
/// The ids of all drafts that are adopted together must be distinct; that is for the caller to see to.
#[derive(Debug, Default)]
pub struct SegmentDraft {
    records: Records,
    last_seq: u64,
}

impl SegmentDraft {
    /// A draft of nothing.
    pub fn new() -> SegmentDraft {
        SegmentDraft::default()
    }

    /// Adds an item with the number of the change that puts it.
    pub fn push(&mut self, item: &Item, seq: u64) {
        self.records.push(item, seq);
        self.last_seq = self.last_seq.max(seq);
    }

    /// How many items it has.
    pub fn len(&self) -> usize {
        self.records.ends.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Builds the segment for a collection, writes it into the collection's folder, and opens it there.
    pub fn write(self, collection: &Collection, folder: &Path) -> Result<Arc<Segment>, FileError> {
        let (number, kinds) = (collection.shared.writer().next_number(), &collection.shared.kinds);
        let segment = self.records.draft().build(number, kinds, self.last_seq);
        drop(self.records);
        let file = collection.shared.saving.next_file(folder)?;
        let twin = segment.save(folder, file, kinds)?;
        super::file::sync_folder(folder)?;
        Ok(Arc::new(twin))
    }
}
