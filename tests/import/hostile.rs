//! Files as nobody should write them: every good row is kept, every other is named by the line on which it begins.

use super::Place;
use super::service::Service;

/// A file with the properties `t` of the rows that are kept, in order, and the line and code of those that are not.
type Case<'a> = (&'a str, Vec<u8>, &'a [&'a str], &'a [(u64, &'a str)]);

/// Imports a file into a directory and into a service, which read it alike.
fn check((name, content, kept, rejected): Case<'_>, service: &Service) {
    let place = Place::new();
    place.file("a.csv", content);
    let told: Vec<(u64, String)> = rejected.iter().map(|&(line, code)| (line, code.to_owned())).collect();
    let expected: Vec<String> = kept.iter().map(|t| format!(r#"{{"t":"{t}"}}"#)).collect();
    let url = format!("http://{}", service.address());
    let mut kept_of_rejected = Vec::new();
    for arguments in [&["a.csv"][..], &["a.csv", "--url", &url]] {
        let done = place.import(arguments);
        assert_eq!(done.code, Some(if rejected.is_empty() { 0 } else { 3 }), "{name}: {}", done.messages);
        assert_eq!(place.rejected("a.csv.rejected.csv"), told, "{name}: {arguments:?}");
        kept_of_rejected.push(std::fs::read(place.path("a.csv.rejected.csv")).ok());
    }
    assert_eq!(kept_of_rejected[0], kept_of_rejected[1], "{name}");
    let mut items = place.items("default").unwrap_or_default();
    items.sort();
    let found: Vec<String> = items.into_iter().map(|(_, json)| json).collect();
    assert_eq!(found, expected, "{name}");
    let there = service.get("/collections/default/items?f=ndjson").lines();
    let there: Vec<String> = there.iter().map(|item| item["properties"].to_string()).collect();
    let unescaped: Vec<serde_json::Value> = expected.iter().map(|json| serde_json::from_str(json).unwrap()).collect();
    assert_eq!(there, unescaped.iter().map(ToString::to_string).collect::<Vec<_>>(), "{name}");
    assert_eq!(service.delete("/collections/default").status, 204, "{name}");
}

#[test]
fn hostile_files_give_exact_lines_and_keep_every_good_row() {
    let bytes = |text: &str| text.as_bytes().to_vec();
    let huge = format!("id,lat,lon,t\na,1,2,p\nb,1,2,{}\nc,1,2,q\nd,x,2,r\n", "x".repeat(10 << 20));
    let cases: Vec<Case<'_>> = vec![
        (
            "quoted line breaks",
            bytes("id,lat,lon,t\na,1,2,\"p\n\nq\"\nb,x,2,r\nc,1,2,\"s\r\nt\"\nd,y,2,u\n"),
            &["p\\n\\nq", "s\\r\\nt"],
            &[(5, "bad-latitude"), (8, "bad-latitude")],
        ),
        (
            "stray quotes",
            bytes("id,lat,lon,t\na,1,2,5' p\nb,1,2,q\"r\nc,x,2,\"s\"\nd,1,2,\"t\"u\n"),
            &["5' p", "q\\\"r", "tu"],
            &[(4, "bad-latitude")],
        ),
        ("a byte-order mark", bytes("\u{feff}id,lat,lon,t\na,1,2,p\nb,x,2,q\n"), &["p"], &[(3, "bad-latitude")]),
        (
            "CRLF, blank lines and a lone CR",
            bytes("id,lat,lon,t\r\na,1,2,p\r\n\r\n\r\nb,1,2,q\rr\r\nc,x,2,s\r\n"),
            &["p", "q\\rr"],
            &[(6, "bad-latitude")],
        ),
        ("NUL", bytes("id,lat,lon,t\na,1,2,p\0q\nb\0,1,2,r\nc,1,2,s\n"), &["p\\u0000q", "s"], &[(3, "bad-id")]),
        (
            "invalid UTF-8",
            b"id,lat,lon,t\na,1,2,p\nb,1,2,\xff\xfe\nc,1,2,q\n".to_vec(),
            &["p", "q"],
            &[(3, "bad-encoding")],
        ),
        ("a field of 10 MB", bytes(&huge), &["p", "q"], &[(3, "too-long"), (5, "bad-latitude")]),
        (
            "an unterminated quote",
            bytes("id,lat,lon,t\na,1,2,p\nb,1,2,\"q\nc,1,2,r\nd,1,2,s\n"),
            &["p", "r", "s"],
            &[(3, "unclosed-quote")],
        ),
        (
            "an unterminated quote that a later one would close",
            bytes("id,lat,lon,t\na,1,2,\"p\nb,1,2,q\nc,1,2,\"r\"\n"),
            &["q", "r"],
            &[(2, "unclosed-quote")],
        ),
        (
            "fields too few and too many",
            bytes("id,lat,lon,t\na,1,2\nb,1,2,p,q\nc,1,2,r"),
            &["r"],
            &[(2, "too-few-fields"), (3, "too-many-fields")],
        ),
        ("semicolons", bytes("id;lat;lon;t\na;1;2;p,q\nb;1,5;2;r\n"), &["p,q"], &[(3, "bad-latitude")]),
    ];
    let service = Service::start(&["--no-demo"]);
    cases.into_iter().for_each(|case| check(case, &service));
}

#[test]
fn what_is_odd_far_into_a_large_file_is_named_by_its_line() {
    let mut text = "id,lat,lon,t\n".to_owned();
    let mut line = 2;
    let mut expected = Vec::new();
    // Some megabytes, so that many chunks are read side by side; each kind of oddity comes with every few thousand rows.
    for number in 0..120_000 {
        let (row, lines, code) = match number % 7001 {
            100 => (format!("b{number},x,2,\"p\nq\"\n"), 2, Some("bad-latitude")),
            2000 => (format!("q{number},1,2,5\" pipe\n"), 1, None),
            3000 => (format!("u{number},1,2,\"open\n"), 1, Some("unclosed-quote")),
            4000 => (format!("m{number},1,2,\"a\n\nb \"\"c\"\"\"\r\n"), 3, None),
            _ => (format!("r{number},{},2,\"some, text\"\n", number % 90), 1, None),
        };
        text += &row;
        expected.extend(code.map(|code| (line, code.to_owned())));
        line += lines;
    }
    let place = Place::new();
    place.file("a.csv", &text);
    let done = place.import(&["a.csv"]);
    assert_eq!(done.counts(), [120_000, 120_000 - expected.len() as u64, 0, expected.len() as u64]);
    assert_eq!(place.rejected("a.csv.rejected.csv"), expected);
    assert_eq!(place.ids("default").len(), 120_000 - expected.len());
}

#[test]
fn a_file_without_rows_is_no_failure_and_one_without_a_header_is_asked_wrongly() {
    for (content, code, message) in [
        ("lat,lon\n", Some(0), ""),
        ("\u{feff}lat,lon", Some(0), ""),
        ("", Some(2), "a.csv: the file is empty"),
        ("\n\n", Some(2), "a.csv: the file is empty"),
        ("48.8,2.3\n48.9,2.4\n", Some(2), "the first line has 48.8, 2.3; it must name the columns"),
        ("lat,lon,a,a\n1,2,3,4\n", Some(2), "column \"a\" stands twice in the header"),
        ("lat,lon,\"a\n1,2,3\n", Some(2), "a quote in the header is not closed"),
        (
            "name,lon\na,1\n",
            Some(2),
            "no column for the latitude: name one of them lat, latitude, y; the first line has name, lon",
        ),
        ("\u{0}\u{0}", Some(2), "a.csv: no column for the latitude"),
        ("lat,lon\r1,2\r3,4\r", Some(2), "no column for the longitude"),
    ] {
        let place = Place::new();
        place.file("a.csv", content);
        let done = place.import(&["a.csv"]);
        assert_eq!(done.code, code, "{content:?}: {}", done.messages);
        assert!(done.messages.contains(message), "{content:?}: {}", done.messages);
        assert_eq!((place.items("default"), place.rejected("a.csv.rejected.csv")), (None, vec![]), "{content:?}");
    }
}
