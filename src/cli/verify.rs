//! `nigh verify`: everything in a data directory read, and each part held against the others.
//!
//! What surprises: a difference is an exit code of its own, 4, so that whoever runs it at night can tell it from a disk that was not there.

use std::io::IsTerminal;

use clap::{Args, FromArgMatches};
use serde::Serialize;

use super::directory::refused_alone;
use super::interrupt::Unfinished;
use super::table::Table;
use super::{Command, Failure, directory, output};
use crate::engine::{Verified, verify as verify_directory};

/// The registered command.
pub(super) const VERIFY: Command = Command {
    name: "verify",
    summary: "Read everything in a data directory and hold each part against the others",
    define: Verify::augment_args,
    run: |matches| verify(&Verify::from_arg_matches(matches).expect("matched by its own parser")),
};

#[derive(Debug, Args)]
struct Verify {
    #[command(flatten)]
    directory: directory::HeldArgs,
    /// Print JSON, as where nobody looks
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    sound: bool,
    commits: u64,
    frames: u64,
    collections: Vec<Collection<'a>>,
    differences: &'a [String],
}

#[derive(Serialize)]
struct Collection<'a> {
    name: &'a str,
    items: u64,
    seq: u64,
    questions: u64,
}

fn verify(asked: &Verify) -> Result<(), Failure> {
    let path = asked.directory.path();
    let _twin = Unfinished::beside(&path, ".verify");
    let found = verify_directory(&path).map_err(|error| refused_alone(&error))?;
    let for_people = !asked.json && std::io::stdout().is_terminal();
    output::print(if for_people { for_reading(&found) } else { as_json(&found) })?;
    match found.differences.len() {
        0 => Ok(()),
        1 => Err(Failure::Differs(format!("1 difference in {}; nigh repair mends what can be", path.display()))),
        many => {
            Err(Failure::Differs(format!("{many} differences in {}; nigh repair mends what can be", path.display())))
        }
    }
}

fn as_json(found: &Verified) -> String {
    let collection =
        |one: &crate::engine::VerifiedCollection| (one.name.to_string(), one.rows.items, one.seq, one.questions);
    let collections: Vec<_> = found.collections.iter().map(collection).collect();
    let report = Report {
        sound: found.is_sound(),
        commits: found.commits,
        frames: found.frames,
        collections: collections
            .iter()
            .map(|(name, items, seq, questions)| Collection { name, items: *items, seq: *seq, questions: *questions })
            .collect(),
        differences: &found.differences,
    };
    serde_json::to_string(&report).expect("texts and numbers are always JSON") + "\n"
}

fn for_reading(found: &Verified) -> String {
    let column = |name: &str, cell: &dyn Fn(&crate::engine::VerifiedCollection) -> String| {
        (name.to_owned(), found.collections.iter().map(cell).collect::<Vec<_>>())
    };
    let table = Table::new(vec![
        column("collection", &|one| one.name.to_string()),
        column("items", &|one| one.rows.items.to_string()),
        column("last change", &|one| one.seq.to_string()),
        column("questions to every kind", &|one| one.questions.to_string()),
    ]);
    let mut text = table.to_text(output::in_colour(None));
    for difference in &found.differences {
        text.push_str(&format!("DIFFERS  {difference}\n"));
    }
    if found.is_sound() {
        text.push_str("rows, files, log and index kinds agree\n");
    }
    text
}
