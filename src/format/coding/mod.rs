//! Compressed bytes made plain, as a stream.
//!
//! What surprises: a few kilobytes may stand for gigabytes. Memory stays flat whatever comes out; how much may come out is for the
//! caller to say.
//!
//! # Adding a compression
//!
//! One new file with a constant of type [`Coding`]; then its `mod` and its place in [`CODINGS`].

mod gzip;
mod zstd;

use std::io;

use super::Source;

/// Every compression that is read.
pub static CODINGS: &[Coding] = &[gzip::GZIP, zstd::ZSTD];

/// A compression.
#[derive(Debug)]
pub struct Coding {
    /// What it is called in `Content-Encoding`.
    pub name: &'static str,
    /// Other names of it.
    pub aliases: &'static [&'static str],
    /// How names of such files end, without the dot.
    pub extension: &'static str,
    /// The bytes it begins with.
    pub magic: &'static [u8],
    /// Makes bytes plain as they are read. Bytes that cannot be decoded are an error of kind
    /// [`InvalidData`](std::io::ErrorKind::InvalidData); an error of the source keeps its kind.
    pub decode: fn(Source) -> Source,
}

/// The compression of a name, in any case.
pub fn coding_named(name: &str) -> Option<&'static Coding> {
    let named = |known: &&str| known.eq_ignore_ascii_case(name.trim());
    CODINGS.iter().find(|coding| named(&coding.name) || coding.aliases.iter().any(named))
}

/// The compression that a content begins with.
pub fn sniff_coding(first_bytes: &[u8]) -> Option<&'static Coding> {
    CODINGS.iter().find(|coding| first_bytes.starts_with(coding.magic))
}

/// The compression of a file by the end of its name, and the name without it.
pub fn coding_for_file(name: &str) -> Option<(&'static Coding, &str)> {
    let (rest, ending) = name.rsplit_once('.')?;
    let coding = CODINGS.iter().find(|coding| coding.extension.eq_ignore_ascii_case(ending))?;
    Some((coding, rest))
}

fn undecodable(name: &str, reason: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the {name} data cannot be decoded: {reason}"))
}

/// A source that is asked no more once it failed or ended, and whose own errors can be told from those of a decoder.
struct Watched {
    source: Source,
    error: Option<io::Error>,
}

impl Watched {
    fn new(source: Source) -> Watched {
        Watched { source, error: None }
    }

    /// The error that a decoder came to: that of the source, if it was the source that failed.
    fn blame(&mut self, name: &str, reason: impl std::fmt::Display) -> io::Error {
        self.error.take().unwrap_or_else(|| undecodable(name, reason))
    }
}

impl io::Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.source.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let kind = error.kind();
                    self.error = Some(error);
                    return Err(kind.into());
                }
                read => return read,
            }
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
