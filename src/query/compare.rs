//! One query on every index kind: the same answer, at different costs.

use super::{Answer, Budget, Query, QueryError};
use crate::collection::Snapshot;
use crate::index::{KINDS, Kind, Role};
use std::sync::Arc;

/// How one kind did.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The kind.
    pub kind: &'static Kind,
    /// Its answer, with its explain.
    pub answer: Answer,
    /// Whether the answer is that of the reference, to the bit.
    pub identical: bool,
}

impl Query {
    /// Runs the query on every kind that the snapshot keeps, the reference first.
    pub fn compare(&self, snapshot: &Arc<Snapshot>) -> Result<Vec<Comparison>, QueryError> {
        self.compare_within(snapshot, &Budget::unlimited())
    }

    /// [`Query::compare`] within a budget for all kinds together.
    pub fn compare_within(&self, snapshot: &Arc<Snapshot>, budget: &Budget<'_>) -> Result<Vec<Comparison>, QueryError> {
        let kept = |kind: &&'static Kind| kind.role == Role::Reference || snapshot.kinds().contains(kind);
        let mut comparisons: Vec<Comparison> = Vec::new();
        for kind in KINDS.iter().filter(kept) {
            let answer = self.clone().on(kind).run_within(snapshot, budget)?;
            let identical = comparisons.first().is_none_or(|reference| reference.answer.is_identical_to(&answer));
            comparisons.push(Comparison { kind, answer, identical });
        }
        Ok(comparisons)
    }
}
