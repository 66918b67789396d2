//! A segment and its file.
//!
//! What surprises: a segment in memory and its twin that reads the file share their removal marks and their number, so one can
//! take the other's place while writers go on. The file itself knows nothing of removals; the manifest does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::expiries::Expiries;
use super::file::{self, FileError, FileKind};
use super::marks::Marks;
use super::names::Names;
use super::payload::Payload;
use super::segment::{Directories, PLAIN_UP_TO, Segment};
use super::tiers;
use crate::index::{Kind, Map, Points, Section, Sorted, Stored};

/// The file that a segment is read from.
#[derive(Debug)]
pub(super) struct Saved {
    pub(super) map: Arc<Map>,
    pub(super) folder: PathBuf,
    pub(super) file: u64,
    /// The checksum of its header, by which a manifest knows it again.
    pub(super) sum: u64,
}

/// What a segment is in its collection, which its file does not say.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) number: u64,
    pub(super) marks: Arc<Marks>,
    /// What is added to the sequence numbers in its records.
    pub(super) before_seq: u64,
}

impl Segment {
    /// The number of its file, when it has one.
    pub fn file_number(&self) -> Option<u64> {
        self.saved.as_ref().map(|saved| saved.file)
    }

    /// Whether it reads a file.
    pub fn reads(&self, path: &Path) -> bool {
        self.saved.as_ref().is_some_and(|saved| saved.folder.join(file::name(FileKind::Segment, saved.file)) == path)
    }

    /// The file it has in a folder.
    pub(super) fn saved_in(&self, folder: &Path) -> Option<&Saved> {
        self.saved.as_ref().filter(|saved| saved.folder == folder)
    }

    /// Writes the file of that number and opens it: the twin that can take this segment's place.
    pub(super) fn save(&self, folder: &Path, file: u64, kinds: &[&'static Kind]) -> Result<Segment, FileError> {
        let words = [self.points.len() as u64, self.names.seed(), 0, 0];
        file::write(folder, (FileKind::Segment, file, words), &self.sections())?;
        let (number, marks, before_seq) = (self.number, self.marks.clone(), self.payload.before_seq());
        Segment::open(folder, file, kinds, Place { number, marks, before_seq })
    }

    /// How many points a file says it has.
    pub(super) fn points_in(folder: &Path, file: u64) -> Result<usize, FileError> {
        let [len, ..] = file::open(folder, FileKind::Segment, file)?.words;
        let path = || folder.join(file::name(FileKind::Segment, file));
        let sound = usize::try_from(len).ok().filter(|&len| len <= tiers::SEGMENT_MAX);
        sound.ok_or_else(|| FileError::damaged(&path(), "it has more points than a segment can"))
    }

    fn sections(&self) -> Vec<(String, &[u8])> {
        let parts = [
            ("points", self.points.sections()),
            ("ids", self.names.sections()),
            ("records", self.payload.sections()),
            ("expiries", self.expiries.sections()),
        ];
        let directories = self.directories.iter().map(|(kind, directory)| (kind.name, directory.sections()));
        parts.into_iter().chain(directories).flat_map(|(part, sections)| named(part, sections)).collect()
    }

    /// Opens a file as the segment of that number with these marks. Kinds that the file lacks are built.
    pub(super) fn open(
        folder: &Path,
        file: u64,
        kinds: &[&'static Kind],
        Place { number, marks, before_seq }: Place,
    ) -> Result<Segment, FileError> {
        let opened = file::open(folder, FileKind::Segment, file)?;
        let path = folder.join(file::name(FileKind::Segment, file));
        let part = |name| Stored::of(&opened.map, name);
        let [len, seed, ..] = opened.words;
        let len = usize::try_from(len).ok().filter(|&len| len == marks.slots());
        let len = len.ok_or_else(|| FileError::damaged(&path, "it has another number of points than it should"))?;
        let misfit = |what: &'static str| {
            let path = &path;
            move || FileError::damaged(path, format!("its sections of {what} do not fit {len} points"))
        };
        let points = Points::open(&part("points"), len).ok_or_else(misfit("points"))?;
        let names = Names::open(&part("ids"), len, seed).ok_or_else(misfit("ids"))?;
        let payload = Payload::open(&part("records"), len, before_seq).ok_or_else(misfit("records"))?;
        let expiries = Expiries::open(&part("expiries"), len).ok_or_else(misfit("expiries"))?;
        let directories = open_directories(&points, &opened.map, if len <= PLAIN_UP_TO { &[] } else { kinds })?;
        let saved = Some(Saved { map: opened.map, folder: folder.to_owned(), file, sum: opened.sum });
        Ok(Segment { number, points, directories, payload, names, expiries, marks, saved })
    }
}

/// Sections under the names they have in the file.
fn named<'a>(part: &str, sections: Vec<Section<'a>>) -> Vec<(String, &'a [u8])> {
    sections.into_iter().map(|(name, bytes)| (format!("{part}.{name}"), bytes)).collect()
}

/// The directories of these kinds, out of the file as far as it has them.
fn open_directories(points: &Points, map: &Arc<Map>, kinds: &[&'static Kind]) -> Result<Directories, FileError> {
    let mut sorted = None;
    let mut directories = Directories::new();
    for &kind in kinds {
        let directory = match (kind.open)(points, &Stored::of(map, kind.name)) {
            Some(directory) => directory,
            None => {
                if sorted.is_none() {
                    points.prove()?;
                }
                (kind.build)(sorted.get_or_insert_with(|| Sorted::again(points)))
            }
        };
        directories.push((kind, directory));
    }
    Ok(directories)
}
