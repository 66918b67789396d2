//! The ids of a segment: which slot is called so, and in what order they stand.
//!
//! What surprises: answers in the order of ids never compare ids while they search. Every slot has a **rank**, its
//! place among the sorted ids of the segment; a page is the smallest ranks beyond the cursor's.
//!
//! ```text
//! table   hash of the id u32 │ slot u32        open addressing, seven of ten places used: 11.4 bytes a slot
//! slots   rank → slot u32                      listings, and finding the cursor
//! ranks   slot → rank u32                      pages of boxes and polygons
//! ```
//!
//! The hash is seeded with what the segment says: anew in every process that builds segments, so that nobody outside can choose
//! ids that collide, and the same for whoever opens the segment's file.

use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::payload::Payload;
use crate::index::{Array, PARALLEL_FROM, Section, Stored};

const FREE: u64 = u64::MAX;

/// The ids of a segment.
#[derive(Debug, Default)]
pub(super) struct Names {
    table: Array<u64>,
    slots: Array<u32>,
    ranks: Array<u32>,
    seed: u64,
}

/// The seed of the segments that this process builds.
static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("nigh"));

fn hash(id: &[u8], seed: u64) -> u32 {
    (xxh3_64_with_seed(id, seed) >> 32) as u32
}

impl Names {
    pub(super) fn build(payload: &Payload, len: u32) -> Names {
        Names::seeded(payload, len, *SEED)
    }

    fn seeded(payload: &Payload, len: u32, seed: u64) -> Names {
        let (table, common) = table(payload, len, seed);
        let slots = sorted_slots(payload, len, common);
        let mut ranks = vec![0; len as usize];
        for (rank, &slot) in slots.iter().enumerate() {
            ranks[slot as usize] = rank as u32;
        }
        Names { table: table.into(), slots: slots.into(), ranks: ranks.into(), seed }
    }

    /// What a file has to hold of them, besides the seed.
    pub(super) fn sections(&self) -> Vec<Section<'_>> {
        vec![("table", self.table.as_bytes()), ("slots", self.slots.as_bytes()), ("ranks", self.ranks.as_bytes())]
    }

    /// The ids of so many slots in a file, if the lengths of its sections fit.
    pub(super) fn open(stored: &Stored<'_>, len: usize, seed: u64) -> Option<Names> {
        let (slots, ranks) = (stored.array_of("slots", len)?, stored.array_of("ranks", len)?);
        Some(Names { table: stored.array_of("table", places(len))?, slots, ranks, seed })
    }

    /// What the hashes are seeded with.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// The slot with that id.
    pub(super) fn slot_of(&self, payload: &Payload, id: &[u8]) -> Option<u32> {
        self.slot_of_hash(payload, hash(id, self.seed), || id)
    }

    /// The slot with the id of that hash; the id itself is only asked for where one has the same.
    fn slot_of_hash<'i>(&self, payload: &Payload, hash: u32, id: impl Fn() -> &'i [u8]) -> Option<u32> {
        if self.table.is_empty() {
            return None;
        }
        let mut place = home(hash, self.table.len());
        loop {
            let entry = *self.table.at(place);
            if entry == FREE {
                return None;
            }
            if (entry >> 32) as u32 == hash && payload.id_bytes(entry as u32) == id() {
                return Some(entry as u32);
            }
            place = if place + 1 == self.table.len() { 0 } else { place + 1 };
        }
    }

    /// Calls with the slots, here and there, of every id that both have.
    ///
    /// The hashes of the shorter are looked up in their order, which is that of the longer's table: both are read from one end to the
    /// other, and records only where hashes are the same. So it takes no more memory than a page of each, however long they are.
    pub(super) fn in_both(&self, payload: &Payload, there: (&Names, &Payload), found: &mut dyn FnMut(u32, u32)) {
        let (others, their_payload) = there;
        if self.table.len() > others.table.len() {
            return others.in_both(their_payload, (self, payload), &mut |there, here| found(here, there));
        }
        let mut look_up = |hash: u32, slot: u32| {
            if let Some(theirs) = others.slot_of_hash(their_payload, hash, || payload.id_bytes(slot)) {
                found(slot, theirs);
            }
        };
        if self.seed == others.seed {
            self.entries().for_each(|(hash, slot)| look_up(hash, slot));
        } else {
            let rehashed = |(_, slot)| (hash(payload.id_bytes(slot), others.seed), slot);
            let mut entries: Vec<(u32, u32)> = self.entries().map(rehashed).collect();
            entries.sort_unstable();
            entries.into_iter().for_each(|(hash, slot)| look_up(hash, slot));
        }
    }

    /// Every slot with the hash of its id, in the order of the table: about that of hashes.
    fn entries(&self) -> impl Iterator<Item = (u32, u32)> {
        let taken = (0..self.table.len()).map(|place| *self.table.at(place)).filter(|&entry| entry != FREE);
        taken.map(|entry| ((entry >> 32) as u32, entry as u32))
    }

    /// The place of a slot among the sorted ids.
    #[inline]
    pub(super) fn rank(&self, slot: u32) -> u32 {
        *self.ranks.at(slot as usize)
    }

    /// The slot of a rank.
    pub(super) fn slot(&self, rank: u32) -> Option<u32> {
        self.slots.get(rank as usize).copied()
    }

    /// The rank of the first id after `id`.
    pub(super) fn first_rank_after(&self, payload: &Payload, id: &[u8]) -> u32 {
        self.slots.partition_point(|&slot| payload.id_bytes(slot) <= id) as u32
    }

    pub(super) fn bytes(&self) -> usize {
        self.table.bytes() + self.slots.bytes() + self.ranks.bytes()
    }
}

