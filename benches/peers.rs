//! The service against Redis and PostGIS: the same points, the same questions, one client, and what each request costs the
//! server.
//!
//! ```sh
//! cargo bench --bench peers --no-run && taskset -c 1 cargo bench --bench peers       # all
//! taskset -c 1 cargo bench --bench peers -- cost                                     # without the latencies
//! ```
//!
//! Every server is pinned to the first core, where `taskset` is there; the client belongs on another. They take turns within one run.
//! Redis and PostgreSQL are started in folders of their own if they are installed; what is not is said and passed over.
//!
//! What surprises: the table is in processor time of the server for a request and not in requests a second. On a machine that does
//! other work as well the one hardly moves, the other does as it likes.

#![allow(clippy::unwrap_used, reason = "a panic here ends the bench with a message")]
#![allow(unreachable_pub, dead_code, reason = "nobody uses a bench")]

mod support;

#[path = "peers/door.rs"]
mod door;
#[path = "durable/gauges.rs"]
mod gauges;
#[path = "peers/latency.rs"]
mod latency;
#[path = "../tests/postgres_server/mod.rs"]
mod postgres_server;
#[path = "peers/questions.rs"]
mod questions;
#[path = "peers/servers.rs"]
mod servers;

use std::time::{Duration, Instant};

use nigh::collection::Item;
use nigh::generate::Random;
use nigh::geometry::Point;
use tempfile::TempDir;

use door::Door;
use questions::{CLASSES, Question, items, questions, truth};
use servers::Server;
use support::{grouped, is_trial, is_wanted, point_count};

/// Turns that every server gets with every class; the median counts.
const TURNS: usize = 3;

/// Questions whose numbers of results are compared.
const COMPARED: usize = 100;

/// Where servers keep their files: below the build directory, or where `NIGH_BENCH_FOLDER` says.
pub fn folder() -> TempDir {
    let root = std::env::var_os("NIGH_BENCH_FOLDER").unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").into());
    TempDir::new_in(root).unwrap()
}

/// Starts a server with the points, if it is installed.
type Start = fn(&[Item]) -> Option<Server>;

fn window() -> Duration {
    Duration::from_millis(if is_trial() { 20 } else { 1000 })
}

fn main() {
    let items = items(point_count());
    println!(
        "{} points round real cities; microseconds of the server's processor for a request",
        grouped(items.len() as f64)
    );
    let started: [(&str, Start); 3] =
        [("nigh", servers::nigh), ("Redis", servers::redis), ("PostGIS", servers::postgis)];
    let mut servers = Vec::new();
    for (name, start) in started {
        match start(&items) {
            Some(server) => servers.push(server),
            None => println!("{name} is not installed: not measured"),
        }
    }
    if is_wanted("cost of a request") {
        costs(&servers, &items);
    }
    if is_wanted("latency beside 10 000 upserts a second") {
        latency::print(&servers, &items);
    }
}

fn costs(servers: &[Server], items: &[Item]) {
    let truth = truth(items);
    let names: Vec<&str> = servers.iter().map(|server| server.name).collect();
    println!("\n| | {} | results |\n|---|{}---|", names.join(" | "), "---|".repeat(names.len()));
    row("nothing (`/livez`)", servers, |server| (server.name == "nigh").then(|| vec![servers::ask_nothing()]), 8, "");
    for (class, make) in CLASSES {
        let questions = questions(*make, &truth, items);
        let results = compare(class, servers, &questions);
        let asked = |server: &Server| questions.iter().map(|question| (server.ask)(&question.asked)).collect();
        row(class, servers, asked, 8, &results);
    }
    for clients in [1, 8, 64] {
        let puts = |server: &Server| Some(upserts(items).map(|item| (server.put)(&item)).collect());
        row(&format!("durable upsert, {clients} at once"), servers, puts, clients, "");
    }
}

/// Items that move a little, the same for every server.
pub fn upserts(items: &[Item]) -> impl Iterator<Item = Item> + '_ {
    let mut random = Random::seeded(3);
    (0..20_000).map(move |_| {
        let number = random.below(items.len() as u64) as usize;
        let point = items[number].point;
        let lat = (point.lat_deg() + random.between(-0.001, 0.001)).clamp(-85.0, 85.0);
        questions::item(number, Point::new(lat, point.lon_deg()).unwrap())
    })
}

/// Has every server answer some questions, and says how many results each gave. Ours have to be right; the others measure on a
/// sphere of another size, on an ellipsoid, or in the plane, and may differ by one in fifty.
fn compare(class: &str, servers: &[Server], questions: &[Question]) -> String {
    let questions = &questions[..COMPARED];
    let right: usize = questions.iter().map(|question| question.results).sum();
    let counted = servers.iter().filter_map(|server| {
        let mut door = server.connect();
        let mut ask = |question: &Question| {
            door.send(&(server.ask)(&question.asked)?);
            let results = door.receive();
            let is_ours = server.name == "nigh";
            assert!(!is_ours || results == question.results, "{class}: {results} results of {}", question.results);
            Some(results)
        };
        let results: usize = questions.iter().map(&mut ask).sum::<Option<usize>>()?;
        let off = results.abs_diff(right);
        assert!(off * 50 <= right, "{class}: {} gives {results} results where {right} are right", server.name);
        Some(format!("{:.1}", results as f64 / COMPARED as f64))
    });
    counted.collect::<Vec<String>>().join(" / ")
}

/// Measures a class on all servers in turns, and prints a row.
fn row(
    class: &str,
    servers: &[Server],
    asked: impl Fn(&Server) -> Option<Vec<Vec<u8>>>,
    clients: usize,
    results: &str,
) {
    let requests: Vec<Option<Vec<Vec<u8>>>> = servers.iter().map(&asked).collect();
    let mut costs = vec![Vec::new(); servers.len()];
    for _ in 0..if is_trial() { 1 } else { TURNS } {
        for ((server, requests), costs) in servers.iter().zip(&requests).zip(&mut costs) {
            if let Some(requests) = requests {
                costs.push(cost(server, requests, clients));
            }
        }
    }
    let cells: Vec<String> = costs.iter_mut().map(|costs| median(costs)).collect();
    println!("| {class} | {} | {results} |", cells.join(" | "));
}

fn median(costs: &mut [f64]) -> String {
    costs.sort_by(f64::total_cmp);
    costs.get(costs.len() / 2).map_or("–".to_owned(), |cost| format!("{cost:.1}"))
}

/// Asks with all clients for a while, one request each at a time. Returns microseconds of the server's processor for a request.
fn cost(server: &Server, requests: &[Vec<u8>], clients: usize) -> f64 {
    let mut doors: Vec<Door> = (0..clients).map(|_| server.connect()).collect();
    let mut requests = requests.iter().cycle();
    for door in &mut doors {
        door.send(requests.next().unwrap());
    }
    // What connecting cost, and a first round, are not counted.
    let mut round = |again: bool| {
        for door in &mut doors {
            door.receive();
            if again {
                door.send(requests.next().unwrap());
            }
        }
    };
    round(true);
    let (before, started, mut answered) = (server.processor_time(), Instant::now(), 0);
    while started.elapsed() < window() {
        round(true);
        answered += clients;
    }
    let taken = server.processor_time() - before;
    round(false);
    taken.as_secs_f64() * 1e6 / answered as f64
}
