//! What a query costs, in units of work: a budget gives the exact answer or none, nothing dear runs on for long after its
//! end, and no cost grows faster than what it is for. Nothing here looks at a clock.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nigh::collection::{Change, Collection, Id, Item, Properties, Snapshot};
use nigh::engine::{CollectionName, Engine, EngineError};
use nigh::generate::{Random, generator_named};
use nigh::geometry::{Edges, Point, Polygon, Radius, metric_named};
use nigh::index::KINDS;
use nigh::query::{Budget, Filter, K, Limit, Overrun, Query, QueryError};

/// The most that is spent beyond the end: a piece of points, and what was begun.
const BEYOND: u64 = 8_300;

fn items(count: usize) -> Vec<Change> {
    let points = (generator_named("clustered").unwrap().make)(&mut Random::seeded(1), count);
    let item = |(number, point): (usize, Point)| {
        let properties = format!(r#"{{"n":{number},"name":"place {number}"}}"#);
        Item::new(Id::new(format!("p{number}")).unwrap(), point)
            .with_properties(Properties::from_json(&properties).unwrap())
    };
    points.into_iter().enumerate().map(item).map(Change::Put).collect()
}

/// Points in one segment, with every kind of index.
fn places(count: usize) -> Arc<Snapshot> {
    let places = Collection::new();
    places.apply(1, items(count));
    places.snapshot()
}

fn here() -> Point {
    Point::new(48.857, 2.352).unwrap()
}

fn nearest(k: usize) -> Query {
    Query::near(here()).nearest(K::new(k).unwrap())
}

fn within(metres: f64) -> Query {
    Query::near(here()).within(Radius::from_metres(metres).unwrap())
}

fn filtered(query: Query, filter: &str) -> Query {
    Query { filter: Some(Filter::parse(filter).unwrap()), ..query }
}

/// A ring of so many vertices anywhere: every edge crosses most others.
fn tangle(vertices: usize) -> Query {
    let mut random = Random::seeded(3);
    let mut ring: Vec<[f64; 2]> =
        (0..vertices).map(|_| [random.between(-170.0, 170.0), random.between(-80.0, 80.0)]).collect();
    ring.push(ring[0]);
    Query::in_polygon(Polygon::new(&[vec![ring]], Edges::Planar).unwrap().prepare())
}

/// What costs much on any collection.
fn dear() -> Vec<(&'static str, Query)> {
    let page = |query: Query| query.in_pages_of(Limit::new(10_000).unwrap());
    vec![
        ("everything by distance", page(within(20_100_000.0))),
        (
            "everything by distance, by iteration",
            page(within(20_100_000.0)).measured_by(metric_named("vincenty").unwrap()),
        ),
        ("nothing matches, all are looked at", filtered(nearest(10), "n < 0")),
        ("many nearest within a radius", within(20_000_000.0).nearest(K::new(1_000_000).unwrap())),
        ("a condition on everything", filtered(Query::default(), "CASEI(name) LIKE '%no such%' OR n IN (1,2,3)")),
        ("a polygon that crosses itself everywhere", tangle(2_000)),
        ("a polygon and the nearest", Query { near: nearest(20_000).near, ..tangle(500) }),
    ]
}

/// What an unlimited query spends.
fn cost(query: &Query, snapshot: &Arc<Snapshot>) -> u64 {
    let budget = Budget::unlimited();
    query.run_within(snapshot, &budget).unwrap();
    budget.spent()
}

#[test]
fn a_budget_gives_the_same_answer_or_none_and_the_same_units_every_time() {
    let snapshot = places(5_000);
    let cheap = [("ten", nearest(10)), ("a kilometre", within(1_000.0)), ("a page", Query::default())];
    for (name, query) in cheap.into_iter().chain(dear()) {
        for kind in KINDS.iter().filter(|kind| snapshot.kinds().contains(kind)) {
            let query = query.clone().on(kind);
            let (answer, units) = (query.run(&snapshot).unwrap(), cost(&query, &snapshot));
            assert_eq!(cost(&query, &snapshot), units, "{name} on {}", kind.name);
            for most in [0, 1, 30, 300, 3_000, units / 2, units - 1, units, units + 1] {
                let within = query.run_within(&snapshot, &Budget::work(most));
                match within {
                    Ok(within) => assert!(most >= units && within.is_identical_to(&answer), "{name}, {most}"),
                    Err(QueryError::OverBudget { spent, because }) => {
                        assert!(most < units && spent > most && spent <= units, "{name}: {spent} of {most}");
                        assert_eq!(because, Overrun::Work);
                    }
                    Err(other) => panic!("{name}: {other}"),
                }
            }
        }
    }
}

#[test]
fn a_dear_query_stops_soon_after_its_budget_on_every_kind() {
    let snapshot = places(60_000);
    for (name, query) in dear() {
        for kind in KINDS.iter().filter(|kind| snapshot.kinds().contains(kind) || kind.name == "scan") {
            let given =
                query.clone().on(kind).run_within(&snapshot, &Budget::work(20_000)).map(|answer| answer.matched);
            let Err(QueryError::OverBudget { spent, .. }) = given else { panic!("{name} on {}: {given:?}", kind.name) };
            assert!(spent <= 20_000 + BEYOND, "{name} on {}: {spent}", kind.name);
        }
    }
}

#[test]
fn what_people_ask_costs_little() {
    let snapshot = places(60_000);
    for (query, most) in [(nearest(10), 1_500), (within(1_000.0), 3_000), (Query::default(), 2_000)] {
        let units = cost(&query, &snapshot);
        assert!(units <= most, "{query:?}: {units}");
    }
}

#[test]
fn a_query_that_nobody_waits_for_is_not_begun() {
    let (snapshot, gone) = (places(5_000), AtomicBool::new(true));
    let error = nearest(1_000).run_within(&snapshot, &Budget::unlimited().unless(&gone)).unwrap_err();
    let QueryError::OverBudget { spent, because } = error else { panic!("{error}") };
    assert!(because == Overrun::CalledOff && spent < 100, "{because:?} {spent}");
}

#[test]
fn nearest_without_a_match_costs_in_proportion_to_the_points() {
    let (small, large) = (places(16_000), places(64_000));
    for (name, query) in [
        ("a filter", filtered(nearest(10), "n < 0")),
        ("a polygon at the other end", Query { near: nearest(10).near, ..island(-170.0, -80.0) }),
    ] {
        for kind in KINDS.iter().filter(|kind| small.kinds().contains(kind)) {
            let query = query.clone().on(kind);
            let (few, many) = (cost(&query, &small), cost(&query, &large));
            assert!(many <= few * 9 / 2, "{name} on {}: {few} and {many}", kind.name);
        }
    }
}

fn island(lon: f64, lat: f64) -> Query {
    let ring = vec![[lon, lat], [lon + 1e-3, lat], [lon, lat + 1e-3], [lon, lat]];
    Query::in_polygon(Polygon::new(&[vec![ring]], Edges::Planar).unwrap().prepare())
}

#[test]
fn one_point_with_much_text_is_paid_for_by_the_byte() {
    let text = "a".repeat(60_000);
    let properties = format!(r#"{{"text":"{text}","in":{{"other":"{text}","text":"a"}}}}"#);
    // Each condition reads the text, and LIKE and CASEI go through it again; a byte is an eighth of a unit, a folded one a unit.
    let (read, folded) = (60_000 / 8, 60_000);
    for (storm, count, each) in
        [("text LIKE '%b_'", 800, 2 * read), ("CASEI(text) = 'b'", 700, read + folded), ("in.text = 'b'", 900, read)]
    {
        let asked = |conditions: usize| {
            let filter = Filter::parse(&vec![storm; conditions].join(" OR ")).unwrap();
            let budget = Budget::unlimited();
            assert!(!filter.matches_within("id", &properties, &budget));
            let units = budget.spent();
            assert!(units >= conditions as u64 * each, "{storm}: {units}");
            let most = Budget::work(units / 2);
            assert!(!filter.matches_within("id", &properties, &most) && most.is_over());
            assert!(most.spent() <= units / 2 + BEYOND, "{storm}: {} of {}", most.spent(), units / 2);
            units
        };
        let (half, all) = (asked(count / 2), asked(count));
        assert!(all > half * 5 / 4 && all <= half * 2, "{storm}: {half} and {all}");
    }
}

#[test]
fn a_list_of_values_costs_what_it_is_long() {
    let snapshot = places(500);
    let listed = |count: usize| {
        let values: Vec<String> = (0..count).map(|value| format!("-{value}.5")).collect();
        cost(&filtered(Query::default(), &format!("n IN ({})", values.join(","))), &snapshot)
    };
    let (few, many) = (listed(500), listed(1_500));
    assert!(many > 2 * few && many <= 3 * few, "{few} and {many}");
}

#[test]
fn a_comparison_has_one_budget_for_all_kinds() {
    let engine = Engine::new();
    let name: CollectionName = "places".parse().unwrap();
    items(2_000).into_iter().for_each(|change| drop(engine.submit(&name, change).unwrap()));
    let all = Budget::unlimited();
    let compared = engine.compare_within(&name, &within(100_000.0), &all).unwrap();
    assert!(compared.len() > 2 && compared.iter().all(|one| one.identical));

    let half = engine.compare_within(&name, &within(100_000.0), &Budget::work(all.spent() / 2));
    assert!(matches!(half, Err(EngineError::Query(QueryError::OverBudget { .. }))), "{half:?}");
    let none = engine.ask_within(&name, &within(100_000.0), &Budget::work(5));
    assert!(matches!(none, Err(EngineError::Query(QueryError::OverBudget { .. }))), "{none:?}");
    engine.ask_within(&name, &within(100_000.0), &Budget::work(all.spent())).unwrap();
}
