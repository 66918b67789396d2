//! How far a bench is: one line on standard error that is written over, where that is a terminal.

use std::io::{self, IsTerminal, Write};

use crate::measure::Stage;

pub(super) struct Progress {
    shown: bool,
}

impl Progress {
    pub(super) fn begin() -> Progress {
        Progress { shown: io::stderr().is_terminal() }
    }

    pub(super) fn tell(&mut self, stage: &Stage) {
        if self.shown {
            // Whoever does not see it misses nothing.
            let _ = write!(io::stderr(), "\r\x1b[K{:>3.0} %  {}", stage.share * 100.0, stage.what);
            let _ = io::stderr().flush();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
