//! Tiles of the square web map: which of them a position lies in, and where.
//!
//! The map is cut into whole numbers once: its side has 2³⁶ steps, so that a tile of zoom 24 is 4096 steps wide. What tile a
//! position lies in, and where in it, then follows by shifting, and every position lies in exactly one tile of each zoom. What
//! surprises: nothing vanishes at the poles. The map ends at 85.0511° north and south; what lies beyond is drawn on its edge.
//!
//! *Units*: x grows to the east from -180°, y to the **south** from the northern edge. A tile is 4096 units wide at any zoom.
//!
//! *Accuracy*: of a position, 2⁻³⁶ of the earth's girth (0.6 mm) and a thousandth of that by rounding.
//!
//! *References*: J. P. Snyder, "Map Projections: A Working Manual", 1987, eq. 7-1 and 7-2 on the sphere of radius 1; EPSG:3857;
//! the numbering of tiles is that of OpenStreetMap and of OGC's `WebMercatorQuad`.

use super::error::GeometryError;
use super::maths::{RADIANS, atan, ln, sin_cos_deg, sinh};
use super::point::Point;
use super::rect::Rect;

/// The deepest zoom: a tile is 2.4 m wide at the equator.
pub const ZOOM_MAX: u8 = 24;

/// Units across a tile.
pub const EXTENT: i32 = 4096;

/// Units round a tile that are shown as well, so that a symbol on its edge is drawn whole.
pub const BUFFER: i32 = 64;

/// Steps across the map, as a power of two.
const STEPS: u32 = 36;

/// What a box round a tile is widened by, in degrees: a fifth of a step, and ten thousand times its rounding.
const WIDEN_DEG: f64 = 1e-9;

/// A tile of the web map.
///
/// ```
/// use nigh::geometry::{Point, Tile, tile::OnMap};
/// let paris = OnMap::of(Point::new(48.857, 2.352).unwrap());
/// let tile = Tile::new(5, 16, 11).unwrap();
/// assert_eq!(paris.tile(5).unwrap(), tile);
/// assert_eq!(paris.seen_from(tile).next(), Some((856, 36)));
/// assert!(Tile::new(1, 0, 2).unwrap_err().to_string().contains("0..1"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tile {
    z: u8,
    x: u32,
    y: u32,
}

impl Tile {
    /// The tile that is the whole map.
    pub const WORLD: Tile = Tile { z: 0, x: 0, y: 0 };

    /// The tile of a zoom from 0 to 24, in a column from the west and a row from the north.
    pub fn new(z: u8, x: u32, y: u32) -> Result<Tile, GeometryError> {
        if z > ZOOM_MAX {
            return Err(GeometryError::Zoom { z });
        }
        let last = (1 << z) - 1;
        if x > last || y > last {
            return Err(GeometryError::Tile { z, x, y, last });
        }
        Ok(Tile { z, x, y })
    }

    /// The zoom.
    pub fn z(self) -> u8 {
        self.z
    }

    /// The column, from the west.
    pub fn x(self) -> u32 {
        self.x
    }

    /// The row, from the north.
    pub fn y(self) -> u32 {
        self.y
    }

    /// The boxes that together surely hold every position that is seen from the tile, its buffer included: one, or two where
    /// they meet at the antimeridian. None of them crosses it.
    pub fn frames(self) -> impl Iterator<Item = Rect> {
        let (south, north) = self.latitudes();
        let width_deg = 360.0 / f64::from(1_u32 << self.z);
        let buffer_deg = width_deg * f64::from(BUFFER) / f64::from(EXTENT) + WIDEN_DEG;
        let west = f64::from(self.x) * width_deg - 180.0 - buffer_deg;
        let east = f64::from(self.x + 1) * width_deg - 180.0 + buffer_deg;
        let over = [
            (west + 360.0 <= 180.0).then_some((west + 360.0, 180.0)),
            (east >= 180.0).then_some((-180.0, east - 360.0)),
        ];
        let straight = Rect::clamped(south, west, north, east);
        let beyond = over.into_iter().flatten().filter(move |_| self.z > 0);
        std::iter::once(straight).chain(beyond.map(move |(west, east)| Rect::clamped(south, west, north, east)))
    }

