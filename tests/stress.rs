//! Everything at once, for a while: changes, loads, checkpoints, backups, drops, other kinds, readers and restarts. What was
//! acknowledged is there after each restart, and at the end every part of the directory fits every other.
//!
//! What surprises: no writer needs to know of another. Each has ids of its own, so it can say what must be there.
//! `NIGH_STRESS=5` runs it for five minutes, `NIGH_SEED` takes another course.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nigh::collection::{Change, Id, Item, Outcome, Properties};
use nigh::engine::{
    CollectionName, CollectionSettings, Condition, Durability, Engine, EngineError, RequestKey, Settings, Submission,
    Write, verify,
};
use nigh::geometry::{Point, Radius, Rect};
use nigh::index::KINDS;
use nigh::query::Query;

const WRITERS: u64 = 3;
const ROUND: Duration = Duration::from_millis(1800);

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % bound
    }

    fn item(&mut self, id: &str) -> Item {
        let degrees = |word: u64, most: f64| word as f64 / 10_000.0 * 2.0 * most - most;
        let point = Point::new(degrees(self.below(10_000), 90.0), degrees(self.below(10_000), 180.0)).unwrap();
        let text = format!(r#"{{"n":{}}}"#, self.below(1_000_000));
        Item::new(Id::new(id).unwrap(), point).with_properties(Properties::from_json(&text).unwrap())
    }
}

fn shared() -> CollectionName {
    "shared".parse().unwrap()
}

fn churned() -> CollectionName {
    "churned".parse().unwrap()
}

/// What one writer knows to be there: properties by id, and the version where it was told.
struct Writer {
    random: Random,
    prefix: String,
    there: BTreeMap<String, (String, Option<u64>)>,
    turns: u64,
}

impl Writer {
    fn put(&mut self, id: &str) -> Change {
        Change::Put(self.random.item(id))
    }

    fn note(&mut self, change: &Change, seq: Option<u64>) {
        match change {
            Change::Put(item) => {
                let text = item.properties.as_json().to_owned();
                self.there.insert(item.id.as_str().to_owned(), (text, seq));
            }
            other => drop(self.there.remove(other.id().as_str())),
        }
    }

    fn some_change(&mut self) -> Change {
        let id = format!("{}-{}", self.prefix, self.random.below(400));
        if self.random.below(4) == 0 { Change::Remove(Id::new(id).unwrap()) } else { self.put(&id) }
    }

    fn turn(&mut self, engine: &Engine) {
        self.turns += 1;
        match self.random.below(10) {
            0..=4 => self.batch(engine),
            5..=6 => self.conditional(engine),
            7..=8 => self.keyed(engine),
            _ => self.expiring(engine),
        }
    }

    fn batch(&mut self, engine: &Engine) {
        let count = if self.random.below(2) == 0 { 1 } else { self.random.below(60) };
        let changes: Vec<Change> = (0..count).map(|_| self.some_change()).collect();
        let made = engine.submit(&shared(), changes.clone()).unwrap();
        assert_eq!(made.outcomes.len(), changes.len());
        let first_seq = made.seq + 1 - count;
        for ((change, outcome), seq) in changes.iter().zip(made.outcomes).zip(first_seq..) {
            self.check(change, outcome);
            self.note(change, Some(seq));
        }
    }

    fn check(&self, change: &Change, outcome: Outcome) {
        let is_there = self.there.contains_key(change.id().as_str());
        let expected = match (change, is_there) {
            (Change::Put(_), false) => Outcome::Created,
            (Change::Put(_), true) => Outcome::Replaced,
            (_, false) => Outcome::Absent,
            (_, true) => Outcome::Removed,
        };
        assert_eq!(outcome, expected, "{change:?}");
    }

    fn conditional(&mut self, engine: &Engine) {
        let change = self.some_change();
        let version = self.there.get(change.id().as_str()).map(|(_, seq)| seq.unwrap());
        let wrong = Condition::Version(version.map_or(1, |seq| seq - 1));
        let conditions = [Condition::Absent, Condition::Present, wrong, version.map_or(wrong, Condition::Version)];
        let which = self.random.below(4) as usize;
        let holds = [version.is_none(), version.is_some(), false, version.is_some()][which];
        match engine.submit(&shared(), Write { change: change.clone(), condition: conditions[which] }) {
            Ok(made) => {
                assert!(holds, "{change:?} {:?} {version:?}", conditions[which]);
                self.note(&change, Some(made.seq));
            }
            Err(EngineError::Condition { present, .. }) => {
                assert!(!holds);
                assert_eq!(present, version);
            }
            Err(other) => panic!("{other}"),
        }
    }

