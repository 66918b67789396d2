//! Random questions: every form of query and every combination, aimed at where answers go wrong.

use std::fmt;
use std::sync::Arc;

use nigh::generate::{Random, generator_named};
use nigh::geometry::{GeohashCell, METRICS, Metric, Point, PreparedPolygon, Radius, Rect};
use nigh::query::{Filter, K, Query};

use crate::drawing::random_region;
use crate::earth::{Measure, Place, Verdict, measure_named};
use crate::history::History;
use crate::model::Stored;
use crate::properties::{CONDITIONS, Condition};
use crate::regions::Region;
use crate::shapes::{Corners, box_holds, geohash, geohash_holds};

/// What to look from.
#[derive(Debug, Clone)]
pub(super) struct Near {
    pub(super) centre: Point,
    pub(super) metric: &'static dyn Metric,
    pub(super) radius_m: Option<f64>,
    pub(super) k: Option<usize>,
}

/// A polygon to both sides: as positions, and made ready by the library.
#[derive(Clone)]
pub(super) struct Within {
    region: Arc<Region>,
    prepared: Arc<PreparedPolygon>,
}

impl fmt::Debug for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.region.fmt(f)
    }
}

/// A question as plain numbers and text, so that a failure can be read and asked again.
#[derive(Debug, Clone, Default)]
pub(super) struct Question {
    pub(super) near: Option<Near>,
    pub(super) corners: Option<Corners>,
    pub(super) geohash: Option<String>,
    pub(super) within: Option<Within>,
    pub(super) condition: Option<&'static Condition>,
}

impl Near {
    pub(super) fn place(&self) -> Place {
        Place::new(self.centre.lat_deg(), self.centre.lon_deg())
    }

    pub(super) fn measure(&self) -> &'static Measure {
        measure_named(self.metric.name())
    }
}

impl Question {
    /// The same question to the library.
    pub(super) fn query(&self) -> Query {
        let mut query = Query::default();
        if let Some(near) = &self.near {
            query = Query::near(near.centre).measured_by(near.metric);
            if let Some(radius_m) = near.radius_m {
                query = query.within(Radius::from_metres(radius_m).unwrap());
            }
            if let Some(k) = near.k {
                query = query.nearest(K::new(k).unwrap());
            }
        }
        let rect = |[south, west, north, east]: Corners| Rect::from_corners(south, west, north, east).unwrap();
        Query {
            rect: self.corners.map(rect),
            cell: self.geohash.as_deref().map(|text| GeohashCell::from_text(text).unwrap()),
            polygon: self.within.as_ref().map(|within| within.prepared.clone()),
            filter: self.condition.map(|condition| Filter::parse(condition.text).unwrap()),
            ..query
        }
    }

    /// Whether an item answers the question, but for the distance.
    pub(super) fn holds_flat(&self, id: &str, stored: &Stored) -> Verdict {
        let Place { lat, lon, .. } = stored.place;
        let plain = self.corners.is_none_or(|corners| box_holds(corners, lat, lon))
            && self.geohash.as_deref().is_none_or(|prefix| geohash_holds(prefix, lat, lon))
            && self.condition.is_none_or(|condition| (condition.holds)(id, &stored.facts));
        Verdict::of(plain).and(|| self.within.as_ref().map_or(Verdict::In, |within| within.region.holds(stored.place)))
    }

    /// Whether an item answers the question by its distance, whatever its number among the nearest.
    pub(super) fn holds_round(&self, stored: &Stored) -> Verdict {
        match &self.near {
            Some(near) => near
                .radius_m
                .map_or(Verdict::In, |radius_m| near.measure().within(&near.place(), &stored.place, radius_m)),
            None => Verdict::In,
        }
    }

    /// Whether an item answers the question, whatever its number among the nearest.
    pub(super) fn holds(&self, id: &str, stored: &Stored) -> Verdict {
        self.holds_flat(id, stored).and(|| self.holds_round(stored))
    }

    pub(super) fn k(&self) -> Option<usize> {
        self.near.as_ref().and_then(|near| near.k)
    }

    /// The names of its parts, for counting.
    pub(super) fn forms(&self) -> Vec<&'static str> {
        let near = |part: fn(&Near) -> bool| self.near.as_ref().is_some_and(part);
        let parts = [
            ("k nearest", near(|near| near.k.is_some() && near.radius_m.is_none())),
            ("radius", near(|near| near.radius_m.is_some() && near.k.is_none())),
            ("k within a radius", near(|near| near.radius_m.is_some() && near.k.is_some())),
            ("box", self.corners.is_some()),
            ("geohash", self.geohash.is_some()),
            ("polygon", self.within.is_some()),
            ("filter", self.condition.is_some()),
        ];
        let there: Vec<&str> = parts.into_iter().filter_map(|(name, there)| there.then_some(name)).collect();
        if there.is_empty() { vec!["listing"] } else { there }
    }
}

