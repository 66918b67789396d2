//! `nigh import` as it is typed: what comes in, what is rejected and where it stood, and what a failure leaves behind.
//!
//! Every import is the real program on a directory of its own, which is opened afterwards to see what is in it.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

#[path = "import/disk.rs"]
mod disk;
#[path = "import/failures.rs"]
mod failures;
#[path = "import/hostile.rs"]
mod hostile;
mod service;
mod small_disk;
#[path = "import/sources.rs"]
mod sources;
#[path = "import/terminal.rs"]
mod terminal;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nigh::engine::{CollectionName, Engine, Settings};
use serde_json::Value;

/// A folder with files to import and a data directory.
struct Place(tempfile::TempDir);

/// What an import came to.
struct Done {
    code: Option<i32>,
    out: String,
    messages: String,
}

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// The program, run in the folder.
    fn nigh(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nigh"));
        command.current_dir(self.0.path()).env_remove("NIGH_DATA_DIR").args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn import(&self, arguments: &[&str]) -> Done {
        self.import_from(b"", arguments)
    }

    fn import_from(&self, input: &[u8], arguments: &[&str]) -> Done {
        let mut process = self.nigh(&["import"]).args(arguments).spawn().unwrap();
        // A command that was asked wrongly does not read its input.
        let _ = process.stdin.take().unwrap().write_all(input);
        Done::of(&process.wait_with_output().unwrap())
    }

    /// Every item of a collection, as its id and its properties; nothing where there is no such collection.
    fn items(&self, collection: &str) -> Option<Vec<(String, String)>> {
        let engine = Engine::open(&self.path("nigh-data"), Settings::default()).unwrap();
        let snapshot = engine.snapshot(&collection.parse::<CollectionName>().unwrap()).ok()?;
        Some(snapshot.items().map(|item| (item.id().to_owned(), item.properties().to_owned())).collect())
    }

    fn ids(&self, collection: &str) -> Vec<String> {
        self.items(collection).unwrap_or_default().into_iter().map(|(id, _)| id).collect()
    }

    /// What stands in a file of rejected rows, each as its line and code.
    fn rejected(&self, file: &str) -> Vec<(u64, String)> {
        let Ok(mut rows) = csv::Reader::from_path(self.path(file)) else { return Vec::new() };
        assert_eq!(rows.headers().unwrap(), vec!["line", "code", "reason", "value", "row"]);
        rows.records().map(|row| row.unwrap()).map(|row| (row[0].parse().unwrap(), row[1].to_owned())).collect()
    }
}

impl Done {
    fn of(output: &Output) -> Done {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Done { code: output.status.code(), out: text(&output.stdout), messages: text(&output.stderr) }
    }

    /// The summary of an import that did all it could.
    fn summary(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.messages))
    }

    /// How many rows were received, created, replaced, rejected.
    fn counts(&self) -> [u64; 4] {
        let summary = self.summary();
        ["received", "created", "replaced", "rejected"].map(|name| summary[name].as_u64().unwrap())
    }
}

fn as_text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_csv_goes_in_and_is_there() {
    let place = Place::new();
    place.file(
        "cafes.csv",
        "id,name,lat,lon,seats\nflore,Flore,48.8541,2.3326,120\nmagots,\"Deux, Magots\",48.854,2.3331,80\n",
    );
    let done = place.import(&["cafes.csv", "--collection", "cafes"]);
    assert_eq!((done.code, done.counts(), &*done.messages), (Some(0), [2, 2, 0, 0], ""));
    let summary = done.summary();
    assert_eq!(
        (&summary["collection"], &summary["seq"], &summary["files"][0]["file"]),
        (&"cafes".into(), &2.into(), &"cafes.csv".into())
    );
    let expected = [("flore", r#"{"name":"Flore","seats":120}"#), ("magots", r#"{"name":"Deux, Magots","seats":80}"#)];
    assert_eq!(place.items("cafes").unwrap(), expected.map(|(id, json)| (id.to_owned(), json.to_owned())));
    assert!(!place.path("cafes.csv.rejected.csv").exists(), "nothing was rejected");
    let again = place.import(&["cafes.csv", "--collection", "cafes"]);
    assert_eq!((again.code, again.counts()), (Some(0), [2, 0, 2, 0]), "the same rows take their own place");
}

#[test]
fn rejected_rows_are_told_and_kept_beside_the_file_with_line_reason_and_row() {
    let place = Place::new();
    place.file("a.csv", "id,lat,lon,name\na,1,2,x\nb,N/A,2,\"one\ntwo\"\nc,91,2,\nd,3,4,y\n");
    let done = place.import(&["a.csv"]);
    assert_eq!((done.code, done.counts()), (Some(3), [4, 2, 0, 2]));
    assert_eq!(done.summary()["files"][0]["rejected_rows"], "a.csv.rejected.csv");
    assert!(done.messages.contains("a.csv: line 3: column \"lat\" is \"N/A\""), "{}", done.messages);
    assert!(done.messages.ends_with("nigh import: 2 rows were rejected\n"), "{}", done.messages);
    let mut rows = csv::Reader::from_path(place.path("a.csv.rejected.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!(
        (&rows[0][0], &rows[0][1], &rows[0][3], &rows[0][4]),
        ("3", "bad-latitude", "N/A", "b,N/A,2,\"one\ntwo\"")
    );
    assert_eq!((&rows[1][0], &rows[1][4]), ("5", "c,91,2,"));
    assert!(rows[1][2].contains("latitude 91 is outside -90..90"), "{}", &rows[1][2]);
    assert_eq!(place.ids("default"), ["a", "d"]);
}

#[test]
fn an_import_that_is_to_be_whole_is_whole_or_nothing() {
    let place = Place::new();
    place.file("good.csv", "id,lat,lon\na,1,2\n");
    place.file("bad.csv", "id,lat,lon\nb,1,2\nc,x,2\n");
    place.file("late.csv", "id,lat,lon\nd,1,2\ne,y,2\n");
    let done = place.import(&["good.csv", "bad.csv", "late.csv", "--on-error", "abort"]);
    assert_eq!((done.code, done.counts(), &done.summary()["seq"]), (Some(3), [5, 0, 0, 2], &Value::Null));
    assert_eq!((place.ids("default"), place.rejected("late.csv.rejected.csv").len()), (Vec::<String>::new(), 1));
    let skipped = place.import(&["good.csv", "bad.csv", "late.csv"]);
    assert_eq!((skipped.code, skipped.counts()), (Some(3), [5, 3, 0, 2]));
    assert_eq!(place.ids("default"), ["a", "b", "d"]);
}

#[test]
fn rows_without_an_id_get_one_each_and_another_with_every_import() {
    let place = Place::new();
    place.file("a.csv", "lat,lon\n1,2\n1,2\n");
    for count in [2, 4] {
        assert_eq!(place.import(&["a.csv"]).code, Some(0));
        assert_eq!(place.ids("default").len(), count);
    }
}
