//! What the thread that writes does between groups: checkpoints are named, logs trimmed, damaged collections made anew.
//!
//! What surprises: a checkpoint is two steps. Its files are written by another thread, while changes go on; only when they are
//! durable does this one name them, in one commit. Files that are not named are nobody's.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::backup::{END, FIRST};
use super::commit::{Committer, Then};
use super::hosted::{Hosted, unless_damaged};
use super::{CollectionName, CollectionSettings, EngineError, Health, catalogue, load, recover, rows};
use crate::collection::{Change, Checkpoint, Collection, remove_unused};
use crate::log::{Batch, Space, Store, StoreError};

/// How long a request is remembered.
const REMEMBERED_MS: i64 = 24 * 60 * 60 * 1000;

/// How long the log is trimmed before those who write have their turn again.
const TRIMMING: Duration = Duration::from_millis(5);

/// Rows of a dropped collection that are swept out at once.
const SWEEP: usize = 2000;

/// An error of upkeep: what cannot be done now is tried again later, unless writing has stopped.
fn put_off(error: impl std::fmt::Display) -> EngineError {
    EngineError::ReadOnly { reason: error.to_string() }
}

impl Committer {
    /// Whether a collection has not been dropped. Another of its name is another.
    pub(super) fn is_there(&self, hosted: &Hosted) -> bool {
        self.shared.hosted.load().get(&hosted.name).is_some_and(|own| own.number == hosted.number)
    }

    /// Names the files of a checkpoint, and lets go of what they replace.
    pub(super) fn record(
        &mut self,
        hosted: &Hosted,
        collection: &Arc<Collection>,
        checkpoint: &Checkpoint,
    ) -> Result<(), EngineError> {
        if !self.is_there(hosted) || !Arc::ptr_eq(collection, &hosted.collection()) {
            return Ok(()); // it was dropped or made anew meanwhile
        }
        if hosted.unsettled().is_some() {
            return Ok(()); // the load is settled first, so that a start finds its line in the log
        }
        // Not even this: commits behind a log that lost its end would hide that it did, and after the end a newer one is named.
        self.shared.health().writable()?;
        let mut batch = Batch::new();
        catalogue::put_checkpoint(&mut batch, hosted.number, &checkpoint.into());
        self.append(&[], batch)?;
        self.sync_now(); // before anything that the checkpoint replaces is removed
        self.writable()?;
        let is_newest = checkpoint.seq >= hosted.last_load.load(Ordering::SeqCst);
        if let Some(home) = self.shared.home.as_ref().filter(|_| is_newest && hosted.loads.load(Ordering::SeqCst) == 0)
        {
            remove_unused(&home.segments_path(hosted.number), &checkpoint.files).map_err(put_off)?;
        }
        hosted.saved.store(checkpoint.seq, Ordering::Relaxed);
        Ok(())
    }

    /// Makes ends of life, each by itself, so that one that was put again since hinders no other. In a collection that was dropped
    /// there are none: another of its name may have the same items with the same versions.
    pub(super) fn expire(&mut self, hosted: &Hosted, due: Vec<Change>) {
        if self.is_there(hosted) {
            let ignored = || -> Then { Box::new(|_| ()) };
            self.commit(due.into_iter().map(|change| (hosted.name.clone(), change.into(), ignored())).collect());
        }
    }

    /// Forgets some of the changes before a number, which neither a start nor a follower needs.
    pub(super) fn trim(&mut self, hosted: &Hosted, before: u64) -> Result<(), EngineError> {
        let begin = Instant::now();
        while begin.elapsed() < TRIMMING && hosted.unsettled().is_none() {
            let logged = self.writable()?;
            if logged.is_migrating() {
                break; // it reads the log from where it began
            }
            match logged.log.trim(hosted.number, before) {
                Ok(oldest) if oldest == hosted.oldest.swap(oldest, Ordering::Relaxed) => break,
                Ok(_) => {}
                Err(error) => {
                    self.stop_writing(&error);
                    return Err(put_off(error));
                }
            }
        }
        Ok(())
    }

    /// Makes the collection anew that reads a damaged file, if there still is one: whoever came first has seen to it.
    pub(super) fn heal(&mut self, file: &Path) -> Result<(), EngineError> {
        let hosted = self.shared.hosted.load_full();
        let reads = |hosted: &&Arc<Hosted>| hosted.snapshot().segments().iter().any(|segment| segment.reads(file));
        let Some(hosted) = hosted.values().find(reads) else { return Ok(()) };
        tracing::warn!(collection = %hosted.name, file = %file.display(), "a file is damaged; its collection is made anew");
        self.rebuild(hosted)
    }

