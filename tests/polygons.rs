//! Polygons against definitions that share no code with them.
//!
//! Planar: whole numbers. Every coordinate is a multiple of 2^-52 degrees, so a cross product of differences fits `i128`
//! and is exact; edges are counted towards the *north*, the library counts towards the south. Geodesic: arcs in space from
//! the candidate to a place known to be outside, crossed with every edge by triple products.
//!
//! Every random case prints its seed when it fails.

#![allow(clippy::unwrap_used, reason = "a test that cannot make its input should stop")]

use geo::{Intersects, LineString, MultiPolygon, Point as GeoPoint};
use nigh::geometry::maths::{atan2, cos, hypot, sin, tan};
use nigh::geometry::{Edges, GeometryError, Overlap, Point, Polygon, PreparedPolygon, Rect, UnitVector};
use proptest::prelude::*;

type Rings = Vec<Vec<[f64; 2]>>;

/// A small generator with a visible seed (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// In 0..1, a multiple of 2^-52.
    fn share(&mut self) -> f64 {
        (self.next() >> 12) as f64 / (1_u64 << 52) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        whole_grains(low + (high - low) * self.share())
    }
}

const GRAINS: f64 = (1_u64 << 52) as f64;

/// The nearest multiple of 2^-52.
fn whole_grains(deg: f64) -> f64 {
    (deg * GRAINS).round() / GRAINS
}

fn grains(deg: f64) -> i128 {
    let scaled = deg * GRAINS;
    assert_eq!(scaled.fract(), 0.0, "{deg} is no multiple of 2^-52");
    scaled as i128
}

const TURN: i128 = 360 << 52;

/// The exact even-odd rule in whole numbers, towards the north.
mod exact {
    use super::{Rings, TURN, grains};

    /// Positions on the unrolled earth, the closing one included.
    pub(super) fn unrolled(ring: &[[f64; 2]]) -> Vec<(i128, i128)> {
        let mut line: Vec<(i128, i128)> = vec![(grains(ring[0][0]), grains(ring[0][1]))];
        for pair in ring.windows(2) {
            let mut step = grains(pair[1][0]) - grains(pair[0][0]);
            while step > TURN / 2 {
                step -= TURN;
            }
            while step < -TURN / 2 {
                step += TURN;
            }
            line.push((line[line.len() - 1].0 + step, grains(pair[1][1])));
        }
        line
    }

    /// Whether the ring has the north pole on its inner side.
    pub(super) fn holds_north(line: &[(i128, i128)]) -> bool {
        let round = line[line.len() - 1].0 - line[0].0;
        assert_eq!(round % TURN, 0);
        if (round / TURN) % 2 == 0 {
            return false;
        }
        // The mean latitude has the sign of the sum weighted by the longitude covered.
        let sum: f64 = line.windows(2).map(|p| (p[0].1 + p[1].1) as f64 * (p[1].0 - p[0].0).abs() as f64).sum();
        sum >= 0.0
    }

    pub(super) fn holds(polygons: &[Rings], lat: f64, lon: f64) -> bool {
        polygons.iter().any(|rings| holds_one(rings, lat, lon))
    }

