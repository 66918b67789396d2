//! Histories and their checks: which program is stopped everywhere, and what must be there afterwards.
//!
//! What surprises: the programs are in this very file. A test that finds `NIGH_HISTORY` in its environment is not a test but
//! the program of that name, started by another test above the preloaded library.

mod contents;
mod disk;
mod image;
mod program;
mod promises;
mod record;
mod stops;
mod store;
mod toy;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use program::{Stage, Trace};
use stops::{Findings, Model, USUAL, every_stop};
use toy::Fault;

/// Stops are tried one by one when this is set, and drawn more often; otherwise all tests together take about a minute.
fn is_long() -> bool {
    std::env::var_os("NIGH_RECOVERY_LONG").is_some()
}

/// This program again, as the program of that name.
fn history(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--exact", "recovery::a_history_when_asked_for", "--nocapture", "--test-threads=1"]);
    command.env("NIGH_HISTORY", name).stdout(Stdio::null());
    command
}

#[test]
fn a_history_when_asked_for() {
    let Ok(name) = std::env::var("NIGH_HISTORY") else { return };
    let root = PathBuf::from(std::env::var_os("DISK_ROOT").unwrap());
    if let Some(fault) = toy::FAULTS.iter().find(|fault| format!("{fault:?}") == name) {
        return toy::write(&root, *fault).unwrap();
    }
    match name.as_str() {
        "store, plainly" => store::write(&root, store::open_plainly, 1..=30).unwrap(),
        "store, first" => store::write(&root, store::open_carefully, 1..=80).unwrap(),
        "store, then" => store::write(&root, store::open_carefully, 81..=120).unwrap(),
        other => panic!("no history is called {other}"),
    }
}

fn toy_stops(fault: Fault) -> Findings {
    let trace = Stage::new().trace([history(&format!("{fault:?}"))]);
    every_stop(&trace, USUAL, 1, &|root, notes| toy::check(root, notes, fault))
}

#[test]
fn a_store_without_faults_passes_every_stop() {
    let found = toy_stops(Fault::None);
    assert!(found.findings.is_empty(), "{found}");
    assert!(found.checks > 90, "{found}");
}

#[test]
fn the_harness_catches_an_acknowledgement_before_the_sync() {
    only_a_power_cut_shows(Fault::AcknowledgesBeforeSync);
}

#[test]
fn the_harness_catches_a_rename_before_the_sync() {
    only_a_power_cut_shows(Fault::RenamesBeforeSync);
}

#[test]
fn the_harness_catches_a_folder_that_is_not_synced() {
    only_a_power_cut_shows(Fault::LeavesTheFolderUnsynced);
}

fn only_a_power_cut_shows(fault: Fault) {
    let found = toy_stops(fault);
    assert!(!found.findings.is_empty(), "{fault:?}: {found}");
    for finding in &found.findings {
        assert!(!matches!(finding.model, Model::Kill | Model::TornKill), "{finding:?}");
    }
}

#[test]
fn the_harness_catches_a_log_emptied_too_early() {
    let found = toy_stops(Fault::EmptiesTheLogFirst);
    assert!(found.findings.iter().any(|finding| finding.model == Model::Kill), "{found}");
}

#[test]
fn the_harness_catches_a_torn_record_that_is_believed() {
    let found = toy_stops(Fault::BelievesHalfARecord);
    assert!(found.findings.iter().any(|finding| finding.model == Model::TornKill), "{found}");
}

fn print(name: &str, trace: &Trace, found: &Findings) {
    println!("{name}: {} records, {found}", trace.records.len());
}

#[test]
fn explore_plain() {
    let trace = Stage::new().trace([history("store, plainly")]);
    for (n, r) in trace.records.iter().enumerate() {
        println!("{n} {}", stops::describe(Some(r)));
    }
    let found = every_stop(&trace, USUAL, 1, &|root, notes| store::check(root, notes, store::open_plainly));
    print("plain", &trace, &found);
}

#[test]
fn explore_careful() {
    let stage = Stage::new();
    stage.set_rules("farther path=.jnl bytes=64000000");
    let trace = stage.trace([history("store, first"), history("store, then")]);
    for (n, r) in trace.records.iter().enumerate() {
        println!("{n} {}", stops::describe(Some(r)));
    }
    let start = std::time::Instant::now();
    let found = every_stop(&trace, USUAL, 1, &|root, notes| store::check(root, notes, store::open_carefully));
    print("careful", &trace, &found);
    println!("{:?}", start.elapsed());
    let more: Vec<_> = (3..6).flat_map(|n| [Model::AnyOrder(n), Model::Some(n)]).collect();
    let found = every_stop(&trace, &more, 1, &|root, notes| store::check(root, notes, store::open_carefully));
    print("any order", &trace, &found);
    println!("{:?}", start.elapsed());
}
