//! Questions and their answers: near, boxes, polygons, filters, pages, formats.

use std::collections::BTreeSet;

use nigh::format::FORMATS;
use nigh::geometry::METRICS;
use nigh::index::Kind;
use serde_json::{Value, json};

use crate::service::{Service, ids};

const PARIS: &str = "lat=48.857&lon=2.352";

/// Follows `next` from page to page.
fn all_pages(service: &Service, first: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut target = Some(first.to_owned());
    while let Some(asked) = target {
        let page = service.get(&asked).fine();
        assert!(found.len() < 100_000, "paging goes round in a circle");
        found.extend(ids(&page));
        target = page["next"].as_str().map(str::to_owned);
    }
    found
}

#[test]
fn the_first_question_gives_the_ten_nearest_in_order() {
    let service = Service::with_demo();
    let response = service.get(&format!("/near?{PARIS}"));
    let page = response.fine();
    assert_eq!(response.header("content-type"), Some("application/geo+json"));
    assert_eq!((&page["numberMatched"], &page["numberReturned"]), (&json!(10), &json!(10)));
    assert_eq!(page["features"][0]["properties"]["name"], "Paris");
    let distances: Vec<f64> =
        page["features"].as_array().unwrap().iter().map(|feature| feature["distance_m"].as_f64().unwrap()).collect();
    assert!(distances.is_sorted() && distances[0] < 1000.0, "{distances:?}");
    let by_name = service.get(&format!("/collections/default/near?{PARIS}")).fine();
    assert_eq!(page["features"], by_name["features"]);
}

#[test]
fn answers_are_the_same_on_every_index_kind() {
    let service = Service::with_demo();
    for question in [
        "/near?lat=48.857&lon=2.352&radius=200km&f=json".to_owned(),
        "/near?lat=-18&lon=179.9&k=50&f=json&metric=vincenty".to_owned(),
        "/near?lat=90&lon=0&radius=3000km&limit=7&f=json".to_owned(),
        "/near?lat=40&lon=-75&k=30&filter=population%20%3E%20100000&f=json".to_owned(),
        "/collections/default/items?bbox=170,-50,-170,0&f=json".to_owned(),
        "/collections/default/items?geohash=u0&limit=20&f=json".to_owned(),
        "/collections/earthquakes/items?filter=magnitude%20%3E=%204.5&f=json".to_owned(),
    ] {
        let answer = service.get(&question).fine();
        assert!(!ids(&answer).is_empty(), "{question}");
        for kind in Kind::offered() {
            let mut other = service.get(&format!("{question}&index={}&explain=true", kind.name)).fine();
            assert_eq!(other["explain"]["index"], kind.name);
            assert_eq!(ids(&other), ids(&answer), "{question} on {}", kind.name);
            assert_eq!(other["items"].take(), answer["items"], "{question} on {}", kind.name);
        }
    }
}

#[test]
fn pages_followed_to_the_end_are_one_large_page() {
    let service = Service::with_demo();
    for question in [
        "/near?lat=48.857&lon=2.352&radius=150km&f=json",
        "/near?lat=48.857&lon=2.352&k=45&f=json",
        "/collections/default/items?bbox=0,45,5,50&f=json",
        "/collections/default/items?filter=country%20=%20'FR'%20AND+population+%3E+50000&f=json",
    ] {
        let whole = service.get(&format!("{question}&limit=10000")).fine();
        assert_eq!(whole["next"], Value::Null, "{question}");
        assert_eq!(whole["matched"], ids(&whole).len(), "{question}");
        assert_eq!(all_pages(&service, &format!("{question}&limit=7")), ids(&whole), "{question}");
    }
}

#[test]
fn a_search_goes_on_by_posting_the_same_body_to_the_next_link() {
    let service = Service::with_demo();
    let body = json!({
        "near": { "lat": 48.857, "lon": 2.352 }, "k": 25, "limit": 10,
        "within": { "type": "Polygon", "coordinates": [[[1, 48], [4, 48], [2.5, 50], [1, 48]]] },
        "filter": "population > 20000",
    })
    .to_string();
    let (mut found, mut target, mut pages) = (Vec::new(), Some("/collections/default/search".to_owned()), 0);
    while let Some(asked) = target {
        let page = service.post(&asked, &body).fine();
        found.extend(ids(&page));
        let next = page["links"].as_array().unwrap().iter().find(|link| link["rel"] == "next");
        let origin = format!("http://{}", service.address());
        target = next.map(|link| link["href"].as_str().unwrap().strip_prefix(&origin).expect("whole").to_owned());
        pages += 1;
        assert!(pages < 10, "paging goes round in a circle");
    }
    let whole =
        service.post("/collections/default/search?f=json", &body.replace("\"limit\":10", "\"limit\":100")).fine();
    assert_eq!((found.len(), pages), (25, 3));
    assert_eq!(found, ids(&whole));
}

