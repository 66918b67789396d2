//! `nigh man`: the manual, as pages that `man` shows.
//!
//! What surprises: they are made from the same list as the parser and the help, so a command that is there has a page.

use std::path::PathBuf;

use clap::{Args, FromArgMatches};
use clap_mangen::Man;

use super::{COMMANDS, Command, Failure, output, parser};

/// The registered command.
pub(super) const MAN: Command = Command {
    name: "man",
    summary: "Print a page of the manual, or write all pages into a folder",
    define: Manual::augment_args,
    run: |matches| man(&Manual::from_arg_matches(matches).expect("matched by its own parser")),
};

#[derive(Debug, Args)]
struct Manual {
    /// The command whose page is printed [default: nigh itself]
    #[arg(value_name = "COMMAND", value_parser = |name: &str| known(name))]
    command: Option<String>,
    /// Write every page into this folder, which has to be there
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    all: Option<PathBuf>,
}

fn known(name: &str) -> Result<String, String> {
    let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    match names.contains(&name) {
        true => Ok(name.to_owned()),
        false => Err(format!("there is no such command; there are {}", names.join(", "))),
    }
}

fn man(asked: &Manual) -> Result<(), Failure> {
    if let Some(folder) = &asked.all {
        return clap_mangen::generate_to(parser(), folder)
            .map_err(|error| Failure::Failed(format!("cannot write into {}: {error}", folder.display())));
    }
    let mut whole = parser();
    whole.build();
    let command = match &asked.command {
        Some(name) => whole.find_subcommand(name).expect("it was looked up in the list").clone(),
        None => whole,
    };
    let mut page = Vec::new();
    Man::new(command).render(&mut page).expect("a buffer in memory takes everything");
    output::print(page)
}
