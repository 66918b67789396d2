//! Distance between nearly antipodal places, where Vincenty's iteration wanders.
//!
//! There the longitude on the auxiliary sphere hardly determines the way: several geodesics start in quite different
//! directions. Karney's remedy is to ask for the *azimuth* instead: seen from the place farther from the equator,
//! setting out from 0 (over the near side) to pi (over the nearer pole), the longitude reached on the other's
//! parallel grows from 0 to pi without a turn, so it can be bracketed, and a bracket cannot fail. He follows with
//! Newton's method from a good start; this is rare enough to close the bracket by halving and secants.
//!
//! *Accuracy*: that of the series in [`auxiliary`](super::auxiliary), 5 µm.
//!
//! *Why not `geographiclib-rs`*, the oracle of the tests: it takes sines from the platform, and a distance would not be
//! the same bits on every node. It takes 1.0 µs for such a pair, this 1.8.
//!
//! *References*: C. F. F. Karney, "Algorithms for geodesics", J. Geodesy 87 (2013), 43-55, section 4;
//! equations (5) and (10) to (12) for the triangle.

use super::auxiliary::{Arc, Pair};
use crate::geometry::maths::{atan2, cos, sin_cos, sqrt};

/// Enough to halve the bracket to the last bit of an azimuth, every second round being a secant.
const MAX_ROUNDS: usize = 128;

/// A longitude that is right: 25 nm on the ground.
const CLOSE_RAD: f64 = 4e-15;

/// Under this cosine of the latitude (over about 45°) latitudes are compared by their cosines.
const POLAR_COSINE: f64 = 0.7;

/// The geodesic that sets out with some azimuth and ends on the other place's parallel.
#[derive(Clone, Copy)]
struct Shot {
    azimuth: f64,
    /// The longitude reached, 0 to pi.
    longitude: f64,
    length_m: f64,
}

/// The length of the geodesic, for any pair, though others are faster where they work.
pub(super) fn distance_m(pair: &Pair) -> f64 {
    let pair = from_the_south(pair);
    let (mut low, mut high) = (shoot(&pair, 0.0), shoot(&pair, std::f64::consts::PI));
    for round in 0..MAX_ROUNDS {
        let middle = (low.azimuth + high.azimuth) / 2.0;
        let aim = if round % 2 == 0 {
            low.azimuth + share(&pair, &low, &high) * (high.azimuth - low.azimuth)
        } else {
            middle
        };
        if !(low.azimuth < aim && aim < high.azimuth) {
            continue;
        }
        let shot = shoot(&pair, aim);
        if (shot.longitude - pair.longitude).abs() < CLOSE_RAD {
            return shot.length_m;
        }
        if shot.longitude < pair.longitude { low = shot } else { high = shot }
    }
    // The longitude may jump between neighbouring azimuths, along the equator and at a pole. Along the equator lengths
    // are proportional to longitudes, and at a pole they are equal: so the share is right in both cases.
    low.length_m + share(&pair, &low, &high) * (high.length_m - low.length_m)
}

/// Where the wanted longitude lies between two shots, 0 to 1.
fn share(pair: &Pair, low: &Shot, high: &Shot) -> f64 {
    let span = high.longitude - low.longitude;
    if span > 0.0 { ((pair.longitude - low.longitude) / span).clamp(0.0, 1.0) } else { 0.5 }
}

/// The same pair, mirrored and exchanged so that the first place lies south of the equator and farther from it. Makes
/// the longitude monotone, and the length independent of the order, to the bit.
fn from_the_south(pair: &Pair) -> Pair {
    let Pair { sin_u1, cos_u1, sin_u2, cos_u2, longitude } = *pair;
    let by_sine = sin_u1.abs().total_cmp(&sin_u2.abs());
    let by_cosine = cos_u2.total_cmp(&cos_u1);
    let order = if cos_u1.min(cos_u2) < POLAR_COSINE { by_cosine.then(by_sine) } else { by_sine.then(by_cosine) };
    let (sin_far, cos_far, sin_near, cos_near) =
        if order.is_lt() { (sin_u2, cos_u2, sin_u1, cos_u1) } else { (sin_u1, cos_u1, sin_u2, cos_u2) };
    let mirrored = if sin_far > 0.0 { -sin_near } else { sin_near };
    Pair { sin_u1: -sin_far.abs(), cos_u1: cos_far, sin_u2: mirrored, cos_u2: cos_near, longitude }
}

/// `cos²U₂ - cos²U₁ = sin²U₁ - sin²U₂`, from whichever are small: near the poles the sines have lost the difference.
fn latitude_gap(pair: &Pair) -> f64 {
    let gap = if pair.cos_u1 < POLAR_COSINE {
        (pair.cos_u2 - pair.cos_u1) * (pair.cos_u2 + pair.cos_u1)
    } else {
        (pair.sin_u1 - pair.sin_u2) * (pair.sin_u1 + pair.sin_u2)
    };
    gap.max(0.0)
}

/// Solves the direct problem from the first place to the second's parallel, which is met going north.
fn shoot(pair: &Pair, azimuth: f64) -> Shot {
    let (sin_azimuth, cos_azimuth) = sin_cos(azimuth);
    let sin_alpha = sin_azimuth * pair.cos_u1;
    // The northward parts of the directions at both ends, times cos U.
    let north1 = cos_azimuth * pair.cos_u1;
    let north2 = sqrt(north1 * north1 + latitude_gap(pair));
    // Distances from the crossing of the equator, and longitudes. A sine of -0 on the equator is what makes azimuths
    // over pi/2 start half a turn behind.
    let (sigma1, sigma2) = (atan2(pair.sin_u1, north1), atan2(pair.sin_u2, north2));
    let omega1 = atan2(sin_alpha * pair.sin_u1, north1);
    let omega2 = atan2(sin_alpha * pair.sin_u2, north2);
    let sigma = sigma2 - sigma1;
    let (sin_sigma, cos_sigma) = sin_cos(sigma);
    let cos2_alpha = north1 * north1 + pair.sin_u1 * pair.sin_u1;
    let arc = Arc { sigma, sin_sigma, cos_sigma, sin_alpha, cos2_alpha, cos_2sigma_m: cos(sigma1 + sigma2) };
    Shot { azimuth, longitude: omega2 - omega1 - arc.longitude_gain(), length_m: arc.length_m() }
}