/// Where a hash begins to look: its share of the table.
fn home(hash: u32, places: usize) -> usize {
    ((u64::from(hash) * places as u64) >> 32) as usize
}

/// Places in the table of so many ids.
fn places(len: usize) -> usize {
    (len * 10).div_ceil(7) + 1
}

/// The table of so many ids, and how many bytes all of them begin with alike, which the same look at them tells.
fn table(payload: &Payload, len: u32, seed: u64) -> (Vec<u64>, usize) {
    let places = places(len as usize);
    let mut table = vec![FREE; places];
    let mut common = if len > 0 { payload.id_bytes(0) } else { &[] };
    for slot in 0..len {
        let id = payload.id_bytes(slot);
        if !id.starts_with(common) {
            let alike = common.iter().zip(id).take_while(|(a, b)| a == b).count();
            common = &common[..alike];
        }
        let hash = hash(id, seed);
        let mut place = home(hash, places);
        while table[place] != FREE {
            place = if place + 1 == places { 0 } else { place + 1 };
        }
        table[place] = u64::from(hash) << 32 | u64::from(slot);
    }
    (table, common.len())
}

/// Slots in the order of their ids, which begin alike in the first `common` bytes.
///
/// The sixteen bytes after those decide nearly always, so most comparisons touch no record.
fn sorted_slots(payload: &Payload, len: u32, common: usize) -> Vec<u32> {
    let keyed = |slot: u32| (sixteen(&payload.id_bytes(slot)[common..]), slot);
    let by_id =
        |a: &(u128, u32), b: &(u128, u32)| a.0.cmp(&b.0).then_with(|| whole_ids(payload, a.1, b.1, common + 16));
    let mut keys: Vec<(u128, u32)>;
    if (len as usize) < PARALLEL_FROM {
        keys = (0..len).map(keyed).collect();
        keys.sort_unstable_by(by_id);
    } else {
        keys = (0..len).into_par_iter().map(keyed).collect();
        keys.par_sort_unstable_by(by_id);
    }
    keys.into_iter().map(|(_, slot)| slot).collect()
}

/// Compares ids that agree in their first `known` bytes, zero-padded.
fn whole_ids(payload: &Payload, a: u32, b: u32, known: usize) -> Ordering {
    let (a, b) = (payload.id_bytes(a), payload.id_bytes(b));
    // An id that ended before `known` was padded with zeros; ids hold no zero byte, so equal keys mean equal lengths there.
    a.get(known..).unwrap_or_default().cmp(b.get(known..).unwrap_or_default())
}

