use std::collections::BTreeSet;

use super::*;
use crate::collection::{Change, Collection, Id, Item};
use crate::generate::{GENERATORS, Random};
use crate::geometry::{Edges, GeohashCell, METRICS, Polygon, Rect};
use crate::query::{Filter, K, Limit};

fn point(lat_deg: f64, lon_deg: f64) -> Point {
    Point::new(lat_deg, lon_deg).unwrap()
}

/// Corners as latitude and longitude.
fn polygon(edges: Edges, corners: &[[f64; 2]]) -> Query {
    let ring = corners.iter().chain(&corners[..1]).map(|[lat, lon]| [*lon, *lat]).collect();
    Query::in_polygon(Polygon::new(&[vec![ring]], edges).unwrap().prepare())
}

/// Areas over a border of the map, round a pole, of no size, and several at once.
fn queries(centre: Point, other: Point) -> Vec<Query> {
    let round = |centre, metres: f64| Query::near(centre).within(Radius::from_metres(metres).unwrap());
    let mut queries = Vec::new();
    for metric in METRICS {
        // To another point of the same: on the border to the last bit.
        let exactly = metric.distance_m(&centre.unit(), &other.unit());
        queries.push(round(centre, exactly).measured_by(*metric));
        queries.push(round(centre, 0.0).measured_by(*metric));
        queries.push(round(point(90.0, 0.0), 900_000.0).measured_by(*metric));
        queries.push(round(point(3.0, 180.0), 700_000.0).measured_by(*metric));
    }
    for edges in [Edges::Planar, Edges::Geodesic] {
        let (lat, lon) = (centre.lat_deg().clamp(-80.0, 80.0), centre.lon_deg());
        queries
            .push(polygon(edges, &[[lat - 4.0, 170.0], [lat - 4.0, -170.0], [lat + 4.0, -170.0], [lat + 4.0, 170.0]]));
        let [west, east] = [lon - 3.0, lon + 3.0].map(|lon: f64| lon.clamp(-180.0, 180.0));
        queries.push(polygon(edges, &[[lat - 3.0, west], [lat, east], [lat + 3.0, west]]));
    }
    let [south, north] = [centre, other].map(Point::lat_deg);
    queries.push(Query::in_rect(
        Rect::from_corners(south.min(north), other.lon_deg(), south.max(north), centre.lon_deg()).unwrap(),
    ));
    queries.push(Query { cell: Some(GeohashCell::from_text("s").unwrap()), ..Query::default() });
    let cell = Query { cell: Some(GeohashCell::from_text("z").unwrap()), ..round(centre, 3_000_000.0) };
    queries.push(cell);
    queries
}

/// The one promise that matters: inside the fence is exactly what a query finds there.
#[test]
fn a_fence_holds_exactly_the_points_that_its_query_finds() {
    for generator in GENERATORS {
        let points = (generator.make)(&mut Random::seeded(5), 1_500);
        let collection = Collection::new();
        let item = |(at, place): (usize, &Point)| Change::Put(Item::new(Id::new(at.to_string()).unwrap(), *place));
        collection.apply(1, points.iter().enumerate().map(item).collect());
        for (which, query) in queries(points[3], points[700]).into_iter().enumerate() {
            let fence = Fence::new(&query).unwrap();
            let every = fence.query().clone().in_pages_of(Limit::new(10_000).unwrap());
            let answer = every.run(&collection.snapshot()).unwrap();
            let found: BTreeSet<&str> = answer.hits().map(|hit| hit.item.id()).collect();
            for (at, place) in points.iter().enumerate() {
                let id = at.to_string();
                assert_eq!(fence.holds(*place), found.contains(&*id), "{} {place:?} {which}", generator.name);
            }
        }
    }
}

#[test]
fn a_move_is_told_by_its_ends() {
    let fence =
        Fence::new(&polygon(Edges::Planar, &[[0.0, 178.0], [0.0, -178.0], [2.0, -178.0], [2.0, 178.0]])).unwrap();
    let (inside, over, beside) = (Some(point(1.0, 179.0)), Some(point(1.0, -179.0)), Some(point(1.0, -177.0)));
    for (was, is, crossing) in [
        (None, inside, Some(Crossing::Enter)),
        (beside, inside, Some(Crossing::Enter)),
        (inside, over, Some(Crossing::Inside)),
        (inside, inside, Some(Crossing::Inside)),
        (over, beside, Some(Crossing::Exit)),
        (over, None, Some(Crossing::Exit)),
        (beside, None, None),
        (None, beside, None),
        (None, None, None),
    ] {
        assert_eq!(fence.crossing(was, is), crossing, "{was:?} to {is:?}");
    }
}

#[test]
fn what_has_no_edge_is_no_fence() {
    let near = Query::near(point(1.0, 2.0));
    let round = near.clone().within(Radius::from_metres(5.0).unwrap());
    assert_eq!(Fence::new(&Query::default()).unwrap_err(), FenceError::NoArea);
    assert_eq!(Fence::new(&near).unwrap_err(), FenceError::NoRadius);
    assert_eq!(Fence::new(&round.clone().nearest(K::new(3).unwrap())).unwrap_err(), FenceError::Nearest);
    let filter = Some(Filter::parse("n = 1").unwrap());
    assert_eq!(Fence::new(&Query { filter, ..round.clone() }).unwrap_err(), FenceError::Filter);
    assert_eq!(Fence::new(&round.in_pages_of(Limit::new(7).unwrap())).unwrap().query().limit, Limit::default());
}
