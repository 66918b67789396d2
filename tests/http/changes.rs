//! Changes as they happen: server-sent events and lines, fences, resuming by number.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::service::Service;

const VANS: &str = "/collections/vans";

fn put(service: &Service, id: &str, lat: f64, lon: f64) -> u64 {
    let made = service.put(&format!("{VANS}/items/{id}"), &json!({ "lat": lat, "lon": lon }).to_string());
    made.json()["seq"].as_u64().unwrap()
}

/// The lines of a stream that ends by itself.
fn lines(service: &Service, target: &str) -> Vec<Value> {
    let response = service.get(target);
    assert_eq!(
        (response.status, response.header("content-type")),
        (200, Some("application/x-ndjson")),
        "{}",
        response.body
    );
    response.lines()
}

/// A stream of server-sent events that stays open.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(service: &Service, target: &str, headers: &str) -> Stream {
        let stream =
            service.begin(&format!("GET {target} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n{headers}\r\n"));
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut stream = Stream(BufReader::new(stream));
        assert_eq!(stream.line(), "HTTP/1.1 200 OK");
        while !stream.line().is_empty() {}
        stream
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
        line.trim_end().to_owned()
    }

    /// The next event: its id, its name and its data. The lines of the chunks it comes in are passed over.
    fn event(&mut self) -> (Option<u64>, String, Value) {
        let (mut id, mut name) = (None, String::new());
        loop {
            let line = self.line();
            if let Some(number) = line.strip_prefix("id: ") {
                let (_, seq) = number.split_once('.').expect("the collection stands before the point");
                id = Some(seq.parse().unwrap());
            } else if let Some(given) = line.strip_prefix("event: ") {
                name = given.to_owned();
            } else if let Some(data) = line.strip_prefix("data: ") {
                return (id, name, serde_json::from_str(data).unwrap());
            }
        }
    }
}

#[test]
fn changes_are_told_in_order_with_where_the_item_was() {
    let service = Service::start(&["--no-demo"]);
    put(&service, "a", 1.0, 2.0);
    put(&service, "a", 3.0, 4.0);
    service.delete(&format!("{VANS}/items/a"));
    let told = lines(&service, &format!("{VANS}/changes?since=0&wait=0s&f=ndjson"));
    assert_eq!(
        told[..3],
        [
            json!({ "seq": 1, "event": "put", "id": "a", "lat": 1.0, "lon": 2.0, "properties": {}, "was": null }),
            json!({ "seq": 2, "event": "put", "id": "a", "lat": 3.0, "lon": 4.0, "properties": {}, "was": { "lat": 1.0, "lon": 2.0 } }),
            json!({ "seq": 3, "event": "remove", "id": "a", "was": { "lat": 3.0, "lon": 4.0 } }),
        ]
    );
    assert_eq!(told[3..], [json!({ "seq": 3, "event": "idle" })]);
    assert_eq!(lines(&service, &format!("{VANS}/changes?since=1&limit=1&f=ndjson")), told[1..2]);
    assert_eq!(
        lines(&service, &format!("{VANS}/changes?wait=0s&f=ndjson")),
        told[3..],
        "nobody says since when: from now on"
    );
}

#[test]
fn a_stream_goes_on_where_it_broke_off() {
    let service = Service::start(&["--no-demo"]);
    put(&service, "a", 1.0, 2.0);
    let mut first = Stream::open(&service, &format!("{VANS}/changes?since=0"), "");
    assert_eq!(first.event().0, Some(1));
    put(&service, "b", 1.0, 2.0);
    let (id, name, data) = first.event();
    assert_eq!((id, name.as_str(), &data["id"]), (Some(2), "put", &json!("b")));
    drop(first);
    put(&service, "c", 1.0, 2.0);
    // The browser says by itself where it stopped; what the URL says is older.
    let mut second = Stream::open(&service, &format!("{VANS}/changes?since=0"), "last-event-id: 2\r\n");
    let (id, _, data) = second.event();
    assert_eq!((id, &data["id"]), (Some(3), &json!("c")));
    assert_eq!(service.stop(), (Some(0), String::new()), "an open stream does not hold up a stop");
}

