//! What can go wrong with a directory, one way after the other.
#![allow(dead_code, reason = "each of the tests that share it needs a part")]

use std::fs;
use std::path::{Path, PathBuf};

use nigh::log::{Batch, FjallStore, Space, Store, Sync, codec};
use xxhash_rust::xxh3::xxh3_64;

use crate::places::{files, flip, history, item, open};

/// A sound directory that was closed after some history, with changes behind the checkpoint in its log.
pub(crate) fn sound() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let engine = open(&path);
    history(&engine);
    drop(engine);
    (folder, path)
}

pub(crate) fn store(path: &Path) -> FjallStore {
    FjallStore::open(&path.join("store"), &nigh::log::Settings::default()).unwrap()
}

pub(crate) fn written(path: &Path, write: impl FnOnce(&FjallStore, &mut Batch)) {
    let store = store(path);
    let mut batch = Batch::new();
    write(&store, &mut batch);
    store.commit(batch, Sync::Now).unwrap();
}

/// The number of a collection: the first was made as `plain`, the second by a load.
pub(crate) const PLAIN: u32 = 1;
pub(crate) const LOADED: u32 = 2;

pub(crate) fn files_of(path: &Path, collection: u32, ending: &str) -> Vec<PathBuf> {
    let all = files(&path.join("segments").join(collection.to_string()));
    all.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == ending)).collect()
}

pub(crate) fn frames(store: &FjallStore, collection: u32) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (first, end) = (collection.to_be_bytes(), (collection + 1).to_be_bytes());
    store.scan(Space::Changes, &first..&end).map(Result::unwrap).collect()
}

pub(crate) fn raise_high_water(path: &Path, commits: u64) {
    let number = commits.to_le_bytes();
    fs::write(path.join("high-water"), [number, xxh3_64(&number).to_le_bytes()].concat()).unwrap();
}

pub(crate) fn largest(paths: &[PathBuf]) -> PathBuf {
    paths.iter().max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap().clone()
}

/// What can be wrong: how it is brought about, and a word by which it is named.
pub(crate) type Damage = (&'static str, fn(&Path), &'static str);

pub(crate) const DAMAGES: &[Damage] = &[
    (
        "a flipped bit of a segment",
        |path| flip(&largest(&files_of(path, LOADED, "segment")), 9000),
        "0000000006.segment is damaged",
    ),
    ("a missing segment", |path| fs::remove_file(largest(&files_of(path, PLAIN, "segment"))).unwrap(), "there is no /"),
    (
        "a short segment",
        |path| {
            let segment = largest(&files_of(path, LOADED, "segment"));
            let bytes = fs::read(&segment).unwrap();
            fs::write(&segment, &bytes[..bytes.len() / 2]).unwrap();
        },
        "its header says",
    ),
    ("a flipped bit of a manifest", |path| flip(&files_of(path, LOADED, "manifest")[0], 4100), "is damaged"),
    ("a missing manifest", |path| fs::remove_file(&files_of(path, PLAIN, "manifest")[0]).unwrap(), "there is no /"),
    (
        "a row of another version",
        |path| {
            written(path, |_, batch| {
                batch.put(Space::Records, codec::record_key(PLAIN, "item-200"), codec::write_row(&item(200, 1), 77));
            });
        },
        "item-200 has version 77 in its row and 201 in its segment",
    ),
    (
        "a row with other properties",
        |path| {
            written(path, |_, batch| {
                batch.put(Space::Records, codec::record_key(PLAIN, "item-200"), codec::write_row(&item(200, 8), 201));
            });
        },
        "item-200 is not the same in its row",
    ),
    (
        "a row that is gone",
        |path| {
            written(path, |_, batch| {
                batch.remove(Space::Records, codec::record_key(PLAIN, "item-200"));
            });
        },
        "item-200 is in a segment and has no row",
    ),
    (
        "a row too many",
        |path| {
            written(path, |_, batch| {
                batch.put(Space::Records, codec::record_key(LOADED, "stranger"), codec::write_row(&item(3, 1), 5));
            });
        },
        "stranger has a row and is in no segment",
    ),
    (
        "a row that says nothing",
        |path| {
            written(path, |_, batch| {
                batch.put(Space::Records, codec::record_key(PLAIN, "item-200"), b"\x99nonsense".to_vec());
            });
        },
        "the row of \"item-200\": format 9 is not known",
    ),
    (
        "a row of no collection",
        |path| {
            written(path, |_, batch| {
                batch.put(Space::Records, codec::record_key(9, "a"), codec::write_row(&item(3, 1), 5));
            });
        },
        "1 rows are of collection 9",
    ),
    (
        "a frame that says nothing",
        |path| {
            written(path, |store, batch| {
                let (key, mut value) = frames(store, PLAIN).remove(0);
                let middle = value.len() / 2;
                value[middle] ^= 1;
                batch.put(Space::Changes, key, value);
            });
        },
        "the frame of collection 1 at change 1: its checksum does not fit",
    ),
    (
        "a frame that is gone",
        |path| {
            written(path, |store, batch| {
                batch.remove(Space::Changes, frames(store, LOADED).remove(1).0);
            });
        },
        "the log of collection 2 has a gap at change 2501",
    ),
    ("an end of the log that is gone", |path| raise_high_water(path, 1000), "but 1000 were acknowledged"),
    (
        "a checkpoint that says nothing",
        |path| {
            written(path, |_, batch| {
                batch.put(Space::Meta, [b"checkpoint/".as_slice(), &PLAIN.to_be_bytes()].concat(), b"{".to_vec());
            });
        },
        "a checkpoint: ",
    ),
    (
        "a table of the store with a flipped bit",
        |path| {
            let tables: Vec<PathBuf> = files(&path.join("store"))
                .into_iter()
                .filter(|path| path.to_string_lossy().contains("tables"))
                .collect();
            let table = largest(&tables);
            flip(&table, 3000);
        },
        "the store is damaged",
    ),
    (
        "a store that is not there",
        |path| fs::remove_file(path.join("store/version")).unwrap(),
        "the store cannot be opened",
    ),
];

/// A copy of a directory, in which nothing is shared.
pub(crate) fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copied(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
