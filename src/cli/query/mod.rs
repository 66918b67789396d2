//! `nigh query`: what is near, within, in a box, or all of that together, from a data directory without a server or from a service.
//!
//! What surprises: the subcommands are one. Each makes of its one argument what an option of `search` would say, and every other condition goes
//! with any of them.

mod conditions;
mod shown;
mod source;

use std::path::PathBuf;

use clap::{Args, FromArgMatches, Subcommand};

use self::conditions::{Conditions, position};
use self::source::Source;
use super::directory::{DirectoryArgs, collection_name};
use super::output::{self, Output};
use super::remote::RemoteArgs;
use super::{Command, Failure, tell};
use crate::engine::{CollectionName, Settings};

pub(super) use source::cursor_of;

/// The registered command.
pub(super) const QUERY: Command = Command {
    name: "query",
    summary: "Ask a data directory, or a service, what is near, within, or in a box",
    define: Asked::augment_args,
    run: |matches| query(Asked::from_arg_matches(matches).expect("matched by its own parser")),
};

#[derive(Debug, Args)]
struct Asked {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// What is near a place, nearest first; the ten nearest where nothing says how far or how many
    Near {
        /// The place in degrees
        #[arg(value_name = "LAT,LON", value_parser = position)]
        place: (String, String),
        #[command(flatten)]
        rest: Rest,
    },
    /// What is within a polygon
    Within {
        /// The polygon as GeoJSON, or a file of it; - reads standard input
        #[arg(value_name = "GEOJSON|FILE")]
        polygon: String,
        #[command(flatten)]
        rest: Rest,
    },
    /// What is in a box
    Bbox {
        /// The sides of the box; west beyond east crosses the antimeridian
        #[arg(value_name = "W,S,E,N")]
        sides: String,
        #[command(flatten)]
        rest: Rest,
    },
    /// Any combination of conditions, or everything
    Search {
        /// Round this place, nearest first
        #[arg(long, value_name = "LAT,LON", value_parser = position)]
        near: Option<(String, String)>,
        #[command(flatten)]
        rest: Rest,
    },
}

#[derive(Debug, Args)]
struct Rest {
    /// The collection
    #[arg(long, short, default_value = CollectionName::DEFAULT, value_parser = collection_name)]
    collection: CollectionName,
    #[command(flatten)]
    conditions: Conditions,
    /// How to write the answer [default: a table on a terminal, otherwise ndjson]
    #[arg(long, short, value_parser = shown::names())]
    format: Option<String>,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Where to write it, compressed where the name ends in .gz; - is standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    directory: DirectoryArgs,
    #[command(flatten)]
    remote: RemoteArgs,
}

fn query(asked: Asked) -> Result<(), Failure> {
    let (near, mut rest) = match asked.question {
        Question::Near { place, rest } => (Some(place), rest),
        Question::Search { near, rest } => (near, rest),
        Question::Within { polygon, mut rest } => {
            once(rest.conditions.within.replace(polygon), "--within")?;
            (None, rest)
        }
        Question::Bbox { sides, mut rest } => {
            let sides = conditions::numbers(&sides).map_err(|error| Failure::Usage(format!("{sides:?}: {error}")))?;
            once(rest.conditions.bbox.replace(sides), "--bbox")?;
            (None, rest)
        }
    };
    let path = rest.output.take();
    let wanted = if rest.json { Some("json") } else { rest.format.as_deref() };
    let shown = shown::chosen(wanted, path.as_deref());
    let pairs = rest.conditions.pairs(near)?;
    let source = match rest.remote.service()? {
        Some(remote) => Source::Service(remote),
        None => Source::Directory(rest.directory.open(Settings::default())?),
    };
    let mut page = source.ask(&rest.collection, &pairs)?;
    let in_colour = output::in_colour(path.as_deref());
    let mut writer = (shown.begin)(Output::open(path.as_deref())?, page.matched, in_colour)?;
    let mut returned = 0;
    loop {
        returned += page.items.len() as u64;
        writer.page(&page.items)?;
        match &page.next {
            Some(cursor) if rest.conditions.all => page = source.ask(&rest.collection, &pairs.after(cursor))?,
            _ => break,
        }
    }
    let more = page.matched.saturating_sub(returned);
    let end = shown::End { matched: page.matched, returned, next: page.next, explain: page.explain };
    let tells_itself = shown.tells_the_end;
    writer.finish(&end)?;
    if !tells_itself {
        if let Some(explain) = &end.explain {
            tell(format_args!("{explain}"));
        }
        if let (Some(next), true) = (&end.next, more > 0) {
            tell(format_args!(
                "{returned} of {} shown; --all gives all of them, --cursor {next} the next",
                end.matched
            ));
        }
    }
    Ok(())
}

/// Refuses a place that is given as the argument and again as an option.
fn once(before: Option<String>, option: &str) -> Result<(), Failure> {
    match before {
        None => Ok(()),
        Some(_) => Err(Failure::Usage(format!("{option} is given twice: the subcommand says it already"))),
    }
}
