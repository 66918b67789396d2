//! Rings that make trouble, and positions that make trouble for them.
//!
//! What surprises: nearly all coordinates are multiples of 2^-52 degrees, so that `whole_numbers` can reckon exactly.

use nigh::geometry::maths::{cos, sin};

pub(crate) type Rings = Vec<Vec<[f64; 2]>>;

/// A small generator with a visible seed (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// In 0..1, a multiple of 2^-52.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 12) as f64 / (1_u64 << 52) as f64
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        whole_grains(low + (high - low) * self.share())
    }
}

pub(crate) const GRAINS: f64 = (1_u64 << 52) as f64;

/// The nearest multiple of 2^-52.
pub(crate) fn whole_grains(deg: f64) -> f64 {
    (deg * GRAINS).round() / GRAINS
}

pub(crate) fn closed(mut ring: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    ring.push(ring[0]);
    ring
}

/// Brings a longitude of a candidate into -180..=180, exactly.
pub(crate) fn candidate_lon(lon: f64) -> f64 {
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
pub(crate) fn troublesome(random: &mut Random, polygons: &[Rings]) -> (f64, f64) {
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

/// A ring of random positions, so self-crossing. `step` makes coordinates meet: multiples of a coarse step coincide, line
/// up and touch.
pub(crate) fn tangle(
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

/// A coast: a circle with many sizes of bays, never self-crossing.
pub(crate) fn coast(vertices: usize, lat: f64, lon: f64, radius_deg: f64) -> Vec<[f64; 2]> {
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
pub(crate) fn star(vertices: usize) -> Vec<[f64; 2]> {
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
pub(crate) fn comb(vertices: usize) -> Vec<[f64; 2]> {
    let rows = vertices - 2;
    let teeth =
        (0..rows).map(|i| [if i % 4 < 2 { 0.0 } else { 40.0 }, -40.0 + 80.0 * (i / 2) as f64 / rows as f64 * 2.0]);
    closed(teeth.chain([[50.0, 40.0], [50.0, -40.0]]).collect())
}
