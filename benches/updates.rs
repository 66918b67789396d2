//! Things that move while others ask: how many moves one writer thread takes, and what a reader notices of it.
//!
//! A fleet of a million vehicles reports new positions; each report is a [`Change`] of its own number, in batches of 1,
//! 100 and 1 000, with joins in the background as in service. A reader asks for ~10 answers round a vehicle, over and
//! over. Then the writer is paced at 100 000 moves a second, in batches of 100, and the reader's latency on the clock is
//! compared with that of quiet times, window by window in turns. For contrast the same with an `RwLock<rstar::RTree>`,
//! which is what one would write first.
//!
//! On two cores a writer, a reader and a join share what there is, with whatever else the machine does: the greatest
//! latency is then the scheduler's, in quiet times as well. That is why the quiet ones stand beside it.
//!
//! Not measured: durability, HTTP, many readers.

mod support;

use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cpu_time::{ProcessTime, ThreadTime};
use nigh::collection::{Change, Collection, Id, Item};
use nigh::generate::{Fleet, Random};
use nigh::geometry::{Point, Radius};
use nigh::query::Query;
use rstar::primitives::GeomWithData;

use support::peers::{Found, Kiddo, Peer, Rstar};
use support::rounds::{Mark, median};
use support::{grouped, is_trial, is_wanted, point_count, questions};

/// Moves a second on one writer thread, and in the paced part.
const MOVES: Mark = Mark::AtLeast(500_000.0);
const PACED: u64 = 100_000;

/// The latency of one reader in a hundred under moves, over quiet times; and the greatest, in milliseconds.
const P99: Mark = Mark::AtMost(3.0);
const MAX_MS: Mark = Mark::AtMost(1.0);

fn main() {
    let title = format!("updates — a fleet of {}", grouped(point_count() as f64));
    if !is_wanted(&title) {
        return;
    }
    println!("\n{title}");
    let mut random = Random::seeded(3);
    let fleet = Fleet::parked(&mut random, point_count());
    let radius_m = questions::radius_for(10, fleet.positions(), &Kiddo::build(fleet.positions()));
    let worlds: Vec<Box<dyn World>> = vec![Box::new(Ours::new(&fleet)), Box::new(Locked::new(&fleet))];
    let centres = questions::centres(fleet.positions(), 4096, 5);
    let mut reports = Reports::of(fleet);
    print_throughput(&worlds, &mut reports);
    for world in &worlds {
        let mut reports = reports.clone();
        print_latency(&**world, &mut reports, &centres, radius_m);
    }
}

/// A place where things move and are looked for at once.
trait World: Sync {
    fn name(&self) -> &'static str;

    /// Applies moves: (vehicle, from, to).
    fn apply(&self, moves: &[Move]);

    /// Asks for what is near, and says how much it was.
    fn near(&self, centre: Point, radius_m: f64) -> usize;
}

/// A report of a vehicle.
#[derive(Debug, Clone, Copy)]
struct Move {
    vehicle: u32,
    from: Point,
    to: Point,
}

struct Ours {
    collection: Collection,
    ids: Vec<Id>,
    seq: AtomicU64,
}

impl Ours {
    fn new(fleet: &Fleet) -> Ours {
        let ids: Vec<Id> =
            (0..fleet.positions().len()).map(|vehicle| Id::new(format!("v{vehicle}")).expect("an id")).collect();
        let collection = Collection::new();
        let items = ids.iter().zip(fleet.positions()).map(|(id, point)| Item::new(id.clone(), *point));
        collection.apply(1, items.map(Change::Put).collect());
        collection.settle();
        let seq = AtomicU64::new(1 + ids.len() as u64);
        Ours { collection, ids, seq }
    }
}

