//! Requests that nobody means well, to every operation, without a socket between: whatever comes, there is an answer, and it is no
//! mistake of ours.

use std::sync::Arc;

use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service, read_body};
use actix_web::{App, web};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::dispatch::arrive;
use super::options::Options;
use super::routes::ROUTES;
use super::service::Service;
use crate::collection::{Change, Id, Item, Properties};
use crate::engine::{CollectionName, Engine};
use crate::geometry::Point;
use crate::repeatable::repeatable;

/// A request as it would stand on the wire.
#[derive(Debug, Clone)]
struct Asked {
    method: &'static str,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// Values that are right, nearly right, and far from it.
const VALUES: &[&str] = &[
    "",
    "0",
    "-0",
    "1",
    "1e308",
    "-1",
    "90",
    "-90",
    "180",
    "nan",
    "inf",
    "48,857",
    "2km",
    "1e400m",
    "0ft",
    "10",
    "10001",
    "true",
    "json",
    "csv",
    "rtree",
    "auto",
    "vincenty",
    "geodesic",
    "a",
    "name",
    "s",
    "ezs42",
    "-180,-90,180,90",
    "170,-10,-170,10",
    "1,2,3",
    "0,0,0,0,0,0",
    "i61",
    "d00000000000000000000000000000001",
    "d7ff0000000000000000000000000000161",
    "name%20=%20'x'",
    "a%20LIKE%20'%25%25%25%25'",
    "((((((((((((((((",
    "NOT%20NOT%20NOT%20a%20IS%20NULL",
    "%FF",
    "%00",
    "%F0%9F%A6%80",
    "..",
    "../..",
    "now",
    "2026-01-01T00:00:00Z/..",
    "99999999999999999999",
    "{}",
    "{%22type%22:%22Polygon%22,%22coordinates%22:[]}",
    "{%22type%22:%22Polygon%22,%22coordinates%22:[[[0,0],[10,0],[5,8],[0,0]]]}",
    "{%22type%22:%22Polygon%22,%22coordinates%22:[[[-180,-90],[180,-90],[180,90],[-180,90],[-180,-90]]]}",
    "{%22type%22:%22MultiPolygon%22,%22coordinates%22:[[[[1e400,0]]]]}",
    "15m",
    "0s",
    "-5s",
    "skip",
    "abort",
    "1.5",
];

const BODIES: &[&str] = &[
    "",
    "{}",
    "[]",
    "null",
    "{",
    "[[[[[[",
    "\"",
    r#"{"near":{"lat":1,"lon":2},"k":3}"#,
    r#"{"near":{"lat":1e999,"lon":2}}"#,
    r#"{"lat":1,"lon":2}"#,
    r#"{"lat":1,"lon":2,"properties":{"a":{"b":[1,2,{"c":null}]}},"ttl":"1h"}"#,
    r#"{"lat":1,"lat":2}"#,
    r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2,3]},"properties":null}"#,
    r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null}]}"#,
    r#"{"properties":{"a":null}}"#,
    "id,lat,lon\na,1,2\nb,91,2\n",
    "\u{feff}lat;lon\n1;2",
    "lat,lon\n\"1",
    "{\"id\":\"a\",\"lat\":1,\"lon\":2}\n{\n",
    "\u{1f}\u{8b}",
    r#"[{"k":1,"near":{"lat":1,"lon":2}},{"limit":0},{}]"#,
    r#"{"kinds":["rtree"],"ttl":"7d"}"#,
    r#"{"filter":"a = 'b' OR (c > 1)"}"#,
    r#"{"within":{"type":"Polygon","coordinates":[[[0,0],[0,1],[1,1],[0,0]]]},"edges":"geodesic"}"#,
];

const HEADERS: &[(&str, &[&str])] = &[
    ("accept", &["*/*", "application/json", "text/csv;q=0.5, */*;q=0.1", "q=,;;,", "text/html"]),
    (
        "content-type",
        &["application/json", "text/csv", "application/x-ndjson", "application/geo+json", "multipart/form-data", ";"],
    ),
    ("content-encoding", &["gzip", "zstd", "br", "identity"]),
    ("if-match", &["*", "\"1.1\"", "\"1.99999999999999999999\"", "W/\"1.1\"", "x"]),
    ("if-none-match", &["*", "\"1.1\"", "\"", ", ,"]),
    ("idempotency-key", &["a", "", "é"]),
    ("last-event-id", &["0", "-1", "x", "99999999999999999999"]),
    ("traceparent", &["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0-0-0", "x"]),
    ("host", &["localhost", "a b", "[::1]:80", ""]),
];

