//! A copy of everything at one moment, taken while changes go on.
//!
//! ```text
//! <to>.new/rows                     all rows of the store but those of a migration
//! <to>.new/segments/<collection>/   the files of its checkpoint, linked where the disk is the same
//! <to>.new/BACKUP                   what there is, with checksums; written last
//! <to>                              the same directory, once all of it is durable
//! ```
//!
//! What surprises: writers wait only while files are linked. The store gives a view of one moment, the segment files never change,
//! and so everything that takes time is done beside the changes that go on.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use thiserror::Error;

use super::backup_rows::{RowsWriter, SPACES};
use super::commit::{Committer, now_ms};
use super::files::{self, Fleeting, Refused, done};
use super::hosted::{Hosted, unless_damaged};
use super::inventory::{CollectionBackup, FileBackup, Inventory, Moment, NAME, SpaceBackup};
use super::rows as rows_of_store;
use super::{Engine, EngineError, OpenError, Sum};
use crate::collection::{FileError, Snapshot};
use crate::index::Damaged;
use crate::log::{COMMITS_KEY, Moment as StoreMoment, Space, Store, StoreError, codec};

/// What a backup directory holds.
pub(super) const ROWS: &str = "rows";
pub(super) const SEGMENTS: &str = "segments";

/// The keys of all rows lie between these.
pub(super) const FIRST: &[u8] = &[0];
pub(super) const END: &[u8] = &[0xff; 300];

/// A backup that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Where it is.
    pub path: PathBuf,
    /// The collections in it.
    pub collections: Vec<CollectionBackup>,
    /// Rows of the store.
    pub rows: u64,
    /// Bytes of all its files, those of linked ones too.
    pub bytes: u64,
}

/// Why a backup was not taken, or not restored. Where it should have come to be, there is nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is something already.
    #[error("{} is there already; name a path where there is nothing", .path.display())]
    Exists {
        /// The path as given.
        path: PathBuf,
    },
    /// There is no backup.
    #[error("{} is no backup: it has no file named {NAME}", .path.display())]
    None {
        /// The path as given.
        path: PathBuf,
    },
    /// A newer version took it.
    #[error("the backup has format {found}, and this version knows {known}; use a newer version of nigh")]
    Newer {
        /// The format it has.
        found: u32,
        /// The newest format this version knows.
        known: u32,
    },
    /// It is not as it was taken.
    #[error("the backup is damaged: {}: {what}", .path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Two ways to the same items differ: nothing that could be relied on would come of it.
    #[error("collection {collection} is not the same everywhere: {what}")]
    Differs {
        /// Which collection.
        collection: String,
        /// What differs from what.
        what: String,
    },
    /// The system refused.
    #[error(transparent)]
    System(#[from] Refused),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of a collection could not be written or read.
    #[error(transparent)]
    File(#[from] FileError),
    /// What was restored could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<Damaged> for BackupError {
    fn from(damaged: Damaged) -> BackupError {
        FileError::from(damaged).into()
    }
}

/// One moment: its files are linked, the rest can be read at leisure.
struct Frozen {
    rows: Box<dyn StoreMoment>,
    collections: Vec<(String, u32, Arc<Snapshot>)>,
}

impl Engine {
    /// Takes a backup of everything into a directory that is not there yet, while changes go on. It holds one moment between two
    /// changes; [`restore`](super::restore()) makes a data directory of it.
    pub fn backup(&self, to: &Path) -> Result<Backup, BackupError> {
        if self.shared.home.is_none() {
            return Err(EngineError::NoDirectory { what: "a backup" }.into());
        }
        refuse_existing(to)?;
        let made = files::beside(to, ".new");
        files::begin(&made, &[ROWS, SEGMENTS, NAME], ROWS)?;
        let _fleeting = Fleeting(made.clone());
        let (path, segments) = (made.join(ROWS), made.join(SEGMENTS));
        let rows = done("making", &path, File::create_new(&path))?;
        // Held, so that no other backup to this place takes it for what a dead one left.
        done("locking", &path, rows.lock())?;
        done("making", &segments, fs::create_dir_all(&segments))?;
        let frozen = self.freeze(segments)?;
        let backup = write(&made, rows, frozen)?;
        files::put_in_place(&made, to)?;
        Ok(Backup { path: to.to_owned(), ..backup })
    }

    fn freeze(&self, segments: PathBuf) -> Result<Frozen, BackupError> {
        // No load is half done, and nobody takes files for unused.
        let _loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let _saving = self.shared.saving();
        self.save_beforehand();
        self.in_turn(move |committer| Ok(committer.freeze(&segments)))?
    }

    /// Writes most of what the checkpoints to come need while changes go on. What fails here fails there again.
    fn save_beforehand(&self) {
        let Some(home) = &self.shared.home else { return };
        for hosted in self.shared.hosted.load_full().values() {
            let collection = hosted.collection();
            let _ = unless_damaged(|| collection.checkpoint(&home.segments_path(hosted.number)));
        }
    }
}

impl Committer {
    fn freeze(&mut self, segments: &Path) -> Result<Frozen, BackupError> {
        self.writable()?;
        let mut collections = Vec::new();
        for hosted in self.shared.hosted.load_full().values() {
            self.link_checkpoint(hosted, &segments.join(hosted.name.as_str()))?;
            collections.push((hosted.name.to_string(), hosted.number, hosted.snapshot()));
        }
        files::sync_folder(segments)?;
        Ok(Frozen { rows: self.writable()?.store.moment(), collections })
    }

    /// Records a checkpoint of now and links its files.
    fn link_checkpoint(&mut self, hosted: &Hosted, folder: &Path) -> Result<(), BackupError> {
        let own = self.shared.home.as_ref().map(|home| home.segments_path(hosted.number)).unwrap_or_default();
        let seen = hosted.collection();
        let saved = unless_damaged(|| seen.checkpoint(&own));
        let (collection, checkpoint) = match saved {
            Ok(checkpoint) => (seen, checkpoint?),
            Err(_) => {
                self.rebuild(hosted)?;
                let collection = hosted.collection();
                let checkpoint = unless_damaged(|| collection.checkpoint(&own))??;
                (collection, checkpoint)
            }
        };
        if hosted.unsettled().is_some() {
            let reason = "a load was interrupted and has to be finished first; open the directory again".to_owned();
            return Err(EngineError::ReadOnly { reason }.into());
        }
        self.record(hosted, &collection, &checkpoint)?;
        done("making", folder, fs::create_dir(folder))?;
        for file in &checkpoint.files {
            files::link(&own.join(file), &folder.join(file))?;
        }
        Ok(files::sync_folder(folder)?)
    }
}

/// Refuses a path where there is anything.
pub(super) fn refuse_existing(path: &Path) -> Result<(), BackupError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(BackupError::Exists { path: path.to_owned() }),
        Err(_) => Ok(()),
    }
}

