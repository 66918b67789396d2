//! One test: all kinds answer the same questions in turns, and a part of the answers is held against the reference.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use super::questions::{Task, questions};
use super::{Broom, Course, Standing, TestFindings, median};
use crate::collection::Snapshot;
use crate::geometry::{Metric, Point};
use crate::index::{Kind, Role};
use crate::query::{Answer, Explain, Query};

/// How many rounds there are.
const ROUNDS_MIN: usize = 5;
const ROUNDS_MAX: usize = 7;

/// Questions of a kind in a turn: enough for a 99th percentile, if time allows. Kinds that users can choose get more than a few
/// in any case.
const QUESTIONS_MIN: usize = 5;
const OFFERED_MIN: usize = 15;
const QUESTIONS_MAX: usize = 200;

/// From so many results on, only some questions are made: a hundred would not be answered in time, and making one takes as long.
const LARGE_FROM: usize = 5_000;
const LARGE_MAX: usize = 40;
const P99_FROM: usize = 100;

/// Questions that a kind answers before each turn, and questions on which answers are compared.
const WARM_UP: usize = 20;
const CHECKED_MAX: usize = 50;

/// Runs a test for about so many seconds. `None` where the data has no place for such questions.
pub(super) fn run(
    task: &Task,
    snapshot: &Arc<Snapshot>,
    points: &[Point],
    course: &Course,
    seconds: f64,
    broom: &mut Broom,
) -> Option<TestFindings> {
    let most = if task.results < LARGE_FROM { QUESTIONS_MAX } else { LARGE_MAX };
    let asked = questions(task, snapshot, points, most, course.seed);
    let mut warm_up = questions(task, snapshot, points, WARM_UP, course.seed.wrapping_add(1));
    if asked.is_empty() {
        return None;
    }
    let mut runners: Vec<Runner> = course.kinds.iter().map(|kind| Runner::new(kind, snapshot, &asked)).collect();
    let (checked, disagreements) = check(&asked, snapshot, course, seconds);
    let rounds = share_out(&mut runners, asked.len(), seconds, broom);
    // Whoever takes long for an answer is not kept warm by many of them.
    warm_up.truncate(runners.iter().map(|runner| runner.questions).min().unwrap_or(0));
    for round in 0..rounds {
        for turn in 0..runners.len() {
            let place = (round + turn) % runners.len();
            broom.sweep();
            runners[place].warm_up(snapshot, &warm_up);
            runners[place].turn(snapshot, &asked);
        }
    }
    let results: u64 = runners.iter().map(|runner| runner.results).sum();
    let answers: usize = runners.iter().map(|runner| runner.questions * rounds).sum();
    Some(TestFindings {
        name: task.name(),
        shape: task.shape.name(),
        results: task.results,
        metric: task.metric.map(Metric::name),
        mean_results: results as f64 / answers as f64,
        checked,
        agreed: disagreements.iter().all(|&count| count == 0),
        kinds: runners.into_iter().zip(disagreements).map(|(runner, count)| runner.standing(count)).collect(),
    })
}

/// On how many questions the answers were compared, and for each kind on how many it had another than the reference.
fn check(asked: &[Query], snapshot: &Arc<Snapshot>, course: &Course, seconds: f64) -> (usize, Vec<usize>) {
    let Some(reference) = course.kinds.iter().find(|kind| kind.role == Role::Reference) else {
        return (0, vec![0; course.kinds.len()]);
    };
    let mut disagreements = vec![0; course.kinds.len()];
    let mut checked = 0;
    let started = Instant::now();
    for query in asked.iter().take(CHECKED_MAX) {
        let expected = answer(query, reference, snapshot);
        for (kind, count) in course.kinds.iter().zip(&mut disagreements) {
            *count += usize::from(!answer(query, kind, snapshot).is_identical_to(&expected));
        }
        checked += 1;
        if checked >= QUESTIONS_MIN && started.elapsed().as_secs_f64() > seconds * 0.1 {
            break;
        }
    }
    (checked, disagreements)
}

fn answer(query: &Query, kind: &'static Kind, snapshot: &Arc<Snapshot>) -> Answer {
    query.clone().on(kind).run(snapshot).expect("the kinds of the course are kept")
}

