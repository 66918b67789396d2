//! The walk over the cells that a tile touches: which are shown point by point, and which as one.
//!
//! What surprises: the columns of the curve and those of the map are the same, so there are cells exactly as wide as the tile. It
//! touches one to three of them above each other, and the edges of those beside. Only at the edge of the map are they many,
//! because what lies between there and the pole is drawn on the edge; but few of those hold anything.

use std::ops::Range;

use super::shelf::Shelf;
use super::{Kept, Seen, TileQuery};
use crate::collection::Snapshot;
use crate::geometry::tile::OnMap;
use crate::geometry::{Overlap, Point, Rect, Tile};
use crate::index::curve::{self, Cell};
use crate::query::{Budget, Filter, QueryError};

/// A cluster is a cell of 1/32 of the tile's width: 16 of the 512 points that a tile usually takes on a screen.
const FINER: u32 = 5;

/// The mean of a cluster looks so many halvings into its cell.
const CLOSER: u32 = 2;

/// Up to so many points the mean is that of the points, not of the cells they lie in.
const FEW: u64 = 64;

/// The points of one segment in a cell.
#[derive(Debug, Clone)]
struct Stretch {
    shelf: usize,
    places: Range<u32>,
}

/// What a cluster is made of, in grid cells of the curve: whole numbers, so that the order of adding changes nothing.
#[derive(Debug, Default)]
struct Sum {
    count: u64,
    columns: u128,
    rows: u128,
}

impl Sum {
    fn add(&mut self, count: u64, column: u32, row: u32) {
        self.count += count;
        self.columns += u128::from(count) * u128::from(column);
        self.rows += u128::from(count) * u128::from(row);
    }

    fn mean(&self) -> Point {
        let mean = |sum: u128| (sum / u128::from(self.count)) as u32;
        Cell::holding(mean(self.columns), mean(self.rows), curve::ORDER).middle()
    }
}

/// A walk and what it has seen so far.
pub(super) struct Walk<'a> {
    tile: Tile,
    crowd: u64,
    frames: Vec<Rect>,
    shelves: Vec<Shelf<'a>>,
    /// The stretches of the cells between the first one and the one the walk is in, one cell after the other.
    stretches: Vec<Stretch>,
    seen: Vec<Seen>,
}

