//! The points of a bench: from a file or standard input by the readers that bulk loading has, from a generator, or the demo cities.
//!
//! What surprises: only places are kept. Ids and properties are read, so that rows are refused as an import would refuse them, and
//! then forgotten.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use serde::Serialize;

use super::super::{Failure, tell};
use crate::format::{
    HeaderError, ReadOptions, Reader, Rejected, Rows, Source, coding_for_file, reader_for_file, reader_named, sniff,
    sniff_coding,
};
use crate::generate::{Random, cities, generator_named};
use crate::geometry::Point;

/// How many bytes tell what a file is.
const FIRST_BYTES: usize = 1 << 16;

/// How many refused rows are told one by one.
const TOLD_MAX: usize = 10;

/// Points, and where they came from.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) name: String,
    pub(super) origin: &'static str,
    pub(super) points: Vec<Point>,
    pub(super) rejected: u64,
    pub(super) first_rejected: Vec<Refused>,
}

/// A row that was refused.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Refused {
    line: u64,
    code: &'static str,
    detail: String,
}

impl Given {
    fn of(name: &str, origin: &'static str, points: Vec<Point>) -> Given {
        Given { name: name.to_owned(), origin, points, rejected: 0, first_rejected: Vec::new() }
    }
}

pub(super) fn demo() -> Given {
    Given::of("the demo cities", "demo", cities().iter().map(|city| city.point).collect())
}

pub(super) fn generated(name: &str, count: usize, seed: u64) -> Given {
    let generator = generator_named(name).expect("the parser knows the list");
    Given::of(
        &format!("{name} ({})", generator.summary),
        "generated",
        (generator.make)(&mut Random::seeded(seed), count),
    )
}

/// Reads a file, or standard input where it is called `-`. Refused rows are told on standard error.
pub(super) fn from_file(path: &Path, options: &ReadOptions, format: Option<&str>) -> Result<Given, Failure> {
    let is_stdin = path.as_os_str() == "-";
    let name = if is_stdin { "standard input".to_owned() } else { path.display().to_string() };
    let refuse = |reason: String| Failure::Failed(format!("cannot read {name}: {reason}"));
    let failed = |error: io::Error| refuse(error.to_string());
    let source: Source = if is_stdin { Box::new(io::stdin()) } else { Box::new(File::open(path).map_err(failed)?) };
    let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let rows = open(source, file_name, options, format).map_err(|error| refuse(error.to_string()))?;
    let mut given = Given::of(&name, if is_stdin { "stdin" } else { "file" }, Vec::new());
    for batch in rows.batches() {
        for row in batch.map_err(failed)?.rows() {
            match row {
                Ok(item) => given.points.push(item.point()),
                Err(row) => given.refuse(row),
            }
        }
    }
    let untold = given.rejected.saturating_sub(TOLD_MAX as u64);
    if untold > 0 {
        tell(format_args!("and {untold} more"));
    }
    Ok(given)
}

impl Given {
    fn refuse(&mut self, row: &Rejected) {
        self.rejected += 1;
        if self.first_rejected.len() < TOLD_MAX {
            tell(format_args!("{row}"));
            self.first_rejected.push(Refused { line: row.line, code: row.code, detail: row.detail.clone() });
        }
    }
}

/// Finds out what some bytes are, and begins to read them.
fn open(source: Source, file_name: &str, options: &ReadOptions, format: Option<&str>) -> Result<Rows, HeaderError> {
    let (first, source) = peek(source)?;
    let (source, file_name) = match sniff_coding(&first) {
        Some(coding) => ((coding.decode)(source), coding_for_file(file_name).map_or(file_name, |(_, inner)| inner)),
        None => (source, file_name),
    };
    let (first, source) = peek(source)?;
    let named = format.and_then(reader_named).or_else(|| reader_for_file(file_name));
    // What is nothing else is read as CSV, which says best what is missing.
    let reader: &Reader = named.or_else(|| sniff(&first)).or_else(|| reader_named("csv")).expect("csv is a reader");
    (reader.open)(source, options)
}

/// The first bytes, and a source that still has them.
fn peek(mut source: Source) -> io::Result<(Vec<u8>, Source)> {
    let mut first = Vec::new();
    (&mut source).take(FIRST_BYTES as u64).read_to_end(&mut first)?;
    Ok((first.clone(), Box::new(Cursor::new(first).chain(source))))
}
