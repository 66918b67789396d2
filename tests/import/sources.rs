//! Where rows come from: packed files, standard input, several files, other formats, and over HTTP.

use std::io::Write;

use super::service::Service;
use super::{Place, as_text};

const CSV: &str = "id,lat,lon,t\na,1,2,p\nb,x,2,q\nc,3,4,r\n";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn packed_files_are_read_whatever_they_are_called() {
    for (name, content) in [("a.csv.gz", gzip(CSV)), ("a.csv.zst", zstd(CSV)), ("a", gzip(CSV)), ("a.txt", zstd(CSV))] {
        let place = Place::new();
        place.file(name, content);
        let done = place.import(&[name]);
        assert_eq!((done.code, done.counts()), (Some(3), [3, 2, 0, 1]), "{name}: {}", done.messages);
        assert_eq!(place.rejected(&format!("{name}.rejected.csv")), [(3, "bad-latitude".to_owned())], "{name}");
        assert_eq!(place.ids("default"), ["a", "c"]);
    }
    let place = Place::new();
    place.file("broken.csv.gz", &gzip(&CSV.repeat(1000))[..300]);
    let done = place.import(&["broken.csv.gz"]);
    assert_eq!((done.code, place.ids("default").len()), (Some(1), 0), "{}", done.messages);
    assert!(done.messages.contains("broken.csv.gz") && done.messages.contains("gzip"), "{}", done.messages);
}

#[test]
fn standard_input_is_read_and_its_rejected_rows_have_a_file() {
    for content in [CSV.as_bytes().to_vec(), gzip(CSV)] {
        let place = Place::new();
        let done = place.import_from(&content, &["-", "--json"]);
        assert_eq!((done.code, done.counts()), (Some(3), [3, 2, 0, 1]), "{}", done.messages);
        assert!(done.messages.starts_with("standard input: line 3: "), "{}", done.messages);
        assert_eq!(place.rejected("stdin.rejected.csv"), [(3, "bad-latitude".to_owned())]);
    }
}

