//! Flips, cuts and losses in every file of a store: each is noticed or does no harm, and none takes the process down.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::generate::Random;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copied(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

fn rows(from: u32, to: u32) -> Vec<Row> {
    (from..to).map(|i| (i.to_be_bytes().to_vec(), format!("{i:0100}").into_bytes())).collect()
}

/// A store with rows in tables and in the journal.
fn written(folder: &Path) {
    let store = FjallStore::create(folder, &Settings::default()).unwrap();
    for space in [Space::Records, Space::Changes] {
        store.ingest(space, &mut rows(0, 400).into_iter()).unwrap();
    }
    for (key, value) in rows(400, 440) {
        let mut batch = Batch::new();
        batch.put(Space::Records, key.clone(), value.clone());
        batch.put(Space::Changes, key, value);
        store.commit(batch, Sync::Now).unwrap();
    }
    drop(store);
    // What the journal reserved is cut off at the first opening, which leaves less to damage in vain.
    drop(FjallStore::open(folder, &Settings::default()).unwrap());
}

/// Every row that is read is one that was written; how many there are, or why not.
fn read_all(folder: &Path) -> Result<usize, StoreError> {
    let store = FjallStore::open(folder, &Settings::default())?;
    let mut count = 0;
    for space in [Space::Records, Space::Changes] {
        for row in store.scan(space, &[0]..&[0xff; 9]) {
            let (key, value) = row?;
            let number = u32::from_be_bytes(key.try_into().unwrap());
            assert_eq!(value, format!("{number:0100}").into_bytes());
            count += 1;
        }
    }
    Ok(count)
}

#[test]
fn damage_is_noticed_or_does_no_harm_and_never_takes_the_process_down() {
    let folder = tempfile::tempdir().unwrap();
    let sound = folder.path().join("sound");
    written(&sound);
    assert_eq!(read_all(&sound), Ok(880));
    let names: Vec<PathBuf> = files(&sound).iter().map(|path| path.strip_prefix(&sound).unwrap().to_owned()).collect();
    let mut random = Random::seeded(1);
    let mut outcomes = std::collections::BTreeMap::<String, usize>::new();
    for name in names.iter().filter(|name| !name.ends_with("lock")) {
        for turn in 0..12 {
            let hurt = folder.path().join("hurt");
            copied(&sound, &hurt);
            let path = hurt.join(name);
            let mut bytes = fs::read(&path).unwrap();
            let at = random.below(bytes.len() as u64) as usize;
            match turn {
                0 => fs::remove_file(&path).unwrap(),
                1 => fs::write(&path, []).unwrap(),
                2 | 3 => fs::write(&path, &bytes[..at]).unwrap(),
                _ => {
                    bytes[at] ^= 1 << random.below(8);
                    fs::write(&path, bytes).unwrap();
                }
            }
            let outcome = match read_all(&hurt) {
                Ok(880) => "harmless".to_owned(),
                Ok(count) => {
                    // Only the journal loses its end in silence; what follows from its commits is another layer's.
                    assert!(
                        path.extension().is_some_and(|extension| extension == "jnl"),
                        "{name:?}, turn {turn}: {count}"
                    );
                    "shortened".to_owned()
                }
                Err(error) => {
                    assert!(matches!(error, StoreError::Damaged { .. }), "{name:?}, turn {turn}: {error}");
                    "named".to_owned()
                }
            };
            *outcomes.entry(outcome).or_default() += 1;
            fs::remove_dir_all(&hurt).unwrap();
        }
    }
    assert!(outcomes["named"] > 100 && outcomes["shortened"] > 0, "{outcomes:?}");
}
