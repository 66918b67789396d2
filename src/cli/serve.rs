//! `nigh serve`: the service, over HTTP, from a data directory.

use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, FromArgMatches};

use super::{Command, Failure, demo};
use crate::engine::{CollectionName, Engine, Settings};
use crate::http;

/// The registered command.
pub(super) const SERVE: Command = Command {
    name: "serve",
    summary: "Answer questions over HTTP, from a data directory",
    define: Serve::augment_args,
    run: |matches| serve(&Serve::from_arg_matches(matches).expect("matched by its own parser")),
};

#[derive(Debug, Args)]
struct Serve {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:6444")]
    listen: String,
    /// Where the data is kept; made if it is not there
    #[arg(long, value_name = "DIR", default_value = "nigh-data")]
    data_dir: PathBuf,
    /// Begin without the demo collections
    #[arg(long)]
    no_demo: bool,
}

fn serve(asked: &Serve) -> Result<(), Failure> {
    let addresses: Vec<SocketAddr> = match asked.listen.to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            return Err(Failure::Usage(format!(
                "cannot listen on {:?}: {error}; write --listen ADDR:PORT, as in 127.0.0.1:6444",
                asked.listen
            )));
        }
    };
    let open = Engine::open(&asked.data_dir, Settings::default());
    let engine = Arc::new(open.map_err(|error| Failure::Failed(format!("cannot open the data directory: {error}")))?);
    if engine.names().is_empty() && !asked.no_demo {
        demo::load(&engine).map_err(|error| Failure::Failed(format!("cannot load the demo: {error}")))?;
    }
    let has_default = engine.snapshot(&CollectionName::default()).is_ok();
    let started = |addresses: &[SocketAddr]| match announce(addresses, has_default) {
        // Nobody reads the address; somebody may know it all the same.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        announced => announced,
    };
    http::serve(engine.clone(), &addresses, started).map_err(|error| {
        Failure::Failed(format!("cannot serve on {}: {error}; --listen takes another ADDR:PORT", asked.listen))
    })?;
    engine.close().map_err(|error| Failure::Failed(format!("closing the data directory: {error}")))
}

/// Says where the service is, and what to try first.
fn announce(addresses: &[SocketAddr], has_default: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for address in addresses {
        writeln!(out, "nigh listens on http://{address}")?;
    }
    if let Some(address) = addresses.first() {
        let question = if has_default { "/near?lat=48.857&lon=2.352" } else { "/" };
        writeln!(out, "try: curl 'http://{address}{question}'")?;
    }
    out.flush()
}
