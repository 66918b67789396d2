//! Random histories: a collection and the map it should equal, changed side by side.
//!
//! Beside the plain changes they hold what happens to a collection in service: removals that arrive after the item was
//! put anew, changes that arrive twice, batches so large that segments are joined in the background, and now and then
//! a number that is four billion later.

use std::sync::Arc;

use nigh::collection::{Change, Collection, Id, Item, Properties, Snapshot};
use nigh::generate::{GENERATORS, Generator, Random};
use nigh::geometry::Point;
use nigh::index::KINDS;

use crate::model::Model;
use crate::properties::random_json;

/// A collection with its history.
pub(super) struct History {
    pub(super) random: Random,
    pub(super) collection: Collection,
    pub(super) model: Model,
    pub(super) generator: &'static Generator,
    /// Every position that an item may take: some stay free, and questions are asked round all of them.
    pub(super) places: Vec<Point>,
    ids: Vec<Id>,
    clock_ms: i64,
    sent: Vec<(u64, Vec<Change>)>,
    late: Vec<Change>,
}

/// Few enough for a segment without directories, some hundred to some thousand, and enough to be joined in the background.
fn random_size(random: &mut Random, world: u64) -> usize {
    match world % 40 {
        0..3 => 1 + random.below(64) as usize,
        3 => 9_000 + random.below(3_000) as usize,
        _ => random.magnitude(60.0, 1_600.0) as usize,
    }
}

impl History {
    /// An empty collection of one generator's kind; worlds go through all generators and sizes.
    pub(super) fn new(seed: u64, world: u64) -> History {
        let mut random = Random::seeded(seed ^ world.wrapping_mul(0xD134_2543_DE82_EF95));
        let size = random_size(&mut random, world);
        let generator = &GENERATORS[(world as usize) % GENERATORS.len()];
        let mut places = (generator.make)(&mut random, size);
        if random.once_in(3) {
            let other = &GENERATORS[random.below(GENERATORS.len() as u64) as usize];
            places.extend((other.make)(&mut random, size / 4));
        }
        let ids = (0..size).map(|number| random_id(&mut random, number)).collect();
        let (collection, model, sent, late) = (Collection::with_kinds(KINDS), Model::default(), vec![], vec![]);
        History { random, collection, model, generator, places, ids, clock_ms: 0, sent, late }
    }

    /// How many items there may be at once.
    pub(super) fn size(&self) -> usize {
        self.ids.len()
    }

    /// Everything put once, in one batch or several.
    pub(super) fn fill(&mut self) {
        let ids = self.ids.clone();
        let batch = if self.random.once_in(2) { ids.len() } else { 1 + self.random.below(ids.len() as u64) as usize };
        for ids in ids.chunks(batch) {
            let changes = ids.iter().map(|id| self.put(id.clone())).collect();
            self.send(changes);
        }
    }

    /// Some batches of changes, and the same moment of the collection and of the map.
    pub(super) fn advance(&mut self) -> (Arc<Snapshot>, Model) {
        let batches = 1 + self.random.below(4);
        for _ in 0..batches {
            let most = 2.0 * self.ids.len() as f64 + 2.0;
            let size = self.random.magnitude(1.0, most) as usize + 1;
            let changes = (0..size).map(|_| self.random_change()).collect();
            self.send(changes);
        }
        self.expire();
        if self.random.once_in(4) {
            self.send_again();
        }
        (self.collection.snapshot(), self.model.clone())
    }

    fn random_change(&mut self) -> Change {
        let id = self.ids[self.random.below(self.ids.len() as u64) as usize].clone();
        if self.random.once_in(5) { Change::Remove(id) } else { self.put(id) }
    }

    fn put(&mut self, id: Id) -> Change {
        let random = &mut self.random;
        let point = self.places[random.below(self.places.len() as u64) as usize];
        let properties = Properties::from_json(&random_json(random)).unwrap();
        let item = Item::new(id, point).with_properties(properties);
        Change::Put(if random.once_in(8) { item.expiring_at(self.clock_ms + random.below(50) as i64) } else { item })
    }

    /// Tells what is due, and lets it go now or a round later, when some of it has been put anew.
    fn expire(&mut self) {
        self.clock_ms += self.random.below(40) as i64;
        let most = 1 + self.random.below(200) as usize;
        let due = self.collection.due(self.clock_ms, most);
        let told: Vec<(String, u64)> = due
            .iter()
            .map(|change| match change {
                Change::Expire { id, put_seq } => (id.as_str().to_owned(), *put_seq),
                other => panic!("{other:?} is due"),
            })
            .collect();
        assert_eq!(told, self.model.due(self.clock_ms, most));
        let late = std::mem::replace(&mut self.late, due);
        self.send(late);
        if self.random.once_in(2) {
            let due = std::mem::take(&mut self.late);
            self.send(due);
        }
    }

    fn send(&mut self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        if self.random.once_in(200) {
            self.model.seq += 5_000_000_000;
        }
        let first_seq = self.model.seq + 1;
        self.deliver(first_seq, changes.clone());
        if self.sent.len() < 32 {
            self.sent.push((first_seq, changes));
        }
    }

    /// Delivers an old batch again, perhaps with something new behind it.
    fn send_again(&mut self) {
        let Some((first_seq, mut changes)) = self.sent.pop() else { return };
        if first_seq + changes.len() as u64 - 1 == self.model.seq {
            let id = self.ids[0].clone();
            changes.push(self.put(id));
        }
        self.deliver(first_seq, changes);
    }

    fn deliver(&mut self, first_seq: u64, changes: Vec<Change>) {
        let expected = self.model.apply(first_seq, &changes);
        assert_eq!(self.collection.apply(first_seq, changes), expected);
    }
}

/// Ids whose order by bytes is not the order of numbers, letters or lengths, some of them alike for long.
fn random_id(random: &mut Random, number: usize) -> Id {
    let text = match random.below(6) {
        0 => format!("{number}"),
        1 => format!("é{number:x}"),
        2 => format!("Z {number}"),
        3 => format!("vehicle/of/the/very/long/fleet/{}{number}", "x".repeat(random.below(30) as usize)),
        4 => format!("vehicle/of/the/very/long/fleet/{number:07}"),
        _ => format!("z{:x}", number.reverse_bits()),
    };
    Id::new(text).unwrap()
}
