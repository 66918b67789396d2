//! Rows as users have them: points round real cities, an id, and some sixty bytes of properties.
//!
//! What surprises: ids come in no order, as they do in most files. In order they would spare everybody a sort.

use nigh::collection::{Change, Id, Item, Properties};
use nigh::generate::{Random, generator_named};
use nigh::geometry::Point;

/// Points that are made at once, so that ten million of them take no memory.
const CHUNK: usize = 100_000;

const CATEGORIES: [&str; 5] = ["cafe", "school", "pharmacy", "museum", "park"];

/// The first points of a stream, chunk by chunk.
pub fn points(seed: u64, count: usize) -> impl Iterator<Item = Point> {
    let clustered = generator_named("clustered").unwrap().make;
    let chunks = (0..count).step_by(CHUNK);
    chunks.flat_map(move |first| {
        let mut random = Random::seeded(seed << 32 | first as u64);
        clustered(&mut random, CHUNK.min(count - first))
    })
}

/// Where items are after a load.
pub fn loaded(count: usize) -> impl Iterator<Item = Item> {
    points(1, count).enumerate().map(|(number, point)| item(number, point))
}

/// Where some of them moved to.
pub fn moved(count: usize) -> impl Iterator<Item = Item> {
    points(2, count).enumerate().map(|(number, point)| item(number, point))
}

/// Changes to the first items, to be made over and over.
pub fn changes(count: usize) -> Vec<Change> {
    moved(count).map(Change::Put).collect()
}

fn item(number: usize, point: Point) -> Item {
    let id = Id::new(format!("place-{:08}", number as u64 * 61_803_399 % 100_000_000)).unwrap();
    let category = CATEGORIES[number % CATEGORIES.len()];
    let text = format!(r#"{{"name":"place {number}","category":"{category}","score":{}}}"#, number % 1000);
    Item::new(id, point).with_properties(Properties::from_json(&text).unwrap())
}

/// What an item has in bytes: id, two numbers, properties.
pub fn bytes(item: &Item) -> usize {
    item.id.as_str().len() + 16 + item.properties.as_json().len()
}
