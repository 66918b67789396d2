//! How far a collection reaches: the smallest box of latitudes and longitudes round all its items.
//!
//! What surprises: nothing is kept for it. The cells of the curve are opened from the outermost inwards, and whatever cannot lie
//! farther out than what was found is left closed. So the box is exact at every moment, after any number of removals.
//! Only points that all stand on one edge, such as a single meridian, are looked at one by one.

use std::ops::Range;

use super::segment::Segment;
use super::snapshot::Snapshot;
use crate::geometry::Rect;
use crate::index::curve::Cell;

/// So many slots are looked at rather than divided further.
const FEW: usize = 128;

/// A direction, and the number that grows along it.
#[derive(Clone, Copy)]
struct Outward {
    of_position: fn([f64; 2]) -> f64,
    /// No position of a box lies farther out.
    of_box: fn(Rect) -> f64,
}

const SOUTH: Outward = Outward { of_position: |[lat, _]| -lat, of_box: |rect| -rect.south() };
const WEST: Outward = Outward { of_position: |[_, lon]| -lon, of_box: |rect| -rect.west() };
const NORTH: Outward = Outward { of_position: |[lat, _]| lat, of_box: Rect::north };
const EAST: Outward = Outward { of_position: |[_, lon]| lon, of_box: Rect::east };

/// The outermost number so far.
struct Search {
    outward: Outward,
    seq: u64,
    farthest: Option<f64>,
}

impl Search {
    /// Looks through a cell, whose points stand in some of the slots.
    fn open(&mut self, segment: &Segment, cell: Cell, slots: Range<u32>) {
        let slots = slots_of(segment, cell, &slots);
        let may_lie_farther = self.farthest.is_none_or(|farthest| (self.outward.of_box)(cell.rect()) > farthest);
        if slots.is_empty() || !may_lie_farther {
            return;
        }
        if slots.len() <= FEW || cell.depth() == crate::index::curve::ORDER {
            let there = slots.filter(|&slot| segment.is_there(slot, self.seq));
            let farthest = there.map(|slot| (self.outward.of_position)(segment.points().position(slot)));
            self.farthest = farthest.chain(self.farthest).max_by(f64::total_cmp);
            return;
        }
        let mut quarters = cell.children();
        quarters.sort_by(|a, b| (self.outward.of_box)(b.rect()).total_cmp(&(self.outward.of_box)(a.rect())));
        for quarter in quarters {
            self.open(segment, quarter, slots.clone());
        }
    }
}

fn slots_of(segment: &Segment, cell: Cell, among: &Range<u32>) -> Range<u32> {
    let start = segment.points().first_slot_at(cell.first_key(), among);
    let end = match cell.last_key() {
        u64::MAX => among.end,
        last => segment.points().first_slot_at(last + 1, &(start..among.end)),
    };
    start..end
}

impl Snapshot {
    /// The smallest box that holds every item; `None` when there is none. It crosses the antimeridian when it is smaller so, as
    /// seen from the items nearest to longitude 0.
    pub fn extent(&self) -> Option<Rect> {
        let [west_half, east_half] = halves();
        let of = |outward: Outward, cells: &[Cell]| self.farthest(outward, cells);
        let everywhere = [west_half, east_half].concat();
        let (south, north) = (-of(SOUTH, &everywhere)?, of(NORTH, &everywhere)?);
        let (west, east) = (-of(WEST, &everywhere)?, of(EAST, &everywhere)?);
        let straight = Rect::from_corners(south, west, north, east).ok();
        let (Some(inner_east), Some(inner_west)) = (of(EAST, &west_half), of(WEST, &east_half).map(|lon| -lon)) else {
            return straight;
        };
        let is_smaller_across = inner_west - inner_east > 360.0 - (east - west);
        let across = is_smaller_across.then(|| Rect::from_corners(south, inner_west, north, inner_east).ok());
        across.flatten().or(straight)
    }

