//! Whom a question goes to: a data directory that is opened here, or a service.
//!
//! What surprises: both give the same texts. Items are compact JSON either way, and whatever is shown is made from that.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::conditions::Pairs;
use crate::cli::Failure;
use crate::cli::directory::asked_wrongly;
use crate::cli::remote::{Refusal, Remote, RemoteError, Sent};
use crate::engine::{CollectionName, Engine};
use crate::format::{FORMATS, Format, write_explain};
use crate::http::Question;

/// Who answers.
pub(super) enum Source {
    Directory(Engine),
    Service(Remote),
}

/// A page of answers.
pub(super) struct Page {
    /// Items as compact JSON, in order.
    pub(super) items: Vec<Box<str>>,
    /// How many match, on all pages together.
    pub(super) matched: u64,
    /// The cursor of the next page, if there is one.
    pub(super) next: Option<String>,
    /// What it took, as JSON, where that was asked for.
    pub(super) explain: Option<String>,
}

/// A page as the service writes it.
#[derive(Deserialize)]
struct Compact {
    matched: u64,
    next: Option<String>,
    explain: Option<Box<RawValue>>,
    items: Vec<Box<RawValue>>,
}

impl Source {
    pub(super) fn ask(&self, name: &CollectionName, pairs: &Pairs) -> Result<Page, Failure> {
        match self {
            Source::Directory(engine) => in_directory(engine, name, pairs),
            Source::Service(remote) => of_service(remote, name, pairs),
        }
    }
}

fn in_directory(engine: &Engine, name: &CollectionName, pairs: &Pairs) -> Result<Page, Failure> {
    let view = engine.view(name).map_err(asked_wrongly)?;
    let question = Question::read_alone(&pairs.as_texts(), &view).map_err(|problem| {
        let refusal = serde_json::from_slice::<Refusal>(&problem).unwrap_or_default();
        Failure::from(RemoteError::Refused(Box::new(refusal)))
    })?;
    let page = engine.reading(name, |snapshot| {
        let answer = question.query.run(snapshot)?;
        let text = |bytes| String::from_utf8(bytes).expect("answers are text");
        let mut took = Vec::new();
        write_explain(&mut took, &answer.explain);
        let item = |hit| {
            let mut out = Vec::new();
            (compact().write_item)(&mut out, &hit, &question.fields);
            text(out).into_boxed_str()
        };
        Ok(Page {
            items: answer.hits().map(item).collect(),
            matched: answer.matched,
            next: question.next(&answer, &view),
            explain: question.explain.then(|| text(took)),
        })
    });
    page.map_err(asked_wrongly)
}

fn compact() -> &'static Format {
    FORMATS.iter().find(|format| format.name == "json").expect("compact JSON is in the list")
}

fn of_service(remote: &Remote, name: &CollectionName, pairs: &Pairs) -> Result<Page, Failure> {
    let body = pairs.to_body()?;
    let json = [("content-type", "application/json")];
    let answer = remote.ask("POST", &format!("/collections/{name}/search?f=json"), &json, Sent::Bytes(&body))?;
    let Compact { matched, next, explain, items } = answer.json()?;
    Ok(Page {
        items: items.into_iter().map(Box::<str>::from).collect(),
        matched,
        next: next.map(|link| cursor_of(&link).to_owned()),
        explain: explain.map(|explain| explain.get().to_owned()),
    })
}

/// The cursor in the link to a page.
pub(in crate::cli) fn cursor_of(link: &str) -> &str {
    link.rsplit_once("cursor=").map_or(link, |(_, rest)| rest.split('&').next().unwrap_or_default())
}
