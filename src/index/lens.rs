//! A place to look from: how near and how far can a point of a box be, without trigonometry.
//!
//! Directories ask this of every box they pass, so it must be cheap, and it must never be wrong in the direction that
//! loses a point. What surprises: it works from the haversine formula itself, with polynomials that are proven to lie
//! on the safe side, so the poles and the antimeridian need no case of their own.
//!
//! # The bound
//!
//! For a point at latitude φ and longitude difference Δλ from here (latitude φ₀), the squared chord is
//!
//! ```text
//! c² = 4·[ sin²(Δφ/2) + cos φ₀ · cos φ · sin²(Δλ/2) ]
//! ```
//!
//! Over a box each factor has a least and a greatest value: Δφ and Δλ from the distances to its edges, cos φ at the
//! edge farthest from, or nearest to, the equator. All factors are non-negative, so the products of the least values
//! bound c² from below, and of the greatest from above. With `x` in 0..=π/2, Taylor's series of sin² x and cos x
//! alternate with decreasing terms, so a partial sum that ends in a negative term is too small and one that ends in a
//! positive term too large.
//!
//! # Rounding
//!
//! The stored unit vectors are within 3e-16 of the true ones in each coordinate, so a computed chord is within 2e-15
//! of the true one. The limits in [`Lens`] are moved by that and by one part in 10⁹, a million times the rounding
//! of the few operations here; differences of degrees are moved by 1e-12.

use crate::geometry::maths::{RADIANS, asin, cos, sin, sqrt};
use crate::geometry::{Metric, Overlap, Point, Reach, Rect, UnitVector};

const CHORD_MARGIN: f64 = 2e-15;
const RELATIVE_MARGIN: f64 = 1e-9;
const DEGREE_MARGIN: f64 = 1e-12;

/// Half a degree in radians: what a difference in degrees is multiplied by on its way into sin²(Δ/2).
const HALF: f64 = 0.5 * RADIANS;

/// A centre, a metric and how far to look.
#[derive(Debug, Clone)]
pub struct Lens {
    centre: Point,
    unit: UnitVector,
    metric: &'static dyn Metric,
    cos_lat: f64,
    radius_m: f64,
    reach: Reach,
    /// Boxes with a least squared chord over this hold nothing; boxes with a greatest one up to `inside` lie within.
    outside: f64,
    inside: f64,
    /// Half the height and half the width of the frame that holds everything within reach, degrees.
    half_height: f64,
    half_width: f64,
}

impl Lens {
    /// Looks from `centre` as far as `radius_m`, which may be infinite.
    pub fn new(centre: Point, metric: &'static dyn Metric, radius_m: f64) -> Lens {
        let everything = Reach { inside_chord2: f64::INFINITY, outside_chord2: f64::INFINITY };
        let mut lens = Lens {
            centre,
            unit: centre.unit(),
            metric,
            cos_lat: cos(centre.lat_deg() * RADIANS).max(0.0),
            radius_m,
            reach: if radius_m.is_finite() { metric.reach(radius_m) } else { everything },
            outside: f64::INFINITY,
            inside: f64::INFINITY,
            half_height: 180.0,
            half_width: 180.0,
        };
        lens.inside = shrunk(lens.reach.inside_chord2);
        lens.look_as_far_as(lens.reach.outside_chord2);
        lens
    }

    /// The centre.
    pub fn centre(&self) -> Point {
        self.centre
    }

    /// The centre's unit vector.
    pub fn unit(&self) -> &UnitVector {
        &self.unit
    }

