//! A query as it walks through an index: every cell it looked at, and what became of it.
//!
//! ```text
//! pruned     looked at and dropped: nothing in it can match
//! opened     an inner cell, whose children were looked at
//! whole      accepted without a look at its points: all of them lie where the query asks
//! tested     its points were tested one by one
//! ```
//!
//! What surprises: a cell may be both whole and tested. A cell of the curve shares the blocks at its two ends with its neighbours, and only
//! what is surely its own is accepted whole; the points of those blocks are tested.
//!
//! The counts are exact, however few of the cells are kept.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::rank::Ranked;
use super::watcher::Watcher;
use super::{Budget, Explain, Limit, Query, QueryError};
use crate::collection::{Segment, Snapshot};
use crate::geometry::Rect;
use crate::index::{Area, Directory, Kind, Look, Onlooker, Points, Run, Trace, Verdict};

/// What became of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Looked at and dropped.
    Pruned,
    /// Its children were looked at.
    Opened,
    /// Accepted without a look at its points.
    Whole,
    /// Its points were tested one by one.
    Tested,
}

impl Fate {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Fate::Pruned => "pruned",
            Fate::Opened => "opened",
            Fate::Whole => "whole",
            Fate::Tested => "tested",
        }
    }
}

/// A cell that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct WalkedCell {
    /// What became of it.
    pub fate: Fate,
    /// Its box.
    pub rect: Rect,
    /// How many levels under the root.
    pub level: u32,
    /// Points accepted whole, or tested; of other cells those that may lie in it.
    pub points: u64,
    /// How many of them are in the answer, on all its pages; of the nearest, in the first page.
    pub accepted: u64,
    /// What people call it, when it has a name.
    pub label: Option<String>,
    /// Which segment of the snapshot it belongs to.
    pub segment: u32,
    /// When its fate was known, counted from 0; the two parts of a cell that is whole and tested have the same.
    pub order: u64,
    /// Whether a few comparisons of edges were enough to drop it.
    pub at_a_glance: bool,
}

/// How many cells met which fate, and the points in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WalkCounts {
    /// Cells dropped.
    pub pruned: u64,
    /// Of these, cells that were never compared with the area.
    pub pruned_at_a_glance: u64,
    /// Cells opened.
    pub opened: u64,
    /// Cells accepted whole.
    pub whole: u64,
    /// Cells whose points were tested, or some of them.
    pub tested: u64,
    /// Points tested.
    pub points_tested: u64,
    /// Of the answer, what was accepted whole.
    pub accepted_whole: u64,
    /// Of the answer, what was tested.
    pub accepted_tested: u64,
}

/// What a query did on an index kind.
#[derive(Debug, Clone)]
pub struct Walk {
    /// How many items match.
    pub matched: u64,
    /// What it took.
    pub explain: Explain,
    /// All cells, counted.
    pub counts: WalkCounts,
    /// The cells in the order they were looked at, from the first on.
    pub cells: Vec<WalkedCell>,
    /// Whether these are all.
    pub complete: bool,
}

impl Query {
    /// Answers the query on a kind, and tells of every cell it looked at; `most` of them are kept.
    pub fn walk(
        &self,
        kind: &'static Kind,
        snapshot: &Arc<Snapshot>,
        most: usize,
        budget: &Budget<'_>,
    ) -> Result<Walk, QueryError> {
        let recorder = Recorder { most, record: RefCell::default() };
        let query = self.clone().on(kind).in_pages_of(Limit::most());
        let answer = query.run_watched(snapshot, budget, &recorder)?;
        let Recorder { record, .. } = recorder;
        let record = record.into_inner();
        let (counts, cells, complete) = record.into_cells(most);
        Ok(Walk { matched: answer.matched, explain: answer.explain, counts, cells, complete })
    }
}

/// Writes down what a search does.
struct Recorder {
    most: usize,
    record: RefCell<Record>,
}

#[derive(Default)]
struct Record {
    segment: u32,
    looks: u64,
    counts: WalkCounts,
    /// The first looks.
    kept: Vec<Kept>,
    /// The nodes whose slots were handed out, all of them.
    named: Vec<Named>,
    /// The runs of the cover under way by their first slot, each with its end, whether it lies inside, and whose it is.
    owners: BTreeMap<u32, Vec<(u32, bool, usize)>>,
    /// The runs of a search for the nearest: segment and slots, and whose they are. `None` for other searches.
    taken: Option<Vec<(u32, Range<u32>, usize)>>,
}

struct Kept {
    look: Look,
    segment: u32,
    order: u64,
    /// Its place among those that were named.
    named: Option<usize>,
}

/// What was found in a node: points and those of the answer, once for what lies inside and once for what is tested.
#[derive(Default)]
struct Named {
    first_run: usize,
    whole: Option<(u64, u64)>,
    tested: Option<(u64, u64)>,
}

impl Onlooker for Recorder {
    fn looks(&self, look: Look, runs: usize) {
        self.record.borrow_mut().look(look, runs, self.most);
    }
}

impl Record {
    fn look(&mut self, look: Look, runs: usize, most: usize) {
        let order = self.looks;
        self.looks += 1;
        match look.verdict {
            Verdict::Passed => {
                self.counts.pruned += 1;
                self.counts.pruned_at_a_glance += 1;
            }
            Verdict::Pruned => self.counts.pruned += 1,
            Verdict::Opened => self.counts.opened += 1,
            Verdict::Named => {
                // Of a node among the nearest all points may have been tested before, with those of a neighbour.
                let tested = self.taken.is_some().then_some((0, 0));
                self.named.push(Named { first_run: runs, whole: None, tested });
            }
        }
        if self.kept.len() <= most {
            let named = (look.verdict == Verdict::Named).then(|| self.named.len() - 1);
            self.kept.push(Kept { look, segment: self.segment, order, named });
        }
    }

