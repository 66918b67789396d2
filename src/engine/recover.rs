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
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use thiserror::Error;

use super::commit::{Committer, Logged};
use super::follow::Feed;
use super::hosted::{Hosted, unless_damaged};
use super::{CollectionName, CollectionSettings, Health, Refused, Settings, Shared, catalogue, load, schema, unborn};
use crate::collection::{Adopted, Change, Collection, FileError, Segment, SegmentDraft};
use crate::log::{Entry, Home, HomeError, Local, LogError, Store, StoreError, codec};

/// Rows in a segment that is made anew, so that making it takes a bounded share of memory.
const SEGMENT_ROWS: usize = 4_000_000;

/// Changes that are applied together when a log is replayed.
const APPLIED_AT_ONCE: usize = 10_000;

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
    /// A bulk load in the log of an engine that has no directory for its files.
    #[error("the log names the files of a bulk load, and there is no directory for them")]
    NoFolder,
    /// Files that end elsewhere than the log does.
    #[error("the segment files end at change {seq} and the log at {head}")]
    OutOfStep {
        /// The last change in the files and what was replayed on them.
        seq: u64,
        /// The last change of the log.
        head: u64,
    },
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

/// Everything that a store holds, without a directory for files.
pub(super) fn over(store: Arc<dyn Store>, settings: Settings) -> Result<Committer, OpenError> {
    let log = Local::open(store.clone(), None)?;
    host(Logged::new(Arc::new(log), store)?, settings, None, Health::Ready)
}

/// Everything in a directory, as it was when the last accepted change was made.
pub(super) fn open(path: &Path, settings: Settings) -> Result<Committer, OpenError> {
    let home = Home::open(path)?;
    let (logged, health) = open_log(&home)?;
    host(logged, settings, Some(home), health)
}

fn host(logged: Logged, settings: Settings, home: Option<Home>, health: Health) -> Result<Committer, OpenError> {
    schema::check(&*logged.store)?;
    if health == Health::Ready {
        schema::write(&logged)?;
        if let Some(home) = &home {
            unborn::remove_strays(home, &*logged.store)?;
        }
    }
    let mut hosted: BTreeMap<CollectionName, Arc<Hosted>> = BTreeMap::new();
    let mut started = Started::default();
    for (number, name, own) in catalogue::collections(&*logged.store)? {
        let folder = home.as_ref().map(|home| home.segments_folder(number)).transpose()?;
        let (collection, replayed) = recovered(&logged, folder.as_deref(), number, &own)?;
        match replayed {
            Ok(replayed) => started.replayed += replayed,
            Err(why) => started.made_anew.push((name.clone(), why)),
        }
        let hosting = Hosted::new(number, name.clone(), own, collection);
        let saved = catalogue::checkpoint(&*logged.store, number)?;
        hosting.saved.store(saved.map_or(0, |saved| saved.seq), Ordering::Relaxed);
        hosting.last_load.store(hosting.snapshot().seq(), Ordering::Relaxed);
        hosted.insert(name, Arc::new(hosting));
    }
    let next_number = catalogue::next(&*logged.store)?;
    let (hosted, ready) = (ArcSwap::from_pointee(hosted), ArcSwap::from_pointee(Health::Ready));
    let feed = Arc::new(Feed::new(logged.log.clone()));
    let shared = Shared { hosted, health: ready, settings, home, started, saving: Mutex::default(), feed };
    shared.set_health(health);
    Ok(Committer::new(Arc::new(shared), logged, next_number))
}

/// The store and its log. A log that lost its end is still read, but nothing is written behind the gap.
pub(super) fn open_log(home: &Home) -> Result<(Logged, Health), OpenError> {
    let store: Arc<dyn Store> = Arc::new(home.open_store(&crate::log::Settings::default())?);
    let (log, health) = match Local::open(store.clone(), Some(home.high_water()?)) {
        Err(error @ LogError::Shortened { .. }) => {
            (Local::open(store.clone(), None)?, Health::ReadOnly { reason: error.to_string() })
        }
        opened => (opened?, Health::Ready),
    };
    Ok((Logged::new(Arc::new(log), store)?, health))
}

/// What a start had to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Started {
    /// Changes that were replayed from the log, because they came after the last checkpoint.
    pub replayed: u64,
    /// Collections whose segments were made anew from their rows, and why.
    pub made_anew: Vec<(CollectionName, String)>,
}

/// A collection as the store has it: from its files where they are sound, from its rows where they are not. Says how many changes
/// were replayed, or why the files were of no use.
fn recovered(
    logged: &Logged,
    folder: Option<&Path>,
    number: u32,
    settings: &CollectionSettings,
) -> Result<(Collection, Result<u64, String>), OpenError> {
    let why = match from_files(logged, folder, number, settings) {
        Ok((collection, replayed)) => return Ok((collection, Ok(replayed))),
        Err(error) if !error.is_of_files() => return Err(error),
        Err(error) => error.to_string(),
    };
    tracing::warn!(collection = number, why, "segments are made anew from the rows");
    if let Some(folder) = folder {
        let empty = Collection::with_kinds(settings.kinds.iter().copied());
        load::resume(logged, folder, number, &empty, &BTreeMap::new())?;
    }
    Ok((from_rows(logged, folder, number, settings)?, Err(why)))
}

