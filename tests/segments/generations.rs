//! Checkpoint, open, go on, and again: what was written is what is read.

use std::path::Path;
use std::sync::Mutex;

use nigh::collection::{Change, Collection, FileError, Id, Item, Properties, remove_unused};
use nigh::generate::Random;
use nigh::geometry::Point;
use nigh::index::{KINDS, Kind};

use super::{Changes, Folder, assert_same, everything, some_points};

#[test]
fn a_history_with_checkpoints_anywhere_in_it_is_opened_as_it_was() {
    for seed in 0..6 {
        let (folder, mut random) = (Folder::new(), Random::seeded(seed));
        let mut changes = Changes::seeded(seed, 5_000);
        let (mut own, witness) = (Collection::new(), Collection::new());
        let mut seq = 1;
        for _ in 0..40 {
            let batch = changes.batch();
            assert_eq!(own.apply(seq, batch.clone()), witness.apply(seq, batch.clone()), "seed {seed}");
            seq += batch.len() as u64;
            if random.once_in(4) {
                let checkpoint = own.checkpoint(&folder.0).unwrap();
                assert_eq!((checkpoint.seq, checkpoint.len), (seq - 1, own.snapshot().len() as u64));
                assert_eq!(own.unsaved().changes, 0);
                if random.once_in(2) {
                    remove_unused(&folder.0, &checkpoint.files).unwrap();
                    own = Collection::open(Kind::offered(), &folder.0, checkpoint.manifest).unwrap();
                }
            }
            assert_same(&own.snapshot(), &witness.snapshot(), &mut random);
            let (now_ms, most) = (random.below(300) as i64, random.below(40) as usize);
            let due = own.due(now_ms, most);
            assert_eq!(due, witness.due(now_ms, most), "seed {seed}, up to {now_ms}");
            assert_eq!(own.apply(seq, due.clone()), witness.apply(seq, due.clone()));
            seq += due.len() as u64;
        }
    }
}

#[test]
fn a_checkpoint_beside_a_writer_and_its_joins_is_one_moment() {
    let folder = Folder::new();
    let collection = Collection::new();
    let (written, done) = (Mutex::new(Vec::new()), Mutex::new(false));
    let checkpoints = std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut changes, mut seq) = (Changes::seeded(77, 30_000), 1);
            for round in 0..60 {
                let size = if round % 3 == 0 { 9_000 } else { 400 };
                let batch: Vec<_> = (0..size).map(|_| changes.next()).collect();
                written.lock().unwrap().push((seq, batch.clone()));
                collection.apply(seq, batch);
                seq += size;
            }
            *done.lock().unwrap() = true;
        });
        let mut checkpoints = Vec::new();
        loop {
            let last = *done.lock().unwrap();
            checkpoints.push(collection.checkpoint(&folder.0).unwrap());
            checkpoints.dedup();
            if last {
                break checkpoints;
            }
        }
    });
    let (witness, mut written) = (Collection::new(), written.into_inner().unwrap().into_iter().peekable());
    let mut random = Random::seeded(78);
    for checkpoint in &checkpoints {
        while let Some((seq, batch)) = written.next_if(|(seq, _)| *seq <= checkpoint.seq) {
            witness.apply(seq, batch);
        }
        let opened = Collection::open(Kind::offered(), &folder.0, checkpoint.manifest).unwrap();
        assert_same(&opened.snapshot(), &witness.snapshot(), &mut random);
    }
    assert_same(&collection.snapshot(), &witness.snapshot(), &mut random);
    assert!(checkpoints.len() > 1, "{} checkpoints", checkpoints.len());
}

/// What the kept files hold: enough points for directories, ids with escapes, ends of life, removals.
fn sample() -> Collection {
    let item = |i: u32| {
        let place = Point::new(f64::from(i % 89) * 1.01 - 45.0, f64::from(i) * 2.3 - 170.0).unwrap();
        let id = if i.is_multiple_of(10) { format!("\"{i}\"") } else { format!("é-{i}") };
        let properties = Properties::from_json(&format!("{{\"i\": {i}.50}}")).unwrap();
        let item = Item::new(Id::new(id).unwrap(), place).with_properties(properties);
        if i.is_multiple_of(4) { item.expiring_at(1_000 - i64::from(i)) } else { item }
    };
    let collection = Collection::new();
    collection.apply(1, (0..150).map(|i| Change::Put(item(i))).collect());
    collection.apply(151, (0..20).map(|i| Change::Remove(item(i * 7).id)).collect());
    collection
}

/// Files of every version are kept as they were written; set `NIGH_KEEP_FILES` to write those of a new one.
///
/// They come from another process, whose ids were hashed with another seed than ours.
#[test]
fn the_kept_files_of_version_1_are_opened() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/segments/version-1");
    if std::env::var_os("NIGH_KEEP_FILES").is_some() {
        std::fs::create_dir(&kept).unwrap();
        sample().checkpoint(&kept).unwrap();
    }
    let (opened, sample) = (Collection::open(Kind::offered(), &kept, 2).unwrap(), sample());
    assert_same(&opened.snapshot(), &sample.snapshot(), &mut Random::seeded(13));
    assert_eq!(opened.due(950, 20), sample.due(950, 20));
    assert!(everything(&sample.snapshot()).hits().all(|hit| opened.snapshot().get(hit.item.id()) == Some(hit.item)));
    opened.scrub().unwrap();
}

