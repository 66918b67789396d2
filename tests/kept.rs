//! Data directories of past versions are kept as they were written, and opened by every later one.
//!
//! What surprises: a folder without files is not kept by version control, and the store has such. A list beside the files says which
//! there were. `NIGH_KEEP_FILES=1 cargo test --test kept` writes the directory of a new version, where there is none yet.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};

use nigh::collection::{Change, Id, Item, Properties};
use nigh::engine::{CollectionName, Engine, EngineError, RequestKey, Settings, Submission};
use nigh::format::ndjson::write_line;
use nigh::geometry::{Point, Radius};
use nigh::query::Query;

fn name(text: &str) -> CollectionName {
    text.parse().unwrap()
}

fn item(number: u64, version: u64) -> Item {
    let point =
        Point::new((number * 37 % 1791) as f64 / 10.0 - 89.5, (number * 53 % 3591) as f64 / 10.0 - 179.5).unwrap();
    let id = if number.is_multiple_of(10) { format!("\"{number}\"") } else { format!("é-{number}") };
    let properties = Properties::from_json(&format!("{{ \"number\": {number}.0, \"version\": {version} }}")).unwrap();
    let item = Item::new(Id::new(id).unwrap(), point).with_properties(properties);
    if number.is_multiple_of(7) { item.expiring_at(40_000_000_000_000 + number as i64) } else { item }
}

fn puts(numbers: std::ops::Range<u64>, version: u64) -> Vec<Change> {
    numbers.map(|number| Change::Put(item(number, version))).collect()
}

fn request() -> Submission {
    Submission::from(puts(0..2, 3)).once(RequestKey::new("request-1").unwrap())
}

/// The same for every version: a checkpoint, changes after it, a load, removals, a request with a key, a dropped collection.
fn write(engine: &Engine) {
    let (places, loaded) = (name("places"), name("loaded"));
    engine.submit(&name("dropped"), puts(0..5, 1)).unwrap();
    engine.drop_collection(&name("dropped")).unwrap();
    engine.submit(&places, puts(0..120, 1)).unwrap();
    engine.checkpoint().unwrap();
    engine.submit(&places, puts(100..140, 2)).unwrap();
    engine.submit(&places, (0..9).map(|number| Change::Remove(item(number * 11, 1).id)).collect::<Vec<_>>()).unwrap();
    engine.submit(&places, request()).unwrap();
    let mut bulk = engine.bulk(&loaded, None).unwrap();
    (0..150).for_each(|number| bulk.push(&item(number, 1)).unwrap());
    bulk.finish().unwrap();
    engine.submit(&loaded, puts(50..60, 2)).unwrap();
}

/// Everything there is, with versions.
fn contents(engine: &Engine) -> String {
    let mut all = Vec::new();
    for name in engine.names() {
        let snapshot = engine.snapshot(&name).unwrap();
        all.extend(format!("{name} at {} with {}\n", snapshot.seq(), snapshot.len()).into_bytes());
        for item in snapshot.items() {
            all.extend(format!("{} ", item.seq).into_bytes());
            write_line(&mut all, &item);
        }
    }
    String::from_utf8(all).unwrap()
}

fn settings() -> Settings {
    Settings { reserve_bytes: 0, ..Settings::default() }
}

/// Copies a directory; journals without the zeros that they were made long with.
fn copy(from: &Path, to: &Path, folders: &mut Vec<PathBuf>) {
    fs::create_dir_all(to).unwrap();
    folders.push(to.to_owned());
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target, folders);
        } else if entry.file_name() != "LOCK" {
            let mut bytes = fs::read(entry.path()).unwrap();
            if target.extension().is_some_and(|extension| extension == "jnl") {
                bytes.truncate(bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1));
            }
            fs::write(target, bytes).unwrap();
        }
    }
}

fn keep(kept: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path(), settings()).unwrap();
    write(&engine);
    drop(engine);
    let mut folders = Vec::new();
    copy(folder.path(), &kept.join("data"), &mut folders);
    let mut list: Vec<&str> = folders.iter().map(|path| path.strip_prefix(kept).unwrap().to_str().unwrap()).collect();
    list.sort_unstable();
    fs::write(kept.join("folders"), list.join("\n") + "\n").unwrap();
}

#[test]
fn the_kept_directory_of_version_1_opens_with_everything_in_it() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kept/version-1");
    if !kept.exists() && std::env::var_os("NIGH_KEEP_FILES").is_some() {
        keep(&kept);
    }
    let folder = tempfile::tempdir().unwrap();
    for path in fs::read_to_string(kept.join("folders")).unwrap().lines() {
        fs::create_dir_all(folder.path().join(path)).unwrap();
    }
    let data = folder.path().join("data");
    copy(&kept.join("data"), &data, &mut Vec::new());

    let expected = tempfile::tempdir().unwrap();
    let witness = Engine::open(expected.path(), settings()).unwrap();
    write(&witness);
    for _ in 0..2 {
        let engine = Engine::open(&data, settings()).unwrap();
        assert_eq!(engine.started().made_anew, []);
        assert_eq!(contents(&engine), contents(&witness));
        let query = Query::near(Point::new(0.0, 0.0).unwrap()).within("8000km".parse::<Radius>().unwrap());
        for name in engine.names() {
            assert!(engine.compare(&name, &query).unwrap().iter().all(|one| one.identical));
        }
        // Requests are remembered for a day, so whether this one still is depends on the day; made twice it must not be.
        match engine.submit(&name("places"), request()) {
            Ok(made) if !made.repeated => drop(witness.submit(&name("places"), puts(0..2, 3)).unwrap()),
            Ok(_) => {}
            Err(error) => assert!(matches!(error, EngineError::KeyReused { .. }), "{error}"),
        }
        engine.close().unwrap();
    }
    fs::remove_dir_all(data.join("segments")).unwrap();
    let engine = Engine::open(&data, settings()).unwrap();
    assert_eq!(contents(&engine), contents(&witness), "from the rows alone");
    engine.close().unwrap();
    drop(engine);
    assert_eq!(nigh::engine::verify(&data).unwrap().differences, Vec::<String>::new());
}
