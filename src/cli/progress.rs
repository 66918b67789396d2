//! How far a long job is, on one line of a terminal: how many rows, how quickly, what share, how long still.
//!
//! What surprises: where standard error is no terminal there is no line at all. A log full of progress is no log.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::interrupt;

/// How long a line stands at least before there is another.
const STANDS: Duration = Duration::from_millis(200);

/// Rows after which it is worth looking at the clock.
const ROWS: u64 = 2048;

/// The line.
pub(super) struct Progress {
    is_shown: bool,
    started: Instant,
    last: Instant,
    /// Bytes of all there is to read, where they are known, and those that were read before.
    total: Option<u64>,
    before: u64,
    /// Bytes that were read of what is being read.
    read: Arc<AtomicU64>,
    rows: u64,
    is_open: bool,
}

impl Progress {
    /// A job of so many bytes.
    pub(super) fn of(total: Option<u64>) -> Progress {
        let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let (is_shown, now) = (io::stderr().is_terminal() && !is_dumb, Instant::now());
        Progress { is_shown, started: now, last: now, total, before: 0, read: Arc::default(), rows: 0, is_open: false }
    }

    /// Goes on to the next input.
    pub(super) fn follow(&mut self, read: Arc<AtomicU64>) {
        self.before += self.read.load(Ordering::Relaxed);
        self.read = read;
    }

    /// One more row.
    pub(super) fn row(&mut self) {
        self.rows += 1;
        if self.rows.is_multiple_of(ROWS) {
            self.tick();
        }
    }

    /// Shows how far it is, if the last line has stood for long enough.
    pub(super) fn tick(&mut self) {
        if self.is_shown && self.last.elapsed() >= STANDS {
            self.last = Instant::now();
            let read = self.before + self.read.load(Ordering::Relaxed);
            self.say(&line(self.rows, read, self.total, self.started.elapsed()));
        }
    }

    /// Shows what is done now, of a job that knows its share.
    pub(super) fn stage(&mut self, what: &str, share: f64) {
        let seconds = self.started.elapsed().as_secs_f64();
        let left = match share > 0.0 {
            true => format!("  {} left", clock(seconds / share - seconds)),
            false => String::new(),
        };
        self.say(&format!("{:>3.0} %  {what}{left}", share * 100.0));
    }

    /// Says in a word what is done now.
    pub(super) fn say(&mut self, what: &str) {
        if self.is_shown {
            self.is_open = true;
            interrupt::line_is_open(true);
            show(what);
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_open) {
            show("");
            interrupt::line_is_open(false);
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Nobody may look any more: the work goes on.
fn show(text: &str) {
    let _ = write!(io::stderr(), "\r{text}\x1b[K");
}

fn line(rows: u64, read: u64, total: Option<u64>, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(0.001);
    let mut parts = Vec::new();
    if rows > 0 {
        parts.push(format!("{} rows", grouped(rows)));
        parts.push(format!("{} rows/s", grouped((rows as f64 / seconds) as u64)));
    }
    parts.push(format!("{:.0} MB/s", read as f64 / 1e6 / seconds));
    if let Some(total) = total.filter(|&total| total > 0 && read > 0) {
        let share = (read as f64 / total as f64).min(1.0);
        parts.push(format!("{:.0} %", share * 100.0));
        parts.push(format!("{} left", clock(seconds / share - seconds)));
    }
    parts.join("  ")
}

/// Seconds as people say them.
fn clock(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// A number with spaces between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_how_quickly_and_how_long_still() {
        let second = Duration::from_secs(1);
        assert_eq!(
            line(412_000, 25_000_000, Some(100_000_000), 2 * second),
            "412 000 rows  206 000 rows/s  12 MB/s  25 %  6 s left"
        );
        assert_eq!(line(0, 1_000_000, None, second), "1 MB/s");
        assert_eq!((clock(59.2), clock(3700.0)), ("1 min 0 s".to_owned(), "1 h 1 min".to_owned()));
        assert_eq!((grouped(0), grouped(1_234_567)), ("0".to_owned(), "1 234 567".to_owned()));
    }
}
