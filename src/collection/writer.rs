//! The one writer of a collection: it turns changes into marks and segments.

use std::collections::HashMap;
use std::sync::Arc;

use super::segment::{Draft, Records, Segment};
use super::{Change, Expiries, Expiry, Id, Item, Outcome, Snapshot, tiers};
use crate::index::Kind;

/// What only the writer knows.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) seq: u64,
    pub(super) len: usize,
    pub(super) segments: Vec<Arc<Segment>>,
    pub(super) expiries: Expiries,
    /// The join that runs in the background, if any.
    pub(super) joining: Option<Joining>,
    pub(super) joins_started: u64,
}

/// A join in the background, and what went from its segments since it began.
#[derive(Debug)]
pub(super) struct Joining {
    pub(super) number: u64,
    pub(super) inputs: Vec<Arc<Segment>>,
    pub(super) gone_since: Vec<(Id, u64)>,
}

impl Joining {
    pub(super) fn takes(&self, segment: &Arc<Segment>) -> bool {
        self.inputs.iter().any(|input| Arc::ptr_eq(input, segment))
    }
}

/// What a batch has done so far to an id it touched.
enum Touched {
    Put { place: usize },
    Gone,
}

/// The items of a batch that are to stay, by place; a later change may take one back.
#[derive(Default)]
struct Batch {
    touched: HashMap<Id, Touched, foldhash::fast::RandomState>,
    puts: Vec<Option<(Item, u64)>>,
}

impl Writer {
    pub(super) fn snapshot(&self, kinds: &Arc<[&'static Kind]>) -> Snapshot {
        Snapshot {
            seq: self.seq,
            len: self.len,
            segments: self.segments.iter().cloned().collect(),
            kinds: kinds.clone(),
        }
    }

    pub(super) fn is_joining(&self) -> bool {
        self.joining.is_some()
    }

    pub(super) fn apply(&mut self, first_seq: u64, changes: Vec<Change>, kinds: &[&'static Kind]) -> Vec<Outcome> {
        let last_seq = first_seq.saturating_add(changes.len() as u64).saturating_sub(1);
        self.renew_segments_out_of_range(first_seq, last_seq, kinds);
        let mut batch = Batch::default();
        let outcomes =
            (first_seq..).zip(changes).map(|(seq, change)| self.apply_one(&mut batch, seq, change)).collect();
        self.seq = self.seq.max(last_seq);
        self.add(batch.puts, kinds);
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
                if let Some(at_ms) = item.expires_at_ms {
                    self.expiries.insert(Expiry { at_ms, put_seq: seq, id: item.id.clone() });
                }
                batch.touched.insert(item.id.clone(), Touched::Put { place: batch.puts.len() });
                batch.puts.push(Some((item, seq)));
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
        batch.touched.insert(id, Touched::Gone);
        Outcome::Removed
    }

    /// Takes the present item of an id away, from the batch or from a segment, if it was put with the given number.
    fn take_away(&mut self, batch: &mut Batch, id: &Id, seq: u64, only_put_seq: Option<u64>) -> bool {
        let wanted = |put_seq: u64| only_put_seq.is_none_or(|only| only == put_seq);
        let (put_seq, expires_at_ms) = match batch.touched.get(id) {
            Some(Touched::Gone) => return false,
            Some(&Touched::Put { place }) => {
                let (item, put_seq) = batch.puts[place].as_ref().expect("a touched put is there until taken away");
                let taken = (*put_seq, item.expires_at_ms);
                if !wanted(*put_seq) {
                    return false;
                }
                batch.puts[place] = None;
                taken
            }
            None => {
                let Some((segment, slot)) = self.find(id) else { return false };
                let item = segment.item(slot);
                if !wanted(item.seq) {
                    return false;
                }
                let taken = (item.seq, item.expires_at_ms);
                let segment = segment.clone();
                segment.remove(slot, seq);
                if let Some(joining) = &mut self.joining
                    && joining.takes(&segment)
                {
                    joining.gone_since.push((id.clone(), seq));
                }
                taken
            }
        };
        self.len -= 1;
        if let Some(at_ms) = expires_at_ms {
            self.expiries.remove(&Expiry { at_ms, put_seq, id: id.clone() });
        }
        true
    }

    /// Where an id is now. The newest segments come first: what moved lately moves again soonest.
    fn find(&self, id: &Id) -> Option<(&Arc<Segment>, u32)> {
        let there = |segment: &Arc<Segment>| segment.slot_at(id.as_str(), u64::MAX);
        self.segments.iter().rev().find_map(|segment| there(segment).map(|slot| (segment, slot)))
    }

    /// Adds what a batch puts, joined at once with small segments of about its size.
    fn add(&mut self, puts: Vec<Option<(Item, u64)>>, kinds: &[&'static Kind]) {
        let mut records = Records::default();
        for (item, seq) in puts.into_iter().flatten() {
            records.push(&item, seq);
        }
        let mut draft = records.draft();
        if draft.len() > 0 {
            let joined = self.small_segments_to_join(draft.len());
            joined.iter().for_each(|segment| draft.push_live(segment));
            let added = Arc::new(draft.build(kinds, self.seq));
            self.replace(&joined, Some(added));
        }
        self.drop_dead_segments();
    }

    fn small_segments_to_join(&self, spare: usize) -> Vec<Arc<Segment>> {
        let free = |segment: &&Arc<Segment>| !self.joining.as_ref().is_some_and(|joining| joining.takes(segment));
        let free: Vec<&Arc<Segment>> = self.segments.iter().filter(free).collect();
        let sizes: Vec<usize> = free.iter().map(|segment| segment.live_count()).collect();
        tiers::to_join(&sizes, spare, tiers::AT_ONCE).into_iter().map(|index| free[index].clone()).collect()
    }

    /// Puts a segment in place of those it was made from.
    pub(super) fn replace(&mut self, old: &[Arc<Segment>], new: Option<Arc<Segment>>) {
        self.segments.retain(|segment| !old.iter().any(|gone| Arc::ptr_eq(gone, segment)));
        self.segments.extend(new);
    }

    fn drop_dead_segments(&mut self) {
        self.segments.retain(|segment| segment.live_count() > 0);
    }

    /// Marks are 32-bit distances from a segment's first sequence number. Once in four billion changes a segment that
    /// is older than that is written anew, here and now.
    fn renew_segments_out_of_range(&mut self, first_seq: u64, last_seq: u64, kinds: &[&'static Kind]) {
        let base_seq = self.seq.max(first_seq.saturating_sub(1));
        for segment in self.segments.iter_mut().filter(|segment| segment.is_out_of_range(last_seq)) {
            self.joining = None; // a join under way carries the old numbers; it finds itself called off
            let mut draft = Draft::default();
            draft.push_live(segment);
            *segment = Arc::new(draft.build(kinds, base_seq));
        }
    }
}
