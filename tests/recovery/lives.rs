//! The engine as a program that plays a script, and what is asked of the directory it leaves.
//!
//! What surprises: the check plays on. An engine that shows the right items and then gives the next change a wrong number, or
//! makes a request twice that it had answered, has not come back.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nigh::engine::{CollectionName, CollectionSettings, Durability, Engine, EngineError, Health, OpenError, Settings};
use nigh::geometry::{Point, Radius};
use nigh::log::HomeError;
use nigh::query::Query;

use super::program::Note;
use super::promises::{Ledger, promised};
use super::script::{Script, Step, first_life, found, second_life};

/// Small, so that checkpoints, joins and trims happen among some thousand changes.
pub(crate) fn settings(durability: Durability) -> Settings {
    Settings {
        durability,
        checkpoint_bytes: 40_000,
        checkpoint_changes: 200,
        keep_changes: 20,
        load_bytes: 25_000,
        reserve_bytes: 0,
        ..Settings::default()
    }
}

/// A moment that a power cut may take.
pub(crate) const INTERVAL: Durability = Durability::Interval(Duration::from_millis(30));

pub(crate) fn whole_script() -> Script {
    Script::new([first_life(), second_life()].concat())
}

pub(crate) fn directory(root: &Path) -> PathBuf {
    root.join("data")
}

pub(crate) fn name(text: &str) -> CollectionName {
    text.parse().expect("the script's names are sound")
}

/// The program: goes on after the last step that is there, up to this one; `closes` at its end.
pub(crate) fn live(root: &Path, durability: Durability, until: usize, closes: bool) {
    let script = whole_script();
    let mut player = Player { ledger: Arc::new(Mutex::new(Ledger::open())), waiting: Vec::new(), durability };
    let engine = Engine::open(&directory(root), settings(durability)).unwrap();
    let there = script.place_of(&found(&engine).unwrap(), 0, until as u64).unwrap() as usize;
    for place in there..until {
        player.play(&engine, place as u64 + 1, &script.steps[place]);
    }
    player.wait();
    if closes {
        engine.close().unwrap();
        player.note("durable", until as u64);
    }
}

struct Player {
    ledger: Arc<Mutex<Ledger>>,
    waiting: Vec<Receiver<()>>,
    durability: Durability,
}

impl Player {
    fn note(&self, word: &str, number: u64) {
        self.ledger.lock().unwrap().line(&format!("{word} {number}\n"));
    }

    fn wait(&mut self) {
        self.waiting.drain(..).for_each(|answer| answer.recv().unwrap());
    }

    fn play(&mut self, engine: &Engine, number: u64, step: &Step) {
        if let Step::Hurry(to, submission) = step {
            let (sender, answer) = sync_channel(1);
            let ledger = self.ledger.clone();
            self.waiting.push(answer);
            self.note("accepted", number);
            let then = move |made: Result<_, _>| {
                made.unwrap();
                ledger.lock().unwrap().acknowledged(number);
                sender.send(()).unwrap();
            };
            return engine.submit_then(&name(to), submission.clone(), then).unwrap();
        }
        self.wait();
        self.note("accepted", number);
        play(engine, step).unwrap();
        self.note("acknowledged", number);
        let is_synced = matches!(step, Step::Checkpoint | Step::Rest) || self.durability == Durability::Fsync;
        if is_synced {
            self.note("durable", number);
        }
    }
}

/// Does a step and waits for it. A condition that does not hold is an answer like another.
fn play(engine: &Engine, step: &Step) -> Result<(), EngineError> {
    match step {
        Step::Submit(to, submission) | Step::Hurry(to, submission) => {
            match engine.submit(&name(to), submission.clone()) {
                Err(EngineError::Condition { .. }) => Ok(()),
                answer => answer.map(drop),
            }
        }
        Step::Make(of) => engine.configure(&name(of), CollectionSettings::default()),
        Step::Drop(of) => engine.drop_collection(&name(of)),
        Step::Load(to, items, key) => {
            let mut bulk = engine.bulk(&name(to), Some(key.clone()))?;
            items.iter().try_for_each(|item| bulk.push(item))?;
            bulk.finish().map(drop)
        }
        Step::Checkpoint => engine.checkpoint(),
        Step::Rest => {
            std::thread::sleep(Duration::from_millis(450));
            Ok(())
        }
    }
}

/// Opens what a stop left, and complains unless all that was acknowledged is there, and the engine goes on from it.
pub(crate) fn check(script: &Script, root: &Path, notes: &[Note]) -> Result<(), String> {
    let (acknowledged, accepted) = promised(notes);
    check_between(script, root, acknowledged, accepted)
}

/// The same of a power cut, which may take what was not synced yet.
pub(crate) fn check_durable(script: &Script, root: &Path, notes: &[Note]) -> Result<(), String> {
    let durable = notes.iter().filter_map(|note| note.0.strip_prefix("durable ")?.parse().ok()).max();
    check_between(script, root, durable.unwrap_or(0), promised(notes).1)
}

/// Opens a directory that this very process may seem to have: a program that another test starts holds copies of all our files, the
/// lock among them, for the moment before it becomes that program.
pub(crate) fn open_patiently(directory: &Path) -> Result<Engine, OpenError> {
    let begin = Instant::now();
    loop {
        match Engine::open(directory, settings(Durability::Fsync)) {
            Err(OpenError::Home(HomeError::Locked { .. })) if begin.elapsed() < Duration::from_secs(2) => {
                std::thread::sleep(Duration::from_millis(2));
            }
            answer => return answer,
        }
    }
}

fn check_between(script: &Script, root: &Path, least: u64, most: u64) -> Result<(), String> {
    let words = |error: EngineError| error.to_string();
    let open = || open_patiently(&directory(root)).map_err(|error| format!("does not open: {error}"));
    let engine = open()?;
    if engine.health() != Health::Ready {
        return Err(format!("after opening it is {:?}", engine.health()));
    }
    let there = script.place_of(&found(&engine).map_err(words)?, least, most)? as usize;
    all_kinds_agree(&engine)?;
    let Some(step) = script.steps.get(there).filter(|step| !matches!(step, Step::Rest)) else { return Ok(()) };
    play(&engine, step).map_err(|error| format!("does not go on after {there}: {error}"))?;
    let next = there as u64 + 1;
    script.place_of(&found(&engine).map_err(words)?, next, next).map_err(|error| format!("gone on: {error}"))?;
    all_kinds_agree(&engine)?;
    if !there.is_multiple_of(4) {
        return Ok(());
    }
    drop(engine);
    let again = open()?;
    script.place_of(&found(&again).map_err(words)?, next, next).map_err(|error| format!("opened again: {error}"))?;
    Ok(())
}

pub(crate) fn all_kinds_agree(engine: &Engine) -> Result<(), String> {
    for name in engine.names() {
        for (lat, lon, radius) in [(0.0, 0.0, "30000km"), (88.0, 10.0, "3000km"), (-20.0, 179.9, "2500km")] {
            let query = Query::near(Point::new(lat, lon).unwrap()).within(radius.parse::<Radius>().unwrap());
            let compared = engine.compare(&name, &query).map_err(|error| error.to_string())?;
            if let Some(other) = compared.iter().find(|one| !one.identical) {
                return Err(format!("{name}: {} answers otherwise at {lat} {lon}", other.kind.name));
            }
        }
    }
    Ok(())
}
