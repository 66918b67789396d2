//! The doors of `collection` and `query` against anything: nothing panics, what is let in keeps its promises, and each
//! refusal names what was wrong and what would be right.
#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

#[path = "../src/repeatable.rs"]
mod repeatable;

use std::sync::{Arc, LazyLock};

use nigh::collection::{
    Change, Collection, ID_BYTES_MAX, Id, Item, ItemError, Outcome, PROPERTIES_BYTES_MAX, Properties, Snapshot,
};
use nigh::geometry::{METRICS, Point, Radius, Rect, metric_named};
use nigh::index::{KINDS, Kind};
use nigh::query::{Cursor, Filter, K, Limit, Query, QueryError};
use proptest::prelude::*;
use repeatable::repeatable;

/// Three segments' worth of points with every kind of directory.
static SNAPSHOT: LazyLock<Arc<Snapshot>> = LazyLock::new(|| {
    let collection = Collection::with_kinds(KINDS);
    for (first_seq, count) in [(1, 6_000_u64), (6_001, 1_500), (7_501, 100)] {
        collection.apply(first_seq, (first_seq..first_seq + count).map(put).collect());
        collection.settle();
    }
    collection.snapshot()
});

fn put(number: u64) -> Change {
    let (lat, lon) = ((number % 179) as f64 - 89.0, (number % 359) as f64 - 179.0);
    Change::Put(Item::new(Id::new(format!("p{number}")).unwrap(), Point::new(lat, lon).unwrap()))
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        any::<u64>().prop_map(f64::from_bits),
        -400.0..400.0_f64,
        prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(-0.0), Just(f64::MAX)],
    ]
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "\\PC{0,300}", "[a-z\\x00-\\x1f\\x7f-\\x9f]{0,8}", "[é€𝄞]{80,130}"]
}

fn cursors() -> impl Strategy<Value = Cursor> {
    let id = "[a-z0-9é]{1,20}".prop_map(|text| Id::new(text).unwrap());
    (prop_oneof![numbers(), 0.0..2e7], id, prop_oneof![any::<u64>(), 0..100_u64, Just(u64::MAX)], any::<bool>())
        .prop_map(
            |(distance_m, id, served, by_id)| {
                if by_id { Cursor::Id { id } } else { Cursor::Distance { distance_m, id, served } }
            },
        )
}

fn kinds() -> impl Strategy<Value = &'static Kind> {
    (0..KINDS.len()).prop_map(|place| &KINDS[place])
}

