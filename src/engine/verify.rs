//! Reading everything in a data directory and holding each part against the others, without changing any.
//!
//! ```text
//! files ── checksums     rows ── decoded      log ── decoded, gap-free, as long as the high-water mark says
//!    └───────────────┬────┘                    │
//!             every item and version the same ◀┘        every index kind ── asked like a scan
//! ```
//!
//! What surprises: it looks at a twin. Opening a store tidies it: journals are cut, tables that nobody names are removed. So
//! the directory is linked and copied beside itself, and that is opened; what never changes costs nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::backup::{END, FIRST};
use super::catalogue;
use super::commit::Logged;
use super::files::{self, Fleeting};
use super::hosted::unless_damaged;
use super::questions::{self, QUESTIONS};
use super::sums::items;
use super::{CollectionName, CollectionSettings, OpenError, Sum, load, recover, rows};
use crate::collection::{Collection, FileError, Snapshot};
use crate::log::{ChangeLog, FjallStore, HighWater, Home, Local, LogError, Space, Store, codec};

/// Differences of one kind in one collection that are told one by one.
const TOLD: usize = 20;

/// What is in a data directory, and what does not fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// The collections, in the order of their numbers.
    pub collections: Vec<VerifiedCollection>,
    /// Frames of the logs of all collections.
    pub frames: u64,
    /// How many commits the store counts.
    pub commits: u64,
    /// Everything that is not as it should be, in words. Empty for a sound directory.
    pub differences: Vec<String>,
}

impl Verified {
    /// Whether all is as it should be.
    pub fn is_sound(&self) -> bool {
        self.differences.is_empty()
    }
}

/// A collection, as its rows and its files have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCollection {
    /// Its name.
    pub name: CollectionName,
    /// Its number on disk.
    pub number: u32,
    /// The number of its last change, as the log has it.
    pub seq: u64,
    /// What its rows come to.
    pub rows: Sum,
    /// What its segments with the log after them come to; `None` when they could not be read.
    pub segments: Option<Sum>,
    /// Questions that every index kind was asked.
    pub questions: u64,
}

/// Reads all of a data directory that no engine has open, and says what does not fit. Nothing in it is changed.
///
/// For as long as it takes there is a directory beside it, which holds links to what never changes and copies of the rest.
pub fn verify(path: &Path) -> Result<Verified, OpenError> {
    let home = Home::open_existing(path)?;
    let twin = files::beside(path, ".verify");
    let ours = ["LOCK", "FORMAT", "FORMAT.new", "store", "store.new", "segments", "high-water"];
    files::begin(&twin, &ours, "LOCK")?;
    let _fleeting = Fleeting(twin.clone());
    copy(path, &twin)?;
    let twin_home = Home::open_existing(&twin)?;
    let mut looking = Looking { root: path.to_owned(), twin: twin.clone(), found: Verified::default() };
    looking.look(&twin_home);
    drop((twin_home, home));
    Ok(looking.found)
}

/// Links the files that are never changed in place, and copies the others.
fn copy(from: &Path, to: &Path) -> Result<(), OpenError> {
    let segments = from.join("segments");
    let shared =
        |path: &Path| path.starts_with(&segments) || path.parent().is_some_and(|folder| folder.ends_with("tables"));
    Ok(files::copy_all(from, to, &shared)?)
}

struct Looking {
    root: PathBuf,
    twin: PathBuf,
    found: Verified,
}

impl Looking {
    /// Writes down what does not fit, with the paths that the user knows.
    fn note(&mut self, what: impl std::fmt::Display) {
        let what = what.to_string().replace(&*self.twin.to_string_lossy(), &self.root.to_string_lossy());
        self.found.differences.push(what);
    }

    fn note_all(&mut self, name: &CollectionName, differences: Vec<String>) {
        let more = differences.len().saturating_sub(TOLD);
        for what in differences.into_iter().take(TOLD) {
            self.note(format_args!("{name}: {what}"));
        }
        if more > 0 {
            self.note(format_args!("{name}: and {more} more of this kind"));
        }
    }

    fn look(&mut self, home: &Home) {
        let store: Arc<dyn Store> = match FjallStore::open(&home.store_path(), &crate::log::Settings::default()) {
            Ok(store) => Arc::new(store),
            Err(error) => return self.note(format_args!("the store cannot be opened: {error}")),
        };
        if let Err(error) = super::schema::check(&*store) {
            self.note(error);
        }
        let collections = catalogue::collections(&*store).unwrap_or_else(|error| {
            self.note(format_args!("the list of collections: {error}"));
            Vec::new()
        });
        if let Err(error) = catalogue::all_answered(&*store) {
            self.note(error);
        }
        self.place(&*store);
        self.found.frames = self.frames(&*store, &collections);
        self.rows(&*store, &collections);
        let log = self.log(home, &store);
        for (number, name, settings) in collections {
            self.collection(home, &store, log.clone(), (number, name, settings));
        }
    }

