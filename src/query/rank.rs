//! The one place where answers are put in order: by (distance, id), or by id.
//!
//! Both orders are total, so a page can go on exactly where the last one ended. What surprises: most candidates never
//! get a distance in metres. They are told apart by squared chords, and [`ByDistance`] reckons metres only for those
//! that a squared chord cannot exclude.

use std::cmp::Ordering;
use std::sync::Arc;

use super::budget::{Budget, LONG_DISTANCE, SHORT_DISTANCE};
use crate::collection::{AHEAD, Segment, fetch};
use crate::geometry::{Metric, UnitVector};

/// A ranked point: which segment, which slot, how far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// The segment, by its place in the snapshot.
    pub segment: u32,
    /// The slot.
    pub slot: u32,
    /// Metres from the centre; 0 in answers that are not ordered by distance.
    pub distance_m: f64,
}

/// Keeps the `want` nearest, at least one, of the candidates beyond a cursor.
#[derive(Debug)]
pub(super) struct ByDistance<'a> {
    segments: &'a [Arc<Segment>],
    metric: &'static dyn Metric,
    centre: UnitVector,
    want: usize,
    after: Option<After<'a>>,
    /// Who pays for distances, and how much for each. When it is over, what is kept is good for nothing.
    budget: &'a Budget<'a>,
    distance_units: u64,
    candidates: Vec<Candidate>,
    /// Candidates over this squared chord cannot be among the wanted.
    bound_chord2: f64,
    beyond_cursor: u64,
}

/// Where the page before ended.
#[derive(Debug, Clone, Copy)]
struct After<'a> {
    distance_m: f64,
    id: &'a str,
    /// At or under this squared chord, surely before the cursor.
    before_chord2: f64,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    chord2: f64,
    distance_m: f64,
    segment: u32,
    slot: u32,
}

/// Candidates beyond the wanted that are gathered before the farthest are thrown out.
const SPARE: usize = 96;

/// Room for the candidates of a common question.
const USUAL: usize = 32;

/// Distances that are paid for at once.
const AT_ONCE: usize = 1 << 10;

impl<'a> ByDistance<'a> {
    pub(super) fn new(
        segments: &'a [Arc<Segment>],
        metric: &'static dyn Metric,
        centre: UnitVector,
        want: usize,
        after: Option<(f64, &'a str)>,
        budget: &'a Budget<'a>,
    ) -> ByDistance<'a> {
        let after = after.map(|(distance_m, id)| {
            let before = distance_m.next_down();
            let before_chord2 = if before > 0.0 { metric.reach(before).inside_chord2 } else { -1.0 };
            After { distance_m, id, before_chord2 }
        });
        debug_assert!(want > 0);
        let has_short_way = metric.distance_of_chord2_m(0.0).is_some();
        ByDistance {
            segments,
            metric,
            centre,
            want,
            after,
            budget,
            distance_units: if has_short_way { SHORT_DISTANCE } else { LONG_DISTANCE },
            candidates: Vec::with_capacity(USUAL.min(want)),
            bound_chord2: f64::INFINITY,
            beyond_cursor: 0,
        }
    }

    /// Takes the units of so many distances; whether they may be reckoned.
    fn pay_for(&self, distances: usize) -> bool {
        self.budget.spend(self.distance_units * distances as u64)
    }

    /// How many are wanted.
    pub(super) fn want(&self) -> usize {
        self.want
    }

    /// Over this squared chord nothing can be among the wanted any more.
    #[inline]
    pub(super) fn bound_chord2(&self) -> f64 {
        self.bound_chord2
    }

    /// How many candidates lay beyond the cursor, wanted or not.
    pub(super) fn beyond_cursor(&self) -> u64 {
        self.beyond_cursor
    }

    /// Counts candidates that lie beyond the bound, and so beyond the cursor, without looking at them.
    pub(super) fn count_beyond_bound(&mut self, count: u64) {
        self.beyond_cursor += count;
    }

    /// Takes a candidate. What is rare in it stands apart, so that the rest goes into the loop over points.
    #[inline(always)]
    pub(super) fn push(&mut self, segment: u32, slot: u32, chord2: f64) {
        let mut candidate = Candidate { chord2, distance_m: f64::NAN, segment, slot };
        if self.after.is_some() && !self.is_beyond_cursor(&mut candidate) {
            return;
        }
        self.beyond_cursor += 1;
        if chord2 <= self.bound_chord2 {
            self.candidates.push(candidate);
            if self.candidates.len() >= self.want.saturating_mul(2).saturating_add(SPARE) {
                self.shrink();
            }
        }
    }

