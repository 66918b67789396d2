//! `nigh repair`: a damaged data directory made sound again, after all of it was copied aside.
//!
//! What surprises: when something is lost the exit code is 4 although the work is done. A script must not take that for a repair that
//! cost nothing.

use std::io::IsTerminal;

use clap::{Args, FromArgMatches};
use serde::Serialize;

use super::directory::{HeldArgs, refused_alone};
use super::{Command, Failure, output};
use crate::engine::repair as repair_directory;

/// The registered command.
pub(super) const REPAIR: Command = Command {
    name: "repair",
    summary: "Make a damaged data directory sound again, after copying all of it aside",
    define: Repair::augment_args,
    run: |matches| repair(&Repair::from_arg_matches(matches).expect("matched by its own parser")),
};

#[derive(Debug, Args)]
struct Repair {
    #[command(flatten)]
    directory: HeldArgs,
    /// Print JSON, as where nobody looks
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    aside: String,
    collections: Vec<(String, u64)>,
    mended: Vec<String>,
    lost: Vec<String>,
}

fn repair(asked: &Repair) -> Result<(), Failure> {
    let path = asked.directory.path();
    let repaired = repair_directory(&path).map_err(|error| refused_alone(&error))?;
    let report = Report {
        aside: repaired.aside.display().to_string(),
        collections: repaired.collections.iter().map(|(name, items)| (name.to_string(), *items)).collect(),
        mended: repaired.mended,
        lost: repaired.lost,
    };
    let for_people = !asked.json && std::io::stdout().is_terminal();
    let json = || serde_json::to_string(&report).expect("texts and numbers are always JSON") + "\n";
    output::print(if for_people { for_reading(&report) } else { json() })?;
    match report.lost.len() {
        0 => Ok(()),
        _ => Err(Failure::Differs(format!("something is lost; as it was before, all of it is in {}", report.aside))),
    }
}

fn for_reading(report: &Report) -> String {
    let mut text = String::new();
    let mut line = |what: &str, rest: &str| text.push_str(&format!("{what:<8} {rest}\n"));
    report.mended.iter().for_each(|mended| line("mended", mended));
    report.lost.iter().for_each(|lost| line("LOST", lost));
    report.collections.iter().for_each(|(name, items)| line("holds", &format!("{name}: {items} items")));
    line("before", &format!("{}; remove it when you do not need it any more", report.aside));
    text
}
