//! `nigh health`: whether a service is ready, for those who look after it and have no other client, such as a container.
//!
//! What surprises: it needs no key. Whether a service is there is nobody's secret.

use clap::{Args, FromArgMatches};

use super::remote::RemoteArgs;
use super::{Command, Failure, output};

/// The registered command.
pub(super) const HEALTH: Command = Command {
    name: "health",
    summary: "Ask a service whether it is ready; exit code 0 says yes",
    define: Health::augment_args,
    run: |matches| health(Health::from_arg_matches(matches).expect("matched by its own parser")),
};

/// Where a service usually listens.
const USUAL: &str = "http://127.0.0.1:6444";

#[derive(Debug, Args)]
#[command(after_help = "Without --url it is http://127.0.0.1:6444 that is asked.")]
struct Health {
    #[command(flatten)]
    remote: RemoteArgs,
}

fn health(mut asked: Health) -> Result<(), Failure> {
    asked.remote.url.get_or_insert_with(|| USUAL.to_owned());
    let service = asked.remote.service()?.expect("there is a URL");
    service.get_once("/readyz")?;
    output::print(format!("{} is ready\n", service.origin()))
}
