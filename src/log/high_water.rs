//! How many commits are known to be durable: a number outside the store, so that a store that lost its end is noticed.
//!
//! What surprises: the file is never synced. It is raised only after a commit was, so at worst a power cut leaves it too low, and
//! then it misses a loss but never invents one. A loss by anything else (a truncated journal, an older copy of the directory)
//! finds the file as it was.
//!
//! ```text
//! byte 0      commits u64 │ XXH3-64 of it      written in turns, so that a torn write leaves the older of them
//! byte 512    commits u64 │ XXH3-64 of it
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use xxhash_rust::xxh3::xxh3_64;

/// Sectors apart, so that no write of one touches the other.
const SLOT_BYTES: u64 = 512;

/// The file with the number.
#[derive(Debug)]
pub struct HighWater {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    commits: u64,
    /// The slot to write next: not the one that holds the number.
    slot: u64,
}

impl HighWater {
    /// Opens the file, or makes one that says 0.
    pub fn open(path: &Path) -> io::Result<HighWater> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let slots = [read_slot(&mut file, 0)?, read_slot(&mut file, 1)?];
        let state = State { file, commits: slots[0].max(slots[1]), slot: u64::from(slots[0] >= slots[1]) };
        Ok(HighWater { state: Mutex::new(state) })
    }

    /// How many commits are known to be durable.
    pub fn commits(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).commits
    }

    /// Raises the number. That the file cannot be written is no reason to fail a commit that stands: the number only protects less.
    pub(super) fn raise(&self, commits: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if commits > state.commits && state.write(commits).is_ok() {
            state.commits = commits;
            state.slot = 1 - state.slot;
        }
    }
}

impl State {
    fn write(&mut self, commits: u64) -> io::Result<()> {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&commits.to_le_bytes());
        bytes[8..].copy_from_slice(&xxh3_64(&commits.to_le_bytes()).to_le_bytes());
        self.file.seek(SeekFrom::Start(self.slot * SLOT_BYTES))?;
        self.file.write_all(&bytes)
    }
}

/// The number in a slot; 0 where there is none that fits its checksum.
fn read_slot(file: &mut File, slot: u64) -> io::Result<u64> {
    file.seek(SeekFrom::Start(slot * SLOT_BYTES))?;
    let mut bytes = Vec::new();
    file.take(16).read_to_end(&mut bytes)?;
    let Some((number, checksum)) = bytes.split_first_chunk::<8>() else { return Ok(0) };
    let fits = xxh3_64(number).to_le_bytes() == *checksum;
    Ok(if fits { u64::from_le_bytes(*number) } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found_again_and_only_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("high-water");
        for turn in 0..5 {
            let mark = HighWater::open(&path).unwrap();
            assert_eq!(mark.commits(), turn * 3);
            (1..=3).for_each(|step| mark.raise(turn * 3 + step));
            mark.raise(1);
            assert_eq!(mark.commits(), turn * 3 + 3);
        }
    }

    #[test]
    fn a_torn_write_leaves_the_number_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("high-water");
        let mark = HighWater::open(&path).unwrap();
        (1..=7).for_each(|commits| mark.raise(commits));
        let written = std::fs::read(&path).unwrap();
        for at in [0, 3, 8, 15] {
            let mut torn = written.clone();
            let newest = if written[0] == 7 { 0 } else { 512 };
            torn[newest + at] ^= 0x40;
            std::fs::write(&path, &torn).unwrap();
            assert_eq!(HighWater::open(&path).unwrap().commits(), 6, "byte {at}");
            // The next number is written over the torn one.
            HighWater::open(&path).unwrap().raise(8);
            assert_eq!(HighWater::open(&path).unwrap().commits(), 8);
        }
        std::fs::write(&path, b"nonsense").unwrap();
        assert_eq!(HighWater::open(&path).unwrap().commits(), 0);
    }
}
