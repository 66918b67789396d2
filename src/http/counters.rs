//! What is counted of every request: how it ended and how long it took, by route.
//!
//! What surprises: each worker counts for itself. Numbers that many cores add to travel between them at every request; so whoever reads
//! them adds up.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::error::{Code, PROBLEMS};
use super::routes::ROUTES;

/// How a request can end: with a status of a class, or without an answer because the client went away.
pub(super) const ENDS: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "gone"];

/// The bounds between which durations are counted, in nanoseconds, with the text of each in seconds.
pub(super) const BOUNDS: [(u64, &str); 16] = [
    (25_000, "0.000025"),
    (50_000, "0.00005"),
    (100_000, "0.0001"),
    (250_000, "0.00025"),
    (500_000, "0.0005"),
    (1_000_000, "0.001"),
    (2_500_000, "0.0025"),
    (5_000_000, "0.005"),
    (10_000_000, "0.01"),
    (25_000_000, "0.025"),
    (50_000_000, "0.05"),
    (100_000_000, "0.1"),
    (250_000_000, "0.25"),
    (1_000_000_000, "1"),
    (2_500_000_000, "2.5"),
    (10_000_000_000, "10"),
];

/// The number under which requests are counted that no operation is for.
pub(super) const NO_ROUTE: usize = usize::MAX;

/// Counts of one route by one worker, or of one route by all.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Counts {
    begun: AtomicU64,
    ends: [AtomicU64; ENDS.len()],
    /// The last for what took longer than every bound.
    took: [AtomicU64; BOUNDS.len() + 1],
    ns: AtomicU64,
}

/// The same as plain numbers.
#[derive(Debug, Default, Clone)]
pub(super) struct Sum {
    pub(super) begun: u64,
    pub(super) ends: [u64; ENDS.len()],
    pub(super) took: [u64; BOUNDS.len() + 1],
    pub(super) ns: u64,
}

impl Counts {
    fn end(&self, end: usize, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bound = BOUNDS.iter().position(|(bound, _)| ns <= *bound).unwrap_or(BOUNDS.len());
        self.ends[end].fetch_add(1, Ordering::Relaxed);
        self.took[bound].fetch_add(1, Ordering::Relaxed);
        self.ns.fetch_add(ns, Ordering::Relaxed);
    }

    fn add_to(&self, sum: &mut Sum) {
        // Ends first: what ends meanwhile then only looks as if it were still under way.
        for (count, sum) in self.ends.iter().zip(&mut sum.ends).chain(self.took.iter().zip(&mut sum.took)) {
            *sum += count.load(Ordering::Relaxed);
        }
        sum.ns += self.ns.load(Ordering::Relaxed);
        sum.begun += self.begun.load(Ordering::Relaxed);
    }
}

/// All that is counted.
#[derive(Debug)]
pub(super) struct Counters {
    /// For each worker its counts of each route, and of none.
    workers: Vec<Vec<Counts>>,
    refusals: Vec<AtomicU64>,
}

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THREAD: usize = THREADS.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    pub(super) fn new(workers: usize) -> Counters {
        let of_one = || (0..=ROUTES.len()).map(|_| Counts::default()).collect();
        let refusals = PROBLEMS.iter().map(|_| AtomicU64::new(0)).collect();
        Counters { workers: (0..workers.max(1)).map(|_| of_one()).collect(), refusals }
    }

    fn counts(&self, route: usize) -> &Counts {
        &self.workers[THREAD.with(|number| *number) % self.workers.len()][route.min(ROUTES.len())]
    }

    pub(super) fn begin(&self, route: usize) {
        self.counts(route).begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an answer.
    pub(super) fn end(&self, route: usize, status: u16, took: Duration) {
        self.counts(route).end(usize::from(status / 100).clamp(1, 5) - 1, took);
    }

    /// Counts a request of which nobody waits for the answer any more.
    pub(super) fn gone(&self, route: usize, took: Duration) {
        self.counts(route).end(ENDS.len() - 1, took);
    }

    pub(super) fn refused(&self, code: Code) {
        self.refusals[code as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// What all workers counted of a route.
    pub(super) fn of(&self, route: usize) -> Sum {
        let mut sum = Sum::default();
        for worker in &self.workers {
            worker[route.min(ROUTES.len())].add_to(&mut sum);
        }
        sum
    }

    pub(super) fn refusals(&self, code: Code) -> u64 {
        self.refusals[code as usize].load(Ordering::Relaxed)
    }

    /// Requests that have begun and not ended.
    pub(super) fn in_flight(&self) -> u64 {
        let open = |sum: Sum| sum.begun.saturating_sub(sum.ends.iter().sum());
        (0..=ROUTES.len()).map(|route| open(self.of(route))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_count_for_themselves_and_are_added_up() {
        let counters = Counters::new(3);
        std::thread::scope(|scope| {
            for _ in 0..5 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        counters.begin(1);
                        counters.end(1, 200, Duration::from_micros(30));
                    }
                    counters.begin(1);
                });
            }
        });
        counters.end(1, 503, Duration::from_secs(11));
        counters.gone(1, Duration::ZERO);
        let sum = counters.of(1);
        assert_eq!((sum.begun, sum.ends), (5005, [0, 5000, 0, 0, 1, 1]));
        assert_eq!((sum.took[0], sum.took[1], sum.took[BOUNDS.len()]), (1, 5000, 1));
        assert_eq!(sum.ns, 5000 * 30_000 + 11_000_000_000);
        assert_eq!(counters.in_flight(), 3);
        counters.begin(NO_ROUTE);
        assert_eq!((counters.of(NO_ROUTE).begun, counters.of(0).begun), (1, 0));
    }

    #[test]
    fn bounds_grow_and_say_in_seconds_what_they_are() {
        assert!(BOUNDS.is_sorted());
        for (ns, text) in BOUNDS {
            assert_eq!(text.parse::<f64>().unwrap(), ns as f64 / 1e9);
        }
    }
}
