//! Rows of one schema to rows of a later one, while changes go on.
//!
//! ```text
//! in turn  mark, note the ends of the logs, take the moment
//! beside   every row of the moment ─▶ convert ─▶ the space beside; then what the logs have since, round after round
//! in turn  the last of it, and another moment: both spaces hold the same
//! beside   compare them row by row; then what the logs have since, each row read back
//! in turn  the last of it, and one commit: rows and schema are the new ones, the mark is gone
//! keeper   what the old space holds is swept out by and by
//! ```
//!
//! What surprises: the comparison needs no writer to stand still. Both spaces are read at one moment between two groups, and what
//! changed later is compared as it is put. A sum would say that something differs; row by row, the first that does has a name.

use std::sync::{Arc, PoisonError};

use super::commit::Committer;
use super::filling::Filling;
use super::{Engine, EngineError, rows, schema};
use crate::log::{Batch, LogError, Moment, StoreError};

/// What a row is in the later schema, by its key and its bytes; or why it cannot be.
pub type Convert = fn(key: &[u8], old: &[u8]) -> Result<Vec<u8>, String>;

/// A step to a later schema. Keys stay; rows that are written meanwhile are of the schema before, and converted like the others. What is read of a row before and after has to mean the same item and version.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The schema that the rows have afterwards.
    pub schema: u32,
    /// What becomes of each.
    pub convert: Convert,
}

/// A migration that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The schema that the rows have now.
    pub schema: u32,
    /// Rows that were compared: those at a moment shortly before the end.
    pub rows: u64,
}

/// Why a migration ended.
pub(super) enum Failure {
    Engine(EngineError),
    /// The store did not write.
    Write(StoreError),
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Failure {
        Failure::Engine(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        failed(error)
    }
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Failure {
        failed(error)
    }
}

fn refused(reason: impl std::fmt::Display) -> EngineError {
    EngineError::Migration { reason: reason.to_string() }
}

pub(super) fn failed(reason: impl std::fmt::Display) -> Failure {
    Failure::Engine(refused(reason))
}

type Filled = (Filling, Box<dyn Moment>);

impl Engine {
    /// Has all rows converted to a later schema, while changes go on. Loads and backups wait meanwhile. After an error or a kill
    /// everything is as it was, and the next attempt starts over.
    ///
    /// Needs room for all rows a second time. The logs are not trimmed meanwhile.
    #[doc(hidden)]
    pub fn migrate(&self, to: &Migration) -> Result<Migrated, EngineError> {
        let _loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        while self.in_turn(Committer::sweep_beside)? {} // what an earlier attempt left
        let to = *to;
        let begun = self.in_turn(move |committer| committer.begin_migration(to))?;
        match self.fill(begun) {
            Ok(rows) => Ok(Migrated { schema: to.schema, rows }),
            Err(failure) => self.in_turn(move |committer| Err(committer.give_up(failure))),
        }
    }

    fn fill(&self, (mut filling, moment): Filled) -> Result<u64, Failure> {
        filling.copy(&self.shared, &*moment)?;
        drop(moment);
        filling.catch_up(&self.shared)?;
        let (mut filling, moment) = self.in_turn(move |committer| committer.level(filling))?;
        let rows = filling.compare(&self.shared, &*moment)?;
        drop(moment);
        filling.catch_up(&self.shared)?;
        self.in_turn(move |committer| committer.switch(filling))?;
        Ok(rows)
    }
}

impl Committer {
    fn begin_migration(&mut self, to: Migration) -> Result<Filled, EngineError> {
        let logged = self.writable()?;
        schema::check_step(&*logged.store, to.schema).map_err(refused)?;
        if self.shared.hosted.load().values().any(|hosted| hosted.unsettled().is_some()) {
            return Err(refused("a load was interrupted and has to be finished first; open the directory again"));
        }
        let mut mark = Batch::new();
        rows::put_migrating(&mut mark);
        self.append(&[], mark)?;
        self.sync_now(); // before anything stands beside the journal
        self.writable()?;
        let logged = self.logged.as_mut().ok_or(EngineError::DiskFull)?;
        let filling = Filling::of(logged, to).map_err(refused)?;
        logged.migration = Arc::downgrade(&filling.token);
        let moment = filling.store.moment();
        Ok((filling, moment))
    }

    /// Both spaces hold the same, at a moment.
    fn level(&mut self, mut filling: Filling) -> Result<Filled, EngineError> {
        self.check_own(&filling)?;
        filling.catch_up_wholly().map_err(|failure| self.give_up(failure))?;
        let moment = filling.store.moment();
        Ok((filling, moment))
    }

    fn switch(&mut self, mut filling: Filling) -> Result<(), EngineError> {
        self.check_own(&filling)?;
        filling.catch_up_wholly().map_err(|failure| self.give_up(failure))?;
        let mut batch = Batch::new();
        rows::put_place(&mut batch, filling.into);
        schema::put(&mut batch, filling.to.schema);
        self.append(&[], batch)?;
        let logged = self.logged.as_mut().ok_or(EngineError::DiskFull)?;
        logged.rows = filling.into;
        logged.swept.clear();
        self.sync_now(); // before anything of the old rows is swept out
        self.writable().map(drop)
    }

    /// Refuses to go on in a store that was opened again since: there the space beside is swept.
    fn check_own(&self, filling: &Filling) -> Result<(), EngineError> {
        let own = self.writable()?.migration.upgrade();
        match own.is_some_and(|own| Arc::ptr_eq(&own, &filling.token)) {
            true => Ok(()),
            false => Err(refused("the store was opened again meanwhile")),
        }
    }

    /// Ends a migration; nothing is written any more where the store does not.
    fn give_up(&mut self, failure: Failure) -> EngineError {
        match failure {
            Failure::Engine(error) => error,
            Failure::Write(error) if error.is_refusal() => refused(error),
            Failure::Write(error) => {
                if self.shared.health().writable().is_ok() {
                    self.stop_writing(&error.clone().into());
                }
                self.shared.health().writable().err().unwrap_or_else(|| refused(error))
            }
        }
    }
}

#[cfg(test)]
#[path = "migrate_tests.rs"]
mod tests;
