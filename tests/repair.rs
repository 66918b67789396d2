//! Repairing real directories: afterwards they are sound, and what was kept and what was lost is told.
#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use nigh::engine::{Repaired, repair, verify};
use nigh::log::Space;

#[path = "backup/damages.rs"]
mod damages;
#[path = "backup/places.rs"]
mod places;

use damages::{DAMAGES, PLAIN, copied, sound, written};
use places::{Contents, bytes_of, everything, named, open, puts};

/// Damage after which other items are there than before, because the rows themselves said so or nothing else was left.
const OTHER_AFTERWARDS: &[&str] = &[
    "a row of another version",
    "a row with other properties",
    "a row that is gone",
    "a row too many",
    "a row of no collection",
    "a store that is not there",
];

/// Damage that costs something, with a word by which the report says so.
const LOSSES: &[(&str, &str)] = &[
    ("a row of no collection", "it is called recovered-9 now"),
    ("a frame that says nothing", "plain: the log before change 301 is not kept; the items are"),
    ("a frame that is gone", "loaded: the log before change"),
    ("an end of the log that is gone", "1000 were acknowledged"),
    ("a store that is not there", "it is called recovered-1 now"),
];

fn without_paths(files: BTreeMap<PathBuf, Vec<u8>>, root: &std::path::Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files.into_iter().map(|(path, bytes)| (path.strip_prefix(root).unwrap().to_owned(), bytes)).collect()
}

#[test]
fn after_a_repair_the_directory_is_sound_and_the_report_says_what_it_cost() {
    let (_folder, path) = sound();
    let whole = path.with_file_name("whole");
    copied(&path, &whole);
    let before: BTreeMap<String, (u64, Contents)> = everything(&open(&whole));
    for (number, (what, damage, _)) in DAMAGES.iter().enumerate() {
        let hurt = path.with_file_name(format!("hurt-{number}"));
        copied(&path, &hurt);
        damage(&hurt);
        let damaged = without_paths(bytes_of(&hurt), &hurt);
        let Repaired { aside, lost, mended, .. } = repair(&hurt).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(without_paths(bytes_of(&aside), &aside), damaged, "{what}: nothing aside is touched");
        let found = verify(&hurt).unwrap();
        assert!(found.is_sound(), "{what}: {:#?}", found.differences);
        let engine = open(&hurt);
        if !OTHER_AFTERWARDS.contains(what) {
            assert!(everything(&engine) == before, "{what}: {lost:?} {mended:?}");
        }
        match LOSSES.iter().find(|(costly, _)| costly == what) {
            Some((_, words)) => assert!(lost.iter().any(|lost| lost.contains(words)), "{what}: {lost:#?}"),
            None => assert!(lost.is_empty() || what.contains("table"), "{what}: {lost:#?}"),
        }
        assert!(!lost.is_empty() || !mended.is_empty(), "{what}: something was done");
        engine.submit(&engine.names()[0], puts(0, 3, 6)).unwrap();
    }
}

#[test]
fn a_sound_directory_keeps_its_items_and_loses_nothing() {
    let (_folder, path) = sound();
    let before = everything(&open(&path));
    let first = repair(&path).unwrap();
    assert_eq!((first.lost, first.collections.len()), (vec![], 2));
    let second = repair(&path).unwrap();
    assert!(second.aside.ends_with("data.before-repair-2") && first.aside.exists());
    assert!(verify(&path).unwrap().is_sound());
    assert_eq!(everything(&open(&path)), before);
}

#[test]
fn a_store_without_rows_is_made_of_the_segments_that_are_left() {
    let (_folder, path) = sound();
    let before = everything(&open(&path));
    fs::remove_dir_all(path.join("store")).unwrap();
    let repaired = repair(&path).unwrap();
    let engine = open(&path);
    let after = everything(&engine);
    // The checkpoint is from before the last changes: fifty removals in one, two puts in the other.
    assert_eq!((after["recovered-1"].1.len(), after["recovered-2"].1.len()), (300, 2500));
    let known = &before["loaded"].1;
    assert!(known.iter().all(|item| after["recovered-2"].1.contains(item)));
    assert!(
        repaired.lost.iter().any(|lost| lost.contains("later changes to items there are lost")),
        "{:#?}",
        repaired.lost
    );
    drop(engine);
    assert!(verify(&path).unwrap().is_sound());
}

#[test]
fn rows_of_a_newer_schema_are_not_repaired() {
    let (_folder, path) = sound();
    written(&path, |_, batch| batch.put(Space::Meta, *b"schema", 9_u32.to_be_bytes()));
    let before = bytes_of(&path);
    assert!(repair(&path).unwrap_err().to_string().contains("schema 9"));
    assert_eq!(bytes_of(&path).len(), before.len());
    assert_eq!(named("plain").as_str().len() as u32, PLAIN + 4);
}