    /// The log, where it can be opened; that it is too short is noted.
    fn log(&mut self, home: &Home, store: &Arc<dyn Store>) -> Option<Arc<Local>> {
        let opened = match home.high_water() {
            Ok(mark) => self.opened(store, Some(mark)),
            Err(error) => {
                self.note(error);
                self.opened(store, None)
            }
        };
        let commits = store.get(Space::Meta, crate::log::COMMITS_KEY).ok().flatten();
        self.found.commits = commits.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
        opened.map(Arc::new)
    }

    fn opened(&mut self, store: &Arc<dyn Store>, mark: Option<HighWater>) -> Option<Local> {
        match Local::open(store.clone(), mark) {
            Ok(log) => Some(log),
            Err(error) => {
                self.note(&error);
                let is_short = matches!(error, LogError::Shortened { .. });
                if is_short { self.opened(store, None) } else { None }
            }
        }
    }

    /// Reads every frame; how many there are.
    fn frames(&mut self, store: &dyn Store, collections: &[(u32, CollectionName, CollectionSettings)]) -> u64 {
        let dropped = catalogue::dropped(store).unwrap_or_default();
        let (mut count, mut next) = (0, None);
        for row in store.scan(Space::Changes, FIRST..END) {
            let frame = row.and_then(|(key, value)| {
                let (stream, first_seq) = codec::read_change_key(&key)?;
                codec::read_frame(stream, first_seq, &value)
            });
            let frame = match frame {
                Ok(frame) => frame,
                Err(error) => {
                    self.note(format_args!("the log: {error}"));
                    next = None;
                    continue;
                }
            };
            count += 1;
            match next {
                Some((stream, expected)) if stream == frame.stream && expected != frame.first_seq => {
                    self.note(format_args!("the log of collection {stream} has a gap at change {expected}"));
                }
                _ => {}
            }
            let known =
                collections.iter().any(|(number, ..)| *number == frame.stream) || dropped.contains(&frame.stream);
            if !known && next.is_none_or(|(stream, _)| stream != frame.stream) {
                self.note(format_args!("there is a log of collection {}, which there is not", frame.stream));
            }
            next = Some((frame.stream, frame.next_seq()));
        }
        count
    }

    /// Looks where the rows are, and that there is nothing beside them without a reason.
    fn place(&mut self, store: &dyn Store) {
        let beside = |own| store.scan(rows::beside(own), FIRST..END).next().transpose();
        let looked = rows::place(store).and_then(|own| Ok((beside(own)?.is_some(), rows::is_marked(store)?)));
        match looked {
            Ok((true, false)) => self.note("there are rows beside those that are used, and nothing says why"),
            Ok(_) => {}
            Err(error) => self.note(format_args!("where the rows are: {error}")),
        }
    }

    /// Reads every row; those of no collection are noted.
    fn rows(&mut self, store: &dyn Store, collections: &[(u32, CollectionName, CollectionSettings)]) {
        let dropped = catalogue::dropped(store).unwrap_or_default();
        let mut strangers = std::collections::BTreeMap::<u32, u64>::new();
        for row in store.scan(place(store), FIRST..END) {
            let read = row.and_then(|(key, value)| {
                let (number, id) = codec::read_record_key(&key)?;
                codec::read_row(id, &value).map(|_| number)
            });
            match read {
                Err(error) => self.note(format_args!("the rows: {error}")),
                Ok(number) if collections.iter().any(|(known, ..)| *known == number) || dropped.contains(&number) => {}
                Ok(number) => *strangers.entry(number).or_default() += 1,
            }
        }
        for (number, rows) in strangers {
            self.note(format_args!("{rows} rows are of collection {number}, which there is not"));
        }
    }

    /// One collection: its files, then the same items from its rows, then its index kinds.
    fn collection(
        &mut self,
        home: &Home,
        store: &Arc<dyn Store>,
        log: Option<Arc<Local>>,
        (number, name, settings): (u32, CollectionName, CollectionSettings),
    ) {
        let seq = log.as_ref().and_then(|log| log.head(number).ok()).unwrap_or_default();
        let collection = log.and_then(|log| {
            let opened = unless_damaged(|| {
                let logged = Logged::new(log, store.clone())?;
                opened(&logged, &home.segments_path(number), number, &settings, &name)
            });
            match opened.map_err(|damaged| OpenError::from(FileError::from(damaged))).flatten() {
                Ok(collection) => Some(collection),
                Err(error) => {
                    self.note(format_args!("{name}: {error}"));
                    None
                }
            }
        });
        let mut found = VerifiedCollection { name, number, seq, rows: Sum::default(), segments: None, questions: 0 };
        found.rows = sum_of_rows(&**store, number);
        if let Some(collection) = collection {
            self.compare(&**store, &collection, &mut found);
        }
        self.found.collections.push(found);
    }

