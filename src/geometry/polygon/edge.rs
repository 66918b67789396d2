//! An edge as the search sees it, and what the two kinds of edges have in common.
//!
//! The surprising part: everything is counted along meridians. A straight edge in lon/lat crosses a meridian at most
//! once, and so does an arc of a great circle; neither need be monotone in latitude. Hence one grid and one walk
//! serve both kinds, and the only question put to an edge is on which side of it a point of its own longitudes lies.

use super::geodesic::Arc;
use super::planar::Seam;
use crate::geometry::UnitVector;

/// An edge from its western to its eastern end, on the window of longitudes -180..=180.
///
/// An edge across the 180th meridian appears twice, once with its eastern end beyond 180 and once with its western end
/// beyond -180, so that every candidate is tested at its own longitude.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    pub(super) west_lon: f64,
    pub(super) west_lat: f64,
    pub(super) east_lon: f64,
    pub(super) east_lat: f64,
}

impl Edge {
    /// The lower and the higher latitude of its ends.
    #[inline]
    pub(super) fn end_lats(&self) -> (f64, f64) {
        if self.west_lat <= self.east_lat { (self.west_lat, self.east_lat) } else { (self.east_lat, self.west_lat) }
    }

    /// Whether it reaches beyond the window, as an edge across the 180th meridian does.
    #[inline]
    pub(super) fn leaves_the_window(&self) -> bool {
        self.west_lon < -180.0 || self.east_lon > 180.0
    }
}

/// Where an edge passes a point of its own longitudes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passes {
    /// South of the point.
    South,
    /// Through the point.
    Through,
    /// North of the point.
    North,
}

/// The point that is being tested; its unit vector is reckoned at the first need and at most once.
pub(super) struct Candidate<F> {
    pub(super) lat: f64,
    pub(super) lon: f64,
    /// How many edges were asked about it.
    pub(super) asked: u32,
    recipe: Option<F>,
    unit: Option<UnitVector>,
}

impl<F: FnOnce() -> UnitVector> Candidate<F> {
    #[inline]
    pub(super) fn new(lat: f64, lon: f64, recipe: F) -> Candidate<F> {
        Candidate { lat, lon, asked: 0, recipe: Some(recipe), unit: None }
    }

    /// The outward normal at the point.
    #[inline]
    pub(super) fn unit(&mut self) -> UnitVector {
        if let Some(recipe) = self.recipe.take() {
            self.unit = Some(recipe());
        }
        self.unit.unwrap_or(UnitVector { x: 0.0, y: 0.0, z: 0.0 })
    }
}

/// Edges of one kind. Both kinds keep the same promise, on which the grid is built: where [`Line::lat_range`] leaves a
/// latitude out, [`Line::passes`] never answers [`Passes::Through`] there, and answers the side one expects.
pub(super) trait Line {
    /// On which side of the point edge number `edge` passes. The edge spans the longitude of the point.
    fn passes<F: FnOnce() -> UnitVector>(&self, edge: usize, candidate: &mut Candidate<F>) -> Passes;

    /// Whether [`Line::lat_range`] may be the same for all longitudes of the edge, although it is not level.
    fn fills_its_box(&self, _edge: usize) -> bool {
        false
    }

    /// Latitudes between which the edge surely stays for longitudes `west..=east`, widened for rounding. The edge and
    /// the range have a longitude in common.
    fn lat_range(&self, edge: usize, west: f64, east: f64) -> (f64, f64);
}

/// All edges of a polygon, with what only one of the kinds needs beside them.
#[derive(Debug, Default)]
pub(super) struct EdgeTable {
    pub(super) edges: Vec<Edge>,
    /// Planar only: the exact ends of edges that leave the window, by growing edge number.
    pub(super) seams: Vec<Seam>,
    /// Geodesic only: one arc an edge.
    pub(super) arcs: Vec<Arc>,
}
