//! `nigh backup` and `nigh restore`: everything in a data directory at one moment, and a data directory of that.
//!
//! What surprises: they take nothing that is there. A backup and a restored directory each come to be where there is nothing yet, whole or
//! not at all.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::{Args, FromArgMatches};
use serde::Serialize;

use super::directory::{self, HeldArgs, path_or_usual, refused_alone};
use super::interrupt::Unfinished;
use super::{Command, Failure, output};
use crate::engine::{BackupError, CollectionBackup, restore as restore_directory};

/// The registered commands.
pub(super) const BACKUP: Command = Command {
    name: "backup",
    summary: "Copy everything in a data directory to a new place, with checksums",
    define: Backup::augment_args,
    run: |matches| backup(&Backup::from_arg_matches(matches).expect("matched by its own parser")),
};
pub(super) const RESTORE: Command = Command {
    name: "restore",
    summary: "Make a data directory of a backup, after verifying all of it",
    define: Restore::augment_args,
    run: |matches| restore(&Restore::from_arg_matches(matches).expect("matched by its own parser")),
};

#[derive(Debug, Args)]
struct Backup {
    /// Where the backup comes to be; there must be nothing yet
    #[arg(value_name = "TO")]
    to: PathBuf,
    #[command(flatten)]
    directory: HeldArgs,
    /// Print JSON, as where nobody looks
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Restore {
    /// The backup
    #[arg(value_name = "FROM")]
    from: PathBuf,
    /// Where the data directory comes to be; there must be nothing yet [default: nigh-data; variable NIGH_DATA_DIR]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Print JSON, as where nobody looks
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    path: String,
    collections: Vec<Collection>,
    rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_at_ms: Option<i64>,
}

#[derive(Serialize)]
struct Collection {
    name: String,
    items: u64,
    seq: u64,
}

fn backup(asked: &Backup) -> Result<(), Failure> {
    let engine = directory::open_alone(&asked.directory.path())?;
    let _building = Unfinished::beside(&asked.to, ".new");
    let taken = engine.backup(&asked.to).map_err(|error| not_done(&error))?;
    engine.close().map_err(|error| Failure::Failed(format!("closing the data directory: {error}")))?;
    let report = Report {
        path: asked.to.display().to_string(),
        collections: collections(&taken.collections),
        rows: taken.rows,
        bytes: Some(taken.bytes),
        taken_at_ms: None,
    };
    tell_of(&report, "backed up to", asked.json)
}

fn restore(asked: &Restore) -> Result<(), Failure> {
    let to = path_or_usual(asked.data_dir.as_deref());
    let _building = Unfinished::beside(&to, ".new");
    let made = restore_directory(&asked.from, &to).map_err(|error| not_done(&error))?;
    let report = Report {
        path: to.display().to_string(),
        collections: collections(&made.collections),
        rows: made.rows,
        bytes: None,
        taken_at_ms: Some(made.taken_at_ms),
    };
    tell_of(&report, "restored to", asked.json)
}

fn collections(taken: &[CollectionBackup]) -> Vec<Collection> {
    let collection = |one: &CollectionBackup| Collection { name: one.name.clone(), items: one.sum.items, seq: one.seq };
    taken.iter().map(collection).collect()
}

/// What is damaged or differs is found by comparing; the rest is a failure.
fn not_done(error: &BackupError) -> Failure {
    match error {
        BackupError::Damaged { .. } | BackupError::Differs { .. } => Failure::Differs(error.to_string()),
        BackupError::Open(error) => refused_alone(error),
        error => Failure::Failed(error.to_string()),
    }
}

fn tell_of(report: &Report, what: &str, json: bool) -> Result<(), Failure> {
    if json || !std::io::stdout().is_terminal() {
        return output::print(serde_json::to_string(report).expect("texts and numbers are always JSON") + "\n");
    }
    let mut text = String::new();
    for Collection { name, items, seq } in &report.collections {
        text.push_str(&format!("{name}: {items} items, up to change {seq}\n"));
    }
    text.push_str(&format!("{what} {}\n", Path::new(&report.path).display()));
    output::print(text)
}
