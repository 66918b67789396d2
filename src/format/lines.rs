//! Lines of a stream, one at a time, none longer than the most that is kept.
//!
//! What surprises: a line that is too long is read to its end and handed over cut off. Its neighbours must not suffer, and
//! neither must memory.

use std::io::{self, BufRead};

/// The longest row, feature or line that is read: an id and properties as long as they may be, every byte escaped.
pub(super) const ROW_BYTES_MAX: usize = 1 << 20;

/// The bytes that have come, after waiting for some; none at the end.
pub(super) fn fill(input: &mut impl BufRead) -> io::Result<&[u8]> {
    loop {
        match input.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    input.fill_buf()
}

/// Reads a line with its end into the buffer, and at most one byte more than [`ROW_BYTES_MAX`] of it; whether there was one.
pub(super) fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    loop {
        let bytes = fill(input)?;
        if bytes.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(bytes.len(), |end| end + 1);
        let room = (ROW_BYTES_MAX + 1).saturating_sub(line.len());
        line.extend_from_slice(&bytes[..taken.min(room)]);
        input.consume(taken);
        if end.is_some() {
            return Ok(true);
        }
    }
}
