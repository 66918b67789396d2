//! Contenders that take turns.
//!
//! A race has rounds; in each round every contender answers the same few questions, one contender after the other,
//! beginning with another one each time. The ratio of two contenders is the median over the rounds of the ratio within
//! a round, shown with its least and greatest. Time is the time the thread had on a processor: what else the machine
//! does meanwhile does not count, except for what it throws out of the cache.
//!
//! What surprises: without care, who comes first loses. Our kinds share one array of points, and whoever reads the
//! answers first brings them into the cache for the rest; on a million points that is a factor of two. So before each
//! turn the caches are swept, then the contender warms up on the questions of the round before, which brings back the
//! upper floors of its index but not the answers; see [`Cache`].

use std::fmt;
use std::hint::black_box;

use cpu_time::ThreadTime;
use nigh::measure::Broom;
pub use nigh::measure::median;

use super::{grouped, is_trial};

/// What a ratio should be.
#[derive(Debug, Clone, Copy)]
pub enum Mark {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

impl Mark {
    /// Whether a ratio is as it should be.
    pub fn is_met_by(self, ratio: f64) -> bool {
        match self {
            Mark::AtMost(most) => ratio <= most,
            Mark::AtLeast(least) => ratio >= least,
        }
    }

    /// The mark, and whether it is met.
    pub fn verdict(self, ratio: f64) -> String {
        format!("{self} {}", if self.is_met_by(ratio) { "met" } else { "NOT met" })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mark::AtMost(most) => write!(f, "≤ {most}"),
            Mark::AtLeast(least) => write!(f, "≥ {least}"),
        }
    }
}

/// Somebody who answers questions.
pub struct Contender<'a, Q> {
    name: String,
    mark: Option<Mark>,
    /// Answers one question in so many: for those who would keep all others waiting.
    one_in: usize,
    answer: Box<dyn FnMut(&Q) -> usize + 'a>,
}

impl<'a, Q> Contender<'a, Q> {
    /// A contender; `answer` returns something that depends on the answer, so that no work can be left out.
    pub fn new(name: impl Into<String>, answer: impl FnMut(&Q) -> usize + 'a) -> Contender<'a, Q> {
        Contender { name: name.into(), mark: None, one_in: 1, answer: Box::new(answer) }
    }

    /// With a mark for its time over that of the first contender.
    #[must_use]
    pub fn marked(self, mark: impl Into<Option<Mark>>) -> Contender<'a, Q> {
        Contender { mark: mark.into(), ..self }
    }

    /// Asked one question in so many only.
    #[must_use]
    pub fn one_in(self, one_in: usize) -> Contender<'a, Q> {
        Contender { one_in, ..self }
    }

    /// Nanoseconds a question.
    fn time(&mut self, questions: &[Q]) -> f64 {
        let asked = questions.iter().step_by(self.one_in);
        let count = asked.len();
        let started = ThreadTime::now();
        for question in asked {
            black_box((self.answer)(black_box(question)));
        }
        started.elapsed().as_nanos() as f64 / count as f64
    }
}

/// The times of a contender, round by round.
#[derive(Debug)]
pub struct Times {
    /// Who.
    pub name: String,
    /// Its mark against the first.
    pub mark: Option<Mark>,
    /// Nanoseconds a question, one figure a round.
    pub rounds_ns: Vec<f64>,
}

impl Times {
    /// The median, in nanoseconds a question.
    pub fn median_ns(&self) -> f64 {
        median(self.rounds_ns.clone())
    }

    /// The ratio to another contender: median, least and greatest over the rounds.
    pub fn over(&self, other: &Times) -> (f64, f64, f64) {
        let ratios: Vec<f64> = self.rounds_ns.iter().zip(&other.rounds_ns).map(|(own, other)| own / other).collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = ratios.iter().copied().fold(0.0, f64::max);
        (median(ratios), least, greatest)
    }
}

/// How many rounds a race has.
pub fn rounds() -> usize {
    if is_trial() { 2 } else { 15 }
}

/// What lies in the cache when a contender begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// What other questions left there, as in service.
    Used,
    /// All it needs: for calculations.
    Warm,
}

/// Lets contenders answer questions in turns, an equal share of the questions in each round and one to warm up.
pub fn race<Q>(questions: &[Q], cache: Cache, mut contenders: Vec<Contender<'_, Q>>) -> Vec<Times> {
    let share = questions.len() / (rounds() + 1);
    assert!(share > 0, "a race needs at least one question a round");
    let name_of = |own: &Contender<'_, Q>| Times { name: own.name.clone(), mark: own.mark, rounds_ns: Vec::new() };
    let mut times: Vec<Times> = contenders.iter().map(name_of).collect();
    // A trial is about nothing but whether it runs.
    let mut broom = Broom::new(if is_trial() { 0.0 } else { 1.0 });
    for round in 1..=rounds() {
        let now = &questions[round * share..][..share];
        let before = &questions[(round - 1) * share..][..share];
        for turn in 0..contenders.len() {
            let place = (round + turn) % contenders.len();
            if cache == Cache::Used {
                broom.sweep();
            }
            contenders[place].time(if cache == Cache::Used { before } else { now });
            times[place].rounds_ns.push(contenders[place].time(now));
        }
    }
    times
}

/// Prints a table: who, nanoseconds a question, the ratio to the first with its spread, the mark.
pub fn print(title: &str, times: &[Times]) {
    println!("\n{title}");
    println!("  {:<34} {:>12} {:>9}  {:<15} mark", "", "ns", "× first", "least–greatest");
    for own in times {
        let (ratio, least, greatest) = own.over(&times[0]);
        let spread = format!("{least:.2}–{greatest:.2}");
        let verdict = own.mark.map(|mark| mark.verdict(ratio)).unwrap_or_default();
        println!("  {:<34} {:>12} {ratio:>9.2}  {spread:<15} {verdict}", own.name, grouped(own.median_ns()));
    }
}

/// Prints a ratio that stands by itself.
pub fn print_ratio(what: &str, ratio: f64, mark: Option<Mark>) {
    let verdict = mark.map(|mark| mark.verdict(ratio)).unwrap_or_default();
    println!("  {what:<34} {:>12} {ratio:>9.2}  {:<15} {verdict}", "", "");
}
