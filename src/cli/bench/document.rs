//! All that a bench says, in one value: table, JSON and report are made of it. The names are contract.
//!
//! What surprises: there is no date in it. Two runs of the same points on the same machine differ by their figures only.

use serde::Serialize;

use super::given::{Given, Refused};
use super::machine::Machine;
use crate::measure::Findings;

/// What was measured, on what, and what was found.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Document {
    /// The version of `nigh`.
    pub(super) nigh: &'static str,
    pub(super) source: Source,
    pub(super) machine: Machine,
    /// About how long it was to take.
    pub(super) seconds: f64,
    /// Whether all kinds gave the same answers.
    pub(super) agreed: bool,
    /// On how many questions that was looked at.
    pub(super) checked: usize,
    #[serde(flatten)]
    pub(super) findings: Findings,
}

/// Where the points came from.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Source {
    pub(super) name: String,
    /// `file`, `stdin`, `generated` or `demo`.
    pub(super) origin: &'static str,
    /// Rows that were refused, and the first of them.
    pub(super) rejected: u64,
    pub(super) first_rejected: Vec<Refused>,
}

impl Document {
    pub(super) fn new(given: Given, seconds: f64, findings: Findings) -> Document {
        let Given { name, origin, rejected, first_rejected, .. } = given;
        Document {
            nigh: env!("CARGO_PKG_VERSION"),
            source: Source { name, origin, rejected, first_rejected },
            machine: Machine::this(),
            seconds,
            agreed: findings.agreed(),
            checked: findings.checked(),
            findings,
        }
    }

    /// On one line.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("names and numbers become JSON")
    }
}
