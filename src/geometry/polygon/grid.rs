//! The grid: where inside and outside are known beforehand, and where a few edges must be asked.
//!
//! The surprising part: a cell knows the parity of all edges south of it although edges *end* south of it. An edge chain
//! that runs below a cell and comes back counts evenly whatever it does there; only where a chain rises into the cell
//! does the count below depend on the longitude, and it changes exactly at the longitude of the vertex the rising edge
//! starts from. So a cell keeps one bit of parity for its western side, and each of its edges keeps one bit an end: "this
//! end lies in my column, below my cell".
//!
//! ```text
//!            cell            count south of the point p
//!        ┌──────────┐
//!        │    p  /  │        p west of a:  base + the chain passing below (in base)
//!        │     _/   │        p east of a:  one more or one less: the bit of edge e at its end a
//!        └────/e────┘
//!            a   ____        The rule is combinatorial: it compares longitudes and row numbers, never a
//!            └──/            computed crossing, so it cannot contradict itself by rounding.
//! ```
//!
//! A cell with many edges holds a grid of its own, so detail on a distant island costs nothing on the mainland.
//!
//! *Memory*: an edge takes 32 bytes (geodesic 72), and one edge a vertex is the rule. Cells (12 bytes with their sums)
//! and list entries (4 bytes) are budgeted: at most 6 cells and about 24 entries a vertex whatever the shape; coasts of
//! 1 000 to 100 000 vertices took 30 to 90 bytes a vertex, a star of 100 000 spikes 96.

use super::edge::{Candidate, Edge, Line, Passes};
use crate::geometry::UnitVector;

/// An edge in the list of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(pub(super) u32);

impl Entry {
    /// The western end lies in the column of the cell.
    pub(super) const WEST_IN: u32 = 1;
    /// The eastern end lies in the column of the cell.
    pub(super) const EAST_IN: u32 = 1 << 1;
    /// The western end lies in the column and in a row below the cell.
    pub(super) const WEST_BELOW: u32 = 1 << 2;
    /// The eastern end lies in the column and in a row below the cell.
    pub(super) const EAST_BELOW: u32 = 1 << 3;
    /// The edges below the cell are odd on its western side (said once for each polygon).
    pub(super) const ODD: u32 = 1 << 4;
    /// The last edge of its polygon in this cell.
    pub(super) const LAST_OF_POLYGON: u32 = 1 << 5;
    /// The last edge in this cell.
    pub(super) const LAST_OF_CELL: u32 = 1 << 6;
    const BITS: u32 = 7;

    pub(super) fn new(edge: u32, bits: u32) -> Entry {
        debug_assert!(edge < 1 << (32 - Entry::BITS));
        Entry(edge << Entry::BITS | bits)
    }

    #[inline]
    pub(super) fn edge(self) -> usize {
        (self.0 >> Entry::BITS) as usize
    }

    #[inline]
    pub(super) fn has(self, bit: u32) -> bool {
        self.0 & bit != 0
    }
}

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    /// No part of it belongs to the polygon.
    Outside,
    /// All of it belongs to the polygon.
    Inside,
    /// Its edges start at this entry.
    Edges(usize),
    /// It is divided by the grid of this number.
    Divided(usize),
}

/// A [`Cell`] in four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackedCell(u32);

impl PackedCell {
    pub(super) const OUTSIDE: PackedCell = PackedCell(0);
    pub(super) const INSIDE: PackedCell = PackedCell(1);

    pub(super) fn edges(start: usize) -> PackedCell {
        debug_assert!(start < 1 << 30);
        PackedCell((start as u32) << 2 | 2)
    }

    pub(super) fn divided(grid: usize) -> PackedCell {
        PackedCell((grid as u32) << 2 | 3)
    }

    #[inline]
    pub(super) fn unpack(self) -> Cell {
        let number = (self.0 >> 2) as usize;
        match self.0 & 3 {
            0 => Cell::Outside,
            1 => Cell::Inside,
            2 => Cell::Edges(number),
            _ => Cell::Divided(number),
        }
    }
}

/// The division of a box into columns and rows. Which cell a position falls in is a monotone function of its longitude
/// and of its latitude; nothing else is asked of it, so its rounding does no harm.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) west: f64,
    pub(super) south: f64,
    pub(super) east: f64,
    pub(super) north: f64,
    pub(super) cols: u32,
    pub(super) rows: u32,
    cols_per_deg: f64,
    rows_per_deg: f64,
    /// Where its cells start; they stand column by column, from south to north.
    pub(super) first_cell: usize,
    /// Where its sums start (see [`Tiling::sums`]).
    pub(super) first_sum: usize,
}

