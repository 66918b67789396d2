//! One operation on a disk, and its bytes in a trace file. The preloaded library writes them, the tests read them.
//!
//! What surprises: files and folders are named by their inode, not by their path, because a descriptor outlives the name
//! it was opened by. A number that comes back after its file is gone belongs to the newer one.

/// What a program did to its disk, after it succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// The program wrote this into its ledger.
    Note {
        text: Vec<u8>,
    },
    /// A new, empty file under a name.
    Create {
        inode: u64,
        path: Vec<u8>,
    },
    MakeFolder {
        inode: u64,
        path: Vec<u8>,
    },
    Write {
        inode: u64,
        offset: u64,
        data: Vec<u8>,
    },
    /// The length became this: cut, or extended with zeros.
    Length {
        inode: u64,
        length: u64,
    },
    /// What was done to this file or folder so far is on the disk.
    Sync {
        inode: u64,
    },
    Rename {
        from: Vec<u8>,
        to: Vec<u8>,
    },
    Link {
        from: Vec<u8>,
        to: Vec<u8>,
    },
    Remove {
        path: Vec<u8>,
    },
    /// Something that the tests cannot rebuild; they must not pass.
    Unmodelled {
        what: Vec<u8>,
    },
}

impl Record {
    /// Appends length, tag, two numbers and two texts.
    pub(crate) fn encode(&self, into: &mut Vec<u8>) {
        let (tag, numbers, texts): (u8, [u64; 2], [&[u8]; 2]) = match self {
            Self::Note { text } => (0, [0; 2], [text, b""]),
            Self::Create { inode, path } => (1, [*inode, 0], [path, b""]),
            Self::MakeFolder { inode, path } => (2, [*inode, 0], [path, b""]),
            Self::Write { inode, offset, data } => (3, [*inode, *offset], [data, b""]),
            Self::Length { inode, length } => (4, [*inode, *length], [b"", b""]),
            Self::Sync { inode } => (5, [*inode, 0], [b"", b""]),
            Self::Rename { from, to } => (6, [0; 2], [from, to]),
            Self::Link { from, to } => (7, [0; 2], [from, to]),
            Self::Remove { path } => (8, [0; 2], [path, b""]),
            Self::Unmodelled { what } => (9, [0; 2], [what, b""]),
        };
        into.push(tag);
        for number in numbers {
            into.extend(number.to_le_bytes());
        }
        for text in texts {
            into.extend((text.len() as u64).to_le_bytes());
            into.extend(text);
        }
    }

    /// The record at the front and what follows it; nothing when the rest is not a whole record.
    pub(crate) fn decode(from: &[u8]) -> Option<(Self, &[u8])> {
        let (tag, rest) = from.split_first()?;
        let (first, rest) = number(rest)?;
        let (second, rest) = number(rest)?;
        let (one, rest) = text(rest)?;
        let (two, rest) = text(rest)?;
        let record = match tag {
            0 => Self::Note { text: one },
            1 => Self::Create { inode: first, path: one },
            2 => Self::MakeFolder { inode: first, path: one },
            3 => Self::Write { inode: first, offset: second, data: one },
            4 => Self::Length { inode: first, length: second },
            5 => Self::Sync { inode: first },
            6 => Self::Rename { from: one, to: two },
            7 => Self::Link { from: one, to: two },
            8 => Self::Remove { path: one },
            9 => Self::Unmodelled { what: one },
            _ => return None,
        };
        Some((record, rest))
    }
}

fn number(from: &[u8]) -> Option<(u64, &[u8])> {
    let (bytes, rest) = from.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*bytes), rest))
}

fn text(from: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (length, rest) = number(from)?;
    let (text, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((text.to_vec(), rest))
}
