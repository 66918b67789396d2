//! What a user can ask for, however the question arrives: named collections, changes to them, questions about them.
//!
//! What surprises: readers pass no lock on the way to a collection. The list of collections is itself a snapshot, made anew
//! when a collection is; only writers to the same collection wait for each other, so that its numbers grow without gaps.
//!
//! Absent here: text formats, sockets, and, for now, disks. A change is visible when it is accepted, and gone with the process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use thiserror::Error;

mod name;

pub use name::CollectionName;

use crate::collection::{Change, Collection, Outcome, Snapshot};
use crate::query::{Answer, Comparison, Query, QueryError};

/// Why the engine cannot do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A text that is no name of a collection.
    #[error(
        "collection name {name:?} cannot be used; names are 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit"
    )]
    Name {
        /// The text as given.
        name: String,
    },
    /// A collection that does not exist.
    #[error("there is no collection {name}; {}", there_are(known))]
    NoCollection {
        /// The name as given.
        name: CollectionName,
        /// The names that would be right.
        known: Vec<CollectionName>,
    },
    /// A query that cannot be answered.
    #[error(transparent)]
    Query(#[from] QueryError),
}

fn there_are(known: &[CollectionName]) -> String {
    match known {
        [] => "there are none yet".to_owned(),
        _ => format!("there are {}", known.iter().map(CollectionName::as_str).collect::<Vec<_>>().join(", ")),
    }
}

/// What became of changes that were submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// What each change did, in order.
    pub outcomes: Vec<Outcome>,
    /// The sequence number of the collection after the last of them.
    pub seq: u64,
}

/// Named collections, in memory.
///
/// ```
/// use nigh::collection::{Change, Id, Item};
/// use nigh::engine::{CollectionName, Engine};
/// use nigh::geometry::Point;
/// use nigh::query::Query;
///
/// let engine = Engine::new();
/// let cafes: CollectionName = "cafes".parse().unwrap();
/// let here = Point::new(48.854, 2.333).unwrap();
/// let put = Change::Put(Item::new(Id::new("deux-magots").unwrap(), here));
/// assert_eq!(engine.submit(&cafes, vec![put]).seq, 1);
/// assert_eq!(engine.ask(&cafes, &Query::near(here)).unwrap().matched, 1);
/// ```
#[derive(Debug, Default)]
pub struct Engine {
    hosted: ArcSwap<BTreeMap<CollectionName, Arc<Hosted>>>,
    creating: Mutex<()>,
}

/// A collection and the right to number its changes.
#[derive(Debug, Default)]
struct Hosted {
    collection: Collection,
    numbering: Mutex<()>,
}

impl Engine {
    /// An engine without collections.
    pub fn new() -> Engine {
        Engine::default()
    }

    /// Numbers the changes, applies them all at once, and says what they did. The first write makes the collection.
    pub fn submit(&self, name: &CollectionName, changes: Vec<Change>) -> Submitted {
        let hosted = self.found_or_made(name);
        let numbering = hosted.numbering.lock().unwrap_or_else(PoisonError::into_inner);
        let before = hosted.collection.snapshot().seq();
        let seq = before + changes.len() as u64;
        let outcomes = hosted.collection.apply(before + 1, changes);
        drop(numbering);
        Submitted { outcomes, seq }
    }

    /// The names of the collections, in order.
    pub fn names(&self) -> Vec<CollectionName> {
        self.hosted.load().keys().cloned().collect()
    }

    /// A collection as it is now.
    pub fn snapshot(&self, name: &CollectionName) -> Result<Arc<Snapshot>, EngineError> {
        match self.hosted.load().get(name) {
            Some(hosted) => Ok(hosted.collection.snapshot()),
            None => Err(EngineError::NoCollection { name: name.clone(), known: self.names() }),
        }
    }

    /// Answers a query from a collection as it is now.
    pub fn ask(&self, name: &CollectionName, query: &Query) -> Result<Answer, EngineError> {
        Ok(query.run(&self.snapshot(name)?)?)
    }

    /// Answers a query on every index kind, all from one moment.
    pub fn compare(&self, name: &CollectionName, query: &Query) -> Result<Vec<Comparison>, EngineError> {
        Ok(query.compare(&self.snapshot(name)?)?)
    }

    fn found_or_made(&self, name: &CollectionName) -> Arc<Hosted> {
        if let Some(hosted) = self.hosted.load().get(name) {
            return hosted.clone();
        }
        let _creating = self.creating.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hosted = BTreeMap::clone(&self.hosted.load());
        let made = hosted.entry(name.clone()).or_default().clone();
        self.hosted.store(Arc::new(hosted));
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::{Id, Item};
    use crate::geometry::Point;

    fn name(text: &str) -> CollectionName {
        text.parse().unwrap()
    }

    fn put(id: &str) -> Change {
        Change::Put(Item::new(Id::new(id).unwrap(), Point::new(1.0, 2.0).unwrap()))
    }

    #[test]
    fn changes_are_numbered_by_collection_without_gaps() {
        let engine = Engine::new();
        assert_eq!(
            engine.submit(&name("a"), vec![put("x"), put("y")]),
            Submitted { outcomes: vec![Outcome::Created; 2], seq: 2 }
        );
        assert_eq!(engine.submit(&name("b"), vec![put("x")]).seq, 1);
        assert_eq!(engine.submit(&name("a"), vec![]).seq, 2);
        let last = engine.submit(&name("a"), vec![put("x"), Change::Remove(Id::new("z").unwrap())]);
        assert_eq!(last, Submitted { outcomes: vec![Outcome::Replaced, Outcome::Absent], seq: 4 });
        assert_eq!(engine.snapshot(&name("a")).unwrap().seq(), 4);
    }

    #[test]
    fn a_collection_that_is_not_there_is_named_with_those_that_are() {
        let engine = Engine::new();
        assert!(engine.snapshot(&name("a")).unwrap_err().to_string().ends_with("there are none yet"));
        engine.submit(&name("b"), vec![]);
        engine.submit(&name("a"), vec![]);
        let message = engine.snapshot(&name("c")).unwrap_err().to_string();
        assert_eq!(message, "there is no collection c; there are a, b");
    }

    #[test]
    fn writers_from_many_threads_lose_no_number_and_no_collection() {
        let engine = Engine::new();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let engine = &engine;
                scope.spawn(move || {
                    for turn in 0..50 {
                        engine.submit(&name("shared"), vec![put(&format!("{thread}-{turn}"))]);
                        engine.submit(&name(&format!("own-{thread}-{}", turn % 5)), vec![put("x")]);
                    }
                });
            }
        });
        let shared = engine.snapshot(&name("shared")).unwrap();
        assert_eq!((shared.seq(), shared.len()), (200, 200));
        assert_eq!(engine.names().len(), 21);
    }
}
