//! Rows read on a thread of their own while those before them are taken in.
//!
//! What surprises: should that thread come to a mistake of ours, its panic goes on where the rows are asked for. Rows that just ended would
//! look like a file that is whole.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::vec;

use super::{Incoming, Rejected, Rows};

/// Rows that are handed over together, and how many such batches wait at most.
const BATCH: usize = 2048;
const BATCHES: usize = 4;

type Row = io::Result<Result<Incoming, Rejected>>;

/// The same rows, read ahead as far as a few thousand.
pub fn read_ahead(rows: Rows) -> Rows {
    let (hand_over, batches) = sync_channel(BATCHES);
    let reading = std::thread::Builder::new().name("nigh-rows".to_owned()).spawn(move || {
        let mut rows = rows.peekable();
        while rows.peek().is_some() {
            let batch: Vec<Row> = rows.by_ref().take(BATCH).collect();
            // Nobody may want the rest.
            if hand_over.send(batch).is_err() {
                return;
            }
        }
    });
    match reading {
        Ok(reading) => Box::new(Ahead { batches, batch: Vec::new().into_iter(), reading: Some(reading) }),
        Err(error) => Box::new(std::iter::once(Err(error))),
    }
}

struct Ahead {
    batches: Receiver<Vec<Row>>,
    batch: vec::IntoIter<Row>,
    reading: Option<JoinHandle<()>>,
}

impl Iterator for Ahead {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        loop {
            if let Some(row) = self.batch.next() {
                return Some(row);
            }
            match self.batches.recv() {
                Ok(batch) => self.batch = batch.into_iter(),
                Err(_) => {
                    if let Some(Err(panic)) = self.reading.take().map(JoinHandle::join) {
                        resume_unwind(panic);
                    }
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{ReadOptions, reader_named};

    fn rows(text: String) -> Rows {
        (reader_named("csv").unwrap().open)(Box::new(io::Cursor::new(text)), &ReadOptions::default()).unwrap()
    }

    #[test]
    fn rows_read_ahead_are_the_same_rows_in_their_order() {
        let text = format!("lat,lon,n\n{}", (0..20_000).map(|n| format!("{},2,{n}\n", n % 100)).collect::<String>());
        let told = |rows: Rows| rows.map(Result::unwrap).collect::<Vec<_>>();
        let ahead = told(read_ahead(rows(text.clone())));
        assert_eq!((ahead.len(), ahead.iter().filter(|row| row.is_err()).count()), (20_000, 1800));
        assert!(ahead == told(rows(text)));
    }

    #[test]
    fn who_wants_no_more_rows_leaves_nobody_waiting() {
        let endless: Rows = Box::new(std::iter::repeat_with(|| Err(io::Error::other("again"))));
        assert!(read_ahead(endless).take(3).all(|row| row.is_err()));
    }

    #[test]
    #[should_panic(expected = "a mistake")]
    fn rows_that_end_in_a_mistake_do_not_look_whole() {
        let broken: Rows =
            Box::new(rows("lat,lon\n1,2\n".to_owned()).chain(std::iter::from_fn(|| panic!("a mistake"))));
        let _ = read_ahead(broken).count();
    }
}
