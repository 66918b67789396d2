//! Exact, ranked answers.
//!
//! A [`Query`] says where and what; [`Query::run`] answers it from one [`Snapshot`], with any index kind, and the
//! answer does not depend on which. What surprises: `numberMatched`-style totals are always exact, although whole
//! blocks of points that surely lie inside are counted without being looked at.
//!
//! ```
//! use nigh::collection::{Change, Collection, Id, Item};
//! use nigh::geometry::Point;
//! use nigh::query::{K, Query};
//!
//! let places = Collection::new();
//! let put = |id: &str, lat, lon| Change::Put(Item::new(Id::new(id).unwrap(), Point::new(lat, lon).unwrap()));
//! places.apply(1, vec![put("louvre", 48.861, 2.336), put("orsay", 48.860, 2.327), put("big ben", 51.501, -0.125)]);
//!
//! let here = Point::new(48.8606, 2.3376).unwrap();
//! let answer = Query::near(here).nearest(K::new(2).unwrap()).run(&places.snapshot()).unwrap();
//! let ids: Vec<&str> = answer.hits().map(|hit| hit.item.id()).collect();
//! assert_eq!(ids, ["louvre", "orsay"]);
//! ```
//!
//! Absent here: HTTP, files, clocks other than the stopwatch of [`Explain`].

use std::sync::Arc;

use thiserror::Error;

mod budget;
mod compare;
mod explain;
mod fence;
pub mod filter;
mod holds;
mod identity;
mod page;
mod plan;
mod rank;
mod search;
pub mod tile;
mod walk;
mod watcher;

pub use budget::{Budget, Overrun};
pub use compare::Comparison;
pub use explain::Explain;
pub use fence::{Crossing, Fence, FenceError};
pub use filter::{Filter, FilterError};
pub use page::{Cursor, K, Limit, PageError};
pub use rank::Ranked;
pub use walk::{Fate, Walk, WalkCounts, WalkedCell};

use crate::collection::{AHEAD, ItemRef, Snapshot, fetch};
use crate::geometry::polygon::PreparedPolygon;
use crate::geometry::{GeohashCell, METRICS, Metric, Point, Radius, Rect};
use crate::index::Kind;

/// Why a query cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// An index kind that the collection does not keep.
    #[error("index {kind} is not kept by this collection; it keeps {kept}")]
    KindNotKept {
        /// The kind as given.
        kind: &'static str,
        /// The kinds that would be right.
        kept: String,
    },
    /// The query costs more than it may. Nothing is known of its answer.
    #[error(
        "the query was stopped after {spent} units of work: {because}; ask for a smaller area, fewer answers or a simpler filter"
    )]
    OverBudget {
        /// The units of work it had cost by then.
        spent: u64,
        /// What ended it.
        because: Overrun,
    },
    /// A filter on a tile that holds more than it can be asked about.
    #[error(
        "the filter would be asked about {points} points for this tile, and may be about {most}; zoom in, or leave it out"
    )]
    TooManyToFilter {
        /// The points in the cells that the tile touches.
        points: u64,
        /// How many may be.
        most: u64,
    },
    /// A page that cannot be given.
    #[error(transparent)]
    Page(#[from] PageError),
}

/// A place to look from: it makes distances part of the answer and its order.
#[derive(Debug, Clone)]
pub struct Near {
    /// The place.
    pub centre: Point,
    /// What metres mean.
    pub metric: &'static dyn Metric,
    /// How far, inclusive; `None` for as far as there is anything.
    pub radius: Option<Radius>,
    /// How many of the nearest; `None` for all.
    pub k: Option<K>,
}

/// A question: any combination of conditions, all of which hold for every answer.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Round a place; orders the answer by (distance, id). Without it the order is by id.
    pub near: Option<Near>,
    /// In a box.
    pub rect: Option<Rect>,
    /// In a geohash cell.
    pub cell: Option<GeohashCell>,
    /// In a polygon.
    pub polygon: Option<Arc<PreparedPolygon>>,
    /// With certain properties.
    pub filter: Option<Filter>,
    /// On this index kind; `None` takes the first offered kind that is kept.
    pub kind: Option<&'static Kind>,
    /// The size of the page.
    pub limit: Limit,
    /// Where the page before ended.
    pub cursor: Option<Cursor>,
}

