//! What a migration says at its end: for people, or as JSON.

use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;

use super::follow::{Counts, Following};
use super::rejects::{Kind, Rejects};
use super::source::Facts;
use super::validate::Validation;

/// What was found by a look.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    #[serde(flatten)]
    pub(super) facts: Facts,
    pub(super) read: u64,
    pub(super) carried: u64,
    pub(super) rejected: u64,
    pub(super) reasons: std::collections::BTreeMap<&'static str, Kind>,
    pub(super) reading_s: f64,
    pub(super) estimate_s: f64,
}

impl Checked {
    pub(super) fn in_words(&self) -> String {
        let mut text = String::new();
        let Facts { source, positions, live, live_how, notes, obstacles, .. } = &self.facts;
        let mut line = |name: &str, words: String| _ = writeln!(text, "{name:<12}{words}");
        line("source", source.clone());
        line("rows", format!("{} read in {:.1} s, {} can be carried", self.read, self.reading_s, self.carried));
        line("positions", positions.clone());
        let answer = if *live { "possible" } else { "not possible" };
        line("live sync", format!("{answer}: {live_how}"));
        line("duration", format!("about {:.0} s, if the target is as quick as usual", self.estimate_s.max(1.0)));
        notes.iter().for_each(|note| line("note", note.clone()));
        obstacles.iter().for_each(|obstacle| line("obstacle", obstacle.clone()));
        text + &reasons(self.rejected, &self.reasons)
    }
}

fn reasons(rejected: u64, reasons: &std::collections::BTreeMap<&'static str, Kind>) -> String {
    let mut text = String::new();
    if rejected > 0 {
        let _ = writeln!(text, "{:<12}{rejected} rows", "rejected");
    }
    for (code, Kind { rows, examples }) in reasons {
        let _ = writeln!(text, "  {code}: {rows} rows");
        examples.iter().for_each(|example| _ = writeln!(text, "    {example}"));
    }
    text
}

/// What a migration came to.
#[derive(Debug, Serialize)]
pub(super) struct Ran {
    pub(super) source: String,
    pub(super) target: String,
    #[serde(flatten)]
    pub(super) counts: Counts,
    pub(super) rejected: u64,
    pub(super) reasons: std::collections::BTreeMap<&'static str, Kind>,
    pub(super) rejects_file: Option<String>,
    /// How long it took until everything that was changed before a moment was here, at the end.
    pub(super) lag_ms: Option<u128>,
    pub(super) validation: Validation,
    pub(super) cut_over: CutOver,
}

/// Whether it is safe to go over, and what to do.
#[derive(Debug, Clone, Serialize)]
pub(super) struct CutOver {
    pub(super) safe: bool,
    pub(super) say: String,
}

impl CutOver {
    /// What a validation allows. `is_followed`: whether the source told its changes.
    pub(super) fn judge(validation: &Validation, rejects: &Rejects, is_followed: bool) -> CutOver {
        let no = |say: String| CutOver { safe: false, say };
        let Validation { source, differing, questions, changed_meanwhile, .. } = validation;
        if validation.found_a_difference() {
            return no(format!(
                "not safe to cut over: {differing} rows differ and {} answers are wrong; stop the writers of the source, and run it again with --replace",
                questions.wrong
            ));
        }
        if *changed_meanwhile > 0 {
            return no(format!(
                "not safe to cut over yet: both sides are in step, but the source was changed {changed_meanwhile} times during the validation; stop its writers and run it again with --replace"
            ));
        }
        let rejected = match rejects.count {
            0 => String::new(),
            rows => format!(" ({rows} rows of the source cannot be carried and are left out)"),
        };
        let caution = match is_followed {
            true => "",
            false => "if nobody wrote to the source since it was last read, ",
        };
        CutOver {
            safe: true,
            say: format!(
                "{caution}it is safe to cut over: {} items are the same on both sides, checksum {}, {} of {} questions answered alike{rejected}; keep the writers stopped, point readers and writers here, and keep the source until you are sure",
                source.items, source.checksum, questions.alike, questions.asked
            ),
        }
    }
}

impl Ran {
    pub(super) fn of(following: &Following, source: String, lag: Option<Duration>, validation: Validation) -> Ran {
        let cut_over = CutOver::judge(&validation, &following.rejects, following.feed.is_some());
        Ran {
            source,
            target: following.target.words(),
            counts: following.counts,
            rejected: following.rejects.count,
            reasons: following.rejects.kinds.clone(),
            rejects_file: following.rejects_path().map(|path| path.display().to_string()),
            lag_ms: lag.map(|lag| lag.as_millis()),
            validation,
            cut_over,
        }
    }

    pub(super) fn in_words(&self) -> String {
        let mut text = String::new();
        let Counts { loaded, put, removed, changes, passes, reconnects } = self.counts;
        let Validation { source, target, differing, questions, examples, .. } = &self.validation;
        let mut line = |name: &str, words: String| _ = writeln!(text, "{name:<12}{words}");
        line("from", self.source.clone());
        line("to", self.target.clone());
        line("carried", format!("{loaded} rows at once, then {put} put and {removed} removed"));
        line("changes", format!("{changes} told by the source, {passes} comparisons, {reconnects} reconnects"));
        if let Some(lag_ms) = self.lag_ms {
            line("lag", format!("{lag_ms} ms"));
        }
        line("source", format!("{} items, checksum {}", source.items, source.checksum));
        line("target", format!("{} items, checksum {}", target.items, target.checksum));
        line("differing", format!("{differing} rows"));
        line(
            "questions",
            format!(
                "{} asked, {} answered alike; single answers: {} at the edge, {} inexact in the source, {} about rows that changed or are not carried, {} wrong here",
                questions.asked,
                questions.alike,
                questions.at_the_edge,
                questions.source_inexact,
                questions.changed,
                questions.wrong
            ),
        );
        examples.iter().for_each(|example| line("", example.clone()));
        text += &reasons(self.rejected, &self.reasons);
        if let Some(path) = &self.rejects_file {
            let _ = writeln!(text, "{:<12}they are in {path}", "");
        }
        text + &self.cut_over.say + "\n"
    }
}
