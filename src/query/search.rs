//! Running a query: directories name runs of slots, the area decides, the ranking keeps the page.
//!
//! ```text
//! k nearest    look round the centre's own place in the order for a first bound, then nearest boxes first,
//!              the bound drawing nearer with every run
//! radius       all runs in order; every match is counted, the nearest are kept
//! by id        all runs in order; every match is counted, the first ids are kept
//! ```

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::budget::BEGINNING;
use super::plan::{self, Plan};
use super::rank::{ByDistance, ById, Ranked};
use super::watcher::{Nobody, Watcher};
use super::{Answer, Budget, Cursor, Explain, Filter, Near, PageError, Query, QueryError};
use crate::collection::{Id, Segment, Snapshot};
use crate::geometry::Radius;
use crate::index::lens::surely_beyond;
use crate::index::{Area, Hit, Kind, Lens, PIECE, Run, Trace, in_order, pieces};

impl Query {
    /// Answers the query from one moment of a collection.
    pub fn run(&self, snapshot: &Arc<Snapshot>) -> Result<Answer, QueryError> {
        self.run_within(snapshot, &Budget::unlimited())
    }

    /// [`Query::run`] within a budget: the same answer, or [`QueryError::OverBudget`].
    pub fn run_within(&self, snapshot: &Arc<Snapshot>, budget: &Budget<'_>) -> Result<Answer, QueryError> {
        self.run_watched(snapshot, budget, Nobody)
    }

    pub(super) fn run_watched(
        &self,
        snapshot: &Arc<Snapshot>,
        budget: &Budget<'_>,
        watcher: impl Watcher,
    ) -> Result<Answer, QueryError> {
        let started = Instant::now();
        let Plan { kind, because } = plan::choose(snapshot, self.kind)?;
        let mut search = Search {
            snapshot,
            kind,
            filter: self.filter.as_ref(),
            budget,
            watcher,
            explain: Explain { kind: kind.name, because, ..Explain::default() },
        };
        let page = match &self.near {
            Some(near) => self.run_by_distance(near, &mut search)?,
            None => self.run_by_id(&mut search)?,
        };
        if let Some(because) = budget.overrun() {
            return Err(QueryError::OverBudget { spent: budget.spent(), because });
        }
        let mut explain = search.explain;
        explain.elapsed_us = started.elapsed().as_micros() as u64;
        Ok(Answer {
            snapshot: snapshot.clone(),
            ranked: page.ranked,
            measured: self.near.is_some(),
            matched: page.matched,
            next: page.next,
            explain,
        })
    }

    /// Whether every item matches, but for a radius.
    pub(super) fn is_unconditional(&self) -> bool {
        self.rect.is_none() && self.cell.is_none() && self.polygon.is_none() && self.filter.is_none()
    }

    pub(super) fn area(&self, lens: Option<Lens>) -> Area {
        Area { lens, rect: self.rect, cell: self.cell, polygon: self.polygon.clone() }
    }

