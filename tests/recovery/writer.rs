//! A program that writes through the engine and tells what each change was answered, and how reads and health were after a
//! refusal.
//!
//! What surprises: it frees the full disk itself. Once it is refused for want of room it makes the file `freed`, at which a rule
//! may rest, and waits for the engine to resume in the same process.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nigh::collection::Change;
use nigh::engine::{Durability, Engine, EngineError, Health, Settings};
use nigh::geometry::{Point, Radius};
use nigh::query::Query;

use super::lives::{all_kinds_agree, directory, name, settings};
use super::program::{Note, Stage};
use super::promises::Ledger;
use super::script::{found, item};

/// A checkpoint comes after so many changes.
const CHECKPOINT_EVERY: u64 = 20;

pub(crate) const CHANGES: u64 = 70;

/// Where a stage's program says that there is room again.
pub(crate) fn freed(stage: &Stage) -> PathBuf {
    stage.ledger().with_file_name("freed")
}

fn everywhere() -> Query {
    Query::near(Point::new(0.0, 0.0).unwrap()).within("30000km".parse::<Radius>().unwrap())
}

/// Only the checkpoints that it asks for, so that its writes can be counted.
fn quiet() -> Settings {
    Settings { checkpoint_bytes: u64::MAX, checkpoint_changes: u64::MAX, ..settings(Durability::Fsync) }
}

fn health(engine: &Engine) -> &'static str {
    match engine.health() {
        Health::Ready => "Ready",
        Health::DiskFull => "DiskFull",
        Health::ReadOnly { .. } => "ReadOnly",
        Health::Closing => "Closing",
    }
}

/// The program: puts items one by one. After a first refusal it reads, and waits some seconds where the disk is full.
pub(crate) fn write(root: &Path) {
    let mut ledger = Ledger::open();
    let engine = match Engine::open(&directory(root), quiet()) {
        Ok(engine) => engine,
        Err(error) => return ledger.line(&format!("unopened {error}\n")),
    };
    let mut refused = false;
    for number in 1..=CHANGES {
        ledger.accepted(number);
        match engine.submit(&name("places"), Change::Put(item(number, 1))) {
            Ok(_) => ledger.acknowledged(number),
            Err(error) => {
                ledger.line(&format!("refused {number} {error}\n"));
                if !std::mem::replace(&mut refused, true) {
                    after_refusal(&engine, &mut ledger);
                }
            }
        }
        if number % CHECKPOINT_EVERY == 0 {
            let written = engine.checkpoint();
            ledger.line(&format!("checkpoint {}\n", written.is_ok()));
        }
    }
    let asked = engine.ask(&name("places"), &everywhere()).map_or(0, |answer| answer.matched);
    ledger.line(&format!("asked {asked}\nhealth {}\n", health(&engine)));
}

fn after_refusal(engine: &Engine, ledger: &mut Ledger) {
    let asked = engine.ask(&name("places"), &everywhere()).map_or(0, |answer| answer.matched);
    ledger.line(&format!("read {asked}\nwas {}\n", health(engine)));
    if health(engine) != "DiskFull" {
        return;
    }
    let freed = PathBuf::from(std::env::var_os("DISK_LEDGER").unwrap()).with_file_name("freed");
    fs::write(freed, "").unwrap();
    let begin = Instant::now();
    while engine.health() != Health::Ready && begin.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
    ledger.line(&format!("resumed {}\n", health(engine)));
}

/// The program while each sync takes long: asks all the time, and hands in more than the queue takes.
pub(crate) fn write_slowly(root: &Path) {
    let ledger = Arc::new(Mutex::new(Ledger::open()));
    let engine = Engine::open(&directory(root), Settings { queue: 8, ..quiet() }).unwrap();
    engine.submit(&name("places"), (0..500).map(|number| Change::Put(item(number, 1))).collect::<Vec<_>>()).unwrap();
    let (slowest_us, asked, busy) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let until = Instant::now() + Duration::from_millis(1200);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while Instant::now() < until {
                let begin = Instant::now();
                engine.ask(&name("places"), &everywhere()).unwrap();
                asked.fetch_add(1, Ordering::SeqCst);
                slowest_us.fetch_max(begin.elapsed().as_micros() as u64, Ordering::SeqCst);
            }
        });
        let mut number = 1000;
        while Instant::now() < until {
            number += 1;
            let own = ledger.clone();
            let then =
                move |made: Result<_, EngineError>| made.map(|_| own.lock().unwrap().acknowledged(number)).unwrap();
            match engine.submit_then(&name("places"), Change::Put(item(number, 1)), then) {
                Ok(()) => {}
                Err(EngineError::Busy) => {
                    busy.fetch_add(1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(other) => panic!("{other}"),
            }
        }
    });
    drop(engine); // what waits is finished
    let [slowest_us, asked, busy] = [slowest_us, asked, busy].map(AtomicU64::into_inner);
    ledger.lock().unwrap().line(&format!("slowest_us {slowest_us}\nasked {asked}\nbusy {busy}\n"));
}

/// The numbers behind a word in a ledger.
pub(crate) fn numbers(notes: &[Note], word: &str) -> Vec<u64> {
    let behind = notes.iter().filter_map(|note| note.0.strip_prefix(word)?.strip_prefix(' '));
    behind.filter_map(|rest| rest.split(' ').next()?.parse().ok()).collect()
}

/// The last text behind a word in a ledger.
pub(crate) fn last<'a>(notes: &'a [Note], word: &str) -> Option<&'a str> {
    notes.iter().rev().find_map(|note| note.0.strip_prefix(word)?.strip_prefix(' '))
}

/// Opens without faults what the program left: everything acknowledged is there, nothing that was never handed in, and it goes on.
pub(crate) fn check(stage: &Stage) {
    let notes = stage.notes();
    let engine = Engine::open(&directory(&stage.root()), quiet()).unwrap();
    assert_eq!(engine.health(), Health::Ready, "{notes:?}");
    all_kinds_agree(&engine).unwrap();
    let acknowledged = numbers(&notes, "acknowledged");
    let is_there = |number: u64| {
        let snapshot = engine.snapshot(&name("places")).ok()?;
        let found = snapshot.get(item(number, 1).id.as_str())?;
        assert_eq!(found.properties(), item(number, 1).properties.as_json());
        Some(())
    };
    for number in &acknowledged {
        assert!(is_there(*number).is_some(), "{number} was acknowledged and is lost: {notes:?}");
    }
    let world = found(&engine).unwrap();
    let accepted = numbers(&notes, "accepted").len().max(acknowledged.len() + 500);
    assert!(world.values().all(|held| held.seq as usize <= accepted), "{notes:?}");
    engine.submit(&name("places"), Change::Put(item(5000, 1))).unwrap();
    engine.close().unwrap();
}