/// Draws a question about a collection.
pub(super) fn random_question(history: &mut History) -> Question {
    let mut question = Question::default();
    let shape = history.random.below(10);
    if shape < 6 {
        question.near = Some(random_near(history));
    }
    let crowd = if shape < 6 { 5 } else { 3 };
    if shape == 8 || history.random.once_in(crowd + 2) {
        question.within = Some(random_within(history));
    }
    if shape == 6 || (shape == 9 && !history.random.once_in(4)) || history.random.once_in(crowd) {
        question.corners = Some(random_corners(history));
    }
    if shape == 7 || history.random.once_in(crowd + 3) {
        question.geohash = Some(random_geohash(history));
    }
    if history.random.once_in(4) {
        question.condition = Some(&CONDITIONS[history.random.below(CONDITIONS.len() as u64) as usize]);
    }
    question
}

fn random_within(history: &mut History) -> Within {
    let (region, polygon) = random_region(history);
    let candidates = [usize::MAX, 0, 100][history.random.below(3) as usize];
    Within { region: Arc::new(region), prepared: Arc::new(polygon.prepare_for(candidates)) }
}

fn place_of(history: &mut History) -> Point {
    history.places[history.random.below(history.places.len() as u64) as usize]
}

/// A point of the history, its antipode, a pole, the seam, a corner of cells, or anywhere.
pub(super) fn random_place(history: &mut History) -> Point {
    let given = place_of(history);
    let random = &mut history.random;
    let at = |lat: f64, lon: f64| Point::new(lat, lon).unwrap();
    match random.below(16) {
        0..=5 => given,
        6 | 7 => {
            let (lat, lon) = (given.lat_deg(), given.lon_deg());
            at(-lat, if lon < 0.0 { lon + 180.0 } else { lon - 180.0 })
        }
        8 => at(random.sign() * 90.0, random.between(-180.0, 180.0)),
        9 => at(given.lat_deg(), random.sign() * 180.0),
        10 | 11 => (generator_named("cell_edges").unwrap().make)(random, 1)[0],
        12 | 13 => nudged(random, given),
        _ => (generator_named("uniform").unwrap().make)(random, 1)[0],
    }
}

fn nudged(random: &mut Random, given: Point) -> Point {
    let step = random.magnitude(1e-9, 10.0);
    let lat = given.lat_deg() + random.between(-step, step);
    let lon = given.lon_deg() + random.between(-step, step);
    Point::new(lat.clamp(-90.0, 90.0), lon.clamp(-180.0, 180.0)).unwrap()
}

fn random_near(history: &mut History) -> Near {
    let centre = random_place(history);
    let metric = METRICS[history.random.below(METRICS.len() as u64) as usize];
    let form = history.random.below(8);
    let radius_m = (form < 5).then(|| random_radius_m(history, centre, metric));
    let most = 2.0 * history.size() as f64 + 2.0;
    let k = (3..7).contains(&form).then(|| history.random.magnitude(1.0, most) as usize + 1);
    Near { centre, metric, radius_m, k }
}

/// From nothing to beyond the globe, and just to a point or a bit less or more.
fn random_radius_m(history: &mut History, centre: Point, metric: &dyn Metric) -> f64 {
    let to = place_of(history);
    let random = &mut history.random;
    match random.below(12) {
        0 => 0.0,
        1 => random.between(1.9e7, 2.1e7),
        2 => f64::MAX,
        3..=6 => {
            let mut radius_m = metric.distance_m(&centre.unit(), &to.unit());
            for _ in 0..random.below(4) {
                radius_m = if random.once_in(2) { radius_m.next_up() } else { radius_m.next_down().max(0.0) };
            }
            radius_m
        }
        _ => random.magnitude(1e-7, 3e7),
    }
}

pub(super) fn random_corners(history: &mut History) -> Corners {
    let (a, b) = (random_place(history), random_place(history));
    let near_by = nudged(&mut history.random, a);
    let random = &mut history.random;
    let b = if random.once_in(2) { near_by } else { b };
    let (mut south, mut north) = (a.lat_deg().min(b.lat_deg()), a.lat_deg().max(b.lat_deg()));
    match random.below(8) {
        0 => north = 90.0,
        1 => south = -90.0,
        _ => {}
    }
    let (west, mut east) = (a.lon_deg(), b.lon_deg());
    match random.below(10) {
        0 => return [south, -180.0, north, 180.0],
        1 => east = if west + 360.0 - west > 360.0 { (west + 360.0).next_down() } else { west + 360.0 },
        2 if west > east && east + 360.0 - west <= 360.0 => east += 360.0,
        3 | 4 => return [south, west.min(east), north, west.max(east)],
        _ => {}
    }
    [south, west, north, east]
}

fn random_geohash(history: &mut History) -> String {
    let place = random_place(history);
    let characters = 1 + history.random.below(12) as usize;
    let text = geohash(place.lat_deg(), place.lon_deg(), characters);
    if history.random.once_in(4) { text.to_uppercase() } else { text }
}
