//! How many changes a second a collection takes that keeps one kind alone: items that come, move and go.
//!
//! What surprises: a turn leaves a collection as large as it was, because what it inserted is what it deletes. Time runs until
//! all is applied and the joins that became due have ended.

use std::time::Instant;

use super::{Course, Spread, id, put};
use crate::collection::{Change, Collection};
use crate::generate::{Random, aside};
use crate::geometry::Point;

/// The most points in each of the collections that change.
const POINTS_MAX: usize = 200_000;

/// Changes of one sort in a turn, at most, and how many of them are applied at once.
const CHANGES_MAX: usize = 10_000;
const BATCH: usize = 100;

/// How far something moves, about.
const STEP_M: f64 = 25.0;

const ROUNDS: std::ops::RangeInclusive<usize> = 5..=9;

/// Changes a second.
pub(super) struct Rates {
    pub(super) inserts_per_s: Spread,
    pub(super) moves_per_s: Spread,
    pub(super) deletes_per_s: Spread,
}

/// How many points stand in each collection.
pub(super) fn point_count(points: usize) -> usize {
    points.min(POINTS_MAX)
}

/// Lets the collections take turns, for about a seventh of the time of the course.
pub(super) fn measure(points: &[Point], course: &Course) -> Vec<Rates> {
    let count = point_count(points.len());
    // Every so-manieth point, so that a part of the data is spread as all of it.
    let part: Vec<Point> = (0..count).map(|place| points[place * points.len() / count]).collect();
    let mut worlds: Vec<World> =
        course.kinds.iter().map(|kind| World::of(&part, Collection::with_kinds([*kind]))).collect();
    let mut random = Random::seeded(course.seed);
    let started = Instant::now();
    for round in 0..*ROUNDS.end() {
        let changes = Turn::draw(&part, round, &mut random);
        for turn in 0..worlds.len() {
            let place = (round + turn) % course.kinds.len();
            worlds[place].take(&changes);
        }
        let spent = started.elapsed().as_secs_f64();
        if round + 1 >= *ROUNDS.start() && spent + spent / (round + 1) as f64 > course.seconds * 0.15 {
            break;
        }
    }
    worlds.into_iter().map(World::rates).collect()
}

/// The changes of one turn, by sort.
struct Turn([Vec<Change>; 3]);

impl Turn {
    fn draw(points: &[Point], round: usize, random: &mut Random) -> Turn {
        let count = CHANGES_MAX.min(points.len());
        let prefix = format!("new{round}-");
        let drawn = |random: &mut Random| random.below(points.len() as u64) as usize;
        let insert = |number| {
            let near = points[drawn(random)];
            put(&prefix, number, aside(near, STEP_M, random))
        };
        let inserts = (0..count).map(insert).collect();
        let moves = (0..count).map(|_| {
            let number = drawn(random);
            put("p", number, aside(points[number], STEP_M, random))
        });
        let moves = moves.collect();
        Turn([inserts, moves, (0..count).map(|number| Change::Remove(id(&prefix, number))).collect()])
    }
}

/// A collection, and how long its turns took.
struct World {
    collection: Collection,
    next_seq: u64,
    rates: [Vec<f64>; 3],
}

impl World {
    fn of(points: &[Point], collection: Collection) -> World {
        collection.apply(1, (0..).zip(points).map(|(number, point)| put("p", number, *point)).collect());
        collection.settle();
        World { collection, next_seq: 1 + points.len() as u64, rates: Default::default() }
    }

    fn take(&mut self, Turn(sorts): &Turn) {
        for (changes, rates) in sorts.iter().zip(&mut self.rates) {
            let batches: Vec<Vec<Change>> = changes.chunks(BATCH).map(<[Change]>::to_vec).collect();
            let started = Instant::now();
            for batch in batches {
                let count = batch.len() as u64;
                self.collection.apply(self.next_seq, batch);
                self.next_seq += count;
            }
            self.collection.settle();
            rates.push(changes.len() as f64 / started.elapsed().as_secs_f64().max(1e-9));
        }
    }

    fn rates(self) -> Rates {
        let [inserts_per_s, moves_per_s, deletes_per_s] = self.rates.map(|rates| Spread::of(&rates));
        Rates { inserts_per_s, moves_per_s, deletes_per_s }
    }
}
