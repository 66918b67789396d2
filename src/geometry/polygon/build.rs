//! Builds the grids: which edges each cell asks, and what is known of the rest.
//!
//! The surprising part: columns and rows are not chosen square. A comb of 100 000 long teeth lying east-west would put
//! every tooth in every column; it gets one column and very many rows. The counts balance what the edges occupy of
//! columns against what they occupy of rows, and a budget bounds the whole, so memory never grows faster than the number
//! of vertices.

use std::collections::BinaryHeap;

use super::edge::{Edge, Line};
use super::grid::{Cell, Entry, Grid, PackedCell, Tiling};
use super::outline::Outline;

/// A cell with more edges than this gets a grid of its own. Measured at 10 000 vertices: 12 instead of 16 doubles memory
/// and the time to build, and makes a candidate near the boundary 15 % cheaper.
const CROWDED: usize = 16;

/// Grids within grids stop here; edges that all meet in one vertex cannot be told apart by dividing further.
const DEEPEST: u32 = 8;

/// How much to build.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    /// Cells in all.
    pub(super) cells: usize,
    /// List entries in all.
    pub(super) entries: usize,
    /// Whether the outermost grids get half as many cells: where candidates are few, making cells takes longer than asking edges.
    pub(super) sparse: bool,
}

/// Builds the tiling of a polygon.
pub(super) fn tiling<L: Line>(outline: &Outline, line: &L, effort: Effort) -> Tiling {
    let windows = outline.extent.windows();
    let edges = &outline.table.edges;
    let mut builder = Builder { line, edges, tiling: Tiling::default(), effort, crowded: BinaryHeap::new() };
    builder.tiling.roots = windows.len();
    builder.tiling.make_room(edges.len());
    builder.tiling.grids.resize(windows.len(), Grid::new([0.0; 4], 1, 1));
    for (number, &(west, east)) in windows.iter().enumerate() {
        let listed = entries_of_window(outline, west, east);
        let window = [west, outline.extent.south, east, outline.extent.north];
        builder.fill(number, window, &listed, 0, &mut Workbench::default());
    }
    builder.divide_crowded_cells();
    builder.tiling
}

/// The entries that a window starts with: every edge that shares a longitude with it, polygon by polygon.
fn entries_of_window(outline: &Outline, west: f64, east: f64) -> Vec<Entry> {
    let mut listed = Vec::with_capacity(outline.table.edges.len());
    for part in &outline.parts {
        let before = listed.len();
        for number in part.first_edge..part.end_edge {
            let edge = &outline.table.edges[number as usize];
            if edge.west_lon <= east && edge.east_lon >= west {
                // At the seam of the window only one of the two edges of a vertex is here; its end counts as further west.
                let west_in = if edge.west_lon >= west && edge.west_lon > -180.0 { Entry::WEST_IN } else { 0 };
                let east_in = if edge.east_lon <= east { Entry::EAST_IN } else { 0 };
                listed.push(Entry::new(number, west_in | east_in));
            }
        }
        close_group(&mut listed[before..], part.holds_south, Entry::LAST_OF_POLYGON);
    }
    listed
}

/// Marks what is said once for a group of entries.
fn close_group(group: &mut [Entry], odd: bool, last: u32) {
    if let Some(entry) = group.first_mut() {
        entry.0 |= if odd { Entry::ODD } else { 0 };
    }
    if let Some(entry) = group.last_mut() {
        entry.0 |= last;
    }
}

/// An edge in one column of the grid under construction.
#[derive(Debug, Clone, Copy)]
struct Run {
    col: u32,
    /// Which polygon, counted within the grid.
    polygon: u32,
    edge: u32,
    /// Rows that the edge may touch in this column; `high` is -1 when it surely stays below the grid.
    low: i32,
    high: i32,
    /// Whether the western, the eastern end lies in the column; and the row of that end, -1 below the grid.
    west_row: Option<i32>,
    east_row: Option<i32>,
    /// Whether it spans the western side of the column.
    spans_west_side: bool,
    /// Whether the edges below the grid are odd on the western side of the column.
    odd: bool,
}

