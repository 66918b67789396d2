//! What a group of submissions will write: decided in their order, against what is there and what those before them do.
//!
//! What surprises: of an item that is put nothing is asked but where it was. Whether it exists and in what version, a plain put need not
//! know; it becomes a line of the log and a row of the store, and applying it finds the rest. Where it was goes into the line, because
//! a fence that reads the log later has nobody else to ask.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;

use super::catalogue::{self, Answered};
use super::hosted::{Hosted, unless_damaged};
use super::unborn::Unborn;
use super::{CollectionName, CollectionSettings, Condition, EngineError, RequestKey, Submission, Submitted, Write};
use crate::collection::{Change, Collection, Id, Item, Outcome, Snapshot};
use crate::log::{Batch, Entry, Frame, Space, Step, Store, StoreError, Was, codec};

/// What one submission takes of a group.
#[derive(Debug)]
pub(super) struct Part {
    /// Which of the group's streams.
    pub(super) stream: usize,
    /// Which of its changes.
    pub(super) changes: Range<usize>,
}

/// What is decided about a submission.
#[derive(Debug)]
pub(super) enum Decision {
    /// It is part of the group.
    Part(Part),
    /// It was made before; this was the answer.
    Repeated(Submitted),
    /// One with the same key is part of the group already: it is for the next one.
    Next(CollectionName, Submission),
}

/// Why a submission is not part of the group.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It cannot be.
    Request(EngineError),
    /// The store could not be asked.
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        Refusal::Store(error)
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Refusal {
        Refusal::Request(error)
    }
}

/// The store, and in which space of it the rows are.
type Rows<'a> = (&'a dyn Store, Space);

/// The changes of a group to one collection.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) hosted: Arc<Hosted>,
    /// Whether the group makes the collection.
    pub(super) is_new: bool,
    /// Whether any submission to it was accepted.
    pub(super) is_wanted: bool,
    pub(super) first_seq: u64,
    steps: Vec<Step>,
    before: Arc<Snapshot>,
    /// For every id, its latest change.
    latest: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

impl Stream {
    fn new(hosted: Arc<Hosted>, is_new: bool) -> Stream {
        let before = hosted.snapshot();
        Stream {
            hosted,
            is_new,
            is_wanted: false,
            first_seq: before.seq() + 1,
            steps: Vec::new(),
            before,
            latest: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
        }
    }

    /// The number of the last change of the collection, once the group is made.
    pub(super) fn head(&self) -> u64 {
        self.first_seq + self.steps.len() as u64 - 1
    }

    /// The number of the change that put the item that is there, after the changes of the group so far.
    fn version(&self, (store, rows): Rows<'_>, id: &Id) -> Result<Option<u64>, StoreError> {
        let same = |&index: &u32| self.steps[index as usize].change.id() == id;
        if let Some(&index) = self.latest.find(self.hasher.hash_one(id), same) {
            return Ok(version_after(&self.steps[index as usize].change, self.first_seq + u64::from(index)));
        }
        match unless_damaged(|| self.before.get(id.as_str()).map(|item| item.seq)) {
            Ok(present) => Ok(present),
            // While a load is not settled its rows are not all in the store: better no answer than one from half of them.
            Err(damaged) if self.hosted.unsettled().is_some() => Err(StoreError::Damaged { what: damaged.to_string() }),
            // The store knows as well, only slower. Whoever reads next has the collection made anew.
            Err(_) => catalogue::version(store, rows, self.hosted.number, id),
        }
    }

    /// What every change of a submission would do; an error when a condition does not hold.
    fn look(&self, store: Rows<'_>, writes: &[Write]) -> Result<Vec<Outcome>, Refusal> {
        let mut own: HashMap<&Id, Option<u64>> = HashMap::new();
        let first_seq = self.head() + 1;
        writes
            .iter()
            .zip(first_seq..)
            .map(|(Write { change, condition }, seq)| {
                let present = match own.get(change.id()) {
                    Some(present) => *present,
                    None => self.version(store, change.id())?,
                };
                // An end of life is one of a version, whoever hands it in.
                let inherent = match change {
                    Change::Expire { put_seq, .. } => Condition::Version(*put_seq),
                    Change::Put(_) | Change::Remove(_) => Condition::Always,
                };
                if let Some(condition) = [*condition, inherent].into_iter().find(|condition| !condition.holds(present))
                {
                    let id = change.id().clone();
                    return Err(EngineError::Condition { id, condition, present }.into());
                }
                own.insert(change.id(), version_after(change, seq));
                Ok(outcome_of(change, present))
            })
            .collect()
    }

