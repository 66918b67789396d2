//! One item: put, read, changed, removed, with tags that say which version is meant.

use serde_json::json;

use crate::service::Service;

const A: &str = "/collections/cafes/items/a";

#[test]
fn an_item_lives_from_its_first_put_to_its_removal() {
    let service = Service::start(&["--no-demo"]);
    let text = r#"{"lat":48.8540000001,"lon":-0.0,"properties":{"name":"Flore","price":1.50}}"#;
    let made = service.put(A, text);
    assert_eq!((made.status, made.header("location")), (201, Some(A)), "{}", made.body);
    assert_eq!(made.json(), json!({ "id": "a", "created": true, "seq": 1, "moment": "1.1" }));
    let read = service.get(&format!("{A}?f=json"));
    assert_eq!(read.body, r#"{"id":"a","lat":48.8540000001,"lon":-0.0,"properties":{"name":"Flore","price":1.50}}"#);
    let again =
        service.put(A, r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[2,1]},"properties":null}"#);
    assert_eq!((again.status, again.json()), (200, json!({ "id": "a", "created": false, "seq": 2, "moment": "1.2" })));
    let feature = service.get(A).fine();
    assert_eq!((&feature["geometry"]["coordinates"], &feature["properties"]), (&json!([2.0, 1.0]), &json!({})));
    let gone = service.delete(A);
    assert_eq!((gone.status, gone.header("nigh-seq"), gone.body.as_str()), (204, Some("3"), ""));
    assert_eq!((service.get(A).status, service.delete(A).status), (404, 404));
    assert_eq!(service.get("/collections/cafes").fine()["seq"], 3, "what removes nothing is no change");
    assert_eq!(service.delete("/collections/nobody/items/a").status, 404);
    assert_eq!(service.get("/collections/nobody").status, 404, "a removal makes no collection");
    assert_eq!(service.stop(), (Some(0), String::new()), "the log stays clean");
}

