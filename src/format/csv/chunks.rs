//! The rows of a CSV text in order, read in chunks on all cores.
//!
//! ```text
//! what is read ahead   │ chunk              │ chunk              │ chunk              │ rest
//!                      0 quotes so far      ▲ begins behind the first line break with an even number of quotes before it
//! ```
//!
//! Where a chunk begins is a guess: a quote within a field is no quote, and then the counting is off. The guess is never believed. A
//! chunk is read from its beginning, record by record, and it counts only if the record before it, wherever *that* was read,
//! ended exactly there. Since the first one begins where a record does, so does every one that counts.
//!
//! What surprises: what is odd is not treated here. A chunk ends before the first record that is not sound, and from there to the next
//! chunk [`Rows`] reads on as if there were no chunks, with its own line numbers and its own patience for quotes that nobody
//! closed. So a file gives the same rows either way, and a hostile one takes at most the time of both.

use std::collections::VecDeque;
use std::io::{self, Read};

use memchr::{memchr_iter, memchr2_iter, memrchr};
use rayon::prelude::*;

use super::tokens::Tokens;
use super::{Columns, Rows};
use crate::format::{Batch, HeaderError, ReadOptions};

/// Bytes of a chunk: what one core reads at a time.
const CHUNK_BYTES: usize = 128 << 10;

/// Chunks for each core that are read ahead, and how many at most: memory is flat.
const CHUNKS_FOR_EACH: usize = 4;
const CHUNKS_MAX: usize = 32;

/// What a batch may take, about, of chunks and of rows read one by one. A chunk ends there, however much more of it there is: a name of
/// 60 KB in the header makes properties of 60 KB of a row of 6 bytes.
const BATCH_BYTES: usize = 2 << 20;

/// The rows of a CSV text, good and bad, in order, as [`Rows`] gives them, and sooner.
///
/// ```
/// use nigh::format::{ReadOptions, csv::ChunkedRows};
/// let batches = ChunkedRows::read("lat,lon\n1,2\n3,4\n".as_bytes(), &ReadOptions::default()).unwrap();
/// let lats = batches.flat_map(|batch| batch.unwrap().rows().map(|row| row.unwrap().point().lat_deg()).collect::<Vec<_>>());
/// assert_eq!(lats.collect::<Vec<_>>(), [1.0, 3.0]);
/// ```
pub struct ChunkedRows<R> {
    one_by_one: Rows<R>,
    chunk_bytes: usize,
    /// How much is read ahead, and how much at most.
    ahead: usize,
    ahead_max: usize,
    /// Chunks that were read and not yet reached.
    chunks: VecDeque<Chunk>,
    /// Up to here in the source the rows are read one by one.
    odd_until: u64,
    /// Rows of the chunk that was reached last, until they are handed out.
    ready: Option<Batch>,
    /// Why no more can be read, likewise.
    broken: Option<io::Error>,
}

/// What was read of a chunk.
struct Chunk {
    /// Where it begins in the source, and where the next one does.
    start: u64,
    end: u64,
    /// How far its rows go, in bytes and lines.
    bytes: usize,
    lines: u64,
    /// Its rows; lines are counted from its beginning.
    rows: Batch,
}

impl<R: Read> ChunkedRows<R> {
    /// Reads the header; the rows follow one by one from the iterator.
    pub fn read(source: R, options: &ReadOptions) -> Result<ChunkedRows<R>, HeaderError> {
        let chunks = (CHUNKS_FOR_EACH * rayon::current_num_threads()).min(CHUNKS_MAX);
        ChunkedRows::in_chunks_of(CHUNK_BYTES, chunks, source, options)
    }

    /// Chunks of so many bytes, and so many of them at a time.
    pub(super) fn in_chunks_of(
        chunk_bytes: usize,
        chunks: usize,
        source: R,
        options: &ReadOptions,
    ) -> Result<ChunkedRows<R>, HeaderError> {
        Ok(ChunkedRows {
            one_by_one: Rows::read(source, options)?,
            chunk_bytes,
            // A small file takes little memory.
            ahead: chunk_bytes,
            ahead_max: chunk_bytes * chunks,
            chunks: VecDeque::new(),
            odd_until: 0,
            ready: None,
            broken: None,
        })
    }

