//! Distances from the textbook: what each metric says, written down once more without the library.
//!
//! Haversine is the formula with its sines; beyond a quarter of the globe the distance to the *antipode* is taken from
//! half the globe, because there the formula itself loses its digits. The ellipsoid is GeographicLib. What surprises:
//! GeographicLib is slow, so it is asked only where a length between 0.993 and 1.006 times the haversine distance leaves
//! a question (the radii of curvature of WGS84 are 0.9944 to 1.0045 times the mean radius).
#![expect(clippy::disallowed_methods, reason = "an oracle does not take its sines from the maths that it checks")]

use std::sync::LazyLock;

use geographiclib_rs::{Geodesic, InverseGeodesic};

const EARTH_RADIUS_M: f64 = 6_371_008.8;

static WGS84: LazyLock<Geodesic> = LazyLock::new(Geodesic::wgs84);

/// Whether something is so, as far as an oracle with rounding can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    In,
    Out,
    Unsure,
}

impl Verdict {
    pub(super) fn of(holds: bool) -> Verdict {
        if holds { Verdict::In } else { Verdict::Out }
    }

    pub(super) fn and(self, other: impl FnOnce() -> Verdict) -> Verdict {
        match self {
            Verdict::Out => Verdict::Out,
            Verdict::In => other(),
            Verdict::Unsure => {
                if other() == Verdict::Out {
                    Verdict::Out
                } else {
                    Verdict::Unsure
                }
            }
        }
    }
}

/// A place with the one number that every formula needs again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) lat: f64,
    pub(super) lon: f64,
    cos_lat: f64,
}

impl Place {
    pub(super) fn new(lat: f64, lon: f64) -> Place {
        Place { lat, lon, cos_lat: cos_lat(lat) }
    }
}

fn cos_lat(lat: f64) -> f64 {
    // From the pole, so that the smallest of them keep their digits.
    (90.0 - lat.abs()).to_radians().sin()
}

/// A metric as the textbook has it.
#[derive(Debug)]
pub(super) struct Measure {
    /// What the library may differ by.
    pub(super) tolerance_m: f64,
    /// No distance is shorter or longer than so many times the haversine.
    least: f64,
    most: f64,
    exact_m: fn(&Place, &Place) -> f64,
}

static HAVERSINE: Measure = Measure { tolerance_m: 1e-6, least: 1.0, most: 1.0, exact_m: haversine_m };
static ELLIPSOID: Measure = Measure { tolerance_m: 1e-4, least: 0.993, most: 1.006, exact_m: geographiclib_m };

/// The textbook's word for a metric of the library.
pub(super) fn measure_named(name: &str) -> &'static Measure {
    match name {
        "haversine" => &HAVERSINE,
        "vincenty" => &ELLIPSOID,
        _ => panic!("metric {name} has no oracle: write one here"),
    }
}

/// Great-circle distance.
pub(super) fn haversine_m(a: &Place, b: &Place) -> f64 {
    let half = sine_of_half_squared(a, b);
    if half <= 0.5 {
        return 2.0 * EARTH_RADIUS_M * half.sqrt().asin();
    }
    let antipode = Place { lat: -b.lat, lon: if b.lon < 0.0 { b.lon + 180.0 } else { b.lon - 180.0 }, ..*b };
    let rest = sine_of_half_squared(a, &antipode);
    EARTH_RADIUS_M * (std::f64::consts::PI - 2.0 * rest.sqrt().asin())
}

fn sine_of_half_squared(a: &Place, b: &Place) -> f64 {
    let lat = ((a.lat - b.lat).to_radians() / 2.0).sin();
    let apart = (a.lon - b.lon).abs();
    let lon = (apart.min(360.0 - apart).to_radians() / 2.0).sin();
    (lat * lat + a.cos_lat * b.cos_lat * lon * lon).clamp(0.0, 1.0)
}

fn geographiclib_m(a: &Place, b: &Place) -> f64 {
    WGS84.inverse(a.lat, a.lon, b.lat, b.lon)
}

impl Measure {
    /// The distance.
    pub(super) fn distance_m(&self, a: &Place, b: &Place) -> f64 {
        (self.exact_m)(a, b)
    }

    /// What the distance cannot be below, quickly.
    pub(super) fn at_least_m(&self, a: &Place, b: &Place) -> f64 {
        self.least * haversine_m(a, b) - self.tolerance_m
    }

    /// Whether two places lie within a radius.
    pub(super) fn within(&self, a: &Place, b: &Place, radius_m: f64) -> Verdict {
        let haversine = haversine_m(a, b);
        if self.most * haversine + self.tolerance_m < radius_m {
            return Verdict::In;
        }
        if self.least * haversine - self.tolerance_m > radius_m {
            return Verdict::Out;
        }
        let exact = self.distance_m(a, b);
        if exact + self.tolerance_m < radius_m {
            Verdict::In
        } else if exact - self.tolerance_m > radius_m {
            Verdict::Out
        } else {
            Verdict::Unsure
        }
    }
}
