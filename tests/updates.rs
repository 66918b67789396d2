//! Readers on other threads while a fleet moves: every snapshot is one moment, whole and exact.
//!
//! The history is drawn up before anything runs, so for every sequence number it is known where each vehicle is, and
//! whether it is there at all. Readers hold whatever snapshot they get against that: all of the world on every kind,
//! single vehicles by id, circles, and snapshots kept from long ago while segments are joined under them. What
//! surprises: nothing sleeps. The writer is never more than some batches ahead of the slowest reader, so they meet on
//! any machine; how many moves a second that made is printed and not judged.
#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::collections::HashSet;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nigh::collection::{Change, Collection, Id, Item, ItemRef, Properties, Snapshot};
use nigh::generate::{Fleet, Random};
use nigh::geometry::{METRICS, Point, Radius, Rect};
use nigh::index::{KINDS, Kind};
use nigh::query::{Limit, Query};

const VEHICLES: usize = 11_000;
const CHANGES: usize = 320_000;
/// So many batches the writer may be ahead of every reader's checks.
const LEAD: u64 = 6;
/// The history ends early on a machine too slow to see its end by then.
const LONGEST: Duration = Duration::from_secs(20);

/// What happened to a vehicle: since this change it is there, or nowhere.
#[derive(Debug, Clone, Copy)]
struct Step {
    seq: u64,
    at: Option<Point>,
}

/// All that will happen.
struct History {
    batches: Vec<(u64, Vec<Change>)>,
    ends: HashSet<u64>,
    steps: Vec<Vec<Step>>,
    /// How many vehicles there are after each change.
    there: Vec<usize>,
}

fn id(vehicle: usize) -> Id {
    Id::new(format!("v{vehicle}")).unwrap()
}

fn properties(seq: u64) -> String {
    format!("{{\"step\":{seq}}}")
}

impl History {
    fn drawn_up(seed: u64) -> History {
        let mut random = Random::seeded(seed);
        let mut fleet = Fleet::parked(&mut random, VEHICLES);
        let mut history =
            History { batches: vec![], ends: HashSet::from([0]), steps: vec![vec![]; VEHICLES], there: vec![0] };
        let parked: Vec<Point> = fleet.positions().to_vec();
        history.add(parked.into_iter().enumerate().map(|(vehicle, at)| (vehicle, Some(at))).collect());
        while history.there.len() <= CHANGES {
            let size = if random.once_in(12) { 5_000 + random.below(4_000) } else { 50 + random.below(1_000) };
            let moves = (0..size).map(|_| {
                let (vehicle, at) = fleet.next_move(&mut random);
                (vehicle, (!random.once_in(8)).then_some(at))
            });
            history.add(moves.collect());
        }
        history
    }

    fn add(&mut self, moves: Vec<(usize, Option<Point>)>) {
        let first_seq = self.there.len() as u64;
        let mut changes = Vec::new();
        for (seq, (vehicle, at)) in (first_seq..).zip(moves) {
            let before = self.steps[vehicle].last().is_some_and(|step| step.at.is_some());
            let there = self.there[self.there.len() - 1] + usize::from(at.is_some()) - usize::from(before);
            self.there.push(there);
            self.steps[vehicle].push(Step { seq, at });
            changes.push(match at {
                Some(at) => {
                    let properties = Properties::from_json(&properties(seq)).unwrap();
                    Change::Put(Item::new(id(vehicle), at).with_properties(properties))
                }
                None => Change::Remove(id(vehicle)),
            });
        }
        self.ends.insert(self.there.len() as u64 - 1);
        self.batches.push((first_seq, changes));
    }

    /// Where a vehicle is after the change of that number.
    fn state(&self, vehicle: usize, seq: u64) -> Option<(u64, Point)> {
        let steps = &self.steps[vehicle];
        let before = steps.partition_point(|step| step.seq <= seq);
        let last = steps[..before].last()?;
        Some((last.seq, last.at?))
    }

    fn assert_is(&self, item: &ItemRef<'_>, seq: u64) {
        let vehicle: usize = item.id()[1..].parse().unwrap();
        let Some((put_seq, at)) = self.state(vehicle, seq) else { panic!("at {seq} there is no {item:?}") };
        let expected = (put_seq, at, properties(put_seq));
        assert_eq!((item.seq, item.point(), item.properties().to_owned()), expected, "{} at {seq}", item.id());
    }
}

/// The whole world on one kind: every vehicle that is there, once, where it last went.
fn assert_world(history: &History, snapshot: &Arc<Snapshot>, kind: &'static Kind) {
    let seq = snapshot.seq();
    let mut query = Query::in_rect(Rect::WORLD).on(kind).in_pages_of(Limit::new(10_000).unwrap());
    let (mut last, mut count) = (String::new(), 0);
    loop {
        let page = query.run(snapshot).unwrap();
        assert_eq!(page.matched, history.there[seq as usize] as u64, "{} at {seq}", kind.name);
        for hit in page.hits() {
            assert!(last.as_str() < hit.item.id(), "{} after {last} on {} at {seq}", hit.item.id(), kind.name);
            hit.item.id().clone_into(&mut last);
            history.assert_is(&hit.item, seq);
            count += 1;
        }
        match page.next {
            Some(next) => query = query.after(next),
            None => break,
        }
    }
    assert_eq!((count, snapshot.len()), (history.there[seq as usize], history.there[seq as usize]));
}

