//! Do the rules for faults do what they say? Held against the small store without faults.
//!
//! What surprises: a short write is no fault to a program that writes until all is written, and must change nothing.

use std::fs;
use std::process::ExitStatus;
use std::time::Instant;

use super::history;
use super::program::Stage;
use super::promises::promised;
use super::toy::{self, Fault};

/// Runs the store with these rules, and holds what it leaves against its ledger.
fn run(stage: &Stage, rules: &str) -> ExitStatus {
    stage.set_rules(rules);
    let ended = stage.start(history("None")).wait().expect("the store ends");
    toy::check(&stage.root(), &stage.notes(), Fault::None).expect("what was acknowledged is there");
    ended
}

#[test]
fn the_sync_that_a_rule_names_fails_and_no_other() {
    let stage = Stage::new();
    let ended = run(&stage, "fail kind=sync path=log nth=5 errno=5\nfail kind=sync path=elsewhere errno=5");
    assert!(!ended.success());
    assert_eq!(promised(&stage.notes()), (4, 5));
}

#[test]
fn a_program_is_killed_where_a_rule_says() {
    use std::os::unix::process::ExitStatusExt;
    for rule in ["kill kind=write nth=9", "tear kind=write nth=9", "kill kind=rename", "kill kind=length"] {
        assert_eq!(run(&Stage::new(), rule).signal(), Some(9), "{rule}");
    }
}

#[test]
fn a_short_write_is_finished_by_the_program() {
    let stage = Stage::new();
    assert!(run(&stage, "short kind=write nth=2 times=forever").success());
    assert_eq!(promised(&stage.notes()), (20, 20));
}

#[test]
fn a_full_disk_takes_what_fits() {
    let stage = Stage::new();
    assert!(!run(&stage, "budget bytes=100").success());
    // Six records of sixteen bytes, and a part of the sum.
    assert_eq!(promised(&stage.notes()), (6, 6));
    assert_eq!(fs::metadata(stage.root().join("sum.new")).unwrap().len(), 4);
}

#[test]
fn a_rule_rests_once_its_file_is_there() {
    let stage = Stage::new();
    let freed = stage.ledger().with_file_name("freed");
    let rule = format!("budget bytes=0 until={}", freed.display());
    assert!(!run(&stage, &rule).success());
    fs::write(&freed, "").unwrap();
    assert!(run(&stage, &rule).success());
}

#[test]
fn a_slow_sync_takes_its_time() {
    let started = Instant::now();
    assert!(run(&Stage::new(), "slow kind=sync path=log ms=40 times=5").success());
    assert!(started.elapsed().as_millis() >= 200);
}
