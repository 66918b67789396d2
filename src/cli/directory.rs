//! A data directory that a command looks at or works on: which one, and whether it can be had.
//!
//! What surprises: nothing is made here. Only `nigh serve`, `nigh import` and `nigh restore` make a directory; a name that was misspelt is
//! told as such, and not answered with an empty collection.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use super::settings::SETTINGS;
use crate::engine::{CollectionName, Engine, EngineError, OpenError, Settings};
use crate::log::{Home, HomeError};

/// The argument that names a data directory.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct DirectoryArgs {
    /// The data directory [default: nigh-data; variable NIGH_DATA_DIR]
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    data_dir: Option<PathBuf>,
}

impl DirectoryArgs {
    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        path_or_usual(self.data_dir.as_deref())
    }

    /// Opens it, if it is there.
    pub(super) fn open(&self, settings: Settings) -> Result<Engine, Failure> {
        open_existing(&self.path(), settings)
    }
}

/// The same for what only works where no service has the directory.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct HeldArgs {
    /// The data directory, which no service may have open [default: nigh-data; variable NIGH_DATA_DIR]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl HeldArgs {
    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        path_or_usual(self.data_dir.as_deref())
    }
}

/// A directory as given, or else by the variable of the environment, or else the usual one.
pub(super) fn path_or_usual(given: Option<&Path>) -> PathBuf {
    let setting = SETTINGS.iter().find(|setting| setting.name == "data-dir").expect("the table has it");
    let variable = || std::env::var_os(setting.variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    given.map(Path::to_owned).or_else(variable).unwrap_or_else(|| PathBuf::from(setting.default))
}

/// The same for a command that needs it to itself.
pub(super) fn open_alone(path: &Path) -> Result<Engine, Failure> {
    if !Home::exists(path) {
        return Err(missing(path));
    }
    Engine::open(path, Settings::default()).map_err(|error| refused_alone(&error))
}

/// Opens a data directory that is there. Dropped without being closed it is left as it was, but for what recovery tidied; whoever changed
/// something closes it.
pub(super) fn open_existing(path: &Path, settings: Settings) -> Result<Engine, Failure> {
    if !Home::exists(path) {
        return Err(missing(path));
    }
    Engine::open(path, settings).map_err(|error| refused(&error))
}

fn missing(path: &Path) -> Failure {
    Failure::Failed(format!(
        "there is no data directory in {}; --data-dir names one, and --url a running service",
        path.display()
    ))
}

/// Why a directory cannot be had, with what would help on the command line.
pub(super) fn refused(error: &OpenError) -> Failure {
    match error {
        OpenError::Home(HomeError::Locked { path, process }) => {
            let by = process.map_or_else(|| "another process".to_owned(), |process| format!("process {process}"));
            let path = path.display();
            Failure::Failed(format!(
                "{path} is in use by {by}; ask the service that holds it with --url http://localhost:6444, or stop it"
            ))
        }
        OpenError::Home(HomeError::Missing { path }) => missing(path),
        error => Failure::Failed(format!("cannot open the data directory: {error}")),
    }
}

/// The same for a command that needs the directory to itself.
pub(super) fn refused_alone(error: &OpenError) -> Failure {
    match error {
        OpenError::Home(HomeError::Locked { path, process }) => {
            let by = process.map_or_else(|| "another process".to_owned(), |process| format!("process {process}"));
            Failure::Failed(format!(
                "{} is in use by {by}, and this needs it alone; stop that service and ask again",
                path.display()
            ))
        }
        error => refused(error),
    }
}

/// Reads the name of a collection as an argument.
pub(super) fn collection_name(text: &str) -> Result<CollectionName, String> {
    text.parse::<CollectionName>().map_err(|error| error.to_string())
}

/// What an engine refused: a question that cannot be asked so was asked wrongly, everything else failed.
pub(super) fn asked_wrongly(error: EngineError) -> Failure {
    match error {
        EngineError::Query(error) => Failure::Usage(error.to_string()),
        error => Failure::Failed(error.to_string()),
    }
}