    fn run_by_distance<'a>(&'a self, near: &Near, search: &mut Search<'a, impl Watcher>) -> Result<Page, QueryError> {
        let (after, served) = match &self.cursor {
            None => (None, 0),
            Some(Cursor::Distance { distance_m, id, served }) => (Some((*distance_m, id.as_str())), *served),
            Some(other) => return Err(PageError::Order { cursor: other.order(), query: "distance" }.into()),
        };
        let radius_m = near.radius.map_or(f64::INFINITY, Radius::metres);
        let lens = Lens::new(near.centre, near.metric, radius_m);
        let centre = *lens.unit();
        let area = self.area(Some(lens));
        let limit = self.limit.get();
        let ranking =
            |want| ByDistance::new(search.snapshot.segments(), near.metric, centre, want, after, search.budget);
        let Found { mut ranked, matched, beyond } = match near.k {
            None => search.all_by_distance(&area, ranking(limit)),
            Some(k) => {
                let k = k.get() as u64;
                let mut want = k.saturating_sub(served) as usize;
                if want == 0 {
                    return Ok(Page { ranked: Vec::new(), matched: k, next: None });
                }
                // Where everything matches, how much does is known, and a page is all that needs to be found.
                let everything = near.radius.is_none() && self.is_unconditional();
                if everything {
                    want = want.min(limit + 1);
                }
                let ranked = search.nearest(area, ranking(want));
                search.watcher.found(&ranked);
                let beyond = ranked.len() as u64;
                let matched = if everything { k.min(search.snapshot.len() as u64) } else { served + beyond };
                Found { ranked, matched, beyond }
            }
        };
        ranked.truncate(limit);
        let next = (beyond > ranked.len() as u64).then(|| ranked.last()).flatten().map(|last| Cursor::Distance {
            distance_m: last.distance_m,
            id: search.id(last),
            served: served.saturating_add(ranked.len() as u64),
        });
        Ok(Page { ranked, matched, next })
    }

    fn run_by_id<'a>(&'a self, search: &mut Search<'a, impl Watcher>) -> Result<Page, QueryError> {
        let after = match &self.cursor {
            None => None,
            Some(Cursor::Id { id }) => Some(id.as_str()),
            Some(other) => return Err(PageError::Order { cursor: other.order(), query: "id" }.into()),
        };
        let limit = self.limit.get();
        let Found { mut ranked, matched, beyond } = if self.is_unconditional() {
            search.listing(limit + 1, after)
        } else {
            search.all_by_id(&self.area(None), limit, after)
        };
        ranked.truncate(limit);
        let next = (beyond > ranked.len() as u64)
            .then(|| ranked.last())
            .flatten()
            .map(|last| Cursor::Id { id: search.id(last) });
        Ok(Page { ranked, matched, next })
    }
}

struct Page {
    ranked: Vec<Ranked>,
    matched: u64,
    next: Option<Cursor>,
}

/// The best of what matches, how much matches, and how much of it lies beyond the cursor (or is known to).
struct Found {
    ranked: Vec<Ranked>,
    matched: u64,
    beyond: u64,
}

struct Search<'a, W> {
    snapshot: &'a Snapshot,
    kind: &'static Kind,
    filter: Option<&'a Filter>,
    budget: &'a Budget<'a>,
    watcher: W,
    explain: Explain,
}

impl<'a, W: Watcher> Search<'a, W> {
    fn id(&self, ranked: &Ranked) -> Id {
        let item = self.snapshot.segments()[ranked.segment as usize].item(ranked.slot);
        Id::new(item.id()).expect("stored ids are valid")
    }

    /// Segments with their numbers, the largest first: it bounds the search for the others best.
    fn segments(&self) -> Vec<(u32, &'a Segment)> {
        let mut segments: Vec<(u32, &Segment)> =
            (0..).zip(self.snapshot.segments().iter().map(|segment| &**segment)).collect();
        segments.sort_by_key(|(_, segment)| std::cmp::Reverse(segment.points().len()));
        segments
    }

    /// Whether a slot counts beyond its place: it is there, and it has the properties.
    #[inline]
    fn counts(&self, segment: &Segment, whole: bool, slot: u32) -> bool {
        (whole || segment.is_there(slot, self.snapshot.seq()))
            && self.filter.is_none_or(|filter| self.has_properties(filter, segment, slot))
    }

    // Apart, so that it stays out of the loop over points: in it, every circle took a tenth more instructions.
    #[inline(never)]
    fn has_properties(&self, filter: &Filter, segment: &Segment, slot: u32) -> bool {
        let item = segment.item(slot);
        filter.matches_within(item.id(), item.properties(), self.budget)
    }

