//! What a user can ask for, however the question arrives: named collections, changes to them, questions about them.
//!
//! ```text
//! submit ─▶ queue ─▶ the one thread that writes: decide, append to the log, apply, answer
//! ask    ─▶ a snapshot: no lock, no queue, nobody to wait for
//! open   ─▶ map the segments, replay the log from where they end
//! ```
//!
//! What surprises: readers pass no lock on the way to a collection. The list of collections is itself a snapshot, made anew
//! when a collection is. All writers share one thread, and that makes them quicker: they share its fsync.
//!
//! Absent here: text formats and sockets.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;

mod backup;
mod backup_rows;
mod bulk;
mod catalogue;
mod commit;
mod draft;
mod edit;
mod error;
mod files;
mod filling;
mod follow;
mod health;
mod hosted;
mod inventory;
mod keeper;
mod load;
mod migrate;
mod name;
mod questions;
mod recover;
mod removal;
mod repair;
mod restore;
mod rows;
mod runs;
mod salvage;
mod schema;
mod settings;
mod sums;
mod unborn;
mod upkeep;
mod verify;
mod watch;
mod write;

pub use backup::{Backup, BackupError};
pub use bulk::{Bulk, Loaded, checksum_of};
pub use catalogue::CollectionSettings;
pub use error::EngineError;
pub use files::Refused;
pub use follow::{ChangeEvent, FollowError, Follower, Happened};
pub use health::Health;
pub use inventory::CollectionBackup;
#[doc(hidden)]
pub use migrate::{Convert, Migrated, Migration};
pub use name::CollectionName;
pub use recover::{OpenError, Started};
pub use removal::Removed;
pub use repair::{Repaired, repair};
pub use restore::{Restored, restore};
pub use settings::{Durability, Settings};
pub use sums::Sum;
pub use verify::{Verified, VerifiedCollection, verify};
pub use watch::{FenceEvent, Sighting, Watcher};
pub use write::{Condition, RequestKey, Submission, Submitted, Write};

use crate::collection::Snapshot;
use crate::geometry::Metric;
use crate::log::{Home, MemoryStore, Store};
use crate::query::{Answer, Budget, Comparison, Query};
use commit::{Committer, Task};
use hosted::{Hosted, unless_damaged};

/// The most submissions that may wait, whatever the settings say: the room for them is taken at once.
const QUEUE_MAX: usize = 1 << 20;

/// How often a damaged file is met in one question before it is given up.
const HEALS_MAX: usize = 8;

/// Named collections, in a directory or in memory.
///
/// ```
/// use nigh::collection::{Change, Id, Item};
/// use nigh::engine::{CollectionName, Engine};
/// use nigh::geometry::Point;
/// use nigh::query::Query;
///
/// let engine = Engine::new();
/// let cafes: CollectionName = "cafes".parse()?;
/// let here = Point::new(48.854, 2.333)?;
/// let put = Change::Put(Item::new(Id::new("deux-magots")?, here));
/// assert_eq!(engine.submit(&cafes, put)?.seq, 1);
/// assert_eq!(engine.ask(&cafes, &Query::near(here))?.matched, 1);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    shared: Arc<Shared>,
    queue: SyncSender<Task>,
    threads: Mutex<Threads>,
    /// Held by the one load whose rows go into the store.
    loading: Mutex<()>,
}

#[derive(Debug)]
struct Threads {
    committer: Option<JoinHandle<()>>,
    keeper: Option<keeper::Keeper>,
}

/// What all threads of an engine see.
#[derive(Debug)]
struct Shared {
    hosted: ArcSwap<BTreeMap<CollectionName, Arc<Hosted>>>,
    health: ArcSwap<Health>,
    settings: Settings,
    /// Where it all is on disk; `None` for an engine in memory.
    home: Option<Home>,
    started: Started,
    /// Held from the first file of a checkpoint until it is recorded, so that no other takes the files for unused. Never asked for
    /// by the thread that writes.
    saving: Mutex<()>,
    /// The log, for those who follow it.
    feed: Arc<follow::Feed>,
}

impl Shared {
    fn saving(&self) -> MutexGuard<'_, ()> {
        self.saving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn health(&self) -> Health {
        Health::clone(&self.health.load())
    }

