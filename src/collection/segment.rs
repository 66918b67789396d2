//! A segment: points that never move again, their directories, their records, and which of them are gone.
//!
//! What surprises: a segment is shared by every snapshot that holds it, and it *does* change in one way. When an item
//! moves or goes, its slot is marked with the sequence number of that change. A reader of snapshot `n` ignores slots
//! marked at or before `n` and still sees those marked later, so each item appears exactly once to everybody.

use std::ops::Range;
use std::sync::Arc;

use super::expiries::{Expiries, Oldest};
use super::item::ItemRef;
use super::marks::Marks;
use super::names::Names;
use super::payload::Payload;
use super::saved::Saved;
use crate::geometry::{Point, Rect};
use crate::index::{Damaged, Directory, DirectoryCell, Kind, Points, Sorted};

/// Up to this many points a segment keeps no directories: looking at two blocks is quicker than any of them.
pub(super) const PLAIN_UP_TO: usize = 64;

/// The directories that a segment keeps.
pub(super) type Directories = Vec<(&'static Kind, Box<dyn Directory>)>;

/// Points in Hilbert order with all that belongs to them, in memory or in a file.
///
/// What lies in a file is compared with its checksums when it is first read; who meets a damaged block panics with a
/// [`Damaged`] as payload.
#[derive(Debug)]
pub struct Segment {
    /// Unique in its collection. A segment in memory and its twin in a file have the same.
    pub(super) number: u64,
    pub(super) points: Points,
    pub(super) directories: Directories,
    pub(super) payload: Payload,
    pub(super) names: Names,
    pub(super) expiries: Expiries,
    pub(super) marks: Arc<Marks>,
    /// The file it is read from.
    pub(super) saved: Option<Saved>,
}

impl Segment {
    /// Its number, unique in its collection and the same before and after it got a file.
    pub fn number(&self) -> u64 {
        self.number
    }

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
        ItemRef::new(self.payload.record(slot), &self.points, slot, self.payload.before_seq())
    }

    /// The sequence number of the change that put an item there.
    pub(super) fn put_seq(&self, slot: u32) -> u64 {
        self.payload.seq(slot)
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
    pub fn slots_by_rank(&self, first: u32) -> impl Iterator<Item = u32> + Clone {
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

    /// Calls with the slots, here and in another segment, of every id that both have or had.
    pub(super) fn named_in_both(&self, other: &Segment, mut found: impl FnMut(u32, u32)) {
        self.names.in_both(&self.payload, (&other.names, &other.payload), &mut found);
    }

    /// Whether a slot is there in the snapshot of `seq`.
    #[inline]
    pub fn is_there(&self, slot: u32, seq: u64) -> bool {
        self.marks.is_there(slot, seq)
    }

    /// Whether no slot is gone, so that nobody needs to ask for each.
    #[inline]
    pub fn is_whole(&self) -> bool {
        self.marks.gone_count() == 0
    }

    /// How many slots are gone in the newest snapshot; in no snapshot are more.
    pub fn gone_count(&self) -> u64 {
        u64::from(self.marks.gone_count())
    }

    /// How many of some slots are there in the snapshot of `seq`.
    pub fn count_there(&self, slots: Range<u32>, seq: u64) -> u64 {
        if self.is_whole() {
            return slots.len() as u64;
        }
        slots.filter(|&slot| self.is_there(slot, seq)).count() as u64
    }

    /// How many slots nobody has removed yet.
    pub(super) fn live_count(&self) -> usize {
        self.points.len() - self.marks.gone_count() as usize
    }

    /// Adds the oldest of what is due here; `place` is the segment's place in the snapshot.
    pub(super) fn due(&self, place: usize, now_ms: i64, most: usize, due: &mut Oldest) {
        self.expiries.due((place, &self.marks, &self.payload), now_ms, most, due);
    }

    /// Compares everything in the segment's file with its checksums. From then on reading costs no more than from memory.
    pub fn scrub(&self) -> Result<(), Damaged> {
        self.saved.as_ref().map_or(Ok(()), |saved| saved.map.prove_all())
    }

    /// Bytes of the file it is read from; 0 for a segment in memory.
    pub fn mapped_bytes(&self) -> usize {
        self.saved.as_ref().map_or(0, |saved| saved.map.len())
    }

    /// Bytes held in memory or in a file, part by part. Only removal marks are in memory for all.
    pub fn bytes(&self) -> Vec<(&'static str, usize)> {
        let mut parts = vec![
            ("points", self.points.bytes()),
            ("removal marks", self.marks.bytes()),
            ("ids", self.names.bytes()),
            ("records", self.payload.bytes()),
            ("expiries", self.expiries.bytes()),
        ];
        parts.extend(self.directories.iter().map(|(kind, directory)| (kind.name, directory.bytes())));
        parts
    }
}

/// Records that are fetched from memory at once.
pub(crate) const AHEAD: usize = 32;

/// Has the processor fetch the records of some slots, at most [`AHEAD`] of them. They lie anywhere in memory: whoever is about to read them
/// waits once and not for each.
pub(crate) fn fetch<'a>(slots: impl Iterator<Item = (&'a Segment, u32)> + Clone) {
    slots.clone().for_each(|(segment, slot)| segment.payload.fetch_start(slot));
    slots.for_each(|(segment, slot)| segment.payload.fetch(slot));
}
