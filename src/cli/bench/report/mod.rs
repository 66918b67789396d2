//! The report: one page that needs nothing but itself. Plots are SVG in the page, figures stand in it as JSON, and there is no
//! script to run.
//!
//! What surprises: the page is XML as well as HTML, so that a test can tell whether every tag is closed.

use std::path::Path;

mod bars;
mod dots;
mod latency;
mod map;
mod markup;
mod page;
mod scale;
mod tables;

use super::super::Failure;
use super::super::output::Output;
use super::document::Document;

/// Writes the report, all of it or nothing: a report that was there before stays until the new one is complete.
pub(super) fn write(path: &Path, document: &Document) -> Result<(), Failure> {
    let mut out = Output::open(Some(path))?;
    out.write(page::html(document).as_bytes())?;
    out.finish()
}