#[test]
fn a_url_and_a_body_ask_the_same() {
    let service = Service::with_demo();
    let polygon = r#"{"type":"Polygon","coordinates":[[[-10,35],[5,35],[5,44],[-10,44],[-10,35]]]}"#;
    for edges in ["planar", "geodesic"] {
        let by_url = service.get(&format!(
            "/collections/default/items?within={}&edges={edges}&fields=name&bbox=-5,36,0,43&f=json",
            polygon.replace('"', "%22")
        ));
        let body = format!(r#"{{"within":{polygon},"edges":"{edges}","fields":["name"],"bbox":[-5,36,0,43]}}"#);
        let by_body = service.post("/collections/default/search?f=json", &body);
        assert!(by_url.fine()["returned"].as_u64().unwrap() > 100);
        assert_eq!(by_url.body, by_body.body);
    }
}

#[test]
fn fields_choose_what_is_shown() {
    let service = Service::with_demo();
    let shown = |fields: &str| service.get(&format!("/near?{PARIS}&k=1&f=json{fields}")).fine()["items"][0].clone();
    assert_eq!(shown("")["properties"]["country"], "FR");
    assert_eq!(shown("&fields=name")["properties"], json!({ "name": "Paris" }));
    let names = |item: Value| item.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(shown("&fields=")), ["distance_m", "id"]);
    assert_eq!(shown("&fields=geohash")["geohash"].as_str().map(str::len), Some(12));
    let feature = service.get(&format!("/near?{PARIS}&k=1&fields=")).fine()["features"][0].clone();
    assert_eq!((&feature["geometry"], &feature["properties"]), (&Value::Null, &json!({})));
}

#[test]
fn the_accept_header_chooses_a_format_and_f_overrules_it() {
    let service = Service::with_demo();
    let asked = |accept: &str, f: &str| {
        let response = service.ask("GET", &format!("/near?{PARIS}{f}"), &[accept], "");
        response.header("content-type").unwrap().to_owned()
    };
    for format in FORMATS {
        assert_eq!(asked(&format!("accept: {}", format.media_type), ""), format.media_type);
        assert_eq!(asked("accept: text/html", &format!("&f={}", format.name)), format.media_type);
    }
    assert_eq!(asked("accept: text/html", ""), "application/problem+json");
}

#[test]
fn a_comparison_holds_every_kind_against_the_scan() {
    let service = Service::with_demo();
    let comparison = service.get("/collections/default/compare?lat=35.7&lon=139.7&radius=100km").fine();
    assert_eq!(comparison["identical"], true);
    let kinds = comparison["kinds"].as_array().unwrap();
    let names: BTreeSet<&str> = kinds.iter().map(|kind| kind["explain"]["index"].as_str().unwrap()).collect();
    assert_eq!(names, Kind::offered().map(|kind| kind.name).chain(["scan"]).collect());
    assert_eq!((&kinds[0]["explain"]["index"], &kinds[0]["explain"]["candidates"]), (&json!("scan"), &json!(24_323)));
}

#[test]
fn cells_say_whether_they_are_all() {
    let service = Service::with_demo();
    for kind in Kind::offered() {
        let target = format!("/collections/default/indexes/{}/cells?bbox=0,40,10,50&level=4", kind.name);
        let whole = service.get(&target).fine();
        let count = whole["numberReturned"].as_u64().unwrap();
        assert!(count > 1 && whole["complete"] == true, "{}: {whole}", kind.name);
        let exact = service.get(&format!("{target}&limit={count}")).fine();
        let short = service.get(&format!("{target}&limit={}", count - 1)).fine();
        assert_eq!((&exact["complete"], &short["complete"]), (&json!(true), &json!(false)), "{}", kind.name);
    }
}

#[test]
fn distances_have_all_digits_in_every_metric() {
    let service = Service::start(&["--no-demo"]);
    for metric in METRICS {
        let answer = service.get(&format!("/distance?from=0,0&to=0,1&metric={}", metric.name())).fine();
        let metres = answer["distance_m"].as_f64().unwrap();
        assert!((111_190.0..111_330.0).contains(&metres) && metres.fract() != 0.0, "{answer}");
    }
}

