//! What durability costs, and what it gives back: writes that survive a power cut, loads, restarts, memory, and who
//! waits for whom.
//!
//! Everything is on a real disk, below the build directory unless `NIGH_BENCH_FOLDER` names another. Writers are
//! compared with the rate at which the same disk syncs a plain file, and with Redis where `redis-server` is installed;
//! they take turns within one run.
//!
//! What surprises: Redis is asked over TCP and ours by a call, because a library has no network. So the processor time
//! of Redis for a request that it does not log stands beside; the comparison door to door belongs to the service.
//!
//! Words on the command line choose tables by their titles: `writes`, `life`, `log`, `wait`.
//! `NIGH_BENCH_POINTS=10_000_000` is the long form of the second. Figures come from files that Linux has below `/proc`.

#![allow(clippy::unwrap_used, reason = "a panic here ends the bench with a message")]
#![allow(unreachable_pub, reason = "nobody uses a bench")]

mod support;

#[path = "durable/gauges.rs"]
mod gauges;
#[path = "durable/life.rs"]
mod life;
#[path = "durable/one_life.rs"]
mod one_life;
#[path = "durable/opening_a_log.rs"]
mod opening_a_log;
#[path = "durable/redis.rs"]
mod redis;
#[path = "durable/rows.rs"]
mod rows;
#[path = "durable/waits.rs"]
mod waits;
#[path = "durable/writers.rs"]
mod writers;
#[path = "durable/writes.rs"]
mod writes;

use std::path::PathBuf;

use nigh::engine::CollectionName;
use tempfile::TempDir;

use support::{grouped, is_wanted, point_count};

/// A table: its title and what prints it.
type Part = (String, fn());

fn main() {
    if one_life::is_child() {
        return one_life::live();
    }
    let count = grouped(point_count() as f64);
    let parts: [Part; 4] = [
        ("durable writes, one item a submission unless it says otherwise".to_owned(), writes::print),
        (format!("durable life of {count} points: load, restart, memory, disk"), life::print),
        ("opening a log of single changes".to_owned(), opening_a_log::print),
        (format!("who waits: a paced writer to {count} points"), waits::print),
    ];
    for (title, print) in parts.iter().filter(|(title, _)| is_wanted(title)) {
        println!("\n{title}");
        print();
    }
}

/// The collection that everything is about.
fn places() -> CollectionName {
    "places".parse().unwrap()
}

/// A folder on the disk to measure on, gone afterwards.
fn folder() -> TempDir {
    let parent =
        std::env::var_os("NIGH_BENCH_FOLDER").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    tempfile::tempdir_in(parent).unwrap()
}
