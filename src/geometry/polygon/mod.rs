//! Polygons with holes, on a round earth: is a point in it, its boundary included; how does a box lie to it?
//!
//! The surprising part: "inside" is decided by counting edges along the meridian of a point, from the south pole up. So
//! the 180th meridian is like any other, and a ring round a pole is an ordinary ring that changes one bit: whether the
//! south pole, where the count starts, is inside.
//!
//! # What belongs to a polygon
//!
//! - **Boundary** included, of holes as well. For planar edges "on" is exact, on the coordinates as given; for geodesic
//!   edges it is a fixed tolerance of [`ON_THE_EDGE`] radians, 6.4 nanometres.
//! - **Even-odd**, winding ignored, over all rings of one polygon: so a self-crossing ring is defined, a hole takes away,
//!   and what a hole has outside of its outer ring is added. Several polygons are the union of each.
//! - **Longitudes** from -360 to 360; -180 and 180 are one meridian. An edge over more than 180 degrees takes the short
//!   way; of exactly 180 planar edges go as written, and geodesic ones over the pole that is nearer.
//! - **Round a pole**: a ring that goes round the axis holds the pole on the side of its mean latitude (weighted by
//!   longitude, so that it does not matter where vertices are dense); on the equator, the north pole. A geodesic ring
//!   *through* one pole leaves the other pole outside.
//! - **A pole** is one place: it belongs to a planar polygon if that touches latitude ±90 under any longitude.
//! - **Degenerate** rings (all on a line, or one place) are their boundary.
//!
//! # The way through the files
//!
//! `ring` (checks, short way, turns) → `planar` or `geodesic` (edges and their sides) → `outline` (all of it, with poles
//! and `extent`) → `build` (grids) → `grid` and `overlap` (answers). `exact` is the rare exact product.
//!
//! # Why
//!
//! *Slabs* (a list of edges for every strip of longitude) are a grid of one row; a grid of several rows answers most
//! candidates without an edge. A hierarchy of triangles or trapezoids needs edges that do not cross; this does not.

mod build;
mod edge;
mod exact;
mod extent;
mod geodesic;
mod grid;
mod outline;
mod overlap;
mod planar;
mod prepared;
mod ring;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::error::GeometryError;
use super::rect::Rect;
use outline::Outline;

pub use geodesic::ON_THE_EDGE;
pub use prepared::PreparedPolygon;

/// More positions than this are refused: a coastline of the whole earth at 10 m has fewer.
pub const MAX_POSITIONS: usize = 1 << 22;

/// Up to so many vertices a polygon is checked and made ready within a millisecond or two, whatever its shape; beyond, who
/// has others waiting does better to do it apart from them: see [`Polygon::prepare_for`].
pub const QUICK_POSITIONS: usize = 1_000;

/// How many positions polygons have in all their rings: known before any of them is checked.
pub fn count_positions(polygons: &[Vec<Vec<[f64; 2]>>]) -> usize {
    polygons.iter().flatten().map(Vec::len).sum()
}

/// What joins two vertices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Edges {
    /// A straight line in longitude and latitude, as RFC 7946 has it.
    #[default]
    Planar,
    /// The shorter arc of the great circle.
    Geodesic,
}

impl Edges {
    /// Every kind, the default first.
    pub const ALL: [Edges; 2] = [Edges::Planar, Edges::Geodesic];

    /// The name in requests.
    pub fn name(self) -> &'static str {
        match self {
            Edges::Planar => "planar",
            Edges::Geodesic => "geodesic",
        }
    }
}

impl fmt::Display for Edges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Edges {
    type Err = GeometryError;

    fn from_str(name: &str) -> Result<Edges, GeometryError> {
        let known = Edges::ALL.into_iter().find(|edges| edges.name() == name);
        known.ok_or_else(|| GeometryError::UnknownEdges { name: name.to_owned() })
    }
}

/// One or several polygons with holes, checked once and then trusted. Cheap to clone.
///
/// ```
/// use nigh::geometry::{Edges, Point, Polygon};
/// // Fiji lies on both sides of the 180th meridian.
/// let ring = vec![[176.0, -20.0], [-178.0, -20.0], [-178.0, -15.0], [176.0, -15.0], [176.0, -20.0]];
/// let fiji = Polygon::new(&[vec![ring]], Edges::Planar).unwrap().prepare();
/// let holds = |lat, lon| fiji.contains(lat, lon, || Point::new(lat, lon).unwrap().unit());
/// assert!(holds(-17.7, 178.0) && holds(-17.7, -179.9));
/// assert!(!holds(-17.7, 0.0));
/// ```
#[derive(Debug, Clone)]
pub struct Polygon {
    outline: Arc<Outline>,
}

impl Polygon {
    /// Checks polygons given as in a GeoJSON `MultiPolygon`: `polygons[p][ring][position] = [lon_deg, lat_deg]`, ring 0 the
    /// outer one, every ring closed.
    pub fn new(polygons: &[Vec<Vec<[f64; 2]>>], edges: Edges) -> Result<Polygon, GeometryError> {
        Ok(Polygon { outline: Arc::new(Outline::new(polygons, edges)?) })
    }

    /// What joins its vertices.
    pub fn edges(&self) -> Edges {
        self.outline.kind
    }

    /// How many vertices it has, closing positions not counted.
    pub fn vertex_count(&self) -> usize {
        self.outline.vertex_count
    }

    /// A box that holds it all; the whole range of longitudes when it goes round a pole. Nearly the smallest such box:
    /// the widest gap of longitude is left out.
    pub fn frame(&self) -> Rect {
        self.outline.extent.rect()
    }

    /// Makes it ready for many candidates and boxes.
    pub fn prepare(&self) -> PreparedPolygon {
        self.prepare_for(usize::MAX)
    }

    /// Makes it ready for about so many candidates: few are not worth many cells.
    ///
    /// *Cost*: for planar coasts 60 ns a vertex at 1 000, 140 at 10 000 and 310 at 100 000, where grids within grids are
    /// needed (`cargo bench --bench distances -- making`); for geodesic ones twice that. The worst shapes known, tangles,
    /// stars of long spikes and thousands of islands over one another, take 1 to 5 µs: 0.5 s for 100 000 vertices.
    pub fn prepare_for(&self, expected_candidates: usize) -> PreparedPolygon {
        let edges = self.outline.table.edges.len();
        let worth = expected_candidates.saturating_mul(8).saturating_add(64);
        // A cell costs what it saves some dozens of candidates.
        let sparse = expected_candidates < edges.saturating_mul(32);
        let effort = build::Effort { cells: (6 * edges + 256).min(worth), entries: 24 * edges + 1024, sparse };
        PreparedPolygon::new(self.clone(), effort)
    }
}
