//! Those who write for a while when it is their turn: a plain file, our engine, Redis.
//!
//! What surprises: one thread keeps 256 writers in flight. With a thread each, half of the processor time goes into
//! waking them up; both are in the table, because a library's users may well do that.

use std::fs::File;
use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use nigh::collection::Change;
use nigh::engine::Engine;

use super::{places, redis};

/// What came of a turn.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    pub per_second: f64,
    /// Of whoever serves, a write, in microseconds.
    pub cpu_us: f64,
}

impl Turn {
    fn of(writes: usize, elapsed: Duration, cpu: Duration) -> Turn {
        Turn { per_second: writes as f64 / elapsed.as_secs_f64(), cpu_us: cpu.as_secs_f64() * 1e6 / writes as f64 }
    }
}

/// Somebody who writes.
pub trait Writer {
    fn turn(&mut self, window: Duration) -> Turn;
}

/// Four kilobytes to the end of a file, synced, over and over.
pub struct PlainFile(pub File);

impl Writer for PlainFile {
    fn turn(&mut self, window: Duration) -> Turn {
        let (started, cpu) = (Instant::now(), ProcessTime::now());
        let mut writes = 0;
        while started.elapsed() < window {
            self.0.write_all(&[7; 4096]).unwrap();
            self.0.sync_data().unwrap();
            writes += 1;
        }
        Turn::of(writes, started.elapsed(), cpu.elapsed())
    }
}

/// Our engine with so many submissions in flight, from one thread that is told of each.
pub struct InFlight<'a> {
    pub engine: &'a Engine,
    pub changes: &'a [Change],
    pub in_flight: usize,
    pub at_once: usize,
}

impl Writer for InFlight<'_> {
    fn turn(&mut self, window: Duration) -> Turn {
        let name = places();
        let (done, free) = channel();
        (0..self.in_flight).for_each(|_| done.send(()).unwrap());
        let mut batches = self.changes.chunks_exact(self.at_once).cycle();
        let (started, cpu) = (Instant::now(), ProcessTime::now());
        let mut writes = 0;
        while started.elapsed() < window {
            free.recv().unwrap();
            let done = done.clone();
            let batch = batches.next().unwrap().to_vec();
            let then = move |made: Result<_, _>| {
                made.unwrap();
                done.send(()).unwrap();
            };
            self.engine.submit_then(&name, batch, then).unwrap();
            writes += self.at_once;
        }
        (0..self.in_flight).for_each(|_| free.recv().unwrap());
        Turn::of(writes, started.elapsed(), cpu.elapsed())
    }
}

/// Our engine with a thread for each writer, which waits for its answer.
pub struct Threads<'a> {
    pub engine: &'a Engine,
    pub changes: &'a [Change],
    pub threads: usize,
}

impl Writer for Threads<'_> {
    fn turn(&mut self, window: Duration) -> Turn {
        let (started, cpu) = (Instant::now(), ProcessTime::now());
        let write = |own: &[Change]| {
            let name = places();
            let mut writes = 0;
            for change in own.iter().cycle() {
                if started.elapsed() >= window {
                    break;
                }
                self.engine.submit(&name, change.clone()).unwrap();
                writes += 1;
            }
            writes
        };
        let writes = thread::scope(|scope| {
            let shares = self.changes.chunks_exact(self.changes.len() / self.threads).take(self.threads);
            let threads: Vec<_> = shares.map(|own| scope.spawn(move || write(own))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        Turn::of(writes, started.elapsed(), cpu.elapsed())
    }
}

/// Redis, asked by so many clients.
pub struct Redis<'a> {
    pub server: &'a redis::Server,
    pub clients: Vec<TcpStream>,
    pub requests: &'a [Vec<u8>],
    pub at_once: usize,
    /// The bytes of an answer.
    pub answer: usize,
}

impl Writer for Redis<'_> {
    fn turn(&mut self, window: Duration) -> Turn {
        let (started, cpu) = (Instant::now(), self.server.processor_time());
        let writes = redis::ask(&mut self.clients, self.requests, self.at_once, self.answer, window);
        Turn::of(writes, started.elapsed(), self.server.processor_time() - cpu)
    }
}
