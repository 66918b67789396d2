//! `nigh key new`: a key for the service, shown once, and the lines for its file.
//!
//! What surprises: the two go different ways. The key is the one line on standard output, to be piped to where secrets are kept; what may
//! be seen goes to the file that `--file` names, or to standard error.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use clap::{ArgMatches, Args, FromArgMatches, Subcommand};

use super::{Command, Failure, output, tell};
use crate::http::{KeyEntry, Scope};

/// The registered command.
pub(super) const KEY: Command =
    Command { name: "key", summary: "Make keys that let into the service", define: Key::augment_args, run: key };

#[derive(Debug, Args)]
struct Key {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Make a key
    New(New),
}

#[derive(Debug, Args)]
struct New {
    /// Whose it is: 1 to 32 of a-z, 0-9 and -
    #[arg(long)]
    name: String,
    /// What it lets its holder do; each includes those before it
    #[arg(long, default_value = "read", value_parser = Scope::ALL.map(|(word, _)| word))]
    scope: String,
    /// In which collection, may be given several times; * is every one
    #[arg(long = "collection", required = true, value_name = "NAME")]
    collections: Vec<String>,
    /// The file of keys that gets its lines, made if it is not there
    #[arg(long)]
    file: Option<PathBuf>,
}

fn key(matches: &ArgMatches) -> Result<(), Failure> {
    let Task::New(new) = Key::from_arg_matches(matches).expect("matched by its own parser").task;
    let (_, scope) = Scope::ALL.into_iter().find(|(word, _)| *word == new.scope).expect("checked by the parser");
    let (secret, entry) = KeyEntry::make(&new.name, scope, &new.collections).map_err(Failure::Usage)?;
    match &new.file {
        Some(path) => {
            let opened = OpenOptions::new().create(true).append(true).open(path);
            opened
                .and_then(|mut file| file.write_all(format!("\n{}", entry.to_toml()).as_bytes()))
                .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", path.display())))?;
        }
        None => tell(format_args!(
            "add these lines to the file of keys, and send SIGHUP to the service:\n\n{}",
            entry.to_toml()
        )),
    }
    output::print(format!("{secret}\n"))
}
