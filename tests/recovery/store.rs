//! The store that durability is built on, driven directly: what it leaves behind at every stop.
//!
//! Batch n puts row n into `rows`, moves one of 37 things in `things`, takes one away every fifth time, and says n in `last`:
//! one batch over three keyspaces, as a change of a collection is. Memtables are flushed every few batches, so
//! that tables and compactions come and go within some hundred; journals too, if a rule makes them seem long.
//!
//! What surprises: the store has three ways not to come back, and [`open_plainly`] shows them: cut short in its first making it
//! does not open; a keyspace is lost where its folder's name was not synced; and a hole in the last, unfinished batch keeps all
//! of it closed. [`open_carefully`] guards against the three, and then every stop passes.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::program::Note;
use super::promises::{Ledger, hold};

pub(crate) struct Store {
    database: Database,
    rows: Keyspace,
    things: Keyspace,
    last: Keyspace,
}

fn open_at(path: &Path) -> fjall::Result<Store> {
    let database = Database::builder(path).worker_threads(1).open()?;
    let keyspace = |name| database.keyspace(name, KeyspaceCreateOptions::default);
    let (rows, things, last) = (keyspace("rows")?, keyspace("things")?, keyspace("last")?);
    Ok(Store { database, rows, things, last })
}

pub(crate) fn open_plainly(root: &Path) -> fjall::Result<Store> {
    let store = open_at(&root.join("store"))?;
    File::open(root)?.sync_all()?;
    Ok(store)
}

/// A store gets its name when it is whole, with every folder in it synced: the store itself leaves out `keyspaces` after it
/// made a keyspace there.
pub(crate) fn open_carefully(root: &Path) -> fjall::Result<Store> {
    let (store, new) = (root.join("store"), root.join("store.new"));
    if !store.exists() {
        if new.exists() {
            fs::remove_dir_all(&new)?;
        }
        drop(open_at(&new)?);
        sync_folders(&new)?;
        fs::rename(&new, &store)?;
        File::open(root)?.sync_all()?;
    }
    match open_at(&store) {
        Err(fjall::Error::JournalRecovery(_)) => {
            break_last_batch(&store)?;
            open_at(&store)
        }
        answer => answer,
    }
}

/// Cuts the last byte that is not zero off the newest journal, so that its last batch counts as unfinished.
///
/// A power cut in the sync of a batch can leave a hole in it and its end. The store sees a wrong checksum and refuses to
/// open, rather than leave out a batch that nobody was told of. Every batch is synced before the next is written, so at most
/// the last one can be such. Whoever does this for real keeps a copy, and knows by other means that what was acknowledged
/// is still there afterwards: a wrong bit in an acknowledged batch looks the same from here.
fn break_last_batch(store: &Path) -> io::Result<()> {
    let journals = fs::read_dir(store)?.filter_map(|entry| Some(entry.ok()?.path()));
    let number = |path: &Path| path.file_name()?.to_str()?.strip_suffix(".jnl")?.parse::<u64>().ok();
    let Some((_, newest)) = journals.filter_map(|path| Some((number(&path)?, path))).max() else { return Ok(()) };
    let end = fs::read(&newest)?.iter().rposition(|byte| *byte != 0).unwrap_or(0);
    let file = OpenOptions::new().write(true).open(newest)?;
    file.set_len(end as u64)?;
    file.sync_all()
}

fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}

type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// The rows and things that are there after so many batches.
fn expected(last: u64) -> (Entries, Entries) {
    let (mut rows, mut things) = (BTreeMap::new(), BTreeMap::new());
    for number in 1..=last {
        rows.insert(key(number), payload(number));
        things.insert(key(number % 37), payload(number));
        if number % 5 == 0 {
            things.remove(&key(number % 31));
        }
    }
    (rows, things)
}

fn key(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

fn payload(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let bytes = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[7]
    });
    // Some are too large for one write into the journal.
    let length = if number % 25 == 7 { 30_000 } else { 100 + number % 7 * 40 };
    bytes.take(length as usize).collect()
}

impl Store {
    /// Goes on after the last batch that is there, up to this one.
    fn write(&self, until: u64) -> fjall::Result<()> {
        let mut ledger = Ledger::open();
        let last = self.read().expect("what was found passed the check");
        for number in last + 1..=until {
            ledger.accepted(number);
            let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
            batch.insert(&self.rows, key(number), payload(number));
            batch.insert(&self.things, key(number % 37), payload(number));
            if number % 5 == 0 {
                batch.remove(&self.things, key(number % 31));
            }
            batch.insert(&self.last, b"last".to_vec(), key(number));
            batch.commit()?;
            ledger.acknowledged(number);
            match number % 20 {
                0 => self.last.rotate_memtable_and_wait()?,
                5 | 15 => self.rows.rotate_memtable_and_wait()?,
                10 => self.things.rotate_memtable_and_wait()?,
                17 => self.rows.major_compact()?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The number of the last batch; all before it are there whole, or it is an error.
    fn read(&self) -> Result<u64, String> {
        let last = self.last.get(b"last").map_err(|error| format!("last: {error:?}"))?;
        let last = last.map_or(0, |bytes| u64::from_be_bytes(bytes.first_chunk().copied().unwrap_or_default()));
        let (rows, things) = expected(last);
        for (name, keyspace, expected) in [("rows", &self.rows, rows), ("things", &self.things, things)] {
            let mut found = BTreeMap::new();
            for entry in keyspace.iter() {
                let (key, value) = entry.into_inner().map_err(|error| format!("{name}: {error:?}"))?;
                found.insert(key.to_vec(), value.to_vec());
            }
            if found != expected {
                let (there, right) = (found.len(), expected.len());
                return Err(format!("{name} are not those after {last}: {there} where {right} are right"));
            }
        }
        Ok(last)
    }
}

/// The program: batches in a store that is opened for them and closed after.
pub(crate) fn write(root: &Path, open: fn(&Path) -> fjall::Result<Store>, until: u64) -> fjall::Result<()> {
    open(root)?.write(until)
}

pub(crate) fn check(root: &Path, notes: &[Note], open: fn(&Path) -> fjall::Result<Store>) -> Result<(), String> {
    let store = open(root).map_err(|error| format!("does not open: {error:?}"))?;
    hold(notes, store.read()?)
}
