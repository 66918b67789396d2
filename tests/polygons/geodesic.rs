//! Geodesic edges against arcs in space, from the candidate to a place known to be outside, crossed with every edge by
//! triple products.

use nigh::geometry::maths::{atan2, hypot, tan};
use nigh::geometry::{Edges, Point, Polygon, UnitVector};

use super::shapes::{Random, Rings, candidate_lon, closed, tangle};
use super::{holds, planar};

/// The side of `p` on the great circle from `a` to `b`, or nothing if too near to tell.
///
/// From differences: the plain `a × b` of two places a metre apart has an error of its own size a kilometre away.
fn sure_side(a: UnitVector, b: UnitVector, p: UnitVector) -> Option<bool> {
    let minus = |u: UnitVector, v: UnitVector| UnitVector { x: u.x - v.x, y: u.y - v.y, z: u.z - v.z };
    let n = a.cross(&minus(b, a));
    let height = n.dot(&minus(p, a)) / n.dot(&n).sqrt();
    (height.abs() > 1e-12).then_some(height > 0.0)
}

/// Whether two short arcs cross, or nothing if too near to tell.
fn surely_cross(a: UnitVector, b: UnitVector, p: UnitVector, q: UnitVector) -> Option<bool> {
    let sides = [sure_side(a, b, p)?, sure_side(a, b, q)?, sure_side(p, q, a)?, sure_side(p, q, b)?];
    // Each has its ends on both sides of the other; were they on opposite halves of the globe, the turns would differ.
    Some(sides[0] != sides[1] && sides[2] != sides[3] && sides[0] == sides[3])
}

/// The longitude and latitude of a direction.
fn lon_lat((x, y, z): (f64, f64, f64)) -> [f64; 2] {
    [atan2(y, x).to_degrees(), atan2(z, hypot(x, y)).to_degrees()]
}

fn unit_of(lat: f64, lon: f64) -> UnitVector {
    Point::new(lat, lon).unwrap().unit()
}

/// Even-odd by the arc from the candidate to a place outside.
fn holds_on_the_sphere(rings: &Rings, outside: UnitVector, lat: f64, lon: f64) -> Option<bool> {
    let candidate = unit_of(lat, lon);
    let mut odd = false;
    for pair in rings.iter().flat_map(|ring| ring.windows(2)) {
        let (a, b) = (unit_of(pair[0][1], pair[0][0]), unit_of(pair[1][1], pair[1][0]));
        odd ^= surely_cross(a, b, candidate, outside)?;
    }
    Some(odd)
}

#[test]
fn geodesic_rings_agree_with_arcs_in_space() {
    let mut decided = 0;
    for seed in 30_000..32_000 {
        let mut random = Random(seed);
        // Rings within a cap, so that the antipode of its centre is outside; poles and the antimeridian included.
        let centre_lat = [0.0, 45.0, 80.0, 89.5, -89.9, -60.0, 90.0][random.below(7)];
        let centre_lon = [0.0, 179.0, -120.5, 90.0][random.below(4)];
        let size: f64 = [1e-5, 0.5, 5.0, 40.0, 80.0][random.below(5)];
        let in_cap = |random: &mut Random| loop {
            let (lat, lon) = (random.between(-90.0, 90.0), random.between(-180.0, 180.0));
            // A random place moved towards the centre.
            let (c, p) = (unit_of(centre_lat, centre_lon), unit_of(lat, lon));
            let w = tan(size.to_radians()) * random.share().sqrt();
            let side = c.cross(&p);
            let length = side.dot(&side).sqrt();
            if length < 1e-3 {
                continue;
            }
            let v = (c.x + w * side.x / length, c.y + w * side.y / length, c.z + w * side.z / length);
            return lon_lat(v);
        };
        let rings: Rings = (0..1 + random.below(2))
            .map(|_| {
                let most = [10, 10, 150][random.below(3)];
                let vertices = 3 + random.below(most);
                let mut ring: Vec<[f64; 2]> = (0..vertices).map(|_| in_cap(&mut random)).collect();
                if random.below(6) == 0 && size > 1.0 && centre_lat > 50.0 {
                    ring[1] = [0.0, 90.0];
                }
                closed(ring)
            })
            .collect();
        // Round the pole the inside is told by the mean latitude, which for a cap that reaches over both is not ours to know.
        let Ok(polygon) = Polygon::new(std::slice::from_ref(&rings), Edges::Geodesic) else { continue };
        if size > 30.0 && centre_lat.abs() < f64::max(50.0, size) {
            continue;
        }
        let (full, lean, frame) = (polygon.prepare(), polygon.prepare_for(0), polygon.frame());
        // Outside: near the antipode of the centre, or four radii away from it, where a short edge still tells sides.
        let (centre, anti) = (unit_of(centre_lat, centre_lon), unit_of(-centre_lat, candidate_lon(centre_lon + 180.0)));
        let (from, by) = if size > 5.0 { (anti, 1e-3) } else { (centre, 4.0 * tan(size.to_radians())) };
        let outside = UnitVector { x: from.x + 0.9 * by, y: from.y - 0.8 * by, z: from.z + 0.7 * by };
        for _ in 0..40 {
            let [lon, lat] = if random.below(4) > 0 {
                in_cap(&mut random)
            } else {
                [random.between(-180.0, 180.0), random.between(-90.0, 90.0)]
            };
            let Some(expected) = holds_on_the_sphere(&rings, outside, lat, lon) else { continue };
            decided += 1;
            let story = || format!("seed {seed}: lat {lat:?} lon {lon:?} in {rings:?}");
            assert_eq!(holds(&full, lat, lon), expected, "{}", story());
            assert_eq!(holds(&lean, lat, lon), expected, "prepared for few: {}", story());
            assert!(!expected || frame.holds(lat, lon), "outside of the frame {frame:?}: {}", story());
        }
    }
    assert!(decided > 30_000, "{decided}");
}

