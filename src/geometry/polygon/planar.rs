//! Straight edges in longitude and latitude (RFC 7946): the side by a cross product.
//!
//! The surprising part: a point exactly on an edge is told from one a rounding error beside it. The plain product
//! decides nearly always; only when it is smaller than its own error bound is it computed again, exactly.
//!
//! *Accuracy*: exact, on the coordinates as given.
//!
//! *References*: J. R. Shewchuk (1997), Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric
//! Predicates, section 4.2 for the error bound.

use super::edge::{Candidate, Edge, EdgeTable, Line, Passes};
use super::exact::{Place, orientation};
use super::ring::Step;
use crate::geometry::UnitVector;

/// The ends of an edge across the 180th meridian, as [`Edge`] cannot hold them without rounding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seam {
    pub(super) edge: u32,
    pub(super) west: Place,
    pub(super) east: Place,
}

/// The edges that a step of a ring makes: one, or two images when it crosses the 180th meridian.
pub(super) fn push_edges(step: &Step, table: &mut EdgeTable) {
    let shifts: &[i32] = if step.turn == 0 { &[0] } else { &[0, -step.turn] };
    for &shift in shifts {
        let place = |(lon, lat): (f64, f64), turn: i32| Place { lon, turn: f64::from(turn), lat };
        let (from, to) = (place(step.from, shift), place(step.to, step.turn + shift));
        let (west, east) = if step.goes_east() { (from, to) } else { (to, from) };
        let edge = table.edges.len() as u32;
        table.edges.push(Edge {
            west_lon: on_the_roll(west),
            west_lat: west.lat,
            east_lon: on_the_roll(east),
            east_lat: east.lat,
        });
        if step.turn != 0 {
            table.seams.push(Seam { edge, west, east });
        }
    }
}

/// The longitude on the unrolled earth, rounded.
fn on_the_roll(place: Place) -> f64 {
    place.lon + 360.0 * place.turn
}

/// Straight edges.
pub(super) struct Planar<'a>(pub(super) &'a EdgeTable);

/// Three roundings in each product and one in the difference stay below 3.3307e-16 of the sum of the products
/// (Shewchuk's A bound); the addend covers products that underflow.
const ERROR_BOUND: f64 = 3.330_669_073_875_473e-16;
const UNDERFLOW: f64 = 1e-300;

/// Widening of [`Line::lat_range`]. Longitudes of cells and shifted ends are wrong by less than 2e-13 degrees; the
/// latitude of a point given by its share of the edge by less than 1e-13.
const WIDER_LON: f64 = 1e-11;
const WIDER_LAT: f64 = 1e-11;

impl Line for Planar<'_> {
    #[inline]
    fn passes<F: FnOnce() -> UnitVector>(&self, number: usize, candidate: &mut Candidate<F>) -> Passes {
        let edge = &self.0.edges[number];
        let (lon, lat) = (candidate.lon, candidate.lat);
        let (south, north) = edge.end_lats();
        if lat > north {
            return Passes::South;
        }
        if lat < south {
            return Passes::North;
        }
        let left = (edge.east_lon - edge.west_lon) * (lat - edge.west_lat);
        let right = (edge.east_lat - edge.west_lat) * (lon - edge.west_lon);
        let bound = ERROR_BOUND * (left.abs() + right.abs()) + UNDERFLOW;
        if (left - right).abs() > bound && !edge.leaves_the_window() {
            return if left > right { Passes::South } else { Passes::North };
        }
        self.passes_exactly(number, lat, lon)
    }

    fn lat_range(&self, number: usize, west: f64, east: f64) -> (f64, f64) {
        let edge = &self.0.edges[number];
        let (south, north) = edge.end_lats();
        if west <= edge.west_lon && edge.east_lon <= east {
            return (south, north);
        }
        let lon_span = edge.east_lon - edge.west_lon;
        let lat_at = |lon: f64| {
            let share = ((lon - edge.west_lon) / lon_span).clamp(0.0, 1.0);
            edge.west_lat + share * (edge.east_lat - edge.west_lat)
        };
        let (first, last) = (lat_at(west - WIDER_LON), lat_at(east + WIDER_LON));
        ((first.min(last) - WIDER_LAT).max(south), (first.max(last) + WIDER_LAT).min(north))
    }
}

impl Planar<'_> {
    /// The rare case: within rounding of the edge, or on an edge across the 180th meridian.
    #[cold]
    #[inline(never)]
    fn passes_exactly(&self, number: usize, lat: f64, lon: f64) -> Passes {
        let edge = &self.0.edges[number];
        let place = |lon, lat| Place { lon, turn: 0.0, lat };
        let (west, east) = match self.0.seams.binary_search_by_key(&(number as u32), |seam| seam.edge) {
            Ok(at) => (self.0.seams[at].west, self.0.seams[at].east),
            Err(_) => (place(edge.west_lon, edge.west_lat), place(edge.east_lon, edge.east_lat)),
        };
        let side = orientation(west, east, place(lon, lat));
        if side > 0.0 {
            Passes::South
        } else if side < 0.0 {
            Passes::North
        } else {
            Passes::Through
        }
    }
}
