//! Verifying real directories: each kind of damage is found by name, a sound one has none, and nothing is changed by looking.
#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::fs;

use nigh::engine::{OpenError, Verified, verify};
use nigh::log::Space;

#[path = "backup/damages.rs"]
mod damages;
#[path = "backup/places.rs"]
mod places;

use damages::{DAMAGES, copied, sound, written};
use places::{bytes_of, everything, named, open, puts};

#[test]
fn a_sound_directory_has_no_differences_and_is_not_changed() {
    let (folder, path) = sound();
    let before = bytes_of(&path);
    let found = verify(&path).unwrap();
    assert!(found.is_sound(), "{:#?}", found.differences);
    assert_eq!(bytes_of(&path), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    let counts: Vec<(&str, u64, u64, u64)> =
        found.collections.iter().map(|own| (own.name.as_str(), own.seq, own.rows.items, own.questions)).collect();
    assert_eq!(counts, [("plain", 302, 300, 240), ("loaded", 2850, 2450, 240)]);
    assert!(found.collections.iter().all(|own| own.segments == Some(own.rows)));
    assert!(found.frames >= 4 && found.commits >= 6, "{found:?}");
    drop(open(&path));
}

#[test]
fn every_kind_of_damage_is_found_by_name_and_left_as_it_is() {
    let (_folder, path) = sound();
    let hurt = path.with_file_name("hurt");
    for (what, damage, words) in DAMAGES {
        copied(&path, &hurt);
        damage(&hurt);
        let before = bytes_of(&hurt);
        let Verified { differences, .. } = verify(&hurt).unwrap();
        assert!(differences.iter().any(|difference| difference.contains(words)), "{what}: {differences:#?}");
        assert!(!differences.iter().any(|difference| difference.contains(".verify")), "{what}: {differences:#?}");
        assert_eq!(bytes_of(&hurt), before, "{what}");
        fs::remove_dir_all(&hurt).unwrap();
    }
}

#[test]
fn a_directory_that_an_engine_has_open_is_not_verified() {
    let (_folder, path) = sound();
    let engine = open(&path);
    assert!(matches!(verify(&path), Err(OpenError::Home(_))));
    engine.submit(&named("plain"), puts(1, 2, 1)).unwrap();
    assert_eq!(everything(&engine).len(), 2);
}

#[test]
fn rows_of_a_newer_schema_are_refused_by_its_number() {
    let (_folder, path) = sound();
    written(&path, |_, batch| batch.put(Space::Meta, *b"schema", 7_u32.to_be_bytes()));
    let refused = nigh::engine::Engine::open(&path, places::settings()).unwrap_err().to_string();
    assert!(refused.contains("schema 7") && refused.contains("knows 1"), "{refused}");
    assert!(verify(&path).unwrap().differences.iter().any(|difference| difference.contains("schema 7")));
}
