//! The C library's own functions, found behind ours.
//!
//! What surprises: `open` and `fcntl` take a variable number of arguments in C and a fixed one here. On the platforms this
//! runs on, integers go to both in the same registers, and an argument that nobody reads does no harm.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn __errno_location() -> *mut c_int;
    fn kill(process: c_int, signal: c_int) -> c_int;
}

/// The next definition of a name after this library's.
fn look_up(found: &AtomicPtr<c_void>, name: &CStr) -> *mut c_void {
    const NEXT: *mut c_void = -1_isize as *mut c_void;
    let mut address = found.load(Ordering::Acquire);
    if address.is_null() {
        // SAFETY: the name is a C string, and the handle is the one that means "the next library".
        address = unsafe { dlsym(NEXT, name.as_ptr()) };
        assert!(!address.is_null(), "the C library has no {name:?}");
        found.store(address, Ordering::Release);
    }
    address
}

/// Declares functions that stand before the C library's: `name(arguments) -> result, by way(what the way needs to know)`.
macro_rules! leads {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $result:ty, by $way:ident($($given:expr),*);)*) => {$(
        /// # Safety
        /// As in C: paths are C strings, memory can be read or written as far as the arguments say.
        #[unsafe(no_mangle)]
        pub(crate) unsafe extern "C" fn $name($($arg: $kind),*) -> $result {
            // SAFETY: the arguments go on as they came.
            $way($($given,)* || unsafe { real::$name($($arg),*) })
        }
    )*};
}

macro_rules! real {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $result:ty;)*) => {$(
        pub(crate) unsafe fn $name($($arg: $kind),*) -> $result {
            static FOUND: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
            let name = concat!(stringify!($name), "\0");
            let name = CStr::from_bytes_with_nul(name.as_bytes()).expect("one zero, at the end");
            let address = look_up(&FOUND, name);
            // SAFETY: the C library's function of this name has these arguments; the caller vouches for their values.
            unsafe {
                let call: unsafe extern "C" fn($($kind),*) -> $result = std::mem::transmute(address);
                call($($arg),*)
            }
        }
    )*};
}

real! {
    open(path: *const c_char, flags: c_int, mode: c_uint) -> c_int;
    open64(path: *const c_char, flags: c_int, mode: c_uint) -> c_int;
    openat(folder: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int;
    openat64(folder: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int;
    creat(path: *const c_char, mode: c_uint) -> c_int;
    close(fd: c_int) -> c_int;
    dup(fd: c_int) -> c_int;
    dup2(fd: c_int, to: c_int) -> c_int;
    dup3(fd: c_int, to: c_int, flags: c_int) -> c_int;
    fcntl(fd: c_int, command: c_int, argument: usize) -> c_int;
    fcntl64(fd: c_int, command: c_int, argument: usize) -> c_int;
    read(fd: c_int, data: *mut c_void, size: usize) -> isize;
    pread(fd: c_int, data: *mut c_void, size: usize, offset: i64) -> isize;
    pread64(fd: c_int, data: *mut c_void, size: usize, offset: i64) -> isize;
    readv(fd: c_int, parts: *const c_void, count: c_int) -> isize;
    write(fd: c_int, data: *const c_void, size: usize) -> isize;
    pwrite(fd: c_int, data: *const c_void, size: usize, offset: i64) -> isize;
    pwrite64(fd: c_int, data: *const c_void, size: usize, offset: i64) -> isize;
    writev(fd: c_int, parts: *const c_void, count: c_int) -> isize;
    pwritev(fd: c_int, parts: *const c_void, count: c_int, offset: i64) -> isize;
    pwritev64(fd: c_int, parts: *const c_void, count: c_int, offset: i64) -> isize;
    pwritev2(fd: c_int, parts: *const c_void, count: c_int, offset: i64, flags: c_int) -> isize;
    copy_file_range(from: c_int, from_at: *mut i64, to: c_int, to_at: *mut i64, size: usize, flags: c_uint) -> isize;
    sendfile(to: c_int, from: c_int, offset: *mut i64, size: usize) -> isize;
    sendfile64(to: c_int, from: c_int, offset: *mut i64, size: usize) -> isize;
    splice(from: c_int, from_at: *mut i64, to: c_int, to_at: *mut i64, size: usize, flags: c_uint) -> isize;
    lseek(fd: c_int, offset: i64, whence: c_int) -> i64;
    lseek64(fd: c_int, offset: i64, whence: c_int) -> i64;
    ftruncate(fd: c_int, length: i64) -> c_int;
    ftruncate64(fd: c_int, length: i64) -> c_int;
    truncate(path: *const c_char, length: i64) -> c_int;
    truncate64(path: *const c_char, length: i64) -> c_int;
    fallocate(fd: c_int, mode: c_int, offset: i64, length: i64) -> c_int;
    fallocate64(fd: c_int, mode: c_int, offset: i64, length: i64) -> c_int;
    posix_fallocate(fd: c_int, offset: i64, length: i64) -> c_int;
    posix_fallocate64(fd: c_int, offset: i64, length: i64) -> c_int;
    fsync(fd: c_int) -> c_int;
    fdatasync(fd: c_int) -> c_int;
    sync_file_range(fd: c_int, offset: i64, length: i64, flags: c_uint) -> c_int;
    rename(from: *const c_char, to: *const c_char) -> c_int;
    renameat(from_in: c_int, from: *const c_char, to_in: c_int, to: *const c_char) -> c_int;
    renameat2(from_in: c_int, from: *const c_char, to_in: c_int, to: *const c_char, flags: c_uint) -> c_int;
    link(from: *const c_char, to: *const c_char) -> c_int;
    linkat(from_in: c_int, from: *const c_char, to_in: c_int, to: *const c_char, flags: c_int) -> c_int;
    symlink(target: *const c_char, path: *const c_char) -> c_int;
    symlinkat(target: *const c_char, folder: c_int, path: *const c_char) -> c_int;
    unlink(path: *const c_char) -> c_int;
    unlinkat(folder: c_int, path: *const c_char, flags: c_int) -> c_int;
    rmdir(path: *const c_char) -> c_int;
    mkdir(path: *const c_char, mode: c_uint) -> c_int;
    mkdirat(folder: c_int, path: *const c_char, mode: c_uint) -> c_int;
    mmap(at: *mut c_void, length: usize, access: c_int, flags: c_int, fd: c_int, offset: i64) -> *mut c_void;
    mmap64(at: *mut c_void, length: usize, access: c_int, flags: c_int, fd: c_int, offset: i64) -> *mut c_void;
}

/// What the program will find in `errno`.
pub(crate) fn set_errno(number: c_int) {
    // SAFETY: the address is this thread's own `errno`.
    unsafe { *__errno_location() = number };
}

/// Ends this process as a power failure would end it, as far as a process can tell.
pub(crate) fn kill_self() -> ! {
    let own = c_int::try_from(std::process::id()).expect("process numbers are small");
    loop {
        // SAFETY: a signal to ourselves; nothing is read or written.
        unsafe { kill(own, 9) };
    }
}

/// What `lseek` calls the place where a descriptor is.
pub(crate) const FROM_HERE: c_int = 1;

/// Where the next read or write of a descriptor would be.
pub(crate) fn position(fd: c_int) -> i64 {
    // SAFETY: asks for a number and moves nothing.
    unsafe { lseek(fd, 0, FROM_HERE) }
}
