//! What a history promised in its ledger: `accepted n` before change n is handed in, `acknowledged n` after the answer.
//!
//! What surprises: change n may be on the disk though only `accepted` stands in the ledger, and must be there only once
//! `acknowledged` does. Between the two, both are right; nothing else is.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use super::program::Note;

/// The ledger as the history writes it.
pub(crate) struct Ledger {
    file: File,
}

impl Ledger {
    /// The ledger that the environment names.
    pub(crate) fn open() -> Self {
        let path = PathBuf::from(std::env::var_os("DISK_LEDGER").expect("run above the preloaded library"));
        Self { file: File::options().append(true).create(true).open(path).expect("the ledger can be opened") }
    }

    pub(crate) fn accepted(&mut self, number: u64) {
        self.line(&format!("accepted {number}\n"));
    }

    pub(crate) fn acknowledged(&mut self, number: u64) {
        self.line(&format!("acknowledged {number}\n"));
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.file.write_all(line.as_bytes()).expect("the ledger can be written");
    }
}

/// The last change that was acknowledged, and the last that was accepted; 0 where there is none.
pub(crate) fn promised(notes: &[Note]) -> (u64, u64) {
    let last = |word| {
        let numbers = notes.iter().filter_map(|note| note.0.strip_prefix(word)?.trim().parse().ok());
        numbers.max().unwrap_or(0)
    };
    (last("acknowledged"), last("accepted"))
}

/// Complains unless what is there ends between the two.
pub(crate) fn hold(notes: &[Note], there: u64) -> Result<(), String> {
    let (acknowledged, accepted) = promised(notes);
    if there < acknowledged {
        return Err(format!("{acknowledged} was acknowledged, and only {there} is there"));
    }
    if there > accepted {
        return Err(format!("{there} is there, and only {accepted} was accepted"));
    }
    Ok(())
}
