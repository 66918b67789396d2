//! A disk that is full under every command that writes: it says so, ends with 1, and leaves nothing that looks whole.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::{Command, Stdio};

use super::service::Service;
use super::small_disk::SmallDisk;
use super::{nigh, said};

/// A data directory with the demo in it, and nobody who has it.
fn demo(folder: &Path) -> String {
    let path = folder.join("data");
    let service = Service::run(Command::new(env!("CARGO_BIN_EXE_nigh")), &path, &[]);
    assert_eq!(service.stop().0, Some(0));
    path.to_str().unwrap().to_owned()
}

/// The names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn what_does_not_fit_on_a_disk_is_a_failure_that_leaves_no_half_and_goes_when_there_is_room() {
    let Some(disk) = SmallDisk::mount("48m") else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = demo(folder.path());
    let on_disk = |name: &str| disk.file(name).to_str().unwrap().to_owned();
    let backup = folder.path().join("backup").to_str().unwrap().to_owned();
    assert_eq!(said(&nigh(&["backup", &backup, "--data-dir", &data])).0, Some(0));
    let commands: [Vec<String>; 6] = [
        vec!["export".into(), "-o".into(), on_disk("a.csv")],
        vec!["export".into(), "-o".into(), on_disk("a.geojson.gz")],
        vec!["query".into(), "search".into(), "--all".into(), "-o".into(), on_disk("a.json")],
        vec!["backup".into(), on_disk("b")],
        vec!["restore".into(), backup],
        ["bench", "--seconds", "0.05", "--generate", "uniform", "--points", "300", "--html"]
            .map(str::to_owned)
            .into_iter()
            .chain([on_disk("report.html")])
            .collect(),
    ];
    disk.fill();
    for full in [true, false] {
        if !full {
            disk.free();
        }
        for command in &commands {
            let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
            let restored = on_disk("restored");
            match arguments[0] {
                "bench" => {}
                "restore" => arguments.extend(["--data-dir", &restored]),
                _ => arguments.extend(["--data-dir", &data]),
            }
            let (code, out, messages) = said(&nigh(&arguments));
            if full {
                assert_eq!((code, out.as_str()), (Some(1), ""), "{arguments:?}: {messages}");
                assert!(messages.contains("No space left on device"), "{arguments:?}: {messages}");
                assert!(messages.contains(disk.path().to_str().unwrap()), "it says where: {messages}");
                assert_eq!(names(disk.path()), ["ballast"], "{arguments:?}");
            } else {
                assert_eq!(code, Some(0), "{arguments:?}: {messages}");
            }
        }
    }
    assert_eq!(names(disk.path()), ["a.csv", "a.geojson.gz", "a.json", "b", "report.html", "restored"]);
}

#[test]
fn a_repair_that_cannot_copy_everything_aside_touches_nothing() {
    let Some(disk) = SmallDisk::mount("48m") else { return };
    let data = demo(disk.path());
    let segment = fs::read_dir(Path::new(&data).join("segments/1")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&segment, &bytes).unwrap();
    disk.fill();
    let (code, out, messages) = said(&nigh(&["repair", "--data-dir", &data]));
    assert_eq!((code, out.as_str()), (Some(1), ""), "{messages}");
    assert!(messages.contains("No space left on device"), "{messages}");
    assert_eq!(names(disk.path()), ["ballast", "data"], "half a copy is none");
    assert!(fs::read(&segment).unwrap() == bytes, "it is as damaged as it was");
    disk.free();
    let (code, _, messages) = said(&nigh(&["repair", "--data-dir", &data]));
    assert_eq!(code, Some(0), "{messages}");
}

#[test]
fn whatever_is_printed_onto_a_full_device_is_a_failure() {
    if !Path::new("/dev/full").exists() {
        return println!("skipped: no /dev/full here");
    }
    let folder = tempfile::tempdir().unwrap();
    let data = demo(folder.path());
    let file = folder.path().join("a.csv");
    fs::write(&file, "id,lat,lon\na,1,2\n").unwrap();
    let (file, backup) = (file.to_str().unwrap(), folder.path().join("b"));
    let short = ["bench", "--seconds", "0.05", "--generate", "uniform", "--points", "100", "--no-html"];
    let printing: &[&[&str]] = &[
        &["import", file, "--collection", "new", "--data-dir", &data],
        &["export", "--data-dir", &data],
        &["query", "near", "1,2", "--data-dir", &data],
        &["query", "search", "--all", "--format", "csv", "--data-dir", &data],
        &short,
        &["migrate", "check", file],
        &["verify", "--data-dir", &data],
        &["backup", backup.to_str().unwrap(), "--data-dir", &data],
        &["repair", "--data-dir", &data],
        &["distance", "0,0,1,1"],
        &["key", "new", "--name", "a", "--collection", "*"],
        &["completions", "bash"],
        &["man"],
        &["serve", "--print-config"],
    ];
    for arguments in printing {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_nigh"));
        let output = command.args(*arguments).stdin(Stdio::null()).stdout(full).output().unwrap();
        let (code, _, messages) = said(&output);
        assert_eq!(code, Some(1), "{arguments:?}: {messages}");
        assert!(messages.contains("cannot write: No space left on device"), "{arguments:?}: {messages}");
    }
}
