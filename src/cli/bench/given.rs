//! The points of a bench: from a file or standard input by the readers that bulk loading has, from a generator, or the demo cities.
//!
//! What surprises: only places are kept. Ids and properties are read, so that rows are refused as an import would refuse them, and
//! then forgotten.

use std::path::Path;

use serde::Serialize;

use super::super::input::{Input, ReadArgs};
use super::super::{Failure, tell};
use crate::format::Rejected;
use crate::generate::{Random, cities, generator_named};
use crate::geometry::Point;

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
pub(super) fn from_file(path: &Path, reading: &ReadArgs) -> Result<Given, Failure> {
    let input = Input::open(path)?;
    let name = input.name();
    let mut given = Given::of(&name, if path == Path::new("-") { "stdin" } else { "file" }, Vec::new());
    let (_, rows) = input.rows(reading.reader(), &reading.options())?;
    for batch in rows.batches() {
        for row in batch.map_err(|error| Failure::Failed(format!("cannot read {name}: {error}")))?.rows() {
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