    /// Tests a run of one piece exactly, or takes it as it is when it lies inside, and hands on what counts. When the budget is over,
    /// nothing counts any more.
    #[inline]
    fn take(&mut self, segment: &Segment, area: &Area, run: Run, mut hit: impl FnMut(Hit)) {
        let whole = segment.is_whole();
        self.explain.candidates += run.slots.len() as u64;
        self.explain.exact_tests += if run.inside { 0 } else { run.slots.len() as u64 };
        if !self.budget.spend(1 + run.slots.len() as u64) {
            return;
        }
        let mut accepted = 0;
        let each = |found: Hit| {
            if self.counts(segment, whole, found.slot) {
                accepted += 1;
                hit(found);
            }
        };
        if run.inside {
            area.accept(segment.points(), run.slots.clone(), each);
        } else {
            area.refine_within(segment.points(), run.slots.clone(), self.budget, each);
        }
        self.watcher.took(&run, accepted);
    }

    /// How many of some slots are there. Where none is gone that is known at once.
    fn count_there(&self, segment: &Segment, slots: Range<u32>) -> u64 {
        if segment.is_whole() {
            return slots.len() as u64;
        }
        if self.budget.spend(1 + slots.len() as u64 / 2) { segment.count_there(slots, self.snapshot.seq()) } else { 0 }
    }

    fn nearest(&mut self, mut area: Area, mut sink: ByDistance<'a>) -> Vec<Ranked> {
        let segments = self.segments();
        self.explain.segments = segments.len() as u64;
        let (kind, watcher, mut trace) = (self.kind, self.watcher, Trace::within(self.budget));
        for (place, (number, segment)) in segments.into_iter().enumerate() {
            if !self.budget.spend(BEGINNING) {
                break;
            }
            // In the largest segment the neighbours of the centre in the order of the curve draw a first bound.
            let known = if place == 0 { neighbours(segment, &area, sink.want()) } else { 0..0 };
            self.watcher.begins_with(number, segment, &known);
            for piece in pieces(known.clone()) {
                self.take_nearest(segment, number, piece, &mut area, &mut sink);
            }
            if !known.is_empty() {
                tighten(&mut area, sink.tighten());
            }
            let mut visit_unknown = |run: Run, area: &mut Area| {
                let Range { start, end } = run.slots;
                for slots in [start..end.min(known.start), start.max(known.end)..end] {
                    for piece in pieces(slots) {
                        self.take_nearest(segment, number, piece, area, &mut sink);
                    }
                }
            };
            match segment.directory(kind) {
                Some(directory) => {
                    watcher.nearest(directory, segment.points(), &mut area, &mut visit_unknown, &mut trace);
                }
                None => {
                    watcher.reads_all(segment);
                    visit_unknown(everything(segment), &mut area);
                }
            }
            tighten(&mut area, sink.tighten());
        }
        self.note(trace);
        sink.finish()
    }

    fn take_nearest(
        &mut self,
        segment: &Segment,
        number: u32,
        slots: Range<u32>,
        area: &mut Area,
        sink: &mut ByDistance<'a>,
    ) {
        let run = Run { slots, inside: false, least_chord2: 0.0 };
        self.take(segment, area, run, |hit| sink.push(number, hit.slot, hit.chord2));
        tighten(area, sink.bound_chord2());
    }

    /// Everything in the area, the nearest kept.
    fn all_by_distance(&mut self, area: &Area, mut sink: ByDistance<'a>) -> Found {
        let mut matched = 0;
        for (number, segment) in self.segments() {
            for_each_run(self, number, segment, area, |search, run| {
                if run.inside && search.filter.is_none() && surely_beyond(run.least_chord2, sink.bound_chord2()) {
                    let count = search.count_there(segment, run.slots.clone());
                    search.explain.candidates += run.slots.len() as u64;
                    sink.count_beyond_bound(count);
                    search.watcher.took(&run, count);
                    matched += count;
                } else {
                    search.take(segment, area, run, |hit| {
                        matched += 1;
                        sink.push(number, hit.slot, hit.chord2);
                    });
                }
            });
        }
        let beyond = sink.beyond_cursor();
        Found { ranked: sink.finish(), matched, beyond }
    }