impl Run {
    fn entry(&self, row: i32) -> (i32, Entry) {
        let mut bits = 0;
        if let Some(end) = self.west_row {
            bits |= Entry::WEST_IN | if end < row { Entry::WEST_BELOW } else { 0 };
        }
        if let Some(end) = self.east_row {
            bits |= Entry::EAST_IN | if end < row { Entry::EAST_BELOW } else { 0 };
        }
        (row, Entry::new(self.edge, bits))
    }
}

/// Columns and rows are no narrower than this, in degrees: a tenth of a millimetre. Where the widening of
/// [`Line::lat_range`] is as wide as a column, each edge would be in all of them.
const FINEST: f64 = 1e-9;

/// How much of the width, the height and the area of a window edges occupy, counted in windows.
struct Shares {
    lon: f64,
    lat: f64,
    /// Only those that fill their boxes.
    boxes: f64,
}

/// A cell that waits to be divided; the most crowded one comes first, so that a budget that runs out has gone where it
/// helped most.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Crowded {
    count: usize,
    start: usize,
    grid: usize,
    col: u32,
    row: u32,
    depth: u32,
}

/// Buffers that one small grid leaves for the next. The roots have their own, let go before the small ones begin: kept,
/// they made the tiling grow into fresh memory, and 100 000 vertices took a third longer.
#[derive(Default)]
struct Workbench {
    runs: Vec<Run>,
    /// Numbers of runs, column by column.
    order: Vec<u32>,
    /// Where the numbers of each column end.
    ends: Vec<u32>,
    /// The runs of the column at hand.
    here: Vec<Run>,
    /// Columns from whose western side on the edges of the polygon at hand below the grid change between even and odd.
    toggles: Vec<u32>,
    /// By column, the last polygon that has an edge there.
    seen: Vec<u32>,
    /// By column, how many polygons cover all of it and have no edge there. While it is made: how many more than in the
    /// column before, so that a polygon over many columns costs no more than one over few.
    covered: Vec<i32>,
    column: Column,
}

struct Builder<'a, L> {
    line: &'a L,
    edges: &'a [Edge],
    tiling: Tiling,
    effort: Effort,
    crowded: BinaryHeap<Crowded>,
}

