//! Packed bodies that are small and unpack to much, and uploads that take their time: refused soon, without memory.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::refusals::assert_refused;
use crate::service::Service;

const ITEMS: &str = "/collections/cafes/items";

/// What the rows of a bomb begin with.
const HEAD: &[u8] = b"id,lat,lon\na,1,2\n";

/// Four gigabytes of empty lines behind a row, in some four megabytes.
fn gzip_bomb() -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(HEAD).unwrap();
    let lines = vec![b'\n'; 1 << 20];
    (0..4096).for_each(|_| packed.write_all(&lines).unwrap());
    packed.finish().unwrap()
}

/// The same in Zstandard, by hand: a block of one byte repeated takes four bytes for each 128 KiB.
fn zstd_bomb() -> Vec<u8> {
    let block = |kind: u32, size: u32, is_last: bool| (size << 3 | kind << 1 | u32::from(is_last)).to_le_bytes();
    let mut packed = b"\x28\xb5\x2f\xfd\x00\x38".to_vec(); // no checksum, no size, a window of 128 KiB
    packed.extend_from_slice(&block(0, HEAD.len() as u32, false)[..3]);
    packed.extend_from_slice(HEAD);
    for number in 1..=32_768 {
        packed.extend_from_slice(&block(1, 128 << 10, number == 32_768)[..3]);
        packed.push(b'\n');
    }
    packed
}

/// The most memory that the process ever had.
fn peak_bytes(service: &Service) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

fn is_empty(service: &Service) -> bool {
    let there = service.get("/collections/cafes");
    there.status == 404 || there.fine()["count"] == 0
}

#[test]
fn a_body_that_unpacks_to_far_more_than_it_came_as_is_refused() {
    let service = Service::start(&["--no-demo"]);
    service.put(&format!("{ITEMS}/before"), r#"{"lat":1,"lon":2}"#);
    let before = peak_bytes(&service);
    for (coding, bomb) in [("gzip", gzip_bomb()), ("zstd", zstd_bomb())] {
        assert!(bomb.len() < 5 << 20, "{} bytes", bomb.len());
        for headers in [vec!["content-type: text/csv"], vec![], vec!["content-type: application/x-ndjson"]] {
            let said = format!("content-encoding: {coding}");
            let headers = [&headers[..], &[&said]].concat();
            let refused = service.ask_bytes("POST", ITEMS, &headers, &bomb);
            assert_refused(&refused, "unpacks-too-large");
            assert!(refused.json()["hint"].as_str().unwrap().contains("unpacked"), "{}", refused.body);
            // Of four gigabytes sixteen megabytes were unpacked, or two hundred times what had come by then.
            let detail = refused.json()["detail"].as_str().unwrap().to_owned();
            let unpacked: u64 = detail.rsplit(' ').next().unwrap().parse().unwrap();
            assert!((16 << 20..64 << 20).contains(&unpacked), "{detail}");
        }
    }
    assert_eq!(service.get("/collections/cafes").fine()["count"], 1, "nothing of it was taken");
    let grown = peak_bytes(&service) - before;
    assert!(grown < 48 << 20, "{grown} bytes more");
    assert_eq!(service.stop(), (Some(0), String::new()), "the log stays clean");
}

#[test]
fn rows_that_pack_well_are_taken() {
    let service = Service::start(&["--no-demo"]);
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(b"id,lat,lon,name,city\n").unwrap();
    for row in 0..400_000 {
        writeln!(packed, "{row},48.857,2.352,Cafe of the corner that is like all others,Paris").unwrap();
    }
    let packed = packed.finish().unwrap();
    let answer = service.ask_bytes("POST", ITEMS, &["content-encoding: gzip"], &packed).fine();
    assert_eq!(answer["created"], 400_000, "{} bytes", packed.len());
}

#[test]
fn an_upload_that_comes_well_and_takes_too_long_is_ended() {
    let service = Service::start(&["--no-demo", "--upload-timeout", "1"]);
    let mut stream = service.begin(&format!(
        "POST {ITEMS} HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\ncontent-length: 1000000000\r\n\r\nid,lat,lon\n"
    ));
    let begun = Instant::now();
    let mut row = 0;
    while begun.elapsed() < Duration::from_secs(20) && writeln!(stream, "{row},1,2").is_ok() {
        row += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut answer = Vec::new();
    let _ = std::io::Read::read_to_end(&mut stream, &mut answer);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert!(is_empty(&service), "nothing of it was taken");
    assert_refused(&crate::service::Response::parse(&answer), "too-slow");
}

#[test]
fn an_upload_that_is_larger_than_it_may_be_is_refused() {
    let service = Service::start(&["--no-demo", "--max-upload", "100000"]);
    let rows = (0..20_000).fold("id,lat,lon\n".to_owned(), |csv, row| csv + &format!("{row},1,2\n"));
    assert_refused(&service.ask("POST", ITEMS, &["content-type: text/csv"], &rows), "body-too-large");
    assert!(is_empty(&service));
}