    fn holds_one(rings: &Rings, lat: f64, lon: f64) -> bool {
        let mut odd = false;
        for ring in rings {
            let line = unrolled(ring);
            if lat.abs() == 90.0 && line.iter().any(|place| place.1 == grains(lat)) {
                return true;
            }
            let round = (line[line.len() - 1].0 - line[0].0) / TURN;
            // A ring that goes round holds one pole and not the other.
            odd ^= if lat == -90.0 { round % 2 != 0 && !holds_north(&line) } else { holds_north(&line) };
            if lat.abs() == 90.0 {
                continue;
            }
            for turn in -9..=9 {
                let point = (grains(lon) + turn * TURN, grains(lat));
                for pair in line.windows(2) {
                    let (a, b) = if pair[0].0 <= pair[1].0 { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
                    let cross = (b.0 - a.0) * (point.1 - a.1) - (b.1 - a.1) * (point.0 - a.0);
                    let between_lats = a.1.min(b.1) <= point.1 && point.1 <= a.1.max(b.1);
                    if cross == 0 && a.0 <= point.0 && point.0 <= b.0 && between_lats {
                        return true;
                    }
                    // An end counts eastwards of itself only: the other choice than the library's.
                    if a.0 < point.0 && point.0 <= b.0 && cross < 0 {
                        odd = !odd;
                    }
                }
            }
        }
        odd
    }
}

fn holds(polygon: &PreparedPolygon, lat: f64, lon: f64) -> bool {
    polygon.contains(lat, lon, || Point::new(lat, lon).unwrap().unit())
}

fn planar(polygons: &[Rings]) -> Polygon {
    Polygon::new(polygons, Edges::Planar).unwrap()
}

fn closed(mut ring: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    ring.push(ring[0]);
    ring
}

/// Brings a longitude of a candidate into -180..=180, exactly.
fn candidate_lon(lon: f64) -> f64 {
    let mut lon = lon;
    while lon > 180.0 {
        lon -= 360.0;
    }
    while lon < -180.0 {
        lon += 360.0;
    }
    lon
}

/// Positions that make trouble for a polygon: vertices, places on and a hair beside its edges, and others.
fn troublesome(random: &mut Random, polygons: &[Rings]) -> (f64, f64) {
    let rings = &polygons[random.below(polygons.len())];
    let ring = &rings[random.below(rings.len())];
    let at = random.below(ring.len() - 1);
    let ([a_lon, a_lat], [b_lon, b_lat]) = (ring[at], ring[at + 1]);
    let share = [0.5, 0.25, 0.75, random.share()][random.below(4)];
    let turn = if b_lon - a_lon > 180.0 {
        -360.0
    } else if b_lon - a_lon < -180.0 {
        360.0
    } else {
        0.0
    };
    let (lon, lat) = match random.below(8) {
        0 => (a_lon, a_lat),
        1 => (a_lon, random.between(-90.0, 90.0)),
        2 => (random.between(-180.0, 180.0), a_lat),
        3 | 4 => (candidate_lon(a_lon + share * (b_lon + turn - a_lon)), a_lat + share * (b_lat - a_lat)),
        5 => (a_lon, [-90.0, 90.0][random.below(2)]),
        6 => ([-180.0, 180.0][random.below(2)], a_lat + share * (b_lat - a_lat)),
        _ => (random.between(-180.0, 180.0), random.between(-90.0, 90.0)),
    };
    let hair = [0.0, 0.0, 1.0 / GRAINS, -1.0 / GRAINS, 1e-14, -1e-14, 1e-9, -1e-9][random.below(8)];
    let (lon, lat) = if random.below(2) == 0 { (lon + hair, lat) } else { (lon, lat + hair) };
    (whole_grains(lat.clamp(-90.0, 90.0)), whole_grains(candidate_lon(lon.clamp(-360.0, 360.0))))
}

fn check_against_whole_numbers(seed: u64, polygons: &[Rings], candidates: usize) {
    let mut random = Random(seed ^ 0xC0FFEE);
    let polygon = planar(polygons);
    let frame = polygon.frame();
    let (full, lean) = (polygon.prepare(), polygon.prepare_for(0));
    for _ in 0..candidates {
        let (lat, lon) = troublesome(&mut random, polygons);
        let expected = exact::holds(polygons, lat, lon);
        let story = || format!("seed {seed}: lat {lat:?} lon {lon:?} in {polygons:?}");
        assert_eq!(holds(&full, lat, lon), expected, "{}", story());
        assert_eq!(holds(&lean, lat, lon), expected, "prepared for few: {}", story());
        assert!(!expected || frame.holds(lat, lon), "outside of the frame {frame:?}: {}", story());
    }
}

/// A ring of random positions, so self-crossing. `step` makes coordinates meet: multiples of a coarse step coincide, line
/// up and touch.
fn tangle(
    random: &mut Random,
    vertices: usize,
    west: f64,
    width: f64,
    south: f64,
    height: f64,
    step: f64,
) -> Vec<[f64; 2]> {
    let snapped = |value: f64| if step > 0.0 { (value / step).round() * step } else { value };
    let position = |random: &mut Random| {
        let lon = snapped(random.between(west, west + width)).clamp(-360.0, 360.0);
        [lon, snapped(random.between(south, south + height)).clamp(-90.0, 90.0)]
    };
    closed((0..vertices).map(|_| position(random)).collect())
}

#[test]
fn tangled_rings_anywhere_agree_with_whole_numbers() {
    for seed in 0..3_000 {
        let mut random = Random(seed);
        let vertices = 3 + random.below(14);
        let step = [0.0, 1.0, 10.0, 30.0, 45.0][random.below(5)];
        let (west, width) =
            [(-180.0, 360.0), (-360.0, 720.0), (150.0, 60.0), (-190.0, 20.0), (-5.0, 10.0)][random.below(5)];
        let (south, height) = [(-90.0, 180.0), (70.0, 20.0), (-90.0, 15.0), (-3.0, 7.0)][random.below(4)];
        let ring = tangle(&mut random, vertices, west, width, south, height, step);
        if Polygon::new(&[vec![ring.clone()]], Edges::Planar).is_ok() {
            check_against_whole_numbers(seed, &[vec![ring]], 60);
        }
    }
}

#[test]
fn multipolygons_with_holes_that_overlap_touch_and_repeat_agree_with_whole_numbers() {
    for seed in 10_000..12_000 {
        let mut random = Random(seed);
        let step = [0.0, 1.0, 5.0, 10.0][random.below(4)];
        let (west, south) = ([-180.0, 150.0, -200.0, -20.0][random.below(4)], [-90.0, 50.0, -20.0][random.below(3)]);
        let mut polygons: Vec<Rings> = vec![];
        for _ in 0..1 + random.below(4) {
            let rings = 1 + random.below(3);
            polygons.push(
                (0..rings)
                    .map(|_| {
                        let vertices = 3 + random.below(8);
                        tangle(&mut random, vertices, west, 60.0, south, 40.0, step)
                    })
                    .collect(),
            );
        }
        if random.below(4) == 0 {
            polygons.push(polygons[0].clone());
        }
        if Polygon::new(&polygons, Edges::Planar).is_ok() {
            check_against_whole_numbers(seed, &polygons, 60);
        }
    }
}

#[test]
fn rings_of_many_vertices_and_rings_round_a_pole_agree_with_whole_numbers() {
    for seed in 20_000..20_060 {
        let mut random = Random(seed);
        let vertices = 20 + random.below(400);
        let base = [-60.0, -5.0, 0.0, 30.0, 80.0][random.below(5)];
        let wild = [1.0, 8.0][random.below(2)];
        // Once (or oftener) round the axis, forwards and backwards, by uneven steps.
        let times = [1.0, 1.0, -1.0, 2.0, 3.0][random.below(5)];
        let start = random.between(-180.0, 180.0);
        let mut ring: Vec<[f64; 2]> = (0..vertices)
            .map(|i| {
                let lon = start + times * 360.0 * i as f64 / vertices as f64 + random.between(-wild, wild);
                let lat = (base + random.between(-wild, wild)).clamp(-90.0, 90.0);
                [whole_grains(candidate_lon(lon)), whole_grains(lat)]
            })
            .collect();
        if random.below(2) == 0 {
            ring[3][1] = [-90.0, 90.0][random.below(2)];
        }
        let mut polygons = vec![vec![closed(ring)]];
        if random.below(2) == 0 {
            polygons[0].push(tangle(&mut random, 12, -180.0, 360.0, -90.0, 180.0, 0.0));
        }
        if random.below(2) == 0 {
            polygons.push(vec![tangle(&mut random, 50, 120.0, 100.0, -90.0, 180.0, 5.0)]);
        }
        check_against_whole_numbers(seed, &polygons, 200);
    }
}

#[test]
fn edges_of_exactly_180_degrees_go_as_written() {
    let world = |lons: [f64; 3]| {
        let [w, m, e] = lons;
        vec![vec![vec![[w, -80.0], [m, -80.0], [e, -80.0], [e, 80.0], [m, 80.0], [w, 80.0], [w, -80.0]]]]
    };
    for lons in [[-180.0, 0.0, 180.0], [0.0, 180.0, 360.0], [-270.0, -90.0, 90.0], [180.0, 0.0, -180.0]] {
        check_against_whole_numbers(1, &world(lons), 500);
        let polygon = planar(&world(lons)).prepare();
        for lon in [-180.0, -135.0, -90.0, 0.0, 45.0, 90.0, 180.0] {
            assert!(holds(&polygon, 10.0, lon) && holds(&polygon, 80.0, lon) && !holds(&polygon, 80.5, lon), "{lon}");
        }
        assert_eq!((polygon.frame().west(), polygon.frame().east()), (-180.0, 180.0));
    }
}

#[test]
fn every_spelling_of_the_180th_meridian_is_one_polygon() {
    let spellings = [
        [[176.0, -20.0], [182.0, -20.0], [182.0, -15.0], [176.0, -15.0]],
        [[176.0, -20.0], [-178.0, -20.0], [-178.0, -15.0], [176.0, -15.0]],
        [[-184.0, -20.0], [-178.0, -20.0], [-178.0, -15.0], [-184.0, -15.0]],
        [[-184.0, -20.0], [182.0, -20.0], [-178.0, -15.0], [176.0, -15.0]],
    ];
    for spelling in spellings {
        let rings = vec![vec![closed(spelling.to_vec())]];
        check_against_whole_numbers(2, &rings, 300);
        let polygon = planar(&rings);
        assert_eq!(polygon.frame(), Rect::from_corners(-20.0, 176.0, -15.0, 182.0).unwrap());
        let polygon = polygon.prepare();
        for (lat, lon, expected) in [
            (-17.0, 180.0, true),
            (-17.0, -180.0, true),
            (-20.0, -180.0, true),
            (-17.0, -178.0, true),
            (-17.0, 176.0, true),
            (-17.0, -177.999, false),
            (-17.0, 175.999, false),
            (-17.0, 0.0, false),
        ] {
            assert_eq!(holds(&polygon, lat, lon), expected, "{lat} {lon}");
        }
    }
}

#[test]
fn a_ring_round_a_pole_holds_the_pole_of_its_mean_latitude() {
    for edges in Edges::ALL {
        for (lat, north) in [(60.0, true), (-70.0, false), (1.0, true), (-1.0, false)] {
            let ring: Vec<[f64; 2]> = (0..36).map(|i| [candidate_lon(f64::from(i) * 10.0), lat]).collect();
            let polygon = Polygon::new(&[vec![closed(ring)]], edges).unwrap();
            assert_eq!((polygon.frame().west(), polygon.frame().east()), (-180.0, 180.0));
            let polygon = polygon.prepare();
            assert_eq!(holds(&polygon, 90.0, 33.0), north);
            assert_eq!(holds(&polygon, -90.0, -33.0), !north);
            assert!(holds(&polygon, if north { 89.0 } else { -89.0 }, 77.7));
            assert!(!holds(&polygon, if north { -89.0 } else { 89.0 }, 77.7));
            // Arcs between points of one latitude bulge polewards: at most 0.4 % here.
            let beyond = lat + if north { 1.0 } else { -1.0 };
            assert!(holds(&polygon, beyond, -45.0) && !holds(&polygon, 2.0 * lat - beyond, -45.0));
        }
    }
}

/// Forwards along 10° N, back along 60° N, and forwards again: the signed area under such a ring is south of the equator.
#[test]
fn a_tangle_in_the_north_does_not_hold_the_south_pole() {
    let forth = (0..8).map(|i| [candidate_lon(f64::from(i) * 100.0), 10.0]);
    let back = (1..5).map(|i| [candidate_lon(700.0 - f64::from(i) * 100.0), 60.0]);
    let ring = closed(forth.chain(back).collect());
    for edges in Edges::ALL {
        let polygon = Polygon::new(&[vec![ring.clone()]], edges).unwrap().prepare();
        assert!(holds(&polygon, 90.0, 0.0) && !holds(&polygon, -90.0, 0.0) && !holds(&polygon, 5.0, 33.0), "{edges}");
    }
    check_against_whole_numbers(4, &[vec![ring]], 300);
}

/// The eastern edge beyond 180 was rounded when 360 was added to it, and the vertex there fell out of the frame.
#[test]
fn the_frame_keeps_every_bit_of_its_easternmost_vertex() {
    let east = -44.219_803_770_348_99;
    let ring = closed(vec![[east, -84.8], [152.06, -76.0], [18.5, -81.6], [-162.1, -79.2]]);
    let polygon = planar(&[vec![ring]]);
    assert!(polygon.frame().holds(-84.8, east) && !polygon.frame().holds(-84.8, east.next_up()));
    let here = Rect::from_corners(-84.8, east, -84.8, east).unwrap();
    assert_ne!(polygon.prepare().overlap(here), Overlap::Outside);
}

#[test]
fn antarctica_cut_at_the_antimeridian_is_the_antarctica_that_goes_round() {
    let coast = |i: i32| [f64::from(i), -70.0 - 2.0 * f64::from(i.rem_euclid(7))];
    let round = closed((-18..18).map(|i| coast(i * 10)).collect());
    let mut cut: Vec<[f64; 2]> = (-18..18).map(|i| coast(i * 10)).collect();
    cut.extend([[180.0, coast(-180)[1]], [180.0, -90.0], [-180.0, -90.0]]);
    for edges in Edges::ALL {
        let (round, cut) = (
            Polygon::new(&[vec![round.clone()]], edges).unwrap().prepare(),
            Polygon::new(&[vec![closed(cut.clone())]], edges).unwrap().prepare(),
        );
        let mut random = Random(5);
        for _ in 0..5_000 {
            let (lat, lon) = (random.between(-90.0, -60.0), random.between(-180.0, 180.0));
            assert_eq!(holds(&round, lat, lon), holds(&cut, lat, lon), "{edges} {lat} {lon}");
        }
        assert!(holds(&round, -90.0, 0.0) && holds(&cut, -90.0, 0.0));
    }
}

#[test]
fn a_pole_is_one_place_under_every_longitude() {
    let wedge = vec![vec![[10.0, 80.0], [20.0, 80.0], [20.0, 90.0], [10.0, 90.0], [10.0, 80.0]]];
    for edges in Edges::ALL {
        let polygon = Polygon::new(std::slice::from_ref(&wedge), edges).unwrap().prepare();
        for lon in [-180.0, -15.0, 0.0, 15.0, 180.0] {
            assert!(holds(&polygon, 90.0, lon) && !holds(&polygon, -90.0, lon), "{edges} {lon}");
        }
        assert!(holds(&polygon, 89.0, 15.0) && !holds(&polygon, 89.0, 25.0));
        let polar_box = Rect::from_corners(89.0, -100.0, 90.0, -90.0).unwrap();
        assert_eq!(polygon.overlap(polar_box), Overlap::Boundary);
    }
}

#[test]
fn points_exactly_on_an_edge_belong_to_the_polygon_and_their_neighbours_do_not() {
    // A thin triangle whose long edge passes exactly through multiples of (3, 1) · 2^-40.
    let unit = 1.0 / (1_u64 << 40) as f64;
    let rings = vec![vec![closed(vec![[0.0, 0.0], [3.0 * 1e9_f64.round() * unit, 1e9 * unit], [0.0, 1.0]])]];
    let polygon = planar(&rings).prepare();
    for k in (1..1_000_000_000_u64).step_by(9_999_991) {
        let (lat, lon) = (k as f64 * unit, 3.0 * k as f64 * unit);
        assert!(holds(&polygon, lat, lon), "{k}");
        assert!(!holds(&polygon, lat.next_down(), lon), "{k}");
        assert!(holds(&polygon, lat.next_up(), lon), "{k}");
    }
}

#[test]
fn valid_polygons_agree_with_geo() {
    let mut random = Random(77);
    for vertices in [8, 60, 3_000] {
        let outer = coast(vertices, 10.0, 20.0, 30.0);
        let hole: Vec<[f64; 2]> = coast(vertices / 2, 10.0, 20.0, 8.0);
        let island = coast(vertices, -30.0, -60.0, 10.0);
        let polygons = vec![vec![outer, hole], vec![island]];
        let line = |ring: &Vec<[f64; 2]>| LineString::from(ring.iter().map(|p| (p[0], p[1])).collect::<Vec<_>>());
        let plain = MultiPolygon::new(
            polygons.iter().map(|r| geo::Polygon::new(line(&r[0]), r[1..].iter().map(line).collect())).collect(),
        );
        let prepared = planar(&polygons).prepare();
        for _ in 0..4_000 {
            let (lat, lon) = troublesome(&mut random, &polygons);
            assert_eq!(
                holds(&prepared, lat, lon),
                plain.intersects(&GeoPoint::new(lon, lat)),
                "{vertices}: {lat} {lon}"
            );
        }
    }
}

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

/// A box somewhere about a polygon, of any size.
fn some_box(random: &mut Random, polygons: &[Rings]) -> Rect {
    let (lat, lon) = troublesome(random, polygons);
    let size = 180.0 * 0.5_f64.powi(random.below(20) as i32);
    let (height, width) = (size * random.share(), (2.0 * size * random.share()).min(360.0));
    let west = if random.below(9) == 0 { -180.0 } else { lon };
    let south = (lat - if random.below(2) == 0 { height } else { 0.0 }).max(-90.0);
    let north = if random.below(9) == 0 { 90.0 } else { (lat + height).min(90.0) };
    Rect::from_corners(south, west, north, west + width).unwrap()
}

fn check_overlap(seed: u64, polygons: &[Rings], boxes: usize) -> (usize, usize) {
    let mut random = Random(seed ^ 0xB0);
    let (mut sure, mut vague) = (0, 0);
    for edges in Edges::ALL {
        let Ok(polygon) = Polygon::new(polygons, edges) else { continue };
        for prepared in [polygon.prepare(), polygon.prepare_for(0)] {
            for _ in 0..boxes {
                let rect = some_box(&mut random, polygons);
                let overlap = prepared.overlap(rect);
                let mut seen = [false; 2];
                for sample in 0..30 {
                    let share = |random: &mut Random| [0.0, 1.0, random.share()][random.below(3)];
                    let lat = rect.south() + (rect.north() - rect.south()) * share(&mut random);
                    let lon = candidate_lon(rect.west() + (rect.east() - rect.west()) * share(&mut random));
                    let (lat, lon) = if sample < 20 { (lat, lon) } else { troublesome(&mut random, polygons) };
                    if !rect.holds(lat, lon) {
                        continue;
                    }
                    let inside = holds(&prepared, lat, lon);
                    seen[usize::from(inside)] = true;
                    let wrong = overlap == if inside { Overlap::Outside } else { Overlap::Inside };
                    assert!(
                        !wrong,
                        "seed {seed} {edges}: {overlap:?} {rect:?} but {lat:?} {lon:?} is {inside} in {polygons:?}"
                    );
                }
                if seen != [true, true] {
                    *(if overlap == Overlap::Boundary { &mut vague } else { &mut sure }) += 1;
                }
            }
        }
    }
    (sure, vague)
}

#[test]
fn overlap_never_says_more_than_is_true() {
    for seed in 60_000..60_400 {
        let mut random = Random(seed);
        let (west, width) = [(-180.0, 360.0), (150.0, 60.0), (-10.0, 20.0)][random.below(3)];
        let (south, height) = [(-90.0, 180.0), (70.0, 20.0), (-3.0, 7.0)][random.below(3)];
        let step = [0.0, 1.0, 10.0][random.below(3)];
        let mut polygons = vec![];
        for _ in 0..1 + random.below(2) {
            let vertices = 3 + random.below(40);
            polygons.push(vec![tangle(&mut random, vertices, west, width, south, height, step)]);
        }
        check_overlap(seed, &polygons, 30);
    }
}

#[test]
fn overlap_is_seldom_vague_on_a_coast() {
    for vertices in [10, 100, 3_000] {
        let polygons = vec![vec![coast(vertices, 10.0, 20.0, 30.0)]];
        let mut random = Random(vertices as u64);
        let prepared = planar(&polygons).prepare();
        let (mut uniform, mut vague) = (0, 0);
        for _ in 0..5_000 {
            // A hundredth of the frame on a side, as leaves of an index are.
            let (south, west) = (random.between(-25.0, 45.0), random.between(-15.0, 55.0));
            let rect = Rect::from_corners(south, west, south + 0.6, west + 0.6).unwrap();
            let mut seen = [false; 2];
            for i in 0..=20 {
                for j in 0..=20 {
                    seen[usize::from(holds(&prepared, south + 0.03 * f64::from(i), west + 0.03 * f64::from(j)))] = true;
                }
            }
            if seen != [true, true] {
                uniform += 1;
                vague += usize::from(prepared.overlap(rect) == Overlap::Boundary);
            }
        }
        println!("{vertices} vertices: {vague} of {uniform} boxes of one kind are called boundary");
        assert!(vague * 100 < uniform * 3, "{vertices}: {vague} of {uniform}");
    }
}

#[test]
fn a_detailed_island_far_away_is_divided_by_itself() {
    let polygons = vec![
        vec![closed(vec![[-60.0, -10.0], [60.0, -10.0], [60.0, 60.0], [-60.0, 60.0]])],
        vec![coast(5_000, -20.0, 160.0, 0.01)],
    ];
    check_against_whole_numbers_rounded(9, &polygons, 3_000);
    check_overlap(9, &polygons, 300);
}

/// The same, for shapes whose coordinates come from sines: they are brought to whole grains first.
fn check_against_whole_numbers_rounded(seed: u64, polygons: &[Rings], candidates: usize) {
    let whole = |ring: &Vec<[f64; 2]>| ring.iter().map(|p| [whole_grains(p[0]), whole_grains(p[1])]).collect();
    let polygons: Vec<Rings> = polygons.iter().map(|rings| rings.iter().map(whole).collect()).collect();
    check_against_whole_numbers(seed, &polygons, candidates);
}

#[test]
fn stars_and_combs_stay_within_their_memory() {
    for (ring, name) in [(star(20_000), "star"), (comb(20_000), "comb"), (coast(20_000, 0.0, 0.0, 50.0), "coast")] {
        let ring: Vec<[f64; 2]> = ring.iter().map(|p| [whole_grains(p[0]), whole_grains(p[1])]).collect();
        for edges in Edges::ALL {
            let polygon = Polygon::new(&[vec![ring.clone()]], edges).unwrap();
            let bytes = polygon.prepare().memory_bytes() / polygon.vertex_count();
            assert!(bytes <= 260, "{name} {edges}: {bytes} bytes a vertex");
        }
        check_against_whole_numbers(3, &[vec![ring]], 100);
    }
}

#[test]
fn degenerate_rings_are_their_boundary() {
    for edges in Edges::ALL {
        let place = Polygon::new(&[vec![vec![[5.0, 5.0]; 4]]], edges).unwrap().prepare();
        assert!(holds(&place, 5.0, 5.0) && !holds(&place, 5.0, 5.0_f64.next_up()) && !holds(&place, 5.0001, 5.0));
        let line = closed(vec![[0.0, 0.0], [0.0, 10.0], [0.0, 4.0]]);
        let line = Polygon::new(&[vec![line]], edges).unwrap().prepare();
        assert!(holds(&line, 7.0, 0.0) && !holds(&line, 7.0, 1e-12) && !holds(&line, 10.1, 0.0));
        let pole = Polygon::new(&[vec![vec![[5.0, 90.0]; 4]]], edges).unwrap().prepare();
        assert!(holds(&pole, 90.0, -7.0) && !holds(&pole, 89.9999, 5.0));
        assert_eq!(pole.overlap(Rect::WORLD), Overlap::Boundary);
    }
}

#[test]
fn what_is_no_polygon_is_refused_with_its_values() {
    let refusal = |ring: Vec<[f64; 2]>, edges| Polygon::new(&[vec![ring]], edges).unwrap_err().to_string();
    for (ring, words) in [
        (vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], "first position is [0, 0] and the last [0, 1]"),
        (vec![[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]], "3 positions are too few"),
        (vec![[0.0, f64::NAN]; 4], "latitude NaN"),
        (vec![[0.0, 91.0]; 4], "latitude 91 is outside -90..90"),
        (vec![[361.0, 1.0]; 4], "longitude 361 is outside -360..360"),
        (vec![[f64::INFINITY, 1.0]; 4], "longitude inf"),
        (
            closed(vec![[-180.0, -60.0], [180.0, -60.0], [180.0, 60.0], [-180.0, 60.0]]),
            "[-180, -60], [0, -60], [180, -60]",
        ),
    ] {
        for edges in Edges::ALL {
            let message = refusal(ring.clone(), edges);
            assert!(message.contains(words) && message.starts_with("polygon 0, ring 0: "), "{message}");
        }
    }
    let antipodal = closed(vec![[0.0, 10.0], [180.0, -10.0], [90.0, 0.0]]);
    assert!(refusal(antipodal.clone(), Edges::Geodesic).contains("[0, 10] and [180, -10] are antipodal"));
    assert!(Polygon::new(&[vec![antipodal]], Edges::Planar).is_ok());
    assert_eq!(Polygon::new(&[], Edges::Planar).unwrap_err(), GeometryError::EmptyPolygon);
    assert_eq!(Polygon::new(&[vec![]], Edges::Geodesic).unwrap_err(), GeometryError::EmptyPolygon);
    assert_eq!("geodesic".parse::<Edges>().unwrap(), Edges::Geodesic);
    assert!("round".parse::<Edges>().unwrap_err().to_string().contains("planar or geodesic"));
}

