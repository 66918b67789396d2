//! Damage and bad moments: files that are flipped, cut, deleted or from another version, directories that are not ours, a stop
//! under load. Whatever the store says was accepted is there, or the engine says by name why it will not start.
//!
//! What surprises: segments may be damaged in any way without anybody noticing but the log. They are derived, and made anew.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use nigh::collection::{Change, Id, Item, ItemRef, Properties, Snapshot};
use nigh::engine::{CollectionName, Engine, EngineError, Health, OpenError, Settings};
use nigh::format::ndjson::write_line;
use nigh::generate::Random;
use nigh::geometry::{Point, Radius};
use nigh::log::HomeError;
use nigh::query::Query;

fn name() -> CollectionName {
    "places".parse().unwrap()
}

fn settings() -> Settings {
    Settings { reserve_bytes: 0, ..Settings::default() }
}

fn open(folder: &Path) -> Result<Engine, OpenError> {
    Engine::open(folder, settings())
}

fn item(number: u64, version: u64) -> Item {
    let lat = (number * 7919 % 17_900) as f64 / 100.0 - 89.5;
    let lon = (number * 104_729 % 35_900) as f64 / 100.0 - 179.5;
    let text = format!(r#"{{"number": {number}, "version": {version}}}"#);
    let item = Item::new(Id::new(format!("item-{number}")).unwrap(), Point::new(lat, lon).unwrap());
    item.with_properties(Properties::from_json(&text).unwrap())
}

/// A directory with a checkpoint, changes after it, removals, and nothing open.
fn made() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(&folder.path().join("data")).unwrap();
    engine.submit(&name(), (0..6000).map(|number| Change::Put(item(number, 1))).collect::<Vec<_>>()).unwrap();
    engine.submit(&name(), (0..500).map(|number| Change::Remove(item(number * 3, 1).id)).collect::<Vec<_>>()).unwrap();
    engine.checkpoint().unwrap();
    engine.submit(&name(), (5500..6200).map(|number| Change::Put(item(number, 2))).collect::<Vec<_>>()).unwrap();
    engine.submit(&name(), Change::Remove(item(10, 1).id)).unwrap();
    folder
}

fn contents(snapshot: &Snapshot) -> Vec<String> {
    let line = |item: ItemRef<'_>| {
        let mut line = format!("{} ", item.seq).into_bytes();
        write_line(&mut line, &item);
        String::from_utf8(line).unwrap()
    };
    snapshot.items().map(line).collect()
}

/// What an engine holds, read as the service reads: healing what turns out damaged on the way.
fn held(engine: &Engine) -> Vec<String> {
    all_kinds_agree(engine);
    engine.reading(&name(), |snapshot| Ok(contents(snapshot))).unwrap()
}

