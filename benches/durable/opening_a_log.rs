//! What it costs to open a log of a million frames of one change each, beside opening the store that it is in.
//!
//! What surprises: this is what single writes leave behind, and every start pays for it before the first collection is
//! looked at.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use nigh::log::{Batch, ChangeLog, Entry, FjallStore, Frame, Local, Settings, Store, Sync};

use super::support::rounds::median;
use super::support::{grouped, point_count};
use super::{folder, rows};

/// Frames in a commit, so that filling takes less time than measuring.
const AT_ONCE: usize = 1000;

/// Prints the table.
pub fn print() {
    let folder = folder();
    let path = folder.path().join("store");
    let count = point_count().min(1_000_000);
    fill(&path, count);
    let rounds: Vec<[Duration; 3]> = (0..3).map(|_| open(&path, count)).collect();
    let ms = |column: usize| median(rounds.iter().map(|round| round[column].as_secs_f64() * 1e3).collect());
    let ratio = median(rounds.iter().map(|round| round[1].as_secs_f64() / round[0].as_secs_f64()).collect());
    println!("  {} frames: the store opens in {:.1} ms", grouped(count as f64), ms(0));
    println!("  the log in it {:.1} ms more ({:.1} of processor time), {ratio:.1} × the store", ms(1), ms(2));
}

fn fill(path: &Path, count: usize) {
    let store = Arc::new(FjallStore::create(path, &Settings::default()).unwrap());
    let log = Local::open(store, None).unwrap();
    let changes = rows::changes(AT_ONCE);
    for first in (1..=count as u64).step_by(AT_ONCE) {
        let frame = |(change, seq): (&_, u64)| Frame {
            stream: 1,
            first_seq: seq,
            entry: Entry::from(vec![Clone::clone(change)]),
        };
        let frames: Vec<Frame> = changes.iter().zip(first..).map(frame).collect();
        log.append(&frames, Batch::new(), Sync::Later).unwrap();
    }
    log.sync().unwrap();
}

/// How long the store takes, the log beyond it, and the processor time of the latter.
fn open(path: &Path, count: usize) -> [Duration; 3] {
    let started = Instant::now();
    let store: Arc<dyn Store> = Arc::new(FjallStore::open(path, &Settings::default()).unwrap());
    let opened = started.elapsed();
    let (started, cpu) = (Instant::now(), ProcessTime::now());
    let log = Local::open(store, None).unwrap();
    let times = [opened, started.elapsed(), cpu.elapsed()];
    assert!(log.head(1).unwrap() >= count as u64);
    times
}