    /// Makes a collection anew from its rows.
    pub(super) fn rebuild(&mut self, hosted: &Hosted) -> Result<(), EngineError> {
        let Some(logged) = &self.logged else { return Err(EngineError::DiskFull) };
        let folder = self.shared.home.as_ref().map(|home| home.segments_path(hosted.number));
        tracing::info!(collection = %hosted.name, "the collection is made anew from its rows");
        let anew = hosted
            .complete_rows(logged)
            .and_then(|()| recover::from_rows(logged, folder.as_deref(), hosted.number, &hosted.settings.load()));
        match anew {
            Ok(collection) => {
                hosted.exchange(collection);
                Ok(())
            }
            Err(error) => {
                self.shared.set_health(Health::ReadOnly { reason: error.to_string() });
                Err(put_off(error))
            }
        }
    }

    /// Opens the store again after the disk was full, and goes on from what it holds.
    pub(super) fn reopen(&mut self) -> Result<(), EngineError> {
        let Some(home) = &self.shared.home else { return Ok(()) };
        // Closed before it is opened: it is locked against a second one.
        self.shared.feed.close(EngineError::DiskFull);
        self.logged = None;
        let (logged, health) = recover::open_log(home).map_err(put_off)?;
        for hosted in self.shared.hosted.load_full().values() {
            let folder = home.segments_path(hosted.number);
            let caught_up =
                unless_damaged(|| recover::catch_up(&hosted.collection(), &logged, Some(&folder), hosted.number));
            if !matches!(caught_up, Ok(Ok(_))) {
                let anew = recover::from_rows(&logged, Some(&folder), hosted.number, &hosted.settings.load());
                hosted.exchange(anew.map_err(put_off)?);
            }
            // A load whose rows could not be put for want of room is ended now.
            if let Some(unsettled) = hosted.unsettled().take() {
                load::end(&logged, hosted.number, &unsettled).map_err(put_off)?;
            }
        }
        self.shared.feed.open(logged.log.clone());
        self.logged = Some(logged);
        self.shared.set_health(health);
        self.shared.hosted.load_full().values().for_each(|hosted| hosted.tell());
        Ok(())
    }

    /// Forgets requests that were answered more than a day ago.
    pub(super) fn forget_answers(&mut self, now_ms: i64) -> Result<(), EngineError> {
        let answered = catalogue::all_answered(&*self.writable()?.store).map_err(put_off)?;
        let mut batch = Batch::new();
        for (key, at_ms) in answered {
            // Also what seems to come from far ahead: the clock was wrong then or is now.
            if (now_ms - at_ms).abs() > REMEMBERED_MS {
                catalogue::forget_answered(&mut batch, key);
            }
        }
        self.append(&[], batch)
    }

    /// Makes a collection with settings of its own, or gives one that is there others.
    pub(super) fn configure(&mut self, name: &CollectionName, settings: CollectionSettings) -> Result<(), EngineError> {
        self.writable()?;
        let mut batch = Batch::new();
        let there = self.shared.hosted.load().get(name).cloned();
        let Some(hosted) = there else {
            let hosted = self.unborn(name)?;
            hosted.exchange(Collection::with_kinds(settings.kinds.iter().copied()));
            hosted.settings.store(Arc::new(settings));
            catalogue::put_collection(&mut batch, hosted.number, name, &hosted.settings.load());
            catalogue::put_next(&mut batch, self.next_number);
            self.append(&[], batch)?;
            self.host(std::iter::once(&hosted));
            return Ok(());
        };
        catalogue::put_collection(&mut batch, hosted.number, name, &settings);
        self.append(&[], batch)?;
        let same_kinds = hosted.settings.load().kinds == settings.kinds;
        hosted.settings.store(Arc::new(settings));
        if same_kinds { Ok(()) } else { self.rebuild(&hosted) }
    }

    /// Drops a collection: its name is free at once, its rows are swept out by and by.
    pub(super) fn drop_collection(&mut self, name: &CollectionName) -> Result<(), EngineError> {
        self.writable()?;
        let mut hosted = std::collections::BTreeMap::clone(&self.shared.hosted.load());
        let Some(gone) = hosted.remove(name) else {
            return Err(EngineError::NoCollection { name: name.clone(), known: hosted.into_keys().collect() });
        };
        let mut batch = Batch::new();
        catalogue::drop_collection(&mut batch, gone.number);
        self.append(&[], batch)?;
        self.shared.hosted.store(Arc::new(hosted));
        gone.is_gone.store(true, Ordering::SeqCst);
        gone.tell();
        self.gone.push(gone);
        Ok(())
    }

