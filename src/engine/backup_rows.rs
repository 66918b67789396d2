//! The rows of a store as one file, which is written and read front to back.
//!
//! ```text
//! block   space u8 │ rows u32 │ bytes u32 │ rows: key length u16, value length u32, key, value │ XXH3-64 of all before it
//! end     0xff │ spaces u32 │ bytes u32 │ for each: space u8, rows u64, sum u64                │ XXH3-64 of all before it
//! ```
//!
//! What surprises: nothing in it is believed before its checksum fits, not even a length: a block has at most
//! some 100 KiB, so that a damaged length asks for no room. The sum of a space is of the hashes of its rows in any order, so that a
//! block which is missing, or there twice, is noticed as well.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::log::{Row, Space};

/// The spaces of a backup, in the order in which they stand in it.
pub(super) const SPACES: [Space; 3] = [Space::Records, Space::Changes, Space::Meta];

/// A block is closed when it has so many bytes.
const BLOCK_BYTES: usize = 64 << 10;

/// No block has more: what it may have before it is closed, and a row.
const BLOCK_BYTES_MAX: usize = BLOCK_BYTES + (80 << 10);

const HEAD: usize = 9;
const END: u8 = 0xff;

/// How many rows a space has, and the sum of their hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) sum: u64,
}

impl Tally {
    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(xxh3_64_with_seed(value, xxh3_64(key)));
    }
}

/// The file while it is written.
pub(super) struct RowsWriter {
    file: BufWriter<File>,
    block: Vec<u8>,
    rows: u32,
    tallies: [Tally; SPACES.len()],
}

impl RowsWriter {
    pub(super) fn new(file: File) -> RowsWriter {
        RowsWriter { file: BufWriter::new(file), block: Vec::new(), rows: 0, tallies: Default::default() }
    }

    /// Adds a row of a space, by its place in [`SPACES`]; the rows of a space come together.
    pub(super) fn push(&mut self, space: usize, (key, value): &Row) -> io::Result<()> {
        self.tallies[space].add(key, value);
        self.block.extend((key.len() as u16).to_le_bytes());
        self.block.extend((value.len() as u32).to_le_bytes());
        self.block.extend(key);
        self.block.extend(value);
        self.rows += 1;
        if self.block.len() >= BLOCK_BYTES { self.close_block(space as u8) } else { Ok(()) }
    }

    /// Ends the block, as it must be where a space ends.
    pub(super) fn close_block(&mut self, space: u8) -> io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let (rows, body) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.block));
        self.write(space, rows, &body)
    }

    fn write(&mut self, first: u8, rows: u32, body: &[u8]) -> io::Result<()> {
        let head = [&[first][..], &rows.to_le_bytes(), &(body.len() as u32).to_le_bytes()].concat();
        self.file.write_all(&head)?;
        self.file.write_all(body)?;
        self.file.write_all(&block_sum(&head, body).to_le_bytes())
    }

    /// Ends the file and makes it durable, but for its name.
    pub(super) fn finish(mut self) -> io::Result<[Tally; SPACES.len()]> {
        let mut body = Vec::new();
        for (space, tally) in (0..).zip(&self.tallies) {
            body.push(space);
            body.extend(tally.rows.to_le_bytes());
            body.extend(tally.sum.to_le_bytes());
        }
        self.write(END, SPACES.len() as u32, &body)?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        Ok(self.tallies)
    }
}

fn block_sum(head: &[u8], body: &[u8]) -> u64 {
    xxh3_64_with_seed(body, xxh3_64(head))
}

/// The file while it is read.
pub(super) struct RowsReader {
    file: BufReader<File>,
    block: std::vec::IntoIter<Row>,
    space: u8,
    tallies: [Tally; SPACES.len()],
    /// Whether the end was there and fitted.
    pub(super) ended: bool,
}

impl RowsReader {
    pub(super) fn open(path: &Path) -> io::Result<RowsReader> {
        let file = BufReader::new(File::open(path)?);
        Ok(RowsReader { file, block: Vec::new().into_iter(), space: 0, tallies: Default::default(), ended: false })
    }

