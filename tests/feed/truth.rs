//! What truly happened, put together from what the writers know, and what follows from it for each fence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use nigh::collection::{Change, Item, Snapshot};
use nigh::engine::{ChangeEvent, Happened};
use nigh::geometry::Point;
use nigh::log::Was;
use nigh::query::Crossing;

use super::fences::Ground;
use super::listeners::{Heard, Listener};
use super::now_ms;

/// What the writers did, by number.
#[derive(Default)]
pub(super) struct Truth(Mutex<BTreeMap<u64, Done>>);

enum Done {
    Change(Change),
    Load(Vec<Item>),
}

impl Truth {
    pub(super) fn changed(&self, first_seq: u64, changes: Vec<Change>) {
        self.0.lock().unwrap().extend((first_seq..).zip(changes.into_iter().map(Done::Change)));
    }

    pub(super) fn loaded(&self, first_seq: u64, items: Vec<Item>) {
        self.0.lock().unwrap().insert(first_seq, Done::Load(items));
    }

    /// Holds the plain feed against what was done, and makes the whole story of it. What nobody did must be ends of life that were due.
    pub(super) fn told(&self, events: &[ChangeEvent], ground: &Ground) -> Story {
        let done = self.0.lock().unwrap();
        let mut story = Story::of(ground.fences.len());
        let (mut next, mut met) = (1, 0);
        for ChangeEvent { seq, what } in events {
            let known = done.get(&next);
            met += usize::from(known.is_some());
            match (what, known) {
                (Happened::Loaded { first_seq, items }, Some(Done::Load(loaded))) => {
                    assert_eq!((*first_seq, *items, *seq), (next, loaded.len() as u64, next + items - 1));
                    story.load(loaded, *seq);
                }
                (Happened::Put { item, was }, Some(Done::Change(Change::Put(put)))) => {
                    assert_eq!((item, *seq), (put, next));
                    story.step(*seq, item.id.as_str(), *was, Some(item), ground);
                }
                (Happened::Removed { id, was }, Some(Done::Change(Change::Remove(removed)))) => {
                    assert_eq!((id, *seq), (removed, next));
                    story.step(*seq, id.as_str(), *was, None, ground);
                }
                (Happened::Expired { id, was }, None) => {
                    let due = story.there[id.as_str()].expires_at_ms.expect("only what has an end comes to it");
                    assert!(due <= now_ms() && *seq == next, "{id} at {seq}");
                    story.step(*seq, id.as_str(), *was, None, ground);
                }
                (told, _) => panic!("{told:?} at {seq}, after {}", next - 1),
            }
            next = seq + 1;
        }
        assert_eq!(met, done.len(), "something was done that is not told");
        story
    }
}

/// What each fence saw.
pub(super) struct Story {
    /// By fence, in order.
    crossings: Vec<Vec<(u64, String, Crossing)>>,
    /// The last number of each load.
    loads: Vec<u64>,
    /// Where every item was from which number on.
    moves: Vec<(u64, String, Option<Point>)>,
    there: BTreeMap<String, Item>,
}

impl Story {
    fn of(fences: usize) -> Story {
        Story { crossings: vec![Vec::new(); fences], loads: Vec::new(), moves: Vec::new(), there: BTreeMap::new() }
    }

    fn step(&mut self, seq: u64, id: &str, was: Was, is: Option<&Item>, ground: &Ground) {
        let before = match is {
            Some(item) => self.there.insert(id.to_owned(), item.clone()),
            None => self.there.remove(id),
        };
        let before = before.map(|item| item.point);
        self.moves.push((seq, id.to_owned(), is.map(|item| item.point)));
        assert_eq!(was, before.map_or(Was::Nowhere, Was::At), "{id} at {seq}");
        for (fence, crossings) in self.crossings.iter_mut().enumerate() {
            let inside = |place: Option<Point>| place.is_some_and(|place| ground.is_inside(fence, place));
            let crossing = match (inside(before), inside(is.map(|item| item.point))) {
                (false, false) => continue,
                (false, true) => Crossing::Enter,
                (true, false) => Crossing::Exit,
                (true, true) => Crossing::Inside,
            };
            crossings.push((seq, id.to_owned(), crossing));
        }
    }

    /// A load is told as a whole; to a fence it is nothing but the end of what it knew.
    fn load(&mut self, items: &[Item], last_seq: u64) {
        for item in items {
            self.there.insert(item.id.as_str().to_owned(), item.clone());
            self.moves.push((last_seq, item.id.as_str().to_owned(), Some(item.point)));
        }
        self.loads.push(last_seq);
    }

    pub(super) fn ends_as(&self, snapshot: &Snapshot) {
        let found: Vec<(&str, Point)> = snapshot.items().map(|item| (item.id(), item.point())).collect();
        let expected: Vec<(&str, Point)> = self.there.iter().map(|(id, item)| (id.as_str(), item.point)).collect();
        assert_eq!(found, expected);
    }

    /// Holds what a listener heard against what its fence saw; says how many crossings that were.
    pub(super) fn agrees(&self, listener: &Listener, ground: &Ground) -> usize {
        let fence = listener.fence_number;
        let (mut expected, mut moves) = (self.crossings[fence].iter().peekable(), self.moves.iter().peekable());
        let (mut inside, mut heard_up_to, mut told) = (BTreeSet::new(), 0, 0);
        for heard in &listener.heard {
            match heard {
                Heard::Reset(None) => {}
                Heard::Reset(Some(resume)) => {
                    assert!(
                        expected.peek().is_none_or(|(seq, ..)| seq > resume),
                        "fence {fence}: not all before {resume}"
                    );
                    heard_up_to = *resume;
                }
                Heard::List(seq, list) => {
                    while let Some((_, id, place)) = moves.next_if(|(at, ..)| at <= seq) {
                        match place.is_some_and(|place| ground.is_inside(fence, place)) {
                            true => inside.insert(id.clone()),
                            false => inside.remove(id),
                        };
                    }
                    assert_eq!(*list, inside, "fence {fence} at {seq}");
                    while expected.next_if(|(at, ..)| at <= seq).is_some() {}
                    heard_up_to = *seq;
                }
                Heard::Crossed(seq, id, crossing) => {
                    assert_eq!(expected.next(), Some(&(*seq, id.clone(), *crossing)), "fence {fence}");
                    let unnoticed = self.loads.iter().find(|load| (heard_up_to + 1..*seq).contains(load));
                    assert_eq!(unnoticed, None, "fence {fence}: a load before {seq}");
                    (heard_up_to, told) = (*seq, told + 1);
                }
            }
        }
        assert_eq!(expected.next(), None, "fence {fence}: not all is told");
        told
    }
}
