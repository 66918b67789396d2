//! What costs too much, comes too slowly or is too many is told so, and hurts nobody else.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use super::refusals::assert_refused;
use crate::service::{Response, Service};

/// A filter that reads every item many times over.
fn storm() -> String {
    let conditions: Vec<String> = (0..300).map(|number| format!("name LIKE '%a%e%{number}%'")).collect();
    conditions.join(" OR ")
}

#[test]
fn a_question_that_takes_too_long_is_given_up_and_the_others_are_not() {
    let service = Service::start(&["--query-timeout", "0.02"]);
    let storm = json!({ "filter": storm() }).to_string();
    assert_refused(&service.post("/collections/default/search", &storm), "too-costly");
    std::thread::scope(|scope| {
        let storms: Vec<_> =
            (0..8).map(|_| scope.spawn(|| service.post("/collections/default/search", &storm).status)).collect();
        for _ in 0..20 {
            assert_eq!(service.get("/near?lat=48.857&lon=2.352").status, 200);
        }
        assert!(storms.into_iter().all(|storm| storm.join().unwrap() == 422));
    });
    let patient = Service::start(&["--query-timeout", "120"]);
    assert!(patient.post("/collections/default/search?f=json", &storm).fine()["matched"].is_u64());
    assert_eq!(service.stop(), (Some(0), String::new()), "the log stays clean");
}

#[test]
fn more_streams_and_uploads_than_are_taken_are_refused_and_others_go_on() {
    let service = Service::start(&["--max-streams", "1", "--max-uploads", "0"]);
    let changes = "/collections/default/changes";
    let _open = service.begin(&format!("GET {changes} HTTP/1.1\r\nhost: x\r\n\r\n"));
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let second = service.get(&format!("{changes}?wait=0s&f=ndjson"));
        if second.status == 503 {
            break assert_refused(&second, "overloaded");
        }
        assert!(Instant::now() < until, "the first stream is open by now");
    }
    let upload = service.ask("POST", "/collections/x/items", &["content-type: text/csv"], "id,lat,lon\na,1,2\n");
    assert_refused(&upload, "overloaded");
    assert_eq!(service.get("/near?lat=48.857&lon=2.352").status, 200);
}

/// Reads what comes until the connection is closed.
fn rest(mut stream: TcpStream) -> Response {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    Response::parse(&bytes)
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let service = Service::start(&["--no-demo", "--body-timeout", "0.3"]);
    for (method, target) in
        [("POST", "/collections/a/search"), ("PUT", "/collections/a/items/b"), ("POST", "/collections/a/items")]
    {
        let request =
            format!("{method} {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 9999\r\n\r\n{{");
        assert_refused(&rest(service.begin(&request)), "too-slow");
    }
    // One that comes drop by drop is not waited for either.
    let mut drip = service
        .begin("POST /collections/a/items HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 9999\r\n\r\n");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) && drip.write_all(b"a").is_ok() {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_refused(&rest(drip), "too-slow");
    assert_eq!(service.stop(), (Some(0), String::new()), "the log stays clean");
}

