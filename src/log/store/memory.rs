//! The store in memory: the same contract without a disk, for engines that keep nothing and for tests.
//!
//! What surprises: it can forget. [`MemoryStore::crash`] leaves what a power cut may leave: everything up to the last sync, and as
//! much of what came after as is asked for, batch by batch and in their order.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Batch, Moment, Row, Rows, RowsInOrder, Space, Store, StoreError, Sync, check_order, check_row};

type Table = BTreeMap<Vec<u8>, Vec<u8>>;

/// Every table. A scan keeps the ones it began with; the first write after it copies.
type Tables = BTreeMap<Space, Arc<Table>>;

/// When an armed write fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before it took effect.
    Before,
    /// After: what it wrote is there, though the answer was an error.
    After,
}

/// A write that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which of the writes to come, 0 for the next: commits, syncs and ingestions count alike.
    pub after_writes: usize,
    /// Before or after its effect.
    pub when: When,
    /// What it answers.
    pub error: StoreError,
}

/// A [`Store`] in memory.
///
/// ```
/// use nigh::log::{Batch, MemoryStore, Space, Store, Sync};
///
/// let store = MemoryStore::new();
/// let mut batch = Batch::new();
/// batch.put(Space::Meta, *b"a", *b"1");
/// store.commit(batch, Sync::Now).unwrap();
/// let mut batch = Batch::new();
/// batch.put(Space::Meta, *b"a", *b"2");
/// store.commit(batch, Sync::Later).unwrap();
/// assert_eq!(store.crash(0).get(Space::Meta, b"a"), Ok(Some(b"1".to_vec())));
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    /// Whether batches since the last sync are remembered, which costs a copy of each.
    forgetful: bool,
}

#[derive(Debug, Default)]
struct State {
    tables: Tables,
    durable: Tables,
    /// What came since the last sync.
    later: Vec<Batch>,
    faults: Vec<Fault>,
    stopped: bool,
}

impl MemoryStore {
    /// An empty store that tests can crash.
    pub fn new() -> MemoryStore {
        MemoryStore { forgetful: true, ..MemoryStore::default() }
    }

    /// An empty store for an engine that keeps nothing: syncs are free, and a crash finds everything.
    pub fn lasting() -> MemoryStore {
        MemoryStore::default()
    }

    /// Makes a write to come fail. After it the store is stopped, unless the error is a refusal.
    pub fn arm(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// The store as a power cut leaves it: what was synced, and the first `keep` commits that were not. No fault is armed in it.
    #[must_use]
    pub fn crash(&self, keep: usize) -> MemoryStore {
        let state = self.state();
        let mut tables = if self.forgetful { state.durable.clone() } else { state.tables.clone() };
        state.later.iter().take(keep).for_each(|batch| write(&mut tables, batch.clone()));
        let state = State { durable: tables.clone(), tables, ..State::default() };
        MemoryStore { state: Mutex::new(state), forgetful: self.forgetful }
    }

    /// Commits that a power cut would lose.
    pub fn unsynced(&self) -> usize {
        self.state().later.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn table(&self, space: Space) -> Arc<Table> {
        self.state().tables.get(&space).cloned().unwrap_or_default()
    }

    fn write(&self, work: impl FnOnce(&mut State)) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.stopped {
            return Err(StoreError::Stopped);
        }
        let fault = state.next_fault();
        if fault.as_ref().is_none_or(|fault| fault.when == When::After) {
            work(&mut state);
        }
        let Some(fault) = fault else { return Ok(()) };
        state.stopped = !fault.error.is_refusal();
        Err(fault.error)
    }
}

impl State {
    /// Counts the faults down; the one that is due.
    fn next_fault(&mut self) -> Option<Fault> {
        let due = self.faults.iter().position(|fault| fault.after_writes == 0).map(|at| self.faults.swap_remove(at));
        for fault in &mut self.faults {
            fault.after_writes = fault.after_writes.saturating_sub(1);
        }
        due
    }

    fn sync(&mut self) {
        for batch in std::mem::take(&mut self.later) {
            write(&mut self.durable, batch);
        }
    }
}

fn write(tables: &mut Tables, batch: Batch) {
    for line in batch.writes {
        let table = Arc::make_mut(tables.entry(line.space).or_default());
        match line.value {
            Some(value) => table.insert(line.key, value),
            None => table.remove(&line.key),
        };
    }
}

/// Tables that nobody writes any more: the first write after it copied them.
#[derive(Debug)]
struct MemoryMoment {
    tables: Tables,
}

impl Moment for MemoryMoment {
    fn scan(&self, space: Space, keys: Range<&[u8]>) -> Rows<'_> {
        rows(self.tables.get(&space).cloned().unwrap_or_default(), keys)
    }
}

fn rows(table: Arc<Table>, keys: Range<&[u8]>) -> Rows<'static> {
    let end = keys.end.to_vec();
    let mut from = Bound::Included(keys.start.to_vec());
    Box::new(std::iter::from_fn(move || {
        let start = match &from {
            Bound::Included(key) | Bound::Excluded(key) => key,
            Bound::Unbounded => return None,
        };
        if *start >= end {
            return None;
        }
        let range = (from.as_ref(), Bound::Excluded(&end));
        let (key, value) = table.range::<Vec<u8>, _>(range).next()?;
        from = Bound::Excluded(key.clone());
        Some(Ok((key.clone(), value.clone())))
    }))
}

impl Store for MemoryStore {
    fn commit(&self, batch: Batch, sync: Sync) -> Result<(), StoreError> {
        batch.check()?;
        self.write(|state| {
            if self.forgetful {
                state.later.push(batch.clone());
            }
            write(&mut state.tables, batch);
            if sync == Sync::Now {
                state.sync();
            }
        })
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.write(State::sync)
    }

    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.state().tables.get(&space).and_then(|table| table.get(key).cloned()))
    }

    fn scan(&self, space: Space, keys: Range<&[u8]>) -> Rows<'_> {
        rows(self.table(space), keys)
    }

    fn moment(&self) -> Box<dyn Moment> {
        Box::new(MemoryMoment { tables: self.state().tables.clone() })
    }

    fn last(&self, space: Space, keys: Range<&[u8]>) -> Result<Option<Row>, StoreError> {
        if keys.is_empty() {
            return Ok(None);
        }
        let table = self.table(space);
        let range = (Bound::Included(keys.start), Bound::Excluded(keys.end));
        Ok(table.range::<[u8], _>(range).next_back().map(|(key, value)| (key.clone(), value.clone())))
    }

    fn ingest(&self, space: Space, rows: &mut (dyn RowsInOrder + Send)) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        let (mut key, mut value) = (Vec::new(), Vec::new());
        while rows.next_row(&mut key, &mut value)? {
            check_row(space, &key, &value)?;
            let last = batch.writes.last().map_or(&[][..], |write| &write.key);
            check_order(space, last, &key)?;
            batch.put(space, key.clone(), value.clone());
        }
        self.write(|state| {
            // Beside the journal, and yet what the journal holds is synced first, as on disk.
            state.sync();
            if self.forgetful {
                write(&mut state.durable, batch.clone());
            }
            write(&mut state.tables, batch);
        })
    }

    fn bytes(&self) -> u64 {
        let state = self.state();
        let rows = state.tables.values().flat_map(|table| table.iter());
        rows.map(|(key, value)| (key.len() + value.len()) as u64).sum()
    }
}
