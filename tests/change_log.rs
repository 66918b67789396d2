//! What every log behind the seam promises, and that a consumer which knows only the promise ends up right.
//!
//! What surprises: the same consumer runs over a log that loses answers, repeats itself and forgets at crashes, and needs no line
//! to tell them apart.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use nigh::collection::{Change, Collection, Id, Item, Properties};
use nigh::generate::Random;
use nigh::geometry::Point;
use nigh::log::{
    Batch, ChangeLog, Entry, FjallStore, Frame, Load, Local, LogError, MemoryStore, Settings, Sim, Space, Store, Sync,
    Trouble,
};

/// A log that can be crashed: what comes back is the log as the next process finds it.
trait Crashing {
    fn log(&self) -> &dyn ChangeLog;
    fn store(&self) -> Arc<dyn Store>;
    fn sync(&self);
    fn crash(&mut self, random: &mut Random);
}

struct InMemory(Arc<MemoryStore>, Local);

impl InMemory {
    fn new() -> InMemory {
        InMemory::with(MemoryStore::new())
    }

    fn with(store: MemoryStore) -> InMemory {
        let store = Arc::new(store);
        InMemory(store.clone(), Local::open(store, None).unwrap())
    }
}

impl Crashing for InMemory {
    fn log(&self) -> &dyn ChangeLog {
        &self.1
    }

    fn store(&self) -> Arc<dyn Store> {
        self.0.clone()
    }

    fn sync(&self) {
        self.1.sync().unwrap();
    }

    fn crash(&mut self, random: &mut Random) {
        let keep = random.below(self.0.unsynced() as u64 + 1) as usize;
        *self = InMemory::with(self.0.crash(keep));
    }
}

/// A crash of this one is the end of its process: the system keeps what was written.
struct OnDisk(tempfile::TempDir, Option<(Arc<dyn Store>, Local)>);

impl OnDisk {
    fn new() -> OnDisk {
        let folder = tempfile::tempdir().unwrap();
        drop(FjallStore::create(&folder.path().join("store"), &Settings::default()).unwrap());
        let mut log = OnDisk(folder, None);
        log.crash(&mut Random::seeded(0));
        log
    }
}

impl Crashing for OnDisk {
    fn log(&self) -> &dyn ChangeLog {
        &self.1.as_ref().unwrap().1
    }

    fn store(&self) -> Arc<dyn Store> {
        self.1.as_ref().unwrap().0.clone()
    }

    fn sync(&self) {
        self.1.as_ref().unwrap().1.sync().unwrap();
    }

    fn crash(&mut self, _random: &mut Random) {
        self.1 = None;
        let store: Arc<dyn Store> =
            Arc::new(FjallStore::open(&self.0.path().join("store"), &Settings::default()).unwrap());
        let mark = nigh::log::HighWater::open(&self.0.path().join("high-water")).unwrap();
        self.1 = Some((store.clone(), Local::open(store, Some(mark)).unwrap()));
    }
}

struct Simulated(Sim, Arc<MemoryStore>);

impl Simulated {
    fn new(seed: u64, trouble: Trouble) -> Simulated {
        let store = Arc::new(MemoryStore::new());
        Simulated(Sim::seeded(seed, trouble, store.clone()), store)
    }
}

impl Crashing for Simulated {
    fn log(&self) -> &dyn ChangeLog {
        &self.0
    }

    fn store(&self) -> Arc<dyn Store> {
        self.1.clone()
    }

    fn sync(&self) {
        self.0.sync().unwrap();
    }

    fn crash(&mut self, _random: &mut Random) {
        self.0.crash();
    }
}

fn everywhere(check: impl Fn(&mut dyn Crashing)) {
    check(&mut InMemory::new());
    check(&mut OnDisk::new());
    check(&mut Simulated::new(1, Trouble::default()));
}

fn put(id: u64, random: &mut Random) -> Change {
    let point = Point::new(random.between(-90.0, 90.0), random.between(-180.0, 180.0)).unwrap();
    let properties = Properties::from_json(&format!("{{\"n\":{}}}", random.below(1_000))).unwrap();
    Change::Put(Item::new(Id::new(format!("item-{id}")).unwrap(), point).with_properties(properties))
}

