//! A folder with everything in it: read from a disk, compared, or written to one.
//!
//! What surprises: a folder is written afresh for every stop. Whoever opens it may change any file in it, and looking for the
//! changes costs more than writing some hundred pages into memory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::contents::Contents;

/// Paths below the root, folders before what is in them. A folder has no contents.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub(crate) struct Image {
    pub(crate) entries: BTreeMap<PathBuf, Option<Arc<Contents>>>,
}

impl Image {
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut image = Self::default();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(root.join(&folder))? {
                let entry = entry?;
                let path = folder.join(entry.file_name());
                let contents = if entry.file_type()?.is_dir() {
                    folders.push(path.clone());
                    None
                } else {
                    Some(Arc::new(Contents::of(&fs::read(entry.path())?)))
                };
                image.entries.insert(path, contents);
            }
        }
        Ok(image)
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }

    /// Writes everything below a folder, which is emptied first.
    pub(crate) fn write(&self, root: &Path) -> io::Result<()> {
        if root.exists() {
            fs::remove_dir_all(root)?;
        }
        fs::create_dir_all(root)?;
        for (path, contents) in &self.entries {
            let Some(contents) = contents else {
                fs::create_dir(root.join(path))?;
                continue;
            };
            let file = File::create(root.join(path))?;
            file.set_len(contents.length)?;
            for (offset, page) in contents.filled() {
                file.write_all_at(page, offset)?;
            }
        }
        Ok(())
    }

    /// The first path that is not the same in both.
    pub(crate) fn first_difference<'a>(&'a self, other: &'a Self) -> Option<&'a Path> {
        let paths = self.entries.keys().chain(other.entries.keys());
        paths.map(PathBuf::as_path).find(|path| self.entries.get(*path) != other.entries.get(*path))
    }
}
