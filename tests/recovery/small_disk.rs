//! A disk that is really full: a file system in memory of a few megabytes.
//!
//! What surprises: only the superuser may mount one. Elsewhere the test says that it was skipped, and the budget of bytes in
//! [`engine_faults`](super::engine_faults) has to do.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nigh::collection::Change;
use nigh::engine::{Durability, Engine, EngineError, Health};

use super::lives::{all_kinds_agree, directory, name, open_patiently, settings};
use super::program::Scratch;
use super::script::item;

/// A mounted file system, gone when dropped.
struct Mounted(Scratch);

impl Mounted {
    fn new(size: &str) -> Result<Self, String> {
        let scratch = Scratch::new();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "nigh-small"]).arg(&scratch.0);
        match mount.stderr(Stdio::null()).status() {
            Ok(ended) if ended.success() => Ok(Self(scratch)),
            Ok(ended) => Err(format!("mount said {ended}")),
            Err(error) => Err(format!("mount: {error}")),
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0.0).status();
    }
}

/// Fills what room there is.
fn fill(path: &Path) {
    let mut size = 1 << 20;
    let mut filled = Vec::new();
    while size >= 512 {
        let before = filled.len();
        filled.resize(before + size, 1_u8);
        if fs::write(path, &filled).is_err() {
            filled.truncate(before);
            size /= 2;
        }
    }
    let _ = fs::write(path, &filled);
}

#[test]
fn on_a_disk_that_is_really_full_nothing_acknowledged_is_lost_and_writes_resume() {
    let mounted = match Mounted::new("6m") {
        Ok(mounted) => mounted,
        Err(why) => return println!("skipped: a small disk, because {why}"),
    };
    let (root, ballast) = (mounted.0.0.clone(), mounted.0.0.join("ballast"));
    let engine = Engine::open(&directory(&root), settings(Durability::Fsync)).unwrap();
    let (mut acknowledged, mut refusals) = (Vec::new(), 0);
    for number in 1..=1200 {
        if number % 400 == 200 {
            fill(&ballast);
        }
        match engine.submit(&name("places"), Change::Put(item(number, 1))) {
            Ok(_) => acknowledged.push(number),
            Err(EngineError::DiskFull) => {
                refusals += 1;
                let read = engine.snapshot(&name("places")).unwrap();
                assert!(acknowledged.iter().all(|number| read.get(item(*number, 1).id.as_str()).is_some()));
                let _ = fs::remove_file(&ballast);
                let begin = Instant::now();
                while engine.health() != Health::Ready {
                    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", engine.health());
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            Err(other) => panic!("{number}: {other}"),
        }
    }
    println!("the disk was full {refusals} times");
    assert!(refusals >= 1 && acknowledged.len() as u64 + refusals == 1200, "{refusals}");
    let _ = fs::remove_file(&ballast);
    drop(engine);
    let engine = open_patiently(&directory(&root)).unwrap();
    all_kinds_agree(&engine).unwrap();
    let read = engine.snapshot(&name("places")).unwrap();
    assert!(acknowledged.iter().all(|number| read.get(item(*number, 1).id.as_str()).is_some()));
}
