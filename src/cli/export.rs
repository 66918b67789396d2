//! `nigh export`: a collection as a file that comes back to the bit, from a data directory or from a service.
//!
//! What surprises: CSV is read twice, because its head names what is met last as well as first. A directory is one moment; a running service is
//! asked page by page, and an item that changes meanwhile is as it was when its page was asked for.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::{Args, FromArgMatches};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::directory::{DirectoryArgs, asked_wrongly, collection_name};
use super::output::Output;
use super::query::cursor_of;
use super::remote::{Refusal, Remote, RemoteArgs, RemoteError, escaped};
use super::{Command, Failure, tell};
use crate::engine::{CollectionName, Engine, Settings};
use crate::format::csv::Sheet;
use crate::format::{Row, reader_for_file};
use crate::http::Question;

/// The registered command.
pub(super) const EXPORT: Command = Command {
    name: "export",
    summary: "Write a collection as CSV, NDJSON or GeoJSON that comes back to the bit",
    define: Export::augment_args,
    run: |matches| export(&Export::from_arg_matches(matches).expect("matched by its own parser")),
};

/// Items that a service is asked for at once; fewer where their properties are long.
const PAGE: usize = 10_000;

#[derive(Debug, Args)]
struct Export {
    /// The collection
    #[arg(long, short, default_value = CollectionName::DEFAULT, value_parser = collection_name)]
    collection: CollectionName,
    /// Only items with such properties, as in 'population > 100000'
    #[arg(long, value_name = "CQL2")]
    filter: Option<String>,
    /// Only items in this box: west,south,east,north
    #[arg(long, value_name = "W,S,E,N")]
    bbox: Option<String>,
    /// The format [default: by the name of the file, otherwise ndjson]
    #[arg(long, short, value_parser = FORMS.iter().map(|form| form.name).collect::<Vec<_>>())]
    format: Option<String>,
    /// Where to write it, compressed where the name ends in .gz; - is standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    #[command(flatten)]
    directory: DirectoryArgs,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// A format of files.
struct Form {
    name: &'static str,
    /// Whether all items are met before the first is written.
    needs_columns: bool,
    begin: fn(&Sheet, &mut Vec<u8>),
    between: &'static str,
    write: fn(&Sheet, &Row<'_>, &mut Vec<u8>),
    end: &'static str,
}

/// Every format of files, each of which is read back by the reader of the same name.
static FORMS: &[Form] = &[
    Form {
        name: "ndjson",
        needs_columns: false,
        begin: |_, _| {},
        between: "",
        write: |_, row, out| row.write_line(out),
        end: "",
    },
    Form {
        name: "csv",
        needs_columns: true,
        begin: |sheet, out| sheet.write_head(out),
        between: "",
        write: |sheet, row, out| sheet.write_row(out, row),
        end: "",
    },
    Form {
        name: "geojson",
        needs_columns: false,
        begin: |_, out| out.extend_from_slice(b"{\"type\":\"FeatureCollection\",\"features\":[\n"),
        between: ",\n",
        write: |_, row, out| row.write_feature(out),
        end: "\n]}\n",
    },
];

/// Where items come from.
enum Source {
    Directory(Engine),
    Service(Remote),
}

/// What is done with each item, and what that came to.
type Each<'a> = dyn FnMut(&Row<'_>) -> Result<(), Failure> + 'a;

fn export(asked: &Export) -> Result<(), Failure> {
    let form = form(asked)?;
    let source = match asked.remote.service()? {
        Some(remote) => Source::Service(remote),
        None => Source::Directory(asked.directory.open(Settings::default())?),
    };
    let mut sheet = Sheet::default();
    if form.needs_columns {
        source.each(asked, &mut |row| {
            sheet.meet(row);
            Ok(())
        })?;
        if let Source::Service(_) = source {
            sheet.expect_anything(); // it may have changed by the time it is read again
        }
    }
    let mut out = Output::open(Some(&asked.output))?;
    let (mut text, mut items) = (Vec::new(), 0_u64);
    (form.begin)(&sheet, &mut text);
    source.each(asked, &mut |row| {
        if items > 0 {
            text.extend_from_slice(form.between.as_bytes());
        }
        items += 1;
        (form.write)(&sheet, row, &mut text);
        out.write(&text)?;
        text.clear();
        Ok(())
    })?;
    text.extend_from_slice(form.end.as_bytes());
    out.write(&text)?;
    out.finish()?;
    if asked.output != Path::new("-") && std::io::stderr().is_terminal() {
        tell(format_args!("{items} items of {} are in {}", asked.collection, asked.output.display()));
    }
    Ok(())
}

/// The format that is asked for, or that the name of the file says.
fn form(asked: &Export) -> Result<&'static Form, Failure> {
    let by_name = |name: &str| FORMS.iter().find(|form| form.name == name);
    if let Some(form) = asked.format.as_deref().and_then(by_name) {
        return Ok(form);
    }
    if asked.output == Path::new("-") {
        return Ok(&FORMS[0]);
    }
    let file = asked.output.file_name().unwrap_or_default().to_string_lossy();
    // How it is packed stands last; whether we pack so is seen when the file is opened.
    let plain = [".gz", ".zst"].iter().find_map(|ending| file.strip_suffix(ending)).unwrap_or(&file);
    reader_for_file(plain).and_then(|reader| by_name(reader.name)).ok_or_else(|| {
        let known: Vec<&str> = FORMS.iter().map(|form| form.name).collect();
        Failure::Usage(format!(
            "the name {file} does not say which format it is to have; --format takes {}",
            known.join(", ")
        ))
    })
}

