//! What the service tells about itself: figures, names of requests, lines in logs, and how far along its life it is.
#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

mod service;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nigh::http::SERIES;
use serde_json::{Value, json};
use service::Service;

/// A row of the page: what it is called with its labels, and its figure.
fn rows(service: &Service) -> BTreeMap<String, f64> {
    let page = service.get("/metrics");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/plain; version=0.0.4; charset=utf-8")));
    let rows = page.body.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| row.rsplit_once(' ').unwrap()).map(|(name, figure)| (name.into(), figure.parse().unwrap())).collect()
}

/// Waits until a file holds so many lines, and gives them as JSON.
fn lines(path: &std::path::Path, many: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        if text.ends_with('\n') && text.lines().count() >= many {
            return text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{text}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn figures_say_what_was_asked_and_what_there_is() {
    let service = Service::with_demo();
    for _ in 0..3 {
        assert_eq!(service.get("/near?lat=1&lon=2").status, 200);
    }
    assert_eq!(service.get("/near?lat=91&lon=2").status, 400);
    assert_eq!(service.get("/collections/nowhere/items").status, 404);
    assert_eq!(service.get("/nothing/here").status, 404);
    assert_eq!(service.ask("DELETE", "/near", &[], "").status, 405);
    let rows = rows(&service);
    for (row, figure) in [
        (r#"nigh_http_requests_total{method="GET",route="/near",status="2xx"}"#, 3.0),
        (r#"nigh_http_requests_total{method="GET",route="/near",status="4xx"}"#, 1.0),
        (r#"nigh_http_requests_total{method="GET",route="/collections/{c}/items",status="4xx"}"#, 1.0),
        (r#"nigh_http_requests_total{method="",route="",status="4xx"}"#, 2.0),
        (r#"nigh_http_request_seconds_count{method="GET",route="/near"}"#, 4.0),
        (r#"nigh_http_request_seconds_bucket{method="GET",route="/near",le="+Inf"}"#, 4.0),
        (r#"nigh_http_refusals_total{code="coordinate-out-of-range"}"#, 1.0),
        (r#"nigh_http_refusals_total{code="too-many-requests"}"#, 0.0),
        ("nigh_http_in_flight", 1.0),
        (r#"nigh_state{state="ready"}"#, 1.0),
        (r#"nigh_state{state="starting"}"#, 0.0),
        (r#"nigh_collection_items{collection="default"}"#, 24_323.0),
        (r#"nigh_collection_items{collection="earthquakes"}"#, 1_707.0),
        (r#"nigh_under_way{what="uploads"}"#, 0.0),
        (r#"nigh_under_way_max{what="uploads"}"#, 64.0),
        (concat!(r#"nigh_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""}"#), 1.0),
    ] {
        assert_eq!(rows.get(row), Some(&figure), "{row}");
    }
    let sum = rows[r#"nigh_http_request_seconds_sum{method="GET",route="/near"}"#];
    assert!(sum > 0.0 && sum < 60.0, "{sum}");
    assert!(rows["process_start_time_seconds"] > 1.7e9);
    assert!(rows.keys().any(|row| row.starts_with(r#"nigh_collection_bytes{collection="default",part=""#)));
    assert!(!rows.keys().any(|row| row.contains("nowhere") || row.contains("nothing")), "no label is a client's own");
    assert_eq!(service.stop(), (Some(0), String::new()));
}

#[test]
fn the_design_text_lists_exactly_the_figures_there_are() {
    let service = Service::with_demo();
    service.get("/near?lat=1&lon=2");
    let page = service.get("/metrics").body;
    let mut served = BTreeSet::new();
    for kind in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = kind.split_once(' ').unwrap();
        let row = page.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} has no row"));
        let labels = row.split_once('{').map_or("", |(_, labels)| labels.split('}').next().unwrap());
        // Values may hold braces, of paths; names end before an equals sign.
        let labels = labels.split(',').filter_map(|label| label.split_once("=\"").map(|(name, _)| name));
        let labels: Vec<&str> = labels.filter(|label| *label != "le").collect();
        served.insert((name.to_owned(), kind.to_owned(), labels.join(", ")));
    }
    let text = include_str!("../src/design/operations.md");
    let table = text.split("<!-- SERIES -->").nth(1).unwrap().split("<!-- end -->").next().unwrap();
    let written = table.lines().filter(|line| line.starts_with("| `")).map(|line| {
        let cells: Vec<String> = line.split('|').map(|cell| cell.trim().replace('`', "")).collect();
        (cells[1].clone(), cells[2].clone(), cells[3].clone())
    });
    let written: BTreeSet<_> = written.collect();
    assert_eq!(written, served);
    assert_eq!(served.len(), SERIES.len());
    for series in SERIES {
        assert!(table.contains(series.help), "{}: {}", series.name, series.help);
    }
}

#[test]
fn a_client_that_goes_away_is_counted_and_no_longer_under_way() {
    let service = Service::start(&["--no-demo"]);
    let head =
        format!("PUT /collections/c/items/a HTTP/1.1\r\nhost: {}\r\ncontent-length: 100\r\n\r\n{{", service.address());
    let in_flight = || rows(&service)["nigh_http_in_flight"] - 1.0;
    let gone = r#"nigh_http_requests_total{method="PUT",route="/collections/{c}/items/{id}",status="gone"}"#;
    let broken = r#"nigh_http_requests_total{method="PUT",route="/collections/{c}/items/{id}",status="4xx"}"#;
    let begun = Instant::now();
    let client = service.begin(&head);
    while in_flight() < 1.0 {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    drop(client);
    let ended = |rows: &BTreeMap<String, f64>| rows.get(gone).unwrap_or(&0.0) + rows.get(broken).unwrap_or(&0.0);
    while in_flight() > 0.0 || ended(&rows(&service)) < 1.0 {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    assert_eq!(service.stop(), (Some(0), String::new()));
}

#[test]
fn a_refusal_has_a_name_and_so_has_whatever_the_client_named() {
    let service = Service::start(&["--no-demo"]);
    let id = |target: &str, header: &str| {
        let headers: &[&str] = if header.is_empty() { &[] } else { &[header] };
        service.ask("GET", target, headers, "").header("x-request-id").map(str::to_owned)
    };
    assert_eq!(id("/", "x-request-id: 7b2f-1").as_deref(), Some("7b2f-1"));
    assert_eq!(id("/", ""), None, "a common answer is not named");
    assert_eq!(id("/nowhere", "x-request-id: 7b2f-1").as_deref(), Some("7b2f-1"));
    let (first, second) = (id("/nowhere", "").unwrap(), id("/nowhere", "x-request-id: a b").unwrap());
    assert!(first != second && first.len() == 16 && second.len() == 16, "{first} {second}");
    assert_eq!(service.stop(), (Some(0), String::new()));
}

#[test]
fn the_access_log_has_a_line_for_each_request_and_may_be_moved_away() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("access.log"), folder.path().join("access.log.1"));
    let service = Service::start(&["--no-demo", "--access-log", path.to_str().unwrap()]);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    service.ask("GET", "/?f=json", &["x-request-id: one", &format!("traceparent: 00-{trace}-00f067aa0ba902b7-01")], "");
    service.get("/nowhere");
    let written = lines(&path, 2);
    for (name, value) in [
        ("request_id", json!("one")),
        ("trace_id", json!(trace)),
        ("address", json!("127.0.0.1")),
        ("key", json!(null)),
        ("method", json!("GET")),
        ("target", json!("/?f=json")),
        ("status", json!(200)),
    ] {
        assert_eq!(written[0][name], value, "{name}");
    }
    assert!(written[0]["bytes"].as_u64() > Some(100) && written[0]["elapsed_us"].is_u64(), "{}", written[0]);
    let time = written[0]["time"].as_str().unwrap();
    assert!(time.starts_with("20") && time.contains('T') && time.ends_with('Z'), "{time}");
    assert_eq!((&written[1]["status"], &written[1]["target"]), (&json!(404), &json!("/nowhere")));
    fs::rename(&path, &moved).unwrap();
    service.signal("HUP");
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        service.get("/livez");
    }
    service.ask("GET", "/livez", &["x-request-id: last"], "");
    assert_eq!(service.stop(), (Some(0), String::new()));
    assert_eq!(lines(&path, 1).last().unwrap()["request_id"], "last", "a stop writes what waits");
}

#[test]
fn slow_requests_and_refusals_stand_in_the_log_when_it_is_asked_for() {
    let service = Service::start(&["--slow-ms", "0", "--log-level", "debug", "--log", "json"]);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("traceparent: 00-{trace}-00f067aa0ba902b7-01");
    service.ask("GET", "/collections/default/near?lat=1&lon=2", &["x-request-id: slow-1", &parent], "");
    service.ask("GET", "/near?lat=91&lon=2", &["x-request-id: bad-1"], "");
    let (code, log) = service.stop();
    assert_eq!(code, Some(0));
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    let line = |message: &str, id: &str| {
        let found = lines.iter().find(|line| line["message"] == message && line["request_id"] == id);
        found.unwrap_or_else(|| panic!("{message} {id}: {log}")).clone()
    };
    let slow = line("a request was slow", "slow-1");
    for (name, value) in [
        ("level", json!("INFO")),
        ("trace_id", json!(trace)),
        ("method", json!("GET")),
        ("route", json!("/collections/{c}/near")),
        ("path", json!("/collections/default/near")),
        ("query", json!("lat=1&lon=2")),
        ("status", json!(200)),
    ] {
        assert_eq!(slow[name], value, "{name}: {slow}");
    }
    assert!(slow["elapsed_ms"].as_f64() > Some(0.0));
    assert!(slow["explain"].as_str().is_some_and(|explain| explain.contains("candidates")), "{slow}");
    let refused = line("a request was refused", "bad-1");
    assert_eq!((&refused["level"], &refused["code"]), (&json!("DEBUG"), &json!("coordinate-out-of-range")));
}

#[test]
fn a_service_that_is_being_stopped_says_so_and_goes_on_answering() {
    let service = Service::start(&["--no-demo", "--drain", "1"]);
    assert_eq!(service.get("/readyz").status, 200);
    let begun = Instant::now();
    service.signal("TERM");
    let refused = loop {
        let ready = service.get("/readyz");
        if ready.status != 200 {
            break ready;
        }
        assert!(begun.elapsed() < Duration::from_secs(20));
    };
    assert_eq!((refused.status, refused.json()["code"].as_str()), (503, Some("stopping")));
    assert_eq!((service.get("/livez").status, service.get("/collections").status), (200, 200));
    assert_eq!(rows(&service).get(r#"nigh_state{state="draining"}"#), Some(&1.0));
    assert_eq!(service.ended(), (Some(0), String::new()));
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

/// A start takes as long as the data directory takes to be read. Here a file of it is a pipe into which nobody has written yet.
#[test]
fn a_service_that_is_starting_lives_and_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let serve = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nigh"));
        command.args(["serve", "--no-demo", "--listen", &free.to_string(), "--data-dir"]).arg(&data);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let first_line = |process: &mut std::process::Child| {
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line
    };
    let stop = |mut process: std::process::Child| {
        assert!(Command::new("kill").arg(process.id().to_string()).status().unwrap().success());
        let mut log = String::new();
        process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert_eq!((process.wait().unwrap().code(), log), (Some(0), String::new()));
    };
    let mut before = serve().spawn().unwrap();
    first_line(&mut before);
    stop(before);
    let format = data.join("FORMAT");
    let words = fs::read(&format).unwrap();
    fs::remove_file(&format).unwrap();
    assert!(Command::new("mkfifo").arg(&format).status().unwrap().success());

    let socket = folder.path().join("notify");
    let supervisor = UnixDatagram::bind(&socket).unwrap();
    supervisor.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut process = serve().env("NOTIFY_SOCKET", &socket).spawn().unwrap();
    let begun = Instant::now();
    let get = |target: &str| loop {
        let Ok(mut stream) = TcpStream::connect(free) else {
            assert!(begun.elapsed() < Duration::from_secs(20));
            continue;
        };
        write!(stream, "GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        return answer;
    };
    assert!(get("/livez").starts_with("HTTP/1.1 200"));
    for target in ["/readyz", "/collections", "/near?lat=1&lon=2"] {
        let answer = get(target);
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains(r#""code":"starting""#), "{target}: {answer}");
        assert!(answer.contains("retry-after: 1"), "{answer}");
    }
    assert!(get("/metrics").contains(r#"nigh_state{state="starting"} 1"#));
    fs::write(&format, words).unwrap();
    assert!(first_line(&mut process).starts_with("nigh listens on"));
    assert!(get("/readyz").starts_with("HTTP/1.1 200"));
    let told = || {
        let mut word = [0; 64];
        let length = supervisor.recv(&mut word).unwrap();
        String::from_utf8(word[..length].to_vec()).unwrap()
    };
    assert_eq!(told(), "READY=1");
    stop(process);
    assert_eq!(told(), "STOPPING=1");
}