    /// The metric.
    pub fn metric(&self) -> &'static dyn Metric {
        self.metric
    }

    /// The squared chord over which a point does not count any more.
    pub fn outside_chord2(&self) -> f64 {
        self.reach.outside_chord2
    }

    /// Whether a point at this squared chord counts.
    #[inline]
    pub fn holds(&self, unit: impl FnOnce() -> UnitVector, chord2: f64) -> bool {
        chord2 <= self.reach.inside_chord2
            || (chord2 <= self.reach.outside_chord2 && self.metric.within(&self.unit, &unit(), self.radius_m))
    }

    /// Draws the horizon nearer: points beyond this squared chord do not count any more.
    pub fn tighten(&mut self, outside_chord2: f64) {
        if outside_chord2 < self.reach.outside_chord2 {
            self.reach.outside_chord2 = outside_chord2;
            self.outside = widened(outside_chord2);
            // The frame is only a quick first look; mending it costs more than a box, so wait until it is much too large.
            let chord_deg = sqrt(self.outside) / RADIANS;
            if chord_deg < 0.5 * self.half_height {
                self.look_as_far_as(outside_chord2);
            }
        }
    }

    fn look_as_far_as(&mut self, outside_chord2: f64) {
        self.outside = widened(outside_chord2);
        (self.half_height, self.half_width) = (180.0, 180.0);
        if self.outside < 4.0 {
            let angle_rad = 2.0 * asin(sqrt(self.outside) / 2.0) * (1.0 + RELATIVE_MARGIN);
            self.half_height = angle_rad / RADIANS + DEGREE_MARGIN;
            // A cap that holds no pole reaches asin(sin angle / cos φ₀) to either side.
            if self.centre.lat_deg().abs() + self.half_height < 90.0 {
                let sine = sin(angle_rad) / self.cos_lat;
                if sine < 1.0 {
                    self.half_width = (asin(sine) / RADIANS) * (1.0 + RELATIVE_MARGIN) + DEGREE_MARGIN;
                }
            }
        }
    }

    /// The box that holds everything within reach, or `None` when it goes all the way round or over ±180.
    pub fn frame(&self) -> Option<Rect> {
        let (lat, lon) = (self.centre.lat_deg(), self.centre.lon_deg());
        let (west, east) = (lon - self.half_width, lon + self.half_width);
        (west >= -180.0 && east <= 180.0)
            .then(|| Rect::clamped(lat - self.half_height, west, lat + self.half_height, east))
    }

    /// Whether a box lies within reach, with the least squared chord to it.
    #[inline]
    pub fn overlap(&self, rect: Rect) -> (Overlap, f64) {
        let (dlat, dlon) = (self.lat_span(rect), self.lon_span(rect));
        if dlat.least > self.half_height || dlon.least > self.half_width {
            return (Overlap::Outside, f64::INFINITY);
        }
        let least = self.least_chord2(rect, dlat.least, dlon.least);
        if least > self.outside {
            return (Overlap::Outside, least);
        }
        // A box that sticks out of the frame holds positions out of reach: no need to ask how far they are.
        let within_frame = dlat.most <= self.half_height && dlon.most <= self.half_width;
        if within_frame && self.greatest_chord2(rect, dlat.most, dlon.most) <= self.inside {
            return (Overlap::Inside, least);
        }
        (Overlap::Boundary, least)
    }

    /// No point of a box that is so far away in latitude and longitude is nearer.
    #[inline]
    fn least_chord2(&self, rect: Rect, dlat_deg: f64, dlon_deg: f64) -> f64 {
        if dlat_deg == 0.0 && dlon_deg == 0.0 {
            return 0.0;
        }
        let lat_rad = rect.south().abs().max(rect.north().abs()) * RADIANS;
        let lon_part = self.cos_lat * cos_below(lat_rad) * sin2_below(dlon_deg * HALF);
        4.0 * (sin2_below(dlat_deg * HALF) + lon_part)
    }

    /// No point of a box that is at most so far away in latitude and longitude is farther.
    #[inline]
    fn greatest_chord2(&self, rect: Rect, dlat_deg: f64, dlon_deg: f64) -> f64 {
        let over_equator = rect.south() <= 0.0 && rect.north() >= 0.0;
        let lat_rad = rect.south().abs().min(rect.north().abs()) * RADIANS;
        let cos_most = if over_equator { 1.0 } else { cos_above(lat_rad) };
        4.0 * (sin2_above(dlat_deg * HALF) + self.cos_lat * cos_most * sin2_above(dlon_deg * HALF))
    }

    /// Whether a box with this least squared chord may still hold something that counts.
    #[inline]
    pub fn may_reach(&self, least: f64) -> bool {
        least <= self.outside
    }

    #[inline]
    fn lat_span(&self, rect: Rect) -> Span {
        let middle = 0.5 * (rect.south() + rect.north());
        Span::new((self.centre.lat_deg() - middle).abs(), 0.5 * (rect.north() - rect.south()))
    }

    #[inline]
    fn lon_span(&self, rect: Rect) -> Span {
        let middle = 0.5 * (rect.west() + rect.east());
        let straight = (self.centre.lon_deg() - middle).abs();
        Span::new(straight.min(360.0 - straight), 0.5 * (rect.east() - rect.west()))
    }
}

/// The least and greatest difference in degrees to a stretch of latitudes or longitudes, on the safe side.
#[derive(Debug, Clone, Copy)]
struct Span {
    least: f64,
    most: f64,
}

impl Span {
    #[inline]
    fn new(to_middle: f64, half: f64) -> Span {
        Span { least: (to_middle - half - DEGREE_MARGIN).max(0.0), most: (to_middle + half + DEGREE_MARGIN).min(180.0) }
    }
}

/// Whether a box with this least squared chord surely holds no point whose squared chord is up to `bound`.
#[inline]
pub fn surely_beyond(least: f64, bound: f64) -> bool {
    least > widened(bound)
}

fn widened(chord2: f64) -> f64 {
    let chord = sqrt(chord2) + CHORD_MARGIN;
    chord * chord * (1.0 + RELATIVE_MARGIN)
}

fn shrunk(chord2: f64) -> f64 {
    let chord = sqrt(chord2.max(0.0)) - CHORD_MARGIN;
    if chord > 0.0 { chord * chord * (1.0 - RELATIVE_MARGIN) } else { -1.0 }
}

/// Not above sin² x for x in 0..=π/2: x² - x⁴/3 + 2x⁶/45 - x⁸/315.
#[inline]
fn sin2_below(x: f64) -> f64 {
    let y = x * x;
    y * (1.0 - y * (1.0 / 3.0 - y * (2.0 / 45.0 - y * (1.0 / 315.0))))
}

/// Not below sin² x for x in 0..=π/2: x² - x⁴/3 + 2x⁶/45.
#[inline]
fn sin2_above(x: f64) -> f64 {
    let y = x * x;
    y * (1.0 - y * (1.0 / 3.0 - y * (2.0 / 45.0)))
}

/// Not above cos x for x in 0..=π/2, and never negative.
#[inline]
fn cos_below(x: f64) -> f64 {
    let y = x * x;
    let sum = 1.0 - y * (0.5 - y * (1.0 / 24.0 - y * (1.0 / 720.0 - y * (1.0 / 40_320.0 - y * (1.0 / 3_628_800.0)))));
    sum.max(0.0)
}

/// Not below cos x for x in 0..=π/2.
#[inline]
fn cos_above(x: f64) -> f64 {
    let y = x * x;
    1.0 - y * (0.5 - y * (1.0 / 24.0 - y * (1.0 / 720.0 - y * (1.0 / 40_320.0))))
}

#[cfg(test)]
#[path = "lens_tests.rs"]
mod tests;
