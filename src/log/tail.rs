//! Reading a log from a number on, even from the middle of a frame.
//!
//! What surprises: a first frame that begins too late is not damage. Changes may be trimmed between looking for the frame and reading
//! it; only a gap between two frames is damage.

use super::change_log::{Entry, Frame, LogError};
use super::codec::{read_change_key, read_frame};
use super::local::gap;
use super::store::Rows;

/// Frames as they come from the store, from a number on.
pub(super) struct Tail<'a> {
    rows: Rows<'a>,
    stream: u32,
    /// The number that comes next.
    next: u64,
    began: bool,
    ended: bool,
}

impl Iterator for Tail<'_> {
    type Item = Result<Frame, LogError>;

    fn next(&mut self) -> Option<Result<Frame, LogError>> {
        while !self.ended {
            let Some(row) = self.rows.next() else { break };
            match row.map_err(LogError::from).and_then(|(key, value)| self.read(&key, &value)) {
                Ok(None) => {}
                Ok(Some(frame)) => return Some(Ok(frame)),
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl<'a> Tail<'a> {
    /// The frames of a stream from number `next` on; `rows` begin with the frame that holds it.
    pub(super) fn new(rows: Rows<'a>, stream: u32, next: u64) -> Tail<'a> {
        Tail { rows, stream, next, began: false, ended: false }
    }

    /// The frame, without what was not asked for; `None` when nothing is left of it.
    fn read(&mut self, key: &[u8], value: &[u8]) -> Result<Option<Frame>, LogError> {
        let (stream, first_seq) = read_change_key(key)?;
        if first_seq > self.next {
            return Err(match self.began {
                true => gap(stream, self.next).into(),
                false => LogError::Trimmed { stream, asked: self.next, oldest: first_seq },
            });
        }
        self.began = true;
        let frame = read_frame(self.stream, first_seq, value)?;
        let next = frame.next_seq();
        if next <= self.next {
            return Ok(None);
        }
        let frame = cut(frame, self.next);
        self.next = next;
        Ok(Some(frame))
    }
}

/// The frame from a number on. A load cannot be cut.
pub(super) fn cut(frame: Frame, from: u64) -> Frame {
    match frame.entry {
        Entry::Changes(mut steps) if frame.first_seq < from => {
            steps.drain(..(from - frame.first_seq) as usize);
            Frame { first_seq: from, entry: Entry::Changes(steps), ..frame }
        }
        _ => frame,
    }
}
