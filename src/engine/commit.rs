//! The one thread that writes: it takes what waits, decides, makes it durable at once, shows it, and answers.
//!
//! ```text
//! queue ─▶ group ─▶ decide ─▶ log.append: one batch, one fsync ─▶ apply and publish ─▶ answer each
//!   ▲                                        │
//!   └──── what arrives meanwhile is the next group
//! ```
//!
//! What surprises: nobody tunes how large a group is. While the disk is busy others arrive, and they are the next group: alone, a
//! writer waits for one fsync; two hundred share one.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::draft::{Decision, Draft, Part, Refusal, Stream};
use super::hosted::{Hosted, unless_damaged};
use super::unborn::Unborn;
use super::{CollectionName, Durability, EngineError, Health, Shared, Submission, Submitted, rows};
use crate::collection::{Change, Outcome};
use crate::log::{Batch, ChangeLog, Entry, Frame, LogError, Space, Store, StoreError, Sync};

/// Submissions and changes in a group, at most: what a crash may find half done is bounded, and so is the wait of the first.
const GROUP_MAX: usize = 4096;
const CHANGES_MAX: usize = 50_000;

/// Who waits for an answer.
pub(super) type Then = Box<dyn FnOnce(Result<Submitted, EngineError>) + Send>;

/// Something for the thread that writes.
pub(super) enum Task {
    /// Changes to make.
    Submit(CollectionName, Submission, Then),
    /// Anything else that must not come between a look and a write.
    Do(Box<dyn FnOnce(&mut Committer) + Send>),
    /// Nothing more: what came before is done.
    Stop,
}

/// Where what was accepted goes.
pub(super) struct Logged {
    pub(super) log: Arc<dyn ChangeLog>,
    pub(super) store: Arc<dyn Store>,
    /// Where the rows are, to be read and written.
    pub(super) rows: Space,
    /// Held by the migration that fills the space beside, as long as it does.
    pub(super) migration: Weak<()>,
    /// How far the space beside is swept.
    pub(super) swept: Vec<u8>,
}

impl Logged {
    /// A log and its store, which says where the rows are.
    pub(super) fn new(log: Arc<dyn ChangeLog>, store: Arc<dyn Store>) -> Result<Logged, StoreError> {
        let rows = rows::place(&*store)?;
        Ok(Logged { log, store, rows, migration: Weak::new(), swept: Vec::new() })
    }

    /// Whether the space beside is being filled.
    pub(super) fn is_migrating(&self) -> bool {
        self.migration.strong_count() > 0
    }
}

/// What only the thread that writes holds.
pub(super) struct Committer {
    pub(super) shared: Arc<Shared>,
    /// `None` while the store is being opened again.
    pub(super) logged: Option<Logged>,
    pub(super) next_number: u32,
    /// Collections that loads are going to make.
    pub(super) unborn: Unborn,
    /// Collections that were dropped while something was loaded into them.
    pub(super) gone: Vec<Arc<Hosted>>,
    /// Since when there are commits that a power cut would lose.
    unsynced: Option<Instant>,
}

pub(super) type Waiting = (CollectionName, Submission, Then);

impl Committer {
    pub(super) fn new(shared: Arc<Shared>, logged: Logged, next_number: u32) -> Committer {
        Committer { shared, logged: Some(logged), next_number, unborn: Unborn::new(), gone: Vec::new(), unsynced: None }
    }

    /// Works until it is told to stop, or nobody is left who could tell.
    pub(super) fn run(mut self, queue: &Receiver<Task>) {
        let mut carried = None;
        while let Some(task) = carried.take().or_else(|| self.wait(queue)) {
            match task {
                Task::Stop => break,
                Task::Do(work) => self.guarded(|committer| work(committer)),
                Task::Submit(name, submission, then) => {
                    let mut changes = submission.writes.len();
                    let mut group = vec![(name, submission, then)];
                    while carried.is_none() && group.len() < GROUP_MAX && changes < CHANGES_MAX {
                        match queue.try_recv() {
                            Ok(Task::Submit(name, submission, then)) => {
                                changes += submission.writes.len();
                                group.push((name, submission, then));
                            }
                            Ok(other) => carried = Some(other),
                            Err(_) => break,
                        }
                    }
                    self.guarded(|committer| committer.commit(group));
                }
            }
            self.sync_if_due();
        }
        self.sync_now();
        self.end_feed();
    }

