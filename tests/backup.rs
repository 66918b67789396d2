//! Backups on a real directory: what is restored is what was there at one moment, to the bit, or nothing at all.
#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use nigh::collection::Change;
use nigh::engine::{BackupError, Engine, EngineError, Sum, restore};
use nigh::log::{FjallStore, Row, Space, Store};

#[path = "backup/places.rs"]
mod places;

use places::{bytes_of, contents, everything, files, flip, history, item, named, once, open, puts};

/// All rows of a directory that nobody has open.
fn rows(path: &std::path::Path) -> Vec<(Space, Row)> {
    let store = FjallStore::open(&path.join("store"), &nigh::log::Settings::default()).unwrap();
    let of = |space| store.scan(space, &[0]..&[0xff; 300]).map(move |row| (space, row.unwrap()));
    Space::ALL.into_iter().flat_map(of).collect()
}

#[test]
fn what_is_restored_is_what_was_there_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let engine = open(&at("data"));
    history(&engine);
    let before = everything(&engine);
    let backup = engine.backup(&at("backup")).unwrap();
    assert_eq!(everything(&engine), before);
    engine.submit(&named("loaded"), puts(0, 2500, 9)).unwrap(); // after the moment
    drop(engine);
    let restored = restore(&at("backup"), &at("again")).unwrap();
    assert_eq!(restored.collections, backup.collections);
    assert_eq!(restored.rows, backup.rows);
    let stored = rows(&at("again"));
    assert!(stored.iter().any(|(space, _)| *space == Space::Changes), "the tail of the log is there");
    assert_eq!(stored.len() as u64, backup.rows);
    let engine = open(&at("again"));
    assert_eq!(everything(&engine), before);
    assert_eq!(engine.settings_of(&named("plain")).unwrap().ttl_ms, Some(86_400_000_000));
    assert_eq!(engine.settings_of(&named("plain")).unwrap().kinds.len(), 2);
    assert!(engine.submit(&named("plain"), once()).unwrap().repeated, "requests are still remembered");
    let seq = before["loaded"].0;
    assert_eq!(engine.submit(&named("loaded"), puts(1, 2, 1)).unwrap().seq, seq + 1);
    // A backup of what was restored holds the same again.
    drop(engine);
    fs::remove_dir_all(at("again")).unwrap();
    restore(&at("backup"), &at("again")).unwrap();
    assert_eq!(rows(&at("again")), stored);
    assert_eq!(open(&at("again")).backup(&at("second")).unwrap().collections, backup.collections);
}

#[test]
fn a_backup_while_four_threads_write_holds_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: String| folder.path().join(name);
    let engine = open(&at("data".to_owned()));
    let stop = AtomicBool::new(false);
    let backups = std::thread::scope(|scope| {
        for thread in 0..4 {
            let (engine, stop) = (&engine, &stop);
            scope.spawn(move || {
                let own = named(&format!("own-{thread}"));
                for turn in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    // Ten at once into one of its own, then ten into one that all share.
                    for name in [own.clone(), named("shared")] {
                        engine
                            .submit(
                                &name,
                                puts(thread * 1000 + turn % 50 * 10, thread * 1000 + turn % 50 * 10 + 10, turn),
                            )
                            .unwrap();
                    }
                    if turn % 3 == 0 {
                        engine.submit(&own, Change::Remove(item(thread * 1000 + turn % 7, 0).id)).unwrap();
                    }
                }
            });
        }
        let mut backups = Vec::new();
        for number in 0..4 {
            std::thread::sleep(std::time::Duration::from_millis(120));
            backups.push(engine.backup(&at(format!("backup-{number}"))).unwrap());
        }
        stop.store(true, Ordering::Relaxed);
        backups
    });
    for (number, backup) in backups.iter().enumerate() {
        restore(&backup.path, &at(format!("again-{number}"))).unwrap();
        let again = open(&at(format!("again-{number}")));
        let told: Vec<(String, u64, u64)> =
            backup.collections.iter().map(|own| (own.name.clone(), own.seq, own.sum.items)).collect();
        let found = everything(&again).into_iter().map(|(name, (seq, items))| (name, seq, items.len() as u64));
        assert_eq!(found.collect::<Vec<_>>(), told);
        for name in again.names() {
            // Batches are whole: all ten of a turn are of one generation, removed ones aside.
            let snapshot = again.snapshot(&name).unwrap();
            let mut generations = std::collections::BTreeMap::new();
            for (id, _, properties, _, _) in contents(&snapshot) {
                let at: u64 = id["item-".len()..].parse().unwrap();
                let generation = properties.split("generation").nth(1).unwrap().to_owned();
                let first = generations.entry(at / 10).or_insert_with(|| generation.clone());
                assert_eq!(*first, generation, "{name} {id}");
            }
        }
    }
    assert!(backups[3].collections.iter().zip(&backups[0].collections).any(|(late, early)| late.seq > early.seq));
}

