//! Bulk loads on a real directory: all or nothing, once, durable, and the same as if every item had been submitted.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::path::Path;
use std::process::Command;

use nigh::collection::{Change, Id, Item, ItemRef, Properties, Snapshot};
use nigh::engine::{
    Bulk, CollectionName, CollectionSettings, Condition, Engine, EngineError, Loaded, RequestKey, Settings, Write,
    checksum_of,
};
use nigh::format::csv::Rows;
use nigh::format::ndjson::write_line;
use nigh::format::{Incoming, ReadOptions, Rejected};
use nigh::geometry::{Point, Radius};
use nigh::index::Kind;
use nigh::query::Query;

fn name() -> CollectionName {
    "places".parse().unwrap()
}

/// Drafts of some hundred items, so that every load has several files.
fn settings() -> Settings {
    Settings { load_bytes: 40_000, reserve_bytes: 0, ..Settings::default() }
}

fn opened(folder: &tempfile::TempDir) -> Engine {
    Engine::open(&folder.path().join("data"), settings()).unwrap()
}

/// Items `0..count` of a generation; every seventh shares its id with one some hundreds before.
fn items(count: u64, generation: u64) -> Vec<Item> {
    let item = |at: u64| {
        let id = if at % 7 == 6 { at.saturating_sub(at * 31 % 900) } else { at };
        let point = Point::new((at * 97 % 1790) as f64 / 10.0 - 89.5, (at * 61 % 3590) as f64 / 10.0 - 179.5).unwrap();
        let text = format!(r#"{{"at": {at}, "generation": {generation}}}"#);
        let item = Item::new(Id::new(format!("item-{id}")).unwrap(), point);
        let item = item.with_properties(Properties::from_json(&text).unwrap());
        if at.is_multiple_of(11) { item.expiring_at(4_000_000_000_000 + at as i64) } else { item }
    };
    (0..count).map(item).collect()
}

fn load(engine: &Engine, items: &[Item], key: Option<&str>) -> Result<Loaded, EngineError> {
    let mut bulk = engine.bulk(&name(), key.map(|key| RequestKey::new(key).unwrap()))?;
    push(&mut bulk, items);
    bulk.finish()
}

fn push(bulk: &mut Bulk<'_>, items: &[Item]) {
    items.iter().for_each(|item| bulk.push(item).unwrap());
}

/// Everything in a collection by id, with its versions.
fn contents(snapshot: &Snapshot) -> Vec<String> {
    let line = |item: ItemRef<'_>| {
        let mut line = format!("{} ", item.seq).into_bytes();
        write_line(&mut line, &item);
        String::from_utf8(line).unwrap()
    };
    snapshot.items().map(line).collect()
}

/// What the same items make of an engine that is handed them one by one.
fn one_by_one(histories: &[&[Item]]) -> Vec<String> {
    let engine = Engine::new();
    for items in histories {
        engine.submit(&name(), items.iter().cloned().map(Change::Put).collect::<Vec<_>>()).unwrap();
    }
    contents(&engine.snapshot(&name()).unwrap())
}

#[test]
fn a_load_is_the_same_as_submitting_every_item() {
    let folder = tempfile::tempdir().unwrap();
    let engine = opened(&folder);
    let (first, second) = (items(3000, 1), items(1700, 2));
    let loaded = load(&engine, &first, None).unwrap();
    assert_eq!((loaded.received, loaded.seq, loaded.created + loaded.replaced), (3000, 3000, 3000));
    // As if none had an end: made again later, the load is still the same.
    let endless = first.iter().map(|item| checksum_of(&Item { expires_at_ms: None, ..item.clone() }));
    assert_eq!(loaded.checksum, endless.fold(0, u64::wrapping_add));
    assert_eq!(contents(&engine.snapshot(&name()).unwrap()), one_by_one(&[&first]));
    assert_eq!(engine.snapshot(&name()).unwrap().len() as u64, loaded.created);
    let again = load(&engine, &second, None).unwrap();
    assert_eq!((again.seq, again.created), (4700, 0));
    let expected = one_by_one(&[&first, &second]);
    assert_eq!(contents(&engine.snapshot(&name()).unwrap()), expected);
    drop(engine);
    for _ in 0..2 {
        let engine = opened(&folder);
        assert_eq!(contents(&engine.snapshot(&name()).unwrap()), expected);
        engine.close().unwrap(); // the second time from a checkpoint, the first from the log
    }
}

/// How many files of segments there are.
fn segment_files(folder: &Path) -> usize {
    let collections = std::fs::read_dir(folder.join("segments")).unwrap().flatten();
    collections.map(|collection| std::fs::read_dir(collection.path()).unwrap().count()).sum()
}