impl World for Ours {
    fn name(&self) -> &'static str {
        "ours"
    }

    fn apply(&self, moves: &[Move]) {
        let put = |step: &Move| Change::Put(Item::new(self.ids[step.vehicle as usize].clone(), step.to));
        let first = self.seq.fetch_add(moves.len() as u64, Ordering::Relaxed);
        self.collection.apply(first, moves.iter().map(put).collect());
    }

    fn near(&self, centre: Point, radius_m: f64) -> usize {
        let radius = Radius::from_metres(radius_m).expect("a radius");
        Query::near(centre).within(radius).run(&self.collection.snapshot()).expect("an answer").len()
    }
}

struct Locked {
    tree: RwLock<Rstar>,
}

impl Locked {
    fn new(fleet: &Fleet) -> Locked {
        Locked { tree: RwLock::new(Rstar::build(fleet.positions())) }
    }
}

impl World for Locked {
    fn name(&self) -> &'static str {
        "RwLock<rstar>"
    }

    fn apply(&self, moves: &[Move]) {
        let entry = |at: Point, vehicle| GeomWithData::new([at.lon_deg(), at.lat_deg()], vehicle);
        let mut tree = self.tree.write().expect("nobody panicked");
        for step in moves {
            tree.tree.remove(&entry(step.from, step.vehicle)).expect("it was there");
            tree.tree.insert(entry(step.to, step.vehicle));
        }
    }

    fn near(&self, centre: Point, radius_m: f64) -> usize {
        let mut found: Vec<Found> = Vec::new();
        self.tree.read().expect("nobody panicked").within(centre, radius_m, &mut found);
        found.sort_unstable_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        found.len()
    }
}

/// The reports of a fleet, one after the other, the same for everybody.
#[derive(Clone)]
struct Reports {
    fleet: Fleet,
    random: Random,
    /// Where everybody was last told to be.
    places: Vec<Point>,
}

impl Reports {
    fn of(fleet: Fleet) -> Reports {
        Reports { places: fleet.positions().to_vec(), fleet, random: Random::seeded(9) }
    }

    fn next(&mut self, count: usize) -> Vec<Move> {
        let step = |_| {
            let (vehicle, to) = self.fleet.next_move(&mut self.random);
            let from = std::mem::replace(&mut self.places[vehicle], to);
            Move { vehicle: vehicle as u32, from, to }
        };
        (0..count).map(step).collect()
    }
}

/// Moves as fast as they go: every world applies the same reports, batch size by batch size in turns.
fn print_throughput(worlds: &[Box<dyn World>], reports: &mut Reports) {
    println!("  moves a second on one writer, joins in the background (writer: its own processor time)");
    println!("  {:<34} {:>12} {:>12} {:>14}", "", "clock", "writer", "all threads");
    for batch in [1, 100, 1000] {
        let count = if is_trial() { 1_000 } else { 20_000 * (1 + batch.min(100) / 5) };
        let rounds = if is_trial() { 1 } else { 5 };
        let mut rates: Vec<Vec<[f64; 3]>> = vec![Vec::new(); worlds.len()];
        for _ in 0..rounds {
            let moves = reports.next(count / rounds);
            for (world, rates) in worlds.iter().zip(&mut rates) {
                rates.push(rate(&**world, &moves, batch));
            }
        }
        for (world, rates) in worlds.iter().zip(&rates) {
            let [clock, writer, all] = [0, 1, 2].map(|column| median(rates.iter().map(|rate| rate[column]).collect()));
            let verdict = if world.name() == "ours" && batch > 1 { MOVES.verdict(writer) } else { String::new() };
            let title = format!("{}, batches of {batch}", world.name());
            println!("  {title:<34} {:>12} {:>12} {:>14}  {verdict}", grouped(clock), grouped(writer), grouped(all));
        }
    }
}

fn rate(world: &dyn World, moves: &[Move], batch: usize) -> [f64; 3] {
    let (clock, writer, all) = (Instant::now(), ThreadTime::now(), ProcessTime::now());
    moves.chunks(batch).for_each(|moves| world.apply(moves));
    [clock.elapsed(), writer.elapsed(), all.elapsed()].map(|time| moves.len() as f64 / time.as_secs_f64())
}

