//! Making a damaged data directory sound again, and saying exactly what that cost.
//!
//! ```text
//! copy everything aside ─▶ rows or log damaged? a fresh store of what can be read ─▶ each collection: files that fit its rows
//!                                                (see salvage)                       stay, all others are made anew
//! ```
//!
//! What surprises: it decides nothing that could be regretted. Before anything is touched all of it stands a second time beside the
//! directory, as `<path>.before-repair-1` or the next free number, and stays there until somebody removes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::backup::{END, FIRST};
use super::commit::Logged;
use super::files::{self, Fleeting, done};
use super::hosted::unless_damaged;
use super::verify::{items_that_differ, opened, sum_of_rows};
use super::{CollectionName, CollectionSettings, OpenError, Sum, catalogue, load, recover, rows, salvage, schema};
use crate::collection::{Collection, FileError, remove_unused};
use crate::log::{Batch, FjallStore, Home, Local, LogError, Space, Store, StoreError, Sync, codec};

/// What a repair did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// Where everything stands as it was before.
    pub aside: PathBuf,
    /// The collections that are there now, with their items.
    pub collections: Vec<(CollectionName, u64)>,
    /// What was made anew or dropped without any loss, in words.
    pub mended: Vec<String>,
    /// What is lost, or may be, in words. Empty when nothing is.
    pub lost: Vec<String>,
}

/// Repairs a data directory that no engine has open. Everything is copied aside before anything is changed.
///
/// Where the store itself is damaged, the items of its collections are held in memory for a while.
pub fn repair(path: &Path) -> Result<Repaired, OpenError> {
    let home = Home::open_existing(path)?;
    salvage::finish_swap(&home)?;
    let aside = copied_aside(path)?;
    let mut repaired = Repaired { aside, collections: Vec::new(), mended: Vec::new(), lost: Vec::new() };
    if let Some(why) = damage_of(&home)? {
        repaired.mended.push(format!("the store was made anew from what can be read: {why}"));
        salvage::fresh_store(&home, &mut repaired)?;
    }
    let logged = accept_log(&home, &mut repaired)?;
    for (number, name, settings) in catalogue::collections(&*logged.store)? {
        let items = mend(&home, &logged, (number, &name, &settings), &mut repaired)?;
        repaired.collections.push((name, items));
    }
    Ok(repaired)
}

/// Copies everything beside the directory, under the first free number.
fn copied_aside(path: &Path) -> Result<PathBuf, OpenError> {
    let free = (1..).map(|number| files::beside(path, &format!(".before-repair-{number}")));
    let aside = free.into_iter().find(|aside| !aside.exists()).expect("numbers do not end");
    let unfinished = files::beside(&aside, ".new");
    // Half a copy would keep the room of which there was too little.
    let _fleeting = Fleeting(unfinished.clone());
    let _ = fs::remove_dir_all(&unfinished); // an attempt that was stopped; nothing else has such a name
    files::copy_all(path, &unfinished, &|_| false)?;
    files::put_in_place(&unfinished, &aside)?;
    Ok(aside)
}

/// What is wrong with the store, rows and frames included; nothing if it can be relied on.
fn damage_of(home: &Home) -> Result<Option<String>, OpenError> {
    let store = match FjallStore::open(&home.store_path(), &crate::log::Settings::default()) {
        Ok(store) => Arc::new(store),
        Err(error @ (StoreError::Io { .. } | StoreError::Full { .. })) => return Err(error.into()),
        Err(error) => return Ok(Some(error.to_string())),
    };
    match schema::check(&*store) {
        Err(error @ OpenError::NewerSchema { .. }) => return Err(error),
        Err(error) => return Ok(Some(error.to_string())),
        Ok(()) => {}
    }
    match read_all(&*store).map_err(OpenError::from).and_then(|()| Ok(Local::open(store, None)?)) {
        Ok(_) => Ok(None),
        Err(error) => Ok(Some(error.to_string())),
    }
}

/// Reads every row and every frame, and the small values that a start needs.
fn read_all(store: &dyn Store) -> Result<(), StoreError> {
    let known: BTreeSet<u32> = catalogue::collections(store)?.iter().map(|(number, ..)| *number).collect();
    let dropped = catalogue::dropped(store)?;
    for row in store.scan(rows::place(store)?, FIRST..END) {
        let (key, value) = row?;
        let (number, id) = codec::read_record_key(&key)?;
        codec::read_row(id, &value)?;
        if !known.contains(&number) && !dropped.contains(&number) {
            return Err(StoreError::Damaged {
                what: format!("there are rows of collection {number}, which there is not"),
            });
        }
    }
    let mut next = (0, 0);
    for row in store.scan(Space::Changes, FIRST..END) {
        let (key, value) = row?;
        let (stream, first_seq) = codec::read_change_key(&key)?;
        let frame = codec::read_frame(stream, first_seq, &value)?;
        // Opening the log looks at the ends of a stream alone.
        if stream == next.0 && first_seq != next.1 {
            let what = format!("the log of collection {stream} has a gap at change {}", next.1);
            return Err(StoreError::Damaged { what });
        }
        next = (stream, frame.next_seq());
    }
    catalogue::all_answered(store)?;
    known.iter().try_for_each(|&number| catalogue::pending(store, number).map(drop))?;
    catalogue::next(store).map(drop)
}

