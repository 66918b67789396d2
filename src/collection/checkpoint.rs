//! A collection on disk: segments that have files, and a manifest that names them.
//!
//! What surprises: a checkpoint stops nobody. It takes a snapshot as any reader does, writes the segments that have no file, and
//! only to put the written ones in place of those in memory does it ask for the writer's lock. What was removed meanwhile is
//! not lost, because both share their marks; what was joined meanwhile is written by the next checkpoint.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::file::{self, FileError, FileKind};
use super::manifest::Manifest;
use super::marks::Marks;
use super::saved::Place;
use super::segment::Segment;
use super::writer::Writer;
use super::{Collection, Snapshot, distinct, sweep};
use crate::index::Kind;

/// A moment of a collection that is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of the last change in it.
    pub seq: u64,
    /// How many items are there.
    pub len: u64,
    /// The number of its manifest, for [`Collection::open`].
    pub manifest: u64,
    /// The names of all files that it needs, the manifest's among them, for [`remove_unused`](super::remove_unused).
    pub files: Vec<String>,
}

/// What would have to be made again if the process ended now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsaved {
    /// Changes since the last checkpoint.
    pub changes: u64,
    /// Bytes of segments that are only in memory.
    pub bytes: u64,
}

/// What a collection knows about its files.
#[derive(Debug, Default)]
pub(super) struct Saving {
    /// The last checkpoint, its folder, and the numbers of its segments. Held by a checkpoint from beginning to end.
    last: Mutex<Option<(Checkpoint, PathBuf, Vec<u64>)>>,
    last_seq: AtomicU64,
    next_file: Mutex<u64>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Both hold finished values only, whatever happened to who held them.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Saving {
    /// A number that no file in the folder has, nor any that this collection wrote.
    pub(super) fn next_file(&self, folder: &Path) -> Result<u64, FileError> {
        let mut next = locked(&self.next_file);
        let number = (*next).max(file::largest_number(folder)?.saturating_add(1));
        *next = number.saturating_add(1);
        Ok(number)
    }

    fn note(&self, checkpoint: &Checkpoint) {
        self.last_seq.store(checkpoint.seq, Ordering::Relaxed);
    }
}

fn numbers(snapshot: &Snapshot) -> Vec<u64> {
    snapshot.segments().iter().map(|segment| segment.number()).collect()
}

fn checkpoint_of(manifest: &Manifest, number: u64) -> Checkpoint {
    let segments = manifest.files().map(|file| file::name(FileKind::Segment, file));
    let files = segments.chain([file::name(FileKind::Manifest, number)]).collect();
    Checkpoint { seq: manifest.seq, len: manifest.len, manifest: number, files }
}

impl Collection {
    /// Opens what a checkpoint wrote: maps its segments; nothing is read but headers, marks and small parts.
    ///
    /// The collection answers as the one that wrote it, and goes on from there. A folder belongs to one collection at a time.
    pub fn open(
        kinds: impl IntoIterator<Item = &'static Kind>,
        folder: &Path,
        manifest: u64,
    ) -> Result<Collection, FileError> {
        let kinds = distinct(kinds);
        let read = Manifest::read(folder, manifest)?;
        let segments = read.open_segments(folder, &kinds)?;
        let collection = Collection::of(Writer::opened(read.seq, read.len as usize, segments), kinds);
        let (checkpoint, saving) = (checkpoint_of(&read, manifest), &collection.shared.saving);
        saving.note(&checkpoint);
        *locked(&saving.next_file) = manifest.saturating_add(1);
        *locked(&saving.last) = Some((checkpoint, folder.to_owned(), numbers(&collection.snapshot())));
        Ok(collection)
    }