#[test]
fn a_damaged_byte_anywhere_is_refused_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let engine = open(&at("data"));
    history(&engine);
    engine.backup(&at("backup")).unwrap();
    for path in files(&at("backup")) {
        let bytes = fs::metadata(&path).unwrap().len() as usize;
        for place in [0, 9, bytes / 3, bytes / 2, bytes - 20, bytes - 2, bytes - 1] {
            flip(&path, place);
            let refused = restore(&at("backup"), &at("again")).unwrap_err();
            let named = matches!(refused, BackupError::Damaged { .. } | BackupError::Newer { .. });
            assert!(named, "{} at {place}: {refused}", path.display());
            assert!(!at("again").exists() && !at("again.new").exists());
            flip(&path, place);
        }
        let aside = path.with_extension("aside");
        fs::rename(&path, &aside).unwrap();
        assert!(restore(&at("backup"), &at("again")).is_err(), "{} is missing", path.display());
        fs::rename(&aside, &path).unwrap();
    }
    restore(&at("backup"), &at("again")).unwrap();
}

#[test]
fn linked_files_survive_that_the_directory_they_came_from_changes_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let engine = open(&at("data"));
    history(&engine);
    let before = everything(&engine);
    engine.backup(&at("backup")).unwrap();
    let held = bytes_of(&at("backup"));
    engine.submit(&named("loaded"), puts(0, 5000, 7)).unwrap();
    engine.drop_collection(&named("plain")).unwrap();
    engine.checkpoint().unwrap();
    engine.close().unwrap();
    drop(engine);
    fs::remove_dir_all(at("data")).unwrap();
    assert_eq!(bytes_of(&at("backup")), held);
    restore(&at("backup"), &at("again")).unwrap();
    let engine = open(&at("again"));
    engine.submit(&named("loaded"), puts(0, 5000, 8)).unwrap();
    engine.checkpoint().unwrap();
    drop(engine);
    assert_eq!(bytes_of(&at("backup")), held);
    restore(&at("backup"), &at("third")).unwrap();
    assert_eq!(everything(&open(&at("third"))), before);
}

#[test]
fn what_is_there_is_left_alone_and_what_a_dead_attempt_left_is_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let engine = open(&at("data"));
    history(&engine);
    fs::create_dir_all(at("backup.new/segments/plain")).unwrap();
    fs::write(at("backup.new/rows"), b"half").unwrap();
    engine.backup(&at("backup")).unwrap();
    assert!(!at("backup.new").exists());
    assert!(matches!(engine.backup(&at("backup")), Err(BackupError::Exists { .. })));
    fs::create_dir_all(at("again.new/store/keyspaces")).unwrap();
    restore(&at("backup"), &at("again")).unwrap();
    assert!(matches!(restore(&at("backup"), &at("again")), Err(BackupError::Exists { .. })));
    fs::create_dir_all(at("other.new")).unwrap();
    fs::write(at("other.new/thesis.txt"), b"mine").unwrap();
    let refused = restore(&at("backup"), &at("other")).unwrap_err().to_string();
    assert!(refused.contains("thesis.txt"), "{refused}");
    assert!(matches!(restore(&at("data"), &at("none")), Err(BackupError::None { .. })));
}

#[test]
fn a_backup_of_a_newer_format_is_refused_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    open(&at("data")).backup(&at("backup")).unwrap();
    let text = fs::read_to_string(at("backup/BACKUP")).unwrap();
    fs::write(at("backup/BACKUP"), text.replace("format 1", "format 7")).unwrap();
    let refused = restore(&at("backup"), &at("again")).unwrap_err().to_string();
    assert!(refused.contains("format 7") && refused.contains("knows 1"), "{refused}");
}

#[test]
fn an_engine_in_memory_has_nothing_to_back_up() {
    let folder = tempfile::tempdir().unwrap();
    let refused = Engine::new().backup(&folder.path().join("backup")).unwrap_err();
    assert!(matches!(refused, BackupError::Engine(EngineError::NoDirectory { .. })));
    assert_eq!(Sum::default().items, 0);
}