proptest! {
    #![proptest_config(repeatable(2_000))]

    #[test]
    fn an_id_is_kept_or_refused_by_name(text in texts()) {
        let fits = (1..=ID_BYTES_MAX).contains(&text.len());
        match Id::new(text.as_str()) {
            Ok(id) => {
                prop_assert!(fits && !text.chars().any(char::is_control));
                prop_assert_eq!(id.as_str(), text);
            }
            Err(refusal) => {
                prop_assert!(!fits || text.chars().any(char::is_control));
                let message = refusal.to_string();
                prop_assert!(message.contains("256") || message.contains(&format!("{text:?}")), "{}", message);
            }
        }
    }

    #[test]
    fn properties_are_kept_or_refused_with_their_beginning(text in prop_oneof![texts(), "[{}\\[\\]\":,a1 \\\\]{0,24}"]) {
        let is_object = serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|value| value.is_object());
        match Properties::from_json(&text) {
            Ok(properties) => {
                let kept = properties.as_json();
                prop_assert!(kept.as_bytes()[0] == b'{' && text.contains(kept), "{}", kept);
            }
            Err(refusal) => {
                prop_assert!(!is_object);
                let beginning: String = text.trim_matches([' ', '\t', '\n', '\r']).chars().take(40).collect();
                prop_assert!(refusal.to_string().contains(&format!("{beginning:?}")), "{}", refusal);
                prop_assert!(refusal.to_string().contains("JSON object"), "{}", refusal);
            }
        }
    }

    #[test]
    fn a_number_of_answers_is_in_range_or_refused_by_value(number in prop_oneof![any::<usize>(), 0..20_000_usize]) {
        match Limit::new(number) {
            Ok(limit) => prop_assert!((1..=10_000).contains(&number) && limit.get() == number),
            Err(refusal) => {
                let named = format!("limit {number} is outside 1..10000");
                prop_assert!(refusal.to_string().starts_with(&named), "{}", refusal);
            }
        }
        match K::new(number) {
            Ok(k) => prop_assert!((1..=1_000_000).contains(&number) && k.get() == number),
            Err(refusal) => prop_assert_eq!(refusal.to_string(), format!("k {number} is outside 1..1000000")),
        }
    }

    #[test]
    fn a_cursor_is_read_or_refused_with_its_text(text in prop_oneof![texts(), "[di][0-9a-f]{0,80}"]) {
        match text.parse::<Cursor>() {
            Ok(cursor) => prop_assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor),
            Err(refusal) => {
                let beginning: String = text.chars().take(80).collect();
                prop_assert!(refusal.to_string().contains(&format!("{beginning:?}")), "{}", refusal);
                prop_assert!(refusal.to_string().contains("from the answer before"), "{}", refusal);
            }
        }
    }

    #[test]
    fn no_cursor_makes_a_query_panic(
        cursor in cursors(), kind in kinds(), (lat, lon) in (-90.0..=90.0, -180.0..=180.0),
        radius_m in numbers(), k in prop_oneof![Just(0), 0..50_usize], limit in 1..300_usize, metric in 0..METRICS.len(), by_id in any::<bool>(),
    ) {
        let mut query = if by_id { Query::in_rect(Rect::WORLD) } else { Query::near(Point::new(lat, lon).unwrap()) };
        query = query.measured_by(METRICS[metric]).on(kind).in_pages_of(Limit::new(limit).unwrap());
        if let Ok(radius) = Radius::from_metres(radius_m) {
            query = query.within(radius);
        }
        if let Ok(k) = K::new(k) {
            query = query.nearest(k);
        }
        let fits = by_id == matches!(cursor, Cursor::Id { .. });
        match query.after(cursor).run(&SNAPSHOT) {
            Ok(answer) => prop_assert!(fits && answer.len() <= limit && answer.len() as u64 <= answer.matched),
            Err(refusal) => {
                let message = refusal.to_string();
                prop_assert!(!fits && message.contains("ordered by distance") && message.contains("ordered by id"));
            }
        }
    }

    #[test]
    fn any_filter_text_is_read_or_refused(text in prop_oneof![texts(), "[a-z0-9'\"()<>=.% ]{0,40}"]) {
        match Filter::parse(&text) {
            Ok(filter) => {
                let query = Query { filter: Some(filter), ..Query::in_rect(Rect::WORLD) };
                prop_assert!(query.run(&SNAPSHOT).is_ok());
            }
            Err(refusal) => prop_assert!(refusal.to_string().starts_with("filter"), "{}", refusal),
        }
    }

    #[test]
    fn any_number_of_cells_may_be_asked_for(
        kind in kinds(), level in prop_oneof![any::<u32>(), 0..40_u32],
        most in prop_oneof![any::<usize>(), 0..20_usize], a in -90.0..=90.0_f64, west in -180.0..=180.0,
    ) {
        let frame = Rect::from_corners(a.min(0.0), west, a.max(0.0), -west).unwrap();
        let cells = SNAPSHOT.cells(kind, frame, level, most).unwrap();
        prop_assert!(cells.len() <= most, "{} cells of at most {most}", cells.len());
    }

    #[test]
    fn numbers_of_changes_may_jump_and_come_back(
        numbers in proptest::collection::vec((prop_oneof![0..50_u64, any::<u64>(), Just(u64::MAX)], 0..4_u64), 1..12),
    ) {
        let collection = Collection::new();
        for (first_seq, count) in numbers {
            let first_seq = first_seq.min(u64::MAX - 8);
            let before = collection.snapshot();
            let outcomes = collection.apply(first_seq, (0..count).map(put).collect());
            let new = (first_seq..first_seq + count).filter(|&seq| seq > before.seq()).count();
            let repeated = outcomes.iter().filter(|&&outcome| outcome == Outcome::Repeated).count();
            prop_assert_eq!(repeated, count as usize - new);
            prop_assert!(collection.snapshot().seq() >= before.seq());
        }
    }

    #[test]
    fn any_end_of_life_is_told_when_it_is_due(ends in proptest::collection::vec(any::<i64>(), 1..20), now in any::<i64>()) {
        let collection = Collection::new();
        let item = |(number, at_ms): (usize, &i64)| {
            let id = Id::new(format!("{number}")).unwrap();
            Change::Put(Item::new(id, Point::new(0.0, 0.0).unwrap()).expiring_at(*at_ms))
        };
        collection.apply(1, ends.iter().enumerate().map(item).collect());
        for now in [now, i64::MIN, i64::MAX] {
            prop_assert_eq!(collection.due(now, usize::MAX).len(), ends.iter().filter(|&&at_ms| at_ms <= now).count());
        }
        prop_assert!(collection.due(now, 0).is_empty());
    }
}

