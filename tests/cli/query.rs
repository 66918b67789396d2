//! `nigh query`: the same answers from a directory and from a service, in every form.

use std::io::Read;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::service::{Service, ids};
use super::{nigh, said, with_input};

/// A data directory with the demo in it, and nobody who has it.
fn demo() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::run(Command::new(env!("CARGO_BIN_EXE_nigh")), &folder.path().join("data"), &[]);
    assert_eq!(service.stop().0, Some(0));
    folder
}

fn path(folder: &tempfile::TempDir) -> String {
    folder.path().join("data").to_str().unwrap().to_owned()
}

/// Asks; what came out, if all went well.
fn asked(arguments: &[&str]) -> String {
    let (code, out, messages) = said(&nigh(arguments));
    assert_eq!(code, Some(0), "{arguments:?}: {messages}");
    out
}

const TRIANGLE: &str = r#"{"type":"Polygon","coordinates":[[[2.2,48.8],[2.5,48.8],[2.35,48.95],[2.2,48.8]]]}"#;

#[test]
fn a_directory_answers_what_the_service_on_it_answers() {
    let folder = demo();
    let data = path(&folder);
    let questions: &[&[&str]] = &[
        &["near", "48.857,2.352"],
        &["near", "-33.8,151.2", "--radius", "50km", "--metric", "vincenty", "--all"],
        &["near", "0,180", "--k", "30", "--limit", "7", "--all"],
        &["near", "48.857,2.352", "--k", "3", "--within", TRIANGLE, "--index", "hilbert"],
        &["within", TRIANGLE, "--filter", "population > 100000", "--fields", "name,geohash"],
        &["within", TRIANGLE, "--edges", "geodesic"],
        &["bbox", "170,-50,-170,0", "--limit", "11", "--all"],
        &["bbox", "-10,-10,10,10", "--fields", ""],
        &["search", "--geohash", "u09", "--limit", "5"],
        &["search", "--near", "61.2,-149.9", "--radius", "100km", "--filter", "magnitude >= 3", "-c", "earthquakes"],
        &["search", "--limit", "3"],
    ];
    let ask = |format: &str, rest: &[&str]| -> Vec<String> {
        let all = |question: &&[&str]| asked(&[&["query"][..], question, &["--format", format], rest].concat());
        questions.iter().map(all).collect()
    };
    let formats = ["json", "geojson", "ndjson", "csv", "table"];
    let from_directory = formats.map(|format| ask(format, &["--data-dir", &data]));
    let service = Service::run(Command::new(env!("CARGO_BIN_EXE_nigh")), &folder.path().join("data"), &[]);
    let url = format!("http://{}", service.address());
    let from_service = formats.map(|format| ask(format, &["--url", &url]));
    for (format, (directory, service)) in formats.iter().zip(from_directory.iter().zip(&from_service)) {
        for (question, (directory, service)) in questions.iter().zip(directory.iter().zip(service)) {
            assert_eq!(directory, service, "{format}: {question:?}");
            assert!(!directory.is_empty(), "{format}: {question:?}");
        }
    }
    // And both what HTTP itself answers.
    let near = service.get("/near?lat=48.857&lon=2.352&f=ndjson");
    assert_eq!(from_directory[2][0], near.body);
    let boxed = service.get("/collections/default/items?bbox=170,-50,-170,0&limit=10000&f=json").fine();
    let ours: Value = serde_json::from_str(&from_directory[0][6]).unwrap();
    assert_eq!((ids(&ours), &ours["matched"]), (ids(&boxed), &boxed["matched"]));
    assert!(ours["returned"].as_u64() > Some(11) && ours["next"].is_null());
    assert_eq!(service.stop(), (Some(0), String::new()));
}

