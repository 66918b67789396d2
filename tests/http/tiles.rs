//! Tiles of the web map over HTTP. What is on them is tested where they are made.

use serde_json::json;

use crate::service::Service;

const TILE: &str = "/collections/default/tiles/3/4/2.mvt";

#[test]
fn a_tile_is_sent_once_and_again_when_something_has_changed() {
    let service = Service::with_demo();
    let tile = service.get(TILE);
    assert_eq!((tile.status, tile.header("content-type")), (200, Some("application/vnd.mapbox-vector-tile")));
    assert!(tile.bytes.len() > 1000 && tile.bytes[0] == 0x1a, "a layer is field 3");
    let tag = tile.header("etag").unwrap().to_owned();
    let again = service.ask("GET", TILE, &[&format!("if-none-match: {tag}")], "");
    assert_eq!((again.status, again.bytes.len()), (304, 0));
    let other = service.get("/collections/default/tiles/3/4/3.mvt");
    assert_ne!(other.header("etag"), Some(&*tag));
    assert_ne!(service.get(&format!("{TILE}?fields=name")).header("etag"), Some(&*tag));
    service.put("/collections/default/items/new", r#"{"lat":48,"lon":2}"#);
    assert_eq!(service.ask("GET", TILE, &[&format!("if-none-match: {tag}")], "").status, 200);
}

#[test]
fn tilejson_leads_to_the_tiles() {
    let service = Service::with_demo();
    let about = service.get("/collections/earthquakes/tiles.json?fields=magnitude").fine();
    assert_eq!((&about["tilejson"], &about["name"]), (&json!("3.0.0"), &json!("earthquakes")));
    let template = about["tiles"][0].as_str().unwrap();
    let tile = template.replace("{z}", "0").replace("{x}", "0").replace("{y}", "0");
    let path = tile.strip_prefix(&format!("http://{}", service.address())).unwrap();
    assert!(path.ends_with("?fields=magnitude") && !service.get(path).bytes.is_empty());
}

#[test]
fn what_is_no_tile_is_refused_and_an_empty_one_is_empty() {
    let service = Service::start(&["--no-demo"]);
    assert_eq!(service.get("/collections/a/tiles/0/0/0.mvt").status, 404);
    service.put("/collections/a", "");
    let empty = service.get("/collections/a/tiles/0/0/0.mvt");
    assert_eq!((empty.status, empty.bytes.len()), (200, 0));
    for tile in ["0/0/1", "0/1/0", "25/0/0", "-1/0/0", "a/0/0", "0/0/a", "3/8/0", "99999999999/0/0"] {
        let refused = service.get(&format!("/collections/a/tiles/{tile}.mvt"));
        assert_eq!((refused.status, &refused.json()["code"]), (400, &json!("bad-tile")), "{tile}: {}", refused.body);
    }
}
