//! The functions of the C library that read, write and sync by a descriptor.
//!
//! What surprises: what was written is read back from the file rather than taken from the caller's memory, so that `write`,
//! `writev` and `sendfile` are alike, and a trace shows what is there, not what was asked for.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::calls::{low, unmodelled};
use crate::door::{Door, door};
use crate::faults::Kind;
use crate::files::{self, Opened};
use crate::real;
use crate::record::Record;

fn watched(fd: c_int) -> Option<(&'static Door, &'static Opened)> {
    Some((door()?, files::find(fd)?))
}

/// The file behind a descriptor, opened once more for this library alone.
fn again(fd: c_int) -> File {
    File::open(format!("/proc/self/fd/{fd}")).expect("an open file can be opened again")
}

// ---- writing ----

/// Where a write that is over went: it ended at the descriptor's position, or began where it was told.
enum At {
    Position,
    Offset(i64),
}

fn what_was_written(fd: c_int, file: &Opened, at: &At, bytes: isize) -> (u64, Vec<u8>) {
    let again = again(fd);
    let end = match at {
        At::Position => real::position(fd),
        // A file that is opened for appending ignores offsets.
        At::Offset(_) if file.appends => again.metadata().map_or(0, |found| found.len().cast_signed()),
        At::Offset(offset) => offset + bytes as i64,
    };
    let offset = (end - bytes as i64).cast_unsigned();
    let mut data = vec![0; bytes.cast_unsigned()];
    again.read_exact_at(&mut data, offset).expect("what was written can be read");
    (offset, data)
}

fn writing(fd: c_int, size: usize, at: &At, call: impl FnOnce(usize) -> isize) -> isize {
    let Some((door, file)) = watched(fd) else { return call(size) };
    if file.is_ledger {
        let done = call(size);
        if done > 0 && door.takes_trace() {
            let (_, text) = what_was_written(fd, file, at, done);
            door.mention(Record::Note { text });
        }
        return done;
    }
    door.pass(Kind::Write, &file.path, size, |allowed, records| {
        let done = call(allowed);
        if done > 0 && door.takes_trace() && !file.is_nameless {
            let (offset, data) = what_was_written(fd, file, at, done);
            records.push(Record::Write { inode: file.inode, offset, data });
        }
        done
    })
}

/// Declares functions that write from one place in memory.
macro_rules! writes {
    ($($name:ident($to:ident $(, $arg:ident: $kind:ty)*) $size:ident at $at:expr;)*) => {$(
        /// # Safety
        /// As in C: the memory can be read, the offsets are null or can be written.
        #[unsafe(no_mangle)]
        pub(crate) unsafe extern "C" fn $name($($arg: $kind),*) -> isize {
            // SAFETY: the arguments go on as they came, but for a smaller size.
            writing($to, $size, &$at, |$size| unsafe { real::$name($($arg),*) })
        }
    )*};
}

writes! {
    write(fd, fd: c_int, data: *const c_void, size: usize) size at At::Position;
    pwrite(fd, fd: c_int, data: *const c_void, size: usize, offset: i64) size at At::Offset(offset);
    pwrite64(fd, fd: c_int, data: *const c_void, size: usize, offset: i64) size at At::Offset(offset);
    sendfile(to, to: c_int, from: c_int, offset: *mut i64, size: usize) size at At::Position;
    sendfile64(to, to: c_int, from: c_int, offset: *mut i64, size: usize) size at At::Position;
}

/// # Safety
/// As in C: the offsets are null or can be written.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn copy_file_range(
    from: c_int,
    from_at: *mut i64,
    to: c_int,
    to_at: *mut i64,
    size: usize,
    flags: c_uint,
) -> isize {
    // SAFETY: null or a number, by this function's own demand.
    let at = unsafe { to_at.as_ref() }.map_or(At::Position, |offset| At::Offset(*offset));
    // SAFETY: the arguments go on as they came, but for a smaller size.
    writing(to, size, &at, |size| unsafe { real::copy_file_range(from, from_at, to, to_at, size, flags) })
}

