//! The number under which Redis keeps a position: 52 bits, latitude and longitude in turn, as a score of a sorted set.
//!
//! What surprises: a position that was given to Redis is not the one it keeps. It keeps a cell of 0.3 m by 0.6 m at the equator, and tells
//! the middle of it; the latitudes go to 85.05 degrees only, as on a map by Mercator.
//!
//! *Accuracy*: the same bits as Redis reckons before it writes them down with 17 digits behind the point.

use crate::geometry::Point;

/// Latitudes beyond this cannot be kept.
pub(super) const LAT_MAX_DEG: f64 = 85.051_128_78;
const LON_MAX_DEG: f64 = 180.0;
const BITS: u32 = 26;

/// The middle of the cell of a score; `None` when the score is no cell.
///
/// At the very edge of the map, as at longitude 180, Redis makes a part beyond the last one, and a score above 2⁵².
pub(super) fn point_of(score: f64) -> Option<Point> {
    let may_be = score >= 0.0 && score < (1_u64 << (2 * BITS + 2)) as f64 && score.fract() == 0.0;
    if !may_be {
        return None;
    }
    let (lat, lon) = (every_other(score as u64), every_other(score as u64 >> 1));
    if lat.max(lon) > 1 << BITS {
        return None;
    }
    Point::new(middle(lat, LAT_MAX_DEG), middle(lon, LON_MAX_DEG)).ok()
}

/// The middle of one of 2²⁶ parts of a range from `-most` to `most`, reckoned as Redis does.
fn middle(part: u32, most: f64) -> f64 {
    let (parts, range) = (f64::from(1_u32 << BITS), most - -most);
    let low = -most + f64::from(part) / parts * range;
    let high = -most + f64::from(part + 1) / parts * range;
    ((low + high) / 2.0).clamp(-most, most)
}

/// The bits at even places, together.
fn every_other(bits: u64) -> u32 {
    let mut bits = bits & 0x5555_5555_5555_5555;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0F0F_0F0F_0F0F_0F0F),
        (4, 0x00FF_00FF_00FF_00FF),
        (8, 0x0000_FFFF_0000_FFFF),
        (16, 0x0000_0000_FFFF_FFFF),
    ] {
        bits = (bits | (bits >> shift)) & mask;
    }
    bits as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_score_is_the_place_that_redis_documents() {
        // The two places of the documents of GEOADD, with what GEOPOS says of them.
        for (score, lat, lon) in [
            (3_479_099_956_230_698.0, 38.115_556_395_496_3, 13.361_389_338_970_184),
            (3_479_447_370_796_909.0, 37.502_668_423_331_62, 15.087_267_458_438_873),
        ] {
            let point = point_of(score).unwrap();
            assert!((point.lat_deg() - lat).abs() < 1e-13 && (point.lon_deg() - lon).abs() < 1e-13, "{point:?}");
        }
    }

    #[test]
    fn scores_that_are_no_cells_are_none() {
        let last = ((1_u64 << 52) - 1) as f64;
        assert!(point_of(0.0).is_some() && point_of(last).is_some());
        let corner = point_of((3_u64 << 52) as f64).unwrap();
        assert_eq!((corner.lat_deg(), corner.lon_deg()), (LAT_MAX_DEG, LON_MAX_DEG));
        let beyond = ((1_u64 << 52) + 1) as f64;
        for score in [-1.0, 0.5, beyond, (1_u64 << 54) as f64, f64::INFINITY, f64::NAN, -f64::INFINITY] {
            assert!(point_of(score).is_none(), "{score}");
        }
    }
}
