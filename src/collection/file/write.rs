//! Writing a file: the body first, the header last, the name when all of it is durable.
//!
//! What surprises: nothing is gathered. Sections are the arrays as they lie in memory, handed to the system as they are; what
//! passes by is summed up on the way.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

use super::header::{Header, Words, place};
use super::{FileError, FileKind, UNFINISHED, name};
use crate::index::SUM_BYTES;

/// Writes a file and gives it its name; [`sync_folder`] makes the name durable. Says what the checksum of its header is.
pub(in crate::collection) fn write(
    folder: &Path,
    (kind, number, words): (FileKind, u64, Words),
    sections: &[(String, &[u8])],
) -> Result<u64, FileError> {
    let path = folder.join(name(kind, number));
    let unfinished = folder.join(name(kind, number) + UNFINISHED);
    // Not inside what is cleaned up after: a file that is there already is somebody else's.
    let file = File::create_new(&unfinished).map_err(FileError::io(&unfinished))?;
    let written = write_unfinished(file, (kind, number, words), sections);
    let named = written.and_then(|sum| match path.exists() {
        true => Err(io::ErrorKind::AlreadyExists.into()),
        false => fs::rename(&unfinished, &path).map(|()| sum),
    });
    named.map_err(|error| {
        // What is left of it would be removed with the unused; a full disk is glad of it sooner.
        let _ = fs::remove_file(&unfinished);
        FileError::io(&path)(error)
    })
}

fn write_unfinished(
    mut file: File,
    (kind, number, words): (FileKind, u64, Words),
    sections: &[(String, &[u8])],
) -> io::Result<u64> {
    let (table, start, file_len) = place(sections);
    file.seek(SeekFrom::Start(start as u64))?;
    let mut body = Summed { file: &mut file, written: 0, block: Xxh3::new(), sums: Vec::new() };
    for ((_, offset, _), (_, bytes)) in table.iter().zip(sections) {
        body.write(&[0; 64][..offset - start - body.written])?;
        body.write(bytes)?;
    }
    let sums = body.finish();
    let header = Header { kind: kind.code(), number, file_len, words, sections: table, sums };
    let (bytes, sum) = header.to_bytes();
    debug_assert_eq!(bytes.len(), start);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    Ok(sum)
}

/// Makes the names in a folder durable.
pub(in crate::collection) fn sync_folder(folder: &Path) -> Result<(), FileError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(FileError::io(folder))
}

/// A body that is being written, with the checksums of its blocks so far.
struct Summed<'a> {
    file: &'a mut File,
    written: usize,
    block: Xxh3,
    sums: Vec<u64>,
}

impl Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = SUM_BYTES - self.written % SUM_BYTES;
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.block.update(now);
            self.written += now.len();
            if now.len() == room {
                self.sums.push(self.block.digest());
                self.block.reset();
            }
            rest = later;
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<u64> {
        if !self.written.is_multiple_of(SUM_BYTES) {
            self.sums.push(self.block.digest());
        }
        self.sums
    }
}