#[test]
fn a_thousand_slow_clients_do_not_stop_the_next_one() {
    let service = Service::with_demo();
    let beginnings = [
        "GET /near?lat=1&lon=2 HTTP/1.1\r\nhost:",
        "POST /collections/default/search HTTP/1.1\r\nhost: x\r\ncontent-length: 90000\r\n\r\n{\"near\":",
        "POST /collections/slow/items HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\ncontent-length: 90000\r\n\r\nid,lat,lon\n",
        "GET /collections/default/changes HTTP/1.1\r\nhost: x\r\n\r\n",
    ];
    let slow: Vec<TcpStream> = (0..1000).map(|number| service.begin(beginnings[number % beginnings.len()])).collect();
    for _ in 0..20 {
        assert_eq!(service.get("/near?lat=48.857&lon=2.352").fine()["numberReturned"], 10);
        assert_eq!(service.put("/collections/quick/items/a", r#"{"lat":1,"lon":2}"#).json()["id"], "a");
    }
    let upload = service.ask("POST", "/collections/quick/items", &["content-type: text/csv"], "id,lat,lon\nb,1,2\n");
    assert_eq!(upload.fine()["created"], 1);
    assert_eq!(slow.len(), 1000);
    assert_eq!(service.stop(), (Some(0), String::new()), "they do not hold up a stop either");
}

#[test]
fn an_item_that_everybody_changes_at_once_keeps_every_change() {
    let service = Service::start(&["--no-demo", "--durability", "5"]);
    service.put("/collections/a/items/b", r#"{"lat":1,"lon":2}"#);
    // Of those who looked at the same version one wins; the others must not look in vain for ever.
    let changed = |client: usize| (0..5).map(move |round| format!("p{client}x{round}"));
    std::thread::scope(|scope| {
        for client in 0..64 {
            let service = &service;
            scope.spawn(move || {
                for name in changed(client) {
                    let body = json!({ "properties": { name: 1 } }).to_string();
                    let changed = service.patch("/collections/a/items/b", &body);
                    assert_eq!(changed.status, 200, "{}", changed.body);
                }
            });
        }
    });
    let item = service.get("/collections/a/items/b?f=json").fine();
    let kept: Vec<&String> = item["properties"].as_object().unwrap().keys().collect();
    assert_eq!(kept.len(), 64 * 5, "every change is there");
    assert_eq!(service.get("/collections/a").fine()["seq"], 64 * 5 + 1);
}

#[test]
fn the_list_of_a_fence_that_takes_too_long_ends_and_says_so() {
    let service = Service::start(&["--query-timeout", "0"]);
    let target = "/collections/default/changes?bbox=-180,-90,180,90&wait=0s&f=ndjson";
    let told = service.get(target).lines();
    assert_eq!(told.last().unwrap()["event"], "too-costly", "{told:?}");
    let tile = service.get("/collections/default/tiles/0/0/0.mvt?filter=population%20%3E%201");
    assert_refused(&tile, "too-costly");
    assert_eq!(service.get("/collections/default/tiles/0/0/0.mvt").status, 200);
}

#[test]
fn many_who_watch_at_once_all_get_their_lists() {
    let service = Service::with_demo();
    let target = "/collections/default/changes?bbox=-180,-90,180,90&wait=0s&f=ndjson";
    std::thread::scope(|scope| {
        let lists: Vec<_> = (0..32).map(|_| scope.spawn(|| service.get(target).body)).collect();
        let lists: Vec<String> = lists.into_iter().map(|list| list.join().unwrap()).collect();
        assert!(lists.iter().all(|list| *list == lists[0] && list.contains("\"current\"")));
    });
}

#[test]
fn changes_from_before_the_log_begins_are_gone_and_say_from_where_to_go_on() {
    let service = Service::start(&["--no-demo"]);
    let changes = |since: u64| service.get(&format!("/collections/a/changes?since={since}&wait=0s&f=ndjson"));
    service.put("/collections/a/items/b", r#"{"lat":1,"lon":2}"#);
    assert_eq!(changes(0).status, 200);
    // The same item over and over: many changes, and one item.
    let csv = "id,lat,lon\n".to_owned() + &"b,1,2\n".repeat(1_400_000);
    let loaded = service.ask("POST", "/collections/a/items", &["content-type: text/csv"], &csv).fine();
    assert_eq!((&loaded["received"], &loaded["created"]), (&json!(1_400_000), &json!(0)));
    let last = service.put("/collections/a/items/b", r#"{"lat":1,"lon":2}"#).json()["seq"].as_u64().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    let gone = loop {
        let answer = changes(0);
        if answer.status != 200 {
            break answer;
        }
        assert!(Instant::now() < until, "the log is trimmed by now");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_refused(&gone, "changes-gone");
    let hint = gone.json()["hint"].as_str().unwrap().to_owned();
    let oldest = hint.split("since=").nth(1).unwrap().split(' ').next().unwrap().parse::<u64>().unwrap();
    assert!(oldest > 0 && oldest <= last && changes(oldest).status == 200, "{hint}");
}

#[test]
fn an_upload_is_read_as_it_comes_in_memory_that_stays_flat() {
    let service = Service::start(&["--no-demo"]);
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", service.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("RssAnon"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    let Some(before) = resident() else {
        return println!("skipped: this system does not tell how much memory is used");
    };
    // Rows that are refused cost nothing but their reading: what grows then would be the body.
    let rows = "x".repeat(99) + ",north,1\n";
    let (count, piece) = (200, rows.repeat(10_000));
    let head = "POST /collections/a/items HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: text/csv\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut stream = service.begin(&format!("{head}b\r\nid,lat,lon\n\r\n"));
    let mut most = 0;
    for _ in 0..count {
        stream.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()).unwrap();
        most = most.max(resident().unwrap_or(0));
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let answer = rest(stream);
    assert_eq!((answer.status, &answer.json()["rejected"]), (422, &json!(count * 10_000)), "{}", answer.body);
    let (sent_kb, grown_kb) = (count as u64 * piece.len() as u64 / 1024, most.saturating_sub(before));
    assert!(sent_kb > 200_000 && grown_kb < 40_000, "{sent_kb} KB were sent and memory grew by {grown_kb} KB");
}

#[test]
fn many_cells_and_long_pages_are_whole_wherever_they_are_answered() {
    let service = Service::start(&["--no-demo"]);
    let rows = (0..6000).fold("id,lat,lon\n".to_owned(), |csv, row| {
        csv + &format!("p{row:04},{},{}\n", f64::from(row % 77), f64::from(row % 131))
    });
    assert_eq!(service.ask("POST", "/collections/a/items", &["content-type: text/csv"], &rows).status, 200);
    let page = service.get("/collections/a/items?f=json&limit=10000").fine();
    assert_eq!(page["returned"], 6000);
    let cells = |limit: usize| {
        let cells = service.get(&format!("/collections/a/indexes/hilbert/cells?level=99&limit={limit}")).fine();
        cells["features"].as_array().unwrap().len()
    };
    let all = cells(10_000);
    for limit in [1, 100, 499, 500, 501, 600] {
        assert_eq!(cells(limit), limit.min(all), "of {all}");
    }
    // Writing ten thousand answers down costs more than a question may that is answered at once.
    let hurried = Service::start(&["--query-timeout", "0.000001"]);
    assert_refused(&hurried.get("/collections/default/items?limit=10000"), "too-costly");
    assert_eq!(hurried.get("/collections/default/items?limit=100").status, 200);
}
