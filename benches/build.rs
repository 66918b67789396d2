//! What it takes to build an index and to hold it: processor time in multiples of copying the same bytes once, and
//! bytes a point.
//!
//! The measure is the time to copy as many bytes as our segment holds (points and four directories) into memory that is
//! there already, on one thread, for nobody can build it in less. Contenders take turns; time is that of all threads together, so it does not matter whether a
//! second core was free; beside it stands the time on the clock, which on a busy machine says little. Our bytes are what
//! points and directories say of themselves, those of others what the allocator handed out. *Peak* is the most that was
//! held while building, beyond what was there before.
//!
//! Below stand the times to write the collection as files, to open them, and to compare them with their checksums, once each.
//!
//! Not measured: reading CSV, parsing, a disk that has the files to seek for: they are in the system's cache.
//!
//! ```sh
//! cargo bench --bench build
//! NIGH_BENCH_POINTS=10000000 cargo bench --bench build
//! ```

mod support;

use std::cell::RefCell;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use cpu_time::ProcessTime;
use nigh::collection::{Change, Collection, Id, Item};
use nigh::geometry::Point;
use nigh::index::{Kind, Sorted};
use rayon::prelude::*;

use support::allocation::{self, Counting};
use support::peers::{GeoIndexKd, GeoIndexR, Kiddo, Rstar};
use support::rounds::{Mark, median};
use support::{grouped, is_trial, point_count, questions};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Building with four directories, over copying: the clock on two threads, so at most twice that on the processor.
const BUILD: Mark = Mark::AtMost(16.0);

/// Points, removal marks and four directories, bytes a point.
const SEGMENT_BYTES: Mark = Mark::AtMost(60.0);

fn main() {
    for generator in ["clustered", "uniform"] {
        let points = questions::points(generator, point_count());
        let title = format!("build — {} {generator} points", grouped(points.len() as f64));
        if support::is_wanted(&title) {
            println!("\n{title}");
            print_table(&run(&points, &contenders(&points)), points.len());
            print_parts(&points);
            print_files(&points);
        }
    }
}

/// One building.
#[derive(Clone, Copy)]
struct Cost {
    cpu_s: f64,
    wall_s: f64,
    held_bytes: usize,
    peak_bytes: usize,
}

fn cost<T>(make: impl FnOnce() -> T) -> Cost {
    cost_after(|| (), |()| make())
}

/// The cost of making something from what is made before, whose bytes count and whose time does not.
fn cost_after<P, T>(prepare: impl FnOnce() -> P, make: impl FnOnce(P) -> T) -> Cost {
    let timed = || {
        let prepared = prepare();
        let (cpu, wall) = (ProcessTime::now(), Instant::now());
        (make(prepared), cpu.elapsed().as_secs_f64(), wall.elapsed().as_secs_f64())
    };
    let ((made, cpu_s, wall_s), held_bytes, peak_bytes) = allocation::weigh(timed);
    drop(black_box(made));
    Cost { cpu_s, wall_s, held_bytes, peak_bytes }
}

type Builder<'a> = Box<dyn Fn() -> Cost + 'a>;

/// Who builds; the first is the copy.
fn contenders(points: &[Point]) -> Vec<(&'static str, Builder<'_>)> {
    let model = vec![1_u8; segment_bytes(points)];
    let copy = RefCell::new(model.clone());
    vec![
        ("copying our segment's bytes", Box::new(move || cost(|| copy.borrow_mut().copy_from_slice(&model)))),
        ("ours, points in order", Box::new(|| cost(|| Sorted::new(points).points))),
        ("ours, with four directories", Box::new(|| cost(|| ours(points)))),
        ("ours, a whole collection", Box::new(|| whole_collection(points))),
        ("rstar bulk_load", Box::new(|| cost(|| Rstar::build(points)))),
        ("kiddo", Box::new(|| cost(|| Kiddo::build(points)))),
        ("kiddo, all threads", Box::new(|| cost(|| Kiddo::build_parallel(points)))),
        ("geo-index k-d tree", Box::new(|| cost(|| GeoIndexKd::build(points)))),
        ("geo-index R-tree", Box::new(|| cost(|| GeoIndexR::build(points)))),
    ]
}

/// Points in order and the directories that collections keep, as a segment builds them.
fn ours(points: &[Point]) -> impl Send {
    let sorted = Sorted::new(points);
    let kinds: Vec<&Kind> = Kind::offered().collect();
    let directories: Vec<_> = kinds.par_iter().map(|kind| (kind.build)(&sorted)).collect();
    (sorted.points, directories)
}