/// Writes the rows and the inventory.
fn write(root: &Path, file: File, frozen: Frozen) -> Result<Backup, BackupError> {
    let mut rows = RowsWriter::new(file);
    let mut sums: BTreeMap<u32, Sum> = BTreeMap::new();
    let own = rows_of_store::place_at(&*frozen.rows)?;
    for (place, space) in SPACES.into_iter().enumerate() {
        // Wherever the rows are in the store: in a backup they come first.
        let from = if space == Space::Records { own } else { space };
        for row in frozen.rows.scan(from, FIRST..END) {
            let row = row?;
            match space {
                Space::Records => add_row(&mut sums, &row.0, &row.1)?,
                Space::Meta if rows_of_store::is_of_place(&row.0) => continue,
                _ => {}
            }
            done("writing", root, rows.push(place, &row))?;
        }
        done("writing", root, rows.close_block(place as u8))?;
    }
    let tallies = done("writing", root, rows.finish())?;
    let commits = frozen.rows.scan(Space::Meta, COMMITS_KEY..&[COMMITS_KEY, &[0]].concat()).next();
    let commits = commits.transpose()?.and_then(|(_, bytes)| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
    drop(frozen.rows);
    let mut collections = Vec::new();
    for (name, number, snapshot) in frozen.collections {
        let sum = Sum::of(&snapshot)?;
        compare(&name, ("its rows", sums.get(&number).copied().unwrap_or_default()), ("its segments", sum))?;
        collections.push(CollectionBackup { name, number, seq: snapshot.seq(), sum });
    }
    let listed = files::files_below(root)?.into_iter();
    let listed: Vec<FileBackup> = listed.map(|path| FileBackup::of(root, path)).collect::<Result<_, _>>()?;
    let bytes = listed.iter().map(|file| file.bytes).sum();
    let spaces = SPACES.iter().zip(tallies);
    let spaces =
        spaces.map(|(space, tally)| SpaceBackup { name: space.name().to_owned(), rows: tally.rows, sum: tally.sum });
    let moment = Moment { at_ms: now_ms(), commits };
    let inventory = Inventory { moment, collections: collections.clone(), spaces: spaces.collect(), files: listed };
    inventory.write(root)?;
    files::sync_folder(root)?;
    Ok(Backup { path: root.to_owned(), collections, rows: tallies.iter().map(|tally| tally.rows).sum(), bytes })
}

/// Adds a row to the sum of its collection.
pub(super) fn add_row(sums: &mut BTreeMap<u32, Sum>, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    let (number, id) = codec::read_record_key(key)?;
    let (item, seq) = codec::read_row(id, value)?;
    sums.entry(number).or_default().add_checksum(super::checksum_of(&item), seq);
    Ok(())
}

/// What the rows of every collection come to.
pub(super) fn sums_of_rows(store: &dyn Store) -> Result<BTreeMap<u32, Sum>, StoreError> {
    let mut sums = BTreeMap::new();
    for row in store.scan(rows_of_store::place(store)?, FIRST..END) {
        let (key, value) = row?;
        add_row(&mut sums, &key, &value)?;
    }
    Ok(sums)
}

/// Refuses two ways to the same items that do not lead to the same.
pub(super) fn compare(collection: &str, (one, a): (&str, Sum), (other, b): (&str, Sum)) -> Result<(), BackupError> {
    if a == b {
        return Ok(());
    }
    let what = match a.items == b.items {
        true => format!("{one} and {other} hold {} items each, but not the same", a.items),
        false => format!("{one} hold {} items, {other} {}", a.items, b.items),
    };
    Err(BackupError::Differs { collection: collection.to_owned(), what })
}
