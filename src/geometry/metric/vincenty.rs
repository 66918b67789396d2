//! Distance along the ground of the WGS84 ellipsoid.
//!
//! It bears the name of Vincenty's iteration, and yet most distances never iterate: up to 100 km the chord decides
//! (see [`ellipsoid`](super::ellipsoid)), near the antipode, where the iteration is known to fail, the azimuth is
//! bracketed instead (see [`antipodal`]), and in between Newton's correction ends it in three rounds
//! where the plain one takes five to sixteen.
//!
//! *Units*: metres.
//!
//! *Accuracy*: within 0.1 mm of GeographicLib everywhere; measured on a million pairs and more: 3 nm up to 30 km,
//! 0.2 µm at 100 km, 4.4 µm in the worst case. Where two of the three ways meet, lengths may step by 1 µm.
//!
//! *Same bits everywhere*: yes, without exception; only [`maths`](crate::geometry::maths) is used.
//!
//! *References*: see [`auxiliary`](super::auxiliary) for the paper and its equations.

use super::antipodal;
use super::auxiliary::Pair;
use super::chord::{chord2_of, slack};
use super::ellipsoid::{Chord, HALF_MERIDIAN_M, MAX_CURVATURE_RADIUS_M, MIN_CURVATURE_RADIUS_M};
use super::{Metric, Reach};
use crate::geometry::maths::asin;
use crate::geometry::point::UnitVector;

/// Up to this squared chord between normals (101 km) the chord alone gives the distance.
const NEAR_CHORD2: f64 = 2.5e-4;

/// Under this squared chord to the antipode (315 km, so distances over about 19 700 km) the iteration is not trusted.
const ANTIPODAL_CHORD2: f64 = 0.002_44;

/// Rounds before giving up. Five are the most ever seen.
const MAX_ROUNDS: usize = 20;

/// When a step in longitude is under this, what is left is lost in rounding: a step is wrong by about f² of itself.
const STEP_RAD: f64 = 1e-12;

/// What all bounds below allow for the error of a computed distance, relative to it. The error is at most 1e-11 up to
/// 100 km (the circle) and 0.1 mm beyond (the promise), which is 1e-9: room to spare.
const MARGIN: f64 = 1e-8;

/// What `reach` allows for the rounding of the unit vectors: 4e-16 in each of two, 5 nm on the ground.
const MARGIN_M: f64 = 2e-8;

/// Geodesic distance on the WGS84 ellipsoid.
#[derive(Debug)]
pub struct Vincenty;

/// The registered metric.
pub const VINCENTY: Vincenty = Vincenty;

