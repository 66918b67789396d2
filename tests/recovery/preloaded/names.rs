//! From a path as the program says it to a path below the watched folder.
//!
//! What surprises: paths are put in order as text. Symbolic links inside the watched folder are refused elsewhere, so there
//! is nothing in it for the kernel to follow.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The folder that relative paths start from when a call names none.
pub(crate) const HERE: i32 = -100;

/// A path without empty parts, `.` and `..`; relative paths start at the given folder's descriptor.
pub(crate) fn absolute(folder: i32, path: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    if !path.starts_with(b"/") {
        let start = if folder == HERE {
            std::env::current_dir()
        } else {
            std::fs::read_link(format!("/proc/self/fd/{folder}"))
        };
        whole.extend(start.ok()?.into_os_string().into_vec());
        whole.push(b'/');
    }
    whole.extend(path);
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in whole.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    Some(parts.iter().flat_map(|part| [b"/".as_slice(), part].concat()).collect())
}

/// What is left of an absolute path below a folder; empty for the folder itself.
pub(crate) fn below<'a>(root: &[u8], path: &'a [u8]) -> Option<&'a [u8]> {
    match path.strip_prefix(root)? {
        b"" => Some(b""),
        rest => rest.strip_prefix(b"/"),
    }
}

/// The inode under a path, not following a link at its end.
pub(crate) fn inode(path: &[u8]) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    std::fs::symlink_metadata(OsStr::from_bytes(path)).ok().map(|found| found.ino())
}
