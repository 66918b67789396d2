//! What the tests of copies write, and how they look at a directory.
#![allow(dead_code, reason = "each of the tests that share it needs a part")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nigh::collection::{Change, Id, Item, Properties, Snapshot};
use nigh::engine::{CollectionName, CollectionSettings, Engine, RequestKey, Settings, Submission};
use nigh::geometry::{METRICS, Point};
use nigh::index::Kind;

pub(crate) fn named(name: &str) -> CollectionName {
    name.parse().unwrap()
}

pub(crate) fn settings() -> Settings {
    Settings { reserve_bytes: 0, load_bytes: 60_000, ..Settings::default() }
}

pub(crate) fn open(path: &Path) -> Engine {
    Engine::open(path, settings()).unwrap()
}

pub(crate) fn item(at: u64, generation: u64) -> Item {
    let point = Point::new((at * 97 % 1790) as f64 / 10.0 - 89.5, (at * 61 % 3590) as f64 / 10.0 - 179.5).unwrap();
    let text = format!(r#"{{"at": {at}, "generation": {generation}}}"#);
    let item = Item::new(Id::new(format!("item-{at}")).unwrap(), point);
    let item = item.with_properties(Properties::from_json(&text).unwrap());
    if at.is_multiple_of(11) { item.expiring_at(4_000_000_000_000 + at as i64) } else { item }
}

pub(crate) fn puts(from: u64, to: u64, generation: u64) -> Vec<Change> {
    (from..to).map(|at| Change::Put(item(at, generation))).collect()
}

pub(crate) fn once() -> Submission {
    Submission::from(puts(7, 9, 5)).once(RequestKey::new("only-once").unwrap())
}

/// A directory with a load, changes, removals, a request that is remembered, settings of its own, and a tail in the log.
pub(crate) fn history(engine: &Engine) {
    let kinds = vec![Kind::named("rtree").unwrap(), Kind::named("hilbert").unwrap()];
    engine
        .configure(&named("plain"), CollectionSettings { kinds, ttl_ms: Some(86_400_000_000), metric: METRICS[1] })
        .unwrap();
    engine.submit(&named("plain"), puts(0, 300, 1)).unwrap();
    let mut bulk = engine.bulk(&named("loaded"), Some(RequestKey::new("load").unwrap())).unwrap();
    (0..2500).for_each(|at| bulk.push(&item(at, 2)).unwrap());
    bulk.finish().unwrap();
    engine.submit(&named("loaded"), puts(100, 400, 3)).unwrap();
    engine.checkpoint().unwrap();
    let removed = (0..50).map(|at| Change::Remove(item(at, 0).id)).collect::<Vec<_>>();
    engine.submit(&named("loaded"), removed).unwrap();
    engine.submit(&named("plain"), once()).unwrap();
}

pub(crate) type Contents = Vec<(String, [u64; 2], String, u64, Option<i64>)>;

pub(crate) fn contents(snapshot: &Snapshot) -> Contents {
    let mut all = Vec::new();
    for segment in snapshot.segments() {
        for slot in segment.points().slots().filter(|&slot| segment.is_there(slot, snapshot.seq())) {
            let item = segment.item(slot);
            let place = [item.point().lat_deg().to_bits(), item.point().lon_deg().to_bits()];
            all.push((item.id().to_owned(), place, item.properties().to_owned(), item.seq, item.expires_at_ms()));
        }
    }
    all.sort();
    all
}

/// Every collection: its last change and its items with their versions.
pub(crate) fn everything(engine: &Engine) -> BTreeMap<String, (u64, Contents)> {
    let of = |name: &CollectionName| {
        let snapshot = engine.snapshot(name).unwrap();
        (snapshot.seq(), contents(&snapshot))
    };
    engine.names().iter().map(|name| (name.to_string(), of(name))).collect()
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Every file with its bytes, but for the one that says who has the directory open.
pub(crate) fn bytes_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let own = files(folder).into_iter().filter(|path| !path.ends_with("LOCK"));
    own.map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

/// Turns one bit in the middle of a file, in a new file of its name, so that no other name of the old one is touched.
pub(crate) fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 0x10;
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}
