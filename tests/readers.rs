//! What goes out comes in again, and whatever comes in does no harm: whole, in pieces, broken and compressed.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

#[path = "../src/repeatable.rs"]
mod repeatable;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use nigh::collection::{Change, Collection, Id, Item, Properties};
use nigh::format::{
    CODINGS, FORMATS, Fields, HeaderError, Incoming, Page, READERS, ROW_PROBLEMS, ReadOptions, Reader, Rejected,
    read_item, reader_named, sniff,
};
use nigh::geometry::Point;
use nigh::query::Query;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::Index;
use repeatable::repeatable;

type Row = Result<Incoming, Rejected>;

/// Hands its bytes over in pieces of changing size.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()];
        self.turn += 1;
        let taken = size.min(buffer.len()).min(self.bytes.len() - self.at);
        buffer[..taken].copy_from_slice(&self.bytes[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}

/// Every row of a text that comes in pieces of these sizes, or what is said of its header.
fn rows_in(reader: &Reader, text: &[u8], sizes: &[usize]) -> Result<Vec<Row>, String> {
    let pieces = Pieces { bytes: text.to_vec(), at: 0, sizes: sizes.to_vec(), turn: 0 };
    match (reader.open)(Box::new(pieces), &ReadOptions::default()) {
        Ok(rows) => Ok(rows.map(|row| row.unwrap()).collect()),
        Err(HeaderError::Unusable(fault)) => Err(fault.to_string()),
        Err(error) => panic!("{error}"),
    }
}

fn rows(reader: &str, text: &[u8]) -> Vec<Row> {
    rows_in(reader_named(reader).unwrap(), text, &[usize::MAX]).unwrap()
}

/// All items as one page of a format.
fn written(format: &str, items: &[Item]) -> Vec<u8> {
    let collection = Collection::new();
    collection.apply(1, items.iter().cloned().map(Change::Put).collect());
    let answer = Query::default().run(&collection.snapshot()).unwrap();
    let format = FORMATS.iter().find(|known| known.name == format).unwrap();
    let mut out = Vec::new();
    (format.write_page)(&mut out, &Page { answer: &answer, fields: &Fields::all(), links: &[], explain: false });
    out
}

/// Id, bits of the position, text of the properties: by id, as pages are.
type Told = BTreeMap<String, ([u64; 2], String)>;

fn told(items: impl IntoIterator<Item = (Id, Point, Properties)>) -> Told {
    let told = |(id, point, properties): (Id, Point, Properties)| {
        let bits = [point.lat_deg().to_bits(), point.lon_deg().to_bits()];
        (id.as_str().to_owned(), (bits, properties.as_json().to_owned()))
    };
    items.into_iter().map(told).collect()
}

fn came(rows: Vec<Row>) -> Told {
    told(rows.into_iter().map(|row| row.unwrap()).map(|item| (item.id.unwrap(), item.point, item.properties)))
}

fn degrees(most: f64) -> impl Strategy<Value = f64> {
    prop_oneof![-most..=most, Just(-0.0), Just(most), Just(-most), Just(5e-324), Just(most.next_down())]
}

fn points() -> impl Strategy<Value = Point> {
    (degrees(90.0), degrees(180.0)).prop_map(|(lat, lon)| Point::new(lat, lon).unwrap())
}

fn ids() -> impl Strategy<Value = Id> {
    "[^\\p{Cc}]{1,20}".prop_map(|id| Id::new(id).unwrap())
}

/// Any JSON, with white space of every kind between its pieces.
fn json() -> impl Strategy<Value = String> {
    let text = "\\PC{0,8}".prop_map(|text| serde_json::to_string(&text).unwrap());
    let leaf = prop_oneof![
        text,
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,5})?(e[+-]?[0-9]{1,3})?",
        "true|false|null",
        Just("\"\\ud800\\u00e9\\n\"".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let list = vec(inner, 0..4).prop_map(|values| format!("[{}]", values.join(" ,\n\t")));
        list.boxed()
    })
}

