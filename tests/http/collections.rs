//! Collections: what they say of themselves, made, set and dropped.

use nigh::index::Kind;
use serde_json::json;

use crate::service::{Service, ids};

#[test]
fn collections_say_what_is_in_them() {
    let service = Service::with_demo();
    let all = service.get("/collections").fine();
    let one = service.get("/collections/earthquakes").fine();
    assert_eq!(all["collections"][1], one);
    assert_eq!((&one["id"], &one["count"], &one["seq"]), (&json!("earthquakes"), &json!(1707), &json!(1707)));
    for kind in Kind::offered() {
        assert!(one["settings"]["kinds"].as_array().unwrap().contains(&json!(kind.name)), "{one}");
        assert!(one["bytes"][kind.name].is_u64(), "{one}");
    }
    let empty = Service::start(&["--no-demo"]).get("/collections").fine();
    assert_eq!(empty["collections"], json!([]));
}

#[test]
fn the_extent_of_a_collection_holds_its_items() {
    let service = Service::start(&["--no-demo"]);
    assert_eq!(service.put("/collections/a", "").status, 201);
    assert_eq!(service.get("/collections/a").fine().get("extent"), None, "nothing has no extent");
    for (id, lat, lon) in [("a", 10, 20), ("b", -5, 30), ("c", 0, -1)] {
        assert_eq!(
            service.put(&format!("/collections/a/items/{id}"), &json!({ "lat": lat, "lon": lon }).to_string()).status,
            201
        );
    }
    let extent = service.get("/collections/a").fine()["extent"]["spatial"]["bbox"][0].clone();
    assert_eq!(extent, json!([-1.0, -5.0, 30.0, 10.0]));
}

