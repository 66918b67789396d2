//! `nigh bench` as it is typed: what it prints, what it writes, what it refuses. Figures are not judged here.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nigh::generate::GENERATORS;
use nigh::geometry::METRICS;
use nigh::index::KINDS;
use serde_json::Value;

/// Short enough for a test. Where a test wants no report, it says so.
const SHORT: [&str; 2] = ["--seconds", "0.05"];

fn bench_with(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_nigh"))
        .arg("bench")
        .args(SHORT)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("nigh runs");
    // A command that was asked wrongly does not read its input.
    let _ = process.stdin.take().expect("piped").write_all(input);
    process.wait_with_output().expect("nigh ends")
}

fn bench(folder: &Path, arguments: &[&str]) -> Output {
    bench_with(folder, arguments, b"")
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is text");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The JSON of a run that went as it should.
fn found(output: &Output) -> Value {
    let (code, out, messages) = said(output);
    assert_eq!(code, Some(0), "{messages}");
    serde_json::from_str(&out).expect("one JSON document")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn names(of: &Value, member: &str) -> BTreeSet<String> {
    of.as_array().expect("a list").iter().map(|one| one[member].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn every_generator_every_kind_and_both_metrics_are_measured_and_agree() {
    let folder = folder();
    for generator in GENERATORS {
        let found = found(&bench(folder.path(), &["--generate", generator.name, "--points", "300", "--no-html"]));
        assert_eq!((&found["points"], &found["agreed"]), (&300.into(), &true.into()), "{}", generator.name);
        let kinds: BTreeSet<String> = KINDS.iter().map(|kind| kind.name.to_owned()).collect();
        assert_eq!(names(&found["kinds"], "name"), kinds);
        let tests = found["tests"].as_array().unwrap();
        for test in tests {
            assert_eq!(names(&test["kinds"], "kind"), kinds, "{test}");
            assert!(test["checked"].as_u64().unwrap() > 0, "{test}");
        }
        for metric in METRICS {
            for shape in ["radius", "nearest"] {
                let asked = tests.iter().any(|test| test["metric"] == metric.name() && test["shape"] == shape);
                assert!(asked, "{} {} {shape}", generator.name, metric.name());
            }
        }
        assert!(names(&found["tests"], "shape").is_superset(&["box".to_owned(), "polygon".to_owned()].into()));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no report was asked for");
}

#[test]
fn json_has_the_names_that_programs_rely_on() {
    let folder = folder();
    let found = found(&bench(folder.path(), &["--json", "--no-html"]));
    for name in
        ["nigh", "source", "machine", "seconds", "agreed", "checked", "points", "shared", "kinds", "tests", "verdict"]
    {
        assert!(!found[name].is_null(), "{name}");
    }
    assert_eq!((&found["source"]["origin"], &found["points"]), (&"demo".into(), &24_323.into()));
    assert!(found["machine"]["cores"].as_u64().unwrap() > 0);
    for kind in found["kinds"].as_array().unwrap() {
        for figure in ["build_ms", "inserts_per_s", "moves_per_s", "deletes_per_s"] {
            let spread = &kind[figure];
            let [least, median, greatest] = ["least", "median", "greatest"].map(|name| spread[name].as_f64().unwrap());
            assert!(least >= 0.0 && least <= median && median <= greatest, "{kind}");
        }
        assert!(kind["bytes_per_point"].as_f64().unwrap() >= 0.0);
    }
    for test in found["tests"].as_array().unwrap() {
        for own in test["kinds"].as_array().unwrap() {
            let (p50, p99) = (own["p50_us"].as_f64().unwrap(), own["p99_us"].as_f64());
            assert!(p50 > 0.0 && p99.is_none_or(|p99| p99 >= p50), "{own}");
            assert_eq!(p99.is_some(), own["questions"].as_u64().unwrap() >= 100, "{own}");
            assert_eq!(own["disagreements"], 0);
        }
    }
    let scan = &found["tests"][0]["kinds"][0];
    assert!(scan["kind"] == KINDS[0].name && scan["candidates_per_result"].as_f64().unwrap() > 1000.0, "{scan}");
    assert!(!found["verdict"]["headline"].as_str().unwrap().is_empty());
}

#[test]
fn the_table_names_every_kind_and_every_test() {
    let folder = folder();
    let (code, table, messages) = said(&bench(folder.path(), &["--table", "--generate", "fleet", "--points", "500"]));
    assert_eq!(code, Some(0), "{messages}");
    for words in KINDS.iter().map(|kind| kind.name).chain([
        "500 points: fleet",
        "core",
        "build ms",
        "moves a second",
        "radius 10, haversine",
        "nearest 100, vincenty",
        "polygon 100",
        "p99",
        "candidates a result",
        "✔ all kinds gave the same answers",
    ]) {
        assert!(table.contains(words), "{words}: {table}");
    }
    assert!(messages.contains("nigh-bench.html") && folder.path().join("nigh-bench.html").exists());
}

#[test]
fn files_of_every_format_plain_and_compressed_are_read_and_named() {
    let folder = folder();
    let rows = |row: fn(usize) -> String| (0..80).map(row).collect::<Vec<_>>();
    let csv = "name,Breite,lng\n".to_owned() + &rows(|i| format!("a,{}.5,{i}", i % 80)).join("\n");
    let ndjson = rows(|i| format!(r#"{{"lat":{i},"lon":{i}}}"#)).join("\n");
    let feature =
        |i| format!(r#"{{"type":"Feature","geometry":{{"type":"Point","coordinates":[{i},{i}]}},"properties":{{}}}}"#);
    let geojson = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, rows(feature).join(","));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(csv.as_bytes()).unwrap();
    for (name, content) in [
        ("a.csv", csv.clone().into_bytes()),
        ("a.csv.gz", gzip.finish().unwrap()),
        ("a.ndjson", ndjson.into_bytes()),
        ("a.geojson", geojson.into_bytes()),
    ] {
        fs::write(folder.path().join(name), &content).unwrap();
        let found = found(&bench(folder.path(), &[name, "--lat-col", "Breite", "--no-html"]));
        assert_eq!((&found["points"], &found["source"]["name"]), (&80.into(), &name.into()));
        let piped = bench_with(folder.path(), &["-", "--lat-col", "Breite", "--no-html"], &content);
        let piped: Value = serde_json::from_slice(&piped.stdout).unwrap();
        assert_eq!((&piped["points"], &piped["source"]["origin"]), (&80.into(), &"stdin".into()), "{name}");
    }
}

#[test]
fn rejected_rows_are_counted_and_named_and_make_exit_code_3() {
    let folder = folder();
    fs::write(folder.path().join("a.csv"), "lat,lon\n1,2\nN/A,3\n4,5\n95,1\n").unwrap();
    let (code, out, messages) = said(&bench(folder.path(), &["a.csv"]));
    assert_eq!(code, Some(3), "{messages}");
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&found["points"], &found["source"]["rejected"]), (&2.into(), &2.into()));
    let first = &found["source"]["first_rejected"][0];
    assert_eq!((&first["line"], &first["code"]), (&3.into(), &"bad-latitude".into()));
    assert!(messages.contains("line 3: ") && messages.contains("line 5: "), "{messages}");
    assert!(messages.contains("2 rows were rejected"), "{messages}");
    let report = fs::read_to_string(folder.path().join("nigh-bench.html")).unwrap();
    assert!(report.contains("2 rows were refused"));
}

#[test]
fn no_points_few_points_and_points_on_one_spot_say_something_sensible() {
    let folder = folder();
    for (rows, points, words) in [
        ("", 0, "no points"),
        ("48.8,2.3\n", 1, "makes no difference"),
        ("48.8,2.3\n-33.8,151.2\n90,0\n", 3, "makes no difference"),
        (&"48.8,2.3\n".repeat(400), 400, ""),
    ] {
        fs::write(folder.path().join("a.csv"), format!("lat,lon\n{rows}")).unwrap();
        let found = found(&bench(folder.path(), &["a.csv"]));
        let verdict = found["verdict"].to_string();
        assert_eq!((&found["points"], &found["agreed"]), (&points.into(), &true.into()));
        assert!(verdict.contains(words), "{points}: {verdict}");
        let report = fs::read_to_string(folder.path().join("nigh-bench.html")).unwrap();
        assert_sound(&report);
    }
    let nothing = found(&bench(folder.path(), &["--generate", "uniform", "--points", "0"]));
    assert_eq!(nothing["points"], 0);
}

#[test]
fn what_is_asked_wrongly_is_refused_with_what_would_be_right() {
    let folder = folder();
    fs::write(folder.path().join("a.csv"), "lat,lon\n1,2\n").unwrap();
    fs::write(folder.path().join("empty.csv"), "").unwrap();
    fs::write(folder.path().join("b.bin"), b"\x00\x01\x02").unwrap();
    for (arguments, code, words) in [
        (&["nowhere.csv"][..], 1, "nowhere.csv"),
        (&["."], 1, "cannot read ."),
        (&["a.csv", "--lat-col", "breite"], 2, "breite"),
        (&["a.csv", "--delimiter", "é"], 2, "delimiter"),
        (&["empty.csv"], 2, "the file is empty"),
        (&["b.bin"], 2, "b.bin is no CSV, NDJSON or GeoJSON"),
        (&["a.csv", "--html", "nowhere/a.html"], 1, "nowhere/a.html"),
        (&["--generate", "clusterd"], 2, "'clustered'"),
        (&["--generate", "uniform", "--points", "lots"], 2, "whole number from 0 to 100000000"),
        (&["--generate", "uniform", "--points", "99999999999999999999"], 2, "whole number"),
        (&["--generate", "uniform", "--points", "100000001"], 2, "whole number"),
        (&["--points", "5"], 2, "--generate"),
        (&["a.csv", "--generate", "uniform"], 2, "cannot be used with"),
        (&["a.csv", "--seconds", "-1"], 2, "seconds"),
        (&["a.csv", "--seconds", "inf"], 2, "seconds"),
        (&["a.csv", "--jsn"], 2, "--json"),
        (&["a.csv", "--json", "--table"], 2, "cannot be used with"),
        (&["a.csv", "--format", "xml"], 2, "csv"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nigh"));
        let asked = command.arg("bench").args(arguments).current_dir(folder.path()).stdin(Stdio::null());
        let (exit, out, messages) = said(&asked.output().expect("nigh runs"));
        assert_eq!((exit, out.as_str()), (Some(code), ""), "{arguments:?}: {messages}");
        assert!(messages.contains(words), "{arguments:?}: {messages}");
    }
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "nothing was written: {left:?}");
}

#[test]
fn a_report_is_there_whole_or_not_at_all() {
    let folder = folder();
    let report = folder.path().join("report.html");
    fs::write(&report, "the one before").unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_nigh"))
        .args(["bench", "--seconds", "60", "--generate", "clustered", "--points", "2000", "--html", "report.html"])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let asked = Instant::now();
    assert!(Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap().success());
    assert!(!process.wait().unwrap().success());
    assert!(asked.elapsed() < Duration::from_secs(5), "Ctrl-C ends it at once");
    assert_eq!(fs::read_to_string(&report).unwrap(), "the one before");
    let done = bench(folder.path(), &["--generate", "clustered", "--points", "200", "--html", "report.html"]);
    assert_eq!(done.status.code(), Some(0));
    assert!(fs::read_to_string(&report).unwrap().ends_with("</html>\n"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half written is left");
}

#[test]
fn whoever_reads_the_output_may_have_seen_enough() {
    let folder = folder();
    let mut process = Command::new(env!("CARGO_BIN_EXE_nigh"))
        .args(["bench", "--seconds", "0.05", "--generate", "uniform", "--points", "100", "--no-html"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    let output = process.wait_with_output().unwrap();
    assert_eq!(said(&output), (Some(0), String::new(), String::new()));
}

#[test]
fn the_report_needs_nothing_but_itself() {
    let folder = folder();
    let name = "<script>alert(1)<&'\".csv";
    fs::write(folder.path().join(name), nigh::generate::CITIES_CSV).unwrap();
    let found = found(&bench(folder.path(), &[name]));
    let report = fs::read_to_string(folder.path().join("nigh-bench.html")).unwrap();
    assert!(report.len() < 1_000_000, "{} bytes", report.len());
    assert_sound(&report);
    assert!(report.contains("&lt;script&gt;alert(1)&lt;&amp;&#39;&quot;.csv"), "the name stands there, as a name");
    for kind in KINDS {
        assert!(report.contains(kind.name), "{}", kind.name);
    }
    let embedded = report.split(r#"id="figures">"#).nth(1).unwrap().split("</script>").next().unwrap();
    let embedded: Value = serde_json::from_str(embedded).unwrap();
    assert_eq!(embedded, found, "the page holds what was printed");
    let headline = found["verdict"]["headline"].as_str().unwrap();
    assert!(report.contains(&format!("<h1>{headline}</h1>")));
    // One plot for each metric, one for nearest, one for areas, building, memory, three for changes, and a map for each kind
    // that can be chosen.
    let maps = nigh::index::Kind::offered().count();
    assert_eq!(report.matches("<figure>").count(), METRICS.len() + 2 + 2 + 3 + maps);
}

/// A page whose tags are closed, that loads nothing and asks for nothing.
fn assert_sound(page: &str) {
    for elsewhere in ["http:", "https:", "url(", "src=", "@import", "<link rel=\"stylesheet\"", "<iframe", "NaN", "inf"]
    {
        assert!(!page.replace("info", "").contains(elsewhere), "{elsewhere}");
    }
    assert_eq!(
        page.matches("href=").count(),
        page.matches("href=\"#").count() + page.matches("href=\"data:,\"").count()
    );
    assert_eq!(unclosed(page), Vec::<String>::new());
    assert!(page.contains("width=device-width") && page.contains("prefers-color-scheme:dark"));
}

/// The tags that are open at the end of a page, or closed out of their order.
fn unclosed(page: &str) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    let body = page.strip_prefix("<!DOCTYPE html>").expect("a page of today");
    for piece in body.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("every tag ends");
        assert!(
            !text.contains('>') || open.last().is_some_and(|last| last == "style") || tag == "style",
            "{tag}: {text}"
        );
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes are closed: {tag}");
        let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap_or_default().to_owned();
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) if open.last() == Some(&name) => drop(open.pop()),
            (true, _) => open.push(format!("/{name}")),
            (false, true) => {}
            (false, false) => open.push(name),
        }
    }
    open
}

#[test]
fn a_tag_that_is_not_closed_is_noticed() {
    assert_eq!(unclosed("<!DOCTYPE html><a><b x=\"1\"/>c</a>"), [""; 0]);
    assert_eq!(unclosed("<!DOCTYPE html><a><b></a>"), ["a", "b", "/a"]);
}
