//! Files of a collection: how they are named, laid out, written and opened. [`crate::design::file_format`] has the format.
//!
//! What surprises: a file never changes. It is written under another name, made durable, and only then gets its own; from
//! then on it is read or removed. Numbers are never used twice in a folder, so a name always means the same bytes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

mod header;
mod read;
mod write;

pub(super) use read::open;
pub(super) use write::{sync_folder, write};

use crate::index::Damaged;

/// Why a file of a collection cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// A file that a manifest names, the manifest itself, or the folder is not there.
    #[error("there is no {}; a collection is opened in the folder it was written to, with all its files", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// A file that something else wrote.
    #[error("{} is not one of our files: it does not begin with the letters NIGHFILE", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A file of a later version.
    #[error("{} has file format {found}; this version reads up to {known}: use a newer nigh", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// A file that is not as it was written.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl FileError {
    fn io(path: &Path) -> impl Fn(io::Error) -> FileError {
        |source| match source.kind() {
            io::ErrorKind::NotFound => FileError::Missing { path: path.to_owned() },
            _ => FileError::Io { path: path.to_owned(), source },
        }
    }

    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> FileError {
        FileError::Damaged { path: path.to_owned(), what: what.into() }
    }
}

impl From<Damaged> for FileError {
    fn from(damaged: Damaged) -> FileError {
        let what = format!("block {} does not match its checksum, in section {}", damaged.block, damaged.section);
        FileError::Damaged { path: damaged.file, what }
    }
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    Segment,
    Manifest,
}

impl FileKind {
    const ALL: [FileKind; 2] = [FileKind::Segment, FileKind::Manifest];

    fn extension(self) -> &'static str {
        match self {
            FileKind::Segment => "segment",
            FileKind::Manifest => "manifest",
        }
    }
}

/// Ends the name of a file that is being written.
const UNFINISHED: &str = ".new";

/// The name of a file.
pub(super) fn name(kind: FileKind, number: u64) -> String {
    format!("{number:010}.{}", kind.extension())
}

/// The number in a name, finished or not, when it is one that [`name`] gives.
fn number_in(file: &str) -> Option<u64> {
    let finished = file.strip_suffix(UNFINISHED).unwrap_or(file);
    let number: u64 = finished.split('.').next()?.parse().ok()?;
    FileKind::ALL.iter().any(|&kind| name(kind, number) == finished).then_some(number)
}

/// The names in a folder that are ours, with their numbers.
fn ours(folder: &Path) -> io::Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(number) = number_in(&name) {
            found.push((name, number));
        }
    }
    Ok(found)
}

/// The largest number in a folder; 0 when there is none.
pub(super) fn largest_number(folder: &Path) -> Result<u64, FileError> {
    let ours = ours(folder).map_err(FileError::io(folder))?;
    Ok(ours.into_iter().map(|(_, number)| number).max().unwrap_or(0))
}

/// Removes the files of a collection that are not among `keep`, and says how many. Files that others put there stay.
///
/// A file that is still mapped stays readable for whoever maps it. Not to be called while a checkpoint or a
/// [`SegmentDraft`](super::SegmentDraft) is being written into the folder: it would take their files for unused ones.
pub fn remove_unused(folder: &Path, keep: &[String]) -> io::Result<usize> {
    let mut removed = 0;
    for (name, _) in ours(folder)?.into_iter().filter(|(name, _)| !keep.contains(name)) {
        fs::remove_file(folder.join(name))?;
        removed += 1;
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_we_give_are_ours() {
        for number in [0, 7, 9_999_999_999, u64::MAX] {
            for kind in FileKind::ALL {
                assert_eq!(number_in(&name(kind, number)), Some(number));
                assert_eq!(number_in(&format!("{}.new", name(kind, number))), Some(number));
            }
        }
        for other in
            ["7.segment", "0000000007.segment.old", "0000000007", "x.segment", "00000000007.segment", ".new", ""]
        {
            assert_eq!(number_in(other), None, "{other}");
        }
    }
}
