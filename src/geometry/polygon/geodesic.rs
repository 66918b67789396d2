//! Edges along great circles of the sphere: the side by the sign of `n · p`.
//!
//! The surprising part: an edge between two places of one latitude leaves that latitude. From London's latitude a
//! great circle to Vancouver's passes 5 degrees further north, so the two kinds of edges hold different points.
//!
//! *What is on an edge*: a point whose longitude lies within the span of the edge and that is at most
//! [`ON_THE_EDGE`] (6.4 nanometres on the ground) from the plane of the great circle; the ends always are. The unit
//! vectors are rounded to 1.1e-16 a coordinate, and `n` is known to about 3e-16 across an edge of up to a quarter of the
//! globe, so the computed product is within 6e-16 of the true one: a point exactly on the edge is found on it, and a
//! point found beside it is truly on that side. Ends that are nearly antipodal determine their great circle less well,
//! by 1 / sin(length); where that would exceed a millimetre the edge is refused.
//!
//! *References*: the stable normal (a + b) × (b - a) is that of S2 (E. Veach, `s2edge_crossings.cc`,
//! `RobustCrossProd`).

use super::edge::{Candidate, Edge, EdgeTable, Line, Passes};
use super::planar;
use super::ring::{Step, Vertex};
use crate::geometry::UnitVector;
use crate::geometry::maths::{RADIANS, atan2, hypot, sin_cos_deg, sqrt};

/// How far from the plane of its great circle a point still lies on an edge, in radians.
pub const ON_THE_EDGE: f64 = 1e-15;

/// Widening of the latitudes of an arc, in degrees: 17 times [`ON_THE_EDGE`].
const WIDER_ARC: f64 = 1e-12;

/// Widening of [`Line::lat_range`] in degrees. South of [`STEEP`], [`ON_THE_EDGE`] and the errors of `n` are less than
/// 1e-15 / cos(89.9°) = 6e-13 rad = 4e-11 degrees of longitude.
const WIDER: f64 = 1e-10;

/// Beyond this latitude the range of an arc is not narrowed to the longitudes asked for.
const STEEP: f64 = 89.9;

/// Ends whose sum is shorter than 1e-6 (six metres on the ground) are antipodal: no one great circle joins them well.
const ANTIPODAL: f64 = 1e-12;

/// What a great-circle edge has beside its ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Arc {
    /// Unit normal, towards the side that is north of the edge; zero for an edge shorter than a rounding error.
    normal: UnitVector,
    /// The latitudes it stays between, its bulge towards the pole included.
    south: f64,
    north: f64,
}

impl Arc {
    /// The arc between two places less than 180 degrees of longitude apart, the western one first.
    fn between(west: (f64, f64), east: (f64, f64)) -> Arc {
        let (low, high) = ordered(west.1, east.1);
        let normal = UnitVector { x: 0.0, y: 0.0, z: 0.0 };
        if low == high && low.abs() == 90.0 {
            // A turn at the pole: beyond every point that is not the pole.
            return Arc { normal, south: low, north: high };
        }
        if west.0 == east.0 {
            return Arc { normal, south: low - WIDER_ARC, north: high + WIDER_ARC };
        }
        let (west, east) = (unit(west.1, west.0), unit(east.1, east.0));
        let normal = unit_normal(west, east);
        // Positive where the arc climbs on its way east: it has its apex between the ends when it climbs at one only.
        // The apex is within half the arc of an end, and so within 0.8 chords; that keeps the rounding of the normal
        // of a very short edge from moving it far.
        let climb = |end: UnitVector| normal.x * end.y - normal.y * end.x;
        let (apex, reach) = (apex_lat(&normal), 0.8 * sqrt(west.chord2(&east)) / RADIANS);
        let (mut south, mut north) = (low, high);
        if climb(west) >= 0.0 && climb(east) <= 0.0 {
            north = north.max(apex.min(high + reach));
        }
        if climb(west) <= 0.0 && climb(east) >= 0.0 {
            south = south.min((-apex).max(low - reach));
        }
        Arc { normal, south: south - WIDER_ARC, north: north + WIDER_ARC }
    }

    /// The latitudes it stays between.
    pub(super) fn lats(&self) -> (f64, f64) {
        (self.south, self.north)
    }

    /// Whether it comes so near a pole that its latitude under a meridian is not known well enough.
    fn is_steep(&self) -> bool {
        self.north > STEEP || self.south < -STEEP
    }

