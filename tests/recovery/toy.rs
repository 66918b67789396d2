//! A store so small that its faults are known: the history that proves the proof.
//!
//! Changes are the numbers 1, 2, 3, …: each is appended to `log` with a checksum, and every sixth time the last number goes
//! into `sum`, under a temporary name first, and the log is emptied.
//!
//! What surprises: the faults were all shipped by someone. Each is one line left out or moved.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use super::program::Note;
use super::promises::{Ledger, hold};

/// What is wrong with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    AcknowledgesBeforeSync,
    RenamesBeforeSync,
    LeavesTheFolderUnsynced,
    EmptiesTheLogFirst,
    BelievesHalfARecord,
}

pub(crate) const FAULTS: &[Fault] = &[
    Fault::None,
    Fault::AcknowledgesBeforeSync,
    Fault::RenamesBeforeSync,
    Fault::LeavesTheFolderUnsynced,
    Fault::EmptiesTheLogFirst,
    Fault::BelievesHalfARecord,
];

const RECORD: usize = 16;

fn record(number: u64) -> [u8; RECORD] {
    let mut bytes = [0; RECORD];
    bytes[..8].copy_from_slice(&(!number).to_le_bytes());
    bytes[8..].copy_from_slice(&number.to_le_bytes());
    bytes
}

/// Twenty changes, in a folder of the root.
pub(crate) fn write(root: &Path, fault: Fault) -> io::Result<()> {
    let mut ledger = Ledger::open();
    let mut log = OpenOptions::new().append(true).create(true).open(root.join("log"))?;
    File::open(root)?.sync_all()?;
    for number in 1..=20 {
        ledger.accepted(number);
        log.write_all(&record(number))?;
        if fault == Fault::AcknowledgesBeforeSync {
            ledger.acknowledged(number);
        }
        log.sync_data()?;
        if fault != Fault::AcknowledgesBeforeSync {
            ledger.acknowledged(number);
        }
        if number % 6 == 0 {
            sum_up(root, &log, number, fault)?;
        }
    }
    Ok(())
}

fn sum_up(root: &Path, log: &File, number: u64, fault: Fault) -> io::Result<()> {
    if fault == Fault::EmptiesTheLogFirst {
        log.set_len(0)?;
        log.sync_data()?;
    }
    let mut sum = File::create(root.join("sum.new"))?;
    sum.write_all(&record(number))?;
    if fault != Fault::RenamesBeforeSync {
        sum.sync_all()?;
    }
    fs::rename(root.join("sum.new"), root.join("sum"))?;
    if fault != Fault::LeavesTheFolderUnsynced {
        File::open(root)?.sync_all()?;
    }
    log.set_len(0)?;
    log.sync_data()
}

/// The last number that is there; numbers before it are there too, or it is an error.
fn read(root: &Path, fault: Fault) -> Result<u64, String> {
    let whole = |bytes: &[u8]| {
        let number = u64::from_le_bytes(bytes.get(8..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default());
        let whole = bytes == record(number) || fault == Fault::BelievesHalfARecord;
        whole.then_some(number)
    };
    let mut last = match fs::read(root.join("sum")) {
        Ok(bytes) => whole(&bytes).ok_or("the sum is not whole")?,
        Err(_) => 0,
    };
    let log = fs::read(root.join("log")).unwrap_or_default();
    for number in log.chunks(RECORD).map_while(whole) {
        if number == 0 || number > last + 1 {
            return Err(format!("{number} follows {last}"));
        }
        last = last.max(number);
    }
    Ok(last)
}

pub(crate) fn check(root: &Path, notes: &[Note], fault: Fault) -> Result<(), String> {
    hold(notes, read(root, fault)?)
}
