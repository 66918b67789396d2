//! The measuring on few points, with kinds that are right and one that is wrong; and verdicts over figures made up.

use super::*;
use crate::generate::{GENERATORS, Random};
use crate::geometry::Rect;
use crate::index::{Area, Directory, DirectoryCell, KINDS, Points, Run, Sorted, Trace};

/// A directory that keeps every tenth block to itself.
static LIAR: Kind = Kind {
    name: "liar",
    summary: "passes over a tenth of the points",
    role: Role::Offered,
    build: |_: &Sorted| Box::new(Liar),
    open: |_, _| None,
};

#[derive(Debug)]
struct Liar;

impl Directory for Liar {
    fn cover(&self, points: &Points, _area: &Area, runs: &mut Vec<Run>, _trace: &mut Trace<'_>) {
        let kept = points.slots().filter(|slot| slot % 10 != 0);
        runs.extend(kept.map(|slot| Run { slots: slot..slot + 1, inside: false, least_chord2: 0.0 }));
    }

    fn cells(&self, _points: &Points, _frame: Rect, _level: u32, _most: usize) -> Vec<DirectoryCell> {
        Vec::new()
    }

    fn bytes(&self) -> usize {
        0
    }
}

fn points(generator: &str, count: usize) -> Vec<Point> {
    (crate::generate::generator_named(generator).unwrap().make)(&mut Random::seeded(2), count)
}

fn quick(kinds: Vec<&'static Kind>) -> Course {
    Course { kinds, seconds: 0.05, seed: 1 }
}

#[test]
fn every_kind_agrees_wherever_points_lie() {
    for generator in GENERATORS {
        let findings = measure(&points(generator.name, 400), &quick(KINDS.iter().collect()), &mut |_| {});
        assert!(findings.agreed(), "{}", generator.name);
        assert!(findings.checked() > 0 && findings.tests.len() > 8, "{}", generator.name);
        for test in &findings.tests {
            assert_eq!(test.kinds.len(), KINDS.len());
            assert!(test.mean_results > 0.0 && test.kinds.iter().all(|own| own.p50_us > 0.0), "{}", test.name);
        }
    }
}

#[test]
fn a_kind_that_passes_over_points_is_found_out_and_named() {
    let mut kinds: Vec<&'static Kind> = KINDS.iter().collect();
    kinds.push(&LIAR);
    let findings = measure(&points("clustered", 500), &quick(kinds), &mut |_| {});
    assert!(!findings.agreed());
    assert!(findings.verdict.headline.contains("an index kind is wrong"), "{}", findings.verdict.headline);
    assert!(findings.verdict.reasons[0].starts_with("liar gave another answer"), "{:?}", findings.verdict.reasons);
    assert_eq!(findings.verdict.reasons.len(), 2, "nobody else is blamed, and nothing is recommended");
    assert!(findings.verdict.best.is_empty());
    for test in &findings.tests {
        let wrong: Vec<&str> = test.kinds.iter().filter(|own| own.disagreements > 0).map(|own| own.kind).collect();
        assert!(wrong.is_empty() || wrong == ["liar"], "{}: {wrong:?}", test.name);
    }
}

#[test]
fn no_points_one_point_and_points_on_one_spot_are_measured_as_well() {
    let nothing = measure(&[], &quick(KINDS.iter().collect()), &mut |_| {});
    assert!(nothing.verdict.headline.contains("no points") && nothing.tests.is_empty() && nothing.map.is_none());
    let spot = Point::new(-90.0, 180.0).unwrap();
    for count in [1, 3, 65, 500] {
        let findings = measure(&vec![spot; count], &quick(KINDS.iter().collect()), &mut |_| {});
        assert!(findings.agreed() && !findings.verdict.reasons.is_empty(), "{count}");
        assert_eq!(findings.keeps_directories, count > 64, "{count}");
        let map = findings.map.unwrap();
        assert_eq!(map.counts.iter().sum::<u32>() as usize, count);
        assert!(map.shape.is_finite() && map.frame.contains(spot));
    }
}

#[test]
fn a_radius_has_the_number_of_results_it_was_made_for() {
    let findings = measure(&points("uniform", 2_000), &quick(KINDS.iter().collect()), &mut |_| {});
    for test in findings.tests.iter().filter(|test| ["radius", "nearest"].contains(&test.shape)) {
        assert!((test.mean_results - test.results as f64).abs() < 1e-9, "{}: {}", test.name, test.mean_results);
    }
}

