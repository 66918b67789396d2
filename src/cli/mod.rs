//! The command line: `nigh` and what can follow it.
//!
//! What surprises: there is no list of commands but [`COMMANDS`]. The parser, the help and the completions are made from it,
//! and `nigh` alone is its first.
//!
//! # Adding a command
//!
//! One new file that ends in a constant of type [`Command`]; then two neighbouring lines below, its `mod` and its place in
//! the list.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::ArgMatches;

use crate::collection::limit_joins;

mod backup;
mod bench;
mod completions;
mod demo;
mod directory;
mod distance;
mod export;
mod health;
mod import;
mod input;
mod interrupt;
mod key;
mod logs;
mod man;
mod memory;
mod migrate;
mod output;
mod progress;
mod query;
mod rejects;
mod remote;
mod repair;
mod serve;
mod settings;
mod sources;
mod table;
mod upload;
mod verify;

pub use settings::{SETTINGS, Setting};

/// Every command; the first is meant when none is given.
pub static COMMANDS: &[Command] = &[
    serve::SERVE,
    import::IMPORT,
    export::EXPORT,
    query::QUERY,
    bench::BENCH,
    migrate::MIGRATE,
    verify::VERIFY,
    repair::REPAIR,
    backup::BACKUP,
    backup::RESTORE,
    distance::DISTANCE,
    key::KEY,
    health::HEALTH,
    completions::COMPLETIONS,
    man::MAN,
];

/// A command of `nigh`.
#[derive(Debug)]
pub struct Command {
    /// What one types.
    pub name: &'static str,
    /// One sentence on what it does.
    pub summary: &'static str,
    /// Adds its arguments to the parser.
    define: fn(clap::Command) -> clap::Command,
    run: fn(&ArgMatches) -> Result<(), Failure>,
}

/// Why a command did not do all it was asked for. The exit codes are contract.
#[derive(Debug)]
enum Failure {
    /// It went wrong: exit code 1.
    Failed(String),
    /// It was asked wrongly: exit code 2, as for arguments that the parser refuses.
    Usage(String),
    /// Some rows were refused, each with a message of its own; the others are done: exit code 3.
    RowsRejected(u64),
    /// Something was compared and is not the same: exit code 4.
    Differs(String),
    /// Nobody reads the output any more. They have seen enough: exit code 0, without a word.
    NobodyReads,
}

impl Failure {
    fn exit_code(&self) -> u8 {
        match self {
            Failure::NobodyReads => 0,
            Failure::Failed(_) => 1,
            Failure::Usage(_) => 2,
            Failure::RowsRejected(_) => 3,
            Failure::Differs(_) => 4,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Failed(message) | Failure::Usage(message) | Failure::Differs(message) => f.write_str(message),
            Failure::NobodyReads => f.write_str("nobody reads any more"),
            Failure::RowsRejected(1) => f.write_str("1 row was rejected"),
            Failure::RowsRejected(rows) => write!(f, "{rows} rows were rejected"),
        }
    }
}

/// Runs what the command line asks for.
pub fn main() -> ExitCode {
    let matches = parser().get_matches_from(std::env::args_os().map(southern));
    let (command, matches) = match matches.subcommand() {
        Some((name, matches)) => {
            (COMMANDS.iter().find(|command| command.name == name).expect("parsed from the list"), matches)
        }
        None => (&COMMANDS[0], &matches),
    };
    limit_joins(memory::for_building_bytes());
    match (command.run)(matches) {
        Ok(()) | Err(Failure::NobodyReads) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(format_args!("nigh {}: {failure}", command.name));
            ExitCode::from(failure.exit_code())
        }
    }
}

/// A line on standard error. When nobody reads it any more, the work goes on.
fn tell(message: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{message}");
}

/// `-33.8,151.2` is a position in the south and no option: a space before it tells the parser so, and numbers are trimmed.
fn southern(argument: OsString) -> OsString {
    let negative = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or_default();
        digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
    };
    if argument.to_str().is_some_and(negative) {
        let mut spaced = OsString::from(" ");
        spaced.push(argument);
        return spaced;
    }
    argument
}

/// The parser: every command with its arguments, and the arguments of the first one without its name.
fn parser() -> clap::Command {
    let top = clap::Command::new("nigh")
        .version(env!("CARGO_PKG_VERSION"))
        .about("What is near here? Exact, ordered proximity search.")
        .after_help("nigh alone is nigh serve.\nExit codes: 0 fine, 1 failure, 2 usage, 3 some rows rejected, 4 verification found a difference.")
        .args_conflicts_with_subcommands(true);
    // The sentence comes last: arguments that several commands share bring their own.
    let define = |command: &Command| (command.define)(clap::Command::new(command.name)).about(command.summary);
    (COMMANDS[0].define)(top).subcommands(COMMANDS.iter().map(define))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parser_is_sound_and_alone_it_serves() {
        parser().debug_assert();
        let alone = parser().try_get_matches_from(["nigh", "--listen", "127.0.0.1:1"]).unwrap();
        assert!(alone.subcommand().is_none());
        assert!(parser().try_get_matches_from(["nigh", "--no-demo", "distance"]).is_err());
    }
}