    /// Sweeps out some of what dropped collections left.
    pub(super) fn sweep(&mut self) -> Result<(), EngineError> {
        self.forget_unborn();
        self.sweep_beside()?;
        let logged = self.writable()?;
        if logged.is_migrating() {
            return Ok(()); // it reads the log, and may be copying what would be swept
        }
        let (store, rows) = (logged.store.clone(), logged.rows);
        // While a load into it goes on, files and rows may still come.
        self.gone.retain(|gone| gone.loads.load(Ordering::SeqCst) > 0);
        for number in catalogue::dropped(&*store).map_err(put_off)? {
            if self.gone.iter().any(|gone| gone.number == number) {
                continue;
            }
            let batch = leavings(&*store, rows, number).map_err(put_off)?;
            if batch.is_empty() {
                if let Some(home) = &self.shared.home {
                    match remove_unused(&home.segments_path(number), &[]) {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(put_off(error)),
                        _ => {} // a folder that is not there, as after a restore, holds nothing
                    }
                }
                let mut batch = Batch::new();
                catalogue::forget_dropped(&mut batch, number);
                self.append(&[], batch)?;
            } else {
                self.append(&[], batch)?;
            }
        }
        Ok(())
    }

    /// Sweeps out some of what a migration left in the space beside the rows; whether there may be more.
    pub(super) fn sweep_beside(&mut self) -> Result<bool, EngineError> {
        let logged = self.writable()?;
        if logged.is_migrating() || !rows::is_marked(&*logged.store).map_err(put_off)? {
            return Ok(false);
        }
        let (space, from) = (rows::beside(logged.rows), logged.swept.clone());
        let mut batch = Batch::new();
        let mut last = Vec::new();
        for row in logged.store.scan(space, FIRST.max(&from)..END).take(SWEEP) {
            last = row.map_err(put_off)?.0;
            batch.remove(space, last.clone());
        }
        let is_empty = batch.is_empty() && from.is_empty();
        if is_empty {
            rows::forget_marks(&mut batch);
        }
        self.append(&[], batch)?;
        // Not from the first key each time: what was removed is passed over slowly. At the end, once more from there.
        self.logged.as_mut().ok_or(EngineError::DiskFull)?.swept = last;
        Ok(!is_empty)
    }

    /// Writes checkpoints of all collections. One that fails costs the next start time, no data.
    pub(super) fn checkpoint_all(&mut self) -> Result<(), EngineError> {
        let shared = self.shared.clone();
        let Some(home) = &shared.home else { return Ok(()) };
        for hosted in shared.hosted.load_full().values() {
            let collection = hosted.collection();
            match unless_damaged(|| collection.checkpoint(&home.segments_path(hosted.number))) {
                Ok(Ok(checkpoint)) => self.record(hosted, &collection, &checkpoint)?,
                Ok(Err(error)) => tracing::warn!(collection = %hosted.name, %error, "a checkpoint failed"),
                Err(_) => self.rebuild(hosted)?,
            }
        }
        Ok(())
    }

    /// Ends in good order: nothing is taken any more, and what there is stands in checkpoints.
    pub(super) fn close(&mut self) -> Result<(), EngineError> {
        let written = if self.shared.health() == Health::Ready { self.checkpoint_all() } else { Ok(()) };
        self.forget_unborn();
        self.shared.set_health(Health::Closing);
        self.end_feed();
        written
    }

    /// Lets those who follow know that nothing more will come, and lets go of the log that they read.
    pub(super) fn end_feed(&self) {
        self.shared.feed.close(EngineError::Closed);
        self.shared.hosted.load_full().values().for_each(|hosted| hosted.tell());
    }
}

/// Some of the rows, changes and remembered requests of a dropped collection, to be removed.
fn leavings(store: &dyn Store, rows: Space, number: u32) -> Result<Batch, StoreError> {
    let mut batch = Batch::new();
    let (first, end) = (number.to_be_bytes(), (number + 1).to_be_bytes());
    for space in [rows, Space::Changes] {
        for row in store.scan(space, &first..&end).take(SWEEP) {
            batch.remove(space, row?.0);
        }
    }
    catalogue::forget_answers_of(store, number, SWEEP, &mut batch)?;
    Ok(batch)
}
