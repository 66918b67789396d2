//! The one way in which a collection changes.

use super::item::{Id, Item};

/// A change to one item. It carries all it needs: applying it asks no clock and no dice.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Puts an item, in place of one with the same id.
    Put(Item),
    /// Removes an item.
    Remove(Id),
    /// Removes an item because its time has come, unless it was put again since.
    Expire {
        /// Which item.
        id: Id,
        /// The sequence number with which it was put.
        put_seq: u64,
    },
}

impl Change {
    /// The item concerned.
    pub fn id(&self) -> &Id {
        match self {
            Change::Put(item) => &item.id,
            Change::Remove(id) | Change::Expire { id, .. } => id,
        }
    }
}

/// What became of the items of segments that were adopted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Items that are new.
    pub created: u64,
    /// Items that took the place of an older one.
    pub replaced: u64,
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The item is new.
    Created,
    /// The item took the place of an older one.
    Replaced,
    /// The item is gone.
    Removed,
    /// There was nothing to remove.
    Absent,
    /// The change had been applied before.
    Repeated,
}
