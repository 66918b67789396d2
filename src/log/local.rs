//! The log in a store of this machine.
//!
//! What surprises: a frame may come back in other pieces than it was appended in. Frames are cut so that no value is larger than
//! 64 KiB, which keeps blocks, journal entries and what a reader holds in memory small.
//!
//! ```text
//! changes    stream u32 BE │ first number u64 BE  ─▶  frame        oldest kept ──▶ head, without gaps
//! meta       "log/commits"                        ─▶  u64          one more with every append
//! ```
//!
//! The last frame of a stream is always kept: it says where the stream goes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::change_log::{ChangeLog, Frame, Frames, LogError};
use super::codec::{change_key, frame_count, read_change_key, write_frames};
use super::high_water::HighWater;
use super::store::{Batch, Space, Store, StoreError, Sync};
use super::tail::Tail;

/// Where [`Local`] counts its commits, in [`Space::Meta`]. Riders leave it alone.
pub const COMMITS_KEY: &[u8] = b"log/commits";

/// Frames that one call of [`ChangeLog::trim`] forgets at most.
const TRIM_FRAMES: usize = 256;

/// A [`ChangeLog`] in a [`Store`].
///
/// ```
/// use std::sync::Arc;
/// use nigh::collection::{Change, Id};
/// use nigh::log::{Batch, ChangeLog, Entry, Frame, Local, MemoryStore, Sync};
///
/// let log = Local::open(Arc::new(MemoryStore::new()), None)?;
/// let entry = Entry::from(vec![Change::Remove(Id::new("a").unwrap())]);
/// log.append(&[Frame { stream: 1, first_seq: 1, entry }], Batch::new(), Sync::Now)?;
/// assert_eq!((log.head(1)?, log.tail(1, 1).count()), (1, 1));
/// # Ok::<_, nigh::log::LogError>(())
/// ```
#[derive(Debug)]
pub struct Local {
    store: Arc<dyn Store>,
    high_water: Option<HighWater>,
    /// How many commits there were; held while one is made.
    commits: Mutex<u64>,
    ends: Mutex<BTreeMap<u32, Ends>>,
}

/// The numbers of the oldest change that is kept and of the last.
#[derive(Debug, Clone, Copy)]
struct Ends {
    oldest: u64,
    head: u64,
}

impl Local {
    /// Opens the log in a store, and checks that it has its end: that there are no fewer
    /// commits than the high-water mark knows of.
    ///
    /// After [`LogError::Shortened`] the log can still be opened without the mark, to read what is left.
    pub fn open(store: Arc<dyn Store>, high_water: Option<HighWater>) -> Result<Local, LogError> {
        let found = read_commits(&*store)?;
        let known = high_water.as_ref().map_or(0, HighWater::commits);
        if found < known {
            return Err(LogError::Shortened { found, known });
        }
        let ends = read_ends(&*store)?;
        Ok(Local { store, high_water, commits: Mutex::new(found), ends: Mutex::new(ends) })
    }

    /// The streams that hold changes.
    pub fn streams(&self) -> Vec<u32> {
        self.ends().keys().copied().collect()
    }

    /// The store beneath.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    fn ends(&self) -> MutexGuard<'_, BTreeMap<u32, Ends>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commits(&self) -> MutexGuard<'_, u64> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn raise(&self, commits: u64) {
        if let Some(high_water) = &self.high_water {
            high_water.raise(commits);
        }
    }

    /// The ends of the streams as the frames would leave them, or what does not follow.
    fn ends_after(&self, frames: &[Frame]) -> Result<BTreeMap<u32, Ends>, LogError> {
        let ends = self.ends();
        let mut after = BTreeMap::new();
        for frame in frames {
            let (stream, first_seq) = (frame.stream, frame.first_seq);
            let before = || ends.get(&stream).copied().unwrap_or(Ends { oldest: 1, head: 0 });
            let end = after.entry(stream).or_insert_with(before);
            if first_seq != end.head + 1 {
                return Err(LogError::Gap { stream, first_seq, head: end.head });
            }
            end.head += frame.len();
        }
        Ok(after)
    }

    /// After a write failed: the heads as the store has them.
    fn look_again(&self, frames: &[Frame]) {
        for stream in frames.iter().map(|frame| frame.stream) {
            if let Ok(Some(head)) = read_head(&*self.store, stream) {
                let mut ends = self.ends();
                let end = ends.entry(stream).or_insert(Ends { oldest: 1, head });
                end.head = head;
            }
        }
    }
}

