//! Geohashes: the short text of a [`Point`], and the [`GeohashCell`] a text stands for.
//!
//! The surprising part: the `geohash` crate multiplies where it should divide and then rounds, so that latitude 90
//! encodes as the *south* pole, longitude 180 as -180, and a position less than about 4e-14 degrees below a cell's
//! edge as the cell above, whose box does not hold it. Here a position belongs to the cell that holds it, exactly: cell
//! edges are whole multiples of 180/2³² and 360/2³² degrees, which `f64` represents without rounding, so a comparison
//! decides. The crate still does the spelling, from the middle of the cell, where rounding cannot reach an edge.
//!
//! Cells are half-open, south and west edges included, so that every position has one cell at each length. The last
//! ones also hold latitude 90 and longitude 180. A geohash is made from coordinates as written, not from the place:
//! 180 and -180, or two longitudes at a pole, have different geohashes.
//!
//! Upper case is read as lower case (no two letters of the alphabet differ by case only), and lower case is written.
//!
//! *References*: G. Niemeyer, geohash.org, 2008; G. M. Morton, "A computer oriented geodetic data base", 1966, for the
//! interleaving.

use super::error::GeometryError;
use super::point::Point;
use super::rect::Rect;

/// The longest geohash, in characters; its cells are at most 3.7 cm by 1.9 cm.
pub const MAX_CHARACTERS: usize = 12;

/// Steps of the finest grid, along each axis.
const GRID: f64 = 4_294_967_296.0;

/// The geohash of a position, with 1 to 12 characters; a length outside that range is brought to the nearer end.
///
/// ```
/// use nigh::geometry::{Point, geohash};
/// let leon = Point::new(42.605, -5.603).unwrap();
/// assert_eq!(geohash::encode(leon, 5), "ezs42");
/// assert_eq!(geohash::encode(Point::new(90.0, 180.0).unwrap(), 3), "zzz");
/// ```
pub fn encode(point: Point, characters: usize) -> String {
    let middle = geohash::Coord { x: snap(point.lon_deg(), 180.0), y: snap(point.lat_deg(), 90.0) };
    geohash::encode(middle, characters.clamp(1, MAX_CHARACTERS))
        .expect("a position and 1 to 12 characters are encodable")
}

/// The closed box of the cell that a geohash names; [`GeohashCell`] tells which of its edges belong to it.
///
/// ```
/// use nigh::geometry::geohash;
/// let cell = geohash::cell("ezs42").unwrap();
/// assert_eq!((cell.south(), cell.west()), (42.5830078125, -5.625));
/// assert!(geohash::cell("ezs4a").unwrap_err().to_string().contains("not in the geohash alphabet"));
/// ```
pub fn cell(text: &str) -> Result<Rect, GeometryError> {
    GeohashCell::from_text(text).map(GeohashCell::rect)
}

/// The middle of the finest grid step that holds `deg`, for an axis from `-reach` to `reach`.
fn snap(deg: f64, reach: f64) -> f64 {
    // The guess is off by one at most, just beside an edge; the edges themselves are exact and settle it.
    let guess = ((deg + reach) / (2.0 * reach) * GRID).floor().clamp(0.0, GRID - 1.0);
    let edge = |step: f64| step * (2.0 * reach / GRID) - reach;
    let step = if deg < edge(guess) {
        guess - 1.0
    } else if deg >= edge(guess + 1.0) && guess < GRID - 1.0 {
        guess + 1.0
    } else {
        guess
    };
    debug_assert!(edge(step) <= deg && (deg < edge(step + 1.0) || deg == reach));
    edge(step + 0.5)
}

