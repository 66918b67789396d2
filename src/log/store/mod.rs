//! Keys and values on a disk, behind seven calls.
//!
//! What surprises: a batch that names a key twice is refused. The engine beneath gives all of a batch one number, and which of
//! two values with one number wins is nobody's promise.

use std::fmt;
use std::ops::Range;

use hashbrown::HashSet;
use thiserror::Error;

mod failure;
mod fjall;
pub(super) mod journal;
mod memory;
mod soundness;

pub use fjall::{FjallStore, Settings};
pub use memory::{Fault, MemoryStore, When};

/// The longest key, in bytes: a collection's number and an id.
pub const KEY_BYTES_MAX: usize = 4 + 256;

/// The longest value, in bytes: properties of 64 KiB and what stands with them.
pub const VALUE_BYTES_MAX: usize = 66 * 1024;

/// A table of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// The rows: what is there now.
    Records,
    /// Where rows are written anew while their format changes; empty at other times.
    Shadow,
    /// The changes, in order.
    Changes,
    /// Everything there is little of: collections, settings, checkpoints, keys of requests.
    Meta,
}

impl Space {
    /// Every table.
    pub const ALL: [Space; 4] = [Space::Records, Space::Shadow, Space::Changes, Space::Meta];

    /// What it is called on disk.
    pub fn name(self) -> &'static str {
        match self {
            Space::Records => "records",
            Space::Shadow => "shadow",
            Space::Changes => "changes",
            Space::Meta => "meta",
        }
    }
}

/// What is written at once, or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    pub(super) writes: Vec<Write>,
}

/// One line of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) space: Space,
    pub(super) key: Vec<u8>,
    /// `None` removes.
    pub(super) value: Option<Vec<u8>>,
}

impl Batch {
    /// A batch of nothing.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Puts a value under a key.
    pub fn put(&mut self, space: Space, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.writes.push(Write { space, key: key.into(), value: Some(value.into()) });
    }

    /// Removes a key, if it is there.
    pub fn remove(&mut self, space: Space, key: impl Into<Vec<u8>>) {
        self.writes.push(Write { space, key: key.into(), value: None });
    }

    /// Adds what another batch holds.
    pub fn append(&mut self, other: Batch) {
        self.writes.extend(other.writes);
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// How many keys it writes.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether a store may take it: every store asks before it writes anything.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        for write in &self.writes {
            check_row(write.space, &write.key, write.value.as_deref().unwrap_or_default())?;
        }
        if self.writes.len() < 2 {
            return Ok(());
        }
        let mut seen = HashSet::with_capacity_and_hasher(self.writes.len(), foldhash::fast::RandomState::default());
        match self.writes.iter().find(|write| !seen.insert((write.space, &*write.key))) {
            Some(write) => Err(StoreError::RepeatedKey { space: write.space, key: readable(&write.key) }),
            None => Ok(()),
        }
    }
}

/// Refuses a key or value of a length that no store takes.
fn check_row(space: Space, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    if key.is_empty() {
        return Err(StoreError::EmptyKey { space });
    }
    for (what, bytes, most) in [("key", key.len(), KEY_BYTES_MAX), ("value", value.len(), VALUE_BYTES_MAX)] {
        if bytes > most {
            return Err(StoreError::TooLong { what, bytes, most });
        }
    }
    Ok(())
}

/// Rows in the order of their keys, each written where the one before it was: millions are ingested without memory of their own.
pub trait RowsInOrder {
    /// Writes the next row in place of what the two hold; whether there was one. After a refusal nothing is ingested.
    fn next_row(&mut self, key: &mut Vec<u8>, value: &mut Vec<u8>) -> Result<bool, StoreError>;
}

impl<I: Iterator<Item = Row>> RowsInOrder for I {
    fn next_row(&mut self, key: &mut Vec<u8>, value: &mut Vec<u8>) -> Result<bool, StoreError> {
        Ok(self.next().map(|row| (*key, *value) = row).is_some())
    }
}

/// Refuses the next row of an ingestion unless it comes after the last.
fn check_order(space: Space, last: &[u8], key: &[u8]) -> Result<(), StoreError> {
    match key.cmp(last) {
        std::cmp::Ordering::Greater => Ok(()),
        std::cmp::Ordering::Equal => Err(StoreError::RepeatedKey { space, key: readable(key) }),
        std::cmp::Ordering::Less => Err(StoreError::Unordered { space, key: readable(key) }),
    }
}