#[test]
fn several_files_of_several_formats_are_one_load() {
    let place = Place::new();
    place.file("a.csv", "id,lat,lon\na,1,2\nsame,1,2\n");
    place.file("b.ndjson", "{\"id\":\"b\",\"lat\":1,\"lon\":2}\n{\"id\":\"x\"}\n");
    place.file("c.geojson", r#"{"type":"FeatureCollection","features":[{"type":"Feature","id":"same","geometry":{"type":"Point","coordinates":[2,1]},"properties":{"from":"c"}}]}"#);
    let done = place.import(&["a.csv", "b.ndjson", "c.geojson", "--collection", "all"]);
    assert_eq!((done.code, done.counts(), &done.summary()["seq"]), (Some(3), [5, 3, 1, 1], &4.into()));
    assert_eq!(place.rejected("b.ndjson.rejected.csv"), [(2, "missing-latitude".to_owned())]);
    let items = place.items("all").unwrap();
    assert_eq!(items.iter().map(|(id, _)| &**id).collect::<Vec<_>>(), ["a", "b", "same"]);
    assert_eq!(items[2].1, r#"{"from":"c"}"#, "the last row with an id stays");
}

#[test]
fn columns_delimiter_and_format_may_be_said() {
    let place = Place::new();
    place.file("a.dat", "Nr|North|East|id\n7|1|2|x\n");
    let said = ["a.dat", "--delimiter", "|", "--lat-col", "North", "--lon-col", "east", "--id-col", "Nr"];
    let done = place.import(&said);
    assert_eq!((done.code, done.counts()), (Some(0), [1, 1, 0, 0]), "{}", done.messages);
    assert_eq!(place.items("default").unwrap(), [("7".to_owned(), r#"{"id":"x"}"#.to_owned())]);
    let wrong = place.import(&["a.dat", "--format", "csv", "--delimiter", "|", "--lat-col", "Norden"]);
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.messages.contains("no column \"Norden\" for the latitude; the first line has Nr, North, East, id"),
        "{}",
        wrong.messages
    );
}

#[test]
fn a_file_goes_to_a_running_service_as_it_would_go_into_a_directory() {
    let service = Service::start(&["--no-demo"]);
    let url = format!("http://{}", service.address());
    let place = Place::new();
    for (name, content) in
        [("a.csv", CSV.as_bytes().to_vec()), ("b.csv.gz", gzip(CSV)), ("c.dat", CSV.as_bytes().to_vec())]
    {
        let path = place.file(name, content);
        let done = place.import(&[as_text(&path), "--url", &url, "--collection", "cafes"]);
        let created = if name == "a.csv" { [3, 2, 0, 1] } else { [3, 0, 2, 1] };
        assert_eq!((done.code, done.counts()), (Some(3), created), "{name}: {}", done.messages);
        assert_eq!(place.rejected(&format!("{name}.rejected.csv")), [(3, "bad-latitude".to_owned())], "{name}");
    }
    let piped =
        place.import_from(b"nord,lon,id\n1,2,d\n", &["-", "--url", &url, "--collection", "cafes", "--lat-col", "nord"]);
    assert_eq!((piped.code, piped.counts()), (Some(0), [1, 1, 0, 0]), "{}", piped.messages);
    let refused = place.import(&["a.csv", "--url", &url, "--collection", "others", "--on-error", "abort"]);
    assert_eq!((refused.code, refused.counts()), (Some(3), [3, 0, 0, 1]), "{}", refused.messages);
    assert_eq!(service.get("/collections/others").status, 404);
    assert_eq!(service.get("/collections/cafes").fine()["count"], 3);
    assert!(!place.path("nigh-data").exists(), "nothing was made here");
}

#[test]
fn many_rows_go_to_a_running_service_in_order() {
    let service = Service::start(&["--no-demo"]);
    let place = Place::new();
    let rows: String =
        (0..60_000).map(|n| format!("r{},{},2,{n}\n", n % 50_000, if n % 1000 == 999 { 91 } else { 1 })).collect();
    place.file("a.csv", format!("id,lat,lon,n\n{rows}"));
    let done = place.import(&["a.csv", "--url", &format!("http://{}", service.address())]);
    assert_eq!((done.code, done.counts()), (Some(3), [60_000, 49_950, 9_990, 60]), "{}", done.messages);
    assert_eq!(service.get("/collections/default/items/r10").fine()["properties"]["n"], 50_010);
}

/// A file with so many rows of which every tenth is rejected.
fn every_tenth_is_bad(rows: usize) -> String {
    let row = |n| if n % 10 == 9 { format!("r{n},north {n},2,\"a,\nb\"\n") } else { format!("r{n},1,2,x\n") };
    "id,lat,lon,t\n".to_owned() + &(0..rows).map(row).collect::<String>()
}

#[test]
fn all_rejected_rows_of_an_upload_are_kept_as_those_of_a_load_are() {
    let service = Service::start(&["--no-demo"]);
    let url = format!("http://{}", service.address());
    let place = Place::new();
    for (name, content) in
        [("a.csv", every_tenth_is_bad(7_000).into_bytes()), ("b.csv.gz", gzip(&every_tenth_is_bad(3_000)))]
    {
        place.file(name, content);
        let rejected = place.path(&format!("{name}.rejected.csv"));
        let here = place.import(&[name]);
        let kept = std::fs::read_to_string(&rejected).unwrap();
        std::fs::remove_file(&rejected).unwrap();
        let there = place.import(&[name, "--url", &url]);
        assert_eq!((there.code, there.counts()[3]), (Some(3), here.counts()[3]), "{name}: {}", there.messages);
        assert!(there.counts()[3] > 100, "more than a service names");
        assert_eq!(
            std::fs::read_to_string(&rejected).unwrap(),
            kept,
            "{name}: to the letter, with the rows themselves"
        );
        assert_eq!((&there.summary()["files"][0]["rejected_missing"], &there.messages), (&0.into(), &here.messages));
    }
}

#[test]
fn rejected_rows_that_are_not_named_are_said_to_be_missing_with_their_number() {
    let service = Service::start(&["--no-demo"]);
    let place = Place::new();
    let rest = ["-", "--url", &format!("http://{}", service.address())];
    let done = place.import_from(every_tenth_is_bad(7_000).as_bytes(), &rest);
    assert_eq!((done.code, done.counts()), (Some(3), [7_000, 6_300, 0, 700]), "{}", done.messages);
    assert_eq!(place.rejected("stdin.rejected.csv").len(), 100);
    assert_eq!(done.summary()["files"][0]["rejected_missing"], 600);
    let said =
        "standard input: 600 rows more were rejected and are not named: standard input cannot be read a second time";
    assert!(done.messages.contains(said), "{}", done.messages);
    let few = place.import_from(every_tenth_is_bad(700).as_bytes(), &rest);
    assert_eq!((few.counts()[3], &few.summary()["files"][0]["rejected_missing"]), (70, &0.into()));
    assert!(!few.messages.contains("not named"), "{}", few.messages);
}

#[test]
fn columns_and_delimiter_are_said_to_a_service_as_well() {
    let service = Service::start(&["--no-demo"]);
    let url = format!("http://{}", service.address());
    let place = Place::new();
    for (delimiter, sign) in [("|", "|"), ("tab", "\t"), ("&", "&"), (" ", " "), ("~", "~")] {
        let text =
            "Nr,North,East,id\n7,1,2,\"x,y\"\n8,91,2,z\n".replace(',', sign).replace(&format!("x{sign}y"), "x,y");
        place.file("a.dat", text);
        let columns = ["--lat-col", "North", "--lon-col", "east", "--id-col", "Nr"];
        let said = ["a.dat", "--format", "csv", "--delimiter", delimiter, "--collection", "a"];
        let there = place.import(&[&said[..], &columns, &["--url", &url]].concat());
        assert_eq!((there.code, there.counts()[3]), (Some(3), 1), "{delimiter}: {}", there.messages);
        assert_eq!(place.rejected("a.dat.rejected.csv"), [(3, "bad-latitude".to_owned())]);
        let item = service.get("/collections/a/items/7").fine();
        assert_eq!(item["properties"], serde_json::json!({"id": "x,y"}), "{delimiter}");
        assert_eq!(service.delete("/collections/a").status, 204);
    }
}
