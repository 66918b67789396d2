//! Writes a second and the processor time of each, as multiples of what the disk and Redis do in the same minute.
//!
//! What surprises: more writers make each write cheaper, not only the disk busier. A group pays once for its fsync, its
//! commit and its new snapshot.

use std::fs::File;
use std::time::Duration;

use nigh::engine::{Durability, Engine, Settings};

use super::redis::{self, Log, Server};
use super::support::rounds::{Mark, median};
use super::support::{grouped, is_trial};
use super::writers::{InFlight, PlainFile, Redis, Threads, Turn, Writer};
use super::{folder, places, rows};

/// Items that are there before, and that the writes change again and again.
const ITEMS: usize = 100_000;

const CPU_US: Mark = Mark::AtMost(20.0);
const BATCH_CPU_US: Mark = Mark::AtMost(3.0);
const OVER_REDIS: Mark = Mark::AtLeast(0.8);

/// A row of the table: a title, who writes, the title of the Redis row to compare with, and a mark for the processor
/// time.
struct Row<'a> {
    title: String,
    peer: Option<&'static str>,
    cpu: Option<Mark>,
    writer: Box<dyn Writer + 'a>,
    turns: Vec<Turn>,
}

impl<'a> Row<'a> {
    fn new(title: impl Into<String>, writer: impl Writer + 'a) -> Row<'a> {
        Row { title: title.into(), peer: None, cpu: None, writer: Box::new(writer), turns: Vec::new() }
    }

    fn beside(self, peer: &'static str, cpu: Mark) -> Row<'a> {
        Row { peer: Some(peer), cpu: Some(cpu), ..self }
    }

    /// Whether `NIGH_BENCH_ROWS` names a part of the title, or nothing. The plain file is always there.
    fn is_wanted(&self) -> bool {
        let words = std::env::var("NIGH_BENCH_ROWS").unwrap_or_default();
        self.title.contains("plain file") || words.split(';').any(|words| self.title.contains(words))
    }

    /// The median over the rounds of a figure of this row over one of another.
    fn over(&self, other: &Row<'_>, figure: fn(&Turn) -> f64) -> f64 {
        median(self.turns.iter().zip(&other.turns).map(|(own, other)| figure(own) / figure(other)).collect())
    }

    fn median(&self, figure: fn(&Turn) -> f64) -> f64 {
        median(self.turns.iter().map(figure).collect())
    }
}

/// Prints the table.
pub fn print() {
    let changes = rows::changes(ITEMS);
    let (fsync, interval) = (folder(), folder());
    let open = |path, durability| {
        let engine = Engine::open(path, Settings { durability, ..Settings::default() }).unwrap();
        engine.submit(&places(), changes.clone()).unwrap();
        engine
    };
    let fsync = open(fsync.path(), Durability::Fsync);
    let interval = open(interval.path(), Durability::Interval(Duration::from_millis(100)));
    let plain = tempfile::tempfile_in(folder().path()).unwrap();
    let servers = Server::start(Log::Always).zip(Server::start(Log::Never));
    let requests: [Vec<Vec<u8>>; 2] = requests(ITEMS);
    let mut rows = ours(plain, &fsync, &interval, &changes);
    match &servers {
        Some((logged, unlogged)) => rows.extend(theirs(logged, unlogged, &requests)),
        None => println!("  redis-server is not installed: apt-get install redis-server"),
    }
    rows.retain(Row::is_wanted);
    take_turns(&mut rows);
    print_rows(&rows);
    drop(rows);
    fsync.close().unwrap();
    interval.close().unwrap();
}

fn ours<'a>(
    plain: File,
    fsync: &'a Engine,
    interval: &'a Engine,
    changes: &'a [nigh::collection::Change],
) -> Vec<Row<'a>> {
    let in_flight = |engine, in_flight, at_once| InFlight { engine, changes, in_flight, at_once };
    let threads = |threads| Threads { engine: fsync, changes, threads };
    vec![
        Row::new("a plain file: 4 KiB, fdatasync", PlainFile(plain)),
        Row::new("ours, 1 writer", threads(1)),
        Row::new("ours, 16 in flight", in_flight(fsync, 16, 1)),
        Row::new("ours, 64 in flight", in_flight(fsync, 64, 1)).beside("Redis, 64 clients", CPU_US),
        Row::new("ours, 256 in flight", in_flight(fsync, 256, 1)).beside("Redis, 256 clients", CPU_US),
        Row::new("ours, 64 threads", threads(64)).beside("Redis, 64 clients", CPU_US),
        Row::new("ours, 256 threads", threads(256)).beside("Redis, 256 clients", CPU_US),
        Row::new("ours, batches of 100, 4 in flight", in_flight(fsync, 4, 100))
            .beside("Redis, pipelines of 100", BATCH_CPU_US),
        Row::new("ours, 100 ms, 256 in flight", in_flight(interval, 256, 1)),
        Row::new("ours, 100 ms, batches of 100", in_flight(interval, 4, 100)),
    ]
}

