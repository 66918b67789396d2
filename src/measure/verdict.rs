//! What the figures say, in words: which kind suits the points, and why.
//!
//! What surprises: there is no sentence here about any kind. Each is put together from what was measured, and where the rounds do
//! not agree about who is faster, the sentence says that.

use serde::Serialize;

use super::figure::listed;
use super::{Findings, KindFindings, Spread, Standing, TestFindings, figure};

/// A difference that is smaller is none to choose by, however sure it is.
const MATTERS: f64 = 1.05;

/// How much more of something explains that it takes longer.
const EXPLAINS: f64 = 1.15;

/// Exceptions that are named one by one.
const NAMED_MAX: usize = 3;

/// What follows from the findings.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Verdict {
    /// The answer in one sentence.
    pub headline: String,
    /// Why, and what speaks against it; a sentence or two each.
    pub reasons: Vec<String>,
    /// The kinds that suit the points best and cannot be told apart over all tests.
    pub best: Vec<&'static str>,
    /// For each test the kinds that cannot be told apart from the fastest.
    pub leaders: Vec<Leaders>,
}

/// Who leads in a test.
#[derive(Debug, Clone, Serialize)]
pub struct Leaders {
    /// The name of the test.
    pub test: String,
    /// The fastest kind, then those that are level with it.
    pub kinds: Vec<&'static str>,
}

/// A kind, with how long it takes in multiples of the fastest, on average over the tests.
struct Ranked<'a> {
    kind: &'a KindFindings,
    slowdown: f64,
    leads: usize,
}

impl Verdict {
    /// The verdict over some findings, whose own is not looked at.
    pub(super) fn of(findings: &Findings) -> Verdict {
        if findings.points == 0 {
            let headline = "There are no points, so there was nothing to measure.".to_owned();
            return Verdict { headline, ..Verdict::default() };
        }
        let leaders: Vec<Leaders> = findings.tests.iter().map(|test| leaders(findings, test)).collect();
        if !findings.agreed() {
            return Verdict { leaders, ..disagreement(findings) };
        }
        let ranked = rank(findings, &leaders);
        let Some(first) = ranked.first() else {
            let headline = "No kind that can be chosen took part.".to_owned();
            return Verdict { headline, leaders, ..Verdict::default() };
        };
        let tests = findings.tests.len();
        // Without directories there is nothing that kinds could differ by, whatever the clock says.
        let is_level = |own: &&Ranked<'_>| {
            !findings.keeps_directories || own.slowdown <= first.slowdown * MATTERS || own.leads == tests
        };
        let (level, behind): (Vec<&Ranked<'_>>, Vec<&Ranked<'_>>) = ranked.iter().partition(is_level);
        let best: Vec<&'static str> = level.iter().map(|own| own.kind.name).collect();
        let mut reasons = Vec::new();
        if findings.keeps_directories {
            reasons.push(standing(&level, &behind, tests));
            reasons.extend(cause(findings, first, behind.last().or(level.last()).copied()));
            reasons.extend(exceptions(findings, &best, &leaders));
            reasons.extend([memory(findings), changes(findings)]);
            reasons.extend(outsiders(findings, first.kind));
        } else {
            let plain =
                "A collection of so few points keeps no directory: whatever kind is chosen, every point is looked at.";
            reasons.push(plain.to_owned());
        }
        reasons.push(agreement(findings));
        Verdict { headline: headline(findings, &level, behind.is_empty()), reasons, best, leaders }
    }
}

