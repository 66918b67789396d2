//! Migrations under writers, faults and kills: the rows are the old ones or the new ones, and always what the collections hold.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::collection::{Change, Id, Item, Properties, Snapshot};
use crate::engine::backup::{END, FIRST};
use crate::engine::filling::only_one_has;
use crate::engine::sums::items;
use crate::engine::{CollectionName, Settings, catalogue, recover, repair, restore, verify};
use crate::geometry::Point;
use crate::log::{Fault, Home, MemoryStore, Space, Store, Sync, When, codec};

const SECOND: Migration = Migration { schema: 2, convert: alike };
const THIRD: Migration = Migration { schema: 3, convert: alike };

fn alike(_: &[u8], old: &[u8]) -> Result<Vec<u8>, String> {
    Ok(old.to_vec())
}

fn name(text: &str) -> CollectionName {
    text.parse().unwrap()
}

fn put(id: &str, generation: u64) -> Change {
    let point = Point::new((generation % 170) as f64 / 2.0 + 0.1, -0.3).unwrap();
    let properties = Properties::from_json(&format!(r#"{{"generation": {generation}}}"#)).unwrap();
    Change::Put(Item::new(Id::new(id).unwrap(), point).with_properties(properties))
}

fn puts(from: u64, to: u64) -> Vec<Change> {
    (from..to).map(|at| put(&format!("item-{at}"), at)).collect()
}

type Contents = Vec<(u32, String, [u64; 2], String, u64)>;

fn entry(number: u32, id: &str, point: Point, properties: &str, seq: u64) -> (u32, String, [u64; 2], String, u64) {
    (number, id.to_owned(), [point.lat_deg().to_bits(), point.lon_deg().to_bits()], properties.to_owned(), seq)
}

fn in_snapshot(number: u32, snapshot: &Snapshot) -> Contents {
    items(snapshot).map(|item| entry(number, item.id(), item.point(), item.properties(), item.seq)).collect()
}

/// What the collections hold.
fn contents(engine: &Engine) -> Contents {
    let hosted = engine.shared.hosted.load_full();
    let mut all: Contents = hosted.values().flat_map(|hosted| in_snapshot(hosted.number, &hosted.snapshot())).collect();
    all.sort();
    all
}

/// What the rows of the collections say, where the store says they are.
fn in_rows(store: &dyn Store) -> Contents {
    let known: Vec<u32> = catalogue::collections(store).unwrap().iter().map(|(number, ..)| *number).collect();
    let rows = store.scan(rows::place(store).unwrap(), FIRST..END).map(Result::unwrap);
    let read = rows.map(|(key, value)| {
        let (number, id) = codec::read_record_key(&key).unwrap();
        let (item, seq) = codec::read_row(id, &value).unwrap();
        entry(number, id, item.point, item.properties.as_json(), seq)
    });
    let mut all: Contents = read.filter(|(number, ..)| known.contains(number)).collect();
    all.sort();
    all
}

fn schema_of(store: &dyn Store) -> u32 {
    let bytes = store.get(Space::Meta, b"schema").unwrap().unwrap();
    u32::from_be_bytes(bytes.try_into().unwrap())
}

fn opened(path: &Path) -> Engine {
    Engine::open(path, Settings { reserve_bytes: 0, load_bytes: 20_000, ..Settings::default() }).unwrap()
}

/// A store in memory and an engine over it with some items in two collections.
fn in_memory() -> (Arc<MemoryStore>, Engine) {
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::over(store.clone(), Settings::default()).unwrap();
    engine.submit(&name("a"), puts(0, 250)).unwrap();
    engine.submit(&name("b"), puts(0, 30)).unwrap();
    engine.submit(&name("a"), Change::Remove(Id::new("item-3").unwrap())).unwrap();
    (store, engine)
}

fn sweep(engine: &Engine, store: &dyn Store) {
    while engine.in_turn(Committer::sweep_beside).unwrap() {}
    assert_eq!(store.scan(rows::beside(rows::place(store).unwrap()), FIRST..END).count(), 0);
    assert!(!rows::is_marked(store).unwrap());
}

/// Puts, removes, makes and drops until it is told to stop.
fn write(engine: &Engine, writer: u64, ended: &AtomicBool, made: &AtomicUsize) {
    for turn in 0.. {
        if ended.load(Ordering::Relaxed) {
            return;
        }
        let at = turn * 7 + writer;
        engine.submit(&name("a"), puts(at % 3000, at % 3000 + 5)).unwrap();
        engine.submit(&name("a"), put(&format!("writer-{writer}-{}", turn % 50), at)).unwrap();
        engine.submit(&name("a"), Change::Remove(Id::new(format!("item-{}", at % 2000)).unwrap())).unwrap();
        let own = name(&format!("own-{writer}-{}", turn / 4 % 3));
        engine.submit(&own, puts(0, 9)).unwrap();
        if turn % 4 == 3 {
            engine.drop_collection(&own).unwrap();
        }
        made.fetch_add(1, Ordering::Relaxed);
    }
}

/// Migrates while four threads write, before, during and after.
fn migrate_under_writers(engine: &Engine, to: &Migration) {
    let (ended, made) = (AtomicBool::new(false), AtomicUsize::new(0));
    let wait = || {
        let before = made.load(Ordering::Relaxed);
        while made.load(Ordering::Relaxed) < before + 12 {
            std::thread::yield_now();
        }
    };
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (ended, made) = (&ended, &made);
            scope.spawn(move || write(engine, writer, ended, made));
        }
        wait();
        let migrated = engine.migrate(to);
        wait();
        ended.store(true, Ordering::Relaxed);
        assert_eq!(migrated.unwrap().schema, to.schema);
    });
}

