//! Latency against result size: both axes logarithmic, a line for each kind, and from each mark a thin line up to p99.

use std::fmt::Write;

use super::markup::{Look, coordinate, figure, text};
use super::scale::{LogScale, apart};
use crate::measure::{Findings, TestFindings, figure as digits};

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 330.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 276.0;

/// How far apart marks of one size stand, so that none covers another.
const DODGE: f64 = 5.0;

/// A plot for each metric.
pub(super) fn plots(findings: &Findings, looks: &[Look<'_>]) -> String {
    let radius: Vec<&TestFindings> = findings.tests.iter().filter(|test| test.shape == "radius").collect();
    let mut metrics: Vec<&str> = radius.iter().filter_map(|test| test.metric).collect();
    metrics.dedup();
    let by_metric = |metric: &&str| -> Vec<&TestFindings> {
        radius.iter().copied().filter(|test| test.metric == Some(*metric)).collect()
    };
    let times =
        radius.iter().flat_map(|test| &test.kinds).flat_map(|own| [own.p50_us, own.p99_us.unwrap_or(own.p50_us)]);
    // One scale for all, so that metrics can be compared.
    let up = LogScale::over(times, BOTTOM, TOP);
    metrics.iter().map(|metric| plot(metric, &by_metric(metric), looks, up)).collect()
}

fn plot(metric: &str, tests: &[&TestFindings], looks: &[Look<'_>], up: LogScale) -> String {
    let along = LogScale::over(tests.iter().map(|test| test.mean_results), LEFT + 16.0, RIGHT - 16.0);
    let mut out = axes(tests, along, up);
    let mut ends = Vec::new();
    for (place, look) in looks.iter().enumerate() {
        let dodge = (place as f64 - (looks.len() as f64 - 1.0) / 2.0) * DODGE;
        let spots = tests.iter().filter_map(|test| {
            let own = test.standing(look.name)?;
            let p99 = own.p99_us.map(|p99_us| up.place(p99_us));
            Some((along.place(test.mean_results) + dodge, up.place(own.p50_us), p99))
        });
        let spots: Vec<(f64, f64, Option<f64>)> = spots.collect();
        let line: Vec<String> = spots.iter().map(|&(x, y, _)| format!("{} {}", coordinate(x), coordinate(y))).collect();
        let _ = write!(out, r#"<path class="thread {}" d="M{}"/>"#, look.class, line.join("L")); // a String takes everything
        for &(x, y, p99) in &spots {
            if let Some(p99) = p99 {
                let (x, y, p99) = (coordinate(x), coordinate(y), coordinate(p99));
                let _ = write!(out, r#"<path class="whisker {}" d="M{x} {y}V{p99}m-2.5 0h5"/>"#, look.class);
            }
            out += &look.mark(x, y);
        }
        ends.extend(spots.last().map(|&(x, y, _)| (look, x, y)));
    }
    let heights = apart(ends.iter().map(|&(_, _, y)| y).collect(), 15.0, BOTTOM);
    for ((look, x, y), height) in ends.into_iter().zip(heights) {
        let (from, to) = (coordinate(x + 6.0), coordinate(RIGHT + 4.0));
        let _ = write!(
            out,
            r#"<path class="lead {}" d="M{from} {}L{to} {}"/>"#,
            look.class,
            coordinate(y),
            coordinate(height)
        );
        out += &text(RIGHT + 8.0, height + 4.0, "label", look.name);
    }
    figure(
        &format!("Radius, {metric}"),
        &described(metric, tests),
        WIDTH,
        HEIGHT,
        &out,
        "Marks are p50, thin lines reach up to p99 where a hundred questions were asked. Lower is better.",
    )
}

fn axes(tests: &[&TestFindings], along: LogScale, up: LogScale) -> String {
    let mut out = String::new();
    for tick in up.ticks() {
        let y = up.place(tick);
        let _ = write!(out, r#"<path class="grid" d="M{LEFT} {}H{RIGHT}"/>"#, coordinate(y));
        out += &text(LEFT - 6.0, y + 4.0, "tick end", &digits_of_axis(tick));
    }
    for test in tests {
        let x = along.place(test.mean_results);
        let _ = write!(out, r#"<path class="grid" d="M{} {TOP}V{BOTTOM}"/>"#, coordinate(x));
        out += &text(
            x,
            BOTTOM + 17.0,
            "tick middle",
            &digits(test.mean_results.round()).replace(".00", "").replace(".0", ""),
        );
    }
    let _ = write!(out, r#"<path class="axis" d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"/>"#);
    out += &text((LEFT + RIGHT) / 2.0, BOTTOM + 36.0, "name middle", "results of a question");
    out += &format!(
        r#"<text class="name middle" transform="translate(12 {}) rotate(-90)">µs a question</text>"#,
        coordinate((TOP + BOTTOM) / 2.0)
    );
    out
}

/// 1, 10, 0.5: without zeros behind.
pub(super) fn digits_of_axis(tick: f64) -> String {
    if tick >= 1.0 { digits(tick.round()).replace(".00", "").replace(".0", "") } else { format!("{tick}") }
}

fn described(metric: &str, tests: &[&TestFindings]) -> String {
    let mut out = format!("Microseconds of a radius question by number of results, {metric}.");
    for test in tests {
        let _ = write!(out, " {} results:", digits(test.mean_results));
        for own in &test.kinds {
            let _ = write!(out, " {} {},", own.kind, digits(own.p50_us));
        }
        out.pop();
        out.push('.');
    }
    out
}
