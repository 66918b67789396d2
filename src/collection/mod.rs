//! Rows and their indexes kept in step; one kind of [`Change`].
//!
//! Whoever it comes from (a request, a file, a log after a crash, another node), a change reaches a collection through
//! [`Collection::apply`] and no other way. Readers take a [`Snapshot`] and never wait: the one writer builds new
//! segments beside them and publishes a new list.
//!
//! ```text
//! apply ─▶ mark old slots gone ─▶ build a small segment ─▶ publish ─▶ readers see it whole or not at all
//!                                        │
//!                     a thread beside joins segments as they add up
//! ```
//!
//! Absent here: queries, distances to rank by, files, clocks. What is due to expire is *told* by [`Collection::due`];
//! it goes only when a [`Change::Expire`] is applied.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use arc_swap::ArcSwap;

mod change;
mod item;
mod join;
mod names;
mod payload;
mod segment;
mod snapshot;
mod sweep;
mod tiers;
mod writer;

pub use change::{Change, Outcome};
pub use item::{ID_BYTES_MAX, Id, Item, ItemError, ItemRef, PROPERTIES_BYTES_MAX, Properties};
pub use segment::Segment;
pub use snapshot::Snapshot;

use crate::index::Kind;
use writer::Writer;

/// Items with ids, at places, in memory; cheap to share.
///
/// ```
/// use nigh::collection::{Change, Collection, Id, Item};
/// use nigh::geometry::Point;
///
/// let cafes = Collection::new();
/// let item = Item::new(Id::new("deux-magots").unwrap(), Point::new(48.854, 2.333).unwrap());
/// cafes.apply(1, vec![Change::Put(item)]);
/// assert_eq!(cafes.snapshot().get("deux-magots").unwrap().seq, 1);
/// ```
#[derive(Debug, Clone)]
pub struct Collection {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    shown: ArcSwap<Snapshot>,
    writer: Mutex<Writer>,
    /// Told whenever a join in the background ends.
    settled: Condvar,
    kinds: Arc<[&'static Kind]>,
}

impl Shared {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        // What a writer that panicked half-way left behind is marked but not replaced. Readers keep the last snapshot;
        // unknown state is worse than an outage.
        self.writer
            .lock()
            .expect("no writer failed half-way; if one did, readers go on but nothing is written any more")
    }

    fn publish(&self, writer: &mut Writer) {
        let before = self.shown.swap(Arc::new(writer.snapshot(&self.kinds)));
        writer.retire(before);
    }
}

impl Default for Collection {
    fn default() -> Collection {
        Collection::new()
    }
}

impl Collection {
    /// An empty collection that keeps every offered index kind.
    pub fn new() -> Collection {
        Collection::with_kinds(Kind::offered())
    }

    /// An empty collection that keeps the given index kinds. A scan is always possible.
    pub fn with_kinds(kinds: impl IntoIterator<Item = &'static Kind>) -> Collection {
        let mut distinct: Vec<&'static Kind> = Vec::new();
        for kind in kinds {
            if !distinct.contains(&kind) {
                distinct.push(kind);
            }
        }
        let kinds: Arc<[&'static Kind]> = distinct.into();
        let writer = Writer::default();
        let shown = ArcSwap::from_pointee(writer.snapshot(&kinds));
        Collection { shared: Arc::new(Shared { shown, writer: Mutex::new(writer), settled: Condvar::new(), kinds }) }
    }

    /// Applies changes numbered `first_seq`, `first_seq + 1`, … and shows them, all at once.
    ///
    /// Changes that were applied before, by their number, are passed over. Later changes see earlier ones of the batch.
    ///
    /// Large batches are built on rayon's threads while other writers wait. So do not call this from a task of rayon: the
    /// thread might take up another such task meanwhile, and wait for itself.
    pub fn apply(&self, first_seq: u64, changes: Vec<Change>) -> Vec<Outcome> {
        let mut writer = self.shared.writer();
        let outcomes = writer.apply(first_seq, changes, &self.shared.kinds);
        self.shared.publish(&mut writer);
        join::start_if_due(&self.shared, &mut writer);
        sweep::start_if_due(&self.shared, &mut writer);
        outcomes
    }

    /// The collection as it is now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.shown.load_full()
    }

    /// The removals that are due at a moment, oldest first, at most `most`: for the caller to append and apply.
    pub fn due(&self, now_ms: i64, most: usize) -> Vec<Change> {
        let mut writer = self.shared.writer();
        writer.free_retired();
        let due = writer.expiries.range(..Expiry::first_after(now_ms)).take(most);
        due.map(|expiry| Change::Expire { id: expiry.id.clone(), put_seq: expiry.put_seq }).collect()
    }

    /// Waits until no join runs in the background.
    pub fn settle(&self) {
        let mut writer = self.shared.writer();
        while writer.is_joining() {
            writer = self.shared.settled.wait(writer).expect("no writer failed half-way");
        }
        writer.free_retired();
    }
}

/// An end of life that was announced, ordered by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Expiry {
    at_ms: i64,
    put_seq: u64,
    id: Id,
}

impl Expiry {
    /// Below every expiry after `now_ms`, above all others: sequence numbers begin at 1.
    fn first_after(now_ms: i64) -> Expiry {
        let id = Id::new("-").expect("a plain id");
        match now_ms.checked_add(1) {
            Some(next) => Expiry { at_ms: next, put_seq: 0, id },
            None => Expiry { at_ms: i64::MAX, put_seq: u64::MAX, id },
        }
    }
}

type Expiries = BTreeSet<Expiry>;

#[cfg(test)]
#[path = "collection_tests.rs"]
mod tests;
