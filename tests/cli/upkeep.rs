//! `nigh verify`, `repair`, `backup`, `restore`: what they find, what they cost, and what they leave.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::service::Service;
use super::{nigh, said};

/// A data directory with the demo in it, and nobody who has it.
fn demo(folder: &Path) -> String {
    let path = folder.join("data");
    let service = Service::run(Command::new(env!("CARGO_BIN_EXE_nigh")), &path, &[]);
    assert_eq!(service.stop().0, Some(0));
    path.to_str().unwrap().to_owned()
}

fn report(arguments: &[&str], code: i32) -> (Value, String) {
    let (ended, out, messages) = said(&nigh(arguments));
    assert_eq!(ended, Some(code), "{arguments:?}: {out} {messages}");
    (serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}")), messages)
}

fn items_of(report: &Value) -> Vec<(String, u64)> {
    let one = |one: &Value| (one["name"].as_str().unwrap().to_owned(), one["items"].as_u64().unwrap());
    report["collections"].as_array().unwrap().iter().map(one).collect()
}

/// A file of a segment, which is derived and can be made anew.
fn a_segment(data: &str) -> PathBuf {
    let folders = fs::read_dir(Path::new(data).join("segments")).unwrap().flatten();
    let files = folders.flat_map(|folder| fs::read_dir(folder.path()).unwrap().flatten());
    files.map(|file| file.path()).max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap()
}

#[test]
fn a_difference_is_found_told_and_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let data = demo(folder.path());
    let (sound, messages) = report(&["verify", "--data-dir", &data], 0);
    assert_eq!((&sound["sound"], &*messages), (&Value::Bool(true), ""));
    let items = items_of(&sound);
    assert!(items.contains(&("default".to_owned(), 24_323)), "{items:?}");

    let file = a_segment(&data);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::remove_file(&file).unwrap();
    fs::write(&file, &bytes).unwrap();
    let (broken, messages) = report(&["verify", "--data-dir", &data], 4);
    assert_eq!(broken["sound"], false);
    let differences = broken["differences"].as_array().unwrap();
    assert!(differences[0].as_str().unwrap().contains(file.file_name().unwrap().to_str().unwrap()), "{differences:?}");
    assert!(messages.contains("nigh repair"), "{messages}");
    assert_eq!(fs::read(&file).unwrap(), bytes, "it is looked at and not touched");

    let (repaired, _) = report(&["repair", "--data-dir", &data], 0);
    assert!(repaired["mended"].as_array().unwrap().len() == 1 && repaired["lost"].as_array().unwrap().is_empty());
    assert!(Path::new(repaired["aside"].as_str().unwrap()).is_dir(), "{repaired}");
    let (again, _) = report(&["verify", "--data-dir", &data, "--json"], 0);
    assert_eq!(items_of(&again), items);
    let beside = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(beside, 2, "the directory and what it was before");
}