#[test]
fn properties_of_64_kib_are_kept_and_one_byte_more_is_not() {
    let sized = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
    assert!(Properties::from_json(&sized(PROPERTIES_BYTES_MAX)).is_ok());
    let refusal = Properties::from_json(&sized(PROPERTIES_BYTES_MAX + 1)).unwrap_err();
    assert_eq!(refusal, ItemError::LongProperties { bytes: PROPERTIES_BYTES_MAX + 1 });
    assert!(refusal.to_string().contains("65537") && refusal.to_string().contains("65536"), "{refusal}");
}

#[test]
fn the_largest_items_come_back_as_they_went_in() {
    let collection = Collection::with_kinds(KINDS);
    let json = format!("{{\"a\":\"{}\"}}", "é".repeat((PROPERTIES_BYTES_MAX - 8) / 2));
    let ids: Vec<Id> = (0..100).map(|number| Id::new(format!("{number:02}{}", "x".repeat(254))).unwrap()).collect();
    let item = |id: &Id| Item::new(id.clone(), Point::new(1.0, 2.0).unwrap());
    let large = |id| Change::Put(item(id).with_properties(Properties::from_json(&json).unwrap()));
    collection.apply(1, ids.iter().map(large).collect());
    let snapshot = collection.snapshot();
    for id in &ids {
        assert_eq!(snapshot.get(id.as_str()).unwrap().properties(), json);
    }
    let listed: Vec<String> =
        Query::default().run(&snapshot).unwrap().hits().map(|hit| hit.item.id().to_owned()).collect();
    assert_eq!(listed, ids.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>());
}

#[test]
fn a_kind_that_is_not_kept_is_refused_with_those_that_are() {
    let collection = Collection::with_kinds([Kind::named("quadtree").unwrap(), Kind::named("hilbert").unwrap()]);
    collection.apply(1, (0..200).map(put).collect());
    let on = |name: &str| Query::near(Point::new(0.0, 0.0).unwrap()).on(Kind::named(name).unwrap());
    let refusal = on("rtree").run(&collection.snapshot()).unwrap_err();
    assert_eq!(refusal, QueryError::KindNotKept { kind: "rtree", kept: "quadtree, hilbert".to_owned() });
    assert_eq!(refusal.to_string(), "index rtree is not kept by this collection; it keeps quadtree, hilbert");
    assert!(on("scan").run(&collection.snapshot()).is_ok());
    assert!(collection.snapshot().cells(Kind::named("rtree").unwrap(), Rect::WORLD, 1, 10).is_none());
}

#[test]
fn a_collection_without_an_index_still_answers_and_says_what_would_be_right() {
    let collection = Collection::with_kinds([]);
    collection.apply(1, (0..200).map(put).collect());
    let near = Query::near(Point::new(0.0, 0.0).unwrap());
    assert_eq!(near.run(&collection.snapshot()).unwrap().matched, 200);
    let refusal = near.on(Kind::named("rtree").unwrap()).run(&collection.snapshot()).unwrap_err();
    assert_eq!(refusal.to_string(), "index rtree is not kept by this collection; it keeps none, so use scan");
}

#[test]
fn names_that_are_not_known_are_refused_with_those_that_are() {
    let refusal = metric_named("manhattan").unwrap_err().to_string();
    for metric in METRICS {
        assert!(refusal.contains("manhattan") && refusal.contains(metric.name()), "{refusal}");
    }
    for name in ["", "RTREE", "r-tree", "rtree "] {
        assert!(Kind::named(name).is_none() && metric_named(name).is_err());
    }
}
