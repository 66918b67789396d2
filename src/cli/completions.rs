//! `nigh completions`: what a shell needs to complete `nigh` commands and their options.

use clap::{ArgMatches, Args, FromArgMatches};
use clap_complete::Shell;

use super::{Command, Failure, output, parser};

/// The registered command.
pub(super) const COMPLETIONS: Command = Command {
    name: "completions",
    summary: "Print completions for a shell",
    define: Completions::augment_args,
    run: completions,
};

#[derive(Debug, Args)]
struct Completions {
    /// Which shell
    shell: Shell,
}

fn completions(matches: &ArgMatches) -> Result<(), Failure> {
    let Completions { shell } = Completions::from_arg_matches(matches).expect("matched by its own parser");
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut parser(), "nigh", &mut script);
    output::print(script)
}