impl Source {
    /// Hands on every item that is asked for, in the order of ids.
    fn each(&self, asked: &Export, each: &mut Each<'_>) -> Result<(), Failure> {
        match self {
            Source::Directory(engine) => of_directory(engine, asked, each),
            Source::Service(remote) => of_service(remote, asked, each),
        }
    }
}

/// The conditions, as a query string has them.
fn conditions(asked: &Export) -> Vec<(&'static str, &str)> {
    let bbox = asked.bbox.as_deref().map(|bbox| ("bbox", bbox.trim()));
    bbox.into_iter().chain(asked.filter.as_deref().map(|filter| ("filter", filter))).collect()
}

fn of_directory(engine: &Engine, asked: &Export, each: &mut Each<'_>) -> Result<(), Failure> {
    let name = &asked.collection;
    let view = engine.view(name).map_err(asked_wrongly)?;
    let question = Question::read_alone(&conditions(asked), &view);
    let query =
        question.map_err(|problem| Failure::from(RemoteError::Refused(Box::new(Refusal::read(&problem)))))?.query;
    let (mut done, mut seen) = (0, None);
    // A file that turns out damaged is made anew, and the items are met again from the first.
    let handed_on = engine.reading(name, |snapshot| {
        if *seen.get_or_insert(snapshot.seq()) != snapshot.seq() {
            let reason = format!("{name} changed while it was read, and has to be read from its beginning; ask again");
            return Ok(Err(Failure::Failed(reason)));
        }
        let items = snapshot.items().filter(|item| query.holds(item)).skip(done);
        for item in items {
            if let Err(failure) = each(&Row::of(&item)) {
                return Ok(Err(failure));
            }
            done += 1;
        }
        Ok(Ok(()))
    });
    handed_on.map_err(asked_wrongly)?
}

/// A page of items as the service writes it.
#[derive(Deserialize)]
struct Page {
    next: Option<String>,
    items: Vec<Box<RawValue>>,
}

fn of_service(remote: &Remote, asked: &Export, each: &mut Each<'_>) -> Result<(), Failure> {
    let mut conditions: Vec<String> =
        conditions(asked).iter().map(|(name, value)| format!("&{name}={}", escaped(value))).collect();
    let (mut limit, mut cursor) = (PAGE, String::new());
    conditions.sort(); // the same question for the same conditions
    loop {
        let after = if cursor.is_empty() { String::new() } else { format!("&cursor={cursor}") };
        let target =
            format!("/collections/{}/items?f=json&limit={limit}{}{after}", asked.collection, conditions.concat());
        let answer = match remote.get(&target) {
            // A page of long properties has fewer of them.
            Err(RemoteError::Refused(refusal)) if refusal.code == "too-costly" && limit > 1 => {
                limit /= 2;
                continue;
            }
            answer => answer?,
        };
        let page: Page = answer.json()?;
        for item in &page.items {
            let row = Row::from_json(item.get());
            each(&row.map_err(|error| Failure::Failed(format!("the service answers with what is no item: {error}")))?)?;
        }
        match page.next {
            Some(link) => cursor = cursor_of(&link).to_owned(),
            None => return Ok(()),
        }
    }
}