#[test]
fn a_fence_tells_who_is_inside_and_then_who_comes_and_goes() {
    let service = Service::start(&["--no-demo"]);
    put(&service, "in", -17.0, 179.9);
    put(&service, "out", -17.0, 170.0);
    let fence = format!("{VANS}/changes?lat=-17&lon=-179.9&radius=100km");
    let mut stream = Stream::open(&service, &fence, "");
    let names = |stream: &mut Stream, count: usize| -> Vec<(String, String)> {
        let event = |_| {
            let (_, name, data) = stream.event();
            (name, data["id"].as_str().unwrap_or_default().to_owned())
        };
        (0..count).map(event).collect()
    };
    let told = |name: &str, id: &str| (name.to_owned(), id.to_owned());
    assert_eq!(names(&mut stream, 3), [told("reset", ""), told("inside", "in"), told("current", "")]);
    put(&service, "out", -17.0, -179.5);
    put(&service, "out", -17.0, -179.6);
    put(&service, "far", 50.0, 0.0);
    service.delete(&format!("{VANS}/items/in"));
    let last = put(&service, "out", 0.0, 0.0);
    let crossings = [told("enter", "out"), told("inside", "out"), told("exit", "in"), told("exit", "out")];
    assert_eq!(names(&mut stream, 4), crossings);
    // The same again for one who comes back, by lines.
    let again = lines(&service, &format!("{fence}&since=2&wait=0s&f=ndjson"));
    let again: Vec<_> = again
        .iter()
        .map(|line| told(line["event"].as_str().unwrap(), line["id"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(again[..4], crossings);
    let polygon = json!({ "within": { "type": "Polygon", "coordinates": [[[179, -18], [-179, -18], [-179, -16], [179, -16], [179, -18]]] } });
    let by_polygon =
        service.post(&format!("{VANS}/changes?since={}&wait=0s&f=ndjson", last - 1), &polygon.to_string()).lines();
    assert_eq!((&by_polygon[0]["event"], &by_polygon[0]["id"]), (&json!("exit"), &json!("out")));
}

#[test]
fn what_is_no_stream_is_refused() {
    let service = Service::start(&["--no-demo"]);
    put(&service, "a", 1.0, 2.0);
    for (query, status, code) in [
        ("since=2", 400, "number-out-of-range"),
        ("since=x", 400, "bad-number"),
        ("wait=soon", 400, "bad-time"),
        ("lat=1&lon=2", 400, "bad-fence"),
        ("radius=2km", 400, "missing-parameter"),
        ("f=csv", 400, "unknown-choice"),
        ("filter=a%20=%201", 400, "unknown-parameter"),
    ] {
        let refused = service.get(&format!("{VANS}/changes?{query}"));
        assert_eq!((refused.status, &refused.json()["code"]), (status, &json!(code)), "{query}: {}", refused.body);
    }
    assert_eq!(service.get("/collections/nobody/changes").status, 404);
    let body = |body: &str| service.post(&format!("{VANS}/changes"), body).json()["code"].clone();
    assert_eq!((body("{}"), body(r#"{"filter":"a = 1"}"#)), (json!("bad-fence"), json!("unknown-parameter")));
    assert_eq!(service.ask("GET", &format!("{VANS}/changes"), &["accept: text/csv"], "").status, 406);
    assert_eq!(service.ask("GET", &format!("{VANS}/changes"), &["last-event-id: x"], "").status, 400);
}

#[test]
fn the_last_event_of_a_collection_that_was_dropped_leads_nowhere_in_a_new_one() {
    let service = Service::start(&["--no-demo"]);
    let resumed = |id: &str| {
        let header = format!("last-event-id: {id}");
        service.ask("GET", &format!("{VANS}/changes?wait=0s&f=ndjson"), &[&header], "")
    };
    put(&service, "a", 1.0, 2.0);
    let sent = service.get(&format!("{VANS}/changes?since=0&wait=0s")).body;
    let id = sent.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    assert_eq!(resumed(&id).lines().len(), 1, "nothing but a sign of life");
    service.delete(VANS);
    for _ in 0..3 {
        put(&service, "a", 1.0, 2.0);
    }
    let gone = resumed(&id);
    assert_eq!((gone.status, &gone.json()["code"]), (410, &json!("changes-gone")), "{}", gone.body);
    assert_eq!((resumed("1").status, resumed("x.1").status, resumed("1.x").status), (200, 400, 400));
}

#[test]
fn a_moment_of_a_collection_that_was_dropped_leads_nowhere_in_a_new_one() {
    let service = Service::start(&["--no-demo"]);
    let put = || service.put(&format!("{VANS}/items/a"), r#"{"lat":1,"lon":2}"#).json()["moment"].clone();
    let since = |moment: &Value| {
        let moment = moment.as_str().unwrap();
        service.get(&format!("{VANS}/changes?since={moment}&wait=0s&f=ndjson"))
    };
    let first = put();
    put();
    assert_eq!(since(&first).lines().len(), 2, "one change, and the sign that there are no more");
    assert_eq!(service.delete(VANS).status, 204);
    let second = put();
    let gone = since(&first);
    assert_eq!((gone.status, &gone.json()["code"]), (410, &json!("changes-gone")), "{}", gone.body);
    assert_eq!((&gone.json()["parameter"], &gone.json()["value"]), (&json!("since"), &first));
    assert_eq!(since(&second).status, 200);
    // The number alone means whichever collection there is; one that has not come is told at once.
    let ahead = service.get(&format!("{VANS}/changes?since=2"));
    assert_eq!((ahead.status, &ahead.json()["code"]), (400, &json!("number-out-of-range")), "{}", ahead.body);
    // Every other write tells the moment as well.
    let upload =
        service.ask("POST", &format!("{VANS}/items"), &["content-type: text/csv"], "id,lat,lon\nb,1,2\n").fine();
    let patched = service.patch(&format!("{VANS}/items/b"), r#"{"lat":2}"#).json();
    let removed = service.delete(&format!("{VANS}/items?bbox=0,0,9,9")).json();
    for told in [&upload, &patched, &removed] {
        let seq = told["seq"].as_u64().unwrap();
        assert_eq!(told["moment"].as_str().unwrap().split_once('.').unwrap().1, seq.to_string(), "{told}");
        assert_eq!(service.get(&format!("{VANS}/items?min_seq={}", told["moment"].as_str().unwrap())).status, 200);
    }
}

#[test]
fn a_stream_of_a_collection_that_is_dropped_says_so() {
    let service = Service::start(&["--no-demo"]);
    put(&service, "a", 1.0, 2.0);
    let mut stream = Stream::open(&service, &format!("{VANS}/changes?since=1"), "");
    service.delete(VANS);
    assert_eq!(stream.event().1, "dropped");
}

#[test]
fn a_load_is_one_event_and_a_fence_begins_anew() {
    let service = Service::start(&["--no-demo"]);
    put(&service, "a", 1.0, 2.0);
    let csv =
        (0..6000).fold("id,lat,lon\n".to_owned(), |csv, row| csv + &format!("r{row},{},50\n", f64::from(row) / 100.0));
    assert_eq!(service.ask("POST", &format!("{VANS}/items"), &["content-type: text/csv"], &csv).status, 200);
    let told = lines(&service, &format!("{VANS}/changes?since=1&wait=0s&f=ndjson"));
    assert_eq!(told[0], json!({ "seq": 6001, "event": "load", "first_seq": 2, "items": 6000 }));
    let told = lines(&service, &format!("{VANS}/changes?since=1&bbox=49,0,51,1&wait=0s&f=ndjson"));
    let events: Vec<&str> = told.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!((events[0], events.iter().filter(|event| **event == "inside").count()), ("reset", 101));
    assert_eq!(events[events.len() - 2..], ["current", "idle"]);
}

#[test]
fn head_of_a_stream_ends_and_leaves_its_connection_to_others() {
    let service = Service::start(&["--no-demo", "--max-streams", "1"]);
    put(&service, "7", 1.0, 2.0);
    let head = format!("HEAD {VANS}/changes HTTP/1.1\r\nhost: x\r\n\r\n");
    let next = "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let stream = service.begin(&format!("{head}{head}{next}"));
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let statuses = BufReader::new(stream).lines().map(Result::unwrap).filter(|line| line.starts_with("HTTP/1.1 "));
    assert_eq!(statuses.collect::<Vec<_>>(), ["HTTP/1.1 200 OK"; 3]);
}
