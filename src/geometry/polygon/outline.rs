//! A checked polygon: all its edges, and what is known of the poles.
//!
//! The surprising part: a polygon is decided by the parity of the edges *south* of a point, starting from whether the
//! south pole itself is inside. That needs no ray to infinity and no case for rings round a pole: such a ring only
//! changes what is known of the pole where the count begins.

use super::edge::EdgeTable;
use super::extent::{Extent, Longitudes};
use super::geodesic;
use super::planar;
use super::ring::{self, Step, Vertex};
use super::{Edges, MAX_POSITIONS};
use crate::geometry::GeometryError;

/// One polygon of several: its edges are neighbours in the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
    pub(super) first_edge: u32,
    pub(super) end_edge: u32,
    /// Whether the ground just round the south pole, south of every edge, is inside.
    pub(super) holds_south: bool,
}

/// A checked polygon.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) kind: Edges,
    pub(super) table: EdgeTable,
    pub(super) parts: Vec<Part>,
    /// Whether the south pole and the north pole belong to it.
    pub(super) poles: [bool; 2],
    pub(super) extent: Extent,
    pub(super) vertex_count: usize,
}

/// What one ring adds.
struct Laid {
    steps: Vec<Step>,
    /// Whether the ring has the south pole, the north pole, on its inner side.
    holds: [bool; 2],
    /// Whether it passes through them.
    touches: [bool; 2],
}

impl Outline {
    /// Checks and lays out polygons as they stand in a GeoJSON `MultiPolygon`.
    pub(super) fn new(polygons: &[Vec<Vec<[f64; 2]>>], kind: Edges) -> Result<Outline, GeometryError> {
        if polygons.is_empty() || polygons.iter().any(Vec::is_empty) {
            return Err(GeometryError::EmptyPolygon);
        }
        let mut table = EdgeTable::default();
        let (mut parts, mut poles, mut longitudes, mut vertex_count) = (vec![], [false; 2], Longitudes::default(), 0);
        for (polygon, rings) in polygons.iter().enumerate() {
            let first_edge = table.edges.len() as u32;
            let mut holds = [false; 2];
            for (ring, positions) in rings.iter().enumerate() {
                vertex_count += positions.len().saturating_sub(1);
                let refuse = |reason| GeometryError::Ring { polygon, ring, reason };
                if vertex_count > MAX_POSITIONS {
                    return Err(refuse(format!("more than {MAX_POSITIONS} positions are too many: simplify it")));
                }
                let laid = lay(&ring::vertices(positions).map_err(refuse)?, kind).map_err(refuse)?;
                longitudes.add(&laid.steps);
                push_edges(&laid.steps, kind, &mut table);
                for pole in 0..2 {
                    holds[pole] ^= laid.holds[pole];
                    poles[pole] |= laid.touches[pole];
                }
            }
            poles = [poles[0] || holds[0], poles[1] || holds[1]];
            parts.push(Part { first_edge, end_edge: table.edges.len() as u32, holds_south: holds[0] });
        }
        let extent = extent(&table, longitudes, poles);
        Ok(Outline { kind, table, parts, poles, extent, vertex_count })
    }
}

fn lay(vertices: &[Vertex], kind: Edges) -> Result<Laid, String> {
    match kind {
        Edges::Planar => {
            let steps: Vec<Step> = vertices.windows(2).map(|pair| Step::between(pair[0], pair[1])).collect();
            let touches = |lat| vertices.iter().any(|vertex| vertex.lat == lat);
            let holds = holds_by_mean_lat(&steps);
            Ok(Laid { steps, holds, touches: [touches(-90.0), touches(90.0)] })
        }
        Edges::Geodesic => {
            let geodesic::Course { steps, through_pole } = geodesic::course(vertices)?;
            let separates = ring::times_round(&steps) % 2 != 0;
            // Through one pole: the other one is outside, and the ground beside the first follows from the parity.
            let holds = match through_pole {
                [true, false] => [separates, false],
                [false, true] => [false, separates],
                _ => holds_by_mean_lat(&steps),
            };
            Ok(Laid { steps, holds, touches: through_pole })
        }
    }
}

/// A ring that goes round the axis an odd number of times separates the poles, and holds the one on the side of its
/// mean latitude; on the equator, the north pole.
fn holds_by_mean_lat(steps: &[Step]) -> [bool; 2] {
    if ring::times_round(steps) % 2 == 0 {
        return [false, false];
    }
    let north = ring::mean_lat_deg(steps) >= 0.0;
    [!north, north]
}

fn push_edges(steps: &[Step], kind: Edges, table: &mut EdgeTable) {
    for step in steps {
        match kind {
            Edges::Planar => planar::push_edges(step, table),
            Edges::Geodesic => geodesic::push_edges(step, table),
        }
    }
}

fn extent(table: &EdgeTable, longitudes: Longitudes, poles: [bool; 2]) -> Extent {
    let lats: Box<dyn Iterator<Item = (f64, f64)>> = if table.arcs.is_empty() {
        Box::new(table.edges.iter().map(super::edge::Edge::end_lats))
    } else {
        Box::new(table.arcs.iter().map(geodesic::Arc::lats))
    };
    // A ring that is a pole and nothing else has no edges; its extent is that pole, set below.
    let nothing = if poles[0] { (-90.0, -90.0) } else { (90.0, 90.0) };
    let (mut south, mut north) = lats.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or(nothing);
    if poles[0] {
        south = -90.0;
    }
    if poles[1] {
        north = 90.0;
    }
    let (west, east, crosses) = longitudes.range();
    Extent { south, north, west, east, crosses }
}
