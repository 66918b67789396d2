//! The one writer of a collection: it turns changes into marks and segments.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::draft::{Draft, Records};
use super::segment::Segment;
use super::{Adopted, Change, Id, Item, Outcome, Snapshot, tiers};
use crate::index::Kind;

/// What only the writer knows.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) seq: u64,
    pub(super) len: usize,
    pub(super) segments: Vec<Arc<Segment>>,
    last_number: u64,
    /// The join that runs in the background, if any.
    pub(super) joining: Option<Joining>,
    /// A join met a damaged file: no more are started, until the collection is made anew.
    pub(super) joins_barred: bool,
    /// Snapshots that are shown no more but may still be read, oldest first.
    pub(super) retired: VecDeque<Arc<Snapshot>>,
    /// Whether a thread looks after them.
    pub(super) sweeping: bool,
}

/// Retired snapshots that are kept for readers to let go. Beyond that the reader frees what it held.
const RETIRED_MAX: usize = 16;

/// A join in the background, and what went from its segments since it began.
#[derive(Debug)]
pub(super) struct Joining {
    /// The number of the segment that it makes.
    pub(super) number: u64,
    pub(super) inputs: Vec<Arc<Segment>>,
    pub(super) gone_since: Vec<(Box<str>, u64)>,
}

impl Joining {
    pub(super) fn takes(&self, segment: &Segment) -> bool {
        is_among(segment, &self.inputs)
    }
}

/// Whether a segment, or its twin in memory or in a file, is one of some.
fn is_among(segment: &Segment, segments: &[Arc<Segment>]) -> bool {
    segments.iter().any(|other| other.number() == segment.number())
}

/// What a batch has done so far, id by id, in the order in which ids first appeared.
///
/// Ids are not copied into the map: it holds places in `touched`, and compares the ids there.
#[derive(Default)]
struct Batch {
    touched: Vec<Touched>,
    places: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

/// An id that a batch touched, and what became of it.
enum Touched {
    Put { item: Item, seq: u64 },
    Gone { id: Id },
}

impl Touched {
    fn id(&self) -> &Id {
        match self {
            Touched::Put { item, .. } => &item.id,
            Touched::Gone { id } => id,
        }
    }
}

impl Batch {
    fn get(&self, id: &Id) -> Option<&Touched> {
        if self.touched.is_empty() {
            return None; // a batch of one asks nothing
        }
        let same = |&place: &u32| self.touched[place as usize].id() == id;
        self.places.find(self.hasher.hash_one(id), same).map(|&place| &self.touched[place as usize])
    }

    /// Writes down the latest about an id.
    fn set(&mut self, touched: Touched) {
        let Batch { touched: all, places, hasher } = self;
        let hash = hasher.hash_one(touched.id());
        let same = |place: &u32| all[*place as usize].id() == touched.id();
        match places.entry(hash, same, |&place| hasher.hash_one(all[place as usize].id())) {
            Entry::Occupied(place) => all[*place.get() as usize] = touched,
            Entry::Vacant(free) => {
                free.insert(all.len() as u32);
                all.push(touched);
            }
        }
    }
}

impl Writer {
    /// The writer of a collection that was opened at `seq`, its segments numbered from 1.
    pub(super) fn opened(seq: u64, len: usize, segments: Vec<Arc<Segment>>) -> Writer {
        Writer { seq, len, last_number: segments.len() as u64, segments, ..Writer::default() }
    }

