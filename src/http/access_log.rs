//! The access log: a line of JSON for every request, where somebody wants it.
//!
//! What surprises: lines can be lost, and are counted. A thread of its own writes them; when its disk is slow and too many wait, an
//! answer is worth more than the note about it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

/// Lines that may wait to be written.
const WAITING_MAX: usize = 8192;

/// The path that means standard output.
const STANDARD_OUTPUT: &str = "-";

/// What a line says.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) time: String,
    pub(super) request_id: Option<String>,
    pub(super) trace_id: Option<String>,
    pub(super) address: Option<IpAddr>,
    pub(super) key: Option<String>,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) status: u16,
    /// Of the body; nothing while it is not known, as in a stream.
    pub(super) bytes: Option<u64>,
    pub(super) elapsed_us: u64,
}

/// Where lines go.
#[derive(Debug)]
pub(super) struct AccessLog {
    lines: Option<SyncSender<Line>>,
    thread: Option<JoinHandle<()>>,
    lost: Arc<AtomicU64>,
    reopen: Arc<AtomicBool>,
}

impl AccessLog {
    /// Opens the file, to add to what is in it.
    pub(super) fn open(path: &Path) -> io::Result<AccessLog> {
        let (lines, waiting) = sync_channel(WAITING_MAX);
        let (lost, reopen) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let scribe = Scribe { path: path.to_owned(), out: opened(path)?, lost: lost.clone(), reopen: reopen.clone() };
        let thread =
            std::thread::Builder::new().name("nigh-access-log".to_owned()).spawn(move || scribe.run(&waiting))?;
        Ok(AccessLog { lines: Some(lines), thread: Some(thread), lost, reopen })
    }

    /// Hands a line over, and does not wait for anything.
    pub(super) fn note(&self, line: Line) {
        if self.lines.as_ref().is_none_or(|lines| lines.try_send(line).is_err()) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Has the file opened anew before the next line, for those who move it away when it is long.
    pub(super) fn reopen(&self) {
        self.reopen.store(true, Ordering::Relaxed);
    }

    /// Lines that were not written.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for AccessLog {
    /// Writes what waits.
    fn drop(&mut self) {
        self.lines = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // it has nothing to tell
        }
    }
}

/// The time as it stands in a line.
pub(super) fn now() -> String {
    let mut text = String::new();
    match SystemTime.format_time(&mut Writer::new(&mut text)) {
        Ok(()) => text,
        Err(_) => String::new(),
    }
}

type Out = BufWriter<Box<dyn Write + Send>>;

fn opened(path: &Path) -> io::Result<Out> {
    if path == Path::new(STANDARD_OUTPUT) {
        return Ok(BufWriter::new(Box::new(io::stdout())));
    }
    let file: File = OpenOptions::new().create(true).append(true).open(path)?;
    Ok(BufWriter::new(Box::new(file)))
}

/// Who writes.
struct Scribe {
    path: PathBuf,
    out: Out,
    lost: Arc<AtomicU64>,
    reopen: Arc<AtomicBool>,
}

impl Scribe {
    fn run(mut self, waiting: &Receiver<Line>) {
        while let Ok(line) = waiting.recv() {
            if self.reopen.swap(false, Ordering::Relaxed) {
                self.open_anew();
            }
            let mut next = Ok(line);
            while let Ok(line) = next {
                self.write(&line);
                next = waiting.try_recv();
            }
            // Whoever follows the file sees each line as soon as nothing else is to be done.
            let _ = self.out.flush(); // what is lost shows at the next line
            if next.is_err_and(|error| error == TryRecvError::Disconnected) {
                return;
            }
        }
    }

    fn write(&mut self, line: &Line) {
        let mut text = serde_json::to_vec(line).expect("texts and numbers are always JSON");
        text.push(b'\n');
        if self.out.write_all(&text).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn open_anew(&mut self) {
        match opened(&self.path) {
            Ok(out) => self.out = out,
            Err(error) => tracing::error!(path = %self.path.display(), %error, "the access log cannot be opened anew"),
        }
    }
}

/// Whole microseconds.
pub(super) fn whole_us(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
}
