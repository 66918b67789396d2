//! Pieces of a log that makes trouble, and a follower from its first word to its last.

use std::sync::atomic::AtomicU64;
use std::task::{Wake, Waker};

use super::*;
use crate::collection::Properties;
use crate::engine::{CollectionSettings, Settings};
use crate::generate::Random;
use crate::geometry::Point;
use crate::log::{Batch, Frame, Load, MemoryStore, Sim, Sync, Trouble};

fn name(text: &str) -> CollectionName {
    text.parse().unwrap()
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn point(lat_deg: f64) -> Point {
    Point::new(lat_deg, 2.0).unwrap()
}

fn item(text: &str, lat_deg: f64) -> Item {
    Item::new(id(text), point(lat_deg))
}

fn put(text: &str, lat_deg: f64) -> Change {
    Change::Put(item(text, lat_deg))
}

/// A woken task only counts.
#[derive(Default)]
struct Count(AtomicU64);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A log with loads in it, and what it should tell.
fn troubled(seed: u64) -> (Sim, Vec<ChangeEvent>) {
    let trouble = Trouble { repeats: 3, cuts: 2, delays: 3, ..Trouble::default() };
    let (log, mut random) = (Sim::seeded(seed, trouble, Arc::new(MemoryStore::new())), Random::seeded(seed));
    let (mut told, mut first_seq) = (Vec::new(), 1);
    for _ in 0..40 {
        let count = 1 + random.below(30);
        let entry = if random.once_in(6) {
            let what = Happened::Loaded { first_seq, items: count };
            told.push(ChangeEvent { seq: first_seq + count - 1, what });
            Entry::Load(Load { items: count, segments: vec![1], checksum: 2 })
        } else {
            let step = |seq: u64| Step { change: put("a", (seq % 90) as f64), was: Was::At(point(1.0)) };
            let steps: Vec<Step> = (first_seq..first_seq + count).map(step).collect();
            told.extend(
                steps.iter().cloned().zip(first_seq..).map(|(step, seq)| ChangeEvent { seq, what: happened(step) }),
            );
            Entry::Changes(steps)
        };
        log.append(&[Frame { stream: 3, first_seq, entry }], Batch::new(), Sync::Now).unwrap();
        first_seq += count;
    }
    (log, told)
}

#[test]
fn a_log_that_repeats_itself_cuts_and_ends_early_is_told_once_and_in_order() {
    for seed in 0..200 {
        let (log, expected) = troubled(seed);
        let (mut random, head, mut told) = (Random::seeded(seed), log.head(3).unwrap(), Vec::<ChangeEvent>::new());
        while told.last().is_none_or(|last| last.seq < head) {
            let after = told.last().map_or(0, |last| last.seq);
            let until = (after + random.below(60)).min(head);
            let most = 1 + random.below(40) as usize;
            let events = piece(&log, 3, after, until, most).unwrap();
            assert!(events.len() <= most && events.iter().all(|event| event.seq <= until), "seed {seed}");
            told.extend(events);
        }
        assert_eq!(told, expected, "seed {seed}");
    }
}

#[test]
fn what_happened_to_an_item_is_told_with_where_it_was() {
    let engine = Engine::new();
    engine.submit(&name("a"), vec![put("x", 1.0), put("x", 2.0)]).unwrap();
    engine.submit(&name("a"), vec![put("x", 3.0), Change::Remove(id("x")), Change::Remove(id("x"))]).unwrap();
    engine.submit(&name("a"), Change::Put(item("y", 4.0).expiring_at(i64::MAX))).unwrap();
    engine.submit(&name("a"), Change::Expire { id: id("y"), put_seq: 6 }).unwrap();
    let told: Vec<Happened> =
        engine.follow(&name("a"), 0).unwrap().next(100).unwrap().into_iter().map(|e| e.what).collect();
    let at = |lat_deg| Was::At(point(lat_deg));
    assert_eq!(
        told,
        [
            Happened::Put { item: item("x", 1.0), was: Was::Nowhere },
            Happened::Put { item: item("x", 2.0), was: at(1.0) },
            Happened::Put { item: item("x", 3.0), was: at(2.0) },
            Happened::Removed { id: id("x"), was: at(3.0) },
            Happened::Removed { id: id("x"), was: Was::Nowhere },
            Happened::Put { item: item("y", 4.0).expiring_at(i64::MAX), was: Was::Nowhere },
            Happened::Expired { id: id("y"), was: at(4.0) },
        ]
    );
}

#[test]
fn pieces_of_large_items_end_early_and_lose_nothing() {
    let engine = Engine::new();
    let text = format!("{{\"a\":\"{}\"}}", "x".repeat(60_000));
    let large = item("x", 1.0).with_properties(Properties::from_json(&text).unwrap());
    for _ in 0..50 {
        engine.submit(&name("a"), Change::Put(large.clone())).unwrap();
    }
    let mut follower = engine.follow(&name("a"), 0).unwrap();
    let pieces: Vec<usize> = (0..4).map(|_| follower.next(1000).unwrap().len()).collect();
    assert_eq!((pieces, follower.seq()), (vec![18, 18, 14, 0], 50));
    assert_eq!(engine.follow(&name("a"), 0).unwrap().next(0).unwrap().len(), 1);
}

#[test]
fn a_task_is_woken_once_by_what_comes_and_by_the_end() {
    let engine = Engine::new();
    engine.submit(&name("a"), put("x", 1.0)).unwrap();
    let (count, mut follower) = (Arc::new(Count::default()), engine.follow(&name("a"), 0).unwrap());
    let waker = Waker::from(count.clone());
    let (mut context, woken) = (Context::from_waker(&waker), || count.0.load(Ordering::SeqCst));
    assert!(follower.poll_moved(&mut context).is_ready());
    follower.next(10).unwrap();
    assert!((0..3).all(|_| follower.poll_moved(&mut context).is_pending()));
    assert!(!follower.wait(Duration::ZERO));
    engine.submit(&name("b"), put("x", 1.0)).unwrap();
    assert_eq!(woken(), 0);
    engine.submit(&name("a"), vec![put("y", 1.0), put("z", 1.0)]).unwrap();
    assert!(woken() == 1 && follower.poll_moved(&mut context).is_ready() && follower.wait(Duration::ZERO));
    engine.submit(&name("a"), put("y", 2.0)).unwrap();
    assert_eq!((woken(), follower.next(10).unwrap().len()), (1, 3));
    assert!(follower.poll_moved(&mut context).is_pending());
    drop(engine);
    assert!(woken() == 2 && follower.poll_moved(&mut context).is_ready());
    assert_eq!(follower.next(10), Err(EngineError::Closed.into()));
}

#[test]
fn a_follower_that_goes_leaves_no_waker() {
    let engine = Engine::new();
    engine.configure(&name("a"), CollectionSettings::default()).unwrap();
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let follower = engine.follow(&name("a"), 0).unwrap();
    assert!(follower.poll_moved(&mut Context::from_waker(&waker)).is_pending());
    drop((follower, waker));
    assert_eq!(Arc::strong_count(&count), 1);
}

#[test]
fn a_thread_that_waits_is_woken() {
    let engine = Engine::new();
    engine.configure(&name("a"), CollectionSettings::default()).unwrap();
    let follower = engine.follow(&name("a"), 0).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| follower.wait(Duration::from_secs(60)));
        engine.submit(&name("a"), put("x", 1.0)).unwrap();
        assert!(waiting.join().unwrap());
    });
}

