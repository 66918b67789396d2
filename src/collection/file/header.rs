//! What stands before the body of a file: fixed fields, the section table, the checksums of the body.
//!
//! What surprises: the header ends with everything that is needed to doubt the body. Its own checksum covers both tables, so a
//! sound header can be trusted about lengths and places before a single block of the body has been read.
//!
//! ```text
//!   0  magic             "NIGHFILE"
//!   8  version           u32
//!  12  kind              u32     1 segment, 2 manifest
//!  16  number            u64     the one in the file's name
//!  24  file length       u64
//!  32  body start        u64     a multiple of 4096
//!  40  sections          u32
//!  44  bytes per block   u32     65536
//!  48  words             4 × u64 what they mean depends on the kind
//!  80  zero              40 bytes
//! 120  header checksum   u64     XXH3-64 of all before the body, with these eight bytes taken as zero
//! 128  section table     for each: name 24 bytes, offset u64, length u64
//!      block checksums   for each 64 KiB of the body: XXH3-64 u64
//!      zero              up to the body
//! ```

use xxhash_rust::xxh3::xxh3_64;

use super::FileKind;
use crate::index::SUM_BYTES;

pub(super) const MAGIC: [u8; 8] = *b"NIGHFILE";
pub(super) const VERSION: u32 = 1;
pub(super) const FIXED: usize = 128;
pub(super) const SUM_AT: usize = 120;
pub(super) const NAME_BYTES: usize = 24;
pub(super) const SECTION_BYTES: usize = NAME_BYTES + 16;
/// Sections begin at multiples of this, which is the size of a cache line and of the most demanding value.
pub(super) const SECTION_ALIGN: usize = 64;
/// The body begins at a multiple of this, so that its blocks are whole pages.
const BODY_ALIGN: usize = 4096;

/// Four numbers in the header that a kind of file is free to use.
pub(in crate::collection) type Words = [u64; 4];

impl FileKind {
    pub(super) fn code(self) -> u32 {
        match self {
            FileKind::Segment => 1,
            FileKind::Manifest => 2,
        }
    }
}

/// A section of the table: its name, where it begins in the file, how long it is.
pub(super) type Entry = (String, usize, usize);

/// Everything before the body, as values.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub(super) kind: u32,
    pub(super) number: u64,
    pub(super) file_len: usize,
    pub(super) words: Words,
    pub(super) sections: Vec<Entry>,
    pub(super) sums: Vec<u64>,
}

/// How many checksums a body has.
pub(super) fn blocks(body: usize) -> usize {
    body.div_ceil(SUM_BYTES)
}

/// Where the body begins behind tables of these sizes.
fn body_start(sections: usize, blocks: usize) -> usize {
    (FIXED + sections * SECTION_BYTES + blocks * 8).next_multiple_of(BODY_ALIGN)
}

/// Places sections one after the other: the table, where the body begins, and the length of the file.
pub(super) fn place(sections: &[(String, &[u8])]) -> (Vec<Entry>, usize, usize) {
    let mut body = 0;
    let mut table: Vec<Entry> = Vec::new();
    for (name, bytes) in sections {
        let offset = usize::next_multiple_of(body, SECTION_ALIGN);
        table.push((name.clone(), offset, bytes.len()));
        body = offset + bytes.len();
    }
    let start = body_start(sections.len(), blocks(body));
    table.iter_mut().for_each(|(_, offset, _)| *offset += start);
    (table, start, start + body)
}

impl Header {
    fn body_start(&self) -> usize {
        body_start(self.sections.len(), self.sums.len())
    }

