//! From files, which tell no changes, and what is refused before anything is touched.

use std::fs;
use std::io::Write;

use crate::run::{check, held, run};
use crate::service::Service;

const ROWS: &str = "id,lat,lon,name\na,1,2,\"two\nlines\"\nb,91,2,\nc,3,4,x\na,5,6,again\n,7,8,unnamed\n";

#[test]
fn a_file_is_carried_with_its_doubles_and_its_rejects() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), ROWS).unwrap();
    let looked = check(folder.path(), &["a.csv"]);
    assert_eq!(
        (looked.code, &looked.json["read"], &looked.json["rejected"]),
        (Some(3), &5.into(), &1.into()),
        "{looked:?}"
    );
    assert!(
        looked.json["reasons"]["bad-latitude"]["examples"][0].as_str().unwrap().starts_with("line 4: "),
        "{looked:?}"
    );
    let ended = run(folder.path(), &["a.csv", "-c", "places"]);
    ended.assert_safe(3);
    assert_eq!(ended.rejects(folder.path()), [("bad-latitude".to_owned(), "line 4".to_owned())]);
    let rows = held(folder.path(), "places");
    assert_eq!(rows.keys().collect::<Vec<_>>(), ["a", "c", "row-5"]);
    assert_eq!(rows["a"], (5.0, 6.0, r#"{"name":"again"}"#.to_owned()), "the later of two counts");
    // The file changes; made again it is the same here, and once more there is nothing to do.
    let line = r#"{"id":"c","lat":3,"lon":4.5}"#;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(format!("{line}\n").as_bytes()).unwrap();
    fs::write(folder.path().join("b.ndjson.gz"), packed.finish().unwrap()).unwrap();
    for (put, removed) in [(1, 2), (0, 0)] {
        let ended = run(folder.path(), &["b.ndjson.gz", "-c", "places", "--replace"]);
        ended.assert_safe(0);
        assert_eq!((&ended.json["put"], &ended.json["removed"]), (&put.into(), &removed.into()), "{ended:?}");
        assert!(!folder.path().join("places.rejected.ndjson").exists(), "nothing is refused any more");
    }
    assert_eq!(held(folder.path(), "places")["c"].1, 4.5);
}

#[test]
fn rows_that_end_are_carried_with_their_ends() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "id,lat,lon,ttl,expires_at\nsoon,1,2,1h,\nthen,1,2,,2100-01-01T00:00:00Z\nover,1,2,,2001-01-01T00:00:00Z\nstays,1,2,,\n";
    fs::write(folder.path().join("a.csv"), rows).unwrap();
    run(folder.path(), &["a.csv"]).assert_safe(0);
    assert_eq!(held(folder.path(), "default").keys().collect::<Vec<_>>(), ["soon", "stays", "then"]);
    let service = Service::start(&["--no-demo"]);
    let ended = run(folder.path(), &["a.csv", "-c", "b", "--url", &format!("http://{}", service.address())]);
    ended.assert_safe(0);
    assert_eq!(service.get("/collections/b").fine()["count"], 3);
}

#[test]
fn what_is_no_source_is_refused_with_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), "name,lat,lon\n").unwrap();
    fs::write(folder.path().join("odd"), [0, 1, 2]).unwrap();
    let closed = format!("redis://127.0.0.1:{}/0?key=a", crate::servers::free_port());
    for (source, code, reason) in [
        ("mysql://host/db", 2, "is no source; a source is redis://"),
        ("redis://host", 2, "names no key; write redis://localhost:6379/0?key=NAME"),
        ("redis://host/x?key=a", 2, "the database \"x\" is no number"),
        ("postgres://host/db", 2, "names no table"),
        ("tile38://host", 2, "write tile38://HOST:PORT/COLLECTION"),
        ("-", 2, "standard input can be read once"),
        (".", 2, "is no plain file"),
        ("nowhere.csv", 1, "cannot read nowhere.csv"),
        ("odd", 2, "odd is no CSV, NDJSON or GeoJSON; --format says what it is"),
        (&closed, 1, "nothing answers at 127.0.0.1"),
    ] {
        let refused = run(folder.path(), &[source]);
        assert!(refused.code == Some(code) && refused.log.contains(reason), "{source}: {refused:?}");
        assert!(!folder.path().join("nigh-data").exists(), "{source}: nothing is made");
    }
}