#[test]
fn who_follows_what_is_not_there_is_told_what_is() {
    let engine = Engine::new();
    engine.submit(&name("a"), put("x", 1.0)).unwrap();
    assert_eq!(engine.follow(&name("a"), 2).unwrap_err(), FollowError::Ahead { since: 2, head: 1 });
    assert!(matches!(engine.follow(&name("b"), 0), Err(FollowError::Engine(EngineError::NoCollection { .. }))));
    let mut follower = engine.follow(&name("a"), 1).unwrap();
    engine.drop_collection(&name("a")).unwrap();
    engine.submit(&name("a"), vec![put("x", 1.0), put("y", 1.0)]).unwrap();
    assert!(follower.wait(Duration::ZERO));
    assert_eq!(follower.next(10), Err(FollowError::Dropped { name: name("a") }));
    assert_eq!(engine.follow(&name("a"), 0).unwrap().next(10).unwrap().len(), 2);
}

/// The number it names is the least that works, and what should be kept is.
#[test]
fn who_fell_behind_is_told_from_where_to_go_on() {
    let engine = Engine::over(Arc::new(MemoryStore::lasting()), Settings { keep_changes: 500, ..Settings::default() });
    let engine = engine.unwrap();
    let mut early = (engine.submit(&name("a"), put("x", 1.0)).unwrap().seq, None);
    let mut follower = engine.follow(&name("a"), early.0).unwrap();
    let begun = std::time::Instant::now();
    while early.1.is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing was trimmed");
        engine.submit(&name("a"), (0..100).map(|at| put("x", f64::from(at % 90))).collect::<Vec<_>>()).unwrap();
        let head = engine.snapshot(&name("a")).unwrap().seq();
        assert_eq!(
            engine.follow(&name("a"), head.saturating_sub(500)).unwrap().next(1000).unwrap().len() as u64,
            head.min(500)
        );
        early.1 = engine.follow(&name("a"), early.0).err();
    }
    let Some(FollowError::Trimmed { since: 1, oldest }) = early.1 else { panic!("{early:?}") };
    assert!(oldest >= 1000, "{oldest}");
    let Err(FollowError::Trimmed { since: 1, oldest: later }) = follower.next(10) else { panic!("it was trimmed") };
    assert!(later >= oldest && follower.seq() == 1);
    // It may be trimmed further while we look, but not for long: nothing comes any more.
    let mut least = later;
    let mut from = engine.follow(&name("a"), least);
    while let Err(FollowError::Trimmed { oldest, .. }) = from {
        (least, from) = (oldest, engine.follow(&name("a"), oldest));
    }
    assert_eq!(from.unwrap().next(1).unwrap()[0].seq, least + 1);
    let Err(FollowError::Trimmed { since, oldest }) = engine.follow(&name("a"), least - 1) else { panic!("{least}") };
    assert!(since == least - 1 && oldest >= least);
}

