//! The space beside the rows while a migration fills it: copied, caught up with, compared.
//!
//! What surprises: nothing here is kept over a restart. How far it came is known to this value alone; without it, all that was written
//! is swept out, and whoever tries again begins at the first row.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::commit::Logged;
use super::migrate::{Failure, Migration, failed};
use super::{EngineError, Shared, catalogue, load, rows};
use crate::collection::Id;
use crate::log::{Batch, ChangeLog, LogError, Moment, Row, Space, Store, StoreError, Sync, codec};

/// Rows that are put beside the journal at once.
const PIECE: usize = if cfg!(test) { 100 } else { 250_000 };

/// Changes of a collection that are caught up with at once.
const CHANGES_AT_ONCE: u64 = 2000;

/// So few changes are left for a turn.
const SHORT: u64 = 200;

/// Rows that are compared before anybody asks whether that is still wanted.
const COMPARED_AT_ONCE: u64 = 10_000;

/// The space beside while it is being filled.
pub(super) struct Filling {
    pub(super) to: Migration,
    log: Arc<dyn ChangeLog>,
    pub(super) store: Arc<dyn Store>,
    from: Space,
    pub(super) into: Space,
    /// The last change of each collection that is in the space beside.
    heads: BTreeMap<u32, u64>,
    /// As long as somebody holds it, nothing is swept and no log is trimmed.
    pub(super) token: Arc<()>,
}

impl Filling {
    pub(super) fn of(logged: &Logged, to: Migration) -> Result<Filling, LogError> {
        let numbers = catalogue::collections(&*logged.store)?.into_iter().map(|(number, ..)| number);
        let heads = numbers.map(|number| Ok((number, logged.log.head(number)?))).collect::<Result<_, LogError>>()?;
        let (log, store) = (logged.log.clone(), logged.store.clone());
        Ok(Filling { to, log, store, from: logged.rows, into: rows::beside(logged.rows), heads, token: Arc::new(()) })
    }

    fn converted(&self, key: &[u8], old: &[u8]) -> Result<Vec<u8>, Failure> {
        (self.to.convert)(key, old).map_err(|why| failed(format_args!("{}: {why}", named(key))))
    }

    /// Copies every row of a moment, converted.
    pub(super) fn copy(&self, shared: &Shared, moment: &dyn Moment) -> Result<(), Failure> {
        for number in self.heads.keys() {
            let (first, end) = (number.to_be_bytes(), (number + 1).to_be_bytes());
            let mut rows = moment.scan(self.from, &first..&end).peekable();
            while rows.peek().is_some() {
                is_wanted(shared)?;
                self.copy_piece(&mut rows.by_ref().take(PIECE))?;
            }
        }
        Ok(())
    }

    fn copy_piece(&self, rows: &mut (dyn Iterator<Item = Result<Row, StoreError>> + Send)) -> Result<(), Failure> {
        let mut stopped = None;
        let mut piece = rows.map_while(|row| {
            let convert = |(key, old): Row| self.converted(&key, &old).map(|new| (key, new));
            row.map_err(Failure::from).and_then(convert).map_err(|failure| stopped = Some(failure)).ok()
        });
        self.store.ingest(self.into, &mut piece).map_err(Failure::Write)?;
        stopped.map_or(Ok(()), Err)
    }

    /// Does what was changed since, until hardly anything is left.
    pub(super) fn catch_up(&mut self, shared: &Shared) -> Result<(), Failure> {
        while self.round()? > SHORT {
            is_wanted(shared)?;
        }
        Ok(())
    }

    /// Does all that was changed since, when nothing can be changed meanwhile.
    pub(super) fn catch_up_wholly(&mut self) -> Result<(), Failure> {
        while self.round()? > 0 {}
        Ok(())
    }

