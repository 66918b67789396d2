//! A store made anew from what can still be read of a damaged one.
//!
//! ```text
//! rows      front to back up to the damage, back to front down to it   ─▶ these count as they are
//! segments  where a row may have stood that cannot be read             ─▶ the item as the last sound checkpoint has it
//! log       what it has after that checkpoint                          ─▶ on top
//! ```
//!
//! What surprises: a row that is not there, where rows can be read, is an answer too: the item was removed. Only where nothing can
//! be read are older sources asked, so that nothing comes back that was removed, unless the report says that it may.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::backup::{END, FIRST};
use super::files::{self, done};
use super::repair::Repaired;
use super::sums::items;
use super::{CollectionName, CollectionSettings, OpenError, catalogue, rows};
use crate::collection::{Change, Collection, FileError, Id};
use crate::log::{
    Batch, COMMITS_KEY, Entry, FjallStore, Frame, Home, MemoryStore, Row, Space, Step, Store, Sync, Was, codec,
};

/// What the damaged store is called while the fresh one takes its place.
const DAMAGED: &str = "store.damaged";

/// Brings back the damaged store where a repair was stopped between taking it away and putting the fresh one in its place.
pub(super) fn finish_swap(home: &Home) -> Result<(), OpenError> {
    let damaged = home.root().join(DAMAGED);
    if damaged.exists() {
        if home.store_path().exists() {
            done("removing", &damaged, fs::remove_dir_all(&damaged))?;
        } else {
            done("renaming", &damaged, fs::rename(&damaged, home.store_path()))?;
        }
    }
    Ok(())
}

/// Rows in the order of their keys.
type Table = BTreeMap<Vec<u8>, Vec<u8>>;

/// The rows of a space as far as they can be read.
struct Readable {
    rows: Table,
    /// Between these keys, both excluded, nothing could be read.
    gap: Option<(Vec<u8>, Vec<u8>)>,
    /// Keys whose rows were read and say nothing.
    bad: BTreeSet<Vec<u8>>,
}

impl Readable {
    fn of(store: Option<&dyn Store>, space: Space) -> Readable {
        let mut readable = Readable { rows: BTreeMap::new(), gap: None, bad: BTreeSet::new() };
        let Some(store) = store else {
            readable.gap = Some((Vec::new(), END.to_vec()));
            return readable;
        };
        for row in store.scan(space, FIRST..END) {
            let Ok((key, value)) = row else {
                readable.read_back(store, space);
                break;
            };
            readable.rows.insert(key, value);
        }
        readable
    }

    /// From the end down to where the damage is met again.
    fn read_back(&mut self, store: &dyn Store, space: Space) {
        let before = self.rows.last_key_value().map_or(Vec::new(), |(key, _)| key.clone());
        let first = if before.is_empty() { FIRST.to_vec() } else { [&before[..], &[0]].concat() };
        let mut after = END.to_vec();
        while let Ok(Some((key, value))) = store.last(space, &*first..&*after) {
            after.clone_from(&key);
            self.rows.insert(key, value);
        }
        self.gap = Some((before, after));
    }

    /// Takes out the rows for which `read` fails.
    fn sift(&mut self, read: impl Fn(&[u8], &[u8]) -> bool) {
        let bad: Vec<_> =
            self.rows.iter().filter(|(key, value)| !read(key, value)).map(|(key, _)| key.clone()).collect();
        bad.iter().for_each(|key| drop(self.rows.remove(key)));
        self.bad.extend(bad);
    }

    /// Whether there may have been a row under a key that cannot be read.
    fn is_unknown(&self, key: &[u8]) -> bool {
        let in_gap = self.gap.as_ref().is_some_and(|(before, after)| key > &before[..] && key < &after[..]);
        in_gap || self.bad.contains(key)
    }

    /// Whether that can be said of any row of a collection.
    fn is_whole(&self, number: u32) -> bool {
        let (first, end) = (number.to_be_bytes(), (number + 1).to_be_bytes());
        let gap = self.gap.as_ref().is_some_and(|(before, after)| before[..] < end[..] && after[..] > first[..]);
        !gap && self.bad.range(first.to_vec()..end.to_vec()).next().is_none()
    }
}