/// The cell that a geohash names: exactly the positions whose own geohash begins with it.
///
/// ```
/// use nigh::geometry::geohash::GeohashCell;
/// let cell = GeohashCell::from_text("EZS42").unwrap();
/// assert!(cell.holds(42.605, -5.603));
/// assert!(cell.holds(cell.rect().south(), cell.rect().west()));
/// assert!(!cell.holds(cell.rect().north(), cell.rect().west()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeohashCell {
    rect: Rect,
    /// The first latitude beyond the cell; infinite for the northernmost cells, which hold their edge.
    below_lat: f64,
    /// The first longitude beyond the cell; infinite for the easternmost cells, which hold their edge.
    below_lon: f64,
}

impl GeohashCell {
    /// The cell of a geohash of 1 to 12 characters, in either case.
    pub fn from_text(text: &str) -> Result<GeohashCell, GeometryError> {
        let refuse = |reason| GeometryError::Geohash { text: text.to_owned(), reason };
        if text.is_empty() {
            return Err(refuse("it is empty"));
        }
        if text.chars().nth(MAX_CHARACTERS).is_some() {
            return Err(refuse("it is longer than 12 characters"));
        }
        let bounds = geohash::decode_bbox(&text.to_ascii_lowercase())
            .map_err(|_| refuse("a character is not in the geohash alphabet, which leaves out a, i, l and o"))?;
        let (low, high) = (bounds.min(), bounds.max());
        let rect = Rect::from_corners(low.y, low.x, high.y, high.x).expect("a geohash cell is a box on the earth");
        let below = |edge: f64, last: f64| if edge == last { f64::INFINITY } else { edge };
        Ok(GeohashCell { rect, below_lat: below(high.y, 90.0), below_lon: below(high.x, 180.0) })
    }

    /// The closed box of the cell: it holds every position of the cell, and on its edges some of the neighbours'.
    pub fn rect(self) -> Rect {
        self.rect
    }

