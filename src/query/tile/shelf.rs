//! The points of a segment that count on a tile, in the order of the curve.
//!
//! What surprises: without a filter nothing is gathered. A **place** on a shelf is then simply a slot, and the few that are gone
//! are left out when somebody counts.

use std::ops::Range;

use crate::collection::Segment;
use crate::index::curve;
use crate::query::{Budget, Filter};

/// A segment's points that count.
#[derive(Debug)]
pub(super) struct Shelf<'a> {
    /// The segment's place in the snapshot.
    pub(super) number: u32,
    pub(super) segment: &'a Segment,
    seq: u64,
    /// How many slots of the segment may be gone.
    gone_max: u64,
    /// The slots that are there and have the properties; `None` where no filter is asked.
    chosen: Option<Vec<u32>>,
}

impl<'a> Shelf<'a> {
    /// All that is there.
    pub(super) fn of(number: u32, segment: &'a Segment, seq: u64) -> Shelf<'a> {
        Shelf { number, segment, seq, gone_max: segment.gone_count(), chosen: None }
    }

    /// Only what a filter chooses among some slots, which are given in order; when the budget is over, anything.
    pub(super) fn choose(&mut self, slots: Vec<Range<u32>>, filter: &Filter, budget: &Budget<'_>) {
        let wanted = |&slot: &u32| {
            let item = self.segment.item(slot);
            filter.matches_within(item.id(), item.properties(), budget)
        };
        let there = slots.into_iter().flatten().filter(|&slot| self.segment.is_there(slot, self.seq));
        let chosen = there.take_while(|_| !budget.is_over()).filter(wanted).collect();
        (self.chosen, self.gone_max) = (Some(chosen), 0);
    }

    /// Every place.
    pub(super) fn places(&self) -> Range<u32> {
        0..self.chosen.as_ref().map_or(self.segment.points().len(), Vec::len) as u32
    }

    /// The first of some places whose key is not less than `key`.
    pub(super) fn first_at(&self, key: u64, among: &Range<u32>) -> u32 {
        let points = self.segment.points();
        let Some(chosen) = &self.chosen else { return points.first_slot_at(key, among) };
        let is_before = |&slot: &u32| {
            let [lat, lon] = points.position(slot);
            curve::key_of(lat, lon) < key
        };
        among.start + chosen[among.start as usize..among.end as usize].partition_point(is_before) as u32
    }

    /// At least so many of some places count.
    pub(super) fn count_at_least(&self, places: &Range<u32>) -> u64 {
        (places.len() as u64).saturating_sub(self.gone_max)
    }

    /// The slots of those places that count.
    pub(super) fn slots(&self, places: Range<u32>) -> impl Iterator<Item = u32> {
        let (whole, chosen) = (self.gone_max == 0, self.chosen.as_ref());
        let slot = move |place: u32| chosen.map_or(place, |chosen| chosen[place as usize]);
        places.map(slot).filter(move |&slot| whole || self.segment.is_there(slot, self.seq))
    }

    /// How many of those places count, unless they are more than `most`: then any number above.
    pub(super) fn count_up_to(&self, places: Range<u32>, most: u64) -> u64 {
        if self.gone_max == 0 {
            return places.len() as u64;
        }
        self.slots(places).take(most.saturating_add(1) as usize).count() as u64
    }
}
