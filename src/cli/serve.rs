//! `nigh serve`: the service, over HTTP, from a data directory.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use clap::{Arg, ArgAction, ArgMatches};

use super::settings::{SETTINGS, Setting};
use super::sources::Choices;
use super::{Command, Failure, demo, logs, memory};
use crate::engine::{CollectionName, Engine, Settings};
use crate::http::{self, ServeError};

/// The registered command.
pub(super) const SERVE: Command =
    Command { name: "serve", summary: "Answer questions over HTTP, from a data directory", define, run: serve };

const CONFIG: &str = "config";
const PRINT_CONFIG: &str = "print-config";

fn define(command: clap::Command) -> clap::Command {
    command
        .args(SETTINGS.iter().map(argument))
        .arg(Arg::new(CONFIG).long(CONFIG).value_name("FILE").help(
            "A file of settings, as TOML, by the names of the flags; nigh.toml in the data directory if it is there",
        ))
        .arg(
            Arg::new(PRINT_CONFIG)
                .long(PRINT_CONFIG)
                .action(ArgAction::SetTrue)
                .help("Print every setting with its value and where that comes from, and do nothing else"),
        )
}

fn argument(setting: &Setting) -> Arg {
    let Setting { name, variable, value, default, help, .. } = setting;
    let argument = Arg::new(*name).long(*name);
    if value.is_empty() {
        // Without a value it is a yes; a file that says yes can be told no.
        let truth =
            argument.num_args(0..=1).require_equals(true).default_missing_value("true").value_name("true|false");
        return truth.hide_possible_values(true).help(format!("{help} [{variable}]"));
    }
    let meant = if default.is_empty() { String::new() } else { format!(" [default: {default}]") };
    argument.value_name(*value).help(format!("{help}{meant} [{variable}]"))
}

fn serve(matches: &ArgMatches) -> Result<(), Failure> {
    let choices = Choices::gather(matches)?;
    let setup = choices.setup()?;
    if matches.get_flag(PRINT_CONFIG) {
        let printed = io::stdout().write_all(choices.to_toml().as_bytes());
        return printed.or_else(unless_nobody_reads).map_err(|error| Failure::Failed(format!("cannot write: {error}")));
    }
    logs::begin(setup.log_level, setup.json_log);
    let scheme = if setup.http.tls.is_some() { "https" } else { "http" };
    let (directory, no_demo, mut settings) = (setup.data_dir, setup.no_demo, setup.engine);
    settings.load_bytes = settings.load_bytes.min(memory::load_bytes(memory::for_building_bytes()));
    let open = move || open(&directory, no_demo, settings).map(Arc::new);
    let opened: Arc<OnceLock<Arc<Engine>>> = Arc::default();
    let keep = opened.clone();
    let started = move |engine: &Arc<Engine>, addresses: &[SocketAddr]| {
        let _ = keep.set(engine.clone());
        let has_default = engine.snapshot(&CollectionName::default()).is_ok();
        // Nobody may read the address; somebody may know it all the same.
        announce(scheme, addresses, has_default).or_else(unless_nobody_reads)
    };
    let wanted = setup.http.listen.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let served = http::serve(setup.http, open, started).map_err(|error| match error {
        ServeError::Open(failure) => failure,
        ServeError::Setup(reason) => Failure::Usage(reason),
        error => Failure::Failed(format!("cannot serve on {wanted}: {error}; --listen takes another ADDR:PORT")),
    });
    let closed = opened.get().map_or(Ok(()), |engine| engine.close());
    served?;
    closed.map_err(|error| Failure::Failed(format!("closing the data directory: {error}")))
}

fn unless_nobody_reads(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}

/// Opens the data directory, with the demo in it when it is new.
fn open(directory: &Path, no_demo: bool, settings: Settings) -> Result<Engine, Failure> {
    let open = Engine::open(directory, settings);
    let engine = open.map_err(|error| Failure::Failed(format!("cannot open the data directory: {error}")))?;
    if engine.names().is_empty() && !no_demo {
        demo::load(&engine).map_err(|error| Failure::Failed(format!("cannot load the demo: {error}")))?;
    }
    Ok(engine)
}

/// Says where the service is, and what to try first.
fn announce(scheme: &str, addresses: &[SocketAddr], has_default: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for address in addresses {
        writeln!(out, "nigh listens on {scheme}://{address}")?;
    }
    if let Some(address) = addresses.first() {
        writeln!(out, "map: open {scheme}://{address} in a browser")?;
        let question = if has_default { "/near?lat=48.857&lon=2.352" } else { "/" };
        writeln!(out, "try: curl '{scheme}://{address}{question}'")?;
    }
    out.flush()
}