    /// Makes changes part of the group. An item that does not say how long it stays, stays as long as the collection has it.
    fn add(&mut self, store: Rows<'_>, writes: Vec<Write>, now_ms: i64) -> Range<usize> {
        self.is_wanted = true;
        let (start, ttl_ms) = (self.steps.len(), self.hosted.settings.load().ttl_ms);
        for Write { mut change, .. } in writes {
            if let (Change::Put(Item { expires_at_ms: end @ None, .. }), Some(ttl_ms)) = (&mut change, ttl_ms) {
                *end = Some(now_ms.saturating_add_unsigned(ttl_ms));
            }
            let was = match self.note(change.id()) {
                Some(before) => place_after(&self.steps[before as usize].change),
                None => self.place_before(store, change.id()),
            };
            self.steps.push(Step { change, was });
        }
        start..self.steps.len()
    }

    /// Notes that the next change is the latest to an id; gives the one that was, if the group has one.
    fn note(&mut self, id: &Id) -> Option<u32> {
        let Stream { steps, latest, hasher, .. } = self;
        let index = steps.len() as u32;
        let same = |index: &u32| steps[*index as usize].change.id() == id;
        match latest.entry(hasher.hash_one(id), same, |&index| hasher.hash_one(steps[index as usize].change.id())) {
            Place::Occupied(place) => Some(std::mem::replace(place.into_mut(), index)),
            Place::Vacant(free) => {
                free.insert(index);
                None
            }
        }
    }

    /// Where an item was before the group. What cannot be read does not hinder a write: then it is not known.
    fn place_before(&self, (store, rows): Rows<'_>, id: &Id) -> Was {
        let place = match unless_damaged(|| self.before.place(id.as_str())) {
            Ok(place) => place,
            Err(_) if self.hosted.unsettled().is_some() => return Was::Unknown, // not all rows of a load are in the store
            Err(_) => match catalogue::place(store, rows, self.hosted.number, id) {
                Ok(place) => place,
                Err(_) => return Was::Unknown,
            },
        };
        place.map_or(Was::Nowhere, Was::At)
    }

    /// Writes what the rows are after the group: one line for every id.
    fn write_rows(&self, rows: Space, rider: &mut Batch) {
        for &index in &self.latest {
            let (change, seq) = (&self.steps[index as usize].change, self.first_seq + u64::from(index));
            let key = codec::record_key(self.hosted.number, change.id().as_str());
            match change {
                Change::Put(item) => rider.put(rows, key, codec::write_row(item, seq)),
                Change::Remove(_) | Change::Expire { .. } => rider.remove(rows, key),
            }
        }
    }
}

/// The version of an item after a change to it. An end of life of another version is refused before, so it removes when it gets here.
fn version_after(change: &Change, seq: u64) -> Option<u64> {
    match change {
        Change::Put(_) => Some(seq),
        Change::Remove(_) | Change::Expire { .. } => None,
    }
}

/// Where an item is after a change to it.
fn place_after(change: &Change) -> Was {
    match change {
        Change::Put(item) => Was::At(item.point),
        Change::Remove(_) | Change::Expire { .. } => Was::Nowhere,
    }
}

fn outcome_of(change: &Change, present: Option<u64>) -> Outcome {
    match (change, present) {
        (Change::Put(_), None) => Outcome::Created,
        (Change::Put(_), Some(_)) => Outcome::Replaced,
        (_, None) => Outcome::Absent,
        (_, Some(_)) => Outcome::Removed,
    }
}

/// A group under way.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    store: &'a dyn Store,
    rows: Space,
    now_ms: i64,
    /// Collections that a load is going to make, if nobody is quicker.
    unborn: &'a Unborn,
    pub(super) streams: Vec<Stream>,
    rider: Batch,
    keys: Vec<(u32, RequestKey)>,
    next_number: u32,
}