/// One of several places in memory, as C declares it.
#[repr(C)]
pub(crate) struct Part {
    data: *const c_void,
    size: usize,
}

/// Declares functions that write from several places in memory. When less may be written than was asked for, a part of the
/// first place is: a short write like any other.
macro_rules! gathers {
    ($($name:ident($fd:ident: c_int, $parts:ident: $kind:ty, $count:ident: c_int $(, $arg:ident: $rest:ty)*) at $at:expr;)*) => {$(
        /// # Safety
        /// As in C: the parts and what they point to can be read.
        #[unsafe(no_mangle)]
        pub(crate) unsafe extern "C" fn $name($fd: c_int, $parts: *const Part, $count: c_int $(, $arg: $rest)*) -> isize {
            let length = usize::try_from($count).unwrap_or(0);
            // SAFETY: as many parts as the caller says.
            let all = unsafe { std::slice::from_raw_parts($parts, length) };
            let size = all.iter().map(|part| part.size).sum();
            writing($fd, size, &$at, |allowed| {
                let first = all.iter().position(|part| part.size > 0);
                match first {
                    Some(first) if allowed < size => {
                        let part = Part { data: all[first].data, size: all[first].size.min(allowed) };
                        // SAFETY: a piece of the first part that has any bytes.
                        unsafe { real::$name($fd, (&raw const part).cast(), 1 $(, $arg)*) }
                    }
                    // SAFETY: the arguments go on as they came.
                    _ => unsafe { real::$name($fd, $parts.cast(), $count $(, $arg)*) },
                }
            })
        }
    )*};
}

gathers! {
    writev(fd: c_int, parts: *const Part, count: c_int) at At::Position;
    pwritev(fd: c_int, parts: *const Part, count: c_int, offset: i64) at At::Offset(offset);
    pwritev64(fd: c_int, parts: *const Part, count: c_int, offset: i64) at At::Offset(offset);
    pwritev2(fd: c_int, parts: *const Part, count: c_int, offset: i64, flags: c_int)
        at if offset == -1 { At::Position } else { At::Offset(offset) };
}

// ---- lengths and syncs ----

fn resizing(fd: c_int, kind: Kind, size: i64, call: impl FnOnce() -> c_int) -> c_int {
    let Some((door, file)) = watched(fd) else { return call() };
    let size = usize::try_from(size).unwrap_or(0);
    low(door.pass(kind, &file.path, size, |_, records| {
        let done = call();
        if done == 0 && door.takes_trace() && !file.is_nameless {
            let length = again(fd).metadata().map_or(0, |found| found.len());
            records.push(Record::Length { inode: file.inode, length });
        }
        done as isize
    }))
}

fn allocating(fd: c_int, mode: c_int, size: i64, call: impl FnOnce() -> c_int) -> c_int {
    /// Anything but "keep the size" moves or clears what is there.
    const KEEP_SIZE: c_int = 1;
    if mode & !KEEP_SIZE != 0 {
        return refusing(Some(fd), "fallocate that changes contents", call);
    }
    resizing(fd, Kind::Allocate, size, call)
}

fn syncing(fd: c_int, call: impl FnOnce() -> c_int) -> c_int {
    let Some((door, file)) = watched(fd) else { return call() };
    low(door.pass(Kind::Sync, &file.path, 0, |_, records| {
        if !file.is_nameless {
            records.push(Record::Sync { inode: file.inode });
        }
        call() as isize
    }))
}

/// Starts writing back and promises nothing: the rules are asked, the trace stays as it is.
fn hinting(fd: c_int, call: impl FnOnce() -> c_int) -> c_int {
    let Some((door, file)) = watched(fd) else { return call() };
    low(door.pass(Kind::Sync, &file.path, 0, |_, _| call() as isize))
}

/// Lets pass what a rebuilt disk could not show, and leaves a record that makes the test fail.
fn refusing<R>(fd: Option<c_int>, what: &str, call: impl FnOnce() -> R) -> R {
    if let Some((door, file)) = fd.and_then(watched) {
        door.mention(unmodelled(what, &file.path));
    }
    call()
}

