//! The changes of a collection, one after the other, for somebody who follows them at a pace of their own.
//!
//! ```text
//! next ─▶ read the log from where the last piece ended, as far as it is shown ─▶ events
//! moved ─▶ woken when there is more
//! ```
//!
//! What surprises: there is no queue. A follower is a number, and pulls what comes after it from the log, so one that is slow
//! or gone for a day costs no memory, holds up nobody and misses nothing. Only when the log has forgotten what it asks for, it is
//! told so, with the number from which it can go on.
//!
//! Where changes may be lost in a power cut ([`Durability::Interval`](super::Durability::Interval)), a follower may have heard of one that is.

use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use thiserror::Error;

use super::hosted::Hosted;
use super::{CollectionName, Engine, EngineError};
use crate::collection::{Change, Id, Item};
use crate::log::{ChangeLog, Entry, LogError, Step, Was};

/// Bytes of items in one piece, beyond which it ends early.
const PIECE_BYTES: usize = 1 << 20;

/// Why changes cannot be followed, or not any more.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The log does not go back that far any more.
    #[error(
        "the changes after {since} are not all kept any more; read the collection anew, or resume from {oldest} or later"
    )]
    Trimmed {
        /// The number that was asked for.
        since: u64,
        /// The least number after which everything is kept.
        oldest: u64,
    },
    /// A number that no change has yet.
    #[error("there is no change {since} yet; the collection is at {head}")]
    Ahead {
        /// The number that was asked for.
        since: u64,
        /// Where the collection is.
        head: u64,
    },
    /// The collection was dropped. Another of its name is another.
    #[error("the collection {name} was dropped")]
    Dropped {
        /// Its name.
        name: CollectionName,
    },
    /// The engine, or the collection that was asked for.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The log cannot be read.
    #[error("the log cannot be read: {reason}")]
    Log {
        /// What failed.
        reason: String,
    },
}

/// A change as a follower hears of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeEvent {
    /// Its number, after which to resume.
    pub seq: u64,
    /// What it did.
    pub what: Happened,
}

/// What a change did.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// An item was put.
    Put {
        /// The item as it is now.
        item: Item,
        /// Where it was before.
        was: Was,
    },
    /// An item was removed, if it was there.
    Removed {
        /// Which.
        id: Id,
        /// Where it was before.
        was: Was,
    },
    /// An item came to its end.
    Expired {
        /// Which.
        id: Id,
        /// Where it was before.
        was: Was,
    },
    /// Many items were loaded at once, up to this number. They are not told one by one: who needs them asks for them.
    Loaded {
        /// The number of the first.
        first_seq: u64,
        /// How many.
        items: u64,
    },
}

/// The log as followers read it: open, or why it is not.
#[derive(Debug)]
pub(super) struct Feed(RwLock<Result<Arc<dyn ChangeLog>, EngineError>>);

impl Feed {
    pub(super) fn new(log: Arc<dyn ChangeLog>) -> Feed {
        Feed(RwLock::new(Ok(log)))
    }

    pub(super) fn open(&self, log: Arc<dyn ChangeLog>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Ok(log);
    }

    /// Lets go of the log, once nobody is reading it. Pieces are small, so that is soon.
    pub(super) fn close(&self, why: EngineError) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Err(why);
    }

    fn is_open(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_ok()
    }

    fn read<T>(&self, read: impl FnOnce(&dyn ChangeLog) -> Result<T, LogError>) -> Result<T, FollowError> {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            Ok(log) => read(&**log).map_err(FollowError::from),
            Err(why) => Err(why.clone().into()),
        }
    }
}

impl From<LogError> for FollowError {
    fn from(error: LogError) -> FollowError {
        match error {
            LogError::Trimmed { asked, oldest, .. } => FollowError::Trimmed { since: asked - 1, oldest: oldest - 1 },
            other => FollowError::Log { reason: other.to_string() },
        }
    }
}

/// Somebody who follows a collection. Dropped it leaves nothing behind; whoever knows its number goes on where it was.
///
/// ```
/// use nigh::collection::{Change, Id, Item};
/// use nigh::engine::{CollectionName, Engine, Happened};
/// use nigh::geometry::Point;
/// use nigh::log::Was;
///
/// let engine = Engine::new();
/// let vans: CollectionName = "vans".parse()?;
/// let here = Point::new(48.854, 2.333)?;
/// engine.submit(&vans, Change::Put(Item::new(Id::new("7")?, here)))?;
/// let mut follower = engine.follow(&vans, 1)?;
/// engine.submit(&vans, Change::Remove(Id::new("7")?))?;
/// let events = follower.next(100)?;
/// assert_eq!(events[0].what, Happened::Removed { id: Id::new("7")?, was: Was::At(here) });
/// assert_eq!((events.len(), follower.seq()), (1, 2));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Follower {
    feed: Arc<Feed>,
    hosted: Arc<Hosted>,
    number: u64,
    seq: u64,
}

impl Engine {
    /// Follows a collection from after a number: that of the last change one knows of, 0 for all.
    pub fn follow(&self, name: &CollectionName, since: u64) -> Result<Follower, FollowError> {
        let follower = self.follower(name, since)?;
        follower.check()?;
        Ok(follower)
    }

