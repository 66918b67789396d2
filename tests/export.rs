//! Out as lines and in again: what comes back is what went out, to the bit.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use nigh::collection::{Change, Id, Item, Properties};
use nigh::engine::{CollectionName, Engine, Settings};
use nigh::format::Rejected;
use nigh::format::ndjson::{Lines, write_line};
use nigh::generate::{GENERATORS, Random};

#[test]
fn an_exported_collection_is_imported_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let settings = || Settings { reserve_bytes: 0, load_bytes: 50_000, ..Settings::default() };
    let from = Engine::open(&folder.path().join("from"), settings()).unwrap();
    let name: CollectionName = "places".parse().unwrap();
    for (number, generator) in GENERATORS.iter().enumerate() {
        let points = (generator.make)(&mut Random::seeded(number as u64), 200);
        let put = |(at, point): (usize, _)| {
            let item = Item::new(Id::new(format!("{}-{at}", generator.name)).unwrap(), point);
            let breaks = if at % 5 == 0 { "\n" } else { "" };
            let properties = Properties::from_json(&format!("{{ {breaks}\"at\": {at}.0}}")).unwrap();
            let item = item.with_properties(properties);
            Change::Put(if at % 3 == 0 { item.expiring_at(9_000_000_000_000_000 + at as i64) } else { item })
        };
        from.submit(&name, points.into_iter().enumerate().map(put).collect::<Vec<_>>()).unwrap();
    }
    let mut text = Vec::new();
    let snapshot = from.snapshot(&name).unwrap();
    snapshot.items().for_each(|item| write_line(&mut text, &item));

    let to = Engine::open(&folder.path().join("to"), settings()).unwrap();
    let mut bulk = to.bulk(&name, None).unwrap();
    let rows = Lines::new(&text[..]).map(|line| Ok(line.unwrap()?.into_item(|| panic!("it has no id"), 0)));
    bulk.extend(rows, |rejected: Rejected| panic!("{rejected}")).unwrap();
    let loaded = bulk.finish().unwrap();
    assert_eq!((loaded.created, loaded.replaced), (snapshot.len() as u64, 0));
    let mut again = Vec::new();
    to.snapshot(&name).unwrap().items().for_each(|item| write_line(&mut again, &item));
    assert!(text == again, "{} bytes went out, {} came back", text.len(), again.len());
}