    /// The next row of a space, or `None` when the next is one of another, or there is none.
    pub(super) fn next_of(&mut self, space: usize) -> io::Result<Option<Row>> {
        while self.block.as_slice().is_empty() && !self.ended {
            self.read_block()?;
        }
        if usize::from(self.space) != space {
            return Ok(None);
        }
        let row = self.block.next();
        if let Some((key, value)) = &row {
            self.tallies[space].add(key, value);
        }
        Ok(row)
    }

    /// What was read of a space so far.
    pub(super) fn tally(&self, space: usize) -> Tally {
        self.tallies[space]
    }

    fn read_block(&mut self) -> io::Result<()> {
        let mut head = [0; HEAD];
        self.file.read_exact(&mut head)?;
        let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().expect("four bytes"));
        let (space, rows, bytes) = (head[0], number(1), number(5) as usize);
        if bytes > BLOCK_BYTES_MAX {
            return Err(damaged("a block has an impossible length"));
        }
        let (mut body, mut sum) = (vec![0; bytes], [0; 8]);
        self.file.read_exact(&mut body)?;
        self.file.read_exact(&mut sum)?;
        if block_sum(&head, &body) != u64::from_le_bytes(sum) {
            return Err(damaged("a block does not fit its checksum"));
        }
        if space == END {
            return self.end(&body);
        }
        if usize::from(space) >= SPACES.len() || space < self.space {
            return Err(damaged("a block is of no space that could come here"));
        }
        let rows = split(&body, rows).ok_or_else(|| damaged("the rows of a block do not fit it"))?;
        (self.space, self.block) = (space, rows.into_iter());
        Ok(())
    }

    fn end(&mut self, body: &[u8]) -> io::Result<()> {
        let told = body.chunks(17).map(|entry| {
            let number =
                |at: usize| entry.get(at..at + 8).map(|bytes| u64::from_le_bytes(bytes.try_into().expect("eight")));
            Some(Tally { rows: number(1)?, sum: number(9)? })
        });
        if !told.eq(self.tallies.iter().copied().map(Some)) {
            return Err(damaged("its rows are not as many as its end says, or others"));
        }
        if self.file.read(&mut [0])? != 0 {
            return Err(damaged("it goes on behind its end"));
        }
        self.ended = true;
        self.space = END;
        Ok(())
    }
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn split(mut body: &[u8], rows: u32) -> Option<Vec<Row>> {
    let mut found = Vec::new();
    for _ in 0..rows {
        let (key, rest) = body.split_first_chunk::<2>()?;
        let (value, rest) = rest.split_first_chunk::<4>()?;
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*key)))?;
        let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*value) as usize)?;
        found.push((key.to_vec(), value.to_vec()));
        body = rest;
    }
    body.is_empty().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(space: usize) -> Vec<Row> {
        let count = [3000, 0, 7][space];
        (0..count).map(|at: u32| (at.to_be_bytes().to_vec(), vec![at as u8; at as usize % 97])).collect()
    }

    fn written(path: &Path) {
        let mut writer = RowsWriter::new(File::create(path).unwrap());
        for space in 0..SPACES.len() {
            rows(space).iter().for_each(|row| writer.push(space, row).unwrap());
            writer.close_block(space as u8).unwrap();
        }
        assert_eq!(writer.finish().unwrap().map(|tally| tally.rows), [3000, 0, 7]);
    }

    fn read(path: &Path) -> io::Result<Vec<Vec<Row>>> {
        let mut reader = RowsReader::open(path)?;
        let mut all = vec![Vec::new(); SPACES.len()];
        for (space, rows) in all.iter_mut().enumerate() {
            while let Some(row) = reader.next_of(space)? {
                rows.push(row);
            }
        }
        assert!(reader.ended);
        Ok(all)
    }

    #[test]
    fn rows_come_back_as_they_went() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        written(&path);
        assert_eq!(read(&path).unwrap(), [rows(0), rows(1), rows(2)]);
    }

    #[test]
    fn every_changed_cut_or_added_byte_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        written(&path);
        let bytes = std::fs::read(&path).unwrap();
        let places = (0..bytes.len()).step_by(613).chain(0..20).chain(bytes.len() - 80..bytes.len());
        for at in places {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            assert!(read(&path).is_err(), "byte {at}");
            std::fs::write(&path, &bytes[..at]).unwrap();
            assert!(read(&path).is_err(), "cut at {at}");
        }
        std::fs::write(&path, [&bytes[..], &[0]].concat()).unwrap();
        assert!(read(&path).is_err());
    }
}
