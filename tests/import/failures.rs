//! What cannot be done says why, and leaves everything as it was: also when the process ends in the middle.

use std::io::Write;
use std::time::Duration;

use nigh::engine::{CollectionName, Engine, Settings};

use super::service::Service;
use super::{Done, Place};

#[test]
fn what_cannot_be_read_or_reached_is_a_failure_that_names_it() {
    let place = Place::new();
    place.file("a.csv", "id,lat,lon\na,1,2\n");
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{dead}");
    for (arguments, code, message) in [
        (&["missing.csv"][..], 1, "cannot read missing.csv: "),
        (&["a.csv", "missing.csv"], 1, "cannot read missing.csv: "),
        (&["."], 1, "cannot read .: it is a directory"),
        (&["a.csv", "--url", &url], 1, "nothing listens at"),
        (&["a.csv", "--url", "localhost"], 2, "--url"),
        (&["a.csv", "--collection", "No Name"], 2, "--collection"),
        (&["a.csv", "--format", "xml"], 2, "csv, ndjson, geojson"),
        (&["a.csv", "--delimiter", "ab"], 2, "one character"),
        (&["a.csv", "--delimiter", "\"", "--url", &url], 2, "no quote and no line break"),
        (&["-", "-"], 2, "standard input can be read once"),
        (&[], 2, "required"),
        (&["a.csv", "--lat-kol", "x"], 2, "--lat-col"),
    ] {
        let done = place.import(arguments);
        assert_eq!(done.code, Some(code), "{arguments:?}: {}", done.messages);
        assert!(done.messages.contains(message), "{arguments:?}: {}", done.messages);
        assert_eq!(done.out, "", "{arguments:?}");
    }
    assert!(!place.path("nigh-data").exists() || place.ids("default").is_empty());
}

#[test]
fn a_directory_that_a_service_holds_is_told_with_what_to_do() {
    let place = Place::new();
    place.file("a.csv", "id,lat,lon\na,1,2\n");
    let nigh = std::process::Command::new(env!("CARGO_BIN_EXE_nigh"));
    let service = Service::run(nigh, &place.path("nigh-data"), &["--no-demo"]);
    let done = place.import(&["a.csv"]);
    assert_eq!(done.code, Some(1));
    let wanted = [format!("process {}", service.id()), "--url http://localhost:6444".to_owned()];
    assert!(wanted.iter().all(|word| done.messages.contains(word)), "{}", done.messages);
    assert_eq!(service.stop().0, Some(0));
}

/// Whether this process ignores interrupts: what it starts does so too.
#[cfg(unix)]
fn interrupts_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_default();
    // A bit for each signal, the first for signal 1; an interrupt is signal 2.
    u64::from_str_radix(ignored.trim(), 16).is_ok_and(|signals| signals & 0b10 != 0)
}

