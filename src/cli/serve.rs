//! `nigh serve`: the service, over HTTP, from a data directory.

use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use clap::{Args, FromArgMatches};

use super::{Command, Failure, demo};
use crate::engine::{CollectionName, Engine, Settings};
use crate::http::{self, Options, ServeError};

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
    let (directory, no_demo) = (asked.data_dir.clone(), asked.no_demo);
    let open = move || open(&directory, no_demo).map(Arc::new);
    let opened: Arc<OnceLock<Arc<Engine>>> = Arc::default();
    let keep = opened.clone();
    let started = move |engine: &Arc<Engine>, addresses: &[SocketAddr]| {
        let _ = keep.set(engine.clone());
        let has_default = engine.snapshot(&CollectionName::default()).is_ok();
        match announce(addresses, has_default) {
            // Nobody reads the address; somebody may know it all the same.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            announced => announced,
        }
    };
    let options = Options { listen: addresses, ..Options::default() };
    let served = http::serve(options, open, started).map_err(|error| match error {
        ServeError::Open(failure) => failure,
        error => {
            Failure::Failed(format!("cannot serve on {}: {error}; --listen takes another ADDR:PORT", asked.listen))
        }
    });
    let closed = opened.get().map_or(Ok(()), |engine| engine.close());
    served?;
    closed.map_err(|error| Failure::Failed(format!("closing the data directory: {error}")))
}

/// Opens the data directory, with the demo in it when it is new.
fn open(directory: &Path, no_demo: bool) -> Result<Engine, Failure> {
    let open = Engine::open(directory, Settings::default());
    let engine = open.map_err(|error| Failure::Failed(format!("cannot open the data directory: {error}")))?;
    if engine.names().is_empty() && !no_demo {
        demo::load(&engine).map_err(|error| Failure::Failed(format!("cannot load the demo: {error}")))?;
    }
    Ok(engine)
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
