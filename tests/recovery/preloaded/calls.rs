//! The functions of the C library that take a path or hand out descriptors.
//!
//! What surprises: a program opens far more than it creates, and all of that passes here; only what lies below the watched
//! folder takes the way through the door.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_uint};
use std::os::unix::fs::MetadataExt;

use crate::door::{Door, Place, door};
use crate::faults::Kind;
use crate::files::{self, Opened};
use crate::names::HERE;
use crate::real;
use crate::record::Record;

const ACCESS: c_int = 3;
const WRITE_ONLY: c_int = 1;
const CREATE: c_int = 0o100;
const TRUNCATE: c_int = 0o1000;
const APPEND: c_int = 0o2000;
const WITHOUT_NAME: c_int = 0o20_000_000;

pub(crate) fn low(result: isize) -> c_int {
    c_int::try_from(result).expect("the result of such a call fits")
}

pub(crate) fn unmodelled(what: &str, path: &[u8]) -> Record {
    Record::Unmodelled { what: [what.as_bytes(), b" ", path].concat() }
}

pub(crate) fn inside(folder: c_int, path: *const c_char) -> Option<(&'static Door, Vec<u8>)> {
    match place(folder, path) {
        Some((door, Place::Inside(below))) => Some((door, below)),
        _ => None,
    }
}

fn place(folder: c_int, path: *const c_char) -> Option<(&'static Door, Place)> {
    let door = door()?;
    // SAFETY: every function here that takes a path demands a C string, as the C library does.
    let path = unsafe { CStr::from_ptr(path) };
    Some((door, door.place(folder, path.to_bytes())))
}

// ---- opening and closing ----

fn opening(folder: c_int, path: *const c_char, flags: c_int, call: impl FnOnce() -> c_int) -> c_int {
    let (door, below) = match place(folder, path) {
        Some((door, Place::Inside(below))) => (door, below),
        Some((_, Place::Ledger)) => {
            let fd = call();
            files::remember(fd, Opened { appends: true, is_ledger: true, ..Opened::default() });
            return fd;
        }
        Some((_, Place::Outside)) | None => {
            let fd = call();
            files::forget(fd);
            return fd;
        }
    };
    let is_nameless = flags & WITHOUT_NAME == WITHOUT_NAME;
    let is_new = || is_nameless || flags & CREATE != 0 && door.inode(&below).is_none();
    let kind = if is_new() { Kind::Create } else { Kind::Open };
    let fd = door.pass(kind, &below, 0, |_, records| {
        let is_new = is_new();
        let fd = call();
        if fd >= 0 {
            let inode = std::fs::metadata(format!("/proc/self/fd/{fd}")).map_or(0, |found| found.ino());
            if is_new && !is_nameless {
                records.push(Record::Create { inode, path: below.clone() });
            } else if flags & TRUNCATE != 0 {
                records.push(Record::Length { inode, length: 0 });
            }
            let appends = flags & APPEND != 0;
            let extends = appends || flags & CREATE != 0 || flags & ACCESS == WRITE_ONLY;
            files::remember(fd, Opened { inode, path: below.clone(), appends, extends, is_ledger: false, is_nameless });
        }
        fd as isize
    });
    low(fd)
}

