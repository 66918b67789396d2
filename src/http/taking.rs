//! Rows of an upload on their way into a collection: counted, refused one by one, and taken in all at once.
//!
//! What surprises: few rows are one submission, like any other write, and those who follow the collection see each of them. Many
//! are a load, which is one line in the log.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::sync::Arc;

use actix_web::http::StatusCode;
use serde::Serialize;
use thiserror::Error;

use super::error::{Code, Refusal};
use super::reply::Reply;
use crate::collection::{Change, Item, Outcome};
use crate::engine::{Bulk, CollectionName, Engine, RequestKey, Submission};
use crate::format::{Coding, Incoming, ReadOptions, Reader, Rejected, row_id, sniff};

/// Rows, and bytes of properties, beyond which an upload is a load.
const FEW_ROWS: usize = 5_000;
const FEW_BYTES: usize = 8 << 20;

/// Refused rows that are told one by one; all are counted.
const TOLD: usize = 100;

/// Bytes by which a reader recognises a format.
const SNIFFED: usize = 4096;

/// What becomes of the good rows where others are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnError {
    /// They are taken.
    Skip,
    /// Nothing is.
    Abort,
}

/// How an upload is to be read, and where it goes.
pub(super) struct Taking {
    pub(super) engine: Arc<Engine>,
    pub(super) name: CollectionName,
    pub(super) key: Option<RequestKey>,
    pub(super) on_error: OnError,
    pub(super) coding: Option<&'static Coding>,
    /// `None` to look what it is.
    pub(super) reader: Option<&'static Reader>,
    pub(super) options: ReadOptions,
    /// From when lifetimes count.
    pub(super) now_ms: i64,
    /// What its rows without an id are named by.
    pub(super) stamp: u64,
}

/// What became of an upload.
#[derive(Debug, Default)]
pub(super) struct Taken {
    received: u64,
    created: u64,
    replaced: u64,
    rejected: u64,
    seq: u64,
    repeated: bool,
    errors: Vec<Rejected>,
}

/// The same as it is answered, in the order in which it is read.
#[derive(Serialize)]
struct Summary {
    received: u64,
    created: u64,
    replaced: u64,
    rejected: u64,
    seq: u64,
    errors: Vec<Told>,
}

/// A refused row as it is answered.
#[derive(Serialize)]
struct Told {
    line: u64,
    code: &'static str,
    value: Option<String>,
    detail: String,
    hint: Option<String>,
}

/// Why a body could not be read to its end.
#[derive(Debug, Error)]
enum Broken {
    #[error("the body broke off")]
    Off,
    #[error("the body has more than {0} bytes once it is unpacked")]
    TooLarge(u64),
}

/// A body whose end did not come.
pub(super) fn broken_off() -> io::Error {
    io::Error::other(Broken::Off)
}

fn unread(error: &io::Error) -> Refusal {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Broken>()) {
        Some(broken @ Broken::TooLarge(_)) => {
            Refusal::new(Code::BodyTooLarge, broken.to_string()).hint("send it in several parts")
        }
        _ => Refusal::new(Code::BadBody, format!("the body cannot be read to its end: {error}"))
            .hint("nothing of it was taken; send it again"),
    }
}

/// Input of which only so much is read.
struct Bounded<R> {
    input: R,
    left: u64,
    most: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(out)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(Broken::TooLarge(self.most)))?;
        Ok(read)
    }
}

/// What an upload names its rows by: the same for the same request made again, and otherwise another each time. The clock alone would not
/// do, for two uploads that come in one millisecond would each replace the rows of the other.
pub(super) fn stamp(key: Option<&RequestKey>) -> u64 {
    match key {
        Some(key) => foldhash::quality::FixedState::default().hash_one(key.as_str()),
        None => RandomState::new().hash_one(()),
    }
}

impl Taking {
    /// Reads the rows and takes them in.
    pub(super) fn take(self, body: Box<dyn Read + Send>, most: u64) -> Result<Taken, Refusal> {
        let unpacked = match self.coding {
            Some(coding) => (coding.decode)(body),
            None => body,
        };
        let mut input = Bounded { input: unpacked, left: most, most };
        let (reader, first) = match self.reader {
            Some(reader) => (reader, Vec::new()),
            None => look(&mut input)?,
        };
        let input: Box<dyn Read + Send> = Box::new(io::Cursor::new(first).chain(input));
        let rows = (reader.open)(input, &self.options)?;
        let mut taken = Taken::default();
        let mut hold = Hold::Few(Vec::new(), 0);
        for row in rows {
            let row = row.map_err(|error| unread(&error))?;
            taken.received += 1;
            match row {
                Err(rejected) => taken.reject(rejected),
                // Nothing will be taken any more: the rest is only counted.
                Ok(_) if self.on_error == OnError::Abort && taken.rejected > 0 => {}
                Ok(incoming) => hold = hold.with(&self, self.item(incoming, taken.received))?,
            }
        }
        if taken.rejected > 0 && (self.on_error == OnError::Abort || taken.rejected == taken.received) {
            return Ok(Taken { seq: self.engine.snapshot(&self.name).map_or(0, |snapshot| snapshot.seq()), ..taken });
        }
        self.finish(hold, taken)
    }

