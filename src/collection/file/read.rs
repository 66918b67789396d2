//! Opening a file: the header is read and believed only when it is sound; the body is mapped and not looked at.
//!
//! What surprises: whatever the bytes are, this gives a file or an error and never panics. What is wrong in the body comes to
//! light when it is touched, see [`crate::index::Damaged`].

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::header::{FIXED, Header, MAGIC, VERSION, Words, half};
use super::{FileError, FileKind, name};
use crate::index::{Layout, Map, Memory};

/// A file whose header is sound.
#[derive(Debug)]
pub(in crate::collection) struct OpenFile {
    pub(in crate::collection) map: Arc<Map>,
    pub(in crate::collection) words: Words,
    /// The checksum of the header, and by way of the checksums in it of the whole file.
    pub(in crate::collection) sum: u64,
}

/// Opens the file of that kind and number.
pub(in crate::collection) fn open(folder: &Path, kind: FileKind, number: u64) -> Result<OpenFile, FileError> {
    let path = folder.join(name(kind, number));
    let io = FileError::io(&path);
    let file = File::open(&path).map_err(&io)?;
    let len = file.metadata().map_err(&io)?.len();
    if len == 0 {
        return Err(FileError::damaged(&path, "it is empty")); // some systems map no empty files
    }
    let memory = Memory::of_file(&file).map_err(&io)?;
    let (header, body_start, sum) = read_header(memory.bytes(), &path)?;
    if (header.kind, header.number) != (kind.code(), number) {
        return Err(FileError::damaged(&path, "it is another file under this name"));
    }
    let sections = header.sections.into_iter().map(|(name, offset, len)| (name, offset..offset + len)).collect();
    let map = Map::new(&path, memory, Layout { body_start, sections, sums: header.sums });
    Ok(OpenFile { map: Arc::new(map), words: header.words, sum })
}

fn read_header(bytes: &[u8], path: &Path) -> Result<(Header, usize, u64), FileError> {
    if !bytes.starts_with(&MAGIC) {
        return Err(FileError::Foreign { path: path.to_owned() });
    }
    if bytes.len() < FIXED {
        return Err(FileError::damaged(path, format!("it ends within its header, after {} bytes", bytes.len())));
    }
    match half(bytes, 8) {
        VERSION => Header::read(bytes).map_err(|what| FileError::damaged(path, what)),
        0 => Err(FileError::damaged(path, "there is no file format 0")),
        found => Err(FileError::Newer { path: path.to_owned(), found, known: VERSION }),
    }
}
