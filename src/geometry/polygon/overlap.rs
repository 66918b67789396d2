//! How a box lies to a prepared polygon, so that an index can take or leave whole nodes.
//!
//! The surprising part: a box over thousands of cells costs the same as one over two. Prefix sums tell how many cells
//! in any rectangle have edges and how many are inside; only for a box of at most 2 × 2 cells are the edges
//! themselves looked at.

use std::cell::Cell as Count;

use super::edge::{Candidate, Edge, Line};
use super::geodesic::unit;
use super::grid::{Cell, Grid, Tiling};
use crate::geometry::Overlap;

/// A box within the window of longitudes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) west: f64,
    pub(super) south: f64,
    pub(super) east: f64,
    pub(super) north: f64,
}

/// Longitudes and latitudes of the part that surely fall into the grid or cell at hand: western and eastern side, southern
/// and northern side. A side that may lie in a neighbouring cell is `None`.
#[derive(Debug, Clone, Copy)]
struct Sides {
    lons: [Option<f64>; 2],
    lats: [Option<f64>; 2],
}

/// Two overlaps of two boxes, as the overlap of both together.
pub(super) fn together(a: Option<Overlap>, b: Overlap) -> Overlap {
    match a {
        Some(a) if a != b => Overlap::Boundary,
        _ => b,
    }
}

/// The overlap of one kind of polygon with boxes.
pub(super) struct Overlapping<'a, L> {
    pub(super) tiling: &'a Tiling,
    pub(super) line: &'a L,
    pub(super) edges: &'a [Edge],
    /// How many edges were asked on the way.
    pub(super) asked: &'a Count<u32>,
}

impl<L: Line> Overlapping<'_, L> {
    /// How a box within the window of longitudes lies to the polygon, poles left aside.
    pub(super) fn part(&self, part: Part) -> Overlap {
        let mut overlap = None;
        for root in &self.tiling.grids[..self.tiling.roots] {
            let (west, east) = (part.west.max(root.west), part.east.min(root.east));
            let (south, north) = (part.south.max(root.south), part.north.min(root.north));
            if west > east || south > north {
                continue;
            }
            let inner = Part { west, south, east, north };
            let sides = Sides { lons: [Some(west), Some(east)], lats: [Some(south), Some(north)] };
            let whole = (west, east, south, north) == (part.west, part.east, part.south, part.north);
            let here = self.grid(root, inner, sides);
            // What sticks out of a root is outside.
            overlap = Some(together(overlap, if whole { here } else { together(Some(Overlap::Outside), here) }));
        }
        overlap.unwrap_or(Overlap::Outside)
    }

    fn grid(&self, grid: &Grid, part: Part, sides: Sides) -> Overlap {
        let (first_col, last_col) = (grid.col(part.west), grid.col(part.east));
        let (first_row, last_row) = (grid.row(part.south), grid.row(part.north));
        if last_col - first_col > 1 || last_row - first_row > 1 {
            return self.sums(grid, first_col, last_col, first_row, last_row);
        }
        let mut overlap = None;
        for col in first_col..=last_col {
            for row in first_row..=last_row {
                let pick = |values: [Option<f64>; 2], first: bool, last: bool| {
                    [values[0].filter(|_| first), values[1].filter(|_| last)]
                };
                let lons = pick(sides.lons, col == first_col, col == last_col);
                let lats = pick(sides.lats, row == first_row, row == last_row);
                let here = self.cell(grid, col, row, part, Sides { lons, lats });
                overlap = Some(together(overlap, here));
                if overlap == Some(Overlap::Boundary) {
                    return Overlap::Boundary;
                }
            }
        }
        overlap.unwrap_or(Overlap::Boundary)
    }

    fn sums(&self, grid: &Grid, first_col: u32, last_col: u32, first_row: u32, last_row: u32) -> Overlap {
        let height = grid.rows as usize + 1;
        let sum = |col: u32, row: u32| self.tiling.sums[grid.first_sum + col as usize * height + row as usize];
        // Both halves of the result are counts, so the borrow between the halves cancels out.
        let counts = sum(last_col + 1, last_row + 1)
            .wrapping_sub(sum(first_col, last_row + 1))
            .wrapping_sub(sum(last_col + 1, first_row))
            .wrapping_add(sum(first_col, first_row));
        let cells = u64::from(last_col - first_col + 1) * u64::from(last_row - first_row + 1);
        match counts {
            0 => Overlap::Outside,
            _ if counts == cells => Overlap::Inside,
            _ => Overlap::Boundary,
        }
    }

    fn cell(&self, grid: &Grid, col: u32, row: u32, part: Part, sides: Sides) -> Overlap {
        match self.tiling.cells[grid.cell(col, row)].unpack() {
            Cell::Outside => Overlap::Outside,
            Cell::Inside => Overlap::Inside,
            Cell::Divided(number) => self.grid(&self.tiling.grids[number], part, sides),
            Cell::Edges(start) => self.listed(start, part, sides),
        }
    }

    /// If no edge of the cell comes near the box, one point of the box in the cell speaks for all of them.
    fn listed(&self, start: usize, part: Part, sides: Sides) -> Overlap {
        let corner = |values: [Option<f64>; 2]| values[0].or(values[1]);
        let (Some(lon), Some(lat)) = (corner(sides.lons), corner(sides.lats)) else { return Overlap::Boundary };
        for entry in &self.tiling.entries[start..] {
            self.asked.set(self.asked.get() + 1);
            if self.may_touch(entry.edge(), part) {
                return Overlap::Boundary;
            }
            if entry.has(super::grid::Entry::LAST_OF_CELL) {
                break;
            }
        }
        let mut candidate = Candidate::new(lat, lon, || unit(lat, lon));
        let inside = self.tiling.decide(start, self.line, self.edges, &mut candidate);
        self.asked.set(self.asked.get() + candidate.asked);
        if inside { Overlap::Inside } else { Overlap::Outside }
    }

    fn may_touch(&self, number: usize, part: Part) -> bool {
        let edge = &self.edges[number];
        if edge.west_lon > part.east || edge.east_lon < part.west {
            return false;
        }
        let (low, high) = self.line.lat_range(number, part.west, part.east);
        low <= part.north && high >= part.south
    }
}
