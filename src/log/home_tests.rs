use super::*;
use crate::log::{Batch, Sync};

fn names(path: &Path) -> Vec<String> {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn store_of(home: &Home) -> FjallStore {
    FjallStore::open(&home.store_path(), &Settings::default()).unwrap()
}

fn write_row(store: &FjallStore) {
    let mut batch = Batch::new();
    batch.put(Space::Meta, *b"a", *b"1");
    store.commit(batch, Sync::Now).unwrap();
}

#[test]
fn a_directory_is_made_once_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/data");
    assert!(!Home::exists(&path));
    assert!(matches!(Home::open_existing(&path), Err(HomeError::Missing { .. })) && !path.exists());
    let home = Home::open(&path).unwrap();
    assert_eq!(names(home.root()), ["FORMAT", "LOCK", "segments", "store"]);
    assert_eq!(fs::read_to_string(path.join("FORMAT")).unwrap(), "nigh data directory, format 1\n");
    assert_eq!(home.segments_path(7), path.join("segments/7"));
    assert_eq!(home.high_water().unwrap().commits(), 0);
    write_row(&store_of(&home));
    drop(home);
    assert!(Home::exists(&path));
    assert!(store_of(&Home::open_existing(&path).unwrap()).get(Space::Meta, b"a").unwrap().is_some());
    assert!(store_of(&Home::open(&path).unwrap()).get(Space::Meta, b"a").unwrap().is_some());
}

/// Each state that a kill in the middle of creation may leave.
#[test]
fn an_unfinished_creation_is_finished() {
    type Leave = fn(&Path);
    let steps: [(&str, Leave); 7] = [
        ("nothing", |_| {}),
        ("locked", |path| fs::write(path.join("LOCK"), "123456").unwrap()),
        ("half a store", |path| {
            fs::create_dir_all(path.join("store.new/keyspaces/0")).unwrap();
            fs::write(path.join("store.new/version"), "FJ").unwrap();
        }),
        ("a whole store under its first name", |path| {
            drop(FjallStore::create(&path.join("store.new"), &Settings::default()).unwrap());
        }),
        ("a whole store", |path| drop(FjallStore::create(&path.join("store"), &Settings::default()).unwrap())),
        ("segments", |path| {
            drop(FjallStore::create(&path.join("store"), &Settings::default()).unwrap());
            fs::create_dir(path.join("segments")).unwrap();
        }),
        ("half a format", |path| {
            drop(FjallStore::create(&path.join("store"), &Settings::default()).unwrap());
            fs::create_dir(path.join("segments")).unwrap();
            fs::write(path.join("FORMAT.new"), "nig").unwrap();
        }),
    ];
    for (state, leave) in steps {
        let folder = tempfile::tempdir().unwrap();
        leave(folder.path());
        assert!(matches!(Home::open_existing(folder.path()), Err(HomeError::Missing { .. })), "{state}");
        let home = Home::open(folder.path()).unwrap_or_else(|error| panic!("{state}: {error}"));
        assert_eq!(names(folder.path()), ["FORMAT", "LOCK", "segments", "store"], "{state}");
        write_row(&store_of(&home));
    }
}

#[test]
fn a_directory_with_other_things_is_left_alone() {
    let foreign = |leave: fn(&Path), expected: &str| {
        let folder = tempfile::tempdir().unwrap();
        leave(folder.path());
        let before = names(folder.path());
        let message = Home::open(folder.path()).unwrap_err().to_string();
        assert!(message.contains("no data directory") && message.contains(expected), "{message}");
        assert_eq!(names(folder.path()), before);
    };
    foreign(|path| fs::write(path.join("letter.txt"), "").unwrap(), "it holds letter.txt;");
    foreign(|path| fs::create_dir(path.join("store")).unwrap(), "it holds store;");
    foreign(|path| fs::create_dir_all(path.join("segments/1")).unwrap(), "it holds segments;");
}

#[test]
fn a_store_with_rows_is_never_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path()).unwrap();
    write_row(&store_of(&home));
    drop(home);
    fs::remove_file(folder.path().join("FORMAT")).unwrap();
    assert!(matches!(Home::open(folder.path()), Err(HomeError::Foreign { holds, .. }) if holds == ["store"]));
    fs::write(folder.path().join("FORMAT"), "nigh data directory, format 1\n").unwrap();
    assert!(store_of(&Home::open(folder.path()).unwrap()).get(Space::Meta, b"a").unwrap().is_some());
}

#[test]
fn a_second_process_is_told_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path()).unwrap();
    for second in [Home::open(folder.path()), Home::open_existing(folder.path())] {
        let message = second.unwrap_err().to_string();
        let process = format!("is in use by process {};", std::process::id());
        assert!(message.contains(&process) && message.contains(folder.path().to_str().unwrap()), "{message}");
    }
    drop(home);
    Home::open(folder.path()).unwrap();
}

#[test]
fn a_newer_format_and_one_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    drop(Home::open(folder.path()).unwrap());
    let with = |words: &str| {
        fs::write(folder.path().join("FORMAT"), words).unwrap();
        (Home::open(folder.path()).unwrap_err(), Home::open_existing(folder.path()).unwrap_err())
    };
    let (error, again) = with("nigh data directory, format 2\n");
    assert!(
        matches!(error, HomeError::Newer { found: 2, known: 1 }) && error.to_string() == again.to_string(),
        "{error}"
    );
    for words in ["", "nigh data directory, format 0", "nigh data directory, format x", "another program"] {
        let (error, _) = with(words);
        assert!(matches!(&error, HomeError::Unreadable { words: found, .. } if found == words), "{error}");
    }
}

/// The user root may write anywhere; run as root, this test only finds that out.
#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_written_to_is_named() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o500)).unwrap();
    if File::create(path.join("probe")).is_ok() {
        println!("skipped: this user may write anywhere");
        return;
    }
    for path in [path.clone(), path.join("below")] {
        let error = Home::open(&path).unwrap_err();
        assert!(
            matches!(error, HomeError::ReadOnly { .. }) && error.to_string().contains("the right to write"),
            "{error}"
        );
    }
}
