//! A fence over a collection: who is inside, then who comes, goes and moves within.
//!
//! ```text
//! no number    reset ─▶ inside, one for each item that is ─▶ current at N ─▶ what the log has after N
//! a number     what the log has after it
//! a load, or a place that nobody wrote down: reset, and so on from there
//! ```
//!
//! What surprises: nobody keeps a list of who is inside. The log says of every item where it was before, so what a change
//! means to a fence follows from the change alone, on whichever connection it is told.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::follow::{ChangeEvent, FollowError, Follower, Happened};
use super::hosted::unless_damaged;
use super::{CollectionName, Engine, EngineError};
use crate::collection::{Id, Item, ItemRef, Properties, Snapshot};
use crate::geometry::Point;
use crate::log::Was;
use crate::query::{Budget, Crossing, Cursor, Fence, Limit, Query};

/// The most items that are read from a snapshot at once.
const PAGE_MAX: usize = 10_000;

/// What a watcher tells.
#[derive(Debug, Clone, PartialEq)]
pub struct FenceEvent {
    /// The number from which to resume for somebody who heard this and nothing after it. `None` while the first list of those inside is
    /// not at its end: that is begun anew.
    pub resume: Option<u64>,
    /// What there is to tell.
    pub what: Sighting,
}

/// What is seen at a fence.
#[derive(Debug, Clone, PartialEq)]
pub enum Sighting {
    /// Forget who is inside: a list of those who are follows, as [`Sighting::Inside`], up to [`Sighting::Current`].
    Reset,
    /// The list is at its end; what follows are changes.
    Current,
    /// An item came in.
    Enter(Item),
    /// An item is inside: it is on the list, or was put again, elsewhere inside or at the same place.
    Inside(Item),
    /// An item is inside no more.
    Exit {
        /// Which.
        id: Id,
        /// The item, unless it is gone altogether.
        item: Option<Item>,
    },
}

/// Somebody who watches a fence.
///
/// What it lists is read from one moment of the collection, which is kept as long as the list takes; what it tells afterwards is read
/// from the log and costs nothing.
#[derive(Debug)]
pub struct Watcher {
    follower: Follower,
    fence: Fence,
    listing: Option<Listing>,
}

/// A list of those who are inside, under way.
#[derive(Debug)]
struct Listing {
    /// From where to resume until it is at its end.
    resume: Option<u64>,
    /// `None` before it has begun.
    begun: Option<(Arc<Snapshot>, Option<Cursor>)>,
}

impl Listing {
    fn from(resume: Option<u64>) -> Listing {
        Listing { resume, begun: None }
    }
}

impl Engine {
    /// Watches a fence: from after the change with a number, or from now on with a list of those who are inside.
    pub fn watch(&self, name: &CollectionName, fence: Fence, since: Option<u64>) -> Result<Watcher, FollowError> {
        let follower = self.follower(name, since.unwrap_or(0))?;
        if since.is_some() {
            follower.check()?;
        }
        let listing = since.is_none().then(|| Listing::from(None));
        Ok(Watcher { follower, fence, listing })
    }
}

impl Watcher {
    /// From where to resume for somebody who heard everything so far, also where nothing concerned them.
    pub fn resume(&self) -> Option<u64> {
        match &self.listing {
            Some(listing) => listing.resume,
            None => Some(self.follower.seq()),
        }
    }

    /// Whether the list is not at its end.
    pub fn is_listing(&self) -> bool {
        self.listing.is_some()
    }

    /// How many changes there are to look at now; more than can be, while the list is not at its end.
    pub fn behind(&self) -> u64 {
        if self.listing.is_some() { u64::MAX } else { self.follower.behind() }
    }

    /// What there is to tell next, from at most `most` items or changes. Where none of them concerned the fence there is nothing to
    /// tell and yet there may be more: [`moved`](Watcher::moved) knows.
    ///
    /// Reading the list may meet a damaged file and panic with [`Damaged`](crate::index::Damaged), so it is to be called within
    /// [`Engine::healing`]; the list is then begun anew. Errors are those of [`Follower::next`].
    pub fn next(&mut self, most: usize) -> Result<Vec<FenceEvent>, FollowError> {
        self.next_within(most, &Budget::unlimited())
    }

