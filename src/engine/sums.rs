//! How many items there are, and what they come to in any order: what two copies of a collection are compared by.
//!
//! What surprises: there are two sums. One is that of a load and knows nothing of versions, so that a client can compare it with
//! what it sent; the other covers the versions too.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::hosted::unless_damaged;
use crate::collection::{ItemRef, Snapshot};
use crate::index::Damaged;
use crate::log::codec;

/// What some items come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// How many there are.
    pub items: u64,
    /// The sum of their checksums, as of a load: [`checksum_of`](super::checksum_of) gives each.
    pub checksum: u64,
    /// The same with the number of the change that put each.
    pub versions: u64,
}

impl Sum {
    pub(super) fn add(&mut self, item: &ItemRef<'_>) {
        self.add_checksum(
            codec::checksum_of(item.id(), item.point(), item.properties(), item.expires_at_ms()),
            item.seq,
        );
    }

    /// Adds the row of an item.
    pub(super) fn add_checksum(&mut self, checksum: u64, seq: u64) {
        self.items += 1;
        self.checksum = self.checksum.wrapping_add(checksum);
        self.versions = self.versions.wrapping_add(xxh3_64_with_seed(&seq.to_le_bytes(), checksum));
    }

    /// What the items of a snapshot come to.
    pub(super) fn of(snapshot: &Snapshot) -> Result<Sum, Damaged> {
        unless_damaged(|| {
            let mut sum = Sum::default();
            items(snapshot).for_each(|item| sum.add(&item));
            sum
        })
    }
}

/// The items of a snapshot, in no order.
pub(super) fn items(snapshot: &Snapshot) -> impl Iterator<Item = ItemRef<'_>> {
    snapshot.segments().iter().flat_map(|segment| {
        let there = segment.points().slots().filter(|&slot| segment.is_there(slot, snapshot.seq()));
        there.map(|slot| segment.item(slot))
    })
}
