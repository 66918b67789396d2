//! Points that break peers: round the poles, on the antimeridian, all at one place, at opposite ends of the earth, and
//! exactly on the edges of cells.
//!
//! Each mixes three things: the exact place, its immediate neighbours in floating point, and points whose distance from it has
//! an even spread of magnitudes. Never make one of these tamer to make a test pass.

use super::{Generator, Random, anywhere, located};
use crate::geometry::Point;

/// The registered generator.
pub(super) const POLE_CAP: Generator =
    Generator { name: "pole_cap", summary: "round both poles, from on it to ten degrees away", make: pole_cap };

/// The registered generator.
pub(super) const ANTIMERIDIAN_STRIP: Generator = Generator {
    name: "antimeridian_strip",
    summary: "along 180 degrees, on it under both its names and on either side",
    make: antimeridian_strip,
};

/// The registered generator.
pub(super) const COINCIDENT: Generator =
    Generator { name: "coincident", summary: "a few places, each many times, spelled differently", make: coincident };

/// The registered generator.
pub(super) const ANTIPODAL: Generator =
    Generator { name: "antipodal", summary: "pairs at opposite ends of the earth, or nearly", make: antipodal };

/// The registered generator.
pub(super) const CELL_EDGES: Generator = Generator {
    name: "cell_edges",
    summary: "exactly on the edges of quadtree and geohash cells, and one bit beside",
    make: cell_edges,
};

/// Smallest distance from the troublesome place, degrees: about a tenth of a micrometre.
const NEAREST_DEG: f64 = 1e-12;

fn pole_cap(random: &mut Random, count: usize) -> Vec<Point> {
    (0..count)
        .map(|_| {
            let from_pole_deg = if random.once_in(16) { 0.0 } else { random.magnitude(NEAREST_DEG, 10.0) };
            let lat_deg = random.sign() * (90.0 - from_pole_deg);
            located(lat_deg, any_lon(random))
        })
        .collect()
}

fn antimeridian_strip(random: &mut Random, count: usize) -> Vec<Point> {
    (0..count)
        .map(|_| {
            let aside_deg = if random.once_in(8) { 0.0 } else { random.magnitude(NEAREST_DEG, 2.0) };
            let lat_deg = random.between(-90.0, 90.0);
            located(lat_deg, random.sign() * (180.0 - aside_deg))
        })
        .collect()
}

/// A longitude anywhere, or one of those that have a name.
fn any_lon(random: &mut Random) -> f64 {
    const NAMED: [f64; 7] = [-180.0, -90.0, -0.0, 0.0, 90.0, 180.0, 179.999_999_999_999_97];
    if random.once_in(4) { NAMED[random.below(7) as usize] } else { random.between(-180.0, 180.0) }
}

fn coincident(random: &mut Random, count: usize) -> Vec<Point> {
    let places: Vec<Point> = (0..count.div_ceil(50)).map(|_| special_place(random)).collect();
    (0..count)
        .map(|_| {
            let place = random.below(places.len() as u64) as usize;
            respelled(random, places[place])
        })
        .collect()
}

/// Half the time a place with more than one spelling.
fn special_place(random: &mut Random) -> Point {
    match random.below(8) {
        0 => located(90.0, any_lon(random)),
        1 => located(-90.0, any_lon(random)),
        2 => located(random.between(-90.0, 90.0), 180.0),
        3 => located(0.0, 0.0),
        _ => anywhere(random),
    }
}

/// The same place in other numbers where there are any, and now and then the very next number instead.
fn respelled(random: &mut Random, point: Point) -> Point {
    let (lat_deg, lon_deg) = (point.lat_deg(), point.lon_deg());
    if random.once_in(8) {
        return located(lat_deg.next_up(), lon_deg.next_down());
    }
    if lat_deg.abs() == 90.0 {
        return located(lat_deg, any_lon(random));
    }
    if lon_deg.abs() == 180.0 || lon_deg == 0.0 {
        return located(lat_deg, lon_deg * random.sign());
    }
    point
}

/// A point, then one at or near its antipode, and so on. Near-antipodal pairs are where an ellipsoidal distance by
/// iteration does not converge.
fn antipodal(random: &mut Random, count: usize) -> Vec<Point> {
    let mut points = Vec::with_capacity(count + 1);
    while points.len() < count {
        let here = anywhere(random);
        let (lat_off_deg, lon_off_deg) = if random.once_in(4) {
            (0.0, 0.0)
        } else {
            (random.sign() * random.magnitude(NEAREST_DEG, 1.0), random.sign() * random.magnitude(NEAREST_DEG, 1.0))
        };
        let opposite_lon_deg = here.lon_deg() - 180.0 * if here.lon_deg() < 0.0 { -1.0 } else { 1.0 };
        points.push(here);
        points.push(located(lat_off_deg - here.lat_deg(), opposite_lon_deg + lon_off_deg));
    }
    points.truncate(count);
    points
}

