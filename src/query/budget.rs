//! How much work a query may cost: [`Budget`], and what its parts cost in units.
//!
//! A query that is over its budget gives no answer at all: exact, or nothing. What surprises: this is no estimate made
//! beforehand. Whether a query is dear is known best by beginning it, and a small budget is a beginning.
//!
//! | work | units |
//! |---|---|
//! | the query, each segment | 16 |
//! | a point tested or accepted | 1, and what a polygon's edges cost: 2 + one for every two asked |
//! | a node of a directory | 4, and 4 for each box compared |
//! | a run of points, a match, an id listed | 1 |
//! | a distance in metres | 4, 64 by a metric without a short way |
//! | a filter asked | 8 + a unit for 8 bytes of properties; and more for what its conditions read again |

pub use crate::index::{Budget, Overrun};

/// What a query costs whatever it finds, and again each segment.
pub(super) const BEGINNING: u64 = 16;

/// A distance in metres from a squared chord.
pub(super) const SHORT_DISTANCE: u64 = 4;

/// A distance in metres by iteration.
pub(super) const LONG_DISTANCE: u64 = 64;

/// Bytes that are stepped over or compared.
#[inline]
pub(super) fn bytes(count: usize) -> u64 {
    count as u64 / 8
}