    /// The latitudes between which everything lies that is seen from the tile; tiles on the map's edge reach to the pole.
    fn latitudes(self) -> (f64, f64) {
        let tiles = f64::from(1_u32 << self.z);
        let buffer = f64::from(BUFFER) / f64::from(EXTENT);
        let north = (f64::from(self.y) - buffer) / tiles;
        let south = (f64::from(self.y + 1) + buffer) / tiles;
        let north = if north <= 0.0 { 90.0 } else { (latitude(north) + WIDEN_DEG).min(90.0) };
        let south = if south >= 1.0 { -90.0 } else { (latitude(south) - WIDEN_DEG).max(-90.0) };
        (south, north)
    }
}

/// The latitude of a height on the map: 0 is its northern edge, 1 its southern one.
fn latitude(height: f64) -> f64 {
    atan(sinh(std::f64::consts::PI * (1.0 - 2.0 * height))) / RADIANS
}

/// A position on the map, in steps: 2³⁶ of them from edge to edge, from the west and from the north.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnMap {
    x: u64,
    y: u64,
}

impl OnMap {
    /// Where a position lies.
    pub fn of(point: Point) -> OnMap {
        OnMap::of_degrees(point.lat_deg(), point.lon_deg())
    }

    /// [`OnMap::of`] for the bare numbers of a valid position.
    pub fn of_degrees(lat_deg: f64, lon_deg: f64) -> OnMap {
        let (sine, _) = sin_cos_deg(lat_deg);
        // Infinite at the poles, which is far enough beyond the edge.
        let north = ln((1.0 + sine) / (1.0 - sine)) / (4.0 * std::f64::consts::PI);
        OnMap { x: step((lon_deg + 180.0) / 360.0), y: step(0.5 - north) }
    }

    /// The one tile of a zoom that it lies in.
    pub fn tile(self, z: u8) -> Result<Tile, GeometryError> {
        if z > ZOOM_MAX {
            return Err(GeometryError::Zoom { z });
        }
        let shift = STEPS - u32::from(z);
        Ok(Tile { z, x: (self.x >> shift) as u32, y: (self.y >> shift) as u32 })
    }

    /// Where it is seen from a tile: x and y from -64 to 4159, of which 0 to 4095 are the tile itself.
    ///
    /// Mostly once or not at all. From zoom 0 a position near ±180° is seen on both edges.
    pub fn seen_from(self, tile: Tile) -> impl Iterator<Item = (i32, i32)> {
        let shift = STEPS - 12 - u32::from(tile.z);
        let units = |steps: u64, tile: u32| (steps >> shift) as i64 - i64::from(tile) * i64::from(EXTENT);
        let shown = i64::from(-BUFFER)..i64::from(EXTENT + BUFFER);
        let once_round = i64::from(EXTENT) << tile.z;
        let y = Some(units(self.y, tile.y)).filter(|y| shown.contains(y));
        let x = units(self.x, tile.x);
        let seen = [x, x - once_round, x + once_round].into_iter().filter(move |x| shown.contains(x));
        y.into_iter().flat_map(move |y| seen.clone().map(move |x| (x as i32, y as i32)))
    }
}

