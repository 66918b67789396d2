//! One query on every index kind: the same answer, at different costs.

use super::{Answer, Budget, Query, QueryError};
use crate::collection::Snapshot;
use crate::index::{KINDS, Kind, Role};
use std::sync::Arc;
use std::time::Instant;

/// How one kind did.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The kind.
    pub kind: &'static Kind,
    /// Its answer, with its explain.
    pub answer: Answer,
    /// Whether the answer is that of the reference, to the bit.
    pub identical: bool,
    /// Nanoseconds from the query to the answer: the median of all times it was asked.
    pub elapsed_ns: u64,
    /// How many times it was asked.
    pub repeated: usize,
}

impl Query {
    /// Runs the query on every kind that the snapshot keeps, the reference first.
    pub fn compare(&self, snapshot: &Arc<Snapshot>) -> Result<Vec<Comparison>, QueryError> {
        self.compare_within(snapshot, &Budget::unlimited())
    }

    /// [`Query::compare`] within a budget for all kinds together.
    pub fn compare_within(&self, snapshot: &Arc<Snapshot>, budget: &Budget<'_>) -> Result<Vec<Comparison>, QueryError> {
        self.compare_repeatedly(1, snapshot, budget)
    }

    /// The same with each kind asked so many times, in turns, so that what happens meanwhile hits all of them alike. The reference, which
    /// looks at every point, is asked once.
    ///
    /// The first time a kind reads its directory from memory; whoever compares the kinds means the times after that.
    pub fn compare_repeatedly(
        &self,
        times: usize,
        snapshot: &Arc<Snapshot>,
        budget: &Budget<'_>,
    ) -> Result<Vec<Comparison>, QueryError> {
        let kept = |kind: &&'static Kind| kind.role == Role::Reference || snapshot.kinds().contains(kind);
        let mut comparisons: Vec<Comparison> = Vec::new();
        for kind in KINDS.iter().filter(kept) {
            let (answer, elapsed_ns) = self.clone().on(kind).timed(snapshot, budget)?;
            let identical = comparisons.first().is_none_or(|reference| reference.answer.is_identical_to(&answer));
            comparisons.push(Comparison { kind, answer, identical, elapsed_ns, repeated: 1 });
        }
        let mut elapsed_ns: Vec<Vec<u64>> = comparisons.iter().map(|one| vec![one.elapsed_ns]).collect();
        for _ in 1..times {
            for (one, elapsed_ns) in comparisons.iter_mut().zip(&mut elapsed_ns) {
                if one.kind.role != Role::Reference {
                    let (answer, again_ns) = self.clone().on(one.kind).timed(snapshot, budget)?;
                    one.identical &= answer.is_identical_to(&one.answer);
                    one.repeated += 1;
                    elapsed_ns.push(again_ns);
                }
            }
        }
        for (one, elapsed_ns) in comparisons.iter_mut().zip(&mut elapsed_ns) {
            elapsed_ns.sort_unstable();
            one.elapsed_ns = elapsed_ns[elapsed_ns.len() / 2];
        }
        Ok(comparisons)
    }

    fn timed(&self, snapshot: &Arc<Snapshot>, budget: &Budget<'_>) -> Result<(Answer, u64), QueryError> {
        let begun = Instant::now();
        let answer = self.run_within(snapshot, budget)?;
        Ok((answer, u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX)))
    }
}