fn headline(findings: &Findings, level: &[&Ranked<'_>], everybody: bool) -> String {
    let tests = findings.tests.len();
    let names: Vec<&str> = level.iter().map(|own| own.kind.name).collect();
    match names.as_slice() {
        [only] => format!("{only} suits these points best."),
        _ if !everybody => format!("{} suit these points best, and are level.", listed(&names)),
        _ if !findings.keeps_directories || level.iter().all(|own| own.leads == tests) => {
            "It makes no difference here which index kind is taken.".to_owned()
        }
        _ => {
            // Of those that lead equally often, the quickest on average, which stands first.
            let most = level.iter().rev().max_by_key(|own| own.leads).expect("there are several");
            format!(
                "On the whole the index kinds are level here; {} leads in {} of {tests} tests.",
                most.kind.name, most.leads
            )
        }
    }
}

fn disagreement(findings: &Findings) -> Verdict {
    let wrong = |kind: &KindFindings| {
        let count = |test: &TestFindings| test.standing(kind.name).map_or(0, |standing| standing.disagreements);
        let differing: usize = findings.tests.iter().map(count).sum();
        (differing > 0).then(|| {
            let checked = findings.checked();
            format!("{} gave another answer than the reference on {differing} of {checked} questions.", kind.name)
        })
    };
    let mut reasons: Vec<String> = findings.kinds.iter().filter_map(wrong).collect();
    reasons.push("A wrong answer has no speed: the figures say nothing about which kind to take.".to_owned());
    Verdict { headline: "The answers differ: an index kind is wrong.".to_owned(), reasons, ..Verdict::default() }
}

/// Whether one standing is slower than another, in every round and by enough to matter.
fn is_surely_slower(slow: &Standing, fast: &Standing) -> bool {
    let each = slow.rounds_p50_us.iter().zip(&fast.rounds_p50_us);
    slow.p50_us > fast.p50_us * MATTERS && each.clone().count() > 1 && each.clone().all(|(slow, fast)| slow > fast)
}

fn leaders(findings: &Findings, test: &TestFindings) -> Leaders {
    let mut offered: Vec<&Standing> = findings.offered().filter_map(|kind| test.standing(kind.name)).collect();
    offered.sort_by(|a, b| a.p50_us.total_cmp(&b.p50_us));
    let level = offered.iter().filter(|own| !is_surely_slower(own, offered[0]));
    Leaders { test: test.name.clone(), kinds: level.map(|own| own.kind).collect() }
}

/// The kinds that can be chosen, the fastest first.
fn rank<'a>(findings: &'a Findings, leaders: &[Leaders]) -> Vec<Ranked<'a>> {
    let slowdown = |kind: &KindFindings, test: &TestFindings, leaders: &Leaders| {
        let fastest = leaders.kinds.first().and_then(|fastest| test.standing(fastest))?;
        Some(test.standing(kind.name)?.p50_us / fastest.p50_us)
    };
    let own = |kind: &'a KindFindings| {
        let ratios = findings.tests.iter().zip(leaders).filter_map(|(test, leaders)| slowdown(kind, test, leaders));
        let ratios: Vec<f64> = ratios.collect();
        let leads = leaders.iter().filter(|test| test.kinds.contains(&kind.name)).count();
        Ranked { kind, slowdown: ratios.iter().sum::<f64>() / ratios.len().max(1) as f64, leads }
    };
    let mut ranked: Vec<Ranked<'_>> = findings.offered().map(own).collect();
    ranked.sort_by(|a, b| a.slowdown.total_cmp(&b.slowdown));
    ranked
}

fn standing(level: &[&Ranked<'_>], behind: &[&Ranked<'_>], tests: usize) -> String {
    let leads = |own: &&Ranked<'_>| format!("{} in {}", own.kind.name, own.leads);
    let led: Vec<String> = level.iter().chain(behind).map(leads).collect();
    let rule = "at most 5 % behind it, or not behind in every round";
    let mut text = format!("Of {tests} tests, fastest or level with the fastest ({rule}): {}.", listed(&led));
    if let (Some(first), Some(last)) = (level.first(), behind.last().or(level.last()))
        && last.slowdown > first.slowdown
    {
        let relation = |own: &&Ranked<'_>| format!("{} {} ×", own.kind.name, figure(own.slowdown));
        let all: Vec<String> = level.iter().chain(behind).map(relation).collect();
        text += &format!(" On average over the tests, in multiples of the fastest of each: {}.", listed(&all));
    }
    text
}

/// Where the last differs most from the first, and what the counts say about it.
fn cause(findings: &Findings, first: &Ranked<'_>, last: Option<&Ranked<'_>>) -> Option<String> {
    let last = last.filter(|last| last.kind.name != first.kind.name)?;
    let pair = |test: &'_ TestFindings| {
        Some((test.standing(first.kind.name)?.clone(), test.standing(last.kind.name)?.clone()))
    };
    let sure = findings.tests.iter().filter_map(|test| Some((test, pair(test)?)));
    let sure = sure.filter(|(_, (fast, slow))| is_surely_slower(slow, fast));
    let ratio = |(fast, slow): &(Standing, Standing)| slow.p50_us / fast.p50_us;
    let (test, (fast, slow)) = sure.max_by(|a, b| ratio(&a.1).total_cmp(&ratio(&b.1)))?;
    let work = |own: &Standing| own.nodes_per_question + own.boxes_per_question;
    let counts = |own: &Standing| {
        let (candidates, boxes) = (figure(own.candidates_per_result), figure(own.boxes_per_question));
        format!("{} names {candidates} candidates a result and compares {boxes} boxes a question", own.kind)
    };
    let more_candidates = slow.candidates_per_result > EXPLAINS * fast.candidates_per_result;
    let more_work = work(&slow) > EXPLAINS * work(&fast);
    let because = match (more_candidates, more_work) {
        (true, true) => "Both cost time.",
        (true, false) => "So it is the candidates that cost time.",
        (false, true) => "So it is the way to the candidates that costs time, and not their number.",
        (false, false) => "These counts do not explain the difference; what a single cell costs is not among them.",
    };
    Some(format!(
        "{} and {} differ most in {}: {} against {} µs. There {}; {}. {because}",
        fast.kind,
        slow.kind,
        test.name,
        figure(fast.p50_us),
        figure(slow.p50_us),
        counts(&fast),
        counts(&slow),
    ))
}