#[test]
fn nobody_sees_a_load_before_it_is_done_and_an_abandoned_one_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = opened(&folder);
    let items = items(2000, 1);
    let mut bulk = engine.bulk(&name(), None).unwrap();
    push(&mut bulk, &items);
    assert_eq!(engine.names(), [], "not even the collection");
    drop(bulk);
    engine.submit(&name(), Change::Put(items[0].clone())).unwrap();
    engine.checkpoint().unwrap();
    assert_eq!(engine.snapshot(&name()).unwrap().len(), 1);
    let mut bulk = engine.bulk(&name(), None).unwrap();
    push(&mut bulk, &items);
    assert_eq!(engine.snapshot(&name()).unwrap().len(), 1, "nor the items, where there is one");
    drop(bulk);
    engine.close().unwrap();
    assert_eq!(segment_files(&folder.path().join("data")), 2, "a segment and its manifest are left");
}

#[test]
fn a_load_that_is_abandoned_or_dies_leaves_no_collection_where_there_was_none() {
    let folder = tempfile::tempdir().unwrap();
    let (data, died) = (folder.path().join("data"), folder.path().join("died"));
    let engine = opened(&folder);
    let mut bulk = engine.bulk(&name(), None).unwrap();
    push(&mut bulk, &items(2000, 1));
    // What stands on the disk at this moment is what a process leaves that is killed.
    assert!(Command::new("cp").args(["-r".as_ref(), data.as_os_str(), died.as_os_str()]).status().unwrap().success());
    assert!(segment_files(&died) > 1, "the load had begun to write");
    drop(bulk);
    engine.close().unwrap();
    drop(engine);
    for path in [data, died] {
        let engine = Engine::open(&path, settings()).unwrap();
        assert_eq!(engine.names(), [], "{}", path.display());
        assert_eq!(std::fs::read_dir(path.join("segments")).unwrap().count(), 0, "{}", path.display());
        assert_eq!(load(&engine, &items(10, 1), None).unwrap().created, 9);
    }
}

#[test]
fn what_comes_before_the_end_of_a_load_makes_the_collection_that_the_load_was_going_to_make() {
    type Meanwhile = fn(&Engine);
    let by_a_write: Meanwhile = |engine| {
        engine.submit(&name(), Change::Put(items(5000, 3)[4000].clone())).unwrap();
    };
    let by_settings: Meanwhile = |engine| {
        let kinds = vec![Kind::named("rtree").unwrap()];
        engine.configure(&name(), CollectionSettings { kinds, ..CollectionSettings::default() }).unwrap();
    };
    let by_a_load: Meanwhile = |engine| {
        assert_eq!(load(engine, &items(5000, 3)[4000..4001], None).unwrap().created, 1);
    };
    for (meanwhile, before, kinds) in [(by_a_write, 1, 4), (by_settings, 0, 1), (by_a_load, 1, 4)] {
        let folder = tempfile::tempdir().unwrap();
        let engine = opened(&folder);
        let other: CollectionName = "other".parse().unwrap();
        let mut bulk = engine.bulk(&name(), None).unwrap();
        push(&mut bulk, &items(2000, 1));
        engine.submit(&other, Change::Put(items(1, 1)[0].clone())).unwrap();
        meanwhile(&engine);
        assert_eq!(engine.snapshot(&name()).unwrap().len(), before);
        push(&mut bulk, &items(900, 2));
        let loaded = bulk.finish().unwrap();
        assert_eq!(loaded.seq, 2900 + before as u64);
        let expected = contents(&engine.snapshot(&name()).unwrap());
        assert_eq!(expected.len() as u64, loaded.created + before as u64);
        drop(engine);
        for _ in 0..2 {
            let engine = opened(&folder);
            assert_eq!(engine.names(), [other.clone(), name()]);
            let snapshot = engine.snapshot(&name()).unwrap();
            assert_eq!((contents(&snapshot), snapshot.kinds().len()), (expected.clone(), kinds));
            engine.close().unwrap();
        }
    }
}

#[test]
fn a_load_with_a_key_is_made_once_also_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let items = items(1000, 1);
    let first = load(&opened(&folder), &items, Some("k")).unwrap();
    let engine = opened(&folder);
    let again = load(&engine, &items, Some("k")).unwrap();
    assert_eq!(again, Loaded { repeated: true, ..first });
    assert_eq!(engine.snapshot(&name()).unwrap().seq(), 1000);
    let other = load(&engine, &items[1..], Some("k")).unwrap_err();
    assert_eq!(other, EngineError::KeyReused { key: "k".to_owned() });
}

#[test]
fn an_empty_load_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = load(&opened(&folder), &[], None).unwrap();
    assert_eq!((loaded.received, loaded.seq), (0, 0));
}

