//! Which file of the watched folder a descriptor stands for.
//!
//! What surprises: a descriptor's entry is one atomic number, so that `close` and `dup2` need no lock. They are called between
//! `fork` and `exec`, where a lock may be held for ever by a thread that does not exist any more.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock};

/// A file as it was opened. Entries are never freed: there are as many as the program opens files.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    pub(crate) inode: u64,
    /// Below the root, as it was when opened.
    pub(crate) path: Vec<u8>,
    pub(crate) appends: bool,
    /// Opened to become longer: not by a reader that may cut a bad end off.
    pub(crate) extends: bool,
    pub(crate) is_ledger: bool,
    /// Gone with the process, so no stop leaves anything of it: the rules are asked, the trace stays as it is.
    pub(crate) is_nameless: bool,
}

/// More descriptors than a process is allowed here; those beyond are not watched.
const DESCRIPTORS: usize = 1 << 16;

/// For each descriptor one more than its place in `OPENED`; 0 is a file that nobody watches.
static PLACES: [AtomicU32; DESCRIPTORS] = [const { AtomicU32::new(0) }; DESCRIPTORS];
static OPENED: RwLock<Vec<&'static Opened>> = RwLock::new(Vec::new());

fn place(fd: i32) -> Option<&'static AtomicU32> {
    PLACES.get(usize::try_from(fd).ok()?)
}

pub(crate) fn find(fd: i32) -> Option<&'static Opened> {
    let number = place(fd)?.load(Ordering::Acquire).checked_sub(1)?;
    OPENED.read().unwrap_or_else(PoisonError::into_inner).get(number as usize).copied()
}

pub(crate) fn remember(fd: i32, opened: Opened) {
    let Some(place) = place(fd) else { return };
    let mut all = OPENED.write().unwrap_or_else(PoisonError::into_inner);
    all.push(Box::leak(Box::new(opened)));
    place.store(u32::try_from(all.len()).expect("fewer than four billion files"), Ordering::Release);
}

pub(crate) fn forget(fd: i32) {
    if let Some(place) = place(fd) {
        place.store(0, Ordering::Release);
    }
}

/// The second descriptor now stands for what the first stands for.
pub(crate) fn copy(from: i32, to: i32) {
    if let (Some(from), Some(to)) = (place(from), place(to)) {
        to.store(from.load(Ordering::Acquire), Ordering::Release);
    }
}