/// Latencies of one reader, quiet and under paced moves, in windows that take turns.
fn print_latency(world: &dyn World, reports: &mut Reports, centres: &[Point], radius_m: f64) {
    let (mut quiet, mut busy, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..if is_trial() { 1 } else { 5 } {
        quiet.push(read_while(world, centres, radius_m, None).0);
        let (latency, rate) = read_while(world, centres, radius_m, Some(&mut *reports));
        busy.push(latency);
        moved.push(rate);
    }
    let middle = |windows: &[Latency], of: fn(&Latency) -> f64| median(windows.iter().map(of).collect());
    println!("  latency of a reader, µs on the clock: {}", world.name());
    println!("  {:<34} {:>9} {:>9} {:>9} {:>9} {:>12}", "", "p50", "p99", "p99.9", "max", "moves/s");
    for (title, windows, rate) in [("quiet", &quiet, 0.0), ("100 000 moves a second", &busy, median(moved))] {
        let p50 = middle(windows, |latency| latency.p50_us);
        let p99 = middle(windows, |latency| latency.p99_us);
        let p999 = middle(windows, |latency| latency.p999_us);
        let max = middle(windows, |latency| latency.max_us);
        println!("  {title:<34} {p50:>9.1} {p99:>9.1} {p999:>9.1} {max:>9.1} {:>12}", grouped(rate));
    }
    let ratio = middle(&busy, |latency| latency.p99_us) / middle(&quiet, |latency| latency.p99_us);
    let most_ms = middle(&busy, |latency| latency.max_us) / 1000.0;
    println!("  {:<34} p99 × {ratio:.2} {}; max {most_ms:.2} ms {}", "", P99.verdict(ratio), MAX_MS.verdict(most_ms));
}

#[derive(Debug, Clone, Copy)]
struct Latency {
    p50_us: f64,
    p99_us: f64,
    p999_us: f64,
    max_us: f64,
}

/// One window: a reader, and a paced writer if there are reports. Returns the latencies and the moves a second.
fn read_while(world: &dyn World, centres: &[Point], radius_m: f64, reports: Option<&mut Reports>) -> (Latency, f64) {
    let window = if is_trial() { Duration::from_millis(50) } else { Duration::from_millis(1500) };
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| read(world, centres, radius_m, &stop));
        let rate = match reports {
            Some(reports) => write_paced(world, reports, window),
            None => {
                thread::sleep(window);
                0.0
            }
        };
        stop.store(true, Ordering::Relaxed);
        (reader.join().expect("the reader does not panic"), rate)
    })
}

fn read(world: &dyn World, centres: &[Point], radius_m: f64, stop: &AtomicBool) -> Latency {
    let mut taken_us = Vec::with_capacity(1 << 20);
    for centre in centres.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let started = Instant::now();
        std::hint::black_box(world.near(*centre, radius_m));
        taken_us.push(started.elapsed().as_nanos() as f64 / 1000.0);
    }
    taken_us.sort_by(f64::total_cmp);
    let at = |share: f64| taken_us[((taken_us.len() - 1) as f64 * share) as usize];
    Latency { p50_us: at(0.5), p99_us: at(0.99), p999_us: at(0.999), max_us: at(1.0) }
}

/// Batches of 100 at their times; a writer that falls behind goes on without a pause.
fn write_paced(world: &dyn World, reports: &mut Reports, window: Duration) -> f64 {
    const BATCH: u64 = 100;
    let started = Instant::now();
    let mut moved = 0;
    while started.elapsed() < window {
        let due = Duration::from_secs_f64(moved as f64 / PACED as f64);
        thread::sleep(due.saturating_sub(started.elapsed()));
        world.apply(&reports.next(BATCH as usize));
        moved += BATCH;
    }
    moved as f64 / started.elapsed().as_secs_f64()
}
