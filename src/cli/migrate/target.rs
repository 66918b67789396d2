//! Where rows go: what a migration asks of it, and a data directory as the first answer. A running service is the other, in
//! `service.rs`.
//!
//! What surprises: nothing is remembered between two runs. What is there already is found by comparing, so a run that was cut off is
//! simply made again.

use std::collections::HashMap;
use std::path::Path;

use super::super::{Failure, directory};
use super::source::{Measure, Question, Trouble, Wanted};
use crate::collection::{Change, Id, Item, ItemRef, Properties};
use crate::engine::{Bulk, CollectionName, Engine, EngineError, Settings};
use crate::geometry::Radius;
use crate::query::{K, Limit, Query};

/// Changes that are handed in together.
const TOGETHER: usize = 5_000;

/// Takes an item.
pub(super) type Push<'a> = &'a mut dyn FnMut(&Item) -> Result<(), Trouble>;

/// Where rows go.
pub(super) trait Target {
    /// What it is, in words.
    fn words(&self) -> String;

    /// How many items are there; none where there is no collection.
    fn items(&mut self) -> Result<u64, Trouble>;

    /// How long its items stay that do not say so themselves, if it has them go.
    fn ttl_ms(&mut self) -> Result<Option<u64>, Trouble>;

    /// Whether it tells when items end.
    fn tells_ends(&self) -> bool;

    /// Takes in many items, in the order in which `give` gives them.
    fn load(&mut self, give: &mut dyn FnMut(Push<'_>) -> Result<(), Trouble>) -> Result<(), Trouble>;

    /// Puts and removes items, each named once.
    fn write(&mut self, puts: Vec<Item>, removes: Vec<Id>) -> Result<(), Trouble>;

    /// Gives all items.
    fn rows(&mut self, each: Push<'_>) -> Result<(), Trouble>;

    /// The items with certain ids.
    fn find(&mut self, ids: &[Id]) -> Result<HashMap<Id, Item>, Trouble>;

    /// The ids that answer a question, nearest first.
    fn ask(&mut self, question: &Question, measure: Measure) -> Result<Vec<String>, Trouble>;

    /// Makes everything durable before the end.
    fn close(&mut self) -> Result<(), Trouble>;
}

/// A collection of a data directory.
pub(super) struct Directory {
    engine: Engine,
    name: CollectionName,
    path: String,
}

impl Directory {
    /// Opens the directory, which is made if it is not there.
    pub(super) fn open(path: &Path, name: CollectionName) -> Result<Directory, Failure> {
        let engine = Engine::open(path, Settings::default()).map_err(|error| directory::refused(&error))?;
        Ok(Directory { engine, name, path: path.display().to_string() })
    }

    fn exists(&self) -> bool {
        self.engine.snapshot(&self.name).is_ok()
    }
}

fn refused(error: &EngineError) -> Trouble {
    Trouble::failed(error.to_string())
}

fn item_of(item: &ItemRef<'_>) -> Item {
    Item {
        id: Id::new(item.id()).expect("stored ids are ids"),
        point: item.point(),
        properties: Properties::checked_before(item.properties()).expect("stored properties are properties"),
        expires_at_ms: item.expires_at_ms(),
    }
}

impl Target for Directory {
    fn words(&self) -> String {
        format!("collection {} in {}", self.name, self.path)
    }

    fn items(&mut self) -> Result<u64, Trouble> {
        Ok(self.engine.snapshot(&self.name).map_or(0, |snapshot| snapshot.len() as u64))
    }

    fn ttl_ms(&mut self) -> Result<Option<u64>, Trouble> {
        Ok(self.engine.settings_of(&self.name).ok().and_then(|settings| settings.ttl_ms))
    }

    fn tells_ends(&self) -> bool {
        true
    }

    fn load(&mut self, give: &mut dyn FnMut(Push<'_>) -> Result<(), Trouble>) -> Result<(), Trouble> {
        let mut bulk: Bulk<'_> = self.engine.bulk(&self.name, None).map_err(|error| refused(&error))?;
        give(&mut |item| bulk.push(item).map_err(|error| refused(&error)))?;
        bulk.finish().map_err(|error| refused(&error))?;
        Ok(())
    }

    fn write(&mut self, puts: Vec<Item>, removes: Vec<Id>) -> Result<(), Trouble> {
        let mut changes: Vec<Change> = puts.into_iter().map(Change::Put).collect();
        changes.extend(removes.into_iter().map(Change::Remove));
        while !changes.is_empty() {
            let rest = changes.split_off(changes.len().min(TOGETHER));
            self.engine.submit(&self.name, changes).map_err(|error| refused(&error))?;
            changes = rest;
        }
        Ok(())
    }

    fn rows(&mut self, each: Push<'_>) -> Result<(), Trouble> {
        if !self.exists() {
            return Ok(());
        }
        // Where a file turns out damaged the reading begins anew, which whoever counts must not see: then it failed.
        let mut begun = false;
        let read = self.engine.reading(&self.name, |snapshot| {
            if std::mem::replace(&mut begun, true) {
                return Ok(Err(Trouble::Lost("a segment file was damaged and is being made anew".to_owned())));
            }
            Ok(snapshot.items().try_for_each(|item| each(&item_of(&item))))
        });
        read.map_err(|error| refused(&error))?
    }

    fn find(&mut self, ids: &[Id]) -> Result<HashMap<Id, Item>, Trouble> {
        if !self.exists() {
            return Ok(HashMap::new());
        }
        let found = self.engine.reading(&self.name, |snapshot| {
            let items = ids.iter().filter_map(|id| snapshot.get(id.as_str()));
            Ok(items.map(|item| item_of(&item)).map(|item| (item.id.clone(), item)).collect())
        });
        found.map_err(|error| refused(&error))
    }

    fn ask(&mut self, question: &Question, measure: Measure) -> Result<Vec<String>, Trouble> {
        if !self.exists() {
            return Ok(Vec::new());
        }
        let query = Query::near(question.centre).measured_by(measure.metric);
        let mut query = match question.wanted {
            Wanted::Within(metres) => query.within(Radius::from_metres(metres / measure.scale).expect("a length")),
            Wanted::Nearest(k) => query.nearest(K::new(k).expect("few")),
        };
        query = query.in_pages_of(Limit::new(10_000).expect("within its bounds"));
        let mut ids = Vec::new();
        loop {
            let answer = self.engine.ask(&self.name, &query).map_err(|error| refused(&error))?;
            ids.extend(answer.hits().map(|hit| hit.item.id().to_owned()));
            match answer.next {
                Some(next) => query = query.after(next),
                None => return Ok(ids),
            }
        }
    }

    fn close(&mut self) -> Result<(), Trouble> {
        self.engine.close().map_err(|error| refused(&error))
    }
}