    /// Everything in the area, the first ids kept.
    fn all_by_id(&mut self, area: &Area, want: usize, after: Option<&'a str>) -> Found {
        let mut sink = ById::new(self.snapshot.segments(), want, after);
        let mut matched = 0;
        for (number, segment) in self.segments() {
            sink.enter(number);
            for_each_run(self, number, segment, area, |search, run| {
                search.take(segment, area, run, |hit| {
                    matched += 1;
                    sink.push(hit.slot);
                });
            });
        }
        let beyond = sink.beyond_cursor();
        Found { ranked: sink.finish(), matched, beyond }
    }

    /// The first ids of the whole collection: read off the order of ids, segment by segment.
    fn listing(&mut self, want: usize, after: Option<&'a str>) -> Found {
        self.explain.because = "no kind is needed: everything is read off the order of ids";
        let mut sink = ById::new(self.snapshot.segments(), want, after);
        for (number, segment) in self.segments() {
            sink.enter(number);
            let first = after.map_or(0, |id| segment.first_rank_after(id));
            let affordable = segment.slots_by_rank(first).take_while(|_| self.budget.spend(1));
            let there = affordable.filter(|&slot| segment.is_there(slot, self.snapshot.seq()));
            let mut taken = 0;
            there.take(want).for_each(|slot| {
                taken += 1;
                sink.push(slot);
            });
            self.explain.candidates += taken;
            self.explain.segments += 1;
        }
        let ranked = sink.finish();
        let beyond = ranked.len() as u64;
        Found { ranked, matched: self.snapshot.len() as u64, beyond }
    }

    fn note(&mut self, trace: Trace<'_>) {
        self.explain.nodes += trace.nodes;
        self.explain.boxes += trace.boxes;
        self.explain.runs += trace.runs;
    }
}

/// The slots round the place where the centre would stand in the order, as many as are wanted if there are.
fn neighbours(segment: &Segment, area: &Area, want: usize) -> Range<u32> {
    area.lens.as_ref().map_or(0..0, |lens| segment.points().neighbourhood(lens.centre(), want))
}

fn tighten(area: &mut Area, bound_chord2: f64) {
    if let Some(lens) = &mut area.lens {
        lens.tighten(bound_chord2);
    }
}

/// The same runs, none longer than a piece.
fn in_pieces(runs: &[Run]) -> Vec<Run> {
    runs.iter().flat_map(|run| pieces(run.slots.clone()).map(|slots| Run { slots, ..run.clone() })).collect()
}

fn everything(segment: &Segment) -> Run {
    Run { slots: segment.points().slots(), inside: false, least_chord2: 0.0 }
}

/// Hands on the runs that cover the area in a segment, every slot at most once, in order.
fn for_each_run<'a, W: Watcher>(
    search: &mut Search<'a, W>,
    number: u32,
    segment: &Segment,
    area: &Area,
    mut each: impl FnMut(&mut Search<'a, W>, Run),
) {
    search.explain.segments += 1;
    search.watcher.begins(number);
    if !search.budget.spend(BEGINNING) {
        return;
    }
    let Some(directory) = segment.directory(search.kind) else {
        search.watcher.reads_all(segment);
        let run = everything(segment);
        return pieces(run.slots.clone()).for_each(|slots| each(search, Run { slots, ..run.clone() }));
    };
    let (mut runs, mut trace) = (Vec::new(), Trace::within(search.budget));
    search.watcher.cover(directory, segment.points(), area, &mut runs, &mut trace);
    search.note(trace);
    if runs.iter().any(|run| run.slots.len() > PIECE) {
        runs = in_pieces(&runs);
    }
    // A budget that is over has named no more runs than it could pay for: passing over them is nothing.
    in_order(&mut runs, |run| each(search, run));
}
