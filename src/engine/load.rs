//! The part of a load that must not be disturbed: its line in the log, its items shown, its rows settled.
//!
//! What surprises: rows that are put beside the journal win over commits that came meanwhile. So when they are in, what those
//! commits did is written once more; until then a mark in the store says that the rows are not to be trusted alone.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::bulk::{Job, Loaded};
use super::catalogue::{self, Pending};
use super::commit::{Committer, Logged, now_ms};
use super::hosted::{Hosted, Unsettled, unless_damaged};
use super::rows::Merged;
use super::{CollectionName, CollectionSettings, EngineError, OpenError, RequestKey};
use crate::collection::{Adopted, Change, Collection, FileError, Id, Segment};
use crate::log::{Batch, ChangeLog, Entry, Frame, Load, LogError, Space, Store, StoreError, codec};

/// The rows of a load, and the store they are for.
pub(super) struct Rows {
    pub(super) store: Arc<dyn Store>,
    /// Which space of it.
    pub(super) space: Space,
    pub(super) rows: Merged,
}

impl Committer {
    /// The collection for a load, which makes it at its end if it is not there; from here on nobody takes the files of the load for
    /// unused.
    pub(super) fn begin_load(&mut self, name: &CollectionName) -> Result<Arc<Hosted>, EngineError> {
        let there = self.shared.hosted.load().get(name).cloned();
        let hosted = there.map_or_else(|| self.unborn(name), Ok)?;
        hosted.loads.fetch_add(1, Ordering::SeqCst);
        Ok(hosted)
    }

    /// Writes the line of a load and shows its items; what it gives back has to be put into the store.
    pub(super) fn load(&mut self, job: Job) -> Result<(Loaded, Option<Rows>), EngineError> {
        let Job { hosted, folder, key, load } = job;
        let logged = self.writable()?;
        let is_new = self.is_unborn(&hosted);
        if !is_new && !self.is_there(&hosted) {
            let known = self.shared.hosted.load().keys().cloned().collect();
            return Err(EngineError::NoCollection { name: hosted.name.clone(), known });
        }
        let (store, space) = (logged.store.clone(), logged.rows);
        let head = logged.log.head(hosted.number).map_err(unreadable)?;
        if let Some(key) = &key
            && let Some(before) = catalogue::loaded(&*store, hosted.number, key).map_err(unreadable)?
        {
            return same_load(before, &load, key).map(|before| (before, None));
        }
        if let Some(key) = &key
            && catalogue::answered(&*store, hosted.number, key).map_err(unreadable)?.is_some()
        {
            return Err(EngineError::KeyReused { key: key.as_str().to_owned() });
        }
        if load.items == 0 {
            if is_new {
                self.configure(&hosted.name, CollectionSettings::clone(&hosted.settings.load()))?;
            }
            return Ok((Loaded::of(&load, head, Adopted::default()), None));
        }
        let collection = hosted.collection();
        let segments = open_segments(&collection, &folder, head + 1, &load);
        let segments = segments.map_err(|error| EngineError::Load { reason: error.to_string() })?;
        let pending = Pending::new(head + 1, &load, key.as_ref());
        let mut rider = Batch::new();
        catalogue::put_pending(&mut rider, hosted.number, &pending);
        if is_new {
            catalogue::put_collection(&mut rider, hosted.number, &hosted.name, &hosted.settings.load());
            catalogue::put_next(&mut rider, self.next_number);
        }
        let frame = Frame { stream: hosted.number, first_seq: head + 1, entry: Entry::Load(load.clone()) };
        self.append(&[frame], rider)?;
        self.sync_now();
        let last_seq = head + load.items;
        hosted.last_load.store(last_seq, Ordering::SeqCst);
        let rows = Merged { segments: segments.clone(), folder };
        // Before anybody may need the rows whole: where an old file is damaged, adopting means making the collection anew.
        let mut loaded = Loaded::of(&load, last_seq, Adopted { created: load.items, replaced: 0 });
        *hosted.unsettled() = Some(Unsettled { pending, rows: rows.clone(), loaded: loaded.clone() });
        let adopted = unless_damaged(|| collection.adopt(head + 1, last_seq, segments));
        if is_new {
            self.host(std::iter::once(&hosted)); // with all its items: nobody has seen it empty
        }
        match adopted {
            Ok(adopted) => loaded = Loaded::of(&load, last_seq, adopted),
            Err(_) => self.rebuild(&hosted)?,
        }
        if let Some(unsettled) = &mut *hosted.unsettled() {
            unsettled.loaded = loaded.clone();
        }
        hosted.tell();
        Ok((loaded, Some(Rows { store, space, rows })))
    }

    /// Ends a load once its rows are in the store.
    pub(super) fn settle_load(&mut self, hosted: &Hosted, put: Result<(), StoreError>) -> Result<(), EngineError> {
        let logged = self.logged.as_ref().ok_or(EngineError::DiskFull)?;
        let Some(unsettled) = hosted.unsettled().clone() else { return Ok(()) };
        let batch = put
            .map_err(LogError::from)
            .and_then(|()| settling(logged, hosted.number, &unsettled.pending, &unsettled.loaded));
        match batch {
            Ok(batch) => {
                self.append(&[], batch)?;
                *hosted.unsettled() = None;
                Ok(())
            }
            Err(error) => {
                self.stop_writing(&error);
                Err(self.shared.health().writable().expect_err("writing just stopped"))
            }
        }
    }
}

