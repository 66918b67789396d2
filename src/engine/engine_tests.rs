//! The engine in memory and in a directory: numbers, conditions, keys, restarts, and what it refuses.

use super::*;
use crate::collection::{Change, Id, Item, Outcome, Properties};
use crate::geometry::Point;
use crate::log::{Fault, StoreError, When};

fn name(text: &str) -> CollectionName {
    text.parse().unwrap()
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn put(text: &str) -> Change {
    Change::Put(Item::new(id(text), Point::new(1.0, 2.0).unwrap()))
}

fn only_if(change: Change, condition: Condition) -> Write {
    Write { change, condition }
}

fn key(text: &str) -> RequestKey {
    RequestKey::new(text).unwrap()
}

/// A folder of its own that goes with the test.
fn folder(test: &str) -> Folder {
    let path = std::env::temp_dir().join(format!("nigh-engine-{test}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    Folder(path)
}

struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn opened(folder: &Folder) -> Engine {
    Engine::open(&folder.0, Settings { reserve_bytes: 0, ..Settings::default() }).unwrap()
}

#[test]
fn changes_are_numbered_by_collection_without_gaps() {
    let engine = Engine::new();
    let made = |outcomes, seq| Submitted { outcomes, seq, number: 1, repeated: false };
    let first = engine.submit(&name("a"), vec![put("x"), put("y")]).unwrap();
    assert_eq!(first, made(vec![Outcome::Created; 2], 2));
    assert_eq!(engine.submit(&name("b"), put("x")).unwrap().seq, 1);
    assert_eq!(engine.submit(&name("a"), vec![]).unwrap().seq, 2);
    let last = engine.submit(&name("a"), vec![put("x"), Change::Remove(id("z"))]).unwrap();
    assert_eq!(last, made(vec![Outcome::Replaced, Outcome::Absent], 4));
    assert_eq!(engine.snapshot(&name("a")).unwrap().seq(), 4);
}

#[test]
fn a_collection_that_is_not_there_is_named_with_those_that_are() {
    let engine = Engine::new();
    assert!(engine.snapshot(&name("a")).unwrap_err().to_string().ends_with("there are none yet"));
    engine.submit(&name("b"), vec![]).unwrap();
    engine.submit(&name("a"), vec![]).unwrap();
    let message = engine.snapshot(&name("c")).unwrap_err().to_string();
    assert_eq!(message, "there is no collection c; there are a, b");
}

#[test]
fn writers_from_many_threads_lose_no_number_and_no_collection() {
    let engine = Engine::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let engine = &engine;
            scope.spawn(move || {
                for turn in 0..50 {
                    engine.submit(&name("shared"), put(&format!("{thread}-{turn}"))).unwrap();
                    engine.submit(&name(&format!("own-{thread}-{}", turn % 5)), put("x")).unwrap();
                }
            });
        }
    });
    let shared = engine.snapshot(&name("shared")).unwrap();
    assert_eq!((shared.seq(), shared.len()), (200, 200));
    assert_eq!(engine.names().len(), 21);
}

#[test]
fn a_condition_that_does_not_hold_refuses_the_whole_submission() {
    let engine = Engine::new();
    let a = name("a");
    engine.submit(&a, only_if(put("x"), Condition::Absent)).unwrap();
    for (condition, present) in [(Condition::Absent, Some(1)), (Condition::Version(2), Some(1))] {
        let writes = vec![put("new").into(), only_if(put("x"), condition)];
        let refused = engine.submit(&a, Submission { writes, ..Submission::default() }).unwrap_err();
        assert_eq!(refused, EngineError::Condition { id: id("x"), condition, present });
    }
    let missing = engine.submit(&a, only_if(Change::Remove(id("z")), Condition::Present)).unwrap_err();
    assert!(missing.to_string().contains("there is none"), "{missing}");
    assert_eq!(engine.snapshot(&a).unwrap().len(), 1);
    assert_eq!(engine.submit(&a, only_if(put("x"), Condition::Version(1))).unwrap().seq, 2);
}

#[test]
fn conditions_see_the_changes_before_them_in_the_same_submission() {
    let engine = Engine::new();
    let writes = vec![
        only_if(put("x"), Condition::Absent),
        only_if(put("x"), Condition::Version(1)),
        only_if(Change::Remove(id("x")), Condition::Version(2)),
        only_if(put("x"), Condition::Absent),
    ];
    let made = engine.submit(&name("a"), Submission { writes, ..Submission::default() }).unwrap();
    assert_eq!(made.outcomes, [Outcome::Created, Outcome::Replaced, Outcome::Removed, Outcome::Created]);
    assert_eq!(engine.snapshot(&name("a")).unwrap().get("x").unwrap().seq, 4);
}

