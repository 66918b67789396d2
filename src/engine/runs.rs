//! Rows in the order of ids, from segments that may be more than memory holds.
//!
//! ```text
//! segment, in the order of places ─▶ its rows in the order of ids, in a file without a name     one segment at a time
//!                                     files ─▶ merged, of the same ids the last one's ─▶ store
//! ```
//!
//! What surprises: writing every row once more is the short way. In the order of ids each row of a segment lies on another page; once
//! the pages of all segments together are more than memory, each row would be read from the disk for itself. One segment was in
//! memory when it was made, and fits there again.
//!
//! A file is blocks of about 256 KiB, each with its length and checksum before it. It has no name, so that nothing is left of it.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::collection::{Segment, in_order};
use crate::log::{RowsInOrder, StoreError, codec};

const BLOCK_BYTES: usize = 256 << 10;
const HEAD_BYTES: usize = 16;
const LENGTHS_BYTES: usize = 8;

/// The rows of segments, the later of which win where ids are the same.
#[derive(Debug)]
pub(super) struct Runs(BinaryHeap<Run>);

impl Runs {
    /// Writes the rows of each segment into a file of its own in a folder.
    pub(super) fn write(segments: &[Arc<Segment>], number: u32, folder: &Path) -> io::Result<Runs> {
        let runs =
            segments.iter().zip(0..).filter_map(|(segment, age)| Run::write(segment, number, age, folder).transpose());
        Ok(Runs(runs.collect::<io::Result<_>>()?))
    }
}

impl RowsInOrder for Runs {
    fn next_row(&mut self, key: &mut Vec<u8>, value: &mut Vec<u8>) -> Result<bool, StoreError> {
        let Some(first) = self.0.peek_mut() else { return Ok(false) };
        key.clear();
        key.extend_from_slice(first.key());
        value.clear();
        value.extend_from_slice(first.value());
        go_on(first)?;
        while let Some(older) = self.0.peek_mut().filter(|run| run.key() == &key[..]) {
            go_on(older)?;
        }
        Ok(true)
    }
}

/// Goes to the next row of a run, and takes the run away once it has none.
fn go_on(mut run: PeekMut<'_, Run>) -> Result<(), StoreError> {
    match run.advance() {
        Ok(true) => Ok(()),
        Ok(false) => {
            PeekMut::pop(run);
            Ok(())
        }
        Err(error) => Err(StoreError::Io { doing: "reading sorted rows back", reason: error.to_string() }),
    }
}

/// The rows of one segment, and the row it is at.
#[derive(Debug)]
struct Run {
    file: File,
    age: usize,
    block: Vec<u8>,
    key: Range<usize>,
    value: Range<usize>,
}

impl Run {
    /// None for a segment without rows.
    fn write(segment: &Arc<Segment>, number: u32, age: usize, folder: &Path) -> io::Result<Option<Run>> {
        segment.scrub().map_err(io::Error::other)?; // reads it from end to end, before it is read in another order
        let mut file = tempfile::tempfile_in(folder)?;
        let mut block = Vec::with_capacity(BLOCK_BYTES + HEAD_BYTES);
        let (mut key, mut value) = (Vec::new(), Vec::new());
        for item in in_order(std::slice::from_ref(segment), |_, _| true) {
            codec::write_key_and_row(number, &item, &mut key, &mut value);
            block.extend((key.len() as u32).to_le_bytes());
            block.extend((value.len() as u32).to_le_bytes());
            block.extend_from_slice(&key);
            block.extend_from_slice(&value);
            if block.len() >= BLOCK_BYTES {
                write_block(&mut file, &mut block)?;
            }
        }
        if !block.is_empty() {
            write_block(&mut file, &mut block)?;
        }
        file.rewind()?;
        let mut run = Run { file, age, block, key: 0..0, value: 0..0 };
        Ok(run.advance()?.then_some(run))
    }

    fn key(&self) -> &[u8] {
        &self.block[self.key.clone()]
    }

    fn value(&self) -> &[u8] {
        &self.block[self.value.clone()]
    }

    /// Goes to the next row; whether there is one.
    fn advance(&mut self) -> io::Result<bool> {
        let mut at = self.value.end;
        if at == self.block.len() {
            at = 0;
            if !self.read_block()? {
                return Ok(false);
            }
        }
        let length = |at: usize| u32::from_le_bytes(self.block[at..at + 4].try_into().expect("of four bytes")) as usize;
        let (key, value) = (length(at), length(at + 4));
        let begin = at + LENGTHS_BYTES;
        self.key = begin..begin + key;
        self.value = begin + key..begin + key + value;
        Ok(true)
    }

