//! A stream of bytes cut into records, each with the line on which it begins, in bounded memory.
//!
//! What surprises is what a quote that nobody closed would do: it turns the rest of the file into one field, or joins its row with the
//! next one that has a quote. So the bytes of a record are kept until it is known to be one, and if it is none, only its first line is
//! lost: reading goes on at the second.

use std::io::{self, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use super::columns::Record;
use crate::format::lines::ROW_BYTES_MAX;

/// How much is read at once.
const PIECE: usize = 64 * 1024;

/// What may be read a second time: so much at once, and so many times what came before. Without a bound a hostile file takes time
/// with the square of its length.
const AGAIN_AT_ONCE: u64 = 16 << 20;
const AGAIN_FOR_EACH: u64 = 4;

/// What stands at the place where a record should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A record; its fields are those of the reader.
    Record,
    /// More bytes than a record may have.
    TooLong,
    /// A quote opens a field, and where it ends nothing ends; or it never ends.
    Unclosed,
    /// The end.
    End,
}

/// The records of a source.
pub(super) struct Records<R> {
    source: R,
    /// What was read and is not done with: `buffer[start..filled]`.
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    ended: bool,
    /// Why no more could be read ahead; to be told when what was read is used up.
    broken: Option<io::Error>,
    /// The line on which `start` stands, and its place in the source.
    line: u64,
    place: u64,
    read_again: u64,
    delimiter: u8,
    tokens: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
    /// How many bytes the record has.
    bytes: usize,
}

impl<R: Read> Records<R> {
    /// Reads the first line to look at; without a delimiter, the one that stands there most often is taken.
    pub(super) fn open(source: R, delimiter: Option<u8>) -> io::Result<Records<R>> {
        let mut records = Records {
            source,
            buffer: vec![0; 2 * PIECE],
            start: 0,
            filled: 0,
            ended: false,
            broken: None,
            line: 1,
            place: 0,
            read_again: 0,
            delimiter: b',',
            tokens: Reader::new(),
            text: vec![0; 1024],
            ends: vec![0; 64],
            fields: 0,
            bytes: 0,
        };
        while records.waiting().len() < 3 && !records.ended {
            records.fill()?;
        }
        if records.waiting().starts_with(b"\xEF\xBB\xBF") {
            records.start += 3;
        }
        records.skip_blank_lines()?;
        while !records.waiting().contains(&b'\n') && !records.ended && records.waiting().len() <= ROW_BYTES_MAX {
            records.fill()?;
        }
        records.delimiter = delimiter.unwrap_or_else(|| likely_delimiter(records.waiting()));
        let mut tokens = ReaderBuilder::new();
        records.tokens = tokens.delimiter(records.delimiter).terminator(Terminator::Any(b'\n')).build();
        records.begin_anew();
        Ok(records)
    }

