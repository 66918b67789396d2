//! The engine at every stop: the first start of an empty directory, single changes and batches, conditions and keys, checkpoints,
//! joins, loads, trims, a good end, a second start; and stops of the start after a stop.
//!
//! What surprises: the default run checks some disks of each history, evenly spread, and says of how many. All of them take
//! minutes: `NIGH_RECOVERY_LONG=1 cargo test --test recovery engine -- --nocapture`.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::path::Path;

use super::lives::{check, check_durable, whole_script};
use super::program::{Note, Stage, Trace};
use super::record::Record;
use super::script::{first_life, second_life};
use super::stops::{Model, USUAL, images, some_stops};
use super::{history, is_long};

const KILLS: &[Model] = &[Model::Kill, Model::TornKill];

const POWER_CUTS: &[Model] =
    &[Model::Least, Model::Names, Model::Data, Model::Zeros, Model::Some(1), Model::Some(2), Model::AnyOrder(3)];

/// How many disks are checked at most.
fn most(usually: usize) -> usize {
    if is_long() { usize::MAX } else { usually }
}

/// Both lives, one process after the other.
fn trace_of(life: &str) -> Trace {
    let (first, second) = (first_life().len(), second_life().len());
    let lives = [format!("{life} {first} closes"), format!("{life} {} stops", first + second)];
    Stage::new().trace(lives.iter().map(|name| history(name)))
}

/// How many files with such an end were made, and how many names taken away.
fn made_and_removed(trace: &Trace, end: &str) -> (usize, usize) {
    let ends = |path: &[u8]| String::from_utf8_lossy(path).ends_with(end);
    let made = |record: &&Record| match record {
        Record::Create { path, .. } => ends(path),
        Record::Rename { to, .. } => ends(to),
        _ => false,
    };
    let removed = |record: &&Record| if let Record::Remove { path } = record { ends(path) } else { false };
    (trace.records.iter().filter(made).count(), trace.records.iter().filter(removed).count())
}

#[test]
fn an_engine_comes_back_after_every_stop() {
    let trace = trace_of("life");
    let (segments, manifests) = (made_and_removed(&trace, ".segment"), made_and_removed(&trace, ".manifest"));
    println!("segments made and removed {segments:?}, manifests {manifests:?}");
    assert!(segments.1 >= 5 && manifests.1 >= 5, "{segments:?} {manifests:?}");
    let script = whole_script();
    let models = [KILLS, POWER_CUTS].concat();
    let found = some_stops(&trace, &models, 1, most(700), &|root, notes| check(&script, root, notes));
    println!("{found}");
    assert!(found.findings.is_empty(), "{found}");
}

#[test]
fn with_an_interval_a_kill_takes_nothing_and_a_power_cut_only_the_end() {
    let trace = trace_of("risky-life");
    let script = whole_script();
    let killed = some_stops(&trace, KILLS, 1, most(60), &|root, notes| check(&script, root, notes));
    println!("killed: {killed}");
    assert!(killed.findings.is_empty(), "{killed}");
    let cut = some_stops(&trace, POWER_CUTS, 1, most(200), &|root, notes| check_durable(&script, root, notes));
    println!("power cut: {cut}");
    assert!(cut.findings.is_empty(), "{cut}");
}

#[test]
fn a_start_after_a_stop_may_be_stopped_again() {
    let first = trace_of("life");
    let script = whole_script();
    let every = if is_long() { 60 } else { first.records.len() / 3 };
    let stopped = images(&first, &[Model::TornKill, Model::Names, Model::Some(5)], every);
    let stopped: Vec<_> = stopped.into_iter().filter(|stop| stop.1 != Model::Kill).collect();
    assert!(stopped.len() > 3, "{} first stops", stopped.len());
    let (mut checks, mut disks) = (0, 0);
    for (before, model, image, promised) in &stopped {
        let there = super::promises::promised(promised).1 as usize;
        let until = (there + 2).min(script.steps.len());
        let second = Stage::with(image).trace([history(&format!("life {until} stops"))]);
        let both = |root: &Path, notes: &[Note]| check(&script, root, &[promised, notes].concat());
        let found = some_stops(&second, USUAL, 1, most(30), &both);
        assert!(found.findings.is_empty(), "after a first stop, {model:?} after {before} operations: {found}");
        (checks, disks) = (checks + found.checks, disks + found.disks);
    }
    println!("{} first stops, and after them {checks} of {disks} different disks", stopped.len());
}