fn segment_bytes(points: &[Point]) -> usize {
    let sorted = Sorted::new(points);
    sorted.points.bytes() + Kind::offered().map(|kind| (kind.build)(&sorted).bytes()).sum::<usize>()
}

fn changes(points: &[Point]) -> Vec<Change> {
    let put = |(number, point): (usize, &Point)| {
        Change::Put(Item::new(Id::new(format!("p{number}")).expect("an id"), *point))
    };
    points.iter().enumerate().map(put).collect()
}

/// One change for all points: ids, records and removal marks come with it.
fn whole_collection(points: &[Point]) -> Cost {
    let apply = |changes| {
        let collection = Collection::new();
        collection.apply(1, changes);
        collection.settle();
        collection
    };
    cost_after(|| changes(points), apply)
}

fn run<'a>(points: &[Point], contenders: &[(&'a str, Builder<'_>)]) -> Vec<(&'a str, Vec<Cost>)> {
    let rounds = if is_trial() { 1 } else { (10_000_000 / points.len()).clamp(3, 7) };
    let mut costs: Vec<(&str, Vec<Cost>)> = contenders.iter().map(|(name, _)| (*name, Vec::new())).collect();
    for round in 0..rounds {
        for turn in 0..contenders.len() {
            let place = (round + turn) % contenders.len();
            costs[place].1.push((contenders[place].1)());
        }
    }
    costs
}

fn print_table(costs: &[(&str, Vec<Cost>)], points: usize) {
    let middle = |costs: &[Cost], of: fn(&Cost) -> f64| median(costs.iter().map(of).collect());
    let copy_s = middle(&costs[0].1, |cost| cost.cpu_s);
    let heads = ("ns a point", "× copy", "clock ×", "B a point", "peak B");
    println!("  {:<30} {:>10} {:>8} {:>8} {:>10} {:>8}  mark", "", heads.0, heads.1, heads.2, heads.3, heads.4);
    for (name, costs) in costs {
        let cpu_s = middle(costs, |cost| cost.cpu_s);
        let per_point = |bytes: f64| bytes / points as f64;
        let verdict = if name.contains("four") { BUILD.verdict(cpu_s / copy_s) } else { String::new() };
        println!(
            "  {name:<30} {:>10.1} {:>8.1} {:>8.1} {:>10.1} {:>8.1}  {verdict}",
            cpu_s * 1e9 / points as f64,
            cpu_s / copy_s,
            middle(costs, |cost| cost.wall_s) / copy_s,
            per_point(middle(costs, |cost| cost.held_bytes as f64)),
            per_point(middle(costs, |cost| cost.peak_bytes as f64)),
        );
    }
}

/// What a collection holds, part by part.
fn print_parts(points: &[Point]) {
    let collection = Collection::new();
    collection.apply(1, changes(points));
    collection.settle();
    let parts = collection.snapshot().bytes();
    let per_point = |bytes: usize| bytes as f64 / points.len() as f64;
    println!("  bytes a point, in a collection without properties:");
    for (part, bytes) in &parts {
        println!("    {part:<28} {:>10.2}", per_point(*bytes));
    }
    let index_only = parts.iter().filter(|(part, _)| !["ids", "records", "expiries"].contains(part));
    let index_bytes = per_point(index_only.map(|(_, bytes)| bytes).sum());
    println!("    {:<28} {index_bytes:>10.2}  {}", "without ids and records", SEGMENT_BYTES.verdict(index_bytes));
}

/// What it takes to put a collection on disk and to have it back.
fn print_files(points: &[Point]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-build");
    std::fs::create_dir_all(&folder).expect("a folder for the files");
    let collection = Collection::new();
    collection.apply(1, changes(points));
    collection.settle();
    let timed = |what: &str, work: &mut dyn FnMut()| {
        let started = Instant::now();
        work();
        println!("    {what:<28} {:>10.2} ms", started.elapsed().as_secs_f64() * 1e3);
    };
    println!(
        "  files of {} bytes a point:",
        collection.snapshot().bytes().iter().map(|part| part.1).sum::<usize>() / points.len()
    );
    let (mut manifest, mut opened) = (0, Collection::new());
    timed("checkpoint", &mut || manifest = collection.checkpoint(&folder).expect("a checkpoint").manifest);
    timed("open", &mut || opened = Collection::open(Kind::offered(), &folder, manifest).expect("sound files"));
    timed("scrub", &mut || opened.scrub().expect("sound files"));
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
}