impl Metric for Vincenty {
    fn name(&self) -> &'static str {
        "vincenty"
    }

    fn summary(&self) -> &'static str {
        "geodesic on the WGS84 ellipsoid, within 0.1 mm of GeographicLib"
    }

    fn distance_m(&self, from: &UnitVector, to: &UnitVector) -> f64 {
        let chord2 = from.chord2(to);
        if chord2 == 0.0 {
            0.0
        } else if chord2 <= NEAR_CHORD2 {
            Chord::between(from, to).geodesic_m()
        } else {
            far_m(&Pair::of(from, to), from.antipodal_chord2(to))
        }
    }

    /// Why the two bounds hold. Let θ be the angle between the two normals and s the length of the geodesic.
    ///
    /// Along any curve on the ground the normal turns at a rate between 1/ρ_max and 1/ρ_min per metre, because its
    /// derivative is the shape operator, whose eigenvalues are the principal curvatures 1/N and 1/M: `N = a/w`,
    /// `M = a(1-e²)/w³`, `w² = 1 - e²sin²(lat)`, so both radii lie in `b²/a ..= a²/b`. Hence
    /// - the normals along the geodesic draw a curve on the unit sphere no longer than s/ρ_min, and θ, the shortest
    ///   way there, is not longer either: `ρ_min·θ <= s`;
    /// - every direction is the normal of exactly one place, so the great circle between the two normals is drawn along
    ///   *some* curve on the ground, no longer than ρ_max·θ, and the geodesic is not longer either: `s <= ρ_max·θ`.
    ///
    /// The margins narrow and widen the radius first, for the error of the computed distance. The rounding of a squared
    /// chord over 1 is covered by the slack, as in the haversine's `reach`; under 1 it is 1e-15 of itself and, for the
    /// lengths of the vectors, 5 nm, and the margins hold both.
    ///
    /// The ratios found by measuring, `0.994417 <= s/haversine <= 1.004487`, are these two bounds over again: reached,
    /// along the meridian at the equator and at the poles, so nothing tighter is true.
    fn reach(&self, radius_m: f64) -> Reach {
        if radius_m >= HALF_MERIDIAN_M {
            return Reach::EVERYTHING;
        }
        let margin_m = radius_m * MARGIN + MARGIN_M;
        let inside_chord2 = if radius_m > margin_m {
            let chord2 = chord2_of((radius_m - margin_m) / MAX_CURVATURE_RADIUS_M);
            chord2 - slack(chord2)
        } else {
            -1.0
        };
        let outside_rad = (radius_m + margin_m) / MIN_CURVATURE_RADIUS_M;
        let outside_chord2 = if outside_rad < std::f64::consts::PI {
            let chord2 = chord2_of(outside_rad);
            chord2 + slack(chord2)
        } else {
            f64::INFINITY
        };
        Reach { inside_chord2, outside_chord2 }
    }

    /// Between the chord and the arc of the tightest circle over it there is seldom room for a radius.
    ///
    /// With c the chord, `c <= s` because straight is shortest, and `s <= 2ρ·asin(c/2ρ)` with ρ = ρ_min by Schur's
    /// comparison: as a curve in space the geodesic nowhere bends more than 1/ρ_min (it has normal curvature only), so
    /// its ends are at least as far apart as those of a circular arc of that curvature and the same length,
    /// `c >= 2ρ·sin(s/2ρ)`. This may be solved for s as long as `s <= π·ρ_min` = 19 903 km, and normals at most a right
    /// angle apart, to which it is put, have `s <= ρ_max·π/2` = 10 052 km.
    fn within(&self, from: &UnitVector, to: &UnitVector, radius_m: f64) -> bool {
        let chord2 = from.chord2(to);
        if chord2 > NEAR_CHORD2 {
            let chord_m = Chord::between(from, to).length_m;
            if chord_m > radius_m * (1.0 + MARGIN) {
                return false;
            }
            if chord2 <= 2.0 && longest_over(chord_m) * (1.0 + MARGIN) < radius_m {
                return true;
            }
        }
        self.distance_m(from, to) <= radius_m
    }
}

/// No geodesic over a chord of at most a right angle is longer.
fn longest_over(chord_m: f64) -> f64 {
    2.0 * MIN_CURVATURE_RADIUS_M * asin(chord_m / (2.0 * MIN_CURVATURE_RADIUS_M))
}

fn far_m(pair: &Pair, antipodal_chord2: f64) -> f64 {
    if antipodal_chord2 < ANTIPODAL_CHORD2 {
        return antipodal::distance_m(pair);
    }
    iterated_m(pair).unwrap_or_else(|| antipodal::distance_m(pair))
}

/// Vincenty's inverse solution: find the longitude on the auxiliary sphere whose gain is right.
///
/// He puts the gain of one round into the next, which shrinks the error by f (or, towards the antipode, by less and
/// less). Dividing the step by one minus the derivative of the gain makes that f².
fn iterated_m(pair: &Pair) -> Option<f64> {
    let mut lambda = pair.longitude;
    for _ in 0..MAX_ROUNDS {
        let mut arc = pair.arc(lambda);
        let step = (pair.longitude + arc.longitude_gain() - lambda) / (1.0 - arc.longitude_gain_rate());
        if step.abs() < STEP_RAD {
            // The last step, to first order: the arc grows by sin α per radian of longitude.
            arc.sigma += arc.sin_alpha * step;
            return Some(arc.length_m());
        }
        lambda += step;
    }
    None
}
