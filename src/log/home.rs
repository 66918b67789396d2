//! The data directory: who has it, whether it is ours, and how it comes into being.
//!
//! What surprises: a store is never made where it will live. A kill in the middle of making one leaves files that can never be
//! opened, so it is made under another name and renamed when it is whole; the file `FORMAT` comes last and says that all is
//! there. Without it the directory is either begun anew or not ours.
//!
//! ```text
//! LOCK         held while a process has the directory; its number is written in it
//! FORMAT       "nigh data directory, format 1"
//! store/       rows, changes and everything small       (store.new/ while it is made)
//! segments/    a directory for each collection
//! high-water   how many commits are known to be durable
//! set-aside/   journals as they were before their end was cut
//! ```

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::high_water::HighWater;
use super::local::COMMITS_KEY;
use super::store::{FjallStore, Settings, Space, Store, StoreError, journal};

/// The format this version writes, and the newest it reads.
const FORMAT: u32 = 1;
const FORMAT_WORDS: &str = "nigh data directory, format ";

/// Why a data directory cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HomeError {
    /// Another process has it.
    #[error("{} is in use{}; stop that process or name another directory", .path.display(), by(*.process))]
    Locked {
        /// The directory.
        path: PathBuf,
        /// The number of the process, where it could be read.
        process: Option<u32>,
    },
    /// It holds other things.
    #[error("{} is no data directory and not empty: it holds {}; name a directory of its own", .path.display(), .holds.join(", "))]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// Some of what is there.
        holds: Vec<String>,
    },
    /// A newer version wrote it.
    #[error("the data directory has format {found}, and this version knows {known}; use a newer version of nigh")]
    Newer {
        /// The format it has.
        found: u32,
        /// The newest format this version knows.
        known: u32,
    },
    /// Nothing can be written in it.
    #[error("{} cannot be written to; give the user that runs nigh the right to write there, or name another directory", .path.display())]
    ReadOnly {
        /// The directory.
        path: PathBuf,
    },
    /// There is none.
    #[error("there is no data directory in {}", .path.display())]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// `FORMAT` says something else.
    #[error("{} does not say which format the directory has, but {words:?}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// How it begins.
        words: String,
    },
    /// The disk refused.
    #[error("{doing} {} failed: {reason}", .path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The store could not be made.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn by(process: Option<u32>) -> String {
    process.map_or(String::new(), |process| format!(" by process {process}"))
}

/// A data directory that is ours until this is dropped. Keep it as long as the store.
#[derive(Debug)]
pub struct Home {
    root: PathBuf,
    /// Locked; the lock goes with it.
    _lock: File,
}

impl Home {
    /// Opens a data directory, or makes one where there is nothing.
    pub fn open(path: &Path) -> Result<Home, HomeError> {
        if !Home::exists(path) {
            make_directory(path)?;
            refuse_foreign(path, looks_like_a_store)?;
        }
        let home = Home::lock(path)?;
        // Another process may have made it meanwhile.
        if !Home::exists(path) {
            home.create()?;
        }
        check_format(path)?;
        // A process that was killed may have made a folder there and not come to make its name durable.
        let segments = home.root.join("segments");
        if segments.is_dir() {
            home.done("syncing", &segments, sync_directory(&segments))?;
        }
        Ok(home)
    }

    /// Opens a data directory that is there, and makes nothing.
    pub fn open_existing(path: &Path) -> Result<Home, HomeError> {
        if !Home::exists(path) {
            return Err(HomeError::Missing { path: path.to_owned() });
        }
        check_format(path)?;
        Home::lock(path)
    }

