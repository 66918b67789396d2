//! `nigh bench`: which index kind suits some points, as a table, as JSON, and as one page to hand on.
//!
//! What surprises: nothing is measured here, that is [`measure`](crate::measure). This folder reads points, names the machine and
//! shows what was found.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, FromArgMatches};

use super::input::ReadArgs;
use super::output::{for_people, print};
use super::progress::Progress;
use super::{Command, Failure, tell};
use crate::generate::GENERATORS;
use crate::index::KINDS;
use crate::measure::{Course, measure};

mod document;
mod given;
mod machine;
mod report;
mod table;

use document::Document;
use given::Given;

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
#[command(after_help = "Ends with 3 where rows were rejected, and with 4 where answers of the kinds differ.")]
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
    #[command(flatten)]
    reading: ReadArgs,
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
        match (&self.file, &self.generate) {
            (Some(file), _) => given::from_file(file, &self.reading),
            (None, Some(generator)) => Ok(given::generated(generator, self.points.unwrap_or(1_000_000), SEED)),
            (None, None) => Ok(given::demo()),
        }
    }
}

fn bench(asked: &Bench) -> Result<(), Failure> {
    let given = asked.given()?;
    let course = Course { kinds: KINDS.iter().collect(), seconds: asked.seconds, seed: SEED };
    let mut progress = Progress::of(None);
    let findings = measure(&given.points, &course, &mut |stage| progress.stage(&stage.what, stage.share));
    drop(progress);
    let rejected = given.rejected;
    let document = Document::new(given, asked.seconds, findings);
    if !asked.no_html {
        report::write(&asked.html, &document)?;
    }
    let as_table = asked.table || (!asked.json && for_people(None));
    print(if as_table { table::text(&document) } else { document.to_json() + "\n" })?;
    if !asked.no_html {
        tell(format_args!("the report with plots and maps: {}", asked.html.display()));
    }
    outcome(document.agreed, rejected)
}

/// What a bench came to. Kinds that do not agree are a mistake of ours, and weigh more than rows that were refused.
fn outcome(agreed: bool, rejected: u64) -> Result<(), Failure> {
    match (agreed, rejected) {
        (false, _) => Err(Failure::Differs("the answers of the index kinds differ; please report it".to_owned())),
        (true, 0) => Ok(()),
        (true, rows) => Err(Failure::RowsRejected(rows)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_that_differ_are_a_difference_that_was_found_whatever_else_there_was() {
        let code = |agreed, rejected| outcome(agreed, rejected).map_or_else(|failure| failure.exit_code(), |()| 0);
        assert_eq!([code(true, 0), code(true, 2), code(false, 0), code(false, 2)], [0, 3, 4, 4]);
    }
}