/// Findings of four tests in which each kind takes its time in every round, plus or minus a shake.
fn made_up(kinds: &[(&'static str, f64)], shake: f64) -> Findings {
    let names = ["radius 10", "radius 100", "nearest 10", "box 100"];
    let standing = |&(kind, us): &(&'static str, f64)| Standing {
        kind,
        questions: 100,
        p50_us: us,
        p99_us: Some(us * 2.0),
        rounds_p50_us: (0..5).map(|round| us + if round % 2 == 0 { shake } else { -shake }).collect(),
        candidates_per_result: us,
        exact_tests_per_result: us,
        nodes_per_question: 3.0,
        boxes_per_question: 9.0,
        disagreements: 0,
    };
    let test = |name: &str| TestFindings {
        name: name.to_owned(),
        shape: "radius",
        results: 10,
        metric: None,
        mean_results: 10.0,
        checked: 5,
        agreed: true,
        kinds: kinds.iter().map(standing).collect(),
    };
    let spread = |median| Spread { median, least: median * 0.9, greatest: median * 1.1 };
    let kind = |&(name, us): &(&'static str, f64)| KindFindings {
        name,
        summary: "",
        role: "offered",
        build_ms: spread(us),
        bytes_per_point: us / 100.0,
        inserts_per_s: spread(1000.0),
        moves_per_s: spread(1000.0 * us),
        deletes_per_s: spread(1000.0),
    };
    let shared = SharedFindings { order_ms: spread(100.0), bytes_per_point: 40.0 };
    let mut findings = Findings {
        points: 1_000,
        shared,
        kinds: kinds.iter().map(kind).collect(),
        tests: names.iter().map(|name| test(name)).collect(),
        changed_points: 1_000,
        swept_bytes: 0,
        keeps_directories: true,
        verdict: Verdict::default(),
        map: None,
    };
    findings.verdict = Verdict::of(&findings);
    findings
}

fn said(findings: &Findings) -> String {
    format!("{} {}", findings.verdict.headline, findings.verdict.reasons.join(" "))
}

#[test]
fn the_fastest_kind_suits_best_and_the_counts_say_why() {
    let findings = made_up(&[("oak", 10.0), ("elm", 20.0)], 0.1);
    let said = said(&findings);
    for words in [
        "oak suits these points best.",
        "fastest or level with the fastest",
        "oak in 4 and elm in 0",
        "elm 2.00 ×",
        "10.0 against 20.0 µs",
        "it is the candidates that cost time",
        "moves: elm takes 20\u{202f}000 a second, oak 10\u{202f}000",
        "Rates of inserts and deletes do not tell the kinds apart",
        "memory does not decide",
        "the same answers, to the bit, on all 20 questions",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_difference_within_the_noise_is_called_none() {
    let shaken = made_up(&[("oak", 10.0), ("elm", 11.0)], 2.0);
    // Rounds that shake both alike are no doubt; these shake one alone.
    let mut torn = shaken.clone();
    for test in &mut torn.tests {
        test.kinds[0].rounds_p50_us = vec![9.0, 12.0, 9.5, 10.0, 13.0];
        test.kinds[1].rounds_p50_us = vec![11.0; 5];
    }
    let verdict = Verdict::of(&torn);
    assert_eq!(
        (verdict.headline.as_str(), verdict.best.len()),
        ("It makes no difference here which index kind is taken.", 2)
    );
    assert!(verdict.leaders.iter().all(|test| test.kinds.len() == 2));
    assert_eq!(shaken.verdict.best, ["oak"]);
    let close = made_up(&[("oak", 10.0), ("elm", 10.4)], 0.01);
    assert_eq!(close.verdict.best, ["oak", "elm"], "sure, but too small to choose by");
}

#[test]
fn kinds_that_are_level_on_the_whole_may_still_lead_more_or_less_often() {
    let mut findings = made_up(&[("oak", 10.0), ("elm", 10.1)], 0.01);
    let elm = &mut findings.tests[0].kinds[1];
    (elm.p50_us, elm.rounds_p50_us) = (11.0, vec![11.0; 5]);
    let verdict = Verdict::of(&findings);
    assert_eq!(verdict.headline, "On the whole the index kinds are level here; oak leads in 4 of 4 tests.");
    assert!(verdict.reasons[0].contains("oak in 4 and elm in 3"), "{:?}", verdict.reasons);
    findings.keeps_directories = false;
    let verdict = Verdict::of(&findings);
    assert_eq!((verdict.best.len(), verdict.reasons.len()), (2, 2), "what has no directory differs by chance");
    assert!(verdict.headline.contains("no difference") && verdict.reasons[0].contains("so few points"));
}

#[test]
fn two_that_are_level_share_the_place_and_exceptions_are_named() {
    let mut findings = made_up(&[("oak", 10.0), ("elm", 10.1), ("ash", 30.0)], 0.1);
    let ash = &mut findings.tests[2].kinds[2];
    (ash.p50_us, ash.rounds_p50_us) = (5.0, vec![5.0; 5]);
    let verdict = Verdict::of(&findings);
    assert_eq!(verdict.headline, "oak and elm suit these points best, and are level.");
    assert!(verdict.reasons.iter().any(|reason| reason == "Another kind is faster in nearest 10 (ash, 2.00 ×)."));
}
