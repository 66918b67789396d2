use super::*;
use crate::collection::{Change, Id, Item, Properties};
use crate::geometry::Point;
use crate::log::{Entry, Fault, Load, MemoryStore, When};

fn put(id: u64, bytes: usize) -> Change {
    let properties = Properties::from_json(&format!("{{\"a\":\"{}\"}}", "x".repeat(bytes))).unwrap();
    let item = Item::new(Id::new(format!("i{id}")).unwrap(), Point::new(1.0, 2.0).unwrap());
    Change::Put(item.with_properties(properties))
}

fn frame(stream: u32, first_seq: u64, count: u64) -> Frame {
    let changes: Vec<Change> = (first_seq..first_seq + count).map(|seq| put(seq, 30)).collect();
    Frame { stream, first_seq, entry: changes.into() }
}

fn appended(log: &Local, frame: Frame) {
    log.append(&[frame], Batch::new(), Sync::Now).unwrap();
}

fn reopened(store: &Arc<MemoryStore>) -> Result<Local, LogError> {
    Local::open(store.clone(), None)
}

#[test]
fn the_frames_the_rider_and_the_count_are_one_batch() {
    let store = Arc::new(MemoryStore::new());
    let log = reopened(&store).unwrap();
    let mut rider = Batch::new();
    rider.put(Space::Records, *b"row", *b"1");
    log.append(&[frame(1, 1, 3)], rider, Sync::Later).unwrap();
    assert_eq!(store.unsynced(), 1);
    assert_eq!(store.get(Space::Meta, COMMITS_KEY).unwrap(), Some(1_u64.to_le_bytes().to_vec()));
    assert_eq!(store.get(Space::Records, b"row").unwrap(), Some(b"1".to_vec()));
}

#[test]
fn a_refused_rider_leaves_nothing_behind_and_the_log_goes_on() {
    let store = Arc::new(MemoryStore::new());
    let log = reopened(&store).unwrap();
    let mut rider = Batch::new();
    rider.put(Space::Records, *b"row", *b"1");
    rider.remove(Space::Records, *b"row");
    assert!(
        matches!(log.append(&[frame(1, 1, 3)], rider, Sync::Now), Err(LogError::Store(error)) if error.is_refusal())
    );
    assert_eq!((log.head(1).unwrap(), log.streams()), (0, vec![]));
    appended(&log, frame(1, 1, 1));
}

#[test]
fn after_a_failed_write_the_head_tells_what_is_there() {
    for (when, head) in [(When::Before, 2), (When::After, 5)] {
        let store = Arc::new(MemoryStore::new());
        let log = reopened(&store).unwrap();
        appended(&log, frame(1, 1, 2));
        store.arm(Fault { after_writes: 0, when, error: StoreError::Full { doing: "writing" } });
        assert!(log.append(&[frame(1, 3, 3)], Batch::new(), Sync::Now).is_err());
        assert_eq!(log.head(1).unwrap(), head);
        assert_eq!(log.append(&[frame(1, head + 1, 1)], Batch::new(), Sync::Now), Err(StoreError::Stopped.into()));
        assert_eq!(reopened(&Arc::new(store.crash(0))).unwrap().head(1).unwrap(), head);
    }
}

#[test]
fn a_store_that_lost_its_end_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let mark = || Some(HighWater::open(&folder.path().join("high-water")).unwrap());
    let store = Arc::new(MemoryStore::new());
    let log = Local::open(store.clone(), mark()).unwrap();
    appended(&log, frame(1, 1, 1));
    let older = store.crash(0);
    appended(&log, frame(1, 2, 1));
    log.append(&[frame(1, 3, 1)], Batch::new(), Sync::Later).unwrap();
    // What was not synced may be lost.
    assert_eq!(Local::open(Arc::new(store.crash(0)), mark()).unwrap().head(1).unwrap(), 2);
    log.sync().unwrap();
    assert_eq!(Local::open(Arc::new(store.crash(0)), mark()).unwrap().head(1).unwrap(), 3);
    let older = Arc::new(older);
    assert_eq!(Local::open(older.clone(), mark()).unwrap_err(), LogError::Shortened { found: 1, known: 3 });
    assert_eq!(Local::open(older, None).unwrap().head(1).unwrap(), 1);
}