#[test]
fn geodesic_vertices_and_middles_of_edges_belong_to_the_polygon() {
    for seed in 40_000..41_000 {
        let mut random = Random(seed);
        let vertices = 3 + random.below(40);
        let (west, width) = [(-180.0, 360.0), (170.0, 20.0), (0.0, 1e-3)][random.below(3)];
        let ring = tangle(&mut random, vertices, west, width, -90.0, 180.0, 0.0);
        let Ok(polygon) = Polygon::new(&[vec![ring.clone()]], Edges::Geodesic) else { continue };
        let (full, lean) = (polygon.prepare(), polygon.prepare_for(0));
        for pair in ring.windows(2) {
            let (lat, lon) = (pair[0][1], candidate_lon(pair[0][0]));
            assert!(holds(&full, lat, lon) && holds(&lean, lat, lon), "seed {seed}: {lat:?} {lon:?} of {ring:?}");
        }
    }
}

#[test]
fn a_geodesic_edge_bulges_towards_the_pole() {
    let ring = vec![vec![closed(vec![[-120.0, 50.0], [0.0, 50.0], [0.0, 40.0], [-120.0, 40.0]])]];
    let (straight, curved) = (planar(&ring).prepare(), Polygon::new(&ring, Edges::Geodesic).unwrap().prepare());
    // The middle of the northern arc: tan lat = tan 50° / cos 60°.
    assert!(!holds(&straight, 62.0, -60.0) && holds(&curved, 62.0, -60.0));
    assert!(holds(&curved, 67.23, -60.0) && !holds(&curved, 67.25, -60.0));
    assert!(holds(&straight, 45.0, -60.0) && !holds(&curved, 45.0, -60.0));
}

#[test]
fn a_geodesic_edge_of_180_degrees_goes_over_the_nearer_pole() {
    let ring = vec![vec![closed(vec![[0.0, 60.0], [180.0, 60.0], [90.0, 50.0]])]];
    let polygon = Polygon::new(&ring, Edges::Geodesic).unwrap().prepare();
    assert!(holds(&polygon, 90.0, 12.0) && holds(&polygon, 75.0, 0.0) && holds(&polygon, 75.0, 180.0));
    assert!(holds(&polygon, 80.0, 90.0) && !holds(&polygon, 80.0, -90.0) && !holds(&polygon, -80.0, 90.0));
    // Far beyond the pole on the other side of the ring.
    assert!(!holds(&polygon, 45.0, 90.0));
}

#[test]
fn a_geodesic_ring_through_one_pole_leaves_the_other_pole_outside() {
    // Up the meridian of 0, round nearly the whole earth at 80, down the meridian of -10: which side is meant is a
    // convention, since a hair beside the pole it would be the one or the other.
    for sign in [1.0, -1.0] {
        let far = (0..36).map(|i| [candidate_lon(f64::from(i) * 10.0), 80.0 * sign]);
        let ring = closed([[0.0, -90.0 * sign]].into_iter().chain(far).collect());
        let polygon = Polygon::new(&[vec![ring]], Edges::Geodesic).unwrap().prepare();
        assert!(holds(&polygon, -90.0 * sign, 0.0) && !holds(&polygon, 90.0 * sign, 0.0), "{sign}");
        assert!(holds(&polygon, 10.0 * sign, 100.0) && holds(&polygon, -89.0 * sign, 5.0), "{sign}");
        assert!(!holds(&polygon, 10.0 * sign, -5.0) && !holds(&polygon, 85.0 * sign, 100.0), "{sign}");
    }
}

#[test]
fn geodesic_edges_cut_into_small_planar_ones_hold_the_same() {
    for seed in 50_000..50_100 {
        let mut random = Random(seed);
        let vertices = 3 + random.below(6);
        let west = [-180.0, 100.0][random.below(2)];
        let ring = tangle(&mut random, vertices, west, 170.0, -80.0, 160.0, 0.0);
        let mut fine = vec![];
        for pair in ring.windows(2) {
            let (a, b) =
                (unit_of(pair[0][1], candidate_lon(pair[0][0])), unit_of(pair[1][1], candidate_lon(pair[1][0])));
            for i in 0..2_000 {
                let w = f64::from(i) / 2_000.0;
                let v = (a.x + w * (b.x - a.x), a.y + w * (b.y - a.y), a.z + w * (b.z - a.z));
                fine.push(lon_lat(v));
            }
        }
        let curved = Polygon::new(&[vec![ring.clone()]], Edges::Geodesic).unwrap();
        let dense = planar(&[vec![closed(fine)]]);
        let (curved, dense) = (curved.prepare(), dense.prepare());
        let mut different = 0;
        for _ in 0..500 {
            let (lat, lon) = (random.between(-89.0, 89.0), random.between(-180.0, 180.0));
            different += usize::from(holds(&curved, lat, lon) != holds(&dense, lat, lon));
        }
        // The pieces stray from the arcs by less than a thousandth of a degree.
        assert!(different <= 2, "seed {seed}: {different} of 500 in {ring:?}");
    }
}
