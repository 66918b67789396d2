//! How answers are written for whoever asked on the command line.
//!
//! # Adding one
//!
//! A type that is a [`Writer`], and a constant of type [`Shown`] in the list. Choices and help loop over it.

use std::path::Path;

use crate::cli::Failure;
use crate::cli::output::{self, Output};
use crate::cli::table::Table;
use crate::format::Row;
use crate::format::csv::Sheet;

/// Every way, in the order people should meet them.
static SHOWN: &[Shown] = &[
    Shown {
        name: "table",
        tells_the_end: true,
        begin: |out, _, colour| Ok(Box::new(People { out, rows: Vec::new(), colour })),
    },
    Shown { name: "ndjson", tells_the_end: false, begin: |out, _, _| Ok(Box::new(Lines { out })) },
    Shown { name: "json", tells_the_end: true, begin: begin_json },
    Shown { name: "geojson", tells_the_end: true, begin: begin_geojson },
    Shown { name: "csv", tells_the_end: false, begin: |out, _, _| Ok(Box::new(Csv { out, rows: Vec::new() })) },
];

/// Begins to write answers.
type Begin = fn(Output, u64, bool) -> Result<Box<dyn Writer>, Failure>;

/// A way to write answers.
pub(super) struct Shown {
    name: &'static str,
    /// Whether it says itself how many there are and what it took.
    pub(super) tells_the_end: bool,
    /// Begins with how many match, and whether people want colours.
    pub(super) begin: Begin,
}

/// What is known once all is asked.
pub(super) struct End {
    pub(super) matched: u64,
    pub(super) returned: u64,
    pub(super) next: Option<String>,
    pub(super) explain: Option<String>,
}

/// Writes pages of items.
pub(super) trait Writer {
    fn page(&mut self, items: &[Box<str>]) -> Result<(), Failure>;
    fn finish(self: Box<Self>, end: &End) -> Result<(), Failure>;
}

pub(super) fn names() -> clap::builder::PossibleValuesParser {
    SHOWN.iter().map(|shown| shown.name).collect::<Vec<_>>().into()
}

/// The one that was asked for, or that a file's name says, or that suits who reads it.
pub(super) fn chosen(name: Option<&str>, path: Option<&Path>) -> &'static Shown {
    let by_name = |name: &str| SHOWN.iter().find(|shown| shown.name == name);
    let by_file = || {
        let file = path?.file_name()?.to_str()?;
        let file = file.strip_suffix(".gz").unwrap_or(file);
        by_name(crate::format::reader_for_file(file)?.name)
    };
    let usual = if output::for_people(path) { "table" } else { "ndjson" };
    name.and_then(by_name).or_else(by_file).or_else(|| by_name(usual)).expect("the usual ones are in the list")
}

fn row(item: &str) -> Result<Row<'_>, Failure> {
    Row::from_json(item).map_err(|error| Failure::Failed(format!("the answer holds what is no item: {error}")))
}

/// Something as JSON, or `null`.
fn or_null(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), |text| serde_json::Value::from(text).to_string())
}

/// One item a line.
struct Lines {
    out: Output,
}

impl Writer for Lines {
    fn page(&mut self, items: &[Box<str>]) -> Result<(), Failure> {
        for item in items {
            // Between members a line break is worth a space, and inside a text of JSON there is none.
            self.out.write(item.replace(['\n', '\r'], " ").as_bytes())?;
            self.out.write(b"\n")?;
        }
        self.out.flush()
    }

    fn finish(self: Box<Self>, _: &End) -> Result<(), Failure> {
        self.out.finish()
    }
}

/// One JSON document of items, with what is known in front of them and behind.
struct Document {
    out: Output,
    any: bool,
    write: fn(&Row<'_>, &mut Vec<u8>),
    end: fn(&End) -> String,
}

fn begin_json(mut out: Output, matched: u64, _: bool) -> Result<Box<dyn Writer>, Failure> {
    out.write(format!(r#"{{"matched":{matched},"items":["#).as_bytes())?;
    let end = |end: &End| {
        let explain = end.explain.as_ref().map(|explain| format!(r#","explain":{explain}"#)).unwrap_or_default();
        format!("],\"returned\":{},\"next\":{}{explain}}}\n", end.returned, or_null(end.next.as_deref()))
    };
    Ok(Box::new(Document { out, any: false, write: |row, text| row.write_json(text), end }))
}

fn begin_geojson(mut out: Output, matched: u64, _: bool) -> Result<Box<dyn Writer>, Failure> {
    out.write(format!(r#"{{"type":"FeatureCollection","numberMatched":{matched},"features":["#).as_bytes())?;
    let end = |end: &End| {
        let explain = end.explain.as_ref().map(|explain| format!(r#","explain":{explain}"#)).unwrap_or_default();
        format!("],\"numberReturned\":{}{explain}}}\n", end.returned)
    };
    Ok(Box::new(Document { out, any: false, write: |row, text| row.write_feature(text), end }))
}

impl Writer for Document {
    fn page(&mut self, items: &[Box<str>]) -> Result<(), Failure> {
        let mut text = Vec::new();
        for item in items {
            text.extend_from_slice(if self.any { b",\n" } else { b"\n" });
            self.any = true;
            (self.write)(&row(item)?, &mut text);
        }
        self.out.write(&text)
    }

    fn finish(mut self: Box<Self>, end: &End) -> Result<(), Failure> {
        let text = (self.end)(end);
        self.out.write(text.as_bytes())?;
        self.out.finish()
    }
}

/// A sheet, whose columns are known when all rows are.
struct Csv {
    out: Output,
    rows: Vec<Box<str>>,
}

impl Writer for Csv {
    fn page(&mut self, items: &[Box<str>]) -> Result<(), Failure> {
        self.rows.extend_from_slice(items);
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &End) -> Result<(), Failure> {
        let (mut sheet, mut text) = (Sheet::default(), Vec::new());
        let rows = self.rows.iter().map(|item| row(item)).collect::<Result<Vec<_>, _>>()?;
        rows.iter().for_each(|row| sheet.meet(row));
        sheet.write_head(&mut text);
        rows.iter().for_each(|row| sheet.write_row(&mut text, row));
        self.out.write(&text)?;
        self.out.finish()
    }
}

/// A table for people, and what there is to say about it.
struct People {
    out: Output,
    rows: Vec<Box<str>>,
    colour: bool,
}

impl Writer for People {
    fn page(&mut self, items: &[Box<str>]) -> Result<(), Failure> {
        self.rows.extend_from_slice(items);
        Ok(())
    }

    fn finish(mut self: Box<Self>, end: &End) -> Result<(), Failure> {
        let rows = self.rows.iter().map(|item| row(item)).collect::<Result<Vec<_>, _>>()?;
        let table = Table::of_rows(&rows);
        self.out.write(table.to_text(self.colour).as_bytes())?;
        let some = end.returned < end.matched;
        let sum = match end.matched {
            0 => "nothing matches\n".to_owned(),
            matched if some && end.next.is_some() => {
                format!("{} of {matched}; --all shows all of them\n", end.returned)
            }
            _ => String::new(),
        };
        self.out.write(sum.as_bytes())?;
        if let Some(explain) = &end.explain {
            self.out.write(format!("{explain}\n").as_bytes())?;
        }
        self.out.finish()
    }
}