#[test]
fn a_gap_in_the_store_is_named() {
    let store = Arc::new(MemoryStore::new());
    let log = reopened(&store).unwrap();
    for (first, count) in [(1, 2), (3, 2), (5, 1)] {
        appended(&log, frame(9, first, count));
    }
    let mut batch = Batch::new();
    batch.remove(Space::Changes, change_key(9, 3));
    store.commit(batch, Sync::Now).unwrap();
    let found: Vec<_> = reopened(&store).unwrap().tail(9, 1).collect();
    assert_eq!(found.len(), 2);
    assert!(found[1].as_ref().unwrap_err().to_string().contains("a gap at change 3"), "{found:?}");
}

#[test]
fn a_damaged_frame_is_named_when_it_is_read() {
    let store = Arc::new(MemoryStore::new());
    let log = reopened(&store).unwrap();
    appended(&log, frame(9, 1, 2));
    let mut bytes = store.get(Space::Changes, &change_key(9, 1)).unwrap().unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let mut batch = Batch::new();
    batch.put(Space::Changes, change_key(9, 1), bytes);
    store.commit(batch, Sync::Now).unwrap();
    let message = log.tail(9, 1).next().unwrap().unwrap_err().to_string();
    assert!(message.contains("the frame of collection 9 at change 1: its checksum"), "{message}");
}

#[test]
fn long_appends_are_cut_into_values_of_64_kib() {
    let store = Arc::new(MemoryStore::new());
    let log = reopened(&store).unwrap();
    let changes: Vec<Change> = (0..500).map(|id| put(id, 1_000)).collect();
    appended(&log, Frame { stream: 1, first_seq: 1, entry: Entry::from(changes.clone()) });
    let rows = store.scan(Space::Changes, [0].as_slice()..[255].as_slice());
    let lengths: Vec<usize> = rows.map(|row| row.unwrap().1.len()).collect();
    assert!(lengths.len() > 7 && lengths.iter().all(|&bytes| bytes <= 64 * 1024), "{lengths:?}");
    assert_eq!(reopened(&store).unwrap().head(1).unwrap(), 500);
    for from in [1, 2, 63, 64, 65, 499, 500] {
        let found: Vec<Change> = log
            .tail(1, from)
            .flat_map(|frame| match frame.unwrap().entry {
                Entry::Changes(steps) => steps.into_iter().map(|step| step.change),
                Entry::Load(load) => panic!("{load:?}"),
            })
            .collect();
        assert_eq!(found, changes[from as usize - 1..]);
    }
    assert_eq!(log.tail(1, 501).count(), 0);
}

#[test]
fn trimming_goes_in_steps_and_keeps_the_last_frame() {
    let store = Arc::new(MemoryStore::new());
    let log = reopened(&store).unwrap();
    (0..300).for_each(|turn| appended(&log, frame(1, 1 + turn * 2, 2)));
    assert_eq!(log.trim(1, 6).unwrap(), 5);
    assert_eq!(log.trim(1, 6).unwrap(), 5);
    assert_eq!(log.trim(1, u64::MAX).unwrap(), 5 + 2 * 256);
    assert_eq!(log.trim(1, u64::MAX).unwrap(), 599);
    assert_eq!(log.trim(1, u64::MAX).unwrap(), 599);
    assert_eq!(log.trim(2, 10).unwrap(), 1);
    let reopened = reopened(&store).unwrap();
    assert_eq!((reopened.head(1).unwrap(), reopened.trim(1, 1).unwrap()), (600, 599));
    let trimmed = LogError::Trimmed { stream: 1, asked: 598, oldest: 599 };
    assert_eq!(reopened.tail(1, 598).next(), Some(Err(trimmed)));
    appended(&reopened, frame(1, 601, 1));
}

#[test]
fn a_load_comes_whole_even_if_its_end_was_asked_for() {
    let log = reopened(&Arc::new(MemoryStore::new())).unwrap();
    let load = Entry::Load(Load { items: 10, segments: vec![1, 2], checksum: 3 });
    let frames = [frame(1, 1, 2), Frame { stream: 1, first_seq: 3, entry: load }, frame(1, 13, 1)];
    log.append(&frames, Batch::new(), Sync::Now).unwrap();
    let found: Vec<Frame> = log.tail(1, 7).map(Result::unwrap).collect();
    assert_eq!(found, frames[1..]);
}
