//! Random polygons: stars, tangles, frames of boxes and rings round a pole, with holes, in several parts.

use nigh::generate::Random;
use nigh::geometry::{Edges, Polygon};

use crate::history::History;
use crate::questions::{random_corners, random_place};
use crate::regions::{Region, Ring};

/// Draws until the library takes it: it refuses only a box right round the earth, and arcs between antipodes.
pub(super) fn random_region(history: &mut History) -> (Region, Polygon) {
    loop {
        let parts = 1 + history.random.below(3) * history.random.below(2);
        let polygons: Vec<Vec<Ring>> = (0..parts).map(|_| random_rings(history)).collect();
        let edges = Edges::ALL[history.random.below(2) as usize];
        match Polygon::new(&polygons, edges) {
            Ok(polygon) => return (Region::new(polygons, edges), polygon),
            Err(refusal) => {
                let words = refusal.to_string();
                assert!(words.contains("short way") || words.contains("antipodal"), "{words} {polygons:?}");
            }
        }
    }
}

fn random_rings(history: &mut History) -> Vec<Ring> {
    let centre = random_place(history);
    let (lat, lon) = (centre.lat_deg(), centre.lon_deg());
    let outer = match history.random.below(8) {
        0..=3 => {
            let size = history.random.magnitude(1e-4, 60.0);
            let spin = if history.random.once_in(3) { 0.0 } else { 0.7 };
            let star = star(&mut history.random, lat, lon, size, spin);
            if history.random.once_in(3) {
                return vec![star, self::star(&mut history.random, lat, lon, size * 0.5, spin)];
            }
            star
        }
        4 | 5 => tangle(history),
        6 => frame(history),
        _ => round_a_pole(&mut history.random),
    };
    if history.random.once_in(4) { vec![outer, tangle(history)] } else { vec![outer] }
}

/// Back to the first position, all longitudes written as they come or within ±180.
fn closed(random: &mut Random, mut ring: Ring) -> Ring {
    let wraps = random.once_in(2);
    for position in &mut ring {
        position[1] = position[1].clamp(-90.0, 90.0);
        if position[0].abs() > 360.0 || (wraps && position[0].abs() > 180.0) {
            position[0] -= 360.0 * position[0].signum();
        }
    }
    ring.push(ring[0]);
    ring
}

/// Corners at random distances all round a centre.
fn star(random: &mut Random, lat: f64, lon: f64, size: f64, spin: f64) -> Ring {
    let corners = 3 + random.below(24);
    let stretch = 1.0 / (90.0 - f64::abs(lat)).max(1.0).min(60.0) * 60.0;
    let corner = |number: u64, random: &mut Random| {
        let angle = (number as f64 + spin * random.unit()) / corners as f64 * 360.0;
        let (sine, cosine) = nigh::geometry::maths::sin_cos_deg(angle);
        let away = size * random.between(0.3, 1.0);
        [lon + away * sine * stretch.min(170.0 / size), lat + away * cosine]
    };
    let ring = (0..corners).map(|number| corner(number, random)).collect();
    closed(random, ring)
}

/// Any places of the history one after the other: it crosses itself, and points stand on its vertices.
fn tangle(history: &mut History) -> Ring {
    let corners = 3 + history.random.below(5);
    let corner = |history: &mut History| {
        let place = random_place(history);
        [place.lon_deg(), place.lat_deg()]
    };
    let ring = (0..corners).map(|_| corner(history)).collect();
    closed(&mut history.random, ring)
}

/// The four sides of a box, on which points stand; wider than half the globe they take the short way.
fn frame(history: &mut History) -> Ring {
    let [south, west, north, east] = random_corners(history);
    let east = if west > east { east + 360.0 } else { east };
    closed(&mut history.random, vec![[west, south], [east, south], [east, north], [west, north]])
}

/// Once round the axis, near a pole or far from it.
fn round_a_pole(random: &mut Random) -> Ring {
    let (corners, pole, west) = (4 + random.below(20), random.sign(), random.between(-180.0, 180.0));
    let (reach, spin) = (random.magnitude(1e-6, 60.0), random.between(0.0, 0.9));
    let corner = |number: u64, random: &mut Random| {
        let lon = west + (number as f64 + spin * random.unit()) / corners as f64 * 360.0;
        [lon, pole * (90.0 - reach * random.between(0.5, 1.0))]
    };
    let mut ring: Ring = (0..corners).map(|number| corner(number, random)).collect();
    if random.once_in(2) {
        ring.reverse();
    }
    closed(random, ring)
}
