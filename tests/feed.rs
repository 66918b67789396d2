//! Every enter and exit exactly once, in order, whatever happens to who writes and who listens.
//!
//! Objects jump over the borders of fences while several writers move, remove and create them and their time runs out. Listeners come and go
//! in the middle of what they are told, the engine stops and starts, and what each of them heard is held against the true history.
//!
//! What surprises: the history needs no clock and no lock. Every writer learns the numbers of its changes, so their order is known when all
//! is over; what stands between them are ends of life.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

#[path = "feed/fences.rs"]
mod fences;
#[path = "feed/listeners.rs"]
mod listeners;
#[path = "feed/truth.rs"]
mod truth;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nigh::collection::{Change, Id, Item, Properties};
use nigh::engine::{CollectionName, CollectionSettings, Durability, Engine, FollowError, Settings};
use nigh::generate::Random;

use fences::Ground;
use listeners::{Heard, Listener, Reader};
use truth::Truth;

const OBJECTS: u64 = 2_000;
const WRITERS: u64 = 3;

fn vans() -> CollectionName {
    "vans".parse().unwrap()
}

fn settings(round: u64) -> Settings {
    let durability = match round % 2 {
        0 => Durability::Interval(Duration::from_millis(5)),
        _ => Durability::Fsync,
    };
    let small =
        Settings { checkpoint_bytes: 100_000, checkpoint_changes: 1_500, load_bytes: 20_000, ..Settings::default() };
    Settings { durability, reserve_bytes: 0, ..small }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

fn random_item(random: &mut Random, ground: &Ground) -> Item {
    let place = ground.places[random.below(ground.places.len() as u64) as usize];
    let id = Id::new(format!("van-{}", random.below(OBJECTS))).unwrap();
    let properties = Properties::from_json(&format!("{{\"n\":{}}}", random.below(1_000_000))).unwrap();
    let item = Item::new(id, place).with_properties(properties);
    if random.once_in(6) { item.expiring_at(now_ms() + random.below(400) as i64) } else { item }
}

fn random_change(random: &mut Random, ground: &Ground) -> Change {
    let item = random_item(random, ground);
    if random.once_in(5) { Change::Remove(item.id) } else { Change::Put(item) }
}

fn write(engine: &Engine, random: &mut Random, ground: &Ground, truth: &Truth) {
    let count = if random.once_in(3) { 1 } else { 1 + random.below(60) };
    let changes: Vec<Change> = (0..count).map(|_| random_change(random, ground)).collect();
    let made = engine.submit(&vans(), changes.clone()).unwrap();
    truth.changed(made.seq + 1 - count, changes);
}

fn load(engine: &Engine, random: &mut Random, ground: &Ground, truth: &Truth) {
    let items: Vec<Item> = (0..1 + random.below(300)).map(|_| random_item(random, ground)).collect();
    let mut bulk = engine.bulk(&vans(), None).unwrap();
    items.iter().for_each(|item| bulk.push(item).unwrap());
    let loaded = bulk.finish().unwrap();
    truth.loaded(loaded.seq + 1 - items.len() as u64, items);
}

/// One life of the engine: writers write, listeners listen at random, and some are far behind when it ends.
fn round(
    path: &Path,
    number: u64,
    ground: &Ground,
    truth: &Truth,
    listeners: &mut [Listener],
    reader: &mut Reader,
    loads: bool,
) {
    let engine = Engine::open(path, settings(number)).unwrap();
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (engine, ended) = (&engine, &ended);
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let mut random = Random::seeded(number * 100 + writer);
                scope.spawn(move || {
                    for turn in 0..60 {
                        write(engine, &mut random, ground, truth);
                        if loads && writer == 0 && turn % 20 == 7 {
                            load(engine, &mut random, ground, truth);
                        }
                    }
                })
            })
            .collect();
        scope.spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                reader.listen(engine);
            }
        });
        for some in listeners.chunks_mut(4) {
            scope.spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    some.iter_mut().for_each(|listener| listener.listen(engine));
                }
            });
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        ended.store(true, Ordering::Relaxed);
    });
    if number.is_multiple_of(3) {
        engine.close().unwrap();
    }
}