    /// The latitude of its great circle under a meridian.
    fn lat_at(&self, lon: f64) -> f64 {
        let (sin_lon, cos_lon) = sin_cos_deg(lon);
        let across = self.normal.x * cos_lon + self.normal.y * sin_lon;
        atan2(-across, self.normal.z.abs()) / RADIANS
    }

    /// How steeply it climbs eastwards under a meridian; only the sign is meant.
    fn climb_at(&self, lon: f64) -> f64 {
        let (sin_lon, cos_lon) = sin_cos_deg(lon);
        self.normal.x * sin_lon - self.normal.y * cos_lon
    }
}

fn ordered(a: f64, b: f64) -> (f64, f64) {
    if a <= b { (a, b) } else { (b, a) }
}

/// The direction of `a × b`, as (a + b) × (b - a), which stays precise when the two are close; zero when they are one.
fn unit_normal(a: UnitVector, b: UnitVector) -> UnitVector {
    let sum = UnitVector { x: a.x + b.x, y: a.y + b.y, z: a.z + b.z };
    let difference = UnitVector { x: b.x - a.x, y: b.y - a.y, z: b.z - a.z };
    let double = sum.cross(&difference);
    let length = sqrt(double.dot(&double));
    let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
    UnitVector { x: double.x * scale, y: double.y * scale, z: double.z * scale }
}

/// The highest latitude of a great circle.
fn apex_lat(normal: &UnitVector) -> f64 {
    atan2(hypot(normal.x, normal.y), normal.z.abs()) / RADIANS
}

/// The outward normal at a position, with the same bits as [`Point::unit`](crate::geometry::Point::unit).
pub(super) fn unit(lat: f64, lon: f64) -> UnitVector {
    let (sin_lat, cos_lat) = sin_cos_deg(lat);
    let (sin_lon, cos_lon) = sin_cos_deg(lon);
    UnitVector { x: cos_lat * cos_lon, y: cos_lat * sin_lon, z: sin_lat }
}

/// Great-circle edges.
pub(super) struct Geodesic<'a>(pub(super) &'a EdgeTable);

impl Line for Geodesic<'_> {
    #[inline]
    fn passes<F: FnOnce() -> UnitVector>(&self, number: usize, candidate: &mut Candidate<F>) -> Passes {
        let arc = &self.0.arcs[number];
        if candidate.lat > arc.north {
            return Passes::South;
        }
        if candidate.lat < arc.south {
            return Passes::North;
        }
        let edge = &self.0.edges[number];
        if edge.west_lon == edge.east_lon {
            return Passes::Through;
        }
        let height = arc.normal.dot(&candidate.unit());
        if height.abs() <= ON_THE_EDGE || is_an_end(edge, candidate.lat, candidate.lon) {
            Passes::Through
        } else if height > 0.0 {
            Passes::South
        } else {
            Passes::North
        }
    }

    fn fills_its_box(&self, number: usize) -> bool {
        self.0.arcs[number].is_steep()
    }

    fn lat_range(&self, number: usize, west: f64, east: f64) -> (f64, f64) {
        let (edge, arc) = (&self.0.edges[number], &self.0.arcs[number]);
        let whole = west <= edge.west_lon && edge.east_lon <= east;
        if whole || edge.west_lon == edge.east_lon || arc.is_steep() {
            return (arc.south, arc.north);
        }
        // Widened last, beyond the ends as well: under the meridian of an end the great circle of a steep arc has every
        // latitude within a rounding error, so what is reckoned there may leave out the end itself.
        let (west, east) = (west.max(edge.west_lon) - WIDER, east.min(edge.east_lon) + WIDER);
        let (first, last) = (arc.lat_at(west), arc.lat_at(east));
        let (mut low, mut high) = (first.min(last), first.max(last));
        if arc.climb_at(west) >= 0.0 && arc.climb_at(east) <= 0.0 {
            high = arc.north;
        }
        if arc.climb_at(west) <= 0.0 && arc.climb_at(east) >= 0.0 {
            low = arc.south;
        }
        ((low - WIDER).max(arc.south), (high + WIDER).min(arc.north))
    }
}

fn is_an_end(edge: &Edge, lat: f64, lon: f64) -> bool {
    (lon == edge.west_lon && lat == edge.west_lat) || (lon == edge.east_lon && lat == edge.east_lat)
}

