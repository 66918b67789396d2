//! The engine on a disk that fails: an fsync or a write once, no room, torn writes, a sync that takes long, a kill.
//!
//! What surprises: what was refused may still be there after the next start. Nobody knows what a disk keeps of a write that failed;
//! only what was acknowledged is promised.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use super::history;
use super::is_long;
use super::lives::{self, whole_script};
use super::program::{Note, Stage};
use super::writer::{CHANGES, check, freed, last, numbers};

/// Runs the program under these rules, and holds what it leaves, without any, against what it told.
fn write_under(rules: &str) -> Vec<Note> {
    let stage = Stage::new();
    stage.set_rules(&rules.replace("FREED", &freed(&stage).display().to_string()));
    let ended = stage.start(history("writer")).wait().unwrap();
    assert!(ended.success(), "{rules}: {ended}");
    check(&stage);
    stage.notes()
}

/// After the first refusal nothing more was acknowledged, and reads found what was.
fn stayed_read_only(rules: &str, notes: &[Note]) {
    let refused = numbers(notes, "refused");
    let acknowledged = numbers(notes, "acknowledged");
    let first = *refused.first().unwrap_or_else(|| panic!("{rules}: nothing was refused: {notes:?}"));
    assert_eq!(acknowledged, (1..first).collect::<Vec<_>>(), "{rules}");
    assert_eq!(refused, (first..=CHANGES).collect::<Vec<_>>(), "{rules}");
    let read = acknowledged.len() as u64;
    assert_eq!((numbers(notes, "read"), numbers(notes, "asked")), (vec![read], vec![read]), "{rules}");
    assert_eq!((last(notes, "was"), last(notes, "health")), (Some("ReadOnly"), Some("ReadOnly")), "{rules}");
}

fn sample(usually: &[u64]) -> Vec<u64> {
    if is_long() { (1..=CHANGES).collect() } else { usually.to_vec() }
}

#[test]
fn after_a_failed_sync_of_the_journal_nothing_is_acknowledged_and_reads_go_on() {
    let mut stopped = 0;
    for nth in sample(&[1, 3, 4, 8, 24, 43, 66]) {
        let rules = format!("fail kind=sync path=store/ nth={nth} errno=5");
        let notes = write_under(&rules);
        if last(&notes, "unopened").is_some() || numbers(&notes, "refused").is_empty() {
            continue; // it failed in the making of the directory, or after the last change
        }
        stayed_read_only(&rules, &notes);
        stopped += 1;
    }
    assert!(stopped >= 5, "{stopped}");
}

#[test]
fn a_failed_sync_anywhere_in_the_making_of_the_directory_is_said_and_the_next_start_makes_it() {
    let mut unopened = 0;
    for nth in sample(&[1, 2, 5, 9, 14, 20]) {
        let notes = write_under(&format!("fail kind=sync nth={nth} errno=5"));
        unopened += usize::from(last(&notes, "unopened").is_some_and(|words| words.contains("os error 5")));
    }
    assert!(unopened >= 3, "{unopened}");
}

#[test]
fn after_a_failed_write_of_the_journal_nothing_is_acknowledged_and_reads_go_on() {
    let mut stopped = 0;
    for nth in sample(&[1, 2, 5, 9, 30, 60]) {
        let torn = if nth % 2 == 1 { "" } else { "short kind=write path=store/0.jnl nth=NTH\n" };
        let torn = torn.replace("NTH", &nth.to_string());
        let failing = nth + u64::from(!torn.is_empty());
        let rules = format!("{torn}fail kind=write path=store/0.jnl nth={failing} errno=5");
        let notes = write_under(&rules);
        if last(&notes, "unopened").is_some() || numbers(&notes, "refused").is_empty() {
            continue; // the start itself writes a little
        }
        stayed_read_only(&rules, &notes);
        stopped += 1;
    }
    assert!(stopped >= 5, "{stopped}");
}

