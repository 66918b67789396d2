//! The Hilbert curve of order 32 over the longitude/latitude grid: one number that keeps neighbours together.
//!
//! A point's grid cell is about 9 mm wide at the equator. What surprises: the curve is a machine with four states. A
//! cell at any depth is a prefix of the key plus the state in which the curve enters it, so walking down the tree
//! needs no coordinates to be turned back and forth.
//!
//! ```text
//!      1 ── 2        in the upright state the four children of a cell are passed in this order
//!      │    │        (x grows to the east, y to the north); the corners 0 and 3 are turned
//!      0    3        so that the next order joins up
//! ```
//!
//! *References*: D. Hilbert, "Ueber die stetige Abbildung einer Linie auf ein Flächenstück", 1891. The values equal
//! those of the crate `hilbert_2d` (`Variant::Hilbert`), which a test holds.

use std::ops::RangeInclusive;

use crate::geometry::{Point, Rect};

/// Levels of the curve: 32 bits a side, 64 bits a key.
pub const ORDER: u32 = 32;

const SIDE: f64 = 4_294_967_296.0; // 2^32 cells a side
const LON_CELL_DEG: f64 = 360.0 / SIDE;
const LAT_CELL_DEG: f64 = 180.0 / SIDE;

/// What a cell's box is widened by, in degrees: more than the rounding of the grid arithmetic (3e-14), far less than
/// a cell (4e-8), so that a box surely holds every point of its cell.
const WIDEN_DEG: f64 = 1e-12;

/// The orientation in which the curve passes a cell: bit 0 swaps x and y, bit 1 turns both round.
type State = u8;

const fn through(state: State, bits: u8) -> u8 {
    // `bits` is x in bit 1 and y in bit 0.
    let turned = if state & 2 != 0 { bits ^ 3 } else { bits };
    if state & 1 != 0 { ((turned & 1) << 1) | (turned >> 1) } else { turned }
}

/// One step down: the child's place along the curve (0..4) and its state, from the raw x and y bit.
const fn step(state: State, bits: u8) -> (u8, State) {
    let local = through(state, bits);
    let (x, y) = (local >> 1, local & 1);
    let place = (3 * x) ^ y;
    let next = if y == 0 { state ^ 1 ^ (x << 1) } else { state };
    (place, next)
}

/// Four steps at once: `FOUR[state][x nibble << 4 | y nibble]` is the next state in the high byte, 8 key bits in the low.
static FOUR: [[u16; 256]; 4] = four_steps();

const fn four_steps() -> [[u16; 256]; 4] {
    let mut table = [[0_u16; 256]; 4];
    let mut entry = 0;
    while entry < 4 * 256 {
        let (x, y) = ((entry % 256) >> 4, entry % 16);
        let mut state = (entry / 256) as State;
        let mut key = 0;
        let mut level = 4;
        while level > 0 {
            level -= 1;
            let bits = (((x >> level) & 1) << 1 | ((y >> level) & 1)) as u8;
            let (place, next) = step(state, bits);
            key = key << 2 | place as u16;
            state = next;
        }
        table[entry / 256][entry % 256] = (state as u16) << 8 | key;
        entry += 1;
    }
    table
}

/// `CHILD[state][place]`: the raw x and y bit of the child at that place along the curve, and its state.
static CHILD: [[(u8, State); 4]; 4] = children_by_place();

const fn children_by_place() -> [[(u8, State); 4]; 4] {
    let mut table = [[(0, 0); 4]; 4];
    let mut entry: u8 = 0;
    while entry < 16 {
        let (state, bits) = (entry / 4, entry % 4);
        let (place, next) = step(state, bits);
        table[state as usize][place as usize] = (bits, next);
        entry += 1;
    }
    table
}

/// The grid column of a longitude; 180 lies in the last one.
#[inline]
pub fn column(lon_deg: f64) -> u32 {
    ((lon_deg + 180.0) * (SIDE / 360.0)) as u32 // `as` saturates
}

/// The grid row of a latitude; 90 lies in the last one.
#[inline]
pub fn row(lat_deg: f64) -> u32 {
    ((lat_deg + 90.0) * (SIDE / 180.0)) as u32
}