fn assert_vehicles(history: &History, snapshot: &Snapshot, random: &mut Random) {
    for _ in 0..200 {
        let vehicle = random.below(VEHICLES as u64) as usize;
        match (snapshot.get(id(vehicle).as_str()), history.state(vehicle, snapshot.seq())) {
            (Some(item), Some(_)) => history.assert_is(&item, snapshot.seq()),
            (None, None) => {}
            (found, expected) => panic!("v{vehicle} at {}: {found:?} for {expected:?}", snapshot.seq()),
        }
    }
}

/// A circle round a vehicle: exactly those that are within at that moment.
fn assert_circle(history: &History, snapshot: &Arc<Snapshot>, random: &mut Random, kind: &'static Kind) {
    let seq = snapshot.seq();
    let centre = history.steps[random.below(VEHICLES as u64) as usize][0].at.unwrap();
    let (metric, radius_m) = (METRICS[0], random.magnitude(10.0, 2e6));
    let within = |at: &Point| metric.distance_m(&centre.unit(), &at.unit()) <= radius_m;
    let there = (0..VEHICLES).filter(|&vehicle| history.state(vehicle, seq).is_some_and(|(_, at)| within(&at)));
    let query = Query::near(centre).within(Radius::from_metres(radius_m).unwrap()).on(kind);
    // Of more than a page the rest is counted without being looked at.
    let answer = query.in_pages_of(Limit::new(20).unwrap()).run(snapshot).unwrap();
    assert_eq!(answer.matched, there.count() as u64, "{} at {seq}", kind.name);
    answer.hits().for_each(|hit| history.assert_is(&hit.item, seq));
}

/// How far a reader is. A reader that ends, well or badly, holds nobody up.
struct Progress<'a>(&'a AtomicU64);

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.0.store(u64::MAX, Ordering::Release);
    }
}

/// Checks snapshot after snapshot until the writer is through, and the last one. Moments never go backwards.
fn read(collection: &Collection, written: &AtomicU64, checks: &AtomicU64, mut check: impl FnMut(Arc<Snapshot>)) {
    let progress = Progress(checks);
    let mut last_seq = 0;
    loop {
        let through = written.load(Ordering::Acquire) == u64::MAX;
        let snapshot = collection.snapshot();
        assert!(snapshot.seq() >= last_seq, "{} after {last_seq}", snapshot.seq());
        last_seq = snapshot.seq();
        check(snapshot);
        progress.0.fetch_add(1, Ordering::AcqRel);
        if through {
            return;
        }
    }
}

/// Applies batch by batch, never far ahead of the readers; returns the moves made and the time spent in `apply`.
fn write(collection: &Collection, history: &History, readers: &[AtomicU64]) -> (usize, Duration) {
    let (began, mut busy, mut moves) = (Instant::now(), Duration::ZERO, 0);
    for (number, (first_seq, changes)) in (0_u64..).zip(&history.batches) {
        while readers.iter().any(|checks| checks.load(Ordering::Acquire) < number.saturating_sub(LEAD) / 2) {
            std::thread::yield_now();
        }
        let changes = changes.clone();
        moves += changes.len();
        let started = Instant::now();
        collection.apply(*first_seq, changes);
        busy += started.elapsed();
        if began.elapsed() > LONGEST {
            break;
        }
    }
    (moves, busy)
}

#[test]
fn every_snapshot_is_one_moment_while_a_fleet_moves() {
    let seed = std::env::var("NIGH_SEED").map_or(1, |text| text.parse().expect("NIGH_SEED is a number"));
    let history = History::drawn_up(seed);
    let collection = Collection::with_kinds(KINDS);
    let written = AtomicU64::new(0);
    let checks: [AtomicU64; 3] = Default::default();
    let (moves, busy) = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut kinds = KINDS.iter().cycle();
            read(&collection, &written, &checks[0], |snapshot| {
                assert!(history.ends.contains(&snapshot.seq()), "{} is amid a batch", snapshot.seq());
                assert_world(&history, &snapshot, kinds.next().unwrap());
            });
        });
        scope.spawn(|| {
            let (mut random, mut kinds) = (Random::seeded(seed ^ 1), KINDS.iter().cycle());
            read(&collection, &written, &checks[1], |snapshot| {
                assert_vehicles(&history, &snapshot, &mut random);
                assert_circle(&history, &snapshot, &mut random, kinds.next().unwrap());
            });
        });
        scope.spawn(|| {
            let (mut held, mut kinds) = (Vec::new(), KINDS.iter().cycle());
            read(&collection, &written, &checks[2], |snapshot| {
                held.push(snapshot);
                // Looks at one from the beginning, one from the middle, and lets go of half now and then.
                assert_world(&history, &held[0], kinds.next().unwrap());
                assert_world(&history, &held[held.len() / 2], kinds.next().unwrap());
                if held.len() > 12 {
                    let mut place = 0;
                    held.retain(|_| (place += 1, place % 2 == 1).1);
                }
            });
        });
        let result = write(&collection, &history, &checks);
        written.store(u64::MAX, Ordering::Release);
        result
    });
    collection.settle();
    for kind in KINDS {
        assert_world(&history, &collection.snapshot(), kind);
    }
    let per_second = moves as f64 / busy.as_secs_f64();
    // Written past the capture of the test harness: how much was done is part of the result.
    let told = format!("updates: NIGH_SEED={seed}, {moves} moves, {per_second:.0} a second while applying");
    writeln!(std::io::stderr(), "{told}").unwrap();
}