#[test]
fn ids_with_every_kind_of_letter_are_found_by_their_encoded_path() {
    let service = Service::with_demo();
    for (path, name) in [("a%2Fb", "a/b"), ("a%252Fb", "a%2Fb"), ("a+b", "a+b"), ("%C3%A9", "é"), ("a%20b", "a b")] {
        let body = service.get(&format!("/collections/default/items/{path}")).json();
        assert_eq!((&body["code"], &body["value"]), (&json!("item-not-found"), &json!(name)));
    }
}

#[test]
fn a_search_whose_body_has_a_cursor_goes_on_by_its_next_link() {
    let service = Service::with_demo();
    let cursor = cursor_of(&service.get("/collections/default/items?limit=1&f=json").fine());
    let body = |limit: u8| json!({ "cursor": cursor, "limit": limit }).to_string();
    let first = service.post("/collections/default/search?f=json", &body(2)).fine();
    let second = service.post(first["next"].as_str().unwrap(), &body(2)).fine();
    let both = service.post("/collections/default/search?f=json", &body(4)).fine();
    assert_eq!([ids(&first), ids(&second)].concat(), ids(&both));
}

/// The cursor in the link to the next page.
fn cursor_of(page: &Value) -> String {
    page["next"].as_str().unwrap().rsplit("cursor=").next().unwrap().to_owned()
}

#[test]
fn a_cursor_goes_on_in_its_own_query_and_in_no_other() {
    let service = Service::with_demo();
    let near = "/collections/default/near?lat=48.857&lon=2.352&radius=300km";
    let first = service.get(&format!("{near}&limit=5&f=json")).fine();
    let cursor = cursor_of(&first);
    let both = ids(&service.get(&format!("{near}&limit=12&f=json")).fine());
    // What a page may look like is no part of the query, nor how the query came.
    for same in [
        format!("{near}&limit=7&f=json&cursor={cursor}"),
        format!("{near}&limit=7&f=json&index=hilbert&fields=name&explain=true&cursor={cursor}"),
        format!("/near?lon=2.3520&lat=4.8857e1&radius=300000&metric=haversine&limit=7&f=json&cursor={cursor}"),
    ] {
        assert_eq!(ids(&service.get(&same).fine()), both[5..], "{same}");
    }
    let body = json!({ "near": { "lat": 48.857, "lon": 2.352 }, "radius": "300km", "limit": 7, "cursor": cursor });
    for path in ["search?f=json", "search/batch"] {
        let body = if path == "search/batch" { json!([body]) } else { body.clone() };
        let page = service.post(&format!("/collections/default/{path}"), &body.to_string());
        assert_eq!(ids(&serde_json::from_str(page.body.trim()).unwrap()), both[5..], "{path}");
    }
    let compared = service.get(&format!("{}&limit=7&cursor={cursor}", near.replace("near", "compare"))).fine();
    assert_eq!((&compared["identical"], &compared["returned"]), (&json!(true), &json!(7)));
    for other in [
        format!("{near}&limit=7&cursor={cursor}").replace("300km", "301km"),
        format!("{near}&k=7&cursor={cursor}"),
        format!("{near}&metric=vincenty&cursor={cursor}"),
        format!("{near}&filter=population%20%3E%201&cursor={cursor}"),
        format!("{near}&cursor={cursor}").replace("48.857", "48.858"),
        format!("{near}&cursor={cursor}").replace("/default/", "/earthquakes/"),
        format!("{near}&cursor={}", cursor.split('-').next().unwrap()),
        format!("{}&cursor={cursor}", near.replace("near", "compare").replace("48.857", "48.858")),
    ] {
        let refused = service.get(&other);
        assert_eq!((refused.status, &refused.json()["code"]), (400, &json!("bad-cursor")), "{other}: {}", refused.body);
        assert!(refused.json()["hint"].as_str().unwrap().contains("next link"), "{}", refused.body);
    }
}

#[test]
fn a_cursor_of_a_collection_leads_nowhere_in_one_made_anew() {
    let service = Service::start(&["--no-demo"]);
    let fill =
        || (0..9).for_each(|id| drop(service.put(&format!("/collections/x/items/{id}"), r#"{"lat":0,"lon":0}"#)));
    fill();
    let first = service.get("/collections/x/items?limit=4&f=json").fine();
    let next = first["next"].as_str().unwrap();
    assert_eq!(ids(&service.get(next).fine()), ["4", "5", "6", "7"]);
    assert_eq!(service.delete("/collections/x").status, 204);
    fill();
    assert_eq!(service.get(next).json()["code"], "bad-cursor");
}

#[test]
fn several_accept_headers_are_one_list() {
    let service = Service::with_demo();
    let response =
        service.ask("GET", &format!("/near?{PARIS}"), &["accept: text/html", "accept: application/json"], "");
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
}
