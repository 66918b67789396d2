//! The auxiliary sphere: geodesics of the ellipsoid are great circles on it, nearly of the same length and nearly with
//! the same longitudes, and two short series say what "nearly" is.
//!
//! A place keeps its meridian and gets the *reduced* latitude U, `tan U = (1-f)·tan(lat)`. The sine and cosine of U
//! come straight from the unit normal, so neither latitude nor tangent is ever computed.
//!
//! *Accuracy*: the series keep one term more of `C` than Vincenty printed. His are up to 75 µm off, these 4.4 µm
//! (measured on a million pairs against GeographicLib).
//!
//! *References*: T. Vincenty, "Direct and inverse solutions of geodesics on the ellipsoid with application of nested
//! equations", Survey Review 23 (1975), 88-93, whose symbols are kept; the same, "Addendum", Survey Review 23 (1976),
//! 294, for `k1`; C. F. F. Karney, "Algorithms for geodesics", J. Geodesy 87 (2013), 43-55,
//! equation (24), whose expansion in `f` gives the further term.

use super::ellipsoid::{EQUATORIAL_RADIUS_M, FLATTENING, POLAR_RADIUS_M};
use crate::geometry::maths::{atan2, sin_cos, sqrt};
use crate::geometry::point::UnitVector;

const F: f64 = FLATTENING;

/// Second eccentricity squared, `(a² - b²)/b²`.
const SECOND_ECCENTRICITY2: f64 = EQUATORIAL_RADIUS_M * EQUATORIAL_RADIUS_M / (POLAR_RADIUS_M * POLAR_RADIUS_M) - 1.0;

/// Two places on the auxiliary sphere.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    /// Sine and cosine of the reduced latitudes.
    pub(super) sin_u1: f64,
    pub(super) cos_u1: f64,
    pub(super) sin_u2: f64,
    pub(super) cos_u2: f64,
    /// The difference of longitudes on the ellipsoid, 0 to pi.
    pub(super) longitude: f64,
}

impl Pair {
    /// The places with these normals. At a pole the longitude is 0 and does not matter.
    pub(super) fn of(from: &UnitVector, to: &UnitVector) -> Pair {
        let (sin_u1, cos_u1) = reduced_latitude(from);
        let (sin_u2, cos_u2) = reduced_latitude(to);
        let cross = from.x * to.y - from.y * to.x;
        let dot = from.x * to.x + from.y * to.y;
        Pair { sin_u1, cos_u1, sin_u2, cos_u2, longitude: atan2(cross.abs(), dot) }
    }

    /// The great circle between the two, were `lambda` their difference of longitudes on the auxiliary sphere.
    ///
    /// Vincenty's (14) to (18), with the angle taken from the chord and the chord to the antipode: more accurate at
    /// both ends of the range, and the same bits when the places are exchanged.
    pub(super) fn arc(&self, lambda: f64) -> Arc {
        let (sin_half, cos_half) = sin_cos(lambda / 2.0);
        let cosines = self.cos_u1 * self.cos_u2;
        let (sin_gap, sin_sum) = (self.sin_u1 - self.sin_u2, self.sin_u1 + self.sin_u2);
        let cos_gap = self.cos_u1 - self.cos_u2;
        let chord2 = sin_gap * sin_gap + cos_gap * cos_gap + 4.0 * cosines * (sin_half * sin_half);
        let antipodal2 = sin_sum * sin_sum + cos_gap * cos_gap + 4.0 * cosines * (cos_half * cos_half);
        let (sin_sigma, cos_sigma) = (sqrt(chord2 * antipodal2) / 2.0, (antipodal2 - chord2) / 4.0);
        let sin_alpha = 2.0 * cosines * (sin_half * cos_half) / sin_sigma;
        let cos2_alpha = (1.0 - sin_alpha * sin_alpha).max(0.0);
        // Along the equator this is 0/0, and whatever stands here is multiplied by 0 later.
        let cos_2sigma_m = if cos2_alpha > 0.0 {
            (cos_sigma - 2.0 * (self.sin_u1 * self.sin_u2) / cos2_alpha).clamp(-1.0, 1.0)
        } else {
            0.0
        };
        Arc { sigma: atan2(sin_sigma, cos_sigma), sin_sigma, cos_sigma, sin_alpha, cos2_alpha, cos_2sigma_m }
    }
}

