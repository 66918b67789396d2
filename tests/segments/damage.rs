//! Files that are not as they were written: refused, or noticed at the first touch; never a wrong answer.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Once};

use nigh::collection::{Checkpoint, Collection, FileError, Snapshot};
use nigh::generate::Random;
use nigh::index::{Damaged, Kind};

use super::{Folder, assert_same_answer, everything, queries, some_points};

/// Says nothing about panics that a test expects.
fn be_quiet_about_damage() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<Damaged>() {
                loud(info);
            }
        }));
    });
}

/// `None` when damage was met on the way.
fn unless_damaged<T>(work: impl FnOnce() -> T) -> Option<T> {
    be_quiet_about_damage();
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Some(value),
        Err(panic) if panic.is::<Damaged>() => None,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn open(folder: &Path, checkpoint: &Checkpoint) -> Result<Collection, FileError> {
    Collection::open(Kind::offered(), folder, checkpoint.manifest)
}

/// Changes a file in one of many ways; not every one changes something.
fn spoil(bytes: &mut Vec<u8>, random: &mut Random) {
    let somewhere = |random: &mut Random, len: usize| match random.below(3) {
        0 => random.below(len.min(4200) as u64) as usize,
        _ => random.below(len as u64) as usize,
    };
    let at = somewhere(random, bytes.len());
    let end = bytes.len().min(at + random.magnitude(1.0, 100_000.0) as usize);
    match random.below(7) {
        0..3 => bytes[at] ^= 1 << random.below(8),
        3 => bytes.truncate(at),
        4 => bytes[at..end].fill(0),
        5 => bytes[at..end].iter_mut().for_each(|byte| *byte = random.bits() as u8),
        _ => {
            let more: Vec<u8> = bytes[at..end].to_vec();
            bytes.extend(more);
        }
    }
}

fn assert_answers_or_damage(collection: &Collection, truth: &Arc<Snapshot>, random: &mut Random, what: &str) -> bool {
    let snapshot = collection.snapshot();
    assert_eq!(snapshot.len(), truth.len());
    let mut met = false;
    for query in queries(random) {
        for &kind in snapshot.kinds() {
            let query = query.clone().on(kind);
            let asked = || {
                let answer = query.run(&snapshot).unwrap();
                answer.hits().for_each(|hit| assert!(!hit.item.id().is_empty()));
                answer
            };
            match unless_damaged(asked) {
                // What was asked may touch the damage only when it is compared.
                Some(answer) => {
                    let expected = query.run(truth).unwrap();
                    met |= unless_damaged(|| assert_same_answer(&answer, &expected, what)).is_none();
                }
                None => met = true,
            }
        }
    }
    let ids: Vec<String> = everything(truth).hits().take(200).map(|hit| hit.item.id().to_owned()).collect();
    for id in &ids {
        met |= unless_damaged(|| assert_eq!(snapshot.get(id), truth.get(id), "{what}")).is_none();
    }
    met |= unless_damaged(|| assert_eq!(collection.due(500, 50), collection.due(500, 50))).is_none();
    met
}

#[test]
fn a_spoiled_file_is_refused_or_noticed_and_never_believed() {
    let (written, spoiled) = (Folder::new(), Folder::new());
    let collection = some_points(20, 6_000);
    collection.apply(20_000, super::Changes::seeded(21, 6_000).batch());
    collection.settle();
    let (checkpoint, truth) = (collection.checkpoint(&written.0).unwrap(), collection.snapshot());
    let mut random = Random::seeded(22);
    let (mut refused, mut noticed) = (0, 0);
    for round in 0..600 {
        let victim = &checkpoint.files[random.below(checkpoint.files.len() as u64) as usize];
        for name in &checkpoint.files {
            fs::copy(written.0.join(name), spoiled.0.join(name)).unwrap();
        }
        let before = fs::read(written.0.join(victim)).unwrap();
        let mut after = before.clone();
        spoil(&mut after, &mut random);
        // A new file, not the old one changed: that may still be mapped.
        fs::remove_file(spoiled.0.join(victim)).unwrap();
        fs::write(spoiled.0.join(victim), &after).unwrap();
        let what = format!("round {round}, {victim}");
        let Ok(opened) = open(&spoiled.0, &checkpoint) else {
            assert_ne!(before, after, "{what}: a sound file is refused");
            refused += 1;
            continue;
        };
        noticed += usize::from(assert_answers_or_damage(&opened, &truth, &mut random, &what));
        assert_eq!(opened.scrub().is_err(), before != after, "{what}");
    }
    assert!(refused > 100 && noticed > 100, "{refused} refused, {noticed} noticed");
}

#[test]
fn every_refusal_says_what_is_wrong() {
    let folder = Folder::new();
    let collection = some_points(23, 500);
    let checkpoint = collection.checkpoint(&folder.0).unwrap();
    let segment = folder.0.join(&checkpoint.files[0]);
    let sound = fs::read(&segment).unwrap();
    let changed = |at: usize, bytes: &[u8]| {
        let mut changed = sound.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let cases = [
        (changed(0, b"SQLite"), "is not one of our files: it does not begin with the letters NIGHFILE"),
        (changed(8, &[2]), "has file format 2; this version reads up to 1: use a newer nigh"),
        (changed(8, &[0]), "is damaged: there is no file format 0"),
        (changed(50, &[1]), "is damaged: its header does not match its checksum"),
        (sound[..sound.len() - 1].to_vec(), "its header says"),
        (sound[..100].to_vec(), "is damaged: it ends within its header, after 100 bytes"),
        (Vec::new(), "is damaged: it is empty"),
    ];
    for (bytes, expected) in cases {
        fs::remove_file(&segment).unwrap();
        fs::write(&segment, bytes).unwrap();
        let message = open(&folder.0, &checkpoint).unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains(&checkpoint.files[0]), "{message}");
    }
    fs::remove_file(&segment).unwrap();
    let message = open(&folder.0, &checkpoint).unwrap_err().to_string();
    assert!(message.starts_with("there is no /"), "{message}");
}

#[test]
fn a_sound_file_under_the_name_of_another_is_refused() {
    let (one, two) = (Folder::new(), Folder::new());
    let of_as_many_points = |seed| {
        let collection = Collection::new();
        collection.apply(1, super::adopting::puts(seed, 800, 2_000));
        collection
    };
    let (ours, theirs) = (of_as_many_points(24), of_as_many_points(25));
    let (checkpoint, other) = (ours.checkpoint(&one.0).unwrap(), theirs.checkpoint(&two.0).unwrap());
    assert_eq!(checkpoint.files[0], other.files[0]);
    fs::rename(two.0.join(&other.files[0]), one.0.join(&checkpoint.files[0])).unwrap();
    let message = open(&one.0, &checkpoint).unwrap_err().to_string();
    assert!(message.contains("it is not the file that the manifest names"), "{message}");
    // Nor is a file taken whose name was changed.
    let message = {
        fs::rename(one.0.join(&checkpoint.files[1]), one.0.join("0000000099.manifest")).unwrap();
        Collection::open(Kind::offered(), &one.0, 99).unwrap_err().to_string()
    };
    assert!(message.contains("another file under this name"), "{message}");
}

#[test]
fn a_join_that_meets_damage_is_called_off_and_the_rest_goes_on() {
    let folder = Folder::new();
    let collection = some_points(26, 20_000);
    let checkpoint = collection.checkpoint(&folder.0).unwrap();
    let segment = folder.0.join(&checkpoint.files[0]);
    let mut bytes = fs::read(&segment).unwrap();
    // Among the positions, which a join reads and a lookup of an id never does. Records were not far enough off: among so many
    // new ids one may share its hash with an old one, and then the old one's record is read.
    let place = bytes.len() / 5;
    bytes[place] ^= 1;
    fs::remove_file(&segment).unwrap();
    fs::write(&segment, bytes).unwrap();
    be_quiet_about_damage();
    let opened = open(&folder.0, &checkpoint).unwrap();
    let seq = opened.snapshot().seq() + 1;
    let far = super::Changes::seeded(27, 1).places.clone();
    let put = |(i, &place): (usize, &nigh::geometry::Point)| {
        let id = nigh::collection::Id::new(format!("new-{i}")).unwrap();
        nigh::collection::Change::Put(nigh::collection::Item::new(id, place))
    };
    // As large as what is there, so that the two are to be joined; no new id is looked up in a damaged place.
    let batch: Vec<_> = far.iter().cycle().take(16_000).enumerate().map(put).collect();
    assert!(unless_damaged(|| opened.apply(seq, batch)).is_some(), "new ids are looked up without reading positions");
    opened.settle();
    assert_eq!(opened.snapshot().segments().len(), 2, "the two could not be joined");
    assert!(opened.snapshot().get("new-7").is_some());
    let message = opened.scrub().unwrap_err().to_string();
    assert!(message.contains("in its section points.positions"), "{message}");
}
