//! Rows that cannot be carried: counted, shown by example, and written to a file as lines of JSON.
//!
//! What surprises: the file is begun anew with every whole reading of the source, and is not there when nothing was refused. At the end it
//! holds what the last reading refused, and not what has been mended since.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use serde::Serialize;

use super::super::Failure;
use super::source::Refused;

/// Examples that are shown of each kind.
const SHOWN: usize = 5;

/// What was refused.
pub(super) struct Rejects {
    /// Where it is written, if anywhere.
    path: Option<PathBuf>,
    file: Option<BufWriter<File>>,
    pub(super) count: u64,
    pub(super) kinds: BTreeMap<&'static str, Kind>,
}

/// Rows refused for one reason.
#[derive(Debug, Default, Clone, Serialize)]
pub(super) struct Kind {
    pub(super) rows: u64,
    pub(super) examples: Vec<String>,
}

/// A row as it is written down.
#[derive(Serialize)]
struct Line<'a> {
    row: &'a str,
    code: &'a str,
    value: Option<&'a str>,
    detail: &'a str,
    hint: Option<&'a str>,
}

impl Rejects {
    pub(super) fn new(path: Option<PathBuf>) -> Rejects {
        Rejects { path, file: None, count: 0, kinds: BTreeMap::new() }
    }

    /// Where refused rows are written, once there are any.
    pub(super) fn path(&self) -> Option<&PathBuf> {
        self.path.as_ref().filter(|_| self.count > 0)
    }

    /// Begins anew, with a new reading of the source.
    pub(super) fn restart(&mut self) -> Result<(), Failure> {
        (self.file, self.count, self.kinds) = (None, 0, BTreeMap::new());
        let Some(path) = &self.path else { return Ok(()) };
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.unwritten(&error)),
            _ => Ok(()),
        }
    }

    /// Notes a row.
    pub(super) fn add(&mut self, Refused { place, fault }: &Refused) -> Result<(), Failure> {
        self.count += 1;
        let kind = self.kinds.entry(fault.code).or_default();
        kind.rows += 1;
        if kind.examples.len() < SHOWN {
            kind.examples.push(format!("{place}: {fault}"));
        }
        let Some(path) = &self.path else { return Ok(()) };
        if self.file.is_none() {
            let made = File::options().create(true).append(true).open(path);
            self.file = Some(BufWriter::new(made.map_err(|error| self.unwritten(&error))?));
        }
        let (value, hint) = (fault.value.as_deref(), fault.hint.as_deref());
        let line = Line { row: place, code: fault.code, value, detail: &fault.detail, hint };
        let mut text = serde_json::to_vec(&line).expect("texts are JSON");
        text.push(b'\n');
        let written = self.file.as_mut().expect("just opened").write_all(&text);
        written.map_err(|error| self.unwritten(&error))
    }

    /// Hands what was noted to the system.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        let flushed = self.file.as_mut().map_or(Ok(()), Write::flush);
        flushed.map_err(|error| self.unwritten(&error))
    }

    fn unwritten(&self, error: &io::Error) -> Failure {
        let path = self.path.as_deref().unwrap_or("rejected rows".as_ref());
        Failure::Failed(format!("cannot write {}: {error}", path.display()))
    }
}
