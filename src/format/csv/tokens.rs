//! Records of a piece of text that lies in memory, one behind the other, their fields not copied.
//!
//! What surprises: it knows sound records only. Where anything is odd (a quote that is not closed, text behind a closing quote, a row of
//! more than 1 MiB, no line break at the end) it stops before that record, and leaves it to the [`Records`](super::records::Records) of a
//! stream, which know what to make of it. What it does take apart, it takes apart as they do; tests hold the two against each other.

use memchr::memchr;
use wide::u8x16;

use super::columns::Record;
use crate::format::lines::ROW_BYTES_MAX;

/// Bytes whose marks are found at once.
const BLOCK: usize = 64;

/// The records of a piece.
pub(super) struct Tokens<'a> {
    bytes: &'a [u8],
    /// Whether all of it is UTF-8: then no field has to be looked at again to know.
    is_text: bool,
    /// Whether all of it is ASCII, and no byte is DEL.
    is_printable: bool,
    /// Whether nothing stands in it that JSON escapes, but for quotes, line breaks and delimiters.
    is_plain: bool,
    delimiter: u8,
    marks: Marks<'a>,
    /// Where the record begins, and where the next one does.
    record: usize,
    next: usize,
    /// Line breaks before the record, and before the next one.
    record_line: u64,
    next_line: u64,
    fields: Vec<Field>,
    /// Fields in which a quote stood twice, with one in its place.
    unescaped: Vec<u8>,
}

/// Where a field is.
#[derive(Debug, Clone, Copy)]
struct Field {
    start: usize,
    end: usize,
    is_unescaped: bool,
    /// Whether it is as the piece is: there is no quote, line break or delimiter in it.
    is_unmarked: bool,
}

impl<'a> Tokens<'a> {
    /// The records of a piece that begins with one.
    pub(super) fn new(bytes: &'a [u8], delimiter: u8) -> Tokens<'a> {
        Tokens {
            bytes,
            is_text: std::str::from_utf8(bytes).is_ok(),
            is_printable: bytes.is_ascii() && memchr(0x7f, bytes).is_none(),
            is_plain: is_plain(bytes, delimiter),
            delimiter,
            marks: Marks::of(bytes, delimiter),
            record: 0,
            next: 0,
            record_line: 0,
            next_line: 0,
            fields: Vec::new(),
            unescaped: Vec::new(),
        }
    }

    /// Takes the next record apart. Where that is none, or none that is known here, nothing moves any more.
    pub(super) fn advance(&mut self) -> bool {
        self.fields.clear();
        self.unescaped.clear();
        (self.record, self.record_line) = (self.next, self.next_line);
        let (mut start, mut lines, mut is_unmarked) = (self.record, 1, true);
        loop {
            let Some(mark) = self.marks.next() else { return false };
            match self.bytes[mark] {
                b'\n' if self.fields.is_empty() && self.is_blank(start, mark) => {
                    self.next_line += 1;
                    self.next = mark + 1;
                    (self.record, self.record_line, start) = (self.next, self.next_line, self.next);
                }
                b'\n' => {
                    let has_return = mark > start && self.bytes[mark - 1] == b'\r';
                    let end = mark - usize::from(has_return);
                    self.fields.push(Field { start, end, is_unescaped: false, is_unmarked });
                    return self.end_with(mark, lines);
                }
                b'"' if mark == start => match self.quoted(start, &mut lines) {
                    Some(end) if self.bytes[end] == b'\n' => return self.end_with(end, lines),
                    Some(end) => start = end + 1,
                    None => return false,
                },
                b'"' => is_unmarked = false, // within a field it is a byte like any other
                _ => {
                    self.fields.push(Field { start, end: mark, is_unescaped: false, is_unmarked });
                    (start, is_unmarked) = (mark + 1, true);
                }
            }
        }
    }

    fn is_blank(&self, start: usize, end: usize) -> bool {
        start == end || (start + 1 == end && self.bytes[start] == b'\r')
    }

    fn end_with(&mut self, line_break: usize, lines: u64) -> bool {
        if line_break + 1 - self.record > ROW_BYTES_MAX {
            return false;
        }
        self.next = line_break + 1;
        self.next_line += lines;
        true
    }

    /// Takes a field in quotes, and says where the delimiter or line break behind it stands.
    fn quoted(&mut self, start: usize, lines: &mut u64) -> Option<usize> {
        let (mut has_doubled, mut marks) = (false, 0_u32);
        let close = loop {
            let mark = self.marks.next()?;
            marks += 1;
            match self.bytes[mark] {
                b'\n' => *lines += 1,
                b'"' if self.bytes.get(mark + 1) == Some(&b'"') => {
                    self.marks.next();
                    has_doubled = true;
                }
                b'"' => break mark,
                _ => {}
            }
        };
        let field = match has_doubled {
            false => Field { start: start + 1, end: close, is_unescaped: false, is_unmarked: marks == 1 },
            true => self.unescape(start + 1, close),
        };
        self.fields.push(field);
        let behind = match self.bytes.get(close + 1..) {
            Some([b'\r', b'\n', ..]) => close + 2,
            Some([next, ..]) if *next == b'\n' || *next == self.delimiter => close + 1,
            _ => return None,
        };
        (self.marks.next() == Some(behind)).then_some(behind)
    }

    fn unescape(&mut self, start: usize, end: usize) -> Field {
        let from = self.unescaped.len();
        let mut quotes = 0;
        self.unescaped.extend(self.bytes[start..end].iter().filter(|&&byte| {
            quotes += usize::from(byte == b'"');
            byte != b'"' || quotes % 2 == 1
        }));
        Field { start: from, end: self.unescaped.len(), is_unescaped: true, is_unmarked: false }
    }

    /// The record as it stands, without the end of its line.
    pub(super) fn raw(&self) -> &'a [u8] {
        &self.bytes[self.record..self.next]
    }

