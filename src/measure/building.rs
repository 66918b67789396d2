//! What it takes to build each kind, and to hold it.

use std::time::Instant;

use super::{SharedFindings, Spread};
use crate::geometry::Point;
use crate::index::{Kind, Sorted};

/// Rounds in any case, if the first one took all the time; and the most.
const ROUNDS_MAX: usize = 9;

/// What building a kind takes.
pub(super) struct Build {
    pub(super) build_ms: Spread,
    pub(super) bytes_per_point: f64,
}

/// Builds everything in turns, at least once and for about so many seconds.
pub(super) fn measure(points: &[Point], kinds: &[&'static Kind], seconds: f64) -> (SharedFindings, Vec<Build>) {
    let started = Instant::now();
    let per_point = |bytes: usize| bytes as f64 / points.len() as f64;
    let mut order_ms = Vec::new();
    let mut builds_ms: Vec<Vec<f64>> = vec![Vec::new(); kinds.len()];
    let mut bytes = vec![0; kinds.len()];
    let mut shared_bytes = 0;
    for round in 0..ROUNDS_MAX {
        let (sorted, ms) = timed(|| Sorted::new(points));
        order_ms.push(ms);
        shared_bytes = sorted.points.bytes();
        for turn in 0..kinds.len() {
            let place = (round + turn) % kinds.len();
            let (directory, ms) = timed(|| (kinds[place].build)(&sorted));
            builds_ms[place].push(ms);
            bytes[place] = directory.bytes();
        }
        let elapsed = started.elapsed().as_secs_f64();
        if elapsed + elapsed / (round + 1) as f64 > seconds {
            break;
        }
    }
    let shared = SharedFindings { order_ms: Spread::of(&order_ms), bytes_per_point: per_point(shared_bytes) };
    let build = |(ms, bytes): (Vec<f64>, usize)| Build { build_ms: Spread::of(&ms), bytes_per_point: per_point(bytes) };
    (shared, builds_ms.into_iter().zip(bytes).map(build).collect())
}

/// What an expression makes, and the milliseconds it took.
fn timed<T>(make: impl FnOnce() -> T) -> (T, f64) {
    let started = Instant::now();
    let made = make();
    (made, started.elapsed().as_secs_f64() * 1e3)
}