impl<'a> Draft<'a> {
    /// A group of nothing; a collection it makes has `next_number` or a higher one.
    pub(super) fn new(
        store: &'a dyn Store,
        rows: Space,
        now_ms: i64,
        next_number: u32,
        unborn: &'a Unborn,
    ) -> Draft<'a> {
        Draft { store, rows, now_ms, unborn, streams: Vec::new(), rider: Batch::new(), keys: Vec::new(), next_number }
    }

    /// Decides about a submission, and makes it part of the group if it can be.
    pub(super) fn decide(
        &mut self,
        name: CollectionName,
        hosted: Option<Arc<Hosted>>,
        submission: Submission,
    ) -> Result<Decision, Refusal> {
        let stream = self.stream(name, hosted);
        let number = self.streams[stream].hosted.number;
        let Some(key) = submission.key.clone() else {
            if submission.looks() {
                self.streams[stream].look((self.store, self.rows), &submission.writes)?;
            }
            let changes = self.streams[stream].add((self.store, self.rows), submission.writes, self.now_ms);
            return Ok(Decision::Part(Part { stream, changes }));
        };
        if self.keys.iter().any(|(of, other)| *of == number && *other == key) {
            let name = self.streams[stream].hosted.name.clone();
            return Ok(Decision::Next(name, submission));
        }
        let fingerprint = catalogue::fingerprint(&submission.writes) ^ submission.besides;
        if let Some(before) = catalogue::answered(self.store, number, &key)? {
            return Ok(repeated(before, number, fingerprint, &key)?);
        }
        if catalogue::loaded(self.store, number, &key)?.is_some() || self.streams[stream].hosted.is_loading(&key) {
            return Err(EngineError::KeyReused { key: key.as_str().to_owned() }.into());
        }
        let outcomes = self.streams[stream].look((self.store, self.rows), &submission.writes)?;
        let changes = self.streams[stream].add((self.store, self.rows), submission.writes, self.now_ms);
        let answered = Answered::new(fingerprint, self.streams[stream].head(), self.now_ms, &outcomes);
        catalogue::put_answered(&mut self.rider, number, &key, &answered);
        self.keys.push((number, key));
        Ok(Decision::Part(Part { stream, changes }))
    }

    /// The stream of a collection; one that does not exist is made with the group.
    fn stream(&mut self, name: CollectionName, hosted: Option<Arc<Hosted>>) -> usize {
        if let Some(index) = self.streams.iter().position(|stream| stream.hosted.name == name) {
            return index;
        }
        let is_new = hosted.is_none();
        let hosted = hosted.or_else(|| self.unborn.get(&name).cloned()).unwrap_or_else(|| {
            let settings = CollectionSettings::default();
            let collection = Collection::with_kinds(settings.kinds.iter().copied());
            let number = self.next_number;
            self.next_number += 1;
            Arc::new(Hosted::new(number, name, settings, collection))
        });
        self.streams.push(Stream::new(hosted, is_new));
        self.streams.len() - 1
    }

    /// What is to be appended, what rides with it, and the streams to apply when it is.
    pub(super) fn finish(mut self) -> (Vec<Frame>, Batch, Vec<Stream>, u32) {
        let mut frames = Vec::new();
        for stream in self.streams.iter().filter(|stream| stream.is_new && stream.is_wanted) {
            let Hosted { number, name, settings, .. } = &*stream.hosted;
            catalogue::put_collection(&mut self.rider, *number, name, &settings.load());
        }
        if self.streams.iter().any(|stream| stream.is_new && stream.is_wanted) {
            catalogue::put_next(&mut self.rider, self.next_number);
        }
        for stream in &mut self.streams {
            stream.write_rows(self.rows, &mut self.rider);
            if !stream.steps.is_empty() {
                let steps = std::mem::take(&mut stream.steps);
                let (number, first_seq) = (stream.hosted.number, stream.first_seq);
                frames.push(Frame { stream: number, first_seq, entry: Entry::Changes(steps) });
            }
        }
        (frames, self.rider, self.streams, self.next_number)
    }
}

fn repeated(before: Answered, number: u32, fingerprint: u64, key: &RequestKey) -> Result<Decision, EngineError> {
    if before.fingerprint != fingerprint {
        return Err(EngineError::KeyReused { key: key.as_str().to_owned() });
    }
    Ok(Decision::Repeated(Submitted { outcomes: before.outcomes(), seq: before.seq, number, repeated: true }))
}