    /// A row as an item. One without an id gets one, the same when the same request is made again.
    fn item(&self, incoming: Incoming, number: u64) -> Item {
        incoming.into_item(|| row_id(self.stamp, number), self.now_ms)
    }

    fn finish(&self, hold: Hold<'_>, taken: Taken) -> Result<Taken, Refusal> {
        match hold {
            Hold::Few(changes, _) => {
                let submission = Submission::from(changes);
                let submission = match self.key.clone() {
                    Some(key) => submission.once(key),
                    None => submission,
                };
                let submitted = self.engine.submit(&self.name, submission)?;
                let count = |wanted| submitted.outcomes.iter().filter(|outcome| **outcome == wanted).count() as u64;
                let (created, replaced) = (count(Outcome::Created), count(Outcome::Replaced));
                Ok(Taken { created, replaced, seq: submitted.seq, repeated: submitted.repeated, ..taken })
            }
            Hold::Many(load) => {
                let loaded = load.finish()?;
                let (created, replaced) = (loaded.created, loaded.replaced);
                Ok(Taken { created, replaced, seq: loaded.seq, repeated: loaded.repeated, ..taken })
            }
        }
    }
}

/// Items that were read so far.
enum Hold<'a> {
    Few(Vec<Change>, usize),
    Many(Box<Bulk<'a>>),
}

impl<'a> Hold<'a> {
    fn with(self, taking: &'a Taking, item: Item) -> Result<Hold<'a>, Refusal> {
        match self {
            Hold::Many(mut load) => {
                load.push(&item)?;
                Ok(Hold::Many(load))
            }
            Hold::Few(mut changes, bytes) if changes.len() < FEW_ROWS && bytes < FEW_BYTES => {
                let bytes = bytes + item.properties.as_json().len();
                changes.push(Change::Put(item));
                Ok(Hold::Few(changes, bytes))
            }
            Hold::Few(changes, _) => {
                let mut load = taking.engine.bulk(&taking.name, taking.key.clone())?;
                for change in &changes {
                    let Change::Put(item) = change else { unreachable!("an upload only puts") };
                    load.push(item)?;
                }
                load.push(&item)?;
                Ok(Hold::Many(Box::new(load)))
            }
        }
    }
}

/// What reads an input that did not say what it is, and the bytes that were looked at.
fn look(input: &mut impl Read) -> Result<(&'static Reader, Vec<u8>), Refusal> {
    let mut first = Vec::new();
    input.take(SNIFFED as u64).read_to_end(&mut first).map_err(|error| unread(&error))?;
    match sniff(&first) {
        Some(reader) => Ok((reader, first)),
        None => Err(Refusal::new(Code::UnsupportedMediaType, "the body is no CSV, NDJSON or GeoJSON")
            .hint("say what it is with content-type: text/csv, application/x-ndjson or application/geo+json")),
    }
}

impl Taken {
    fn reject(&mut self, rejected: Rejected) {
        self.rejected += 1;
        if self.errors.len() < TOLD {
            // A row may be long, and who sent it has it.
            self.errors.push(Rejected { row: None, ..rejected });
        }
    }

    /// The answer. Where nothing was taken because of its rows, the request failed.
    pub(super) fn reply(&self) -> Reply {
        let failed = self.rejected > 0 && self.created + self.replaced == 0 && !self.repeated;
        let told = |Rejected { line, code, value, detail, hint, .. }| Told { line, code, value, detail, hint };
        let errors = self.errors.iter().cloned().map(told).collect();
        let Taken { received, created, replaced, rejected, seq, .. } = *self;
        let summary = Summary { received, created, replaced, rejected, seq, errors };
        if !failed {
            return Reply::json(&summary);
        }
        let refusal =
            Refusal::new(Code::RowsRejected, format!("{} of {} rows were rejected", self.rejected, self.received))
                .hint("mend the rows in errors, or take the good ones with on_error=skip");
        let mut summary = serde_json::to_value(&summary).expect("numbers and texts are JSON");
        let mut body: serde_json::Value = serde_json::from_slice(&refusal.to_json()).expect("a problem is JSON");
        body.as_object_mut().expect("a problem is an object").append(summary.as_object_mut().expect("it is one"));
        let status = StatusCode::from_u16(Code::RowsRejected.problem().status).expect("the table holds statuses");
        Reply::new(super::error::MEDIA_TYPE, serde_json::to_vec(&body).expect("it is JSON")).status(status)
    }
}
