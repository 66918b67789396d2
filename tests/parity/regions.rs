//! Polygons by their definition: parity of the edges north of a place, for planar and for geodesic edges.
//!
//! It counts in plain floating point, so it has a band: within a nanodegree of an edge it is unsure, but for vertices,
//! which belong to the polygon whatever happens. What surprises: it is unsure of whole polygons whose meaning hangs on a
//! rounding: an edge of just about half the globe, a mean latitude of about zero, a geodesic through a pole.
#![expect(clippy::disallowed_methods, reason = "an oracle does not take its sines from the maths that it checks")]

use std::fmt;

use nigh::geometry::Edges;

use crate::earth::{Place, Verdict};

/// A ring as `[lon, lat]`, closed.
pub(super) type Ring = Vec<[f64; 2]>;

/// Nearer than this to an edge, in degrees, nothing is sure.
const BAND_DEG: f64 = 1e-9;

/// Several polygons, each of rings.
pub(super) struct Region {
    polygons: Vec<Vec<Ring>>,
    edges: Edges,
    laid: Vec<Vec<Laid>>,
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.edges, self.polygons)
    }
}

/// A side of a ring on the unrolled earth, and its ends in space.
#[derive(Debug, Clone, Copy)]
struct Side {
    from: (f64, f64),
    to: (f64, f64),
    /// The longitude of its beginning within ±180, exactly.
    written: f64,
    ends: [Vector; 2],
}

/// A ring on the unrolled earth.
struct Laid {
    sides: Vec<Side>,
    west: f64,
    east: f64,
    holds_north: bool,
    holds_south: bool,
    /// Whether its meaning does not hang on a rounding.
    sure: bool,
}

/// What a ring says of a place.
struct Said {
    /// Whether there is an odd number of reasons to be inside.
    odd: bool,
    on_vertex: bool,
    sure: bool,
}

impl Region {
    /// Lays the rings out.
    pub(super) fn new(polygons: Vec<Vec<Ring>>, edges: Edges) -> Region {
        let lay = |rings: &Vec<Ring>| rings.iter().map(|ring| Laid::new(ring, edges)).collect();
        Region { laid: polygons.iter().map(lay).collect(), polygons, edges }
    }

    /// Whether a place belongs to it: to any of its polygons, or to the boundary of one.
    pub(super) fn holds(&self, place: Place) -> Verdict {
        let (mut inside, mut sure) = (false, true);
        let vector = vector((place.lon, place.lat));
        for laid in &self.laid {
            let mut odd = false;
            for ring in laid {
                let said = ring.say(self.edges, place, vector);
                if said.on_vertex {
                    return Verdict::In;
                }
                odd ^= said.odd;
                sure &= said.sure;
            }
            inside |= odd;
        }
        if sure { Verdict::of(inside) } else { Verdict::Unsure }
    }
}

impl Laid {
    fn new(ring: &Ring, edges: Edges) -> Laid {
        let (sides, short_ways_sure) = unrolled(ring);
        let (holds_north, holds_south, poles_sure) = poles(&sides);
        let sure =
            short_ways_sure && poles_sure && (edges == Edges::Planar || ring.iter().all(|[_, lat]| lat.abs() < 90.0));
        let lons = || sides.iter().flat_map(|side| [side.from.0, side.to.0]);
        let (west, east) = (lons().fold(f64::INFINITY, f64::min), lons().fold(f64::NEG_INFINITY, f64::max));
        Laid { sides, west, east, holds_north, holds_south, sure }
    }

    fn say(&self, edges: Edges, place: Place, vector: Vector) -> Said {
        let polar = place.lat.abs() == 90.0;
        let lon = on_one_spelling(place.lon);
        let at_place = |side: &Side| side.from.1 == place.lat && (polar || side.written == lon);
        if self.sides.iter().any(at_place) {
            return Said { odd: false, on_vertex: true, sure: true };
        }
        let mut said = Said { odd: self.holds_north, on_vertex: false, sure: self.sure };
        if polar {
            said.odd = if place.lat < 0.0 { self.holds_south } else { self.holds_north };
            return said;
        }
        if edges == Edges::Geodesic {
            said.sure &= !self.sides.iter().any(|side| near_arc(side.ends, vector));
        }
        let aside = beside_vertices(&self.sides, place.lon) - place.lon;
        // The ring may go round more than once, and begin a turn away.
        let first = ((self.west - place.lon) / 360.0).floor() as i32;
        let last = ((self.east - place.lon) / 360.0).ceil() as i32;
        for lon in (first..=last).map(|turn| place.lon + 360.0 * f64::from(turn)) {
            for side in &self.sides {
                said.odd ^= crosses(side, edges, lon + aside, place.lat);
                said.sure &= edges == Edges::Geodesic || !near_line(side, lon, place.lat);
            }
        }
        said
    }
}

fn on_one_spelling(lon: f64) -> f64 {
    if lon > 180.0 {
        lon - 360.0
    } else if lon <= -180.0 {
        lon + 360.0
    } else {
        lon
    }
}

/// A longitude so near that no edge can lie between, which is that of no vertex, rounding included.
fn beside_vertices(sides: &[Side], lon: f64) -> f64 {
    let is_clear =
        |lon: &f64| sides.iter().all(|side| ((side.from.0 - lon + 180.0).rem_euclid(360.0) - 180.0).abs() > 1e-11);
    let mut steps = (1..=60).map(|step| lon + BAND_DEG / 100.0 * f64::from(step));
    steps.find(is_clear).expect("a ring has fewer vertices than there are steps")
}

