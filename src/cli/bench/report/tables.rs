//! All figures as tables, for reading and for copying.

use std::fmt::Write;

use super::markup::{Look, escaped};
use crate::measure::{Findings, KindFindings, Spread, Standing, TestFindings, figure};

type OfKind = fn(&KindFindings) -> String;
type OfStanding = fn(&Standing) -> Option<f64>;

/// What each kind costs and how quick it is where most ask: one row for each kind.
pub(super) fn overview(findings: &Findings, looks: &[Look<'_>]) -> String {
    let mut head = vec!["kind".to_owned()];
    let shown = overview_tests(findings);
    head.extend(shown.iter().map(|(_, test)| format!("{}, µs", test.name)));
    let costs: [(&str, OfKind); 3] = [
        ("build, ms", |kind| figure(kind.build_ms.median)),
        ("memory, bytes a point", |kind| figure(kind.bytes_per_point)),
        ("moves a second", |kind| figure(kind.moves_per_s.median)),
    ];
    head.extend(costs.iter().map(|(title, _)| (*title).to_owned()));
    let rows = findings.kinds.iter().zip(looks).map(|(kind, look)| {
        let mut row = vec![format!(r#"<th scope="row">{}{}</th>"#, look.key(), escaped(kind.name))];
        for (place, test) in &shown {
            let time = test.standing(kind.name).map_or_else(|| "–".to_owned(), |own| figure(own.p50_us));
            let leads = findings.verdict.leaders[*place].kinds.contains(&kind.name);
            row.push(cell(&time, leads));
        }
        row.extend(costs.iter().map(|(_, of)| cell(&of(kind), false)));
        row.concat()
    });
    table("The kinds at a glance: median times, and what a kind costs beside the points", &head, rows.collect())
}

/// One test of each shape: the one of a hundred results, or the nearest to that.
fn overview_tests(findings: &Findings) -> Vec<(usize, &TestFindings)> {
    let mut shown: Vec<(usize, &TestFindings)> = Vec::new();
    for (place, test) in findings.tests.iter().enumerate() {
        let wanted = if test.shape == "nearest" { 10 } else { 100 };
        let off = |test: &TestFindings| test.results.abs_diff(wanted);
        match shown.iter_mut().find(|(_, own)| own.shape == test.shape) {
            Some(own) if off(test) < off(own.1) => *own = (place, test),
            Some(_) => {}
            None => shown.push((place, test)),
        }
    }
    shown
}

/// The summaries of the kinds, as they describe themselves.
pub(super) fn kinds(findings: &Findings, looks: &[Look<'_>]) -> String {
    let mut out = String::from("<dl>");
    for (kind, look) in findings.kinds.iter().zip(looks) {
        let name = escaped(kind.name);
        let _ = write!(out, "<dt>{}{name}</dt><dd>{}.</dd>", look.key(), escaped(kind.summary)); // a String takes everything
    }
    out + "</dl>"
}

/// Every figure of every test.
pub(super) fn every_test(findings: &Findings) -> String {
    let blocks: [(&str, OfStanding); 6] = [
        ("p50, µs a question", |own| Some(own.p50_us)),
        ("p99, µs a question", |own| own.p99_us),
        ("Candidates a result: points that the directory names", |own| Some(own.candidates_per_result)),
        ("Exact tests a result: points looked at one by one", |own| Some(own.exact_tests_per_result)),
        ("Nodes or cells opened a question", |own| Some(own.nodes_per_question)),
        ("Boxes compared with the area a question", |own| Some(own.boxes_per_question)),
    ];
    let mut head = vec!["question".to_owned()];
    head.extend(findings.kinds.iter().map(|kind| kind.name.to_owned()));
    let block = |(place, (title, of)): (usize, (&str, OfStanding))| {
        let rows = findings.tests.iter().zip(&findings.verdict.leaders).map(|(test, leaders)| {
            let mut row = format!(r#"<th scope="row">{}</th>"#, escaped(&test.name));
            for kind in &findings.kinds {
                let figure = test.standing(kind.name).and_then(of).map_or_else(|| "–".to_owned(), figure);
                row += &cell(&figure, place == 0 && leaders.kinds.contains(&kind.name));
            }
            row
        });
        table(title, &head, rows.collect())
    };
    blocks.into_iter().enumerate().map(block).collect()
}

/// Building and changing, with the spread of the rounds.
pub(super) fn every_cost(findings: &Findings) -> String {
    let head = ["kind", "build, ms", "memory, bytes a point", "inserts a second", "moves a second", "deletes a second"];
    let spread =
        |spread: Spread| format!("{} ({}–{})", figure(spread.median), figure(spread.least), figure(spread.greatest));
    let mut rows = vec![
        format!(r#"<th scope="row">points, in order</th>{}"#, cell(&spread(findings.shared.order_ms), false))
            + &cell(&figure(findings.shared.bytes_per_point), false)
            + &cell("–", false).repeat(3),
    ];
    rows.extend(findings.kinds.iter().map(|kind| {
        let cells = [
            spread(kind.build_ms),
            figure(kind.bytes_per_point),
            spread(kind.inserts_per_s),
            spread(kind.moves_per_s),
            spread(kind.deletes_per_s),
        ];
        let cells: String = cells.iter().map(|text| cell(text, false)).collect();
        format!(r#"<th scope="row">{}</th>{cells}"#, escaped(kind.name))
    }));
    table("Costs: median (least–greatest) of the rounds", &head.map(str::to_owned), rows)
}

fn cell(text: &str, leads: bool) -> String {
    let text = escaped(text);
    if leads {
        format!(r#"<td class="leads">{text}<b title="fastest or level">*</b></td>"#)
    } else {
        format!("<td>{text}</td>")
    }
}

/// A table that scrolls by itself where it is wider than the page.
fn table(caption: &str, head: &[String], rows: Vec<String>) -> String {
    let caption = escaped(caption);
    let head: String = head.iter().map(|title| format!(r#"<th scope="col">{}</th>"#, escaped(title))).collect();
    let rows: String = rows.iter().map(|row| format!("<tr>{row}</tr>")).collect();
    format!(
        r#"<div class="wide" tabindex="0" role="region" aria-label="{caption}"><table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"#
    )
}