/// Gives each kind its number of questions, so that the test ends in time; says how many rounds there are.
fn share_out(runners: &mut [Runner], asked: usize, seconds: f64, broom: &mut Broom) -> usize {
    let started = Instant::now();
    broom.sweep();
    let sweep_s = started.elapsed().as_secs_f64();
    let slice_s = seconds * 0.9 / runners.len() as f64;
    // As many rounds as leave time for a hundred questions of the slowest kind that users can choose.
    let offered = |runner: &&Runner| runner.kind.role == Role::Offered;
    let slowest_s = runners.iter().filter(offered).map(|runner| runner.estimate_s).fold(1e-9, f64::max);
    let a_round_s = sweep_s + slowest_s * (P99_FROM.min(asked) + WARM_UP) as f64;
    let rounds = ((slice_s / a_round_s) as usize).clamp(ROUNDS_MIN, ROUNDS_MAX);
    let affordable = |estimate_s: f64, least: usize| {
        let count = (slice_s / rounds as f64 - sweep_s).max(0.0) / estimate_s.max(1e-9);
        (count as usize).saturating_sub(WARM_UP).clamp(least, QUESTIONS_MAX).min(asked)
    };
    for runner in runners {
        // Kinds that are to be compared answer the same questions; one that would keep them waiting answers fewer.
        runner.questions = match runner.kind.role {
            Role::Offered => affordable(slowest_s, OFFERED_MIN),
            Role::Reference | Role::Baseline => affordable(runner.estimate_s, QUESTIONS_MIN),
        };
    }
    rounds
}

/// A kind that takes its turns.
struct Runner {
    kind: &'static Kind,
    queries: Vec<Query>,
    questions: usize,
    estimate_s: f64,
    /// By round and question.
    rounds_us: Vec<Vec<f64>>,
    results: u64,
    candidates: u64,
    exact_tests: u64,
    nodes: u64,
    boxes: u64,
}

impl Runner {
    fn new(kind: &'static Kind, snapshot: &Arc<Snapshot>, asked: &[Query]) -> Runner {
        let queries: Vec<Query> = asked.iter().map(|query| query.clone().on(kind)).collect();
        let mut times: Vec<f64> = queries.iter().take(QUESTIONS_MIN).map(|query| time(query, snapshot).0).collect();
        times.sort_by(f64::total_cmp);
        let estimate_s = times[times.len() / 2] / 1e6;
        Runner {
            kind,
            queries,
            questions: 0,
            estimate_s,
            rounds_us: Vec::new(),
            results: 0,
            candidates: 0,
            exact_tests: 0,
            nodes: 0,
            boxes: 0,
        }
    }

    fn warm_up(&self, snapshot: &Arc<Snapshot>, questions: &[Query]) {
        for query in questions {
            black_box(query.clone().on(self.kind).run(snapshot).expect("the kind is kept"));
        }
    }

    fn turn(&mut self, snapshot: &Arc<Snapshot>, asked: &[Query]) {
        debug_assert!(self.questions <= asked.len());
        let mut times_us = Vec::with_capacity(self.questions);
        for place in 0..self.questions {
            let (us, answer) = time(&self.queries[place], snapshot);
            times_us.push(us);
            let Explain { candidates, exact_tests, nodes, boxes, .. } = answer.explain;
            self.results += answer.matched;
            self.candidates += candidates;
            self.exact_tests += exact_tests;
            self.nodes += nodes;
            self.boxes += boxes;
        }
        self.rounds_us.push(times_us);
    }

    fn standing(self, disagreements: usize) -> Standing {
        let in_all = (self.questions * self.rounds_us.len()) as f64;
        let per_result = |count: u64| count as f64 / self.results.max(1) as f64;
        let of_question = |place: usize| median(self.rounds_us.iter().map(|round| round[place]).collect());
        let mut times_us: Vec<f64> = (0..self.questions).map(of_question).collect();
        times_us.sort_by(f64::total_cmp);
        Standing {
            kind: self.kind.name,
            questions: self.questions,
            p50_us: times_us[times_us.len() / 2],
            p99_us: (times_us.len() >= P99_FROM).then(|| times_us[times_us.len() * 99 / 100]),
            rounds_p50_us: self.rounds_us.iter().map(|round| median(round.clone())).collect(),
            candidates_per_result: per_result(self.candidates),
            exact_tests_per_result: per_result(self.exact_tests),
            nodes_per_question: self.nodes as f64 / in_all,
            boxes_per_question: self.boxes as f64 / in_all,
            disagreements,
        }
    }
}

/// Microseconds on the clock, and the answer.
fn time(query: &Query, snapshot: &Arc<Snapshot>) -> (f64, Answer) {
    let started = Instant::now();
    let answer = black_box(query).run(snapshot).expect("the kinds of the course are kept");
    let us = started.elapsed().as_nanos() as f64 / 1e3;
    (us, black_box(answer))
}
