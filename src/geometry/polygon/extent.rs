//! The smallest box that holds a polygon, on a round earth.
//!
//! The surprising part: the box of Fiji is found by looking for the largest *gap* between its islands, not for the
//! smallest and largest longitude; those would give a box round the earth.

use super::ring::Step;
use crate::geometry::Rect;

/// Latitudes and longitudes, all in the window; `crosses` tells that the longitudes run from `west` east across 180.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    pub(super) south: f64,
    pub(super) north: f64,
    pub(super) west: f64,
    pub(super) east: f64,
    pub(super) crosses: bool,
}

impl Extent {
    /// The parts of the window that it covers, from west to east in the order of the box.
    pub(super) fn windows(&self) -> Vec<(f64, f64)> {
        if self.crosses { vec![(self.west, 180.0), (-180.0, self.east)] } else { vec![(self.west, self.east)] }
    }

    /// As a box. Where it crosses, `west > east` tells so, and the eastern edge keeps every bit.
    pub(super) fn rect(&self) -> Rect {
        debug_assert_eq!(self.crosses, self.west > self.east);
        Rect::from_corners(self.south.max(-90.0), self.west, self.north.min(90.0), self.east).unwrap_or(Rect::WORLD)
    }
}

/// Collects the longitudes of rings.
#[derive(Debug, Default)]
pub(super) struct Longitudes {
    /// Closed intervals of the window.
    intervals: Vec<(f64, f64)>,
}

impl Longitudes {
    /// Adds the longitudes of a ring, or of the whole earth if it goes round.
    pub(super) fn add(&mut self, steps: &[Step]) {
        let Some(first) = steps.first() else { return };
        // Places on the unrolled earth ordered exactly: by turn, and by longitude within the turn.
        let (mut turn, start) = (0, (0, first.from.0));
        let (mut west, mut east) = (start, start);
        for step in steps {
            turn += step.turn;
            let place = (turn, step.to.0);
            west = if place < west { place } else { west };
            east = if place > east { place } else { east };
        }
        let goes_round = turn != 0 || east.0 - west.0 > 1 || (east.0 - west.0 == 1 && east.1 >= west.1);
        if goes_round {
            self.intervals.push((-180.0, 180.0));
        } else if east.0 == west.0 {
            self.intervals.push((west.1, east.1));
        } else {
            self.intervals.push((west.1, 180.0));
            self.intervals.push((-180.0, east.1));
        }
    }

    /// The shortest range that holds them all: what is left of the circle when the largest gap is taken out.
    pub(super) fn range(mut self) -> (f64, f64, bool) {
        self.intervals.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let Some(&(first_west, first_east)) = self.intervals.first() else { return (0.0, 0.0, false) };
        let last_east = self.intervals.iter().fold(first_east, |east, interval| east.max(interval.1));
        let mut widest = ((first_west + 180.0) + (180.0 - last_east), (first_west, last_east, false));
        let mut reached = first_east;
        for &(west, east) in &self.intervals {
            if west - reached > widest.0 {
                widest = (west - reached, (west, reached, true));
            }
            reached = reached.max(east);
        }
        widest.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(intervals: &[(f64, f64)]) -> (f64, f64, bool) {
        Longitudes { intervals: intervals.to_vec() }.range()
    }

    #[test]
    fn the_eastern_vertex_of_a_polygon_over_the_seam_is_in_its_box() {
        for east in [-116.98898411065488, -0.1, -1e-300] {
            let extent = Extent { south: -1.0, north: 1.0, west: 170.0, east, crosses: true };
            assert!(extent.rect().holds(0.0, east) && !extent.rect().holds(0.0, east.next_up()), "{east}");
        }
    }

    #[test]
    fn the_largest_gap_is_left_out() {
        assert_eq!(range(&[(10.0, 20.0), (-5.0, 3.0)]), (-5.0, 20.0, false));
        assert_eq!(range(&[(177.0, 180.0), (-180.0, -178.0)]), (177.0, -178.0, true));
        assert_eq!(range(&[(170.0, 175.0), (-179.0, -170.0), (160.0, 161.0)]), (160.0, -170.0, true));
        assert_eq!(range(&[(-180.0, 180.0), (0.0, 1.0)]), (-180.0, 180.0, false));
        assert_eq!(range(&[(-180.0, 0.0), (0.0, 180.0)]), (-180.0, 180.0, false));
    }
}
