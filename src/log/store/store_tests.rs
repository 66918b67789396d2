//! One suite for every store, then what each promises beyond it.

use std::path::Path;

use super::*;

/// A store of the given kind, and the same one after its process ended.
fn on_disk(folder: &Path) -> FjallStore {
    match folder.join("version").exists() {
        true => FjallStore::open(folder, &Settings::default()).unwrap(),
        false => FjallStore::create(folder, &Settings::default()).unwrap(),
    }
}

/// Runs a check against each kind of store.
fn everywhere(check: impl Fn(&dyn Store)) {
    check(&MemoryStore::new());
    check(&MemoryStore::lasting());
    let folder = tempfile::tempdir().unwrap();
    check(&on_disk(folder.path()));
}

fn batch(writes: &[(Space, &str, Option<&str>)]) -> Batch {
    let mut batch = Batch::new();
    for (space, key, value) in writes {
        match value {
            Some(value) => batch.put(*space, *key, *value),
            None => batch.remove(*space, *key),
        }
    }
    batch
}

fn keys(store: &dyn Store, space: Space, range: Range<&str>) -> Vec<String> {
    let rows = store.scan(space, range.start.as_bytes()..range.end.as_bytes());
    rows.map(|row| String::from_utf8(row.unwrap().0).unwrap()).collect()
}

fn value(store: &dyn Store, space: Space, key: &str) -> Option<String> {
    store.get(space, key.as_bytes()).unwrap().map(|value| String::from_utf8(value).unwrap())
}

use Space::{Changes, Meta, Records};

#[test]
fn a_batch_writes_and_removes_in_several_tables_at_once() {
    everywhere(|store| {
        store.commit(batch(&[(Records, "a", Some("1")), (Changes, "a", Some("2"))]), Sync::Now).unwrap();
        store.commit(batch(&[(Records, "a", None), (Meta, "m", Some("")), (Meta, "none", None)]), Sync::Later).unwrap();
        assert_eq!(value(store, Records, "a"), None);
        assert_eq!(value(store, Changes, "a").as_deref(), Some("2"));
        assert_eq!(value(store, Meta, "m").as_deref(), Some(""));
        store.commit(Batch::new(), Sync::Now).unwrap();
        store.sync().unwrap();
        assert!(store.bytes() > 0);
    });
}

#[test]
fn scans_keep_the_order_of_bytes_and_the_ends_of_their_range() {
    everywhere(|store| {
        store
            .commit(batch(&["b", "a", "ab", "c", "é", "B"].map(|key| (Records, key, Some(key)))), Sync::Later)
            .unwrap();
        assert_eq!(keys(store, Records, "a".."c"), ["a", "ab", "b"]);
        assert_eq!(keys(store, Records, "".."~"), ["B", "a", "ab", "b", "c"]);
        assert_eq!(keys(store, Records, "ac".."ad"), [""; 0]);
        assert_eq!(keys(store, Records, "c".."a"), [""; 0]);
        assert_eq!(keys(store, Records, "a".."a"), [""; 0]);
        assert_eq!(keys(store, Meta, "a".."z"), [""; 0]);
        let last = |range: Range<&str>| {
            let row = store.last(Records, range.start.as_bytes()..range.end.as_bytes()).unwrap();
            row.map(|(key, value)| (String::from_utf8(key).unwrap(), String::from_utf8(value).unwrap()))
        };
        assert_eq!(last("a".."b"), Some(("ab".into(), "ab".into())));
        assert_eq!(last("B".."a"), Some(("B".into(), "B".into())));
        assert_eq!((last("0".."9"), last("b".."a")), (None, None));
    });
}

#[test]
fn a_scan_sees_the_moment_it_began() {
    everywhere(|store| {
        store.commit(batch(&[(Records, "a", Some("1")), (Records, "b", Some("1"))]), Sync::Later).unwrap();
        let mut rows = store.scan(Records, b"a".as_slice()..b"z".as_slice());
        let change = [(Records, "a", None), (Records, "b", Some("2")), (Records, "c", Some("2"))];
        store.commit(batch(&change), Sync::Later).unwrap();
        store.ingest(Records, &mut [(b"d".to_vec(), b"2".to_vec())].into_iter()).unwrap();
        let seen: Vec<Row> = rows.by_ref().map(Result::unwrap).collect();
        assert_eq!(seen, [(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), b"1".to_vec())]);
        drop(rows);
        assert_eq!(keys(store, Records, "a".."z"), ["b", "c", "d"]);
    });
}

