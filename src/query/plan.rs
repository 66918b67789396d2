//! Which index kind answers, when nobody says.
//!
//! The rule: **the first offered kind that the collection keeps**, and the list begins with the R-tree. It is that plain
//! because the four kinds stand over the same points in the same order and differ by less than a factor of 1.5 on
//! everything the benches measure. The R-tree, whose boxes fit the points rather than the earth, is the quickest for
//! circles, boxes and polygons, and level for the ten nearest; only for the single nearest are Hilbert and geohash
//! quicker, by a fifth (`cargo bench --bench kinds`). A rule with thresholds would need a gain to pay for its mistakes.

use super::QueryError;
use crate::collection::Snapshot;
use crate::index::{KINDS, Kind, Role};

/// A kind and the reason for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) kind: &'static Kind,
    pub(super) because: &'static str,
}

/// The kind that was asked for, or the one that serves best.
pub(super) fn choose(snapshot: &Snapshot, asked: Option<&'static Kind>) -> Result<Plan, QueryError> {
    let kept = snapshot.kinds();
    if let Some(kind) = asked {
        if kind.role == Role::Reference || kept.contains(&kind) {
            return Ok(Plan { kind, because: "asked for" });
        }
        let names: Vec<&str> = kept.iter().map(|kind| kind.name).collect();
        let kept = if names.is_empty() { format!("none, so use {}", KINDS[0].name) } else { names.join(", ") };
        return Err(QueryError::KindNotKept { kind: kind.name, kept });
    }
    let offered = KINDS.iter().find(|kind| kind.role == Role::Offered && kept.contains(kind));
    Ok(match offered.or(kept.first().copied()) {
        Some(kind) => Plan { kind, because: "the first kind that the collection keeps" },
        None => Plan { kind: &KINDS[0], because: "the collection keeps no index" },
    })
}