    #[inline(never)]
    fn is_beyond_cursor(&self, candidate: &mut Candidate) -> bool {
        let Some(after) = self.after else { return true };
        if candidate.chord2 <= after.before_chord2 {
            return false;
        }
        if !self.pay_for(1) {
            return false;
        }
        candidate.distance_m = self.distance_m(candidate);
        match candidate.distance_m.total_cmp(&after.distance_m) {
            Ordering::Less => false,
            Ordering::Equal => self.id(candidate) > after.id.as_bytes(),
            Ordering::Greater => true,
        }
    }

    /// Draws the bound as near as the candidates so far allow, and returns it.
    pub(super) fn tighten(&mut self) -> f64 {
        if self.candidates.len() >= self.want {
            self.shrink();
        }
        self.bound_chord2
    }

    /// Throws out what cannot be among the wanted.
    #[inline(never)]
    fn shrink(&mut self) {
        if !self.pay_for(self.want) {
            self.candidates.clear();
            return;
        }
        if self.candidates.len() > self.want {
            // By chord first: the wanted number of nearest chords bounds the wanted distances from above.
            self.candidates.select_nth_unstable_by(self.want - 1, |a, b| a.chord2.total_cmp(&b.chord2));
        }
        let mut farthest_m = 0.0_f64;
        for place in 0..self.want {
            self.reckon(place);
            farthest_m = farthest_m.max(self.candidates[place].distance_m);
        }
        self.bound_chord2 = self.bound_chord2.min(self.metric.reach(farthest_m).outside_chord2);
        let bound = self.bound_chord2;
        self.candidates.retain(|candidate| candidate.chord2 <= bound);
        // Only ties of distance and what a chord cannot tell apart are left over; a crowd of them is settled exactly.
        if self.candidates.len() > self.want + SPARE / 2 {
            self.settle();
        }
    }

    fn settle(&mut self) {
        (0..self.candidates.len()).for_each(|place| self.reckon(place));
        if self.candidates.len() > self.want {
            let mut candidates = std::mem::take(&mut self.candidates);
            candidates.select_nth_unstable_by(self.want - 1, |a, b| self.order(a, b));
            candidates.truncate(self.want);
            self.candidates = candidates;
        }
    }

    /// The wanted, in order.
    pub(super) fn finish(mut self) -> Vec<Ranked> {
        // Throwing out costs about as much as a distance in metres: it pays when most are to go.
        if self.candidates.len() > 2 * self.want {
            self.shrink();
        }
        for start in (0..self.candidates.len()).step_by(AT_ONCE) {
            let end = self.candidates.len().min(start + AT_ONCE);
            if !self.pay_for(end - start) {
                return Vec::new();
            }
            (start..end).for_each(|place| self.reckon(place));
        }
        let words = first_words(in_words(&self.candidates), self.want);
        let places = words.into_iter().map(|word| (word & PLACE_BITS) as usize);
        let mut candidates: Vec<Candidate> = places.map(|place| self.candidates[place]).collect();
        let alike = candidates.chunk_by_mut(|a, b| leading(a.distance_m) == leading(b.distance_m));
        alike.filter(|group| group.len() > 1).for_each(|group| group.sort_unstable_by(|a, b| self.order(a, b)));
        candidates.truncate(self.want);
        let ranked = |c: Candidate| Ranked { segment: c.segment, slot: c.slot, distance_m: c.distance_m };
        candidates.into_iter().map(ranked).collect()
    }

    fn reckon(&mut self, place: usize) {
        if self.candidates[place].distance_m.is_nan() {
            self.candidates[place].distance_m = self.distance_m(&self.candidates[place]);
        }
    }

    fn distance_m(&self, candidate: &Candidate) -> f64 {
        self.metric.distance_of_chord2_m(candidate.chord2).unwrap_or_else(|| {
            let unit = self.segments[candidate.segment as usize].points().unit(candidate.slot);
            self.metric.distance_m(&self.centre, &unit)
        })
    }

    fn id(&self, candidate: &Candidate) -> &[u8] {
        self.segments[candidate.segment as usize].id_bytes(candidate.slot)
    }

    #[inline]
    fn order(&self, a: &Candidate, b: &Candidate) -> Ordering {
        // Distances are never negative, so their bits stand in their order.
        a.distance_m.to_bits().cmp(&b.distance_m.to_bits()).then_with(|| self.id(a).cmp(self.id(b)))
    }
}

/// The bits of a word that hold a place among the candidates: at most a million are wanted, with some to spare.
const PLACE_BITS: u64 = (1 << 22) - 1;

/// The bits of a distance that stand before the place: it is never negative, so they stand in its order, to 1 part in
/// 10⁹.
fn leading(distance_m: f64) -> u64 {
    distance_m.to_bits() & !PLACE_BITS
}