/// A collection from its checkpoint and what the log has beyond it.
fn from_files(
    logged: &Logged,
    folder: Option<&Path>,
    number: u32,
    settings: &CollectionSettings,
) -> Result<(Collection, u64), OpenError> {
    let kinds = settings.kinds.iter().copied();
    let saved = catalogue::checkpoint(&*logged.store, number)?;
    let collection = match saved.as_ref().zip(folder) {
        None => Collection::with_kinds(kinds),
        Some((saved, folder)) => Collection::open(kinds, folder, saved.manifest)?,
    };
    let before = collection.snapshot().seq();
    let adopted = unless_damaged(|| catch_up(&collection, logged, folder, number)).map_err(FileError::from)??;
    let (seq, head) = (collection.snapshot().seq(), logged.log.head(number)?);
    if seq != head {
        return Err(OpenError::OutOfStep { seq, head });
    }
    if let Some(folder) = folder {
        load::resume(logged, folder, number, &collection, &adopted)?;
    }
    Ok((collection, head - before))
}

impl OpenError {
    /// Whether the segment files are at fault, which are only derived from the store. A file of a newer version is none: whoever
    /// wrote it knew more than this version.
    fn is_of_files(&self) -> bool {
        match self {
            OpenError::File(error) => !matches!(error, FileError::Newer { .. }),
            OpenError::OutOfStep { .. } | OpenError::Log(LogError::Trimmed { .. }) => true,
            _ => false,
        }
    }
}

/// Applies what the log has beyond a collection; what became of loads, by their first numbers.
pub(super) fn catch_up(
    collection: &Collection,
    logged: &Logged,
    folder: Option<&Path>,
    number: u32,
) -> Result<BTreeMap<u64, Adopted>, OpenError> {
    let mut loads = BTreeMap::new();
    let mut gathered = Gathered { first_seq: collection.snapshot().seq() + 1, changes: Vec::new() };
    for frame in logged.log.tail(number, gathered.first_seq) {
        let frame = frame?;
        match frame.entry {
            Entry::Changes(steps) => {
                gathered.changes.extend(steps.into_iter().map(|step| step.change));
                if gathered.changes.len() >= APPLIED_AT_ONCE {
                    gathered.apply(collection);
                }
            }
            Entry::Load(ref load) => {
                gathered.apply(collection);
                gathered.first_seq = frame.next_seq();
                let folder = folder.ok_or(OpenError::NoFolder)?;
                let segments = load::open_segments(collection, folder, frame.first_seq, load)?;
                loads.insert(frame.first_seq, collection.adopt(frame.first_seq, frame.next_seq() - 1, segments));
            }
        }
    }
    gathered.apply(collection);
    Ok(loads)
}

/// Changes of several frames, to be applied together: showing each by itself would take longer than applying it.
struct Gathered {
    first_seq: u64,
    changes: Vec<Change>,
}

impl Gathered {
    fn apply(&mut self, collection: &Collection) {
        let changes = std::mem::take(&mut self.changes);
        let count = changes.len() as u64;
        collection.apply(self.first_seq, changes);
        self.first_seq += count;
    }
}

/// A collection made anew from its rows.
pub(super) fn from_rows(
    logged: &Logged,
    folder: Option<&Path>,
    number: u32,
    settings: &CollectionSettings,
) -> Result<Collection, OpenError> {
    let collection = Collection::with_kinds(settings.kinds.iter().copied());
    let head = logged.log.head(number)?;
    let (mut draft, mut segments) = (SegmentDraft::new(), Vec::new());
    let (first, end) = (number.to_be_bytes(), (number + 1).to_be_bytes());
    for row in logged.store.scan(logged.rows, &first..&end) {
        let (key, value) = row?;
        let (_, id) = codec::read_record_key(&key)?;
        let (item, seq) = codec::read_row(id, &value)?;
        draft.push(&item, seq);
        if draft.len() == SEGMENT_ROWS {
            segments.push(built(std::mem::take(&mut draft), &collection, folder)?);
        }
    }
    if !draft.is_empty() {
        segments.push(built(draft, &collection, folder)?);
    }
    collection.adopt(1, head, segments);
    Ok(collection)
}

fn built(draft: SegmentDraft, collection: &Collection, folder: Option<&Path>) -> Result<Arc<Segment>, FileError> {
    match folder {
        Some(folder) => draft.write(collection, folder),
        None => Ok(Arc::new(draft.build(collection))),
    }
}