    /// Notes whose the runs of a cover are: those from `first` of the named nodes on.
    fn own(&mut self, first: usize, runs: &[Run]) {
        self.owners.clear();
        for place in first..self.named.len() {
            let end = self.named.get(place + 1).map_or(runs.len(), |next| next.first_run);
            let named = &mut self.named[place];
            for run in &runs[named.first_run..end] {
                let part = if run.inside { &mut named.whole } else { &mut named.tested };
                part.get_or_insert_default();
                self.owners.entry(run.slots.start).or_default().push((run.slots.end, run.inside, place));
            }
        }
    }

    /// Whose a run is, or a piece of one: what it was cut from begins at it or a little before.
    fn owner(&self, run: &Run) -> usize {
        let holds = |(end, inside, _): &&(u32, bool, usize)| *end >= run.slots.end && *inside == run.inside;
        let before = self.owners.range(..=run.slots.start).rev();
        let found = before.flat_map(|(_, owned)| owned.iter().rev()).find(holds);
        found.map_or(self.named.len() - 1, |(_, _, place)| *place)
    }

    fn took(&mut self, run: &Run, accepted: u64) {
        let place = self.owner(run);
        let part = if run.inside { &mut self.named[place].whole } else { &mut self.named[place].tested };
        let (points, found) = part.get_or_insert_default();
        *points += run.slots.len() as u64;
        if !run.inside {
            self.counts.points_tested += run.slots.len() as u64;
        }
        match &mut self.taken {
            // What seems near enough is often not, in the end: who is found is told later.
            Some(taken) => taken.push((self.segment, run.slots.clone(), place)),
            None => {
                *found += accepted;
                let counted =
                    if run.inside { &mut self.counts.accepted_whole } else { &mut self.counts.accepted_tested };
                *counted += accepted;
            }
        }
    }

    fn found(&mut self, ranked: &[Ranked]) {
        let mut taken = self.taken.take().unwrap_or_default();
        taken.sort_unstable_by_key(|(segment, slots, _)| (*segment, slots.start));
        for hit in ranked {
            let after = taken.partition_point(|(segment, slots, _)| (*segment, slots.start) <= (hit.segment, hit.slot));
            let (_, slots, place) = &taken[after - 1];
            debug_assert!(slots.contains(&hit.slot), "whatever is found was tested");
            self.named[*place].tested.get_or_insert_default().1 += 1;
            self.counts.accepted_tested += 1;
        }
    }

    fn into_cells(mut self, most: usize) -> (WalkCounts, Vec<WalkedCell>, bool) {
        self.counts.whole = self.named.iter().filter(|named| named.whole.is_some()).count() as u64;
        self.counts.tested = self.named.iter().filter(|named| named.tested.is_some()).count() as u64;
        let counts = self.counts;
        let mut cells = Vec::new();
        for Kept { look, segment, order, named } in self.kept {
            let cell = WalkedCell {
                fate: Fate::Pruned,
                rect: look.outline,
                level: look.level,
                points: look.points.into(),
                accepted: 0,
                label: look.label,
                segment,
                order,
                at_a_glance: look.verdict == Verdict::Passed,
            };
            let Some(named) = named.map(|place| &self.named[place]) else {
                let fate = if look.verdict == Verdict::Opened { Fate::Opened } else { Fate::Pruned };
                cells.push(WalkedCell { fate, ..cell });
                continue;
            };
            for (fate, part) in [(Fate::Whole, named.whole), (Fate::Tested, named.tested)] {
                if let Some((points, accepted)) = part {
                    cells.push(WalkedCell { fate, points, accepted, ..cell.clone() });
                }
            }
        }
        cells.truncate(most);
        let all = counts.pruned + counts.opened + counts.whole + counts.tested;
        let complete = cells.len() as u64 == all;
        (counts, cells, complete)
    }
}

impl Watcher for &Recorder {
    fn begins(self, number: u32) {
        let mut record = self.record.borrow_mut();
        record.segment = number;
        record.owners.clear();
    }

    fn begins_with(self, number: u32, segment: &Segment, neighbours: &Range<u32>) {
        let mut record = self.record.borrow_mut();
        record.segment = number;
        record.taken.get_or_insert_default();
        if !neighbours.is_empty() {
            let look = Look::at_slots(segment.points(), neighbours.clone());
            record.look(Look { label: Some("neighbours on the curve".to_owned()), ..look }, 0, self.most);
        }
    }

    fn reads_all(self, segment: &Segment) {
        self.looks(Look::at_slots(segment.points(), segment.points().slots()), 0);
    }

    fn cover(
        self,
        directory: &dyn Directory,
        points: &Points,
        area: &Area,
        runs: &mut Vec<Run>,
        trace: &mut Trace<'_>,
    ) {
        let first = self.record.borrow().named.len();
        directory.cover_watched(points, area, runs, trace, self);
        self.record.borrow_mut().own(first, runs);
    }

    fn nearest(
        self,
        directory: &dyn Directory,
        points: &Points,
        area: &mut Area,
        visit: &mut dyn FnMut(Run, &mut Area),
        trace: &mut Trace<'_>,
    ) {
        directory.nearest_watched(points, area, visit, trace, self);
    }

    fn took(self, run: &Run, accepted: u64) {
        self.record.borrow_mut().took(run, accepted);
    }

    fn found(self, ranked: &[Ranked]) {
        self.record.borrow_mut().found(ranked);
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
