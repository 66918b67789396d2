//! What an item looks like as JSON, and what is said about everything else.

use super::*;

fn read(json: &str) -> Result<Incoming, Fault> {
    read_item(json.as_bytes())
}

fn code(json: &str) -> &'static str {
    read(json).unwrap_err().code
}

#[test]
fn both_forms_give_the_same_item() {
    let properties = r#"{ "b" : 1.50, "a":"\u00e9","a":12345678901234567890}"#;
    let plain = format!(r#"{{"id":"é","lat":48.8541,"lon":-0.0,"properties":{properties},"ttl":"2h"}}"#);
    let feature = format!(
        r#" {{"ttl":7200,"bbox":[1,2],"properties":{properties},"geometry":{{"coordinates":[-0.0,48.8541,35],"type":"Point"}},
             "links":[{{}}],"id":"\u00e9","type":"Feature","distance_m":1}} "#
    );
    let item = read(&plain).unwrap();
    assert_eq!(item, read(&feature).unwrap());
    assert_eq!(item.id.unwrap().as_str(), "é");
    assert_eq!((item.point.lat_deg(), item.point.lon_deg().to_bits()), (48.8541, (-0.0_f64).to_bits()));
    assert_eq!(item.properties.as_json(), properties);
    assert_eq!(item.expires, Expires::After(Duration::from_secs(7200)));
}

#[test]
fn what_is_not_said_is_absent() {
    for json in [
        r#"{"lat":1,"lon":2}"#,
        r#"{"lat":1,"lon":2,"id":null,"properties":null,"ttl":null,"expires_at":null}"#,
        r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[2,1]}}"#,
        "\u{feff}{\"lat\":1,\"lon\":2,\"distance_m\":0.5,\"geohash\":\"s0\"}",
    ] {
        let item = read(json).unwrap();
        let expected = Incoming {
            id: None,
            point: Point::new(1.0, 2.0).unwrap(),
            properties: Properties::none(),
            expires: Expires::Unsaid,
        };
        assert_eq!(item, expected, "{json}");
    }
}

