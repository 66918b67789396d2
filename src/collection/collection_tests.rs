use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::geometry::{Point, Rect};
use crate::repeatable::repeatable;

fn id(name: &str) -> Id {
    Id::new(name).unwrap()
}

fn put(name: &str, lat: f64) -> Change {
    Change::Put(Item::new(id(name), Point::new(lat, 0.0).unwrap()))
}

/// Every id that a snapshot shows, with its latitude, found by walking the segments; each must appear once.
fn shown(snapshot: &Snapshot) -> BTreeMap<String, (f64, u64)> {
    let mut all = BTreeMap::new();
    for segment in snapshot.segments() {
        for slot in segment.points().slots().filter(|&slot| segment.is_there(slot, snapshot.seq())) {
            let item = segment.item(slot);
            let before = all.insert(item.id().to_owned(), (item.point().lat_deg(), item.seq));
            assert_eq!(before, None, "{} appears twice", item.id());
        }
    }
    assert_eq!(all.len(), snapshot.len());
    all
}

#[test]
fn later_changes_of_a_batch_see_earlier_ones() {
    let collection = Collection::new();
    let outcomes = collection.apply(
        1,
        vec![
            put("a", 1.0),
            put("a", 2.0),
            Change::Remove(id("b")),
            put("b", 3.0),
            Change::Remove(id("b")),
            Change::Remove(id("b")),
            put("c", 4.0),
            Change::Expire { id: id("c"), put_seq: 6 },
            Change::Expire { id: id("c"), put_seq: 7 },
        ],
    );
    use Outcome::{Absent, Created, Removed, Replaced};
    assert_eq!(outcomes, [Created, Replaced, Absent, Created, Removed, Absent, Created, Absent, Removed]);
    let snapshot = collection.snapshot();
    assert_eq!((snapshot.seq(), snapshot.len()), (9, 1));
    assert_eq!(shown(&snapshot).into_iter().collect::<Vec<_>>(), [("a".to_owned(), (2.0, 2))]);
}

#[test]
fn a_snapshot_never_changes() {
    let collection = Collection::new();
    collection.apply(1, (0..500).map(|i| put(&format!("{i}"), 10.0)).collect());
    let before = collection.snapshot();
    let seen = shown(&before);
    for round in 0..20_u64 {
        let changes = (0..500).map(|i| put(&format!("{}", i * 7 % 600), 20.0 + round as f64)).collect();
        collection.apply(501 + round * 500, changes);
    }
    collection.settle();
    assert_eq!(shown(&before), seen);
    assert_eq!(collection.snapshot().len(), 600.min(collection.snapshot().len()));
    assert_eq!(before.get("3").unwrap().point().lat_deg(), 10.0);
    assert_eq!(collection.snapshot().get("3").unwrap().point().lat_deg(), 39.0);
}

