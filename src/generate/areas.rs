//! Places to ask at and areas to ask about: a step aside of a point, a box and a ragged ring of about a size.

use super::Random;
use super::places::DEGREE_M;
use crate::geometry::maths::{RADIANS, cos, sin_cos_deg};
use crate::geometry::{Point, Rect};

/// A place some way from a point: the step in each direction is normally distributed about `step_m`.
pub fn aside(point: Point, step_m: f64, random: &mut Random) -> Point {
    let (north, east) = random.normal_pair();
    let step_deg = step_m / DEGREE_M;
    let lat_deg = (point.lat_deg() + north * step_deg).clamp(-90.0, 90.0);
    let lon_deg = point.lon_deg() + east * step_deg / cos(lat_deg * RADIANS).max(1e-3);
    Point::new(lat_deg, lon_deg.clamp(-180.0, 180.0)).expect("clamped to the earth")
}

/// A box about as large as a circle of this radius, across the antimeridian where it stands there.
///
/// ```
/// use nigh::generate::box_round;
/// use nigh::geometry::Point;
/// let suva = box_round(Point::new(-18.14, 178.44)?, 300_000.0);
/// assert!(suva.east() > 180.0);
/// # Ok::<_, nigh::geometry::GeometryError>(())
/// ```
pub fn box_round(centre: Point, radius_m: f64) -> Rect {
    // A square as large as the circle has √π / 2 of its width.
    let half_deg = radius_m * 0.886 / DEGREE_M;
    let (south, north) = ((centre.lat_deg() - half_deg).max(-90.0), (centre.lat_deg() + half_deg).min(90.0));
    let half_lon_deg = (half_deg / cos(centre.lat_deg() * RADIANS).max(1e-3)).min(90.0);
    let west = centre.lon_deg() - half_lon_deg;
    let west = if west < -180.0 { west + 360.0 } else { west };
    Rect::from_corners(south, west, north, west + 2.0 * half_lon_deg).expect("a box within the earth")
}

/// A closed ring `[lon, lat]` of so many vertices round a centre, now nearer and now farther than this radius: bays and
/// capes, and from one vertex to the next the less the more there are, as on a coast.
pub fn ring_round(centre: Point, radius_m: f64, vertices: usize, random: &mut Random) -> Vec<[f64; 2]> {
    let half_deg = radius_m / DEGREE_M;
    let stretch = 1.0 / cos(centre.lat_deg() * RADIANS).max(0.1);
    let rough = 0.15_f64.min(20.0 / vertices as f64);
    let vertex = |place: usize| {
        let turn_deg = 360.0 * place as f64 / vertices as f64;
        let ((sine, cosine), (capes, bays)) = (sin_cos_deg(turn_deg), sin_cos_deg(5.0 * turn_deg));
        let far_deg = half_deg * (1.0 + 0.1 * capes + 0.1 * bays * sine + random.between(-rough, rough));
        [centre.lon_deg() + far_deg * stretch * cosine, (centre.lat_deg() + far_deg * sine).clamp(-90.0, 90.0)]
    };
    let mut ring: Vec<[f64; 2]> = (0..vertices).map(vertex).collect();
    ring.push(ring[0]);
    ring
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_stand_round_their_centre_wherever_that_is() {
        let mut random = Random::seeded(4);
        for (lat, lon) in [(0.0, 0.0), (48.9, 2.3), (-18.1, 179.99), (90.0, 0.0), (-89.99, -180.0)] {
            let centre = Point::new(lat, lon).unwrap();
            for radius_m in [0.0, 1.0, 5_000.0, 3_000_000.0, 20_000_000.0] {
                assert!(box_round(centre, radius_m).contains(centre), "{centre:?} {radius_m}");
                let ring = ring_round(centre, radius_m, 8, &mut random);
                assert_eq!((ring.len(), ring[0]), (9, ring[8]));
                assert!(ring.iter().all(|[_, lat]| lat.abs() <= 90.0));
            }
            assert_eq!(aside(centre, 0.0, &mut random), centre);
        }
    }
}
