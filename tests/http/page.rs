//! The map page on the real program: who gets it, what it may load, and that all of it is there.

use std::path::Path;

use serde_json::json;

use crate::service::{Response, Service};

const BROWSER: &str = "accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// What the page and its files refer to, as they write it.
fn referred(html: &str) -> Vec<String> {
    let quoted = html.split(['"', '\'']).filter_map(|text| text.strip_prefix("./page/"));
    quoted.map(|name| name.split(['?', '#']).next().unwrap_or_default().to_owned()).collect()
}

/// Every file of the built page by name, but for those that are the same packed.
fn built() -> Vec<String> {
    fn collect(folder: &Path, above: &str, names: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{above}{}", path.file_name().unwrap().to_str().unwrap());
            match path.is_dir() {
                true => collect(&path, &format!("{name}/"), names),
                false => names.push(name),
            }
        }
    }
    let mut names = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist"), "", &mut names);
    let served = |name: &String| ![".br", ".gz", "index.html", "basemap.tiles"].iter().any(|end| name.ends_with(end));
    names.retain(served);
    names
}

fn built_bytes(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist").join(name)).unwrap()
}

fn assert_guarded(response: &Response) {
    let policy = response.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; worker-src 'self'"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(response.header("referrer-policy"), Some("no-referrer"));
}

#[test]
fn browsers_get_the_page_and_programs_what_there_is_to_ask() {
    let service = Service::start(&["--no-demo"]);
    for (target, headers, is_page) in [
        ("/", vec![], false),
        ("/", vec!["accept: */*"], false),
        ("/", vec!["accept: application/json, text/plain, */*"], false),
        ("/", vec![BROWSER], true),
        ("/?f=html", vec![], true),
        ("/?f=json", vec![BROWSER], false),
    ] {
        let response = service.ask("GET", target, &headers, "");
        let media_type = if is_page { "text/html; charset=utf-8" } else { "application/json" };
        assert_eq!((response.status, response.header("content-type")), (200, Some(media_type)), "{target} {headers:?}");
        assert_eq!(response.header("vary").map(|vary| vary.contains("accept")), Some(true));
        if is_page {
            assert_guarded(&response);
            assert_eq!(response.header("cache-control"), Some("no-cache"));
        }
    }
    assert_eq!(service.get("/?f=csv").json()["code"], "unknown-choice");
}

#[test]
fn everything_the_page_refers_to_is_there() {
    let service = Service::start(&["--no-demo"]);
    let page = service.get("/?f=html");
    let names = referred(&page.body);
    assert!(!names.is_empty(), "{}", page.body);
    assert!(!page.body.contains("=\"/"), "nothing is named from the top: there may be a path before ours");
    for name in names {
        assert_eq!(service.get(&format!("/page/{name}")).status, 200, "{name}");
    }
}

#[test]
fn every_file_is_served_as_it_was_built_and_kept_while_its_name_is() {
    let service = Service::start(&["--no-demo"]);
    let names = built();
    assert!(names.iter().any(|name| name.starts_with("assets/")), "{names:?}");
    for name in names {
        let target = format!("/page/{name}");
        let plain = service.get(&target);
        assert_eq!((plain.status, &plain.bytes), (200, &built_bytes(&name)), "{name}");
        assert!(plain.header("content-encoding").is_none(), "{name}");
        assert_guarded(&plain);
        let kept = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        assert_eq!(plain.header("cache-control"), Some(kept), "{name}");
        for (coding, ending) in [("br", ".br"), ("gzip", ".gz")] {
            let packed = service.ask("GET", &target, &[&format!("accept-encoding: {coding}")], "");
            if packed.header("content-encoding") == Some(coding) {
                assert_eq!(packed.bytes, built_bytes(&format!("{name}{ending}")), "{name}");
                assert_ne!(packed.header("etag"), plain.header("etag"), "{name}");
                assert_eq!(packed.header("vary"), Some("accept-encoding"), "{name}");
            } else {
                assert_eq!(packed.bytes, plain.bytes, "{name}");
            }
        }
        let tag = plain.header("etag").unwrap();
        let again = service.ask("GET", &target, &[&format!("if-none-match: {tag}")], "");
        assert_eq!((again.status, again.bytes.len()), (304, 0), "{name}");
        let head = service.ask("HEAD", &target, &[], "");
        assert_eq!((head.status, head.bytes.len(), head.header("etag")), (200, 0, Some(tag)), "{name}");
    }
}

