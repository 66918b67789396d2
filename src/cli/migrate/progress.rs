//! What goes on, on a terminal's standard error; nowhere else.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often a count is shown.
const EVERY: Duration = Duration::from_millis(200);

/// Shows what goes on, if anybody looks.
pub(super) struct Progress {
    shown: bool,
    last: Instant,
    begun: Instant,
    of: u64,
}

impl Progress {
    /// Shown on a terminal; `of` is how many rows there will be, or 0.
    pub(super) fn new(of: u64) -> Progress {
        let now = Instant::now();
        Progress { shown: io::stderr().is_terminal(), last: now, begun: now, of }
    }

    /// Says what begins.
    pub(super) fn say(&self, what: fmt::Arguments<'_>) {
        if self.shown {
            let _ = writeln!(io::stderr(), "\r\x1b[K{what}");
        }
    }

    /// Counts rows.
    pub(super) fn rows(&mut self, what: &str, rows: u64) {
        if !self.shown || self.last.elapsed() < EVERY {
            return;
        }
        self.last = Instant::now();
        let rate = rows as f64 / self.begun.elapsed().as_secs_f64().max(1e-3);
        let left = match self.of.checked_sub(rows).filter(|_| what == "carried") {
            Some(left) if left > 0 => format!(", {:.0} s left", left as f64 / rate),
            _ => String::new(),
        };
        let _ = write!(io::stderr(), "\r\x1b[K{rows} {what}, {rate:.0} a second{left}");
    }
}
