//! What was found: figures with their spread, by kind and by test. The names are contract: they are what `--json` writes.

use serde::Serialize;

use super::{Course, Map, Verdict, role_name};

/// All that was found.
#[derive(Debug, Clone, Serialize)]
pub struct Findings {
    /// How many points there were.
    pub points: usize,
    /// What all kinds share.
    pub shared: SharedFindings,
    /// The kinds, in the order of the course.
    pub kinds: Vec<KindFindings>,
    /// The tests, in the order in which they should be read.
    pub tests: Vec<TestFindings>,
    /// How many points stood in the collections that changed.
    pub changed_points: usize,
    /// How much memory was read before each turn to sweep the caches.
    pub swept_bytes: usize,
    /// Whether a collection of so many points keeps directories at all.
    pub keeps_directories: bool,
    /// What follows from it, in words.
    pub verdict: Verdict,
    /// Where the points lie, with the cells of the kinds.
    #[serde(skip)]
    pub map: Option<Map>,
}

/// The points themselves, which every kind needs and none has of its own.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SharedFindings {
    /// Bringing points into order.
    pub order_ms: Spread,
    /// What the ordered points hold.
    pub bytes_per_point: f64,
}

/// What a kind costs.
#[derive(Debug, Clone, Serialize)]
pub struct KindFindings {
    /// Its name.
    pub name: &'static str,
    /// How it finds candidates.
    pub summary: &'static str,
    /// `reference`, `offered` or `baseline`.
    pub role: &'static str,
    /// Building its directory over points in order.
    pub build_ms: Spread,
    /// What its directory holds beside the points.
    pub bytes_per_point: f64,
    /// New items a second into a collection that keeps this kind alone.
    pub inserts_per_s: Spread,
    /// Items that move, likewise.
    pub moves_per_s: Spread,
    /// Items that go, likewise.
    pub deletes_per_s: Spread,
}

/// The median over rounds, with the least and the greatest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spread {
    /// The one in the middle.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub greatest: f64,
}

/// How the kinds did in one test.
#[derive(Debug, Clone, Serialize)]
pub struct TestFindings {
    /// Its name, such as `radius 100, haversine`.
    pub name: String,
    /// `radius`, `nearest`, `box` or `polygon`.
    pub shape: &'static str,
    /// How many results its questions were made for.
    pub results: usize,
    /// What metres mean, where there are any.
    pub metric: Option<&'static str>,
    /// How many results a question had.
    pub mean_results: f64,
    /// How many questions each kind was compared with the reference on.
    pub checked: usize,
    /// Whether all answers were those of the reference, to the bit.
    pub agreed: bool,
    /// How the kinds did.
    pub kinds: Vec<Standing>,
}

/// How one kind did in one test.
#[derive(Debug, Clone, Serialize)]
pub struct Standing {
    /// Which kind.
    pub kind: &'static str,
    /// How many questions it was asked in each round.
    pub questions: usize,
    /// The time of a question, in the middle of all.
    pub p50_us: f64,
    /// The time that one question in a hundred exceeds; absent where fewer than a hundred were asked.
    pub p99_us: Option<f64>,
    /// The middle question of each round.
    pub rounds_p50_us: Vec<f64>,
    /// Points named by the directory, for each result.
    pub candidates_per_result: f64,
    /// Points tested one by one, for each result.
    pub exact_tests_per_result: f64,
    /// Nodes or cells opened for a question.
    pub nodes_per_question: f64,
    /// Boxes compared with the area for a question.
    pub boxes_per_question: f64,
    /// On how many of the questions compared its answer was another than that of the reference.
    pub disagreements: usize,
}

impl Findings {
    /// What there is to find where there are no points.
    pub(super) fn of_nothing(course: &Course) -> Findings {
        let idle = |kind: &&'static crate::index::Kind| KindFindings {
            name: kind.name,
            summary: kind.summary,
            role: role_name(kind.role),
            build_ms: Spread::default(),
            bytes_per_point: 0.0,
            inserts_per_s: Spread::default(),
            moves_per_s: Spread::default(),
            deletes_per_s: Spread::default(),
        };
        let mut findings = Findings {
            points: 0,
            shared: SharedFindings::default(),
            kinds: course.kinds.iter().map(idle).collect(),
            tests: Vec::new(),
            changed_points: 0,
            swept_bytes: 0,
            keeps_directories: false,
            verdict: Verdict::default(),
            map: None,
        };
        findings.verdict = Verdict::of(&findings);
        findings
    }

    /// Whether all kinds gave the answers of the reference.
    pub fn agreed(&self) -> bool {
        self.tests.iter().all(|test| test.agreed)
    }

    /// How many questions were compared.
    pub fn checked(&self) -> usize {
        self.tests.iter().map(|test| test.checked).sum()
    }

    /// The kinds that users can choose.
    pub fn offered(&self) -> impl Iterator<Item = &KindFindings> {
        self.kinds.iter().filter(|kind| kind.role == "offered")
    }
}

impl TestFindings {
    /// How a kind did.
    pub fn standing(&self, kind: &str) -> Option<&Standing> {
        self.kinds.iter().find(|standing| standing.kind == kind)
    }
}

impl Spread {
    /// Of figures, one a round.
    pub fn of(figures: &[f64]) -> Spread {
        if figures.is_empty() {
            return Spread::default();
        }
        let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Spread { median: median(figures.to_vec()), least, greatest }
    }
}

/// The number in the middle.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    assert!(!numbers.is_empty(), "a median of nothing");
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
