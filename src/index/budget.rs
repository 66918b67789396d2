//! How much work a question may cost, and who may call it off.
//!
//! A [`Budget`] counts **units**: points tested, boxes compared, runs named, bytes that a filter reads. The same question on
//! the same data costs the same units on every machine, so tests can tell linear from quadratic without a clock. What
//! surprises: the clock and the flag of a budget are looked at only every few thousand units. Between two looks a budget
//! is one addition and one comparison, and nobody pays for it who does not come near its end.
//!
//! A unit is roughly a point tested: 5 nanoseconds; 16 in filters, 40 where hundreds of thousands are ranked, 200 where a polygon
//! asks edges across the 180th meridian, which are reckoned exactly (measured on one machine). Whoever spends says beforehand what comes; work that is out of
//! budget is given up at the next place where that is simple, and what it found is good for nothing.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Units between two looks at the clock and the flag: 40 microseconds as a rule, up to 2 milliseconds.
const LOOK_EVERY: u64 = 1 << 13;

/// So many points are tested between two looks into the budget, at the most: whole blocks of them.
pub const PIECE: usize = 1 << 12;

/// A stretch of slots in pieces small enough to be paid for one by one; most stretches are one piece.
#[inline]
pub fn pieces(slots: Range<u32>) -> impl Iterator<Item = Range<u32>> {
    let mut rest = slots;
    std::iter::from_fn(move || {
        let end = rest.end.min((rest.start & !(PIECE as u32 - 1)).saturating_add(PIECE as u32));
        let piece = rest.start..end;
        rest.start = end;
        (!piece.is_empty()).then_some(piece)
    })
}

/// An allowance of work, spent by one thread.
///
/// ```
/// use nigh::index::Budget;
/// let budget = Budget::work(100);
/// assert!(budget.spend(60) && budget.spend(40));
/// assert!(!budget.spend(1) && budget.is_over());
/// assert_eq!(budget.spent(), 101);
/// ```
#[derive(Debug)]
pub struct Budget<'a> {
    most: u64,
    until: Option<Instant>,
    unless: Option<&'a AtomicBool>,
    /// Units that may be taken before somebody looks closer, and how many were given out for that, in all.
    left: Cell<u64>,
    given: Cell<u64>,
    over: Cell<Option<Overrun>>,
}

/// What ended a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overrun {
    /// All units were spent.
    Work,
    /// The time was up.
    Time,
    /// Nobody wants the answer any more.
    CalledOff,
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Overrun::Work => "it takes more work than it may",
            Overrun::Time => "its time was up",
            Overrun::CalledOff => "it was called off",
        })
    }
}

impl Budget<'static> {
    /// So many units.
    pub fn work(units: u64) -> Budget<'static> {
        Budget {
            most: units,
            until: None,
            unless: None,
            left: Cell::new(units),
            given: Cell::new(units),
            over: Cell::new(None),
        }
    }

    /// As many units as anybody can spend.
    pub fn unlimited() -> Budget<'static> {
        Budget::work(u64::MAX)
    }
}

impl Budget<'_> {
    /// Ends at a moment, too.
    #[must_use]
    pub fn until(self, moment: Instant) -> Self {
        self.look_at_once();
        Budget { until: Some(moment), ..self }
    }

    /// Ends, too, when somebody sets the flag.
    #[must_use]
    pub fn unless(self, called_off: &AtomicBool) -> Budget<'_> {
        self.look_at_once();
        let Budget { most, until, unless: _, left, given, over } = self;
        Budget { most, until, unless: Some(called_off), left, given, over }
    }

    fn look_at_once(&self) {
        self.given.set(self.spent());
        self.left.set(0);
    }

    /// Takes units, at least one; whether the work they stand for may be done.
    #[inline]
    #[must_use]
    pub fn spend(&self, units: u64) -> bool {
        match self.left.get().checked_sub(units) {
            Some(left) => {
                self.left.set(left);
                true
            }
            None => self.look_closer(units),
        }
    }

    /// Whether it has ended.
    #[inline]
    pub fn is_over(&self) -> bool {
        self.over.get().is_some()
    }

    /// Why it has ended, once it has.
    pub fn overrun(&self) -> Option<Overrun> {
        self.over.get()
    }

    /// The units taken so far, with those that were one too many.
    pub fn spent(&self) -> u64 {
        self.given.get() - self.left.get()
    }

    #[cold]
    #[inline(never)]
    fn look_closer(&self, units: u64) -> bool {
        if self.is_over() {
            return false;
        }
        let spent = self.spent().saturating_add(units);
        self.over.set(self.reason_to_end(spent));
        // Nothing is given out any more when it is over: everybody comes by here from then on.
        let more = if self.is_over() { 0 } else { LOOK_EVERY.min(self.most - spent) };
        self.given.set(spent.saturating_add(more));
        self.left.set(more);
        !self.is_over()
    }

    fn reason_to_end(&self, spent: u64) -> Option<Overrun> {
        if spent > self.most {
            Some(Overrun::Work)
        } else if self.unless.is_some_and(|called_off| called_off.load(Ordering::Relaxed)) {
            Some(Overrun::CalledOff)
        } else {
            self.until.is_some_and(|until| Instant::now() >= until).then_some(Overrun::Time)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_unlimited_budget_is_never_over() {
        let budget = Budget::unlimited();
        assert!(budget.spend(u64::MAX - 1) && budget.spend(1) && budget.spend(1) && budget.spend(7));
        assert_eq!((budget.overrun(), budget.spent()), (None, u64::MAX));
    }

    #[test]
    fn pieces_are_whole_blocks_and_lose_nothing() {
        for slots in [0..0, 5..5, 0..1, 31..4096, 4095..4097, 100..20_000, u32::MAX - 5000..u32::MAX] {
            let cut: Vec<Range<u32>> = pieces(slots.clone()).collect();
            let joined: Vec<u32> = cut.iter().cloned().flatten().collect();
            assert_eq!(joined, slots.clone().collect::<Vec<u32>>());
            assert!(cut.iter().all(|piece| piece.len() <= PIECE));
            assert!(cut.iter().skip(1).all(|piece| (piece.start as usize).is_multiple_of(crate::index::BLOCK)));
        }
    }

    #[test]
    fn what_is_over_stays_over() {
        let budget = Budget::work(10);
        assert!(budget.spend(10));
        assert!(!budget.spend(1) && !budget.spend(1));
        assert_eq!(budget.overrun(), Some(Overrun::Work));
    }

    #[test]
    fn a_moment_that_has_passed_ends_it_before_the_first_unit() {
        let budget = Budget::unlimited().until(Instant::now());
        assert!(!budget.spend(1));
        assert_eq!(budget.overrun(), Some(Overrun::Time));
        assert!(Budget::unlimited().until(Instant::now() + Duration::from_secs(3600)).spend(1));
    }

    #[test]
    fn a_flag_is_noticed_after_a_few_thousand_units_and_work_has_an_end_beside_it() {
        let flag = AtomicBool::new(false);
        let budget = Budget::work(1_000_000).unless(&flag);
        assert!(budget.spend(1));
        flag.store(true, Ordering::Relaxed);
        let noticed = (0..LOOK_EVERY).find(|_| !budget.spend(2));
        assert!(noticed.is_some());
        assert_eq!(budget.overrun(), Some(Overrun::CalledOff));

        let unset = AtomicBool::new(false);
        let budget = Budget::work(1_000_000).unless(&unset);
        assert!((0..100).all(|_| budget.spend(10_000)) && !budget.spend(1));
        assert_eq!(budget.overrun(), Some(Overrun::Work));
    }
}