    /// What is read and not done with.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.buffer[self.start..self.filled]
    }

    /// Finds the next record, and says on which line it begins.
    pub(super) fn advance(&mut self) -> io::Result<(Found, u64)> {
        self.skip_blank_lines()?;
        let line = self.line;
        if self.waiting().is_empty() {
            return Ok((Found::End, line));
        }
        let found = match self.tokenise()? {
            Some(bytes) if bytes > ROW_BYTES_MAX => self.give_up(Found::TooLong, ROW_BYTES_MAX)?,
            Some(bytes) if self.swallows_lines(bytes) => self.give_up(Found::Unclosed, bytes - 1)?,
            Some(bytes) => {
                self.bytes = bytes;
                self.done_with(bytes);
                Found::Record
            }
            None if self.waiting().len() > ROW_BYTES_MAX => self.give_up(Found::TooLong, ROW_BYTES_MAX)?,
            None => self.give_up(Found::Unclosed, self.waiting().len())?,
        };
        Ok((found, line))
    }

    /// Whether the next record has more bytes than one may. It is not read to its end for that, which may be very far away.
    pub(super) fn is_too_long(&mut self) -> io::Result<bool> {
        self.skip_blank_lines()?;
        let bytes = self.tokenise()?.unwrap_or(self.waiting().len());
        self.begin_anew();
        Ok(bytes > ROW_BYTES_MAX)
    }

    /// The record as it stands, with the end of its line.
    pub(super) fn raw(&self) -> &[u8] {
        &self.buffer[self.start - self.bytes..self.start]
    }

    /// What stands between fields.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Where what is waiting stands in the source, in bytes; and on which line.
    pub(super) fn place(&self) -> (u64, u64) {
        (self.place, self.line)
    }

    /// Reads until so much is waiting, or there is no more.
    pub(super) fn gather(&mut self, bytes: usize) {
        if self.buffer.len() < self.start + bytes + PIECE {
            self.move_to_front(); // while little is waiting
        }
        while self.waiting().len() < bytes && !self.ended && self.broken.is_none() {
            if let Err(error) = self.fill() {
                self.broken = Some(error);
            }
        }
    }

    /// Passes over bytes and line breaks that somebody else has read.
    pub(super) fn pass(&mut self, bytes: usize, lines: u64) {
        self.line += lines;
        self.place += bytes as u64;
        self.start += bytes;
    }

    /// How many bytes are held.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.buffer.capacity() + self.text.capacity() + 8 * self.ends.capacity()
    }

    /// Passes over lines with nothing on them.
    fn skip_blank_lines(&mut self) -> io::Result<()> {
        loop {
            match self.waiting() {
                [b'\n', ..] => self.done_with(1),
                [b'\r', b'\n', ..] => self.done_with(2),
                [] | [b'\r'] if !self.ended => self.fill()?,
                [b'\r'] => self.done_with(1),
                _ => return Ok(()),
            }
        }
    }

    /// Takes the waiting bytes apart up to the end of the record and says how many they are; nothing when it has no end, or too
    /// many bytes.
    fn tokenise(&mut self) -> io::Result<Option<usize>> {
        let (mut scanned, mut text, mut ends) = (0, 0, 0);
        loop {
            if scanned == self.waiting().len() && !self.ended {
                if scanned > ROW_BYTES_MAX {
                    return Ok(None);
                }
                self.fill()?;
                continue;
            }
            // A line break at the end of the source: if it does not end the record, a quote is open.
            let last = scanned == self.filled - self.start;
            let input = if last { &b"\n"[..] } else { &self.buffer[self.start + scanned..self.filled] };
            let (result, read, wrote, ended) =
                self.tokens.read_record(input, &mut self.text[text..], &mut self.ends[ends..]);
            scanned += if last { 0 } else { read };
            text += wrote;
            ends += ended;
            match result {
                ReadRecordResult::InputEmpty if last => return Ok(None),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(2 * self.text.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        self.fields = ends;
        let raw = &self.waiting()[..scanned];
        // Lines end at LF for the tokeniser, so that they can be counted; a CR before it came with the last field.
        if ends > 0 && raw.strip_suffix(b"\n").unwrap_or(raw).ends_with(b"\r") {
            self.ends[ends - 1] -= 1;
        }
        Ok(Some(scanned))
    }

    /// Whether the record goes over several lines and one of its quoted fields does not end where a field ends: then its
    /// first quote was never closed, and what looks like its end is the beginning of another.
    fn swallows_lines(&self, bytes: usize) -> bool {
        let raw = &self.waiting()[..bytes];
        let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
        raw.contains(&b'\n') && !is_well_quoted(raw.strip_suffix(b"\r").unwrap_or(raw), self.delimiter)
    }

    /// Puts the tokeniser between two records. One that has seen none would take off a byte-order mark, and a clone of one would have
    /// only half of its tables.
    fn begin_anew(&mut self) {
        self.tokens.reset();
        self.tokens.read_record(b"a\n", &mut [0; 8], &mut [0; 8]);
    }

    /// Passes over the first line of what is no record; or, when too much was read twice, over so many bytes and to the end of the
    /// line they end on.
    fn give_up(&mut self, found: Found, bytes: usize) -> io::Result<Found> {
        self.begin_anew();
        let affordable = self.read_again + bytes as u64 <= AGAIN_AT_ONCE + AGAIN_FOR_EACH * self.place;
        if affordable {
            self.read_again += bytes as u64;
        }
        let mut least = if affordable { 0 } else { bytes };
        loop {
            let end = self.waiting()[least..].iter().position(|&byte| byte == b'\n');
            self.done_with(end.map_or(self.waiting().len(), |end| least + end + 1));
            if end.is_some() || self.ended {
                return Ok(found);
            }
            least = 0;
            self.fill()?;
        }
    }

    fn done_with(&mut self, bytes: usize) {
        let done = &self.buffer[self.start..self.start + bytes];
        let lines = done.iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.pass(bytes, lines);
    }

    /// Reads more, behind what is waiting.
    fn fill(&mut self) -> io::Result<()> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        if self.buffer.len() - self.filled < PIECE {
            self.move_to_front();
            let needed = self.filled + PIECE;
            if self.buffer.len() < needed {
                self.buffer.resize(needed.next_power_of_two(), 0);
            }
        }
        loop {
            match self.source.read(&mut self.buffer[self.filled..self.filled + PIECE]) {
                Ok(read) => {
                    self.ended = read == 0;
                    self.filled += read;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl<R> Records<R> {
    fn move_to_front(&mut self) {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
    }
}

impl<R> Record for Records<R> {
    fn len(&self) -> usize {
        self.fields
    }

    fn bytes(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }

    // Nobody looked.
    fn is_text(&self) -> bool {
        false
    }

    fn is_plain(&self, _: usize) -> bool {
        false
    }

    fn is_printable(&self, _: usize) -> bool {
        false
    }
}

/// Whether every quoted field of a record ends at a delimiter or at the end.
fn is_well_quoted(record: &[u8], delimiter: u8) -> bool {
    let mut rest = record;
    loop {
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            let mut at = 0;
            loop {
                match quoted[at..].iter().position(|&byte| byte == b'"') {
                    None => return false,
                    Some(offset) if quoted.get(at + offset + 1) == Some(&b'"') => at += offset + 2,
                    Some(offset) => {
                        rest = &quoted[at + offset + 1..];
                        break;
                    }
                }
            }
            if rest.first().is_some_and(|&next| next != delimiter) {
                return false;
            }
        }
        match rest.iter().position(|&byte| byte == delimiter) {
            Some(end) => rest = &rest[end + 1..],
            None => return true,
        }
    }
}

/// The one of `,`, `;` and tab that stands most often outside quotes on the first line.
fn likely_delimiter(start: &[u8]) -> u8 {
    let header = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| {
        let outside = header.split(|&byte| byte == b'"').step_by(2);
        outside.flatten().filter(|&&byte| byte == delimiter).count()
    };
    // `max_by_key` keeps the last of equals, so the comma stands last.
    [b'\t', b';', b','].into_iter().max_by_key(|&delimiter| count(delimiter)).expect("there are three")
}