/// Puts a fresh store in the place of the damaged one.
pub(super) fn fresh_store(home: &Home, repaired: &mut Repaired) -> Result<(), OpenError> {
    let store = FjallStore::open(&home.store_path(), &crate::log::Settings::default()).ok();
    let of = |space| Readable::of(store.as_ref().map(|store| store as &dyn Store), space);
    let own = store.as_ref().map_or(Space::Records, |store| place_of_rows(store, repaired));
    let (mut rows, mut frames, mut meta) = (of(own), of(Space::Changes), of(Space::Meta));
    drop(store);
    meta.rows.retain(|key, _| !rows::is_of_place(key)); // the fresh store has them where they are at first
    rows.sift(|key, value| codec::read_record_key(key).is_ok_and(|(_, id)| codec::read_row(id, value).is_ok()));
    frames.sift(|key, value| {
        codec::read_change_key(key).is_ok_and(|(stream, first)| codec::read_frame(stream, first, value).is_ok())
    });
    let collections = catalogue_of(home, &rows, &mut meta, repaired)?;
    let known = home.high_water()?.commits();
    let commits = meta.rows.get(COMMITS_KEY).and_then(|bytes| bytes.as_slice().try_into().ok()).map(u64::from_le_bytes);
    meta.rows.insert(COMMITS_KEY.to_vec(), commits.unwrap_or_default().max(known).to_le_bytes().to_vec());
    let mut log = BTreeMap::new();
    for (number, name, settings) in &collections {
        let folder = home.segments_path(*number);
        let own = Salvaged { number: *number, name, settings, rows: &mut rows, frames: &frames };
        log.extend(own.salvage(&folder, repaired)?);
    }
    let numbers: BTreeSet<u32> = collections.iter().map(|(number, ..)| *number).collect();
    rows.rows.retain(|key, _| codec::read_record_key(key).is_ok_and(|(number, _)| numbers.contains(&number)));
    write(home, [(Space::Records, rows.rows), (Space::Changes, log), (Space::Meta, meta.rows)])
}

/// Where the rows are. Where that cannot be read, they are where there are any.
fn place_of_rows(store: &dyn Store, repaired: &mut Repaired) -> Space {
    let holds = |space| store.scan(space, FIRST..END).next().is_some();
    rows::place(store).unwrap_or_else(|error| {
        let found = if holds(Space::Records) { Space::Records } else { Space::Shadow };
        if holds(rows::beside(found)) {
            repaired.lost.push(format!("which of two sets of rows is the newer, {} is taken: {error}", found.name()));
        }
        found
    })
}

fn write(home: &Home, spaces: [(Space, Table); 3]) -> Result<(), OpenError> {
    let made = home.root().join("store.new");
    if made.exists() {
        done("removing", &made, fs::remove_dir_all(&made))?;
    }
    let fresh = FjallStore::create(&made, &crate::log::Settings::default())?;
    for (space, rows) in spaces {
        fresh.ingest(space, &mut rows.into_iter())?;
    }
    drop(fresh);
    let (store, damaged) = (home.store_path(), home.root().join(DAMAGED));
    if store.exists() {
        done("renaming", &store, fs::rename(&store, &damaged))?;
    }
    done("renaming", &made, fs::rename(&made, &store))?;
    files::sync_folder(home.root())?;
    if damaged.exists() {
        done("removing", &damaged, fs::remove_dir_all(&damaged))?;
    }
    Ok(())
}

type Collections = Vec<(u32, CollectionName, CollectionSettings)>;

