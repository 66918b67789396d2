//! `nigh import`: files into a collection, of a data directory or of a running service; all of them, or nothing.
//!
//! What surprises: several files are one load. Until the last row of the last file is read nobody sees any, and whoever presses Ctrl-C
//! before that has changed nothing. A service takes each file as an upload of its own.

use std::path::PathBuf;

use clap::{Args, FromArgMatches};
use serde::Serialize;

use super::directory::{DirectoryArgs, collection_name, refused};
use super::input::{Input, ReadArgs};
use super::output::{for_people, print};
use super::progress::{Progress, grouped};
use super::rejects::Rejects;
use super::remote::RemoteArgs;
use super::{Command, Failure, memory, tell, upload};
use crate::collection::limit_joins;
use crate::engine::{Bulk, CollectionName, Engine, EngineError, Settings};
use crate::format::{RowRef, read_ahead, row_id};

/// The registered command.
pub(super) const IMPORT: Command = Command {
    name: "import",
    summary: "Load files into a collection: CSV, NDJSON or GeoJSON",
    define: Import::augment_args,
    run: |matches| import(&Import::from_arg_matches(matches).expect("matched by its own parser")),
};

/// What is taken where nothing is said, if the machine has so much to give.
const MEMORY_BYTES: usize = 1536 << 20;

#[derive(Debug, Args)]
pub(super) struct Import {
    /// Files to read: CSV, NDJSON or GeoJSON, plain, gzip or Zstandard; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// The collection, made if it is not there
    #[arg(long, value_name = "NAME", default_value = CollectionName::DEFAULT, value_parser = collection_name)]
    pub(super) collection: CollectionName,
    #[command(flatten)]
    directory: DirectoryArgs,
    #[command(flatten)]
    pub(super) remote: RemoteArgs,
    #[command(flatten)]
    pub(super) reading: ReadArgs,
    /// What becomes of the good rows where others are rejected: skip takes them, abort takes nothing
    #[arg(long, default_value = "skip", value_parser = ["skip", "abort"])]
    pub(super) on_error: String,
    /// About how much memory it may take, in MiB; more makes for fewer, larger files of index [default: 1536, or half of what the machine
    /// grants where that is less]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(16..), conflicts_with = "url")]
    memory: Option<u32>,
    /// Print the summary as JSON, also on a terminal
    #[arg(long)]
    json: bool,
}

/// What became of all files.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    collection: String,
    pub(super) received: u64,
    pub(super) created: u64,
    pub(super) replaced: u64,
    pub(super) rejected: u64,
    /// The number of the last change of the collection; nothing where nothing was taken.
    pub(super) seq: Option<u64>,
    elapsed_ms: u64,
    pub(super) files: Vec<OfFile>,
}

/// What became of a file.
#[derive(Debug, Serialize)]
pub(super) struct OfFile {
    pub(super) file: String,
    pub(super) received: u64,
    pub(super) rejected: u64,
    /// Where the rejected rows are.
    pub(super) rejected_rows: Option<PathBuf>,
    /// How many of them are not there, because a service counted them and did not name them.
    pub(super) rejected_missing: u64,
}

fn import(asked: &Import) -> Result<(), Failure> {
    let standard_inputs = asked.files.iter().filter(|path| path.as_os_str() == "-").count();
    if standard_inputs > 1 {
        return Err(Failure::Usage("standard input can be read once".to_owned()));
    }
    // All are looked for before the first is read.
    let inputs = asked.files.iter().map(|path| Input::open(path)).collect::<Result<Vec<_>, _>>()?;
    let mut progress = Progress::of(inputs.iter().map(Input::bytes).sum());
    let done = match asked.remote.service()? {
        Some(service) => upload::upload(asked, &service, inputs, &mut progress),
        None => load(asked, inputs, &mut progress),
    };
    progress.clear();
    let mut summary = done?;
    summary.elapsed_ms = progress.elapsed().as_millis() as u64;
    let text = match asked.json || !for_people(None) {
        true => serde_json::to_string(&summary).expect("numbers and texts are JSON") + "\n",
        false => for_a_person(&summary),
    };
    print(text)?;
    match summary.rejected {
        0 => Ok(()),
        rejected => Err(Failure::RowsRejected(rejected)),
    }
}

impl Import {
    /// A summary of nothing.
    pub(super) fn summary(&self) -> Summary {
        Summary {
            collection: self.collection.to_string(),
            received: 0,
            created: 0,
            replaced: 0,
            rejected: 0,
            seq: None,
            elapsed_ms: 0,
            files: Vec::new(),
        }
    }
}

/// Loads the files into a data directory.
fn load(asked: &Import, inputs: Vec<Input>, progress: &mut Progress) -> Result<Summary, Failure> {
    let granted_bytes = memory::for_building_bytes();
    let memory_bytes = asked.memory.map_or(MEMORY_BYTES.min(granted_bytes), |mebibytes| (mebibytes as usize) << 20);
    limit_joins(memory_bytes);
    let settings = Settings { load_bytes: memory::load_bytes(memory_bytes), ..Settings::default() };
    let engine = Engine::open(&asked.directory.path(), settings).map_err(|error| refused(&error))?;
    let loaded = load_into(&engine, asked, inputs, progress);
    // Also after a failure: what was begun is tidied away.
    let closed = engine.close();
    let summary = loaded?;
    if let Err(error) = closed {
        progress.clear();
        // Whoever takes this for a failed import makes it again, and has rows without ids twice.
        let consequence = "the rows are in, and the next start takes longer";
        tell(format_args!("nigh import: the data directory was not closed in good order: {error}; {consequence}"));
    }
    Ok(summary)
}

