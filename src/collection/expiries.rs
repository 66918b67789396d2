//! When the items of a segment end, in the order of time.
//!
//! What surprises: nothing is taken out when an item moves or goes. Whoever asks passes over slots that are gone, and a segment
//! remembers how far from the beginning that is everything.

use std::collections::BinaryHeap;

use bytemuck::{Pod, Zeroable};

use super::marks::Marks;
use super::payload::Payload;
use crate::index::{Array, Section, Stored};

/// The ends of life in a segment, by (time, sequence number of the put).
#[derive(Debug, Default)]
pub(super) struct Expiries(Array<End>);

#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct End {
    at_ms: i64,
    slot: u32,
    /// Nothing: it makes the size a multiple of eight.
    zero: u32,
}

/// An end of life that has come, ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub(super) at_ms: i64,
    pub(super) put_seq: u64,
    /// The segment, by its place in the snapshot.
    pub(super) segment: usize,
    pub(super) slot: u32,
}

impl Expiries {
    /// Of the slots that expire.
    pub(super) fn build(payload: &Payload, expiring: Vec<u32>) -> Expiries {
        let end = |slot| Some(End { at_ms: payload.expires_at_ms(slot)?, slot, zero: 0 });
        let mut ends: Vec<End> = expiring.into_iter().filter_map(end).collect();
        ends.sort_unstable_by_key(|end| (end.at_ms, payload.seq(end.slot)));
        Expiries(ends.into())
    }

    /// What a file has to hold of them.
    pub(super) fn sections(&self) -> Vec<Section<'_>> {
        vec![("ends", self.0.as_bytes())]
    }

    /// The ends of life in a file; at most one for each slot.
    pub(super) fn open(stored: &Stored<'_>, len: usize) -> Option<Expiries> {
        stored.array("ends").filter(|ends: &Array<End>| ends.len() <= len).map(Expiries)
    }

    /// Adds to `due` the oldest ends of life up to a moment whose items are still there, and keeps it at most `most` long.
    pub(super) fn due(
        &self,
        (segment, marks, payload): (usize, &Marks, &Payload),
        now_ms: i64,
        most: usize,
        due: &mut Oldest,
    ) {
        let first = self.first_live(marks);
        for place in first..self.0.len() {
            let End { at_ms, slot, .. } = *self.0.at(place);
            if at_ms > now_ms {
                break;
            }
            if marks.is_live(slot) && !due.add(Due { at_ms, put_seq: payload.seq(slot), segment, slot }, most) {
                break;
            }
        }
    }

    /// The place of the first end of life whose item is still there.
    fn first_live(&self, marks: &Marks) -> usize {
        let start = marks.ends_over();
        let first = (start..self.0.len()).find(|&place| marks.is_live(self.0.at(place).slot)).unwrap_or(self.0.len());
        if first > start {
            marks.note_ends_over(first);
        }
        first
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

/// The oldest of what is due, a limited number of them.
#[derive(Debug, Default)]
pub(super) struct Oldest(BinaryHeap<Due>);

impl Oldest {
    /// Takes one in if it is among the `most` oldest so far. `false` when it is not, and nothing younger can be.
    fn add(&mut self, due: Due, most: usize) -> bool {
        if self.0.len() >= most {
            if self.0.peek().is_none_or(|youngest| due > *youngest) {
                return false;
            }
            self.0.pop();
        }
        self.0.push(due);
        true
    }

    /// All of them, oldest first.
    pub(super) fn in_order(self) -> Vec<Due> {
        self.0.into_sorted_vec()
    }
}
