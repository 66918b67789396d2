//! Where the output of a command goes: a terminal, a pipe, or a file.
//!
//! What surprises: a file gets its name when it is whole. Until then it is `FILE.part`, so that whoever sees the name sees all of it, and a
//! command that failed leaves what was there before. And nobody reading any more is no failure: the work ends, silently.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Failure;
use super::interrupt::Unfinished;

/// Room for what is written together.
const BUFFER_BYTES: usize = 256 * 1024;

/// Whether people look at the output, rather than programs.
pub(super) fn for_people(path: Option<&Path>) -> bool {
    is_stdout(path) && io::stdout().is_terminal()
}

/// Whether people look at it and want colours.
pub(super) fn in_colour(path: Option<&Path>) -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|said| !said.is_empty())
        || std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    for_people(path) && !plain
}

fn is_stdout(path: Option<&Path>) -> bool {
    path.is_none_or(|path| path == Path::new("-"))
}

/// An open output.
pub(super) struct Output {
    /// Nothing once it is finished.
    writer: Option<Writer>,
    file: Option<Part>,
    /// What is written to as it is, and no file.
    device: Option<PathBuf>,
}

enum Writer {
    Plain(BufWriter<Box<dyn Write + Send>>),
    Gzip(Box<GzEncoder<BufWriter<Box<dyn Write + Send>>>>),
}

/// A file that has not got its name yet. It goes when it does not get it.
struct Part {
    part: Unfinished,
    path: PathBuf,
}

impl Output {
    /// Standard output for no path and for `-`, otherwise a file, compressed where its name ends in `.gz`.
    pub(super) fn open(path: Option<&Path>) -> Result<Output, Failure> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Output { writer: Some(Writer::plain(Box::new(io::stdout()))), file: None, device: None });
        };
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        let is_gzip = extension.as_deref() == Some("gz");
        if extension.as_deref() == Some("zst") {
            return Err(Failure::Usage(format!("{}: Zstandard is read and not written; write .gz", path.display())));
        }
        // What is no plain file, such as a named pipe, is written to as it is.
        if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            let opened = File::options().write(true).open(path).map_err(|error| cannot(path, &error))?;
            let writer = Some(Writer::new(Box::new(opened), is_gzip));
            return Ok(Output { writer, file: None, device: Some(path.to_owned()) });
        }
        let part = Unfinished::beside(path, ".part");
        let opened = File::create(part.path()).map_err(|error| cannot(path, &error))?;
        let file = Part { part, path: path.to_owned() };
        Ok(Output { writer: Some(Writer::new(Box::new(opened), is_gzip)), file: Some(file), device: None })
    }

    /// Writes some more.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let writer = self.writer.as_mut().expect("it is written to before it is finished");
        let written = match writer {
            Writer::Plain(writer) => writer.write_all(bytes),
            Writer::Gzip(writer) => writer.write_all(bytes),
        };
        written.map_err(|error| self.failed(&error))
    }

    /// Hands on what was written, for those who watch it come.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        let flushed = match self.writer.as_mut().expect("it is flushed before it is finished") {
            Writer::Plain(writer) => writer.flush(),
            Writer::Gzip(writer) => writer.flush(),
        };
        flushed.map_err(|error| self.failed(&error))
    }

    /// Writes the end, and gives a file its name.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let ended = match self.writer.take().expect("it is finished once") {
            Writer::Plain(writer) => Ok(writer),
            Writer::Gzip(writer) => writer.finish(),
        };
        ended.and_then(|mut writer| writer.flush()).map_err(|error| self.failed(&error))?;
        let Some(Part { part, path }) = &self.file else { return Ok(()) };
        let part = part.path();
        let named = File::open(part).and_then(|file| file.sync_all()).and_then(|()| fs::rename(part, path));
        named.map_err(|error| cannot(path, &error))
    }

    fn failed(&self, error: &io::Error) -> Failure {
        match self.file.as_ref().map(|file| &file.path).or(self.device.as_ref()) {
            Some(path) => cannot(path, error),
            None => unwritten(error),
        }
    }
}

impl Writer {
    fn plain(to: Box<dyn Write + Send>) -> Writer {
        Writer::Plain(BufWriter::with_capacity(BUFFER_BYTES, to))
    }

    fn new(to: Box<dyn Write + Send>, is_gzip: bool) -> Writer {
        if !is_gzip {
            return Writer::plain(to);
        }
        Writer::Gzip(Box::new(GzEncoder::new(BufWriter::with_capacity(BUFFER_BYTES, to), Compression::default())))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.part.path()); // it has its name, or nobody wants it
    }
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::NobodyReads,
        _ => Failure::Failed(format!("cannot write {}: {error}", path.display())),
    }
}

/// What a failed write to standard output comes to.
pub(super) fn unwritten(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::NobodyReads,
        _ => Failure::Failed(format!("cannot write: {error}")),
    }
}

/// Writes all there is to say to standard output.
pub(super) fn print(text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_ref()).and_then(|()| out.flush()).map_err(|error| unwritten(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gets_its_name_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs::write(&path, "before").unwrap();
        let mut left = Output::open(Some(&path)).unwrap();
        left.write(b"half").unwrap();
        drop(left);
        assert_eq!((fs::read(&path).unwrap(), fs::read_dir(folder.path()).unwrap().count()), (b"before".to_vec(), 1));
        let mut whole = Output::open(Some(&path)).unwrap();
        whole.write(b"after").unwrap();
        whole.finish().unwrap();
        assert_eq!((fs::read(&path).unwrap(), fs::read_dir(folder.path()).unwrap().count()), (b"after".to_vec(), 1));
    }

    #[test]
    fn a_name_says_how_a_file_is_compressed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ndjson.gz");
        let mut out = Output::open(Some(&path)).unwrap();
        out.write(b"some text\n").unwrap();
        out.finish().unwrap();
        let mut text = String::new();
        let mut decoder = flate2::read::GzDecoder::new(File::open(&path).unwrap());
        io::Read::read_to_string(&mut decoder, &mut text).unwrap();
        assert_eq!(text, "some text\n");
        let refused = Output::open(Some(&folder.path().join("a.csv.zst"))).err().unwrap();
        assert!(refused.exit_code() == 2 && refused.to_string().contains("write .gz"), "{refused}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let refused = Output::open(Some(Path::new("no/such/folder/a.csv"))).err().unwrap();
        assert!(refused.exit_code() == 1 && refused.to_string().starts_with("cannot write no/such/folder/a.csv: "));
    }
}