fn sixteen(bytes: &[u8]) -> u128 {
    let mut padded = [0; 16];
    let len = bytes.len().min(16);
    padded[..len].copy_from_slice(&bytes[..len]);
    u128::from_be_bytes(padded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::payload::write_record;
    use crate::collection::{Id, Item};
    use crate::geometry::Point;

    fn payload(ids: &[&str]) -> Payload {
        let write = |id: &&str| {
            let mut bytes = Vec::new();
            write_record(&Item::new(Id::new(*id).unwrap(), Point::new(0.0, 0.0).unwrap()), 1, &mut bytes);
            bytes
        };
        let records: Vec<Vec<u8>> = ids.iter().map(write).collect();
        Payload::gather(records.iter().map(|record| (record.as_slice(), 0))).0
    }

    #[test]
    fn ids_are_found_and_stand_in_the_order_of_their_bytes() {
        let long = "x".repeat(40);
        let (longer, other) = (format!("{long}y"), format!("{long}yz"));
        let ids = ["b", "a", "ab", "é", "a b", &other, "Z", &longer, "aa", &long, "~"];
        let payload = payload(&ids);
        let names = Names::build(&payload, ids.len() as u32);
        let mut sorted = ids.to_vec();
        sorted.sort_unstable();
        for (slot, id) in ids.iter().enumerate() {
            assert_eq!(names.slot_of(&payload, id.as_bytes()), Some(slot as u32));
            let rank = sorted.iter().position(|other| other == id).unwrap() as u32;
            assert_eq!((names.rank(slot as u32), names.slot(rank)), (rank, Some(slot as u32)));
            assert_eq!(names.first_rank_after(&payload, id.as_bytes()), rank + 1);
        }
        assert_eq!(names.slot_of(&payload, b"nobody"), None);
        assert_eq!(names.first_rank_after(&payload, b""), 0);
    }

    #[test]
    fn ids_that_two_segments_have_are_met_once_whatever_their_lengths_and_seeds() {
        let named = |ids: &[String], seed: u64| {
            let payload = payload(&ids.iter().map(String::as_str).collect::<Vec<_>>());
            (Names::seeded(&payload, ids.len() as u32, seed), payload)
        };
        let ids = |range: std::ops::Range<u32>, step: usize| {
            range.step_by(step).map(|i| format!("id {i}")).collect::<Vec<_>>()
        };
        for (mine, theirs) in [
            (ids(0..0, 1), ids(0..0, 1)),
            (ids(0..0, 1), ids(0..9, 1)),
            (ids(0..3, 1), ids(2..900, 1)),
            (ids(0..3_000, 2), ids(0..3_000, 3)),
            (ids(0..3_000, 1), ids(5_000..5_010, 1)),
        ] {
            for seeds in [[7, 7], [7, 8]] {
                let (names, payload) = named(&mine, seeds[0]);
                let (others, their_payload) = named(&theirs, seeds[1]);
                let mut found = Vec::new();
                names.in_both(&payload, (&others, &their_payload), &mut |here, there| found.push((here, there)));
                found.sort_unstable();
                let slot_there = |id: &String| theirs.iter().position(|other| other == id);
                let both =
                    mine.iter().zip(0..).filter_map(|(id, here)| slot_there(id).map(|there| (here, there as u32)));
                assert_eq!(found, both.collect::<Vec<_>>(), "{} and {} ids, seeds {seeds:?}", mine.len(), theirs.len());
            }
        }
    }

    #[test]
    fn many_ids_with_a_common_beginning_are_sorted() {
        let ids: Vec<String> = (0..40_000).map(|i| format!("vehicle/fleet-a/{:x}", i * 2_654_435_761_u64)).collect();
        let given: Vec<&str> = ids.iter().map(String::as_str).collect();
        let payload = payload(&given);
        let names = Names::build(&payload, ids.len() as u32);
        let in_order: Vec<&[u8]> = (0..40_000).map(|rank| payload.id_bytes(names.slot(rank).unwrap())).collect();
        assert!(in_order.is_sorted());
        assert!(ids.iter().enumerate().all(|(slot, id)| names.slot_of(&payload, id.as_bytes()) == Some(slot as u32)));
    }
}