#[test]
fn a_repair_that_lost_something_does_not_end_like_one_that_did_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = demo(folder.path());
    // The mark says that more was acknowledged than there is.
    let newer = folder.path().join("newer");
    let service = Service::run(Command::new(env!("CARGO_BIN_EXE_nigh")), Path::new(&data), &["--no-demo"]);
    let copied = Command::new("cp").arg("-r").arg(Path::new(&data).join("store")).arg(&newer).status().unwrap();
    assert!(copied.success());
    for at in 0..3 {
        assert_eq!(service.put(&format!("/collections/default/items/new-{at}"), r#"{"lat":1,"lon":2}"#).status, 201);
    }
    service.kill();
    let store = Path::new(&data).join("store");
    fs::remove_dir_all(&store).unwrap();
    fs::rename(&newer, &store).unwrap();
    let (repaired, messages) = report(&["repair", "--data-dir", &data], 4);
    let lost = repaired["lost"][0].as_str().unwrap();
    assert!(lost.contains("are lost") && messages.contains("something is lost"), "{lost}: {messages}");
    report(&["verify", "--data-dir", &data], 0);
}

#[test]
fn a_backup_is_restored_and_nothing_that_is_there_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let data = demo(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (taken, _) = report(&["backup", &path("b"), "--data-dir", &data], 0);
    assert!(taken["bytes"].as_u64() > Some(1_000_000), "{taken}");
    let (made, _) = report(&["restore", &path("b"), "--data-dir", &path("c")], 0);
    assert_eq!((items_of(&made), &made["rows"]), (items_of(&taken), &taken["rows"]));
    let export = |data: &str| said(&nigh(&["export", "--data-dir", data]));
    assert_eq!(export(&data), export(&path("c")));
    for (arguments, words) in [
        (["backup", &path("b"), "--data-dir", &data], "is there already"),
        (["restore", &path("b"), "--data-dir", &path("c")], "is there already"),
        (["restore", &path("nowhere"), "--data-dir", &path("d")], "is no backup"),
        (["restore", &data, "--data-dir", &path("d")], "is no backup"),
    ] {
        let (code, out, messages) = said(&nigh(&arguments));
        assert!(code == Some(1) && out.is_empty() && messages.contains(words), "{arguments:?}: {messages}");
    }
    let rows = folder.path().join("b/rows");
    let mut bytes = fs::read(&rows).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&rows, bytes).unwrap();
    let (code, _, messages) = said(&nigh(&["restore", &path("b"), "--data-dir", &path("d")]));
    assert!(code == Some(4) && messages.contains("the backup is damaged"), "{messages}");
    assert!(!folder.path().join("d").exists() && !folder.path().join("d.new").exists());
}

#[test]
fn a_directory_that_a_service_has_is_left_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::run(Command::new(env!("CARGO_BIN_EXE_nigh")), &data, &["--no-demo"]);
    let path = data.to_str().unwrap();
    let held = format!("is in use by process {}", service.id());
    let backup = folder.path().join("b").to_str().unwrap().to_owned();
    for (command, hint) in [
        (&["query", "search"][..], "--url http://localhost:6444"),
        (&["export"], "--url http://localhost:6444"),
        (&["verify"], "stop that service"),
        (&["repair"], "stop that service"),
        (&["backup", &backup], "stop that service"),
    ] {
        let (code, out, messages) = said(&nigh(&[command, &["--data-dir", path]].concat()));
        assert!(code == Some(1) && out.is_empty(), "{command:?}: {messages}");
        assert!(messages.contains(&held) && messages.contains(hint), "{command:?}: {messages}");
    }
    assert_eq!(service.get("/readyz").status, 200);
    assert_eq!(service.stop(), (Some(0), String::new()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing stands beside it");
}

#[test]
fn ctrl_c_leaves_nothing_half_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = demo(folder.path());
    let (pipe, copy) = (folder.path().join("b"), folder.path().join("c.ndjson"));
    let stopped = |arguments: &[&str], after: u64| {
        let mut process = Command::new(env!("CARGO_BIN_EXE_nigh"))
            .args(arguments)
            .args(["--data-dir", &data])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(after));
        let _ = Command::new("kill").args(["-s", "INT", &process.id().to_string()]).status();
        process.wait().unwrap().code()
    };
    let mut was_stopped = 0;
    for after in [5, 20, 40, 80, 160] {
        for arguments in
            [&["verify"][..], &["backup", pipe.to_str().unwrap()], &["export", "-o", copy.to_str().unwrap()]]
        {
            // By the signal itself where it came before anything was begun.
            let code = stopped(arguments, after);
            assert!([None, Some(0), Some(130)].contains(&code), "{arguments:?}: {code:?}");
            was_stopped += u32::from(code != Some(0));
            for left in ["data.verify", "b.new", "c.ndjson.part"] {
                assert!(!folder.path().join(left).exists(), "{left} after {arguments:?} {after} ms");
            }
            let _ = fs::remove_dir_all(&pipe);
        }
    }
    assert!(was_stopped > 0, "none of them was stopped");
    report(&["verify", "--data-dir", &data], 0);
}