/// Tests in which none of the best leads.
fn exceptions(findings: &Findings, best: &[&'static str], leaders: &[Leaders]) -> Option<String> {
    let lost = findings.tests.iter().zip(leaders).filter(|(_, own)| !own.kinds.iter().any(|kind| best.contains(kind)));
    let told: Vec<String> = lost
        .filter_map(|(test, own)| {
            let ours =
                best.iter().filter_map(|kind| test.standing(kind)).map(|own| own.p50_us).min_by(f64::total_cmp)?;
            let fastest = test.standing(own.kinds.first()?)?;
            Some(format!("{} ({}, {} ×)", test.name, fastest.kind, figure(ours / fastest.p50_us)))
        })
        .collect();
    let more = told.len().saturating_sub(NAMED_MAX);
    let named = listed(&told[..told.len() - more]);
    match (told.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(format!("Another kind is faster in {named}.")),
        (false, more) => Some(format!("Another kind is faster in {named}, and in {more} tests more.")),
    }
}

fn memory(findings: &Findings) -> String {
    let by = |of: fn(&KindFindings) -> f64| {
        let mut kinds: Vec<&KindFindings> = findings.offered().collect();
        kinds.sort_by(|a, b| of(a).total_cmp(&of(b)));
        kinds
    };
    let bytes = by(|kind| kind.bytes_per_point);
    let (Some(least), Some(most)) = (bytes.first(), bytes.last()) else { return String::new() };
    let shared = findings.shared.bytes_per_point;
    let (from, to) = (figure(least.bytes_per_point), figure(most.bytes_per_point));
    let text = format!(
        "A directory takes {from} ({}) to {to} ({}) bytes a point, the points themselves {}",
        least.name,
        most.name,
        figure(shared)
    );
    let decides = most.bytes_per_point - least.bytes_per_point > 0.1 * shared;
    let text = text + if decides { "." } else { ": memory does not decide." };
    let times = by(|kind| kind.build_ms.median);
    let (Some(quickest), Some(slowest)) = (times.first(), times.last()) else { return text };
    format!(
        "{text} Building takes {} ({}) to {} ms ({}), bringing the points into order {} ms.",
        figure(quickest.build_ms.median),
        quickest.name,
        figure(slowest.build_ms.median),
        slowest.name,
        figure(findings.shared.order_ms.median)
    )
}

fn changes(findings: &Findings) -> String {
    type Of = fn(&KindFindings) -> Spread;
    let sorts: [(&str, Of); 3] = [
        ("inserts", |kind| kind.inserts_per_s),
        ("moves", |kind| kind.moves_per_s),
        ("deletes", |kind| kind.deletes_per_s),
    ];
    let (mut sure, mut unsure) = (Vec::new(), Vec::new());
    for (sort, of) in sorts {
        let mut kinds: Vec<&KindFindings> = findings.offered().collect();
        kinds.sort_by(|a, b| of(b).median.total_cmp(&of(a).median));
        let (Some(most), Some(least)) = (kinds.first(), kinds.last()) else { continue };
        let (most_per_s, least_per_s) = (of(most), of(least));
        let matters = most_per_s.median > MATTERS * least_per_s.median;
        if matters && most_per_s.least > least_per_s.greatest {
            let rates = (figure(most_per_s.median), figure(least_per_s.median));
            sure.push(format!("{sort}: {} takes {} a second, {} {}", most.name, rates.0, least.name, rates.1));
        } else {
            unsure.push(sort);
        }
    }
    match (sure.is_empty(), unsure.is_empty()) {
        (true, _) => format!("Rates of {} do not tell the kinds apart: their spreads overlap.", listed(&unsure)),
        (false, true) => format!("Changes: {}.", sure.join("; ")),
        (false, false) => {
            format!("Changes: {}. Rates of {} do not tell the kinds apart.", sure.join("; "), listed(&unsure))
        }
    }
}

/// The baseline and the reference beside the first of the kinds.
fn outsiders(findings: &Findings, first: &KindFindings) -> Vec<String> {
    let others = findings.kinds.iter().filter(|kind| kind.role != "offered");
    let told = others.filter_map(|kind| {
        let pairs = findings.tests.iter().filter_map(|test| Some((test.standing(kind.name)?, test.standing(first.name)?)));
        let pairs: Vec<(&Standing, &Standing)> = pairs.collect();
        let ratios: Vec<f64> = pairs.iter().map(|(own, first)| own.p50_us / first.p50_us).collect();
        let Spread { least, greatest, .. } = Spread::of(&ratios);
        let slower = pairs.iter().filter(|(own, first)| is_surely_slower(own, first)).count();
        (!pairs.is_empty()).then(|| {
            let who = if kind.role == "reference" { "without an index" } else { "the library" };
            format!(
                "{} ({who}) takes {} to {} times as long as {}, surely longer in {slower} of {} tests, and {} bytes a point.",
                kind.name,
                figure(least),
                figure(greatest),
                first.name,
                pairs.len(),
                figure(kind.bytes_per_point)
            )
        })
    });
    told.collect()
}

fn agreement(findings: &Findings) -> String {
    let names: Vec<&str> = findings.kinds.iter().map(|kind| kind.name).collect();
    format!("{} gave the same answers, to the bit, on all {} questions compared.", listed(&names), findings.checked())
}
