//! The report: one page that needs nothing but itself. Plots are SVG in the page, figures stand in it as JSON, and there is no
//! script to run.
//!
//! What surprises: the page is XML as well as HTML, so that a test can tell whether every tag is closed.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

mod bars;
mod dots;
mod latency;
mod map;
mod markup;
mod page;
mod scale;
mod tables;

use super::document::Document;

/// Writes the report, all of it or nothing: a report that was there before stays until the new one is complete.
pub(super) fn write(path: &Path, document: &Document) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::other("this is no name of a file"))?;
    let mut half = std::ffi::OsString::from(".");
    half.push(name);
    half.push(format!(".{}.half", std::process::id()));
    let half = path.with_file_name(half);
    let written = OpenOptions::new().write(true).create_new(true).open(&half).and_then(|mut file| {
        file.write_all(page::html(document).as_bytes())?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&half, path));
    if renamed.is_err() {
        let _ = fs::remove_file(&half); // the first error says more
    }
    renamed
}