    fn keyed(&mut self, engine: &Engine) {
        let key = RequestKey::new(&format!("{}-{}", self.prefix, self.turns)).unwrap();
        let change = self.some_change();
        let once = || Submission::from(change.clone()).once(key.clone());
        let (sender, answer) = std::sync::mpsc::channel();
        let early = engine.submit_then(&shared(), once(), move |made| sender.send(made).unwrap());
        let second = engine.submit(&shared(), once()).unwrap();
        match early {
            Err(EngineError::Busy) => assert!(!second.repeated),
            early => {
                early.unwrap();
                let first = answer.recv().unwrap().unwrap();
                assert!(!first.repeated && second.repeated);
                assert_eq!((first.seq, &first.outcomes), (second.seq, &second.outcomes));
            }
        }
        self.check(&change, second.outcomes[0]);
        self.note(&change, Some(second.seq));
    }

    /// An item that ends soon, and one that would have, had it not been put again.
    fn expiring(&mut self, engine: &Engine) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
        let soon = now + self.random.below(300) as i64;
        let gone = self.random.item(&format!("{}-gone", self.prefix)).expiring_at(soon);
        engine.submit(&shared(), Change::Put(gone)).unwrap();
        let id = format!("{}-kept", self.prefix);
        let ending = self.random.item(&id).expiring_at(soon);
        engine.submit(&shared(), Change::Put(ending)).unwrap();
        std::thread::sleep(Duration::from_millis(self.random.below(20)));
        let kept = self.put(&id);
        let made = engine.submit(&shared(), kept.clone()).unwrap();
        self.note(&kept, Some(made.seq));
    }

    fn load(&mut self, engine: &Engine) {
        let mut bulk = engine.bulk(&shared(), None).unwrap();
        let mut items = BTreeMap::new();
        for _ in 0..self.random.below(500) {
            let id = format!("{}-{}", self.prefix, self.random.below(900));
            let item = self.random.item(&id);
            bulk.push(&item).unwrap();
            items.insert(id, item);
        }
        if self.random.below(5) == 0 {
            return; // abandoned
        }
        bulk.finish().unwrap();
        items.into_values().for_each(|item| self.note(&Change::Put(item), None));
    }

    /// Compares what there is of this writer with what it knows.
    fn compare(&self, engine: &Engine, when: &str) {
        let snapshot = engine.snapshot(&shared()).unwrap();
        let own = |id: &str| id.strip_prefix(&self.prefix).is_some_and(|rest| rest.starts_with('-') && rest != "-gone");
        let found: BTreeMap<String, (String, u64)> = snapshot
            .items()
            .filter(|item| own(item.id()))
            .map(|item| (item.id().to_owned(), (item.properties().to_owned(), item.seq)))
            .collect();
        assert!(self.there.keys().eq(found.keys()), "{when}: {} has other ids", self.prefix);
        for (id, (text, seq)) in &self.there {
            let (there, at) = &found[id];
            assert!(text == there && seq.is_none_or(|seq| seq == *at), "{when}: {id} is {there} at {at}");
        }
    }
}

fn some_kinds(random: &mut Random) -> CollectionSettings {
    let count = random.below(5);
    let kinds = (0..count).map(|_| &KINDS[random.below(KINDS.len() as u64) as usize]).collect();
    CollectionSettings { kinds, ..CollectionSettings::default() }
}

/// A collection that comes and goes.
fn churn(engine: &Engine, random: &mut Random) {
    let gone = |error: EngineError| assert!(matches!(error, EngineError::NoCollection { .. }), "{error}");
    match random.below(5) {
        0 => engine.drop_collection(&churned()).unwrap_or_else(gone),
        1 => engine.configure(&churned(), some_kinds(random)).unwrap(),
        2 => {
            let changes: Vec<Change> = (0..200).map(|at| Change::Put(random.item(&format!("c{at}")))).collect();
            engine.submit(&churned(), changes).unwrap();
        }
        _ => match engine.bulk(&churned(), None) {
            Ok(mut bulk) => {
                (0..300).for_each(|at| bulk.push(&random.item(&format!("c{at}"))).unwrap());
                bulk.finish().map_or_else(gone, drop);
            }
            Err(error) => gone(error),
        },
    }
}

