//! A quick first look: which children of a node can touch what is looked for at all.
//!
//! An area judges a box in some forty instructions; most children of a node need five to be dropped. What surprises: the
//! two forms of a window serve different kinds. Cells of a grid are compared as columns and rows, boxes of an R-tree in
//! single precision, four edges at once.

use std::ops::RangeInclusive;

use bytemuck::{Pod, Zeroable};
use wide::f32x4;

use super::curve::{self, Cell};
use crate::geometry::Rect;

/// A box without a seam that holds all that is looked for, in degrees and as columns and rows of the grid.
#[derive(Debug, Clone)]
pub struct Window {
    /// The box; the whole earth when none is known.
    pub frame: Rect,
    /// The columns that touch it.
    pub columns: RangeInclusive<u32>,
    /// The rows that touch it.
    pub rows: RangeInclusive<u32>,
    /// The box as [`LooseBox`] compares it.
    loose: f32x4,
}

impl Window {
    /// The window round a frame.
    pub fn round(frame: Option<Rect>) -> Window {
        let frame = frame.unwrap_or(Rect::WORLD);
        Window {
            frame,
            columns: curve::column(frame.west())..=curve::column(frame.east()),
            rows: curve::row(frame.south())..=curve::row(frame.north()),
            loose: f32x4::new([above(frame.north()), above(frame.east()), -below(frame.south()), -below(frame.west())]),
        }
    }

    /// Whether a loose box without a seam may touch it: four comparisons in one.
    #[inline]
    pub fn touches(&self, loose: LooseBox) -> bool {
        f32x4::new(loose.edges).simd_le(self.loose).to_bitmask() == 0b1111
    }

    /// Whether a cell of the curve touches it.
    #[inline]
    pub fn touches_cell(&self, cell: Cell) -> bool {
        let (columns, rows) = (cell.columns(), cell.rows());
        columns.start() <= self.columns.end()
            && self.columns.start() <= columns.end()
            && rows.start() <= self.rows.end()
            && self.rows.start() <= rows.end()
    }
}

/// A box in single precision, rounded outwards, in 16 bytes.
///
/// North and east are kept with their signs changed: then the box round two boxes is the least of each edge, and whether
/// two boxes touch is four comparisons of the same kind.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub struct LooseBox {
    /// South, west, minus north, minus east.
    edges: [f32; 4],
}

impl LooseBox {
    /// The box round some positions (latitude, longitude), at least one.
    pub fn round(positions: &[[f64; 2]]) -> LooseBox {
        let (mut south, mut west, mut north, mut east) = (90.0_f64, 180.0_f64, -90.0_f64, -180.0_f64);
        for &[lat, lon] in positions {
            (south, north) = (south.min(lat), north.max(lat));
            (west, east) = (west.min(lon), east.max(lon));
        }
        LooseBox { edges: [below(south), below(west), -above(north), -above(east)] }
    }

    /// The box round some boxes, at least one.
    pub fn round_all(boxes: &[LooseBox]) -> LooseBox {
        let least = |edge: usize| boxes.iter().fold(f32::INFINITY, |least, one| least.min(one.edges[edge]));
        LooseBox { edges: [least(0), least(1), least(2), least(3)] }
    }

    /// The same box in double precision. ±90 and ±180 are `f32` values, so it never leaves the earth.
    #[inline]
    pub fn rect(self) -> Rect {
        let [south, west, minus_north, minus_east] = self.edges.map(f64::from);
        Rect::of_edges(south, west, -minus_north, -minus_east)
    }
}

/// The nearest `f32` that is not above.
fn below(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) > value { near.next_down() } else { near }
}

/// The nearest `f32` that is not below.
fn above(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) < value { near.next_up() } else { near }
}