#[test]
fn a_number_as_id_is_its_text() {
    for (id, text) in [("17", "17"), ("-1.50", "-1.50"), ("12345678901234567890123", "12345678901234567890123")] {
        let item = read(&format!(r#"{{"id":{id},"lat":1,"lon":2}}"#)).unwrap();
        assert_eq!(item.id.unwrap().as_str(), text);
    }
}

#[test]
fn an_end_is_a_while_or_a_moment() {
    let expires = |member: &str| read(&format!(r#"{{"lat":1,"lon":2,{member}}}"#)).map(|item| item.expires);
    assert_eq!(expires(r#""ttl":1.5"#), Ok(Expires::After(Duration::from_millis(1500))));
    assert_eq!(expires(r#""expires_at":"1970-01-01T00:00:01Z","ttl":null"#), Ok(Expires::At(1000)));
    assert_eq!(expires(r#""expires_at_ms":-5"#), Ok(Expires::At(-5)));
    for member in [
        r#""ttl":"soon""#,
        r#""ttl":0"#,
        r#""ttl":[1]"#,
        r#""expires_at":1790000000"#,
        r#""expires_at":"2030-01-01""#,
        r#""expires_at_ms":"5""#,
        r#""expires_at_ms":1.5"#,
        r#""ttl":"1h","expires_at":"2030-01-01T00:00:00Z""#,
    ] {
        assert_eq!(expires(member).unwrap_err().code, "bad-expiry", "{member}");
    }
    assert_eq!(Expires::After(Duration::from_secs(1)).at_ms(500), Some(1500));
    assert_eq!(Expires::After(Duration::MAX).at_ms(500), Some(i64::MAX));
}

#[test]
fn whatever_is_wrong_has_a_word() {
    let long = "x".repeat(70_000);
    for (json, expected) in [
        ("", "bad-json"),
        ("[1]", "bad-json"),
        ("null", "bad-json"),
        (r#"{"lat":1,"lon":2} x"#, "bad-json"),
        (r#"{"lat":1,"lon":2"#, "bad-json"),
        (r#"{"lat":01,"lon":2}"#, "bad-json"),
        (r#"{"lon":2}"#, "missing-latitude"),
        (r#"{"lat":null,"lon":2}"#, "missing-latitude"),
        (r#"{"lat":1}"#, "missing-longitude"),
        (r#"{"lat":"1","lon":2}"#, "bad-latitude"),
        (r#"{"lat":91,"lon":2}"#, "bad-latitude"),
        (r#"{"lat":1,"lon":[2]}"#, "bad-longitude"),
        (r#"{"lat":1,"lon":1e999}"#, "bad-longitude"),
        (r#"{"lat":1,"lon":-180.1}"#, "bad-longitude"),
        (r#"{"id":"","lat":1,"lon":2}"#, "bad-id"),
        (r#"{"id":true,"lat":1,"lon":2}"#, "bad-id"),
        (r#"{"id":"a\u0000","lat":1,"lon":2}"#, "bad-id"),
        (r#"{"id":"\ud800","lat":1,"lon":2}"#, "bad-id"),
        (&format!(r#"{{"id":"{long}","lat":1,"lon":2}}"#), "bad-id"),
        (r#"{"lat":1,"lon":2,"properties":[]}"#, "bad-properties"),
        (r#"{"lat":1,"lon":2,"properties":"{}"}"#, "bad-properties"),
        (r#"{"lat":1,"lon":2,"properties":{},"properties_text":"{}"}"#, "bad-properties"),
        (r#"{"lat":1,"lon":2,"properties_text":"{"}"#, "bad-properties"),
        (r#"{"lat":1,"lon":2,"properties_text":{}}"#, "bad-properties"),
        (&format!(r#"{{"lat":1,"lon":2,"properties":{{"a":"{long}"}}}}"#), "bad-properties"),
        (r#"{"lat":1,"lon":2,"lat":1}"#, "repeated-member"),
        (r#"{"lat":1,"lon":2,"name":"x"}"#, "unknown-member"),
        (r#"{"lat":1,"lon":2,"type":"cafe"}"#, "unknown-member"),
        (r#"{"lat":1,"lon":2,"\ud800":1}"#, "unknown-member"),
        (r#"{"type":"FeatureCollection","features":[]}"#, "no-feature"),
        (r#"{"type":"Point","coordinates":[1,2]}"#, "no-feature"),
        (r#"{"geometry":{"type":"Point","coordinates":[1,2]}}"#, "no-feature"),
        (r#"{"type":"Feature","geometry":null}"#, "no-point"),
        (r#"{"type":"Feature"}"#, "no-point"),
        (r#"{"type":"Feature","geometry":["Point",[1,2]]}"#, "no-point"),
        (r#"{"type":"Feature","geometry":{"type":"LineString","coordinates":[[1,2],[3,4]]}}"#, "no-point"),
        (r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[1]}}"#, "no-point"),
        (r#"{"type":"Feature","geometry":{"type":"Point","coordinates":["1","2"]}}"#, "no-point"),
        (r#"{"type":"Feature","geometry":{"type":"Point"}}"#, "no-point"),
        (r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[2,91]}}"#, "bad-latitude"),
        (r#"{"type":"Feature","id":{},"geometry":{"type":"Point","coordinates":[2,1]}}"#, "bad-id"),
    ] {
        assert_eq!(code(json), expected, "{}", &json[..json.len().min(200)]);
    }
    assert_eq!(read_item(b"{\"lat\":1,\"lon\":2,\"id\":\"\xff\"}").unwrap_err().code, "bad-encoding");
}

#[test]
fn a_refusal_says_the_value_and_what_would_be_right() {
    let said = |json: &str| {
        let fault = read(json).unwrap_err();
        (fault.value.clone().unwrap_or_default(), fault.to_string())
    };
    let (value, text) = said(r#"{"lat":151.2,"lon":-33.8}"#);
    assert_eq!(value, "151.2");
    assert_eq!(text, "latitude 151.2 is outside -90..90; lat and lon look swapped: try lat=-33.8&lon=151.2");
    assert!(said(r#"{"lat":"1","lon":2}"#).1.ends_with("write it without quotes, as in 48.857"));
    assert!(said(r#"{"lat":1,"lon":2,"name":"x"}"#).1.ends_with("put it into properties"));
    assert!(said("{\"lat\":1,\n\"lon\":}").1.ends_with("expected value at column 7 of its line 2"));
    assert_eq!(said(&format!("[{}", "1".repeat(500))).0.chars().count(), 120);
}

#[test]
fn nesting_without_end_is_no_danger() {
    let deep = "[".repeat(1 << 20);
    for json in [&deep, &format!(r#"{{"lat":1,"lon":2,"properties":{{"a":{deep}"#), &format!(r#"{{"id":{deep}"#)] {
        assert_eq!(code(json), "bad-json");
    }
}
