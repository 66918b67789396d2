//! Many items in one request: every format, every packing, what becomes of bad rows, and retries.

use std::io::Write;

use serde_json::{Value, json};

use crate::service::{Response, Service, ids};

const ITEMS: &str = "/collections/cafes/items";

fn send(service: &Service, target: &str, headers: &[&str], body: &[u8]) -> Response {
    service.ask_bytes("POST", target, headers, body)
}

fn counts(answer: &Value) -> [u64; 4] {
    ["received", "created", "replaced", "rejected"].map(|name| answer[name].as_u64().unwrap())
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_csv_is_taken_and_its_bad_rows_are_named() {
    let service = Service::start(&["--no-demo"]);
    let csv = "name,lat,lon,id,seats\nFlore,48.854,2.333,flore,120\n\"Les\nDeux\",48.854,2.3331,magots,80\nNowhere,N/A,2,x,1\nSouth,-91,2,y,1\n";
    let answer = service.ask("PUT", ITEMS, &["content-type: text/csv"], csv).fine();
    assert_eq!((counts(&answer), &answer["seq"]), ([4, 2, 0, 2], &json!(2)));
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(
        (&errors[0]["line"], &errors[0]["code"], &errors[0]["value"]),
        (&json!(5), &json!("bad-latitude"), &json!("N/A"))
    );
    assert_eq!(
        (&errors[1]["line"], &errors[1]["code"], &errors[1]["value"]),
        (&json!(6), &json!("bad-latitude"), &json!("-91"))
    );
    let flore = service.get("/collections/cafes/items/flore?f=json").fine();
    assert_eq!(flore["properties"], json!({ "name": "Flore", "seats": 120 }));
    assert_eq!(service.get("/collections/cafes/items/magots").fine()["properties"]["name"], "Les\nDeux");
    let again = service.ask("PUT", ITEMS, &["content-type: text/csv"], csv).fine();
    assert_eq!(counts(&again), [4, 0, 2, 2]);
    assert_eq!(service.stop(), (Some(0), String::new()), "the log stays clean");
}

#[test]
fn every_format_and_packing_gives_the_same_items() {
    let service = Service::start(&["--no-demo"]);
    let csv = "id,lat,lon,a\nx,1,2,3\ny,4,5,6\n";
    let ndjson = "{\"id\":\"x\",\"lat\":1,\"lon\":2,\"properties\":{\"a\":3}}\n\n{\"id\":\"y\",\"lat\":4,\"lon\":5,\"properties\":{\"a\":6}}";
    let feature = |id, lat, lon, a| json!({ "type": "Feature", "id": id, "geometry": { "type": "Point", "coordinates": [lon, lat] }, "properties": { "a": a } });
    let geojson =
        json!({ "type": "FeatureCollection", "features": [feature("x", 1, 2, 3), feature("y", 4, 5, 6)] }).to_string();
    let features = format!("{}\n{}\n", feature("x", 1, 2, 3), feature("y", 4, 5, 6));
    let mut wanted = None;
    for (format, body, media_type) in [
        ("csv", csv, "text/csv; charset=utf-8"),
        ("ndjson", ndjson, "application/x-ndjson"),
        ("geojson", &*geojson, "application/geo+json"),
        ("features", &*features, "application/geo+json-seq"),
    ] {
        let said = format!("content-type: {media_type}");
        let curl = "content-type: application/x-www-form-urlencoded";
        for (how, headers, bytes) in [
            ("said", vec![&*said], body.as_bytes().to_vec()),
            ("sniffed", vec![], body.as_bytes().to_vec()),
            ("by curl -d", vec![curl], body.as_bytes().to_vec()),
            ("gzip", vec![&*said, "content-encoding: gzip"], gzip(body)),
            ("a packed file", vec![], gzip(body)),
        ] {
            let name = format!("{format}-{}", how.replace(' ', "-"));
            let response = send(&service, &format!("/collections/{name}/items"), &headers, &bytes);
            assert_eq!(counts(&response.fine()), [2, 2, 0, 0], "{format} {how}: {}", response.body);
            let items = service.get(&format!("/collections/{name}/items?f=ndjson")).body;
            assert_eq!(wanted.get_or_insert(items.clone()), &items, "{format} {how}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_a_word_on_why() {
    let service = Service::start(&["--no-demo"]);
    for (headers, body, status, code) in [
        (vec!["content-type: image/png"], &b"x"[..], 415, "unsupported-media-type"),
        (vec!["content-type: multipart/form-data; boundary=x"], b"x", 415, "unsupported-media-type"),
        (vec!["content-encoding: br"], b"x", 415, "unsupported-media-type"),
        (vec!["content-type: text/csv"], b"name,city\na,b\n", 400, "bad-body"),
        (vec!["content-type: text/csv"], b"", 400, "bad-body"),
        (vec!["content-encoding: gzip"], b"lat,lon\n1,2\n", 400, "bad-body"),
        (vec!["idempotency-key: é", "content-type: text/csv"], b"lat,lon\n1,2\n", 400, "bad-header"),
    ] {
        let response = send(&service, ITEMS, &headers, body);
        assert_eq!(
            (response.status, &response.json()["code"]),
            (status, &json!(code)),
            "{headers:?}: {}",
            response.body
        );
    }
    assert_eq!(service.get("/collections/cafes").status, 404, "nothing was made");
}

#[test]
fn what_stands_between_fields_may_be_said() {
    let service = Service::start(&["--no-demo"]);
    let csv = &["content-type: text/csv"];
    for (said, sign) in [("%7C", '|'), ("tab", '\t'), ("%5Ct", '\t'), (";", ';'), ("%20", ' ')] {
        let rows = "id,lat,lon,t\na,1,2,x\n".replace(',', &sign.to_string());
        // What a delimiter is said of is CSV, also where nothing else says so, as with curl -T.
        for head in [&csv[..], &[]] {
            let answer = send(&service, &format!("{ITEMS}?delimiter={said}"), head, rows.as_bytes()).fine();
            assert_eq!((counts(&answer)[0], counts(&answer)[3]), (1, 0), "{said}");
        }
    }
    for wrong in ["", "%22", "%0A", "ab", "%C3%A9", "%00"] {
        let refused = send(&service, &format!("{ITEMS}?delimiter={wrong}"), csv, b"lat,lon\n1,2\n");
        let problem = refused.json();
        assert_eq!((refused.status, &problem["code"]), (400, &json!("unknown-choice")), "{wrong}: {problem}");
        assert_eq!(problem["parameter"], "delimiter");
        assert!(problem["hint"].as_str().unwrap().ends_with("or tab"), "{problem}");
    }
}

#[test]
fn an_upload_that_is_to_be_whole_is_whole_or_nothing() {
    let service = Service::start(&["--no-demo"]);
    let csv = "id,lat,lon\na,1,2\nb,91,2\nc,3,4\n";
    let refused = send(&service, &format!("{ITEMS}?on_error=abort"), &["content-type: text/csv"], csv.as_bytes());
    let problem = refused.json();
    assert_eq!((refused.status, &problem["code"]), (422, &json!("rows-rejected")), "{problem}");
    assert_eq!((counts(&problem), &problem["errors"][0]["line"]), ([3, 0, 0, 1], &json!(3)));
    assert_eq!(service.get("/collections/cafes").status, 404);
    let taken = send(&service, &format!("{ITEMS}?on_error=abort"), &[], b"id,lat,lon\na,1,2\nc,3,4\n").fine();
    assert_eq!(counts(&taken), [2, 2, 0, 0]);
    let all_bad = send(&service, ITEMS, &[], b"id,lat,lon\na,x,2\n");
    assert_eq!(
        (all_bad.status, &all_bad.json()["code"]),
        (422, &json!("rows-rejected")),
        "nothing taken is no success"
    );
}

#[test]
fn an_upload_that_breaks_off_makes_no_collection_however_much_came() {
    let service = Service::start(&["--no-demo"]);
    for rows in [10, 40_000] {
        let csv = (0..rows).fold("id,lat,lon\n".to_owned(), |csv, row| csv + &format!("r{row},1,2\n"));
        let mut packed = gzip(&csv);
        packed.truncate(packed.len() - 12);
        let refused = send(&service, ITEMS, &["content-type: text/csv"], &packed);
        assert_eq!((refused.status, &refused.json()["code"]), (400, &json!("bad-body")), "{rows}: {}", refused.body);
        assert_eq!(service.get("/collections/cafes").status, 404, "{rows}");
    }
}

#[test]
fn the_first_hundred_errors_are_told_and_all_are_counted() {
    let service = Service::start(&["--no-demo"]);
    let mut csv = "id,lat,lon\n".to_owned();
    for row in 0..12_000 {
        csv += &if row % 10 == 0 { format!("r{row},north,1\n") } else { format!("r{row},1,1\n") };
    }
    let answer = send(&service, ITEMS, &[], csv.as_bytes()).fine();
    assert_eq!(counts(&answer), [12_000, 10_800, 0, 1_200]);
    let lines: Vec<u64> =
        answer["errors"].as_array().unwrap().iter().map(|error| error["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, (0..100).map(|number| number * 10 + 2).collect::<Vec<u64>>());
    assert_eq!(service.get("/collections/cafes").fine()["count"], 10_800);
}

#[test]
fn a_retry_with_the_same_key_changes_nothing_and_gives_the_first_answer() {
    let service = Service::start(&["--no-demo"]);
    let rows = |count: usize| (0..count).fold("lat,lon\n".to_owned(), |csv, row| csv + &format!("{},1\n", row % 90));
    // Few rows are one submission, many a load; rows without ids get the same ids again.
    for (name, count) in [("few", 50), ("many", 7_000)] {
        let (target, key) = (format!("/collections/{name}/items"), "idempotency-key: once");
        let first = send(&service, &target, &[key, "content-type: text/csv"], rows(count).as_bytes()).fine();
        assert_eq!(counts(&first), [count as u64, count as u64, 0, 0]);
        service.put(&format!("/collections/{name}/items/other"), r#"{"lat":1,"lon":2}"#);
        let again = send(&service, &target, &[key, "content-type: text/csv"], rows(count).as_bytes()).fine();
        assert_eq!((counts(&again), &again["seq"]), (counts(&first), &first["seq"]), "{name}");
        let described = service.get(&format!("/collections/{name}")).fine();
        assert_eq!((&described["count"], &described["seq"]), (&json!(count + 1), &json!(count + 1)), "{name}");
        let other = send(&service, &target, &[key, "content-type: text/csv"], rows(count - 1).as_bytes());
        assert_eq!((other.status, &other.json()["code"]), (422, &json!("key-reused")), "{name}: {}", other.body);
    }
}

#[test]
fn uploads_that_come_in_the_same_moment_do_not_replace_the_rows_of_each_other() {
    let service = Service::start(&["--no-demo"]);
    // Made in the same millisecond, ids that follow from the clock alone would be the same.
    let created: u64 = std::thread::scope(|scope| {
        let upload =
            || (0..40).map(|_| counts(&send(&service, ITEMS, &[], b"lat,lon\n1,2\n3,4\n").fine())[1]).sum::<u64>();
        let uploading: Vec<_> = (0..8).map(|_| scope.spawn(upload)).collect();
        uploading.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(created, 640);
    assert_eq!(service.get("/collections/cafes").fine()["count"], 640);
}

#[test]
fn a_retry_of_rows_with_a_lifetime_is_the_same_request() {
    let service = Service::start(&["--no-demo"]);
    for (name, count) in [("few", 5), ("many", 7_000)] {
        let rows = (0..count).fold("id,lat,lon,ttl\n".to_owned(), |csv, row| csv + &format!("{row},1,2,1h\n"));
        let headers = ["idempotency-key: once", "content-type: text/csv"];
        let send = || send(&service, &format!("/collections/{name}/items"), &headers, rows.as_bytes());
        let first = send().fine();
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert_eq!(send().fine(), first, "the lifetimes end later, and that is no other request");
        assert_eq!(service.get(&format!("/collections/{name}")).fine()["seq"], count);
    }
}

#[test]
fn a_key_is_for_one_upload_also_where_only_the_ends_of_rows_differ() {
    let service = Service::start(&["--no-demo"]);
    for (name, count) in [("few", 5), ("many", 7_000)] {
        let rows = |column: &str, end: &str| {
            (0..count).fold(format!("id,lat,lon,{column}\n"), |csv, row| csv + &format!("{row},1,2,{end}\n"))
        };
        let headers = ["idempotency-key: once", "content-type: text/csv"];
        let send = |rows: &str| send(&service, &format!("/collections/{name}/items"), &headers, rows.as_bytes());
        let first = send(&rows("expires_at", "2999-01-01T00:00:00Z")).fine();
        for (column, end) in [("expires_at", "2998-01-01T00:00:00Z"), ("ttl", "1h"), ("note", "x"), ("expires_at", "")]
        {
            let other = send(&rows(column, end));
            assert_eq!((other.status, &other.json()["code"]), (422, &json!("key-reused")), "{name} {column} {end}");
        }
        assert_eq!(send(&rows("expires_at", "2999-01-01T00:00:00Z")).fine(), first);
    }
}

#[test]
fn a_key_is_for_one_upload_whether_it_had_few_rows_or_many() {
    let service = Service::start(&["--no-demo"]);
    let rows = |count: usize| "lat,lon\n".to_owned() + &"1,2\n".repeat(count);
    for (first, second) in [(5, 7_000), (7_000, 5)] {
        let key = format!("idempotency-key: first-{first}");
        let send = |count| send(&service, ITEMS, &[&key, "content-type: text/csv"], rows(count).as_bytes());
        let before = send(first).fine();
        let other = send(second);
        assert_eq!((other.status, &other.json()["code"]), (422, &json!("key-reused")), "{}", other.body);
        assert_eq!(send(first).fine(), before);
    }
    assert_eq!(service.get("/collections/cafes").fine()["count"], 7_005);
}

#[test]
fn items_go_out_and_come_in_again_in_every_format() {
    let service = Service::with_demo();
    let target = "/collections/default/items?limit=10000&bbox=-10,35,40,60";
    let whole = service.get(&format!("{target}&f=ndjson"));
    let count = whole.header("nigh-matched").unwrap().parse::<usize>().unwrap();
    assert!(count > 3000 && whole.body.lines().count() == count);
    for (format, media_type) in
        [("ndjson", "application/x-ndjson"), ("csv", "text/csv"), ("geojson", "application/geo+json")]
    {
        let sent = service.get(&format!("{target}&f={format}"));
        let answer = send(
            &service,
            &format!("/collections/{format}/items"),
            &[&format!("content-type: {media_type}")],
            sent.body.as_bytes(),
        );
        assert_eq!(counts(&answer.fine()), [count as u64, count as u64, 0, 0], "{format}");
        let back = service.get(&format!("/collections/{format}/items?limit=10000&f=ndjson"));
        assert!(back.body == whole.body, "{format}");
    }
}

#[test]
fn pages_of_rows_lead_on_by_their_head() {
    let service = Service::with_demo();
    for format in ["csv", "ndjson"] {
        let mut target = format!("/collections/default/items?bbox=0,45,5,50&limit=40&f={format}");
        let (mut rows, mut pages) = (0, 0);
        let total = loop {
            let page = service.get(&target);
            assert_eq!(page.status, 200, "{}", page.body);
            rows += page.body.lines().count() - usize::from(format == "csv");
            pages += 1;
            match page.header_as_it_is("link") {
                Some(link) => {
                    target = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
                    assert!(link.ends_with(r#"; rel="next""#), "{link}");
                }
                None => break page.header("nigh-matched").unwrap().parse::<usize>().unwrap(),
            }
        };
        assert_eq!(rows, total, "{format}");
        assert!(pages > 3, "{format}");
    }
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    let service = Service::start(&["--no-demo"]);
    for rows in [10, 20_000] {
        let csv = (0..rows).fold("id,lat,lon\n".to_owned(), |csv, row| csv + &format!("r{row},1,1\n"));
        let half = service.begin(&format!(
            "POST {ITEMS} HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\ncontent-length: {}\r\n\r\n{csv}",
            csv.len() + 1
        ));
        std::thread::sleep(std::time::Duration::from_millis(100));
        drop(half);
    }
    // Whatever became of them is done before what comes after them is.
    assert_eq!(send(&service, "/collections/other/items", &[], b"lat,lon\n1,2\n").status, 200);
    std::thread::sleep(std::time::Duration::from_millis(200));
    let there = service.get("/collections/cafes");
    assert!(there.status == 404 || there.json()["count"] == 0, "{}", there.body);
    assert_eq!(ids(&service.get("/collections/other/items").fine()).len(), 1);
}

#[test]
fn a_kill_in_the_middle_of_an_upload_leaves_all_of_it_or_nothing() {
    let rows = 40_000;
    let csv = (0..rows).fold("id,lat,lon\n".to_owned(), |csv, row| csv + &format!("r{row},{},1\n", row % 90));
    let (mut none, mut all) = (0, 0);
    for round in 0..8_u64 {
        let data = tempfile::tempdir().unwrap();
        let nigh = || std::process::Command::new(env!("CARGO_BIN_EXE_nigh"));
        let service = Service::run(nigh(), data.path(), &["--no-demo"]);
        service.put(&format!("{ITEMS}/before"), r#"{"lat":1,"lon":2}"#);
        let address = service.address().to_owned();
        let answered = std::thread::scope(|scope| {
            let csv = &csv;
            let upload = scope.spawn(move || {
                let mut stream = std::net::TcpStream::connect(address).unwrap();
                let head = format!("POST {ITEMS}?on_error=abort HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: text/csv\r\ncontent-length: {}\r\n\r\n", csv.len());
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(csv.as_bytes()));
                let mut answer = String::new();
                let _ = std::io::Read::read_to_string(&mut stream, &mut answer);
                answer.starts_with("HTTP/1.1 200")
            });
            std::thread::sleep(std::time::Duration::from_millis(20 + round * round * 12));
            service.kill();
            upload.join().unwrap()
        });
        let service = Service::run(nigh(), data.path(), &["--no-demo"]);
        let count = service.get("/collections/cafes").fine()["count"].as_u64().unwrap();
        match count {
            1 => none += 1,
            count if count == rows + 1 => all += 1,
            other => panic!("{other} items are there after a kill in round {round}"),
        }
        assert!(!answered || count == rows + 1, "what was acknowledged is there");
        assert_eq!(service.get(&format!("{ITEMS}/before")).status, 200);
        let compared = service.get("/collections/cafes/compare?bbox=-180,-90,180,90").fine();
        assert_eq!((&compared["identical"], &compared["matched"]), (&json!(true), &json!(count)));
    }
    assert_eq!(none + all, 8);
}
