//! What a row costs the store: processor time of commits of one, a hundred and a thousand rows, ingestion, and bytes on disk.
//!
//! What surprises: the processor time of a commit of one row is that of its system calls; only rows in hundreds show the store.
//! The worker's time (flushes, compaction) is counted as well, because it is the whole process that is measured.

#![allow(clippy::unwrap_used, reason = "a panic here ends the bench with a message")]

use std::time::Instant;

use cpu_time::ProcessTime;
use nigh::generate::Random;
use nigh::log::{Batch, FjallStore, Settings, Space, Store, Sync};

fn row(random: &mut Random) -> (Vec<u8>, Vec<u8>) {
    let key = nigh::log::codec::record_key(1, &format!("place-{:08}", random.below(100_000_000)));
    let text = format!(
        "{{\"name\":\"place {}\",\"kind\":\"cafe\",\"seats\":{},\"open\":true}}",
        random.bits(),
        random.below(99)
    );
    let value = [&random.bits().to_le_bytes()[..], &[0; 17], text.as_bytes()].concat();
    (key, value)
}

/// Commits of rows in no order, each with one change of the log beside them.
fn commits(rows_a_commit: usize, commits: usize, sync: Sync) {
    let folder = tempfile::tempdir_in("target").unwrap();
    let store = FjallStore::create(folder.path(), &Settings::default()).unwrap();
    let mut random = Random::seeded(1);
    let batches: Vec<Batch> = (0..commits as u64)
        .map(|number| {
            let mut batch = Batch::new();
            let rows: Vec<_> = (0..rows_a_commit).map(|_| row(&mut random)).collect();
            let frame: Vec<u8> = rows.iter().flat_map(|(key, value)| [&key[..], value].concat()).collect();
            let frames = frame.chunks(64 << 10).enumerate();
            frames.for_each(|(part, bytes)| {
                batch.put(Space::Changes, [number, part as u64].map(u64::to_be_bytes).concat(), bytes);
            });
            let rows = rows.into_iter().collect::<std::collections::BTreeMap<_, _>>();
            rows.into_iter().for_each(|(key, value)| batch.put(Space::Records, key, value));
            batch
        })
        .collect();
    let (begin, cpu) = (Instant::now(), ProcessTime::now());
    batches.into_iter().for_each(|batch| store.commit(batch, sync).unwrap());
    let (cpu, elapsed) = (cpu.elapsed(), begin.elapsed());
    let rows = (rows_a_commit * commits) as f64;
    println!(
        "{rows_a_commit:>5} rows a commit, {sync:?}: {:>7.2} µs of processor a row, {:>8.0} rows/s",
        cpu.as_secs_f64() * 1e6 / rows,
        rows / elapsed.as_secs_f64()
    );
}

fn ingestion(count: usize) {
    let folder = tempfile::tempdir_in("target").unwrap();
    let store = FjallStore::create(folder.path(), &Settings::default()).unwrap();
    let mut random = Random::seeded(2);
    let mut rows: Vec<_> = (0..count).map(|_| row(&mut random)).collect();
    rows.sort();
    rows.dedup_by(|one, other| one.0 == other.0);
    let (count, payload) = (rows.len() as f64, rows.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>());
    let before = store.bytes();
    let (begin, cpu) = (Instant::now(), ProcessTime::now());
    store.ingest(Space::Records, &mut rows.into_iter()).unwrap();
    let (cpu, elapsed) = (cpu.elapsed(), begin.elapsed());
    println!(
        "ingestion: {:.0} rows/s, {:.2} µs of processor a row, {:.0} bytes on disk for {:.0} of key and value",
        count / elapsed.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / count,
        (store.bytes() - before) as f64 / count,
        payload as f64 / count
    );
    drop(store);
    let (begin, cpu) = (Instant::now(), ProcessTime::now());
    let store = FjallStore::open(folder.path(), &Settings::default()).unwrap();
    let opened = begin.elapsed();
    let read = store.scan(Space::Records, &[0]..&[255]).map(|row| row.unwrap().1.len()).sum::<usize>();
    println!(
        "opening: {:.1} ms; reading all: {:.2} µs of processor a row ({read} bytes)",
        opened.as_secs_f64() * 1e3,
        cpu.elapsed().as_secs_f64() * 1e6 / count
    );
}

fn main() {
    for sync in [Sync::Later, Sync::Now] {
        commits(1, if sync == Sync::Now { 2_000 } else { 100_000 }, sync);
        commits(100, 2_000, sync);
        commits(1_000, 500, sync);
    }
    ingestion(1_000_000);
}