impl Loaded {
    fn of(load: &Load, seq: u64, adopted: Adopted) -> Loaded {
        let created = adopted.created;
        let (received, checksum) = (load.items, load.checksum);
        Loaded { received, created, replaced: received - created, seq, checksum, number: 0, repeated: false }
    }
}

fn same_load(before: Loaded, load: &Load, key: &RequestKey) -> Result<Loaded, EngineError> {
    if (before.received, before.checksum) == (load.items, load.checksum) {
        return Ok(Loaded { repeated: true, ..before });
    }
    Err(EngineError::KeyReused { key: key.as_str().to_owned() })
}

fn unreadable(error: impl std::fmt::Display) -> EngineError {
    EngineError::ReadOnly { reason: error.to_string() }
}

/// The segments of a load, as the changes from a number on.
pub(super) fn open_segments(
    collection: &Collection,
    folder: &Path,
    first_seq: u64,
    load: &Load,
) -> Result<Vec<Arc<Segment>>, FileError> {
    let range = (first_seq, first_seq + load.items - 1);
    load.segments.iter().map(|&file| collection.open_loaded(folder, file, range)).collect()
}

/// What ends a load: the rows that changed after it, and that it is no longer under way.
fn settling(logged: &Logged, number: u32, pending: &Pending, loaded: &Loaded) -> Result<Batch, LogError> {
    let mut batch = rows_after(logged, number, loaded.seq)?;
    catalogue::forget_pending(&mut batch, number);
    if let Some(key) = &pending.key {
        catalogue::put_loaded(&mut batch, number, key, now_ms(), loaded);
    }
    Ok(batch)
}

/// The rows that changed after a number, as the log has them.
pub(super) fn rows_after(logged: &Logged, number: u32, seq: u64) -> Result<Batch, LogError> {
    let mut batch = Batch::new();
    for (id, row) in changed_after(&*logged.log, number, seq, u64::MAX)?.0 {
        let key = codec::record_key(number, id.as_str());
        match row {
            Some(row) => batch.put(logged.rows, key, row),
            None => batch.remove(logged.rows, key),
        }
    }
    Ok(batch)
}

/// What became of items.
type Changed = BTreeMap<Id, Option<Vec<u8>>>;

/// The rows of items that changed after a number, `None` for one that is gone, and the number of the last change among them; it
/// ends early with the frame in which it has seen as many changes as `most`.
pub(super) fn changed_after(log: &dyn ChangeLog, number: u32, seq: u64, most: u64) -> Result<(Changed, u64), LogError> {
    let (mut rows, mut last) = (Changed::new(), seq);
    for frame in log.tail(number, seq + 1) {
        let frame = frame?;
        last = frame.next_seq() - 1;
        let Frame { first_seq, entry, .. } = frame;
        let Entry::Changes(steps) = entry else { continue }; // loads end one after the other
        for (step, seq) in steps.into_iter().zip(first_seq..) {
            match step.change {
                Change::Put(item) => rows.insert(item.id.clone(), Some(codec::write_row(&item, seq))),
                Change::Remove(id) | Change::Expire { id, .. } => rows.insert(id, None),
            };
        }
        if last - seq >= most {
            break;
        }
    }
    Ok((rows, last))
}

/// Ends a load that was under way when the process ended: its rows are put into the store from its files.
pub(super) fn resume(
    logged: &Logged,
    folder: &Path,
    number: u32,
    collection: &Collection,
    adopted: &BTreeMap<u64, Adopted>,
) -> Result<(), OpenError> {
    let Some(pending) = catalogue::pending(&*logged.store, number)? else { return Ok(()) };
    let load = pending.load();
    let segments = open_segments(collection, folder, pending.first_seq, &load)?;
    let rows = Merged { segments, folder: folder.to_owned() };
    let all_new = Adopted { created: load.items, replaced: 0 };
    let adopted = adopted.get(&pending.first_seq).copied().unwrap_or(all_new);
    let loaded = Loaded::of(&load, pending.first_seq + load.items - 1, adopted);
    end(logged, number, &Unsettled { pending, rows, loaded })
}

/// Puts the rows of a load into the store, and ends it.
pub(super) fn end(logged: &Logged, number: u32, unsettled: &Unsettled) -> Result<(), OpenError> {
    let Unsettled { pending, rows, loaded } = unsettled;
    unless_damaged(|| rows.ingest(&*logged.store, logged.rows, number)).map_err(FileError::from)??;
    let batch = settling(logged, number, pending, loaded)?;
    Ok(logged.log.append(&[], batch, crate::log::Sync::Now)?)
}

impl Hosted {
    /// The load whose rows are not all in the store yet.
    pub(super) fn unsettled(&self) -> std::sync::MutexGuard<'_, Option<Unsettled>> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a load under this name is in the log and not yet remembered.
    pub(super) fn is_loading(&self, key: &RequestKey) -> bool {
        self.unsettled().as_ref().is_some_and(|load| load.pending.key.as_deref() == Some(key.as_str()))
    }

    /// Puts the rows of a load that is under way into the store now, for somebody who needs them whole.
    pub(super) fn complete_rows(&self, logged: &Logged) -> Result<(), OpenError> {
        let Some(unsettled) = self.unsettled().clone() else { return Ok(()) };
        unless_damaged(|| unsettled.rows.ingest(&*logged.store, logged.rows, self.number))
            .map_err(FileError::from)??;
        let batch = rows_after(logged, self.number, unsettled.loaded.seq)?;
        Ok(logged.log.append(&[], batch, crate::log::Sync::Now)?)
    }
}