#[test]
fn a_collection_is_made_set_and_dropped() {
    let service = Service::start(&["--no-demo"]);
    let made = service.put("/collections/fleet", r#"{"kinds":["rtree","hilbert"],"metric":"vincenty","ttl":"2h"}"#);
    assert_eq!((made.status, made.header("location")), (201, Some("/collections/fleet")), "{}", made.body);
    let settings = json!({ "kinds": ["rtree", "hilbert"], "metric": "vincenty", "ttl_s": 7200.0 });
    assert_eq!(made.json(), settings);
    assert_eq!(service.get("/collections/fleet").fine()["settings"], settings);
    assert_eq!(service.put("/collections/fleet/items/a", r#"{"lat":0,"lon":1}"#).status, 201);
    // The metric of the collection is meant when nobody says.
    let metres = |query: &str| {
        service.get(&format!("/collections/fleet/near?lat=0&lon=0{query}&f=json")).fine()["items"][0]["distance_m"]
            .clone()
    };
    assert_eq!((metres(""), metres("&metric=haversine")), (json!(111_319.491), json!(111_195.08)));
    let refused = service.get("/collections/fleet/near?lat=0&lon=0&index=quadtree");
    assert_eq!((refused.status, &refused.json()["code"]), (400, &json!("unknown-choice")), "{}", refused.body);
    // What a second PUT leaves out goes back to its default; items stay.
    assert_eq!(service.put("/collections/fleet", "{}").status, 200);
    let set = service.get("/collections/fleet").fine();
    assert_eq!(
        (&set["settings"]["metric"], &set["settings"]["ttl_s"], &set["count"]),
        (&json!("haversine"), &json!(null), &json!(1))
    );
    assert_eq!(set["settings"]["kinds"].as_array().unwrap().len(), Kind::offered().count());
    assert_eq!(service.delete("/collections/fleet").status, 204);
    assert_eq!(service.get("/collections/fleet").status, 404);
    assert_eq!(service.delete("/collections/fleet").status, 404);
    assert_eq!(service.stop(), (Some(0), String::new()), "the log stays clean");
}

#[test]
fn settings_that_cannot_be_are_refused_and_change_nothing() {
    let service = Service::start(&["--no-demo"]);
    for (body, code) in [
        ("[]", "bad-body"),
        (r#"{"kinds":["scan"]}"#, "unknown-choice"),
        (r#"{"metric":"manhattan"}"#, "unknown-choice"),
        (r#"{"ttl":"soon"}"#, "bad-time"),
        (r#"{"index":"rtree"}"#, "bad-body"),
    ] {
        let refused = service.put("/collections/fleet", body);
        assert_eq!((refused.status, &refused.json()["code"]), (400, &json!(code)), "{body}: {}", refused.body);
    }
    assert_eq!(service.get("/collections/fleet").status, 404);
}

#[test]
fn many_are_removed_by_place_or_filter_and_never_by_mistake() {
    let service = Service::with_demo();
    let count = || service.get("/collections/earthquakes").fine()["count"].as_u64().unwrap();
    let matched = |query: &str| {
        service.get(&format!("/collections/earthquakes/items?{query}&limit=1")).fine()["numberMatched"]
            .as_u64()
            .unwrap()
    };
    let before = count();
    for (query, missing) in
        [("", "missing-parameter"), ("edges=planar", "missing-parameter"), ("fliter=x", "unknown-parameter")]
    {
        let refused = service.delete(&format!("/collections/earthquakes/items?{query}"));
        assert_eq!((refused.status, &refused.json()["code"]), (400, &json!(missing)), "{}", refused.body);
    }
    assert_eq!(count(), before);
    for query in ["bbox=-160,50,-140,70", "filter=magnitude%20%3E=%205"] {
        let meant = matched(query);
        assert!(meant > 5, "{query}: {meant}");
        let before = count();
        let removed = service.delete(&format!("/collections/earthquakes/items?{query}")).fine();
        assert_eq!(removed["removed"], meant, "{query}");
        assert_eq!((matched(query), count()), (0, before - meant), "{query}");
        assert_eq!(removed["seq"], service.get("/collections/earthquakes").fine()["seq"]);
    }
    assert_eq!(service.delete("/collections/nobody/items?bbox=0,0,1,1").status, 404);
}

#[test]
fn a_batch_answers_every_search_in_order_and_one_bad_one_alone() {
    let service = Service::with_demo();
    let body = json!([
        { "near": { "lat": 48.857, "lon": 2.352 }, "k": 2 },
        { "near": { "lat": 48.857 } },
        { "bbox": [0, 45, 5, 50], "limit": 3, "fields": ["name"] },
    ]);
    let answer = service.post("/collections/default/search/batch", &body.to_string());
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/x-ndjson")), "{}", answer.body);
    let lines: Vec<serde_json::Value> = answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    for (line, search) in [(0, &body[0]), (2, &body[2])] {
        let alone = service.post("/collections/default/search?f=json", &search.to_string()).fine();
        assert_eq!((&lines[line]["items"], &lines[line]["matched"]), (&alone["items"], &alone["matched"]));
    }
    assert_eq!((&lines[1]["code"], &lines[1]["status"]), (&json!("missing-parameter"), &json!(400)));
    // The next page of a search is the search with the cursor of its line.
    let mut goes_on = body[2].clone();
    goes_on["cursor"] = lines[2]["next"].clone();
    let second = service.post("/collections/default/search/batch", &json!([goes_on]).to_string());
    let second: serde_json::Value = serde_json::from_str(second.body.trim()).unwrap();
    let both = service.get("/collections/default/items?bbox=0,45,5,50&limit=6&f=json").fine();
    assert_eq!([ids(&lines[2]), ids(&second)].concat(), ids(&both));
}

#[test]
fn a_comparison_by_body_is_the_one_by_url() {
    let service = Service::with_demo();
    let by_body =
        service.post("/collections/default/compare", r#"{"near":{"lat":35.7,"lon":139.7},"radius":"100km"}"#).fine();
    let by_url = service.get("/collections/default/compare?lat=35.7&lon=139.7&radius=100km").fine();
    assert_eq!((&by_body["identical"], &by_body["matched"]), (&json!(true), &by_url["matched"]));
}

#[test]
fn the_distance_between_items_is_that_of_their_places() {
    let service = Service::start(&["--no-demo"]);
    for (id, lon) in [("a b", 0), ("b", 1)] {
        service.put(
            &format!("/collections/x/items/{}", id.replace(' ', "%20")),
            &json!({ "lat": 0, "lon": lon }).to_string(),
        );
    }
    let between = service.get("/collections/x/distance?from=a%20b&to=b").fine();
    assert_eq!(between, service.get("/distance?from=0,0&to=0,1").fine());
    let refused = service.get("/collections/x/distance?from=a&to=b");
    assert_eq!((refused.status, &refused.json()["parameter"]), (404, &json!("from")), "{}", refused.body);
}

#[test]
fn a_question_waits_for_the_change_it_wants_to_see() {
    let service = Service::start(&["--no-demo"]);
    let seq = service.put("/collections/x/items/a", r#"{"lat":0,"lon":0}"#).json()["seq"].as_u64().unwrap();
    for path in ["items?", "near?lat=0&lon=0&", "items/a?"] {
        assert_eq!(service.get(&format!("/collections/x/{path}min_seq={seq}")).status, 200, "{path}");
    }
    let behind = service.get(&format!("/collections/x/items?min_seq={}", seq + 1));
    assert_eq!((behind.status, behind.header("retry-after")), (503, Some("1")), "{}", behind.body);
    assert_eq!(behind.json()["code"], "behind");
    // A moment says which collection is meant.
    let moment = service.get("/collections/x").fine()["moment"].as_str().unwrap().to_owned();
    assert!(moment.ends_with(&format!(".{seq}")), "{moment}");
    let anew = format!("99.{seq}");
    for (moment, status) in [(&moment, 200), (&anew, 410)] {
        assert_eq!(service.get(&format!("/collections/x/items?min_seq={moment}")).status, status, "{moment}");
        let body = json!({ "min_seq": moment }).to_string();
        assert_eq!(service.post("/collections/x/search", &body).status, status, "{moment}");
    }
    assert_eq!(service.post("/collections/x/search", &json!({ "min_seq": seq }).to_string()).status, 200);
    for (value, code) in [("\"1\"", "bad-body"), ("\"1.x\"", "bad-number"), ("1.5", "bad-body")] {
        let refused = service.post("/collections/x/search", &format!(r#"{{"min_seq":{value}}}"#));
        assert_eq!((refused.status, &refused.json()["code"]), (400, &json!(code)), "{value}");
    }
    // The change comes while the question waits.
    let asked = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| service.get(&format!("/collections/x/items?min_seq={}&f=json", seq + 1)));
        std::thread::sleep(std::time::Duration::from_millis(50));
        service.put("/collections/x/items/b", r#"{"lat":0,"lon":0}"#);
        waiting.join().unwrap()
    });
    assert_eq!(ids(&asked.fine()), ["a", "b"]);
}
