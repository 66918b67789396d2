//! Four ways to name candidates; never the final word.
//!
//! A [`Directory`] names ranges of slots that may lie in an [`Area`]; the area's own exact test decides. So the kinds
//! cannot disagree, and a comparison between them compares the index and nothing else. What surprises: they all stand
//! over one array of points in Hilbert order ([`Points`]) and together add about one byte a point.
//!
//! Absent here: ids, properties, sequence numbers, deletions, pages. This floor has never heard of a user.
//!
//! # Adding an index kind
//!
//! One new file that implements [`Directory`] (or the easier [`tree::Tree`]) and ends in a constant of type [`Kind`];
//! then two neighbouring lines below, its `mod` and its place in [`KINDS`]. Request parameters, benches, parity tests
//! and comparisons loop over the list.

use std::ops::Range;

pub mod area;
mod array;
mod budget;
pub mod curve;
pub mod lens;
mod line;
mod look;
mod map;
pub mod points;
pub mod tree;
pub mod window;

mod geohash;
mod hilbert;
mod quadtree;
mod rstar;
mod rtree;
mod scan;

pub use area::{Area, Hit};
pub use array::Array;
pub(crate) use array::fetch;
pub use budget::{Budget, Overrun, PIECE, pieces};
pub use lens::Lens;
pub use line::{CurveLine, DEEPEST, Stretch, curve_through};
pub use look::{Look, Onlooker, Verdict};
pub use map::{Damaged, Layout, Map, Memory, SUM_BYTES, Section, Stored};
pub use points::{BLOCK, PARALLEL_FROM, Points, Sorted};

use crate::geometry::Rect;

/// Every index kind, the reference first, then as users should read them, then the library everyone knows.
pub static KINDS: &[Kind] =
    &[scan::SCAN, rtree::RTREE, quadtree::QUADTREE, geohash::GEOHASH, hilbert::HILBERT, rstar::RSTAR];

/// An index kind: its name, and how to build its directory over points, or find it in a file.
#[derive(Debug)]
pub struct Kind {
    /// The name users write, lower case.
    pub name: &'static str,
    /// One sentence on how it finds candidates.
    pub summary: &'static str,
    /// What it is there for.
    pub role: Role,
    /// Builds the directory over points that are already in order.
    pub build: fn(&Sorted) -> Box<dyn Directory>,
    /// Opens the directory that [`Directory::sections`] wrote of the same points. `None` when there is nothing in the file
    /// that fits them: then it is built.
    pub open: fn(&Points, &Stored<'_>) -> Option<Box<dyn Directory>>,
}

/// What an index kind is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Looks at every point: what the others are measured against, in time and in truth.
    Reference,
    /// Kept by collections and offered to users.
    Offered,
    /// Kept only by collections that name it, to compare with.
    Baseline,
}

impl Kind {
    /// The kind of that name.
    pub fn named(name: &str) -> Option<&'static Kind> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// The kinds that collections keep unless told otherwise.
    pub fn offered() -> impl Iterator<Item = &'static Kind> + Clone {
        KINDS.iter().filter(|kind| kind.role == Role::Offered)
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Kind) -> bool {
        self.name == other.name
    }
}

/// A stretch of slots that a directory names.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The slots.
    pub slots: Range<u32>,
    /// Whether all of them surely lie in the area, so that nobody needs to look.
    pub inside: bool,
    /// No point of the run is nearer to the lens than this squared chord.
    pub least_chord2: f64,
}

/// What a directory looked at, counted on the way, and whose budget it spends.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trace<'a> {
    /// Nodes opened: tree nodes, cells.
    pub nodes: u64,
    /// Boxes compared with the area.
    pub boxes: u64,
    /// Runs of slots named.
    pub runs: u64,
    budget: Option<&'a Budget<'a>>,
}