/// The place of a grid cell along the curve.
#[inline]
pub fn key(column: u32, row: u32) -> u64 {
    let mut state: State = 0;
    let mut key = 0_u64;
    for nibble in (0..8).rev() {
        let x = (column >> (4 * nibble)) & 15;
        let y = (row >> (4 * nibble)) & 15;
        let entry = FOUR[state as usize][(x << 4 | y) as usize];
        key = key << 8 | u64::from(entry & 0xff);
        state = (entry >> 8) as State;
    }
    key
}

/// The place of a position along the curve.
#[inline]
pub fn key_of(lat_deg: f64, lon_deg: f64) -> u64 {
    key(column(lon_deg), row(lat_deg))
}

/// The first and last key of the square cell of `depth` that holds a grid cell.
#[inline]
pub fn stretch(column: u32, row: u32, depth: u32) -> (u64, u64) {
    let beyond = u64::MAX.checked_shr(2 * depth).unwrap_or(0);
    let key = key(column, row);
    (key & !beyond, key | beyond)
}

/// A square cell of the grid: all keys that share a prefix. Depth 0 is the whole earth, depth 32 one grid cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell {
    column: u32,
    row: u32,
    first_key: u64,
    depth: u8,
    state: State,
}

impl Cell {
    /// The cell that is the whole earth.
    pub const EARTH: Cell = Cell { column: 0, row: 0, first_key: 0, depth: 0, state: 0 };

    /// The cell of `depth` that holds a grid cell.
    pub fn holding(column: u32, row: u32, depth: u32) -> Cell {
        debug_assert!(depth <= ORDER);
        let mask = upper_bits(depth);
        let (mut key, mut state, mut level) = (0_u64, 0, ORDER);
        while level > ORDER - depth {
            level -= 1;
            let bits = ((column >> level & 1) << 1 | (row >> level & 1)) as u8;
            let (place, next) = step(state, bits);
            key |= u64::from(place) << (2 * level);
            state = next;
        }
        Cell { column: column & mask, row: row & mask, first_key: key, depth: depth as u8, state }
    }

    /// The smallest cell that holds two grid cells, and so every cell between them.
    pub fn spanning(low: (u32, u32), high: (u32, u32)) -> Cell {
        let shared = (low.0 ^ high.0).leading_zeros().min((low.1 ^ high.1).leading_zeros());
        Cell::holding(low.0, low.1, shared)
    }

    /// The cell of `depth` that holds a key.
    pub fn of_key(key: u64, depth: u32) -> Cell {
        debug_assert!(depth <= ORDER);
        let place = |level: u32| (key >> (2 * (ORDER - 1 - level)) & 3) as usize;
        (0..depth).fold(Cell::EARTH, |cell, level| cell.children()[place(level)])
    }

    /// The four children in the order of the curve. Not for a cell of depth 32.
    pub fn children(self) -> [Cell; 4] {
        debug_assert!(u32::from(self.depth) < ORDER);
        let level = ORDER - 1 - u32::from(self.depth);
        let child = |place: usize| {
            let (bits, state) = CHILD[self.state as usize][place];
            Cell {
                column: self.column | u32::from(bits >> 1) << level,
                row: self.row | u32::from(bits & 1) << level,
                first_key: self.first_key | (place as u64) << (2 * level),
                depth: self.depth + 1,
                state,
            }
        };
        [child(0), child(1), child(2), child(3)]
    }

    /// How many halvings this cell is away from the whole earth.
    pub fn depth(self) -> u32 {
        u32::from(self.depth)
    }

    /// The first key of the cell.
    pub fn first_key(self) -> u64 {
        self.first_key
    }

    /// The last key of the cell.
    pub fn last_key(self) -> u64 {
        self.first_key | u64::MAX.checked_shr(2 * u32::from(self.depth)).unwrap_or(0)
    }

    /// The columns of the cell.
    #[inline]
    pub fn columns(self) -> RangeInclusive<u32> {
        self.column..=self.column | !upper_bits(self.depth())
    }

    /// The rows of the cell.
    #[inline]
    pub fn rows(self) -> RangeInclusive<u32> {
        self.row..=self.row | !upper_bits(self.depth())
    }

    /// The position in the middle of the cell.
    pub fn middle(self) -> Point {
        let half = (1_u64 << (ORDER - self.depth())) as f64 / 2.0;
        let lat_deg = (f64::from(self.row) + half) * LAT_CELL_DEG - 90.0;
        let lon_deg = (f64::from(self.column) + half) * LON_CELL_DEG - 180.0;
        Point::new(lat_deg, lon_deg).expect("half a cell away from any edge of the earth")
    }