/// The sides one after the other, each by the short way; and whether that is sure.
fn unrolled(ring: &Ring) -> (Vec<Side>, bool) {
    let (mut sides, mut sure, mut lon) = (Vec::new(), true, ring[0][0]);
    for pair in ring.windows(2) {
        let mut step = pair[1][0] - pair[0][0];
        while step > 180.0 {
            step -= 360.0;
        }
        while step < -180.0 {
            step += 360.0;
        }
        sure &= step.abs() < 180.0 - 1e-6;
        let (from, to) = ((lon, pair[0][1]), (lon + step, pair[1][1]));
        sides.push(Side { from, to, written: on_one_spelling(pair[0][0]), ends: [vector(from), vector(to)] });
        lon += step;
    }
    (sides, sure)
}

/// Whether a ring holds the north pole, or the south pole, by the side of its mean latitude, weighted by the longitude
/// covered; and whether that is sure.
fn poles(sides: &[Side]) -> (bool, bool, bool) {
    let (first, last) = (sides[0].from, sides[sides.len() - 1].to);
    let turns = ((last.0 - first.0) / 360.0).round();
    if turns.rem_euclid(2.0) == 0.0 {
        return (false, false, true);
    }
    let covered = |side: &Side| (side.to.0 - side.from.0).abs();
    let sum: f64 = sides.iter().map(|side| covered(side) * (side.from.1 + side.to.1) / 2.0).sum();
    let mean_lat = sum / sides.iter().map(covered).sum::<f64>();
    (mean_lat >= 0.0, mean_lat < 0.0, mean_lat.abs() > 1e-6)
}

/// Whether the side passes north of a place.
fn crosses(side: &Side, edges: Edges, lon: f64, lat: f64) -> bool {
    let (west, east) = if side.from.0 <= side.to.0 { (side.from, side.to) } else { (side.to, side.from) };
    west.0 < lon
        && lon < east.0
        && lat
            < match edges {
                Edges::Planar => west.1 + (east.1 - west.1) * ((lon - west.0) / (east.0 - west.0)),
                Edges::Geodesic => lat_at(west, east, lon),
            }
}

/// Whether a place is too near a straight line to tell.
fn near_line(Side { from, to, .. }: &Side, lon: f64, lat: f64) -> bool {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let along = (((lon - from.0) * dx + (lat - from.1) * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
    let along = if along.is_nan() { 0.0 } else { along };
    (lon - from.0 - along * dx).hypot(lat - from.1 - along * dy) < BAND_DEG
}

/// The latitude of the great circle through two places at a longitude.
fn lat_at(west: (f64, f64), east: (f64, f64), lon: f64) -> f64 {
    let sine = |deg: f64| deg.to_radians().sin();
    let tangent = |deg: f64| deg.to_radians().tan();
    let sum = tangent(west.1) * sine(east.0 - lon) + tangent(east.1) * sine(lon - west.0);
    (sum / sine(east.0 - west.0)).atan().to_degrees()
}

type Vector = [f64; 3];

fn vector((lon, lat): (f64, f64)) -> Vector {
    let ((sin_lat, cos_lat), (sin_lon, cos_lon)) = (lat.to_radians().sin_cos(), lon.to_radians().sin_cos());
    [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat]
}

fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn apart(a: Vector, b: Vector) -> f64 {
    let difference = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    dot(difference, difference).sqrt()
}

/// Whether a place is within about a nanodegree of an arc, generously: near short arcs and their ends a bit more.
fn near_arc([a, b]: [Vector; 2], place: Vector) -> bool {
    const BAND: f64 = 2e-11;
    let length = apart(a, b);
    if apart(a, place) > length + 1e-6 || apart(b, place) > length + 1e-6 {
        return false;
    }
    let normal = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    let size = dot(normal, normal).sqrt();
    size < 1e-7 || (dot(normal, place) / size).abs() < BAND + 1e-15 / size
}

#[test]
fn the_oracle_knows_polygons_over_the_seam_and_round_a_pole() {
    let ring = |corners: &[[f64; 2]]| corners.iter().chain(&corners[..1]).copied().collect::<Ring>();
    let fiji = ring(&[[176.0, -20.0], [182.0, -20.0], [-178.0, -15.0], [176.0, -15.0]]);
    let cap = ring(&[[0.0, 70.0], [120.0, 70.0], [-120.0, 70.0]]);
    for edges in Edges::ALL {
        let holds = |rings: &Ring, lat, lon| {
            Region::new(vec![vec![rings.clone()]], edges).holds(Place::new(lat, lon)) == Verdict::In
        };
        assert!(holds(&fiji, -17.0, 180.0) && holds(&fiji, -17.0, -179.0) && !holds(&fiji, -17.0, 170.0));
        assert!(holds(&cap, 90.0, 12.0) && holds(&cap, 89.0, 33.0) && !holds(&cap, -90.0, 12.0));
        // Between its corners a geodesic runs farther north.
        assert_eq!(holds(&cap, 75.0, 60.0), edges == Edges::Planar);
    }
}