impl Query {
    /// Everything, nearest first, by the default metric.
    pub fn near(centre: Point) -> Query {
        Query { near: Some(Near { centre, metric: METRICS[0], radius: None, k: None }), ..Query::default() }
    }

    /// Everything in a box, by id.
    pub fn in_rect(rect: Rect) -> Query {
        Query { rect: Some(rect), ..Query::default() }
    }

    /// Everything in a polygon, by id.
    pub fn in_polygon(polygon: PreparedPolygon) -> Query {
        Query { polygon: Some(Arc::new(polygon)), ..Query::default() }
    }

    /// Only within a radius of the centre. Nothing changes for a query without a centre.
    #[must_use]
    pub fn within(self, radius: Radius) -> Query {
        Query { near: self.near.map(|near| Near { radius: Some(radius), ..near }), ..self }
    }

    /// Only so many of the nearest. Nothing changes for a query without a centre.
    #[must_use]
    pub fn nearest(self, k: K) -> Query {
        Query { near: self.near.map(|near| Near { k: Some(k), ..near }), ..self }
    }

    /// Measured by another metric. Nothing changes for a query without a centre.
    #[must_use]
    pub fn measured_by(self, metric: &'static dyn Metric) -> Query {
        Query { near: self.near.map(|near| Near { metric, ..near }), ..self }
    }

    /// On a certain index kind.
    #[must_use]
    pub fn on(self, kind: &'static Kind) -> Query {
        Query { kind: Some(kind), ..self }
    }

    /// In pages of a certain size.
    #[must_use]
    pub fn in_pages_of(self, limit: Limit) -> Query {
        Query { limit, ..self }
    }

    /// From where the page before ended.
    #[must_use]
    pub fn after(self, cursor: Cursor) -> Query {
        Query { cursor: Some(cursor), ..self }
    }
}

/// One answer of a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnswerHit<'a> {
    /// Metres from the centre, when the query has one.
    pub distance_m: Option<f64>,
    /// The item.
    pub item: ItemRef<'a>,
}

/// A page of answers, and the truth about the whole.
#[derive(Debug, Clone)]
pub struct Answer {
    snapshot: Arc<Snapshot>,
    ranked: Vec<Ranked>,
    measured: bool,
    /// How many items match, on all pages together.
    pub matched: u64,
    /// Where the next page goes on, if there is one.
    pub next: Option<Cursor>,
    /// What it took.
    pub explain: Explain,
}

impl Answer {
    /// The answers of the page, in order.
    pub fn hits(&self) -> impl ExactSizeIterator<Item = AnswerHit<'_>> {
        let segment = |ranked: &Ranked| &self.snapshot.segments()[ranked.segment as usize];
        self.ranked.iter().enumerate().map(move |(at, ranked)| {
            if at % AHEAD == 0 {
                let soon = &self.ranked[at..self.ranked.len().min(at + AHEAD)];
                fetch(soon.iter().map(|ranked| (&**segment(ranked), ranked.slot)));
            }
            AnswerHit {
                distance_m: self.measured.then_some(ranked.distance_m),
                item: segment(ranked).item(ranked.slot),
            }
        })
    }

    /// How many answers the page holds.
    pub fn len(&self) -> usize {
        self.ranked.len()
    }

    /// Whether the page is empty.
    pub fn is_empty(&self) -> bool {
        self.ranked.is_empty()
    }

    /// Whether the answers have distances, also where there are none of them.
    pub fn is_measured(&self) -> bool {
        self.measured
    }

    /// The snapshot that was asked.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Whether two pages hold the same items at the same distances, with the same total and continuation.
    pub fn is_identical_to(&self, other: &Answer) -> bool {
        let same = |(a, b): (AnswerHit<'_>, AnswerHit<'_>)| {
            a.item.id() == b.item.id() && a.distance_m.map(f64::to_bits) == b.distance_m.map(f64::to_bits)
        };
        self.matched == other.matched
            && self.next == other.next
            && self.len() == other.len()
            && self.hits().zip(other.hits()).all(same)
    }
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
