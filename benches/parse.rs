//! Reading CSV: rows to checked items, alone, against the crate `csv` on the same file in the same run.
//!
//! What surprises: the crate does less. It cuts rows into fields and parses two numbers, and that is all that is asked of it here; ours checks
//! ids and positions, and writes properties down as JSON. It is the reader that everyone would begin with.
//!
//! `cargo bench --bench parse` prints a table. Programs elsewhere are compared by `benches/bulk/compare.py`, for which this one has two more
//! modes: `-- write FILE` writes the rows of `NIGH_BENCH_POINTS`, and `-- read FILE` reads a file once and prints a line of JSON.

#![allow(clippy::unwrap_used, reason = "a panic here ends the bench with a message")]
#![allow(unreachable_pub, reason = "nobody uses a bench")]

mod support;

#[path = "durable/rows.rs"]
#[allow(dead_code, reason = "the other bench takes more of it")]
mod rows;

use std::fs::{self, File};
use std::io::{BufWriter, Cursor, Write};
use std::path::Path;
use std::time::Instant;

use cpu_time::ProcessTime;
use nigh::collection::Item;
use nigh::format::csv::Rows;
use nigh::format::{ReadOptions, reader_named};

use support::rounds::{Mark, median};
use support::{grouped, is_trial, point_count};

/// Of the reader against the crate: two cores against one, and more work against less.
const AGAINST_CRATE: Mark = Mark::AtLeast(1.0);

/// Readings of each, in turns.
const ROUNDS: usize = 5;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", path] => write(Path::new(path)),
        ["read", path] => read(Path::new(path)),
        _ => print(),
    }
}

/// A row as people write it.
fn push_row(text: &mut Vec<u8>, item: &Item) {
    let properties: serde_json::Value = serde_json::from_str(item.properties.as_json()).unwrap();
    let [name, category] = ["name", "category"].map(|name| properties[name].as_str().unwrap());
    let (id, lat, lon) = (item.id.as_str(), item.point.lat_deg(), item.point.lon_deg());
    writeln!(text, "{id},{lat:.6},{lon:.6},{name},{category},{}", properties["score"]).unwrap();
}

fn text(count: usize) -> Vec<u8> {
    let mut text = b"id,lat,lon,name,category,score\n".to_vec();
    rows::loaded(count).for_each(|item| push_row(&mut text, &item));
    text
}

fn write(path: &Path) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    let mut piece = b"id,lat,lon,name,category,score\n".to_vec();
    for item in rows::loaded(point_count()) {
        push_row(&mut piece, &item);
        if piece.len() > 1 << 20 {
            file.write_all(&piece).unwrap();
            piece.clear();
        }
    }
    file.write_all(&piece).unwrap();
    file.flush().unwrap();
}

fn in_chunks(source: nigh::format::Source) -> usize {
    (reader_named("csv").unwrap().open)(source, &ReadOptions::default())
        .unwrap()
        .batches()
        .map(|batch| batch.unwrap().good_count())
        .sum()
}

fn read(path: &Path) {
    let (started, cpu) = (Instant::now(), ProcessTime::now());
    let count = in_chunks(Box::new(File::open(path).unwrap()));
    println!(
        r#"{{"rows":{count},"seconds":{},"cpu":{},"bytes":{}}}"#,
        started.elapsed().as_secs_f64(),
        cpu.elapsed().as_secs_f64(),
        fs::metadata(path).unwrap().len()
    );
}

fn one_by_one(text: &[u8]) -> usize {
    Rows::read(text, &ReadOptions::default()).unwrap().filter(|row| row.as_ref().unwrap().is_ok()).count()
}

fn crate_csv(text: &[u8]) -> usize {
    let mut reader = csv::Reader::from_reader(text);
    let mut record = csv::ByteRecord::new();
    let (mut count, mut sum) = (0, 0.0);
    while reader.read_byte_record(&mut record).unwrap() {
        let number = |at: usize| std::str::from_utf8(&record[at]).unwrap().parse::<f64>().unwrap();
        sum += number(1) + number(2);
        count += 1;
    }
    assert!(f64::is_finite(sum));
    count
}

fn print() {
    let count = if is_trial() { 2_000 } else { point_count() };
    let text = text(count);
    println!("\nreading {} rows, {:.0} MB, from memory", grouped(count as f64), text.len() as f64 / 1e6);
    let shared: &'static [u8] = text.leak(); // a source lives as long as it likes
    let readers: [(&str, &dyn Fn() -> usize); 3] = [
        ("in chunks, all cores", &|| in_chunks(Box::new(Cursor::new(shared)))),
        ("one by one, one core", &|| one_by_one(shared)),
        ("the crate csv, fields and two numbers", &|| crate_csv(shared)),
    ];
    let mut taken = vec![[Vec::new(), Vec::new()]; readers.len()];
    for round in 0..ROUNDS {
        for turn in 0..readers.len() {
            let at = (round + turn) % readers.len();
            let (started, cpu) = (Instant::now(), ProcessTime::now());
            assert_eq!(readers[at].1(), count);
            taken[at][0].push(started.elapsed().as_secs_f64());
            taken[at][1].push(cpu.elapsed().as_secs_f64());
        }
    }
    let middle = |at: usize, which: usize| median(taken[at][which].clone());
    for (at, (name, _)) in readers.iter().enumerate() {
        let (seconds, cpu) = (middle(at, 0), middle(at, 1));
        println!(
            "  {name:<40} {:>6.0} MB/s  {:>6.0} ns of processor a row  {:.2} of the crate's speed",
            shared.len() as f64 / 1e6 / seconds,
            cpu * 1e9 / count as f64,
            middle(2, 0) / seconds
        );
    }
    println!("  {}", AGAINST_CRATE.verdict(middle(2, 0) / middle(0, 0)));
}