/// Lives one after the other; in the last, everybody hears the rest.
fn history(seed: u64, loads: bool) {
    let folder = tempfile::tempdir().unwrap();
    let (ground, truth) = (Ground::new(&mut Random::seeded(seed)), Truth::default());
    Engine::open(folder.path(), settings(0)).unwrap().configure(&vans(), CollectionSettings::default()).unwrap();
    let mut listeners: Vec<Listener> = Vec::new();
    for (at, fence) in (0..).zip(&ground.fences) {
        listeners.push(Listener::new(seed + at, at as usize, fence.clone(), Some(0)));
        listeners.push(Listener::new(seed + 50 + at, at as usize, fence.clone(), None));
    }
    let mut reader = Reader::new(seed);
    for number in 1..=5 {
        round(folder.path(), number, &ground, &truth, &mut listeners, &mut reader, loads);
    }
    let engine = Engine::open(folder.path(), settings(6)).unwrap();
    let begun = Instant::now();
    // Every end of life that is set has come.
    while engine.snapshot(&vans()).unwrap().items().any(|item| item.expires_at_ms().is_some()) {
        assert!(begun.elapsed() < Duration::from_secs(60), "ends of life do not come");
        std::thread::yield_now();
    }
    let snapshot = engine.snapshot(&vans()).unwrap();
    while reader.seq() < snapshot.seq() {
        reader.listen(&engine);
    }
    let story = truth.told(&reader.events, &ground);
    story.ends_as(&snapshot);
    let mut crossings = 0;
    for listener in &mut listeners {
        while listener.resume() != Some(snapshot.seq()) {
            listener.listen(&engine);
        }
        crossings += story.agrees(listener, &ground);
        // Where a list is not at its end it is begun anew, so only one that resumes at a number is about something else.
        let resets = listener.heard.iter().filter(|heard| matches!(heard, Heard::Reset(Some(_)))).count();
        assert_eq!(resets > 0, loads, "{resets} resets of fence {}", listener.fence_number);
    }
    println!("{} changes, {crossings} crossings of {} fences", snapshot.seq(), ground.fences.len());
    assert!(crossings > 10_000);
}

#[test]
fn every_crossing_is_told_exactly_once_and_in_order_across_disconnects_and_restarts() {
    history(1, false);
}

#[test]
fn after_a_load_a_fence_lists_who_is_inside_and_goes_on_from_there() {
    history(2, true);
}

/// What is kept for followers stays, through checkpoints and restarts; what is older is refused with the number that works.
#[test]
fn a_position_that_is_kept_can_be_resumed_and_an_older_one_is_refused_with_the_number() {
    let folder = tempfile::tempdir().unwrap();
    let (ground, truth, mut random) = (Ground::new(&mut Random::seeded(3)), Truth::default(), Random::seeded(3));
    let keeping = Settings { keep_changes: 2_000, ..settings(0) };
    let mut reader = Reader::new(3);
    let mut listener = Listener::new(3, 0, ground.fences[0].clone(), Some(0));
    let mut engine = Engine::open(folder.path(), keeping.clone()).unwrap();
    engine.configure(&vans(), CollectionSettings::default()).unwrap();
    let (begun, mut trimmed) = (Instant::now(), 0);
    while trimmed < 3 {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing was trimmed");
        (0..20).for_each(|_| write(&engine, &mut random, &ground, &truth));
        let head = catch_up(&engine, &mut reader, &mut listener);
        engine.checkpoint().unwrap();
        let oldest = match engine.watch(&vans(), ground.fences[0].clone(), Some(0)) {
            Ok(_) => continue,
            Err(FollowError::Trimmed { since: 0, oldest }) => oldest,
            Err(other) => panic!("{other}"),
        };
        assert!(head > 2_000 && 0 < oldest && oldest <= catch_up(&engine, &mut reader, &mut listener) - 2_000);
        // Nothing waits to be written, so from here only ends of life come, of which there are not so many.
        for _ in 0..2 {
            let mut late = engine.follow(&vans(), head - 1_000).unwrap();
            let mut events = Vec::new();
            while late.seq() < head {
                events.extend(late.next(777).unwrap());
            }
            assert_eq!(events[..1_000], reader.events[head as usize - 1_000..head as usize]);
            drop(engine);
            engine = Engine::open(folder.path(), keeping.clone()).unwrap();
        }
        trimmed += 1;
    }
    let head = catch_up(&engine, &mut reader, &mut listener);
    let story = truth.told(&reader.events, &ground);
    assert!(reader.seq() >= head && story.agrees(&listener, &ground) > 100);
}

/// Everybody hears what there is; the number of the last of it.
fn catch_up(engine: &Engine, reader: &mut Reader, listener: &mut Listener) -> u64 {
    loop {
        let head = engine.snapshot(&vans()).unwrap().seq();
        if reader.seq() == head && listener.resume() == Some(head) {
            return head;
        }
        reader.listen(engine);
        listener.listen(engine);
    }
}
