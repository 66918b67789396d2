//! Files sent to a running service, each as it stands, packed if it is packed.
//!
//! What surprises: a file is looked into before it is sent. A service that has seen enough stops reading, and what it says of a header
//! without coordinates may not be heard any more by one who is still sending.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::import::{Import, OfFile, Summary};
use super::input::{Input, ReadArgs};
use super::progress::{Progress, grouped};
use super::rejects::Rejects;
use super::remote::{Remote, RemoteError, Sent, escaped};
use super::{Failure, tell};
use crate::format::{Fault, ROW_PROBLEMS, Rejected, Source, read_ahead};

/// What a service says became of an upload.
#[derive(Debug, Deserialize)]
struct Taken {
    received: u64,
    created: u64,
    replaced: u64,
    rejected: u64,
    seq: u64,
    /// The first of the rejected rows.
    errors: Vec<Told>,
}

#[derive(Debug, Deserialize)]
struct Told {
    line: u64,
    code: String,
    value: Option<String>,
    detail: String,
    hint: Option<String>,
}

/// Where an upload comes from.
struct Sender {
    name: String,
    /// Nothing where it can be read once.
    file: Option<PathBuf>,
    /// Where its rejected rows go.
    rejects: PathBuf,
}

impl Sender {
    fn rejects(&self) -> Rejects {
        Rejects::of(self.name.clone(), self.rejects.clone())
    }
}

/// Uploads the files, one after the other.
pub(super) fn upload(
    asked: &Import,
    service: &Remote,
    inputs: Vec<Input>,
    progress: &mut Progress,
) -> Result<Summary, Failure> {
    let mut summary = asked.summary();
    for input in inputs {
        let sender =
            Sender { name: input.name(), file: input.plain_file().map(Path::to_owned), rejects: input.rejected_path() };
        progress.follow(input.read_bytes());
        let taken = send(asked, service, input, progress).map_err(|failure| behind_others(failure, &summary))?;
        progress.clear();
        let taken_in =
            |failure: Failure| Failure::Failed(format!("{failure}; the good rows of {} went in", sender.name));
        let (rejected_rows, rejected_missing) = kept(asked, &sender, &taken).map_err(taken_in)?;
        let file = sender.name;
        summary.received += taken.received;
        summary.created += taken.created;
        summary.replaced += taken.replaced;
        summary.rejected += taken.rejected;
        if taken.created + taken.replaced > 0 {
            summary.seq = Some(taken.seq);
        }
        let (received, rejected) = (taken.received, taken.rejected);
        summary.files.push(OfFile { file, received, rejected, rejected_rows, rejected_missing });
    }
    Ok(summary)
}

/// Keeps the rejected rows of an upload: where they are, and how many of them are not there. A service names the first of them and counts
/// the others; a file is read once more for all of them, and for the rows themselves.
fn kept(asked: &Import, sender: &Sender, taken: &Taken) -> Result<(Option<PathBuf>, u64), Failure> {
    if taken.rejected == 0 {
        return Ok((None, 0));
    }
    let all = match &sender.file {
        Some(path) => read_again(asked, sender, path, taken)?,
        None => None,
    };
    if let Some(all) = all {
        return Ok((all.finish()?, 0));
    }
    let mut rejects = sender.rejects();
    for told in &taken.errors {
        rejects.add(&told.as_rejected())?;
    }
    let missing = taken.rejected.saturating_sub(rejects.count());
    if missing > 0 {
        let why = match &sender.file {
            None => "standard input cannot be read a second time; import a file to have them all",
            Some(_) => "the file is not what it was when it was sent, or the service reads it otherwise",
        };
        tell(format_args!("{}: {} rows more were rejected and are not named: {why}", sender.name, grouped(missing)));
    }
    Ok((rejects.finish()?, missing))
}

/// The rejected rows of a file that was sent, as it is read here; nothing where that is not what the service found.
fn read_again(asked: &Import, sender: &Sender, path: &Path, taken: &Taken) -> Result<Option<Rejects>, Failure> {
    let Ok((_, rows)) =
        Input::open(path).and_then(|input| input.rows(asked.reading.reader(), &asked.reading.options()))
    else {
        return Ok(None);
    };
    let (mut rejects, mut received) = (sender.rejects(), 0);
    let mut told = taken.errors.iter();
    for batch in read_ahead(rows.batches()) {
        let Ok(batch) = batch else { return Ok(None) };
        for row in batch.rows() {
            received += 1;
            let Err(rejected) = row else { continue };
            if told.next().is_some_and(|told| (told.line, &*told.code) != (rejected.line, rejected.code)) {
                return Ok(None);
            }
            rejects.add(rejected)?;
        }
    }
    Ok((received == taken.received && rejects.count() == taken.rejected).then_some(rejects))
}

/// A failure, with the files that are in by then.
fn behind_others(failure: Failure, summary: &Summary) -> Failure {
    if summary.files.is_empty() {
        return failure;
    }
    let names: Vec<&str> = summary.files.iter().map(|of_file| &*of_file.file).collect();
    let message = format!("{failure}; before that, {} went in", names.join(", "));
    match failure {
        Failure::Usage(_) => Failure::Usage(message),
        _ => Failure::Failed(message),
    }
}

fn send(asked: &Import, service: &Remote, input: Input, progress: &mut Progress) -> Result<Taken, Failure> {
    let reader =
        asked.reading.reader().or(input.reader_by_name().filter(|reader| reader.name == crate::format::csv::NAME));
    if let Some(path) = input.plain_file() {
        let _ = Input::open(path)?.rows(asked.reading.reader(), &asked.reading.options())?; // its header was read with that
    }
    let target = target(asked);
    let headers: Vec<(&str, &str)> = reader.map(|reader| ("content-type", reader.media_types[0])).into_iter().collect();
    let bytes = input.bytes();
    let mut body = Watched { source: input.into_source(), progress };
    let answer = service.ask("PUT", &target, &headers, Sent::Stream(&mut body, bytes));
    let taken = match answer {
        Ok(answer) => answer.json()?,
        // Nothing was taken, because of rows: that is told as rows are.
        Err(RemoteError::Refused(refusal)) if refusal.code == "rows-rejected" => serde_json::from_slice(&refusal.body)
            .map_err(|error| {
                Failure::Failed(format!("{} answers otherwise than nigh does: {error}", service.origin()))
            })?,
        Err(error) => return Err(error.into()),
    };
    Ok(taken)
}

fn target(asked: &Import) -> String {
    let mut target = format!("/collections/{}/items?on_error={}", asked.collection, asked.on_error);
    let ReadArgs { lat_col, lon_col, id_col, delimiter, .. } = &asked.reading;
    let delimiter = delimiter.map(|delimiter| char::from(delimiter).to_string());
    for (name, value) in [("lat_col", lat_col), ("lon_col", lon_col), ("id_col", id_col), ("delimiter", &delimiter)] {
        if let Some(value) = value {
            target += &format!("&{name}={}", escaped(value));
        }
    }
    target
}

impl Told {
    fn as_rejected(&self) -> Rejected {
        let known = ROW_PROBLEMS.iter().find(|problem| problem.code == self.code).map(|problem| problem.code);
        Fault {
            code: known.unwrap_or("unknown"), // to this version, not to that of the service
            value: self.value.clone(),
            detail: self.detail.clone(),
            hint: self.hint.clone(),
        }
        .at_line(self.line)
    }
}

/// A body that moves the line of progress on as it is sent.
struct Watched<'a> {
    source: Source,
    progress: &'a mut Progress,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.progress.tick();
        self.source.read(buffer)
    }
}
