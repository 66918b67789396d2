//! `nigh migrate`: rows of Redis, PostGIS, Tile38 or a file, carried into a collection while they go on changing.
//!
//! ```text
//! check   look: can it be read, what would be refused, can changes be followed, how long does it take
//! run     carry everything ─▶ follow changes ─▶ compare both sides ─▶ say whether it is safe to go over
//! ```
//!
//! What surprises: at the end both sides hold the same, so what the source does not have is removed here. A collection that holds something
//! is therefore refused, unless `--replace` says that this is meant; it also goes on with a run that was cut off.
//!
//! Absent here: SQL, the words of Redis, HTTP. They are in the file of each source and in `service.rs`.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};

use super::directory::{DirectoryArgs, collection_name};
use super::input::{delimiter, formats};
use super::output::{for_people, print};
use super::remote::RemoteArgs;
use super::{Command, Failure, tell};
use crate::engine::CollectionName;
use crate::format::{ReadOptions, reader_named};
use compare::Sight;
use follow::{Counts, Following, STOPS, listen_for_stops};
use progress::Progress;
use rejects::Rejects;
use report::{Checked, Ran};
use service::Service;
use source::{Facts, Kind, Options, Source, Trouble};
use target::{Directory, Target};

mod compare;
mod follow;
mod progress;
mod rejects;
mod report;
mod resp;
mod service;
mod source;
mod target;
mod validate;

mod file;
mod postgis;
mod redis;
mod tile38;

/// Every kind of source; a file is what no other is.
static SOURCES: &[Kind] = &[redis::REDIS, postgis::POSTGIS, tile38::TILE38, file::FILE];

/// The registered command.
pub(super) const MIGRATE: Command = Command {
    name: "migrate",
    summary: "Carry a Redis GEO key, a PostGIS table, a Tile38 collection or a file over, while it changes",
    define: Migrate::augment_args,
    run: migrate,
};

/// How long a source that tells no changes rests between two comparisons, and how many there are at most.
const BETWEEN: Duration = Duration::from_secs(2);
const PASSES_MAX: u32 = 100;

#[derive(Debug, Args)]
struct Migrate {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Look at a source, and change nothing
    Check(Check),
    /// Carry it over, follow its changes, and compare both sides
    Run(Run),
}

#[derive(Debug, Args)]
struct SourceArgs {
    /// Where the rows are: redis://HOST:PORT/DB?key=NAME, postgres://HOST/DB?table=NAME, tile38://HOST:PORT/COLLECTION, or a file
    source: String,
    /// The key of the source, where Redis is one
    #[arg(long, value_name = "NAME")]
    source_key: Option<String>,
    /// The table of the source, where PostGIS is one
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// The column of ids, where PostGIS or CSV is the source
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// The column of points, where PostGIS is the source
    #[arg(long, value_name = "COLUMN")]
    geometry: Option<String>,
    /// The column of latitudes, where CSV is the source
    #[arg(long, value_name = "COLUMN")]
    lat_col: Option<String>,
    /// The column of longitudes, where CSV is the source
    #[arg(long, value_name = "COLUMN")]
    lon_col: Option<String>,
    /// What stands between fields, where CSV is the source and its header has none of , ; and tab: a character, or tab
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// What a file is; otherwise it is seen from its content and its name
    #[arg(long, value_parser = formats())]
    format: Option<String>,
}

