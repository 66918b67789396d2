//! Files sent to a running service, each as it stands, packed if it is packed.
//!
//! What surprises: a file is looked into before it is sent. A service that has seen enough stops reading, and what it says of a header
//! without coordinates may not be heard any more by one who is still sending.

use std::io::{self, Read};

use serde::Deserialize;

use super::Failure;
use super::import::{Import, OfFile, Summary};
use super::input::Input;
use super::progress::Progress;
use super::rejects::Rejects;
use super::remote::{Remote, RemoteError, Sent, escaped};
use crate::format::{Fault, ROW_PROBLEMS, Rejected, Source};

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

/// Uploads the files, one after the other.
pub(super) fn upload(
    asked: &Import,
    service: &Remote,
    inputs: Vec<Input>,
    progress: &mut Progress,
) -> Result<Summary, Failure> {
    let mut summary = asked.summary();
    for input in inputs {
        let (file, rejected_path) = (input.name(), input.rejected_path());
        progress.follow(input.read_bytes());
        let taken = send(asked, service, input, progress).map_err(|failure| behind_others(failure, &summary))?;
        progress.clear();
        let mut rejects = Rejects::of(file.clone(), rejected_path);
        for told in &taken.errors {
            rejects.add(&told.as_rejected())?;
        }
        let rejected_rows = rejects.finish()?;
        summary.received += taken.received;
        summary.created += taken.created;
        summary.replaced += taken.replaced;
        summary.rejected += taken.rejected;
        if taken.created + taken.replaced > 0 {
            summary.seq = Some(taken.seq);
        }
        summary.files.push(OfFile { file, received: taken.received, rejected: taken.rejected, rejected_rows });
    }
    Ok(summary)
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
    let reader = asked.reader().or(input.reader_by_name().filter(|reader| reader.name == crate::format::csv::NAME));
    if let Some(path) = input.plain_file() {
        let _ = Input::open(path)?.rows(asked.reader(), &asked.options())?; // its header was read with that
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
    for (name, column) in [("lat_col", &asked.lat_col), ("lon_col", &asked.lon_col), ("id_col", &asked.id_col)] {
        if let Some(column) = column {
            target += &format!("&{name}={}", escaped(column));
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