/// A key for people: text where it is text, the rest escaped.
fn readable(key: &[u8]) -> String {
    key.escape_ascii().to_string()
}

/// How durable a commit is when the call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// It survives a power cut.
    Now,
    /// It survives the end of the process; a power cut loses it until [`Store::sync`].
    Later,
}

/// Why the store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No room on the disk.
    #[error("the disk is full: {doing} failed; free some space")]
    Full {
        /// What was being done.
        doing: &'static str,
    },
    /// The disk refused.
    #[error("{doing} failed: {reason}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        reason: String,
    },
    /// What was read is not what was written.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// Where, and how it was noticed.
        what: String,
    },
    /// An earlier write failed, and what it left is not known. Nothing more is written until the store is opened again.
    #[error("an earlier write failed; the store writes nothing more until it is opened again")]
    Stopped,
    /// A batch that names a key twice.
    #[error("a batch writes the key {key} of {space:?} twice")]
    RepeatedKey {
        /// Which table.
        space: Space,
        /// The key, readably.
        key: String,
    },
    /// A key of no bytes.
    #[error("a key of {space:?} is empty; keys have at least one byte")]
    EmptyKey {
        /// Which table.
        space: Space,
    },
    /// Rows to ingest that do not come in the order of their keys.
    #[error(
        "the key {key} of {space:?} comes before the one ahead of it; rows are ingested in the order of their keys"
    )]
    Unordered {
        /// Which table.
        space: Space,
        /// The key, readably.
        key: String,
    },
    /// A key or value that is too long.
    #[error("a {what} of {bytes} bytes is too long; at most {most} are kept")]
    TooLong {
        /// `key` or `value`.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The longest that is kept.
        most: usize,
    },
}

impl StoreError {
    /// Whether the input was refused: nothing was written, and the store goes on.
    pub fn is_refusal(&self) -> bool {
        use StoreError::{EmptyKey, RepeatedKey, TooLong, Unordered};
        matches!(self, RepeatedKey { .. } | EmptyKey { .. } | Unordered { .. } | TooLong { .. })
    }
}

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Rows in the order of their keys, as they were at one moment.
pub type Rows<'a> = Box<dyn Iterator<Item = Result<Row, StoreError>> + Send + 'a>;

/// All rows as they were between two commits, for as long as this is kept. What is written meanwhile is not in it, and what it
/// holds stays on the disk although it was replaced.
pub trait Moment: Send + fmt::Debug {
    /// The rows with keys in a range, in order.
    fn scan(&self, space: Space, keys: Range<&[u8]>) -> Rows<'_>;
}

/// Where keys and values are kept. The contract:
///
/// - a batch is there whole or not at all, whatever happens; batches become durable in the order of their commits;
/// - what [`commit`](Store::commit) with [`Sync::Now`], [`sync`](Store::sync) or [`ingest`](Store::ingest) returned for survives
///   a power cut;
/// - after an error from a write nothing more is written: every later write answers [`StoreError::Stopped`], reads go on. Refused
///   input ([`StoreError::is_refusal`]) is no such error and leaves nothing behind.
pub trait Store: Send + std::marker::Sync + fmt::Debug {
    /// Writes a batch.
    fn commit(&self, batch: Batch, sync: Sync) -> Result<(), StoreError>;

    /// Makes durable what was committed with [`Sync::Later`].
    fn sync(&self) -> Result<(), StoreError>;

    /// The value of a key.
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The rows with keys in a range, in order.
    fn scan(&self, space: Space, keys: Range<&[u8]>) -> Rows<'_>;

    /// This moment, to be read by whoever likes for as long as it takes.
    fn moment(&self) -> Box<dyn Moment>;

    /// The last row with a key in a range.
    fn last(&self, space: Space, keys: Range<&[u8]>) -> Result<Option<Row>, StoreError>;

    /// Writes many rows, which come in the order of their keys, beside the journal. They appear all at once, in place of older
    /// rows with the same keys, and are durable on return. Other commits may come meanwhile; where one that returned before
    /// this call did names a key of these rows, the rows win; a commit after it wins over them.
    fn ingest(&self, space: Space, rows: &mut (dyn RowsInOrder + Send)) -> Result<(), StoreError>;

    /// Bytes on disk.
    fn bytes(&self) -> u64;
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;

#[cfg(test)]
mod damage_tests;