fn some_changes(random: &mut Random, count: u64) -> Vec<Change> {
    let one = |random: &mut Random| match random.below(4) {
        0 => Change::Remove(Id::new(format!("item-{}", random.below(50))).unwrap()),
        _ => put(random.below(50), random),
    };
    (0..count).map(|_| one(random)).collect()
}

fn frame(stream: u32, first_seq: u64, count: u64) -> Frame {
    let mut random = Random::seeded(first_seq);
    Frame { stream, first_seq, entry: (0..count).map(|id| put(id, &mut random)).collect::<Vec<_>>().into() }
}

/// The changes of a stream from a number on, held to the contract on the way: no gaps, nothing out of order.
fn changes_from(log: &dyn ChangeLog, stream: u32, from: u64) -> Vec<Change> {
    let mut changes = Vec::new();
    for frame in log.tail(stream, from) {
        let frame = frame.unwrap();
        let next = from + changes.len() as u64;
        assert!(frame.stream == stream && from <= frame.first_seq && frame.first_seq <= next, "{frame:?} after {next}");
        let Entry::Changes(new) = frame.entry else { panic!("a load") };
        changes.extend(new.into_iter().skip((next - frame.first_seq) as usize).map(|step| step.change));
    }
    changes
}

#[test]
fn numbers_begin_at_1_and_a_frame_that_does_not_follow_is_refused() {
    everywhere(|crashing| {
        let log = crashing.log();
        let append = |frames: &[Frame]| log.append(frames, Batch::new(), Sync::Now);
        assert_eq!((log.head(5).unwrap(), log.tail(5, 1).count()), (0, 0));
        assert_eq!(append(&[frame(5, 2, 1)]), Err(LogError::Gap { stream: 5, first_seq: 2, head: 0 }));
        append(&[frame(5, 1, 3), frame(6, 1, 2), frame(5, 4, 1)]).unwrap();
        assert_eq!((log.head(5).unwrap(), log.head(6).unwrap()), (4, 2));
        for first_seq in [4, 6] {
            // The frame before it follows, but a call is all or nothing.
            let gap = LogError::Gap { stream: 5, first_seq, head: 4 };
            assert_eq!(append(&[frame(6, 3, 1), frame(5, first_seq, 1)]), Err(gap));
        }
        assert_eq!((log.head(5).unwrap(), log.head(6).unwrap()), (4, 2));
        append(&[frame(5, 5, 1)]).unwrap();
    });
}

#[test]
fn a_tail_begins_where_it_was_asked_to() {
    everywhere(|crashing| {
        let log = crashing.log();
        let frames = [frame(1, 1, 4), frame(1, 5, 1), frame(1, 6, 5)];
        frames.iter().for_each(|frame| log.append(std::slice::from_ref(frame), Batch::new(), Sync::Later).unwrap());
        log.append(&[frame(0, 1, 2), frame(2, 1, 2)], Batch::new(), Sync::Now).unwrap();
        let all = changes_from(log, 1, 1);
        assert_eq!(all.len(), 10);
        (1..=11).for_each(|from| assert_eq!(changes_from(log, 1, from), all[from as usize - 1..], "from {from}"));
        assert_eq!(changes_from(log, 1, 1_000), []);
        assert_eq!(changes_from(log, u32::MAX, 1), []);
    });
}

#[test]
fn loads_stand_in_the_log_like_changes() {
    everywhere(|crashing| {
        let log = crashing.log();
        let load = Entry::Load(Load { items: 5_000_000_000, segments: vec![4, 9], checksum: u64::MAX });
        let load = Frame { stream: 1, first_seq: 3, entry: load };
        let after = frame(1, load.next_seq(), 1);
        log.append(&[frame(1, 1, 2), load.clone(), after.clone()], Batch::new(), Sync::Now).unwrap();
        assert_eq!(log.head(1).unwrap(), 5_000_000_003);
        let found: Vec<Frame> = log.tail(1, 3).map(Result::unwrap).collect();
        assert_eq!(found, [load, after]);
    });
}

