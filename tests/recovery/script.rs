//! What is done to an engine, step by step, and what its collections must hold after each step.
//!
//! What surprises: the model knows nothing of logs and segments. It is a map, and the engine after any stop has to be equal to
//! what the map was after some step.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::collections::{BTreeMap, BTreeSet};

use nigh::collection::{Change, Id, Item, Properties};
use nigh::engine::{Condition, Engine, EngineError, RequestKey, Submission, Write};
use nigh::geometry::Point;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Handed in and waited for.
    Submit(&'static str, Submission),
    /// Handed in; the next step comes at once.
    Hurry(&'static str, Submission),
    Make(&'static str),
    Drop(&'static str),
    Load(&'static str, Vec<Item>, RequestKey),
    Checkpoint,
    /// Time for what the engine does by itself.
    Rest,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Held {
    pub(crate) seq: u64,
    /// By id: version, bits of latitude and longitude, properties, end of life.
    items: BTreeMap<String, (u64, [u64; 2], String, Option<i64>)>,
}

/// All collections by their names.
pub(crate) type World = BTreeMap<String, Held>;

impl Held {
    fn put(&mut self, item: &Item) {
        let bits = [item.point.lat_deg().to_bits(), item.point.lon_deg().to_bits()];
        let kept = (self.seq, bits, item.properties.as_json().to_owned(), item.expires_at_ms);
        self.items.insert(item.id.as_str().to_owned(), kept);
    }

    fn holds(&self, write: &Write) -> bool {
        let version = self.items.get(write.change.id().as_str()).map(|kept| kept.0);
        match write.condition {
            Condition::Always => true,
            Condition::Absent => version.is_none(),
            Condition::Present => version.is_some(),
            Condition::Version(wanted) => version == Some(wanted),
        }
    }

    /// All or none; the conditions of this script are all about items that the submission itself leaves alone.
    fn submit(&mut self, submission: &Submission) -> bool {
        let holds = submission.writes.iter().all(|write| self.holds(write));
        for write in submission.writes.iter().filter(|_| holds) {
            self.seq += 1;
            match &write.change {
                Change::Put(item) => self.put(item),
                Change::Remove(id) | Change::Expire { id, .. } => drop(self.items.remove(id.as_str())),
            }
        }
        holds
    }
}

/// The script with what is there after so many of its steps.
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    pub(crate) worlds: Vec<World>,
}

impl Script {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        let (mut world, mut answered) = (World::new(), BTreeSet::new());
        let mut worlds = vec![world.clone()];
        for step in &steps {
            play_in_model(step, &mut world, &mut answered);
            worlds.push(world.clone());
        }
        Self { steps, worlds }
    }

    /// After how many steps the collections were like this, if that is between two numbers; the last such number.
    pub(crate) fn place_of(&self, found: &World, least: u64, most: u64) -> Result<u64, String> {
        let place = (least..=most).rev().find(|place| self.worlds[*place as usize] == *found);
        place.ok_or_else(|| {
            let sizes = |world: &World| -> Vec<String> {
                world.iter().map(|(name, held)| format!("{name} {} at {}", held.items.len(), held.seq)).collect()
            };
            let elsewhere = self.worlds.iter().position(|world| world == found);
            let right = sizes(&self.worlds[least as usize]);
            format!(
                "found {:?}, that of step {elsewhere:?}; {right:?} is right after {least}, up to {most}",
                sizes(found)
            )
        })
    }
}

fn play_in_model(step: &Step, world: &mut World, answered: &mut BTreeSet<(&'static str, String)>) {
    match step {
        Step::Submit(name, submission) | Step::Hurry(name, submission) => {
            let key = submission.key.as_ref().map(|key| (*name, key.as_str().to_owned()));
            if key.as_ref().is_some_and(|key| answered.contains(key)) {
                return;
            }
            if world.entry((*name).to_owned()).or_default().submit(submission) {
                answered.extend(key);
            }
        }
        Step::Make(name) => drop(world.entry((*name).to_owned()).or_default()),
        Step::Drop(name) => {
            world.remove(*name);
            answered.retain(|(of, _)| of != name);
        }
        Step::Load(name, items, key) => {
            let held = world.entry((*name).to_owned()).or_default();
            let is_new = answered.insert((name, format!("load {}", key.as_str())));
            for item in items.iter().filter(|_| is_new) {
                held.seq += 1;
                held.put(item);
            }
        }
        Step::Checkpoint | Step::Rest => {}
    }
}

/// Everything that an engine holds.
pub(crate) fn found(engine: &Engine) -> Result<World, EngineError> {
    let held = |name| {
        engine.reading(name, |snapshot| {
            let mut held = Held { seq: snapshot.seq(), ..Held::default() };
            for item in snapshot.items() {
                let bits = [item.point().lat_deg().to_bits(), item.point().lon_deg().to_bits()];
                let kept = (item.seq, bits, item.properties().to_owned(), item.expires_at_ms());
                assert_eq!(held.items.insert(item.id().to_owned(), kept), None, "{} is there twice", item.id());
            }
            Ok(held)
        })
    };
    engine.names().iter().map(|name| Ok((name.as_str().to_owned(), held(name)?))).collect()
}

pub(crate) fn item(number: u64, version: u64) -> Item {
    let lat = (number * 7919 % 17_900) as f64 / 100.0 - 89.5;
    let lon = ((number * 104_729 + version * 31) % 35_900) as f64 / 100.0 - 179.5;
    let fill = "x".repeat((number * 13 % 90) as usize);
    let text = format!(r#"{{"number":{number},"version":{version},"fill":"{fill}"}}"#);
    let item = Item::new(id(number), Point::new(lat, lon).unwrap());
    let item = item.with_properties(Properties::from_json(&text).unwrap());
    if number.is_multiple_of(9) { item.expiring_at(4_000_000_000_000 + number as i64) } else { item }
}

fn id(number: u64) -> Id {
    Id::new(format!("item-{number}")).unwrap()
}

fn puts(numbers: std::ops::Range<u64>, version: u64) -> Submission {
    numbers.map(|number| Change::Put(item(number, version))).collect::<Vec<_>>().into()
}

fn removals(numbers: impl Iterator<Item = u64>) -> Vec<Write> {
    numbers.map(|number| Change::Remove(id(number)).into()).collect()
}

fn only_if(number: u64, version: u64, condition: Condition) -> Submission {
    Write { change: Change::Put(item(number, version)), condition }.into()
}

fn key(text: &str) -> RequestKey {
    RequestKey::new(text).unwrap()
}

/// From an empty directory up to the first end in good order.
pub(crate) fn first_life() -> Vec<Step> {
    use Step::{Checkpoint, Drop, Hurry, Load, Make, Rest, Submit};
    let mut steps: Vec<Step> = (0..4).map(|number| Submit("cafes", puts(number..number + 1, 1))).collect();
    let once = puts(10..13, 1).once(key("order-7"));
    let mut mixed = puts(2..9, 2);
    mixed.writes.extend(removals([0, 3, 4, 77].into_iter()));
    steps.extend([
        Submit("cafes", mixed),
        Submit("stops", puts(0..20, 1)),
        Submit("cafes", once.clone()),
        Submit("cafes", only_if(500, 1, Condition::Absent)),
        Submit("cafes", only_if(500, 2, Condition::Absent)),
        Submit("cafes", once.clone()),
        Checkpoint,
        Submit("depot", puts(0..30, 1)),
        Submit("cafes", only_if(500, 3, Condition::Present)),
        Submit("cafes", puts(0..120, 3)),
        Checkpoint,
    ]);
    steps.extend((0..8).map(|turn| Hurry(["cafes", "stops"][turn as usize % 2], puts(turn * 5..turn * 5 + 7, 4))));
    steps.extend([
        Drop("depot"),
        Submit("cafes", Submission { writes: removals((0..60).step_by(3)), ..Submission::default() }),
        Submit("depot", puts(3..7, 5)),
        Rest,
        Make("trees"),
        Load("trees", (0..420).map(|number| item(number, 1)).collect(), key("forest")),
        Submit("trees", puts(400..440, 2)),
        Submit("trees", Submission { writes: removals((0..50).step_by(2)), ..Submission::default() }),
        Checkpoint,
        Load("cafes", (50..350).map(|number| item(number, 6)).collect(), key("more")),
        Submit("cafes", puts(340..344, 7)),
        Rest,
    ]);
    steps
}

/// After that: enough changes that the log is trimmed, and more of all.
pub(crate) fn second_life() -> Vec<Step> {
    use Step::{Checkpoint, Drop, Hurry, Load, Rest, Submit};
    let before = Script::new(first_life());
    let version = before.worlds[before.steps.len()]["cafes"].items["item-500"].0;
    let mut steps: Vec<Step> = (0..7).map(|turn| Hurry("stops", puts(turn * 60..turn * 60 + 200, 10 + turn))).collect();
    steps.extend([
        Checkpoint,
        Rest,
        Submit("cafes", only_if(500, 8, Condition::Version(version))),
        Submit("cafes", only_if(500, 9, Condition::Version(version))),
        Submit("cafes", puts(10..13, 1).once(key("order-7"))),
        Drop("depot"),
        Load("stops", (300..600).map(|number| item(number, 20)).collect(), key("timetable")),
        Submit("stops", puts(590..610, 21)),
        Rest,
    ]);
    steps.extend((0..5).map(|turn| Submit("trees", puts(turn * 80..turn * 80 + 3, 9))));
    steps
}

#[test]
fn the_script_comes_back_to_nothing_that_was_there_before() {
    let script = Script::new([first_life(), second_life()].concat());
    for (place, world) in script.worlds.iter().enumerate() {
        let last = script.worlds.iter().rposition(|other| other == world).unwrap();
        assert!(script.worlds[place..=last].iter().all(|between| between == world), "{place} and {last}");
    }
}
