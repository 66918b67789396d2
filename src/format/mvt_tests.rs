use std::collections::HashMap as Plain;
use std::sync::Arc;

use super::*;
use crate::collection::{Change, Collection, Id, Item, Properties, Snapshot};
use crate::geometry::{Point, Tile};
use crate::query::tile::TileQuery;
use mvt_reader::Reader;
use mvt_reader::feature::Value;

fn collected(items: &[(&str, f64, f64, &str)]) -> Arc<Snapshot> {
    let collection = Collection::new();
    let put = |&(id, lat, lon, properties): &(&str, f64, f64, &str)| {
        let item = Item::new(Id::new(id).unwrap(), Point::new(lat, lon).unwrap());
        Change::Put(item.with_properties(Properties::from_json(properties).unwrap()))
    };
    collection.apply(1, items.iter().map(put).collect());
    collection.snapshot()
}

type Read = (Option<u64>, String, Plain<String, Value>);

/// A tile as another program reads it: feature id, geometry, properties.
fn read(query: &TileQuery, snapshot: &Arc<Snapshot>, fields: &Fields) -> Vec<Read> {
    let mut out = Vec::new();
    assert!(write_tile(&mut out, &query.run(snapshot).unwrap(), fields));
    let reader = Reader::new(out).unwrap();
    let layers = reader.get_layer_metadata().unwrap();
    assert_eq!(layers.len(), 1);
    assert_eq!((layers[0].name.as_str(), layers[0].version, layers[0].extent), ("points", 2, 4096));
    let features = reader.get_features_as::<i32>(0).unwrap();
    let read = |feature: mvt_reader::feature::Feature<i32>| {
        (feature.id, format!("{:?}", feature.geometry), feature.properties.unwrap_or_default())
    };
    features.into_iter().map(read).collect()
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

#[test]
fn another_program_reads_the_items_with_their_properties() {
    let properties = r#"{"name":"Café \"é\"","seats":120,"debt":-5,"height":1.5,"open":true,"shut":false,
        "nothing":null,"tags":["a", 1],"id":"other","seats":121,"vast":1e999,"big":18446744073709551615}"#;
    let snapshot = collected(&[("17", 0.0, 0.0, properties), ("017", 10.0, -20.0, "{}")]);
    let features = read(&TileQuery::of(Tile::WORLD), &snapshot, &Fields::all());
    assert_eq!(features.len(), 2);
    let (_, place, own) = features.iter().find(|(id, ..)| *id == Some(17)).unwrap();
    assert!(place.contains("2048") && !place.contains("2047"), "{place}");
    let expected = [
        ("id", text("17")),
        ("name", text("Café \"é\"")),
        ("seats", Value::UInt(121)),
        ("debt", Value::SInt(-5)),
        ("height", Value::Double(1.5)),
        ("open", Value::Bool(true)),
        ("shut", Value::Bool(false)),
        ("tags", text("[\"a\", 1]")),
        ("vast", text("1e999")),
        ("big", Value::UInt(u64::MAX)),
    ];
    assert_eq!(*own, expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    let (_, place, other) = features.iter().find(|(id, ..)| id.is_none()).unwrap();
    // 160/360 of 4096 to the east; 10° north by the formula of the projection, reckoned by hand.
    assert!(place.contains("1820") && place.contains("1933"), "{place}");
    assert_eq!(*other, Plain::from([("id".to_owned(), text("017"))]));
}

#[test]
fn only_the_properties_that_are_asked_for_are_written() {
    let snapshot = collected(&[("a", 42.605, -5.603, r#"{"x":1,"y":2}"#)]);
    let only = |names: &[&str]| {
        let fields = Fields::only(names.iter().map(|&name| name.to_owned()));
        let mut names: Vec<String> =
            read(&TileQuery::of(Tile::WORLD), &snapshot, &fields)[0].2.keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(only(&[]), ["id"]);
    assert_eq!(only(&["y", "none"]), ["id", "y"]);
    assert_eq!(only(&["geohash"]), ["geohash", "id"]);
}

#[test]
fn a_cluster_says_how_many_it_stands_for() {
    let ids: Vec<String> = (0..1_234).map(|number| format!("p{number}")).collect();
    let items: Vec<(&str, f64, f64, &str)> = ids.iter().map(|id| (id.as_str(), -45.0, 90.0, "{}")).collect();
    let query = TileQuery::of(Tile::new(1, 1, 1).unwrap()).crowded_over(100);
    let features = read(&query, &collected(&items), &Fields::all());
    let expected = [
        ("cluster", Value::Bool(true)),
        ("point_count", Value::UInt(1_234)),
        ("point_count_abbreviated", text("1.2k")),
    ];
    assert_eq!(features.len(), 1);
    assert_eq!((features[0].0, &features[0].2), (None, &expected.map(|(name, value)| (name.to_owned(), value)).into()));
    // Of so many the place is kept to an eighth of a cell: 16 units of 4096.
    let x: i32 =
        features[0].1.split(|letter: char| !letter.is_ascii_digit()).find_map(|word| word.parse().ok()).unwrap();
    assert!((2_048 - 16..=2_048 + 16).contains(&x), "{}", features[0].1);
}

#[test]
fn places_beyond_the_western_edge_are_negative() {
    let snapshot = collected(&[("a", 0.0, 179.9, "{}")]);
    let features = read(&TileQuery::of(Tile::new(1, 0, 1).unwrap()), &snapshot, &Fields::all());
    assert!(features[0].1.contains("-3"), "{}", features[0].1);
}

#[test]
fn words_and_values_are_written_once() {
    let ids: Vec<String> = (0..50).map(|number| format!("p{number}")).collect();
    let items: Vec<(&str, f64, f64, &str)> =
        ids.iter().map(|id| (id.as_str(), 1.0, 1.0, r#"{"colour":"aquamarine"}"#)).collect();
    let mut out = Vec::new();
    write_tile(&mut out, &TileQuery::of(Tile::WORLD).run(&collected(&items)).unwrap(), &Fields::all());
    for word in [&b"aquamarine"[..], b"colour"] {
        assert_eq!(out.windows(word.len()).filter(|window| *window == word).count(), 1);
    }
}

#[test]
fn a_tile_ends_even_if_properties_do_not() {
    let ids: Vec<String> = (0..100).map(|number| format!("p{number}")).collect();
    let long: Vec<String> = (0..100).map(|number| format!("{{\"text\":\"{number}{}\"}}", "x".repeat(60_000))).collect();
    let items: Vec<(&str, f64, f64, &str)> =
        ids.iter().zip(&long).map(|(id, text)| (id.as_str(), 1.0, 1.0, text.as_str())).collect();
    let answer = TileQuery::of(Tile::WORLD).run(&collected(&items)).unwrap();
    let mut out = Vec::new();
    assert!(!write_tile(&mut out, &answer, &Fields::all()));
    assert!((BYTES_MAX..BYTES_MAX + 70_000).contains(&out.len()), "{}", out.len());
    assert_eq!(Reader::new(out).unwrap().get_features(0).unwrap().len(), 100);
    let mut plain = Vec::new();
    assert!(write_tile(&mut plain, &answer, &Fields::only([])));
}

#[test]
fn a_tile_without_anything_is_no_bytes() {
    let mut out = Vec::new();
    let answer = TileQuery::of(Tile::WORLD).run(&collected(&[])).unwrap();
    assert!(write_tile(&mut out, &answer, &Fields::all()) && out.is_empty());
}

#[test]
fn counts_are_shortened() {
    for (count, short) in [
        (2, "2"),
        (999, "999"),
        (1_000, "1k"),
        (1_234, "1.2k"),
        (9_949, "9.9k"),
        (9_950, "10k"),
        (12_345, "12k"),
        (999_499, "999k"),
        (999_500, "1M"),
        (1_250_000, "1.3M"),
        (10_000_000, "10M"),
    ] {
        assert_eq!(abbreviated(count), short, "{count}");
    }
}