#[test]
fn what_is_left_out_is_said_and_goes_on_from_where_it_ended() {
    let folder = demo();
    let data = path(&folder);
    let base = ["query", "bbox", "-10,40,10,50", "--limit", "10", "--data-dir", &data];
    let (code, first, messages) = said(&nigh(&base));
    assert_eq!((code, first.lines().count()), (Some(0), 10));
    assert!(messages.starts_with("10 of ") && messages.contains("--all"), "{messages}");
    let page: Value = serde_json::from_str(&asked(&[&base[..], &["--json"]].concat())).unwrap();
    let cursor = page["next"].as_str().unwrap();
    let second = asked(&[&base[..], &["--cursor", cursor]].concat());
    let all = asked(&[&base[..], &["--all"]].concat());
    assert!(all.starts_with(&(first + &second)), "pages follow each other");
    assert_eq!(all.lines().count() as u64, page["matched"].as_u64().unwrap());
}

#[test]
fn people_get_a_table_and_are_told_what_it_took() {
    let folder = demo();
    let data = path(&folder);
    let mut process = Command::new(env!("CARGO_BIN_EXE_nigh"));
    process.args(["query", "near", "48.857,2.352", "--k", "2", "--format", "table", "--explain", "--data-dir", &data]);
    let output = process.env("COLUMNS", "70").output().unwrap();
    let (code, table, _) = said(&output);
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("id       distance       lat"), "{table}");
    assert!(lines[1].starts_with("2988507     463 m  48.85341   2.3488  Paris"), "{table}");
    assert!(table.contains("\"index\":\"rtree\"") && !table.contains('\x1b'), "{table}");
    assert!(lines[..3].iter().all(|line| line.chars().count() <= 70), "{table}");
}

#[test]
fn a_terminal_gets_a_table_and_no_colours_where_they_are_not_wanted() {
    let folder = demo();
    let command = format!("{} query near 48.857,2.352 --k 1 --data-dir {}", env!("CARGO_BIN_EXE_nigh"), path(&folder));
    let on_terminal = |no_colour: &str| {
        let mut script = Command::new("script");
        script
            .args(["-qec", &command, "/dev/null"])
            .env("NO_COLOR", no_colour)
            .env("TERM", "xterm")
            .env("COLUMNS", "100");
        script.stdin(Stdio::null()).output().ok().filter(|output| output.status.success())
    };
    let Some(coloured) = on_terminal("") else { return println!("skipped: no script here to make a terminal") };
    let coloured = String::from_utf8_lossy(&coloured.stdout).into_owned();
    let plain = String::from_utf8_lossy(&on_terminal("1").unwrap().stdout).into_owned();
    assert!(coloured.contains("\x1b[1m") && coloured.contains("463 m"), "{coloured}");
    assert!(!plain.contains('\x1b') && plain.contains("Paris"), "{plain}");
}

