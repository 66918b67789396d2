//! Starting: from a directory to collections that hold every change that was ever accepted.
//!
//! ```text
//! directory ─▶ store ─▶ log, held against the high-water mark
//!                        └─ for every collection: map its checkpoint, or make it anew from its rows
//!                                                 replay the log from there ─▶ where it was
//! ```
//!
//! What surprises: the segment files are never trusted with anything that the store does not know. A file that is missing,
//! damaged or of another version costs time, not data.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use thiserror::Error;

use super::commit::{Committer, Logged};
use super::hosted::{Hosted, unless_damaged};
use super::{CollectionName, CollectionSettings, Health, Refused, Settings, Shared, catalogue, load, schema};
use crate::collection::{Adopted, Collection, FileError, SegmentDraft};
use crate::log::{
    ChangeLog, Entry, FjallStore, Home, HomeError, Local, LogError, MemoryStore, Space, Store, StoreError, codec,
};

/// Rows in a segment that is made anew, so that making it takes a bounded share of memory.
const SEGMENT_ROWS: usize = 4_000_000;

/// Why a data directory could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory itself.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The store in it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log in the store.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The folder for the files of a collection.
    #[error("the folder for segment files cannot be made: {0}")]
    Folder(std::io::Error),
    /// The system, when files were to be copied or moved.
    #[error(transparent)]
    System(#[from] Refused),
    /// A newer version wrote the rows.
    #[error("the rows have schema {found}, and this version knows {known}; use a newer version of nigh")]
    NewerSchema {
        /// The schema they have.
        found: u32,
        /// The newest schema this version knows.
        known: u32,
    },
    /// The files of a collection, which could be neither opened nor made anew.
    #[error(transparent)]
    File(#[from] FileError),
}

/// An engine of nothing, in memory.
pub(super) fn in_memory() -> Committer {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let log = Local::open(store.clone(), None).expect("an empty store in memory is sound");
    let shared = Shared {
        hosted: ArcSwap::default(),
        health: ArcSwap::from_pointee(Health::Ready),
        settings: Settings::default(),
        home: None,
        saving: Mutex::default(),
    };
    Committer::new(Arc::new(shared), Logged { log: Arc::new(log), store }, 1)
}

/// Everything in a directory, as it was when the last accepted change was made.
pub(super) fn open(path: &Path, settings: Settings) -> Result<Committer, OpenError> {
    let home = Home::open(path)?;
    let (logged, health) = open_log(&home)?;
    schema::check(&*logged.store)?;
    if health == Health::Ready {
        schema::write(&logged)?;
    }
    let mut hosted: BTreeMap<CollectionName, Arc<Hosted>> = BTreeMap::new();
    for (number, name, own) in catalogue::collections(&*logged.store)? {
        std::fs::create_dir_all(home.segments_path(number)).map_err(OpenError::Folder)?;
        let collection = recovered(&logged, &home.segments_path(number), number, &own)?;
        hosted.insert(name.clone(), Arc::new(Hosted::new(number, name, own, collection)));
    }
    let next_number = catalogue::next(&*logged.store)?;
    let shared = Shared {
        hosted: ArcSwap::from_pointee(hosted),
        health: ArcSwap::from_pointee(Health::Ready),
        settings,
        home: Some(home),
        saving: Mutex::default(),
    };
    shared.set_health(health);
    Ok(Committer::new(Arc::new(shared), logged, next_number))
}

/// The store and its log. A log that lost its end is still read, but nothing is written behind the gap.
pub(super) fn open_log(home: &Home) -> Result<(Logged, Health), OpenError> {
    let store: Arc<dyn Store> = Arc::new(FjallStore::open(&home.store_path(), &crate::log::Settings::default())?);
    let (log, health) = match Local::open(store.clone(), Some(home.high_water()?)) {
        Err(error @ LogError::Shortened { .. }) => {
            (Local::open(store.clone(), None)?, Health::ReadOnly { reason: error.to_string() })
        }
        opened => (opened?, Health::Ready),
    };
    Ok((Logged { log: Arc::new(log), store }, health))
}

/// A collection as the store has it: from its files where they are sound, from its rows where they are not.
pub(super) fn recovered(
    logged: &Logged,
    folder: &Path,
    number: u32,
    settings: &CollectionSettings,
) -> Result<Collection, OpenError> {
    let head = logged.log.head(number)?;
    let saved = catalogue::checkpoint(&*logged.store, number)?;
    let opened = match &saved {
        None => Ok(Collection::with_kinds(settings.kinds.iter().copied())),
        Some(saved) => Collection::open(settings.kinds.iter().copied(), folder, saved.manifest),
    };
    let why = match opened {
        Ok(collection) => match unless_damaged(|| catch_up(&collection, logged, folder, number)) {
            Ok(Ok(adopted)) if collection.snapshot().seq() == head => {
                load::resume(logged, folder, number, &collection, &adopted)?;
                return Ok(collection);
            }
            Ok(Ok(_)) => format!("it ends at change {} and the log at {head}", collection.snapshot().seq()),
            Ok(Err(error)) => error.to_string(),
            Err(damaged) => damaged.to_string(),
        },
        Err(error @ FileError::Newer { .. }) => return Err(error.into()),
        Err(error) => error.to_string(),
    };
    tracing::warn!(collection = number, why, "segments are made anew from the rows");
    let empty = Collection::with_kinds(settings.kinds.iter().copied());
    load::resume(logged, folder, number, &empty, &BTreeMap::new())?;
    from_rows(logged, folder, number, settings)
}

/// Applies what the log has beyond a collection; what became of loads, by their first numbers.
pub(super) fn catch_up(
    collection: &Collection,
    logged: &Logged,
    folder: &Path,
    number: u32,
) -> Result<BTreeMap<u64, Adopted>, OpenError> {
    let mut loads = BTreeMap::new();
    let from = collection.snapshot().seq() + 1;
    for frame in logged.log.tail(number, from) {
        let frame = frame?;
        match frame.entry {
            Entry::Changes(changes) => drop(collection.apply(frame.first_seq, changes)),
            Entry::Load(ref load) => {
                let segments = load::open_segments(collection, folder, frame.first_seq, load)?;
                loads.insert(frame.first_seq, collection.adopt(frame.first_seq, frame.next_seq() - 1, segments));
            }
        }
    }
    Ok(loads)
}

/// A collection made anew from its rows.
pub(super) fn from_rows(
    logged: &Logged,
    folder: &Path,
    number: u32,
    settings: &CollectionSettings,
) -> Result<Collection, OpenError> {
    let collection = Collection::with_kinds(settings.kinds.iter().copied());
    let head = logged.log.head(number)?;
    let (mut draft, mut segments) = (SegmentDraft::new(), Vec::new());
    let (first, end) = (number.to_be_bytes(), (number + 1).to_be_bytes());
    for row in logged.store.scan(Space::Records, &first..&end) {
        let (key, value) = row?;
        let (_, id) = codec::read_record_key(&key)?;
        let (item, seq) = codec::read_row(id, &value)?;
        draft.push(&item, seq);
        if draft.len() == SEGMENT_ROWS {
            segments.push(std::mem::take(&mut draft).write(&collection, folder)?);
        }
    }
    if !draft.is_empty() {
        segments.push(draft.write(&collection, folder)?);
    }
    collection.adopt(1, head, segments);
    Ok(collection)
}