fn any_coordinate() -> impl Strategy<Value = f64> {
    let odd = [0.0, -0.0, 90.0, -90.0, 180.0, -180.0, 360.0, -360.0, 1e-300, 5e-324, 90.0_f64.next_down(), 1e-14];
    prop_oneof![
        6 => proptest::sample::select(odd.to_vec()),
        6 => -90.0..90.0_f64,
        2 => -360.0..360.0_f64,
        1 => proptest::num::f64::ANY
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]
    #[test]
    fn no_input_makes_it_panic(
        rings in proptest::collection::vec(proptest::collection::vec([any_coordinate(), any_coordinate()], 0..9), 0..3),
        close in any::<bool>(),
        lat in -90.0..=90.0_f64,
        lon in -180.0..=180.0_f64,
    ) {
        let close_it = |ring: Vec<[f64; 2]>| if close && !ring.is_empty() { closed(ring) } else { ring };
        let rings: Rings = rings.into_iter().map(close_it).collect();
        for edges in Edges::ALL {
            if let Ok(polygon) = Polygon::new(std::slice::from_ref(&rings), edges) {
                let prepared = polygon.prepare();
                let inside = holds(&prepared, lat, lon);
                prop_assert_eq!(inside, holds(&polygon.prepare_for(0), lat, lon));
                prop_assert!(!inside || polygon.frame().holds(lat, lon));
                let here = Rect::from_corners(lat, lon, lat, lon).unwrap();
                let wrong = if inside { Overlap::Outside } else { Overlap::Inside };
                prop_assert_ne!(prepared.overlap(here), wrong);
                for &[lon, lat] in rings.iter().flatten() {
                    prop_assert!(holds(&prepared, lat, candidate_lon(lon)), "vertex {} {}", lat, lon);
                }
            }
        }
    }
}

