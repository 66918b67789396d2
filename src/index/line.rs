//! The Hilbert curve as a line, for drawing.
//!
//! What surprises: a line goes on to the first cell beyond the frame at either end, so that it is seen to come from somewhere; and so
//! that it is a line where a single cell touches the frame.

use super::curve::{Cell, ORDER};
use crate::geometry::{Overlap, Point, Rect};

/// The deepest level that is drawn: places along the curve are then whole numbers that every program reads exactly.
pub const DEEPEST: u32 = 24;

/// Cells that follow each other along the curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// The place of the first along the curve.
    pub first: u64,
    /// How many there are.
    pub cells: u64,
    /// Their middles, and those of the cells before the first and after the last, if there are such.
    pub line: Vec<Point>,
}

/// The curve in a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveLine {
    /// How often the earth is halved both ways.
    pub level: u32,
    /// What touches the frame, in the order of the curve.
    pub stretches: Vec<Stretch>,
    /// Whether that is all there is.
    pub complete: bool,
}

/// The curve at a level, at most [`DEEPEST`], as far as it goes through a frame; at most so many cells. Without a level the deepest is taken
/// that has no more.
pub fn curve_through(frame: Rect, level: Option<u32>, most: usize) -> CurveLine {
    let level = level.unwrap_or_else(|| {
        let too_deep = (1..=DEEPEST).find(|level| cells_in(frame, *level, most + 1).len() > most);
        too_deep.unwrap_or(DEEPEST + 1) - 1
    });
    debug_assert!(level <= DEEPEST);
    let mut cells = cells_in(frame, level, most + 1);
    let complete = cells.len() <= most;
    cells.truncate(most);
    let follows = |a: &Cell, b: &Cell| place(*a) + 1 == place(*b);
    let stretches = cells.chunk_by(follows).map(stretch).collect();
    CurveLine { level, stretches, complete }
}

/// The cells of a level that touch a frame, in the order of the curve.
fn cells_in(frame: Rect, level: u32, most: usize) -> Vec<Cell> {
    let (mut cells, mut open) = (Vec::new(), vec![Cell::EARTH]);
    while let Some(cell) = open.pop() {
        if cells.len() >= most {
            break;
        }
        if frame.overlap(cell.outline()) == Overlap::Outside {
            continue;
        }
        match cell.depth() == level {
            true => cells.push(cell),
            false => open.extend(cell.children().into_iter().rev()),
        }
    }
    cells
}

/// The place of a cell among those of its level.
fn place(cell: Cell) -> u64 {
    cell.first_key().checked_shr(2 * (ORDER - cell.depth())).unwrap_or(0)
}

fn stretch(cells: &[Cell]) -> Stretch {
    let (first, last) = (cells[0], cells[cells.len() - 1]);
    let before = first.first_key().checked_sub(1).map(|key| Cell::of_key(key, first.depth()));
    let after = last.last_key().checked_add(1).map(|key| Cell::of_key(key, last.depth()));
    let line = before.into_iter().chain(cells.iter().copied()).chain(after).map(Cell::middle).collect();
    Stretch { first: place(first), cells: cells.len() as u64, line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repeatable::repeatable;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(repeatable(300))]

        #[test]
        fn the_line_is_the_curve_of_the_reference_crate(
            level in 1_u32..8,
            west in -180.0..179.0_f64,
            south in -90.0..89.0_f64,
            width in 0.0..200.0_f64,
            height in 0.0..100.0_f64,
        ) {
            let frame = Rect::from_corners(south, west, (south + height).min(90.0), (west + width).min(180.0)).unwrap();
            let drawn = curve_through(frame, Some(level), 100_000);
            prop_assert!(drawn.complete);
            let side = (1_u64 << level) as f64;
            let mut inside = 0;
            for Stretch { first, cells, line } in &drawn.stretches {
                let begins = first.saturating_sub(1);
                for (place, point) in (begins..).zip(line) {
                    let (column, row) =
                        hilbert_2d::u64::h2xy_discrete(place, u64::from(level), hilbert_2d::Variant::Hilbert);
                    let middle = ((row as f64 + 0.5) * 180.0 / side - 90.0, (column as f64 + 0.5) * 360.0 / side - 180.0);
                    prop_assert_eq!((point.lat_deg(), point.lon_deg()), middle);
                }
                inside += cells;
            }
            // Every cell that touches the frame is on it.
            let touching = |low: f64, high: f64, from: f64, size: f64| {
                let cell = |n: &u64| from + *n as f64 * size <= high && from + (*n + 1) as f64 * size >= low;
                (0..1_u64 << level).filter(cell).count() as u64
            };
            let columns = touching(frame.west(), frame.east(), -180.0, 360.0 / side);
            let rows = touching(frame.south(), frame.north(), -90.0, 180.0 / side);
            // A frame that touches ±180 touches the cells on its other side as well.
            let is_seamless = -180.0 < frame.west() && frame.east() < 180.0 && -90.0 < frame.south() && frame.north() < 90.0;
            let sound = if is_seamless { inside == columns * rows } else { inside >= columns * rows };
            prop_assert!(sound, "{} cells of {} by {}", inside, columns, rows);
        }
    }

    #[test]
    fn a_level_is_found_that_has_no_more_than_wanted() {
        for (frame, most) in
            [(Rect::WORLD, 1000), (Rect::WORLD, 1), (Rect::from_corners(48.0, 2.0, 49.0, 3.0).unwrap(), 50)]
        {
            let drawn = curve_through(frame, None, most);
            let cells =
                |level| curve_through(frame, Some(level), 1_000_000).stretches.iter().map(|one| one.cells).sum::<u64>();
            assert!(drawn.complete && cells(drawn.level) <= most as u64 && cells(drawn.level + 1) > most as u64);
        }
        let point = Rect::from_corners(48.1, 2.1, 48.1, 2.1).unwrap();
        assert_eq!(curve_through(point, None, 1000).level, DEEPEST);
    }

    #[test]
    fn a_frame_over_the_antimeridian_has_the_curve_on_both_sides() {
        let frame = Rect::from_corners(-20.0, 170.0, 0.0, -170.0).unwrap();
        let drawn = curve_through(frame, Some(6), 1000);
        let lons = || drawn.stretches.iter().flat_map(|one| &one.line).map(|point| point.lon_deg());
        assert!(lons().any(|lon| lon > 175.0) && lons().any(|lon| lon < -175.0));
        assert!(lons().all(|lon| lon.abs() > 155.0));
    }

    #[test]
    fn what_is_too_much_is_cut_and_said_so() {
        let drawn = curve_through(Rect::WORLD, Some(9), 100);
        assert!(!drawn.complete);
        assert_eq!((drawn.stretches.len(), drawn.stretches[0].cells, drawn.stretches[0].line.len()), (1, 100, 101));
        let earth = curve_through(Rect::WORLD, Some(0), 100);
        assert_eq!((earth.complete, earth.stretches[0].line.len()), (true, 1), "a single cell is no line");
    }
}