    /// Goes on to the chunk that begins here, if one does; whether that led anywhere.
    fn enter_chunk(&mut self) -> bool {
        let (place, line) = self.one_by_one.records.place();
        if place < self.odd_until {
            return false;
        }
        // What begins before here begins within a record: the guess was wrong.
        while self.chunks.front().is_some_and(|chunk| chunk.start < place) {
            self.chunks.pop_front();
        }
        if self.chunks.is_empty() {
            self.read_chunks(place);
        }
        if self.chunks.front().is_none_or(|chunk| chunk.start != place) {
            return false;
        }
        let mut chunk = self.chunks.pop_front().expect("it was just looked at");
        self.one_by_one.records.pass(chunk.bytes, chunk.lines);
        self.odd_until = chunk.end;
        chunk.rows.move_lines(line);
        self.ready = Some(chunk.rows).filter(|rows| !rows.is_empty());
        chunk.bytes > 0
    }

    /// Reads the next chunks, the first of which begins here.
    fn read_chunks(&mut self, place: u64) {
        let Rows { records, columns, .. } = &mut self.one_by_one;
        records.gather(self.ahead);
        let (waiting, delimiter) = (records.waiting(), records.delimiter());
        let read = |piece: &[u8]| read_chunk(piece, delimiter, columns);
        let pieces = split(waiting, self.chunk_bytes);
        let chunks: Vec<Chunk> = match pieces.as_slice() {
            [one] => vec![read(one)],
            many => many.par_iter().map(|piece| read(piece)).collect(),
        };
        let mut start = place;
        for (mut chunk, piece) in chunks.into_iter().zip(&pieces) {
            (chunk.start, chunk.end) = (start, start + piece.len() as u64);
            start = chunk.end;
            self.chunks.push_back(chunk);
        }
        if waiting.len() >= self.ahead {
            self.ahead = (2 * self.ahead).min(self.ahead_max);
        }
    }
}

impl<R: Read> Iterator for ChunkedRows<R> {
    type Item = io::Result<Batch>;

    fn next(&mut self) -> Option<io::Result<Batch>> {
        if let Some(error) = self.broken.take() {
            return Some(Err(error));
        }
        let mut odd = Batch::default();
        while self.ready.is_none() && odd.bytes() < BATCH_BYTES {
            if !self.one_by_one.failed && self.enter_chunk() {
                continue;
            }
            match self.one_by_one.read_into(&mut odd) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    self.broken = Some(error);
                    break;
                }
            }
        }
        odd.finish();
        // What was read one by one stands before the chunk that was reached, or before what broke.
        match odd.is_empty() {
            false => Some(Ok(odd)),
            true => self.ready.take().map(Ok).or_else(|| self.broken.take().map(Err)),
        }
    }
}

/// Cuts what was read ahead where records probably begin; what is behind the last line break is left.
fn split(waiting: &[u8], chunk_bytes: usize) -> Vec<&[u8]> {
    let mut rest = &waiting[..memrchr(b'\n', waiting).map_or(0, |at| at + 1)];
    let mut pieces = Vec::new();
    while rest.len() > chunk_bytes {
        let mut quotes = memchr_iter(b'"', &rest[..chunk_bytes]).count();
        let end = memchr2_iter(b'"', b'\n', &rest[chunk_bytes..]).map(|at| chunk_bytes + at).find(|&at| {
            let is_quote = rest[at] == b'"';
            quotes += usize::from(is_quote);
            !is_quote && quotes.is_multiple_of(2)
        });
        let (piece, behind) = rest.split_at(end.map_or(rest.len(), |at| at + 1));
        pieces.push(piece);
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// Reads the sound records with which a piece begins.
fn read_chunk(piece: &[u8], delimiter: u8, columns: &Columns) -> Chunk {
    let mut tokens = Tokens::new(piece, delimiter);
    let mut rows = Batch::default();
    rows.reserve(piece.len() / 32, 2 * piece.len()); // what is not needed is never touched
    while rows.bytes() < BATCH_BYTES && tokens.advance() {
        let row = columns.write(&tokens, rows.text());
        rows.end_row(row.map_err(|fault| fault.at_line(tokens.line()).of_row(tokens.raw())));
    }
    rows.finish();
    let (bytes, lines) = tokens.done();
    Chunk { start: 0, end: 0, bytes, lines, rows }
}

#[cfg(test)]
#[path = "chunks_tests.rs"]
mod tests;