/// A coast: a circle with many sizes of bays, never self-crossing.
fn coast(vertices: usize, lat: f64, lon: f64, radius_deg: f64) -> Vec<[f64; 2]> {
    let bays = |angle: f64| -> f64 {
        (1..12).map(|k| sin(angle * 3.0_f64.powi(k) + f64::from(k)) * 0.35 / 1.7_f64.powi(k)).sum::<f64>()
    };
    closed(
        (0..vertices)
            .map(|i| {
                let angle = std::f64::consts::TAU * i as f64 / vertices as f64;
                let radius = radius_deg * (1.0 + bays(angle)) / 1.6;
                [lon + radius * cos(angle), lat + radius * sin(angle)]
            })
            .collect(),
    )
}

/// Spikes from a centre: every edge is long, and columns and rows are all crowded.
fn star(vertices: usize) -> Vec<[f64; 2]> {
    closed(
        (0..vertices)
            .map(|i| {
                let angle = std::f64::consts::TAU * i as f64 / vertices as f64;
                let radius = if i % 2 == 0 { 40.0 } else { 0.5 };
                [radius * cos(angle), radius * sin(angle)]
            })
            .collect(),
    )
}

/// Long teeth lying east-west.
fn comb(vertices: usize) -> Vec<[f64; 2]> {
    let rows = vertices - 2;
    let teeth =
        (0..rows).map(|i| [if i % 4 < 2 { 0.0 } else { 40.0 }, -40.0 + 80.0 * (i / 2) as f64 / rows as f64 * 2.0]);
    closed(teeth.chain([[50.0, 40.0], [50.0, -40.0]]).collect())
}

