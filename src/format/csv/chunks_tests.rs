//! Rows read in chunks against rows read one by one: the same, whatever the file and wherever the chunks begin.

use super::*;
use crate::format::lines::ROW_BYTES_MAX;
use crate::format::{Incoming, Rejected};
use crate::repeatable::repeatable;
use proptest::prelude::*;

/// Hands over at most so many bytes at a time, and fails where its bytes end, if it is to.
struct Source<'a> {
    rest: &'a [u8],
    at_once: usize,
    fails: bool,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() && self.fails {
            return Err(io::Error::other("gone"));
        }
        let length = self.rest.len().min(self.at_once).min(buffer.len());
        buffer[..length].copy_from_slice(&self.rest[..length]);
        self.rest = &self.rest[length..];
        Ok(length)
    }
}

type Row = Result<Incoming, Rejected>;

fn told(rows: impl Iterator<Item = io::Result<Row>>) -> Vec<Result<Row, String>> {
    rows.map(|row| row.map_err(|error| error.to_string())).collect()
}

fn one_by_one(source: Source<'_>) -> Vec<Result<Row, String>> {
    told(Rows::read(source, &ReadOptions::default()).unwrap())
}

fn in_chunks(source: Source<'_>, chunk_bytes: usize, chunks: usize) -> Vec<Result<Row, String>> {
    let batches = ChunkedRows::in_chunks_of(chunk_bytes, chunks, source, &ReadOptions::default()).unwrap();
    told(crate::format::Rows::of_batches(batches.collect::<Vec<_>>().into_iter()))
}

/// Pieces of files as nobody should write them.
const PIECES: &[&[u8]] = &[
    b"1,2,a\n",
    b"1,2,b\r\n",
    b"1,2,\"c,d\"\n",
    b"1,2,\"e\nf\"\n",
    b"1,2,\"g\"\"h\"\r\n",
    b"91,2,i\n",
    b"x,2,\"j\n\n\"\n",
    b"1,2,5\" pipe\n",
    b"1,2,back\\slash\n",
    b"1,2,a\tb\n",
    b"1,2,\"a,b\tc\"\n",
    b"1,2,\"k\"l\n",
    b"1,2,\"\"\n",
    b"1,2,\xff\n",
    b"1,2,\"\xc3\n\"\n",
    b"1,2,\xc3\xa9\"\"\n",
    b"\n",
    b"\r\n",
    b"\r",
    b"\"",
    b",",
    b"\0",
    b"1,2",
    b"a",
    b"\xEF\xBB\xBF",
];

proptest! {
    #![proptest_config(repeatable(6000))]
    #[test]
    fn a_hostile_file_gives_the_same_rows_in_chunks(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40),
        sound in 0_usize..60,
        (chunk_bytes, chunks) in (1_usize..90, 1_usize..6),
        at_once in 1_usize..200,
        fails in any::<bool>(),
    ) {
        // Mostly sound rows with what is odd among them, so that chunks do count.
        let mut text = b"lat,lon,t\n".to_vec();
        for piece in &pieces {
            (0..sound / (pieces.len() + 1)).for_each(|_| text.extend(b"3,4,\"m,\nn\"\n"));
            text.extend(*piece);
        }
        let source = || Source { rest: &text, at_once, fails };
        prop_assert_eq!(in_chunks(source(), chunk_bytes, chunks), one_by_one(source()), "{:?}", String::from_utf8_lossy(&text));
    }
}

#[test]
fn rows_at_the_limit_are_the_same_wherever_the_chunks_begin() {
    let filler = |bytes: usize| "x".repeat(bytes);
    let most = ROW_BYTES_MAX - "1,2,\n".len();
    let mut text = "lat,lon,t\n".to_owned();
    for bytes in [most - 1, most, most + 1, 10, 3 * most] {
        text +=
            &format!("1,2,{}\n91,2,\"a\nb\"\n1,2,\"{}\n{}\"\r\n", filler(bytes), filler(bytes / 2), filler(bytes / 2));
    }
    let source = || Source { rest: text.as_bytes(), at_once: usize::MAX, fails: false };
    let expected = one_by_one(source());
    let codes: Vec<_> = expected.iter().filter_map(|row| row.as_ref().unwrap().as_ref().err()).collect();
    assert!(codes.iter().filter(|bad| bad.code == "too-long").count() >= 3);
    for (chunk_bytes, chunks) in [(CHUNK_BYTES, 8), (100_000, 1), (3_000_000, 2)] {
        assert!(in_chunks(source(), chunk_bytes, chunks) == expected, "{chunk_bytes}");
    }
}

/// How many rows are read in chunks, of all.
fn share_in_chunks(text: &str) -> f64 {
    let source = Source { rest: text.as_bytes(), at_once: usize::MAX, fails: false };
    let mut rows = ChunkedRows::in_chunks_of(1000, 8, source, &ReadOptions::default()).unwrap();
    let (mut in_chunks, mut odd) = (0, Batch::default());
    while rows.enter_chunk() || rows.one_by_one.read_into(&mut odd).unwrap() {
        in_chunks += rows.ready.take().map_or(0, |rows| rows.good_count());
    }
    in_chunks as f64 / (in_chunks + odd.good_count()) as f64
}

#[test]
fn sound_rows_are_read_in_chunks_and_a_stray_quote_costs_little_of_that() {
    let quoted = "1,2,\"a,\n\"\"b\"\"\nc\"\n".repeat(50_000);
    assert!(share_in_chunks(&format!("lat,lon,t\n{quoted}")) > 0.9);
    let stray = format!("lat,lon,t\n{quoted}1,2,5\" pipe\n{quoted}");
    assert!(share_in_chunks(&stray) > 0.9, "{}", share_in_chunks(&stray));
}

#[test]
fn what_is_read_ahead_grows_with_the_file_and_no_further() {
    let text = format!("lat,lon\n{}", "1,2\n".repeat(400_000));
    let source = Source { rest: text.as_bytes(), at_once: usize::MAX, fails: false };
    let mut rows = ChunkedRows::in_chunks_of(20_000, 8, source, &ReadOptions::default()).unwrap();
    let mut most = 0;
    while let Some(batch) = rows.next() {
        assert!(batch.unwrap().bytes() < 200_000);
        most = most.max(rows.chunks.iter().map(|chunk| chunk.bytes).sum());
    }
    // The source is read in pieces of 64 KiB, the last of which may go beyond.
    assert!((120_000..=230_000).contains(&most), "{most}");
}

/// A name of the header stands in the properties of every row: rows of 6 bytes came to 60 KB each, and a chunk of them to a gigabyte.
#[test]
fn a_long_name_in_the_header_does_not_multiply_what_is_held() {
    let name = "n".repeat(60_000);
    let text = format!("lat,lon,{name}\n{}", "1,2,3\n".repeat(1_000));
    let source = || Source { rest: text.as_bytes(), at_once: usize::MAX, fails: false };
    let mut rows = 0;
    for batch in ChunkedRows::in_chunks_of(CHUNK_BYTES, 8, source(), &ReadOptions::default()).unwrap() {
        let batch = batch.unwrap();
        assert!(batch.bytes() < BATCH_BYTES + 100_000, "{}", batch.bytes());
        rows += batch.good_count();
    }
    assert_eq!(rows, 1_000);
    assert!(in_chunks(source(), 1_000, 4) == one_by_one(source()));
}