/// Candidates as one word each, distance before place: plain words sort three times as fast as what they stand for.
fn in_words(candidates: &[Candidate]) -> Vec<u64> {
    debug_assert!(candidates.len() as u64 <= PLACE_BITS);
    candidates.iter().zip(0..).map(|(candidate, place): (_, u64)| leading(candidate.distance_m) | place).collect()
}

/// The `want` first words in order, and those beyond that the leading bits of a distance do not tell from the last of them.
fn first_words(mut words: Vec<u64>, want: usize) -> Vec<u64> {
    if words.len() > want {
        let (_, &mut last, _) = words.select_nth_unstable(want - 1);
        words.retain(|word| word & !PLACE_BITS <= last & !PLACE_BITS);
    }
    words.sort_unstable();
    words
}

/// The first eight bytes of an id as a number that stands in the order of ids, as far as it goes.
fn beginning(id: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let len = id.len().min(8);
    bytes[..len].copy_from_slice(&id[..len]);
    u64::from_be_bytes(bytes)
}

/// Keeps the `want` first ids of the matches beyond a cursor.
#[derive(Debug)]
pub(super) struct ById<'a> {
    segments: &'a [Arc<Segment>],
    want: usize,
    after: Option<&'a str>,
    /// The segment being searched, and the first of its ranks beyond the cursor.
    segment: u32,
    first_rank: u32,
    /// Its matches beyond the cursor: (rank, slot).
    current: Vec<(u32, u32)>,
    /// Over this rank nothing of the segment is among the wanted.
    bound_rank: u32,
    kept: Vec<Ranked>,
    beyond_cursor: u64,
}

impl<'a> ById<'a> {
    pub(super) fn new(segments: &'a [Arc<Segment>], want: usize, after: Option<&'a str>) -> ById<'a> {
        let (current, kept) = (Vec::new(), Vec::new());
        ById { segments, want, after, segment: 0, first_rank: 0, current, bound_rank: u32::MAX, kept, beyond_cursor: 0 }
    }

    pub(super) fn enter(&mut self, segment: u32) {
        self.leave();
        self.segment = segment;
        self.first_rank = self.after.map_or(0, |id| self.segments[segment as usize].first_rank_after(id));
        self.bound_rank = u32::MAX;
    }

    #[inline]
    pub(super) fn push(&mut self, slot: u32) {
        let rank = self.segments[self.segment as usize].rank(slot);
        if rank < self.first_rank {
            return;
        }
        self.beyond_cursor += 1;
        if rank <= self.bound_rank {
            self.current.push((rank, slot));
            if self.current.len() >= self.want.saturating_mul(2).saturating_add(SPARE) {
                self.shrink();
            }
        }
    }

    fn shrink(&mut self) {
        if self.current.len() > self.want {
            let (_, &mut (last, _), _) = self.current.select_nth_unstable(self.want - 1);
            self.bound_rank = last;
            self.current.truncate(self.want);
        }
    }

    fn leave(&mut self) {
        self.shrink();
        self.current.sort_unstable();
        let segment = self.segment;
        let ranked = |(_, slot)| Ranked { segment, slot, distance_m: 0.0 };
        self.kept.extend(self.current.drain(..).map(ranked));
    }

    /// How many matches lay beyond the cursor, wanted or not.
    pub(super) fn beyond_cursor(&self) -> u64 {
        self.beyond_cursor
    }

    /// The wanted, in order.
    pub(super) fn finish(mut self) -> Vec<Ranked> {
        self.leave();
        // Each segment's share is in order: only between segments do ids decide.
        if self.kept.first().map(|first| first.segment) != self.kept.last().map(|last| last.segment) {
            self.merge();
        }
        self.kept.truncate(self.want);
        self.kept
    }

    /// Puts the shares of the segments into one order. The stable sort merges ready runs.
    ///
    /// *Why the beginnings of ids*: they lie far apart in memory, so each is read once, and comparing them needs no more of it.
    fn merge(&mut self) {
        let id = |ranked: &Ranked| self.segments[ranked.segment as usize].id_bytes(ranked.slot);
        let mut begun: Vec<(u64, Ranked)> = Vec::with_capacity(self.kept.len());
        for some in self.kept.chunks(AHEAD) {
            fetch(some.iter().map(|ranked| (&*self.segments[ranked.segment as usize], ranked.slot)));
            begun.extend(some.iter().map(|ranked| (beginning(id(ranked)), *ranked)));
        }
        begun.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| id(one).cmp(id(other))));
        self.kept = begun.into_iter().map(|(_, ranked)| ranked).collect();
    }
}
