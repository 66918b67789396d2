//! Real answers are as the contract describes them: their status, their headers, their media type and every member.

use std::collections::BTreeSet;
use std::process::Command;

use nigh::http::{Access, ROUTES};
use serde_json::json;

use crate::contract::Contract;
use crate::service::{Response, Service};

/// A service whose answers are held against the contract.
struct Judged {
    contract: Contract,
    service: Service,
    succeeded: BTreeSet<String>,
    statuses: BTreeSet<u16>,
}

impl Judged {
    fn start(service: Service) -> Judged {
        Judged { contract: Contract::read(), service, succeeded: BTreeSet::new(), statuses: BTreeSet::new() }
    }

    fn ask(&mut self, method: &str, target: &str, headers: &[&str], body: &str, status: u16) -> Response {
        let response = self.service.ask(method, target, headers, body);
        assert_eq!(response.status, status, "{method} {target} {body}: {}", response.body);
        self.contract.check(method, target, &response);
        if status < 300 {
            let operation = self.contract.operation_of(method, target);
            self.succeeded.insert(operation.node["operationId"].as_str().unwrap().to_owned());
        }
        self.statuses.insert(status);
        response
    }

    fn get(&mut self, target: &str, status: u16) -> Response {
        self.ask("GET", target, &[], "", status)
    }

    fn post(&mut self, target: &str, body: &str, status: u16) -> Response {
        self.ask("POST", target, &["content-type: application/json"], body, status)
    }
}

const PARIS: &str = "lat=48.857&lon=2.352";
const FLORE: &str = "/collections/cafes/items/flore";
const POLYGON: &str = r#"{"type":"Polygon","coordinates":[[[1,48],[4,48],[2.5,50],[1,48]]]}"#;

#[test]
fn whoever_may_not_is_told_so_as_it_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.toml");
    let make = ["key", "new", "--name", "reader", "--scope", "read", "--collection", "earthquakes", "--file"];
    let made = Command::new(env!("CARGO_BIN_EXE_nigh")).args(make).arg(&keys).output().unwrap();
    let key = format!("authorization: Bearer {}", String::from_utf8(made.stdout).unwrap().trim());
    let mut judged = Judged::start(Service::start(&["--keys", keys.to_str().unwrap()]));
    for route in ROUTES.iter().filter(|route| route.access != Access::Anyone) {
        let target = route.path.replace("{c}", "earthquakes").replace("{id}", "a").replace("{kind}", "rtree");
        let target = target.replace("{z}/{x}/{y}", "0/0/0");
        judged.ask(route.method, &target, &[], "", 401);
        if route.access != Access::Read {
            judged.ask(route.method, &target, &[&key], "", 403);
        }
    }
    judged.ask("GET", "/collections/earthquakes", &[&key], "", 200);
}