#[test]
#[cfg(unix)]
fn an_import_that_is_stopped_in_the_middle_leaves_nothing() {
    let place = Place::new();
    place.file("before.csv", "id,lat,lon\nbefore,1,2\n");
    assert_eq!(place.import(&["before.csv"]).code, Some(0));
    for (signal, rows) in [("INT", 30_000), ("TERM", 10), ("KILL", 200_000)] {
        if signal == "INT" && interrupts_are_ignored() {
            println!(
                "whoever started these tests has interrupts ignored, as a shell does in the background: not tried"
            );
            continue;
        }
        let mut process = place.nigh(&["import", "-", "--memory", "16"]).spawn().unwrap();
        let mut input = process.stdin.take().unwrap();
        let text: String = (0..rows).map(|n| format!("r{n},1,2,{}\n", "x".repeat(60))).collect();
        input.write_all(format!("id,lat,lon,t\n{text}").as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let sent = std::process::Command::new("kill").args(["-s", signal, &process.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let done = Done::of(&process.wait_with_output().unwrap());
        assert!(done.code != Some(0) && done.out.is_empty(), "{signal}: {}", done.out);
        drop(input);
        assert_eq!(place.ids("default"), ["before"], "{signal}");
    }
    assert_eq!(place.import(&["before.csv"]).counts(), [1, 0, 1, 0], "and the directory is as usable as it was");
}

/// A packed file that breaks off behind many good rows.
fn breaks_off(rows: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let text: String = (0..rows).map(|n| format!("r{n},1,2,{}\n", n * 7919 % 100_003)).collect();
    encoder.write_all(format!("id,lat,lon,t\n{text}").as_bytes()).unwrap();
    let mut packed = encoder.finish().unwrap();
    packed.truncate(packed.len() - 100);
    packed
}

#[test]
fn an_import_that_fails_behind_good_rows_leaves_no_collection_behind() {
    let place = Place::new();
    place.file("before.csv", "id,lat,lon\nbefore,1,2\n");
    assert_eq!(place.import(&["before.csv"]).code, Some(0));
    place.file("broken.csv.gz", breaks_off(30_000));
    let done = place.import(&["broken.csv.gz", "--collection", "new", "--memory", "16"]);
    assert!(done.code == Some(1) && done.messages.contains("nothing was taken in"), "{}", done.messages);
    let engine = Engine::open(&place.path("nigh-data"), Settings::default()).unwrap();
    assert_eq!(engine.names().iter().map(CollectionName::as_str).collect::<Vec<_>>(), ["default"]);
    drop(engine);
    assert_eq!(std::fs::read_dir(place.path("nigh-data/segments")).unwrap().count(), 1, "and no files for it");
    let service = Service::start(&["--no-demo"]);
    let url = format!("http://{}", service.address());
    for (number, rows) in [10, 30_000].into_iter().enumerate() {
        place.file("broken.csv.gz", breaks_off(rows));
        let done = place.import(&["broken.csv.gz", "--collection", "new", "--url", &url]);
        assert!([Some(1), Some(2)].contains(&done.code), "{number}: {:?} {}", done.code, done.messages);
        assert_eq!((service.get("/collections").fine()["collections"].as_array().unwrap().len(), &*done.out), (0, ""));
    }
}

#[test]
#[cfg(unix)]
fn an_import_that_is_stopped_leaves_no_collection_behind() {
    let place = Place::new();
    place.file("before.csv", "id,lat,lon\nbefore,1,2\n");
    assert_eq!(place.import(&["before.csv"]).code, Some(0));
    let service = Service::start(&["--no-demo"]);
    let url = format!("http://{}", service.address());
    let text: String = (0..200_000).map(|n| format!("r{n},1,2,{}\n", "x".repeat(60))).collect();
    for (signal, rest) in [("TERM", &["--memory", "16"][..]), ("KILL", &["--memory", "16"]), ("KILL", &["--url", &url])]
    {
        let mut process = place.nigh(&["import", "-", "--collection", "new"]).args(rest).spawn().unwrap();
        let mut input = process.stdin.take().unwrap();
        input.write_all(format!("id,lat,lon,t\n{text}").as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let sent = std::process::Command::new("kill").args(["-s", signal, &process.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert!(process.wait_with_output().unwrap().status.code() != Some(0));
        drop(input);
        let engine = Engine::open(&place.path("nigh-data"), Settings::default()).unwrap();
        assert_eq!(engine.names().iter().map(CollectionName::as_str).collect::<Vec<_>>(), ["default"], "{signal}");
        drop(engine);
        assert_eq!(std::fs::read_dir(place.path("nigh-data/segments")).unwrap().count(), 1, "{signal}");
        assert_eq!(service.get("/collections/new").status, 404, "{signal}");
    }
}

#[test]
fn a_file_larger_than_the_memory_it_may_take_goes_in_whole() {
    let place = Place::new();
    let mut process = place.nigh(&["import", "-", "--memory", "24"]).spawn().unwrap();
    let status = format!("/proc/{}/status", process.id());
    let memory_kb = || {
        let status = std::fs::read_to_string(&status).ok()?;
        status.lines().find(|line| line.starts_with("RssAnon"))?.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    if memory_kb().is_none() {
        println!("the memory of a process is not told on this system; only the rows are counted");
    }
    let (mut input, mut most_kb, mut sent) = (process.stdin.take().unwrap(), 0, 0_u64);
    input.write_all(b"id,lat,lon,t\n").unwrap();
    let text = "x".repeat(400);
    for piece in 0..150 {
        let rows: String = (0..2000).map(|n| format!("r{piece}-{n},{},{},{text}\n", n % 90, piece)).collect();
        input.write_all(rows.as_bytes()).unwrap();
        sent += rows.len() as u64;
        most_kb = most_kb.max(memory_kb().unwrap_or(0));
    }
    drop(input);
    let done = Done::of(&process.wait_with_output().unwrap());
    assert_eq!((done.code, done.counts()), (Some(0), [300_000, 300_000, 0, 0]), "{}", done.messages);
    assert!(sent > 100 << 20 && most_kb < 90 << 10, "{sent} bytes were read, and {most_kb} KB of memory taken");
}
