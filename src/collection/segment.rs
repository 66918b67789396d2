//! A segment: points that never move again, their directories, their records, and which of them are gone.
//!
//! What surprises: a segment is shared by every snapshot that holds it, and it *does* change in one way. When an item
//! moves or goes, its slot is marked with the sequence number of that change. A reader of snapshot `n` ignores slots
//! marked at or before `n` and still sees those marked later, so each item appears exactly once to everybody.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use super::item::{Item, ItemRef};
use super::names::Names;
use super::payload::{Payload, Record, write_record};
use crate::geometry::{Point, Rect};
use crate::index::{Directory, DirectoryCell, Kind, PARALLEL_FROM, Points, Sorted};

/// Up to this many points a segment keeps no directories: looking at two blocks is quicker than any of them.
const PLAIN_UP_TO: usize = 64;

/// Points in Hilbert order with all that belongs to them.
#[derive(Debug)]
pub struct Segment {
    points: Points,
    directories: Vec<(&'static Kind, Box<dyn Directory>)>,
    payload: Payload,
    names: Names,
    /// For every slot, how many changes after `base_seq` it went; 0 while it is there.
    gone: Box<[AtomicU32]>,
    gone_count: AtomicU32,
    base_seq: u64,
}

/// What a segment is to be made of: points and records in any order.
#[derive(Debug, Default)]
pub(super) struct Draft<'a> {
    points: Vec<Point>,
    records: Vec<&'a [u8]>,
}

impl<'a> Draft<'a> {
    pub(super) fn push(&mut self, point: Point, record: &'a [u8]) {
        self.points.push(point);
        self.records.push(record);
    }

