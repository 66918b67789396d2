//! How an engine keeps its collections: few settings, each with a default that suits most.

use std::time::Duration;

/// When a change counts as accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When it survives a power cut.
    Fsync,
    /// When it survives the end of the process. A power cut loses what was accepted in the last interval, never more, and always
    /// the newest.
    Interval(Duration),
}

/// How an engine keeps its collections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// When a change counts as accepted. `Interval` where losing the last moment in a power cut is worth a quicker answer.
    pub durability: Durability,
    /// How many submissions may wait to be written. More are refused: a shorter queue refuses sooner and answers quicker.
    pub queue: usize,
    /// Segments in memory beyond which they are written to files, in bytes. Less makes for less memory and more writing.
    pub checkpoint_bytes: u64,
    /// Changes since the last checkpoint beyond which there is another: they are what a start has to replay.
    pub checkpoint_changes: u64,
    /// Changes that are kept for those who follow them, beyond those that a start needs.
    pub keep_changes: u64,
    /// Bytes of items that a bulk load holds in memory before it writes a segment file; building the file takes about two
    /// times that again. More makes for fewer, larger files.
    pub load_bytes: usize,
    /// Room on the disk that is left alone: below it writes are refused while there is still enough to stay whole.
    pub reserve_bytes: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            durability: Durability::Fsync,
            queue: 4096,
            checkpoint_bytes: 64 << 20,
            checkpoint_changes: 250_000,
            keep_changes: 1_000_000,
            load_bytes: 512 << 20,
            reserve_bytes: 32 << 20,
        }
    }
}