#[test]
fn what_is_asked_wrongly_is_refused_in_the_same_words_everywhere() {
    let folder = demo();
    let data = path(&folder);
    let questions: &[(&[&str], i32, &str)] = &[
        (&["near", "151.2,-33.8"], 2, "lat and lon look swapped: try lat=-33.8&lon=151.2 [coordinate-out-of-range]"),
        (&["near", "1,2", "--radius", "2miles"], 2, "[bad-length]"),
        (&["near", "1,2", "--k", "0"], 2, "[number-out-of-range]"),
        (&["near", "1,2", "--limit", "10001"], 2, "ask for further pages instead"),
        (&["bbox", "0,9,1,2"], 2, "[bad-box]"),
        (&["bbox", "1,2,3"], 2, "[bad-box]"),
        (&["search", "--filter", "x ="], 2, "[bad-filter]"),
        (&["search", "--cursor", "x"], 2, "[bad-cursor]"),
        (&["search", "--radius", "1km"], 2, "[missing-parameter]"),
        (&["search", "--geohash", "a"], 2, "[bad-geohash]"),
        (&["within", r#"{"type":"Point"}"#], 2, "[bad-polygon]"),
    ];
    let refused = |rest: &[&str]| -> Vec<(Option<i32>, String, String)> {
        questions.iter().map(|(question, ..)| said(&nigh(&[&["query"][..], question, rest].concat()))).collect()
    };
    let here = refused(&["--data-dir", &data]);
    let service = Service::run(Command::new(env!("CARGO_BIN_EXE_nigh")), &folder.path().join("data"), &[]);
    let there = refused(&["--url", &format!("http://{}", service.address())]);
    for ((question, code, words), (here, there)) in questions.iter().zip(here.iter().zip(&there)) {
        assert_eq!(here, there, "{question:?}");
        assert!(here.0 == Some(*code) && here.1.is_empty() && here.2.contains(words), "{question:?}: {here:?}");
    }
    let nowhere = said(&nigh(&["query", "search", "-c", "nowhere", "--url", &format!("http://{}", service.address())]));
    assert!(nowhere.0 == Some(1) && nowhere.2.contains("there is no collection nowhere"), "{nowhere:?}");
}

#[test]
fn what_has_no_shape_is_refused_before_anything_is_opened() {
    for (arguments, message) in [
        (&["near"][..], "LAT,LON"),
        (&["near", "48.857"], "write LAT,LON as in 48.857,2.352"),
        (&["near", "a,b"], "write LAT,LON"),
        (&["bbox", "a,b,c,d"], "numbers with commas between them"),
        (&["bbox", "1,2,3,4", "--bbox", "1,2,3,4"], "given twice"),
        (&["search", "-c", "No Name"], "names are 1 to 64"),
        (&["search", "--all", "--cursor", "i61"], "cannot be used with"),
        (&["search", "--data-dir", "a", "--url", "http://localhost:1"], "cannot be used with"),
        (&["search", "--key", "a"], "--url"),
        (&["search", "--url", "localhost:6444"], "write it as in http://localhost:6444"),
    ] {
        let (code, out, messages) = said(&nigh(&[&["query"][..], arguments].concat()));
        assert!(code == Some(2) && out.is_empty() && messages.contains(message), "{arguments:?}: {messages}");
    }
}

#[test]
fn a_polygon_comes_from_a_file_or_from_standard_input() {
    let folder = demo();
    let data = path(&folder);
    let file = folder.path().join("triangle.geojson");
    std::fs::write(&file, TRIANGLE).unwrap();
    let base = ["query", "within", file.to_str().unwrap(), "--data-dir", &data];
    let of_file = asked(&base);
    let piped = said(&with_input(&["query", "within", "-", "--data-dir", &data], TRIANGLE));
    assert_eq!((piped.0, piped.1), (Some(0), of_file.clone()));
    assert!(of_file.contains("Paris"));
    let (code, _, messages) = said(&nigh(&["query", "within", "no-such.geojson", "--data-dir", &data]));
    assert!(code == Some(1) && messages.contains("cannot read the polygon in no-such.geojson"), "{messages}");
}

#[test]
fn a_directory_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    for command in [&["query", "search"][..], &["export"], &["verify"], &["repair"], &["backup", "b"]] {
        let (code, out, messages) = said(&nigh(&[command, &["--data-dir", nowhere.to_str().unwrap()]].concat()));
        assert!(code == Some(1) && out.is_empty() && messages.contains("there is no data directory in"), "{messages}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn asking_changes_nothing_in_a_directory() {
    let folder = demo();
    let data = path(&folder);
    let first = asked(&["export", "--data-dir", &data]);
    let stamp = || {
        let mut files: Vec<_> = std::fs::read_dir(folder.path().join("data/segments/1")).unwrap().flatten().collect();
        files.sort_by_key(std::fs::DirEntry::file_name);
        files.iter().map(|file| (file.file_name(), file.metadata().unwrap().modified().unwrap())).collect::<Vec<_>>()
    };
    let before = stamp();
    asked(&["query", "near", "1,2", "--data-dir", &data]);
    assert_eq!((asked(&["export", "--data-dir", &data]), stamp()), (first, before));
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_silently() {
    let folder = demo();
    let data = path(&folder);
    for arguments in [
        &["export", "--data-dir", &data][..],
        &["query", "search", "--all", "--data-dir", &data],
        &["query", "search", "--format", "csv", "--limit", "10000", "--data-dir", &data],
        &["man", "serve"],
        &["completions", "zsh"],
        &["verify", "--data-dir", &data],
    ] {
        let mut process = Command::new(env!("CARGO_BIN_EXE_nigh"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(process.stdout.take());
        let mut messages = String::new();
        process.stderr.take().unwrap().read_to_string(&mut messages).unwrap();
        assert_eq!((process.wait().unwrap().code(), messages.as_str()), (Some(0), ""), "{arguments:?}");
    }
}