fn theirs<'a>(logged: &'a Server, unlogged: &'a Server, requests: &'a [Vec<Vec<u8>>; 2]) -> Vec<Row<'a>> {
    let [puts, sets] = requests;
    let client = |server: &'a Server, clients, requests, at_once, answer| {
        let clients = server.clients(clients);
        Redis { server, clients, requests, at_once, answer }
    };
    redis::ask(&mut logged.clients(1), puts, 100, 4, Duration::from_millis(1500));
    vec![
        Row::new("Redis, 64 clients", client(logged, 64, puts, 1, 4)),
        Row::new("Redis, 256 clients", client(logged, 256, puts, 1, 4)),
        Row::new("Redis, pipelines of 100", client(logged, 4, puts, 100, 4)),
        Row::new("Redis without log, SET NX, 256", client(unlogged, 256, sets, 1, 5)),
    ]
}

/// What Redis is asked: to put a place, and to set what is set already.
fn requests(count: usize) -> [Vec<Vec<u8>>; 2] {
    let request = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        write(&mut bytes);
        bytes
    };
    let puts = rows::moved(count).map(|item| request(&|bytes| redis::geoadd(&item, bytes))).collect();
    let sets = (0..100).map(|_| request(&|bytes| redis::command(&["SET", "a", "1", "NX"], bytes)));
    // The first answer is `+OK`, the others are `$-1`: five bytes with their line ends.
    [puts, sets.collect()]
}

fn take_turns(rows: &mut [Row<'_>]) {
    let (rounds, window) = if is_trial() { (1, 20) } else { (5, 400) };
    for round in 0..rounds {
        for turn in 0..rows.len() {
            let at = (round * 5 + turn) % rows.len();
            let turn = rows[at].writer.turn(Duration::from_millis(window));
            rows[at].turns.push(turn);
        }
    }
}

fn print_rows(rows: &[Row<'_>]) {
    println!(
        "  {ITEMS} items of some 100 bytes; Redis has their positions only, and processor time of the server only."
    );
    println!("  Ours has no network and makes its own submissions. Multiples are medians of those of each round.");
    println!("  {:<34} {:>9} {:>7} {:>8} {:>8} {:>6}  marks", "", "writes/s", "× file", "× Redis", "CPU µs", "× CPU");
    for row in rows {
        let peer = row.peer.and_then(|peer| rows.iter().find(|row| row.title == peer));
        let cpu_us = row.median(|turn| turn.cpu_us);
        let mut verdicts: Vec<String> = row.cpu.iter().map(|mark| format!("CPU {}", mark.verdict(cpu_us))).collect();
        let (mut rate, mut cpu) = (String::new(), String::new());
        if let Some(peer) = peer {
            let ratio = row.over(peer, |turn| turn.per_second);
            rate = format!("{ratio:.2}");
            cpu = format!("{:.2}", row.over(peer, |turn| turn.cpu_us));
            verdicts.push(format!("× Redis {}", OVER_REDIS.verdict(ratio)));
        }
        let file = row.over(&rows[0], |turn| turn.per_second);
        let per_second = grouped(row.median(|turn| turn.per_second));
        let title = &row.title;
        println!("  {title:<34} {per_second:>9} {file:>7.2} {rate:>8} {cpu_us:>8.2} {cpu:>6}  {}", verdicts.join("; "));
    }
}
