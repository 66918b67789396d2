//! The page: the answer first, then the plots, then every figure, then how it was measured.

use super::markup::{Look, escaped, legend, looks};
use super::{bars, dots, latency, map, tables};
use crate::cli::bench::document::Document;
use crate::index::Kind;
use crate::measure::{Findings, figure};

/// The whole page.
pub(super) fn html(document: &Document) -> String {
    let findings = &document.findings;
    let looks = looks(findings);
    let body = [
        header(document),
        verdict(findings),
        if findings.points > 0 { measured(findings, &looks) } else { String::new() },
        method(document, &looks),
        footer(document),
    ];
    format!(
        r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<link rel="icon" href="data:,"/>
<title>{} · nigh bench</title>
<style>{}</style></head>
<body>{}
<script type="application/json" id="figures">{}</script>
</body></html>
"#,
        escaped(&document.source.name),
        include_str!("style.css"),
        body.concat(),
        harmless(&document.to_json())
    )
}

/// JSON in which nothing can end the element that it stands in.
fn harmless(json: &str) -> String {
    json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

fn header(document: &Document) -> String {
    let Document { source, findings, agreed, checked, .. } = document;
    let points = if findings.points == 1 { "1 point".to_owned() } else { format!("{} points", count(findings.points)) };
    let tick = match (findings.points, agreed) {
        (0, _) => String::new(),
        (_, true) => {
            let asked = count(*checked);
            format!(
                r#"<p class="tick good"><span aria-hidden="true">✔</span> Same answers from every kind, on all {asked} questions compared</p>"#
            )
        }
        (_, false) => {
            r#"<p class="tick bad"><span aria-hidden="true">✘</span> The answers of the kinds differ</p>"#.to_owned()
        }
    };
    let rejected = match source.rejected {
        0 => String::new(),
        1 => "<p>1 row was refused and is not among them.</p>".to_owned(),
        rows => format!("<p>{} rows were refused and are not among them.</p>", count(rows as usize)),
    };
    format!(
        r#"<header><p class="kicker">nigh bench</p><h1>{}</h1><p class="lede"><strong>{points}</strong> from {}</p><p class="machine">{}</p>{rejected}{tick}</header>"#,
        escaped(&findings.verdict.headline),
        escaped(&source.name),
        escaped(&document.machine.name())
    )
}

/// A whole number, its thousands apart.
fn count(number: usize) -> String {
    if number < 100 { number.to_string() } else { figure(number as f64) }
}

fn verdict(findings: &Findings) -> String {
    let reasons: String =
        findings.verdict.reasons.iter().map(|reason| format!("<li>{}</li>", escaped(reason))).collect();
    let advice = advice(findings).map(|text| format!(r#"<p class="advice">{text}</p>"#)).unwrap_or_default();
    if reasons.is_empty() {
        return String::new();
    }
    format!(r#"<main><section class="verdict"><h2>Why</h2><ul>{reasons}</ul>{advice}</section>"#)
}

/// What to do about it. The first kind of the list is what a query takes by itself.
fn advice(findings: &Findings) -> Option<String> {
    let usual = Kind::offered().next()?.name;
    match findings.verdict.best.as_slice() {
        [] => None,
        best if best.contains(&usual) => {
            Some(format!("Nothing needs to be set: <code>{usual}</code> is what a query takes by itself."))
        }
        [first, ..] => Some(format!(
            r#"A query takes <code>{usual}</code> by itself. For {first}, ask with <code>index={first}</code>, or let the collection keep it alone: <code>{{"kinds":["{first}"]}}</code>."#
        )),
    }
}

fn measured(findings: &Findings, looks: &[Look<'_>]) -> String {
    let map = findings.map.as_ref().map(|found| {
        let maps = map::maps(found, looks);
        section(
            "map",
            "Where the points lie, and how each kind divides them",
            "The darker, the more points; the shades are logarithmic.",
            &maps,
        )
    });
    let legend = legend(looks);
    let level = "* fastest of the kinds that can be chosen, or level with it.";
    [
        section("overview", "At a glance", level, &tables::overview(findings, looks)),
        section("latency", "Latency against result size", "", &(legend.clone() + &grid(&latency::plots(findings, looks)))),
        section("others", "Nearest, box, polygon", "", &(legend + &grid(&dots::plots(findings, looks)))),
        section("costs", "Building and memory", "", &grid(&bars::costs(findings, looks))),
        section("changes", "Changes", &changes_note(findings), &grid(&bars::changes(findings, looks))),
        map.unwrap_or_default(),
        format!(
            r#"<section id="all"><h2>All figures</h2><details open="open"><summary>Tables</summary>{}{}</details></section>"#,
            tables::every_test(findings),
            tables::every_cost(findings)
        ),
    ]
    .concat()
}

fn changes_note(findings: &Findings) -> String {
    let points = count(findings.changed_points);
    format!(
        "Each kind in a collection of its own, of {points} points, in batches of 100; time runs until background joins have ended."
    )
}

fn grid(figures: &str) -> String {
    format!(r#"<div class="grid">{figures}</div>"#)
}

fn section(id: &str, title: &str, note: &str, inside: &str) -> String {
    let note = if note.is_empty() { String::new() } else { format!(r#"<p class="note">{}</p>"#, escaped(note)) };
    let inside = if id == "map" { grid(inside) } else { inside.to_owned() };
    format!(r#"<section id="{id}"><h2>{}</h2>{note}{inside}</section>"#, escaped(title))
}

fn method(document: &Document, looks: &[Look<'_>]) -> String {
    let findings = &document.findings;
    let swept = findings.swept_bytes.div_ceil(1 << 20);
    let rounds = findings.tests.iter().flat_map(|test| &test.kinds).map(|own| own.rounds_p50_us.len());
    let (least, most) = (rounds.clone().min().unwrap_or(0), rounds.max().unwrap_or(0));
    let rounds = if least == most { least.to_string() } else { format!("{least} to {most}") };
    let opening = if findings.points > 0 { "" } else { "<main>" };
    format!(
        r#"{opening}<section id="method"><h2>How it was measured</h2>
<p>Every kind is a directory over one and the same array of points; what follows it, the exact test, the order by distance and
the page, is the same for all. So two columns differ by their directories and by nothing else. That holds for the baseline too:
the library names candidates, and our test decides.</p>
<ul>
<li>Questions stand a few neighbours away from points of the data, drawn at random. Each has an area of its own size, made for the
number of results that its test is named after; results come in one page, ordered.</li>
<li>The kinds take turns on the same questions, {rounds} rounds of them, beginning with another kind each time. Before each turn
{swept} MiB of memory are read, which sweeps the caches, and the kind warms up on other questions.</li>
<li>The time of a question is the median of the rounds, on the clock, on one thread. p50 and p99 are over questions. Slow kinds
are asked fewer of them; where there are fewer than a hundred, there is no p99.</li>
<li>One kind counts as faster only if it was so in every round, and by more than 5 %.</li>
<li>Building is the directory alone; memory what it says it holds beside the points.</li>
<li>Not measured: HTTP, disks, several threads at once, filters on properties.</li>
</ul>
<h3>The kinds</h3>{}</section></main>"#,
        tables::kinds(findings, looks)
    )
}

fn footer(document: &Document) -> String {
    let seconds = document.seconds;
    format!(
        r#"<footer><p>Made by nigh {} with <code>--seconds {seconds}</code>. All figures stand in this page as JSON, in the element <code>#figures</code>; it loads nothing and sends nothing.</p></footer>"#,
        document.nigh
    )
}