/// Opens a directory whose segment files are gone; every collection with items is made anew from the rows.
fn opened_from_rows(path: &Path) -> Engine {
    for folder in std::fs::read_dir(path.join("segments")).unwrap() {
        std::fs::remove_dir_all(folder.unwrap().path()).unwrap();
    }
    let engine = opened(path);
    assert!(!engine.started().made_anew.is_empty());
    engine
}

fn store_of(path: &Path) -> Arc<dyn Store> {
    recover::open_log(&Home::open_existing(path).unwrap()).unwrap().0.store
}

#[test]
fn rows_are_migrated_there_and_back_under_four_writers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let mut engine = opened(&path);
    let mut bulk = engine.bulk(&name("a"), None).unwrap();
    for change in puts(0, 2500) {
        let Change::Put(item) = change else { unreachable!() };
        bulk.push(&item).unwrap();
    }
    bulk.finish().unwrap();
    for (to, place) in [(SECOND, Space::Shadow), (THIRD, Space::Records)] {
        migrate_under_writers(&engine, &to);
        let before = contents(&engine);
        engine.close().unwrap();
        drop(engine);
        let found = verify(&path).unwrap();
        assert_eq!(found.differences, Vec::<String>::new());
        let store = store_of(&path);
        assert_eq!((rows::place(&*store).unwrap(), schema_of(&*store)), (place, to.schema));
        assert!(in_rows(&*store) == before);
        drop(store);
        engine = opened_from_rows(&path);
        assert!(contents(&engine) == before);
    }
}

#[test]
fn a_backup_of_a_migrated_directory_is_restored_with_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let [path, copy, back] = ["data", "copy", "back"].map(|name| folder.path().join(name));
    let engine = opened(&path);
    engine.submit(&name("a"), puts(0, 700)).unwrap();
    engine.migrate(&SECOND).unwrap();
    engine.submit(&name("a"), puts(600, 900)).unwrap();
    engine.backup(&copy).unwrap();
    restore(&copy, &back).unwrap();
    let store = store_of(&back);
    assert_eq!((rows::place(&*store).unwrap(), schema_of(&*store)), (Space::Records, 2));
    assert!(!rows::is_marked(&*store).unwrap());
    drop(store);
    assert!(verify(&back).unwrap().is_sound());
    let restored = opened(&back);
    assert!(contents(&restored) == contents(&engine));
    restored.migrate(&THIRD).unwrap();
    assert!(contents(&restored) == contents(&engine));
}

