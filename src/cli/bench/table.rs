//! What was found, for a terminal: one column for each kind, one block for each sort of figure.

use std::fmt::Write;

use super::document::Document;
use crate::measure::{Findings, KindFindings, Standing, figure};

const LABEL: usize = 26;
const COLUMN: usize = 11;
const LINE: usize = 100;

/// Everything as text.
pub(super) fn text(document: &Document) -> String {
    let Document { source, machine, findings, .. } = document;
    let mut out = format!("{} points: {}\n{}\n", figure(findings.points as f64), source.name, machine.name());
    if findings.points > 0 {
        costs(&mut out, findings);
        type Of = fn(&Standing) -> Option<f64>;
        let blocks: [(&str, Of); 5] = [
            ("µs a question, p50", |own| Some(own.p50_us)),
            ("µs a question, p99", |own| own.p99_us),
            ("candidates a result", |own| Some(own.candidates_per_result)),
            ("cells opened a question", |own| Some(own.nodes_per_question)),
            ("boxes compared a question", |own| Some(own.boxes_per_question)),
        ];
        for (place, (title, of)) in blocks.into_iter().enumerate() {
            standings(&mut out, findings, title, of, place == 0);
        }
        out.push_str("\n* fastest, or level with the fastest; – fewer than a hundred questions asked\n");
        let tick = if document.agreed { "✔ all kinds gave the same answers" } else { "✘ ANSWERS DIFFER" };
        let _ = writeln!(out, "{tick} ({} questions compared with {})", document.checked, reference(findings));
    }
    let _ = writeln!(out, "\n{}\n", findings.verdict.headline);
    for reason in &findings.verdict.reasons {
        out.push_str(&wrapped(reason));
    }
    out
}

fn reference(findings: &Findings) -> &'static str {
    findings.kinds.iter().find(|kind| kind.role == "reference").map_or("nothing", |kind| kind.name)
}

fn head(out: &mut String, findings: &Findings, title: &str) {
    let _ = write!(out, "\n{title:<LABEL$}");
    for kind in &findings.kinds {
        let _ = write!(out, "{:>COLUMN$}", kind.name);
    }
    out.push('\n');
}

fn costs(out: &mut String, findings: &Findings) {
    type Of = fn(&KindFindings) -> f64;
    let rows: [(&str, Of); 5] = [
        ("build ms", |kind| kind.build_ms.median),
        ("bytes a point", |kind| kind.bytes_per_point),
        ("inserts a second", |kind| kind.inserts_per_s.median),
        ("moves a second", |kind| kind.moves_per_s.median),
        ("deletes a second", |kind| kind.deletes_per_s.median),
    ];
    head(out, findings, "");
    for (label, of) in rows {
        let _ = write!(out, "{label:<LABEL$}");
        for kind in &findings.kinds {
            let _ = write!(out, "{:>COLUMN$}", figure(of(kind)));
        }
        out.push('\n');
    }
    let shared = &findings.shared;
    let (bytes, order_ms) = (figure(shared.bytes_per_point), figure(shared.order_ms.median));
    let _ =
        writeln!(out, "beside the points, which all share: {bytes} bytes a point, brought into order in {order_ms} ms");
}

fn standings(out: &mut String, findings: &Findings, title: &str, of: fn(&Standing) -> Option<f64>, starred: bool) {
    head(out, findings, title);
    for (test, leaders) in findings.tests.iter().zip(&findings.verdict.leaders) {
        let _ = write!(out, "{:<LABEL$}", test.name);
        for kind in &findings.kinds {
            let shown = test.standing(kind.name).and_then(of).map_or_else(|| "–".to_owned(), figure);
            let star = if starred && leaders.kinds.contains(&kind.name) { "*" } else { "" };
            let _ = write!(out, "{:>COLUMN$}", format!("{shown}{star}"));
        }
        out.push('\n');
    }
}

/// A paragraph with a mark before it.
fn wrapped(text: &str) -> String {
    let mut out = String::from("-");
    let mut width = 1;
    for word in text.split(' ') {
        let length = word.chars().count() + 1;
        if width + length > LINE {
            out.push_str("\n ");
            width = 1;
        }
        let _ = write!(out, " {word}");
        width += length;
    }
    out + "\n"
}