    /// How many line breaks stand before the record.
    pub(super) fn line(&self) -> u64 {
        self.record_line
    }

    /// How many bytes and line breaks are done with.
    pub(super) fn done(&self) -> (usize, u64) {
        (self.next, self.next_line)
    }
}

impl Record for Tokens<'_> {
    fn len(&self) -> usize {
        self.fields.len()
    }

    #[inline]
    fn bytes(&self, at: usize) -> &[u8] {
        let Field { start, end, is_unescaped, .. } = self.fields[at];
        if is_unescaped { &self.unescaped[start..end] } else { &self.bytes[start..end] }
    }

    #[inline]
    fn is_text(&self) -> bool {
        self.is_text
    }

    #[inline]
    fn is_printable(&self, at: usize) -> bool {
        self.is_printable && self.is_plain(at)
    }

    #[inline]
    fn is_plain(&self, at: usize) -> bool {
        self.is_plain && self.fields[at].is_unmarked
    }
}

/// Whether there is nothing in a piece that JSON escapes, but for quotes, line breaks and delimiters.
fn is_plain(bytes: &[u8], delimiter: u8) -> bool {
    let is_odd = |byte: u8| byte == b'\\' || (byte < b' ' && byte != b'\n' && byte != delimiter);
    // Bit by bit without a way out, so that many bytes are looked at at once, but not to the end of a piece that is odd at its beginning.
    bytes.chunks(4096).all(|some| !some.iter().fold(false, |found, &byte| found | is_odd(byte)))
}

/// Where quotes, delimiters and line breaks stand, in order.
struct Marks<'a> {
    bytes: &'a [u8],
    delimiter: u8,
    /// Where the block begins that is being read, and its marks that are left, a bit each.
    block: usize,
    left: u64,
}

impl<'a> Marks<'a> {
    fn of(bytes: &'a [u8], delimiter: u8) -> Marks<'a> {
        let mut marks = Marks { bytes, delimiter, block: 0, left: 0 };
        marks.left = marks.of_block();
        marks
    }

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            self.block += BLOCK;
            if self.block >= self.bytes.len() {
                self.block = self.bytes.len(); // and there it stays
                return None;
            }
            self.left = self.of_block();
        }
        let mark = self.block + self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(mark)
    }

    fn of_block(&self) -> u64 {
        let rest = &self.bytes[self.block..];
        match rest.first_chunk::<BLOCK>() {
            Some(block) => marks_of(block, self.delimiter),
            None => {
                let mut padded = [0; BLOCK]; // no delimiter is NUL
                padded[..rest.len()].copy_from_slice(rest);
                marks_of(&padded, self.delimiter)
            }
        }
    }
}

#[inline]
fn marks_of(block: &[u8; BLOCK], delimiter: u8) -> u64 {
    let [quote, line_break, delimiter] = [b'"', b'\n', delimiter].map(u8x16::splat);
    let (quarters, _) = block.as_chunks::<16>();
    let mut marks = 0;
    for (at, quarter) in quarters.iter().enumerate() {
        let bytes = u8x16::new(*quarter);
        let found = bytes.simd_eq(quote) | bytes.simd_eq(line_break) | bytes.simd_eq(delimiter);
        marks |= u64::from(found.to_bitmask()) << (16 * at);
    }
    marks
}