#[test]
fn a_damaged_store_of_a_migrated_directory_is_repaired_from_the_rows_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let engine = opened(&path);
    engine.submit(&name("a"), puts(0, 300)).unwrap();
    engine.migrate(&SECOND).unwrap();
    engine.submit(&name("a"), puts(200, 400)).unwrap();
    engine.close().unwrap();
    let before = contents(&engine);
    drop(engine);
    let store = store_of(&path);
    let mut batch = Batch::new();
    batch.put(Space::Shadow, codec::record_key(1, "nonsense"), *b"\x99");
    store.commit(batch, Sync::Now).unwrap();
    drop(store);
    assert!(!verify(&path).unwrap().is_sound());
    repair(&path).unwrap();
    assert_eq!(verify(&path).unwrap().differences, Vec::<String>::new());
    assert!(contents(&opened_from_rows(&path)) == before);
    assert!(in_rows(&*store_of(&path)) == before);
}

/// Everything is as it was, nothing is left beside, and the next attempt is made.
fn assert_nothing_came_of_it(store: &MemoryStore, engine: &Engine, before: &Contents) {
    assert_eq!((rows::place(store).unwrap(), schema_of(store)), (Space::Records, 1));
    assert!(in_rows(store) == *before && contents(engine) == *before);
    sweep(engine, store);
    engine.submit(&name("a"), put("later", 1)).unwrap();
    engine.migrate(&SECOND).unwrap();
    assert!(in_rows(store) == contents(engine));
    sweep(engine, store);
}

#[test]
fn a_conversion_that_fails_leaves_everything_as_it_was() {
    fn failing(key: &[u8], old: &[u8]) -> Result<Vec<u8>, String> {
        if key.ends_with(b"item-77") { Err("no such thing".to_owned()) } else { Ok(old.to_vec()) }
    }
    let (store, engine) = in_memory();
    let before = contents(&engine);
    let told = engine.migrate(&Migration { schema: 2, convert: failing }).unwrap_err().to_string();
    assert_eq!(told, "the rows were not migrated: item-77 of collection 1: no such thing");
    assert_nothing_came_of_it(&store, &engine, &before);
}

fn moved(key: &[u8], old: &[u8]) -> Vec<u8> {
    let (mut item, seq) = codec::read_row(codec::read_record_key(key).unwrap().1, old).unwrap();
    item.point = Point::new(f64::from_bits(item.point.lat_deg().to_bits() ^ 1), item.point.lon_deg()).unwrap();
    codec::write_row(&item, seq)
}

#[test]
fn a_row_that_means_something_else_afterwards_is_named_and_nothing_is_switched() {
    fn altering(key: &[u8], old: &[u8]) -> Result<Vec<u8>, String> {
        Ok(if key.ends_with(b"item-29") { moved(key, old) } else { old.to_vec() })
    }
    let (store, engine) = in_memory();
    let before = contents(&engine);
    let told = engine.migrate(&Migration { schema: 2, convert: altering }).unwrap_err().to_string();
    assert_eq!(told, "the rows were not migrated: item-29 of collection 1 is another item or version after it");
    assert_nothing_came_of_it(&store, &engine, &before);
}

#[test]
fn a_row_that_came_meanwhile_is_compared_as_well() {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    fn altering_the_late(key: &[u8], old: &[u8]) -> Result<Vec<u8>, String> {
        if key.ends_with(b"item-200") {
            ENGINE.get().unwrap().submit(&name("new"), put("late", 8)).unwrap();
        }
        Ok(if key.ends_with(b"late") { moved(key, old) } else { old.to_vec() })
    }
    let (store, engine) = in_memory();
    let engine = ENGINE.get_or_init(|| engine);
    let told = engine.migrate(&Migration { schema: 2, convert: altering_the_late }).unwrap_err().to_string();
    assert_eq!(told, "the rows were not migrated: late of collection 3 is another item or version after it");
    assert_nothing_came_of_it(&store, engine, &contents(engine));
}

#[test]
fn rows_that_only_one_space_has_are_named() {
    let row = |id: &str| Some((codec::record_key(4, id), Vec::new()));
    let told = |before, after| match only_one_has(before, after) {
        Failure::Engine(error) => error.to_string(),
        Failure::Write(error) => error.to_string(),
    };
    assert!(told(row("a"), row("b")).ends_with("a of collection 4 is not there after it"));
    assert!(told(row("b"), row("a")).ends_with("a of collection 4 was not there before it"));
    assert!(told(row("b"), None).ends_with("b of collection 4 is not there after it"));
    assert!(told(None, row("b")).ends_with("b of collection 4 was not there before it"));
}

