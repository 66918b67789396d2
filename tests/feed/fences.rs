//! Fences where maps end, and places on both sides of their borders.

use nigh::collection::{Change, Collection, Id, Item};
use nigh::generate::Random;
use nigh::geometry::{Edges, METRICS, Point, Polygon, Radius, Rect};
use nigh::query::{Fence, Limit, Query};

pub(super) struct Ground {
    pub(super) fences: Vec<Fence>,
    /// Where objects can be. Many stand at the same.
    pub(super) places: Vec<Point>,
    /// For each fence, whether it holds each place: as the query finds them, not as the fence says.
    inside: Vec<Vec<bool>>,
}

fn point(lat_deg: f64, lon_deg: f64) -> Point {
    Point::new(lat_deg, lon_deg).unwrap()
}

fn polygon(edges: Edges, corners: &[[f64; 2]]) -> Query {
    let ring = corners.iter().chain(&corners[..1]).map(|[lat, lon]| [*lon, *lat]).collect();
    Query::in_polygon(Polygon::new(&[vec![ring]], edges).unwrap().prepare())
}

fn queries() -> Vec<Query> {
    let round = |lat, lon, metres| Query::near(point(lat, lon)).within(Radius::from_metres(metres).unwrap());
    let over_180 = [[-2.0, 178.0], [-2.0, -178.0], [2.0, -178.0], [2.0, 178.0]];
    let round_a_pole: Vec<[f64; 2]> = (0..8).map(|at| [-85.0, f64::from(at) * 45.0 - 180.0]).collect();
    let exactly = METRICS[0].distance_m(&point(48.0, 2.0).unit(), &point(48.5, 2.5).unit());
    vec![
        round(0.0, 180.0, 200_000.0),
        round(89.0, 20.0, 250_000.0).measured_by(METRICS[1]),
        round(48.0, 2.0, exactly),
        polygon(Edges::Planar, &over_180),
        polygon(Edges::Geodesic, &round_a_pole),
        Query::in_rect(Rect::from_corners(-1.0, 179.0, 1.0, -179.0).unwrap()),
        Query::in_rect(Rect::from_corners(88.0, -180.0, 90.0, 180.0).unwrap()),
    ]
}

fn places(random: &mut Random) -> Vec<Point> {
    let mut places = vec![point(48.5, 2.5), point(48.0, 2.0), point(48.50000001, 2.5), point(48.49999999, 2.5)];
    for lon in [-180.0, -179.0, -178.0, 0.0, 45.0, 178.0, 179.0, 180.0] {
        for lat in [-90.0, -85.0, -84.9, -2.0, -1.0, 0.0, 1.0, 2.0, 86.0, 88.0, 89.0, 90.0] {
            places.push(point(lat, lon));
        }
    }
    for _ in 0..60 {
        let lon = 180.0 - random.between(-3.5, 3.5);
        places.push(point(random.between(-3.0, 3.0), if lon > 180.0 { lon - 360.0 } else { lon }));
        places.push(point(random.between(85.0, 90.0), random.between(-180.0, 180.0)));
        places.push(point(random.between(-90.0, -82.0), random.between(-180.0, 180.0)));
        places.push(point(48.0 + random.between(-1.0, 1.0), 2.0 + random.between(-1.0, 1.0)));
    }
    places
}

impl Ground {
    pub(super) fn new(random: &mut Random) -> Ground {
        let places = places(random);
        let collection = Collection::new();
        let item = |(at, place): (usize, &Point)| Change::Put(Item::new(Id::new(at.to_string()).unwrap(), *place));
        collection.apply(1, places.iter().enumerate().map(item).collect());
        let holds = |query: &Query| {
            let answer = query.clone().in_pages_of(Limit::new(10_000).unwrap()).run(&collection.snapshot()).unwrap();
            let mut inside = vec![false; places.len()];
            answer.hits().for_each(|hit| inside[hit.item.id().parse::<usize>().unwrap()] = true);
            assert!(inside.contains(&true) && inside.contains(&false));
            inside
        };
        let queries = queries();
        let inside = queries.iter().map(holds).collect();
        let fences = queries.iter().map(|query| Fence::new(query).unwrap()).collect();
        Ground { fences, inside, places }
    }

    pub(super) fn is_inside(&self, fence: usize, place: Point) -> bool {
        let bits = |point: &Point| [point.lat_deg().to_bits(), point.lon_deg().to_bits()];
        let at = self.places.iter().position(|known| bits(known) == bits(&place));
        self.inside[fence][at.expect("objects stand at the places")]
    }
}
