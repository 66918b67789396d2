//! Every way to be refused: each code of the table, in its form, with its hint; and input that is meant to hurt.

use std::time::{Duration, Instant};

use nigh::http::{PROBLEMS, ROUTES};
use serde_json::{Value, json};

use crate::service::{Response, Service};

const PARIS: &str = "lat=48.857&lon=2.352";

/// The answer to a second upload under the key of another.
fn reused(service: &Service) -> Response {
    let upload =
        |csv| service.ask("POST", "/collections/y/items", &["content-type: text/csv", "idempotency-key: k"], csv);
    assert_eq!(upload("id,lat,lon\na,1,2\n").status, 200);
    upload("id,lat,lon\nb,1,2\n")
}

/// Codes that are provoked by tests of their own, which name them.
const BY_OTHERS: &[(&str, &[&str])] = &[
    ("tests/security.rs", &["unauthorized", "forbidden", "foreign-origin", "too-many-requests"]),
    ("tests/metrics.rs", &["starting", "stopping"]),
    ("tests/http/limits.rs", &["too-slow", "too-costly", "overloaded", "changes-gone"]),
    ("tests/http/bombs.rs", &["unpacks-too-large"]),
    ("tests/http/disk.rs", &["read-only", "unavailable", "disk-full"]),
    ("src/http/pool.rs", &["internal-error"]),
];

#[test]
fn codes_provoked_elsewhere_are_named_there() {
    for (file, codes) in BY_OTHERS {
        let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        for code in *codes {
            let variant = PROBLEMS.iter().find(|problem| problem.name == *code).unwrap().code;
            assert!(
                text.contains(&format!("\"{code}\"")) || text.contains(&format!("Code::{variant:?}")),
                "{file}: {code}"
            );
        }
    }
}

