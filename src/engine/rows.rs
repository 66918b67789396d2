//! The rows of segments in the order of their ids: what the store takes in one go.
//!
//! What surprises: a row that has been removed since is put all the same. Whoever settles the load takes it out again, by the log.

use std::sync::Arc;

use crate::collection::{ItemRef, Segment, in_order};
use crate::log::{Space, Store, StoreError, codec};

/// Segments, the later of which win where ids are the same.
#[derive(Debug, Clone)]
pub(super) struct Merged(pub(super) Vec<Arc<Segment>>);

impl Merged {
    /// Puts all rows into the store of a collection.
    pub(super) fn ingest(&self, store: &dyn Store, number: u32) -> Result<(), StoreError> {
        let row = |item: ItemRef<'_>| (codec::record_key(number, item.id), codec::write_row_of(&item));
        store.ingest(Space::Records, &mut in_order(&self.0, |_, _| true).map(row))
    }
}
