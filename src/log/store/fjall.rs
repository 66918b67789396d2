//! The store on a disk: fjall, a log-structured merge tree, used so that its sharp edges stay covered.
//!
//! What surprises: memtables are rotated here, not by the engine. Left alone, every commit on a full memtable queues one more
//! request for its only worker; when the queue is full and the worker itself wants to queue the flush, it waits for itself, and
//! the journal grows for ever. And writers wait here for flushes, because the engine's own wait does not end when the flush
//! failed.
//!
//! Why the settings are what they are:
//!
//! - *one worker*: two would let a memtable be flushed whose journal is not on disk yet, and one of them spins while the other
//!   compacts;
//! - *no compression in the journal*: its checksums are taken over what the compressor made of the bytes, so that another release
//!   of the compressor would not read it;
//! - *no `clear`, no separated values*: neither survives every crash in this version.
//!
//! **Ingestion and commits.** An ingestion is given its number in the engine's order when it ends. A commit that returned before
//! is older than its rows, whatever the time at which the ingestion began; a commit after it is newer.

use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ::fjall::config::FilterPolicy;
use ::fjall::{
    AbstractTree, CompressionType, Database, Error, Keyspace, KeyspaceCreateOptions, PersistMode, Readable, Snapshot,
};

use super::failure::{what_failed, what_failed_in, words};
use super::{Batch, Moment, Row, Rows, RowsInOrder, Space, Store, StoreError, Sync, check_order, check_row, soundness};

/// A memtable larger than this is written to a table.
const MEMTABLE_BYTES: u64 = 16 << 20;

/// All journals together; the least that the engine takes. It bounds the time of replay.
const JOURNALS_BYTES: u64 = 64 << 20;

/// Memtables of one keyspace that may wait for the worker, and runs of tables that may wait for compaction, before writers wait.
/// Below the 4 and 20 at which the engine would wait by itself.
const WAITING_MEMTABLES: usize = 2;
const WAITING_RUNS: usize = 16;

/// What can be chosen about a store on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Memory for blocks of tables that were read. More helps when rows are read one by one from disk; answers are not.
    pub block_cache_bytes: u64,
    /// Tables that are kept open, at least 10. The default lets a process with a limit of 64 open files start; more helps where
    /// hundreds of tables are read at random.
    pub open_tables: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { block_cache_bytes: 8 << 20, open_tables: 24 }
    }
}

/// A [`Store`] in a directory.
///
/// ```
/// use nigh::log::{Batch, FjallStore, Settings, Space, Store, Sync};
///
/// let folder = std::env::temp_dir().join(format!("nigh-example-{}", std::process::id()));
/// let store = FjallStore::create(&folder, &Settings::default())?;
/// let mut batch = Batch::new();
/// batch.put(Space::Meta, *b"greeting", *b"hello");
/// store.commit(batch, Sync::Now)?;
/// drop(store);
///
/// let store = FjallStore::open(&folder, &Settings::default())?;
/// assert_eq!(store.get(Space::Meta, b"greeting")?, Some(b"hello".to_vec()));
/// # drop(store);
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<_, nigh::log::StoreError>(())
/// ```
pub struct FjallStore {
    database: Database,
    /// In the order of [`Space::ALL`].
    keyspaces: [Keyspace; Space::ALL.len()],
    path: PathBuf,
    /// Held while anything is written, so that an ingestion ends between commits.
    writing: Mutex<()>,
    stopped: AtomicBool,
}

impl fmt::Debug for FjallStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FjallStore").field("path", &self.path).field("stopped", &self.stopped).finish_non_exhaustive()
    }
}

impl FjallStore {
    /// Makes a new store in a directory that is empty or absent. A kill in the middle leaves what can never be opened: make it
    /// under another name and rename it, as [`Home`](crate::log::Home) does.
    pub fn create(path: &Path, settings: &Settings) -> Result<FjallStore, StoreError> {
        if path.join("version").exists() {
            let reason = format!("there is a store in {} already", path.display());
            return Err(StoreError::Io { doing: "making the store", reason });
        }
        let store = FjallStore::start(path, settings)?;
        store.sync()?;
        Ok(store)
    }