#[test]
fn every_code_of_the_table_is_provoked_by_somebody() {
    let service = Service::with_demo();
    let long_id = "x".repeat(257);
    let get = |target: &str| service.get(target);
    let items = |query: &str| get(&format!("/collections/default/items?{query}"));
    let near = |query: &str| get(&format!("/near?{query}"));
    let search = |body: &str| service.post("/collections/default/search", body);
    let large = format!(r#"{{"filter":"{}"}}"#, "x".repeat(8 << 20));
    let provoked = [
        ("bad-encoding", items("filter=%FF")),
        ("unknown-parameter", near("lat=1&lng=2")),
        ("repeated-parameter", near("lat=1&lon=2&lat=1")),
        ("missing-parameter", near("lat=1")),
        ("bad-number", near("lat=48,857&lon=2")),
        ("number-out-of-range", near("lat=1&lon=2&k=0")),
        ("coordinate-out-of-range", near("lat=151.2&lon=-33.8")),
        ("bad-length", near("lat=1&lon=2&radius=2miles")),
        ("bad-box", items("bbox=1,2,3")),
        ("bad-geohash", items("geohash=a")),
        ("bad-polygon", items("within={}")),
        ("bad-filter", items("filter=city%20=%20Paris")),
        ("bad-cursor", items("cursor=d40e1720a8c280304000000000000000132393735353336")),
        ("unknown-choice", near("lat=1&lon=2&index=rstar")),
        ("bad-collection-name", get("/collections/Caf%C3%A9s")),
        ("bad-id", get(&format!("/collections/default/items/{long_id}"))),
        ("bad-time", get("/collections/default/items?datetime=soon")),
        ("bad-tile", get("/collections/default/tiles/0/1/0.mvt")),
        ("bad-fence", get("/collections/default/changes?lat=1&lon=2")),
        ("bad-header", service.ask("PUT", "/collections/x/items/a", &["if-match: 1"], r#"{"lat":1,"lon":2}"#)),
        ("bad-item", service.put("/collections/x/items/a", r#"{"lat":1}"#)),
        ("bad-body", search("[1]")),
        ("not-found", get("/nothing")),
        ("collection-not-found", get("/collections/cafes/items")),
        ("item-not-found", get("/collections/default/items/nobody")),
        ("index-not-found", get("/collections/default/indexes/scan/cells")),
        ("method-not-allowed", service.ask("PUT", "/near", &[], "")),
        ("not-acceptable", service.ask("GET", &format!("/near?{PARIS}"), &["accept: text/html"], "")),
        ("precondition-failed", service.ask("PUT", "/collections/x/items/a", &["if-match: *"], r#"{"lat":1,"lon":2}"#)),
        ("behind", items("min_seq=999999999")),
        (
            "rows-rejected",
            service.ask("POST", "/collections/x/items", &["content-type: text/csv"], "id,lat,lon\na,b,c\n"),
        ),
        ("key-reused", reused(&service)),
        ("body-too-large", search(&large)),
        (
            "unsupported-media-type",
            service.ask("POST", "/collections/default/search", &["content-type: text/csv"], "x"),
        ),
    ];
    let elsewhere = BY_OTHERS.iter().flat_map(|(_, codes)| *codes).copied();
    let mut met: Vec<&str> = provoked.iter().map(|(code, _)| *code).chain(elsewhere).collect();
    met.sort_unstable();
    let mut known: Vec<&str> = PROBLEMS.iter().map(|problem| problem.name).collect();
    known.sort_unstable();
    assert_eq!(met, known);
    for (code, response) in &provoked {
        assert_refused(response, code);
    }
    assert_eq!(service.stop(), (Some(0), String::new()), "the log stays clean");
}

pub(crate) fn assert_refused(response: &Response, code: &str) {
    let problem = PROBLEMS.iter().find(|problem| problem.name == code).unwrap_or_else(|| panic!("no code {code}"));
    let (status, title) = (problem.status, problem.title);
    assert_eq!(response.header("retry-after").is_some(), problem.retry_after_s.is_some(), "{code}: {}", response.head);
    assert_eq!(response.status, status, "{code}: {}", response.body);
    assert_eq!(response.header("content-type"), Some("application/problem+json"), "{code}");
    let body = response.json();
    for (member, value) in [
        ("type", json!(format!("/problems/{code}"))),
        ("title", json!(title)),
        ("status", json!(status)),
        ("code", json!(code)),
    ] {
        assert_eq!(body[member], value, "{code}: {body}");
    }
    assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{code}: {body}");
}

#[test]
fn refusals_name_the_parameter_its_value_and_what_would_be_right() {
    let service = Service::with_demo();
    for (target, parameter, value, hint) in [
        ("/near?lat=151.2&lon=-33.8", "lat", "151.2", "lat and lon look swapped: try lat=-33.8&lon=151.2"),
        ("/near?lat=48,857&lon=2.352", "lat", "48,857", "write a decimal point, as in 48.857"),
        ("/near?lat=1&lon=2&k=0", "k", "0", ""),
        ("/near?lat=1&lon=2&index=btree", "index", "btree", "use one of auto, rtree, quadtree, geohash, hilbert"),
        ("/distance?from=0,0&to=95,0", "to", "95,0", "lat and lon look swapped: try lat=0&lon=95"),
        ("/collections/default/items?limit=0", "limit", "0", "ask for further pages instead"),
    ] {
        let body = service.get(target).json();
        let hint = if hint.is_empty() { Value::Null } else { json!(hint) };
        assert_eq!((&body["parameter"], &body["value"]), (&json!(parameter), &json!(value)), "{body}");
        assert_eq!(body["hint"], hint, "{body}");
    }
    let body = service.get("/near?lat=1&lng=2").json();
    assert_eq!((&body["parameter"], &body["hint"]), (&json!("lng"), &json!("write lon")), "{body}");
}

#[test]
fn a_refusal_is_short_however_long_the_request() {
    let service = Service::with_demo();
    let long = "\u{7f}".repeat(1_000_000);
    for body in [
        format!(r#"{{"{long}":1}}"#),
        format!(r#"{{"near":{{"lat":1,"lon":1}},"k":"{long}"}}"#),
        format!(r#"{{"near":{{"{long}":1}}}}"#),
        format!(r#"{{"near":{{"lat":1,"lon":1}},"metric":"{long}"}}"#),
    ] {
        let response = service.post("/collections/default/search", &body);
        assert_eq!(response.status, 400);
        assert!(response.body.len() < 4096, "{} bytes for {:.40}", response.body.len(), body);
    }
}

#[test]
fn hundreds_of_thousands_of_fields_cost_little_for_each_item() {
    let service = Service::with_demo();
    let fields: Vec<String> = (0..300_000).map(|field| format!("f{field}")).chain(["name".to_owned()]).collect();
    let ask = |fields: &[String]| {
        let body = json!({ "fields": fields, "limit": 10_000 }).to_string();
        let begin = Instant::now();
        let answer = service.post("/collections/default/search?f=json", &body).fine();
        (answer["items"].clone(), begin.elapsed())
    };
    let (many, took) = ask(&fields);
    assert_eq!(many, ask(&fields[300_000..]).0);
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_body_that_never_ends_does_not_hold_up_a_stop() {
    let service = Service::start(&["--no-demo"]);
    let _half = service.begin("POST /collections/default/search HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{");
    assert_eq!(service.get("/livez").status, 200);
    let begin = Instant::now();
    assert_eq!(service.stop(), (Some(0), String::new()));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
fn no_input_makes_a_500() {
    let service = Service::with_demo();
    let huge = "9".repeat(400);
    let values = ["", "0", "-0", "-1", "nan", "inf", "1e400", "null", "%00", "%F0%9F%A6%80", "'", "((((", "[]", &huge];
    let mut asked = 0;
    for route in ROUTES.iter().filter(|route| route.method == "GET") {
        let path = route.path.replace("{c}", "default").replace("{id}", "2988507").replace("{kind}", "rtree");
        for parameter in route.parameters {
            for value in values {
                let place = if ["lat", "lon"].contains(parameter) { "" } else { "lat=1&lon=2&" };
                let place = if route.parameters.contains(&"lat") { place } else { "" };
                let response = service.get(&format!("{path}?{place}{parameter}={value}&limit=1"));
                assert!(response.status < 500, "{path} {parameter}={value}: {}", response.body);
                asked += 1;
            }
        }
    }
    for value in ["null", "1", "\"\"", "[]", "{}", "[[1]]", "-1e400", "\"\\ud800\"", "{\"type\":\"Polygon\"}"] {
        for member in nigh::http::MEMBERS {
            let response = service.post("/collections/default/search", &format!(r#"{{"{member}":{value}}}"#));
            assert!(response.status < 500, "{member}: {value}: {}", response.body);
        }
    }
    assert!(asked > 500);
    assert_eq!(service.stop(), (Some(0), String::new()), "the log stays clean");
}
