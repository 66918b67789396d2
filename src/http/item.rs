//! One item by its id: read, put, changed, removed.
//!
//! What surprises: a change of some members is a whole `PUT` behind the scenes, on the condition that nobody else put the item
//! meanwhile; if somebody did, it is made anew from what is there now, and after a few times by the thread that writes. What the change does not name keeps its text.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde::Serialize;
use tokio::sync::oneshot;

use super::arrival::Arrival;
use super::error::{Code, Refusal};
use super::params::Params;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, Handler, Route};
use super::{accept, moment, patch, question, tag};
use crate::collection::{Change, Id, Item, Outcome, Snapshot};
use crate::engine::{CollectionName, Condition, EngineError, Submission, Submitted, View, Write};
use crate::format::{FORMATS, Incoming, read_item};
use crate::query::AnswerHit;

/// How often a change of some members is tried beside others, who may change the item meanwhile; then it is made in turn.
const TRIES: usize = 4;

const PATH: &str = "/collections/{c}/items/{id}";

/// The operation.
pub(super) const READ: Route = Route {
    method: "GET",
    path: PATH,
    summary: "one item",
    parameters: &["fields", "min_seq", "f"],
    access: Access::Read,
    answer: Handler::Now(read),
};

/// The operation.
pub(super) const PUT: Route = Route {
    method: "PUT",
    path: PATH,
    summary: "put an item, in place of one with the same id",
    parameters: &[],
    access: Access::Write,
    answer: Handler::Later(|arrival| Box::pin(put(arrival))),
};

/// The operation.
pub(super) const PATCH: Route = Route {
    method: "PATCH",
    path: PATH,
    summary: "change some members of an item, by JSON merge patch",
    parameters: &[],
    access: Access::Write,
    answer: Handler::Later(|arrival| Box::pin(change(arrival))),
};

/// The operation.
pub(super) const DELETE: Route = Route {
    method: "DELETE",
    path: PATH,
    summary: "remove an item",
    parameters: &[],
    access: Access::Write,
    answer: Handler::Later(|arrival| Box::pin(remove(arrival))),
};

/// What became of an item.
#[derive(Serialize)]
struct Put<'a> {
    id: &'a str,
    created: bool,
    seq: u64,
    moment: String,
}

fn read(request: &Request<'_>) -> Result<Reply, Refusal> {
    let params = request.params()?;
    let format = accept::format(request, &params)?;
    let (name, id) = (request.collection()?, request.id()?);
    let View { number, snapshot, .. } = request.view(&name, &params)?;
    let item = snapshot.get(id.as_str()).ok_or_else(|| no_item(&id, &name))?;
    let shown = shown(&params, format.name);
    let tag = tag::of_item(number, item.seq, &shown);
    if tag::client_has(request, &tag) {
        return Ok(Reply::nothing(StatusCode::NOT_MODIFIED).header(header::ETAG, &tag));
    }
    let mut body = Vec::new();
    (format.write_item)(&mut body, &AnswerHit { distance_m: None, item }, &question::fields(&params));
    Ok(Reply::new(format.media_type, body).header(header::ETAG, &tag).header(header::VARY, "accept"))
}

/// What chooses how an item is shown: nothing for the common way.
fn shown(params: &Params<'_>, format: &str) -> String {
    match (params.given("fields"), format == FORMATS[0].name) {
        (None, true) => String::new(),
        (fields, _) => format!("{format} {fields:?}"),
    }
}

pub(super) fn no_item(id: &Id, name: &CollectionName) -> Refusal {
    Refusal::new(Code::ItemNotFound, format!("there is no item {:?} in {name}", id.as_str())).value(id.as_str())
}

/// An item as a body has it, under the id of the path.
fn item_of(body: &[u8], id: &Id) -> Result<Item, Refusal> {
    let Incoming { id: own, point, properties, expires } = read_item(body)?;
    if let Some(own) = own.filter(|own| own != id) {
        return Err(Refusal::new(
            Code::BadItem,
            format!("the path names {:?} and the body {:?}", id.as_str(), own.as_str()),
        )
        .at("id")
        .value(own.as_str())
        .hint("leave the id out of the body, or write the same"));
    }
    let item = Item::new(id.clone(), point).with_properties(properties);
    Ok(match expires.at_ms(now_ms()) {
        Some(at_ms) => item.expiring_at(at_ms),
        None => item,
    })
}