    /// Opens the store in a directory.
    ///
    /// Damage that makes the engine panic comes back as [`StoreError::Damaged`] as well, though the panic is still reported by
    /// the process's hook.
    pub fn open(path: &Path, settings: &Settings) -> Result<FjallStore, StoreError> {
        soundness::check(path)?;
        FjallStore::start(path, settings)
    }

    fn start(path: &Path, settings: &Settings) -> Result<FjallStore, StoreError> {
        let database = Database::builder(path)
            .worker_threads(1)
            .cache_size(settings.block_cache_bytes)
            .max_cached_files(Some(settings.open_tables.max(10)))
            .max_journaling_size(JOURNALS_BYTES)
            .journal_compression(CompressionType::None);
        let started = catch_unwind(AssertUnwindSafe(|| {
            let database = database.open()?;
            let [records, shadow, changes, meta] =
                Space::ALL.map(|space| database.keyspace(space.name(), || options(space)));
            Ok::<_, Error>((database, [records?, shadow?, changes?, meta?]))
        }));
        let (database, keyspaces) = match started {
            Ok(opened) => opened.map_err(|error| what_failed("opening the store", error))?,
            Err(panic) => return Err(StoreError::Damaged { what: format!("opening it failed: {}", words(&*panic)) }),
        };
        Ok(FjallStore {
            database,
            keyspaces,
            path: path.to_owned(),
            writing: Mutex::default(),
            stopped: AtomicBool::new(false),
        })
    }

    fn keyspace(&self, space: Space) -> &Keyspace {
        &self.keyspaces[space as usize]
    }

    /// Runs a write unless one has failed before, and lets none come after one that fails.
    fn write(&self, doing: &'static str, work: impl FnOnce() -> Result<(), Error>) -> Result<(), StoreError> {
        // A panic of a writer leaves an unknown state as well.
        let Ok(_writing) = self.writing.lock() else { return Err(StoreError::Stopped) };
        if self.stopped.load(Ordering::Relaxed) {
            return Err(StoreError::Stopped);
        }
        work().map_err(|error| {
            self.stopped.store(true, Ordering::Relaxed);
            what_failed(doing, error)
        })
    }

    /// Waits until the worker has caught up with a keyspace, or has failed.
    fn wait_for_worker(&self, keyspace: &Keyspace) -> Result<(), Error> {
        while keyspace.sealed_memtable_count() > WAITING_MEMTABLES || keyspace.tree.l0_run_count() > WAITING_RUNS {
            thread::sleep(Duration::from_millis(1));
            // Writes nothing by itself; it fails when the worker did.
            self.database.persist(PersistMode::Buffer)?;
        }
        Ok(())
    }

    fn commit_batch(&self, batch: Batch, sync: Sync) -> Result<(), Error> {
        let mut touched = [false; Space::ALL.len()];
        let mut writes = self.database.batch().durability(Some(match sync {
            Sync::Now => PersistMode::SyncData,
            Sync::Later => PersistMode::Buffer,
        }));
        for write in batch.writes {
            touched[write.space as usize] = true;
            match write.value {
                Some(value) => writes.insert(self.keyspace(write.space), write.key, value),
                None => writes.remove(self.keyspace(write.space), write.key),
            }
        }
        let touched = || self.keyspaces.iter().zip(touched).filter(|(_, touched)| *touched);
        touched().try_for_each(|(keyspace, _)| self.wait_for_worker(keyspace))?;
        writes.commit()?;
        let full = touched().filter(|(keyspace, _)| keyspace.tree.active_memtable().size() > MEMTABLE_BYTES);
        full.for_each(|(keyspace, _)| self.rotate(keyspace));
        Ok(())
    }

    /// Hands the memtable to the worker. The commit before it stands, whatever happens here, so that only later writes hear of it.
    fn rotate(&self, keyspace: &Keyspace) {
        if keyspace.rotate_memtable().is_err() {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }
}

fn options(space: Space) -> KeyspaceCreateOptions {
    // Rotation is ours, see above.
    let options = KeyspaceCreateOptions::default().max_memtable_size(u64::MAX);
    match space {
        // A filter says sooner that a key is not there. Rows are looked up one by one where segments are damaged, and nowhere else; filters
        // took a fortieth of the time of a load.
        Space::Records | Space::Shadow => options.filter_policy(FilterPolicy::disabled()),
        Space::Changes | Space::Meta => options,
    }
}

impl Store for FjallStore {
    fn commit(&self, batch: Batch, sync: Sync) -> Result<(), StoreError> {
        batch.check()?;
        if batch.is_empty() && sync == Sync::Now {
            return self.sync();
        }
        self.write("writing the journal", || self.commit_batch(batch, sync))
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.write("syncing the journal", || self.database.persist(PersistMode::SyncData))
    }

    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.database.snapshot().get(self.keyspace(space), key);
        Ok(found.map_err(|error| what_failed_in(space, error))?.map(|value| value.to_vec()))
    }

