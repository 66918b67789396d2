//! Pairs of places, from harmless to nasty; each generator is named after the trouble it makes.

use geographiclib_rs::{DirectGeodesic, Geodesic};
use nigh::geometry::{METRICS, Metric, Point, UnitVector};
use rayon::prelude::*;

pub(crate) fn at(lat_deg: f64, lon_deg: f64) -> Point {
    Point::new(lat_deg, lon_deg).expect("a position")
}

/// The place nearest to what may have left the range.
pub(crate) fn near(lat_deg: f64, lon_deg: f64) -> Point {
    at(lat_deg.clamp(-90.0, 90.0), (lon_deg + 540.0).rem_euclid(360.0) - 180.0)
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) from: Point,
    pub(crate) to: Point,
}

impl Pair {
    pub(crate) fn units(self) -> (UnitVector, UnitVector) {
        (self.from.unit(), self.to.unit())
    }

    pub(crate) fn distance_m(self, metric: &dyn Metric) -> f64 {
        let (from, to) = self.units();
        metric.distance_m(&from, &to)
    }
}

/// SplitMix64: small, and a failure names its seed.
pub(crate) struct Random(u64);

impl Random {
    fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// Any order of magnitude is as likely as any other; either sign.
    fn magnitude(&mut self, low: f64, high: f64) -> f64 {
        let size = libm::exp(self.between(libm::log(low), libm::log(high)));
        if self.share() < 0.5 { -size } else { size }
    }

    fn place(&mut self) -> Point {
        at(libm::asin(self.between(-1.0, 1.0)).to_degrees(), self.between(-180.0, 180.0))
    }
}

pub(crate) type Generator = fn(&mut Random) -> Pair;

fn uniform(random: &mut Random) -> Pair {
    Pair { from: random.place(), to: random.place() }
}

/// From a nanometre to the whole globe, in any direction.
fn every_scale(random: &mut Random) -> Pair {
    let from = random.place();
    let azimuth = random.between(0.0, 360.0);
    let length_m = random.magnitude(1e-9, 2e7);
    let (lat, lon): (f64, f64) = Geodesic::wgs84().direct(from.lat_deg(), from.lon_deg(), azimuth, length_m);
    Pair { from, to: near(lat, lon) }
}

fn antipodal(random: &mut Random) -> Pair {
    let anywhere = random.place();
    // The equator is where geodesics are hardest to tell apart.
    let squeeze = [1.0, 1e-2, 1e-6, 1e-12, 0.0][(random.share() * 5.0) as usize];
    let from = at(anywhere.lat_deg() * squeeze, anywhere.lon_deg());
    let (north, east) = (random.magnitude(1e-14, 3.0), random.magnitude(1e-14, 3.0));
    Pair { from, to: near(north - from.lat_deg(), from.lon_deg() + 180.0 + east) }
}

fn polar(random: &mut Random) -> Pair {
    let pole: f64 = if random.share() < 0.5 { 90.0 } else { -90.0 };
    let off = if random.share() < 0.2 { 0.0 } else { random.magnitude(1e-15, 5.0).abs() };
    let from = at(pole - pole.signum() * off, random.between(-180.0, 180.0));
    let other = if random.share() < 0.5 { pole } else { -pole };
    let to = near(other - other.signum() * random.magnitude(1e-15, 5.0).abs(), random.between(-180.0, 180.0));
    Pair { from, to: if random.share() < 0.2 { random.place() } else { to } }
}

fn equatorial(random: &mut Random) -> Pair {
    let lat = |random: &mut Random| if random.share() < 0.5 { 0.0 } else { random.magnitude(1e-16, 1.0) };
    let from = at(lat(random), random.between(-180.0, 180.0));
    let east = if random.share() < 0.5 { random.between(0.0, 360.0) } else { random.magnitude(1e-14, 180.0) };
    Pair { from, to: near(lat(random), from.lon_deg() + east) }
}

fn meridional(random: &mut Random) -> Pair {
    let from = random.place();
    let turn = if random.share() < 0.5 { 0.0 } else { 180.0 };
    let lat =
        if random.share() < 0.5 { random.between(-90.0, 90.0) } else { from.lat_deg() + random.magnitude(1e-14, 90.0) };
    Pair { from, to: near(lat, from.lon_deg() + turn) }
}

fn antimeridian(random: &mut Random) -> Pair {
    let lat = random.between(-90.0, 90.0);
    let edge = |random: &mut Random| {
        let side: f64 = if random.share() < 0.5 { 180.0 } else { -180.0 };
        if random.share() < 0.3 { side } else { side - side.signum() * random.magnitude(1e-13, 2.0).abs() }
    };
    Pair { from: at(lat, edge(random)), to: near(lat + random.magnitude(1e-14, 1.0), edge(random)) }
}

pub(crate) const GENERATORS: [(&str, Generator); 7] = [
    ("uniform", uniform),
    ("every_scale", every_scale),
    ("antipodal", antipodal),
    ("polar", polar),
    ("equatorial", equatorial),
    ("meridional", meridional),
    ("antimeridian", antimeridian),
];

/// Calls `check` with `count` pairs of a kind, on all cores; every pair has a seed of its own.
pub(crate) fn for_pairs(name: &str, count: u64, check: impl Fn(Pair, Label<'_>) + Sync) {
    let (_, generator) = GENERATORS.iter().find(|(known, _)| *known == name).expect(name);
    (0..count).into_par_iter().for_each(|seed| check(generator(&mut Random(seed)), Label { name, seed }));
}

/// What to run again when a pair fails.
#[derive(Clone, Copy)]
pub(crate) struct Label<'a> {
    name: &'a str,
    seed: u64,
}

pub(crate) const LANDMARKS: Label<'static> = Label { name: "landmarks", seed: 0 };

impl std::fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} seed {}", self.name, self.seed)
    }
}

/// Places where conventions meet.
pub(crate) fn landmarks() -> Vec<Point> {
    let lats = [90.0, 89.999_999_999_999_99, 89.0, 45.0, 1e-12, 5e-324, 0.0, -0.0, -1e-300, -33.3, -89.999_999, -90.0];
    let lons = [180.0, 179.999_999_999_999_97, 90.0, 1e-9, 1e-200, 0.0, -0.0, -77.7, -90.0, -179.999_999_9, -180.0];
    lats.iter().flat_map(|&lat| lons.iter().map(move |&lon| at(lat, lon))).collect()
}

pub(crate) fn for_landmark_pairs(mut check: impl FnMut(&'static dyn Metric, Point, Point)) {
    let places = landmarks();
    for &metric in METRICS {
        for from in &places {
            for to in &places {
                check(metric, *from, *to);
            }
        }
    }
}