/// The median time of a piece of work.
fn median_ns(runs: usize, work: &dyn Fn()) -> f64 {
    let run = |_| {
        let start = std::time::Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1e9
    };
    let mut times: Vec<f64> = (0..runs).map(run).collect();
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}

fn ns_a_candidate(polygon: &PreparedPolygon, points: &[Point]) -> f64 {
    let units: Vec<UnitVector> = points.iter().map(|point| point.unit()).collect();
    let inside = |i: &usize| polygon.contains(points[*i].lat_deg(), points[*i].lon_deg(), || units[*i]);
    median_ns(5, &|| {
        std::hint::black_box((0..points.len()).filter(inside).count());
    }) / points.len() as f64
}

fn ns_a_candidate_of_geo(ring: &[[f64; 2]], points: &[Point]) -> f64 {
    let line = LineString::from(ring.iter().map(|p| (p[0], p[1])).collect::<Vec<_>>());
    let plain = geo::Polygon::new(line, vec![]);
    let few = &points[..(4_000_000 / ring.len()).clamp(20, points.len())];
    let inside = |p: &&Point| plain.intersects(&GeoPoint::new(p.lon_deg(), p.lat_deg()));
    median_ns(3, &|| {
        std::hint::black_box(few.iter().filter(inside).count());
    }) / few.len() as f64
}

