//! Rows of an upload on their way into a collection: counted, refused one by one, and taken in all at once.
//!
//! What surprises: few rows are one submission, like any other write, and those who follow the collection see each of them. Many
//! are a load, which is one line in the log.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::StatusCode;
use serde::Serialize;
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use super::error::{Code, Refusal};
use super::moment;
use super::reply::Reply;
use crate::collection::{Change, NewItem, Outcome};
use crate::engine::{Bulk, CollectionName, Engine, Loaded, RequestKey, Submission, Submitted};
use crate::format::{Coding, Expires, ReadOptions, Reader, Rejected, row_id, sniff};

/// Rows, and bytes of properties, beyond which an upload is a load.
const FEW_ROWS: usize = 5_000;
const FEW_BYTES: usize = 8 << 20;

/// Refused rows that are told one by one; all are counted.
const TOLD: usize = 100;

/// Bytes by which a reader recognises a format.
const SNIFFED: usize = 4096;

/// Bytes that every packed body may unpack to, and how many times its size what is larger may be. Rows of one city pack 5 to 30
/// times smaller, rows that are all the same 100 to 150 times; gzip can pack nothing 1 000 times and Zstandard 30 000 times, and
/// what does is made to keep others busy.
const UNPACKED_FREELY: u64 = 16 << 20;
const UNPACKED_RATIO: u64 = 200;

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
    /// The number of the collection; 0 where there is none.
    number: u32,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    moment: Option<String>,
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
    #[error("{packed} bytes of the body unpack to more than {unpacked}")]
    Bomb { packed: u64, unpacked: u64 },
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
        Some(broken @ Broken::Bomb { .. }) => Refusal::new(Code::UnpacksTooLarge, broken.to_string())
            .hint(format!("what unpacks to more than {UNPACKED_RATIO} times its size is to be sent unpacked")),
        _ => Refusal::new(Code::BadBody, format!("the body cannot be read to its end: {error}"))
            .hint("nothing of it was taken; send it again"),
    }
}

/// Input of which only so much is read, and only so much more than came of it.
struct Bounded {
    input: Box<dyn Read + Send>,
    unpacked: u64,
    most: u64,
    /// How much has come; `None` for what is not packed.
    packed: Option<Arc<AtomicU64>>,
}

impl Bounded {
    fn new(body: Box<dyn Read + Send>, coding: Option<&Coding>, most: u64) -> Bounded {
        let Some(coding) = coding else { return Bounded { input: body, unpacked: 0, most, packed: None } };
        let count = Arc::new(AtomicU64::new(0));
        let counted = Counted { input: body, count: count.clone() };
        Bounded { input: (coding.decode)(Box::new(counted)), unpacked: 0, most, packed: Some(count) }
    }
}

impl Read for Bounded {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(out)?;
        self.unpacked += read as u64;
        if self.unpacked > self.most {
            return Err(io::Error::other(Broken::TooLarge(self.most)));
        }
        let packed = self.packed.as_ref().filter(|_| self.unpacked > UNPACKED_FREELY);
        match packed.map(|count| count.load(Ordering::Relaxed)) {
            Some(packed) if self.unpacked / UNPACKED_RATIO > packed => {
                Err(io::Error::other(Broken::Bomb { packed, unpacked: self.unpacked }))
            }
            _ => Ok(read),
        }
    }
}