#[test]
fn what_is_trimmed_is_gone_and_the_numbers_go_on() {
    everywhere(|crashing| {
        for turn in 0..5 {
            crashing.log().append(&[frame(1, 1 + turn * 3, 3)], Batch::new(), Sync::Now).unwrap();
        }
        let oldest = crashing.log().trim(1, 8).unwrap();
        assert_eq!(oldest, 7);
        let trimmed = LogError::Trimmed { stream: 1, asked: 6, oldest: 7 };
        assert_eq!(crashing.log().tail(1, 6).next(), Some(Err(trimmed)));
        assert_eq!(changes_from(crashing.log(), 1, 7).len(), 9);
        assert!(crashing.log().trim(1, 1_000).unwrap() <= 16);
        crashing.sync();
        crashing.crash(&mut Random::seeded(1));
        assert_eq!(crashing.log().head(1).unwrap(), 15);
        crashing.log().append(&[frame(1, 16, 1)], Batch::new(), Sync::Now).unwrap();
    });
}

#[test]
fn riders_are_written_with_their_append() {
    everywhere(|crashing| {
        let mut rider = Batch::new();
        rider.put(Space::Records, *b"row", *b"1");
        crashing.log().append(&[frame(1, 1, 1)], rider.clone(), Sync::Now).unwrap();
        assert_eq!(crashing.store().get(Space::Records, b"row").unwrap(), Some(b"1".to_vec()));
        let mut rider = Batch::new();
        rider.put(Space::Records, *b"other", *b"1");
        crashing.log().append(&[frame(1, 1, 1)], rider, Sync::Now).unwrap_err();
        assert_eq!(crashing.store().get(Space::Records, b"other").unwrap(), None);
    });
}

#[test]
fn what_was_appended_with_now_outlasts_a_crash_and_the_rest_is_a_prefix() {
    for seed in 0..20 {
        everywhere(|crashing| {
            let mut random = Random::seeded(seed);
            let (mut sure, mut next) = (0, 1);
            for turn in 0..20 {
                let sync = if random.once_in(4) { Sync::Now } else { Sync::Later };
                let frame = frame(1, next, 1 + random.below(5));
                next = frame.next_seq();
                crashing.log().append(&[frame], Batch::new(), sync).unwrap();
                if random.once_in(6) {
                    crashing.sync();
                    sure = next - 1;
                }
                if sync == Sync::Now {
                    sure = next - 1;
                }
                if turn % 5 == 4 {
                    crashing.crash(&mut random);
                    let head = crashing.log().head(1).unwrap();
                    assert!(sure <= head && head < next, "seed {seed}: {head} is not between {sure} and {next}");
                    assert_eq!(changes_from(crashing.log(), 1, 1).len() as u64, head);
                    next = head + 1;
                }
            }
        });
    }
}

/// Who applies what the log tells, and nothing else.
#[derive(Default)]
struct Consumer {
    collections: BTreeMap<u32, Collection>,
}

impl Consumer {
    fn catch_up(&mut self, log: &dyn ChangeLog, stream: u32) -> u64 {
        let collection = self.collections.entry(stream).or_default();
        for frame in log.tail(stream, collection.snapshot().seq() + 1) {
            let frame = frame.unwrap();
            let Entry::Changes(changes) = frame.entry else { panic!("a load") };
            collection.apply(frame.first_seq, changes.into_iter().map(|step| step.change).collect());
        }
        collection.snapshot().seq()
    }

    fn items(&self, stream: u32) -> Vec<(String, u64, String)> {
        items(&self.collections[&stream])
    }
}

fn items(collection: &Collection) -> Vec<(String, u64, String)> {
    let snapshot = collection.snapshot();
    let ids = (0..50).map(|id| format!("item-{id}"));
    ids.filter_map(|id| {
        let item = snapshot.get(&id)?;
        Some((id, item.seq, format!("{:?} {}", item.point(), item.properties())))
    })
    .collect()
}

