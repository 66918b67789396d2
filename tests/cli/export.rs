//! `nigh export`: what goes out comes back to the bit, in every format, from a directory and from a service.

use std::path::Path;
use std::process::Command;

use nigh::collection::{Change, Id, Item, Properties};
use nigh::engine::{CollectionName, Engine, Settings};
use nigh::geometry::Point;

use super::service::Service;
use super::{nigh, said};

/// Items that a careless writer would change: numbers that look like texts, empty ones, orders, white space, ends, odd ids.
fn odd_items() -> Vec<Item> {
    let properties = [
        "{}",
        "{ }",
        r#"{"name":"Flore","seats":120,"stars":4.50}"#,
        r#"{"name":"Flore","seats":"120","stars":4.50}"#,
        r#"{"stars":4.50,"name":"the other order"}"#,
        r#"{ "name" : "with spaces" }"#,
        r#"{"name":"","seats":null,"open":true,"list":[1, 2],"object":{"a":{}}}"#,
        "{\"name\":\r\n\"a line\\nbreak\"}",
        r#"{"name":"caf\u00e9","quote":"say \"hi\", then; go\ttab"}"#,
        r#"{"lat":1,"id":"x","properties":"p","ttl":"5m","expires_at_ms":7,"properties.name":"dotted"}"#,
        r#"{" padded ":1,"":2,"NAME":3,"a,b;c":4,"uuid":5,"y":6,"lng":7}"#,
        r#"{"name":1,"name":2}"#,
        r#"{"big":12345678901234567890,"small":1e-320,"whole":1.0,"minus":-0,"zero":"007","plus":"+49"}"#,
        r#"{"name":"\ud800","nul":"\u0000"}"#,
        r#"{"name":"{\"not\":\"an object of ours\"}"}"#,
        r#"{"properties":"{\"a\":1}"}"#,
    ];
    let ids = [
        "a",
        "007",
        "-1",
        "with,comma",
        "with \"quotes\"",
        "é",
        "日本",
        " space ",
        "=1+1",
        "#",
        "a;b",
        "'",
        "z",
        "{",
        "\u{feff}b",
        "%41",
    ];
    let places = [
        (48.8541, 2.3326),
        (-90.0, 180.0),
        (90.0, -180.0),
        (-0.0, 0.0),
        (1e-300, -179.999_999_999_999_97),
        (0.1 + 0.2, 5e-324),
    ];
    let item = |(at, (id, properties)): (usize, (&str, &str))| {
        let (lat, lon) = places[at % places.len()];
        let item = Item::new(Id::new(id).unwrap(), Point::new(lat, lon).unwrap());
        let item = item.with_properties(Properties::from_json(properties).unwrap());
        if at % 3 == 0 { item.expiring_at(4_102_444_800_123 + at as i64) } else { item }
    };
    ids.into_iter().zip(properties).enumerate().map(item).collect()
}

fn name() -> CollectionName {
    "odd".parse().unwrap()
}

fn directory_with(folder: &Path, items: Vec<Item>) -> String {
    let path = folder.join("data");
    let engine = Engine::open(&path, Settings::default()).unwrap();
    engine.submit(&name(), items.into_iter().map(Change::Put).collect::<Vec<_>>()).unwrap();
    engine.close().unwrap();
    path.to_str().unwrap().to_owned()
}

/// What is in it, to the bit, as far as an export can tell.
fn contents(engine: &Engine, name: &CollectionName) -> Vec<(String, [u64; 2], String, Option<i64>)> {
    let snapshot = engine.snapshot(name).unwrap();
    let item = |item: nigh::collection::ItemRef<'_>| {
        let bits = [item.point().lat_deg(), item.point().lon_deg()].map(f64::to_bits);
        (item.id().to_owned(), bits, item.properties().to_owned(), item.expires_at_ms())
    };
    snapshot.items().map(item).collect()
}

const FILES: [&str; 5] = ["a.csv", "a.ndjson", "a.geojson", "a.csv.gz", "a.geojson.gz"];

#[test]
fn every_format_comes_back_to_the_bit_from_a_directory_and_from_a_service() {
    let folder = tempfile::tempdir().unwrap();
    let data = directory_with(folder.path(), odd_items());
    let original = contents(&Engine::open(Path::new(&data), Settings::default()).unwrap(), &name());
    assert_eq!(original.len(), odd_items().len());
    let export = |file: &Path, rest: &[&str]| {
        let (code, out, messages) =
            said(&nigh(&[&["export", "-c", "odd", "-o", file.to_str().unwrap()][..], rest].concat()));
        assert_eq!((code, out.as_str(), messages.as_str()), (Some(0), "", ""), "{}", file.display());
    };
    for file in FILES {
        export(&folder.path().join(file), &["--data-dir", &data]);
    }
    let service = Service::run(Command::new(env!("CARGO_BIN_EXE_nigh")), Path::new(&data), &["--no-demo"]);
    let url = format!("http://{}", service.address());
    for file in FILES {
        let (here, there) = (folder.path().join(file), folder.path().join(format!("remote-{file}")));
        export(&there, &["--url", &url]);
        if !file.contains(".csv") {
            assert_eq!(std::fs::read(&here).unwrap(), std::fs::read(&there).unwrap(), "{file}");
        }
        for file in [here, there] {
            let uploaded = service.ask_bytes("PUT", "/collections/back/items", &[], &std::fs::read(&file).unwrap());
            let answer = uploaded.fine();
            assert_eq!(answer["rejected"], 0, "{}: {answer}", file.display());
            let again = folder.path().join("again.ndjson");
            let (code, _, messages) =
                said(&nigh(&["export", "-c", "back", "-o", again.to_str().unwrap(), "--url", &url]));
            assert_eq!(code, Some(0), "{messages}");
            let lines = |path: &Path| std::fs::read_to_string(path).unwrap();
            assert_eq!(lines(&again), lines(&folder.path().join("a.ndjson")), "{}", file.display());
            assert_eq!(service.delete("/collections/back").status, 204);
        }
    }
    let csv = std::fs::read(folder.path().join("a.csv")).unwrap();
    assert_eq!(service.ask_bytes("PUT", "/collections/back/items", &[], &csv).status, 200);
    assert_eq!(service.stop(), (Some(0), String::new()));
    let engine = Engine::open(Path::new(&data), Settings::default()).unwrap();
    assert_eq!(contents(&engine, &"back".parse().unwrap()), original, "what an export does not tell either");
}