impl<L: Line> Builder<'_, L> {
    fn divide_crowded_cells(&mut self) {
        let (mut listed, mut bench) = (Vec::new(), Workbench::default());
        while let Some(Crowded { count, start, grid, col, row, depth }) = self.crowded.pop() {
            let room = self.effort.entries.saturating_sub(self.tiling.entries.len());
            let cells_left = self.effort.cells.saturating_sub(self.tiling.cells.len());
            if depth >= DEEPEST || room < 4 * count || cells_left < 16 {
                continue;
            }
            listed.clear();
            listed.extend_from_slice(&self.tiling.entries[start..start + count]);
            let parent = self.tiling.grids[grid];
            let window = [parent.lon_of(col), parent.lat_of(row), parent.lon_of(col + 1), parent.lat_of(row + 1)];
            if window[2] - window[0] < FINEST && window[3] - window[1] < FINEST {
                continue;
            }
            let number = self.tiling.grids.len();
            self.tiling.grids.push(Grid::new(window, 1, 1));
            let at = parent.cell(col, row);
            self.fill(number, window, &listed, depth + 1, &mut bench);
            self.tiling.cells[at] = PackedCell::divided(number);
        }
    }

    /// Builds one grid over `window` from the entries that lie in it.
    fn fill(&mut self, number: usize, window: [f64; 4], listed: &[Entry], depth: u32, bench: &mut Workbench) {
        let mut grid = self.shape(window, listed, if depth == 0 { 64 } else { 16 });
        grid.first_cell = self.tiling.cells.len();
        grid.first_sum = self.tiling.sums.len();
        self.tiling.grids[number] = grid;
        self.lay_runs(&grid, listed, bench);
        bench.order_runs(grid.cols as usize);
        let mut start = 0;
        for col in 0..grid.cols {
            let end = bench.ends[col as usize] as usize;
            bench.here.clear();
            bench.here.extend(bench.order[start..end].iter().map(|&run| bench.runs[run as usize]));
            start = end;
            bench.column.fill(&bench.here, grid.rows as i32, bench.covered[col as usize]);
            self.tiling.laid += bench.here.len() + bench.column.placed.len();
            self.close_column(number, col, &bench.column, depth);
        }
        add_sums(&mut self.tiling, &grid);
    }

    /// Chooses columns and rows: two cells an edge and some more, divided so that edges occupy as many columns as rows.
    fn shape(&self, window: [f64; 4], listed: &[Entry], fewest: usize) -> Grid {
        let [west, south, east, north] = window;
        let Shares { lon, lat, boxes } = self.shares(window, listed);
        let cells_left = self.effort.cells.saturating_sub(self.tiling.cells.len()).max(1);
        let room = self.effort.entries.saturating_sub(self.tiling.entries.len() + listed.len()) as f64;
        // An edge occupies about 1 + its share of columns + its share of rows; balanced, that is 2 sqrt(cells · shares).
        // One that fills its box occupies its share of all cells.
        let entries = room.min(12.0 * listed.len() as f64);
        let affordable = ((entries / 2.0).powi(2) / (lon * lat)).min(entries / boxes);
        let wanted = (2 * listed.len() + fewest) / if self.effort.sparse { 2 } else { 1 };
        let wanted = wanted.min(cells_left) as f64;
        let cells = wanted.min(affordable).max(1.0);
        let cols = (cells * lat / lon).sqrt().clamp(1.0, cells).min((east - west) / FINEST).max(1.0).floor();
        let rows = (cells / cols).min(entries / lat).min((north - south) / FINEST).max(1.0).floor();
        Grid::new(window, cols as u32, rows as u32)
    }

    fn shares(&self, window: [f64; 4], listed: &[Entry]) -> Shares {
        let [west, south, east, north] = window;
        let (mut lon, mut lat, mut boxes) = (0.0, 0.0, 0.0);
        for entry in listed {
            let edge = &self.edges[entry.edge()];
            let (low, high) = self.line.lat_range(entry.edge(), f64::NEG_INFINITY, f64::INFINITY);
            let wide = (edge.east_lon.min(east) - edge.west_lon.max(west)).max(0.0);
            let tall = (high.min(north) - low.max(south)).max(0.0);
            lon += wide;
            lat += tall;
            boxes += if self.line.fills_its_box(entry.edge()) { wide * tall } else { 0.0 };
        }
        let share = |sum: f64, span: f64| if span > 0.0 { (sum / span).max(1e-3) } else { 1e-3 };
        let (wide, tall) = (east - west, north - south);
        Shares { lon: share(lon, wide), lat: share(lat, tall), boxes: share(boxes, wide * tall) }
    }

    /// Every entry in every column it touches.
    fn lay_runs(&self, grid: &Grid, listed: &[Entry], bench: &mut Workbench) {
        bench.clear(grid.cols as usize);
        let groups = listed.chunk_by(|entry, _| !entry.has(Entry::LAST_OF_POLYGON));
        for (polygon, group) in (0..).zip(groups) {
            bench.toggle_below(grid, self.edges, group);
            for &entry in group {
                self.push_runs(grid, entry, polygon, bench);
            }
        }
        for col in 1..bench.covered.len() {
            bench.covered[col] += bench.covered[col - 1];
        }
    }

    fn push_runs(&self, grid: &Grid, entry: Entry, polygon: u32, bench: &mut Workbench) {
        let edge = &self.edges[entry.edge()];
        let end = |inside, below, lon: f64, lat: f64| {
            let row = if entry.has(below) { -1 } else { grid.row(lat) as i32 };
            entry.has(inside).then(|| (grid.col(lon), row))
        };
        let west_end = end(Entry::WEST_IN, Entry::WEST_BELOW, edge.west_lon, edge.west_lat);
        let east_end = end(Entry::EAST_IN, Entry::EAST_BELOW, edge.east_lon, edge.east_lat);
        let first = west_end.map_or(0, |(col, _)| col);
        let last = east_end.map_or(grid.cols - 1, |(col, _)| col);
        for col in first..=last {
            let (low, high) = self.line.lat_range(entry.edge(), grid.lon_of(col), grid.lon_of(col + 1));
            if low > grid.north {
                continue;
            }
            let row_in = |end: Option<(u32, i32)>| end.filter(|end| end.0 == col).map(|end| end.1);
            let odd = bench.enter(col, polygon);
            bench.runs.push(Run {
                col,
                polygon,
                edge: entry.edge() as u32,
                low: grid.row(low) as i32,
                high: if high < grid.south { -1 } else { grid.row(high) as i32 },
                west_row: row_in(west_end),
                east_row: row_in(east_end),
                spans_west_side: row_in(west_end).is_none(),
                odd,
            });
        }
    }

    /// Writes the cells of a column and their lists.
    fn close_column(&mut self, grid: usize, col: u32, column: &Column, depth: u32) {
        let mut placed = column.placed.as_slice();
        let mut covering = 0;
        for (row, change) in (0..).zip(&column.covering[..column.covering.len() - 1]) {
            covering += change;
            // Most rows have none or few, so counting beats a binary search: by a fifth of all the time at 1 000 vertices.
            let count = placed.iter().take_while(|place| place.0 == row).count();
            let (here, beyond) = placed.split_at(count);
            placed = beyond;
            let cell = if covering > 0 {
                PackedCell::INSIDE
            } else if here.is_empty() {
                PackedCell::OUTSIDE
            } else {
                let start = self.tiling.entries.len();
                self.tiling.entries.extend(here.iter().map(|place| place.1));
                self.tiling.entries[start + count - 1].0 |= Entry::LAST_OF_CELL;
                if count > CROWDED {
                    self.crowded.push(Crowded { count, start, grid, col, row: row as u32, depth });
                }
                PackedCell::edges(start)
            };
            self.tiling.cells.push(cell);
        }
    }
}