#[test]
fn only_a_later_schema_that_is_known_is_migrated_to() {
    let (store, engine) = in_memory();
    for (schema, told) in [(1, "schema 1, and 1 is not one of 2 to 3"), (4, "schema 1, and 4 is not one of 2 to 3")] {
        let refused = engine.migrate(&Migration { schema, ..SECOND }).unwrap_err().to_string();
        assert!(refused.ends_with(told), "{refused}");
    }
    engine.migrate(&THIRD).unwrap();
    assert!(engine.migrate(&SECOND).is_err());
    drop(engine);
    let mut batch = Batch::new();
    schema::put(&mut batch, 4);
    store.commit(batch, Sync::Now).unwrap();
    let refused = Engine::over(store, Settings::default()).unwrap_err().to_string();
    assert!(refused.contains("schema 4") && refused.contains("knows 3"), "{refused}");
}

/// A store in which the migration's n-th write failed while others wrote; whether it did.
fn with_fault(after_writes: usize, when: When) -> (Arc<MemoryStore>, bool) {
    let (store, engine) = in_memory();
    let error = StoreError::Io { doing: "testing", reason: "armed".to_owned() };
    store.arm(Fault { after_writes, when, error });
    let ended = AtomicBool::new(false);
    let failed = std::thread::scope(|scope| {
        scope.spawn(|| {
            // Few, so that the later faults come after a migration that was made.
            for at in 0..6 {
                if ended.load(Ordering::Relaxed) || engine.submit(&name("b"), puts(at * 20, at * 20 + 40)).is_err() {
                    break;
                }
                std::thread::yield_now();
            }
        });
        let failed = engine.migrate(&SECOND).is_err();
        ended.store(true, Ordering::Relaxed);
        failed
    });
    (store, failed)
}

#[test]
fn after_a_fault_at_any_write_the_rows_are_the_old_or_the_new_ones() {
    let (mut old, mut new, mut failures) = (0, 0, 0);
    for case in 0..60 {
        let when = if case % 2 == 0 { When::Before } else { When::After };
        let (store, failed) = with_fault(case / 2, when);
        failures += usize::from(failed);
        for keep in [0, usize::MAX] {
            let left = Arc::new(store.crash(keep));
            let place = rows::place(&*left).unwrap();
            assert_eq!((place == Space::Shadow), (schema_of(&*left) == 2), "{case}");
            (old, new) = (old + u32::from(place == Space::Records), new + u32::from(place == Space::Shadow));
            assert!(failed || place == Space::Shadow, "{case}");
            let engine = Engine::over(left.clone(), Settings::default()).unwrap();
            // What the engine holds comes from the log, all of it.
            assert!(in_rows(&*left) == contents(&engine), "{case}");
            engine.migrate(&THIRD).unwrap();
            engine.submit(&name("b"), put("after", 1)).unwrap();
            assert!(in_rows(&*left) == contents(&engine), "{case}");
            sweep(&engine, &*left);
        }
    }
    assert!(failures > 5 && old > 5 && new > 5, "{failures} failures, {old} times the old rows, {new} times the new");
}

#[test]
fn what_a_killed_migration_left_is_swept_before_the_next_and_never_read() {
    let (store, engine) = in_memory();
    let before = contents(&engine);
    drop(engine);
    let mut batch = Batch::new();
    rows::put_migrating(&mut batch);
    batch.put(Space::Shadow, codec::record_key(1, "item-5"), *b"half");
    batch.put(Space::Shadow, codec::record_key(1, "stranger"), *b"half");
    (0..4500).for_each(|at| batch.put(Space::Shadow, codec::record_key(7, &format!("left-{at}")), *b"half"));
    store.commit(batch, Sync::Now).unwrap();
    let engine = Engine::over(store.clone(), Settings::default()).unwrap();
    assert!(contents(&engine) == before && in_rows(&*store) == before);
    assert_eq!(engine.migrate(&SECOND).unwrap().rows, before.len() as u64);
    assert!(in_rows(&*store) == before);
    sweep(&engine, &*store);
}
