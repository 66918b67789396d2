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
//! Segments can lie in files ([`Collection::checkpoint`], [`Collection::open`]). Whoever first touches a block of a file that
//! is not as it was written panics with a [`Damaged`](crate::index::Damaged) as payload: a reader can be asked again once the
//! collection has been made anew, a writer that panicked accepts nothing more.
//!
//! Absent here: queries, distances to rank by, a log, clocks. What is due to expire is *told* by [`Collection::due`];
//! it goes only when a [`Change::Expire`] is applied.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use arc_swap::ArcSwap;

mod change;
mod checkpoint;
mod draft;
mod expiries;
mod extent;
mod file;
mod in_order;
mod item;
mod join;
mod manifest;
mod marks;
mod names;
mod payload;
mod saved;
mod segment;
mod snapshot;
mod sweep;
mod tiers;
mod writer;

pub use change::{Adopted, Change, Outcome};
pub use checkpoint::{Checkpoint, Unsaved};
pub use draft::SegmentDraft;
pub use file::{FileError, remove_unused};
pub(crate) use in_order::in_order;
pub use item::{ID_BYTES_MAX, Id, Item, ItemError, ItemRef, NewItem, PROPERTIES_BYTES_MAX, Properties};
pub use join::limit_joins;
pub use segment::Segment;
pub(crate) use segment::{AHEAD, fetch};
pub use snapshot::Snapshot;

use crate::index::Kind;
use checkpoint::Saving;
use writer::Writer;

/// Items with ids, at places, in memory or in mapped files; cheap to share.
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
    saving: Saving,
}

/// Kinds, each once.
fn distinct(kinds: impl IntoIterator<Item = &'static Kind>) -> Arc<[&'static Kind]> {
    let mut distinct: Vec<&'static Kind> = Vec::new();
    for kind in kinds {
        if !distinct.contains(&kind) {
            distinct.push(kind);
        }
    }
    distinct.into()
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
        Collection::of(Writer::default(), distinct(kinds))
    }

    fn of(writer: Writer, kinds: Arc<[&'static Kind]>) -> Collection {
        let shown = ArcSwap::from_pointee(writer.snapshot(&kinds));
        let (writer, settled) = (Mutex::new(writer), Condvar::new());
        Collection { shared: Arc::new(Shared { shown, writer, settled, kinds, saving: Saving::default() }) }
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

    /// Takes up segments that were written as files, all at once, as the changes `first_seq` to `last_seq`: the numbers of their
    /// items lie in that range. Each was written for this collection and is taken up once. Items of the same ids that were here
    /// before, or in an earlier one of the segments, are replaced.
    ///
    /// Nothing happens when the collection has seen a change of that range, which is how a repeated call looks.
    pub fn adopt(&self, first_seq: u64, last_seq: u64, segments: Vec<Arc<Segment>>) -> Adopted {
        let mut writer = self.shared.writer();
        let adopted = writer.adopt(first_seq, last_seq, segments, &self.shared.kinds);
        self.shared.publish(&mut writer);
        join::start_if_due(&self.shared, &mut writer);
        sweep::start_if_due(&self.shared, &mut writer);
        adopted
    }

    /// The collection as it is now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.shown.load_full()
    }

    /// The removals that are due at a moment, oldest first, at most `most`: for the caller to append and apply.
    pub fn due(&self, now_ms: i64, most: usize) -> Vec<Change> {
        self.shared.writer().free_retired();
        self.snapshot().due(now_ms, most)
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

#[cfg(test)]
#[path = "collection_tests.rs"]
mod tests;