impl ChangeLog for Local {
    fn append(&self, frames: &[Frame], rider: Batch, sync: Sync) -> Result<(), LogError> {
        let mut commits = self.commits();
        let after = self.ends_after(frames)?;
        let mut batch = rider;
        for frame in frames {
            for (first_seq, bytes) in write_frames(frame) {
                batch.put(Space::Changes, change_key(frame.stream, first_seq), bytes);
            }
        }
        batch.put(Space::Meta, COMMITS_KEY, (*commits + 1).to_le_bytes());
        if let Err(error) = self.store.commit(batch, sync) {
            if !error.is_refusal() {
                self.look_again(frames);
            }
            return Err(error.into());
        }
        *commits += 1;
        self.ends().extend(after.into_iter().filter(|(_, ends)| ends.head > 0));
        if sync == Sync::Now {
            self.raise(*commits);
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), LogError> {
        let commits = *self.commits();
        self.store.sync()?;
        self.raise(commits);
        Ok(())
    }

    /// A load comes whole, even if only its end was asked for.
    fn tail(&self, stream: u32, from: u64) -> Frames<'_> {
        let from = from.max(1);
        match begin_of_frame(&*self.store, stream, from) {
            Ok(first) => {
                let rows = self.store.scan(Space::Changes, &*change_key(stream, first)..&*end_of_stream(stream));
                Box::new(Tail::new(rows, stream, from))
            }
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }

    fn head(&self, stream: u32) -> Result<u64, LogError> {
        Ok(self.ends().get(&stream).map_or(0, |ends| ends.head))
    }

    /// At most 256 frames go with one call, so that it does not hold up commits. Each leaves a mark of some 20 bytes in the store
    /// until tables are compacted; readers begin behind those marks, only opening the log passes over them. A frame that holds
    /// later changes too stays, and so does the last of the stream. The call is not synced: a power cut may bring frames back.
    fn trim(&self, stream: u32, before: u64) -> Result<u64, LogError> {
        let _commits = self.commits();
        let Some(ends) = self.ends().get(&stream).copied() else { return Ok(1) };
        let mut batch = Batch::new();
        let mut oldest = ends.oldest;
        for row in self.store.scan(Space::Changes, &*change_key(stream, oldest)..&*end_of_stream(stream)) {
            let (key, value) = row?;
            let next = oldest + frame_count(stream, oldest, &value)?;
            if next > before || next > ends.head || batch.len() == TRIM_FRAMES {
                break;
            }
            batch.remove(Space::Changes, key);
            oldest = next;
        }
        if !batch.is_empty() {
            self.store.commit(batch, Sync::Later)?;
            self.ends().insert(stream, Ends { oldest, ..ends });
        }
        Ok(oldest)
    }
}

/// Behind every key of a stream.
fn end_of_stream(stream: u32) -> Vec<u8> {
    [&stream.to_be_bytes()[..], &[0xff; 9]].concat()
}

/// Where the frame that holds a number begins; the number itself if there is none.
fn begin_of_frame(store: &dyn Store, stream: u32, seq: u64) -> Result<u64, LogError> {
    let end = [&change_key(stream, seq)[..], &[0]].concat();
    match store.last(Space::Changes, &*change_key(stream, 0)..&*end)? {
        Some((key, _)) => Ok(read_change_key(&key)?.1),
        None => Ok(seq),
    }
}

fn read_head(store: &dyn Store, stream: u32) -> Result<Option<u64>, StoreError> {
    let Some((key, value)) = store.last(Space::Changes, &*change_key(stream, 0)..&*end_of_stream(stream))? else {
        return Ok(None);
    };
    let (_, first_seq) = read_change_key(&key)?;
    Ok(Some(first_seq + frame_count(stream, first_seq, &value)? - 1))
}

fn read_commits(store: &dyn Store) -> Result<u64, StoreError> {
    let Some(bytes) = store.get(Space::Meta, COMMITS_KEY)? else { return Ok(0) };
    let number = bytes.try_into().map(u64::from_le_bytes);
    number.map_err(|bytes| StoreError::Damaged {
        what: format!("the number of commits has {} bytes, not 8", bytes.len()),
    })
}

/// Every stream with its ends. Only the ends are looked at: a log of a million frames opens as quickly as one of ten. What lies
/// between is held against the numbers when it is read.
fn read_ends(store: &dyn Store) -> Result<BTreeMap<u32, Ends>, StoreError> {
    let mut ends = BTreeMap::new();
    let mut from = vec![0];
    while let Some(row) = store.scan(Space::Changes, &*from..&*end_of_stream(u32::MAX)).next() {
        let (stream, oldest) = read_change_key(&row?.0)?;
        let head = read_head(store, stream)?.ok_or_else(|| gap(stream, oldest))?;
        ends.insert(stream, Ends { oldest, head });
        from = end_of_stream(stream);
    }
    Ok(ends)
}

/// What is wrong with a log that lacks a change.
pub(super) fn gap(stream: u32, missing: u64) -> StoreError {
    StoreError::Damaged { what: format!("the log of collection {stream} has a gap at change {missing}") }
}

#[cfg(test)]
#[path = "local_tests.rs"]
mod tests;
