//! The file that says which segments make a collection at one moment, and which of their slots are gone.
//!
//! What surprises: segments are known by number *and* by the checksum of their header, which covers the checksums of all their
//! blocks. A file of the right name with other contents is refused.

use std::path::Path;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

use super::file::{self, FileError, FileKind};
use super::marks::Marks;
use super::saved::Place;
use super::segment::Segment;
use super::tiers;
use crate::index::{Kind, Stored};

/// What a manifest says.
#[derive(Debug, PartialEq)]
pub(super) struct Manifest {
    /// The number of the last change.
    pub(super) seq: u64,
    /// How many items are there.
    pub(super) len: u64,
    rows: Vec<Row>,
    /// For each segment of which slots are gone, a bit for every slot, 64 to a word.
    gone: Vec<u64>,
}

/// A segment: its file, how many points it has, how many of them are gone, the checksum of its header, and what is added to the
/// sequence numbers in its records.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Row {
    file: u64,
    points: u64,
    gone: u64,
    sum: u64,
    before_seq: u64,
}

impl Row {
    /// Words of the bitmap that belong to it.
    fn words(&self) -> usize {
        if self.gone == 0 { 0 } else { (self.points as usize).div_ceil(64) }
    }
}

impl Manifest {
    /// The manifest of a snapshot whose segments all have files.
    pub(super) fn of(seq: u64, len: usize, segments: &[Arc<Segment>]) -> Manifest {
        let mut manifest = Manifest { seq, len: len as u64, rows: Vec::new(), gone: Vec::new() };
        for segment in segments {
            let saved = segment.saved.as_ref().expect("segments are written before their manifest");
            let (first, points) = (manifest.gone.len(), segment.points().len());
            manifest.gone.resize(first + points.div_ceil(64), 0);
            let mut gone = 0;
            for slot in segment.points().slots().filter(|&slot| !segment.is_there(slot, seq)) {
                manifest.gone[first + slot as usize / 64] |= 1 << (slot % 64);
                gone += 1;
            }
            if gone == 0 {
                manifest.gone.truncate(first);
            }
            let before_seq = segment.payload.before_seq();
            manifest.rows.push(Row { file: saved.file, points: points as u64, gone, sum: saved.sum, before_seq });
        }
        manifest
    }

    /// Writes it as the file of that number.
    pub(super) fn write(&self, folder: &Path, number: u64) -> Result<(), FileError> {
        let (rows, gone) = (bytemuck::cast_slice(&self.rows), bytemuck::cast_slice(&self.gone));
        let sections = [("manifest.segments".to_owned(), rows), ("manifest.gone".to_owned(), gone)];
        file::write(folder, (FileKind::Manifest, number, [self.seq, self.len, 0, 0]), &sections)?;
        Ok(())
    }

    /// Reads the file of that number, all of it.
    pub(super) fn read(folder: &Path, number: u64) -> Result<Manifest, FileError> {
        let opened = file::open(folder, FileKind::Manifest, number)?;
        opened.map.prove_all()?;
        let stored = Stored::of(&opened.map, "manifest");
        let [seq, len, ..] = opened.words;
        let (rows, gone) = (stored.array::<Row>("segments"), stored.array::<u64>("gone"));
        let manifest = rows.zip(gone).map(|(rows, gone)| {
            let (rows, gone) = (rows.whole().to_vec(), gone.whole().to_vec());
            Manifest { seq, len, rows, gone }
        });
        let path = || folder.join(file::name(FileKind::Manifest, number));
        manifest.filter(Manifest::is_sound).ok_or_else(|| FileError::damaged(&path(), "its counts do not fit together"))
    }

    fn is_sound(&self) -> bool {
        let fits = |row: &Row| row.points <= tiers::SEGMENT_MAX as u64 && row.gone <= row.points;
        self.rows.iter().all(fits)
            && (self.seq > 0 || self.rows.is_empty())
            && self.rows.iter().map(Row::words).sum::<usize>() == self.gone.len()
            && self.rows.iter().map(|row| row.points - row.gone).sum::<u64>() == self.len
    }

    /// The file numbers of its segments.
    pub(super) fn files(&self) -> impl Iterator<Item = u64> {
        self.rows.iter().map(|row| row.file)
    }

    /// Opens its segments, numbered from 1.
    pub(super) fn open_segments(&self, folder: &Path, kinds: &[&'static Kind]) -> Result<Vec<Arc<Segment>>, FileError> {
        let (mut segments, mut gone) = (Vec::new(), &self.gone[..]);
        for (row, number) in self.rows.iter().zip(1..) {
            let (own, rest) = gone.split_at(row.words());
            gone = rest;
            let marks = Arc::new(self.marks(row, own));
            let path = || folder.join(file::name(FileKind::Segment, row.file));
            if u64::from(marks.gone_count()) != row.gone {
                return Err(FileError::damaged(&path(), "the manifest counts its removed slots otherwise"));
            }
            let segment = Segment::open(folder, row.file, kinds, Place { number, marks, before_seq: row.before_seq })?;
            if segment.saved_in(folder).is_none_or(|saved| saved.sum != row.sum) {
                return Err(FileError::damaged(&path(), "it is not the file that the manifest names"));
            }
            segments.push(Arc::new(segment));
        }
        Ok(segments)
    }

    /// Marks in which what is gone went with the last change that the manifest knows of.
    fn marks(&self, row: &Row, gone: &[u64]) -> Marks {
        let marks = Marks::new(row.points as usize, self.seq.saturating_sub(1));
        for (word, first) in gone.iter().zip((0..).step_by(64)) {
            let mut left = *word;
            while left != 0 {
                let slot = first + left.trailing_zeros();
                if u64::from(slot) < row.points {
                    marks.remove(slot, self.seq);
                }
                left &= left - 1;
            }
        }
        marks
    }
}