/// Input that is counted as it is read.
struct Counted {
    input: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(out)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
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

/// What a row says of its end, as a hash, and 0 when it says nothing. Requests are compared by what they say: the moments that lifetimes
/// end at are later ones when the same request comes again.
fn said_end(expires: Expires, row: u64) -> u64 {
    let (form, ms) = match expires {
        Expires::Unsaid => return 0,
        Expires::After(length) => (1, i64::try_from(length.as_millis()).unwrap_or(i64::MAX)),
        Expires::At(at_ms) => (2, at_ms),
    };
    xxh3_64(&[&[form], &row.to_le_bytes()[..], &ms.to_le_bytes()[..]].concat())
}

impl Taking {
    /// Reads the rows and takes them in.
    pub(super) fn take(self, body: Box<dyn Read + Send>, most: u64) -> Result<Taken, Refusal> {
        let mut input = Bounded::new(body, self.coding, most);
        let (reader, first) = match self.reader {
            Some(reader) => (reader, Vec::new()),
            None => look(&mut input)?,
        };
        let input: Box<dyn Read + Send> = Box::new(io::Cursor::new(first).chain(input));
        let rows = (reader.open)(input, &self.options)?;
        let mut taken = Taken::default();
        let (mut hold, mut ends) = (Hold::Few(Vec::new(), 0), 0_u64);
        for batch in rows.batches() {
            let batch = batch.map_err(|error| unread(&error))?;
            for row in batch.rows() {
                taken.received += 1;
                match row {
                    Err(rejected) => taken.reject(rejected),
                    // Nothing will be taken any more: the rest is only counted.
                    Ok(_) if self.on_error == OnError::Abort && taken.rejected > 0 => {}
                    Ok(row) => {
                        ends = ends.wrapping_add(said_end(row.expires(), taken.received));
                        // One without an id gets one, the same when the same request is made again.
                        let mut made = None;
                        let item = row.item(|| &*made.insert(row_id(self.stamp, taken.received)), self.now_ms);
                        hold = hold.with(&self, item)?;
                    }
                }
            }
        }
        if taken.rejected > 0 && (self.on_error == OnError::Abort || taken.rejected == taken.received) {
            let (seq, number) = self.engine.view(&self.name).map_or((0, 0), |view| (view.snapshot.seq(), view.number));
            return Ok(Taken { seq, number, ..taken });
        }
        self.finish(hold, ends, taken)
    }

    fn finish(&self, hold: Hold<'_>, ends: u64, taken: Taken) -> Result<Taken, Refusal> {
        match hold {
            Hold::Few(changes, _) => {
                let submission = Submission::from(changes);
                let submission = match self.key.clone() {
                    Some(key) => submission.once(key).besides(ends),
                    None => submission,
                };
                let submitted = self.engine.submit(&self.name, submission)?;
                let count = |wanted| submitted.outcomes.iter().filter(|outcome| **outcome == wanted).count() as u64;
                let (created, replaced) = (count(Outcome::Created), count(Outcome::Replaced));
                let Submitted { seq, number, repeated, .. } = submitted;
                Ok(Taken { created, replaced, seq, number, repeated, ..taken })
            }
            Hold::Many(mut load) => {
                load.besides(ends);
                let loaded = load.finish()?;
                let Loaded { created, replaced, seq, number, repeated, .. } = loaded;
                Ok(Taken { created, replaced, seq, number, repeated, ..taken })
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
    fn with(self, taking: &'a Taking, item: NewItem<'_>) -> Result<Hold<'a>, Refusal> {
        match self {
            Hold::Many(mut load) => {
                load.push(item)?;
                Ok(Hold::Many(load))
            }
            Hold::Few(mut changes, bytes) if changes.len() < FEW_ROWS && bytes < FEW_BYTES => {
                let bytes = bytes + item.properties().len();
                changes.push(Change::Put(item.to_item()));
                Ok(Hold::Few(changes, bytes))
            }
            Hold::Few(changes, _) => {
                let mut load = taking.engine.bulk(&taking.name, taking.key.clone())?;
                for change in &changes {
                    let Change::Put(item) = change else { unreachable!("an upload only puts") };
                    load.push(item)?;
                }
                load.push(item)?;
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
    fn reject(&mut self, rejected: &Rejected) {
        self.rejected += 1;
        if self.errors.len() < TOLD {
            // A row may be long, and who sent it has it.
            self.errors.push(Rejected { row: None, ..rejected.clone() });
        }
    }

    /// The answer. Where nothing was taken because of its rows, the request failed.
    pub(super) fn reply(&self) -> Reply {
        let failed = self.rejected > 0 && self.created + self.replaced == 0 && !self.repeated;
        let told = |Rejected { line, code, value, detail, hint, .. }| Told { line, code, value, detail, hint };
        let errors = self.errors.iter().cloned().map(told).collect();
        let Taken { received, created, replaced, rejected, seq, number, .. } = *self;
        let moment = (number > 0).then(|| moment::written(number, seq));
        let summary = Summary { received, created, replaced, rejected, seq, moment, errors };
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