/// What a ring of great-circle edges comes to: its steps, and which poles it passes through (south, north).
#[derive(Debug, Default)]
pub(super) struct Course {
    pub(super) steps: Vec<Step>,
    pub(super) through_pole: [bool; 2],
}

/// Lays a closed ring along great circles.
///
/// A pole has no longitude. A ring that touches one comes up a meridian, turns there, and goes down another meridian;
/// the turn becomes a step along latitude ±90, which is south (or north) of every point that is not the pole itself:
///
/// ```text
///   90°  ┌────────►┐      the pole, drawn as the line it is on a map
///        ▲         ▼
///        a         b      a and b face each other across the pole, or the pole is a vertex between them
/// ```
pub(super) fn course(ring: &[Vertex]) -> Result<Course, String> {
    let mut course = Course::default();
    // Start and end at a vertex that has a longitude.
    let Some(start) = ring.iter().position(|vertex| vertex.lat.abs() < 90.0) else {
        return course_at_a_pole(ring, course);
    };
    let open = ring.len() - 1;
    let mut last_on_a_meridian = ring[start];
    for at in start..start + open {
        let (from, to) = (ring[at % open], ring[at % open + 1]);
        course.add(from, to, &mut last_on_a_meridian).map_err(|()| antipodal(from, to))?;
    }
    Ok(course)
}

/// A ring of one pole and nothing else is that pole.
fn course_at_a_pole(ring: &[Vertex], mut course: Course) -> Result<Course, String> {
    if let Some(pair) = ring.windows(2).find(|pair| pair[0].lat != pair[1].lat) {
        return Err(antipodal(pair[0], pair[1]));
    }
    course.through_pole[usize::from(ring[0].lat > 0.0)] = true;
    Ok(course)
}

fn antipodal(from: Vertex, to: Vertex) -> String {
    format!(
        "[{}, {}] and [{}, {}] are antipodal, and no single great circle joins them: put a position between",
        from.written_lon, from.lat, to.written_lon, to.lat
    )
}

impl Course {
    fn add(&mut self, from: Vertex, to: Vertex, last_on_a_meridian: &mut Vertex) -> Result<(), ()> {
        let last = *last_on_a_meridian;
        let at_pole = |lon_of: Vertex, lat: f64| Vertex { lat, ..lon_of };
        match (from.lat.abs() == 90.0, to.lat.abs() == 90.0) {
            (true, true) if from.lat != to.lat => return Err(()),
            (true, true) => {}
            (false, true) => self.steps.push(Step::between(from, at_pole(from, to.lat))),
            (true, false) => {
                self.turn_at_the_pole(at_pole(last, from.lat), at_pole(to, from.lat));
                self.steps.push(Step::between(at_pole(to, from.lat), to));
            }
            (false, false) => self.join(from, to)?,
        }
        if to.lat.abs() == 90.0 {
            self.through_pole[usize::from(to.lat > 0.0)] = true;
        } else {
            *last_on_a_meridian = to;
        }
        Ok(())
    }

    /// Joins two vertices that are no poles.
    fn join(&mut self, from: Vertex, to: Vertex) -> Result<(), ()> {
        if unit(from.lat, from.lon).antipodal_chord2(&unit(to.lat, to.lon)) < ANTIPODAL {
            return Err(());
        }
        if (from.lon - to.lon).abs() != 180.0 {
            self.steps.push(Step::between(from, to));
            return Ok(());
        }
        let lat = if from.lat > -to.lat { 90.0 } else { -90.0 };
        let (up, down) = (Vertex { lat, ..from }, Vertex { lat, ..to });
        self.steps.push(Step::between(from, up));
        self.turn_at_the_pole(up, down);
        self.steps.push(Step::between(down, to));
        Ok(())
    }

    fn turn_at_the_pole(&mut self, from: Vertex, to: Vertex) {
        self.through_pole[usize::from(from.lat > 0.0)] = true;
        self.steps.push(Step::between(from, to));
    }
}

/// The edges and arcs that a step makes. Both images of an edge across the 180th meridian have the same arc.
pub(super) fn push_edges(step: &Step, table: &mut EdgeTable) {
    planar::push_edges(step, table);
    let (west, east) = if step.goes_east() { (step.from, step.to) } else { (step.to, step.from) };
    let arc = Arc::between(west, east);
    table.arcs.resize(table.edges.len(), arc);
}