    /// The same within a budget, which only a part of the list costs anything; over it there is
    /// [`QueryError::OverBudget`](crate::query::QueryError::OverBudget), and the list is to be begun anew.
    pub fn next_within(&mut self, most: usize, budget: &Budget<'_>) -> Result<Vec<FenceEvent>, FollowError> {
        if self.listing.is_some() {
            self.follower.is_there()?;
            return self.list(most.clamp(1, PAGE_MAX), budget);
        }
        let mut events = Vec::new();
        let mut before = self.follower.seq();
        for ChangeEvent { seq, what } in self.follower.next(most)? {
            match self.seen(what) {
                Ok(seen) => events.extend(seen.map(|what| FenceEvent { resume: Some(seq), what })),
                Err(Unknown) => {
                    // The list is of a moment after this change, and after those behind it in the piece.
                    self.follower.go_to(before);
                    self.listing = Some(Listing::from(Some(before)));
                    break;
                }
            }
            before = seq;
        }
        Ok(events)
    }

    /// The next part of the list.
    fn list(&mut self, most: usize, budget: &Budget<'_>) -> Result<Vec<FenceEvent>, FollowError> {
        let Some(listing) = &mut self.listing else { return Ok(Vec::new()) };
        let (resume, mut events) = (listing.resume, Vec::new());
        let (snapshot, cursor) = match listing.begun.take() {
            Some(begun) => begun,
            None => {
                events.push(FenceEvent { resume, what: Sighting::Reset });
                (self.follower.hosted().snapshot(), None)
            }
        };
        let limit = Limit::new(most).expect("it was clamped to what a page may hold");
        let page = self.fence.query().clone().in_pages_of(limit);
        let page = cursor.into_iter().fold(page, Query::after);
        // A damaged file leaves the list as one that has not begun, for the next try.
        let answer = unless_damaged(|| {
            let answer = page.run_within(&snapshot, budget)?;
            events.extend(answer.hits().map(|hit| FenceEvent { resume, what: Sighting::Inside(owned(&hit.item)) }));
            Ok::<_, crate::query::QueryError>(answer)
        });
        let answer = answer.unwrap_or_else(|damaged| resume_unwind(Box::new(damaged))).map_err(EngineError::from)?;
        match answer.next {
            Some(next) => listing.begun = Some((snapshot, Some(next))),
            None => {
                self.listing = None;
                self.follower.go_to(snapshot.seq());
                events.push(FenceEvent { resume: Some(snapshot.seq()), what: Sighting::Current });
            }
        }
        Ok(events)
    }

    /// What a change means to the fence.
    fn seen(&self, what: Happened) -> Result<Option<Sighting>, Unknown> {
        Ok(match what {
            Happened::Loaded { .. } => return Err(Unknown),
            Happened::Put { item, was } => {
                self.fence.crossing(place(was)?, Some(item.point)).map(|crossing| match crossing {
                    Crossing::Enter => Sighting::Enter(item),
                    Crossing::Inside => Sighting::Inside(item),
                    Crossing::Exit => Sighting::Exit { id: item.id.clone(), item: Some(item) },
                })
            }
            Happened::Removed { id, was } | Happened::Expired { id, was } => {
                self.fence.crossing(place(was)?, None).map(|_| Sighting::Exit { id, item: None })
            }
        })
    }

    /// Ready when [`next`](Watcher::next) has something to look at or to refuse. Otherwise the task is woken by the next change.
    pub fn poll_moved(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.listing.is_some() { Poll::Ready(()) } else { self.follower.poll_moved(context) }
    }

    /// Waits until [`next`](Watcher::next) has something to look at or to refuse.
    pub async fn moved(&self) {
        if self.listing.is_none() {
            self.follower.moved().await;
        }
    }

    /// The same for a thread, no longer than `patience`; whether there is something.
    pub fn wait(&self, patience: Duration) -> bool {
        self.listing.is_some() || self.follower.wait(patience)
    }
}

/// Where an item was is not known.
struct Unknown;

fn place(was: Was) -> Result<Option<Point>, Unknown> {
    match was {
        Was::Unknown => Err(Unknown),
        Was::Nowhere => Ok(None),
        Was::At(point) => Ok(Some(point)),
    }
}

fn owned(item: &ItemRef<'_>) -> Item {
    Item {
        id: Id::new(item.id()).expect("stored ids are valid"),
        point: item.point(),
        properties: Properties::checked_before(item.properties()).expect("stored properties are valid"),
        expires_at_ms: item.expires_at_ms(),
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