#[test]
fn a_refused_first_write_makes_no_collection() {
    let engine = Engine::new();
    engine.submit(&name("a"), only_if(put("x"), Condition::Present)).unwrap_err();
    assert!(engine.names().is_empty());
    assert_eq!(engine.submit(&name("a"), put("x")).unwrap().seq, 1);
}

#[test]
fn a_request_with_a_key_is_made_once() {
    let engine = Engine::new();
    let request = || Submission::from(vec![put("x"), Change::Remove(id("z"))]).once(key("k"));
    let first = engine.submit(&name("a"), request()).unwrap();
    let again = engine.submit(&name("a"), request()).unwrap();
    assert_eq!(again, Submitted { repeated: true, ..first.clone() });
    assert_eq!(engine.snapshot(&name("a")).unwrap().seq(), 2);
    let other = engine.submit(&name("a"), Submission::from(put("y")).once(key("k"))).unwrap_err();
    assert_eq!(other, EngineError::KeyReused { key: "k".to_owned() });
    assert!(!engine.submit(&name("b"), request()).unwrap().repeated, "keys belong to a collection");
}

#[test]
fn a_key_used_by_many_threads_at_once_is_used_once() {
    let engine = Engine::new();
    let made: Vec<Submitted> = std::thread::scope(|scope| {
        let submit = || engine.submit(&name("a"), Submission::from(put("x")).once(key("k"))).unwrap();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(submit)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(made.iter().filter(|made| !made.repeated).count(), 1);
    assert!(made.iter().all(|made| made.seq == 1 && made.outcomes == [Outcome::Created]));
}

#[test]
fn a_reader_may_wait_for_a_change_that_is_to_come() {
    let engine = Engine::new();
    engine.submit(&name("a"), put("x")).unwrap();
    let soon = Duration::from_millis(5);
    assert_eq!(engine.snapshot_from(&name("a"), 1, soon).unwrap().seq(), 1);
    let behind = engine.snapshot_from(&name("a"), 2, soon).unwrap_err();
    assert_eq!(behind, EngineError::Behind { asked: 2, seq: 1 });
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| engine.snapshot_from(&name("a"), 2, Duration::from_secs(20)));
        engine.submit(&name("a"), put("y")).unwrap();
        assert_eq!(waiting.join().unwrap().unwrap().seq(), 2);
    });
}

