//! The file of rows that were refused, beside the file they came from.
//!
//! What surprises: it is made when the first row is refused. Where none is, none is there to wonder about.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Failure, tell};
use crate::format::Rejected;
use crate::format::csv::{REJECTED_HEADER, write_rejected};

/// Refused rows that are told on standard error; the others are in the file.
const TOLD: u64 = 5;

/// Refused rows of one input.
pub(super) struct Rejects {
    input: String,
    path: PathBuf,
    file: Option<BufWriter<File>>,
    line: Vec<u8>,
    count: u64,
}

impl Rejects {
    /// None yet.
    pub(super) fn of(input: String, path: PathBuf) -> Rejects {
        Rejects { input, path, file: None, line: Vec::new(), count: 0 }
    }

    /// One more.
    pub(super) fn add(&mut self, rejected: &Rejected) -> Result<(), Failure> {
        self.count += 1;
        if self.count <= TOLD {
            tell(format_args!("{}: {rejected}", self.input));
        }
        self.write(rejected).map_err(|error| self.failed(&error))
    }

    fn write(&mut self, rejected: &Rejected) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let mut file = BufWriter::new(File::create(&self.path)?);
                file.write_all(REJECTED_HEADER)?;
                self.file.insert(file)
            }
        };
        self.line.clear();
        write_rejected(&mut self.line, rejected);
        file.write_all(&self.line)
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Where they are, if there are any.
    pub(super) fn finish(mut self) -> Result<Option<PathBuf>, Failure> {
        if let Some(file) = &mut self.file {
            let flushed = file.flush();
            flushed.map_err(|error| self.failed(&error))?;
        }
        Ok(self.file.is_some().then_some(self.path))
    }

    fn failed(&self, error: &io::Error) -> Failure {
        cannot_write(&self.path, error)
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot write the rejected rows to {}: {error}", path.display()))
}
