//! What a writer does, worked out from a seed: the writer and the judge reckon the same, so nobody has to write it down.
//!
//! What surprises: a turn is a batch over several items, so that half a batch would show.

use std::collections::BTreeMap;

use nigh::collection::{Change, Id, Item, Properties, Snapshot};
use nigh::engine::CollectionName;
use nigh::geometry::Point;

/// Items of a writer. Few, so that they are replaced and removed all the time.
const ITEMS: u64 = 24;

/// A writer of one seed: its turns are numbered from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer {
    pub(crate) seed: u64,
    pub(crate) number: u64,
}

/// What a writer's items are: by id, the turn and the place in the turn that put them.
pub(crate) type State = BTreeMap<String, (u64, u64)>;

/// The collections that writers share.
pub(crate) fn collection(writer: u64) -> CollectionName {
    ["first", "second", "third"][(writer % 3) as usize].parse().unwrap()
}

impl Writer {
    fn mix(&self, turn: u64, place: u64) -> u64 {
        let mut bits = self.seed ^ self.number << 48 ^ turn << 8 ^ place;
        for _ in 0..3 {
            bits = (bits ^ bits >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        bits ^ bits >> 29
    }

    /// The changes of a turn: id, and whether it is put or removed.
    fn steps(&self, turn: u64) -> impl Iterator<Item = (u64, String, bool)> {
        let writer = *self;
        let count = 1 + writer.mix(turn, 99) % 6;
        (0..count).map(move |place| {
            let bits = writer.mix(turn, place);
            let id = format!("w{}-{}", writer.number, bits % ITEMS);
            (place, id, !(bits >> 20).is_multiple_of(4))
        })
    }

    /// The changes of a turn.
    pub(crate) fn turn(&self, turn: u64) -> Vec<Change> {
        self.steps(turn)
            .map(|(place, id, puts)| {
                let id = Id::new(id).unwrap();
                if !puts {
                    return Change::Remove(id);
                }
                let bits = self.mix(turn, place + 1000);
                let lat = (bits % 18_001) as f64 / 100.0 - 90.0;
                let lon = (bits >> 20) as f64 % 36_001.0 / 100.0 - 180.0;
                let text =
                    format!(r#"{{"turn":{turn},"place":{place},"fill":"{}"}}"#, "x".repeat((bits % 300) as usize));
                let properties = Properties::from_json(&text).unwrap();
                Change::Put(Item::new(id, Point::new(lat, lon).unwrap()).with_properties(properties))
            })
            .collect()
    }

    /// Applies a turn to what the items were.
    pub(crate) fn play(&self, state: &mut State, turn: u64) {
        for (place, id, puts) in self.steps(turn) {
            if puts {
                state.insert(id, (turn, place));
            } else {
                state.remove(&id);
            }
        }
    }

    /// What the items of this writer are in a collection.
    pub(crate) fn found(&self, snapshot: &Snapshot) -> State {
        let ids = (0..ITEMS).map(|item| format!("w{}-{item}", self.number));
        ids.filter_map(|id| {
            let item = snapshot.get(&id)?;
            let text = item.properties().strip_prefix(r#"{"turn":"#).unwrap();
            let (turn, rest) = text.split_once(r#","place":"#).unwrap();
            let place = rest.split(',').next().unwrap();
            Some((id, (turn.parse().unwrap(), place.parse().unwrap())))
        })
        .collect()
    }
}
