//! What a collection should hold: a map from ids to items, changed one by one.

use std::collections::BTreeMap;

use nigh::collection::{Change, ItemRef, Outcome};
use nigh::geometry::{Point, UnitVector};

use crate::earth::Place;
use crate::properties::Facts;

/// An item as it was put.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    pub(super) place: Place,
    pub(super) unit: UnitVector,
    pub(super) put_seq: u64,
    pub(super) expires_at_ms: Option<i64>,
    pub(super) properties: String,
    pub(super) facts: Facts,
}

/// What is there after the change of number `seq`.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) seq: u64,
    pub(super) items: BTreeMap<String, Stored>,
}

impl Model {
    /// Changes the map, and says what each change should do.
    pub(super) fn apply(&mut self, first_seq: u64, changes: &[Change]) -> Vec<Outcome> {
        let outcomes = (first_seq..).zip(changes).map(|(seq, change)| self.apply_one(seq, change)).collect();
        self.seq = self.seq.max(first_seq + changes.len() as u64 - 1);
        outcomes
    }

    fn apply_one(&mut self, seq: u64, change: &Change) -> Outcome {
        if seq <= self.seq {
            return Outcome::Repeated;
        }
        let id = change.id().as_str();
        let removed = match change {
            Change::Put(item) => {
                let (lat, lon) = (item.point.lat_deg(), item.point.lon_deg());
                let stored = Stored {
                    place: Place::new(lat, lon),
                    unit: Point::new(lat, lon).unwrap().unit(),
                    put_seq: seq,
                    expires_at_ms: item.expires_at_ms,
                    properties: item.properties.as_json().to_owned(),
                    facts: Facts::of(item.properties.as_json()),
                };
                let before = self.items.insert(id.to_owned(), stored);
                return if before.is_some() { Outcome::Replaced } else { Outcome::Created };
            }
            Change::Remove(_) => self.items.remove(id).is_some(),
            Change::Expire { put_seq, .. } => {
                let is_meant = self.items.get(id).is_some_and(|stored| stored.put_seq == *put_seq);
                is_meant && self.items.remove(id).is_some()
            }
        };
        if removed { Outcome::Removed } else { Outcome::Absent }
    }

    /// What is due at a moment: oldest first, then in the order in which it was put.
    pub(super) fn due(&self, now_ms: i64, most: usize) -> Vec<(String, u64)> {
        let mut due: Vec<(i64, u64, &String)> = self
            .items
            .iter()
            .filter_map(|(id, stored)| Some((stored.expires_at_ms?, stored.put_seq, id)))
            .filter(|(at_ms, ..)| *at_ms <= now_ms)
            .collect();
        due.sort_unstable();
        due.into_iter().take(most).map(|(_, put_seq, id)| (id.clone(), put_seq)).collect()
    }
}

impl Stored {
    /// Whether an item of the library is this one, to the bit.
    pub(super) fn is(&self, item: &ItemRef<'_>) -> bool {
        let bits = |lat: f64, lon: f64| (lat.to_bits(), lon.to_bits());
        bits(self.place.lat, self.place.lon) == bits(item.point().lat_deg(), item.point().lon_deg())
            && self.put_seq == item.seq
            && self.expires_at_ms == item.expires_at_ms()
            && self.properties == item.properties()
    }
}
