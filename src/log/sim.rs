//! A log that makes all the trouble its contract allows, for tests: the same trouble for the same seed.
//!
//! What surprises: it is right. Every answer is one that a log on other machines may give; a consumer that stumbles over it would
//! have stumbled over the network some day.
//!
//! | trouble | what happens |
//! |---|---|
//! | drops | an append fails and is not there |
//! | lost answers | an append is there, but answers [`LogError::Unknown`] and leaves its rider unwritten |
//! | repeats | a tail gives a frame again |
//! | cuts | a tail gives a frame in pieces |
//! | delays | a tail ends before the head, and later goes on |
//! | a crash | what was appended with [`Sync::Later`] is forgotten, from some append on |

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::change_log::{ChangeLog, Entry, Frame, Frames, LogError};
use super::store::{Batch, Store, StoreError, Sync};
use super::tail::cut;
use crate::generate::Random;

/// How often: once in so many, 0 for never.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Appends that fail.
    pub drops: u64,
    /// Appends whose answer is lost.
    pub lost_answers: u64,
    /// Frames that are given again.
    pub repeats: u64,
    /// Frames that are given in pieces.
    pub cuts: u64,
    /// Tails that end early.
    pub delays: u64,
}

impl Trouble {
    /// All of it, often.
    pub fn all() -> Trouble {
        Trouble { drops: 7, lost_answers: 7, repeats: 4, cuts: 3, delays: 3 }
    }
}

/// A [`ChangeLog`] in memory that makes trouble.
#[derive(Debug)]
pub struct Sim {
    /// For the riders.
    store: Arc<dyn Store>,
    trouble: Trouble,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: Random,
    streams: BTreeMap<u32, Stream>,
    /// The heads before each append since the last sync.
    unsynced: Vec<BTreeMap<u32, u64>>,
}

#[derive(Debug, Clone, Default)]
struct Stream {
    frames: Vec<Frame>,
    /// The last number that was forgotten.
    trimmed: u64,
}

impl Stream {
    fn head(&self) -> u64 {
        self.frames.last().map_or(self.trimmed, |frame| frame.next_seq() - 1)
    }
}

impl Sim {
    /// A log whose trouble follows from a seed, and a store for the riders.
    pub fn seeded(seed: u64, trouble: Trouble, store: Arc<dyn Store>) -> Sim {
        let state = State { random: Random::seeded(seed), streams: BTreeMap::new(), unsynced: Vec::new() };
        Sim { store, trouble, state: Mutex::new(state) }
    }

    /// Forgets what was not synced: from the first append on or from a later one.
    pub fn crash(&self) {
        let mut state = self.state();
        let appends = state.unsynced.len() as u64;
        if appends == 0 {
            return;
        }
        let keep = state.random.below(appends + 1) as usize;
        let unsynced = std::mem::take(&mut state.unsynced);
        let Some(heads) = unsynced.into_iter().nth(keep) else { return };
        for (number, stream) in &mut state.streams {
            let head = heads.get(number).copied().unwrap_or(0);
            stream.frames.retain(|frame| frame.next_seq() <= head + 1);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn once_in(&mut self, times: u64) -> bool {
        times > 0 && self.random.once_in(times)
    }

    fn heads(&self) -> BTreeMap<u32, u64> {
        self.streams.iter().map(|(number, stream)| (*number, stream.head())).collect()
    }

    /// The frames from a number on, as the trouble has them.
    fn troubled(&mut self, frames: &[Frame], from: u64, trouble: &Trouble) -> Vec<Frame> {
        let mut shown = frames.len();
        if self.once_in(trouble.delays) {
            shown = self.random.below(shown as u64 + 1) as usize;
        }
        let mut given = Vec::new();
        for frame in frames[..shown].iter().filter(|frame| frame.next_seq() > from) {
            let frame = cut(frame.clone(), from);
            given.extend(self.pieces(frame.clone(), trouble));
            while self.once_in(trouble.repeats) {
                given.extend(self.pieces(frame.clone(), trouble));
            }
        }
        given
    }

    fn pieces(&mut self, frame: Frame, trouble: &Trouble) -> Vec<Frame> {
        let Entry::Changes(steps) = &frame.entry else { return vec![frame] };
        if steps.len() < 2 || !self.once_in(trouble.cuts) {
            return vec![frame];
        }
        let at = 1 + self.random.below(steps.len() as u64 - 1) as usize;
        let first = Frame { entry: Entry::Changes(steps[..at].to_vec()), ..frame };
        let from = frame.first_seq + at as u64;
        vec![first, cut(frame, from)]
    }
}

impl ChangeLog for Sim {
    fn append(&self, frames: &[Frame], rider: Batch, sync: Sync) -> Result<(), LogError> {
        let mut state = self.state();
        let before = state.heads();
        let mut heads = before.clone();
        for frame in frames {
            let (stream, first_seq) = (frame.stream, frame.first_seq);
            let head = heads.entry(stream).or_insert(0);
            if first_seq != *head + 1 {
                return Err(LogError::Gap { stream, first_seq, head: *head });
            }
            *head += frame.len();
        }
        if state.once_in(self.trouble.drops) {
            return Err(StoreError::Io { doing: "reaching the log", reason: "it is not there".to_owned() }.into());
        }
        for frame in frames.iter().filter(|frame| !frame.is_empty()) {
            state.streams.entry(frame.stream).or_default().frames.push(frame.clone());
        }
        match sync {
            Sync::Now => state.unsynced.clear(),
            Sync::Later => state.unsynced.push(before),
        }
        if state.once_in(self.trouble.lost_answers) {
            return Err(LogError::Unknown);
        }
        Ok(self.store.commit(rider, sync)?)
    }

    fn sync(&self) -> Result<(), LogError> {
        self.state().unsynced.clear();
        Ok(())
    }

    fn tail(&self, stream: u32, from: u64) -> Frames<'_> {
        let from = from.max(1);
        let mut state = self.state();
        let Some(Stream { frames, trimmed }) = state.streams.get(&stream).cloned() else {
            return Box::new(std::iter::empty());
        };
        if from <= trimmed {
            let oldest = trimmed + 1;
            return Box::new(std::iter::once(Err(LogError::Trimmed { stream, asked: from, oldest })));
        }
        let given = state.troubled(&frames, from, &self.trouble);
        Box::new(given.into_iter().map(Ok))
    }

    fn head(&self, stream: u32) -> Result<u64, LogError> {
        Ok(self.state().streams.get(&stream).map_or(0, Stream::head))
    }

    /// Like the log on disk, it keeps the last frame.
    fn trim(&self, stream: u32, before: u64) -> Result<u64, LogError> {
        let mut state = self.state();
        let Some(stream) = state.streams.get_mut(&stream) else { return Ok(1) };
        let passed = stream.frames.iter().take_while(|frame| frame.next_seq() <= before).count();
        let gone = passed.min(stream.frames.len().saturating_sub(1));
        if let Some(last) = stream.frames.drain(..gone).next_back() {
            stream.trimmed = last.next_seq() - 1;
        }
        Ok(stream.trimmed + 1)
    }
}
