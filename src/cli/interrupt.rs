//! Ctrl-C: what a command has begun and not finished goes with it.
//!
//! What surprises: nothing asks whether it is to stop. The process ends where it stands, as it would without this file; only that files and
//! folders which nobody should find half made are removed first, and the line of progress is taken away.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};

/// What is to be removed.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// Whether the last line of the terminal is one that is written over.
static IS_LINE_OPEN: AtomicBool = AtomicBool::new(false);
static LISTENING: Once = Once::new();

/// How often a folder is removed that somebody is still writing into.
const TRIES: u32 = 20;

/// Takes the line of progress away when the process is told to stop, so that the next prompt has a line of its own.
pub(super) fn line_is_open(is_open: bool) {
    LISTENING.call_once(listen);
    IS_LINE_OPEN.store(is_open, Ordering::SeqCst);
}

/// A file or folder that goes when the process is told to stop, until this is dropped.
#[derive(Debug)]
pub(super) struct Unfinished(PathBuf);

impl Unfinished {
    /// Watches over a path, whether there is something yet or not.
    pub(super) fn new(path: PathBuf) -> Unfinished {
        LISTENING.call_once(listen);
        UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
        Unfinished(path)
    }

    /// What the path is with something behind its name: where the engine builds what gets its name at the end.
    pub(super) fn beside(path: &Path, ending: &str) -> Unfinished {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(ending);
        Unfinished::new(path.with_file_name(name))
    }

    /// The path.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner).retain(|path| *path != self.0);
    }
}

/// Waits for the signal on a thread of its own. Where that cannot be had, the system ends the process as ever.
fn listen() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
    let (ready, is_ready) = std::sync::mpsc::channel();
    let wait = move || {
        let signal = runtime.block_on(async {
            let waiting = told();
            let _ = ready.send(());
            match waiting {
                Some(waiting) => waiting.await,
                None => std::future::pending().await,
            }
        });
        // Held, so that nothing is said to be finished while it is removed.
        let unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
        unfinished.iter().for_each(|path| remove(path));
        if IS_LINE_OPEN.load(Ordering::SeqCst) {
            let _ = write!(io::stderr(), "\r\x1b[K"); // nobody may look any more
        }
        std::process::exit(128 + signal);
    };
    if std::thread::Builder::new().name("nigh-interrupt".to_owned()).spawn(wait).is_ok() {
        let _ = is_ready.recv();
    }
}

#[cfg(unix)]
fn told() -> Option<impl Future<Output = i32>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt()).ok()?, signal(SignalKind::terminate()).ok()?);
    Some(std::future::poll_fn(move |context| {
        let mut came = |signal: &mut tokio::signal::unix::Signal| signal.poll_recv(context).is_ready();
        match (came(&mut interrupt), came(&mut terminate)) {
            (true, _) => std::task::Poll::Ready(2),
            (_, true) => std::task::Poll::Ready(15),
            _ => std::task::Poll::Pending,
        }
    }))
}

#[cfg(not(unix))]
fn told() -> Option<impl Future<Output = i32>> {
    Some(async { tokio::signal::ctrl_c().await.map_or(2, |()| 2) })
}

fn remove(path: &Path) {
    for _ in 0..TRIES {
        let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        if removed.is_ok() || !path.exists() {
            return;
        }
    }
}