fn all_kinds_agree(engine: &Engine) {
    for (lat, lon, radius) in
        [(0.0, 0.0, "5000km"), (88.0, 10.0, "2000km"), (-20.0, 179.9, "1500km"), (0.0, 0.0, "30000km")]
    {
        let query = Query::near(Point::new(lat, lon).unwrap()).within(radius.parse::<Radius>().unwrap());
        let compared = engine.compare(&name(), &query).unwrap();
        assert!(compared.iter().all(|one| one.identical));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

fn ending(folder: &Path, end: &str) -> Vec<PathBuf> {
    files(folder).into_iter().filter(|path| path.to_str().unwrap().ends_with(end)).collect()
}

#[test]
fn segments_may_be_flipped_cut_emptied_or_deleted_and_answers_stay_right() {
    let folder = made();
    let data = folder.path().join("data");
    let expected = held(&open(&data).unwrap());
    let mut random = Random::seeded(5);
    for round in 0..40 {
        let damaged = folder.path().join(format!("damaged-{round}"));
        copy(&data, &damaged);
        let candidates: Vec<PathBuf> = files(&damaged.join("segments"));
        let path = &candidates[random.below(candidates.len() as u64) as usize];
        let mut bytes = fs::read(path).unwrap();
        match round % 4 {
            0 => fs::remove_file(path).unwrap(),
            1 => fs::write(path, &bytes[..random.below(bytes.len() as u64) as usize]).unwrap(),
            2 => fs::write(path, vec![0; bytes.len()]).unwrap(),
            _ => {
                for _ in 0..=random.below(3) {
                    let at = random.below(bytes.len() as u64) as usize;
                    bytes[at] ^= 1 << random.below(8);
                }
                fs::write(path, bytes).unwrap();
            }
        }
        match open(&damaged) {
            Ok(engine) => {
                assert_eq!(held(&engine), expected, "round {round}");
                let made = engine.submit(&name(), Change::Put(item(1, 9))).unwrap();
                assert_eq!(made.seq, 7202, "round {round}");
            }
            // A flipped version number cannot be told from a newer version; nothing is touched then.
            Err(OpenError::File(error)) => assert!(error.to_string().contains("use a newer nigh"), "{error}"),
            Err(error) => panic!("round {round}: {error}"),
        }
        fs::remove_dir_all(damaged).unwrap();
    }
}

#[test]
fn a_segment_of_a_newer_version_is_refused_with_its_version() {
    let folder = made();
    let data = folder.path().join("data");
    let path = &ending(&data, ".segment")[0];
    let mut bytes = fs::read(path).unwrap();
    bytes[8..12].copy_from_slice(&7_u32.to_le_bytes());
    fs::write(path, bytes).unwrap();
    let message = open(&data).unwrap_err().to_string();
    assert!(message.contains("file format 7") && message.contains("use a newer nigh"), "{message}");
}

#[test]
fn a_store_that_is_damaged_is_named_or_harmless_but_never_silently_wrong() {
    let folder = made();
    let data = folder.path().join("data");
    let expected = held(&open(&data).unwrap());
    let mut random = Random::seeded(11);
    let (mut named, mut harmless) = (0, 0);
    for round in 0..60 {
        let damaged = folder.path().join(format!("damaged-{round}"));
        copy(&data, &damaged);
        fs::remove_dir_all(damaged.join("segments")).unwrap(); // so that everything comes from the store
        let candidates: Vec<PathBuf> =
            files(&damaged.join("store")).into_iter().filter(|path| fs::metadata(path).unwrap().len() > 0).collect();
        let path = &candidates[random.below(candidates.len() as u64) as usize];
        let mut bytes = fs::read(path).unwrap();
        // Journals are made 64 MiB long before they are filled.
        let used = bytes.iter().rposition(|&byte| byte != 0).map_or(1, |last| last + 1) as u64;
        let at = random.below(used) as usize;
        if round % 5 == 0 {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1 << random.below(8);
        }
        fs::write(path, bytes).unwrap();
        match open(&damaged) {
            Err(error) => {
                assert!(!error.to_string().is_empty());
                named += 1;
            }
            Ok(engine) => match engine.health() {
                Health::Ready => {
                    assert_eq!(held(&engine), expected, "round {round}: {}", path.display());
                    harmless += 1;
                }
                Health::ReadOnly { reason } => {
                    assert!(reason.contains("its end is lost"), "{reason}");
                    let refused = engine.submit(&name(), Change::Put(item(1, 9))).unwrap_err();
                    assert!(matches!(refused, EngineError::ReadOnly { .. }), "{refused}");
                    named += 1;
                }
                other => panic!("round {round}: {other:?}"),
            },
        }
        fs::remove_dir_all(damaged).unwrap();
    }
    assert!(named > 10, "{named} named, {harmless} harmless");
}

#[test]
fn an_older_copy_of_the_store_is_noticed_and_only_read() {
    let folder = made();
    let data = folder.path().join("data");
    let older = folder.path().join("older");
    copy(&data.join("store"), &older);
    open(&data).unwrap().submit(&name(), Change::Put(item(9000, 1))).unwrap();
    fs::remove_dir_all(data.join("store")).unwrap();
    copy(&older, &data.join("store"));
    let engine = open(&data).unwrap();
    let Health::ReadOnly { reason } = engine.health() else { panic!("{:?}", engine.health()) };
    assert!(reason.contains("its end is lost"), "{reason}");
    assert_eq!(held(&engine).len(), 6200 - 501);
}

#[test]
fn a_directory_of_somebody_else_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(&error, OpenError::Home(HomeError::Foreign { holds, .. }) if holds == &["thesis.txt"]), "{error}");
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn a_stop_under_load_keeps_all_it_acknowledged_and_the_next_start_replays_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path()).unwrap();
    let (closed, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    let took = std::thread::scope(|scope| {
        for writer in 0..8_u64 {
            let (engine, closed, acknowledged) = (&engine, &closed, &acknowledged);
            scope.spawn(move || {
                for turn in 0.. {
                    match engine.submit(&name(), Change::Put(item(writer * 1_000_000 + turn, 1))) {
                        Ok(made) => {
                            acknowledged.fetch_max(made.seq, Ordering::SeqCst);
                        }
                        Err(EngineError::Closed) => break,
                        Err(other) => panic!("{other}"),
                    }
                    assert!(turn < 1_000_000 && !(closed.load(Ordering::SeqCst) && turn > 900_000));
                }
            });
        }
        std::thread::sleep(std::time::Duration::from_millis(400));
        let begin = std::time::Instant::now();
        engine.close().unwrap();
        closed.store(true, Ordering::SeqCst);
        begin.elapsed()
    });
    assert!(took < std::time::Duration::from_secs(30), "{took:?}");
    drop(engine);
    let engine = open(folder.path()).unwrap();
    assert_eq!(engine.started().replayed, 0);
    let seq = engine.snapshot(&name()).unwrap().seq();
    assert!(seq >= acknowledged.load(Ordering::SeqCst) && seq > 8);
    assert_eq!(engine.snapshot(&name()).unwrap().len() as u64, seq, "each put a new item");
}
