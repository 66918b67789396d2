//! What kinds cost, as bars from zero, each with its figure at the end.

use std::fmt::Write;

use super::markup::{Look, coordinate, figure, text};
use crate::measure::{Findings, KindFindings, Spread, figure as digits};

const WIDTH: f64 = 420.0;
const LEFT: f64 = 92.0;
const RIGHT: f64 = 340.0;
const ROW: f64 = 26.0;

/// A bar: whose it is, how it looks, how long it is and how far its rounds spread.
struct Bar<'a> {
    name: &'a str,
    class: &'static str,
    figure: f64,
    spread: Option<Spread>,
}

/// Building and memory.
pub(super) fn costs(findings: &Findings, looks: &[Look<'_>]) -> String {
    let shared = &findings.shared;
    let mut build = bars(findings, looks, |kind| (kind.build_ms.median, Some(kind.build_ms)));
    build.insert(0, Bar { name: "points", class: "ks", figure: shared.order_ms.median, spread: Some(shared.order_ms) });
    let mut bytes = bars(findings, looks, |kind| (kind.bytes_per_point, None));
    bytes.insert(0, Bar { name: "points", class: "ks", figure: shared.bytes_per_point, spread: None });
    let all_share = "The first bar is what all kinds share: the points themselves, in order.";
    chart("Building", "ms", &build, &format!("{all_share} Thin lines: least and greatest of the rounds."))
        + &chart("Memory", "bytes a point", &bytes, all_share)
}

/// Inserts, moves and deletes.
pub(super) fn changes(findings: &Findings, looks: &[Look<'_>]) -> String {
    type Of = fn(&KindFindings) -> Spread;
    let sorts: [(&str, Of); 3] = [
        ("Inserts", |kind| kind.inserts_per_s),
        ("Moves", |kind| kind.moves_per_s),
        ("Deletes", |kind| kind.deletes_per_s),
    ];
    let caption = "Thin lines: least and greatest of the rounds. Longer is better.";
    let one = |(title, of): (&str, Of)| {
        let bars = bars(findings, looks, |kind| (of(kind).median, Some(of(kind))));
        chart(title, "a second", &bars, caption)
    };
    sorts.into_iter().map(one).collect()
}

fn bars<'a>(
    findings: &'a Findings,
    looks: &[Look<'_>],
    of: impl Fn(&KindFindings) -> (f64, Option<Spread>),
) -> Vec<Bar<'a>> {
    let bar = |(kind, look): (&'a KindFindings, &Look<'_>)| {
        let (figure, spread) = of(kind);
        Bar { name: kind.name, class: look.class, figure, spread }
    };
    findings.kinds.iter().zip(looks).map(bar).collect()
}

fn chart(title: &str, unit: &str, bars: &[Bar<'_>], caption: &str) -> String {
    let greatest = |bar: &Bar<'_>| bar.spread.map_or(bar.figure, |spread| spread.greatest);
    let most = bars.iter().map(greatest).fold(0.0, f64::max);
    let length = |figure: f64| if most > 0.0 { figure / most * (RIGHT - LEFT) } else { 0.0 };
    let mut out = String::new();
    let mut described = format!("{title} in {unit}:");
    for (row, bar) in bars.iter().enumerate() {
        let y = 6.0 + ROW * row as f64;
        out += &text(LEFT - 8.0, y + 15.0, "label end", bar.name);
        let (width, top) = (coordinate(length(bar.figure).max(1.0)), coordinate(y + 3.0));
        // A String takes everything.
        let _ = write!(out, r#"<rect class="bar {}" x="{LEFT}" y="{top}" width="{width}" height="16"/>"#, bar.class);
        if let Some(spread) = bar.spread {
            let (from, to) = (coordinate(LEFT + length(spread.least)), coordinate(LEFT + length(spread.greatest)));
            let middle = coordinate(y + 11.0);
            let _ = write!(out, r#"<path class="spread" d="M{from} {middle}H{to}m0-3v6M{from} {middle}m0-3v6"/>"#);
        }
        let end = LEFT + length(greatest(bar)).max(1.0);
        out += &text(end + 7.0, y + 15.0, "label", &digits(bar.figure));
        let _ = write!(described, " {} {};", bar.name, digits(bar.figure));
    }
    let height = 12.0 + ROW * bars.len() as f64;
    figure(&format!("{title}, {unit}"), &described, WIDTH, height, &out, caption)
}
