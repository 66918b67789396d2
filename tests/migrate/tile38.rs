//! From a double that speaks as the documents of Tile38 say. The server itself was not there to be asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::spawn;

use nigh::geometry::{METRICS, Point, metric::EARTH_RADIUS_M};

use crate::run::{check, held, run};

/// id, object, fields.
type Objects = Arc<Mutex<Vec<(String, String, Vec<(String, String)>)>>>;

/// Listens as Tile38 would, with one collection, `fleet`.
fn double(objects: &Objects) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tile38://{}/fleet", listener.local_addr().unwrap());
    let objects = objects.clone();
    spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let objects = objects.clone();
            spawn(move || serve(stream, &objects));
        }
    });
    address
}

fn serve(mut stream: TcpStream, objects: &Objects) {
    let mut input = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut line = String::new();
        if input.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let count: usize = line.trim_end()[1..].parse().unwrap();
        let mut words = Vec::new();
        for _ in 0..count {
            let mut line = String::new();
            input.read_line(&mut line).unwrap();
            let mut word = vec![0; line.trim_end()[1..].parse::<usize>().unwrap() + 2];
            input.read_exact(&mut word).unwrap();
            word.truncate(word.len() - 2);
            words.push(String::from_utf8(word).unwrap());
        }
        if stream.write_all(answer(&words, objects).as_bytes()).is_err() {
            return;
        }
    }
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn list(members: &[String]) -> String {
    format!("*{}\r\n{}", members.len(), members.concat())
}

fn word_after<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    words.iter().position(|word| word == name).map(|at| &*words[at + 1])
}

fn answer(words: &[String], objects: &Objects) -> String {
    let objects = objects.lock().unwrap();
    let number = |name: &str| word_after(words, name).map_or(0, |number| number.parse::<usize>().unwrap());
    if words[0] == "STATS" {
        let stats = list(&[
            bulk("in_memory_size"),
            ":9\r\n".to_owned(),
            bulk("num_objects"),
            format!(":{}\r\n", objects.len()),
        ]);
        return list(&[if words[1] == "fleet" { stats } else { "$-1\r\n".to_owned() }]);
    }
    assert_eq!(words[1], "fleet");
    let (from, limit) = (number("CURSOR"), number("LIMIT"));
    let found: Vec<String> = match &*words[0] {
        "SCAN" => objects
            .iter()
            .map(|(id, object, fields)| {
                let fields: Vec<String> = fields.iter().flat_map(|(name, value)| [bulk(name), bulk(value)]).collect();
                let mut parts = vec![bulk(id), bulk(object)];
                if !fields.is_empty() {
                    parts.push(list(&fields));
                }
                list(&parts)
            })
            .collect(),
        "NEARBY" => {
            let at = words.iter().position(|word| word == "POINT").unwrap();
            let degrees = |at: usize| words[at].parse::<f64>().unwrap();
            let centre = Point::new(degrees(at + 1), degrees(at + 2)).unwrap();
            let most = words.get(at + 3).map_or(f64::INFINITY, |metres| metres.parse().unwrap());
            let mut near: Vec<(f64, &String)> = objects
                .iter()
                .filter_map(|(id, object, _)| {
                    let json: serde_json::Value = serde_json::from_str(object).ok()?;
                    let place = if json["type"] == "Feature" { &json["geometry"] } else { &json };
                    let [lon, lat] = [0, 1].map(|at| place["coordinates"][at].as_f64());
                    let point = Point::new(lat?, lon?).ok()?;
                    let metres = METRICS[0].distance_m(&centre.unit(), &point.unit()) / EARTH_RADIUS_M * 6_371_000.0;
                    (metres <= most).then_some((metres, id))
                })
                .collect();
            near.sort_by(|one, other| one.0.total_cmp(&other.0));
            near.into_iter().map(|(_, id)| bulk(id)).collect()
        }
        other => return format!("-ERR unknown command '{other}'\r\n"),
    };
    let page: Vec<String> = found.iter().skip(from).take(limit).cloned().collect();
    let next = if from + page.len() < found.len() { from + page.len() } else { 0 };
    list(&[format!(":{next}\r\n"), list(&page)])
}

#[test]
fn points_with_fields_and_features_are_carried_from_what_speaks_like_tile38() {
    let objects: Objects = Arc::default();
    let point = |lon: f64, lat: f64| format!(r#"{{"type":"Point","coordinates":[{lon},{lat}]}}"#);
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    for number in 0..2500 {
        let (lon, lat) = (f64::from(number * 37 % 3600) / 10.0 - 180.0, f64::from(number * 11 % 1700) / 10.0 - 85.0);
        objects.lock().unwrap().push((format!("t{number}"), point(lon, lat), vec![field("speed", "12.5")]));
    }
    let feature = r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[2.5,48.5,7]},"properties":{"a":{"b":1},"speed":1}}"#;
    for (id, object, fields) in [
        ("feature", feature.to_owned(), vec![field("speed", "3"), field("note", "it's")]),
        ("text", "just words".to_owned(), vec![]),
        ("area", r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}"#.to_owned(), vec![]),
        ("beyond", point(0.0, 95.0), vec![]),
        ("a\tb", point(0.0, 5.0), vec![]),
    ] {
        objects.lock().unwrap().push((id.to_owned(), object, fields));
    }
    let (folder, url) = (tempfile::tempdir().unwrap(), double(&objects));
    let looked = check(folder.path(), &[&url]);
    assert_eq!(
        (looked.code, &looked.json["rows"], &looked.json["live"]),
        (Some(3), &2505.into(), &false.into()),
        "{looked:?}"
    );
    let ended = run(folder.path(), &[&url, "-c", "fleet"]);
    ended.assert_safe(3);
    let codes: Vec<String> = ended.rejects(folder.path()).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["bad-id", "bad-latitude", "no-point", "no-point"]);
    let rows = held(folder.path(), "fleet");
    assert_eq!((rows.len(), &*rows["t7"].2), (2501, r#"{"speed":12.5}"#));
    assert_eq!(rows["feature"], (48.5, 2.5, r#"{"a":{"b":1},"speed":1,"field.speed":3,"note":"it's"}"#.to_owned()));
    objects.lock().unwrap().retain(|(id, _, _)| id != "t7");
    run(folder.path(), &[&url, "-c", "fleet", "--replace"]).assert_safe(3);
    assert_eq!(held(folder.path(), "fleet").len(), 2500);
    let refused = run(folder.path(), &[&url.replace("/fleet", "/other")]);
    assert!(refused.code == Some(1) && refused.log.contains("there is no collection other"), "{refused:?}");
}