fn keep(engine: &Engine, random: &mut Random, path: &Path) {
    match random.below(8) {
        0 => {
            let to = path.with_extension(format!("backup-{}", random.below(1 << 40)));
            engine.backup(&to).unwrap();
            std::fs::remove_dir_all(to).unwrap();
        }
        1..=2 => engine.configure(&shared(), some_kinds(random)).unwrap(),
        _ => engine.checkpoint().unwrap(),
    }
    std::thread::sleep(Duration::from_millis(random.below(150)));
}

fn read(engine: &Engine, random: &mut Random) {
    let name = if random.below(4) == 0 { churned() } else { shared() };
    let centre = random.item("x").point;
    let near = Query::near(centre).within(Radius::from_metres(random.below(4_000_000) as f64).unwrap());
    let Ok(compared) = engine.compare(&name, &near) else { return assert_eq!(name, churned()) };
    assert!(compared.iter().all(|comparison| comparison.identical), "kinds differ near {centre:?}");
    let whole = Query::in_rect(Rect::from_corners(-90.0, -180.0, 90.0, 180.0).unwrap());
    let Ok(answer) = engine.ask(&name, &whole) else { return assert_eq!(name, churned()) };
    let snapshot = answer.snapshot();
    assert_eq!((snapshot.len(), answer.matched), (snapshot.items().count(), snapshot.len() as u64));
}

#[test]
fn what_was_acknowledged_is_there_whatever_goes_on_meanwhile() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let total = number("NIGH_STRESS").map_or(Duration::from_secs(12), |minutes| Duration::from_secs(60 * minutes));
    let seed = number("NIGH_SEED").unwrap_or(1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let mut random = Random(seed);
    let writer = |prefix: String, at| Writer { random: Random(seed ^ at), prefix, there: BTreeMap::new(), turns: 0 };
    let mut writers: Vec<Writer> = (0..WRITERS).map(|at| writer(format!("w{at}"), at << 32)).collect();
    let mut loaders: Vec<Writer> = (0..2).map(|at| writer(format!("l{at}"), at << 48)).collect();
    let (begin, mut rounds, reads) = (Instant::now(), 0_u64, AtomicU64::new(0));
    while begin.elapsed() < total {
        rounds += 1;
        let durability = match random.below(2) {
            0 => Durability::Fsync,
            _ => Durability::Interval(Duration::from_millis(random.below(50))),
        };
        let settings = Settings {
            durability,
            queue: 1 + random.below(8) as usize,
            checkpoint_bytes: 30_000,
            checkpoint_changes: random.below(2000),
            keep_changes: random.below(500),
            load_bytes: 20_000,
            reserve_bytes: 0,
        };
        let engine = Engine::open(&path, settings).unwrap();
        assert_eq!(engine.started().made_anew, vec![], "round {rounds}");
        if rounds > 1 {
            let when = format!("at the start of round {rounds}");
            writers.iter().chain(&loaders).for_each(|writer| writer.compare(&engine, &when));
        } else {
            engine.configure(&shared(), CollectionSettings::default()).unwrap();
        }
        let stopped = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (engine, stopped, path, reads) = (&engine, &stopped, &path, &reads);
            let until = move |mut work: Box<dyn FnMut() + Send + '_>| {
                while !stopped.load(Ordering::Relaxed) {
                    work();
                }
            };
            for writer in &mut writers {
                scope.spawn(move || until(Box::new(|| writer.turn(engine))));
            }
            for loader in &mut loaders {
                scope.spawn(move || until(Box::new(|| loader.load(engine))));
            }
            for at in 0..5 {
                let mut random = Random(random.below(u64::MAX));
                scope.spawn(move || {
                    until(Box::new(|| match at {
                        0..=1 => churn(engine, &mut random),
                        2 => keep(engine, &mut random, path),
                        _ => {
                            read(engine, &mut random);
                            reads.fetch_add(1, Ordering::Relaxed);
                        }
                    }));
                });
            }
            std::thread::sleep(ROUND);
            stopped.store(true, Ordering::Relaxed);
        });
        writers.iter().chain(&loaders).for_each(|writer| writer.compare(&engine, &format!("in round {rounds}")));
        if random.below(2) == 0 {
            engine.close().unwrap();
        }
    }
    let turns: u64 = writers.iter().map(|writer| writer.turns).sum();
    println!("{rounds} rounds, {turns} turns, {} reads", reads.load(Ordering::Relaxed));
    assert_eq!(verify(&path).unwrap().differences, Vec::<String>::new());
}
