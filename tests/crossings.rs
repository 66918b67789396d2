//! Callers who cross each other's way, and settings at their ends: nothing is lost, nothing hangs, nothing is left behind.
//!
//! What surprises: most of these ways need no luck to be met. A callback may hold the last handle of its engine, and a load may
//! end after its collection has gone.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use nigh::collection::{Change, Id, Item};
use nigh::engine::{CollectionName, Durability, Engine, EngineError, Health, Settings, verify};
use nigh::geometry::Point;

const LONG: Duration = Duration::from_secs(20);

fn name() -> CollectionName {
    "places".parse().unwrap()
}

fn item(id: &str) -> Item {
    Item::new(Id::new(id).unwrap(), Point::new(1.0, 2.0).unwrap())
}

fn put(id: &str) -> Change {
    Change::Put(item(id))
}

fn settings() -> Settings {
    Settings { reserve_bytes: 0, ..Settings::default() }
}

fn opened(path: &Path) -> Engine {
    Engine::open(path, settings()).unwrap()
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < LONG, "{what} does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn assert_sound(path: &Path) {
    assert_eq!(verify(path).unwrap().differences, Vec::<String>::new());
}

#[test]
fn an_end_of_life_of_another_version_is_refused_and_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let engine = opened(&path);
    engine.submit(&name(), put("a")).unwrap();
    let expire = |put_seq| Change::Expire { id: Id::new("a").unwrap(), put_seq };
    assert!(matches!(engine.submit(&name(), expire(7)), Err(EngineError::Condition { present: Some(1), .. })));
    assert!(matches!(engine.submit(&name(), vec![put("a"), expire(1)]), Err(EngineError::Condition { .. })));
    assert_eq!(engine.snapshot(&name()).unwrap().len(), 1);
    drop(engine);
    assert_sound(&path);
    let engine = opened(&path);
    engine.submit(&name(), expire(1)).unwrap();
    assert_eq!(engine.snapshot(&name()).unwrap().len(), 0);
}

#[test]
fn a_load_into_a_collection_that_was_dropped_meanwhile_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let engine = opened(&path);
    engine.submit(&name(), put("a")).unwrap();
    let mut bulk = engine.bulk(&name(), None).unwrap();
    (0..100).for_each(|at| bulk.push(&item(&format!("i{at}"))).unwrap());
    engine.drop_collection(&name()).unwrap();
    engine.submit(&name(), put("b")).unwrap();
    assert!(matches!(bulk.finish(), Err(EngineError::NoCollection { .. })));
    assert_eq!(engine.snapshot(&name()).unwrap().len(), 1);
    std::thread::sleep(Duration::from_millis(700));
    engine.close().unwrap();
    drop(engine);
    assert_sound(&path);
}

#[test]
fn a_load_into_a_collection_that_others_made_and_dropped_meanwhile_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let engine = opened(&path);
    let mut bulk = engine.bulk(&name(), None).unwrap();
    (0..100).for_each(|at| bulk.push(&item(&format!("i{at}"))).unwrap());
    assert!(matches!(engine.drop_collection(&name()), Err(EngineError::NoCollection { .. })), "nobody has made it yet");
    engine.submit(&name(), put("a")).unwrap();
    engine.drop_collection(&name()).unwrap();
    assert!(matches!(bulk.finish(), Err(EngineError::NoCollection { .. })));
    engine.submit(&name(), put("b")).unwrap();
    assert_eq!(engine.snapshot(&name()).unwrap().len(), 1);
    engine.close().unwrap();
    drop(engine);
    assert_sound(&path);
}

#[test]
fn a_dropped_collection_without_a_folder_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let engine = opened(&path);
    engine.submit(&name(), put("a")).unwrap();
    std::fs::remove_dir_all(path.join("segments/1")).unwrap();
    engine.drop_collection(&name()).unwrap();
    engine.submit(&name(), put("a")).unwrap();
    engine.checkpoint().unwrap();
    engine.drop_collection(&name()).unwrap();
    let files = || std::fs::read_dir(path.join("segments/2")).map_or(0, Iterator::count);
    assert!(files() > 0);
    until("the second sweep", || files() == 0);
}

#[test]
fn a_log_that_lost_its_end_stays_read_only_however_many_checkpoints_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (path, older) = (folder.path().join("data"), folder.path().join("older"));
    let engine = opened(&path);
    engine.submit(&name(), put("a")).unwrap();
    engine.close().unwrap();
    drop(engine);
    copy(&path.join("store"), &older);
    let engine = opened(&path);
    ["b", "c", "d"].iter().for_each(|id| drop(engine.submit(&name(), put(id)).unwrap()));
    drop(engine);
    std::fs::remove_dir_all(path.join("store")).unwrap();
    std::fs::rename(&older, path.join("store")).unwrap();
    for _ in 0..2 {
        let engine = opened(&path);
        assert!(matches!(engine.health(), Health::ReadOnly { .. }), "{:?}", engine.health());
        (0..20).for_each(|_| drop(engine.checkpoint()));
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

#[test]
fn settings_without_bounds_are_taken() {
    for interval in [Duration::ZERO, Duration::MAX] {
        let folder = tempfile::tempdir().unwrap();
        let durability = Durability::Interval(interval);
        let settings = Settings { durability, queue: usize::MAX, load_bytes: 0, keep_changes: 0, ..settings() };
        let engine = Engine::open(&folder.path().join("data"), settings).unwrap();
        for seq in 1..=3 {
            assert_eq!(engine.submit(&name(), put("a")).unwrap().seq, seq);
        }
        assert_eq!(engine.snapshot_from(&name(), 3, Duration::MAX).unwrap().seq(), 3);
        engine.close().unwrap();
    }
}

#[test]
fn a_callback_that_panics_hinders_nobody_else() {
    let engine = Engine::new();
    engine.submit_then(&name(), put("a"), |_| panic!("a mistake of the caller")).unwrap();
    assert_eq!(engine.submit(&name(), put("b")).unwrap().seq, 2);
    assert_eq!(engine.health(), Health::Ready);
}

#[test]
fn the_last_handle_of_an_engine_may_go_in_a_callback() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let engine = Arc::new(opened(&path));
        let (sender, gone) = channel();
        let held = engine.clone();
        let then = move |made: Result<_, EngineError>| {
            while Arc::strong_count(&held) > 1 {
                std::thread::yield_now();
            }
            drop(held);
            sender.send(made).unwrap();
        };
        engine.submit_then(&name(), put("a"), then).unwrap();
        drop(engine);
        gone.recv_timeout(LONG).unwrap().unwrap();
        let again = |path: &Path| Engine::open(path, settings());
        until("the end of the engine", || again(&path).is_ok());
        assert_eq!(opened(&path).snapshot(&name()).unwrap().len(), 1);
    }
}
