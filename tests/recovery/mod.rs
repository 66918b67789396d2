//! Histories and their checks: which program is stopped everywhere, and what must be there afterwards.
//!
//! To put another program under the same proof: trace it with [`Stage::trace`](program::Stage::trace), and hand the trace with a
//! check to [`every_stop`](stops::every_stop). Any command line will do; it finds its folder in `DISK_ROOT` and tells its
//! promises to `DISK_LEDGER`, as [`program`] says.
//!
//! What surprises: the programs are in this very file. A test that finds `NIGH_HISTORY` in its environment is not a test but
//! the program of that name, started by another test above the preloaded library.

mod contents;
mod disk;
mod engine_faults;
mod engine_stops;
mod faults;
mod image;
mod lives;
mod program;
mod promises;
mod proof;
#[allow(dead_code, reason = "the preloaded library writes records, the tests read them")]
mod record;
mod script;
#[path = "../small_disk/mod.rs"]
mod small;
mod small_disk;
mod stops;
mod store;
mod store_stops;
mod toy;
mod writer;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use nigh::engine::Durability;

/// Longer histories and more draws when this is set; otherwise all tests together take about a minute.
fn is_long() -> bool {
    std::env::var_os("NIGH_RECOVERY_LONG").is_some()
}

/// This program again, as the program of that name.
fn history(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--exact", "recovery::a_history_when_asked_for", "--nocapture", "--test-threads=1"]);
    command.env("NIGH_HISTORY", name).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn a_history_when_asked_for() {
    let Ok(name) = std::env::var("NIGH_HISTORY") else { return };
    let root = PathBuf::from(std::env::var_os("DISK_ROOT").unwrap());
    if let Some(fault) = toy::FAULTS.iter().find(|fault| format!("{fault:?}") == name) {
        return toy::write(&root, *fault).unwrap();
    }
    match name.split(' ').collect::<Vec<_>>()[..] {
        ["plainly", number] => store::write(&root, store::open_plainly, number.parse().unwrap()).unwrap(),
        ["carefully", number] => store::write(&root, store::open_carefully, number.parse().unwrap()).unwrap(),
        ["life", until, ending] => lives::live(&root, Durability::Fsync, until.parse().unwrap(), ending == "closes"),
        ["risky-life", until, ending] => {
            lives::live(&root, lives::INTERVAL, until.parse().unwrap(), ending == "closes");
        }
        ["writer"] => writer::write(&root),
        ["slow-writer"] => writer::write_slowly(&root),
        _ => panic!("no history is called {name}"),
    }
}
