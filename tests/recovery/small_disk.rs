//! A disk that is really full, and has room again.
//!
//! What surprises: only the superuser may mount one. Elsewhere the budget of bytes in [`engine_faults`](super::engine_faults) has to do.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

use std::time::{Duration, Instant};

use nigh::collection::Change;
use nigh::engine::{Durability, Engine, EngineError, Health};

use super::lives::{all_kinds_agree, directory, name, open_patiently, settings};
use super::script::item;
use super::small::SmallDisk;

#[test]
fn on_a_disk_that_is_really_full_nothing_acknowledged_is_lost_and_writes_resume() {
    let Some(disk) = SmallDisk::mount("6m") else { return };
    let root = disk.path().to_owned();
    let engine = Engine::open(&directory(&root), settings(Durability::Fsync)).unwrap();
    let (mut acknowledged, mut refusals) = (Vec::new(), 0);
    for number in 1..=1200 {
        if number % 400 == 200 {
            disk.fill();
        }
        match engine.submit(&name("places"), Change::Put(item(number, 1))) {
            Ok(_) => acknowledged.push(number),
            Err(EngineError::DiskFull) => {
                refusals += 1;
                let read = engine.snapshot(&name("places")).unwrap();
                assert!(acknowledged.iter().all(|number| read.get(item(*number, 1).id.as_str()).is_some()));
                disk.free();
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
    disk.free();
    drop(engine);
    let engine = open_patiently(&directory(&root)).unwrap();
    all_kinds_agree(&engine).unwrap();
    let read = engine.snapshot(&name("places")).unwrap();
    assert!(acknowledged.iter().all(|number| read.get(item(*number, 1).id.as_str()).is_some()));
}
