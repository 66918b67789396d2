//! `nigh migrate` as a process, and what it left behind.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use nigh::engine::{Engine, Settings};
use serde_json::Value;

/// A migration that is going on.
pub(crate) struct Migration {
    process: Child,
    log: BufReader<ChildStderr>,
}

/// What came of one.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) json: Value,
    pub(crate) log: String,
}

impl Migration {
    /// Starts `nigh migrate run` in a folder of its own.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Migration {
        Migration::command(folder, "run", arguments)
    }

    fn command(folder: &Path, task: &str, arguments: &[&str]) -> Migration {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nigh"));
        command.args(["migrate", task]).args(arguments).current_dir(folder);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        Migration { process, log }
    }

    /// Waits until both sides are in step.
    pub(crate) fn until_in_step(mut self) -> Migration {
        let mut log = String::new();
        while !log.contains("in step") {
            assert!(self.log.read_line(&mut log).unwrap() > 0, "it ended before it was in step: {log}");
        }
        self
    }

    /// Presses Ctrl-C.
    pub(crate) fn interrupt(&self) {
        let sent = Command::new("kill").args(["-s", "INT", &self.process.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn end(mut self) -> Ended {
        let (mut out, mut log) = (String::new(), String::new());
        self.process.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        self.log.read_to_string(&mut log).unwrap();
        let code = self.process.wait().unwrap().code();
        Ended { code, json: serde_json::from_str(&out).unwrap_or_default(), log }
    }
}

impl Drop for Migration {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Ended {
    Migration::start(folder, arguments).end()
}

pub(crate) fn check(folder: &Path, arguments: &[&str]) -> Ended {
    Migration::command(folder, "check", arguments).end()
}

impl Ended {
    /// Asserts that it is safe to cut over, with an exit code.
    #[track_caller]
    pub(crate) fn assert_safe(&self, code: i32) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.json["cut_over"]["safe"], true, "{self:?}");
        let validation = &self.json["validation"];
        assert_eq!(validation["source"], validation["target"], "{self:?}");
        assert_eq!((&validation["differing"], &validation["questions"]["wrong"]), (&0.into(), &0.into()), "{self:?}");
        assert_eq!(validation["questions"]["alike"], validation["questions"]["asked"], "{self:?}");
    }

    /// The rows of its file of rejected rows, by code.
    pub(crate) fn rejects(&self, folder: &Path) -> Vec<(String, String)> {
        let Some(name) = self.json["rejects_file"].as_str() else { return Vec::new() };
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let line = |line: &str| {
            let row: Value = serde_json::from_str(line).unwrap();
            (row["code"].as_str().unwrap().to_owned(), row["row"].as_str().unwrap().to_owned())
        };
        let mut rows: Vec<_> = text.lines().map(line).collect();
        rows.sort();
        rows
    }
}

/// What a collection of a data directory holds: for each id latitude, longitude and properties.
pub(crate) fn held(folder: &Path, collection: &str) -> BTreeMap<String, (f64, f64, String)> {
    let engine = Engine::open(&folder.join("nigh-data"), Settings::default()).unwrap();
    let Ok(snapshot) = engine.snapshot(&collection.parse().unwrap()) else { return BTreeMap::new() };
    let item = |item: nigh::collection::ItemRef<'_>| {
        let (point, properties) = (item.point(), item.properties().to_owned());
        (item.id().to_owned(), (point.lat_deg(), point.lon_deg(), properties))
    };
    snapshot.items().map(item).collect()
}
