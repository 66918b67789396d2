//! Many items removed at once: those that a query matches.
//!
//! What surprises: every item is removed on the condition that it still is what matched. One that somebody moved away meanwhile
//! is looked at again, and stays if it no longer matches.

use super::{CollectionName, Condition, Engine, EngineError, Submission, View, Write};
use crate::collection::{Change, Id, Outcome};
use crate::query::{Limit, Query};

/// Items that are removed together. Writers in between wait for so many, not for all.
const TOGETHER: usize = 1000;

/// What a removal of many did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// How many items are gone by it.
    pub count: u64,
    /// The number of the last change; of the collection's last change when there was none.
    pub seq: u64,
    /// The number of the collection.
    pub number: u32,
}

impl Engine {
    /// Removes the items that a query matches, some at a time: who looks meanwhile may see a part of them gone. Its centre, order, page
    /// and cursor do not matter.
    pub fn remove_matching(&self, name: &CollectionName, query: &Query) -> Result<Removed, EngineError> {
        let limit = Limit::new(TOGETHER).expect("a page may be so large");
        let mut query = Query { near: None, limit, cursor: None, ..query.clone() };
        let View { number, snapshot, .. } = self.view(name)?;
        let mut removed = Removed { count: 0, seq: snapshot.seq(), number };
        drop(snapshot); // what is gone is not kept as long as the removal takes
        loop {
            let (writes, next) = self.reading(name, |snapshot| {
                let answer = query.run(snapshot)?;
                let writes = answer.hits().map(|hit| removal(hit.item.id(), hit.item.seq)).collect::<Vec<Write>>();
                Ok((writes, answer.next))
            })?;
            if !writes.is_empty() {
                self.remove_together(name, &query, writes, &mut removed)?;
            }
            let Some(cursor) = next else { return Ok(removed) };
            query.cursor = Some(cursor);
        }
    }

    /// Removes a page of items; one by one where somebody changes some of them at the same time.
    fn remove_together(
        &self,
        name: &CollectionName,
        query: &Query,
        writes: Vec<Write>,
        removed: &mut Removed,
    ) -> Result<(), EngineError> {
        let all = Submission { writes, ..Submission::default() };
        let writes = match self.submit(name, all.clone()) {
            Ok(submitted) => {
                removed.count +=
                    submitted.outcomes.iter().filter(|outcome| **outcome == Outcome::Removed).count() as u64;
                (removed.seq, removed.number) = (submitted.seq, submitted.number);
                return Ok(());
            }
            Err(EngineError::Condition { .. }) => all.writes,
            Err(error) => return Err(error),
        };
        for mut write in writes {
            loop {
                match self.submit(name, write.clone()) {
                    Ok(submitted) => {
                        (removed.count, removed.seq) = (removed.count + 1, submitted.seq);
                        break;
                    }
                    Err(EngineError::Condition { id, .. }) => match self.still_matches(name, query, &id)? {
                        Some(seq) => write = removal(id.as_str(), seq),
                        None => break,
                    },
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// The number of the change that put an item, if it is there and matches.
    fn still_matches(&self, name: &CollectionName, query: &Query, id: &Id) -> Result<Option<u64>, EngineError> {
        self.reading(name, |snapshot| {
            let Some(item) = snapshot.get(id.as_str()) else { return Ok(None) };
            Ok(query.holds(&item).then_some(item.seq))
        })
    }
}

fn removal(id: &str, seq: u64) -> Write {
    let id = Id::new(id).expect("stored ids are valid");
    Write { change: Change::Remove(id), condition: Condition::Version(seq) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::Item;
    use crate::geometry::{Point, Rect};

    fn put(id: &str, lat: f64) -> Change {
        Change::Put(Item::new(Id::new(id).unwrap(), Point::new(lat, 0.0).unwrap()))
    }

    #[test]
    fn what_matches_is_removed_and_nothing_else() {
        let (engine, name) = (Engine::new(), CollectionName::default());
        let puts = (0..2500).map(|number| put(&format!("p{number}"), f64::from(number % 10)));
        engine.submit(&name, puts.collect::<Vec<Change>>()).unwrap();
        let query = Query::in_rect(Rect::from_corners(0.0, -1.0, 4.5, 1.0).unwrap());
        let removed = engine.remove_matching(&name, &query).unwrap();
        assert_eq!(removed, Removed { count: 1250, seq: 3750, number: 1 });
        assert_eq!(engine.snapshot(&name).unwrap().len(), 1250);
        assert_eq!(engine.remove_matching(&name, &query).unwrap(), Removed { count: 0, seq: 3750, number: 1 });
    }

    #[test]
    fn an_item_that_moved_away_meanwhile_stays() {
        let (engine, name) = (Engine::new(), CollectionName::default());
        engine.submit(&name, vec![put("a", 1.0), put("b", 1.0), put("c", 1.0)]).unwrap();
        // What a look found, before "b" moved away and "c" moved within.
        let writes = vec![removal("a", 1), removal("b", 2), removal("c", 3)];
        engine.submit(&name, vec![put("b", 50.0), put("c", 2.0)]).unwrap();
        let query = Query::in_rect(Rect::from_corners(0.0, -1.0, 4.5, 1.0).unwrap());
        let mut removed = Removed { count: 0, seq: 0, number: 1 };
        engine.remove_together(&name, &query, writes, &mut removed).unwrap();
        let snapshot = engine.snapshot(&name).unwrap();
        assert_eq!(snapshot.items().map(|item| item.id()).collect::<Vec<_>>(), ["b"]);
        assert_eq!(removed, Removed { count: 2, seq: 7, number: 1 });
    }
}
