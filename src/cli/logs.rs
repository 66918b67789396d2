//! The log: lines on standard error about what happened, for whoever keeps the service.
//!
//! What surprises: below `debug`, libraries have no say. What they write of a malformed request is a line that anybody could have us write,
//! as often as they like.

use std::io;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt;

/// Begins to write lines. A second beginning in one process changes nothing.
pub(super) fn begin(level: LevelFilter, as_json: bool) {
    let libraries = if level >= LevelFilter::DEBUG { level } else { LevelFilter::OFF };
    let worth = Targets::new().with_target(env!("CARGO_PKG_NAME"), level).with_default(libraries);
    // Nobody may be left to read: that must not stop the service.
    let lines = layer().with_writer(io::stderr).with_ansi(false).log_internal_errors(false);
    let lines = if as_json { lines.json().flatten_event(true).boxed() } else { lines.boxed() };
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines.with_filter(worth)));
}
