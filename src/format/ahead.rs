//! Rows read on a thread of their own while those before them are taken in.
//!
//! What surprises: should that thread come to a mistake of ours, its panic goes on where the rows are asked for. Rows that just ended would
//! look like a file that is whole.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use super::{Batch, Batches};

/// How many batches wait at most.
const BATCHES: usize = 4;

/// The same rows, read ahead as far as a few batches.
pub fn read_ahead(batches: Batches) -> Batches {
    let (hand_over, read) = sync_channel(BATCHES);
    let reading = std::thread::Builder::new().name("nigh-rows".to_owned()).spawn(move || {
        for batch in batches {
            // Nobody may want the rest.
            if hand_over.send(batch).is_err() {
                return;
            }
        }
    });
    match reading {
        Ok(reading) => Box::new(Ahead { read, reading: Some(reading) }),
        Err(error) => Box::new(std::iter::once(Err(error))),
    }
}

struct Ahead {
    read: Receiver<io::Result<Batch>>,
    reading: Option<JoinHandle<()>>,
}

impl Iterator for Ahead {
    type Item = io::Result<Batch>;

    fn next(&mut self) -> Option<io::Result<Batch>> {
        if let Ok(batch) = self.read.recv() {
            return Some(batch);
        }
        if let Some(Err(panic)) = self.reading.take().map(JoinHandle::join) {
            resume_unwind(panic);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{ReadOptions, Rows, reader_named};

    fn rows(text: String) -> Rows {
        (reader_named("csv").unwrap().open)(Box::new(io::Cursor::new(text)), &ReadOptions::default()).unwrap()
    }

    #[test]
    fn rows_read_ahead_are_the_same_rows_in_their_order() {
        let text = format!("lat,lon,n\n{}", (0..20_000).map(|n| format!("{},2,{n}\n", n % 100)).collect::<String>());
        let told = |rows: Rows| rows.map(Result::unwrap).collect::<Vec<_>>();
        let ahead = told(Rows::of_batches(read_ahead(rows(text.clone()).batches())));
        assert_eq!((ahead.len(), ahead.iter().filter(|row| row.is_err()).count()), (20_000, 1800));
        assert!(ahead == told(rows(text)));
    }

    #[test]
    fn who_wants_no_more_rows_leaves_nobody_waiting() {
        let endless: Batches = Box::new(std::iter::repeat_with(|| Err(io::Error::other("again"))));
        assert!(read_ahead(endless).take(3).all(|row| row.is_err()));
    }

    #[test]
    #[should_panic(expected = "a mistake")]
    fn rows_that_end_in_a_mistake_do_not_look_whole() {
        let sound = rows("lat,lon\n1,2\n".to_owned()).batches();
        let _ = read_ahead(Box::new(sound.chain(std::iter::from_fn(|| panic!("a mistake"))))).count();
    }
}