#[test]
fn changes_applied_again_do_nothing() {
    let collection = Collection::new();
    collection.apply(1, vec![put("a", 1.0), put("b", 2.0)]);
    let outcomes = collection.apply(2, vec![Change::Remove(id("b")), put("c", 3.0)]);
    assert_eq!(outcomes, [Outcome::Repeated, Outcome::Created]);
    assert_eq!(shown(&collection.snapshot()).keys().collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn an_empty_batch_uses_up_no_number() {
    let collection = Collection::new();
    assert_eq!(collection.apply(9, vec![]), []);
    assert_eq!(collection.snapshot().seq(), 0);
    assert_eq!(collection.apply(1, vec![put("a", 1.0)]), [Outcome::Created]);
}

#[test]
fn a_batch_older_than_every_segment_can_arrive_again() {
    // Its numbers were taken to be four billion beyond the segments: an overflow, or every segment written anew.
    let collection = Collection::new();
    collection.apply(1, vec![put("a", 1.0), put("b", 2.0)]);
    collection.apply(3, vec![put("a", 3.0), put("b", 4.0)]);
    let before = collection.snapshot();
    assert_eq!(collection.apply(1, vec![put("a", 1.0)]), [Outcome::Repeated]);
    let after = collection.snapshot();
    assert_eq!(shown(&after), shown(&before));
    assert!(after.segments().iter().zip(before.segments()).all(|(a, b)| Arc::ptr_eq(a, b)));
}

#[test]
fn what_is_due_is_told_and_goes_only_by_a_change() {
    let collection = Collection::new();
    let expiring =
        |name: &str, at_ms| Change::Put(Item::new(id(name), Point::new(0.0, 0.0).unwrap()).expiring_at(at_ms));
    collection.apply(1, vec![expiring("a", 100), expiring("b", 50), expiring("c", 200), expiring("a", 150)]);
    assert_eq!(collection.due(49, 10), []);
    let due = collection.due(150, 10);
    assert_eq!(due, [Change::Expire { id: id("b"), put_seq: 2 }, Change::Expire { id: id("a"), put_seq: 4 }]);
    assert_eq!(collection.snapshot().len(), 3);
    // `a` is put again before its removal arrives: the removal was meant for the older one.
    collection.apply(5, vec![expiring("a", 999)]);
    assert_eq!(collection.apply(6, due), [Outcome::Removed, Outcome::Absent]);
    assert_eq!(shown(&collection.snapshot()).keys().collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(collection.due(i64::MAX, 10).len(), 2);
}

#[test]
fn four_billion_changes_later_an_old_segment_can_still_lose_items() {
    let collection = Collection::new();
    collection.apply(1, (0..100).map(|i| put(&format!("{i}"), 1.0)).collect());
    let old = collection.snapshot();
    collection.apply(u64::from(u32::MAX) * 3, vec![Change::Remove(id("7")), put("8", 2.0)]);
    assert_eq!(collection.snapshot().len(), 99);
    assert_eq!(shown(&collection.snapshot())["8"].0, 2.0);
    assert_eq!(shown(&old).len(), 100);
}

#[test]
fn joins_lose_nothing_that_changes_meanwhile() {
    // Large batches start joins in the background; small ones change the items that are being joined.
    let collection = Collection::new();
    let mut expected = BTreeMap::new();
    let mut seq = 1;
    for round in 0..60_u64 {
        let count = if round % 3 == 0 { 9_000 } else { 300 };
        let mut changes = Vec::new();
        for i in 0..count {
            let name = format!("{}", (i * 2_654_435_761 + round * 97) % 30_000);
            if (i + round) % 5 == 0 {
                expected.remove(&name);
                changes.push(Change::Remove(id(&name)));
            } else {
                let lat = ((i + round) % 90) as f64;
                expected.insert(name.clone(), (lat, seq + i));
                changes.push(put(&name, lat));
            }
        }
        collection.apply(seq, changes);
        seq += count;
        assert_eq!(collection.snapshot().len(), expected.len());
    }
    assert_eq!(shown(&collection.snapshot()), expected);
    collection.settle();
    assert_eq!(shown(&collection.snapshot()), expected);
    assert!(collection.snapshot().segments().len() <= 8, "{} segments", collection.snapshot().segments().len());
}

proptest! {
    #![proptest_config(repeatable(64))]

    #[test]
    fn a_history_leaves_what_a_map_would(
        batches in proptest::collection::vec(proptest::collection::vec((0..40_u8, 0..4_u8), 1..60), 1..20),
    ) {
        let collection = Collection::new();
        let mut expected: BTreeMap<String, (f64, u64)> = BTreeMap::new();
        let mut seq = 1;
        for batch in batches {
            let (first, mut changes, mut outcomes) = (seq, Vec::new(), Vec::new());
            for (name, action) in batch {
                let name = format!("{name}");
                if action == 0 {
                    outcomes.push(if expected.remove(&name).is_some() { Outcome::Removed } else { Outcome::Absent });
                    changes.push(Change::Remove(id(&name)));
                } else {
                    let replaced = expected.insert(name.clone(), (f64::from(action), seq)).is_some();
                    outcomes.push(if replaced { Outcome::Replaced } else { Outcome::Created });
                    changes.push(put(&name, f64::from(action)));
                }
                seq += 1;
            }
            prop_assert_eq!(collection.apply(first, changes), outcomes);
            prop_assert_eq!(shown(&collection.snapshot()), expected.clone());
        }
    }
}

#[test]
fn what_no_reader_holds_is_freed_and_what_one_holds_is_not() {
    let collection = Collection::new();
    let segment_of = |snapshot: &Snapshot| Arc::downgrade(&snapshot.segments()[0]);
    collection.apply(1, vec![put("a", 1.0)]);
    let held = collection.snapshot();
    let (kept, seq) = (segment_of(&held), held.seq());
    collection.apply(2, vec![put("a", 2.0)]);
    let replaced = segment_of(&collection.snapshot());
    collection.apply(3, vec![put("a", 3.0)]);
    collection.settle();
    assert!(kept.upgrade().is_some() && replaced.upgrade().is_none());
    assert_eq!((seq, held.get("a").unwrap().point().lat_deg()), (1, 1.0));
    drop(held);
    collection.settle();
    assert!(kept.upgrade().is_none());
}

#[test]
fn a_collection_too_small_for_directories_still_shows_their_cells() {
    let collection = Collection::new();
    collection.apply(1, vec![put("a", 1.0), put("b", 2.0)]);
    for kind in Kind::offered() {
        let cells = collection.snapshot().cells(kind, Rect::WORLD, 3, 10).unwrap();
        assert_eq!(cells.iter().map(|cell| cell.slots.len()).max(), Some(2), "{}", kind.name);
    }
}

#[test]
fn batches_behind_a_long_join_do_not_pile_up_without_bound() {
    // Batches a little larger than what a write joins by itself once left a segment each, 134 in six seconds.
    let collection = Collection::with_kinds([]);
    let batch =
        |first: u64, count: u64| (first..first + count).map(|i| put(&format!("{i}"), (i % 90) as f64)).collect();
    let (mut seq, mut most) = (1, 0);
    for count in [200_000, 200_000].into_iter().chain(std::iter::repeat_n(4_500, 100)) {
        collection.apply(seq, batch(seq, count));
        seq += count;
        most = most.max(collection.snapshot().segments().len());
    }
    assert!(most <= 48, "{most} segments");
    assert_eq!(shown(&collection.snapshot()).len() as u64, seq - 1);
}