fn ns_a_box(polygon: &PreparedPolygon, corners: &[Point]) -> f64 {
    let boxed = |(i, p): (usize, &Point)| {
        let size = 0.01 * f64::from(1 << (2 * (i % 5)));
        Rect::from_corners(p.lat_deg(), p.lon_deg(), p.lat_deg() + size, p.lon_deg() + size).unwrap()
    };
    let boxes: Vec<Rect> = corners.iter().enumerate().take(4_000).map(boxed).collect();
    let boundary = |rect: &&Rect| polygon.overlap(**rect) == Overlap::Boundary;
    median_ns(3, &|| {
        std::hint::black_box(boxes.iter().filter(boundary).count());
    }) / boxes.len() as f64
}

/// Run with `cargo test --release --test polygons -- --ignored --nocapture`. Candidates fill the frame, or lie within 0.02
/// degrees of a vertex.
#[test]
#[ignore = "a measurement, not a check"]
fn speed() {
    let mut random = Random(1);
    let coasts = [10, 100, 1_000, 10_000, 100_000].map(|n| (format!("coast {n}"), coast(n, 10.0, 20.0, 30.0)));
    let others = [("star 100000".to_owned(), star(100_000)), ("comb 100000".to_owned(), comb(100_000))];
    println!("              new  prepare  bytes/v |  planar  at edge | geodesic at edge |   geo ns | overlap ns");
    for (name, ring) in coasts.into_iter().chain(others) {
        let rings = vec![vec![ring.clone()]];
        let polygon = planar(&rings);
        let new_us = median_ns(9, &|| drop(planar(&rings))) / 1e3;
        let prepare_us = median_ns(9, &|| drop(polygon.prepare())) / 1e3;
        let (straight, frame) = (polygon.prepare(), polygon.frame());
        let curved = Polygon::new(&rings, Edges::Geodesic).unwrap().prepare();
        let anywhere = |random: &mut Random| {
            let lat = random.between(frame.south(), frame.north());
            Point::new(lat, random.between(frame.west(), frame.east())).unwrap()
        };
        let at_edge = |random: &mut Random| {
            let [lon, lat] = ring[random.below(ring.len())];
            Point::new(lat + random.between(-0.02, 0.02), lon + random.between(-0.02, 0.02)).unwrap()
        };
        let uniform: Vec<Point> = (0..20_000).map(|_| anywhere(&mut random)).collect();
        let near: Vec<Point> = (0..20_000).map(|_| at_edge(&mut random)).collect();
        println!(
            "{name:>12} {new_us:>6.1} {prepare_us:>7.1} {:>7} | {:>7.1} {:>7.1} | {:>7.1} {:>7.1} | {:>8.0} | {:>7.0}",
            straight.memory_bytes() / ring.len(),
            ns_a_candidate(&straight, &uniform),
            ns_a_candidate(&straight, &near),
            ns_a_candidate(&curved, &uniform),
            ns_a_candidate(&curved, &near),
            ns_a_candidate_of_geo(&ring, &uniform),
            ns_a_box(&straight, &near),
        );
    }
}