fn properties() -> impl Strategy<Value = Properties> {
    let member = ("\\PC{0,6}", json())
        .prop_map(|(name, value)| format!("{}\r\n: {value}", serde_json::to_string(&name).unwrap()));
    vec(member, 0..5).prop_map(|members| Properties::from_json(&format!("{{ {} }}", members.join(","))).unwrap())
}

fn items(properties: impl Strategy<Value = Properties>) -> impl Strategy<Value = Vec<Item>> {
    let item = (ids(), points(), properties);
    let item = item.prop_map(|(id, point, properties)| Item::new(id, point).with_properties(properties));
    vec(item, 0..8)
}

/// Properties that CSV can tell: names without white space at their ends, texts that are no numbers and not empty.
fn flat() -> impl Strategy<Value = Properties> {
    let name = prop_oneof![
        "[^\\p{Cc}]{0,8}".prop_filter("names are trimmed", |name| name == name.trim()),
        "id|ID|lat|lon|properties|properties\\.lat|ttl|expires_at|distance_m|latitude|geohash|key",
        "[,;\"\n\ta]{1,6}".prop_filter("names are trimmed", |name| name == name.trim()),
    ];
    let text = "[^0-9\\-][^\u{0}]{0,9}".prop_map(serde_json::Value::from);
    let number =
        prop_oneof![any::<i32>().prop_map(serde_json::Value::from), any::<f32>().prop_map(serde_json::Value::from)];
    let value = prop_oneof![text, number].prop_filter("nothing is nothing", |value| !value.is_null());
    btree_map(name, value, 0..5)
        .prop_map(|members| Properties::from_json(&serde_json::to_string(&members).unwrap()).unwrap())
}

proptest! {
    #![proptest_config(repeatable(300))]

    #[test]
    fn items_come_back_to_the_bit(items in items(properties())) {
        let latest: Told = told(items.iter().cloned().map(|item| (item.id, item.point, item.properties)));
        prop_assert_eq!(&came(rows("geojson", &written("geojson", &items))), &latest);
        let one_line = |text: &String| text.replace(['\n', '\r'], " ");
        let lines: Told = latest.iter().map(|(id, (bits, text))| (id.clone(), (*bits, one_line(text)))).collect();
        prop_assert_eq!(came(rows("ndjson", &written("ndjson", &items))), lines);
    }

    #[test]
    fn flat_items_come_back_from_csv(items in items(flat())) {
        let values = |told: Told| -> BTreeMap<String, ([u64; 2], serde_json::Value)> {
            told.into_iter().map(|(id, (bits, text))| (id, (bits, serde_json::from_str(&text).unwrap()))).collect()
        };
        let latest = told(items.iter().cloned().map(|item| (item.id, item.point, item.properties)));
        let text = written("csv", &items);
        prop_assert_eq!(values(came(rows("csv", &text))), values(latest), "{}", String::from_utf8_lossy(&text));
    }
}

/// A file of each format, with everything that makes reading hard.
fn samples() -> Vec<(&'static Reader, String)> {
    let csv = "id,lat,lon,name,\"a \"\"b\"\"\",ttl\n1,48.8,2.3,\"Le \"\"Procope\"\"\",4,\n2,91,2,x,,\r\n\n3,1,2,\"two\nlines, three\",,2h\n\
               4,1,x,y\n5,-1.5,179.9,\"\",7.50,soon\n6,1,2,é\u{1F600},007,90\n";
    let ndjson = "{\"id\":\"1\",\"lat\":48.8,\"lon\":2.3,\"properties\":{\"a\":[1.50,{\"b\":\"\\\"}\\n\"}]}}\n\n\u{1e}{\"type\":\"Feature\",\
                  \"id\":2,\"geometry\":{\"type\":\"Point\",\"coordinates\":[2.3,48.8]},\"properties\":null,\"ttl\":\"2h\"}\r\n{\"lat\":1}\n\
                  {\"lat\":1,\"lon\":2,\"expires_at\":\"2030-01-01T00:00:00Z\"}\n{\"lat\":1,\"lon\":2,\"lng\":3}\n";
    let geojson = "{\"type\":\"FeatureCollection\",\"x\":{\"features\":[1,\"]\"]},\n\"features\":[\n{\"type\":\"Feature\",\"id\":\"a\",\n\
                   \"geometry\":{\"type\":\"Point\",\"coordinates\":[2.3,48.8]},\"properties\":{\"q\":\"\\\"}]\"}},\n{\"type\":\"Feature\",\
                   \"geometry\":{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}},null , 17\n,{\"lat\":1,\"lon\":2}],\"bbox\":[1,2,3,4]}\n";
    [("csv", csv), ("ndjson", ndjson), ("geojson", geojson)]
        .map(|(name, text)| (reader_named(name).unwrap(), text.to_owned()))
        .into()
}

