//! Which index kind suits some points? Every kind is built over the same points and answers the same questions, in turns.
//!
//! What surprises: a comparison measures the directory of a kind and nothing else. Points, exact test, order and page are the
//! same for all, so what two kinds differ by is how many candidates they name and how quickly.
//!
//! ```
//! use nigh::generate::{Random, generator_named};
//! use nigh::index::KINDS;
//! use nigh::measure::{Course, measure};
//!
//! let points = (generator_named("clustered").unwrap().make)(&mut Random::seeded(1), 300);
//! let course = Course { kinds: KINDS.iter().collect(), seconds: 0.1, seed: 1 };
//! let findings = measure(&points, &course, &mut |_| {});
//! assert!(findings.agreed());
//! println!("{}", findings.verdict.headline);
//! ```
//!
//! # How
//!
//! - In each round every kind answers the same questions, one kind after the other, beginning with another one each time. What
//!   else the machine does falls on all of them.
//! - Before a turn the caches are swept ([`Broom`]) and the kind warms up on other questions, as in service.
//! - The time of a question is the median over the rounds, on the clock; p50 and p99 are over questions.
//! - Two kinds differ only where every round says so, and by more than 5 %.
//!
//! Absent here: files, formats, what a machine is called, how findings are shown.

mod broom;
mod building;
mod changing;
mod figure;
mod findings;
mod map;
mod questions;
mod turns;
mod verdict;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use broom::Broom;
pub use figure::figure;
pub use findings::{Findings, KindFindings, SharedFindings, Spread, Standing, TestFindings, median};
pub use map::{CellsOfKind, Map};
pub use verdict::{Leaders, Verdict};

use crate::collection::{Change, Collection, Id, Item, Snapshot};
use crate::geometry::Point;
use crate::index::{Kind, Role};

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Course {
    /// The kinds that take part. The reference is needed to say whether answers are right.
    pub kinds: Vec<&'static Kind>,
    /// About how long to measure, beside building everything once. More time makes for more rounds and more questions.
    pub seconds: f64,
    /// Where questions come from.
    pub seed: u64,
}

/// How far the measuring is.
#[derive(Debug, Clone)]
pub struct Stage {
    /// What is measured now.
    pub what: String,
    /// The share of all that is done, 0 to 1.
    pub share: f64,
}

/// Measures kinds over points, and tells how far it is.
pub fn measure(points: &[Point], course: &Course, tell: &mut dyn FnMut(Stage)) -> Findings {
    if points.is_empty() {
        return Findings::of_nothing(course);
    }
    let mut at = |what: &str, share: f64| tell(Stage { what: what.to_owned(), share });
    at("building", 0.0);
    let (shared, builds) = building::measure(points, &course.kinds, course.seconds * 0.15);
    at("changes", 0.15);
    let changes = changing::measure(points, course);
    at("collection", 0.3);
    let snapshot = collected(points, &course.kinds);
    let mut broom = Broom::new((course.seconds / 10.0).clamp(0.0, 1.0));
    let tasks = questions::tasks(points.len());
    let end = Instant::now() + Duration::from_secs_f64(course.seconds * 0.65);
    let mut tests = Vec::new();
    for (done, task) in tasks.iter().enumerate() {
        at(&task.name(), 0.35 + 0.65 * done as f64 / tasks.len() as f64);
        // What quick tests leave over is for those that come after; slow ones take nothing from them.
        let left_s = end.saturating_duration_since(Instant::now()).as_secs_f64();
        let seconds = (left_s / (tasks.len() - done) as f64).max(course.seconds * 0.6 / tasks.len() as f64);
        tests.extend(turns::run(task, &snapshot, points, course, seconds, &mut broom));
    }
    let kinds = course.kinds.iter().zip(builds).zip(changes).map(|((kind, build), rates)| KindFindings {
        name: kind.name,
        summary: kind.summary,
        role: role_name(kind.role),
        build_ms: build.build_ms,
        bytes_per_point: build.bytes_per_point,
        inserts_per_s: rates.inserts_per_s,
        moves_per_s: rates.moves_per_s,
        deletes_per_s: rates.deletes_per_s,
    });
    let mut findings = Findings {
        points: points.len(),
        shared,
        kinds: kinds.collect(),
        tests,
        changed_points: changing::point_count(points.len()),
        swept_bytes: broom.bytes(),
        keeps_directories: keeps_directories(&snapshot, &course.kinds),
        verdict: Verdict::default(),
        map: Map::of(points, &snapshot),
    };
    findings.verdict = Verdict::of(&findings);
    findings
}

/// The word for what a kind is there for.
fn role_name(role: Role) -> &'static str {
    match role {
        Role::Reference => "reference",
        Role::Offered => "offered",
        Role::Baseline => "baseline",
    }
}

/// The points as a collection at rest, with numbers as ids and no properties.
fn collected(points: &[Point], kinds: &[&'static Kind]) -> Arc<Snapshot> {
    let collection = Collection::with_kinds(kinds.iter().copied());
    collection.apply(1, (0..).zip(points).map(|(number, point)| put("p", number, *point)).collect());
    collection.settle();
    collection.snapshot()
}

fn put(prefix: &str, number: usize, point: Point) -> Change {
    Change::Put(Item::new(id(prefix, number), point))
}

fn id(prefix: &str, number: usize) -> Id {
    Id::new(format!("{prefix}{number}")).expect("a letter and a number")
}

/// Whether there are so many points that a collection keeps directories for them.
fn keeps_directories(snapshot: &Snapshot, kinds: &[&'static Kind]) -> bool {
    snapshot.segments().iter().any(|segment| kinds.iter().any(|kind| segment.directory(kind).is_some()))
}

#[cfg(test)]
#[path = "measure_tests.rs"]
mod tests;