    /// Whether there is a data directory, whole or damaged, of any version.
    pub fn exists(path: &Path) -> bool {
        path.join("FORMAT").exists()
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the store is, for [`FjallStore::open`].
    pub fn store_path(&self) -> PathBuf {
        self.root.join("store")
    }

    /// Where the segments of a collection are, or will be.
    pub fn segments_path(&self, collection: u32) -> PathBuf {
        self.root.join("segments").join(collection.to_string())
    }

    /// Where the segments of a collection are; made if it is not there, and its name durable.
    pub fn segments_folder(&self, collection: u32) -> Result<PathBuf, HomeError> {
        let path = self.segments_path(collection);
        if !path.is_dir() {
            self.done("making", &path, fs::create_dir_all(&path))?;
            let above = self.root.join("segments");
            self.done("syncing", &above, sync_directory(&above))?;
            self.done("syncing", &self.root, sync_directory(&self.root))?;
        }
        Ok(path)
    }

    /// Opens the store. Where a power cut left a hole in a batch that nobody was told of, the journal is cut before it, and a copy
    /// of what it was is kept in `set-aside`.
    pub fn open_store(&self, settings: &Settings) -> Result<FjallStore, HomeError> {
        let path = self.store_path();
        let damage = match FjallStore::open(&path, settings) {
            Err(damage @ StoreError::Damaged { .. }) => damage,
            opened => return Ok(opened?),
        };
        let acknowledged = self.high_water()?.commits();
        let cut = journal::cut_unfinished(&path, &self.root.join("set-aside"), COMMITS_KEY, acknowledged);
        let Some(cut) = self.done("cutting the journal of", &path, cut)? else { return Err(damage.into()) };
        tracing::warn!(copy = %cut.copy.display(), "the journal ended in a batch that is not whole and was not acknowledged");
        match FjallStore::open(&path, settings) {
            Ok(store) => Ok(store),
            Err(_) => {
                self.done("putting back the journal of", &path, cut.undo())?;
                Err(damage.into())
            }
        }
    }

    /// The high-water mark.
    pub fn high_water(&self) -> Result<HighWater, HomeError> {
        let path = self.root.join("high-water");
        HighWater::open(&path).map_err(|reason| refused(&self.root, "opening", &path, reason))
    }

    fn lock(path: &Path) -> Result<Home, HomeError> {
        let file = path.join("LOCK");
        let io = |doing, reason| refused(path, doing, &file, reason);
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&file);
        let mut lock = options.map_err(|reason| io("opening", reason))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut number = String::new();
                // Only for the message: it may not be readable, or just being written.
                let _ = lock.take(20).read_to_string(&mut number);
                return Err(HomeError::Locked { path: path.to_owned(), process: number.trim().parse().ok() });
            }
            Err(TryLockError::Error(reason)) => return Err(io("locking", reason)),
        }
        let written = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
        written.map_err(|reason| io("writing", reason))?;
        Ok(Home { root: path.to_owned(), _lock: lock })
    }

    /// Makes what is missing. Each step finds what a kill in the one before left.
    fn create(&self) -> Result<(), HomeError> {
        refuse_foreign(&self.root, is_without_rows)?;
        if !self.store_path().exists() {
            let made = self.root.join("store.new");
            if made.exists() {
                self.done("removing", &made, fs::remove_dir_all(&made))?;
            }
            drop(FjallStore::create(&made, &Settings::default())?);
            // The store leaves out the folder in which it made its tables.
            self.done("syncing", &made, sync_directories(&made))?;
            self.done("renaming", &made, fs::rename(&made, self.store_path()))?;
        }
        let segments = self.root.join("segments");
        self.done("making", &segments, fs::create_dir_all(&segments))?;
        self.done("syncing", &self.root, sync_directory(&self.root))?;
        self.write_format()
    }

    fn write_format(&self) -> Result<(), HomeError> {
        let aside = self.root.join("FORMAT.new");
        let written = File::create(&aside).and_then(|mut file| {
            writeln!(file, "{FORMAT_WORDS}{FORMAT}")?;
            file.sync_all()
        });
        self.done("writing", &aside, written)?;
        self.done("renaming", &aside, fs::rename(&aside, self.root.join("FORMAT")))?;
        self.done("syncing", &self.root, sync_directory(&self.root))
    }

    fn done<T>(&self, doing: &'static str, path: &Path, done: io::Result<T>) -> Result<T, HomeError> {
        done.map_err(|reason| refused(&self.root, doing, path, reason))
    }
}

fn refused(root: &Path, doing: &'static str, path: &Path, reason: io::Error) -> HomeError {
    match reason.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            HomeError::ReadOnly { path: root.to_owned() }
        }
        _ => HomeError::Io { doing, path: path.to_owned(), reason },
    }
}

fn make_directory(path: &Path) -> Result<(), HomeError> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(|reason| refused(path, "making", path, reason))?;
    // So that the name outlasts a power cut. Where the directory above cannot be opened, that was its owner's care.
    let _ = path.canonicalize().map(|path| path.parent().map(sync_directory));
    Ok(())
}

/// Refuses a directory without `FORMAT` that holds anything but what an unfinished creation leaves.
fn refuse_foreign(path: &Path, is_our_store: fn(&Path) -> bool) -> Result<(), HomeError> {
    let names = |folder: &Path| -> Result<Vec<OsString>, HomeError> {
        let names = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
        names.map_err(|reason| refused(path, "reading", folder, reason))
    };
    let mut holds = Vec::new();
    for name in names(path)? {
        let ours = match name.to_str() {
            Some("LOCK" | "FORMAT.new" | "store.new") => true,
            Some("segments") => names(&path.join(&name))?.is_empty(),
            Some("store") => is_our_store(&path.join(&name)),
            _ => false,
        };
        if !ours {
            holds.push(name.to_string_lossy().into_owned());
        }
    }
    holds.sort();
    holds.truncate(5);
    if holds.is_empty() { Ok(()) } else { Err(HomeError::Foreign { path: path.to_owned(), holds }) }
}

/// By its names alone: another process may be making it.
fn looks_like_a_store(store: &Path) -> bool {
    store.join("version").is_file() && store.join("keyspaces").is_dir()
}

/// Whether a store is as it was made, asked while the directory is locked. One with rows has lost its `FORMAT`, and is nothing to
/// begin anew over.
fn is_without_rows(store: &Path) -> bool {
    let Ok(store) = FjallStore::open(store, &Settings::default()) else { return false };
    Space::ALL.iter().all(|&space| store.last(space, &[0]..&[0xff; 300]) == Ok(None))
}

fn check_format(root: &Path) -> Result<(), HomeError> {
    let file = root.join("FORMAT");
    let words = fs::read(&file).map_err(|reason| refused(root, "reading", &file, reason))?;
    let words = String::from_utf8_lossy(&words);
    let format = words.strip_prefix(FORMAT_WORDS).and_then(|number| number.trim_end().parse::<u32>().ok());
    match format {
        Some(found) if found > FORMAT => Err(HomeError::Newer { found, known: FORMAT }),
        Some(FORMAT) => Ok(()),
        _ => Err(HomeError::Unreadable { path: file, words: words.chars().take(60).collect() }),
    }
}

/// The same for a directory and all in it.
fn sync_directories(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_directories(&entry.path())?;
        }
    }
    sync_directory(path)
}

/// So that names in a directory outlast a power cut.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
#[path = "home_tests.rs"]
mod tests;
