//! How long an answer takes when requests come at their own pace, while others write.
//!
//! What surprises: the clock of a request starts when it was *due*, not when it was sent. A client that waits for a slow answer
//! before it asks again would leave out just those requests that the slow one held up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nigh::collection::Item;

use crate::door::Door;
use crate::questions::{CLASSES, QUESTIONS, questions, truth};
use crate::servers::Server;
use crate::support::is_trial;
use crate::upserts;

/// Upserts a second beside the questions, if the server can.
const UPSERTS: f64 = 10_000.0;

/// Clients that ask, and clients that write.
const ASKING: usize = 16;
const WRITING: usize = 64;

pub fn print(servers: &[Server], items: &[Item]) {
    let (class, make) = CLASSES[1];
    let questions = questions(make, &truth(items), items);
    println!(
        "\n{class}, at a steady pace beside {UPSERTS:.0} upserts a second; milliseconds from when a request was due"
    );
    println!(
        "| | asked a second | of capacity | upserts a second | median | 99 % | 99.9 % |\n|---|---|---|---|---|---|---|"
    );
    for server in servers {
        let asked: Vec<Vec<u8>> = questions.iter().map(|question| (server.ask)(&question.asked).unwrap()).collect();
        let puts: Vec<Vec<u8>> = upserts(items).map(|item| (server.put)(&item)).collect();
        let capacity = {
            let window = Duration::from_secs_f64(if is_trial() { 0.05 } else { 3.0 });
            let run = Run { server, asked: &asked, puts: &puts, rate: f64::INFINITY, window };
            let (latencies, _, elapsed) = run.go();
            latencies.len() as f64 / elapsed.as_secs_f64()
        };
        for share in [0.5, 0.8] {
            let window = Duration::from_secs_f64(if is_trial() { 0.05 } else { 8.0 });
            let run = Run { server, asked: &asked, puts: &puts, rate: capacity * share, window };
            let (mut latencies, written, elapsed) = run.go();
            latencies.sort_unstable();
            let at = |part: f64| {
                let place = ((latencies.len().max(1) - 1) as f64 * part) as usize;
                latencies.get(place).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
            };
            let (rate, percent, wrote) = (capacity * share, share * 100.0, written as f64 / elapsed.as_secs_f64());
            let (half, most, nearly) = (at(0.5), at(0.99), at(0.999));
            println!(
                "| {} | {rate:.0} | {percent:.0} % | {wrote:.0} | {half:.2} | {most:.2} | {nearly:.2} |",
                server.name
            );
        }
    }
}

struct Run<'a> {
    server: &'a Server,
    asked: &'a [Vec<u8>],
    puts: &'a [Vec<u8>],
    /// Questions a second; infinite for as many as there can be.
    rate: f64,
    window: Duration,
}

impl Run<'_> {
    /// The latencies of all questions, how many upserts were answered meanwhile, and how long all took.
    fn go(&self) -> (Vec<Duration>, usize, Duration) {
        let started = Instant::now();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITING)
                .map(|writer| {
                    scope.spawn({
                        let over = &over;
                        move || self.write(writer, over)
                    })
                })
                .collect();
            let askers: Vec<_> = (0..ASKING).map(|asker| scope.spawn(move || self.ask(asker))).collect();
            let latencies = askers.into_iter().flat_map(|asker| asker.join().unwrap()).collect();
            over.store(true, Ordering::Relaxed);
            let written = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
            (latencies, written, started.elapsed())
        })
    }

    fn ask(&self, asker: usize) -> Vec<Duration> {
        let mut door = self.server.connect();
        let (started, mut latencies) = (Instant::now(), Vec::new());
        for number in 0.. {
            let due = started + Duration::from_secs_f64((number * ASKING + asker) as f64 / self.rate);
            if due.max(Instant::now()) > started + self.window {
                break;
            }
            let due = if self.rate.is_finite() { due } else { Instant::now() };
            wait_until(due);
            door.send(&self.asked[(number * ASKING + asker) % QUESTIONS]);
            door.receive();
            latencies.push(due.elapsed());
        }
        latencies
    }

    fn write(&self, writer: usize, over: &AtomicBool) -> usize {
        let mut door: Door = self.server.connect();
        let (started, mut written) = (Instant::now(), 0);
        while !over.load(Ordering::Relaxed) {
            wait_until(started + Duration::from_secs_f64((written * WRITING + writer) as f64 / UPSERTS));
            door.send(&self.puts[(written * WRITING + writer) % self.puts.len()]);
            door.receive();
            written += 1;
        }
        written
    }
}

fn wait_until(due: Instant) {
    let now = Instant::now();
    if due > now {
        thread::sleep(due - now);
    }
}
