//! Great-circle distance on the sphere of radius 6 371 008.8 m.
//!
//! Called haversine because people ask for it by that name; the haversine itself never appears. It is a quarter of
//! the squared chord between two unit vectors, and the chord is what we have: so the distance of near places needs a
//! square root and a few multiplications, no sine and no arcsine.
//!
//! *Units*: metres.
//!
//! *Accuracy*: within 10 nm of the formula evaluated without rounding, everywhere; near the antipode too, where the
//! textbook form loses up to 100 m. Most of it is the rounding of the unit vectors (1e-16 of the earth's radius is
//! 0.7 nm).
//!
//! *References*: R. W. Sinnott, "Virtues of the Haversine", Sky & Telescope 68 (1984), 159; H. Moritz, "Geodetic
//! Reference System 1980" (1988), for the mean radius R1 = (2a + b)/3.

use super::chord::{SERIES_CHORD2, TINY_CHORD2, arc_excess, chord2_of, slack};
use super::{Metric, Reach};
use crate::geometry::maths::{asin, atan2, sqrt};
use crate::geometry::point::UnitVector;

/// The mean radius of the earth, metres (IUGG).
pub const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// The distance of two antipodes, and no distance is longer.
const HALF_GLOBE_M: f64 = EARTH_RADIUS_M * std::f64::consts::PI;

/// Haversine distance.
#[derive(Debug)]
pub struct Haversine;

/// The registered metric.
pub const HAVERSINE: Haversine = Haversine;

impl Metric for Haversine {
    fn name(&self) -> &'static str {
        "haversine"
    }

    fn summary(&self) -> &'static str {
        "great circle on a sphere of radius 6 371 008.8 m"
    }

    #[inline]
    fn distance_m(&self, from: &UnitVector, to: &UnitVector) -> f64 {
        let chord2 = from.chord2(to);
        if chord2 <= SERIES_CHORD2 { near_m(chord2) } else { far_m(chord2, from, to) }
    }

    #[inline]
    fn distance_of_chord2_m(&self, chord2: f64) -> Option<f64> {
        (chord2 <= SERIES_CHORD2).then(|| near_m(chord2))
    }

    /// Why the two bounds hold. Let `X` be the squared chord of the angle `radius / R`, known to 1e-15 of itself.
    ///
    /// *Up to 1*: the distance is a function of `chord2` alone. A chord² greater by a factor 1 + 1e-14 means an angle
    /// greater by at least 1 + 5e-15 (d ln angle / d ln chord² lies between 1/2 and 2/pi for chord² <= 2), less 1e-15
    /// for `X`. The computed distance errs by less than 1e-15 of itself in each of its pieces (square root, sum or
    /// arcsine, product: half to one unit of 2.2e-16 each). So it falls on the right side, with a margin of three, and
    /// the same argument shows that distances keep the order of squared chords a factor 1 + 1e-14 apart, from one
    /// piece to the next as well.
    ///
    /// *Beyond 1*: the angle is `2·atan2(c, s)` with `s` the chord to the antipode, or the arcsine as above. Vectors
    /// have squared lengths within 1.1e-15 of 1, so `c² + s² = 4(1 + 1.7e-15)` with rounding included, and the angle is that
    /// of a squared chord within 6.8e-15 of `chord2`. It is computed to 1e-15 of itself, at most 3.2e-15; as the
    /// squared chord grows by 2·sin(angle) <= 2 per radian, that is another 6.4e-15. `X` adds 4e-15. Together 1.8e-14,
    /// and the slack is 1e-13 (0.3 µm at a quarter of the globe). That the chord grows ever slower towards the antipode
    /// does no harm: a slack in chord² only covers more metres there.
    fn reach(&self, radius_m: f64) -> Reach {
        if radius_m >= HALF_GLOBE_M {
            return Reach::EVERYTHING;
        }
        let chord2 = chord2_of(radius_m / EARTH_RADIUS_M);
        if chord2 < TINY_CHORD2 {
            let outside_chord2 = if radius_m == 0.0 { 0.0 } else { 2.0 * TINY_CHORD2 };
            return Reach { inside_chord2: 0.0, outside_chord2 };
        }
        Reach { inside_chord2: chord2 - slack(chord2), outside_chord2: chord2 + slack(chord2) }
    }
}

#[inline]
fn near_m(chord2: f64) -> f64 {
    let chord = sqrt(chord2);
    EARTH_RADIUS_M * (chord + chord * arc_excess(chord2))
}

/// Beyond the series. Past a quarter of the globe the arcsine loses digits, for the chord hardly grows any more;
/// there the chord to the antipode tells the angle.
fn far_m(chord2: f64, from: &UnitVector, to: &UnitVector) -> f64 {
    let half_angle =
        if chord2 <= 2.0 { asin(sqrt(chord2) / 2.0) } else { atan2(sqrt(chord2), sqrt(from.antipodal_chord2(to))) };
    (2.0 * EARTH_RADIUS_M * half_angle).min(HALF_GLOBE_M)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Up to a squared chord of 2 the distance sees nothing else, so a made-up pair may stand for all.
    fn distance_over(chord2: f64) -> f64 {
        let at = |x| UnitVector { x, y: 0.0, z: 0.0 };
        HAVERSINE.distance_m(&at(0.0), &at(sqrt(chord2)))
    }

    fn chord2_seen(chord2: f64) -> f64 {
        sqrt(chord2) * sqrt(chord2)
    }

    #[test]
    fn distances_keep_the_order_of_squared_chords_across_the_pieces() {
        let asin_turn = 1.0; // libm's arcsine changes its formula at 1/2
        for piece in [SERIES_CHORD2, asin_turn, 2.0 * (1.0 - 1e-10), 1e-3, 1e-9, 1e-200, 1.9] {
            for step in -2000..=2000 {
                let lower = piece * (1.0 + f64::from(step) * 1e-15);
                let mut higher = lower;
                while chord2_seen(higher) <= chord2_seen(lower) * (1.0 + 1e-14) {
                    higher *= 1.0 + 1e-15;
                }
                assert!(distance_over(higher) > distance_over(lower), "{lower} {higher}");
            }
        }
    }

    #[test]
    fn bounds_close_in_from_both_sides_down_to_the_smallest_radius() {
        for radius_m in [0.0, 5e-324, 1e-200, 1e-138, 1e-130, 1e-9, 1.0, 1e6, 1e7, 2e7] {
            let Reach { inside_chord2, outside_chord2 } = HAVERSINE.reach(radius_m);
            assert!(0.0 <= inside_chord2 && inside_chord2 <= outside_chord2, "{radius_m}");
            if outside_chord2 < 1.9 {
                assert!(distance_over(inside_chord2) <= radius_m, "{radius_m}");
                assert!(distance_over(outside_chord2 * (1.0 + 1e-15)) > radius_m || radius_m == 0.0, "{radius_m}");
            }
        }
    }
}
