//! What a child process does: loads, changes until it is killed, or opens and answers. It tells its parent in lines of
//! a word and a number.
//!
//! What surprises: making the rows takes as long as loading them. They are made once without a load before, and what
//! that took is taken off.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use nigh::engine::{Engine, Settings};
use nigh::geometry::{Point, Radius};
use nigh::query::Query;

use super::{gauges, places, rows};

const JOB: &str = "NIGH_DURABLE_JOB";
const FOLDER: &str = "NIGH_DURABLE_FOLDER";
const COUNT: &str = "NIGH_DURABLE_COUNT";

/// Changes behind the last checkpoint before a child is killed, in batches of this.
pub const CHANGES: usize = 100_000;
const BATCH: usize = 100;

/// The radius that is asked for after a start, about places that are there.
pub const RADIUS_M: f64 = 1_500.0;

/// What a child told.
pub type Told = BTreeMap<String, f64>;

/// Whether this process is a child.
pub fn is_child() -> bool {
    env::var_os(JOB).is_some()
}

/// Starts a child for a job.
pub fn start(job: &str, folder: &Path, count: usize) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.env(JOB, job).env(FOLDER, folder).env(COUNT, count.to_string());
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// Has a child do a job, and reads what it told.
pub fn run(job: &str, folder: &Path, count: usize) -> Told {
    let output = start(job, folder, count).wait_with_output().unwrap();
    assert!(output.status.success(), "the child that should {job} failed");
    let text = String::from_utf8(output.stdout).unwrap();
    let told = text.lines().filter_map(|line| line.split_once(' '));
    told.map(|(word, number)| (word.to_owned(), number.parse().unwrap())).collect()
}

fn tell(word: &str, number: f64) {
    println!("{word} {number}");
}

/// Does what the parent wants.
pub fn live() {
    let folder = PathBuf::from(env::var_os(FOLDER).unwrap());
    let count = env::var(COUNT).unwrap().parse().unwrap();
    match &*env::var(JOB).unwrap() {
        "load" => load(&folder, count),
        "change" => change(&folder),
        "open" => open(&folder),
        job => panic!("nobody knows how to {job}"),
    }
}

fn load(folder: &Path, count: usize) {
    let (started, cpu) = (Instant::now(), ProcessTime::now());
    let bytes: usize = rows::loaded(count).map(|item| rows::bytes(&item)).sum();
    let (making, making_cpu) = (started.elapsed(), cpu.elapsed());
    let engine = Engine::open(folder, Settings::default()).unwrap();
    let (written, _) = gauges::written_and_read();
    let (started, cpu) = (Instant::now(), ProcessTime::now());
    let mut bulk = engine.bulk(&places(), None).unwrap();
    rows::loaded(count).for_each(|item| bulk.push(&item).unwrap());
    let (pushed, pushed_cpu) = (started.elapsed() - making, cpu.elapsed() - making_cpu);
    let loaded = bulk.finish().unwrap();
    assert_eq!(loaded.received, count as u64);
    tell("seconds", started.elapsed().saturating_sub(making).as_secs_f64());
    tell("cpu", cpu.elapsed().saturating_sub(making_cpu).as_secs_f64());
    tell("push_seconds", pushed.as_secs_f64());
    tell("push_cpu", pushed_cpu.as_secs_f64());
    tell("making_cpu", making_cpu.as_secs_f64());
    tell("peak", gauges::peak_memory());
    let started = Instant::now();
    engine.close().unwrap();
    drop(engine);
    tell("close_seconds", started.elapsed().as_secs_f64());
    tell("bytes", bytes as f64);
    tell("written", gauges::written_and_read().0 - written);
}

/// Moves the first items, says so, and waits to be killed.
fn change(folder: &Path) {
    let engine = Engine::open(folder, Settings::default()).unwrap();
    for batch in rows::changes(CHANGES).chunks(BATCH) {
        engine.submit(&places(), batch.to_vec()).unwrap();
    }
    println!("changed");
    std::thread::sleep(Duration::from_secs(600));
}

/// Where it is asked for, the first place first.
pub fn centres() -> Vec<Point> {
    rows::points(1, 100).collect()
}

/// Opens, answers, and looks at its memory. It ends without closing, so that the next one finds the same.
fn open(folder: &Path) {
    let centres = centres();
    let (alone, _) = gauges::anonymous_and_mapped();
    let (_, read) = gauges::written_and_read();
    let near = |centre: Point| Query::near(centre).within(Radius::from_metres(RADIUS_M).unwrap());
    let (started, cpu) = (Instant::now(), ProcessTime::now());
    let engine = Engine::open(folder, Settings::default()).unwrap();
    let opened = started.elapsed();
    let first = engine.ask(&places(), &near(centres[0])).unwrap();
    let answered = started.elapsed();
    tell("answered_cpu", cpu.elapsed().as_secs_f64());
    tell("opened", opened.as_secs_f64());
    tell("answered", answered.as_secs_f64());
    tell("matched", first.matched as f64);
    tell("read", gauges::written_and_read().1 - read);
    let len = engine.snapshot(&places()).unwrap().len();
    tell("len", len as f64);
    let (anonymous, mapped) = gauges::anonymous_and_mapped();
    tell("anonymous_first", anonymous - alone);
    tell("mapped_first", mapped);
    for (turn, centre) in rows::points(1, 20_000).enumerate() {
        let answer = engine.ask(&places(), &near(centre)).unwrap();
        let moved = turn < CHANGES; // then it may be anywhere
        assert!(moved || answer.matched > 0);
    }
    let matched: u64 = centres.iter().map(|&centre| engine.ask(&places(), &near(centre)).unwrap().matched).sum();
    tell("matched_all", matched as f64);
    let (anonymous, mapped) = gauges::anonymous_and_mapped();
    tell("anonymous", anonymous - alone);
    tell("mapped", mapped);
    // Neither closed nor dropped: what a kill left stays as it was left.
    std::process::exit(0);
}
