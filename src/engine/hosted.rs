//! A collection in its place: its number on disk, its settings, and those who wait for it to move on.
//!
//! What surprises: the collection can be exchanged for another while readers use it. That is how one whose file turned out
//! damaged is made anew from the store, and how its index kinds change.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use super::bulk::Loaded;
use super::catalogue::{CollectionSettings, Pending};
use super::rows::Merged;
use super::{CollectionName, EngineError};
use crate::collection::{Change, Collection, Outcome, Snapshot};
use crate::index::Damaged;

/// A collection with its name and number.
#[derive(Debug)]
pub(super) struct Hosted {
    pub(super) number: u32,
    pub(super) name: CollectionName,
    pub(super) settings: ArcSwap<CollectionSettings>,
    collection: ArcSwap<Collection>,
    /// Who is to be woken when it moves on and has no thread that waits, by their numbers.
    waiting: Mutex<BTreeMap<u64, Waker>>,
    moved: Condvar,
    /// Whether it was dropped.
    pub(super) is_gone: AtomicBool,
    /// Those who follow it are numbered, so that one who asks twice is woken once.
    pub(super) followers: AtomicU64,
    /// Loads that are writing files, which nobody may take for unused.
    pub(super) loads: AtomicUsize,
    /// The last change of the last load. A checkpoint from before it does not know the files that a start would need.
    pub(super) last_load: AtomicU64,
    pub(super) load: Mutex<Option<Unsettled>>,
    /// The last change in a named checkpoint.
    pub(super) saved: AtomicU64,
    /// The oldest change that the log is known to keep.
    pub(super) oldest: AtomicU64,
}

/// A load that is in the log and shown, and of which not all rows are in the store yet.
#[derive(Debug, Clone)]
pub(super) struct Unsettled {
    pub(super) pending: Pending,
    pub(super) rows: Merged,
    pub(super) loaded: Loaded,
}

impl Hosted {
    pub(super) fn new(
        number: u32,
        name: CollectionName,
        settings: CollectionSettings,
        collection: Collection,
    ) -> Hosted {
        Hosted {
            number,
            name,
            settings: ArcSwap::from_pointee(settings),
            collection: ArcSwap::from_pointee(collection),
            waiting: Mutex::default(),
            moved: Condvar::new(),
            is_gone: AtomicBool::new(false),
            followers: AtomicU64::new(0),
            loads: AtomicUsize::new(0),
            last_load: AtomicU64::new(0),
            load: Mutex::new(None),
            saved: AtomicU64::new(0),
            oldest: AtomicU64::new(1),
        }
    }

    pub(super) fn collection(&self) -> Arc<Collection> {
        self.collection.load_full()
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.collection.load().snapshot()
    }

    /// Puts another collection in the place of this one.
    pub(super) fn exchange(&self, collection: Collection) {
        self.collection.store(Arc::new(collection));
        self.tell();
    }

    /// Applies changes that are in the log, and shows them.
    pub(super) fn apply(&self, first_seq: u64, changes: Vec<Change>) -> Vec<Outcome> {
        let outcomes = self.collection.load().apply(first_seq, changes);
        self.tell();
        outcomes
    }

    /// Wakes those who wait for it to move on.
    pub(super) fn tell(&self) {
        // Taken for a moment, so that nobody looks before and waits after.
        let wakers = std::mem::take(&mut *self.waiting());
        self.moved.notify_all();
        wakers.into_values().for_each(Waker::wake);
    }

    /// Has somebody woken by the next [`tell`](Hosted::tell), once. Who looks after that misses nothing.
    pub(super) fn wake_with(&self, follower: u64, waker: &Waker) {
        self.waiting().insert(follower, waker.clone());
    }

    /// Wakes somebody no more.
    pub(super) fn forget(&self, follower: u64) {
        self.waiting().remove(&follower);
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<u64, Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, but no longer than `patience`, until something holds that can only begin to hold before a [`tell`](Hosted::tell);
    /// whether it does.
    pub(super) fn wait_until(&self, patience: Duration, holds: impl Fn() -> bool) -> bool {
        let until = Instant::now().checked_add(patience);
        let mut waiting = self.waiting();
        loop {
            if holds() {
                return true;
            }
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
            waiting = self.moved.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The collection once it has made the change with a number.
    pub(super) fn snapshot_from(&self, seq: u64, patience: Duration) -> Result<Arc<Snapshot>, EngineError> {
        self.wait_until(patience, || self.snapshot().seq() >= seq);
        let snapshot = self.snapshot();
        if snapshot.seq() >= seq {
            return Ok(snapshot);
        }
        Err(EngineError::Behind { asked: seq, seq: snapshot.seq() })
    }
}

/// Runs what reads mapped files. What is damaged there is noticed at the first touch, deep inside a search, and comes out here.
pub(super) fn unless_damaged<T>(read: impl FnOnce() -> T) -> Result<T, Damaged> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|panic| match panic.downcast::<Damaged>() {
        Ok(damaged) => *damaged,
        Err(panic) => resume_unwind(panic),
    })
}
