//! A fence over HTTP against the true history: whoever is cut off and comes back hears of every crossing once, in order.
//!
//! Objects jump to and fro over the border of a circle on ±180 and of one round a pole, moved by several writers at once. The
//! listener hangs up in the middle again and again, and goes on by the number it saw last.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::service::Service;

/// A fence: its question, a place inside, one outside.
const FENCES: &[(&str, [f64; 2], [f64; 2])] = &[
    ("lat=-17&lon=180&radius=200km", [-17.0, -179.5], [-17.0, 170.0]),
    ("lat=90&lon=0&radius=500km&metric=vincenty", [87.0, 123.0], [80.0, -57.0]),
    ("bbox=170,-20,-170,-10", [-15.0, 180.0], [-15.0, -160.0]),
];

const OBJECTS: usize = 60;
const MOVES: usize = 12;
const WRITERS: usize = 3;

/// Whether an object is inside after so many moves: each goes in and out by a pattern of its own, and stays now and then.
fn is_inside(object: usize, step: usize) -> bool {
    (object * 7 + step * step * 3 + step) % 5 < 2
}

/// What is to be heard of an object, in order.
fn truth(object: usize) -> Vec<&'static str> {
    let sides = (0..=MOVES).map(|step| step > 0 && is_inside(object, step));
    let sides: Vec<bool> = sides.collect();
    let crossing = |pair: &[bool]| match pair {
        [false, true] => Some("enter"),
        [true, false] => Some("exit"),
        [true, true] => Some("inside"),
        _ => None,
    };
    sides.windows(2).filter_map(crossing).collect()
}

fn write(service: &Service, [inside, outside]: [[f64; 2]; 2], writer: usize) {
    for step in 1..=MOVES {
        for object in (writer..OBJECTS).step_by(WRITERS) {
            let [lat, lon] = if is_inside(object, step) { inside } else { outside };
            // Never quite the same place twice, and never over a border by that.
            let body = json!({ "lat": lat, "lon": lon, "properties": { "step": step } }).to_string();
            let status = service.put(&format!("/collections/fleet/items/o{object}"), &body).status;
            assert!([200, 201].contains(&status));
        }
    }
}

/// Some events of a stream, after which the listener hangs up; the number to go on from, and whether there will be more.
fn listen(service: &Service, fence: &str, since: u64, most: usize) -> (Vec<Value>, u64) {
    let target = format!("/collections/fleet/changes?{fence}&since={since}&f=ndjson&wait=500ms");
    let stream = service.begin(&format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (mut heard, mut last) = (Vec::new(), since);
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    assert_eq!(lines.next().as_deref(), Some("HTTP/1.1 200 OK"), "{target}");
    // Lines of chunks and of the head are not JSON objects.
    for line in lines.filter(|line| line.starts_with('{')) {
        let event: Value = serde_json::from_str(&line).unwrap();
        last = event["seq"].as_u64().unwrap_or(last);
        if event["event"] == "idle" {
            break;
        }
        heard.push(event);
        if heard.len() == most {
            break;
        }
    }
    (heard, last)
}

#[test]
fn every_crossing_is_heard_once_and_in_order_however_often_the_listener_is_cut_off() {
    for (number, &(fence, inside, outside)) in FENCES.iter().enumerate() {
        let service = Service::start(&["--no-demo"]);
        assert_eq!(service.put("/collections/fleet", "").status, 201);
        let (mut heard, mut since, mut cuts) = (Vec::new(), 0, 0);
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    scope.spawn({
                        let service = &service;
                        move || write(service, [inside, outside], writer)
                    })
                })
                .collect();
            let until = Instant::now() + Duration::from_secs(60);
            loop {
                let done = writers.iter().all(std::thread::ScopedJoinHandle::is_finished);
                let (events, last) = listen(&service, fence, since, 1 + (cuts * 13 + number) % 40);
                let is_end = done && events.is_empty();
                heard.extend(events);
                (since, cuts) = (last, cuts + 1);
                if is_end {
                    break;
                }
                assert!(Instant::now() < until, "the writers and the listener come to an end");
            }
        });
        let mut by_object: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for event in &heard {
            let id = event["id"].as_str().unwrap().to_owned();
            by_object.entry(id).or_default().push(event["event"].as_str().unwrap().to_owned());
        }
        for object in 0..OBJECTS {
            assert_eq!(
                by_object.remove(&format!("o{object}")).unwrap_or_default(),
                truth(object),
                "{fence}: o{object}"
            );
        }
        assert_eq!(by_object, BTreeMap::new(), "nobody else was there");
        let numbers: Vec<u64> = heard.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b) && cuts > 10, "{cuts} cuts");
    }
}
