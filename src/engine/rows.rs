//! The rows of segments in the order of their ids: what the store takes in one go.
//!
//! What surprises: nothing is sorted. Every segment knows the order of its ids; the few segments of a load are merged.

use std::sync::Arc;

use crate::collection::{ItemRef, Segment};
use crate::log::{Space, Store, StoreError, codec};

/// Segments, the later of which win where ids are the same.
#[derive(Debug, Clone)]
pub(super) struct Merged(pub(super) Vec<Arc<Segment>>);

impl Merged {
    /// Every item once, in the order of ids.
    pub(super) fn items(&self) -> impl Iterator<Item = ItemRef<'_>> {
        let mut heads: Vec<_> = self.0.iter().map(|segment| segment.slots_by_rank(0).peekable()).collect();
        std::iter::from_fn(move || {
            let mut least: Option<(usize, u32)> = None;
            for (at, head) in heads.iter_mut().enumerate() {
                let Some(&slot) = head.peek() else { continue };
                let id = self.0[at].id_bytes(slot);
                // Not above, so that of the same ids the last segment's is taken.
                if least.is_none_or(|(of, other)| id <= self.0[of].id_bytes(other)) {
                    least = Some((at, slot));
                }
            }
            let (from, slot) = least?;
            let id = self.0[from].id_bytes(slot);
            for (at, head) in heads.iter_mut().enumerate() {
                head.next_if(|&slot| self.0[at].id_bytes(slot) == id);
            }
            Some(self.0[from].item(slot))
        })
    }

    /// Puts all rows into the store of a collection.
    pub(super) fn ingest(&self, store: &dyn Store, number: u32) -> Result<(), StoreError> {
        let row = |item: ItemRef<'_>| (codec::record_key(number, item.id), codec::write_row_of(&item));
        store.ingest(Space::Records, &mut self.items().map(row))
    }
}
