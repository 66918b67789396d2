//! Every operation of the list answers, and what the service says of itself is true.

use nigh::http::ROUTES;
use serde_json::{Value, json};

use crate::service::Service;

/// A request that an operation answers with success: target, headers, body.
fn sound(path: &str, method: &str) -> (String, Vec<&'static str>, &'static str) {
    let path_there = path
        .replace("{c}", "earthquakes")
        .replace("{id}", "uw61345682")
        .replace("{kind}", "quadtree")
        .replace("{z}", "3")
        .replace("{x}", "1")
        .replace("{y}", "2")
        .replace("{file}", "settings.json");
    let (query, body) = match (method, path) {
        (_, "/near" | "/collections/{c}/near") => ("lat=60&lon=-150", ""),
        ("GET", "/collections/{c}/compare" | "/collections/{c}/indexes/{kind}/walk") => ("bbox=-160,50,-140,70", ""),
        (_, "/distance") => ("from=0,0&to=0,1", ""),
        (_, "/collections/{c}/distance") => ("from=uw61345682&to=uw61345682", ""),
        ("GET", "/collections/{c}/changes") => ("since=1707&f=ndjson&wait=0s", ""),
        ("POST", "/collections/{c}/changes") => ("since=1707&f=ndjson&wait=0s", r#"{"bbox":[0,0,1,1]}"#),
        ("POST", "/collections/{c}/search/batch") => ("", "[{}, {\"k\":1,\"near\":{\"lat\":1,\"lon\":2}}]"),
        ("PUT", "/collections/{c}/items/{id}") => ("", r#"{"lat":1,"lon":2,"properties":{"magnitude":9.9}}"#),
        ("PATCH", _) => ("", r#"{"properties":{"magnitude":1}}"#),
        ("POST" | "PUT", "/collections/{c}/items") => ("", "id,lat,lon\nnew,1,2\n"),
        ("DELETE", "/collections/{c}/items") => ("filter=magnitude%20%3E%207", ""),
        ("PUT", "/collections/{c}") => ("", r#"{"metric":"vincenty"}"#),
        ("POST", _) => ("", "{}"),
        _ => ("", ""),
    };
    let headers = match (method, path) {
        ("POST" | "PUT", "/collections/{c}/items") => vec!["content-type: text/csv"],
        _ if body.is_empty() => vec![],
        _ => vec!["content-type: application/json"],
    };
    (format!("{path_there}?{query}"), headers, body)
}

#[test]
fn every_operation_answers() {
    let service = Service::with_demo();
    // What is there is dropped last.
    let mut routes: Vec<_> = ROUTES.iter().collect();
    routes.sort_by_key(|route| (route.method == "DELETE", std::cmp::Reverse(route.path.len())));
    for route in routes {
        let (target, headers, body) = sound(route.path, route.method);
        let response = service.ask(route.method, &target, &headers, body);
        assert!(
            (200..300).contains(&response.status),
            "{} {target}: {} {}",
            route.method,
            response.status,
            response.body
        );
        if route.method == "GET" {
            let head = service.ask("HEAD", &target, &[], "");
            assert_eq!((head.status, head.body.as_str()), (response.status, ""), "HEAD {target}");
        }
    }
    assert_eq!(service.stop(), (Some(0), String::new()), "the log stays clean");
}

#[test]
fn other_methods_are_told_which_there_are() {
    let service = Service::start(&["--no-demo"]);
    for path in
        ["/", "/near", "/collections", "/collections/{c}", "/collections/{c}/items", "/collections/{c}/items/{id}"]
    {
        let known: Vec<&str> = ROUTES.iter().filter(|route| route.path == path).map(|route| route.method).collect();
        let response = service.ask("TRACE", &path.replace("{c}", "a").replace("{id}", "b"), &[], "");
        assert_eq!(response.status, 405, "{path}: {}", response.body);
        let allow = response.header("allow").unwrap().to_uppercase();
        assert!(
            known.iter().chain(&["HEAD"]).all(|method| allow.split(", ").any(|other| other == *method)),
            "{path}: {allow}"
        );
    }
}

#[test]
fn the_landing_leads_to_everything() {
    let service = Service::with_demo();
    let landing = service.get("/").fine();
    assert_eq!(landing["collections"], json!(["default", "earthquakes"]));
    let listed = landing["operations"].as_array().unwrap().len();
    assert_eq!(listed, ROUTES.len());
    let links = landing["links"].as_array().unwrap();
    for rel in ["self", "service-desc", "conformance", "data"] {
        let link = links.iter().find(|link| link["rel"] == rel).unwrap_or_else(|| panic!("no link {rel}"));
        let href = link["href"].as_str().unwrap();
        let path = href.strip_prefix(&format!("http://{}", service.address())).expect("links are absolute");
        assert_eq!(service.get(path).status, 200, "{href}");
    }
    let tried = service.get(landing["try"].as_str().unwrap()).fine();
    assert_eq!(tried["numberReturned"], 10);
}

#[test]
fn a_service_that_runs_lives_and_is_ready() {
    let service = Service::start(&["--no-demo"]);
    assert_eq!(service.get("/livez").fine(), json!({ "live": true }));
    assert_eq!(service.get("/readyz").fine(), json!({ "ready": true }));
    assert_eq!(service.get("/readyz?verbose").status, 400);
    let classes: Value = service.get("/conformance").fine()["conformsTo"].clone();
    assert!(classes.as_array().unwrap().iter().any(|class| class.as_str().unwrap().ends_with("/conf/core")));
    assert!(service.get("/openapi.yaml").body.contains("openapi: 3.1.0"));
}