    /// Reads the next block in place of this one; whether there is one.
    fn read_block(&mut self) -> io::Result<bool> {
        self.block.clear();
        (self.key, self.value) = (0..0, 0..0); // also where this fails, for whoever compares
        if (&self.file).take(HEAD_BYTES as u64).read_to_end(&mut self.block)? == 0 {
            return Ok(false);
        }
        let head: [u8; HEAD_BYTES] =
            self.block[..].try_into().map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        let [length, sum] = [0, 8].map(|at| u64::from_le_bytes(head[at..at + 8].try_into().expect("of eight bytes")));
        self.block.clear();
        (&self.file).take(length).read_to_end(&mut self.block)?;
        match (self.block.len() as u64, xxh3_64(&self.block)) == (length, sum) {
            true => Ok(true),
            false => Err(io::Error::other("what was read is not what was written")),
        }
    }
}

fn write_block(file: &mut File, block: &mut Vec<u8>) -> io::Result<()> {
    file.write_all(&(block.len() as u64).to_le_bytes())?;
    file.write_all(&xxh3_64(block).to_le_bytes())?;
    file.write_all(block)?;
    block.clear();
    Ok(())
}

/// The greatest is the one to take first: with the least key, and of the same keys the last run's.
impl Ord for Run {
    fn cmp(&self, other: &Run) -> Ordering {
        (Reverse(self.key()), self.age).cmp(&(Reverse(other.key()), other.age))
    }
}

impl PartialOrd for Run {
    fn partial_cmp(&self, other: &Run) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Run {
    fn eq(&self, other: &Run) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Run {}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;
    use crate::collection::{Collection, Id, Item, Properties, SegmentDraft};
    use crate::geometry::Point;
    use crate::log::Row;

    /// Of the numbers in each range one item, some of them longer than others; those of one number differ from segment to segment.
    fn segments(ranges: &[Range<u64>], step: usize) -> Vec<Arc<Segment>> {
        let collection = Collection::new();
        let item = |n: u64| {
            let id = Id::new(format!("{}", n * 7_919 % 100_003)).unwrap();
            let point = Point::new((n % 170) as f64 - 85.0, (n % 359) as f64 - 179.0).unwrap();
            let text = format!(
                r#"{{"text":"{}"}}"#,
                "x".repeat(if n.is_multiple_of(5_000) { 20_000 } else { (n % 90) as usize })
            );
            Item::new(id, point).with_properties(Properties::from_json(&text).unwrap())
        };
        let segment = |(range, age): (&Range<u64>, u64)| {
            let mut draft = SegmentDraft::new();
            range.clone().step_by(step).for_each(|n| drop(draft.push(&item(n), n + 1 + age)));
            Arc::new(draft.build(&collection))
        };
        ranges.iter().zip(0..).map(segment).collect()
    }

    fn all(rows: &mut dyn RowsInOrder) -> Result<Vec<Row>, StoreError> {
        let (mut rows_read, mut key, mut value) = (Vec::new(), Vec::new(), Vec::new());
        while rows.next_row(&mut key, &mut value)? {
            rows_read.push((key.clone(), value.clone()));
        }
        Ok(rows_read)
    }

    #[test]
    fn the_rows_are_those_of_the_segments_in_order_and_the_last_of_each_id() {
        let folder = tempfile::tempdir().unwrap();
        for segments in [
            segments(&[0..9_000, 6_000..7_000, 3_000..12_000], 1),
            segments(&[0..10, 0..0, 0..10], 1),
            segments(&[0..30_000, 1..30_000], 2),
            segments(&[], 1),
        ] {
            let row = |item| {
                let (mut key, mut value) = (Vec::new(), Vec::new());
                codec::write_key_and_row(7, &item, &mut key, &mut value);
                (key, value)
            };
            let wanted: Vec<_> = in_order(&segments, |_, _| true).map(row).collect();
            assert_eq!(all(&mut Runs::write(&segments, 7, folder.path()).unwrap()), Ok(wanted));
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "files without a name leave nothing");
    }

    #[test]
    fn rows_that_changed_on_the_disk_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut runs = Runs::write(&segments(&[0..9_000, 6_000..7_000], 1), 7, folder.path()).unwrap();
        let longest = runs.0.iter().max_by_key(|run| run.file.metadata().unwrap().len()).unwrap();
        longest.file.write_at(b"!", longest.file.metadata().unwrap().len() - 100).unwrap();
        assert!(matches!(all(&mut runs), Err(StoreError::Io { .. })));
        let mut runs = Runs::write(&segments(&[0..9_000, 6_000..7_000], 1), 7, folder.path()).unwrap();
        runs.0.iter().for_each(|run| run.file.set_len(run.file.metadata().unwrap().len() - 1).unwrap());
        assert!(matches!(all(&mut runs), Err(StoreError::Io { .. })));
    }
}