    /// Does some of what was changed in each collection; how many changes that were.
    fn round(&mut self) -> Result<u64, Failure> {
        let (mut heads, mut changes) = (BTreeMap::new(), 0);
        for (number, ..) in catalogue::collections(&*self.store)? {
            let seq = self.heads.get(&number).copied().unwrap_or_default(); // it may be new
            let (changed, last) = load::changed_after(&*self.log, number, seq, CHANGES_AT_ONCE)?;
            self.put(number, changed)?;
            heads.insert(number, last);
            changes += last - seq;
        }
        self.heads = heads;
        Ok(changes)
    }

    /// Puts rows as the log has them, and reads them back.
    fn put(&self, number: u32, changed: BTreeMap<Id, Option<Vec<u8>>>) -> Result<(), Failure> {
        let mut wanted = Vec::with_capacity(changed.len());
        let mut batch = Batch::new();
        for (id, old) in changed {
            let key = codec::record_key(number, id.as_str());
            let new = old.as_ref().map(|old| self.converted(&key, old)).transpose()?;
            match &new {
                None => batch.remove(self.into, key.clone()),
                Some(new) => batch.put(self.into, key.clone(), new.clone()),
            }
            wanted.push((key, old, new));
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.store.commit(batch, Sync::Later).map_err(Failure::Write)?;
        for (key, old, new) in wanted {
            let found = self.store.get(self.into, &key)?;
            if found != new {
                return Err(failed(format_args!("{} is not read as it was written", named(&key))));
            }
            old.zip(found).map_or(Ok(()), |(old, new)| check_same(&key, &old, &new))?;
        }
        Ok(())
    }

    /// Refuses two spaces that do not hold the same at a moment; how many rows each has.
    pub(super) fn compare(&self, shared: &Shared, moment: &dyn Moment) -> Result<u64, Failure> {
        let mut count = 0;
        for number in self.heads.keys() {
            let (first, end) = (number.to_be_bytes(), (number + 1).to_be_bytes());
            let (mut before, mut after) = (moment.scan(self.from, &first..&end), moment.scan(self.into, &first..&end));
            loop {
                match (before.next().transpose()?, after.next().transpose()?) {
                    (None, None) => break,
                    (Some((key, old)), Some((other, new))) if key == other => check_same(&key, &old, &new)?,
                    (before, after) => return Err(only_one_has(before, after)),
                }
                count += 1;
                if count % COMPARED_AT_ONCE == 0 {
                    is_wanted(shared)?;
                }
            }
        }
        Ok(count)
    }
}

/// Refuses to go on when nothing is written any more, or the room that is left is for changes.
fn is_wanted(shared: &Shared) -> Result<(), EngineError> {
    shared.health().writable()?;
    if shared.has_room() { Ok(()) } else { Err(EngineError::DiskFull) }
}

/// Refuses rows of which not the same item and version is read.
fn check_same(key: &[u8], old: &[u8], new: &[u8]) -> Result<(), Failure> {
    let (_, id) = codec::read_record_key(key)?;
    let read = |bytes| {
        let (item, seq) = codec::read_row(id, bytes)?;
        Ok::<_, StoreError>((super::checksum_of(&item), seq))
    };
    match read(old)? == read(new)? {
        true => Ok(()),
        false => Err(failed(format_args!("{} is another item or version after it", named(key)))),
    }
}

pub(super) fn only_one_has(before: Option<Row>, after: Option<Row>) -> Failure {
    let first = |one: &Option<Row>| one.as_ref().map(|(key, _)| key.clone());
    let is_lost = after.as_ref().is_none_or(|(key, _)| first(&before).is_some_and(|lost| lost < *key));
    match is_lost {
        true => failed(format_args!("{} is not there after it", named(&first(&before).unwrap_or_default()))),
        false => failed(format_args!("{} was not there before it", named(&first(&after).unwrap_or_default()))),
    }
}

/// The item of a key, for people.
fn named(key: &[u8]) -> String {
    match codec::read_record_key(key) {
        Ok((number, id)) => format!("{id} of collection {number}"),
        Err(error) => error.to_string(),
    }
}