impl<'a> Walk<'a> {
    pub(super) fn over(snapshot: &'a Snapshot, query: &TileQuery, budget: &Budget<'_>) -> Result<Walk<'a>, QueryError> {
        let segments = (0..).zip(snapshot.segments());
        let shelves = segments.map(|(number, segment)| Shelf::of(number, segment, snapshot.seq())).collect();
        let (tile, crowd, frames) = (query.tile, u64::from(query.crowd), query.tile.frames().collect());
        let mut walk = Walk { tile, crowd, frames, shelves, stretches: Vec::new(), seen: Vec::new() };
        if let Some(filter) = &query.filter {
            walk.choose(filter, query.filtered_max, budget)?;
        }
        Ok(walk)
    }

    /// Leaves only what a filter chooses on the shelves.
    fn choose(&mut self, filter: &Filter, most: u64, budget: &Budget<'_>) -> Result<(), QueryError> {
        let mut slots: Vec<Vec<Range<u32>>> = vec![Vec::new(); self.shelves.len()];
        self.each_wide_cell(|walk, _, own| {
            walk.stretches[own].iter().for_each(|stretch| slots[stretch.shelf].push(stretch.places.clone()));
        });
        let points = slots.iter().flatten().map(|slots| slots.len() as u64).sum();
        if points > most {
            return Err(QueryError::TooManyToFilter { points, most });
        }
        for (shelf, slots) in self.shelves.iter_mut().zip(slots) {
            shelf.choose(slots, filter, budget);
        }
        match budget.overrun() {
            Some(because) => Err(QueryError::OverBudget { spent: budget.spent(), because }),
            None => Ok(()),
        }
    }

    pub(super) fn go(&mut self) {
        self.each_wide_cell(Walk::show);
    }

    /// Hands on the cells as wide as the tile that are seen from it and hold anything, along the curve.
    fn each_wide_cell(&mut self, mut each: impl FnMut(&mut Self, Cell, Range<usize>)) {
        let everything = (0..).zip(&self.shelves).map(|(shelf, own)| Stretch { shelf, places: own.places() });
        self.stretches = everything.filter(|stretch| !stretch.places.is_empty()).collect();
        self.descend(Cell::EARTH, 0..self.stretches.len(), &mut each);
    }

    fn descend(&mut self, cell: Cell, own: Range<usize>, each: &mut dyn FnMut(&mut Self, Cell, Range<usize>)) {
        if !self.is_seen(cell) {
            return;
        }
        if cell.depth() == u32::from(self.tile.z()) {
            each(self, cell, own);
        } else {
            self.each_quarter(cell, own, |walk, quarter, part| walk.descend(quarter, part, each));
        }
    }

    pub(super) fn into_seen(self) -> Vec<Seen> {
        self.seen
    }

    /// Shows a cell, of which `own` are the stretches.
    fn show(&mut self, cell: Cell, own: Range<usize>) {
        let deeper = cell.depth() - u32::from(self.tile.z());
        if self.is_at_most((self.crowd >> (2 * deeper)).max(1), own.clone()) {
            self.show_points(own);
        } else if deeper == FINER {
            self.show_cluster(cell, own);
        } else {
            let show_seen = |walk: &mut Self, quarter: Cell, part: Range<usize>| {
                if walk.is_seen(quarter) {
                    walk.show(quarter, part);
                }
            };
            self.each_quarter(cell, own, show_seen);
        }
    }

    /// Hands on the quarters of a cell that hold anything, with their stretches; `own` is used up.
    fn each_quarter(&mut self, cell: Cell, own: Range<usize>, mut each: impl FnMut(&mut Self, Cell, Range<usize>)) {
        for quarter in cell.children() {
            let first = self.stretches.len();
            for parent in own.clone() {
                let Stretch { shelf, places } = &self.stretches[parent];
                let end = match quarter.last_key() == cell.last_key() {
                    true => places.end,
                    false => self.shelves[*shelf].first_at(quarter.last_key() + 1, places),
                };
                let (part, shelf) = (places.start..end, *shelf);
                self.stretches[parent].places.start = end;
                if !part.is_empty() {
                    self.stretches.push(Stretch { shelf, places: part });
                }
            }
            if self.stretches.len() > first {
                each(self, quarter, first..self.stretches.len());
            }
            self.stretches.truncate(first);
        }
    }

    /// Whether a cell is seen from the tile: its points, and so its cluster, lie in its box.
    fn is_seen(&self, cell: Cell) -> bool {
        self.frames.iter().any(|frame| frame.overlap(cell.rect()) != Overlap::Outside)
    }

    /// Whether no more than `most` points are there.
    fn is_at_most(&self, most: u64, own: Range<usize>) -> bool {
        let own = &self.stretches[own];
        let (mut at_least, mut at_most) = (0, 0);
        for Stretch { shelf, places } in own {
            at_least += self.shelves[*shelf].count_at_least(places);
            at_most += places.len() as u64;
        }
        if at_most <= most || at_least > most {
            return at_most <= most;
        }
        let mut count = 0;
        for Stretch { shelf, places } in own {
            count += self.shelves[*shelf].count_up_to(places.clone(), most - count);
            if count > most {
                return false;
            }
        }
        true
    }

    fn show_points(&mut self, own: Range<usize>) {
        let mut found = Vec::new();
        for Stretch { shelf, places } in &self.stretches[own] {
            let shelf = &self.shelves[*shelf];
            for slot in shelf.slots(places.clone()) {
                let [lat, lon] = shelf.segment.points().position(slot);
                if self.frames.iter().any(|frame| frame.holds(lat, lon)) {
                    found.push((curve::key_of(lat, lon), shelf.number, slot));
                }
            }
        }
        let id = |&(_, segment, slot): &(u64, u32, u32)| self.shelves[segment as usize].segment.id_bytes(slot);
        found.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| id(a).cmp(id(b))));
        for (_, segment, slot) in found {
            let [lat, lon] = self.shelves[segment as usize].segment.points().position(slot);
            let seen = OnMap::of_degrees(lat, lon).seen_from(self.tile);
            self.seen.extend(seen.map(|(x, y)| Seen { x, y, what: Kept::Item { segment, slot } }));
        }
    }

    fn show_cluster(&mut self, cell: Cell, own: Range<usize>) {
        let mut sum = Sum::default();
        self.add_up(cell, own, cell.depth() + CLOSER, &mut sum);
        let (count, centre) = (sum.count, sum.mean());
        let seen = OnMap::of(centre).seen_from(self.tile);
        self.seen.extend(seen.map(|(x, y)| Seen { x, y, what: Kept::Cluster { count, centre } }));
    }

    /// Adds what a cell holds: its points when they are few, else its quarters, at last so many times its middle.
    fn add_up(&mut self, cell: Cell, own: Range<usize>, closest: u32, sum: &mut Sum) {
        if self.is_at_most(FEW, own.clone()) {
            for Stretch { shelf, places } in &self.stretches[own] {
                let shelf = &self.shelves[*shelf];
                for slot in shelf.slots(places.clone()) {
                    let [lat, lon] = shelf.segment.points().position(slot);
                    sum.add(1, curve::column(lon), curve::row(lat));
                }
            }
        } else if cell.depth() == closest {
            let shelves = &self.shelves;
            let count = |Stretch { shelf, places }: &Stretch| shelves[*shelf].count_up_to(places.clone(), u64::MAX);
            let (column, row) = (middle(&cell.columns()), middle(&cell.rows()));
            sum.add(self.stretches[own].iter().map(count).sum(), column, row);
        } else {
            self.each_quarter(cell, own, |walk, quarter, part| walk.add_up(quarter, part, closest, sum));
        }
    }
}

fn middle(range: &std::ops::RangeInclusive<u32>) -> u32 {
    range.start() + (range.end() - range.start()).div_ceil(2)
}