#[test]
fn what_is_no_file_of_the_page_is_not_found() {
    let service = Service::start(&["--no-demo"]);
    for target in [
        "/page",
        "/page/",
        "/page/nothing.js",
        "/page/assets",
        "/page/assets/",
        "/page/index.html",
        "/page/basemap.tiles",
        "/page/../Cargo.toml",
        "/page/..%2f..%2fCargo.toml",
        "/page/%2e%2e/Cargo.toml",
        "/page/a/b/c/d/e/f/g/h/i",
    ] {
        let response = service.get(target);
        assert_eq!((response.status, response.json()["code"].as_str()), (404, Some("not-found")), "{target}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        assert_eq!(service.ask(method, "/page/settings.json", &[], "").status, 405, "{method}");
    }
}

#[test]
fn the_page_learns_what_it_has_to_know() {
    let service = Service::start(&["--no-demo"]);
    let settings = service.get("/page/settings.json");
    assert_eq!(
        settings.fine(),
        json!({ "version": env!("CARGO_PKG_VERSION"), "map_style": null, "collections_need_key": false })
    );
    assert_guarded(&settings);
    let style = "https://tiles.example/style.json?a=1";
    let service = Service::start(&[
        "--no-demo",
        "--map-style",
        style,
        "--map-origins",
        "https://fonts.example,http://a.example:81",
    ]);
    assert_eq!(service.get("/page/settings.json").fine()["map_style"], style);
    let page = service.get("/?f=html");
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("connect-src 'self' https://tiles.example https://fonts.example http://a.example:81;"),
        "{policy}"
    );
    assert!(policy.contains("script-src 'self';"), "{policy}");
}

#[test]
fn tiles_of_the_base_map_are_there_or_empty_and_never_wrong() {
    let service = Service::start(&["--no-demo"]);
    for (tile, status) in [("24/0/0", 204), ("1/2/0", 400), ("0/0/x", 400), ("25/0/0", 400), ("-1/0/0", 400)] {
        assert_eq!(service.get(&format!("/page/basemap/{tile}.mvt")).status, status, "{tile}");
    }
    let has_base_map = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist/basemap.tiles").exists();
    let plain = service.get("/page/basemap/0/0/0.mvt");
    let packed = service.ask("GET", "/page/basemap/0/0/0.mvt", &["accept-encoding: gzip"], "");
    if !has_base_map {
        return assert_eq!((plain.status, packed.status), (204, 204));
    }
    assert_eq!((plain.status, packed.status, packed.header("content-encoding")), (200, 200, Some("gzip")));
    assert_eq!((plain.bytes[0], &packed.bytes[..2]), (0x1a, &[0x1f, 0x8b][..]), "a layer is field 3, and gzip is gzip");
    assert_eq!(plain.header("cache-control"), Some("public, max-age=604800"));
    let again = format!("if-none-match: {}", plain.header("etag").unwrap());
    assert_eq!(service.ask("GET", "/page/basemap/0/0/0.mvt", &[&again], "").status, 304);
    assert_guarded(&plain);
}

#[test]
fn the_page_is_open_where_the_data_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.toml");
    let make = ["key", "new", "--name", "reader", "--scope", "read", "--collection", "earthquakes", "--file"];
    let made = std::process::Command::new(env!("CARGO_BIN_EXE_nigh")).args(make).arg(&keys).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let service = Service::start(&["--keys", keys.to_str().unwrap()]);
    assert_eq!(service.ask("GET", "/", &[BROWSER], "").status, 200);
    assert_eq!(service.get("/page/settings.json").fine()["collections_need_key"], true);
    assert_eq!(service.get("/page/basemap/24/0/0.mvt").status, 204);
    for name in built() {
        assert_eq!(service.get(&format!("/page/{name}")).status, 200, "{name}");
    }
    assert_eq!(service.get("/collections/earthquakes/items").status, 401);
    assert_eq!(service.get("/?f=json").fine()["collections"], json!([]), "nobody is told the names");
}

#[test]
fn a_browser_that_was_led_here_under_a_strange_name_gets_no_page() {
    let service = Service::start(&["--no-demo"]);
    let asked = |host: &str| {
        let mut stream = service.begin(&format!(
            "GET /?f=html HTTP/1.1\r\nhost: {host}\r\nsec-fetch-site: none\r\nconnection: close\r\n\r\n"
        ));
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut bytes).unwrap();
        Response::parse(&bytes).status
    };
    assert_eq!((asked("localhost:6444"), asked("evil.example")), (200, 403));
}