/// The wall clock: it turns durations into moments, and decides no order.
pub(super) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or_else(|before| -(before.duration().as_millis() as i64), |after| after.as_millis() as i64)
}

/// The condition of a request on an item, whose collection may not be there.
fn condition(request: &Request<'_>, name: &CollectionName) -> Result<Condition, Refusal> {
    tag::condition(request, request.engine.number_of(name).ok())
}

async fn put(mut arrival: Arrival) -> Result<HttpResponse, Refusal> {
    let body = arrival.json_body().await?;
    let request = arrival.request(&body);
    request.params()?;
    let (name, id) = (request.collection()?, request.id()?);
    let condition = condition(&request, &name)?;
    let write = Write { change: Change::Put(item_of(&body, &id)?), condition };
    let submitted = arrival.submit(&name, write).await?;
    Ok(put_reply(&arrival, &id, &submitted).into_response())
}

fn put_reply(arrival: &Arrival, id: &Id, submitted: &Submitted) -> Reply {
    let created = submitted.outcomes.first() == Some(&Outcome::Created);
    let Submitted { seq, number, .. } = *submitted;
    let reply = Reply::json(&Put { id: id.as_str(), created, seq, moment: moment::written(number, seq) });
    let reply = reply.header(header::ETAG, &tag::of_item(number, seq, ""));
    match created {
        true => reply.status(StatusCode::CREATED).header(header::LOCATION, arrival.http.uri().path()),
        false => reply,
    }
}

async fn change(mut arrival: Arrival) -> Result<HttpResponse, Refusal> {
    let body = arrival.json_body().await?;
    let request = arrival.request(&body);
    request.params()?;
    let (name, id) = (request.collection()?, request.id()?);
    let wanted = condition(&request, &name)?;
    for _ in 0..TRIES {
        let write = arrival.engine.reading(&name, |snapshot| Ok(changed(snapshot, &body, &name, &id, wanted)))??;
        match arrival.submit(&name, write).await {
            Err(refusal) if refusal.code == Code::PreconditionFailed => {}
            made => return Ok(put_reply(&arrival, &id, &made?).into_response()),
        }
    }
    let (tell, told) = oneshot::channel();
    let (of, own) = (name.clone(), id.clone());
    let decide = move |snapshot: &Arc<Snapshot>| changed(snapshot, &body, &of, &own, wanted).map(Submission::from);
    arrival.engine.submit_in_turn(&name, decide, move |made| drop(tell.send(made)))?;
    let made = told.await.unwrap_or_else(|_| Err(EngineError::Closed.into()))?;
    Ok(put_reply(&arrival, &id, &made).into_response())
}

fn wanted_holds(wanted: Condition, seq: u64) -> bool {
    match wanted {
        Condition::Version(version) => version == seq,
        Condition::Absent => false,
        Condition::Always | Condition::Present => true,
    }
}

/// The item as the change makes it of what is there now, on the condition that it still is when the change is made.
fn changed(
    snapshot: &Snapshot,
    body: &[u8],
    name: &CollectionName,
    id: &Id,
    wanted: Condition,
) -> Result<Write, Refusal> {
    let item = snapshot.get(id.as_str()).ok_or_else(|| no_item(id, name))?;
    if !wanted_holds(wanted, item.seq) {
        return Err(EngineError::Condition { id: id.clone(), condition: wanted, present: Some(item.seq) }.into());
    }
    let change = Change::Put(patch::patched(&item, body)?.into_item(id.clone(), now_ms()));
    Ok(Write { change, condition: Condition::Version(item.seq) })
}

async fn remove(arrival: Arrival) -> Result<HttpResponse, Refusal> {
    let request = arrival.request(b"");
    request.params()?;
    let (name, id) = (request.collection()?, request.id()?);
    let number = request.engine.number_of(&name)?;
    let condition = match tag::condition(&request, Some(number))? {
        Condition::Always => Condition::Present,
        other => other,
    };
    let write = Write { change: Change::Remove(id.clone()), condition };
    match arrival.submit(&name, write).await {
        Err(refusal) if refusal.code == Code::PreconditionFailed && condition == Condition::Present => {
            Err(no_item(&id, &name))
        }
        removed => {
            let Submitted { seq, number, .. } = removed?;
            Ok(Reply::nothing(StatusCode::NO_CONTENT)
                .header(header::HeaderName::from_static("nigh-seq"), &seq.to_string())
                .header(header::HeaderName::from_static("nigh-moment"), &moment::written(number, seq))
                .into_response())
        }
    }
}