#[test]
fn a_change_of_some_members_leaves_the_others_as_they_are() {
    let service = Service::start(&["--no-demo"]);
    service.put(A, r#"{"lat":1,"lon":2,"properties":{"price":1.50,"big":12345678901234567890,"tags":{"a":1,"b":2}}}"#);
    let changed = service.patch(A, r#"{"lat":3,"properties":{"tags":{"a":null},"open":true}}"#);
    assert_eq!((changed.status, changed.json()["seq"].as_u64()), (200, Some(2)), "{}", changed.body);
    let text = r#"{"id":"a","lat":3.0,"lon":2.0,"properties":{"price":1.50,"big":12345678901234567890,"tags":{"b":2},"open":true}}"#;
    assert_eq!(service.get(&format!("{A}?f=json")).body, text);
    for (body, code) in [
        (r#"{"name":"x"}"#, "bad-item"),
        (r#"{"lat":null}"#, "bad-item"),
        (r#"{"lat":91}"#, "coordinate-out-of-range"),
        ("[]", "bad-body"),
        (r#"{"lat":1,"lat":2}"#, "repeated-parameter"),
    ] {
        let refused = service.patch(A, body);
        assert_eq!((refused.status, &refused.json()["code"]), (400, &json!(code)), "{body}: {}", refused.body);
    }
    assert_eq!(service.patch("/collections/cafes/items/b", "{}").status, 404);
    assert_eq!(service.get(&format!("{A}?f=json")).body, text, "what is refused changes nothing");
}

#[test]
fn changes_from_many_sides_are_all_made() {
    let service = Service::start(&["--no-demo"]);
    service.put(A, r#"{"lat":1,"lon":2}"#);
    std::thread::scope(|scope| {
        for side in 0..6 {
            let service = &service;
            scope.spawn(move || {
                for number in 0..5 {
                    let mut tries = 0;
                    loop {
                        let changed = service.patch(A, &format!(r#"{{"properties":{{"p{side}-{number}":true}}}}"#));
                        tries += 1;
                        assert!(changed.status == 200 || (changed.status == 409 && tries < 50), "{}", changed.body);
                        if changed.status == 200 {
                            break;
                        }
                    }
                }
            });
        }
    });
    assert_eq!(service.get(A).fine()["properties"].as_object().unwrap().len(), 30);
}

#[test]
fn tags_say_which_version_is_meant() {
    let service = Service::start(&["--no-demo"]);
    let put = |condition: &str| service.ask("PUT", A, &[condition], r#"{"lat":1,"lon":2}"#);
    assert_eq!(put("if-match: *").status, 412);
    assert_eq!(service.get("/collections/cafes").status, 404, "a condition that fails makes no collection");
    let first = put("if-none-match: *");
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!((first.status, put("if-none-match: *").status), (201, 412));
    assert_eq!(service.get(A).header("etag"), Some(&*tag));
    let second = put(&format!("if-match: {tag}"));
    assert_eq!(second.status, 200, "{}", second.body);
    let stale = put(&format!("if-match: {tag}"));
    assert_eq!((stale.status, &stale.json()["code"]), (412, &json!("precondition-failed")), "{}", stale.body);
    assert_eq!(service.ask("DELETE", A, &[&format!("if-match: {tag}")], "").status, 412);
    assert_eq!(service.ask("PATCH", A, &[&format!("if-match: {tag}")], "{}").status, 412);
    let tag = second.header("etag").unwrap().to_owned();
    assert_eq!(service.ask("PATCH", A, &[&format!("if-match: {tag}")], "{}").status, 200);
    assert_eq!(service.ask("DELETE", A, &["if-match: *"], "").status, 204);
    for bad in ["if-match: 1", "if-match: W/\"1.1\"", "if-none-match: \"1.1\""] {
        let refused = put(bad);
        assert_eq!((refused.status, &refused.json()["code"]), (400, &json!("bad-header")), "{bad}");
    }
}

#[test]
fn who_has_the_item_is_not_sent_it_again() {
    let service = Service::start(&["--no-demo"]);
    service.put(A, r#"{"lat":1,"lon":2}"#);
    for shown in ["", "?f=json", "?fields=name", "?f=csv"] {
        let target = format!("{A}{shown}");
        let tag = service.get(&target).header("etag").unwrap().to_owned();
        let again = service.ask("GET", &target, &[&format!("if-none-match: {tag}")], "");
        assert_eq!((again.status, again.body.as_str(), again.header("etag")), (304, "", Some(&*tag)), "{shown}");
        let other = service.get(&format!("{A}?f=geojson&fields=other"));
        assert_ne!(other.header("etag"), Some(&*tag), "another way to show it has another tag");
    }
    let tag = service.get(A).header("etag").unwrap().to_owned();
    service.put(A, r#"{"lat":1,"lon":3}"#);
    assert_eq!(service.ask("GET", A, &[&format!("if-none-match: {tag}")], "").status, 200);
}

#[test]
fn a_tag_of_a_collection_that_was_dropped_fits_nothing_in_a_new_one() {
    let service = Service::start(&["--no-demo"]);
    let tag = service.put(A, r#"{"lat":1,"lon":2}"#).header("etag").unwrap().to_owned();
    assert_eq!(service.delete("/collections/cafes").status, 204);
    assert_eq!(service.put(A, r#"{"lat":5,"lon":6}"#).status, 201);
    assert_eq!(service.ask("PUT", A, &[&format!("if-match: {tag}")], r#"{"lat":1,"lon":2}"#).status, 412);
    assert_eq!(service.ask("GET", A, &[&format!("if-none-match: {tag}")], "").status, 200);
}

#[test]
fn items_that_cannot_be_are_refused_in_their_own_words() {
    let service = Service::start(&["--no-demo"]);
    for (body, code, parameter) in [
        ("", "bad-body", None),
        ("[1]", "bad-body", None),
        (r#"{"lat":1}"#, "bad-item", Some("lon")),
        (r#"{"lat":151.2,"lon":-33.8}"#, "coordinate-out-of-range", Some("lat")),
        (r#"{"lat":"1","lon":2}"#, "coordinate-out-of-range", Some("lat")),
        (r#"{"lat":1,"lon":2,"id":"b"}"#, "bad-item", Some("id")),
        (r#"{"lat":1,"lon":2,"properties":[]}"#, "bad-item", Some("properties")),
        (r#"{"lat":1,"lon":2,"ttl":"soon"}"#, "bad-time", None),
        (r#"{"lat":1,"lng":2}"#, "bad-item", None),
    ] {
        let refused = service.put(A, body);
        let problem = refused.json();
        assert_eq!((refused.status, &problem["code"]), (400, &json!(code)), "{body}: {problem}");
        if let Some(parameter) = parameter {
            assert_eq!(problem["parameter"], parameter, "{body}: {problem}");
        }
    }
    assert_eq!(service.get("/collections/cafes").status, 404);
}

#[test]
fn an_item_with_an_end_is_gone_after_it() {
    let service = Service::start(&["--no-demo"]);
    service.put(A, r#"{"lat":1,"lon":2,"ttl":"300ms"}"#);
    service.put("/collections/cafes/items/b", r#"{"lat":1,"lon":2,"expires_at":"2020-01-01T00:00:00Z"}"#);
    service.put("/collections/cafes/items/c", r#"{"lat":1,"lon":2,"ttl":"1h"}"#);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while service.get("/collections/cafes").fine()["count"] != 1 {
        assert!(std::time::Instant::now() < until, "what has ended is removed");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(service.get("/collections/cafes/items/c").status, 200);
}