    /// Adds every slot of a segment that is still there.
    pub(super) fn push_live(&mut self, segment: &'a Segment) {
        for slot in segment.points.slots().filter(|&slot| segment.is_live(slot)) {
            self.push(segment.points.point(slot), segment.payload.record_bytes(slot));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.points.len()
    }

    /// Builds the segment; later changes to it have sequence numbers above `base_seq`.
    pub(super) fn build(self, kinds: &[&'static Kind], base_seq: u64) -> Segment {
        let sorted = Sorted::new(&self.points);
        let len = sorted.points.len();
        let kept = if len <= PLAIN_UP_TO { &[] } else { kinds };
        let named = || {
            let payload = Payload::gather(sorted.order.iter().map(|&index| self.records[index as usize]));
            let names = Names::build(&payload, len as u32);
            (payload, names)
        };
        let directory = |kind: &&'static Kind| (*kind, (kind.build)(&sorted));
        let ((payload, names), directories) = if len < PARALLEL_FROM {
            (named(), kept.iter().map(directory).collect())
        } else {
            rayon::join(named, || kept.par_iter().map(directory).collect())
        };
        let gone = (0..len).map(|_| AtomicU32::new(0)).collect();
        Segment { points: sorted.points, directories, payload, names, gone, gone_count: AtomicU32::new(0), base_seq }
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

impl Segment {
    /// The points, by slot.
    pub fn points(&self) -> &Points {
        &self.points
    }

    /// The directory of a kind, when the segment keeps one.
    pub fn directory(&self, kind: &Kind) -> Option<&dyn Directory> {
        self.directories.iter().find(|(own, _)| *own == kind).map(|(_, directory)| &**directory)
    }

    /// The boxes of a kind's directory. A segment too small to keep one makes it for the occasion.
    pub(super) fn cells(&self, kind: &Kind, frame: Rect, level: u32, most: usize) -> Vec<DirectoryCell> {
        if let Some(directory) = self.directory(kind) {
            return directory.cells(&self.points, frame, level, most);
        }
        let points: Vec<Point> = self.points.slots().map(|slot| self.points.point(slot)).collect();
        let sorted = Sorted::new(&points);
        (kind.build)(&sorted).cells(&sorted.points, frame, level, most)
    }

    /// The item of a slot, whether or not it is gone.
    pub fn item(&self, slot: u32) -> ItemRef<'_> {
        let Record { id, properties, seq, expires_at_ms } = self.payload.record(slot);
        ItemRef { id, point: self.points.point(slot), properties, seq, expires_at_ms }
    }

    /// The id of a slot, as bytes, which is how ids are ordered.
    #[inline]
    pub fn id_bytes(&self, slot: u32) -> &[u8] {
        self.payload.id_bytes(slot)
    }

    /// The place of a slot among the sorted ids of the segment.
    #[inline]
    pub fn rank(&self, slot: u32) -> u32 {
        self.names.rank(slot)
    }

    /// The slots in the order of their ids, from a rank on.
    pub fn slots_by_rank(&self, first: u32) -> impl Iterator<Item = u32> {
        (first..self.points.len() as u32).map(|rank| self.names.slot(rank).expect("every rank has a slot"))
    }

    /// The rank of the first id after `id`.
    pub fn first_rank_after(&self, id: &str) -> u32 {
        self.names.first_rank_after(&self.payload, id.as_bytes())
    }

    /// The slot that an id has here, if it is there in the snapshot of `seq`.
    pub(super) fn slot_at(&self, id: &str, seq: u64) -> Option<u32> {
        self.slot_named(id).filter(|&slot| self.is_there(slot, seq))
    }

    /// The slot that an id has or had here.
    pub(super) fn slot_named(&self, id: &str) -> Option<u32> {
        self.names.slot_of(&self.payload, id.as_bytes())
    }

    /// Whether a slot is there in the snapshot of `seq`.
    #[inline]
    pub fn is_there(&self, slot: u32, seq: u64) -> bool {
        // Relaxed: marks that a snapshot must see were made before it was published.
        let gone = self.gone[slot as usize].load(Ordering::Relaxed);
        gone == 0 || self.base_seq + u64::from(gone) > seq
    }

    /// Whether no slot is gone, so that nobody needs to ask for each.
    #[inline]
    pub fn is_whole(&self) -> bool {
        self.gone_count.load(Ordering::Relaxed) == 0
    }

    /// How many of some slots are there in the snapshot of `seq`.
    pub fn count_there(&self, slots: Range<u32>, seq: u64) -> u64 {
        if self.is_whole() {
            return slots.len() as u64;
        }
        slots.filter(|&slot| self.is_there(slot, seq)).count() as u64
    }

    fn is_live(&self, slot: u32) -> bool {
        self.gone[slot as usize].load(Ordering::Relaxed) == 0
    }

    /// How many slots nobody has removed yet.
    pub(super) fn live_count(&self) -> usize {
        self.points.len() - self.gone_count.load(Ordering::Relaxed) as usize
    }

    /// Whether a change with this number is too far from the segment's first to be written down in a slot.
    pub(super) fn is_out_of_range(&self, seq: u64) -> bool {
        // A change that was applied before may be older than the segment.
        seq.saturating_sub(self.base_seq) >= u64::from(u32::MAX)
    }

    /// Marks a slot as gone with a change; only the one writer calls it. `false` when it was gone already.
    pub(super) fn remove(&self, slot: u32, seq: u64) -> bool {
        debug_assert!(seq > self.base_seq && !self.is_out_of_range(seq));
        let removed = self.is_live(slot);
        if removed {
            // The count first: a reader that finds the segment whole must not miss a mark that it has to see.
            self.gone_count.fetch_add(1, Ordering::Relaxed);
            self.gone[slot as usize].store((seq - self.base_seq) as u32, Ordering::Relaxed);
        }
        removed
    }

    /// Bytes held, part by part.
    pub fn bytes(&self) -> Vec<(&'static str, usize)> {
        let mut parts = vec![
            ("points", self.points.bytes()),
            ("removal marks", size_of_val(&*self.gone)),
            ("ids", self.names.bytes()),
            ("records", self.payload.bytes()),
        ];
        parts.extend(self.directories.iter().map(|(kind, directory)| (kind.name, directory.bytes())));
        parts
    }
}
