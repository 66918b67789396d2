//! What a file holds, in pages that copies share.
//!
//! What surprises: pages that hold only zeros are left out, so a journal of 64 MiB that was made long in advance costs what
//! was written into it, here and in the rebuilt folder.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

const PAGE: u64 = 4096;

#[derive(Debug)]
struct Page {
    bytes: [u8; PAGE as usize],
    fingerprint: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    pub(crate) length: u64,
    pages: BTreeMap<u64, Arc<Page>>,
}

impl Contents {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut contents = Self::default();
        contents.write(0, bytes);
        contents
    }

    /// Writes bytes at an offset, with zeros before them where the file was shorter.
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) {
        for (at, piece) in pieces(offset, bytes, PAGE) {
            self.change(at / PAGE, |page| page[(at % PAGE) as usize..][..piece.len()].copy_from_slice(piece));
            self.length = self.length.max(at + piece.len() as u64);
        }
    }

    /// Cuts, or extends with zeros.
    pub(crate) fn set_length(&mut self, length: u64) {
        if length < self.length {
            self.pages.split_off(&length.div_ceil(PAGE));
            if !length.is_multiple_of(PAGE) {
                self.change(length / PAGE, |page| page[(length % PAGE) as usize..].fill(0));
            }
        }
        self.length = length;
    }

    fn change(&mut self, number: u64, change: impl FnOnce(&mut [u8; PAGE as usize])) {
        let mut bytes = self.pages.get(&number).map_or([0; PAGE as usize], |page| page.bytes);
        change(&mut bytes);
        if bytes.iter().all(|byte| *byte == 0) {
            self.pages.remove(&number);
            return;
        }
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        self.pages.insert(number, Arc::new(Page { bytes, fingerprint: hasher.finish() }));
    }

    /// What is not zero, page by page, with its offset; the last page ends with the file.
    pub(crate) fn filled(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.pages.iter().map(|(number, page)| {
            let start = number * PAGE;
            (start, &page.bytes[..(self.length - start).min(PAGE) as usize])
        })
    }
}

/// Contents are told apart by length and pages.
impl Hash for Contents {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.length.hash(hasher);
        for (number, page) in &self.pages {
            (number, page.fingerprint).hash(hasher);
        }
    }
}

impl PartialEq for Contents {
    fn eq(&self, other: &Self) -> bool {
        self.length == other.length && self.filled().eq(other.filled())
    }
}

/// Bytes at an offset, cut where the file's pieces of this size begin.
pub(crate) fn pieces(offset: u64, bytes: &[u8], size: u64) -> impl Iterator<Item = (u64, &[u8])> {
    let first = (size - offset % size).min(bytes.len() as u64) as usize;
    let (head, rest) = bytes.split_at(first);
    let rest = rest.chunks(size as usize).scan(offset + first as u64, |at, piece| {
        let start = *at;
        *at += piece.len() as u64;
        Some((start, piece))
    });
    Some((offset, head)).filter(|(_, head)| !head.is_empty()).into_iter().chain(rest)
}

#[test]
fn cut_and_grown_again_a_file_holds_zeros() {
    let mut contents = Contents::of(&[7; 5000]);
    contents.write(4090, &[8; 10]);
    contents.set_length(4095);
    contents.set_length(9000);
    let mut bytes = vec![0; 9000];
    for (at, piece) in contents.filled() {
        bytes[at as usize..][..piece.len()].copy_from_slice(piece);
    }
    assert_eq!(bytes, [vec![7; 4090], vec![8; 5], vec![0; 4905]].concat());
}
