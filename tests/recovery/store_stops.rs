//! The store that durability is built on, at every stop: with its guards it always comes back; without them it does not.
//!
//! What surprises: a journal is exchanged for the next one at 64 MB only. A rule makes each seem that long, so that a history
//! of some hundred batches goes through a dozen.

use std::path::Path;

use super::program::{Note, Stage, Trace};
use super::record::Record;
use super::stops::{Finding, Model, USUAL, every_stop, images};
use super::store::{check, open_carefully, open_plainly};
use super::{history, is_long};

const LONG_JOURNALS: &str = "farther path=.jnl bytes=64000000";

fn trace(stage: &Stage, histories: &[&str]) -> Trace {
    stage.set_rules(LONG_JOURNALS);
    stage.trace(histories.iter().map(|name| history(name)))
}

/// How many names with such an end were taken away.
fn removals(trace: &Trace, of: impl Fn(&str) -> bool) -> usize {
    let removed = trace.records.iter().filter_map(|record| match record {
        Record::Remove { path } => Some(String::from_utf8_lossy(path)),
        _ => None,
    });
    removed.filter(|path| of(path)).count()
}

fn models() -> Vec<Model> {
    let draws = if is_long() { 3..20 } else { 3..4 };
    USUAL.iter().copied().chain(draws.flat_map(|seed| [Model::Some(seed), Model::AnyOrder(seed)])).collect()
}

fn check_carefully(root: &Path, notes: &[Note]) -> Result<(), String> {
    check(root, notes, open_carefully)
}

#[test]
fn a_store_opened_with_care_comes_back_after_every_stop() {
    let batches = if is_long() { ["carefully 200", "carefully 300"] } else { ["carefully 60", "carefully 85"] };
    let trace = trace(&Stage::new(), &batches);
    let journals = removals(&trace, |path| path.ends_with(".jnl"));
    let tables = removals(&trace, |path| path.starts_with("store/") && path.contains("/tables/"));
    println!("{journals} journals and {tables} tables were left behind");
    assert!(journals >= 3 && tables >= 3, "{journals} journals and {tables} tables were left behind");

    let found = every_stop(&trace, &models(), 1, &check_carefully);
    println!("{found}");
    assert!(found.findings.is_empty(), "{found}");
}

#[test]
fn a_store_that_was_stopped_goes_on_and_may_be_stopped_again() {
    let first = trace(&Stage::new(), &["carefully 40"]);
    let every = if is_long() { 20 } else { 150 };
    let again = images(&first, &[Model::TornKill, Model::Names, Model::Some(5)], every);
    assert!(again.len() > 5, "{} first stops", again.len());
    for (before, model, image, promised) in again {
        let second = trace(&Stage::with(&image), &["carefully 48"]);
        let found = every_stop(&second, USUAL, if is_long() { 1 } else { 4 }, &|root, notes| {
            check_carefully(root, &[&promised, notes].concat())
        });
        assert!(found.findings.is_empty(), "after a first stop, {model:?} after {before} operations: {found}");
    }
}

/// What is found when nobody guards; each fact here is the reason of a guard, which may go when the fact does.
fn without_guards() -> Vec<Finding> {
    let trace = trace(&Stage::new(), &["plainly 12"]);
    let models: Vec<_> = USUAL.iter().copied().chain((3..9).map(Model::Some)).collect();
    let found = every_stop(&trace, &models, 1, &|root, notes| check(root, notes, open_plainly));
    println!("{found}");
    found.findings
}

#[test]
fn a_store_without_guards_has_three_ways_not_to_come_back() {
    let findings = without_guards();
    let killed_in_the_making = |finding: &&Finding| {
        finding.model == Model::Kill && finding.before < 12 && finding.complaint.starts_with("does not open")
    };
    let lost_a_keyspace =
        |finding: &&Finding| finding.model == Model::Least && finding.complaint.contains("was acknowledged");
    let closed_by_a_hole = |finding: &&Finding| finding.complaint.contains("ChecksumMismatch");
    assert!(findings.iter().any(|finding| killed_in_the_making(&finding)));
    assert!(findings.iter().any(|finding| lost_a_keyspace(&finding)));
    assert!(findings.iter().any(|finding| closed_by_a_hole(&finding)));

    // And no others: after a kill that comes later, everything is there.
    let killed = findings.iter().filter(|finding| matches!(finding.model, Model::Kill | Model::TornKill));
    let others: Vec<_> = killed.filter(|finding| finding.before >= 12).collect();
    assert!(others.is_empty(), "{others:?}");
}