/// Sine and cosine of the reduced latitude.
fn reduced_latitude(normal: &UnitVector) -> (f64, f64) {
    let across2 = normal.x * normal.x + normal.y * normal.y;
    let along = (1.0 - F) * normal.z;
    let length = sqrt(across2 + along * along);
    (along / length, sqrt(across2) / length)
}

/// A piece of a great circle on the auxiliary sphere.
pub(super) struct Arc {
    /// Its length.
    pub(super) sigma: f64,
    pub(super) sin_sigma: f64,
    pub(super) cos_sigma: f64,
    /// Sine of its azimuth at the equator, and the squared cosine.
    pub(super) sin_alpha: f64,
    pub(super) cos2_alpha: f64,
    /// Cosine of twice the distance from the equator to its middle.
    pub(super) cos_2sigma_m: f64,
}

impl Arc {
    /// How much farther it goes in longitude than the geodesic it stands for: Vincenty's (11).
    pub(super) fn longitude_gain(&self) -> f64 {
        let c = self.c();
        let cos_4sigma_m = 2.0 * (self.cos_2sigma_m * self.cos_2sigma_m) - 1.0;
        let wave = c * self.sin_sigma * (self.cos_2sigma_m + c * self.cos_sigma * cos_4sigma_m);
        (1.0 - c) * F * self.sin_alpha * (self.sigma + wave)
    }

    /// The derivative of the gain by longitude, but for terms of f².
    ///
    /// From `sin α = cos U₁·cos U₂·sin λ / sin σ` and `dσ/dλ = sin α` follows `d(σ·sin α)/dλ = sin²α +
    /// σ·(cos U₁·cos U₂·cos λ - sin²α·cos σ) / sin σ`, and the bracket is `cos²α·(cos σ + cos 2σ_m)/2`.
    pub(super) fn longitude_gain_rate(&self) -> f64 {
        let turning = self.sigma * self.cos2_alpha * (self.cos_sigma + self.cos_2sigma_m) / (2.0 * self.sin_sigma);
        (1.0 - self.c()) * F * (self.sin_alpha * self.sin_alpha + turning)
    }

    /// Vincenty's `C`, (10), and one term more: his is f/16·cos²α·(4 + f(4 - 3cos²α)).
    fn c(&self) -> f64 {
        let q = self.cos2_alpha;
        F * q
            * (1.0 / 4.0
                + F * (1.0 / 4.0 - q * (3.0 / 16.0) + F * (1.0 / 4.0 - q * (27.0 / 64.0 - q * (25.0 / 128.0)))))
    }

    /// The length of the geodesic on the ellipsoid: Vincenty's (19) and (6), with A and B from the `k1` of 1976.
    pub(super) fn length_m(&self) -> f64 {
        let root = sqrt(1.0 + self.cos2_alpha * SECOND_ECCENTRICITY2);
        let k1 = (root - 1.0) / (root + 1.0);
        let a = (1.0 + k1 * k1 / 4.0) / (1.0 - k1);
        let b = k1 * (1.0 - 3.0 / 8.0 * (k1 * k1));
        let (cos_m, cos2_m) = (self.cos_2sigma_m, self.cos_2sigma_m * self.cos_2sigma_m);
        let third = b / 6.0 * cos_m * (4.0 * (self.sin_sigma * self.sin_sigma) - 3.0) * (4.0 * cos2_m - 3.0);
        let second = b / 4.0 * (self.cos_sigma * (2.0 * cos2_m - 1.0) - third);
        POLAR_RADIUS_M * a * (self.sigma - b * self.sin_sigma * (cos_m + second))
    }
}