    /// The next task; meanwhile, what was promised to be durable by now is made so.
    fn wait(&mut self, queue: &Receiver<Task>) -> Option<Task> {
        loop {
            let Some(due) = self.sync_due() else { return queue.recv().ok() };
            match queue.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(task) => return Some(task),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.sync_now(),
            }
        }
    }

    fn sync_due(&self) -> Option<Instant> {
        match self.shared.settings.durability {
            Durability::Fsync => None,
            Durability::Interval(interval) => self.unsynced.and_then(|since| since.checked_add(interval)),
        }
    }

    fn sync_if_due(&mut self) {
        if self.sync_due().is_some_and(|due| due <= Instant::now()) {
            self.sync_now();
        }
    }

    pub(super) fn sync_now(&mut self) {
        let Some(logged) = self.logged.as_ref().filter(|_| self.unsynced.is_some()) else { return };
        match logged.log.sync() {
            Ok(()) => self.unsynced = None,
            Err(error) => self.stop_writing(&error),
        }
    }

    /// Runs work of which a mistake of ours must not take the other collections' readers with it.
    fn guarded(&mut self, work: impl FnOnce(&mut Committer)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            let reason = "the writer met a mistake of its own and stopped; a restart replays the log".to_owned();
            self.shared.set_health(Health::ReadOnly { reason });
        }
    }

    pub(super) fn stop_writing(&mut self, error: &LogError) {
        self.shared.set_health(Health::after(error));
        self.unsynced = None;
    }

    /// The store and its log, while changes are taken.
    pub(super) fn writable(&self) -> Result<&Logged, EngineError> {
        self.shared.health().writable()?;
        if !self.shared.has_room() {
            return Err(EngineError::DiskFull);
        }
        self.logged.as_ref().ok_or(EngineError::DiskFull)
    }

    /// Makes a group of submissions durable and visible, and answers each.
    pub(super) fn commit(&mut self, group: Vec<Waiting>) {
        let logged = match self.writable() {
            Ok(logged) => logged,
            Err(refusal) => return group.into_iter().for_each(|(_, _, then)| answer(then, Err(refusal.clone()))),
        };
        let hosted = self.shared.hosted.load_full();
        let mut draft = Draft::new(&*logged.store, logged.rows, now_ms(), self.next_number, &self.unborn);
        let (mut parts, mut next): (Vec<(Part, Then)>, Vec<Waiting>) = (Vec::new(), Vec::new());
        for (name, submission, then) in group {
            let there = hosted.get(&name).cloned();
            match draft.decide(name, there, submission) {
                Ok(Decision::Part(part)) => parts.push((part, then)),
                Ok(Decision::Repeated(before)) => answer(then, Ok(before)),
                Ok(Decision::Next(name, submission)) => next.push((name, submission, then)),
                Err(Refusal::Request(error)) => answer(then, Err(error)),
                Err(Refusal::Store(error)) => {
                    answer(then, Err(EngineError::ReadOnly { reason: error.to_string() }));
                }
            }
        }
        let (frames, rider, streams, next_number) = draft.finish();
        self.next_number = next_number;
        match self.append(&frames, rider) {
            Ok(()) => self.show(frames, streams, parts),
            Err(refusal) => parts.into_iter().for_each(|(_, then)| answer(then, Err(refusal.clone()))),
        }
        if !next.is_empty() {
            self.commit(next);
        }
    }

    /// Appends to the log as durably as the settings want. After an error nothing is written any more.
    pub(super) fn append(&mut self, frames: &[Frame], rider: Batch) -> Result<(), EngineError> {
        if frames.is_empty() && rider.is_empty() {
            return Ok(());
        }
        let sync = match self.shared.settings.durability {
            Durability::Fsync => Sync::Now,
            Durability::Interval(_) => Sync::Later,
        };
        let logged = self.logged.as_ref().ok_or(EngineError::DiskFull)?;
        if let Err(error) = logged.log.append(frames, rider, sync) {
            self.stop_writing(&error);
            return Err(self.shared.health().writable().expect_err("writing just stopped"));
        }
        if sync == Sync::Later {
            self.unsynced.get_or_insert_with(Instant::now);
        }
        Ok(())
    }

    /// Applies what is in the log now, and answers those who wait for it.
    fn show(&mut self, frames: Vec<Frame>, streams: Vec<Stream>, parts: Vec<(Part, Then)>) {
        self.host(streams.iter().filter(|stream| stream.is_new && stream.is_wanted).map(|stream| &stream.hosted));
        let mut made: BTreeMap<u32, (u64, Vec<Outcome>)> = BTreeMap::new();
        for frame in frames {
            let stream = streams.iter().find(|stream| stream.hosted.number == frame.stream);
            let hosted = &stream.expect("every frame has a stream").hosted;
            let Entry::Changes(steps) = frame.entry else { unreachable!("groups hold changes") };
            let changes = steps.into_iter().map(|step| step.change).collect();
            made.insert(frame.stream, (frame.first_seq, self.apply(hosted, frame.first_seq, changes)));
        }
        for (Part { stream, changes }, then) in parts {
            let Stream { hosted, first_seq, .. } = &streams[stream];
            let (seq, outcomes) = match made.get(&hosted.number) {
                Some((first_seq, outcomes)) => (first_seq + changes.end as u64 - 1, outcomes[changes].to_vec()),
                None => (first_seq - 1, Vec::new()),
            };
            answer(then, Ok(Submitted { outcomes, seq, number: hosted.number, repeated: false }));
        }
    }

    /// Adds collections to those there are.
    pub(super) fn host<'a>(&mut self, new: impl Iterator<Item = &'a Arc<Hosted>>) {
        let mut new = new.peekable();
        if new.peek().is_some() {
            let mut hosted = BTreeMap::clone(&self.shared.hosted.load());
            for new in new {
                self.shared.make_folder(new.number);
                self.unborn.remove(&new.name);
                hosted.insert(new.name.clone(), new.clone());
            }
            self.shared.hosted.store(Arc::new(hosted));
        }
    }

    /// Applies changes that are durable. Where a damaged file is in the way, the collection is made anew from the store, which
    /// holds the changes already; what each of them did is then told as far as that shows it.
    fn apply(&mut self, hosted: &Hosted, first_seq: u64, changes: Vec<Change>) -> Vec<Outcome> {
        let removals: Vec<bool> = changes.iter().map(|change| !matches!(change, Change::Put(_))).collect();
        unless_damaged(|| hosted.apply(first_seq, changes)).unwrap_or_else(|_| {
            // Where that fails too, nothing is written any more; these changes are in the log, and a start finds them.
            let _ = self.rebuild(hosted);
            removals.into_iter().map(|gone| if gone { Outcome::Removed } else { Outcome::Replaced }).collect()
        })
    }
}

/// Answers one who waits. A mistake of theirs is not ours, and hinders nobody else.
fn answer(then: Then, answer: Result<Submitted, EngineError>) {
    if catch_unwind(AssertUnwindSafe(|| then(answer))).is_err() {
        tracing::error!("what was to be called after a change panicked; the change stands");
    }
}

/// The wall clock. It stamps remembered requests and ends of life; it never decides an order.
pub(super) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or_else(|before| -(before.duration().as_millis() as i64), |after| after.as_millis() as i64)
}
