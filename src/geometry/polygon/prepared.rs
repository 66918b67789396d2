//! A polygon made ready for many questions.
//!
//! The surprising part: no longitude is shifted when a question comes. Candidates are compared at the longitude they
//! have, because the polygon was laid on the window -180..=180 beforehand; a candidate at -180 is the same as at 180.

use std::cell::Cell;
use std::hash::{Hash, Hasher};

use super::edge::Candidate;
use super::geodesic::Geodesic;
use super::grid::Tiling;
use super::outline::Outline;
use super::overlap::{Overlapping, Part, together};
use super::planar::Planar;
use super::{Edges, Polygon, build};
use crate::geometry::{Overlap, Rect, UnitVector};

/// A polygon made ready for many candidates and many boxes; made by [`Polygon::prepare`].
#[derive(Debug)]
pub struct PreparedPolygon {
    polygon: Polygon,
    tiling: Tiling,
    frame: Rect,
}

/// Two that were made of the same positions in the same order, with the same kind of edges, have the same hash.
impl Hash for PreparedPolygon {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Outline { kind, table, parts, .. } = &*self.polygon.outline;
        kind.name().hash(hasher);
        for part in parts {
            hasher.write_u32(part.end_edge);
            hasher.write_u8(u8::from(part.holds_south));
        }
        for edge in &table.edges {
            for degrees in [edge.west_lon, edge.west_lat, edge.east_lon, edge.east_lat] {
                hasher.write_u64(degrees.to_bits());
            }
        }
    }
}

impl PreparedPolygon {
    pub(super) fn new(polygon: Polygon, effort: build::Effort) -> PreparedPolygon {
        let outline: &Outline = &polygon.outline;
        let tiling = match outline.kind {
            Edges::Planar => build::tiling(outline, &Planar(&outline.table), effort),
            Edges::Geodesic => build::tiling(outline, &Geodesic(&outline.table), effort),
        };
        let frame = polygon.frame();
        PreparedPolygon { polygon, tiling, frame }
    }

    /// A box that holds the polygon; see [`Polygon::frame`].
    pub fn frame(&self) -> Rect {
        self.frame
    }

    /// Whether a valid position belongs to the polygon, its boundary included. `unit` is the position's
    /// [`Point::unit`](crate::geometry::Point::unit); it is called at most once, and only for geodesic edges.
    ///
    /// *Cost*: 20 to 25 ns for 10 to 100 000 vertices when candidates fill the frame, 30 to 300 ns when all of them lie
    /// close to the boundary. The worst shape known, a star of 100 000 long spikes, costs 25 µs, where a plain walk round
    /// the ring costs 125.
    #[inline]
    pub fn contains(&self, lat_deg: f64, lon_deg: f64, unit: impl FnOnce() -> UnitVector) -> bool {
        self.contains_by_edges(lat_deg, lon_deg, unit).0
    }

    /// [`PreparedPolygon::contains`], and how many edges had to be asked.
    #[inline]
    pub fn contains_by_edges(&self, lat_deg: f64, lon_deg: f64, unit: impl FnOnce() -> UnitVector) -> (bool, u32) {
        let outline: &Outline = &self.polygon.outline;
        if lat_deg.abs() >= 90.0 {
            return (outline.poles[usize::from(lat_deg > 0.0)], 0);
        }
        let lon = if lon_deg == -180.0 { 180.0 } else { lon_deg };
        let mut candidate = Candidate::new(lat_deg, lon, unit);
        let edges = outline.table.edges.as_slice();
        let held = match outline.kind {
            Edges::Planar => self.tiling.contains(&Planar(&outline.table), edges, &mut candidate),
            Edges::Geodesic => self.tiling.contains(&Geodesic(&outline.table), edges, &mut candidate),
        };
        (held, candidate.asked)
    }

    /// How a box lies to the polygon: [`Overlap::Inside`] and [`Overlap::Outside`] only when that is sure.
    pub fn overlap(&self, box_: Rect) -> Overlap {
        self.overlap_by_edges(box_).0
    }

    /// [`PreparedPolygon::overlap`], and how many edges had to be asked.
    pub fn overlap_by_edges(&self, box_: Rect) -> (Overlap, u32) {
        let asked = Cell::new(0);
        (self.overlap_with_poles(box_, &asked), asked.get())
    }

    fn overlap_with_poles(&self, box_: Rect, asked: &Cell<u32>) -> Overlap {
        let flat = self.overlap_off_the_poles(box_, asked);
        // A box that touches a pole holds that pole, whatever its longitudes.
        let mut overlap = flat;
        for (pole, touches) in [box_.south() <= -90.0, box_.north() >= 90.0].into_iter().enumerate() {
            if touches {
                let inside = self.polygon.outline.poles[pole];
                overlap = together(Some(overlap), if inside { Overlap::Inside } else { Overlap::Outside });
            }
        }
        overlap
    }

    fn overlap_off_the_poles(&self, box_: Rect, asked: &Cell<u32>) -> Overlap {
        let (south, north, west, east) = (box_.south(), box_.north(), box_.west(), box_.east());
        let mut overlap = self.overlap_of(Part { west, south, east: east.min(180.0), north }, asked);
        if east > 180.0 {
            // `east` may have been rounded when it was turned beyond 180, by less than 3e-14.
            let beyond = Part { west: -180.0, south, east: (east - 360.0 + 6e-14).min(180.0), north };
            overlap = together(Some(overlap), self.overlap_of(beyond, asked));
        }
        if west == -180.0 && east < 180.0 {
            // The meridian -180 is kept as 180.
            let meridian = Part { west: 180.0, south, east: 180.0, north };
            overlap = together(Some(overlap), self.overlap_of(meridian, asked));
        }
        overlap
    }

    fn overlap_of(&self, part: Part, asked: &Cell<u32>) -> Overlap {
        let outline: &Outline = &self.polygon.outline;
        let (tiling, edges) = (&self.tiling, outline.table.edges.as_slice());
        match outline.kind {
            Edges::Planar => Overlapping { tiling, line: &Planar(&outline.table), edges, asked }.part(part),
            Edges::Geodesic => Overlapping { tiling, line: &Geodesic(&outline.table), edges, asked }.part(part),
        }
    }

    /// How often an edge was laid into a column or a cell of a grid: what making it cost, whatever the machine.
    pub fn times_laid(&self) -> usize {
        self.tiling.laid
    }

    /// Bytes of memory held for the search, beside the polygon itself.
    pub fn memory_bytes(&self) -> usize {
        let Tiling { grids, cells, entries, sums, .. } = &self.tiling;
        size_of_val(grids.as_slice())
            + size_of_val(cells.as_slice())
            + size_of_val(entries.as_slice())
            + size_of_val(sums.as_slice())
    }
}
