use std::collections::BTreeSet;

use super::*;
use crate::collection::Change;
use crate::engine::Settings;
use crate::geometry::Radius;
use crate::log::{Batch, ChangeLog, Entry, Frame, Local, MemoryStore, Sync};

fn name(text: &str) -> CollectionName {
    text.parse().unwrap()
}

fn item(text: &str, lat_deg: f64) -> Item {
    Item::new(Id::new(text).unwrap(), Point::new(lat_deg, 180.0).unwrap())
}

fn put(text: &str, lat_deg: f64) -> Change {
    Change::Put(item(text, lat_deg))
}

/// Some 222 km round a place on the 180th meridian.
fn fence() -> Fence {
    let centre = Point::new(1.0, -180.0).unwrap();
    Fence::new(&Query::near(centre).within(Radius::from_metres(222_000.0).unwrap())).unwrap()
}

fn event(resume: Option<u64>, what: Sighting) -> FenceEvent {
    FenceEvent { resume, what }
}

/// A folder of its own that goes with the test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(test: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("nigh-engine-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Folder(path)
    }

    fn open(&self) -> Engine {
        Engine::open(&self.0, Settings { reserve_bytes: 0, ..Settings::default() }).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_fence_tells_who_is_inside_and_then_who_comes_and_goes() {
    let engine = Engine::new();
    engine.submit(&name("a"), vec![put("in", 1.0), put("out", 50.0), put("also in", 1.5)]).unwrap();
    let mut watcher = engine.watch(&name("a"), fence(), None).unwrap();
    assert_eq!(watcher.resume(), None);
    let mut listed = watcher.next(1).unwrap();
    assert_eq!(listed, [event(None, Sighting::Reset), event(None, Sighting::Inside(item("in", 1.0)))]);
    // What comes while the list is told is told after it.
    engine.submit(&name("a"), vec![put("out", 2.0), Change::Remove(item("in", 1.0).id)]).unwrap();
    listed = watcher.next(1).unwrap();
    let current = event(Some(3), Sighting::Current);
    assert_eq!(listed, [event(None, Sighting::Inside(item("also in", 1.5))), current]);
    let told = watcher.next(10).unwrap();
    let exit = |text: &str, item| Sighting::Exit { id: Id::new(text).unwrap(), item };
    assert_eq!(told, [event(Some(4), Sighting::Enter(item("out", 2.0))), event(Some(5), exit("in", None))]);
    engine.submit(&name("a"), vec![put("out", 2.5), put("out", 70.0), put("out", 71.0)]).unwrap();
    let told = watcher.next(10).unwrap();
    let gone = exit("out", Some(item("out", 70.0)));
    assert_eq!(told, [event(Some(6), Sighting::Inside(item("out", 2.5))), event(Some(7), gone)]);
    assert_eq!((watcher.resume(), watcher.wait(Duration::ZERO)), (Some(8), false));
}

/// Were it resumed after the load, those who came with it would never be told.
#[test]
fn a_list_that_was_broken_off_is_begun_again_from_the_same_number() {
    let folder = Folder::new("broken-off");
    let engine = folder.open();
    engine.submit(&name("a"), put("first", 1.0)).unwrap();
    let mut bulk = engine.bulk(&name("a"), None).unwrap();
    bulk.push(&item("loaded", 1.5)).unwrap();
    bulk.finish().unwrap();
    engine.submit(&name("a"), put("last", 0.5)).unwrap();
    let mut resume = Some(0);
    for (most, expected) in [(1, 1), (2, 1), (3, 1)] {
        let mut watcher = engine.watch(&name("a"), fence(), resume).unwrap();
        if resume == Some(0) {
            assert_eq!(watcher.next(10).unwrap(), [event(Some(1), Sighting::Enter(item("first", 1.0)))]);
        } else {
            assert_eq!(watcher.next(10).unwrap(), []);
        }
        assert!(watcher.wait(Duration::ZERO));
        let told = watcher.next(most).unwrap();
        assert_eq!(told[0], event(Some(expected), Sighting::Reset));
        resume = told[1].resume;
        assert_eq!(resume, Some(1));
        let listed = told.iter().filter(|event| matches!(event.what, Sighting::Inside(_))).count();
        assert_eq!(listed, most);
        assert_eq!(watcher.resume(), if most == 3 { Some(3) } else { Some(1) });
    }
}

/// As a log of the first version has it.
#[test]
fn where_nobody_wrote_down_where_an_item_was_the_list_is_told_anew() {
    let store = Arc::new(MemoryStore::lasting());
    let engine = Engine::over(store.clone(), Settings::default()).unwrap();
    engine.submit(&name("a"), put("x", 50.0)).unwrap();
    drop(engine);
    let log = Local::open(store.clone(), None).unwrap();
    let frame = Frame { stream: 1, first_seq: 2, entry: Entry::from(vec![put("x", 1.0)]) };
    log.append(&[frame], Batch::new(), Sync::Now).unwrap();
    drop(log);
    let engine = Engine::over(store, Settings::default()).unwrap();
    engine.submit(&name("a"), put("y", 1.5)).unwrap();
    let mut watcher = engine.watch(&name("a"), fence(), Some(0)).unwrap();
    assert_eq!(watcher.next(10).unwrap(), []);
    let told = watcher.next(10).unwrap();
    let inside = |item| event(Some(1), Sighting::Inside(item));
    let current = event(Some(3), Sighting::Current);
    assert_eq!(told, [event(Some(1), Sighting::Reset), inside(item("x", 1.0)), inside(item("y", 1.5)), current]);
}

#[test]
fn a_list_from_a_damaged_file_is_begun_again_when_it_is_healed() {
    let folder = Folder::new("healed");
    let engine = folder.open();
    let lat_deg = |at: i32| 1.0 + f64::from(at) / 1000.0;
    let text = format!("{{\"a\":\"{}\"}}", "x".repeat(500));
    let item = |at: i32| item(&at.to_string(), lat_deg(at)).with_properties(Properties::from_json(&text).unwrap());
    engine.submit(&name("a"), (0..700).map(|at| Change::Put(item(at))).collect::<Vec<_>>()).unwrap();
    engine.close().unwrap();
    drop(engine);
    for file in std::fs::read_dir(folder.0.join("segments/1")).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "segment") {
            let mut bytes = std::fs::read(&file).unwrap();
            let body = u64::from_le_bytes(bytes[32..40].try_into().unwrap()) as usize;
            // The first block is left as it is, so that the damage is met in the middle of a list.
            bytes.iter_mut().skip(body + 65_536).for_each(|byte| *byte ^= 0x55);
            std::fs::write(&file, bytes).unwrap();
        }
    }
    let engine = folder.open();
    let mut watcher = engine.watch(&name("a"), fence(), None).unwrap();
    let (mut listed, mut told) = (BTreeSet::new(), 0);
    while watcher.resume().is_none() {
        for event in engine.healing(|| watcher.next(100)).unwrap().unwrap() {
            match event.what {
                Sighting::Reset => listed = BTreeSet::new(),
                Sighting::Inside(item) => assert!(listed.insert(item.id.as_str().to_owned())),
                Sighting::Current => told += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((listed.len(), told), (700, 1));
}

#[test]
fn a_list_of_a_dropped_collection_ends() {
    let engine = Engine::new();
    engine.submit(&name("a"), vec![put("x", 1.0), put("y", 1.0)]).unwrap();
    let mut watcher = engine.watch(&name("a"), fence(), None).unwrap();
    watcher.next(1).unwrap();
    engine.drop_collection(&name("a")).unwrap();
    assert_eq!(watcher.next(1), Err(FollowError::Dropped { name: name("a") }));
}
