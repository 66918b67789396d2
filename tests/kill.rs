//! Killed with SIGKILL at random moments, again and again: everything acknowledged is there, nothing else, no half batch.
//!
//! The test starts itself as a child that writes with many threads, each noting in a ledger what was acknowledged; kills it;
//! opens the directory itself and holds it against the ledger; and starts the next child where the last one was stopped.
//! What surprises: nothing is random to the judge. What a turn of a writer holds follows from the seed, so the ledger needs only
//! to say how far each writer came.
//!
//! `NIGH_KILLS=500 NIGH_SEED=7 cargo test --release --test kill` is the long form.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nigh::engine::{Engine, Settings};
use nigh::geometry::{Point, Radius};
use nigh::query::Query;

#[path = "kill/history.rs"]
mod history;

use history::{State, Writer, collection};

const WRITERS: u64 = 16;

/// Small enough that checkpoints and their swaps run between two kills.
fn settings() -> Settings {
    Settings {
        checkpoint_changes: 300,
        checkpoint_bytes: 40_000,
        keep_changes: 500,
        reserve_bytes: 0,
        ..Settings::default()
    }
}

fn from_env(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Where writer `number` is: the last turn that was acknowledged.
fn ledger(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("ledger-{number}"))
}

/// Writes until it is killed. Does nothing when it is not started as a child.
#[test]
fn child() {
    let Ok(folder) = std::env::var("NIGH_KILL_FOLDER") else { return };
    let folder = PathBuf::from(folder);
    let seed = from_env("NIGH_KILL_SEED", 0);
    let engine = Engine::open(&folder.join("data"), settings()).unwrap();
    std::thread::scope(|scope| {
        for number in 0..WRITERS {
            let (engine, folder) = (&engine, &folder);
            scope.spawn(move || write_on(engine, folder, Writer { seed, number }));
        }
    });
}

fn write_on(engine: &Engine, folder: &Path, writer: Writer) {
    let path = ledger(folder, writer.number);
    let mut turn: u64 = fs::read_to_string(&path).map_or(0, |text| last_line(&text));
    let mut notes = OpenOptions::new().create(true).append(true).open(path).unwrap();
    loop {
        turn += 1;
        let made = engine.submit(&collection(writer.number), writer.turn(turn)).unwrap();
        assert!(!made.repeated);
        writeln!(notes, "{turn}").unwrap();
    }
}

/// The last whole line of a ledger: a note that was cut short was not made.
fn last_line(text: &str) -> u64 {
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    whole.lines().last().map_or(0, |line| line.parse().unwrap())
}

fn start_child(folder: &Path, seed: u64) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture", "--test-threads=1"]);
    command.env("NIGH_KILL_FOLDER", folder).env("NIGH_KILL_SEED", seed.to_string());
    let said = File::create(folder.join("said")).unwrap();
    command.stdout(Stdio::null()).stderr(said).spawn().unwrap()
}

/// What every writer's items are and how far it came: held against the collections after a kill.
struct Judge {
    seed: u64,
    states: BTreeMap<u64, (u64, State)>,
    not_acknowledged: u64,
}

impl Judge {
    fn judge(&mut self, folder: &Path) {
        let engine = Engine::open(&folder.join("data"), settings()).unwrap();
        for number in 0..WRITERS {
            let writer = Writer { seed: self.seed, number };
            let (turn, state) = self.states.entry(number).or_default();
            let path = ledger(folder, number);
            let acknowledged = fs::read_to_string(&path).map_or(0, |text| last_line(&text));
            while *turn < acknowledged {
                *turn += 1;
                writer.play(state, *turn);
            }
            let snapshot = engine.snapshot(&collection(number));
            let found = snapshot.map(|snapshot| writer.found(&snapshot)).unwrap_or_default();
            if found != *state {
                // One turn may have been made and not been acknowledged any more.
                *turn += 1;
                writer.play(state, *turn);
                self.not_acknowledged += 1;
                assert_eq!(found, *state, "writer {number} after turn {turn}, acknowledged {acknowledged}");
            }
            fs::write(&path, format!("{turn}\n")).unwrap();
        }
        all_kinds_agree(&engine);
    }
}

fn all_kinds_agree(engine: &Engine) {
    for name in engine.names() {
        let snapshot = engine.snapshot(&name).unwrap();
        for (lat, lon, radius) in [(0.0, 0.0, "9000km"), (89.0, 10.0, "3000km"), (-20.0, 179.9, "1500km")] {
            let query = Query::near(Point::new(lat, lon).unwrap()).within(radius.parse::<Radius>().unwrap());
            let compared = query.compare(&snapshot).unwrap();
            assert!(compared.iter().all(|one| one.identical), "{name}");
        }
        let everything = Query::near(Point::new(0.0, 0.0).unwrap()).within("30000km".parse::<Radius>().unwrap());
        assert_eq!(everything.run(&snapshot).unwrap().matched as usize, snapshot.len(), "{name}");
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_invented_however_often_it_is_killed() {
    let (kills, seed) = (from_env("NIGH_KILLS", 30), from_env("NIGH_SEED", 1));
    let folder = std::env::temp_dir().join(format!("nigh-kill-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let mut judge = Judge { seed, states: BTreeMap::new(), not_acknowledged: 0 };
    let mut moments = seed;
    for kill in 1..=kills {
        let mut child = start_child(&folder, seed);
        // The first children are killed while they make the directory.
        moments = (moments ^ moments >> 7).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17);
        let moment = Duration::from_micros(if kill <= 6 { moments % 30_000 } else { 20_000 + moments % 900_000 });
        let until = Instant::now() + moment;
        while Instant::now() < until {
            if let Some(ended) = child.try_wait().unwrap() {
                panic!("kill {kill}: the writers ended by themselves with {ended}: {}", said(&folder));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        judge.judge(&folder);
    }
    let turns: u64 = judge.states.values().map(|(turn, _)| turn).sum();
    let held = judge.not_acknowledged;
    println!(
        "{kills} kills, {turns} batches kept, {held} of them not acknowledged any more; 0 lost, 0 invented, 0 halves"
    );
    assert!(turns > kills, "the writers hardly wrote");
    fs::remove_dir_all(&folder).unwrap();
}

fn said(folder: &Path) -> String {
    fs::read_to_string(folder.join("said")).unwrap_or_default()
}