/// The collections there were. One whose name cannot be read is called by its number.
fn catalogue_of(
    home: &Home,
    rows: &Readable,
    meta: &mut Readable,
    repaired: &mut Repaired,
) -> Result<Collections, OpenError> {
    if meta.gap.is_some() {
        repaired
            .lost
            .push("some names and settings of collections, or requests that were remembered, cannot be read".into());
    }
    meta.sift(catalogue::is_readable);
    for key in &meta.bad {
        repaired.lost.push(format!("what stood under {} says nothing any more", key.escape_ascii()));
    }
    meta.rows.retain(|key, _| !catalogue::is_checkpoint(key));
    let small = MemoryStore::lasting();
    let mut batch = Batch::new();
    meta.rows.iter().for_each(|(key, value)| batch.put(Space::Meta, key.clone(), value.clone()));
    small.commit(batch, Sync::Now)?;
    let mut collections = catalogue::collections(&small)?;
    let dropped = catalogue::dropped(&small)?;
    let mut numbers: BTreeSet<u32> =
        rows.rows.keys().filter_map(|key| Some(codec::read_record_key(key).ok()?.0)).collect();
    for entry in done("reading", home.root(), fs::read_dir(home.root().join("segments")))?.flatten() {
        numbers.extend(entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    let mut batch = Batch::new();
    for number in numbers {
        if collections.iter().any(|(known, ..)| *known == number) || dropped.contains(&number) {
            continue;
        }
        let name: CollectionName = format!("recovered-{number}").parse().expect("letters and digits");
        repaired.lost.push(format!("the name and settings of collection {number}: it is called {name} now"));
        catalogue::put_collection(&mut batch, number, &name, &CollectionSettings::default());
        collections.push((number, name, CollectionSettings::default()));
    }
    let next = collections.iter().map(|(number, ..)| number + 1).max().unwrap_or(1);
    catalogue::put_next(&mut batch, next.max(catalogue::next(&small)?));
    small.commit(batch, Sync::Now)?;
    meta.rows = small.scan(Space::Meta, FIRST..END).collect::<Result<_, _>>()?;
    Ok(collections)
}

/// A collection whose rows are being put together.
struct Salvaged<'a> {
    number: u32,
    name: &'a CollectionName,
    settings: &'a CollectionSettings,
    rows: &'a mut Readable,
    frames: &'a Readable,
}

impl Salvaged<'_> {
    /// Adds the rows that can be found elsewhere; the log to go on with.
    fn salvage(mut self, folder: &Path, repaired: &mut Repaired) -> Result<Vec<Row>, OpenError> {
        let frames = self.readable_frames();
        let base = self.last_checkpoint(folder)?;
        let base_seq = base.as_ref().map_or(0, |base| base.snapshot().seq());
        let unknown = !self.rows.is_whole(self.number);
        let mut found = 0;
        if let Some(base) = base.as_ref().filter(|_| unknown) {
            for item in items(&base.snapshot()) {
                let key = codec::record_key(self.number, item.id());
                if self.rows.is_unknown(&key) {
                    self.rows.rows.insert(key, codec::write_row_of(&item));
                    found += 1;
                }
            }
        }
        if unknown {
            let replayed = self.replay(&frames, base_seq);
            let told = self.told(base.is_some(), base_seq, found, replayed, &frames);
            if base.is_some() && replayed { &mut repaired.mended } else { &mut repaired.lost }.push(told);
        }
        let (first, end) = (self.number.to_be_bytes().to_vec(), (self.number + 1).to_be_bytes().to_vec());
        let newest = self.rows.rows.range(first..end).filter_map(|(key, value)| {
            let (_, id) = codec::read_record_key(key).ok()?;
            Some(codec::read_row(id, value).ok()?.1)
        });
        let newest = newest.max().unwrap_or(0).max(base_seq).max(frames.last().map_or(0, |frame| frame.next_seq() - 1));
        Ok(self.log_to(newest, &frames, repaired))
    }

    fn readable_frames(&self) -> Vec<Frame> {
        let (first, end) = (self.number.to_be_bytes().to_vec(), (self.number + 1).to_be_bytes().to_vec());
        let read = |(key, value): (&Vec<u8>, &Vec<u8>)| {
            let (stream, first_seq) = codec::read_change_key(key).ok()?;
            codec::read_frame(stream, first_seq, value).ok()
        };
        self.frames.rows.range(first..end).filter_map(read).collect()
    }

    /// The collection as its newest checkpoint has it of which everything is sound.
    fn last_checkpoint(&self, folder: &Path) -> Result<Option<Collection>, OpenError> {
        let Ok(entries) = fs::read_dir(folder) else { return Ok(None) };
        let number = |name: std::ffi::OsString| name.to_str()?.strip_suffix(".manifest")?.parse::<u64>().ok();
        let mut manifests: Vec<u64> = entries.flatten().filter_map(|entry| number(entry.file_name())).collect();
        manifests.sort_unstable();
        for manifest in manifests.into_iter().rev() {
            let opened = Collection::open(self.settings.kinds.iter().copied(), folder, manifest);
            match opened.and_then(|collection| collection.scrub().map(|()| collection)) {
                Ok(collection) => return Ok(Some(collection)),
                Err(error @ FileError::Newer { .. }) => return Err(error.into()),
                Err(_) => {}
            }
        }
        Ok(None)
    }

    /// Makes the changes of the log after a number to items whose rows cannot be read; whether none of those is missing.
    fn replay(&mut self, frames: &[Frame], after: u64) -> bool {
        let mut next = after + 1;
        let mut gap_free = true;
        for frame in frames.iter().filter(|frame| frame.next_seq() > after + 1) {
            gap_free &= frame.first_seq <= next;
            next = frame.next_seq();
            let Entry::Changes(steps) = &frame.entry else {
                gap_free = false; // its items stood in files, and in rows
                continue;
            };
            for (step, seq) in steps.iter().zip(frame.first_seq..).filter(|(_, seq)| *seq > after) {
                self.make(&step.change, seq);
            }
        }
        gap_free && self.frames.gap.is_none() && self.frames.bad.is_empty()
    }

    fn make(&mut self, change: &Change, seq: u64) {
        let key = codec::record_key(self.number, change.id().as_str());
        if !self.rows.is_unknown(&key) {
            return;
        }
        match change {
            Change::Put(item) => drop(self.rows.rows.insert(key, codec::write_row(item, seq))),
            Change::Remove(_) => drop(self.rows.rows.remove(&key)),
            Change::Expire { id, put_seq } => {
                let there = self.rows.rows.get(&key).and_then(|row| codec::read_row(id.as_str(), row).ok());
                if there.is_some_and(|(_, seq)| seq == *put_seq) {
                    self.rows.rows.remove(&key);
                }
            }
        }
    }

    /// What became of the rows that could not be read.
    fn told(&self, has_base: bool, base_seq: u64, found: usize, replayed: bool, frames: &[Frame]) -> String {
        let bad = self.rows.bad.iter().filter(|key| key.starts_with(&self.number.to_be_bytes())).count();
        let place = match &self.rows.gap {
            Some((before, after)) => format!("rows between {} and {}", before.escape_ascii(), short(after)),
            None => format!("{bad} rows"),
        };
        let name = self.name;
        match (has_base, replayed) {
            (true, true) => format!(
                "{name}: {place} could not be read; {found} items come from the checkpoint at change {base_seq}, with the log after it: nothing is lost"
            ),
            (true, false) => format!(
                "{name}: {place} could not be read; {found} items come from the checkpoint at change {base_seq}; later changes to items there are lost but for those in {} frames of the log",
                frames.len()
            ),
            (false, _) => format!(
                "{name}: {place} could not be read and there is no sound checkpoint; what {} frames of the log put there is kept, the rest is lost",
                frames.len()
            ),
        }
    }

    /// The frames that end at a number without a gap; where there are none, one that changes nothing and says where to go on.
    fn log_to(&self, newest: u64, frames: &[Frame], repaired: &mut Repaired) -> Vec<Row> {
        let mut first = newest + 1;
        let kept = frames.iter().rev().take_while(|frame| {
            let follows = frame.next_seq() == first;
            if follows {
                first = frame.first_seq;
            }
            follows
        });
        let kept: Vec<&Frame> = kept.collect();
        let unread = !self.frames.is_whole(self.number);
        if unread || kept.len() < frames.len() || (kept.is_empty() && newest > 0) {
            let name = self.name;
            repaired.lost.push(format!("{name}: the log before change {first} is not kept; the items are"));
        }
        if kept.is_empty() && newest > 0 {
            let id = Id::new("repaired").expect("plain letters");
            let change = Change::Expire { id, put_seq: 0 }; // nothing is put by change 0
            let entry = Entry::Changes(vec![Step { change, was: Was::Unknown }]); // what was lost, nobody knows
            return rows_of(&Frame { stream: self.number, first_seq: newest, entry });
        }
        kept.into_iter().flat_map(rows_of).collect()
    }
}

fn rows_of(frame: &Frame) -> Vec<Row> {
    let parts = codec::write_frames(frame).into_iter();
    parts.map(|(first_seq, bytes)| (codec::change_key(frame.stream, first_seq), bytes)).collect()
}

fn short(key: &[u8]) -> String {
    if key == END { "the end".to_owned() } else { key.escape_ascii().to_string() }
}
