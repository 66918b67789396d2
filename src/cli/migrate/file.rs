//! A CSV, NDJSON or GeoJSON file, plain or packed, read by the readers that every import uses.
//!
//! What surprises: a file is read several times, to be carried and to be compared, so it has to be a file and no pipe. A row without an id
//! is named by its number, which is the same in every reading as long as the file stays as it is.

use std::path::PathBuf;

use super::super::Failure;
use super::super::input::Input;
use super::source::{Each, Facts, Kind, Options, Refused, Source, Trouble};
use crate::collection::Id;
use crate::format::{ReadOptions, Reader, Rows};

/// The registered source.
pub(super) const FILE: Kind = Kind {
    form: "the path of a CSV, NDJSON or GeoJSON file",
    names: |text| !text.contains("://"),
    open: |text, options| Ok(Box::new(FileSource::open(text, options)?)),
};

struct FileSource {
    path: PathBuf,
    /// What reads it, where that is said.
    reader: Option<&'static Reader>,
    options: ReadOptions,
    now_ms: i64,
}

impl FileSource {
    fn open(text: &str, options: &Options) -> Result<FileSource, Failure> {
        if text == "-" {
            return Err(Failure::Usage(
                "a migration reads a file more than once, and standard input can be read once; nigh import reads it"
                    .to_owned(),
            ));
        }
        let (reader, read, now_ms) = (options.reader, options.read.clone(), options.now_ms);
        let source = FileSource { path: text.into(), reader, options: read, now_ms };
        let metadata = std::fs::metadata(&source.path).map_err(|error| source.unread(&error).into_failure())?;
        if !metadata.is_file() {
            return Err(Failure::Usage(format!("{text} is no plain file; a migration reads it more than once")));
        }
        Ok(source)
    }

    fn unread(&self, error: &dyn std::fmt::Display) -> Trouble {
        Trouble::failed(format!("cannot read {}: {error}", self.path.display()))
    }

    /// What it is, and all of its rows.
    fn rows(&self) -> Result<(&'static Reader, Rows), Trouble> {
        Ok(Input::open(&self.path)?.rows(self.reader, &self.options)?)
    }
}

impl Source for FileSource {
    fn facts(&mut self) -> Result<Facts, Trouble> {
        let (reader, _) = self.rows()?;
        Ok(Facts {
            source: format!("{}, as {}", self.path.display(), reader.name),
            positions: "carried to the bit".to_owned(),
            live_how: "a file tells no changes; it is read and compared until nothing differs".to_owned(),
            ..Facts::default()
        })
    }

    fn scan(&mut self, each: Each<'_>) -> Result<(), Trouble> {
        let (_, rows) = self.rows()?;
        for (number, row) in (1_u64..).zip(rows) {
            let row = row.map_err(|error| self.unread(&error))?;
            let name = || Id::new(format!("row-{number}")).expect("letters and digits are an id");
            each(row.map(|incoming| incoming.into_item(name, self.now_ms)).map_err(|rejected| {
                let place = format!("line {}", rejected.line);
                let (code, value, detail, hint) = (rejected.code, rejected.value, rejected.detail, rejected.hint);
                Refused { place, fault: crate::format::Fault { code, value, detail, hint } }
            }))?;
        }
        Ok(())
    }
}