    /// The bytes before the body, and their checksum.
    pub(super) fn to_bytes(&self) -> (Vec<u8>, u64) {
        let mut bytes = Vec::with_capacity(self.body_start());
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.kind.to_le_bytes());
        bytes.extend(self.number.to_le_bytes());
        bytes.extend((self.file_len as u64).to_le_bytes());
        bytes.extend((self.body_start() as u64).to_le_bytes());
        bytes.extend((self.sections.len() as u32).to_le_bytes());
        bytes.extend((SUM_BYTES as u32).to_le_bytes());
        self.words.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
        bytes.resize(FIXED, 0);
        for (name, offset, len) in &self.sections {
            let end = bytes.len() + NAME_BYTES;
            bytes.extend(name.as_bytes());
            assert!(bytes.len() <= end, "the name of a section has at most 24 bytes, not as many as {name}");
            bytes.resize(end, 0);
            bytes.extend((*offset as u64).to_le_bytes());
            bytes.extend((*len as u64).to_le_bytes());
        }
        self.sums.iter().for_each(|sum| bytes.extend(sum.to_le_bytes()));
        bytes.resize(self.body_start(), 0);
        let sum = xxh3_64(&bytes);
        bytes[SUM_AT..FIXED].copy_from_slice(&sum.to_le_bytes());
        (bytes, sum)
    }

    /// Reads the header of a file of version 1 and says where its body begins, or what is wrong with it.
    pub(super) fn read(file: &[u8]) -> Result<(Header, usize, u64), String> {
        let start = word(file, 32) as usize;
        if word(file, 24) != file.len() as u64 {
            return Err(format!("it has {} bytes, its header says {}", file.len(), word(file, 24)));
        }
        if half(file, 44) as usize != SUM_BYTES || start < FIXED || start > file.len() {
            return Err("its header does not fit its length".to_owned());
        }
        let (sections, sums) = (half(file, 40) as usize, blocks(file.len() - start));
        if body_start(sections, sums) != start {
            return Err("its tables do not fit its header".to_owned());
        }
        let mut head = file[..start].to_vec();
        head[SUM_AT..FIXED].fill(0);
        let (sum, expected) = (xxh3_64(&head), word(file, SUM_AT));
        if sum != expected {
            return Err("its header does not match its checksum".to_owned());
        }
        let table = &head[FIXED..FIXED + sections * SECTION_BYTES];
        let sums_at = FIXED + table.len();
        let header = Header {
            kind: half(&head, 12),
            number: word(&head, 16),
            file_len: file.len(),
            words: [48, 56, 64, 72].map(|at| word(&head, at)),
            sections: table
                .chunks(SECTION_BYTES)
                .map(|entry| read_entry(entry, start..file.len()))
                .collect::<Result<_, _>>()?,
            sums: (0..sums).map(|block| word(&head, sums_at + 8 * block)).collect(),
        };
        Ok((header, start, sum))
    }
}

fn read_entry(entry: &[u8], body: std::ops::Range<usize>) -> Result<Entry, String> {
    let name = entry[..NAME_BYTES].split(|&byte| byte == 0).next().unwrap_or_default();
    let name = std::str::from_utf8(name).map_err(|_| "the name of a section is no text".to_owned())?;
    let (offset, len) = (word(entry, NAME_BYTES), word(entry, NAME_BYTES + 8));
    let end = offset.checked_add(len).filter(|&end| end <= body.end as u64);
    if offset < body.start as u64 || !offset.is_multiple_of(SECTION_ALIGN as u64) || end.is_none() {
        return Err(format!("section {name} at {offset} of {len} bytes does not lie in the file"));
    }
    Ok((name.to_owned(), offset as usize, len as usize))
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

pub(super) fn half(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Header {
        let sections = [("points.blocks".to_owned(), &[1; 100][..]), ("ids.table".to_owned(), &[2; 70_000][..])];
        let (sections, start, file_len) = place(&sections);
        assert_eq!((start, file_len), (4096, 4096 + 128 + 70_000));
        Header { kind: 1, number: 7, file_len, words: [1, 2, 3, u64::MAX], sections, sums: vec![11, 22] }
    }

    fn file(header: &Header) -> Vec<u8> {
        let (mut bytes, _) = header.to_bytes();
        bytes.resize(header.file_len, 9);
        bytes
    }

    #[test]
    fn a_header_comes_back_as_written() {
        let (header, start, sum) = Header::read(&file(&sample())).unwrap();
        assert_eq!((&header, start, sum), (&sample(), 4096, sample().to_bytes().1));
    }

    #[test]
    fn every_changed_bit_of_a_header_is_noticed() {
        let file = file(&sample());
        // Magic and version are looked at before.
        for bit in 12 * 8..4096 * 8 {
            let mut changed = file.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::read(&changed).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_sound_checksum_does_not_excuse_a_section_outside_the_file() {
        for (offset, len) in
            [(0, 10), (4096 + 63, 10), (4096, usize::MAX - 4095), (4096 + 64 * 2000, 1), (usize::MAX - 63, 64)]
        {
            let mut header = sample();
            header.sections[0] = ("points.blocks".to_owned(), offset, len);
            let message = Header::read(&file(&header)).unwrap_err();
            assert!(message.contains("does not lie in the file"), "{message}");
        }
    }
}