/// The rows know it as well.
#[test]
fn where_an_item_was_is_known_though_its_segment_file_is_damaged() {
    let folder = std::env::temp_dir().join(format!("nigh-engine-follow-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let settings = || Settings { reserve_bytes: 0, ..Settings::default() };
    let engine = Engine::open(&folder, settings()).unwrap();
    engine
        .submit(&name("a"), (0..500).map(|at| put(&at.to_string(), f64::from(at) / 9.0)).collect::<Vec<_>>())
        .unwrap();
    engine.close().unwrap();
    drop(engine);
    for file in std::fs::read_dir(folder.join("segments/1")).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "segment") {
            let mut bytes = std::fs::read(&file).unwrap();
            let body = u64::from_le_bytes(bytes[32..40].try_into().unwrap()) as usize;
            bytes[body..].iter_mut().for_each(|byte| *byte ^= 0x55);
            std::fs::write(&file, bytes).unwrap();
        }
    }
    let engine = Engine::open(&folder, settings()).unwrap();
    engine.submit(&name("a"), vec![put("7", 80.0), Change::Remove(id("nobody"))]).unwrap();
    let told = engine.follow(&name("a"), 500).unwrap().next(10).unwrap();
    assert_eq!(told[0].what, Happened::Put { item: item("7", 80.0), was: Was::At(point(7.0 / 9.0)) });
    assert_eq!(told[1].what, Happened::Removed { id: id("nobody"), was: Was::Nowhere });
    drop(engine);
    std::fs::remove_dir_all(&folder).unwrap();
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// A change may come between the look and the waker.
#[test]
fn no_change_goes_by_unnoticed_while_a_task_is_about_to_sleep() {
    let engine = Engine::new();
    engine.configure(&name("a"), CollectionSettings::default()).unwrap();
    let (heard, may_write) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let engine = &engine;
        scope.spawn(move || {
            while may_write.recv().is_ok() {
                engine.submit_then(&name("a"), put("x", 1.0), drop).unwrap();
            }
        });
        let mut follower = engine.follow(&name("a"), 0).unwrap();
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        for round in 1..=20_000 {
            heard.send(()).unwrap();
            let until = std::time::Instant::now() + Duration::from_secs(20);
            while follower.poll_moved(&mut Context::from_waker(&waker)).is_pending() {
                std::thread::park_timeout(Duration::from_secs(20));
                assert!(std::time::Instant::now() < until, "change {round} was slept through");
            }
            assert_eq!((follower.next(10).unwrap().len(), follower.seq()), (1, round));
        }
        drop(heard);
    });
}