impl Workbench {
    fn clear(&mut self, cols: usize) {
        self.runs.clear();
        self.seen.clear();
        self.seen.resize(cols, u32::MAX);
        self.covered.clear();
        self.covered.resize(cols + 1, 0);
    }

    /// Notes where the edges of a polygon below the grid are odd, and takes it to cover the columns there.
    fn toggle_below(&mut self, grid: &Grid, edges: &[Edge], group: &[Entry]) {
        self.toggles.clear();
        for entry in group {
            let edge = &edges[entry.edge()];
            let changes = [
                entry.has(Entry::ODD).then_some(0),
                entry.has(Entry::WEST_BELOW).then(|| grid.col(edge.west_lon) + 1),
                entry.has(Entry::EAST_BELOW).then(|| grid.col(edge.east_lon) + 1),
            ];
            self.toggles.extend(changes.into_iter().flatten());
        }
        self.toggles.sort_unstable();
        for stretch in self.toggles.chunks(2) {
            self.covered[stretch[0] as usize] += 1;
            self.covered[stretch.get(1).map_or(grid.cols as usize, |&end| end as usize)] -= 1;
        }
    }

    /// Whether the edges of the polygon at hand below the grid are odd on the western side of a column in which it has an
    /// edge: that column it does not cover.
    fn enter(&mut self, col: u32, polygon: u32) -> bool {
        let odd = self.toggles.partition_point(|&from| from <= col) % 2 == 1;
        let first = std::mem::replace(&mut self.seen[col as usize], polygon) != polygon;
        if odd && first {
            self.covered[col as usize] -= 1;
            self.covered[col as usize + 1] += 1;
        }
        odd
    }

