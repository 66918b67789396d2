//! Questions that every index kind must answer like a plain scan, drawn round a collection's own points and where the earth is
//! awkward.
//!
//! What surprises: they are the same in every run. A difference that was found once is found again.

use std::sync::Arc;

use super::hosted::unless_damaged;
use crate::collection::Snapshot;
use crate::generate::Random;
use crate::geometry::{Edges, Point, Polygon, Radius, Rect};
use crate::query::{K, Query};

/// How many questions a collection is asked.
pub(super) const QUESTIONS: u64 = 240;

/// Asks every kind, and says which questions are answered otherwise than by the scan.
pub(super) fn differences(snapshot: &Arc<Snapshot>) -> Vec<String> {
    let mut random = Random::seeded(u64::from_be_bytes(*b"soundnes"));
    let mut found = Vec::new();
    if snapshot.is_empty() {
        return found;
    }
    for number in 0..QUESTIONS {
        let centre = centre(snapshot, number, &mut random);
        let (words, query) = question(centre, number, &mut random);
        match unless_damaged(|| query.compare(snapshot)) {
            Ok(Ok(compared)) => {
                let wrong = compared.iter().filter(|one| !one.identical);
                found.extend(wrong.map(|one| format!("{} answers {words} otherwise than a scan", one.kind.name)));
            }
            Ok(Err(error)) => found.push(format!("{words} cannot be answered: {error}")),
            Err(damaged) => found.push(format!("{words} cannot be answered: {damaged}")),
        }
    }
    found
}

/// One of the collection's points, or in one of six cases a pole or a place on the antimeridian.
fn centre(snapshot: &Snapshot, number: u64, random: &mut Random) -> Point {
    let (lat, lon) = match number % 6 {
        0 => (90.0 * random.sign(), random.between(-180.0, 180.0)),
        1 => (random.between(-89.0, 89.0), 180.0 * random.sign()),
        _ => {
            let segments = snapshot.segments();
            let points = segments[random.below(segments.len() as u64) as usize].points();
            let slot = random.below(points.len() as u64) as u32;
            match unless_damaged(|| points.point(slot)) {
                Ok(point) => return point,
                Err(_) => (0.0, 0.0), // that the file is damaged is told by those who read all of it
            }
        }
    };
    Point::new(lat, lon).expect("drawn within the earth")
}

fn question(centre: Point, number: u64, random: &mut Random) -> (String, Query) {
    let (lat, lon) = (centre.lat_deg(), centre.lon_deg());
    match number % 4 {
        0 => {
            let metres = random.magnitude(1.0, 5_000_000.0);
            let radius = Radius::from_metres(metres).expect("a radius on the earth");
            (format!("what is within {metres} m of {lat},{lon}"), Query::near(centre).within(radius))
        }
        1 => {
            let k = 1 + random.below(50) as usize;
            (format!("the {k} nearest to {lat},{lon}"), Query::near(centre).nearest(K::new(k).expect("few")))
        }
        _ => {
            let (half_lat, half_lon) = (random.magnitude(0.01, 30.0), random.magnitude(0.01, 60.0));
            let (south, north) = ((lat - half_lat).max(-90.0), (lat + half_lat).min(90.0));
            let (west, east) = (wrapped(lon - half_lon), wrapped(lon + half_lon));
            let rect = Rect::from_corners(south, west, north, east).expect("its edges are in order");
            let words = format!("the box {west},{south},{east},{north}");
            match number % 4 == 3 {
                true => polygon([south, west, north, east]).map_or((words, Query::in_rect(rect)), |polygon| {
                    (format!("a diamond in the box {west},{south},{east},{north}"), Query::in_polygon(polygon))
                }),
                false => (words, Query::in_rect(rect)),
            }
        }
    }
}

fn wrapped(lon_deg: f64) -> f64 {
    match lon_deg {
        _ if lon_deg > 180.0 => lon_deg - 360.0,
        _ if lon_deg < -180.0 => lon_deg + 360.0,
        _ => lon_deg,
    }
}

/// The diamond in a box; none where it would touch a pole or have no inside.
fn polygon([south, west, north, east]: [f64; 4]) -> Option<crate::geometry::PreparedPolygon> {
    let east = if east < west { east + 360.0 } else { east };
    let (middle_lat, middle_lon) = ((south + north) / 2.0, (west + east) / 2.0);
    let corner = |lon: f64, lat: f64| [wrapped(lon), lat];
    let corners =
        [(middle_lon, south), (east, middle_lat), (middle_lon, north), (west, middle_lat), (middle_lon, south)];
    let ring = corners.map(|(lon, lat)| corner(lon, lat)).to_vec();
    Polygon::new(&[vec![ring]], Edges::Planar).ok().map(|polygon| polygon.prepare_for(1000))
}
