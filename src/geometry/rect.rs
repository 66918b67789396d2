//! Boxes in latitude and longitude, closed on every side, across the antimeridian when they want to.
//!
//! A [`Rect`] is kept as `west <= east` with `east` up to 540: a box from 170 to -170 is 170..190. What surprises: that
//! number is only for looking at. Turning a longitude round by 360 may round it, so that a point a hair beyond the edge
//! would lie on it; what a box holds beyond the seam is decided by the edge as it was given.

use super::error::GeometryError;
use super::point::Point;

/// How a region and a box lie to each other. Only [`Overlap::Boundary`] may be said without being sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// They surely share no point.
    Outside,
    /// Neither of the other two is sure: look closer.
    Boundary,
    /// The whole box surely lies in the region.
    Inside,
}

impl Overlap {
    /// The overlap with both of two regions.
    #[must_use]
    pub fn and(self, other: Overlap) -> Overlap {
        match (self, other) {
            (Overlap::Outside, _) | (_, Overlap::Outside) => Overlap::Outside,
            (Overlap::Inside, Overlap::Inside) => Overlap::Inside,
            _ => Overlap::Boundary,
        }
    }
}

/// A closed box of latitudes and longitudes.
///
/// ```
/// use nigh::geometry::{Point, Rect};
/// let fiji = Rect::from_corners(-20.0, 176.0, -15.0, -178.0).unwrap();
/// assert!(fiji.contains(Point::new(-17.7, 178.0).unwrap()));
/// assert!(fiji.contains(Point::new(-17.7, -179.9).unwrap()));
/// assert!(!fiji.contains(Point::new(-17.7, 0.0).unwrap()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    south: f64,
    west: f64,
    north: f64,
    east: f64,
    /// The easternmost longitude beyond the seam, as given: -170 for 170..190. Below every longitude when there is none.
    past_seam: f64,
}

impl Rect {
    /// The whole earth.
    pub const WORLD: Rect = Rect { south: -90.0, west: -180.0, north: 90.0, east: 180.0, past_seam: -180.0 };

    /// A box from its edges in degrees. `west > east`, or `east > 180`, crosses the antimeridian.
    ///
    /// Latitudes lie in -90..=90, `west` in -180..=180, `east` in -180..=540, and the box is at most once round.
    pub fn from_corners(south: f64, west: f64, north: f64, east: f64) -> Result<Rect, GeometryError> {
        let refuse = |reason| Err(GeometryError::Box { west, south, east, north, reason });
        if ![south, west, north, east].iter().all(|edge| edge.is_finite()) {
            return refuse("every edge must be a finite number of degrees");
        }
        if south < -90.0 || north > 90.0 || south > 90.0 || north < -90.0 {
            return refuse("latitudes lie in -90..90; the order is west,south,east,north");
        }
        if south > north {
            return refuse("south must not be north of north");
        }
        if !(-180.0..=180.0).contains(&west) {
            return refuse("west must lie in -180..180");
        }
        if !(-180.0..=540.0).contains(&east) {
            return refuse("east must lie in -180..180, or beyond 180 by less than once round");
        }
        if west > east {
            return Ok(Rect { south, west, north, east: east + 360.0, past_seam: east });
        }
        if east - west > 360.0 {
            return refuse("the box is more than once round the earth");
        }
        Ok(Rect { south, west, north, east, past_seam: past_seam(east) })
    }

    /// A box from edges that are known to be in order and on the earth.
    #[inline]
    pub(crate) fn of_edges(south: f64, west: f64, north: f64, east: f64) -> Rect {
        debug_assert!(-90.0 <= south && south <= north && north <= 90.0);
        debug_assert!(-180.0 <= west && west <= east && east <= 180.0);
        Rect { south, west, north, east, past_seam: past_seam(east) }
    }

    /// A box from edges that are known to be in order, drawn back to the earth where they stick out.
    pub(crate) fn clamped(south: f64, west: f64, north: f64, east: f64) -> Rect {
        debug_assert!(south <= north && west <= east);
        let (south, west, north, east) = (south.max(-90.0), west.max(-180.0), north.min(90.0), east.min(180.0));
        Rect { south, west, north, east, past_seam: past_seam(east) }
    }

    /// Southern edge, degrees.
    pub fn south(self) -> f64 {
        self.south
    }

    /// Western edge, degrees, -180..=180.
    pub fn west(self) -> f64 {
        self.west
    }

    /// Northern edge, degrees.
    pub fn north(self) -> f64 {
        self.north
    }

    /// Eastern edge, degrees, never less than the western one; above 180 when the box crosses the antimeridian.
    pub fn east(self) -> f64 {
        self.east
    }

