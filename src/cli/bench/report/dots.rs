//! Tests that stand by themselves, one below the other: a mark for each kind at its p50, and a thin line to its p99.

use std::fmt::Write;

use super::latency::digits_of_axis;
use super::markup::{Look, coordinate, figure, text};
use super::scale::LogScale;
use crate::measure::{Findings, TestFindings};

const WIDTH: f64 = 420.0;
const LEFT: f64 = 14.0;
/// With room for half a figure beyond it.
const RIGHT: f64 = 392.0;
const TOP: f64 = 10.0;

/// Height of a heading, and of the line of a kind.
const HEADING: f64 = 20.0;
const LINE: f64 = 11.0;

/// Nearest on one plot, areas on the other.
pub(super) fn plots(findings: &Findings, looks: &[Look<'_>]) -> String {
    let of = |shapes: &[&str]| -> Vec<&TestFindings> {
        findings.tests.iter().filter(|test| shapes.contains(&test.shape)).collect()
    };
    [("Nearest", of(&["nearest"])), ("Box and polygon", of(&["box", "polygon"]))]
        .into_iter()
        .filter(|(_, tests)| !tests.is_empty())
        .map(|(title, tests)| plot(title, &tests, looks))
        .collect()
}

fn plot(title: &str, tests: &[&TestFindings], looks: &[Look<'_>]) -> String {
    let times = tests.iter().flat_map(|test| &test.kinds);
    let times = times.flat_map(|own| [own.p50_us, own.p99_us.unwrap_or(own.p50_us)]);
    let along = LogScale::over(times, LEFT, RIGHT);
    let row = HEADING + LINE * looks.len() as f64 + 6.0;
    let bottom = TOP + row * tests.len() as f64;
    let mut out = String::new();
    for tick in along.ticks() {
        let x = along.place(tick);
        let _ = write!(out, r#"<path class="grid" d="M{} {TOP}V{}"/>"#, coordinate(x), coordinate(bottom)); // a String takes everything
        out += &text(x, bottom + 16.0, "tick middle", &digits_of_axis(tick));
    }
    out += &text((LEFT + RIGHT) / 2.0, bottom + 34.0, "name middle", "µs a question");
    for (place, test) in tests.iter().enumerate() {
        let top = TOP + row * place as f64;
        out += &text(LEFT, top + 14.0, "heading", &test.name);
        for (line, look) in looks.iter().enumerate() {
            let Some(own) = test.standing(look.name) else { continue };
            let y = top + HEADING + LINE * (line as f64 + 0.5);
            if let Some(p99_us) = own.p99_us {
                let (from, to) = (coordinate(along.place(own.p50_us)), coordinate(along.place(p99_us)));
                let y = coordinate(y);
                let _ = write!(out, r#"<path class="whisker {}" d="M{from} {y}H{to}m0-2.5v5"/>"#, look.class);
            }
            out += &look.mark(along.place(own.p50_us), y);
        }
    }
    let described =
        format!("Microseconds of a question by kind: {}. The figures stand in the tables below.", title.to_lowercase());
    figure(title, &described, WIDTH, bottom + 42.0, &out, "Marks are p50, thin lines reach p99. To the left is better.")
}
