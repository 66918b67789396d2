//! One moment of a collection, held without a lock for as long as a reader likes.

use std::sync::Arc;

use super::Change;
use super::expiries::Oldest;
use super::in_order::in_order;
use super::item::{Id, ItemRef};
use super::segment::Segment;
use crate::geometry::{Point, Rect};
use crate::index::{DirectoryCell, Kind};

/// What was there after one change and before the next.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(super) seq: u64,
    pub(super) len: usize,
    pub(super) segments: Arc<[Arc<Segment>]>,
    pub(super) kinds: Arc<[&'static Kind]>,
}

impl Snapshot {
    /// The sequence number of the last change in it; 0 before the first.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The segments that make it.
    pub fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// The index kinds that are kept.
    pub fn kinds(&self) -> &[&'static Kind] {
        &self.kinds
    }

    /// The item with that id.
    pub fn get(&self, id: &str) -> Option<ItemRef<'_>> {
        self.find(id).map(|(segment, slot)| segment.item(slot))
    }

    /// Where the item with that id is. Nothing else is read of it.
    pub fn place(&self, id: &str) -> Option<Point> {
        self.find(id).map(|(segment, slot)| segment.points().point(slot))
    }

    fn find(&self, id: &str) -> Option<(&Segment, u32)> {
        let found = |segment: &'_ Arc<Segment>| segment.slot_at(id, self.seq);
        self.segments.iter().rev().find_map(|segment| found(segment).map(|slot| (&**segment, slot)))
    }

    /// Every item, in the order of ids.
    pub fn items(&self) -> impl Iterator<Item = ItemRef<'_>> {
        let seq = self.seq;
        in_order(&self.segments, move |segment, slot| segment.is_there(slot, seq))
    }

    /// The boxes of a kind's directories at a level, for drawing; at most `most`. `None` when the kind is not kept.
    pub fn cells(&self, kind: &Kind, frame: Rect, level: u32, most: usize) -> Option<Vec<DirectoryCell>> {
        if !self.kinds.contains(&kind) {
            return None;
        }
        let mut cells = Vec::new();
        for segment in self.segments.iter() {
            let room = most.saturating_sub(cells.len());
            if room > 0 {
                cells.extend(segment.cells(kind, frame, level, room));
            }
        }
        cells.truncate(most);
        Some(cells)
    }

    /// The removals that are due at a moment, oldest first, at most `most`.
    pub(super) fn due(&self, now_ms: i64, most: usize) -> Vec<Change> {
        let mut oldest = Oldest::default();
        for (place, segment) in self.segments.iter().enumerate() {
            segment.due(place, now_ms, most, &mut oldest);
        }
        let id = |segment: &Segment, slot| Id::new(segment.item(slot).id()).expect("stored ids are valid");
        let due = oldest.in_order().into_iter();
        due.map(|due| Change::Expire { id: id(&self.segments[due.segment], due.slot), put_seq: due.put_seq }).collect()
    }

    /// Bytes of the files that are mapped; what [`Snapshot::bytes`] counts beyond them is memory of its own.
    pub fn mapped_bytes(&self) -> usize {
        self.segments.iter().map(|segment| segment.mapped_bytes()).sum()
    }

    /// Bytes held, part by part: points, removal marks, ids, records, ends of life, and each index kind.
    pub fn bytes(&self) -> Vec<(&'static str, usize)> {
        let mut total: Vec<(&'static str, usize)> = Vec::new();
        for (part, bytes) in self.segments.iter().flat_map(|segment| segment.bytes()) {
            match total.iter_mut().find(|(name, _)| *name == part) {
                Some((_, sum)) => *sum += bytes,
                None => total.push((part, bytes)),
            }
        }
        total
    }
}