    pub(super) fn follower(&self, name: &CollectionName, since: u64) -> Result<Follower, FollowError> {
        let (feed, hosted) = (self.shared.feed.clone(), self.hosted(name)?);
        let number = hosted.followers.fetch_add(1, Ordering::Relaxed);
        Ok(Follower { feed, hosted, number, seq: since })
    }
}

impl Follower {
    /// The number of the last change that was handed out; following from there hands out what comes after.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// How many changes there are to hand out now.
    pub fn behind(&self) -> u64 {
        self.hosted.snapshot().seq().saturating_sub(self.seq)
    }

    /// Goes on from another number.
    pub(super) fn go_to(&mut self, seq: u64) {
        self.seq = seq;
    }

    pub(super) fn hosted(&self) -> &Hosted {
        &self.hosted
    }

    /// The next changes, at most `most`, fewer where they are large; none when there are none yet.
    ///
    /// After an error the follower is where it was. [`EngineError::DiskFull`] passes, the others do not.
    pub fn next(&mut self, most: usize) -> Result<Vec<ChangeEvent>, FollowError> {
        self.is_there()?;
        // What is in the log and not shown yet is not told: who hears of it may ask for it at once.
        let shown = self.hosted.snapshot().seq();
        let (stream, seq) = (self.hosted.number, self.seq);
        let events = match self.feed.read(|log| piece(log, stream, seq, shown, most.max(1))) {
            Ok(events) => events,
            // While a dropped collection is swept out, its log looks as if it were trimmed, or worse.
            Err(error) => return Err(self.is_there().err().unwrap_or(error)),
        };
        self.seq = events.last().map_or(self.seq, |last| last.seq);
        Ok(events)
    }

    /// Ready when [`next`](Follower::next) has something to hand out or to refuse. Otherwise the task is woken by the next change.
    pub fn poll_moved(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.has_moved() {
            return Poll::Ready(());
        }
        self.hosted.wake_with(self.number, context.waker());
        // Once more: what came before the waker stood there wakes nobody.
        if self.has_moved() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Waits until [`next`](Follower::next) has something to hand out or to refuse. It needs no certain runtime, and may be dropped.
    pub async fn moved(&self) {
        poll_fn(|context| self.poll_moved(context)).await;
    }

    /// The same for a thread, no longer than `patience`; whether there is something.
    pub fn wait(&self, patience: Duration) -> bool {
        self.hosted.wait_until(patience, || self.has_moved())
    }

    fn has_moved(&self) -> bool {
        self.hosted.snapshot().seq() > self.seq || self.hosted.is_gone.load(Ordering::SeqCst) || !self.feed.is_open()
    }

    pub(super) fn is_there(&self) -> Result<(), FollowError> {
        match self.hosted.is_gone.load(Ordering::SeqCst) {
            true => Err(FollowError::Dropped { name: self.hosted.name.clone() }),
            false => Ok(()),
        }
    }

    /// Whether there are changes after its number, or will be.
    pub(super) fn check(&self) -> Result<(), FollowError> {
        let (stream, since, head) = (self.hosted.number, self.seq, self.hosted.snapshot().seq());
        if since > head {
            return Err(FollowError::Ahead { since, head });
        }
        self.feed.read(|log| log.tail(stream, since + 1).next().transpose().map(drop))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.hosted.forget(self.number);
    }
}

/// The changes of a log after a number, as far as another and at most `most`. The log may repeat itself and end early.
fn piece(log: &dyn ChangeLog, stream: u32, after: u64, until: u64, most: usize) -> Result<Vec<ChangeEvent>, LogError> {
    let (mut events, mut last, mut bytes) = (Vec::new(), after, 0);
    if until <= after {
        return Ok(events);
    }
    for frame in log.tail(stream, after + 1) {
        let frame = frame?;
        let (first_seq, next_seq) = (frame.first_seq, frame.next_seq());
        match frame.entry {
            Entry::Load(load) if next_seq - 1 > last && next_seq - 1 <= until => {
                last = next_seq - 1;
                events.push(ChangeEvent { seq: last, what: Happened::Loaded { first_seq, items: load.items } });
            }
            Entry::Load(_) => {}
            Entry::Changes(steps) => {
                let new = steps.into_iter().zip(first_seq..).filter(|(_, seq)| *seq > last && *seq <= until);
                for (step, seq) in new.take(most - events.len()) {
                    bytes += bytes_of(&step);
                    events.push(ChangeEvent { seq, what: happened(step) });
                }
                last = events.last().map_or(last, |event| event.seq);
            }
        }
        if events.len() >= most || bytes >= PIECE_BYTES || next_seq > until {
            break;
        }
    }
    Ok(events)
}

fn bytes_of(step: &Step) -> usize {
    match &step.change {
        Change::Put(item) => item.properties.as_json().len(),
        Change::Remove(_) | Change::Expire { .. } => 0,
    }
}

fn happened(Step { change, was }: Step) -> Happened {
    match change {
        Change::Put(item) => Happened::Put { item, was },
        Change::Remove(id) => Happened::Removed { id, was },
        Change::Expire { id, .. } => Happened::Expired { id, was },
    }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
