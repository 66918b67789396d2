//! The file of rows that were refused, beside the file they came from.
//!
//! What surprises: it is begun when the first row is refused, and has its name when the last one is known. Where none is, none is there to
//! wonder about, and an import that fails leaves none that looks whole.

use std::path::PathBuf;

use super::output::Output;
use super::{Failure, tell};
use crate::format::Rejected;
use crate::format::csv::{REJECTED_HEADER, write_rejected};

/// Refused rows that are told on standard error; the others are in the file.
const TOLD: u64 = 5;

/// Refused rows of one input.
pub(super) struct Rejects {
    input: String,
    path: PathBuf,
    file: Option<Output>,
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
        self.line.clear();
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                self.line.extend_from_slice(REJECTED_HEADER);
                self.file.insert(Output::open(Some(&self.path))?)
            }
        };
        write_rejected(&mut self.line, rejected);
        file.write(&self.line)
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Where they are, if there are any.
    pub(super) fn finish(self) -> Result<Option<PathBuf>, Failure> {
        let Some(file) = self.file else { return Ok(None) };
        file.finish()?;
        Ok(Some(self.path))
    }
}