#[test]
fn rows_that_a_reader_refused_are_handed_back_and_hurt_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let engine = opened(&folder);
    let csv = "id,lat,lon,name\na,1,2,x\nb,91,2,y\nc,3,north,z\nd,4,5,w\n";
    let rows = Rows::read(csv.as_bytes(), &ReadOptions::default()).unwrap();
    let rows = rows.map(|row| Ok(row.unwrap()?.into_item(|| panic!("it has no id"), 0)));
    let mut rejected = Vec::new();
    let mut bulk = engine.bulk(&name(), None).unwrap();
    bulk.extend(rows, |row: Rejected| rejected.push(row.line)).unwrap();
    let loaded = bulk.finish().unwrap();
    assert_eq!((loaded.received, loaded.created, rejected), (2, 2, vec![3, 4]));
}

#[test]
fn writers_go_on_during_a_load_and_none_of_it_is_undone() {
    let folder = tempfile::tempdir().unwrap();
    let engine = opened(&folder);
    let items = items(20_000, 1);
    engine.submit(&name(), items[..500].iter().cloned().map(Change::Put).collect::<Vec<_>>()).unwrap();
    let written = std::thread::scope(|scope| {
        let loading = scope.spawn(|| load(&engine, &items, None).unwrap());
        let mut written = 0;
        while !loading.is_finished() || written < 50 {
            let moved = Item { point: Point::new(0.5, 0.5).unwrap(), ..items[written % 300].clone() };
            engine.submit(&name(), Change::Put(moved)).unwrap();
            written += 1;
        }
        written
    });
    // Everything once more after the load, so that each of these is newer than it.
    for item in &items[..300] {
        engine.submit(&name(), Change::Remove(item.id.clone())).unwrap();
    }
    let before = contents(&engine.snapshot(&name()).unwrap());
    assert_eq!(engine.snapshot(&name()).unwrap().seq(), 500 + 20_000 + written as u64 + 300);
    drop(engine);
    // From the rows alone: the files are gone.
    std::fs::remove_dir_all(folder.path().join("data/segments")).unwrap();
    let engine = opened(&folder);
    assert_eq!(contents(&engine.snapshot(&name()).unwrap()), before);
    let version = engine.snapshot(&name()).unwrap().get("item-400").unwrap().seq;
    let write = Write { change: Change::Remove(Id::new("item-400").unwrap()), condition: Condition::Version(version) };
    engine.submit(&name(), write).unwrap();
    let all = Query::near(Point::new(0.0, 0.0).unwrap()).within("30000km".parse::<Radius>().unwrap());
    let compared = engine.compare(&name(), &all).unwrap();
    assert!(compared.iter().all(|one| one.identical && one.answer.matched as usize == before.len() - 1));
}

#[test]
fn rows_read_on_all_cores_come_in_in_their_order_with_their_line_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let engine = opened(&folder);
    // Item n stands on line n + 1; every hundredth line is bad, and ids come again and again, so that the order shows.
    let line = |at: u64| match at % 100 {
        99 => "nonsense".to_owned(),
        _ => format!(r#"{{"id":"item-{}","lat":1,"lon":2,"properties":{{"at":{at}}}}}"#, at % 700),
    };
    let lines: Vec<String> = (0..20_000).map(line).collect();
    let pieces = lines.chunks(333).scan(0, |first, piece| {
        let piece = (*first, piece.join("\n"));
        *first += 333;
        Some(piece)
    });
    let read = |(first, text): (u64, String)| -> Vec<Result<Item, u64>> {
        let lines = nigh::format::ndjson::Lines::new(text.as_bytes());
        let item = |came: Incoming| came.into_item(|| panic!("it has no id"), 0);
        lines.map(|line| line.unwrap().map(item).map_err(|rejected| first + rejected.line)).collect()
    };
    let mut rejected = Vec::new();
    let mut bulk = engine.bulk(&name(), None).unwrap();
    bulk.extend_in_parallel(pieces, read, |line| rejected.push(line)).unwrap();
    let loaded = bulk.finish().unwrap();
    assert_eq!(rejected, (1..=200).map(|number| number * 100).collect::<Vec<u64>>());
    assert_eq!((loaded.received, loaded.created), (19_800, 693));
    let snapshot = engine.snapshot(&name()).unwrap();
    for item in snapshot.items() {
        let number: u64 = item.id().strip_prefix("item-").unwrap().parse().unwrap();
        let last = (0..20_000).rev().find(|at| at % 700 == number && at % 100 != 99).unwrap();
        assert_eq!(item.properties(), format!(r#"{{"at":{last}}}"#));
    }
}