/// A text with some of its bytes changed.
fn bruised(text: impl Strategy<Value = &'static str>) -> impl Strategy<Value = Vec<u8>> {
    (text, proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)).prop_map(|(text, changes)| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte) in changes {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        bytes
    })
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(VALUES).prop_map(str::to_owned),
        1 => "[ -~]{0,40}".prop_map(|text| percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).to_string()),
        1 => "(%[0-9A-F]{2}){0,20}",
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    let route =
        prop::sample::select(ROUTES.iter().filter(|route| !route.path.ends_with("/changes")).collect::<Vec<_>>());
    let pieces = proptest::collection::vec(value(), 5);
    let pairs = proptest::collection::vec((any::<prop::sample::Index>(), value(), any::<prop::sample::Index>()), 0..6);
    let headers = proptest::collection::vec((prop::sample::select(HEADERS), any::<prop::sample::Index>()), 0..4);
    (route, pieces, any::<bool>(), pairs, headers, bruised(prop::sample::select(BODIES))).prop_map(
        |(route, pieces, is_plain, pairs, headers, body)| {
            let mut pieces = pieces.into_iter();
            let piece = |name: &str| match (name, is_plain) {
                (name, _) if !name.starts_with('{') => name.to_owned(),
                ("{c}", true) => "c".to_owned(),
                ("{id}", true) => "a".to_owned(),
                ("{kind}", true) => "rtree".to_owned(),
                _ => pieces.next().unwrap_or_default().replace('/', ""),
            };
            let path: Vec<String> = route.path.split('/').map(piece).collect();
            // A parameter the operation knows, or any that some operation knows.
            let all: Vec<&str> = ROUTES.iter().flat_map(|route| route.parameters).copied().collect();
            let pairs: Vec<String> = pairs
                .into_iter()
                .map(|(name, value, any)| match route.parameters {
                    [] => format!("{}={value}", all[any.index(all.len())]),
                    own => format!("{}={value}", own[name.index(own.len())]),
                })
                .collect();
            let headers =
                headers.into_iter().map(|((name, values), at)| (name, values[at.index(values.len())].to_owned()));
            let target = format!("{}?{}", path.join("/"), pairs.join("&"));
            Asked { method: route.method, target, headers: headers.collect(), body }
        },
    )
}

fn engine() -> Engine {
    let engine = Engine::new();
    let name: CollectionName = "c".parse().unwrap();
    let places = [(0.0, 0.0), (90.0, 10.0), (-90.0, -0.0), (10.0, 180.0), (10.0, -180.0), (48.857, 2.352)];
    let puts = places.iter().cycle().take(60).enumerate().map(|(number, &(lat, lon))| {
        let id = if number == 0 { "a".to_owned() } else { format!("p{number}") };
        let properties = Properties::from_json(r#"{"name":"x","a":"%%%%","n":1.50,"deep":{"a":[null,{}]}}"#).unwrap();
        Change::Put(Item::new(Id::new(id).unwrap(), Point::new(lat, lon).unwrap()).with_properties(properties))
    });
    engine.submit(&name, puts.collect::<Vec<Change>>()).unwrap();
    engine
}

/// What is asked in the thousands here can be asked in the millions with `PROPTEST_CASES`.
#[test]
fn whatever_is_asked_there_is_an_answer_and_no_mistake() {
    let cases = repeatable(4000);
    let mut runner = TestRunner::new(cases.clone());
    actix_web::rt::System::new().block_on(async move {
        let service = web::Data::new(Service::new(Options::default()).unwrap());
        service.open(Arc::new(engine()));
        let app = App::new().app_data(service.clone());
        let app = app.default_service(web::to(arrive));
        let app = init_service(app).await;
        let mut met = std::collections::BTreeMap::<u16, u32>::new();
        for number in 0..cases.cases {
            // What was dropped or emptied on the way is filled again.
            if number % 256 == 0 {
                service.engine().unwrap().submit(&"c".parse().unwrap(), refill()).unwrap();
            }
            let asked = asked().new_tree(&mut runner).unwrap().current();
            let Ok(uri) = asked.target.parse::<actix_web::http::Uri>() else { continue };
            let mut request = TestRequest::default().method(asked.method.parse().unwrap()).uri(&uri.to_string());
            for (name, value) in &asked.headers {
                if let Ok(value) = actix_web::http::header::HeaderValue::from_str(value) {
                    request = request.append_header((*name, value));
                }
            }
            let request = request.set_payload(asked.body.clone()).to_request();
            let response: ServiceResponse = app.call(request).await.unwrap();
            let status = response.status();
            *met.entry(status.as_u16()).or_default() += 1;
            let body = read_body(response).await;
            assert!(
                !status.is_server_error() || status == StatusCode::SERVICE_UNAVAILABLE,
                "{asked:?} answered {status}: {}",
                String::from_utf8_lossy(&body)
            );
        }
        // The generator is worth something: much of it is fine, and much of it is not.
        assert!(met.get(&200).is_some_and(|&fine| fine > cases.cases / 20), "{met:?}");
        assert!(met.get(&400).is_some_and(|&refused| refused > cases.cases / 20), "{met:?}");
    });
}

fn refill() -> Vec<Change> {
    let item = |id: &str| Item::new(Id::new(id).unwrap(), Point::new(1.0, 2.0).unwrap());
    vec![Change::Put(item("a")), Change::Put(item("b"))]
}