impl Grid {
    pub(super) fn new(window: [f64; 4], cols: u32, rows: u32) -> Grid {
        let [west, south, east, north] = window;
        let per_deg = |count: u32, span: f64| if span > 0.0 { f64::from(count) / span } else { 0.0 };
        let (cols_per_deg, rows_per_deg) = (per_deg(cols, east - west), per_deg(rows, north - south));
        Grid { west, south, east, north, cols, rows, cols_per_deg, rows_per_deg, first_cell: 0, first_sum: 0 }
    }

    /// The column of a longitude; outside of the box, the nearest. (`as` takes what is below 0, and 0 × ∞, to 0.)
    #[inline]
    pub(super) fn col(&self, lon: f64) -> u32 {
        (((lon - self.west) * self.cols_per_deg) as u32).min(self.cols - 1)
    }

    /// The row of a latitude; outside of the box, the nearest.
    #[inline]
    pub(super) fn row(&self, lat: f64) -> u32 {
        (((lat - self.south) * self.rows_per_deg) as u32).min(self.rows - 1)
    }

    /// The western side of a column, within 2e-13 degrees; of column `cols`, the eastern side of the grid.
    pub(super) fn lon_of(&self, col: u32) -> f64 {
        self.west + (self.east - self.west) * (f64::from(col) / f64::from(self.cols))
    }

    /// The southern side of a row, within 1e-13 degrees.
    pub(super) fn lat_of(&self, row: u32) -> f64 {
        self.south + (self.north - self.south) * (f64::from(row) / f64::from(self.rows))
    }

    #[inline]
    pub(super) fn cell(&self, col: u32, row: u32) -> usize {
        self.first_cell + col as usize * self.rows as usize + row as usize
    }
}

/// All grids of a prepared polygon. The first ones cover its windows of longitude, one or two.
#[derive(Debug, Default)]
pub(super) struct Tiling {
    pub(super) roots: usize,
    pub(super) grids: Vec<Grid>,
    pub(super) cells: Vec<PackedCell>,
    pub(super) entries: Vec<Entry>,
    /// For each grid, (cols + 1) × (rows + 1) prefix sums: cells with edges (high half) and cells inside (low half).
    pub(super) sums: Vec<u64>,
    /// How often an edge was laid into a column or a cell while the grids were built, whatever became of it.
    pub(super) laid: usize,
}

impl Tiling {
    /// Makes room for what a simple polygon of so many edges needs, so that little is moved while it grows.
    pub(super) fn make_room(&mut self, edges: usize) {
        self.cells.reserve(2 * edges + 64);
        self.sums.reserve(3 * edges + 128);
        self.entries.reserve(2 * edges + 32);
    }

    /// Whether the candidate belongs to the polygon. Its longitude lies in (-180, 180]; it is no pole.
    #[inline]
    pub(super) fn contains<L: Line, F: FnOnce() -> UnitVector>(
        &self,
        line: &L,
        edges: &[Edge],
        candidate: &mut Candidate<F>,
    ) -> bool {
        let (lat, lon) = (candidate.lat, candidate.lon);
        let holds = |grid: &&Grid| grid.west <= lon && lon <= grid.east && grid.south <= lat && lat <= grid.north;
        let Some(mut grid) = self.grids[..self.roots].iter().find(holds) else { return false };
        loop {
            match self.cells[grid.cell(grid.col(lon), grid.row(lat))].unpack() {
                Cell::Outside => return false,
                Cell::Inside => return true,
                Cell::Edges(start) => return self.decide(start, line, edges, candidate),
                Cell::Divided(number) => grid = &self.grids[number],
            }
        }
    }

    /// Decides by the edges of a cell: in the polygon if on an edge, or if the edges south of the point are odd for any
    /// one of the polygons.
    #[inline]
    pub(super) fn decide<L: Line, F: FnOnce() -> UnitVector>(
        &self,
        start: usize,
        line: &L,
        edges: &[Edge],
        candidate: &mut Candidate<F>,
    ) -> bool {
        let lon = candidate.lon;
        let mut odd = false;
        for (before, entry) in self.entries[start..].iter().enumerate() {
            let number = entry.edge();
            let edge = &edges[number];
            // An end counts from its own longitude on, eastwards: so a vertex counts for one of its two edges.
            let (past_west, past_east) = (edge.west_lon <= lon, edge.east_lon <= lon);
            odd ^= entry.has(Entry::ODD)
                ^ (entry.has(Entry::WEST_BELOW) && past_west)
                ^ (entry.has(Entry::EAST_BELOW) && past_east);
            if past_west && lon <= edge.east_lon {
                match line.passes(number, candidate) {
                    Passes::Through => {
                        candidate.asked += before as u32 + 1;
                        return true;
                    }
                    Passes::South => odd ^= !past_east,
                    Passes::North => {}
                }
            }
            if entry.has(Entry::LAST_OF_POLYGON) && (odd || entry.has(Entry::LAST_OF_CELL)) {
                candidate.asked += before as u32 + 1;
                return odd;
            }
        }
        debug_assert!(false, "the list of a cell has an end");
        odd
    }
}
