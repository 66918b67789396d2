//! Directories that are made beside the place they are meant for, and put there whole.
//!
//! What surprises: a hard link serves as a copy. Segment files and the tables of the store are never changed once they have their
//! name, only removed, and a removed name leaves the other one alone. What is changed in place is copied.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;
use xxhash_rust::xxh3::Xxh3Default;

/// What the system refused.
#[derive(Debug, Error)]
#[error("{doing} {} failed: {reason}", .path.display())]
pub struct Refused {
    /// What was being done.
    pub doing: &'static str,
    /// To what.
    pub path: PathBuf,
    /// What the system said.
    pub reason: io::Error,
}

/// The result, with what was being done to what.
pub(super) fn done<T>(doing: &'static str, path: &Path, done: io::Result<T>) -> Result<T, Refused> {
    done.map_err(|reason| Refused { doing, path: path.to_owned(), reason })
}

/// The path with something added to its last name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// Makes an empty directory, in place of one that an earlier attempt left. One that holds anything but the names that an attempt
/// leaves is somebody's, and so is one whose `lock` file is held.
pub(super) fn begin(path: &Path, ours: &[&str], lock: &str) -> Result<(), Refused> {
    if fs::symlink_metadata(path).is_ok() {
        let entries = done("reading", path, fs::read_dir(path))?;
        for entry in entries {
            let name = done("reading", path, entry)?.file_name();
            if !name.to_str().is_some_and(|name| ours.contains(&name)) {
                let reason = format!("it holds {}, which no earlier attempt left", name.display());
                return Err(Refused { doing: "clearing", path: path.to_owned(), reason: io::Error::other(reason) });
            }
        }
        if let Ok(file) = File::open(path.join(lock))
            && let Err(TryLockError::WouldBlock) = file.try_lock()
        {
            let reason = io::Error::other("another attempt is under way in it");
            return Err(Refused { doing: "clearing", path: path.to_owned(), reason });
        }
        done("removing", path, fs::remove_dir_all(path))?;
    }
    done("making", path, fs::create_dir_all(path))
}

/// Gives a file a second name, or copies it where that cannot be: to another disk. Either way it is durable; the name is when
/// the folder is synced.
pub(super) fn link(from: &Path, to: &Path) -> Result<(), Refused> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    copy(from, to)
}

/// Copies a file, durably but for its name.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), Refused> {
    let copied = fs::copy(from, to).and_then(|_| File::open(to)?.sync_all());
    match copied {
        Err(error) if error.kind() == io::ErrorKind::StorageFull => done("writing", to, Err(error)),
        copied => done("copying", from, copied),
    }
}

/// Writes a file, durably but for its name.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Refused> {
    let written = File::create(path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    done("writing", path, written)
}

/// Copies everything below a directory; files for which `shared` holds are linked. All of it is durable on return.
pub(super) fn copy_all(from: &Path, to: &Path, shared: &dyn Fn(&Path) -> bool) -> Result<(), Refused> {
    done("making", to, fs::create_dir_all(to))?;
    for entry in done("reading", from, fs::read_dir(from))? {
        let entry = done("reading", from, entry)?;
        let (own, other) = (entry.path(), to.join(entry.file_name()));
        if done("reading", &own, entry.file_type())?.is_dir() {
            copy_all(&own, &other, shared)?;
        } else if shared(&own) {
            link(&own, &other)?;
        } else {
            copy(&own, &other)?;
        }
    }
    sync_folder(to)
}

/// The files below a directory, by their paths in it, in order.
pub(super) fn files_below(root: &Path) -> Result<Vec<PathBuf>, Refused> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Refused> {
        for entry in done("reading", folder, fs::read_dir(folder))? {
            let entry = done("reading", folder, entry)?;
            let path = entry.path();
            if done("reading", &path, entry.file_type())?.is_dir() {
                walk(root, &path, found)?;
            } else {
                found.push(path.strip_prefix(root).expect("it lies below").to_owned());
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    walk(root, root, &mut found)?;
    found.sort();
    Ok(found)
}

/// The length of a file and the XXH3-64 of its bytes.
pub(super) fn sum_of(path: &Path) -> Result<(u64, u64), Refused> {
    let read = || {
        let (mut file, mut hash, mut buffer) = (File::open(path)?, Xxh3Default::new(), vec![0; 1 << 18]);
        let mut bytes = 0;
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                return Ok((bytes, hash.digest()));
            }
            hash.update(&buffer[..count]);
            bytes += count as u64;
        }
    };
    done("reading", path, read())
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), Refused> {
    done("syncing", path, File::open(path).and_then(|folder| folder.sync_all()))
}

/// Gives a directory that is whole and durable its own name, durably.
pub(super) fn put_in_place(made: &Path, place: &Path) -> Result<(), Refused> {
    done("renaming", made, fs::rename(made, place))?;
    let parent = place.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync_folder(parent)
}

/// A directory that goes when this does, unless it has been renamed: best effort, what is left is cleared by the next attempt.
#[derive(Debug)]
pub(super) struct Fleeting(pub(super) PathBuf);

impl Drop for Fleeting {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