#[derive(Debug, Args)]
struct Check {
    #[command(flatten)]
    source: SourceArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Run {
    #[command(flatten)]
    source: SourceArgs,
    /// The collection that takes the rows
    #[arg(long, short, default_value = CollectionName::DEFAULT, value_parser = collection_name)]
    collection: CollectionName,
    #[command(flatten)]
    directory: DirectoryArgs,
    #[command(flatten)]
    remote: RemoteArgs,
    /// Make a collection that holds something equal to the source: what the source does not have is removed
    #[arg(long)]
    replace: bool,
    /// End as soon as both sides are in step, instead of following changes until Ctrl-C
    #[arg(long)]
    until_synced: bool,
    /// How many questions both sides are asked at the end
    #[arg(long, value_name = "NUMBER", default_value_t = 40)]
    questions: u64,
    /// Where rows that cannot be carried are written, as lines of JSON [default: COLLECTION.rejected.ndjson]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn migrate(matches: &ArgMatches) -> Result<(), Failure> {
    match Migrate::from_arg_matches(matches).expect("matched by its own parser").task {
        Task::Check(asked) => check(&asked),
        Task::Run(asked) => run(&asked),
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

fn open(asked: &SourceArgs, now_ms: i64) -> Result<Box<dyn Source>, Failure> {
    let SourceArgs { source, source_key, table, id, geometry, lat_col, lon_col, delimiter, format } = asked;
    let read = ReadOptions {
        lat_column: lat_col.clone(),
        lon_column: lon_col.clone(),
        id_column: id.clone(),
        delimiter: *delimiter,
    };
    let (key, table, id, geometry) = (source_key.clone(), table.clone(), id.clone(), geometry.clone());
    let kind = SOURCES.iter().find(|kind| (kind.names)(source)).ok_or_else(|| {
        let forms: Vec<&str> = SOURCES.iter().map(|kind| kind.form).collect();
        Failure::Usage(format!("{source:?} is no source; a source is {}", forms.join(", ")))
    })?;
    let reader = format.as_deref().and_then(reader_named);
    (kind.open)(source, &Options { key, table, id, geometry, reader, read, now_ms })
}

/// Looks, and changes nothing.
fn check(asked: &Check) -> Result<(), Failure> {
    let mut source = open(&asked.source, now_ms())?;
    let facts = source.facts().map_err(Trouble::into_failure)?;
    let mut rejects = Rejects::new(None);
    let (mut progress, mut carried) = (Progress::new(facts.rows.unwrap_or(0)), 0);
    let begun = Instant::now();
    if facts.obstacles.is_empty() {
        let scanned = source.scan(&mut |row| {
            match row {
                Ok(_) => carried += 1,
                Err(refused) => rejects.add(&refused)?,
            }
            progress.rows("read", carried + rejects.count);
            Ok(())
        });
        scanned.map_err(Trouble::into_failure)?;
    }
    let reading_s = begun.elapsed().as_secs_f64();
    let rejected = rejects.count;
    let is_obstructed = !facts.obstacles.is_empty();
    let checked = Checked {
        facts,
        read: carried + rejected,
        carried,
        rejected,
        reasons: rejects.kinds,
        reading_s,
        // Read to be carried, read to be compared, and some 100 000 rows a second written.
        estimate_s: 2.0 * reading_s + carried as f64 / 100_000.0,
    };
    say(asked.json, &checked, checked.in_words())?;
    match () {
        () if is_obstructed => Err(Failure::Failed(checked.facts.obstacles.join("; "))),
        () if rejected > 0 => Err(Failure::RowsRejected(rejected)),
        () => Ok(()),
    }
}

/// Prints for people on a terminal, as JSON otherwise or when asked to.
fn say(json: bool, summary: &impl serde::Serialize, words: String) -> Result<(), Failure> {
    if json || !for_people(None) {
        let mut text = serde_json::to_string(summary).expect("numbers and texts are JSON");
        text.push('\n');
        return print(text);
    }
    print(words)
}

/// Where the rows go.
fn target(asked: &Run) -> Result<Box<dyn Target>, Failure> {
    Ok(match asked.remote.service()? {
        Some(remote) => Box::new(Service::new(remote, asked.collection.clone())),
        None => Box::new(Directory::open(&asked.directory.path(), asked.collection.clone())?),
    })
}

/// Refuses a target in which something would be lost.
fn is_free(target: &mut dyn Target, replace: bool) -> Result<(), Trouble> {
    if target.ttl_ms()?.is_some() {
        return Err(Trouble::failed(format!(
            "{} has its items go by themselves, so it cannot be held equal to a source; take another collection",
            target.words()
        )));
    }
    match target.items()? {
        0 => Ok(()),
        _ if replace => Ok(()),
        items => Err(Trouble::Failed(Failure::Usage(format!(
            "{} holds {items} items; with --replace it is made equal to the source, and what the source does not have is removed",
            target.words()
        )))),
    }
}

fn run(asked: &Run) -> Result<(), Failure> {
    let now_ms = now_ms();
    let mut source = open(&asked.source, now_ms)?;
    let facts = source.facts().map_err(Trouble::into_failure)?;
    if !facts.obstacles.is_empty() {
        return Err(Failure::Failed(facts.obstacles.join("; ")));
    }
    let mut target = target(asked)?;
    is_free(&mut *target, asked.replace).map_err(Trouble::into_failure)?;
    listen_for_stops();
    let path = asked.rejects.clone().unwrap_or_else(|| format!("{}.rejected.ndjson", asked.collection).into());
    let mut following = Following {
        sight: Sight { ends: target.tells_ends(), now_ms },
        source,
        target,
        feed: None,
        rejects: Rejects::new(Some(path)),
        progress: Progress::new(facts.rows.unwrap_or(0)),
        counts: Counts::default(),
        changed: None,
        stops: 0,
    };
    let ran = follow_to_the_end(&mut following, asked, &facts).map_err(Trouble::into_failure);
    // Whatever came of it, the source lets go of what it kept for us, and the target is left whole.
    following.feed = None;
    let closed = following.target.close().map_err(Trouble::into_failure);
    let ran = ran?;
    closed?;
    say(asked.json, &ran, ran.in_words())?;
    if asked.json || !for_people(None) {
        tell(format_args!("nigh migrate: {}", ran.cut_over.say));
    }
    match () {
        () if ran.validation.found_a_difference() => {
            Err(Failure::Differs("the validation found a difference".to_owned()))
        }
        () if ran.rejected > 0 => Err(Failure::RowsRejected(ran.rejected)),
        () => Ok(()),
    }
}

fn follow_to_the_end(following: &mut Following, asked: &Run, facts: &Facts) -> Result<Ran, Trouble> {
    following.begin()?;
    if following.feed.is_some() && !asked.until_synced {
        following.catch_up()?;
        // For people and scripts alike: this is what both wait for.
        tell(format_args!("nigh migrate: in step; following changes until Ctrl-C: stop the writers first"));
        following.stops = 1;
        while STOPS.load(Ordering::Relaxed) == 0 && following.feed.is_some() {
            following.pump()?;
        }
    }
    // Also where a source stopped telling its changes.
    if following.feed.is_none() {
        until_nothing_differs(following)?;
    }
    following.stops = 1;
    let lag = following.feed.is_some().then(|| following.catch_up()).transpose()?;
    let validation = validate::validate(following, asked.questions)?;
    Ok(Ran::of(following, facts.source.clone(), lag, validation))
}

/// Compares both sides, and carries what differs, until nothing does.
fn until_nothing_differs(following: &mut Following) -> Result<(), Trouble> {
    for pass in 0..PASSES_MAX {
        let found = following.trying(|following| following.compare(false))?;
        if found.differing.is_empty() {
            return Ok(());
        }
        following.progress.say(format_args!("{} rows differ", found.differing.len()));
        following.trying(|following| following.carry(found.differing.clone()))?;
        if pass > 0 {
            std::thread::sleep(BETWEEN);
        }
    }
    Ok(()) // the validation says what is left
}
