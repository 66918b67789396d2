//! Polygons against definitions that share no code with them.
//!
//! Planar: whole numbers. Every coordinate is a multiple of 2^-52 degrees, so a cross product of differences fits `i128`
//! and is exact; edges are counted towards the *north*, the library counts towards the south. Geodesic: arcs in space from
//! the candidate to a place known to be outside, crossed with every edge by triple products.
//!
//! Every random case prints its seed when it fails.

use geo::{Intersects, LineString, MultiPolygon, Point as GeoPoint};
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
    pub fn unrolled(ring: &[[f64; 2]]) -> Vec<(i128, i128)> {
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
    pub fn holds_north(line: &[(i128, i128)]) -> bool {
        let round = line[line.len() - 1].0 - line[0].0;
        assert_eq!(round % TURN, 0);
        if (round / TURN) % 2 == 0 {
            return false;
        }
        // Twice the area under the line; its sign over that of the way round is that of the mean latitude.
        let area: f64 = line.windows(2).map(|p| (p[0].1 + p[1].1) as f64 * (p[1].0 - p[0].0) as f64).sum();
        area == 0.0 || (area > 0.0) == (round > 0)
    }

    pub fn holds(polygons: &[Rings], lat: f64, lon: f64) -> bool {
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
    let (lon, lat) = match random.below(8) {
        0 => (a_lon, a_lat),
        1 => (a_lon, random.between(-90.0, 90.0)),
        2 => (random.between(-180.0, 180.0), a_lat),
        3 | 4 => (a_lon + share * (b_lon - a_lon), a_lat + share * (b_lat - a_lat)),
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

/// A coast: a circle with many sizes of bays, never self-crossing.
fn coast(vertices: usize, lat: f64, lon: f64, radius_deg: f64) -> Vec<[f64; 2]> {
    let bays = |angle: f64| -> f64 {
        (1..12).map(|k| (angle * 3.0_f64.powi(k) + f64::from(k)).sin() * 0.35 / 1.7_f64.powi(k)).sum::<f64>()
    };
    closed(
        (0..vertices)
            .map(|i| {
                let angle = std::f64::consts::TAU * i as f64 / vertices as f64;
                let radius = radius_deg * (1.0 + bays(angle)) / 1.6;
                [lon + radius * angle.cos(), lat + radius * angle.sin()]
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
                [radius * angle.cos(), radius * angle.sin()]
            })
            .collect(),
    )
}

/// Long teeth lying east-west.
fn comb(vertices: usize) -> Vec<[f64; 2]> {
    let rows = vertices - 2;
    let teeth = (0..rows).map(|i| [if i % 4 < 2 { 0.0 } else { 40.0 }, -40.0 + 80.0 * (i / 2) as f64 / rows as f64 * 2.0]);
    closed(teeth.chain([[50.0, 40.0], [50.0, -40.0]]).collect())
}

/// Run with `cargo test --release --test polygons -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check"]
fn speed() {
    let mut random = Random(1);
    let shapes: [(&str, Vec<[f64; 2]>); 7] = [
        ("coast 10", coast(10, 10.0, 20.0, 30.0)),
        ("coast 100", coast(100, 10.0, 20.0, 30.0)),
        ("coast 1 000", coast(1_000, 10.0, 20.0, 30.0)),
        ("coast 10 000", coast(10_000, 10.0, 20.0, 30.0)),
        ("coast 100 000", coast(100_000, 10.0, 20.0, 30.0)),
        ("star 100 000", star(100_000)),
        ("comb 100 000", comb(100_000)),
    ];
    println!("{:>14} {:>8} {:>9} {:>9} {:>8} {:>8} {:>8} {:>8} {:>9} {:>8}", "", "new us", "prepare us", "bytes/v", "in box", "at edge", "geodesic", "g. edge", "geo", "overlap");
    for (name, ring) in shapes {
        let rings = vec![vec![ring.clone()]];
        let median_us = |work: &dyn Fn()| {
            let mut runs: Vec<f64> = (0..15)
                .map(|_| {
                    let start = std::time::Instant::now();
                    work();
                    start.elapsed().as_secs_f64() * 1e6
                })
                .collect();
            runs.sort_by(f64::total_cmp);
            runs[7]
        };
        let polygon = planar(&rings);
        let new_us = median_us(&|| drop(std::hint::black_box(planar(&rings))));
        let prepare_us = median_us(&|| drop(std::hint::black_box(polygon.prepare())));
        let prepared = polygon.prepare();
        let curved = Polygon::new(&rings, Edges::Geodesic).unwrap().prepare();
        let frame = polygon.frame();
        let uniform: Vec<Point> = (0..20_000)
            .map(|_| Point::new(random.between(frame.south(), frame.north()), random.between(frame.west(), frame.east())).unwrap())
            .collect();
        let near: Vec<Point> = (0..20_000)
            .map(|_| {
                let [lon, lat] = ring[random.below(ring.len())];
                Point::new(lat + random.between(-0.02, 0.02), lon + random.between(-0.02, 0.02)).unwrap()
            })
            .collect();
        let time = |points: &[Point], polygon: &PreparedPolygon| -> f64 {
            let units: Vec<UnitVector> = points.iter().map(|point| point.unit()).collect();
            let run = || {
                let start = std::time::Instant::now();
                let found = (0..points.len()).filter(|&i| polygon.contains(points[i].lat_deg(), points[i].lon_deg(), || units[i])).count();
                std::hint::black_box(found);
                start.elapsed().as_secs_f64() * 1e9 / points.len() as f64
            };
            let mut runs: Vec<f64> = (0..5).map(|_| run()).collect();
            runs.sort_by(f64::total_cmp);
            runs[2]
        };
        let plain = geo::Polygon::new(LineString::from(ring.iter().map(|p| (p[0], p[1])).collect::<Vec<_>>()), vec![]);
        let few = &uniform[..(4_000_000 / ring.len()).clamp(20, 20_000)];
        let start = std::time::Instant::now();
        let found = few.iter().filter(|p| plain.intersects(&GeoPoint::new(p.lon_deg(), p.lat_deg()))).count();
        std::hint::black_box(found);
        let geo_ns = start.elapsed().as_secs_f64() * 1e9 / few.len() as f64;
        let boxes: Vec<Rect> = near.iter().take(4_000).map(|p| {
            let size = 0.01 * 4.0_f64.powi(random.below(5) as i32);
            Rect::from_corners(p.lat_deg(), p.lon_deg(), p.lat_deg() + size, p.lon_deg() + size).unwrap()
        }).collect();
        let start = std::time::Instant::now();
        let boundary = boxes.iter().filter(|&&b| prepared.overlap(b) == Overlap::Boundary).count();
        let overlap_ns = start.elapsed().as_secs_f64() * 1e9 / boxes.len() as f64;
        println!(
            "{name:>14} {new_us:>8.1} {prepare_us:>9.1} {:>9.0} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {geo_ns:>9.0} {overlap_ns:>8.0} boundary {:.2}",
            prepared.memory_bytes() as f64 / ring.len() as f64,
            time(&uniform, &prepared), time(&near, &prepared), time(&uniform, &curved), time(&near, &curved),
            boundary as f64 / boxes.len() as f64,
        );
    }
}