#[test]
fn a_short_write_is_finished_and_nobody_hears_of_it() {
    for rules in ["short kind=write path=.jnl nth=7 times=9", "short kind=write path=segments/ times=forever"] {
        assert_eq!(numbers(&write_under(rules), "acknowledged").len() as u64, CHANGES, "{rules}");
    }
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_put_off_and_changes_go_on() {
    for rules in [
        "fail kind=write path=.segment errno=5",
        "fail kind=sync path=.segment errno=5",
        "fail kind=rename path=segments/ errno=5",
        "fail kind=write path=.manifest errno=5",
        "fail kind=sync path=.manifest errno=5",
        "fail kind=create path=segments/ errno=28 times=forever",
    ] {
        let notes = write_under(rules);
        assert_eq!(numbers(&notes, "acknowledged").len() as u64, CHANGES, "{rules}: {notes:?}");
        assert_eq!(numbers(&notes, "asked"), [CHANGES], "{rules}");
        assert_eq!(last(&notes, "health"), Some("Ready"), "{rules}");
    }
}

#[test]
fn a_full_disk_refuses_and_writes_resume_by_themselves_when_there_is_room() {
    let mut refused = 0;
    for bytes in [9_000, 12_000, 20_000, 45_000] {
        let rules = format!("budget bytes={bytes} path=store/ until=FREED");
        let notes = write_under(&rules);
        if last(&notes, "unopened").is_some() {
            continue;
        }
        let (acknowledged, no) = (numbers(&notes, "acknowledged"), numbers(&notes, "refused"));
        if no.is_empty() {
            continue;
        }
        refused += 1;
        assert_eq!((last(&notes, "was"), last(&notes, "resumed")), (Some("DiskFull"), Some("Ready")), "{notes:?}");
        assert_eq!((no.len(), acknowledged.last()), (1, Some(&CHANGES)), "{bytes}: {notes:?}");
        assert_eq!(numbers(&notes, "read"), [no[0] - 1], "{notes:?}");
        let asked = numbers(&notes, "asked")[0];
        assert!(asked == CHANGES || asked == CHANGES - 1, "{notes:?}");
        assert_eq!(last(&notes, "health"), Some("Ready"));
    }
    assert!(refused >= 2, "{refused}");
}

#[test]
fn while_a_sync_takes_long_questions_are_answered_and_a_full_queue_refuses() {
    let stage = Stage::new();
    stage.set_rules("slow kind=sync path=.jnl ms=300 times=forever");
    assert!(stage.start(history("slow-writer")).wait().unwrap().success());
    let notes = stage.notes();
    let [slowest_us, asked, busy] = ["slowest_us", "asked", "busy"].map(|what| numbers(&notes, what)[0]);
    println!("{asked} questions, the slowest took {slowest_us} us; {busy} changes were refused for the time being");
    // There is time for four syncs. A question that waits for one could be asked four times.
    assert!(asked > 40, "{asked} questions, the slowest took {slowest_us} us");
    assert!(busy > 10 && numbers(&notes, "acknowledged").len() > 8, "{notes:?}");
    check(&stage);
}

#[test]
fn an_engine_that_is_really_killed_leaves_what_the_rebuilt_disks_have() {
    let script = whole_script();
    let (mut kills, until) = (0, super::script::first_life().len());
    for nth in (1..).step_by(if is_long() { 7 } else { 90 }) {
        let stage = Stage::new();
        let rule = ["kill", "tear"][kills % 2];
        stage.set_rules(&format!("{rule} kind={} nth={nth}", ["any", "write"][kills % 2]));
        if stage.start(history(&format!("life {until} closes"))).wait().unwrap().success() {
            break;
        }
        kills += 1;
        let held = lives::check(&script, &stage.root(), &stage.notes());
        held.unwrap_or_else(|complaint| panic!("{rule} at operation {nth}: {complaint}"));
    }
    println!("{kills} kills");
    assert!(kills > 4, "{kills} kills");
}

/// Lets the program run once without faults and once under rules; what it told the second time.
fn started_again_under(rules: &str) -> Vec<Note> {
    let stage = Stage::new();
    assert!(stage.start(history("writer")).wait().unwrap().success());
    let before = stage.notes().len();
    stage.set_rules(rules);
    let ended = stage.start(history("writer")).wait().unwrap();
    assert!(ended.success(), "{rules}: {ended}");
    check(&stage);
    stage.notes().split_off(before)
}

#[test]
fn on_a_disk_that_has_become_read_only_a_start_says_so() {
    let notes = started_again_under("fail kind=open path=LOCK errno=30 times=forever");
    let words = last(&notes, "unopened").unwrap_or_else(|| panic!("it started: {notes:?}"));
    assert!(words.contains("cannot be written to"), "{words}");
}

#[test]
fn a_start_that_cannot_read_its_store_says_so_and_loses_nothing() {
    let mut unopened = 0;
    for nth in sample(&[1, 2, 3, 5, 8, 13, 21]) {
        let notes = started_again_under(&format!("fail kind=read path=store/ nth={nth} errno=5"));
        if let Some(words) = last(&notes, "unopened") {
            assert!(words.contains("os error 5") || words.contains("Input/output"), "{words}");
            unopened += 1;
        }
    }
    assert!(unopened >= 3, "{unopened}");
}
