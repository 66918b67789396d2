//! A disk that is really full: a file system in memory of a few megabytes.
//!
//! What surprises: only the superuser may mount one. Elsewhere a test says that it is skipped.
#![allow(dead_code, reason = "each file of tests fills and frees its own way")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A mounted file system, gone when dropped.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Mounts one of a size such as `64m`; nothing, with a word, where that is not allowed.
    pub(crate) fn mount(size: &str) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "nigh-small"]).arg(folder.path());
        match mount.stderr(Stdio::null()).status() {
            Ok(ended) if ended.success() => Some(SmallDisk(folder)),
            _ => {
                println!("skipped: only the superuser can mount a small disk");
                None
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Gives it another size; what is on it stays.
    pub(crate) fn resize(&self, size: &str) {
        let option = format!("remount,size={size}");
        let resized = Command::new("mount").args(["-o", &option]).arg(self.path()).status();
        assert!(resized.is_ok_and(|ended| ended.success()), "a disk in memory takes another size");
    }

    /// Fills what room there is.
    pub(crate) fn fill(&self) {
        let (mut size, mut filled) = (1 << 20, Vec::new());
        while size >= 512 {
            let before = filled.len();
            filled.resize(before + size, 1_u8);
            if std::fs::write(self.file("ballast"), &filled).is_err() {
                filled.truncate(before);
                size /= 2;
            }
        }
        let _ = std::fs::write(self.file("ballast"), &filled);
    }

    /// Takes away what filled it.
    pub(crate) fn free(&self) {
        let _ = std::fs::remove_file(self.file("ballast"));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