    /// Changes how the engine is. What stopped stays stopped, until it is opened again.
    fn set_health(&self, health: Health) {
        if let Health::ReadOnly { reason } = &health {
            tracing::error!(reason, "nothing is written any more");
        }
        self.health.store(Arc::new(health));
    }

    /// Makes the folder for the segment files of a collection.
    fn make_folder(&self, number: u32) {
        let Some(home) = &self.home else { return };
        if let Err(error) = home.segments_folder(number) {
            // Checkpoints and loads will say so again; the rows are in the store.
            tracing::warn!(collection = number, %error, "the folder for segments cannot be made");
        }
    }

    /// Whether the disk has room for a group of changes and what follows from it.
    fn has_room(&self) -> bool {
        let Some(home) = &self.home else { return true };
        // A system that does not tell is found out by a write that fails.
        rustix::fs::statvfs(home.root())
            .map_or(true, |disk| disk.f_bavail * disk.f_frsize >= self.settings.reserve_bytes)
    }
}

/// A collection at one moment.
#[derive(Debug, Clone)]
pub struct View {
    /// Its number; one that is made later under the same name has another.
    pub number: u32,
    /// What metres mean in it when a question does not say.
    pub metric: &'static dyn Metric,
    /// Its items.
    pub snapshot: Arc<Snapshot>,
}

impl Default for Engine {
    fn default() -> Engine {
        Engine::new()
    }
}

impl Engine {
    /// An engine without collections, in memory: what it takes is gone with it.
    pub fn new() -> Engine {
        Engine::over(Arc::new(MemoryStore::lasting()), Settings::default()).expect("an empty store in memory is sound")
    }

    /// Opens a data directory, which is made if it is not there, and everything in it.
    ///
    /// On return every change that was ever accepted is there to be asked about.
    pub fn open(path: &Path, settings: Settings) -> Result<Engine, OpenError> {
        recover::open(path, settings).map(Engine::start)
    }

    /// An engine over a store of the caller's, without a directory for segment files: they stay in memory, and a start makes them from
    /// the log or the rows. For tests, and for embedding another store.
    pub fn over(store: Arc<dyn Store>, settings: Settings) -> Result<Engine, OpenError> {
        recover::over(store, settings).map(Engine::start)
    }

    fn start(committer: Committer) -> Engine {
        let shared = committer.shared.clone();
        let (queue, tasks) = sync_channel(shared.settings.queue.clamp(1, QUEUE_MAX));
        let thread = std::thread::Builder::new().name("nigh-commit".to_owned());
        let writing = thread.spawn(move || committer.run(&tasks)).expect("a thread can be started for writing");
        let keeper = keeper::Keeper::start(shared.clone(), queue.clone());
        let threads = Mutex::new(Threads { committer: Some(writing), keeper: Some(keeper) });
        Engine { shared, queue, threads, loading: Mutex::new(()) }
    }

    /// Makes changes, all or none, and says what they did. The first write makes the collection.
    ///
    /// On return they are as durable as the [`Settings`] say and visible to everybody. Waits while the queue is full.
    pub fn submit(&self, name: &CollectionName, submission: impl Into<Submission>) -> Result<Submitted, EngineError> {
        let (sender, answer) = sync_channel(1);
        let then = Box::new(move |made| drop(sender.send(made)));
        self.shared.health().writable()?;
        self.queue.send(Task::Submit(name.clone(), submission.into(), then)).map_err(|_| EngineError::Closed)?;
        answer.recv().unwrap_or_else(|_| Err(self.unanswered()))
    }

    /// The same without waiting: `then` is called when it is done, on the thread that writes, so it must be quick, and
    /// must not wait for another change: there is nobody else to make it. Refuses with [`EngineError::Busy`] while the queue is full.
    pub fn submit_then(
        &self,
        name: &CollectionName,
        submission: impl Into<Submission>,
        then: impl FnOnce(Result<Submitted, EngineError>) + Send + 'static,
    ) -> Result<(), EngineError> {
        self.do_in_turn(Task::Submit(name.clone(), submission.into(), Box::new(then)))
    }

