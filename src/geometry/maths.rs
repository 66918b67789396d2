//! The few functions that `geometry` takes from outside: one pure-Rust library, so that the same input gives the
//! same bits on every platform.
//!
//! The surprising part: angles enter in **degrees** and are reduced in degrees, where the reduction is exact. That is
//! why the cosine of 90° is exactly 0 here, why every longitude at a pole is one place, and why 180° and -180° are
//! one meridian, with no special case anywhere above.

pub use libm::log as ln;
pub use libm::{asin, atan, atan2, cos, hypot, sin, sincos as sin_cos, sinh, tan};

/// The square root. IEEE 754 wants the nearest number, so the processor's own gives the same bits everywhere, and
/// can be inlined.
#[inline]
pub fn sqrt(x: f64) -> f64 {
    x.sqrt()
}

/// Radians in one degree.
pub const RADIANS: f64 = std::f64::consts::PI / 180.0;

/// Sine and cosine of an angle in degrees, exact at multiples of 90°.
///
/// *Accuracy*: below one unit in the last place for |`deg`| <= 720.
///
/// *References*: the quadrant reduction follows the idea of C. F. F. Karney's `sincosd` (GeographicLib).
///
/// ```
/// use nigh::geometry::maths::sin_cos_deg;
/// assert_eq!(sin_cos_deg(90.0), (1.0, 0.0));
/// assert_eq!(sin_cos_deg(180.0), sin_cos_deg(-180.0));
/// ```
pub fn sin_cos_deg(deg: f64) -> (f64, f64) {
    debug_assert!(deg.is_finite());
    let quarter = libm::rint(deg / 90.0);
    let rest_rad = (deg - 90.0 * quarter) * RADIANS;
    let (sine, cosine) = libm::sincos(rest_rad);
    let (sine, cosine) = match (quarter as i64).rem_euclid(4) {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    };
    // `+ 0.0` turns -0 into 0, so that a place has one spelling.
    (sine + 0.0, cosine + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_are_exact() {
        for (deg, expected) in [
            (0.0, (0.0, 1.0)),
            (-0.0, (0.0, 1.0)),
            (90.0, (1.0, 0.0)),
            (-90.0, (-1.0, 0.0)),
            (180.0, (0.0, -1.0)),
            (-180.0, (0.0, -1.0)),
            (270.0, (-1.0, 0.0)),
            (360.0, (0.0, 1.0)),
        ] {
            let (sine, cosine) = sin_cos_deg(deg);
            assert_eq!(
                (sine.to_bits(), cosine.to_bits()),
                (f64::to_bits(expected.0), f64::to_bits(expected.1)),
                "{deg}"
            );
        }
    }

    #[test]
    fn between_the_quarters_it_is_the_plain_sine() {
        for step in -7200..=7200 {
            let deg = f64::from(step) * 0.1;
            let (sine, cosine) = sin_cos_deg(deg);
            approx::assert_abs_diff_eq!(sine, sin(deg * RADIANS), epsilon = 4e-15);
            approx::assert_abs_diff_eq!(cosine, cos(deg * RADIANS), epsilon = 4e-15);
        }
    }
}