#[test]
fn a_checkpoint_of_an_unchanged_collection_is_the_one_before() {
    let folder = Folder::new();
    let collection = some_points(3, 1_000);
    assert!(collection.unsaved().changes == 2_000 && collection.unsaved().bytes > 100_000);
    let first = collection.checkpoint(&folder.0).unwrap();
    assert_eq!((collection.unsaved().changes, collection.unsaved().bytes), (0, 0));
    let names = folder.names();
    assert_eq!(collection.checkpoint(&folder.0).unwrap(), first);
    let opened = Collection::open(Kind::offered(), &folder.0, first.manifest).unwrap();
    assert_eq!(opened.checkpoint(&folder.0).unwrap(), first);
    assert_eq!(folder.names(), names);
    // Elsewhere it is written anew, from files as from memory.
    let elsewhere = Folder::new();
    let second = opened.checkpoint(&elsewhere.0).unwrap();
    let opened = Collection::open(Kind::offered(), &elsewhere.0, second.manifest).unwrap();
    assert_same(&opened.snapshot(), &collection.snapshot(), &mut Random::seeded(4));
}

#[test]
fn an_empty_collection_can_be_written_and_opened() {
    let folder = Folder::new();
    let checkpoint = Collection::new().checkpoint(&folder.0).unwrap();
    assert_eq!((checkpoint.seq, checkpoint.len, checkpoint.files.len()), (0, 0, 1));
    let opened = Collection::open(Kind::offered(), &folder.0, checkpoint.manifest).unwrap();
    assert!(opened.snapshot().is_empty());
    opened.apply(1, vec![Changes::seeded(1, 5).next()]);
    assert_eq!(opened.snapshot().seq(), 1);
}

#[test]
fn numbers_of_files_are_never_used_twice_and_foreign_files_stay() {
    let folder = Folder::new();
    let collection = some_points(5, 500);
    let foreign = ["notes.txt", "1.segment", "0000000001.segment.old"];
    foreign.iter().for_each(|name| std::fs::write(folder.0.join(name), "mine").unwrap());
    std::fs::write(folder.0.join("0000000041.segment.new"), "half").unwrap();
    let first = collection.checkpoint(&folder.0).unwrap();
    assert!(first.manifest > 42 && first.files.iter().all(|name| name.as_str() > "0000000041"), "{first:?}");
    collection.apply(5_000, Changes::seeded(6, 500).batch());
    let second = collection.checkpoint(&folder.0).unwrap();
    assert!(second.manifest > first.manifest);
    let removed = remove_unused(&folder.0, &second.files).unwrap();
    assert!(removed >= 2, "the manifest before and the unfinished file");
    let mut kept = second.files.clone();
    kept.extend(foreign.map(str::to_owned));
    kept.sort();
    assert_eq!(folder.names(), kept);
    // Even when the largest of all is removed, its number does not come back.
    std::fs::remove_file(folder.0.join(format!("{:010}.manifest", second.manifest))).unwrap();
    collection.apply(9_000, Changes::seeded(7, 500).batch());
    let third = collection.checkpoint(&folder.0).unwrap();
    let last_name = format!("{:010}.segment", second.manifest);
    assert!(third.files.iter().all(|name| second.files.contains(name) || *name > last_name), "{third:?}, {second:?}");
}

#[test]
fn kinds_that_a_file_lacks_are_built_and_those_not_wanted_are_left() {
    let folder = Folder::new();
    let mut changes = Changes::seeded(8, 2_000);
    let batch: Vec<_> = (0..3_000).map(|_| changes.next()).collect();
    let all = Collection::with_kinds(KINDS);
    all.apply(1, batch.clone());
    for kept in [&KINDS[..0], &KINDS[1..2], KINDS] {
        let collection = Collection::with_kinds(kept);
        collection.apply(1, batch.clone());
        let checkpoint = collection.checkpoint(&folder.0).unwrap();
        for wanted in [KINDS, &KINDS[2..4], &KINDS[..0]] {
            let opened = Collection::open(wanted, &folder.0, checkpoint.manifest).unwrap();
            assert_eq!(opened.snapshot().kinds(), wanted.iter().collect::<Vec<_>>());
            assert_same(&opened.snapshot(), &all.snapshot(), &mut Random::seeded(9));
        }
    }
}

#[test]
fn what_is_in_files_is_told_apart_and_outlives_its_files() {
    let folder = Folder::new();
    let collection = some_points(10, 5_000);
    assert_eq!(collection.snapshot().mapped_bytes(), 0);
    let before = collection.snapshot();
    let checkpoint = collection.checkpoint(&folder.0).unwrap();
    let (after, total) =
        (collection.snapshot(), |bytes: Vec<(&str, usize)>| bytes.iter().map(|part| part.1).sum::<usize>());
    assert_eq!(total(after.bytes()), total(before.bytes()));
    assert!(after.mapped_bytes() > total(after.bytes()) * 9 / 10, "all but the removal marks");
    assert_eq!(remove_unused(&folder.0, &[]).unwrap(), checkpoint.files.len());
    assert_same(&after, &before, &mut Random::seeded(11));
    collection.scrub().unwrap();
    assert_same(&after, &before, &mut Random::seeded(12));
    let gone = Collection::open(Kind::offered(), &folder.0, checkpoint.manifest);
    assert!(matches!(gone, Err(FileError::Missing { .. })), "{gone:?}");
    assert_eq!(everything(&after).matched, before.len() as u64);
}
