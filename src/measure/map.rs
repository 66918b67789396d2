//! Where the points lie, in numbers that fit on a page: a grid of counts, and for each kind the cells of one level.

use std::sync::Arc;

use crate::collection::Snapshot;
use crate::geometry::maths::{RADIANS, cos};
use crate::geometry::{Point, Rect};
use crate::index::Role;

/// Squares of the grid along its longer side, and the most cells that are drawn of a kind.
const SQUARES: usize = 144;
const CELLS_MAX: usize = 1100;
const LEVELS_MAX: u32 = 32;

/// How much higher or wider than the other side a map may be.
const NARROWEST: f64 = 0.45;

/// The points as a grid of counts, north first, with cells over it.
#[derive(Debug, Clone)]
pub struct Map {
    /// What it shows.
    pub frame: Rect,
    /// Width over height as it should be drawn: a degree of longitude is shorter than one of latitude.
    pub shape: f64,
    /// Columns and rows of the grid.
    pub columns: usize,
    /// Rows of the grid.
    pub rows: usize,
    /// How many points lie in each square, row by row.
    pub counts: Vec<u32>,
    /// The cells of each kind that users can choose.
    pub kinds: Vec<CellsOfKind>,
}

/// Some cells of a kind.
#[derive(Debug, Clone)]
pub struct CellsOfKind {
    /// Which kind.
    pub kind: &'static str,
    /// How many levels under the root they lie.
    pub level: u32,
    /// Their boxes.
    pub cells: Vec<Rect>,
}

impl Map {
    /// The map of some points in a collection that was built over them. `None` without points.
    pub(super) fn of(points: &[Point], snapshot: &Arc<Snapshot>) -> Option<Map> {
        let (frame, shape) = frame(points)?;
        let columns = if shape >= 1.0 { SQUARES } else { (SQUARES as f64 * shape) as usize };
        let rows = ((columns as f64 / shape).round() as usize).max(1);
        let mut counts = vec![0; columns * rows];
        let place = |share: f64, count: usize| ((share * count as f64) as usize).min(count - 1);
        for point in points {
            let east = (point.lon_deg() - frame.west()) / (frame.east() - frame.west());
            let south = (frame.north() - point.lat_deg()) / (frame.north() - frame.south());
            counts[place(south, rows) * columns + place(east, columns)] += 1;
        }
        let offered = snapshot.kinds().iter().filter(|kind| kind.role == Role::Offered);
        let kinds = offered.map(|kind| cells(kind, frame, snapshot)).collect();
        Some(Map { frame, shape, columns, rows, counts, kinds })
    }
}

/// The deepest level of which not too many cells lie in the frame.
fn cells(kind: &'static crate::index::Kind, frame: Rect, snapshot: &Snapshot) -> CellsOfKind {
    let of_level = |level| snapshot.cells(kind, frame, level, CELLS_MAX + 1).unwrap_or_default();
    let mut shown = CellsOfKind { kind: kind.name, level: 0, cells: Vec::new() };
    for level in 0..LEVELS_MAX {
        let found = of_level(level);
        if found.len() > CELLS_MAX || (level > 0 && found.is_empty()) {
            break;
        }
        let deepest = found.iter().map(|cell| cell.level).max().unwrap_or(0);
        shown.level = deepest;
        shown.cells = found.into_iter().map(|cell| cell.rect).collect();
        if deepest < level {
            break; // there is nothing below
        }
    }
    shown
}

/// A box round all points with some air, neither too narrow nor too flat, and its width over its height.
fn frame(points: &[Point]) -> Option<(Rect, f64)> {
    let first = points.first()?;
    let start = [first.lat_deg(), first.lon_deg(), first.lat_deg(), first.lon_deg()];
    let [south, west, north, east] = points.iter().fold(start, |[south, west, north, east], point| {
        let (lat, lon) = (point.lat_deg(), point.lon_deg());
        [south.min(lat), west.min(lon), north.max(lat), east.max(lon)]
    });
    let (lat, lon) = ((south + north) / 2.0, (west + east) / 2.0);
    let squeeze = cos(lat * RADIANS).max(0.2);
    let air = 1.06;
    // In degrees of latitude; a hundred metres where all points are one.
    let (mut height, mut width) =
        (((north - south) * air).clamp(0.001, 180.0), ((east - west) * air).clamp(0.001, 360.0) * squeeze);
    height = height.max(width * NARROWEST).min(180.0);
    width = width.max(height * NARROWEST).min(360.0 * squeeze);
    // Dividing by what it was multiplied with can give a hair more than half a turn.
    let half_width = (width / squeeze / 2.0).min(180.0);
    let middle = lat.clamp(-90.0 + height / 2.0, 90.0 - height / 2.0);
    let centre = lon.clamp(-180.0 + half_width, 180.0 - half_width);
    let rect = Rect::clamped(middle - height / 2.0, centre - half_width, middle + height / 2.0, centre + half_width);
    Some((rect, width / height))
}