    fn compare(&mut self, store: &dyn Store, collection: &Collection, found: &mut VerifiedCollection) {
        let (snapshot, name) = (collection.snapshot(), found.name.clone());
        if snapshot.seq() != found.seq {
            self.note(format_args!("{name}: it ends at change {}, its log at {}", snapshot.seq(), found.seq));
        }
        match unless_damaged(|| (Sum::of(&snapshot), items_that_differ(store, found.number, &snapshot))) {
            Ok((Ok(sum), differences)) => {
                if sum != found.rows && differences.is_empty() {
                    self.note(format_args!("{name}: its rows come to {:?}, its segments to {sum:?}", found.rows));
                }
                if snapshot.len() as u64 != sum.items {
                    let counted = snapshot.len();
                    self.note(format_args!("{name}: it counts {counted} items and holds {}", sum.items));
                }
                found.segments = Some(sum);
                self.note_all(&name, differences);
                self.note_all(&name, questions::differences(&snapshot));
                found.questions = QUESTIONS;
            }
            Ok((Err(damaged), _)) | Err(damaged) => self.note(format_args!("{name}: {}", FileError::from(damaged))),
        }
    }
}

/// The collection from its files and what the log has after them; nothing is made anew from the rows.
pub(super) fn opened(
    logged: &Logged,
    folder: &Path,
    number: u32,
    settings: &CollectionSettings,
    name: &CollectionName,
) -> Result<Collection, OpenError> {
    let kinds = || settings.kinds.iter().copied();
    let saved = catalogue::checkpoint(&*logged.store, number)?;
    let collection = match &saved {
        None => Collection::with_kinds(kinds()),
        Some(saved) => Collection::open(kinds(), folder, saved.manifest)?,
    };
    collection.scrub()?;
    let adopted = recover::catch_up(&collection, logged, Some(folder), number)?;
    collection.scrub()?; // what loads in the log brought
    load::resume(logged, folder, number, &collection, &adopted)?;
    tracing::debug!(%name, seq = collection.snapshot().seq(), "opened to be looked at");
    Ok(collection)
}

/// Where the rows are; when that cannot be told, it was noted, and they are looked for where they were at first.
fn place(store: &dyn Store) -> Space {
    rows::place(store).unwrap_or(Space::Records)
}

/// What the rows of a collection come to, those that can be read.
pub(super) fn sum_of_rows(store: &dyn Store, number: u32) -> Sum {
    let mut sum = Sum::default();
    let (first, end) = (number.to_be_bytes(), (number + 1).to_be_bytes());
    for (key, value) in store.scan(place(store), &first..&end).flatten() {
        let read = codec::read_record_key(&key).and_then(|(_, id)| codec::read_row(id, &value));
        if let Ok((item, seq)) = read {
            sum.add_checksum(super::checksum_of(&item), seq);
        }
    }
    sum
}

/// Every item that the rows have otherwise than the segments, or only one of them has.
pub(super) fn items_that_differ(store: &dyn Store, number: u32, snapshot: &Snapshot) -> Vec<String> {
    let mut differences = Vec::new();
    let mut in_both = 0;
    let (first, end) = (number.to_be_bytes(), (number + 1).to_be_bytes());
    for (key, value) in store.scan(place(store), &first..&end).flatten() {
        let Ok((item, seq)) = codec::read_record_key(&key).and_then(|(_, id)| codec::read_row(id, &value)) else {
            continue; // noted where rows are read
        };
        let (id, found) = (&item.id, snapshot.get(item.id.as_str()));
        in_both += usize::from(found.is_some());
        match found {
            None => differences.push(format!("{id} has a row and is in no segment")),
            Some(found) if found.seq != seq => {
                differences.push(format!("{id} has version {seq} in its row and {} in its segment", found.seq));
            }
            Some(found) => {
                let mut sums = [Sum::default(), Sum::default()];
                sums[0].add(&found);
                sums[1].add_checksum(super::checksum_of(&item), seq);
                if sums[0] != sums[1] {
                    differences.push(format!("{id} is not the same in its row and in its segment"));
                }
            }
        }
    }
    if in_both != snapshot.len() {
        let lacks = |id: &str| store.get(place(store), &codec::record_key(number, id)) == Ok(None);
        let alone = items(snapshot).filter(|item| lacks(item.id()));
        differences.extend(alone.map(|item| format!("{} is in a segment and has no row", item.id())));
    }
    differences
}
