use std::sync::Arc;

use super::*;
use crate::collection::{Change, Collection, Id, Item, Properties};
use crate::generate::{Random, generator_named};
use crate::index::KINDS;

fn filled(generator: &str, count: usize) -> Collection {
    let points = (generator_named(generator).unwrap().make)(&mut Random::seeded(7), count);
    let collection = Collection::with_kinds(KINDS);
    let put = |(i, point): (usize, Point)| {
        let properties = Properties::from_json(&format!("{{\"n\":{i}}}")).unwrap();
        Change::Put(Item::new(Id::new(format!("p{i}")).unwrap(), point).with_properties(properties))
    };
    collection.apply(1, points.into_iter().enumerate().map(put).collect());
    collection
}

/// Every page from the first to the last.
fn walk(query: &Query, snapshot: &Arc<Snapshot>) -> Vec<(String, Option<f64>)> {
    let (mut query, mut all) = (query.clone(), Vec::new());
    loop {
        let answer = query.run(snapshot).unwrap();
        all.extend(answer.hits().map(|hit| (hit.item.id().to_owned(), hit.distance_m)));
        match answer.next {
            Some(next) => query = query.after(next),
            None => return all,
        }
    }
}

#[test]
fn pages_join_up_to_the_whole() {
    for generator in ["clustered", "coincident", "pole_cap"] {
        let collection = filled(generator, 3_000);
        let snapshot = collection.snapshot();
        let centre = snapshot.get("p17").unwrap().point();
        let near = Query::near(centre);
        let rect = Query::in_rect(Rect::WORLD);
        for query in [near.clone(), near.clone().nearest(K::new(777).unwrap()), rect, Query::default()] {
            let whole = walk(&query.clone().in_pages_of(Limit::new(10_000).unwrap()), &snapshot);
            for size in [1, 7, 100, 2_999, 3_000] {
                let limit = Limit::new(size).unwrap();
                if size == 1 && whole.len() > 1_000 {
                    continue;
                }
                assert_eq!(walk(&query.clone().in_pages_of(limit), &snapshot), whole, "{generator} {size}");
            }
        }
    }
}

#[test]
fn the_nearest_are_those_of_the_whole_order() {
    let collection = filled("clustered", 5_000);
    let snapshot = collection.snapshot();
    for place in 0..50 {
        let centre = snapshot.get(&format!("p{}", place * 97)).unwrap().point();
        let everything = walk(&Query::near(centre), &snapshot);
        assert_eq!(everything.len(), 5_000);
        assert!(everything.is_sorted_by(|a, b| (a.1, &a.0) <= (b.1, &b.0)));
        for kind in KINDS {
            let nearest = Query::near(centre).nearest(K::new(25).unwrap()).on(kind);
            assert_eq!(walk(&nearest, &snapshot), everything[..25], "{}", kind.name);
        }
    }
}

#[test]
fn the_total_of_a_page_is_exact_on_every_page() {
    let collection = filled("clustered", 20_000);
    let snapshot = collection.snapshot();
    let centre = snapshot.get("p3").unwrap().point();
    let query = Query::near(centre).within(Radius::from_metres(3e6).unwrap()).in_pages_of(Limit::new(10).unwrap());
    let first = query.run(&snapshot).unwrap();
    let second = query.after(first.next.clone().unwrap()).run(&snapshot).unwrap();
    assert_eq!(first.matched, second.matched);
    assert!(first.matched > 100);
}

#[test]
fn the_total_of_the_nearest_is_the_number_asked_for_or_all_there_is() {
    let collection = filled("clustered", 500);
    let snapshot = collection.snapshot();
    let near = Query::near(snapshot.get("p3").unwrap().point()).in_pages_of(Limit::new(10).unwrap());
    for (k, expected) in [(5, 5), (10, 10), (120, 120), (500, 500), (900, 500)] {
        let mut query = near.clone().nearest(K::new(k).unwrap());
        loop {
            let answer = query.run(&snapshot).unwrap();
            assert_eq!(answer.matched, expected);
            let Some(next) = answer.next else { break };
            query = query.after(next);
        }
    }
}

#[test]
fn an_answer_says_what_it_took() {
    let collection = filled("clustered", 20_000);
    let snapshot = collection.snapshot();
    let centre = snapshot.get("p3").unwrap().point();
    let query = Query::near(centre).within(Radius::from_metres(1e6).unwrap());
    let compared = query.compare(&snapshot).unwrap();
    assert_eq!(compared.len(), KINDS.len());
    assert!(compared.iter().all(|one| one.identical));
    let scan = compared[0].answer.explain;
    assert_eq!((scan.kind, scan.exact_tests), ("scan", 20_000));
    for one in &compared[1..] {
        assert!(one.answer.explain.exact_tests < scan.exact_tests, "{}", one.kind.name);
        assert!(one.answer.explain.candidates >= one.answer.matched);
    }
}

#[test]
fn a_kind_that_is_not_kept_is_refused_with_those_that_are() {
    let collection = Collection::new();
    let error = Query::default().on(KINDS.last().unwrap()).run(&collection.snapshot()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "index rstar is not kept by this collection; it keeps rtree, quadtree, geohash, hilbert"
    );
}

#[test]
fn a_cursor_of_another_order_is_refused() {
    let collection = filled("uniform", 10);
    let snapshot = collection.snapshot();
    let cursor = Query::default().in_pages_of(Limit::new(1).unwrap()).run(&snapshot).unwrap().next.unwrap();
    let error = Query::near(Point::new(0.0, 0.0).unwrap()).after(cursor).run(&snapshot).unwrap_err();
    assert!(error.to_string().contains("ordered by id; this one is ordered by distance"), "{error}");
}