fn cell_edges(random: &mut Random, count: usize) -> Vec<Point> {
    (0..count)
        .map(|_| {
            let lat_deg = edge(random, 180.0);
            let lon_deg = edge(random, 360.0);
            located(beside(random, lat_deg), beside(random, lon_deg))
        })
        .collect()
}

/// An edge of the grid that cuts `span_deg` in two again and again, down to 32 times: quadtree and geohash cells both
/// have theirs there. Every such number is exact in an `f64`.
fn edge(random: &mut Random, span_deg: f64) -> f64 {
    let cuts = 1_u64 << random.below(33);
    let step = random.below(cuts + 1);
    step as f64 * (span_deg / cuts as f64) - span_deg / 2.0
}

fn beside(random: &mut Random, degrees: f64) -> f64 {
    match random.below(4) {
        0 => degrees.next_up(),
        1 => degrees.next_down(),
        _ => degrees,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::metric_named;

    const MANY: usize = 20_000;

    fn count_if(points: &[Point], is: impl Fn(&Point) -> bool) -> usize {
        points.iter().filter(|point| is(point)).count()
    }

    #[test]
    fn pole_cap_reaches_both_poles_and_their_neighbours() {
        let points = pole_cap(&mut Random::seeded(1), MANY);
        assert!(points.iter().all(|point| point.lat_deg().abs() >= 80.0));
        for pole in [90.0, -90.0] {
            assert!(count_if(&points, |point| point.lat_deg() == pole) > 100);
            assert!(count_if(&points, |point| point.lat_deg() != pole && (point.lat_deg() - pole).abs() < 1e-9) > 100);
        }
    }

    #[test]
    fn antimeridian_strip_has_both_names_and_both_sides() {
        let points = antimeridian_strip(&mut Random::seeded(2), MANY);
        assert!(points.iter().all(|point| point.lon_deg().abs() >= 178.0));
        for name in [180.0, -180.0] {
            assert!(count_if(&points, |point| point.lon_deg() == name) > 100);
            assert!(count_if(&points, |point| point.lon_deg() != name && (point.lon_deg() - name).abs() < 1e-9) > 100);
        }
    }

    #[test]
    fn coincident_points_share_places_under_different_spellings() {
        let points = coincident(&mut Random::seeded(3), MANY);
        let places = distinct(points.iter().map(|point| point.unit()).map(|unit| [unit.x, unit.y, unit.z]));
        let spellings = distinct(points.iter().map(|point| [point.lat_deg(), point.lon_deg(), 0.0]));
        assert!(places < 1_000, "{places} places");
        assert!(spellings > places, "{spellings} spellings of {places} places");
    }

    fn distinct(numbers: impl Iterator<Item = [f64; 3]>) -> usize {
        numbers.map(|triple| triple.map(f64::to_bits)).collect::<std::collections::HashSet<_>>().len()
    }

    #[test]
    fn antipodal_pairs_are_half_the_earth_apart() {
        let haversine = metric_named("haversine").unwrap();
        let points = antipodal(&mut Random::seeded(4), MANY);
        let half_m = 20_015_114.0;
        for pair in points.chunks_exact(2) {
            let apart_m = haversine.distance_m(&pair[0].unit(), &pair[1].unit());
            assert!(apart_m > half_m - 160_000.0, "{pair:?} {apart_m}");
        }
        let exact = points.chunks_exact(2).filter(|pair| pair[0].lat_deg() == -pair[1].lat_deg()).count();
        assert!(exact > MANY / 10, "{exact}");
    }

    #[test]
    fn cell_edges_lie_on_the_grid() {
        let points = cell_edges(&mut Random::seeded(5), MANY);
        let on_grid = |degrees: f64, span_deg: f64| {
            let steps = (degrees + span_deg / 2.0) / span_deg * 4_294_967_296.0;
            steps.fract() == 0.0
        };
        let exact = count_if(&points, |point| on_grid(point.lat_deg(), 180.0) && on_grid(point.lon_deg(), 360.0));
        assert!(exact > MANY / 5, "{exact}");
        assert!(exact < MANY, "some lie one bit beside");
    }
}