    /// Whether the position's own geohash begins with this one; four comparisons, nothing is encoded.
    #[inline]
    pub fn holds(self, lat_deg: f64, lon_deg: f64) -> bool {
        self.rect.south() <= lat_deg
            && lat_deg < self.below_lat
            && self.rect.west() <= lon_deg
            && lon_deg < self.below_lon
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repeatable::repeatable;
    use proptest::prelude::*;

    fn hash(lat: f64, lon: f64, characters: usize) -> String {
        encode(Point::new(lat, lon).unwrap(), characters)
    }

    #[test]
    fn published_geohashes_are_met() {
        for (lat, lon, text) in [
            (42.605, -5.603, "ezs42"),
            (57.64911, 10.40744, "u4pruydqqvj8"),
            (48.669, -4.329, "gbsuv"),
            (0.0, 0.0, "s00000000000"),
            (-0.0, -0.0, "s00000000000"),
            (-25.382708, -49.265506, "6gkzwgjzn820"),
        ] {
            assert_eq!(hash(lat, lon, text.len()), text);
        }
    }

    #[test]
    fn the_far_edges_of_the_earth_belong_to_the_last_cells() {
        // The crate alone says "000000000000" for all four corners.
        assert_eq!(hash(90.0, -180.0, 12), "bpbpbpbpbpbp");
        assert_eq!(hash(-90.0, 180.0, 12), "pbpbpbpbpbpb");
        assert_eq!(hash(90.0, 180.0, 12), "zzzzzzzzzzzz");
        assert_eq!(hash(-90.0, -180.0, 12), "000000000000");
        assert_eq!(hash(90.0_f64.next_down(), 180.0_f64.next_down(), 12), "zzzzzzzzzzzz");
    }

    #[test]
    fn the_corners_of_the_earth_lie_in_the_cells_of_their_geohash_alone() {
        let corners = [(90.0, -180.0), (90.0, 180.0), (-90.0, -180.0), (-90.0, 180.0)];
        for ((lat, lon), characters) in
            corners.into_iter().flat_map(|corner| (1..=12).map(move |count| (corner, count)))
        {
            let prefix = hash(lat, lon, characters);
            let cell = GeohashCell::from_text(&prefix).unwrap();
            assert!(cell.holds(lat, lon), "{prefix}");
            for (lat, lon) in corners.into_iter().chain([(cell.rect().north(), cell.rect().east())]) {
                assert_eq!(cell.holds(lat, lon), hash(lat, lon, 12).starts_with(&prefix), "{prefix} {lat} {lon}");
            }
        }
    }

    #[test]
    fn a_position_just_below_an_edge_stays_below() {
        assert_eq!(hash(-1e-300, -1e-300, 12), "7zzzzzzzzzzz");
        assert_eq!(hash(45.0_f64.next_down(), 0.0, 1), "s");
        assert_eq!(hash(45.0, 0.0, 1), "u");
    }

    #[test]
    fn upper_case_is_the_same_cell() {
        assert_eq!(cell("U4PRUYDQQVJ8").unwrap(), cell("u4pruydqqvj8").unwrap());
    }

    #[test]
    fn what_is_no_geohash_is_refused_with_its_text() {
        for (text, reason) in [
            ("", "empty"),
            ("0123456789012", "longer than 12"),
            ("ééééééééééééé", "longer than 12"),
            ("é", "alphabet"),
            ("ezs4a", "alphabet"),
            ("ezs 2", "alphabet"),
            ("\0", "alphabet"),
        ] {
            let message = cell(text).unwrap_err().to_string();
            assert!(message.contains(reason) && message.contains(&format!("{text:?}")), "{message}");
        }
    }

    /// Positions on cell edges, a step of `f64` beside them, and anywhere.
    fn cell_edges(reach: f64) -> impl Strategy<Value = f64> {
        let edge = (0_u32..=30, 0.0..=1.0_f64, -2_i32..=2).prop_map(move |(bits, part, nudge)| {
            let steps = f64::from(1_u32 << bits);
            let mut deg: f64 = (part * steps).round() / steps * (2.0 * reach) - reach;
            for _ in 0..nudge.abs() {
                deg = if nudge > 0 { deg.next_up() } else { deg.next_down() };
            }
            deg.clamp(-reach, reach)
        });
        prop_oneof![edge, -reach..=reach, -1e-12..=1e-12]
    }

    proptest! {
        #![proptest_config(repeatable(4096))]

        #[test]
        fn a_cell_holds_exactly_the_positions_whose_geohash_begins_with_it(
            lat in cell_edges(90.0), lon in cell_edges(180.0),
            other_lat in cell_edges(90.0), other_lon in cell_edges(180.0),
            near in any::<bool>(), characters in 1_usize..=12,
        ) {
            let prefix = hash(lat, lon, characters);
            let cell = GeohashCell::from_text(&prefix).unwrap();
            prop_assert!(cell.holds(lat, lon), "{prefix} {lat} {lon}");
            // A position of the same cell's edge tests more than one far away.
            let (lat, lon) = if near { (cell.rect().north(), cell.rect().east()) } else { (other_lat, other_lon) };
            for (lat, lon) in [(lat, lon), (lat.next_down(), lon), (lat, lon.next_down()), (lat.next_down(), lon.next_down())] {
                let (lat, lon) = (lat.max(-90.0), lon.max(-180.0));
                let own = hash(lat, lon, 12);
                prop_assert_eq!(cell.holds(lat, lon), own.starts_with(&prefix), "{} {} {} {}", prefix, own, lat, lon);
                prop_assert!(!cell.holds(lat, lon) || cell.rect().holds(lat, lon));
            }
        }

        #[test]
        fn away_from_edges_the_crate_agrees(lat in -89.999..89.999, lon in -179.999..179.999, characters in 1_usize..=12) {
            let own = hash(lat, lon, characters);
            let bounds = cell(&own).unwrap();
            let margin = [lat - bounds.south(), bounds.north() - lat, lon - bounds.west(), bounds.east() - lon];
            if margin.iter().all(|&gap| gap > 1e-12) {
                prop_assert_eq!(&own, &geohash::encode(geohash::Coord { x: lon, y: lat }, characters).unwrap());
            }
        }
    }
}