#[test]
fn a_moment_is_one_over_all_tables_and_outlives_what_is_written_and_ingested_after_it() {
    everywhere(|store| {
        store.commit(batch(&[(Records, "a", Some("1")), (Records, "b", Some("1"))]), Sync::Now).unwrap();
        store.commit(batch(&[(Meta, "m", Some("1"))]), Sync::Later).unwrap();
        let moment = store.moment();
        let seen = |space| {
            let rows = moment.scan(space, b"".as_slice()..b"z".as_slice()).map(Result::unwrap);
            rows.map(|(key, value)| String::from_utf8([key, value].concat()).unwrap()).collect::<Vec<_>>()
        };
        for turn in 0..3 {
            assert_eq!((seen(Records), seen(Meta)), (vec!["a1".into(), "b1".into()], vec!["m1".into()]), "{turn}");
            let change =
                [(Records, "a", None), (Records, "b", Some("2")), (Meta, "m", None), (Changes, "c", Some("1"))];
            store.commit(batch(&change), Sync::Now).unwrap();
            store.ingest(Records, &mut [(b"d".to_vec(), b"2".to_vec())].into_iter()).unwrap();
        }
        assert_eq!(seen(Changes), [""; 0]);
        assert_eq!(moment.scan(Records, b"b".as_slice()..b"b".as_slice()).count(), 0);
        assert_eq!(keys(store, Records, "a".."z"), ["b", "d"]);
    });
}

#[test]
fn a_scan_while_others_write_sees_whole_batches() {
    everywhere(|store| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for turn in 0..200 {
                    let value = turn.to_string();
                    store
                        .commit(batch(&["a", "b", "c"].map(|key| (Records, key, Some(&*value)))), Sync::Later)
                        .unwrap();
                }
            });
            for _ in 0..200 {
                let rows = store.scan(Records, b"a".as_slice()..b"z".as_slice());
                let values: Vec<Vec<u8>> = rows.map(|row| row.unwrap().1).collect();
                assert!(values.is_empty() || values.len() == 3, "{values:?}");
                assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
            }
        });
    });
}

#[test]
fn rows_that_are_ingested_take_the_place_of_older_ones_and_give_way_to_newer_ones() {
    everywhere(|store| {
        store.commit(batch(&["a", "b", "c"].map(|key| (Records, key, Some("old")))), Sync::Later).unwrap();
        let during = batch(&[(Records, "d", Some("during")), (Meta, "m", Some("1"))]);
        let mut during = Some(during);
        let mut rows = ["b", "c", "d", "e"].into_iter().map(|key| {
            // A commit in the middle of the ingestion.
            if let Some(batch) = during.take() {
                store.commit(batch, Sync::Now).unwrap();
            }
            (key.as_bytes().to_vec(), b"new".to_vec())
        });
        store.ingest(Records, &mut rows).unwrap();
        store.commit(batch(&[(Records, "c", Some("newest")), (Records, "e", None)]), Sync::Later).unwrap();
        let found = ["a", "b", "c", "d", "e"].map(|key| value(store, Records, key));
        assert_eq!(
            found.each_ref().map(Option::as_deref),
            [Some("old"), Some("new"), Some("newest"), Some("new"), None]
        );
        store.ingest(Meta, &mut std::iter::empty()).unwrap();
        assert_eq!(value(store, Meta, "m").as_deref(), Some("1"));
    });
}

#[test]
fn what_no_store_takes_is_refused_and_leaves_nothing_behind() {
    everywhere(|store| {
        let long = "x".repeat(KEY_BYTES_MAX + 1);
        let large = "x".repeat(VALUE_BYTES_MAX + 1);
        let refused = |writes: &[_], words: &str| {
            let error = store.commit(batch(writes), Sync::Now).unwrap_err();
            assert!(error.is_refusal() && error.to_string().contains(words), "{error}");
        };
        let fine = (Records, "a", Some("1"));
        refused(&[fine, (Records, &long, None)], "a key of 261 bytes is too long");
        refused(&[fine, (Meta, "b", Some(&large))], "a value of 67585 bytes is too long");
        refused(&[fine, (Meta, "", Some("1"))], "a key of Meta is empty");
        refused(&[fine, (Meta, "a", Some("1")), (Records, "a", None)], "writes the key a of Records twice");
        let refused = |keys: &[&str], words: &str| {
            let mut rows = keys.iter().map(|key| (key.as_bytes().to_vec(), vec![]));
            let error = store.ingest(Records, &mut rows).unwrap_err();
            assert!(error.is_refusal() && error.to_string().contains(words), "{error}");
        };
        refused(&["a", "b", "b"], "twice");
        refused(&["a", "c", "b"], "the key b of Records comes before");
        refused(&["a", &long], "too long");
        assert_eq!(keys(store, Records, "".."~"), [""; 0]);
        // The longest there may be are taken.
        let (long, large) = (&long[1..], &large[1..]);
        store.commit(batch(&[(Records, long, Some(large))]), Sync::Now).unwrap();
        assert_eq!(value(store, Records, long).as_deref(), Some(large));
    });
}

#[test]
fn reopening_finds_everything() {
    let folder = tempfile::tempdir().unwrap();
    for turn in 0..4 {
        let store = on_disk(folder.path());
        assert_eq!(keys(&store, Records, "".."~").len(), turn * 3, "turn {turn}");
        let names: Vec<String> = (0..3).map(|i| format!("{turn}-{i}")).collect();
        store.commit(batch(&[(Records, &names[0], Some("1")), (Changes, &names[0], Some("1"))]), Sync::Now).unwrap();
        store.ingest(Records, &mut [(names[1].clone().into_bytes(), b"2".to_vec())].into_iter()).unwrap();
        store.commit(batch(&[(Records, &names[2], Some("3"))]), Sync::Later).unwrap();
        assert_eq!(keys(&store, Changes, "".."~").len(), turn + 1);
    }
}

