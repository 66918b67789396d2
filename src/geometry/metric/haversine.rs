//! Great-circle distance on the sphere of radius 6 371 008.8 m, in chord form.

use super::{Metric, Reach};
use crate::geometry::maths::{asin, atan2, sin, sqrt};
use crate::geometry::point::UnitVector;

/// The mean radius of the earth, metres (IUGG).
pub const EARTH_RADIUS_M: f64 = 6_371_008.8;

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

    fn distance_m(&self, from: &UnitVector, to: &UnitVector) -> f64 {
        let chord2 = from.chord2(to);
        if chord2 <= 2.0 {
            2.0 * EARTH_RADIUS_M * asin(sqrt(chord2) / 2.0)
        } else {
            2.0 * EARTH_RADIUS_M * atan2(sqrt(chord2), sqrt(from.antipodal_chord2(to)))
        }
    }

    fn reach(&self, radius_m: f64) -> Reach {
        let half_angle = radius_m / (2.0 * EARTH_RADIUS_M);
        if half_angle >= 1.570_796_4 {
            return Reach { inside_chord2: f64::INFINITY, outside_chord2: f64::INFINITY };
        }
        let chord = 2.0 * sin(half_angle);
        let chord2 = chord * chord;
        let slack = if chord2 < 2.0 { chord2 * 1e-14 } else { 1e-13 };
        Reach { inside_chord2: chord2 - slack, outside_chord2: chord2 + slack }
    }
}
