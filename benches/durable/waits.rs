//! Who waits for whom: the answers to a writer who comes every millisecond, alone and beside somebody who wants
//! everything.
//!
//! What surprises: a disk that syncs in its own time has the longest tail of all. So each window is compared with a
//! quiet one just before it, and the whole is done again without syncs, where only our own doing is left.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use nigh::collection::Change;
use nigh::engine::{Durability, Engine, Settings};
use nigh::geometry::{Radius, Rect};
use nigh::query::Query;

use super::support::rounds::{Mark, median};
use super::support::{is_trial, point_count};
use super::{folder, places, rows};

const P99: Mark = Mark::AtMost(2.0);

/// The writer comes this often.
const EVERY: Duration = Duration::from_millis(1);

/// Half of the way round the earth is a quarter of it each way.
const HALF_THE_GLOBE_M: f64 = 10_007_543.0;

/// Changes after which checkpoints are written: few, so that several fall into a window.
const CHECKPOINT_CHANGES: u64 = 10_000;

/// What somebody else does meanwhile.
type Beside = (&'static str, fn(&Engine, &[Change]));

const BESIDE: [Beside; 5] = [
    ("a thread that only counts to itself", spin),
    ("counting half the globe, over and over", count),
    ("listing everything, in pages", list),
    ("20 000 changes a second, checkpoints", churn),
    ("Engine::checkpoint four times a second", checkpoint),
];

/// Prints the table.
pub fn print() {
    let folder = folder();
    let data = folder.path().join("data");
    let changes = rows::changes(20_000.min(point_count()));
    load(&data);
    println!("  {:<42} {:>9} {:>9} {:>9} {:>8} {:>8}", "µs on the clock", "p50", "p99", "max", "× p99", "× max");
    for (title, durability) in
        [("fsync", Durability::Fsync), ("100 ms", Durability::Interval(Duration::from_millis(100)))]
    {
        let settings = Settings { durability, checkpoint_changes: CHECKPOINT_CHANGES, ..Settings::default() };
        let engine = Engine::open(&data, settings).unwrap();
        print_windows(title, &engine, &changes);
        engine.close().unwrap();
    }
}

fn load(data: &Path) {
    let engine = Engine::open(data, Settings::default()).unwrap();
    let mut bulk = engine.bulk(&places(), None).unwrap();
    rows::loaded(point_count()).for_each(|item| bulk.push(&item).unwrap());
    bulk.finish().unwrap();
    engine.close().unwrap();
}

/// Nothing of ours: what is left is the scheduler of a machine with few processors.
fn spin(_: &Engine, _: &[Change]) {
    let until = Instant::now() + Duration::from_millis(10);
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

fn count(engine: &Engine, _: &[Change]) {
    let centre = rows::points(1, 1).next().unwrap();
    let query = Query::near(centre).within(Radius::from_metres(HALF_THE_GLOBE_M).unwrap());
    assert!(engine.ask(&places(), &query).unwrap().matched > 0);
}

fn list(engine: &Engine, _: &[Change]) {
    let mut query = Query::in_rect(Rect::from_corners(-90.0, -180.0, 90.0, 180.0).unwrap());
    for _ in 0..10 {
        let Some(next) = engine.ask(&places(), &query).unwrap().next else { break };
        query = query.after(next);
    }
}

fn churn(engine: &Engine, changes: &[Change]) {
    let started = Instant::now();
    engine.submit(&places(), changes[..100].to_vec()).unwrap();
    thread::sleep(Duration::from_millis(5).saturating_sub(started.elapsed()));
}

fn checkpoint(engine: &Engine, _: &[Change]) {
    engine.checkpoint().unwrap();
    thread::sleep(Duration::from_millis(250));
}

/// Microseconds.
#[derive(Debug, Clone, Copy)]
struct Latency {
    p50: f64,
    p99: f64,
    max: f64,
}

fn print_windows(title: &str, engine: &Engine, changes: &[Change]) {
    let rounds = if is_trial() { 1 } else { 5 };
    let mut windows: Vec<Vec<[Latency; 2]>> = vec![Vec::new(); BESIDE.len()];
    for _ in 0..rounds {
        for ((_, beside), windows) in BESIDE.iter().zip(&mut windows) {
            let quiet = window(engine, changes, None);
            windows.push([quiet, window(engine, changes, Some(*beside))]);
        }
    }
    let all: Vec<[Latency; 2]> = windows.concat();
    print_row(&format!("{title}, alone"), &all, 0, "");
    for ((name, _), windows) in BESIDE.iter().zip(&windows) {
        let p99 = ratio(windows, |latency| latency.p99);
        let verdict = format!("{p99:>8.2} {:>8.2}  {}", ratio(windows, |latency| latency.max), P99.verdict(p99));
        print_row(&format!("{title}, {name}"), windows, 1, &verdict);
    }
}

/// The median of what beside makes of a figure of the quiet window before.
fn ratio(windows: &[[Latency; 2]], figure: fn(&Latency) -> f64) -> f64 {
    median(windows.iter().map(|[quiet, beside]| figure(beside) / figure(quiet)).collect())
}

fn print_row(title: &str, windows: &[[Latency; 2]], which: usize, verdict: &str) {
    let middle = |figure: fn(&Latency) -> f64| median(windows.iter().map(|pair| figure(&pair[which])).collect());
    let [p50, p99, max] = [middle(|latency| latency.p50), middle(|latency| latency.p99), middle(|latency| latency.max)];
    println!("  {title:<42} {p50:>9.0} {p99:>9.0} {max:>9.0} {verdict}");
}

/// A while of single changes, and of what somebody else does beside them.
fn window(engine: &Engine, changes: &[Change], beside: Option<fn(&Engine, &[Change])>) -> Latency {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let stop = &stop;
        if let Some(beside) = beside {
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    beside(engine, changes);
                }
            });
        }
        let latency = write_paced(engine, changes);
        stop.store(true, Ordering::Relaxed);
        latency
    })
}

/// One change when it is due, whether the one before is answered or not. What is measured ends on the thread that
/// answers.
fn write_paced(engine: &Engine, changes: &[Change]) -> Latency {
    let window = Duration::from_millis(if is_trial() { 50 } else { 1000 });
    let (name, started) = (places(), Instant::now());
    let (sender, taken_us) = channel();
    let mut due = started;
    for change in changes.iter().cycle() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let (sender, asked) = (sender.clone(), Instant::now());
        let then = move |made: Result<_, _>| {
            made.unwrap();
            sender.send(asked.elapsed().as_nanos() as f64 / 1e3).unwrap();
        };
        engine.submit_then(&name, change.clone(), then).unwrap();
        due += EVERY;
        if started.elapsed() >= window {
            break;
        }
    }
    drop(sender);
    let mut taken_us: Vec<f64> = taken_us.iter().collect();
    taken_us.sort_by(f64::total_cmp);
    let at = |share: f64| taken_us[((taken_us.len() - 1) as f64 * share) as usize];
    Latency { p50: at(0.5), p99: at(0.99), max: at(1.0) }
}
