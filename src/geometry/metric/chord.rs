//! From chord to arc and back: how long the way round is when the straight way is known.
//!
//! Both metrics end here, and it is the reason why a distance costs little: near places (nearly all that anybody asks
//! for) need no trigonometric function at all, one square root and a short polynomial are exact to the last bit or two.
//!
//! *Units*: a circle of radius 1; angles in radians, chords squared.
//!
//! *References*: Abramowitz & Stegun (1964), 4.4.40, the power series of the arcsine.

use crate::geometry::maths::sin;

/// The largest squared chord for which [`arc_excess`] is complete: 398 km on the earth.
pub(super) const SERIES_CHORD2: f64 = 1.0 / 256.0;

/// Below this squared chord (1e-138 m on the earth) relative bounds lose their meaning to underflow.
pub(super) const TINY_CHORD2: f64 = 1e-290;

/// By how much an arc is longer than its chord, relative to the chord: `2·asin(c/2)/c - 1` for `c² = chord2`.
///
/// *Accuracy*: the series is Σ C(2n,n) / (16ⁿ(2n+1)) · c²ⁿ. The first term left out, n = 5, is 2.2e-5 · (1/256)⁵ =
/// 2e-17, all later ones together a thousandth of it; half a unit in the last place of 1 is 11e-17. The value is at
/// most 1.7e-4, so its own rounding does not reach the last bit of an arc.
#[inline]
pub(super) fn arc_excess(chord2: f64) -> f64 {
    debug_assert!(chord2 <= SERIES_CHORD2);
    let (low, high) = (1.0 / 24.0 + chord2 * (3.0 / 640.0), 5.0 / 7168.0 + chord2 * (35.0 / 294_912.0));
    chord2 * (low + chord2 * chord2 * high)
}

/// The squared chord of an angle of 0 to pi.
///
/// *Accuracy*: relative 1e-15 (the sine one unit in the last place, doubled by squaring, and two roundings).
pub(super) fn chord2_of(angle_rad: f64) -> f64 {
    let chord = 2.0 * sin(angle_rad / 2.0);
    chord * chord
}

/// How far a squared chord must stand from that of an angle to be surely on its side.
///
/// Up to a squared chord of 1 the chord is all that counts and errors are relative. Beyond, the length of the vectors
/// begins to matter, and the chord hardly grows any more while the angle does, so the slack is absolute.
pub(super) fn slack(chord2: f64) -> f64 {
    if chord2 < 1.0 { chord2 * 1e-14 } else { 1e-13 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::maths::{asin, sqrt};

    #[test]
    fn the_series_is_the_arcsine_to_the_last_bits() {
        for step in 1..=4000 {
            let chord2 = SERIES_CHORD2 * f64::from(step) / 4000.0;
            let chord = sqrt(chord2);
            let series = chord + chord * arc_excess(chord2);
            let exact = 2.0 * asin(chord / 2.0);
            assert!((series - exact).abs() <= 3.0 * f64::EPSILON / 2.0 * exact, "{chord2}: {series} {exact}");
        }
    }

    #[test]
    fn a_chord_and_its_angle_are_inverse() {
        for step in 0..=314 {
            let angle = f64::from(step) * 0.01;
            approx::assert_relative_eq!(2.0 * asin(sqrt(chord2_of(angle)) / 2.0), angle, epsilon = 1e-12);
        }
    }
}