    /// How another box lies to this one; `other` does not cross the antimeridian.
    ///
    /// Only comparisons, the same as those of [`Rect::holds`], so the answer is exact for every position that `other`
    /// holds.
    #[inline]
    pub fn overlap(self, other: Rect) -> Overlap {
        debug_assert!(other.east <= 180.0);
        if other.north < self.south || self.north < other.south {
            return Overlap::Outside;
        }
        let meets_straight = self.west <= other.east && other.west <= self.east;
        let meets_at_seam = self.west == -180.0 && other.east == 180.0;
        if !meets_straight && !meets_at_seam && other.west > self.past_seam {
            // A pole is one place, and belongs to every box that touches it.
            let shares_pole =
                (self.north == 90.0 && other.north == 90.0) || (self.south == -90.0 && other.south == -90.0);
            return if shares_pole { Overlap::Boundary } else { Overlap::Outside };
        }
        let covers = (self.west <= other.west && other.east <= self.east) || other.east <= self.past_seam;
        if covers && self.south <= other.south && other.north <= self.north {
            Overlap::Inside
        } else {
            Overlap::Boundary
        }
    }

    /// Whether a position lies in the box or on its edge. A box that touches a pole holds it under every longitude.
    pub fn contains(self, point: Point) -> bool {
        self.holds(point.lat_deg(), point.lon_deg())
    }

    /// [`Rect::contains`] for the bare numbers of a valid position.
    #[inline]
    pub fn holds(self, lat_deg: f64, lon_deg: f64) -> bool {
        let straight = self.west <= lon_deg && lon_deg <= self.east;
        let at_seam = self.west == -180.0 && lon_deg == 180.0;
        self.south <= lat_deg
            && lat_deg <= self.north
            && (straight || lon_deg <= self.past_seam || at_seam || lat_deg.abs() == 90.0)
    }
}

/// What an edge up to 540 reaches beyond the seam; the difference is exact.
#[inline]
fn past_seam(east: f64) -> f64 {
    if east >= 180.0 { east - 360.0 } else { f64::NEG_INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lon: f64) -> Point {
        Point::new(lat, lon).unwrap()
    }

    #[test]
    fn edges_belong_to_the_box() {
        let rect = Rect::from_corners(-1.0, -2.0, 3.0, 4.0).unwrap();
        for (lat, lon) in [(-1.0, -2.0), (3.0, 4.0), (-1.0, 4.0), (3.0, -2.0), (0.0, 0.0)] {
            assert!(rect.contains(at(lat, lon)));
        }
        assert!(!rect.contains(at(3.000_000_1, 0.0)));
        assert!(!rect.contains(at(0.0, -2.000_000_1)));
    }

    #[test]
    fn the_antimeridian_is_reached_from_both_sides() {
        let east_side = Rect::from_corners(-1.0, 170.0, 1.0, 180.0).unwrap();
        let west_side = Rect::from_corners(-1.0, -180.0, 1.0, -170.0).unwrap();
        let across = Rect::from_corners(-1.0, 170.0, 1.0, 190.0).unwrap();
        for rect in [east_side, west_side, across] {
            assert!(rect.contains(at(0.0, 180.0)));
            assert!(rect.contains(at(0.0, -180.0)));
        }
        assert!(across.contains(at(0.0, -170.0)));
        assert!(!across.contains(at(0.0, -169.9)));
        assert_eq!(across, Rect::from_corners(-1.0, 170.0, 1.0, -170.0).unwrap());
    }

    #[test]
    fn an_edge_beyond_the_seam_is_as_sharp_as_any_other() {
        // Turned round by 360, both of these points were rounded onto the edge.
        let east = -116.98898411065488;
        let given = Rect::from_corners(-1.0, -28.0, 1.0, east + 360.0).unwrap();
        assert!(given.contains(at(0.0, (east + 360.0) - 360.0)));
        assert!(!given.contains(at(0.0, ((east + 360.0) - 360.0).next_up())));
        for east in [-116.98898411065488_f64, -0.1, -1e-300] {
            let rect = Rect::from_corners(-1.0, 170.0, 1.0, east).unwrap();
            assert!(rect.contains(at(0.0, east)) && rect.contains(at(0.0, east.next_down())));
            assert!(!rect.contains(at(0.0, east.next_up())), "{east}");
        }
    }

    #[test]
    fn a_box_that_touches_a_pole_holds_the_pole() {
        let rect = Rect::from_corners(80.0, 0.0, 90.0, 10.0).unwrap();
        assert!(rect.contains(at(90.0, -120.0)));
        assert!(!rect.contains(at(89.9, -120.0)));
    }

    #[test]
    fn what_is_no_box_is_refused_with_its_values() {
        for (s, w, n, e) in [
            (f64::NAN, 0.0, 1.0, 1.0),
            (2.0, 0.0, 1.0, 1.0),
            (-91.0, 0.0, 1.0, 1.0),
            (0.0, 181.0, 1.0, 182.0),
            (0.0, 0.0, 1.0, 541.0),
            (0.0, -180.0, 1.0, 181.0),
        ] {
            let message = Rect::from_corners(s, w, n, e).unwrap_err().to_string();
            assert!(message.contains("west,south,east,north"), "{message}");
        }
    }
}