    /// Writes every segment that has no file yet, then a manifest file that names them and the slots gone; all of it is
    /// durable when this returns. Segments in memory give way to their twins in files.
    ///
    /// Writers and readers go on meanwhile; a second checkpoint waits for the first. Where nothing has changed since the last
    /// checkpoint into the folder, that one is returned. After an error the collection is as it was.
    pub fn checkpoint(&self, folder: &Path) -> Result<Checkpoint, FileError> {
        let saving = &self.shared.saving;
        let mut last = locked(&saving.last);
        let snapshot = self.snapshot();
        if let Some((checkpoint, place, segments)) = &*last
            && (place.as_path(), checkpoint.seq) == (folder, snapshot.seq())
            && *segments == numbers(&snapshot)
        {
            return Ok(checkpoint.clone());
        }
        let twins = self.write_segments(folder, &snapshot)?;
        let in_files = |segment: &Arc<Segment>| {
            let twin = twins.iter().find(|twin| twin.number() == segment.number());
            twin.unwrap_or(segment).clone()
        };
        let segments: Vec<Arc<Segment>> = snapshot.segments().iter().map(in_files).collect();
        let manifest = Manifest::of(snapshot.seq(), snapshot.len(), &segments);
        let number = saving.next_file(folder)?;
        manifest.write(folder, number)?;
        file::sync_folder(folder)?;
        let checkpoint = checkpoint_of(&manifest, number);
        saving.note(&checkpoint);
        *last = Some((checkpoint.clone(), folder.to_owned(), numbers(&snapshot)));
        self.show(twins);
        Ok(checkpoint)
    }

    /// Writes the segments of a snapshot that have no file in the folder, and opens the files.
    fn write_segments(&self, folder: &Path, snapshot: &Snapshot) -> Result<Vec<Arc<Segment>>, FileError> {
        let mut twins = Vec::new();
        for segment in snapshot.segments().iter().filter(|segment| segment.saved_in(folder).is_none()) {
            let file = self.shared.saving.next_file(folder)?;
            twins.push(Arc::new(segment.save(folder, file, &self.shared.kinds)?));
        }
        if !twins.is_empty() {
            file::sync_folder(folder)?; // the manifest may not be durable before what it names
        }
        Ok(twins)
    }

    /// Puts segments in files where their twins in memory are still present.
    fn show(&self, twins: Vec<Arc<Segment>>) {
        if twins.is_empty() {
            return;
        }
        // Where a writer failed half-way, what it had shown is written all the same, and stays in memory as well.
        let Ok(mut writer) = self.shared.writer.lock() else { return };
        writer.put_in_place(twins);
        self.shared.publish(&mut writer);
        sweep::start_if_due(&self.shared, &mut writer);
    }

    /// Opens a segment file of a load, whose records were numbered from 1 before the load had its place among the changes: its
    /// items are now those of the changes `first_seq` to `last_seq`.
    pub fn open_loaded(
        &self,
        folder: &Path,
        file: u64,
        (first_seq, last_seq): (u64, u64),
    ) -> Result<Arc<Segment>, FileError> {
        let points = Segment::points_in(folder, file)?;
        let marks = Arc::new(Marks::new(points, first_seq - 1));
        let number = self.shared.writer().next_number();
        let place = Place { number, marks, before_seq: first_seq - 1 };
        debug_assert!(first_seq >= 1 && points as u64 <= last_seq - first_seq + 1);
        Segment::open(folder, file, &self.shared.kinds, place).map(Arc::new)
    }

    /// What a checkpoint would save.
    pub fn unsaved(&self) -> Unsaved {
        let snapshot = self.snapshot();
        let in_memory = snapshot.segments().iter().filter(|segment| segment.saved.is_none());
        let bytes = in_memory.flat_map(|segment| segment.bytes()).map(|(_, bytes)| bytes as u64).sum();
        let last_seq = self.shared.saving.last_seq.load(Ordering::Relaxed);
        Unsaved { changes: snapshot.seq().saturating_sub(last_seq), bytes }
    }

    /// Compares every mapped segment with its checksums; the error names all that are damaged.
    ///
    /// It reads all files, so it belongs on a thread of its own. From then on reading costs no more than from memory.
    pub fn scrub(&self) -> Result<(), FileError> {
        let snapshot = self.snapshot();
        let mut damaged = snapshot.segments().iter().filter_map(|segment| segment.scrub().err());
        let Some(first) = damaged.next() else { return Ok(()) };
        let others: Vec<String> = damaged.map(|damaged| damaged.to_string()).collect();
        let what = [first.to_string()].into_iter().chain(others).collect::<Vec<_>>().join("; ");
        Err(FileError::Damaged { path: first.file, what })
    }
}
