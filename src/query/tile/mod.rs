//! What is seen on a tile of the web map: items where there is room for them, clusters where there is not.
//!
//! A cluster is a cell of the Hilbert curve. The points of a cell stand side by side in every segment, so how many they are is
//! the difference of two places in the order, whether they are ten or ten million: **counts are exact** and cost nothing. What
//! surprises: whether a cell is shown as a cluster or point by point depends on the cell and the zoom alone, never on the tile.
//! So neighbouring tiles agree, and over all tiles of a zoom every item is counted exactly once.
//!
//! ```text
//! cell as wide as the tile     more than `crowd` points?         no ─▶ its points, each in its own tile
//!   └─ its quarters            more than a quarter of `crowd`?   no ─▶ their points
//!        └─ ... 1/32 as wide   more than one?                    no ─▶ the point     yes ─▶ one cluster
//! ```
//!
//! A cluster stands where its points are on average: of up to 64 points exactly, of more to an eighth of the cell. It belongs
//! to the tile that holds that place. All of it is reckoned in whole numbers, and what stands in one place is ordered by id:
//! one state of a collection gives the same tile to the bit, however its segments came about. So the sequence number of the
//! snapshot is all that a cache needs to know.
//!
//! Points beyond the map, over 85.0511° north or south, are shown on its edge.
//!
//! Absent here: bytes and properties; `format` writes a tile down.
//!
//! ```
//! use nigh::collection::{Change, Collection, Id, Item};
//! use nigh::geometry::{Point, Tile};
//! use nigh::query::tile::{Feature, TileQuery};
//!
//! let places = Collection::new();
//! let put = |id: &str, lat, lon| Change::Put(Item::new(Id::new(id).unwrap(), Point::new(lat, lon).unwrap()));
//! places.apply(1, vec![put("louvre", 48.861, 2.336), put("big ben", 51.501, -0.125)]);
//!
//! let western_europe = Tile::new(3, 4, 2).unwrap();
//! let answer = TileQuery::of(western_europe).run(&places.snapshot()).unwrap();
//! let ids: Vec<&str> = answer.features().filter_map(|seen| seen.what.item()).map(|item| item.id()).collect();
//! assert_eq!(ids, ["big ben", "louvre"]); // Greenwich is next door, and within the buffer
//! ```

mod shelf;
mod walk;

#[cfg(test)]
#[path = "../tile_tests.rs"]
mod tests;

use std::sync::Arc;

use super::{Budget, Filter, QueryError};
use crate::collection::{ItemRef, Snapshot};
use crate::geometry::{Point, Tile};
use walk::Walk;

/// So many points in a cell as wide as the tile are still shown one by one.
pub const CROWD: u32 = 2_000;

/// Points that a filter is asked about at most.
pub const FILTERED_MAX: u64 = 1_000_000;

/// A question for a tile.
#[derive(Debug, Clone)]
pub struct TileQuery {
    /// The tile.
    pub tile: Tile,
    /// Only items with certain properties. The filter is asked about every point of the cells that the tile touches, once.
    pub filter: Option<Filter>,
    /// So many points in a cell as wide as the tile are shown one by one. A tile touches up to three such cells above each
    /// other, and with its buffer the edges of their neighbours.
    pub crowd: u32,
    /// About more points than these the filter is not asked: the question is refused.
    pub filtered_max: u64,
}

impl TileQuery {
    /// All items of a tile.
    pub fn of(tile: Tile) -> TileQuery {
        TileQuery { tile, filter: None, crowd: CROWD, filtered_max: FILTERED_MAX }
    }

    /// Only items with certain properties.
    #[must_use]
    pub fn matching(self, filter: Filter) -> TileQuery {
        TileQuery { filter: Some(filter), ..self }
    }

    /// Points one by one up to so many in a cell as wide as the tile.
    #[must_use]
    pub fn crowded_over(self, crowd: u32) -> TileQuery {
        TileQuery { crowd, ..self }
    }

    /// What is seen on the tile at one moment of a collection.
    pub fn run(&self, snapshot: &Arc<Snapshot>) -> Result<TileAnswer, QueryError> {
        self.run_within(snapshot, &Budget::unlimited())
    }

    /// [`TileQuery::run`] within a budget, of which only a filter costs anything: the same answer, or
    /// [`QueryError::OverBudget`].
    pub fn run_within(&self, snapshot: &Arc<Snapshot>, budget: &Budget<'_>) -> Result<TileAnswer, QueryError> {
        let mut walk = Walk::over(snapshot, self, budget)?;
        walk.go();
        Ok(TileAnswer { snapshot: snapshot.clone(), tile: self.tile, seen: walk.into_seen() })
    }
}

/// What is seen on a tile.
#[derive(Debug, Clone)]
pub struct TileAnswer {
    snapshot: Arc<Snapshot>,
    tile: Tile,
    seen: Vec<Seen>,
}

/// Something at a place of the tile, in its units: 0 to 4095, or up to 64 beyond an edge.
#[derive(Debug, Clone, Copy)]
struct Seen {
    x: i32,
    y: i32,
    what: Kept,
}

#[derive(Debug, Clone, Copy)]
enum Kept {
    Item { segment: u32, slot: u32 },
    Cluster { count: u64, centre: Point },
}

/// Something on a tile, and where: 0 to 4095 to the east and to the south, or up to 64 beyond an edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TileFeature<'a> {
    /// Units to the east of the western edge.
    pub x: i32,
    /// Units to the south of the northern edge.
    pub y: i32,
    /// What is there.
    pub what: Feature<'a>,
}

/// An item, or more of them than there is room for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Feature<'a> {
    /// An item.
    Item(ItemRef<'a>),
    /// Several items.
    Cluster {
        /// How many, exactly.
        count: u64,
        /// Where they are on average, about.
        centre: Point,
    },
}

impl<'a> Feature<'a> {
    /// The item, if it is one.
    pub fn item(self) -> Option<ItemRef<'a>> {
        match self {
            Feature::Item(item) => Some(item),
            Feature::Cluster { .. } => None,
        }
    }

    /// How many items it stands for.
    pub fn count(self) -> u64 {
        match self {
            Feature::Item(_) => 1,
            Feature::Cluster { count, .. } => count,
        }
    }
}

impl TileAnswer {
    /// What is seen, along the Hilbert curve.
    pub fn features(&self) -> impl ExactSizeIterator<Item = TileFeature<'_>> {
        self.seen.iter().map(|&Seen { x, y, what }| {
            let what = match what {
                Kept::Item { segment, slot } => Feature::Item(self.snapshot.segments()[segment as usize].item(slot)),
                Kept::Cluster { count, centre } => Feature::Cluster { count, centre },
            };
            TileFeature { x, y, what }
        })
    }

    /// The tile.
    pub fn tile(&self) -> Tile {
        self.tile
    }

    /// The snapshot that was asked. The same question of another one with the same [`Snapshot::seq`] has the same answer.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }
}
