//! A collection from its load over a clean stop and a kill to its memory and its place on the disk, beside Redis with
//! as many rows.
//!
//! What surprises: every step is a process of its own. What one leaves in memory, the allocator's leftovers above all,
//! would be counted as the next one's.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use nigh::geometry::Point;
use nigh::geometry::metric_named;

use super::one_life::{self, CHANGES, RADIUS_M, Told};
use super::redis::{self, Log, Server};
use super::support::rounds::{Mark, median};
use super::support::{grouped, is_trial, point_count};
use super::{folder, gauges, rows};

const LOADED: Mark = Mark::AtLeast(500_000.0);
const ANONYMOUS: Mark = Mark::AtMost(100.0);
const DISK: Mark = Mark::AtMost(160.0);
const KILLED_S: Mark = Mark::AtMost(0.5);
const CLEAN_S: Mark = Mark::AtMost(0.05);

/// Rows that Redis loads at most: its rates do not change with more.
const PEER_ROWS: usize = 1_000_000;

/// Prints the tables.
pub fn print() {
    let count = point_count();
    let peer = peer(count.min(PEER_ROWS));
    let folder = folder();
    let data = folder.path().join("data");
    let loads: Vec<Told> = (0..turns()).map(|_| load(&data, count)).collect();
    print_loads(&loads, count, peer.as_ref());
    let peer_restart = peer.as_ref().map(|peer| peer.restart);
    let stored = [data.join("store"), data.join("segments"), data.clone()].map(|path| gauges::occupied(&path));
    println!("  restarts: from opening to the first right answer, seconds");
    let expected = matches(count, 0);
    let clean = restarts("after a clean stop", &data, count, expected, CLEAN_S, peer_restart);
    kill_behind_changes(&data, count);
    let expected = matches(count, CHANGES);
    let killed = restarts("killed, 100 000 changes behind", &data, count, expected, KILLED_S, peer_restart);
    print_memory(&[("clean", &clean), ("killed", &killed)], stored, count, peer.as_ref());
}

fn turns() -> usize {
    if is_trial() || point_count() > PEER_ROWS { 1 } else { 3 }
}

fn load(data: &Path, count: usize) -> Told {
    let _ = std::fs::remove_dir_all(data); // of the turn before
    one_life::run("load", data, count)
}

fn middle(told: &[Told], word: &str) -> f64 {
    median(told.iter().map(|told| told[word]).collect())
}

/// What Redis made of the rows.
struct Peer {
    rows: f64,
    cpu: f64,
    seconds: f64,
    memory: f64,
    disk: f64,
    restart: f64,
}

fn peer(count: usize) -> Option<Peer> {
    let server = Server::start(Log::EverySecond)?;
    let empty = server.memory();
    let [mut places, mut properties] = [Vec::with_capacity(count), Vec::with_capacity(count)];
    for item in rows::loaded(count) {
        let [mut place, mut hash] = [Vec::new(), Vec::new()];
        redis::geoadd(&item, &mut place);
        redis::hset(&item, &mut hash);
        places.push(place);
        properties.push(hash);
    }
    let (started, cpu) = (Instant::now(), server.processor_time());
    let mut clients = server.clients(1);
    for share in places.chunks(100).chain(properties.chunks(100)) {
        redis::ask(&mut clients, share, share.len(), 4, Duration::ZERO);
    }
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), (server.processor_time() - cpu).as_secs_f64());
    let memory = server.memory() - empty;
    server.rewrite();
    let disk = gauges::occupied(&server.path());
    let (server, restart) = server.restarted();
    assert!(server.answers("ZCARD places", &format!(":{count}")));
    Some(Peer { rows: count as f64, cpu, seconds, memory, disk, restart: restart.as_secs_f64() })
}