    fn farthest(&self, outward: Outward, cells: &[Cell]) -> Option<f64> {
        let mut search = Search { outward, seq: self.seq, farthest: None };
        for segment in self.segments.iter() {
            cells.iter().for_each(|&cell| search.open(segment, cell, segment.points().slots()));
        }
        search.farthest
    }
}

/// The quarters of the earth west and east of longitude 0.
fn halves() -> [[Cell; 2]; 2] {
    let side = 1 << 31;
    let quarter = |column, row| Cell::holding(column, row, 1);
    [[quarter(0, 0), quarter(0, side)], [quarter(side, 0), quarter(side, side)]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::{Change, Collection, Id, Item};
    use crate::generate::{GENERATORS, Random};
    use crate::geometry::Point;

    fn of(places: &[(f64, f64)]) -> Option<Rect> {
        let collection = Collection::new();
        let put = |(number, &(lat, lon)): (usize, &(f64, f64))| {
            Change::Put(Item::new(Id::new(format!("{number}")).unwrap(), Point::new(lat, lon).unwrap()))
        };
        collection.apply(1, places.iter().enumerate().map(put).collect());
        collection.snapshot().extent()
    }

    #[test]
    fn the_extent_is_that_of_a_plain_look_at_every_item() {
        for generator in GENERATORS {
            let collection = Collection::new();
            let points = (generator.make)(&mut Random::seeded(5), 6_000);
            let id = |number: usize| Id::new(format!("{number}")).unwrap();
            collection.apply(1, (0..6_000).map(|n| Change::Put(Item::new(id(n), points[n]))).collect());
            let mut random = Random::seeded(6);
            for life in 0..4_u64 {
                let snapshot = collection.snapshot();
                let there: Vec<Point> = snapshot.items().map(|item| item.point()).collect();
                let least = |of: fn(Point) -> f64| there.iter().map(|&point| of(point)).fold(f64::INFINITY, f64::min);
                let most = |of: fn(Point) -> f64| there.iter().map(|&point| of(point)).fold(-f64::INFINITY, f64::max);
                let extent = snapshot.extent().unwrap();
                let (south, north) = (least(Point::lat_deg), most(Point::lat_deg));
                assert_eq!((extent.south(), extent.north()), (south, north), "{}", generator.name);
                assert!(there.iter().all(|&point| extent.contains(point)), "{}", generator.name);
                let width = most(Point::lon_deg) - least(Point::lon_deg);
                assert!(extent.east() - extent.west() <= width, "{}", generator.name);
                if extent.east() <= 180.0 {
                    assert_eq!(extent.east() - extent.west(), width, "{}", generator.name);
                }
                // The outermost go, and some more.
                let outermost = snapshot.items().filter(|item| item.point().lat_deg() >= north - 1.0).take(1_000);
                let gone: Vec<Id> = outermost.map(|item| Id::new(item.id()).unwrap()).collect();
                let some = (0..300).map(|_| id(random.below(6_000) as usize));
                let changes: Vec<Change> = gone.into_iter().chain(some).map(Change::Remove).collect();
                collection.apply(10_000 * (life + 1), changes);
            }
        }
    }

    #[test]
    fn an_extent_crosses_the_antimeridian_when_that_is_smaller() {
        let box_of = |south, west, north, east| Some(Rect::from_corners(south, west, north, east).unwrap());
        assert_eq!(of(&[(-17.0, 178.0), (-18.0, -179.0), (-16.0, 177.0)]), box_of(-18.0, 177.0, -16.0, -179.0));
        assert_eq!(of(&[(1.0, -10.0), (2.0, 20.0)]), box_of(1.0, -10.0, 2.0, 20.0));
        assert_eq!(of(&[(1.0, 180.0)]), box_of(1.0, 180.0, 1.0, 180.0));
        assert_eq!(of(&[]), None);
    }
}
