//! A file in the address space, and which of its blocks have been compared with their checksums.
//!
//! What surprises: opening reads nothing of the body. A block of 64 KiB is read and compared when somebody first touches it,
//! which takes about as long as reading it from a disk takes anyway; a bit per block remembers.
//!
//! A map does not know the format it came in: who opens the file says where the sections lie and what the checksums are.
//! It trusts that nobody changes or shortens a file while it is open; then the system would end the process. Removing one
//! is harmless.
#![allow(unsafe_code, reason = "mapping a file is unsafe wherever it is done; here it is done once")]

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytemuck::{Pod, Zeroable};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use super::array::Array;

/// Bytes to a checksum.
///
/// *Why 64 KiB*: comparing takes 5 µs, so a cold query waits for the disk and not for this; a file of 1 GB has 128 kB of
/// checksums to read when it is opened.
pub const SUM_BYTES: usize = 1 << 16;

/// A block of a file that is not as it was written. Whoever touches it panics with this as payload.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("block {block} of {} is damaged, in its section {section}", file.display())]
pub struct Damaged {
    /// The file.
    pub file: PathBuf,
    /// What was looked for.
    pub section: String,
    /// Which block of 64 KiB after the header.
    pub block: usize,
}

/// The bytes of a file.
#[derive(Debug)]
pub enum Memory {
    /// As the system maps them.
    File(memmap2::Mmap),
    /// A copy, for tests under an interpreter that cannot map files.
    Copy(Vec<Line>, usize),
}

/// Keeps a copy where a file would begin: at a multiple of 64.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Line([u8; 64]);

impl Memory {
    /// Maps a file.
    pub fn of_file(file: &File) -> io::Result<Memory> {
        // SAFETY: the files are ours alone: they are written under another name, never changed after they got theirs, and only
        // ever removed, which leaves a map intact.
        Ok(Memory::File(unsafe { memmap2::Mmap::map(file) }?))
    }

    /// Copies bytes.
    pub fn copy_of(bytes: &[u8]) -> Memory {
        let mut lines = vec![Line([0; 64]); bytes.len().div_ceil(64)];
        bytemuck::cast_slice_mut(&mut lines)[..bytes.len()].copy_from_slice(bytes);
        Memory::Copy(lines, bytes.len())
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Memory::File(map) => map,
            Memory::Copy(lines, len) => &bytemuck::cast_slice(lines)[..*len],
        }
    }
}

/// Where things lie in a file, as its header says.
#[derive(Debug)]
pub struct Layout {
    /// Where the body begins, which the checksums are of.
    pub body_start: usize,
    /// The sections by name, each within the body.
    pub sections: Vec<(String, Range<usize>)>,
    /// A checksum for each 64 KiB of the body.
    pub sums: Vec<u64>,
}

/// A file that is open, with sections and checksums.
pub struct Map {
    file: PathBuf,
    memory: Memory,
    layout: Layout,
    /// A bit for each block that was found as it was written.
    proven: Box<[AtomicU64]>,
    /// How many blocks are left to be looked at.
    left: AtomicUsize,
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (blocks, left) = (self.layout.sums.len(), self.left.load(Ordering::Relaxed));
        write!(f, "[{} with {left} of {blocks} blocks unproven]", self.file.display())
    }
}