#[test]
fn every_operation_answers_as_it_is_described() {
    let mut judged = Judged::start(Service::with_demo());
    read(&mut judged);
    follow_links(&mut judged);
    write(&mut judged);
    let known = Contract::read();
    let all: BTreeSet<String> =
        known.operations().iter().map(|operation| operation.node["operationId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(judged.succeeded, all, "every operation has answered");
    for status in [200, 201, 204, 304, 400, 404, 406, 412, 413, 415, 422] {
        assert!(judged.statuses.contains(&status), "{status}");
    }
}

fn read(judged: &mut Judged) {
    for f in ["geojson", "json", "ndjson", "csv"] {
        judged.get(&format!("/near?{PARIS}&f={f}"), 200);
        judged.get(&format!("/collections/default/near?{PARIS}&radius=100km&limit=2&explain=true&f={f}"), 200);
        judged.get(&format!("/collections/default/items?bbox=2,48,3,49&limit=3&fields=name,geohash&f={f}"), 200);
        judged.get(&format!("/collections/default/items/2988507?f={f}"), 200);
        judged.ask("HEAD", &format!("/collections/default/items?limit=3&f={f}"), &[], "", 200);
        judged.post(
            &format!("/collections/default/search?f={f}"),
            r#"{"bbox":[2,48,3,49],"limit":2,"fields":[]}"#,
            200,
        );
    }
    let tag = judged.get("/collections/default/items/2988507", 200).header("etag").unwrap().to_owned();
    judged.ask("GET", "/collections/default/items/2988507", &[&format!("if-none-match: {tag}")], "", 304);
    for path in
        ["/", "/collections", "/collections/default", "/conformance", "/openapi.yaml", "/livez", "/readyz", "/metrics"]
    {
        judged.get(path, 200);
    }
    judged.get("/distance?from=0,0&to=1,1&metric=vincenty", 200);
    judged.get("/collections/default/distance?from=2988507&to=2643743", 200);
    judged.get(&format!("/collections/default/compare?{PARIS}&k=3"), 200);
    judged.post("/collections/default/compare", &format!(r#"{{"within":{POLYGON}}}"#), 200);
    for kind in ["rtree", "quadtree", "geohash", "hilbert"] {
        judged.get(&format!("/collections/default/indexes/{kind}/cells?level=2&limit=20"), 200);
        let walk = format!("/collections/default/indexes/{kind}/walk");
        for conditions in ["radius=300km", "k=7", "radius=300km&k=3&limit=2"] {
            judged.get(&format!("{walk}?{PARIS}&{conditions}"), 200);
        }
        judged.post(&walk, &format!(r#"{{"within":{POLYGON}}}"#), 200);
        judged.post(&walk, "{}", 200);
    }
    let batch = json!([{ "near": { "lat": 1, "lon": 2 }, "explain": true }, { "k": 1 }, { "limit": 2 }]).to_string();
    judged.post("/collections/default/search/batch", &batch, 200);
    let tile = "/collections/default/tiles/4/8/5.mvt";
    let tag = judged.get(tile, 200).header("etag").unwrap().to_owned();
    judged.ask("GET", tile, &[&format!("if-none-match: {tag}")], "", 304);
    judged.get("/collections/default/tiles.json", 200);
    for f in ["sse", "ndjson"] {
        judged.get(&format!("/collections/earthquakes/changes?since=0&wait=0s&limit=20&f={f}"), 200);
        judged.get(&format!("/collections/default/changes?{PARIS}&radius=20km&wait=0s&f={f}"), 200);
        let fence = format!(r#"{{"within":{POLYGON},"edges":"geodesic"}}"#);
        judged.post(&format!("/collections/default/changes?wait=0s&f={f}"), &fence, 200);
    }
    judged.get(&format!("/collections/default/compare?{PARIS}&radius=9km&repeat=3"), 200);
    for conditions in ["", "level=0", "bbox=170,-20,-170,0&level=6", "bbox=2,48,3,49&limit=7", "level=9&limit=3"] {
        judged.get(&format!("/curve?{conditions}"), 200);
    }
    page(judged);
    refuse(judged);
}

fn page(judged: &mut Judged) {
    let tag = judged.get("/?f=html", 200).header("etag").unwrap().to_owned();
    judged.ask("GET", "/", &["accept: text/html", &format!("if-none-match: {tag}")], "", 304);
    judged.get("/page/settings.json", 200);
    judged.get("/page/nothing.js", 404);
    judged.get("/page/basemap/24/0/0.mvt", 204);
    judged.get("/page/basemap/1/2/2.mvt", 400);
}

fn refuse(judged: &mut Judged) {
    for target in [
        "/near?lat=91&lon=2",
        "/collections/default/items?cursor=x",
        "/?f=csv",
        "/page/settings.json?x",
        "/distance?from=0,0&to=1",
    ] {
        judged.get(target, 400);
    }
    for target in [
        "/collections/nobody",
        "/collections/nobody/items",
        "/collections/default/items/nobody",
        "/collections/default/indexes/scan/cells",
        "/collections/default/indexes/scan/walk?bbox=0,0,1,1",
        "/collections/nobody/changes",
        "/collections/nobody/tiles.json",
    ] {
        judged.get(target, 404);
    }
    judged.get("/collections/default/tiles/1/2/2.mvt", 400);
    judged.ask("GET", &format!("/near?{PARIS}"), &["accept: text/html"], "", 406);
    judged.ask("POST", "/collections/default/search", &["content-type: text/csv"], "x", 415);
    judged.post("/collections/default/search", &format!(r#"{{"filter":"{}"}}"#, "x".repeat(8 << 20)), 413);
    judged.get("/collections/default/items?min_seq=1000000000", 503);
}

fn follow_links(judged: &mut Judged) {
    let page = judged.get("/collections/default/items?limit=2", 200).json();
    let next = page["links"].as_array().unwrap().iter().find(|link| link["rel"] == "next").unwrap().clone();
    let target = next["href"].as_str().unwrap().split_once("/collections").unwrap().1;
    judged.get(&format!("/collections{target}"), 200);
}

fn write(judged: &mut Judged) {
    let made = judged.ask("PUT", FLORE, &["if-none-match: *"], r#"{"lat":48.8541,"lon":2.3326,"ttl":"1h"}"#, 201);
    judged.ask("PUT", FLORE, &["if-none-match: *"], r#"{"lat":48.8541,"lon":2.3326}"#, 412);
    let tag = format!("if-match: {}", made.header("etag").unwrap());
    let feature =
        r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[2.3326,48.8541]},"properties":{"seats":120}}"#;
    judged.ask("PUT", FLORE, &[&tag, "content-type: application/geo+json"], feature, 200);
    judged.ask("PATCH", FLORE, &[&tag, "content-type: application/merge-patch+json"], "{}", 412);
    judged.ask("PATCH", FLORE, &["content-type: application/merge-patch+json"], r#"{"properties":{"open":true}}"#, 200);
    judged.ask("PATCH", "/collections/cafes/items/nobody", &[], "{}", 404);
    judged.ask("PUT", FLORE, &[], r#"{"lat":1,"lng":2}"#, 400);
    let rows = "id,lat,lon\na,1,2\nb,N/A,2\n";
    for method in ["POST", "PUT"] {
        judged.ask(method, "/collections/cafes/items", &["content-type: text/csv"], rows, 200);
    }
    judged.ask("POST", "/collections/cafes/items?on_error=abort", &["content-type: text/csv"], rows, 422);
    judged.ask("POST", "/collections/cafes/items", &["content-type: image/png"], rows, 415);
    judged.get("/collections/cafes/changes?since=0&wait=0s&f=ndjson", 200);
    judged.ask("DELETE", "/collections/cafes/items", &[], "", 400);
    judged.ask("DELETE", "/collections/cafes/items?bbox=1,0,3,2", &[], "", 200);
    judged.ask("DELETE", FLORE, &[], "", 204);
    judged.ask("DELETE", FLORE, &[], "", 404);
    let settings = r#"{"kinds":["rtree"],"metric":"vincenty","ttl":"7d"}"#;
    judged.ask("PUT", "/collections/fleet", &[], settings, 201);
    judged.ask("PUT", "/collections/fleet", &[], settings, 200);
    judged.ask("PUT", "/collections/fleet", &[], r#"{"kinds":["scan"]}"#, 400);
    judged.ask("DELETE", "/collections/fleet", &[], "", 204);
    judged.ask("DELETE", "/collections/fleet", &[], "", 404);
}
