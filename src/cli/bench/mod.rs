//! `nigh bench`: which index kind suits some points, as a table, as JSON, and as one page to hand on.
//!
//! What surprises: nothing is measured here, that is [`measure`](crate::measure). This folder reads points, names the machine and
//! shows what was found.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, FromArgMatches};

use super::{Command, Failure, tell};
use crate::format::{READERS, ReadOptions};
use crate::generate::GENERATORS;
use crate::index::KINDS;
use crate::measure::{Course, measure};

mod document;
mod input;
mod machine;
mod progress;
mod report;
mod table;

use document::Document;
use input::Given;

/// The registered command.
pub(super) const BENCH: Command = Command {
    name: "bench",
    summary: "Find out which index kind suits your points",
    define: Bench::augment_args,
    run: |matches| bench(&Bench::from_arg_matches(matches).expect("matched by its own parser")),
};

/// The most points that can be made: some 300 bytes each, while they are measured.
const POINTS_MAX: usize = 100_000_000;

/// Where the seed of all questions and of generated points begins.
const SEED: u64 = 1;

#[derive(Debug, Args)]
struct Bench {
    /// Your points: CSV, NDJSON or GeoJSON, plain, gzip or zstd; - is standard input; without it, the demo cities
    file: Option<PathBuf>,
    /// Make points instead of reading them
    #[arg(long, value_name = "GENERATOR", conflicts_with = "file", value_parser = generator_names())]
    generate: Option<String>,
    /// How many points to make [default: 1000000]
    #[arg(long, value_name = "N", requires = "generate", value_parser = point_count)]
    points: Option<usize>,
    /// About how long to measure, beside reading and building
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    seconds: f64,
    /// The column of the latitude, where it has another name than lat, latitude or y
    #[arg(long, value_name = "NAME")]
    lat_col: Option<String>,
    /// The column of the longitude, where it has another name than lon, lng, long, longitude or x
    #[arg(long, value_name = "NAME")]
    lon_col: Option<String>,
    /// The column of the id, where it has another name than id, key or uuid
    #[arg(long, value_name = "NAME")]
    id_col: Option<String>,
    /// What stands between the fields of CSV, where that is not told by the header
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<char>,
    /// What the file is, where neither its name nor its first bytes tell
    #[arg(long, value_parser = reader_names())]
    format: Option<String>,
    /// Print JSON, as is done anyway where the output is no terminal
    #[arg(long, conflicts_with = "table")]
    json: bool,
    /// Print the table, also where the output is no terminal
    #[arg(long)]
    table: bool,
    /// Where the report goes
    #[arg(long, value_name = "FILE", default_value = "nigh-bench.html")]
    html: PathBuf,
    /// Write no report
    #[arg(long, conflicts_with = "html")]
    no_html: bool,
}

fn generator_names() -> PossibleValuesParser {
    GENERATORS.iter().map(|generator| generator.name).collect::<Vec<_>>().into()
}

fn reader_names() -> PossibleValuesParser {
    READERS.iter().map(|reader| reader.name).collect::<Vec<_>>().into()
}

fn point_count(text: &str) -> Result<usize, String> {
    let count = text.replace('_', "").parse().ok().filter(|count| *count <= POINTS_MAX);
    count.ok_or_else(|| format!("write a whole number from 0 to {POINTS_MAX}"))
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0 && *seconds <= 3600.0);
    seconds.ok_or_else(|| "write a number of seconds above 0 and up to 3600".to_owned())
}

impl Bench {
    fn given(&self) -> Result<Given, Failure> {
        let delimiter = self.delimiter.map(|delimiter| u8::try_from(delimiter).unwrap_or(b'"'));
        let options = ReadOptions {
            lat_column: self.lat_col.clone(),
            lon_column: self.lon_col.clone(),
            id_column: self.id_col.clone(),
            delimiter,
        };
        match (&self.file, &self.generate) {
            (Some(file), _) => input::from_file(file, &options, self.format.as_deref()),
            (None, Some(generator)) => Ok(input::generated(generator, self.points.unwrap_or(1_000_000), SEED)),
            (None, None) => Ok(input::demo()),
        }
    }
}

fn bench(asked: &Bench) -> Result<(), Failure> {
    let given = asked.given()?;
    let course = Course { kinds: KINDS.iter().collect(), seconds: asked.seconds, seed: SEED };
    let mut progress = progress::Progress::begin();
    let findings = measure(&given.points, &course, &mut |stage| progress.tell(&stage));
    drop(progress);
    let rejected = given.rejected;
    let document = Document::new(given, asked.seconds, findings);
    if !asked.no_html {
        report::write(&asked.html, &document)
            .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", asked.html.display())))?;
    }
    let as_table = asked.table || (!asked.json && io::stdout().is_terminal());
    print(&if as_table { table::text(&document) } else { document.to_json() + "\n" })?;
    if !asked.no_html {
        tell(format_args!("the report with plots and maps: {}", asked.html.display()));
    }
    match (document.agreed, rejected) {
        (false, _) => Err(Failure::Failed("the answers of the index kinds differ".to_owned())),
        (true, 0) => Ok(()),
        (true, rows) => Err(Failure::RowsRejected(rows)),
    }
}

/// Whoever reads may have seen enough.
fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Failed(format!("cannot write: {error}")))
        }
        _ => Ok(()),
    }
}