#[test]
fn memtables_are_rotated_and_the_journal_is_kept_short() {
    let folder = tempfile::tempdir().unwrap();
    let store = on_disk(folder.path());
    let value = vec![7; 32 << 10];
    // 320 MiB, so that the journal is cut several times.
    for turn in 0..160_u32 {
        let mut batch = Batch::new();
        (0..64_u32).for_each(|i| batch.put(Records, [turn.to_be_bytes(), i.to_be_bytes()].concat(), value.clone()));
        batch.put(Meta, *b"turn", turn.to_be_bytes());
        store.commit(batch, Sync::Later).unwrap();
    }
    let journals = std::fs::read_dir(folder.path()).unwrap().flatten();
    let journals = journals.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "jnl"));
    let bytes: u64 = journals.map(|entry| entry.metadata().unwrap().len()).sum();
    assert!(bytes < 3 * (100 << 20), "{bytes} bytes of journals");
    drop(store);
    let store = on_disk(folder.path());
    let rows = store.scan(Records, [0].as_slice()..[255].as_slice());
    assert_eq!(rows.filter(|row| row.as_ref().unwrap().1 == value).count(), 160 * 64);
    assert_eq!(store.get(Meta, b"turn").unwrap().unwrap(), 159_u32.to_be_bytes());
}

/// The worker fails where no caller sees it. Nobody may wait for it for ever, and what was committed stays readable.
#[test]
fn a_worker_that_fails_stops_writes_and_leaves_reads() {
    let folder = tempfile::tempdir().unwrap();
    let store = on_disk(folder.path());
    let records = folder.path().join("keyspaces/1/tables");
    std::fs::remove_dir_all(records).unwrap();
    let value = vec![7; 64 << 10];
    let write = |turn: u32| {
        let mut batch = Batch::new();
        (0..16_u32).for_each(|i| batch.put(Records, [turn.to_be_bytes(), i.to_be_bytes()].concat(), value.clone()));
        store.commit(batch, Sync::Later)
    };
    let error = (0..400).find_map(|turn| write(turn).err());
    assert_eq!(error, Some(StoreError::Stopped));
    assert_eq!((write(400), store.sync()), (Err(StoreError::Stopped), Err(StoreError::Stopped)));
    assert_eq!(store.ingest(Meta, &mut std::iter::empty()), Err(StoreError::Stopped));
    assert_eq!(store.get(Records, &[0; 8]).unwrap().unwrap(), value);
}

#[test]
fn a_second_opener_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _store = on_disk(folder.path());
    let error = FjallStore::open(folder.path(), &Settings::default()).unwrap_err();
    assert!(error.to_string().contains("another process has it open"), "{error}");
    assert!(FjallStore::create(folder.path(), &Settings::default()).is_err());
}

#[test]
fn a_store_that_is_not_there_is_not_made_by_opening() {
    let folder = tempfile::tempdir().unwrap();
    let error = FjallStore::open(folder.path(), &Settings::default()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn faults_fail_the_write_they_are_armed_for_and_stop_the_store() {
    let full = StoreError::Full { doing: "writing" };
    for (when, found) in [(When::Before, None), (When::After, Some("1"))] {
        let store = MemoryStore::new();
        store.arm(Fault { after_writes: 1, when, error: full.clone() });
        store.sync().unwrap();
        assert_eq!(store.commit(batch(&[(Records, "a", Some("1"))]), Sync::Now), Err(full.clone()));
        assert_eq!(store.commit(batch(&[(Records, "b", Some("1"))]), Sync::Now), Err(StoreError::Stopped));
        assert_eq!(store.sync(), Err(StoreError::Stopped));
        assert_eq!(store.ingest(Records, &mut std::iter::empty()), Err(StoreError::Stopped));
        assert_eq!(value(&store, Records, "a").as_deref(), found);
        let reopened = store.crash(0);
        assert_eq!(value(&reopened, Records, "a").as_deref(), found);
        reopened.sync().unwrap();
    }
}

#[test]
fn a_crash_keeps_what_was_synced_and_a_prefix_of_the_rest() {
    let store = MemoryStore::new();
    for (key, sync) in [("a", Sync::Later), ("b", Sync::Now), ("c", Sync::Later), ("d", Sync::Later)] {
        store.commit(batch(&[(Records, key, Some("1"))]), sync).unwrap();
    }
    assert_eq!(store.unsynced(), 2);
    for (keep, found) in [(0, &["a", "b"][..]), (1, &["a", "b", "c"]), (9, &["a", "b", "c", "d"])] {
        assert_eq!(keys(&store.crash(keep), Records, "".."~"), found, "{keep}");
    }
    store.sync().unwrap();
    assert_eq!(keys(&store.crash(0), Records, "".."~").len(), 4);
}