fn load_into(engine: &Engine, asked: &Import, inputs: Vec<Input>, progress: &mut Progress) -> Result<Summary, Failure> {
    let mut loading = Loading { engine, asked, bulk: None, stamp: random(), now_ms: now_ms(), number: 0 };
    let mut summary = asked.summary();
    for input in inputs {
        let of_file = loading.read(input, progress, summary.rejected > 0)?;
        summary.received += of_file.received;
        summary.rejected += of_file.rejected;
        summary.files.push(of_file);
    }
    progress.say("writing …");
    let is_wanted = asked.on_error == "skip" || summary.rejected == 0;
    if let Some(bulk) = loading.bulk.filter(|_| is_wanted) {
        let loaded = bulk.finish().map_err(|error| failed(&error))?;
        (summary.created, summary.replaced, summary.seq) = (loaded.created, loaded.replaced, Some(loaded.seq));
    }
    Ok(summary)
}

/// A load under way.
struct Loading<'a> {
    engine: &'a Engine,
    asked: &'a Import,
    /// Begun with the first row that is good: where none is, no collection is made.
    bulk: Option<Bulk<'a>>,
    /// What rows without an id are named by, and from when lifetimes count.
    stamp: u64,
    now_ms: i64,
    number: u64,
}

impl Loading<'_> {
    /// Hands in the rows of a file.
    fn read(&mut self, input: Input, progress: &mut Progress, is_spoilt: bool) -> Result<OfFile, Failure> {
        let file = input.name();
        let mut rejects = Rejects::of(file.clone(), input.rejected_path());
        progress.follow(input.read_bytes());
        let (_, rows) = input.rows(self.asked.reading.reader(), &self.asked.reading.options())?;
        let mut received = 0;
        for batch in read_ahead(rows.batches()) {
            let batch =
                batch.map_err(|error| Failure::Failed(format!("cannot read {file}: {error}; nothing was taken in")))?;
            for row in batch.rows() {
                received += 1;
                progress.row();
                match row {
                    // Nothing will be taken any more: the rest is only looked at.
                    Ok(_) if self.asked.on_error == "abort" && (is_spoilt || rejects.count() > 0) => {}
                    Ok(row) => self.push(row)?,
                    Err(rejected) => {
                        progress.clear();
                        rejects.add(rejected)?;
                    }
                }
            }
        }
        Ok(OfFile { file, received, rejected: rejects.count(), rejected_rows: rejects.finish()?, rejected_missing: 0 })
    }

    fn push(&mut self, row: RowRef<'_>) -> Result<(), Failure> {
        self.number += 1;
        let mut made = None;
        let item = row.item(|| &*made.insert(row_id(self.stamp, self.number)), self.now_ms);
        let bulk = match &mut self.bulk {
            Some(bulk) => bulk,
            None => self.bulk.insert(self.engine.bulk(&self.asked.collection, None).map_err(|error| failed(&error))?),
        };
        bulk.push(item).map_err(|error| failed(&error))
    }
}

fn failed(error: &EngineError) -> Failure {
    Failure::Failed(format!("{error}; nothing was taken in"))
}

/// A number that no other import has.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(())
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn for_a_person(summary: &Summary) -> String {
    let Summary { collection, received, created, replaced, rejected, elapsed_ms, files, .. } = summary;
    let seconds = *elapsed_ms as f64 / 1000.0;
    let rate = grouped((*received as f64 / seconds.max(0.001)) as u64);
    let rows = |count: u64| if count == 1 { "1 row".to_owned() } else { format!("{} rows", grouped(count)) };
    let mut text = format!("{} read in {seconds:.1} s ({rate} a second)\n", rows(*received));
    text += &format!(
        "{collection}: {} new, {} replaced, {} rejected\n",
        grouped(*created),
        grouped(*replaced),
        grouped(*rejected)
    );
    if *rejected > 0 && created + replaced == 0 {
        text += "nothing was taken in\n";
    }
    for OfFile { file, rejected, rejected_rows, rejected_missing, .. } in files {
        let Some(path) = rejected_rows else { continue };
        text += &format!("{file}: {} rejected, see {}", rows(*rejected), path.display());
        text += &match rejected_missing {
            0 => "\n".to_owned(),
            missing => format!(", where {} of them are missing\n", grouped(*missing)),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_for_people_says_where_rejected_rows_are() {
        let files = vec![OfFile {
            file: "a.csv".into(),
            received: 2000,
            rejected: 1,
            rejected_rows: Some("a.csv.rejected.csv".into()),
            rejected_missing: 0,
        }];
        let mut summary = Summary {
            collection: "cafes".into(),
            received: 2000,
            created: 1990,
            replaced: 9,
            rejected: 1,
            seq: Some(7),
            elapsed_ms: 500,
            files,
        };
        assert_eq!(
            for_a_person(&summary),
            "2 000 rows read in 0.5 s (4 000 a second)\ncafes: 1 990 new, 9 replaced, 1 rejected\na.csv: 1 row rejected, see a.csv.rejected.csv\n"
        );
        let file = OfFile { rejected: 1200, rejected_missing: 1100, ..summary.files.remove(0) };
        summary.files.push(file);
        let text = for_a_person(&summary);
        assert!(
            text.ends_with("1 200 rows rejected, see a.csv.rejected.csv, where 1 100 of them are missing\n"),
            "{text}"
        );
    }
}
