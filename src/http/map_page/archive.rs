//! Tiles in one file, as the build of the page writes them.
//!
//! ```text
//! "NIGHTILE"   8 bytes
//! count        u32, as all numbers little-endian
//! entries      17 bytes each, ascending by (z, x, y):  z u8 │ x u32 │ y u32 │ offset u32 │ length u32
//! blobs        each a vector tile packed with gzip; offsets count from the start of the file
//! ```
//!
//! What surprises: an archive is believed only after every entry was looked at. From then on a lookup is a search among entries that
//! are in order and lie within the file.

use thiserror::Error;

const MAGIC: &[u8] = b"NIGHTILE";

/// Where the entries begin.
const HEAD: usize = MAGIC.len() + 4;

/// Bytes of an entry.
const ENTRY: usize = 17;

/// Why bytes are no archive.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Malformed {
    #[error("it does not begin as an archive of tiles")]
    Magic,
    #[error("it ends before its entries do")]
    Entries,
    #[error("entry {0} does not come after the one before it")]
    Order(usize),
    #[error("entry {0} names bytes that are not in the file")]
    Bytes(usize),
}

/// An archive that is sound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    entries: &'a [[u8; ENTRY]],
}

impl<'a> Archive<'a> {
    /// Looks at every entry once.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Archive<'a>, Malformed> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(Malformed::Magic)?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or(Malformed::Entries)?;
        let length = (u32::from_le_bytes(*count) as usize).checked_mul(ENTRY).ok_or(Malformed::Entries)?;
        let (entries, _) = rest.get(..length).ok_or(Malformed::Entries)?.as_chunks::<ENTRY>();
        for (number, entry) in entries.iter().enumerate() {
            if number > 0 && place(&entries[number - 1]) >= place(entry) {
                return Err(Malformed::Order(number));
            }
            let (offset, length) = stretch(entry);
            let within = offset >= HEAD + size_of_val(entries)
                && offset.checked_add(length).is_some_and(|end| end <= bytes.len());
            if !within {
                return Err(Malformed::Bytes(number));
            }
        }
        Ok(Archive { bytes, entries })
    }

    /// The tile there, packed; nothing where there is none.
    pub(super) fn tile(&self, z: u8, x: u32, y: u32) -> Option<&'a [u8]> {
        let at = self.entries.binary_search_by_key(&(z, x, y), place).ok()?;
        let (offset, length) = stretch(&self.entries[at]);
        Some(&self.bytes[offset..offset + length])
    }

    /// How many tiles there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

fn number(entry: &[u8; ENTRY], at: usize) -> u32 {
    let bytes = entry[at..].first_chunk().expect("an entry has four bytes for each number");
    u32::from_le_bytes(*bytes)
}

fn place(entry: &[u8; ENTRY]) -> (u8, u32, u32) {
    (entry[0], number(entry, 1), number(entry, 5))
}

fn stretch(entry: &[u8; ENTRY]) -> (usize, usize) {
    (number(entry, 9) as usize, number(entry, 13) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repeatable::repeatable;
    use proptest::prelude::*;

    type Tile<'a> = ((u8, u32, u32), &'a [u8]);

    fn archive(tiles: &[Tile<'_>]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend((tiles.len() as u32).to_le_bytes());
        let mut offset = HEAD + tiles.len() * ENTRY;
        for ((z, x, y), blob) in tiles {
            bytes.push(*z);
            for number in [*x, *y, offset as u32, blob.len() as u32] {
                bytes.extend(number.to_le_bytes());
            }
            offset += blob.len();
        }
        tiles.iter().for_each(|(_, blob)| bytes.extend_from_slice(blob));
        bytes
    }

    const TILES: &[Tile<'_>] = &[
        ((0, 0, 0), b"earth"),
        ((1, 0, 1), b""),
        ((1, 1, 0), b"north-east"),
        ((2, 256, 0), b"far"),
        ((2, 256, 1), b"x"),
    ];

    #[test]
    fn what_was_put_in_comes_out() {
        let bytes = archive(TILES);
        let archive = Archive::open(&bytes).unwrap();
        for ((z, x, y), blob) in TILES {
            assert_eq!(archive.tile(*z, *x, *y), Some(*blob));
        }
        for (z, x, y) in [(0, 0, 1), (1, 0, 0), (3, 0, 0), (2, 1, 256), (255, u32::MAX, u32::MAX)] {
            assert_eq!(archive.tile(z, x, y), None);
        }
        assert_eq!(archive.len(), TILES.len());
    }

    #[test]
    fn what_is_no_archive_is_told_apart() {
        let sound = archive(TILES);
        let changed = |at: usize, byte: u8| {
            let mut bytes = sound.clone();
            bytes[at] = byte;
            Archive::open(&bytes).map(|_| ()).unwrap_err()
        };
        assert_eq!(Archive::open(b"").map(|_| ()), Err(Malformed::Magic));
        assert_eq!(changed(0, b'n'), Malformed::Magic);
        assert_eq!(changed(11, 255), Malformed::Entries);
        assert_eq!(Archive::open(&sound[..HEAD - 1]).map(|_| ()), Err(Malformed::Entries));
        assert_eq!(
            changed(HEAD + ENTRY, 2),
            Malformed::Order(2),
            "the second is now of a zoom that comes after that of the third"
        );
        assert_eq!(changed(HEAD + 9, 0), Malformed::Bytes(0), "it would begin among the entries");
        assert_eq!(changed(HEAD + 16, 255), Malformed::Bytes(0), "it would end beyond the file");
        assert_eq!(Archive::open(&sound[..sound.len() - 1]).map(|_| ()), Err(Malformed::Bytes(4)));
        let twice = archive(&[TILES[0], TILES[0]]);
        assert_eq!(Archive::open(&twice).map(|_| ()), Err(Malformed::Order(1)));
    }

    proptest! {
        #![proptest_config(repeatable(2000))]

        #[test]
        fn nothing_that_is_found_lies_outside(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            end in any::<prop::sample::Index>(),
            (z, x, y) in (0_u8..4, 0_u32..300, 0_u32..4),
        ) {
            let mut bytes = archive(TILES);
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(end.index(bytes.len() + 1));
            if let Ok(archive) = Archive::open(&bytes) {
                let found = archive.tile(z, x, y).map_or(0, <[u8]>::len);
                prop_assert!(found <= bytes.len());
            }
        }
    }
}