/// What can happen to a file on its way: bytes changed, put in, taken out, cut off.
#[derive(Debug, Clone)]
enum Accident {
    Change(Index, u8),
    PutIn(Index, Vec<u8>),
    TakeOut(Index, usize),
    CutOff(Index),
}

fn accidents() -> impl Strategy<Value = Vec<Accident>> {
    let byte = || prop_oneof![any::<u8>(), prop::sample::select(b"\",;\n\r{}[]:\\\t 0-\x1e\0\xEF".to_vec())];
    let accident = prop_oneof![
        4 => (any::<Index>(), byte()).prop_map(|(at, byte)| Accident::Change(at, byte)),
        4 => (any::<Index>(), vec(byte(), 1..6)).prop_map(|(at, bytes)| Accident::PutIn(at, bytes)),
        2 => (any::<Index>(), 1..40_usize).prop_map(|(at, length)| Accident::TakeOut(at, length)),
        1 => any::<Index>().prop_map(Accident::CutOff),
    ];
    vec(accident, 1..5)
}

fn befall(bytes: &mut Vec<u8>, accidents: &[Accident]) {
    for accident in accidents {
        let length = bytes.len();
        if length == 0 {
            return;
        }
        match accident {
            Accident::Change(at, byte) => bytes[at.index(length)] = *byte,
            Accident::PutIn(at, new) => {
                let at = at.index(length);
                bytes.splice(at..at, new.iter().copied());
            }
            Accident::TakeOut(at, count) => {
                let at = at.index(length);
                bytes.drain(at..(at + count).min(length));
            }
            Accident::CutOff(at) => bytes.truncate(at.index(length)),
        }
    }
}

/// Reads bytes whole and in pieces, which must be the same, and looks at what is said about lines.
fn check(reader: &Reader, text: &[u8], sizes: &[usize]) -> Result<(), TestCaseError> {
    let whole = rows_in(reader, text, &[usize::MAX]);
    prop_assert_eq!(&rows_in(reader, text, &[1]), &whole, "{} byte by byte", reader.name);
    prop_assert_eq!(&rows_in(reader, text, sizes), &whole, "{} in pieces", reader.name);
    let lines = text.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
    let rows = whole.unwrap_or_default();
    prop_assert!(rows.len() <= text.len() + 1);
    let refused: Vec<&Rejected> = rows.iter().filter_map(|row| row.as_ref().err()).collect();
    for bad in &refused {
        prop_assert!((1..=lines).contains(&bad.line), "{} of {lines}: {bad}", bad.line);
        prop_assert!(ROW_PROBLEMS.iter().any(|known| known.code == bad.code), "{bad}");
        prop_assert!(bad.value.as_ref().is_none_or(|value| value.chars().count() <= 120), "{bad}");
    }
    prop_assert!(refused.is_sorted_by_key(|bad| bad.line));
    Ok(())
}