/// The log; one that lost its end is accepted as it is.
fn accept_log(home: &Home, repaired: &mut Repaired) -> Result<Logged, OpenError> {
    let store: Arc<dyn Store> = Arc::new(FjallStore::open(&home.store_path(), &crate::log::Settings::default())?);
    let log = match Local::open(store.clone(), Some(home.high_water()?)) {
        Err(LogError::Shortened { found, known }) => {
            let lost = format!(
                "the log ends after {found} commits and {known} were acknowledged: the last {} are lost",
                known - found
            );
            repaired.lost.push(lost);
            let mark = home.root().join("high-water");
            done("removing", &mark, fs::remove_file(&mark))?;
            files::sync_folder(home.root())?;
            Local::open(store.clone(), Some(home.high_water()?))?
        }
        opened => opened?,
    };
    Ok(Logged::new(Arc::new(log), store)?)
}

/// Makes the files of a collection such that they fit its rows; how many items it has.
fn mend(
    home: &Home,
    logged: &Logged,
    (number, name, settings): (u32, &CollectionName, &CollectionSettings),
    repaired: &mut Repaired,
) -> Result<u64, OpenError> {
    let folder = home.segments_path(number);
    done("making", &folder, fs::create_dir_all(&folder))?;
    let collection = match fitting(logged, &folder, number, settings, name) {
        Ok(collection) => collection,
        Err(OpenError::File(error @ FileError::Newer { .. })) => return Err(error.into()),
        Err(why) => {
            settle(logged, &folder, number, name, repaired)?;
            let mut batch = Batch::new();
            catalogue::forget_checkpoint(&mut batch, number);
            logged.log.append(&[], batch, Sync::Now)?;
            done("clearing", &folder, remove_unused(&folder, &[]))?;
            let collection = recover::from_rows(logged, Some(&folder), number, settings)?;
            let items = collection.snapshot().len();
            repaired.mended.push(format!("{name}: its {items} items were indexed anew from their rows: {why}"));
            collection
        }
    };
    let checkpoint = collection.checkpoint(&folder)?;
    let mut batch = Batch::new();
    catalogue::put_checkpoint(&mut batch, number, &(&checkpoint).into());
    logged.log.append(&[], batch, Sync::Now)?;
    let removed = done("clearing", &folder, remove_unused(&folder, &checkpoint.files))?;
    if removed > 0 {
        repaired.mended.push(format!("{name}: {removed} files that nothing names were removed"));
    }
    Ok(checkpoint.len)
}

/// The collection from its files, if it is the same as its rows.
fn fitting(
    logged: &Logged,
    folder: &Path,
    number: u32,
    settings: &CollectionSettings,
    name: &CollectionName,
) -> Result<Collection, OpenError> {
    let differs = |what: String| OpenError::Store(StoreError::Damaged { what });
    let found = unless_damaged(|| {
        let collection = opened(logged, folder, number, settings, name)?;
        let (snapshot, head) = (collection.snapshot(), logged.log.head(number)?);
        if snapshot.seq() != head {
            return Err(differs(format!("its files end at change {}, its log at {head}", snapshot.seq())));
        }
        if let Some(first) = items_that_differ(&*logged.store, number, &snapshot).into_iter().next() {
            return Err(differs(first));
        }
        let (sum, rows) = (Sum::of(&snapshot), sum_of_rows(&*logged.store, number));
        if sum.map_err(FileError::from)? != rows {
            return Err(differs("its files hold other items than its rows".to_owned()));
        }
        Ok(collection)
    });
    found.map_err(|damaged| OpenError::from(FileError::from(damaged)))?
}

/// Ends a load that was under way: from its files, or, where they are damaged, with those of its items that can be read.
fn settle(
    logged: &Logged,
    folder: &Path,
    number: u32,
    name: &CollectionName,
    repaired: &mut Repaired,
) -> Result<(), OpenError> {
    let Ok(Some(pending)) = catalogue::pending(&*logged.store, number) else { return Ok(()) };
    let empty = Collection::with_kinds([]);
    let resumed = unless_damaged(|| load::resume(logged, folder, number, &empty, &BTreeMap::new()));
    if matches!(resumed, Ok(Ok(()))) {
        return Ok(());
    }
    let load = pending.load();
    let (first_seq, last_seq) = (pending.first_seq, pending.first_seq + load.items - 1);
    let (mut batch, mut kept) = (Batch::new(), 0_u64);
    for &file in &load.segments {
        let Ok(segment) = empty.open_loaded(folder, file, (first_seq, last_seq)) else { continue };
        if segment.scrub().is_err() {
            continue;
        }
        for slot in segment.points().slots() {
            let item = segment.item(slot);
            let key = codec::record_key(number, item.id());
            let there = logged.store.get(logged.rows, &key)?;
            let newer =
                there.and_then(|row| codec::read_row(item.id(), &row).ok()).is_some_and(|(_, seq)| seq > item.seq);
            if !newer {
                let mut one = Batch::new();
                one.put(logged.rows, key, codec::write_row_of(&item));
                logged.store.commit(one, Sync::Later)?;
            }
            kept += 1;
        }
    }
    // What was changed after the load stays as those changes left it.
    batch.append(load::rows_after(logged, number, last_seq)?);
    catalogue::forget_pending(&mut batch, number);
    logged.log.append(&[], batch, Sync::Now)?;
    repaired.lost.push(format!(
        "{name}: a load of {} items at change {first_seq} was not finished and its files are damaged: {kept} of them were read",
        load.items
    ));
    Ok(())
}