fn print_loads(loads: &[Told], count: usize, peer: Option<&Peer>) {
    let rows = count as f64;
    let cpu = middle(loads, "cpu");
    let rate = rows / cpu;
    println!(
        "  load of {} rows, {:.0} bytes each; making them is taken off, parsing is not in it",
        grouped(rows),
        middle(loads, "bytes") / rows
    );
    println!("  {:<34} {:>12}  {}", "rows a processor-second", grouped(rate), LOADED.verdict(rate));
    let push = middle(loads, "push_cpu");
    println!(
        "  {:<34} {:>12.2}  of it {:.2} before the end, {:.2} at the end",
        "  µs of processor time a row",
        cpu * 1e6 / rows,
        push * 1e6 / rows,
        (cpu - push) * 1e6 / rows
    );
    println!(
        "  {:<34} {:>12.2}  and {:.2} to close",
        "  seconds on the clock",
        middle(loads, "seconds"),
        middle(loads, "close_seconds")
    );
    println!(
        "  {:<34} {:>12.2}",
        "  bytes written over bytes of rows",
        middle(loads, "written") / middle(loads, "bytes")
    );
    println!("  {:<34} {:>12.0}", "  most memory, bytes a row", middle(loads, "peak") / rows);
    if let Some(peer) = peer {
        let theirs = peer.rows / peer.cpu;
        println!(
            "  {:<34} {:>12}  ours {:.1} times that; {:.1} s on the clock",
            "Redis, pipelines of 100",
            grouped(theirs),
            rate / theirs,
            peer.seconds
        );
    }
}

/// How many places are near the centres that are asked for: of the first, and of all. The first `moved` items are
/// elsewhere.
fn matches(count: usize, moved: usize) -> [f64; 2] {
    let metric = metric_named("haversine").unwrap();
    let centres: Vec<_> = one_life::centres().into_iter().map(|centre| (centre, centre.unit())).collect();
    let mut found = vec![0.0; centres.len()];
    let after = rows::points(1, count).skip(moved).chain(rows::points(2, CHANGES).take(moved));
    let is_near = |point: &Point, centre: &Point| (point.lat_deg() - centre.lat_deg()).abs() < 0.1;
    for point in after {
        for ((centre, at), found) in centres.iter().zip(&mut found) {
            if is_near(&point, centre) && metric.distance_m(at, &point.unit()) <= RADIUS_M {
                *found += 1.0;
            }
        }
    }
    [found[0], found.iter().sum()]
}

/// Lets a child make changes and kills it.
fn kill_behind_changes(data: &Path, count: usize) {
    let mut child = one_life::start("change", data, count);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "changed");
    child.kill().unwrap();
    child.wait().unwrap();
}

fn restarts(title: &str, data: &Path, count: usize, expected: [f64; 2], mark: Mark, peer: Option<f64>) -> Vec<Told> {
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        gauges::cool(data);
        for told in [&mut cold, &mut warm] {
            let now = one_life::run("open", data, count);
            assert_eq!([now["matched"], now["matched_all"]], expected, "what is found after a restart");
            told.push(now);
        }
    }
    for (temper, told) in [("", &warm), (", files cold", &cold)] {
        let seconds = middle(told, "answered");
        let title = format!("  {title}{temper}");
        let theirs = peer.map_or(String::new(), |peer| format!("; {:.3} × Redis", seconds / peer));
        let [opened, cpu, read] = ["opened", "answered_cpu", "read"].map(|word| middle(told, word));
        let verdict = mark.verdict(seconds);
        println!("  {title:<46} {seconds:>8.4}  {verdict}{theirs}");
        let read = read / 1e6;
        println!("  {:<46} {:>8}  opening {opened:.4}, processor {cpu:.4}, {read:.0} MB read", "", "");
    }
    warm
}

fn print_memory(opened: &[(&str, &Vec<Told>)], [store, segments, all]: [f64; 3], count: usize, peer: Option<&Peer>) {
    let rows = count as f64;
    println!("  memory and disk, bytes a point");
    for (title, told) in opened {
        for (when, suffix) in [("first answer", "_first"), ("20 000 questions", "")] {
            let anonymous = middle(told, &format!("anonymous{suffix}")) / rows;
            let mapped = middle(told, &format!("mapped{suffix}")) / rows;
            let title = format!("  {title}, after {when}");
            println!("  {title:<46} {anonymous:>8.1}  and {mapped:.1} mapped  {}", ANONYMOUS.verdict(anonymous));
        }
    }
    let (store, segments, all) = (store / rows, segments / rows, all / rows);
    println!("  {:<46} {all:>8.1}  store {store:.1}, segments {segments:.1}  {}", "  disk", DISK.verdict(all));
    if let Some(peer) = peer {
        let (memory, disk) = (peer.memory / peer.rows, peer.disk / peer.rows);
        println!("  {:<46} {memory:>8.1}  disk {disk:.1}, restart {:.2} s", "  Redis", peer.restart);
    }
}
