//! Why the engine did not do what was asked, in its own words.

use thiserror::Error;

use super::{CollectionName, Condition};
use crate::collection::Id;
use crate::query::QueryError;

/// Why the engine cannot do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A text that is no name of a collection.
    #[error(
        "collection name {name:?} cannot be used; names are 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit"
    )]
    Name {
        /// The text as given.
        name: String,
    },
    /// A collection that does not exist.
    #[error("there is no collection {name}; {}", there_are(known))]
    NoCollection {
        /// The name as given.
        name: CollectionName,
        /// The names that would be right.
        known: Vec<CollectionName>,
    },
    /// A query that cannot be answered.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A text that cannot name a request.
    #[error("a request key has 1 to 255 printable ASCII characters; this one has {bytes} bytes or others")]
    Key {
        /// Its length.
        bytes: usize,
    },
    /// A key that named another request before.
    #[error("the request key {key:?} was used for other changes; use a new key for new changes")]
    KeyReused {
        /// The key as given.
        key: String,
    },
    /// A condition that does not hold. Nothing of the submission was changed.
    #[error("the change to {id} wants {condition}, but {}", there_is(*present))]
    Condition {
        /// Which item.
        id: Id,
        /// What was asked for.
        condition: Condition,
        /// The number of the change that put the item that is there.
        present: Option<u64>,
    },
    /// More changes wait to be written than are taken.
    #[error("too many changes wait to be written; try again in a moment")]
    Busy,
    /// A sequence number that was not reached within the time given.
    #[error("change {asked} has not been made yet; the collection is at {seq}")]
    Behind {
        /// The number that was asked for.
        asked: u64,
        /// Where the collection is.
        seq: u64,
    },
    /// A load whose files could not be written. Nothing of it is there.
    #[error("the load was not made: {reason}")]
    Load {
        /// What failed.
        reason: String,
    },
    /// A migration that could not be made. Everything is as it was.
    #[error("the rows were not migrated: {reason}")]
    Migration {
        /// What failed.
        reason: String,
    },
    /// No room on the disk. Reads go on; writes resume when there is room again.
    #[error("the disk is full; reads go on, and writes resume when there is room again")]
    DiskFull,
    /// A write to the disk failed. Reads go on.
    #[error("nothing is written any more: {reason}; reads go on")]
    ReadOnly {
        /// What failed.
        reason: String,
    },
    /// The engine is being closed.
    #[error("the engine is being closed")]
    Closed,
    /// What a request asks for needs a data directory, and this engine lives in memory.
    #[error("this engine lives in memory; {what} needs a data directory")]
    NoDirectory {
        /// What was asked for.
        what: &'static str,
    },
}

fn there_are(known: &[CollectionName]) -> String {
    match known {
        [] => "there are none yet".to_owned(),
        _ => format!("there are {}", known.iter().map(CollectionName::as_str).collect::<Vec<_>>().join(", ")),
    }
}

fn there_is(present: Option<u64>) -> String {
    match present {
        None => "there is none".to_owned(),
        Some(seq) => format!("there is version {seq}"),
    }
}
