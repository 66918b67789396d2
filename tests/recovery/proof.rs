//! Does the harness notice? Small stores with known faults, and one without.
//!
//! What surprises: a harness is easiest to satisfy when it does nothing, so the store without faults also has to have been
//! through a number of different disks, and what really is left after a kill has to be what the harness rebuilds.

use super::disk::Disk;
use super::history;
use super::image::Image;
use super::program::Stage;
use super::stops::{Findings, Model, USUAL, every_stop};
use super::toy::{self, Fault};

fn stops_of(fault: Fault) -> Findings {
    let trace = Stage::new().trace([history(&format!("{fault:?}"))]);
    every_stop(&trace, USUAL, 1, &|root, notes| toy::check(root, notes, fault))
}

#[test]
fn a_store_without_faults_passes_every_stop() {
    let found = stops_of(Fault::None);
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
    let found = stops_of(fault);
    assert!(!found.findings.is_empty(), "{fault:?}: {found}");
    for finding in &found.findings {
        assert!(!matches!(finding.model, Model::Kill | Model::TornKill), "{finding:?}");
    }
}

#[test]
fn the_harness_catches_a_log_emptied_too_early() {
    let found = stops_of(Fault::EmptiesTheLogFirst);
    assert!(found.findings.iter().any(|finding| finding.model == Model::Kill), "{found}");
}

#[test]
fn the_harness_catches_a_torn_record_that_is_believed() {
    let found = stops_of(Fault::BelievesHalfARecord);
    assert!(found.findings.iter().any(|finding| finding.model == Model::TornKill), "{found}");
}

#[test]
fn a_program_that_is_really_killed_leaves_a_disk_that_was_rebuilt() {
    let trace = Stage::new().trace([history("None")]);
    let mut disk: Disk = trace.found.clone();
    let mut rebuilt = vec![disk.after_kill()];
    for record in &trace.records {
        disk.apply(record).unwrap();
        rebuilt.push(disk.after_kill());
    }
    let mut kills = 0;
    for nth in (1..).step_by(7) {
        let stage = Stage::new();
        stage.set_rules(&format!("kill kind=any nth={nth}"));
        if stage.start(history("None")).wait().unwrap().success() {
            break;
        }
        kills += 1;
        toy::check(&stage.root(), &stage.notes(), Fault::None).unwrap();
        let left = Image::read(&stage.root()).unwrap();
        assert!(rebuilt.contains(&left), "killed at operation {nth}");
    }
    assert!(kills > 5, "{kills} kills");
}