    /// A box that surely holds every position of the cell.
    pub fn rect(self) -> Rect {
        let depth = u32::from(self.depth);
        grid_rect((self.column, self.row), (depth, depth))
    }

    /// The box of the cell as people draw it, to the last digit.
    pub fn outline(self) -> Rect {
        let depth = u32::from(self.depth);
        grid_outline((self.column, self.row), (depth, depth))
    }
}

/// The upper `bits` bits of a word.
pub(super) fn upper_bits(bits: u32) -> u32 {
    u32::MAX.checked_shl(ORDER - bits).unwrap_or(0)
}

/// A box that surely holds a grid rectangle: its south-west grid cell, and how many leading bits of column and row are fixed.
pub(super) fn grid_rect(corner: (u32, u32), bits: (u32, u32)) -> Rect {
    grid_box(corner, bits, WIDEN_DEG)
}

/// The box of a grid rectangle as people draw it; its edges are exact, but a position within rounding of one may be counted
/// to the other side.
pub(super) fn grid_outline(corner: (u32, u32), bits: (u32, u32)) -> Rect {
    grid_box(corner, bits, 0.0)
}

#[inline]
fn grid_box((column, row): (u32, u32), (lon_bits, lat_bits): (u32, u32), widen_deg: f64) -> Rect {
    let width = (1_u64 << (ORDER - lon_bits)) as f64;
    let height = (1_u64 << (ORDER - lat_bits)) as f64;
    let (x, y) = (f64::from(column), f64::from(row));
    Rect::clamped(
        y * LAT_CELL_DEG - 90.0 - widen_deg,
        x * LON_CELL_DEG - 180.0 - widen_deg,
        (y + height) * LAT_CELL_DEG - 90.0 + widen_deg,
        (x + width) * LON_CELL_DEG - 180.0 + widen_deg,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repeatable::repeatable;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(repeatable(256))]

        #[test]
        fn keys_equal_the_reference_crate(column: u32, row: u32) {
            let expected = hilbert_2d::u64::xy2h_discrete(column.into(), row.into(), 32, hilbert_2d::Variant::Hilbert);
            prop_assert_eq!(key(column, row), expected);
        }

        #[test]
        fn a_cell_holds_exactly_the_keys_of_its_grid_cells(column: u32, row: u32, depth in 0_u32..=32) {
            let cell = Cell::holding(column, row, depth);
            let own = key(column, row);
            prop_assert!(cell.first_key() <= own && own <= cell.last_key());
            prop_assert_eq!(stretch(column, row, depth), (cell.first_key(), cell.last_key()));
            prop_assert_eq!(Cell::of_key(own, depth), cell);
            prop_assert!(cell.columns().contains(&column) && cell.rows().contains(&row));
            let (lat, lon) = (cell.middle().lat_deg(), cell.middle().lon_deg());
            prop_assert!(cell.columns().contains(&super::column(lon)) && cell.rows().contains(&super::row(lat)));
            if depth < 32 {
                let children = cell.children();
                prop_assert_eq!(children[0].first_key(), cell.first_key());
                prop_assert_eq!(children[3].last_key(), cell.last_key());
                let holding = children.iter().filter(|c| c.first_key() <= own && own <= c.last_key());
                prop_assert_eq!(holding.copied().collect::<Vec<_>>(), vec![Cell::holding(column, row, depth + 1)]);
            }
        }

        #[test]
        fn the_box_of_a_cell_holds_its_positions(lat in -90.0..=90.0_f64, lon in -180.0..=180.0_f64, depth in 0_u32..=32) {
            let rect = Cell::holding(column(lon), row(lat), depth).rect();
            prop_assert!(rect.holds(lat, lon));
        }

        #[test]
        fn a_spanning_cell_holds_both(a: (u32, u32), b: (u32, u32)) {
            let cell = Cell::spanning(a, b);
            for (column, row) in [a, b] {
                let own = key(column, row);
                prop_assert!(cell.first_key() <= own && own <= cell.last_key());
            }
        }
    }

    #[test]
    fn the_edges_of_the_earth_lie_in_the_outermost_cells() {
        assert_eq!((column(-180.0), column(180.0)), (0, u32::MAX));
        assert_eq!((row(-90.0), row(90.0)), (0, u32::MAX));
        assert_eq!(Cell::EARTH.last_key(), u64::MAX);
        assert_eq!(Cell::EARTH.rect(), Rect::WORLD);
    }
}