leads! {
    open(path: *const c_char, flags: c_int, mode: c_uint) -> c_int, by opening(HERE, path, flags);
    open64(path: *const c_char, flags: c_int, mode: c_uint) -> c_int, by opening(HERE, path, flags);
    openat(folder: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int, by opening(folder, path, flags);
    openat64(folder: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int, by opening(folder, path, flags);
    creat(path: *const c_char, mode: c_uint) -> c_int, by opening(HERE, path, CREATE | TRUNCATE);
}

fn closing(fd: c_int, call: impl FnOnce() -> c_int) -> c_int {
    files::forget(fd);
    call()
}

fn copying(fd: c_int, call: impl FnOnce() -> c_int) -> c_int {
    let new = call();
    files::copy(fd, new);
    new
}

fn controlling(fd: c_int, command: c_int, call: impl FnOnce() -> c_int) -> c_int {
    const DUPLICATE: c_int = 0;
    const DUPLICATE_AND_CLOSE: c_int = 1030;
    match command {
        DUPLICATE | DUPLICATE_AND_CLOSE => copying(fd, call),
        _ => call(),
    }
}

leads! {
    close(fd: c_int) -> c_int, by closing(fd);
    dup(fd: c_int) -> c_int, by copying(fd);
    dup2(fd: c_int, to: c_int) -> c_int, by copying(fd);
    dup3(fd: c_int, to: c_int, flags: c_int) -> c_int, by copying(fd);
    fcntl(fd: c_int, command: c_int, argument: usize) -> c_int, by controlling(fd, command);
    fcntl64(fd: c_int, command: c_int, argument: usize) -> c_int, by controlling(fd, command);
}

// ---- names ----

/// Removes a name; a folder's descriptor and a relative path stand for the same as the whole path.
fn removing(folder: c_int, path: *const c_char, call: impl FnOnce() -> c_int) -> c_int {
    let Some((door, below)) = inside(folder, path) else { return call() };
    low(door.pass(Kind::Remove, &below, 0, |_, records| {
        records.push(Record::Remove { path: below.clone() });
        call() as isize
    }))
}

fn making(folder: c_int, path: *const c_char, call: impl FnOnce() -> c_int) -> c_int {
    let Some((door, below)) = inside(folder, path) else { return call() };
    low(door.pass(Kind::MakeFolder, &below, 0, |_, records| {
        let done = call();
        let inode = if done == 0 { door.inode(&below) } else { None };
        records.extend(inode.map(|inode| Record::MakeFolder { inode, path: below.clone() }));
        done as isize
    }))
}

/// Symbolic links are not rebuilt, so they must not be made.
fn pointing(folder: c_int, path: *const c_char, call: impl FnOnce() -> c_int) -> c_int {
    if let Some((door, below)) = inside(folder, path) {
        door.mention(unmodelled("symbolic link", &below));
    }
    call()
}

type Path = (c_int, *const c_char);

/// Gives a file another name, instead of the first or beside it.
fn naming(kind: Kind, from: Path, to: Path, plain: bool, call: impl FnOnce() -> c_int) -> c_int {
    let (door, from, to) = match (inside(from.0, from.1), inside(to.0, to.1)) {
        (None, None) => return call(),
        (Some((door, from)), Some((_, to))) if plain => (door, from, to),
        (Some((door, path)), _) | (None, Some((door, path))) => {
            door.mention(unmodelled("exchange, or a name from beyond the folder or to there:", &path));
            return call();
        }
    };
    low(door.pass(kind, &to, 0, |_, records| {
        records.push(if kind == Kind::Rename {
            Record::Rename { from, to: to.clone() }
        } else {
            Record::Link { from, to: to.clone() }
        });
        call() as isize
    }))
}

/// `renameat2` that refuses to replace is a rename when it succeeds.
const NO_REPLACE: c_uint = 1;

leads! {
    unlink(path: *const c_char) -> c_int, by removing(HERE, path);
    unlinkat(folder: c_int, path: *const c_char, flags: c_int) -> c_int, by removing(folder, path);
    rmdir(path: *const c_char) -> c_int, by removing(HERE, path);
    mkdir(path: *const c_char, mode: c_uint) -> c_int, by making(HERE, path);
    mkdirat(folder: c_int, path: *const c_char, mode: c_uint) -> c_int, by making(folder, path);
    symlink(target: *const c_char, path: *const c_char) -> c_int, by pointing(HERE, path);
    symlinkat(target: *const c_char, folder: c_int, path: *const c_char) -> c_int, by pointing(folder, path);
    rename(from: *const c_char, to: *const c_char) -> c_int, by naming(Kind::Rename, (HERE, from), (HERE, to), true);
    renameat(from_in: c_int, from: *const c_char, to_in: c_int, to: *const c_char) -> c_int,
        by naming(Kind::Rename, (from_in, from), (to_in, to), true);
    renameat2(from_in: c_int, from: *const c_char, to_in: c_int, to: *const c_char, flags: c_uint) -> c_int,
        by naming(Kind::Rename, (from_in, from), (to_in, to), flags & !NO_REPLACE == 0);
    link(from: *const c_char, to: *const c_char) -> c_int, by naming(Kind::Link, (HERE, from), (HERE, to), true);
    linkat(from_in: c_int, from: *const c_char, to_in: c_int, to: *const c_char, flags: c_int) -> c_int,
        by naming(Kind::Link, (from_in, from), (to_in, to), flags == 0);
}
