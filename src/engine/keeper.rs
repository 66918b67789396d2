//! What has to be done without anybody asking: ends of life, checkpoints, old requests, full disks.
//!
//! What surprises: the clock is read here and nowhere below. What is due becomes a change like any other, numbered and in the
//! log, so that a replay years later does the same.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::commit::{Committer, Task, now_ms};
use super::hosted::{Hosted, unless_damaged};
use super::{EngineError, Health, Shared};
use crate::collection::FileError;

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(200);

/// How often it looks for requests to forget.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// Ends of life that are told at once.
const DUE_MAX: usize = 1000;

/// Changes that may be forgotten before it is worth the trouble.
const TRIM_FROM: u64 = 1000;

/// The thread that keeps an engine in order.
#[derive(Debug)]
pub(super) struct Keeper {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Keeper {
    pub(super) fn start(shared: Arc<Shared>, queue: SyncSender<Task>) -> Keeper {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("nigh-keeper".to_owned());
        let thread = thread
            .spawn(move || Rounds { shared, queue, forgot: Instant::now(), told: RefCell::default() }.run(&stopped));
        Keeper { stop, thread: thread.expect("a thread can be started for keeping order") }
    }

    pub(super) fn stop(self) {
        drop(self.stop);
        let _ = self.thread.join(); // if it panicked, there is nothing left of it to stop
    }
}

struct Rounds {
    shared: Arc<Shared>,
    queue: SyncSender<Task>,
    forgot: Instant,
    /// Damaged files that were spoken of.
    told: RefCell<HashSet<PathBuf>>,
}

impl Rounds {
    fn run(mut self, stopped: &Receiver<()>) {
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(PAUSE) {
            if self.shared.health() == Health::DiskFull && self.shared.has_room() {
                self.in_turn(Committer::reopen);
            }
            if self.shared.health() == Health::Ready {
                self.each(Rounds::expire);
                self.each(Rounds::checkpoint_if_due);
                self.each(Rounds::trim_if_due);
                self.forget_answers();
                self.in_turn(Committer::sweep);
            }
            // Files that are proven already are passed over, so this reads those of the start and each new one, once.
            if self.shared.home.is_some() {
                self.each(Rounds::scrub);
            }
        }
    }

    fn each(&self, work: impl Fn(&Rounds, &Arc<Hosted>)) {
        self.shared.hosted.load_full().values().for_each(|hosted| work(self, hosted));
    }

    /// Has something done by the thread that writes, and waits for it.
    fn in_turn(&self, work: impl FnOnce(&mut Committer) -> Result<(), EngineError> + Send + 'static) {
        let (sender, done) = sync_channel::<()>(1);
        let work = Box::new(move |committer: &mut Committer| {
            if let Err(error) = work(committer) {
                tracing::warn!(%error, "upkeep was put off");
            }
            drop(sender);
        });
        if self.queue.send(Task::Do(work)).is_ok() {
            let _ = done.recv(); // either way it is over
        }
    }

    /// Has the ends of life that are due made.
    fn expire(&self, hosted: &Arc<Hosted>) {
        let due = match unless_damaged(|| hosted.collection().due(now_ms(), DUE_MAX)) {
            Ok(due) => due,
            Err(damaged) => return self.heal(damaged.file),
        };
        if !due.is_empty() {
            let hosted = hosted.clone();
            self.in_turn(move |committer| {
                committer.expire(&hosted, due);
                Ok(())
            });
        }
    }

    fn checkpoint_if_due(&self, hosted: &Arc<Hosted>) {
        // A checkpoint that was written and not recorded, because a load was under way, counts for nothing.
        let unrecorded = hosted.snapshot().seq().saturating_sub(hosted.saved.load(Ordering::Relaxed));
        let unsaved = hosted.collection().unsaved();
        let (bytes, changes) = (unsaved.bytes, unsaved.changes.max(unrecorded));
        let settings = &self.shared.settings;
        if hosted.unsettled().is_some() || bytes < settings.checkpoint_bytes && changes < settings.checkpoint_changes {
            return;
        }
        let Some(home) = &self.shared.home else { return };
        let _saving = self.shared.saving();
        let collection = hosted.collection();
        match unless_damaged(|| collection.checkpoint(&home.segments_path(hosted.number))) {
            Ok(Ok(checkpoint)) => {
                let hosted = hosted.clone();
                self.in_turn(move |committer| committer.record(&hosted, &collection, &checkpoint));
            }
            // Nothing is lost by it: the store has it all, and there will be another round.
            Ok(Err(error)) => tracing::warn!(collection = %hosted.name, %error, "a checkpoint was put off"),
            Err(damaged) => self.heal(damaged.file),
        }
    }

    /// Forgets changes that are in a checkpoint and that followers need no more. In memory there is nothing to start from.
    fn trim_if_due(&self, hosted: &Arc<Hosted>) {
        let seq = hosted.snapshot().seq();
        let saved = if self.shared.home.is_some() { hosted.saved.load(Ordering::Relaxed) } else { seq };
        let before = (saved + 1).min(seq.saturating_sub(self.shared.settings.keep_changes));
        if before > hosted.oldest.load(Ordering::Relaxed) + TRIM_FROM {
            let hosted = hosted.clone();
            self.in_turn(move |committer| committer.trim(&hosted, before));
        }
    }

    fn scrub(&self, hosted: &Arc<Hosted>) {
        let Err(error) = hosted.collection().scrub() else { return };
        let FileError::Damaged { path, .. } = &error else { return };
        // What could not be healed is told once, and again after the next start.
        if self.told.borrow_mut().insert(path.clone()) {
            tracing::warn!(collection = %hosted.name, %error, "a segment file is damaged");
            self.heal(path.clone());
        }
    }

    fn heal(&self, file: PathBuf) {
        self.in_turn(move |committer| committer.heal(&file));
    }

    fn forget_answers(&mut self) {
        if self.forgot.elapsed() >= FORGET_EVERY {
            self.forgot = Instant::now();
            self.in_turn(|committer| committer.forget_answers(now_ms()));
        }
    }
}
