//! A data directory out of a backup: all of it, or nothing.
//!
//! What surprises: the directory is opened and compared before it exists. It is built and tried under another name, and gets its
//! own only when every collection in it comes to what the backup says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::backup::{BackupError, ROWS, SEGMENTS, compare, refuse_existing, sums_of_rows};
use super::backup_rows::{RowsReader, SPACES};
use super::files::{self, Fleeting, done};
use super::inventory::{CollectionBackup, Inventory};
use super::{Settings, Sum, recover};
use crate::log::{FjallStore, Home, Row, Store};

/// The names that an attempt may leave in the directory it builds.
const OURS: [&str; 7] = ["LOCK", "FORMAT", "FORMAT.new", "store", "store.new", "segments", "high-water"];

/// A data directory that was made of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Where it is.
    pub path: PathBuf,
    /// The collections in it.
    pub collections: Vec<CollectionBackup>,
    /// Rows of the store.
    pub rows: u64,
    /// When the backup was taken, in milliseconds since 1970.
    pub taken_at_ms: i64,
}

/// Makes a data directory of a backup, where there is nothing yet. After an error, or a kill in the middle, there still is nothing.
///
/// Everything in the backup is verified before anything is written, and what was written is opened and compared with it.
pub fn restore(from: &Path, to: &Path) -> Result<Restored, BackupError> {
    refuse_existing(to)?;
    let inventory = Inventory::read(from)?;
    inventory.check_files(from)?;
    check_rows(from, &inventory)?;
    let made = files::beside(to, ".new");
    files::begin(&made, &OURS, "LOCK")?;
    let _fleeting = Fleeting(made.clone());
    build(from, &made, &inventory)?;
    check_built(&made, &inventory)?;
    files::put_in_place(&made, to)?;
    let rows = inventory.spaces.iter().map(|space| space.rows).sum();
    Ok(Restored { path: to.to_owned(), collections: inventory.collections, rows, taken_at_ms: inventory.moment.at_ms })
}

fn damaged(from: &Path) -> impl Fn(std::io::Error) -> BackupError {
    let path = from.join(ROWS);
    move |error| BackupError::Damaged { path: path.clone(), what: error.to_string() }
}

/// Reads all rows, and holds them against the checksums and counts in their file and in the inventory.
fn check_rows(from: &Path, inventory: &Inventory) -> Result<(), BackupError> {
    let mut reader = RowsReader::open(&from.join(ROWS)).map_err(damaged(from))?;
    for (place, space) in SPACES.iter().enumerate() {
        while reader.next_of(place).map_err(damaged(from))?.is_some() {}
        let told = inventory.spaces.iter().find(|told| told.name == space.name());
        let tally = reader.tally(place);
        if told.is_none_or(|told| (told.rows, told.sum) != (tally.rows, tally.sum)) {
            let what = format!("the rows of {} are not those that the inventory counts", space.name());
            return Err(BackupError::Damaged { path: from.join(ROWS), what });
        }
    }
    match reader.ended {
        true => Ok(()),
        false => Err(damaged(from)(std::io::Error::other("it does not end"))),
    }
}

/// Writes the directory: the store from the rows, the segment files as they are.
fn build(from: &Path, made: &Path, inventory: &Inventory) -> Result<(), BackupError> {
    let home = Home::open(made).map_err(super::OpenError::from)?;
    let store = FjallStore::open(&home.store_path(), &crate::log::Settings::default())?;
    let mut reader = RowsReader::open(&from.join(ROWS)).map_err(damaged(from))?;
    for (place, space) in SPACES.into_iter().enumerate() {
        let mut failed = None;
        let mut rows = std::iter::from_fn(|| -> Option<Row> {
            reader.next_of(place).unwrap_or_else(|error| {
                failed = Some(error);
                None
            })
        });
        let ingested = store.ingest(space, &mut rows);
        if let Some(error) = failed {
            return Err(damaged(from)(error));
        }
        ingested?;
    }
    drop(store);
    for collection in &inventory.collections {
        let folder = home.segments_path(collection.number);
        done("making", &folder, fs::create_dir_all(&folder))?;
        let own = Path::new(SEGMENTS).join(&collection.name);
        for file in inventory.files.iter().filter(|file| file.path.parent() == Some(&own)) {
            let name = file.path.file_name().expect("it has a parent, so it has a name");
            files::link(&from.join(&file.path), &folder.join(name))?;
        }
        files::sync_folder(&folder)?;
    }
    files::sync_folder(&made.join("segments"))?;
    Ok(files::sync_folder(made)?)
}

/// Opens what was built as an engine would, without the threads that would begin to change it, and compares.
fn check_built(made: &Path, inventory: &Inventory) -> Result<(), BackupError> {
    let committer = recover::open(made, Settings::default())?;
    let hosted = committer.shared.hosted.load_full();
    let there: BTreeSet<&str> = hosted.keys().map(super::CollectionName::as_str).collect();
    let told: BTreeSet<&str> = inventory.collections.iter().map(|collection| collection.name.as_str()).collect();
    if there != told {
        let what = format!("the rows name the collections {there:?}, the inventory {told:?}");
        return Err(BackupError::Damaged { path: made.to_owned(), what });
    }
    let rows = committer.logged.as_ref().map(|logged| sums_of_rows(&*logged.store)).transpose()?.unwrap_or_default();
    for collection in &inventory.collections {
        let Some(hosted) = hosted.values().find(|hosted| hosted.name.as_str() == collection.name) else { continue };
        let snapshot = hosted.snapshot();
        if snapshot.seq() != collection.seq {
            let what = format!("it ends at change {}, and should at {}", snapshot.seq(), collection.seq);
            return Err(BackupError::Differs { collection: collection.name.clone(), what });
        }
        let told = ("the inventory", collection.sum);
        compare(&collection.name, ("its segments", Sum::of(&snapshot)?), told)?;
        compare(&collection.name, ("its rows", rows.get(&collection.number).copied().unwrap_or_default()), told)?;
    }
    Ok(())
}