    /// Orders runs by column and keeps their order within it (a counting sort, of numbers: runs are ten times as large).
    fn order_runs(&mut self, cols: usize) {
        let Workbench { runs, order, ends, .. } = self;
        ends.clear();
        ends.resize(cols + 1, 0);
        for run in &*runs {
            ends[run.col as usize + 1] += 1;
        }
        for col in 1..cols {
            ends[col] += ends[col - 1];
        }
        // Until here the place of a column is where its numbers start; each number moves it on, at last to their end.
        order.resize(runs.len(), 0);
        for (number, run) in (0..).zip(&*runs) {
            let place = &mut ends[run.col as usize];
            order[*place as usize] = number;
            *place += 1;
        }
    }
}

/// One column under construction.
#[derive(Default)]
struct Column {
    /// Entries with their rows; by row, and within a row polygon by polygon.
    placed: Vec<(i32, Entry)>,
    /// How many polygons begin to cover, or cease to cover, whole cells at each row. One longer than the rows.
    covering: Vec<i32>,
    /// Rows from which on one more edge passes below, of the polygon at hand.
    toggles: Vec<i32>,
}

impl Column {
    /// `covered`: how many polygons cover all of it.
    fn fill(&mut self, runs: &[Run], rows: i32, covered: i32) {
        self.placed.clear();
        self.covering.clear();
        self.covering.resize(rows as usize + 1, 0);
        self.covering[0] = covered;
        let mut polygons = 0;
        for polygon in runs.chunk_by(|a, b| a.polygon == b.polygon) {
            self.add_polygon(polygon, rows);
            polygons += 1;
        }
        if polygons > 1 {
            self.placed.sort_by_key(|place| place.0);
        }
    }

    fn add_polygon(&mut self, runs: &[Run], rows: i32) {
        let start = self.placed.len();
        self.toggles.clear();
        for run in runs {
            self.placed.extend((run.low..=run.high).map(|row| run.entry(row)));
            if run.spans_west_side {
                self.toggles.push(run.high + 1);
            }
        }
        self.placed[start..].sort_by_key(|place| place.0);
        self.toggles.sort_unstable();
        self.cover(runs[0].odd, rows);
        self.close_rows(start, runs[0].odd);
    }

    /// Notes the rows that lie in the polygon on the western side of the column.
    fn cover(&mut self, mut odd: bool, rows: i32) {
        let mut since = 0;
        for &row in self.toggles.iter().chain([&rows]) {
            if odd {
                self.covering[since as usize] += 1;
                self.covering[row as usize] -= 1;
            }
            (odd, since) = (!odd, row);
        }
    }

    /// Writes the parity below into each row that has edges, and takes these rows out of the covered ones.
    fn close_rows(&mut self, start: usize, mut odd: bool) {
        let mut toggles = self.toggles.iter().peekable();
        for here in self.placed[start..].chunk_by_mut(|a, b| a.0 == b.0) {
            let row = here[0].0;
            while toggles.next_if(|&&from| from <= row).is_some() {
                odd = !odd;
            }
            if odd {
                here[0].1.0 |= Entry::ODD;
                self.covering[row as usize] -= 1;
                self.covering[row as usize + 1] += 1;
            }
            here[here.len() - 1].1.0 |= Entry::LAST_OF_POLYGON;
        }
    }
}

/// Prefix sums over a grid: cells with edges in the high half, cells inside in the low half.
fn add_sums(tiling: &mut Tiling, grid: &Grid) {
    let height = grid.rows as usize + 1;
    tiling.sums.resize(grid.first_sum + (grid.cols as usize + 1) * height, 0);
    let sums = &mut tiling.sums[grid.first_sum..];
    for col in 0..grid.cols {
        let mut column = 0_u64;
        for row in 0..grid.rows {
            column += match tiling.cells[grid.cell(col, row)].unpack() {
                Cell::Outside => 0,
                Cell::Inside => 1,
                Cell::Edges(_) | Cell::Divided(_) => 1 << 32,
            };
            let at = (col as usize + 1) * height + row as usize + 1;
            sums[at] = sums[at - height] + column;
        }
    }
}
