//! The file `BACKUP`: what a backup holds, and how to know that it still does.
//!
//! ```text
//! nigh backup, format 1
//! { "moment": …, "collections": […], "spaces": […], "files": […] }
//! 0123456789abcdef                                                  XXH3-64 of all before it
//! ```
//!
//! What surprises: it is written last. A directory without it is no backup, however much it holds.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::backup::BackupError;
use super::{Sum, files};

/// The file's name.
pub(super) const NAME: &str = "BACKUP";

/// The format this version writes, and the newest it reads.
const FORMAT: u32 = 1;
const FORMAT_WORDS: &str = "nigh backup, format ";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Inventory {
    pub(super) moment: Moment,
    pub(super) collections: Vec<CollectionBackup>,
    pub(super) spaces: Vec<SpaceBackup>,
    pub(super) files: Vec<FileBackup>,
}

/// When it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Moment {
    /// By the clock, in milliseconds since 1970.
    pub(super) at_ms: i64,
    /// After how many commits.
    pub(super) commits: u64,
}

/// A collection in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionBackup {
    /// Its name.
    pub name: String,
    /// Its number on disk.
    pub number: u32,
    /// The number of its last change.
    pub seq: u64,
    /// What its items come to.
    #[serde(flatten)]
    pub sum: Sum,
}

/// The rows of a space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SpaceBackup {
    pub(super) name: String,
    pub(super) rows: u64,
    pub(super) sum: u64,
}

/// A file, by its path in the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileBackup {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) xxh3: u64,
}

impl FileBackup {
    /// The file at a path in a backup, as it is now.
    pub(super) fn of(root: &Path, path: PathBuf) -> Result<FileBackup, BackupError> {
        let (bytes, xxh3) = files::sum_of(&root.join(&path))?;
        Ok(FileBackup { path, bytes, xxh3 })
    }
}

impl Inventory {
    pub(super) fn write(&self, root: &Path) -> Result<(), BackupError> {
        let mut text = format!("{FORMAT_WORDS}{FORMAT}\n").into_bytes();
        serde_json::to_writer_pretty(&mut text, self).expect("plain values can be written as JSON");
        text.push(b'\n');
        let sum = format!("{:016x}\n", xxh3_64(&text));
        text.extend(sum.as_bytes());
        Ok(files::write(&root.join(NAME), &text)?)
    }

    /// Reads what a backup should hold.
    pub(super) fn read(root: &Path) -> Result<Inventory, BackupError> {
        let path = root.join(NAME);
        let damaged = |what: &str| BackupError::Damaged { path: path.clone(), what: what.to_owned() };
        let bytes = match std::fs::read(&path) {
            Err(reason) if reason.kind() == std::io::ErrorKind::NotFound => {
                return Err(BackupError::None { path: root.to_owned() });
            }
            read => files::done("reading", &path, read)?,
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| damaged("it is no text"))?;
        let (first, rest) = text.split_once('\n').ok_or_else(|| damaged("it ends early"))?;
        match first.strip_prefix(FORMAT_WORDS).and_then(|number| number.parse().ok()) {
            Some(FORMAT) => {}
            Some(found) if found > FORMAT => return Err(BackupError::Newer { found, known: FORMAT }),
            _ => return Err(damaged("it does not say which format it has")),
        }
        let sum_at = text.len().checked_sub(17).filter(|&at| at > first.len() && text.is_char_boundary(at));
        let (body, sum) = text.split_at(sum_at.ok_or_else(|| damaged("it ends early"))?);
        if format!("{:016x}\n", xxh3_64(body.as_bytes())) != sum {
            return Err(damaged("it does not fit its checksum"));
        }
        let inventory = &rest[..rest.len() - sum.len()];
        serde_json::from_str(inventory).map_err(|error| damaged(&error.to_string()))
    }

    /// Compares every file with what is written about it.
    pub(super) fn check_files(&self, root: &Path) -> Result<(), BackupError> {
        for file in &self.files {
            let path = root.join(&file.path);
            let inside = file.path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
            let what = match std::fs::symlink_metadata(&path) {
                _ if !inside => "its path leads out of the backup".to_owned(),
                Err(error) => error.to_string(),
                Ok(found) if found.len() != file.bytes => format!("it has {} bytes, not {}", found.len(), file.bytes),
                Ok(_) if files::sum_of(&path)?.1 != file.xxh3 => "it does not fit its checksum".to_owned(),
                Ok(_) => continue,
            };
            return Err(BackupError::Damaged { path, what });
        }
        Ok(())
    }
}
