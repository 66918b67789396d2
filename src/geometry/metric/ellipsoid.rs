//! The WGS84 ellipsoid: its numbers, and the straight line between two places on it.
//!
//! The surprise is how far the straight line carries. Its length and the angle between the normals at its ends give
//! the circle that hugs the ground between them, and up to 100 km the arc of that circle *is* the geodesic to a fifth
//! of a micrometre. No latitude, longitude or azimuth is needed, and no iteration.
//!
//! *Units*: metres, unit normals.
//!
//! *References*: NIMA TR8350.2 (2000), table 3.1, the defining parameters; M. do Carmo, "Differential Geometry of
//! Curves and Surfaces" (1976), section 3-2, on normal curvature.

use super::chord::arc_excess;
use crate::geometry::maths::sqrt;
use crate::geometry::point::UnitVector;

/// Equatorial radius `a`.
pub(super) const EQUATORIAL_RADIUS_M: f64 = 6_378_137.0;
/// Flattening `f`.
pub(super) const FLATTENING: f64 = 1.0 / 298.257_223_563;
/// Polar radius `b = a(1 - f)`.
pub(super) const POLAR_RADIUS_M: f64 = EQUATORIAL_RADIUS_M * (1.0 - FLATTENING);
/// First eccentricity squared, `e² = (a² - b²)/a²`.
const ECCENTRICITY2: f64 = FLATTENING * (2.0 - FLATTENING);
/// The smallest radius of curvature of the ground, along the meridian at the equator: `b²/a` = 6 335 439.327 m.
pub(super) const MIN_CURVATURE_RADIUS_M: f64 = POLAR_RADIUS_M * POLAR_RADIUS_M / EQUATORIAL_RADIUS_M;
/// The largest radius of curvature of the ground, in every direction at the poles: `a²/b` = 6 399 593.626 m.
pub(super) const MAX_CURVATURE_RADIUS_M: f64 = EQUATORIAL_RADIUS_M * EQUATORIAL_RADIUS_M / POLAR_RADIUS_M;
/// No two places are farther apart than half a meridian, 20 003 931.4586 m: the way over one pole and the way over
/// the other make a whole meridian together, so the shorter is at most half. Rounded up by 0.4 mm.
pub(super) const HALF_MERIDIAN_M: f64 = 20_003_931.459;

/// The straight line through the earth between two places.
pub(super) struct Chord {
    /// Its length.
    pub(super) length_m: f64,
    /// The square of (length × mean curvature of the ground below it).
    bend2: f64,
}

impl Chord {
    /// The line between the places with these normals, which must differ.
    ///
    /// A place is `N·(x, y, (1-e²)z)` with `N = a/sqrt(1 - e²z²)`. The difference of two is written in differences of
    /// normals, which are exact for near places, so that digits are kept down to the smallest distance; and exchanging
    /// the ends changes signs only, so both ways are equally long to the last bit.
    pub(super) fn between(from: &UnitVector, to: &UnitVector) -> Chord {
        let (root1, root2) = (sqrt(1.0 - ECCENTRICITY2 * (from.z * from.z)), sqrt(1.0 - ECCENTRICITY2 * (to.z * to.z)));
        let (dx, dy, dz) = (to.x - from.x, to.y - from.y, to.z - from.z);
        let (sx, sy, sz) = (to.x + from.x, to.y + from.y, to.z + from.z);
        // Half the sum and half the difference of the two N.
        let scale = EQUATORIAL_RADIUS_M / (2.0 * (root1 * root2));
        let sum = root1 + root2;
        let mean = scale * sum;
        let half_step = scale * ECCENTRICITY2 * (dz * sz) / sum;
        let x = mean * dx + half_step * sx;
        let y = mean * dy + half_step * sy;
        let z = (1.0 - ECCENTRICITY2) * (mean * dz + half_step * sz);
        let length2 = x * x + y * y + z * z;
        // Weingarten: along the ground the normal turns by curvature × way, so this is curvature × length².
        let turn = dx * x + dy * y + dz * z;
        Chord { length_m: sqrt(length2), bend2: turn * turn / length2 }
    }

    /// The geodesic over a chord of up to 100 km.
    ///
    /// With k the normal curvature at the middle, `s = c + k²c³/24 + 3k⁴c⁵/640 + ...` as on a circle; even powers
    /// vanish by symmetry about the middle. The mean curvature taken here differs from k by about e²(kc)² of itself, and
    /// torsion and the change of curvature enter with c⁵ too: measured 5 nm at 50 km, 0.2 µm at 100 km, 5 µm at 200 km.
    pub(super) fn geodesic_m(&self) -> f64 {
        self.length_m + self.length_m * arc_excess(self.bend2)
    }
}