    fn scan(&self, space: Space, keys: Range<&[u8]>) -> Rows<'_> {
        rows(&self.database.snapshot(), self.keyspace(space), space, keys)
    }

    fn moment(&self) -> Box<dyn Moment> {
        Box::new(FjallMoment { snapshot: self.database.snapshot(), keyspaces: self.keyspaces.clone() })
    }

    fn last(&self, space: Space, keys: Range<&[u8]>) -> Result<Option<Row>, StoreError> {
        if keys.is_empty() {
            return Ok(None);
        }
        let mut rows = self.database.snapshot().range(self.keyspace(space), keys);
        rows.next_back().map(|row| read(space, row)).transpose()
    }

    /// Tables and their list are synced before they are shown. Rows that are refused half-way leave tables that nobody names; the
    /// next opening removes them.
    fn ingest(&self, space: Space, rows: &mut (dyn RowsInOrder + Send)) -> Result<(), StoreError> {
        const DOING: &str = "ingesting rows";
        self.write(DOING, || Ok(()))?;
        let stop = |error| {
            self.stopped.store(true, Ordering::Relaxed);
            what_failed(DOING, error)
        };
        let mut ingestion = self.keyspace(space).start_ingestion().map_err(stop)?;
        let (mut last, mut key, mut value) = (Vec::new(), Vec::new(), Vec::new());
        while rows.next_row(&mut key, &mut value)? {
            check_row(space, &key, &value)?;
            check_order(space, &last, &key)?;
            ingestion.write(&key[..], &value[..]).map_err(stop)?;
            std::mem::swap(&mut last, &mut key);
        }
        self.write(DOING, || {
            self.wait_for_worker(self.keyspace(space))?;
            // It flushes the memtable. Tables must not hold a part of a batch whose other parts are not in the journal on disk.
            self.database.persist(PersistMode::SyncData)?;
            ingestion.finish()
        })
    }

    /// What the files occupy; the journal's is reserved in advance but only counted where it is written.
    fn bytes(&self) -> u64 {
        occupied(&self.path)
    }
}

/// A snapshot with the tables it is of: it outlives the store, and so does the lock on the directory.
struct FjallMoment {
    snapshot: Snapshot,
    /// In the order of [`Space::ALL`].
    keyspaces: [Keyspace; Space::ALL.len()],
}

impl fmt::Debug for FjallMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FjallMoment").finish_non_exhaustive()
    }
}

impl Moment for FjallMoment {
    fn scan(&self, space: Space, keys: Range<&[u8]>) -> Rows<'_> {
        rows(&self.snapshot, &self.keyspaces[space as usize], space, keys)
    }
}

/// The rows of a snapshot, up to the first that cannot be read.
fn rows(snapshot: &Snapshot, keyspace: &Keyspace, space: Space, keys: Range<&[u8]>) -> Rows<'static> {
    if keys.is_empty() {
        return Box::new(std::iter::empty());
    }
    let mut rows = snapshot.range(keyspace, keys);
    let mut failed = false;
    Box::new(std::iter::from_fn(move || {
        let row = rows.next().filter(|_| !failed)?;
        let row = read(space, row);
        failed = row.is_err();
        Some(row)
    }))
}

fn read(space: Space, row: ::fjall::Guard) -> Result<Row, StoreError> {
    let (key, value) = row.into_inner().map_err(|error| what_failed_in(space, error))?;
    Ok((key.to_vec(), value.to_vec()))
}

/// What the files below a directory occupy, as far as it can be read.
fn occupied(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => occupied(&entry.path()),
            Ok(metadata) => size_on_disk(&metadata),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(unix)]
fn size_on_disk(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(metadata) * 512
}

#[cfg(not(unix))]
fn size_on_disk(metadata: &std::fs::Metadata) -> u64 {
    metadata.len()
}
