//! What every server is asked: questions round its own points, each with the number of results that is right.

use nigh::collection::{Change, Collection, Id, Item, Properties, Snapshot};
use nigh::format::geojson::read_polygons;
use nigh::generate::{Random, generator_named};
use nigh::geometry::maths::sin_cos_deg;
use nigh::geometry::{Edges, Point, Polygon, Radius, Rect};
use nigh::query::{K, Query};
use std::sync::Arc;

/// Questions of a class.
pub const QUESTIONS: usize = 1000;

/// A question, and how many results are right.
#[derive(Debug, Clone)]
pub struct Question {
    pub asked: Asked,
    pub results: usize,
}

/// What is asked.
#[derive(Debug, Clone)]
pub enum Asked {
    Radius {
        centre: Point,
        metres: f64,
    },
    Nearest {
        centre: Point,
        k: usize,
    },
    Box {
        south: f64,
        west: f64,
        north: f64,
        east: f64,
    },
    /// `[lon, lat]`, closed.
    Polygon {
        ring: Vec<[f64; 2]>,
    },
}

/// Makes a question of a class.
pub type Make = fn(&mut Maker<'_>) -> Asked;

/// The classes, each with what it is called in the table.
pub const CLASSES: &[(&str, Make)] = &[
    ("radius, about 10", |maker| maker.radius(10)),
    ("radius, about 100", |maker| maker.radius(100)),
    ("radius, about 1 000", |maker| maker.radius(1000)),
    ("radius, 2 km", |maker| Asked::Radius { centre: maker.centre(), metres: 2000.0 }),
    ("nearest 10", |maker| Asked::Nearest { centre: maker.centre(), k: 10 }),
    ("box, about 100", |maker| maker.rect()),
    ("polygon, 8 corners", |maker| maker.star(8)),
    ("polygon, 100 corners", |maker| maker.star(100)),
];

/// The points, the same in every run. None lies where Redis takes none, beyond 85 degrees.
pub fn items(count: usize) -> Vec<Item> {
    let make = generator_named("clustered").unwrap().make;
    let mut points = make(&mut Random::seeded(1), count + count / 8);
    points.retain(|point| point.lat_deg().abs() <= 85.0);
    points.truncate(count);
    assert_eq!(points.len(), count, "few points lie near the poles");
    (0..).zip(points).map(|(number, point)| item(number, point)).collect()
}

pub fn item(number: usize, point: Point) -> Item {
    let kind = ["cafe", "bar", "school", "bakery", "park"][number % 5];
    let properties = format!(r#"{{"name":"{kind} {number}","category":"{kind}","score":{}}}"#, number % 1000);
    Item::new(Id::new(number.to_string()).unwrap(), point).with_properties(Properties::from_json(&properties).unwrap())
}

/// All points in this process, to reckon what is right.
pub fn truth(items: &[Item]) -> Arc<Snapshot> {
    let collection = Collection::new();
    collection.apply(1, items.iter().cloned().map(Change::Put).collect());
    collection.settle();
    collection.snapshot()
}

/// The questions of a class.
pub fn questions(make: Make, truth: &Arc<Snapshot>, items: &[Item]) -> Vec<Question> {
    let mut maker = Maker { random: Random::seeded(2), truth, items };
    let mut questions = Vec::new();
    while questions.len() < QUESTIONS {
        let asked = make(&mut maker);
        let results = query(&asked).run(truth).unwrap().matched as usize;
        // A page holds ten thousand; two kilometres of a dense city may hold more.
        if results <= 10_000 {
            questions.push(Question { asked, results });
        }
    }
    questions
}

fn query(asked: &Asked) -> Query {
    match asked {
        Asked::Radius { centre, metres } => Query::near(*centre).within(Radius::from_metres(*metres).unwrap()),
        Asked::Nearest { centre, k } => Query::near(*centre).nearest(K::new(*k).unwrap()),
        Asked::Box { south, west, north, east } => {
            Query::in_rect(Rect::from_corners(*south, *west, *north, *east).unwrap())
        }
        Asked::Polygon { ring } => {
            let polygons = read_polygons(&geojson(ring)).unwrap();
            Query::in_polygon(Polygon::new(&polygons, Edges::default()).unwrap().prepare())
        }
    }
}

/// A ring as GeoJSON.
pub fn geojson(ring: &[[f64; 2]]) -> String {
    let corners: Vec<String> = ring.iter().map(|[lon, lat]| format!("[{lon},{lat}]")).collect();
    format!(r#"{{"type":"Polygon","coordinates":[[{}]]}}"#, corners.join(","))
}

/// Makes questions.
pub struct Maker<'a> {
    random: Random,
    truth: &'a Arc<Snapshot>,
    items: &'a [Item],
}

fn six_decimals(degrees: f64) -> f64 {
    (degrees * 1e6).round() / 1e6
}

impl Maker<'_> {
    /// About fifty metres from a point, clear of the poles and of the antimeridian, which not every server knows.
    fn centre(&mut self) -> Point {
        loop {
            let point = self.items[self.random.below(self.items.len() as u64) as usize].point;
            let (east, north) = self.random.normal_pair();
            let (lat, lon) = (point.lat_deg() + north * 0.0005, point.lon_deg() + east * 0.0005);
            if lat.abs() < 60.0 && lon.abs() < 150.0 {
                return Point::new(six_decimals(lat), six_decimals(lon)).unwrap();
            }
        }
    }

    /// How far the so-manieth neighbour is.
    fn reach(&self, centre: Point, neighbour: usize) -> f64 {
        let nearest = Query::near(centre).nearest(K::new(neighbour).unwrap());
        let nearest = nearest.in_pages_of(nigh::query::Limit::new(10_000).unwrap());
        nearest.run(self.truth).unwrap().hits().last().and_then(|hit| hit.distance_m).unwrap()
    }

    fn radius(&mut self, results: usize) -> Asked {
        let centre = self.centre();
        let neighbour = (results as f64 * self.random.between(0.5, 1.5)).round() as usize;
        // Half-way between two neighbours: servers that take the earth for a little larger find the same.
        let metres = (self.reach(centre, neighbour) + self.reach(centre, neighbour + 1)) / 2.0;
        Asked::Radius { centre, metres: (metres * 100.0).round() / 100.0 }
    }

    fn rect(&mut self) -> Asked {
        let centre = self.centre();
        let half = (self.reach(centre, 80) / 111_195.0).min(20.0);
        let wide = half / sin_cos_deg(centre.lat_deg()).1;
        let [south, north] = [-half, half].map(|by| six_decimals(centre.lat_deg() + by));
        let [west, east] = [-wide, wide].map(|by| six_decimals(centre.lon_deg() + by));
        Asked::Box { south, west, north, east }
    }

    fn star(&mut self, corners: usize) -> Asked {
        let centre = self.centre();
        let reach = (self.reach(centre, 100) / 111_195.0).min(20.0);
        let stretch = sin_cos_deg(centre.lat_deg()).1;
        let mut ring: Vec<[f64; 2]> = (0..corners)
            .map(|corner| {
                let (sine, cosine) = sin_cos_deg(360.0 * corner as f64 / corners as f64);
                let out = reach * self.random.between(0.75, 1.25);
                let (lat, lon) = (centre.lat_deg() + out * sine, centre.lon_deg() + out * cosine / stretch);
                [six_decimals(lon), six_decimals(lat)]
            })
            .collect();
        ring.push(ring[0]);
        Asked::Polygon { ring }
    }
}