impl<'a> Trace<'a> {
    /// A trace of a walk that spends a budget; by default nobody counts.
    pub fn within(budget: &'a Budget<'a>) -> Trace<'a> {
        Trace { budget: Some(budget), ..Trace::default() }
    }

    /// Whose budget it spends.
    #[inline]
    pub(in crate::index) fn budget(&self) -> Option<&'a Budget<'a>> {
        self.budget
    }

    /// Takes units from the budget; whether the walk goes on.
    #[inline]
    #[must_use]
    pub fn spend(&self, units: u64) -> bool {
        self.budget.is_none_or(|budget| budget.spend(units))
    }

    /// Whether the walk is to be given up.
    #[inline]
    pub fn is_over(&self) -> bool {
        self.budget.is_some_and(Budget::is_over)
    }
}

/// A piece of a directory, for drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectoryCell {
    /// Its box.
    pub rect: Rect,
    /// How many levels under the root.
    pub level: u32,
    /// Slots that may lie in it.
    pub slots: Range<u32>,
    /// What people call it, when it has a name: the string of a geohash cell.
    pub label: Option<String>,
}

/// Names candidates in a set of points. The contract, for every area and every set of points:
///
/// - every point in the area lies in a run that is handed out;
/// - a run marked `inside` holds only points in the area;
/// - nothing else: runs may overlap, come in any order, and hold points outside the area.
///
/// A walk asks its [`Trace`] on the way, and stops anywhere when that is over: then what it handed out is good for nothing.
pub trait Directory: Send + Sync + std::fmt::Debug {
    /// Hands out runs that together hold every point of the area.
    fn cover(&self, points: &Points, area: &Area, runs: &mut Vec<Run>, trace: &mut Trace<'_>);

    /// Hands out runs nearest first, while the visitor draws the lens of the area nearer.
    ///
    /// The visitor is handed every slot at most once. Whatever lies within the lens as it stands at the end has been
    /// handed out. The default looks through the cover for the lens as it is at the start.
    fn nearest(&self, points: &Points, area: &mut Area, visit: &mut dyn FnMut(Run, &mut Area), trace: &mut Trace<'_>) {
        let mut runs = Vec::new();
        self.cover(points, area, &mut runs, trace);
        in_order(&mut runs, |run| visit(run, area));
    }

    /// [`Directory::cover`] before somebody's eyes. The default shows what is handed out.
    fn cover_watched(
        &self,
        points: &Points,
        area: &Area,
        runs: &mut Vec<Run>,
        trace: &mut Trace<'_>,
        onlooker: &dyn Onlooker,
    ) {
        let before = runs.len();
        self.cover(points, area, runs, trace);
        for (at, run) in runs.iter().enumerate().skip(before) {
            onlooker.looks(Look::at_slots(points, run.slots.clone()), at);
        }
    }

    /// [`Directory::nearest`] before somebody's eyes. The default shows what is handed out.
    fn nearest_watched(
        &self,
        points: &Points,
        area: &mut Area,
        visit: &mut dyn FnMut(Run, &mut Area),
        trace: &mut Trace<'_>,
        onlooker: &dyn Onlooker,
    ) {
        let shown = &mut |run: Run, area: &mut Area| {
            onlooker.looks(Look::at_slots(points, run.slots.clone()), 0);
            visit(run, area);
        };
        self.nearest(points, area, shown, trace);
    }

    /// The pieces of the directory at a level, or its leaves above it, that overlap `frame`; at most `most`.
    fn cells(&self, points: &Points, frame: Rect, level: u32, most: usize) -> Vec<DirectoryCell>;

    /// Bytes held beyond the points.
    fn bytes(&self) -> usize;

    /// What a file has to hold for [`Kind::open`]. A directory that is quickly built has nothing written.
    fn sections(&self) -> Vec<Section<'_>> {
        Vec::new()
    }
}

/// Hands on runs by slot, every slot once, however they overlap.
pub fn in_order(runs: &mut [Run], mut each: impl FnMut(Run)) {
    if !runs.is_sorted_by_key(|run| run.slots.start) {
        runs.sort_unstable_by_key(|run| run.slots.start);
    }
    let mut done = 0;
    for run in runs {
        let start = run.slots.start.max(done);
        if start < run.slots.end {
            done = run.slots.end;
            each(Run { slots: start..run.slots.end, ..run.clone() });
        }
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
