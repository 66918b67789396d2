//! The seam between a collection and the order of its changes, on this machine or beyond it.

use std::fmt;

use thiserror::Error;

use super::store::{Batch, StoreError, Sync};
use crate::collection::Change;
use crate::geometry::Point;

/// Some changes that follow each other in the log of one collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Which log: the number of the collection.
    pub stream: u32,
    /// The number of the first change; the others follow without gaps.
    pub first_seq: u64,
    /// What was changed.
    pub entry: Entry,
}

/// What a frame holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// Changes, each with all it needs.
    Changes(Vec<Step>),
    /// Items that came in bulk: they stand in segment files, written and made durable before.
    Load(Load),
}

/// A change, and where its item was before. Applying needs only the change; the place is for those who follow, and cannot ask
/// what was there at a moment that is gone.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The change.
    pub change: Change,
    /// Where its item was just before.
    pub was: Was,
}

/// Where an item was before a change to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Was {
    /// Nobody wrote it down: the change is of a version that did not, or what held the place could not be read.
    Unknown,
    /// It was not there.
    Nowhere,
    /// It was there.
    At(Point),
}

/// Changes to items of which nobody knows where they were.
impl From<Vec<Change>> for Entry {
    fn from(changes: Vec<Change>) -> Entry {
        Entry::Changes(changes.into_iter().map(|change| Step { change, was: Was::Unknown }).collect())
    }
}

/// A bulk load, as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// How many items: each has one number of the frame.
    pub items: u64,
    /// The numbers of the segment files that hold them.
    pub segments: Vec<u64>,
    /// The sum of the checksums of the items, in any order.
    pub checksum: u64,
}

impl Frame {
    /// How many sequence numbers it takes.
    pub fn len(&self) -> u64 {
        match &self.entry {
            Entry::Changes(changes) => changes.len() as u64,
            Entry::Load(load) => load.items,
        }
    }

    /// Whether it takes none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number after its last change.
    pub fn next_seq(&self) -> u64 {
        self.first_seq + self.len()
    }
}

/// Why a log did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LogError {
    /// A frame that does not follow the last one.
    #[error("change {first_seq} does not follow the log of collection {stream}, which ends at {head}")]
    Gap {
        /// Which log.
        stream: u32,
        /// The number that was offered.
        first_seq: u64,
        /// The last number there is.
        head: u64,
    },
    /// The log holds fewer commits than were acknowledged: its end was lost.
    #[error("the log has {found} commits, but {known} were acknowledged: its end is lost")]
    Shortened {
        /// What is there.
        found: u64,
        /// What is known to have been there.
        known: u64,
    },
    /// Changes that were asked for are gone.
    #[error("the log of collection {stream} begins at change {oldest}; {asked} is not kept any more")]
    Trimmed {
        /// Which log.
        stream: u32,
        /// The number that was asked for.
        asked: u64,
        /// The oldest that is kept.
        oldest: u64,
    },
    /// Whether the frames were appended is not known; the log must be asked again.
    #[error("the log did not answer; whether the changes are in it is not known")]
    Unknown,
    /// The store beneath.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Frames of one log, in order.
pub type Frames<'a> = Box<dyn Iterator<Item = Result<Frame, LogError>> + Send + 'a>;

/// The durable order of changes. The contract, for every log behind this seam:
///
/// - the numbers of a stream begin at 1 and grow without gaps; a frame that does not follow is refused with [`LogError::Gap`];
/// - frames of one call are appended all or none. After an error that says so they are not there; after [`LogError::Unknown`] or an
///   error of the store they may be: the head tells;
/// - [`tail`](ChangeLog::tail) gives every change from a number on, once or more than once, never out of order with a gap, and
///   may cut frames into smaller ones;
/// - what was appended with [`Sync::Now`] and answered is there for ever, until it is trimmed.
pub trait ChangeLog: Send + std::marker::Sync + fmt::Debug {
    /// Appends frames, of one stream or several, and makes `rider` part of the store on this machine: in the same commit where
    /// the log is that store, after it where the log is elsewhere.
    fn append(&self, frames: &[Frame], rider: Batch, sync: Sync) -> Result<(), LogError>;

    /// Makes durable what was appended with [`Sync::Later`].
    fn sync(&self) -> Result<(), LogError>;

    /// The changes of a stream from a number on, as far as they go now.
    fn tail(&self, stream: u32, from: u64) -> Frames<'_>;

    /// The number of the last change of a stream; 0 before the first.
    fn head(&self, stream: u32) -> Result<u64, LogError>;

    /// Forgets the changes of a stream before a number, or as many of them as go easily; the oldest number that is kept.
    fn trim(&self, stream: u32, before: u64) -> Result<u64, LogError>;
}