    /// A number for a new segment.
    pub(super) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    pub(super) fn snapshot(&self, kinds: &Arc<[&'static Kind]>) -> Snapshot {
        Snapshot {
            seq: self.seq,
            len: self.len,
            segments: self.segments.iter().cloned().collect(),
            kinds: kinds.clone(),
        }
    }

    /// Keeps a snapshot that is shown no more until its last reader has let go of it.
    ///
    /// *Why*: whoever lets go last gives the memory of its segments back to the system, which takes longer than a query.
    /// That is a writer's work, not a reader's.
    pub(super) fn retire(&mut self, snapshot: Arc<Snapshot>) {
        self.retired.push_back(snapshot);
        self.free_retired();
        if self.retired.len() > RETIRED_MAX {
            self.retired.pop_front();
        }
    }

    /// Frees the retired snapshots that nobody reads any more.
    pub(super) fn free_retired(&mut self) {
        self.retired.retain(|snapshot| Arc::strong_count(snapshot) > 1);
    }

    pub(super) fn is_joining(&self) -> bool {
        self.joining.is_some()
    }

    pub(super) fn apply(&mut self, first_seq: u64, changes: Vec<Change>, kinds: &[&'static Kind]) -> Vec<Outcome> {
        if changes.is_empty() {
            return Vec::new(); // nothing has a number, so nothing was applied up to one
        }
        let last_seq = first_seq.saturating_add(changes.len() as u64).saturating_sub(1);
        self.renew_segments_out_of_range(first_seq, last_seq, kinds);
        let mut batch = Batch::default();
        let numbered = (0..).map(|place| first_seq.saturating_add(place)).zip(changes);
        let outcomes = numbered.map(|(seq, change)| self.apply_one(&mut batch, seq, change)).collect();
        self.seq = self.seq.max(last_seq);
        self.add(batch, kinds);
        outcomes
    }

    fn apply_one(&mut self, batch: &mut Batch, seq: u64, change: Change) -> Outcome {
        if seq <= self.seq {
            return Outcome::Repeated;
        }
        match change {
            Change::Put(item) => {
                let replaced = self.take_away(batch, &item.id, seq, None);
                self.len += 1;
                batch.set(Touched::Put { item, seq });
                if replaced { Outcome::Replaced } else { Outcome::Created }
            }
            Change::Remove(id) => self.remove(batch, id, seq, None),
            Change::Expire { id, put_seq } => self.remove(batch, id, seq, Some(put_seq)),
        }
    }

    fn remove(&mut self, batch: &mut Batch, id: Id, seq: u64, only_put_seq: Option<u64>) -> Outcome {
        if !self.take_away(batch, &id, seq, only_put_seq) {
            return Outcome::Absent;
        }
        batch.set(Touched::Gone { id });
        Outcome::Removed
    }

    /// Takes the present item of an id away, if there is one and it was put with the given number. One that the batch
    /// itself put is only accounted for: the caller writes down what takes its place.
    fn take_away(&mut self, batch: &Batch, id: &Id, seq: u64, only_put_seq: Option<u64>) -> bool {
        let wanted = |put_seq: u64| only_put_seq.is_none_or(|only| only == put_seq);
        let put_seq = match batch.get(id) {
            Some(Touched::Gone { .. }) => return false,
            Some(Touched::Put { seq, .. }) => *seq,
            None => {
                let Some((segment, slot)) = self.find(id.as_str()) else { return false };
                let put_seq = segment.put_seq(slot);
                if wanted(put_seq) {
                    let segment = segment.clone();
                    self.mark_gone(&segment, slot, id.as_str(), seq);
                }
                put_seq
            }
        };
        let taken = wanted(put_seq);
        self.len -= usize::from(taken);
        taken
    }

    fn mark_gone(&mut self, segment: &Segment, slot: u32, id: &str, seq: u64) {
        segment.marks.remove(slot, seq);
        if let Some(joining) = &mut self.joining
            && joining.takes(segment)
        {
            joining.gone_since.push((id.into(), seq));
        }
    }

    /// Where an id is now. The newest segments come first: what moved lately moves again soonest.
    fn find(&self, id: &str) -> Option<(&Arc<Segment>, u32)> {
        let there = |segment: &Arc<Segment>| segment.slot_at(id, u64::MAX);
        self.segments.iter().rev().find_map(|segment| there(segment).map(|slot| (segment, slot)))
    }

    /// Adds what a batch puts, joined at once with small segments of about its size.
    fn add(&mut self, batch: Batch, kinds: &[&'static Kind]) {
        let mut records = Records::default();
        for touched in batch.touched {
            if let Touched::Put { item, seq } = touched {
                records.push(&item, seq);
            }
        }
        let mut draft = records.draft();
        if draft.len() > 0 {
            let joined = self.small_segments_to_join(draft.len());
            joined.iter().for_each(|segment| draft.push_live(segment));
            let added = Arc::new(draft.build(self.next_number(), kinds, self.seq));
            self.replace(&joined, added);
        }
        self.drop_dead_segments();
    }

    fn small_segments_to_join(&self, spare: usize) -> Vec<Arc<Segment>> {
        let free = |segment: &&Arc<Segment>| !self.joining.as_ref().is_some_and(|joining| joining.takes(segment));
        let free: Vec<&Arc<Segment>> = self.segments.iter().filter(free).collect();
        let sizes: Vec<usize> = free.iter().map(|segment| segment.live_count()).collect();
        tiers::to_join(&sizes, spare, tiers::at_once(self.segments.len()))
            .into_iter()
            .map(|index| free[index].clone())
            .collect()
    }

    /// Adds a segment as the newest, in place of those it was made from.
    fn replace(&mut self, old: &[Arc<Segment>], new: Arc<Segment>) {
        self.segments.retain(|segment| !is_among(segment, old));
        self.segments.push(new);
    }

    /// Puts a segment where the oldest of those it was made from stood: what came meanwhile stays newer.
    pub(super) fn replace_in_place(&mut self, old: &[Arc<Segment>], new: Option<Arc<Segment>>) {
        let is_old = |segment: &Arc<Segment>| is_among(segment, old);
        let place = self.segments.iter().position(is_old).unwrap_or(0);
        self.segments.retain(|segment| !is_old(segment));
        let place = place.min(self.segments.len());
        self.segments.splice(place..place, new);
    }

    /// Puts twins where the segments of their numbers still are. A join that is reading one of those goes on reading it.
    pub(super) fn put_in_place(&mut self, twins: Vec<Arc<Segment>>) {
        for twin in twins {
            if let Some(segment) = self.segments.iter_mut().find(|segment| segment.number() == twin.number()) {
                *segment = twin;
            }
        }
    }

    /// Takes up ready segments as the changes of a range of numbers, and marks gone what they replace.
    pub(super) fn adopt(
        &mut self,
        first_seq: u64,
        last_seq: u64,
        segments: Vec<Arc<Segment>>,
        kinds: &[&'static Kind],
    ) -> Adopted {
        let mut adopted = Adopted::default();
        if first_seq <= self.seq || last_seq < first_seq {
            return adopted;
        }
        self.renew_segments_out_of_range(first_seq, last_seq, kinds);
        for segment in segments {
            let replaced = self.take_away_all(&segment);
            adopted.replaced += replaced;
            adopted.created += segment.live_count() as u64 - replaced;
            self.segments.push(segment); // so that the next one of the load finds what it replaces in this one
        }
        self.len += adopted.created as usize;
        self.seq = last_seq;
        self.drop_dead_segments();
        adopted
    }

    /// Marks gone whatever has the id of an item in a segment that comes; says how many there were.
    fn take_away_all(&mut self, coming: &Segment) -> u64 {
        let mut replaced = 0;
        for segment in self.segments.clone() {
            coming.named_in_both(&segment, |slot, old| {
                if segment.is_there(old, u64::MAX) {
                    let item = coming.item(slot);
                    self.mark_gone(&segment, old, item.id(), item.seq);
                    replaced += 1;
                }
            });
        }
        replaced
    }

    fn drop_dead_segments(&mut self) {
        self.segments.retain(|segment| segment.live_count() > 0);
    }

    /// Marks are 32-bit distances from a segment's first sequence number. Once in four billion changes a segment that
    /// is older than that is written anew, here and now.
    fn renew_segments_out_of_range(&mut self, first_seq: u64, last_seq: u64, kinds: &[&'static Kind]) {
        let base_seq = self.seq.max(first_seq.saturating_sub(1));
        for place in 0..self.segments.len() {
            if self.segments[place].marks.is_out_of_range(last_seq) {
                self.joining = None; // a join under way carries the old numbers; it finds itself called off
                let (number, segment) = (self.next_number(), self.segments[place].clone());
                let mut draft = Draft::default();
                draft.push_live(&segment);
                self.segments[place] = Arc::new(draft.build(number, kinds, base_seq));
            }
        }
    }
}
