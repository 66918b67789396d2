//! Collections on disk: what a checkpoint wrote is opened as it was, and goes on from there; what is damaged is noticed.
//!
//! Beside every collection that is written and opened stands one that never left memory and got the same changes: the two
//! must answer alike. What surprises: no test waits for a disk to fail. Files are changed by hand, everywhere and anyhow, and
//! the one thing that must never come of it is a wrong answer.
#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

#[path = "segments/adopting.rs"]
mod adopting;
#[path = "segments/damage.rs"]
mod damage;
#[path = "segments/generations.rs"]
mod generations;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use nigh::collection::{Change, Collection, Id, Item, Properties, Snapshot};
use nigh::generate::{GENERATORS, Random};
use nigh::geometry::{Point, Radius, Rect};
use nigh::index::Kind;
use nigh::query::{Answer, K, Limit, Query};

/// A folder of its own for each test, removed when the test ends well.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("segments-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }
}

/// Changes of all sorts: ids that need escapes, properties, ends of life, removals, moves into crowds.
struct Changes {
    random: Random,
    places: Vec<Point>,
    ids: u64,
}

impl Changes {
    fn seeded(seed: u64, ids: u64) -> Changes {
        let mut random = Random::seeded(seed);
        let places = GENERATORS.iter().flat_map(|generator| (generator.make)(&mut random, 300)).collect();
        Changes { random, places, ids }
    }

    fn id(&mut self) -> Id {
        let number = self.random.below(self.ids);
        Id::new(if number.is_multiple_of(17) { format!("\"é\\{number}") } else { format!("item-{number}") }).unwrap()
    }

    fn next(&mut self) -> Change {
        let id = self.id();
        if self.random.once_in(6) {
            return Change::Remove(id);
        }
        let item = Item::new(id, self.places[self.random.below(self.places.len() as u64) as usize]);
        let text = format!("{{\"n\": {}}}", "9".repeat(self.random.below(60) as usize + 1));
        let item = item.with_properties(Properties::from_json(&text).unwrap());
        let expires = self.random.once_in(3);
        Change::Put(if expires { item.expiring_at(self.random.below(1000) as i64) } else { item })
    }

    fn batch(&mut self) -> Vec<Change> {
        let size = self.random.magnitude(1.0, 3000.0) as usize;
        (0..size).map(|_| self.next()).collect()
    }
}

fn queries(random: &mut Random) -> Vec<Query> {
    let centre = Point::new(random.between(-90.0, 90.0), random.between(-180.0, 180.0)).unwrap();
    let near = Query::near(centre);
    let radius = Radius::from_metres(random.magnitude(1e3, 1.9e7)).unwrap();
    let (south, west) = (random.between(-90.0, 80.0), random.between(-180.0, 180.0));
    let rect = Rect::from_corners(south, west, south + 10.0, random.between(-180.0, 180.0)).unwrap();
    let page = Limit::new(1 + random.below(500) as usize).unwrap();
    [
        Query::in_rect(Rect::WORLD),
        Query::in_rect(rect),
        near.clone().within(radius),
        near.nearest(K::new(1 + random.below(50) as usize).unwrap()),
        Query::default(),
    ]
    .map(|query| query.in_pages_of(page))
    .into()
}

fn assert_same_answer(own: &Answer, other: &Answer, what: &str) {
    assert!(
        own.is_identical_to(other),
        "{what}: {} and {} of {} and {}",
        own.len(),
        other.len(),
        own.matched,
        other.matched
    );
    assert!(own.hits().zip(other.hits()).all(|(a, b)| a == b), "{what}: the items differ");
}

/// Whether two collections answer alike, on every kind that the first one keeps.
fn assert_same(own: &Arc<Snapshot>, other: &Arc<Snapshot>, random: &mut Random) {
    assert_eq!((own.seq(), own.len()), (other.seq(), other.len()));
    let queries = queries(random);
    for query in &queries {
        let expected = query.run(other).unwrap();
        let kinds: Vec<Option<&'static Kind>> = own.kinds().iter().map(|&kind| Some(kind)).chain([None]).collect();
        for kind in kinds {
            let query = Query { kind, ..query.clone() };
            assert_same_answer(&query.run(own).unwrap(), &expected, &format!("{kind:?} at {}", own.seq()));
        }
        assert!(expected.hits().all(|hit| own.get(hit.item.id()) == Some(hit.item)));
    }
    assert_eq!(own.get("nobody"), None);
}

fn everything(snapshot: &Arc<Snapshot>) -> Answer {
    Query::default().in_pages_of(Limit::new(10_000).unwrap()).run(snapshot).unwrap()
}

fn some_points(seed: u64, count: usize) -> Collection {
    let collection = Collection::new();
    let mut changes = Changes::seeded(seed, count as u64);
    collection.apply(1, (0..2 * count).map(|_| changes.next()).collect());
    collection.settle();
    collection
}
