//! The rows: in which space of the store they lie, and how those of segments get there.
//!
//! ```text
//! rows        "records" or "shadow"   where they are read and written; absent: records
//! migrating   ""                      the other space is being filled
//! sweeping    ""                      the other space holds what nobody needs
//! ```
//!
//! What surprises: a row that has been removed since is put all the same. Whoever settles the load takes it out again, by the log.

use std::path::PathBuf;
use std::sync::Arc;

use super::runs::Runs;
use crate::collection::{ItemRef, Segment, in_order};
use crate::log::{Batch, Moment, RowsInOrder, Space, Store, StoreError, codec};

/// Where it stands in [`Space::Meta`] which space holds the rows.
const PLACE: &[u8] = b"rows";
const MIGRATING: &[u8] = b"migrating";
const SWEEPING: &[u8] = b"sweeping";

/// The space that holds the rows.
pub(super) fn place(store: &dyn Store) -> Result<Space, StoreError> {
    named(store.get(Space::Meta, PLACE)?.as_deref())
}

/// The same as it was at a moment.
pub(super) fn place_at(moment: &dyn Moment) -> Result<Space, StoreError> {
    let found = moment.scan(Space::Meta, PLACE..&[PLACE, &[0]].concat()).next().transpose()?;
    named(found.as_ref().map(|(_, name)| &name[..]))
}

fn named(name: Option<&[u8]>) -> Result<Space, StoreError> {
    let is_named = |space: &Space| name.is_none_or(|name| name == space.name().as_bytes());
    let found = [Space::Records, Space::Shadow].into_iter().find(is_named);
    found.ok_or_else(|| StoreError::Damaged { what: "the space of the rows has a name that is not known".to_owned() })
}

/// The space beside that of the rows.
pub(super) fn beside(rows: Space) -> Space {
    if rows == Space::Records { Space::Shadow } else { Space::Records }
}

/// Whether the space beside may hold anything.
pub(super) fn is_marked(store: &dyn Store) -> Result<bool, StoreError> {
    Ok(store.get(Space::Meta, MIGRATING)?.is_some() || store.get(Space::Meta, SWEEPING)?.is_some())
}

/// Whether a key of [`Space::Meta`] says where rows lie: a copy has them in one place and needs none of it.
pub(super) fn is_of_place(key: &[u8]) -> bool {
    [PLACE, MIGRATING, SWEEPING].contains(&key)
}

/// Whether the space of the rows has a name that is known.
pub(super) fn is_readable(key: &[u8], value: &[u8]) -> bool {
    key != PLACE || named(Some(value)).is_ok()
}

/// Writes that the space beside is being filled.
pub(super) fn put_migrating(batch: &mut Batch) {
    batch.put(Space::Meta, MIGRATING, *b"");
}

/// Writes that the rows lie in a space from now on, and what the other one holds is needed no more.
pub(super) fn put_place(batch: &mut Batch, rows: Space) {
    batch.put(Space::Meta, PLACE, rows.name());
    batch.remove(Space::Meta, MIGRATING);
    batch.put(Space::Meta, SWEEPING, *b"");
}

/// Writes that the space beside is empty.
pub(super) fn forget_marks(batch: &mut Batch) {
    batch.remove(Space::Meta, MIGRATING);
    batch.remove(Space::Meta, SWEEPING);
}

/// Segments, the later of which win where ids are the same, and the folder in which they lie.
#[derive(Debug, Clone)]
pub(super) struct Merged {
    pub(super) segments: Vec<Arc<Segment>>,
    pub(super) folder: PathBuf,
}

impl Merged {
    /// Puts all rows of a collection into the space of the rows.
    pub(super) fn ingest(&self, store: &dyn Store, rows: Space, number: u32) -> Result<(), StoreError> {
        if self.segments.len() > 1 {
            match Runs::write(&self.segments, number, &self.folder) {
                Ok(mut runs) => return store.ingest(rows, &mut runs),
                // For want of room or of open files, say. Merging the segments themselves is slower, and as right.
                Err(error) => tracing::debug!(%error, "rows are sorted without files"),
            }
        }
        store.ingest(rows, &mut RowsOf { items: in_order(&self.segments, |_, _| true), number })
    }
}

/// Items as rows.
struct RowsOf<I> {
    items: I,
    number: u32,
}

impl<'a, I: Iterator<Item = ItemRef<'a>>> RowsInOrder for RowsOf<I> {
    fn next_row(&mut self, key: &mut Vec<u8>, value: &mut Vec<u8>) -> Result<bool, StoreError> {
        Ok(self.items.next().map(|item| codec::write_key_and_row(self.number, &item, key, value)).is_some())
    }
}