    /// Hands something to the thread that writes, without waiting for room.
    fn do_in_turn(&self, task: Task) -> Result<(), EngineError> {
        self.shared.health().writable()?;
        self.queue.try_send(task).map_err(|error| match error {
            TrySendError::Full(_) => EngineError::Busy,
            TrySendError::Disconnected(_) => EngineError::Closed,
        })
    }

    /// What to say when the thread that writes let go of a submission without an answer.
    fn unanswered(&self) -> EngineError {
        self.shared.health().writable().err().unwrap_or(EngineError::Closed)
    }

    /// Has something done by the thread that writes, between two groups.
    fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Committer) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let (sender, answer) = sync_channel(1);
        let work = Box::new(move |committer: &mut Committer| drop(sender.send(work(committer))));
        self.queue.send(Task::Do(work)).map_err(|_| EngineError::Closed)?;
        answer.recv().unwrap_or_else(|_| Err(self.unanswered()))
    }

    /// How the engine is.
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// What opening the directory took.
    pub fn started(&self) -> &Started {
        &self.shared.started
    }

    /// The names of the collections, in order.
    pub fn names(&self) -> Vec<CollectionName> {
        self.shared.hosted.load().keys().cloned().collect()
    }

    fn hosted(&self, name: &CollectionName) -> Result<Arc<Hosted>, EngineError> {
        self.shared.hosted.load().get(name).cloned().ok_or_else(|| self.no_collection(name))
    }

    fn no_collection(&self, name: &CollectionName) -> EngineError {
        EngineError::NoCollection { name: name.clone(), known: self.names() }
    }

    /// A collection as it is now.
    ///
    /// What is read of it may meet a damaged file and panic with [`Damaged`](crate::index::Damaged);
    /// [`reading`](Engine::reading) heals and reads again.
    pub fn snapshot(&self, name: &CollectionName) -> Result<Arc<Snapshot>, EngineError> {
        Ok(self.hosted(name)?.snapshot())
    }

    /// A collection as it is now, with what a question has to know of it, found at one look.
    pub fn view(&self, name: &CollectionName) -> Result<View, EngineError> {
        let all = self.shared.hosted.load();
        let Some(hosted) = all.get(name) else { return Err(self.no_collection(name)) };
        Ok(View { number: hosted.number, metric: hosted.settings.load().metric, snapshot: hosted.snapshot() })
    }

    /// A collection once it has made the change with a number; waits for it, but no longer than `patience`.
    pub fn snapshot_from(
        &self,
        name: &CollectionName,
        seq: u64,
        patience: Duration,
    ) -> Result<Arc<Snapshot>, EngineError> {
        self.hosted(name)?.snapshot_from(seq, patience)
    }

    /// Reads a collection as it is now. Where a segment file turns out damaged, the collection is made anew from the store, and
    /// `read` is called again.
    pub fn reading<T>(
        &self,
        name: &CollectionName,
        mut read: impl FnMut(&Arc<Snapshot>) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let hosted = self.hosted(name)?;
        self.healing(|| read(&hosted.snapshot()))?
    }

    /// Does what may touch mapped files of any collection. Where one turns out damaged, its collection is made anew from the
    /// store, and `read` is called again, so it has to take its snapshots anew as well.
    pub fn healing<T>(&self, mut read: impl FnMut() -> T) -> Result<T, EngineError> {
        let mut heals = 0;
        loop {
            let damaged = match unless_damaged(&mut read) {
                Ok(answer) => return Ok(answer),
                Err(damaged) => damaged,
            };
            heals += 1;
            if heals > HEALS_MAX {
                return Err(EngineError::ReadOnly { reason: damaged.to_string() });
            }
            self.in_turn(move |committer| committer.heal(&damaged.file))?;
        }
    }

    /// Answers a query from a collection as it is now.
    pub fn ask(&self, name: &CollectionName, query: &Query) -> Result<Answer, EngineError> {
        self.ask_within(name, query, &Budget::unlimited())
    }

    /// [`Engine::ask`] within a budget of work: the same answer, or none.
    pub fn ask_within(&self, name: &CollectionName, query: &Query, budget: &Budget<'_>) -> Result<Answer, EngineError> {
        self.reading(name, |snapshot| Ok(query.run_within(snapshot, budget)?))
    }

    /// Answers a query on every index kind, all from one moment.
    pub fn compare(&self, name: &CollectionName, query: &Query) -> Result<Vec<Comparison>, EngineError> {
        self.compare_within(name, query, &Budget::unlimited())
    }

    /// [`Engine::compare`] within a budget of work for all kinds together.
    pub fn compare_within(
        &self,
        name: &CollectionName,
        query: &Query,
        budget: &Budget<'_>,
    ) -> Result<Vec<Comparison>, EngineError> {
        self.reading(name, |snapshot| Ok(query.compare_within(snapshot, budget)?))
    }

    /// Makes a collection with settings of its own, or changes the settings of one that is there.
    pub fn configure(&self, name: &CollectionName, settings: CollectionSettings) -> Result<(), EngineError> {
        let name = name.clone();
        self.in_turn(move |committer| committer.configure(&name, settings))
    }

    /// The settings of a collection.
    pub fn settings_of(&self, name: &CollectionName) -> Result<CollectionSettings, EngineError> {
        Ok(CollectionSettings::clone(&self.hosted(name)?.settings.load()))
    }

    /// What metres mean in a collection when a question does not say.
    pub fn metric_of(&self, name: &CollectionName) -> Result<&'static dyn Metric, EngineError> {
        Ok(self.hosted(name)?.settings.load().metric)
    }

    /// The number under which a collection is kept; one that is made later under the same name has another.
    pub fn number_of(&self, name: &CollectionName) -> Result<u32, EngineError> {
        Ok(self.hosted(name)?.number)
    }

    /// Drops a collection and all in it.
    pub fn drop_collection(&self, name: &CollectionName) -> Result<(), EngineError> {
        let name = name.clone();
        self.in_turn(move |committer| committer.drop_collection(&name))
    }

    /// Writes checkpoints of all collections now, so that a start from here replays nothing. Changes go on meanwhile. One that fails
    /// costs the next start time, no data.
    pub fn checkpoint(&self) -> Result<(), EngineError> {
        let Some(home) = &self.shared.home else { return Ok(()) };
        for hosted in self.shared.hosted.load_full().values() {
            let (_saving, folder) = (self.shared.saving(), home.segments_path(hosted.number));
            let written = self.healing(|| {
                let collection = hosted.collection();
                collection.checkpoint(&folder).map(|checkpoint| (collection, checkpoint))
            });
            match written? {
                Ok((collection, checkpoint)) => {
                    let hosted = hosted.clone();
                    self.in_turn(move |committer| committer.record(&hosted, &collection, &checkpoint))?;
                }
                Err(error) => tracing::warn!(collection = %hosted.name, %error, "a checkpoint failed"),
            }
        }
        Ok(())
    }

    /// Takes no more changes, finishes those that wait, and writes checkpoints, so that the next start replays nothing.
    pub fn close(&self) -> Result<(), EngineError> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if threads.committer.is_none() {
            return Ok(());
        }
        if let Some(keeper) = threads.keeper.take() {
            keeper.stop();
        }
        let closed = self.in_turn(Committer::close);
        self.stop(&mut threads);
        closed
    }

    fn stop(&self, threads: &mut Threads) {
        if let Some(keeper) = threads.keeper.take() {
            keeper.stop();
        }
        let _ = self.queue.send(Task::Stop); // nobody to tell: it has stopped already
        if let Some(committer) = threads.committer.take() {
            let _ = committer.join(); // what it panicked with is told by the health
        }
    }
}

impl Drop for Engine {
    /// Finishes what waits. Without [`close`](Engine::close) before, the next start replays what came after the last checkpoint.
    fn drop(&mut self) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let own = std::thread::current().id();
        if threads.committer.as_ref().is_some_and(|committer| committer.thread().id() == own) {
            // A callback let go of the last handle, on the thread that would be waited for. It ends by itself once nobody can
            // hand in anything more.
            (threads.committer, threads.keeper) = (None, None);
            return;
        }
        self.stop(&mut threads);
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