/// Appends until it stands in the log, whatever the answers were. A log that does not answer is asked for its head.
fn append_surely(log: &dyn ChangeLog, frame: &Frame, sync: Sync) {
    for _ in 0..1_000 {
        match log.append(std::slice::from_ref(frame), Batch::new(), sync) {
            Ok(()) => return,
            Err(LogError::Gap { .. }) => panic!("{frame:?} does not follow"),
            Err(_) if log.head(frame.stream).unwrap() >= frame.next_seq() - 1 => return,
            Err(_) => {}
        }
    }
    panic!("the log never took {frame:?}");
}

/// Writes at random with crashes in between, then compares consumers that lived through it, that came late, and a plain replay
/// of what the log says.
fn consumers_agree(seed: u64, crashing: &mut dyn Crashing) {
    let mut random = Random::seeded(seed);
    let mut consumer = Consumer::default();
    for turn in 0..60 {
        let stream = random.below(2) as u32;
        let changes = some_changes(&mut random, 1 + turn % 7);
        let first_seq = crashing.log().head(stream).unwrap() + 1;
        let sync = if random.once_in(2) { Sync::Now } else { Sync::Later };
        append_surely(crashing.log(), &Frame { stream, first_seq, entry: Entry::from(changes) }, sync);
        if random.once_in(3) {
            // Only what is durable is shown to anybody.
            crashing.sync();
            consumer.catch_up(crashing.log(), stream);
        }
        if random.once_in(10) {
            crashing.crash(&mut random);
            if random.once_in(2) {
                consumer = Consumer::default();
            }
        }
    }
    let mut late = Consumer::default();
    for stream in 0..2 {
        let head = crashing.log().head(stream).unwrap();
        for consumer in [&mut consumer, &mut late] {
            let mut turns = 0..1_000;
            while consumer.catch_up(crashing.log(), stream) < head {
                turns.next().unwrap_or_else(|| panic!("seed {seed}: the tail of {stream} never reaches {head}"));
            }
        }
        let mut all = changes_from(crashing.log(), stream, 1);
        while (all.len() as u64) < head {
            all = changes_from(crashing.log(), stream, 1);
        }
        let plain = Collection::new();
        plain.apply(1, all);
        assert_eq!(consumer.items(stream), items(&plain), "seed {seed}");
        assert_eq!(late.items(stream), items(&plain), "seed {seed}");
    }
}

#[test]
fn consumers_of_any_log_agree_with_a_plain_replay() {
    for seed in 0..30 {
        consumers_agree(seed, &mut InMemory::new());
        consumers_agree(seed, &mut Simulated::new(seed, Trouble::default()));
        consumers_agree(seed, &mut Simulated::new(seed, Trouble::all()));
    }
    consumers_agree(1, &mut OnDisk::new());
    consumers_agree(2, &mut OnDisk::new());
}

#[test]
fn a_simulated_log_makes_the_same_trouble_for_the_same_seed() {
    let history = |seed| {
        let simulated = Simulated::new(seed, Trouble::all());
        let mut answers = Vec::new();
        for _ in 0..100 {
            let next = simulated.log().head(1).unwrap() + 1;
            answers.push(format!("{:?}", simulated.log().append(&[frame(1, next, 4)], Batch::new(), Sync::Later)));
            let frames = simulated.log().tail(1, 1).map(|frame| frame.unwrap().first_seq);
            answers.push(format!("{:?}", frames.collect::<Vec<_>>()));
        }
        answers
    };
    let answers = history(3);
    assert_eq!(answers, history(3));
    assert_ne!(answers, history(4));
    for trouble in ["Unknown", "it is not there"] {
        assert!(answers.iter().any(|answer| answer.contains(trouble)), "{trouble}");
    }
    // Repeats, pieces and delays: what is given does not begin at 1, 5, 9, … up to the head.
    let lists = answers.iter().filter(|answer| answer.starts_with('[')).map(|answer| answer.matches(',').count());
    assert!(lists.collect::<std::collections::BTreeSet<_>>().len() > 50);
}