/// The step at a share of the map's side; what lies beyond an edge is drawn back to it.
fn step(share: f64) -> u64 {
    let side = (1_u64 << STEPS) as f64;
    ((share * side) as u64).min((1 << STEPS) - 1) // `as` saturates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repeatable::repeatable;
    use proptest::prelude::*;

    fn holding(point: Point, z: u8) -> Tile {
        OnMap::of(point).tile(z).unwrap()
    }

    proptest! {
        #![proptest_config(repeatable(2000))]

        #[test]
        fn whatever_is_seen_from_a_tile_lies_in_its_boxes(
            lat in -90.0..=90.0_f64, lon in -180.0..=180.0_f64, z in 0_u8..=24, east in -1_i64..=1, south in -1_i64..=1,
        ) {
            let point = Point::new(lat, lon).unwrap();
            let home = holding(point, z);
            let tiles = 1_i64 << z;
            let x = (i64::from(home.x) + east).rem_euclid(tiles) as u32;
            let y = (i64::from(home.y) + south).clamp(0, tiles - 1) as u32;
            let tile = Tile::new(z, x, y).unwrap();
            let seen: Vec<(i32, i32)> = OnMap::of(point).seen_from(tile).collect();
            prop_assert!(seen.is_empty() || tile.frames().any(|rect| rect.holds(lat, lon)), "{:?}", tile);
            let own = seen.iter().filter(|(x, y)| (0..EXTENT).contains(x) && (0..EXTENT).contains(y)).count();
            prop_assert_eq!(own, usize::from(tile == home));
            for rect in tile.frames() {
                prop_assert!(rect.east() <= 180.0);
            }
        }

        #[test]
        fn the_middle_of_a_box_is_seen_from_its_tile(z in 0_u8..=24, x: u32, y: u32) {
            let tile = Tile::new(z, x & ((1 << z) - 1), y & ((1 << z) - 1)).unwrap();
            for rect in tile.frames() {
                // Beyond the last latitude of the map the middle of a box is on its edge, and seen all the same.
                let (lat, lon) = ((rect.south() + rect.north()) / 2.0, (rect.west() + rect.east()) / 2.0);
                prop_assert!(OnMap::of_degrees(lat, lon).seen_from(tile).next().is_some(), "{:?} {:?}", tile, rect);
            }
        }
    }

    #[test]
    fn places_lie_in_the_tiles_that_everybody_else_finds() {
        // Reckoned with the formula of the OpenStreetMap wiki, "Slippy map tilenames".
        for (lat, lon, z, x, y) in [
            (40.712_8, -74.006, 12, 1205, 1540),
            (51.5074, -0.1278, 10, 511, 340),
            (-33.8688, 151.2093, 14, 15073, 9831),
            (0.0, 0.0, 1, 1, 1),
            (1e-9, -1e-9, 1, 0, 0),
        ] {
            let found = holding(Point::new(lat, lon).unwrap(), z);
            assert_eq!((found.x, found.y), (x, y), "{lat} {lon}");
        }
    }

    #[test]
    fn beyond_the_last_latitude_everything_is_drawn_on_the_edge() {
        for (lat, row, y) in [(90.0, 0, 0), (85.06, 0, 0), (-85.06, 3, 4095), (-90.0, 3, 4095)] {
            let point = Point::new(lat, 100.0).unwrap();
            assert_eq!(holding(point, 2), Tile::new(2, 3, row).unwrap());
            assert_eq!(OnMap::of(point).seen_from(Tile::new(2, 3, row).unwrap()).map(|(_, y)| y).next(), Some(y));
        }
        assert_eq!(OnMap::of(Point::new(85.05, 0.0).unwrap()).y >> 24, 0);
        assert!(OnMap::of(Point::new(85.05, 0.0).unwrap()).y > 0);
    }

    #[test]
    fn the_antimeridian_is_seen_from_both_sides() {
        for (z, last) in [(1, 1), (3, 7), (24, (1 << 24) - 1)] {
            let row = 1 << (z - 1);
            let (west, east) = (Tile::new(z, 0, row).unwrap(), Tile::new(z, last, row).unwrap());
            let seen = |lon, tile| OnMap::of(Point::new(-1e-9, lon).unwrap()).seen_from(tile).collect::<Vec<_>>();
            assert_eq!((seen(180.0, east), seen(180.0, west)), (vec![(4095, 0)], vec![(-1, 0)]));
            assert_eq!((seen(-180.0, east), seen(-180.0, west)), (vec![(4096, 0)], vec![(0, 0)]));
        }
        let seen = OnMap::of(Point::new(0.0, 180.0).unwrap()).seen_from(Tile::WORLD);
        assert_eq!(seen.collect::<Vec<_>>(), [(4095, 2048), (-1, 2048)]);
    }

    #[test]
    fn what_is_no_tile_is_refused() {
        assert!(Tile::new(25, 0, 0).unwrap_err().to_string().contains("zoom 25"));
        for (z, x, y) in [(0, 1, 0), (0, 0, 1), (24, 1 << 24, 0), (3, 0, u32::MAX)] {
            assert!(Tile::new(z, x, y).is_err());
        }
    }
}