impl Map {
    /// A file whose header was read and found sound: as many checksums as the body has blocks, and sections within it.
    pub fn new(file: &Path, memory: Memory, layout: Layout) -> Map {
        let blocks = memory.bytes().len().saturating_sub(layout.body_start).div_ceil(SUM_BYTES);
        assert_eq!(blocks, layout.sums.len(), "a header is checked before a map is made of it");
        let proven = (0..blocks.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Map { file: file.to_owned(), memory, layout, proven, left: AtomicUsize::new(blocks) }
    }

    /// The whole file, proven or not.
    pub(super) fn bytes(&self) -> &[u8] {
        self.memory.bytes()
    }

    /// How many bytes are mapped.
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// Where a section lies.
    pub fn section(&self, name: &str) -> Option<Range<usize>> {
        self.layout.sections.iter().find(|(own, _)| own == name).map(|(_, bytes)| bytes.clone())
    }

    /// Whether every block was found as it was written.
    #[inline]
    pub fn is_proven(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    /// Compares every block with its checksum.
    pub fn prove_all(&self) -> Result<(), Damaged> {
        if self.is_proven() { Ok(()) } else { self.prove(self.layout.body_start..self.len()) }
    }

    /// Compares the blocks that hold some bytes of the body, as far as nobody has done so.
    pub(super) fn prove(&self, bytes: Range<usize>) -> Result<(), Damaged> {
        debug_assert!(bytes.start >= self.layout.body_start && bytes.end <= self.len());
        let first = (bytes.start - self.layout.body_start) / SUM_BYTES;
        let end = (bytes.end - self.layout.body_start).div_ceil(SUM_BYTES);
        // Nothing is kept in step with these bits but themselves: the bytes were there before the map was.
        (first..end).filter(|block| !self.is_block_proven(*block)).try_for_each(|block| self.prove_block(block, &bytes))
    }

    #[inline]
    fn is_block_proven(&self, block: usize) -> bool {
        self.proven[block / 64].load(Ordering::Relaxed) >> (block % 64) & 1 == 1
    }

    fn prove_block(&self, block: usize, wanted: &Range<usize>) -> Result<(), Damaged> {
        let start = self.layout.body_start + block * SUM_BYTES;
        let end = self.len().min(start + SUM_BYTES);
        if xxh3_64(&self.bytes()[start..end]) != self.layout.sums[block] {
            let section = self.section_at(start.max(wanted.start)..end);
            return Err(Damaged { file: self.file.clone(), section, block });
        }
        let bit = 1 << (block % 64);
        if self.proven[block / 64].fetch_or(bit, Ordering::Relaxed) & bit == 0 {
            self.left.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn section_at(&self, bytes: Range<usize>) -> String {
        let touches = |own: &Range<usize>| own.start < bytes.end && bytes.start < own.end;
        let found = self.layout.sections.iter().find(|(_, own)| touches(own));
        found.map_or_else(|| "between sections".to_owned(), |(name, _)| name.clone())
    }
}

/// A section that somebody wants written: its name, at most 23 bytes with what stands before it, and its bytes.
pub type Section<'a> = (&'static str, &'a [u8]);

/// The sections of a file that belong to one part of a segment.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    map: &'a Arc<Map>,
    part: &'a str,
}

impl<'a> Stored<'a> {
    /// What a file holds of a part: the sections whose names begin with the part's and a dot.
    pub fn of(map: &'a Arc<Map>, part: &'a str) -> Stored<'a> {
        Stored { map, part }
    }

    /// The values of a section, if the file has it and it holds a whole number of them.
    pub fn array<T: Pod>(&self, name: &str) -> Option<Array<T>> {
        Array::mapped(self.map, self.map.section(&format!("{}.{name}", self.part))?)
    }

    /// The values of a section that must be so many.
    pub fn array_of<T: Pod>(&self, name: &str, len: usize) -> Option<Array<T>> {
        self.array(name).filter(|array| array.len() == len)
    }
}

/// A map of one section named `all`, kept in memory, with some bytes changed after the checksums were taken.
#[cfg(test)]
pub(super) fn test_map(bytes: &[u8], changed: &[usize]) -> Arc<Map> {
    let sums = bytes.chunks(SUM_BYTES).map(xxh3_64).collect();
    let mut bytes = bytes.to_vec();
    changed.iter().for_each(|&place| bytes[place] ^= 1);
    let layout = Layout { body_start: 0, sections: vec![("all".to_owned(), 0..bytes.len())], sums };
    Arc::new(Map::new(Path::new("test"), Memory::copy_of(&bytes), layout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_single_changed_byte_is_noticed_and_named() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|i| (i * 31) as u8).collect();
        assert!(test_map(&bytes, &[]).prove_all().is_ok());
        for place in [0, 65_535, 65_536, 131_072, 199_999] {
            let map = test_map(&bytes, &[place]);
            let damaged = map.prove_all().unwrap_err();
            assert_eq!(damaged.block, place / SUM_BYTES);
            assert!(!map.is_proven());
            assert!(damaged.to_string().contains("of test is damaged, in its section all"), "{damaged}");
        }
    }

    #[test]
    fn a_map_is_proven_when_its_last_block_is() {
        let map = test_map(&[1; SUM_BYTES * 3 + 1], &[]);
        for (at, proven) in [(0, false), (SUM_BYTES * 3, false), (SUM_BYTES, false), (0, false), (SUM_BYTES * 2, true)]
        {
            map.prove(at..at + 1).unwrap();
            assert_eq!(map.is_proven(), proven, "{at}");
        }
    }
}
