//! A file that comes in, or standard input: opened, counted while it is read, and known for what it is.
//!
//! What surprises: a name is believed only where the content leaves a doubt. Compression is told by the first bytes alone, and so are
//! lines of JSON from GeoJSON, which both end in `.json`.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Args;

use super::Failure;
use crate::format::csv::delimiter_named;
use crate::format::{
    HeaderError, READERS, ReadOptions, Reader, Rows, Source, coding_for_file, reader_for_file, reader_named, sniff,
    sniff_coding,
};

/// Bytes by which a content is known.
const SNIFFED: u64 = 4096;

/// What a user says about a file that it does not say itself.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ReadArgs {
    /// What the file is; otherwise it is seen from its content and its name
    #[arg(long, value_parser = formats())]
    format: Option<String>,
    /// The column of the latitude, instead of lat, latitude or y
    #[arg(long, value_name = "NAME")]
    pub(super) lat_col: Option<String>,
    /// The column of the longitude, instead of lon, lng, long, longitude or x
    #[arg(long, value_name = "NAME")]
    pub(super) lon_col: Option<String>,
    /// The column of the id, instead of id, key or uuid
    #[arg(long, value_name = "NAME")]
    pub(super) id_col: Option<String>,
    /// What stands between fields of CSV, instead of the one of , ; and tab that the header has: a character, or tab
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    pub(super) delimiter: Option<u8>,
}

impl ReadArgs {
    /// What reads the file, where it is said.
    pub(super) fn reader(&self) -> Option<&'static Reader> {
        let named = self.format.as_deref().map(|name| reader_named(name).expect("checked by the parser"));
        named.or_else(|| self.options().reader())
    }

    pub(super) fn options(&self) -> ReadOptions {
        ReadOptions {
            lat_column: self.lat_col.clone(),
            lon_column: self.lon_col.clone(),
            id_column: self.id_col.clone(),
            delimiter: self.delimiter,
        }
    }
}

/// The names of all readers, for the parser.
pub(super) fn formats() -> clap::builder::PossibleValuesParser {
    READERS.iter().map(|reader| reader.name).collect::<Vec<_>>().into()
}

/// A delimiter as it is written, for the parser.
pub(super) fn delimiter(text: &str) -> Result<u8, String> {
    delimiter_named(text).ok_or_else(|| {
        "a delimiter is one character of ASCII, no quote and no line break; write tab for a tabulator".to_owned()
    })
}

/// Something to read.
pub(super) struct Input {
    /// As it was named; nothing for standard input.
    path: Option<PathBuf>,
    /// How many bytes it has, where that is known.
    bytes: Option<u64>,
    source: Source,
    /// How many of them were read.
    read: Arc<AtomicU64>,
}

impl Input {
    /// Opens a file, or standard input for `-`.
    pub(super) fn open(path: &Path) -> Result<Input, Failure> {
        let read: Arc<AtomicU64> = Arc::default();
        if path == Path::new("-") {
            let source = Box::new(Counted { source: io::stdin(), read: read.clone() });
            return Ok(Input { path: None, bytes: None, source, read });
        }
        let refuse =
            |reason: &dyn std::fmt::Display| Failure::Failed(format!("cannot read {}: {reason}", path.display()));
        let file = File::open(path).map_err(|error| refuse(&error))?;
        let metadata = file.metadata().map_err(|error| refuse(&error))?;
        if metadata.is_dir() {
            return Err(refuse(&"it is a directory"));
        }
        // What is no plain file, such as a named pipe, does not know its end.
        let bytes = metadata.is_file().then_some(metadata.len());
        let source = Box::new(Counted { source: file, read: read.clone() });
        Ok(Input { path: Some(path.to_owned()), bytes, source, read })
    }

    /// What it is called, for people.
    pub(super) fn name(&self) -> String {
        self.path.as_deref().map_or_else(|| "standard input".to_owned(), |path| path.display().to_string())
    }

    /// Where it is, if it can be read a second time.
    pub(super) fn plain_file(&self) -> Option<&Path> {
        self.path.as_deref().filter(|_| self.bytes.is_some())
    }

    /// Where the rows of it go that were refused.
    pub(super) fn rejected_path(&self) -> PathBuf {
        let mut name = self.path.as_deref().unwrap_or(Path::new("stdin")).as_os_str().to_owned();
        name.push(".rejected.csv");
        name.into()
    }