leads! {
    ftruncate(fd: c_int, length: i64) -> c_int, by resizing(fd, Kind::Length, length);
    ftruncate64(fd: c_int, length: i64) -> c_int, by resizing(fd, Kind::Length, length);
    fallocate(fd: c_int, mode: c_int, offset: i64, length: i64) -> c_int, by allocating(fd, mode, length);
    fallocate64(fd: c_int, mode: c_int, offset: i64, length: i64) -> c_int, by allocating(fd, mode, length);
    posix_fallocate(fd: c_int, offset: i64, length: i64) -> c_int, by refusing(Some(fd), "posix_fallocate");
    posix_fallocate64(fd: c_int, offset: i64, length: i64) -> c_int, by refusing(Some(fd), "posix_fallocate");
    fsync(fd: c_int) -> c_int, by syncing(fd);
    fdatasync(fd: c_int) -> c_int, by syncing(fd);
    sync_file_range(fd: c_int, offset: i64, length: i64, flags: c_uint) -> c_int, by hinting(fd);
    splice(from: c_int, from_at: *mut i64, to: c_int, to_at: *mut i64, size: usize, flags: c_uint) -> isize,
        by refusing(Some(to), "splice");
    mmap(at: *mut c_void, length: usize, access: c_int, flags: c_int, fd: c_int, offset: i64) -> *mut c_void,
        by refusing(written_through_memory(access, flags, fd), "memory that writes through to");
    mmap64(at: *mut c_void, length: usize, access: c_int, flags: c_int, fd: c_int, offset: i64) -> *mut c_void,
        by refusing(written_through_memory(access, flags, fd), "memory that writes through to");
    truncate(path: *const c_char, length: i64) -> c_int, by cutting_by_name(path);
    truncate64(path: *const c_char, length: i64) -> c_int, by cutting_by_name(path);
}

/// The descriptor, if what is written to the memory will reach its file.
fn written_through_memory(access: c_int, flags: c_int, fd: c_int) -> Option<c_int> {
    const WRITE: c_int = 2;
    const SHARED: c_int = 1;
    (access & WRITE != 0 && flags & SHARED != 0).then_some(fd)
}

fn cutting_by_name(path: *const c_char, call: impl FnOnce() -> c_int) -> c_int {
    if let Some((door, below)) = crate::calls::inside(crate::names::HERE, path) {
        door.mention(unmodelled("truncate by name of", &below));
    }
    call()
}

// ---- reading ----

fn reading(fd: c_int, call: impl FnOnce() -> isize) -> isize {
    if let Some((door, file)) = watched(fd)
        && let Some(errno) = door.judge(Kind::Read, &file.path, 0).errno
    {
        real::set_errno(errno);
        return -1;
    }
    call()
}

/// Asks where a descriptor is; a rule may add to the answer for those who make the file longer.
fn seeking(fd: c_int, offset: i64, whence: c_int, call: impl FnOnce() -> i64) -> i64 {
    let place = call();
    match watched(fd) {
        Some((door, file)) if file.extends && offset == 0 && whence == real::FROM_HERE && place >= 0 => {
            place + door.judge(Kind::Position, &file.path, 0).farther
        }
        _ => place,
    }
}

leads! {
    lseek(fd: c_int, offset: i64, whence: c_int) -> i64, by seeking(fd, offset, whence);
    lseek64(fd: c_int, offset: i64, whence: c_int) -> i64, by seeking(fd, offset, whence);
    read(fd: c_int, data: *mut c_void, size: usize) -> isize, by reading(fd);
    pread(fd: c_int, data: *mut c_void, size: usize, offset: i64) -> isize, by reading(fd);
    pread64(fd: c_int, data: *mut c_void, size: usize, offset: i64) -> isize, by reading(fd);
    readv(fd: c_int, parts: *const c_void, count: c_int) -> isize, by reading(fd);
}