proptest! {
    #![proptest_config(repeatable(1500))]

    #[test]
    fn a_file_to_which_anything_happened_is_read_the_same_in_every_piece(
        accidents in accidents(), sizes in vec(1..70_usize, 1..5)
    ) {
        for (reader, text) in samples() {
            let mut bytes = text.into_bytes();
            befall(&mut bytes, &accidents);
            check(reader, &bytes, &sizes)?;
        }
    }

    #[test]
    fn anything_at_all_is_read_or_refused(
        noise in vec(any::<u8>(), 0..200),
        text in "(lat,lon|[\\[{]\"features\":\\[)?[\"\\\\,;:\n\r{}\\[\\] a0-9.eE+-]{0,120}",
        sizes in vec(1..9_usize, 1..4)
    ) {
        for bytes in [&noise[..], text.as_bytes()] {
            for reader in READERS {
                check(reader, bytes, &sizes)?;
            }
            let _ = (read_item(bytes), sniff(bytes));
        }
    }

    #[test]
    fn what_happens_to_one_line_costs_no_other(accidents in accidents(), at in 1..9_usize) {
        let row = |at: usize| match at % 3 {
            0 => format!("n{at},{at}.5,{at},\"quoted, {at}\""),
            1 => format!("n{at},{at}.5,{at},plain"),
            _ => format!("\"n{at}\",{at}.5,\"{at}\",\"\""),
        };
        let item = |at: usize| format!("{{\"id\":\"n{at}\",\"lat\":{at}.5,\"lon\":{at},\"properties\":{{\"a\":\"}}\"}}}}");
        let mut lines: Vec<Vec<u8>> = (0..10).map(|at| row(at).into_bytes()).collect();
        lines[0] = b"id,lat,lon,name".to_vec();
        let mut other: Vec<Vec<u8>> = (0..10).map(|at| item(at).into_bytes()).collect();
        for (reader, lines) in [("csv", &mut lines), ("ndjson", &mut other)] {
            befall(&mut lines[at], &accidents);
            lines[at].retain(|&byte| byte != b'\n');
            let found = rows(reader, &lines.join(&b'\n'));
            let fine: Vec<String> =
                found.into_iter().filter_map(|row| row.ok()?.id).map(|id| id.as_str().to_owned()).collect();
            for neighbour in (1..10).filter(|&neighbour| neighbour != at) {
                let name = format!("n{neighbour}");
                prop_assert!(fine.contains(&name), "{reader}: {name} of {:?}", String::from_utf8_lossy(&lines.join(&b'\n')));
            }
        }
    }

    #[test]
    fn compressed_bytes_to_which_anything_happened_are_decoded_or_refused(accidents in accidents()) {
        let plain: Vec<u8> = samples().into_iter().flat_map(|(_, text)| text.repeat(20).into_bytes()).collect();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&plain).unwrap();
        let zstd = ruzstd::encoding::compress_to_vec(&plain[..], ruzstd::encoding::CompressionLevel::Fastest);
        for (coding, mut bytes) in CODINGS.iter().zip([gzip.finish().unwrap(), zstd]) {
            befall(&mut bytes, &accidents);
            let mut out = Vec::new();
            let decoded = (coding.decode)(Box::new(io::Cursor::new(bytes)));
            match decoded.take(64 << 20).read_to_end(&mut out) {
                Ok(_) => prop_assert!(out.len() < 64 << 20),
                Err(error) => prop_assert_eq!(error.kind(), io::ErrorKind::InvalidData),
            }
        }
    }
}

#[test]
fn compressed_files_are_read_as_what_they_hold() {
    for (reader, text) in samples() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        let source: Box<dyn Read + Send> = Box::new(io::Cursor::new(gzip.finish().unwrap()));
        let rows = (reader.open)((CODINGS[0].decode)(source), &ReadOptions::default()).unwrap();
        let rows: Vec<Row> = rows.map(|row| row.unwrap()).collect();
        assert_eq!(rows, rows_in(reader, text.as_bytes(), &[usize::MAX]).unwrap(), "{}", reader.name);
        assert!(rows.iter().any(Result::is_ok) && rows.iter().any(Result::is_err), "{}", reader.name);
    }
}

#[test]
fn a_source_that_fails_ends_the_rows_with_its_error() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "gone"))
        }
    }
    for (reader, text) in samples() {
        let half = io::Cursor::new(text.as_bytes()[..text.len() / 2].to_vec());
        let mut rows = (reader.open)(Box::new(half.chain(Broken)), &ReadOptions::default()).unwrap();
        let error = rows.find_map(Result::err).unwrap();
        assert_eq!((error.kind(), rows.next().is_none()), (io::ErrorKind::ConnectionReset, true), "{}", reader.name);
    }
}
