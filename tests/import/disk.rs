//! A disk that is full: what was not taken in is not there, what was taken in is said to be, and there is no third.

use nigh::engine::{CollectionName, Engine, Settings};

use super::service::Service;
use super::small_disk::SmallDisk;
use super::{Place, as_text};

/// Rows that fill some 35 MB, more than is left alone on every disk, so that a disk can be full in the middle.
const ROWS: usize = 60_000;

fn rows() -> String {
    let row = |n: usize| {
        let text: String =
            (0..6).map(|part| format!("{:016x}", (n * 8 + part).wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        format!("r{n},{},{},{text}{text}{text}{text}\n", n % 90, n % 180)
    };
    "id,lat,lon,t\n".to_owned() + &(0..ROWS).map(row).collect::<String>()
}

/// How many items a collection has; nothing where there is none.
fn held(data: &std::path::Path) -> Option<usize> {
    let engine = Engine::open(data, Settings::default()).unwrap();
    engine.snapshot(&"new".parse::<CollectionName>().unwrap()).ok().map(|snapshot| snapshot.len())
}

#[test]
fn an_import_onto_a_full_disk_took_in_all_or_nothing_and_says_which() {
    let place = Place::new();
    let path = place.file("a.csv", rows());
    let arguments = |data: &str| -> Vec<String> {
        ["--data-dir", data, "--collection", "new"]
            .map(str::to_owned)
            .into_iter()
            .chain([as_text(&path).to_owned()])
            .collect()
    };
    let (mut failed, mut went_in) = (0, 0);
    // Full at the start, while segments are written, before the log, while rows are put into the store, and while it is closed.
    for size in ["20m", "40m", "56m", "72m", "80m", "90m", "100m"] {
        let Some(disk) = SmallDisk::mount(size) else { return };
        let data = disk.file("data");
        let arguments = arguments(as_text(&data));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let done = place.import(&arguments);
        disk.resize("300m");
        let held = held(&data);
        match done.code {
            Some(0) => {
                assert_eq!(held, Some(ROWS), "{size}: {}", done.messages);
                went_in += 1;
            }
            code => {
                assert_eq!((code, held, &*done.out), (Some(1), None, ""), "{size}: {}", done.messages);
                let why = ["the disk is full", "No space left on device"];
                assert!(why.iter().any(|why| done.messages.contains(why)), "{size}: {}", done.messages);
                assert!(done.messages.contains("nothing was taken in"), "{size}: {}", done.messages);
                failed += 1;
            }
        }
        let again = place.import(&arguments);
        assert_eq!((again.code, again.counts()[0]), (Some(0), ROWS as u64), "{size}: {}", again.messages);
        let (code, messages) = (place.nigh(&["verify", "--data-dir", as_text(&data)]).output().unwrap(), size);
        assert_eq!(code.status.code(), Some(0), "{messages}: {}", String::from_utf8_lossy(&code.stdout));
    }
    assert!(failed > 1 && went_in > 1, "{failed} failed and {went_in} went in: the sizes try both");
}

#[test]
fn rejected_rows_that_cannot_be_kept_end_an_import_and_take_nothing_in() {
    let place = Place::new();
    let Some(disk) = SmallDisk::mount("1m") else { return };
    let bad: String = (0..20_000).map(|n| format!("r{n},north,2,{}\n", "x".repeat(60))).collect();
    let path = disk.file("a.csv");
    std::os::unix::fs::symlink(place.file("a.csv", format!("id,lat,lon,t\ngood,1,2,y\n{bad}")), &path).unwrap();
    let done = place.import(&[as_text(&path), "--collection", "new"]);
    assert_eq!((done.code, &*done.out), (Some(1), ""), "{}", done.messages);
    let words = format!("cannot write {}.rejected.csv: No space left on device", path.display());
    assert!(done.messages.contains(&words), "{}", done.messages);
    assert_eq!(held(&place.path("nigh-data")), None);
    assert_eq!(std::fs::read_dir(disk.path()).unwrap().count(), 1, "and no half of them is left");
    let service = Service::start(&["--no-demo"]);
    let url = format!("http://{}", service.address());
    let done = place.import(&[as_text(&path), "--collection", "new", "--url", &url]);
    assert_eq!((done.code, &*done.out), (Some(1), ""), "{}", done.messages);
    let words = format!("No space left on device (os error 28); the good rows of {} went in", path.display());
    assert!(done.messages.contains(&words), "{}", done.messages);
    assert_eq!(service.get("/collections/new").fine()["count"], 1);
}