    /// How many bytes it has, where that is known.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// How many bytes of it were read, now and later.
    pub(super) fn read_bytes(&self) -> Arc<AtomicU64> {
        self.read.clone()
    }

    /// What reads it by its name alone, where that says it.
    pub(super) fn reader_by_name(&self) -> Option<&'static Reader> {
        let name = self.path.as_deref()?.file_name()?.to_str()?;
        reader_for_file(coding_for_file(name).map_or(name, |(_, rest)| rest))
    }

    /// The bytes as they stand in it.
    pub(super) fn into_source(self) -> Source {
        self.source
    }

    /// The rows, unpacked; and the format they are in, which is `asked` if that is given.
    pub(super) fn rows(
        self,
        asked: Option<&'static Reader>,
        options: &ReadOptions,
    ) -> Result<(&'static Reader, Rows), Failure> {
        let (name, by_name) = (self.name(), self.reader_by_name());
        let failed = |error: io::Error| Failure::Failed(format!("cannot read {name}: {error}"));
        let (first, source) = peeked(self.source).map_err(failed)?;
        let (first, source) = match sniff_coding(&first) {
            Some(coding) => peeked((coding.decode)(source)).map_err(failed)?,
            None => (first, source),
        };
        // CSV may look like anything; JSON looks like JSON.
        let certain = by_name.filter(|reader| reader.name == crate::format::csv::NAME);
        let Some(reader) = asked.or(certain).or_else(|| sniff(&first)).or(by_name) else {
            let reason = if first.is_empty() { "is empty" } else { "is no CSV, NDJSON or GeoJSON" };
            return Err(Failure::Usage(format!("{name} {reason}; --format says what it is")));
        };
        match (reader.open)(source, options) {
            Ok(rows) => Ok((reader, rows)),
            Err(HeaderError::Unusable(fault)) => Err(Failure::Usage(format!("{name}: {fault}"))),
            Err(HeaderError::Io(error)) => Err(failed(error)),
        }
    }
}

/// The first bytes of a source, and the source with them.
fn peeked(mut source: Source) -> io::Result<(Vec<u8>, Source)> {
    let mut first = Vec::new();
    (&mut source).take(SNIFFED).read_to_end(&mut first)?;
    let whole = Box::new(Cursor::new(first.clone()).chain(source));
    Ok((first, whole))
}

/// A source whose bytes are counted as they are read.
struct Counted<R> {
    source: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format_of(name: &str, content: &[u8]) -> Result<&'static str, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let rows = Input::open(&path).unwrap().rows(None, &ReadOptions::default());
        rows.map(|(reader, _)| reader.name).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_file_is_known_by_its_content_and_by_its_name() {
        for (name, content, format) in [
            ("a.csv", &b"lat\tlon\n1\t2\n"[..], "csv"),
            ("a", b"lat,lon\n", "csv"),
            ("a.json", b"{\"lat\":1,\"lon\":2}\n{\"lat\":1,\"lon\":2}\n", "ndjson"),
            ("a.json", b"{\"type\":\"FeatureCollection\",\"features\":[]}", "geojson"),
            ("a.ndjson", b"", "ndjson"),
        ] {
            assert_eq!(format_of(name, content), Ok(format), "{name}");
        }
        for (name, content, reason) in [
            ("a.csv", &b""[..], "the file is empty"),
            ("a.csv", b"{\"lat\":1}\n", "no column for the latitude"),
            ("a", b"", "is empty; --format says"),
            ("a.png", b"\x89PNG\r\n", "is no CSV, NDJSON or GeoJSON"),
            ("a.csv", b"\x1f\x8b\x08\x00", "gzip data cannot be decoded"),
        ] {
            let refused = format_of(name, content).unwrap_err();
            assert!(refused.contains(reason) && refused.contains(name), "{refused}");
        }
    }

    #[test]
    fn what_is_read_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let text = format!("lat,lon\n{}", "1,2\n".repeat(10_000));
        std::fs::write(&path, &text).unwrap();
        let input = Input::open(&path).unwrap();
        assert_eq!(
            (input.bytes(), input.rejected_path()),
            (Some(text.len() as u64), folder.path().join("a.csv.rejected.csv"))
        );
        let read = input.read_bytes();
        assert_eq!(input.rows(None, &ReadOptions::default()).unwrap().1.count(), 10_000);
        assert_eq!(read.load(Ordering::Relaxed), text.len() as u64);
    }
}