#[test]
fn what_was_accepted_is_there_after_a_restart_with_its_versions() {
    let folder = folder("restart");
    let described = |text: &str| Properties::from_json(text).unwrap();
    for (round, closes) in [(0, false), (1, true), (2, false), (3, true)] {
        let engine = opened(&folder);
        let a = name("a");
        if round > 0 {
            let snapshot = engine.snapshot(&a).unwrap();
            assert_eq!((snapshot.seq(), snapshot.len()), (3 * round, 1 + round as usize));
            assert_eq!(snapshot.get("same").unwrap().seq, 3 * round - 2);
            assert_eq!(snapshot.get("same").unwrap().properties(), format!(r#"{{"n": {}.0}}"#, round - 1));
            assert!(snapshot.get("gone").is_none());
            assert_eq!(engine.ask(&a, &Query::near(Point::new(1.0, 2.0).unwrap())).unwrap().matched, 1 + round);
        }
        let same = Item::new(id("same"), Point::new(1.0, 2.0).unwrap());
        let same = same.with_properties(described(&format!(r#"{{"n": {round}.0}}"#)));
        let changes = vec![Change::Put(same), put(&format!("own-{round}")), Change::Remove(id("gone"))];
        let made = engine.submit(&a, Submission::from(changes).once(key(&round.to_string()))).unwrap();
        assert_eq!((made.seq, made.repeated), (3 * round + 3, false));
        if closes {
            engine.close().unwrap();
            assert_eq!(engine.submit(&a, put("late")), Err(EngineError::Closed));
        }
    }
}

#[test]
fn a_key_is_remembered_over_a_restart() {
    let folder = folder("key");
    let request = || Submission::from(put("x")).once(key("k"));
    let first = opened(&folder).submit(&name("a"), request()).unwrap();
    let again = opened(&folder).submit(&name("a"), request()).unwrap();
    assert_eq!(again, Submitted { repeated: true, ..first });
}

#[test]
fn a_second_engine_on_a_directory_is_refused_and_the_first_goes_on() {
    let folder = folder("second");
    let first = opened(&folder);
    let second = Engine::open(&folder.0, Settings::default()).unwrap_err();
    assert!(matches!(second, OpenError::Home(crate::log::HomeError::Locked { .. })), "{second}");
    assert_eq!(first.submit(&name("a"), put("x")).unwrap().seq, 1);
}

#[test]
fn a_dropped_collection_is_gone_for_good_and_its_name_is_free() {
    let folder = folder("drop");
    let engine = opened(&folder);
    engine.submit(&name("a"), vec![put("x"), put("y")]).unwrap();
    engine.checkpoint().unwrap();
    engine.drop_collection(&name("a")).unwrap();
    assert!(matches!(engine.drop_collection(&name("a")), Err(EngineError::NoCollection { .. })));
    assert_eq!(engine.submit(&name("a"), put("z")).unwrap().seq, 1);
    drop(engine);
    let engine = opened(&folder);
    let snapshot = engine.snapshot(&name("a")).unwrap();
    assert_eq!((snapshot.len(), snapshot.seq()), (1, 1));
}

#[test]
fn items_end_when_their_time_comes_and_stay_gone() {
    let folder = folder("ends");
    let engine = opened(&folder);
    let a = name("a");
    let brief = |text: &str| Item::new(id(text), Point::new(1.0, 2.0).unwrap()).expiring_at(1);
    engine.submit(&a, vec![Change::Put(brief("x")), Change::Put(brief("y")), put("y")]).unwrap();
    let snapshot = engine.snapshot_from(&a, 4, Duration::from_secs(20)).unwrap();
    assert!(snapshot.get("x").is_none() && snapshot.get("y").is_some());
    drop(engine);
    let engine = opened(&folder);
    assert_eq!((engine.snapshot(&a).unwrap().len(), engine.snapshot(&a).unwrap().seq()), (1, 4));
}

/// An engine over a store in memory whose write after the next `after_writes` fails.
fn failing(after_writes: usize, when: When, error: StoreError) -> (Engine, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::over(store.clone(), Settings::default()).unwrap();
    store.arm(Fault { after_writes, when, error });
    (engine, store)
}

fn io() -> StoreError {
    StoreError::Io { doing: "fsync", reason: "input/output error".to_owned() }
}

#[test]
fn after_a_failed_write_nothing_is_acknowledged_or_written_and_reads_go_on() {
    for when in [When::Before, When::After] {
        let (engine, _) = failing(2, when, io());
        for text in ["x", "y"] {
            engine.submit(&name("a"), put(text)).unwrap();
        }
        for _ in 0..2 {
            let refused = engine.submit(&name("a"), put("z")).unwrap_err();
            assert!(refused.to_string().contains("input/output error"), "{refused}");
            assert!(matches!(engine.health(), Health::ReadOnly { .. }));
        }
        assert!(matches!(
            engine.configure(&name("b"), CollectionSettings::default()),
            Err(EngineError::ReadOnly { .. })
        ));
        let snapshot = engine.snapshot(&name("a")).unwrap();
        assert_eq!((snapshot.len(), snapshot.seq()), (2, 2));
        assert_eq!(engine.ask(&name("a"), &Query::near(Point::new(1.0, 2.0).unwrap())).unwrap().matched, 2);
        engine.close().unwrap();
    }
}

#[test]
fn a_full_disk_is_called_so() {
    let (engine, _) = failing(0, When::Before, StoreError::Full { doing: "commit" });
    assert_eq!(engine.submit(&name("a"), put("x")), Err(EngineError::DiskFull));
    assert_eq!(engine.health(), Health::DiskFull);
    assert_eq!(engine.submit(&name("a"), put("x")), Err(EngineError::DiskFull));
}

#[test]
fn a_group_whose_write_fails_is_refused_to_everybody_in_it() {
    let (engine, _) = failing(0, When::After, io());
    let refused = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|at| {
                scope.spawn({
                    let engine = &engine;
                    move || engine.submit(&name("a"), put(&at.to_string())).is_err()
                })
            })
            .collect();
        writers.into_iter().all(|writer| writer.join().unwrap())
    });
    assert!(refused);
    assert!(engine.names().is_empty());
}

#[test]
fn an_engine_over_a_store_finds_everything_again_from_the_log_or_the_rows() {
    let store = Arc::new(MemoryStore::lasting());
    let settings = || Settings { keep_changes: 10, ..Settings::default() };
    for round in 0..3_u64 {
        let engine = Engine::over(store.clone(), settings()).unwrap();
        if round > 0 {
            let snapshot = engine.snapshot(&name("a")).unwrap();
            assert_eq!((snapshot.len() as u64, snapshot.seq()), (round * 3000, round * 3000));
            assert_eq!(snapshot.get("0-7").unwrap().seq, 8);
        }
        for at in 0..30 {
            let batch: Vec<Change> = (0..100).map(|place| put(&format!("{round}-{}", at * 100 + place))).collect();
            engine.submit(&name("a"), batch).unwrap();
        }
    }
}

#[test]
fn other_index_kinds_take_their_place_while_the_collection_is_used() {
    let folder = folder("kinds");
    for engine in [Engine::new(), opened(&folder)] {
        engine.submit(&name("a"), (0..300).map(|at| put(&at.to_string())).collect::<Vec<_>>()).unwrap();
        let rtree = crate::index::Kind::named("rtree").unwrap();
        engine
            .configure(&name("a"), CollectionSettings { kinds: vec![rtree], ..CollectionSettings::default() })
            .unwrap();
        let snapshot = engine.snapshot(&name("a")).unwrap();
        assert_eq!((snapshot.kinds().len(), snapshot.len(), snapshot.seq()), (1, 300, 300));
        assert_eq!(engine.submit(&name("a"), put("0")).unwrap().outcomes, [Outcome::Replaced]);
    }
    assert_eq!(opened(&folder).settings_of(&name("a")).unwrap().kinds.len(), 1);
}

#[test]
fn where_an_interval_is_agreed_on_a_power_cut_takes_no_more_than_its_newest() {
    let store = Arc::new(MemoryStore::new());
    let long = Settings { durability: Durability::Interval(Duration::from_secs(600)), ..Settings::default() };
    let engine = Engine::over(store.clone(), long).unwrap();
    for at in 0..20 {
        engine.submit(&name("a"), put(&at.to_string())).unwrap();
    }
    assert!(store.unsynced() > 0);
    let left = Engine::over(Arc::new(store.crash(7)), Settings::default()).unwrap();
    let snapshot = left.snapshot(&name("a")).unwrap();
    let ids: Vec<String> = snapshot.items().map(|item| item.id().to_owned()).collect();
    assert_eq!((snapshot.len(), ids.iter().all(|id| id.parse::<u64>().unwrap() < 7)), (7, true));
}

#[test]
fn an_item_that_does_not_say_how_long_it_stays_stays_as_long_as_its_collection_has_it() {
    let folder = folder("ttl");
    let engine = opened(&folder);
    let hour = 3_600_000;
    engine.configure(&name("a"), CollectionSettings { ttl_ms: Some(hour), ..CollectionSettings::default() }).unwrap();
    let own = Item::new(id("own"), Point::new(1.0, 2.0).unwrap()).expiring_at(i64::MAX);
    let submission = || Submission::from(vec![put("x"), Change::Put(own.clone())]).once(key("first"));
    let before = commit::now_ms();
    let made = engine.submit(&name("a"), submission()).unwrap();
    let load = || {
        let mut bulk = engine.bulk(&name("a"), Some(key("load"))).unwrap();
        ["l", "m"].iter().for_each(|text| bulk.push(&Item::new(id(text), own.point)).unwrap());
        bulk.push(&own).unwrap();
        bulk.finish().unwrap()
    };
    let loaded = load();
    let ends = |engine: &Engine| {
        let snapshot = engine.snapshot(&name("a")).unwrap();
        ["x", "own", "l", "m"].map(|id| snapshot.get(id).unwrap().expires_at_ms().unwrap())
    };
    let [x, own_end, l, m] = ends(&engine);
    let expected = before + hour as i64..=commit::now_ms() + hour as i64;
    assert!([x, l, m].iter().all(|end| expected.contains(end)) && own_end == i64::MAX, "{x} {l} {m} {own_end}");
    // The end is the clock's and not the request's: later, the same request is still the same.
    std::thread::sleep(Duration::from_millis(2));
    assert!(engine.submit(&name("a"), submission()).unwrap().repeated && !made.repeated);
    assert_eq!(load(), Loaded { repeated: true, ..loaded });
    drop(engine);
    assert_eq!(ends(&opened(&folder)), [x, own_end, l, m], "a start asks no clock");
}