#[test]
fn columns_of_csv_are_for_people_and_only_the_odd_rows_are_json() {
    let folder = tempfile::tempdir().unwrap();
    let item = |id: &str, properties: &str| {
        Item::new(Id::new(id).unwrap(), Point::new(1.5, -2.25).unwrap())
            .with_properties(Properties::from_json(properties).unwrap())
    };
    let items = vec![
        item("a", r#"{"name":"Flore","seats":120}"#),
        item("b", r#"{"seats":"120"}"#),
        item("c", r#"{"stars":4.0}"#),
    ];
    let data = directory_with(folder.path(), items);
    let (code, csv, _) = said(&nigh(&["export", "-c", "odd", "--format", "csv", "--data-dir", &data]));
    assert_eq!(code, Some(0));
    let expected = "id,lat,lon,name,seats,stars,properties\n\
        a,1.5,-2.25,Flore,120,,\n\
        b,1.5,-2.25,,,,\"{\"\"seats\"\":\"\"120\"\"}\"\n\
        c,1.5,-2.25,,,4.0,\n";
    assert_eq!(csv, expected);
}

#[test]
fn a_part_is_exported_by_filter_and_box() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::run(Command::new(env!("CARGO_BIN_EXE_nigh")), &data, &[]);
    let url = format!("http://{}", service.address());
    let part = ["export", "--bbox", "-5,41,10,51", "--filter", "population > 200000 AND country = 'FR'"];
    let (code, there, messages) = said(&nigh(&[&part[..], &["--url", &url]].concat()));
    assert_eq!(code, Some(0), "{messages}");
    assert_eq!(service.stop().0, Some(0));
    let (_, here, _) = said(&nigh(&[&part[..], &["--data-dir", data.to_str().unwrap()]].concat()));
    assert_eq!(here, there);
    assert!(here.lines().count() > 5 && here.lines().all(|line| line.contains(r#""country":"FR""#)), "{here}");
    for (wrong, words) in [(["--filter", "x ="], "[bad-filter]"), (["--bbox", "1,2"], "[bad-box]")] {
        let (code, _, messages) =
            said(&nigh(&[&["export"][..], &wrong, &["--data-dir", data.to_str().unwrap()]].concat()));
        assert!(code == Some(2) && messages.contains(words), "{messages}");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_named_and_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let data = directory_with(folder.path(), odd_items());
    let export = |file: &str| said(&nigh(&["export", "-c", "odd", "-o", file, "--data-dir", &data]));
    let (code, _, messages) = export("no/such/folder/a.csv");
    assert!(code == Some(1) && messages.contains("cannot write no/such/folder/a.csv: "), "{messages}");
    let (code, _, messages) = export("a.parquet");
    assert!(code == Some(2) && messages.contains("--format takes ndjson, csv, geojson"), "{messages}");
    let (code, _, messages) = export("a.csv.zst");
    assert!(code == Some(2) && messages.contains("write .gz"), "{messages}");
    let (code, _, messages) = said(&nigh(&["export", "-c", "none", "--data-dir", &data]));
    assert!(code == Some(1) && messages.contains("there is no collection none; there are odd"), "{messages}");
    if Path::new("/dev/full").exists() {
        let (code, _, messages) =
            said(&nigh(&["export", "-c", "odd", "-f", "csv", "-o", "/dev/full", "--data-dir", &data]));
        assert!(code == Some(1) && messages.contains("cannot write /dev/full: No space left"), "{messages}");
    }
}

#[test]
fn a_full_disk_ends_an_export_and_leaves_no_half() {
    let folder = tempfile::tempdir().unwrap();
    let data = directory_with(folder.path(), odd_items());
    let file = folder.path().join("a.csv");
    std::fs::write(&file, "before").unwrap();
    let mut shell = Command::new("sh");
    // Nothing may be written into a file any more.
    shell.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_nigh")]);
    let copy = folder.path().join("x.csv");
    shell.args([
        "query",
        "near",
        "1,2",
        "--format",
        "csv",
        "-o",
        copy.to_str().unwrap(),
        "--url",
        "http://127.0.0.1:1",
    ]);
    let (code, ..) = said(&shell.output().unwrap());
    assert_eq!((code, copy.exists()), (Some(1), false));
    let service = Service::run(Command::new(env!("CARGO_BIN_EXE_nigh")), Path::new(&data), &["--no-demo"]);
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"",
        env!("CARGO_BIN_EXE_nigh"),
        "export",
        "-c",
        "odd",
    ]);
    shell.args(["-o", file.to_str().unwrap(), "--url", &format!("http://{}", service.address())]);
    let (code, _, messages) = said(&shell.output().unwrap());
    assert!(code == Some(1) && messages.contains("a.csv: File too large"), "{messages}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "before");
    assert!(!folder.path().join("a.csv.part").exists());
}
