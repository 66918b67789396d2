//! Every index kind × every metric × every form of query × random histories, against a plain scan of a plain map.
//!
//! The scan shares no code with the library: haversine by its formula, the ellipsoid by GeographicLib, boxes, geohashes
//! and polygons by their definitions. All kinds must answer alike to the bit, and like the scan but for a stated band of
//! rounding. Points come from the library's own generators of trouble.
//!
//! Every run is made of *worlds*, each a history of its own. The seed is printed; `NIGH_SEED` sets it, and with
//! `NIGH_PARITY_WORLD` only that one world runs. `NIGH_PARITY_QUERIES` sets the number of questions; each of them is
//! asked on every kind, and many of them in pages as well.

#[path = "parity/asking.rs"]
mod asking;
#[path = "parity/check.rs"]
mod check;
#[path = "parity/drawing.rs"]
mod drawing;
#[path = "parity/earth.rs"]
mod earth;
#[path = "parity/history.rs"]
mod history;
#[path = "parity/model.rs"]
mod model;
#[path = "parity/properties.rs"]
mod properties;
#[path = "parity/questions.rs"]
mod questions;
#[path = "parity/regions.rs"]
mod regions;
#[path = "parity/shapes.rs"]
mod shapes;
#[path = "parity/walks.rs"]
mod walks;

use std::collections::BTreeMap;
use std::io::Write;
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use history::History;
use questions::random_question;
use walks::Walk;

/// How many questions a world is asked: over its rounds, each after some batches of changes.
const QUESTIONS: u64 = 400;
const ROUNDS: u64 = 8;

/// How many questions were asked, by form.
type Counts = BTreeMap<&'static str, u64>;

fn from_environment<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

#[test]
fn every_kind_answers_like_a_plain_scan_whatever_happened_before() {
    let seed = from_environment("NIGH_SEED").unwrap_or(1);
    let questions: u64 = from_environment("NIGH_PARITY_QUERIES").unwrap_or(100_000);
    let worlds = match from_environment("NIGH_PARITY_WORLD") {
        Some(world) => world..world + 1,
        None => 0..questions.div_ceil(QUESTIONS),
    };
    let (next, total) = (AtomicU64::new(worlds.start), Mutex::new(Counts::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let _stop = StopOnPanic { next: &next, end: worlds.end };
                loop {
                    let world = next.fetch_add(1, Ordering::Relaxed);
                    if world >= worlds.end {
                        return;
                    }
                    let counts = live_through(seed, world);
                    let mut total = total.lock().unwrap();
                    counts.into_iter().for_each(|(form, count)| *total.entry(form).or_default() += count);
                }
            });
        }
    });
    // Written past the capture of the test harness: how much was asked is part of the result.
    let total = total.into_inner().unwrap();
    writeln!(std::io::stderr(), "parity: NIGH_SEED={seed}, worlds {worlds:?}, asked {total:?}").unwrap();
}

/// When one thread has found a difference, the others need not go on.
struct StopOnPanic<'a> {
    next: &'a AtomicU64,
    end: u64,
}

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.next.store(self.end, Ordering::Relaxed);
        }
    }
}

/// One history from its first change to its last, questioned all the way.
fn live_through(seed: u64, world: u64) -> Counts {
    let mut history = History::new(seed, world);
    let told = format!("NIGH_SEED={seed} NIGH_PARITY_WORLD={world} ({}, {})", history.generator.name, history.size());
    let mut counts = Counts::new();
    let mut walks: Vec<Walk> = Vec::new();
    history.fill();
    let mut held = history.advance();
    for round in 0..ROUNDS {
        let now = history.advance();
        for number in 0..QUESTIONS / ROUNDS {
            let question = random_question(&mut history);
            // One in ten asks a moment that others have long left behind.
            let (snapshot, model) = if number % 10 == 9 { &held } else { &now };
            if let Err(wrong) = asking::ask(&question, snapshot, model, &mut history.random) {
                panic!("{told}, round {round}: {wrong}\n{question:?}");
            }
            question.forms().into_iter().for_each(|form| *counts.entry(form).or_default() += 1);
            *counts.entry("questions").or_default() += 1;
            if number % 25 == 0 {
                walks.push(Walk::new(question, model_of(&now)));
            }
        }
        read_on(&mut walks, &now, &mut history, &told);
        if round % 3 == 2 {
            held = now;
        }
    }
    history.collection.settle();
    let last = (history.collection.snapshot(), history.model.clone());
    while !walks.is_empty() {
        read_on(&mut walks, &last, &mut history, &told);
    }
    counts
}

type Moment = (std::sync::Arc<nigh::collection::Snapshot>, model::Model);

fn model_of(moment: &Moment) -> &model::Model {
    &moment.1
}

/// Every reader reads one page; those that are through leave.
fn read_on(walks: &mut Vec<Walk>, (snapshot, model): &Moment, history: &mut History, told: &str) {
    for walk in walks.iter_mut() {
        if let Err(wrong) = walk.read_on(snapshot, model, &mut history.random) {
            panic!("{told}: {wrong}\n{walk:?}");
        }
    }
    walks.retain(|walk| !walk.has_ended());
}
