//! What the system knows of a process and of a folder: processor time, bytes written, memory, blocks on disk.
//!
//! What surprises: memory is two figures. What is anonymous must fit; what is mapped from files may be dropped at any
//! time and counts only as long as nobody else wants the room.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

/// A number that a file below `/proc` has behind a word; 0 where there is no such file.
fn number_in(path: &str, word: &str) -> f64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// Bytes that this process caused to be written to disks, and read from them.
pub fn written_and_read() -> (f64, f64) {
    (number_in("/proc/self/io", "write_bytes:"), number_in("/proc/self/io", "read_bytes:"))
}

/// The most memory this process ever had, in bytes.
pub fn peak_memory() -> f64 {
    number_in("/proc/self/status", "VmHWM:") * 1024.0
}

/// Bytes of this process that are its own, and those that are mapped from files and there.
pub fn anonymous_and_mapped() -> (f64, f64) {
    let rollup = |word| number_in("/proc/self/smaps_rollup", word) * 1024.0;
    (rollup("Anonymous:"), rollup("Pss_File:"))
}

/// Memory of another process, in bytes.
pub fn memory_of(process: u32) -> f64 {
    number_in(&format!("/proc/{process}/status"), "VmRSS:") * 1024.0
}

/// The processor time of all threads of another process, to the nanosecond where `/proc/<pid>/stat` counts hundredths.
pub fn processor_time_of(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let nanos = threads.map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        text.split_whitespace().next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or(0)
    });
    Duration::from_nanos(nanos.sum())
}

/// What the files below a folder occupy.
pub fn occupied(folder: &Path) -> f64 {
    let mut bytes = 0.0;
    each_file(folder, &mut |path| bytes += blocks(path));
    bytes
}

#[cfg(unix)]
fn blocks(path: &Path) -> f64 {
    fs::metadata(path).map_or(0.0, |metadata| std::os::unix::fs::MetadataExt::blocks(&metadata) as f64 * 512.0)
}

#[cfg(not(unix))]
fn blocks(path: &Path) -> f64 {
    fs::metadata(path).map_or(0.0, |metadata| metadata.len() as f64)
}

fn each_file(folder: &Path, work: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() { each_file(&entry.path(), work) } else { work(&entry.path()) }
    }
}

/// Has the system forget what it holds of the files below a folder. Names and sizes stay, and other programs' files
/// too.
#[cfg(target_os = "linux")]
pub fn cool(folder: &Path) {
    use rustix::fs::{Advice, fadvise};
    each_file(folder, &mut |path| {
        let file = File::open(path).unwrap();
        let _ = file.sync_all(); // what is dirty cannot be forgotten
        fadvise(&file, 0, None, Advice::DontNeed).unwrap();
    });
}

#[cfg(not(target_os = "linux"))]
pub fn cool(_: &Path) {}
