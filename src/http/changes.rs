//! The changes of a collection as they happen, all of them or those that cross a fence.
//!
//! ```text
//! log ─▶ a piece at a time, when the client has taken the last ─▶ SSE or NDJSON
//!           nothing new: a sign of life every now and then
//! ```
//!
//! What surprises: nothing is buffered for a client. A stream is a number in the log; one that is slow is simply further back, and one
//! that breaks off goes on from the last number it saw. Only when the log no longer goes back that far there is an end, and the last
//! event says from where to go on.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::http::{Method, header};
use actix_web::rt::task::spawn_blocking;
use actix_web::rt::time::timeout;
use actix_web::web::Bytes;
use futures_util::stream::unfold;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, watch};

use super::arrival::Arrival;
use super::body;
use super::error::{Code, Refusal};
use super::gate::Room;
use super::moment;
use super::moment::Moment;
use super::params::{Params, choice, missing};
use super::question;
use super::request::Request;
use super::routes::{Access, Handler, Route};
use crate::engine::{Engine, EngineError, FollowError, Follower, Watcher};
use crate::format::{events, parse_duration};
use crate::query::{Budget, Fence};

/// Changes that are read from the log at once.
const PIECE: usize = 256;

/// Items of the first list of a fence that are read at once. Each part of it is a search of its own, so few large ones cost less than
/// many small ones.
const LIST: usize = 10_000;

/// Changes that are read where the client is served; more are read where waiting for the disk hurts nobody.
const FEW: u64 = 32;

/// How long a stream is silent at most.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

const PATH: &str = "/collections/{c}/changes";

/// What makes a stream a fence.
const PLACES: &[&str] = &["lat", "bbox", "geohash", "within"];

/// What a body may say of a fence.
pub const FENCE_MEMBERS: &[&str] = &["near", "radius", "metric", "bbox", "geohash", "within", "edges"];

/// The operation.
pub(super) const CHANGES: Route = Route {
    method: "GET",
    path: PATH,
    summary: "changes as they happen, or what crosses a fence: server-sent events or NDJSON, to be resumed by number",
    parameters: &[
        "since", "wait", "limit", "lat", "lon", "radius", "metric", "bbox", "geohash", "within", "edges", "f",
    ],
    access: Access::Read,
    answer: Handler::Later(|arrival| Box::pin(follow(arrival))),
};

/// The operation with the fence in a body.
pub(super) const WATCH: Route = Route {
    method: "POST",
    path: PATH,
    summary: "what crosses a fence whose area stands in the body",
    parameters: &["since", "wait", "limit", "f"],
    access: Access::Read,
    answer: Handler::Later(|arrival| Box::pin(watch_fence(arrival))),
};

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// With ids that hold the number of the collection, so that one made anew under its name is not taken for it.
    Sse(u32),
    Ndjson,
}

impl Form {
    fn media_type(self) -> &'static str {
        match self {
            Form::Sse(_) => "text/event-stream",
            Form::Ndjson => "application/x-ndjson",
        }
    }

    /// Appends an event; `seq` is where to resume after it.
    fn write(self, out: &mut Vec<u8>, seq: Option<u64>, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        if let Form::Sse(collection) = self {
            if let Some(seq) = seq {
                out.extend_from_slice(format!("id: {}\n", moment::written(collection, seq)).as_bytes());
            }
            out.extend_from_slice(format!("event: {name}\ndata: ").as_bytes());
        }
        write(out);
        out.extend_from_slice(if self == Form::Ndjson { b"\n" } else { b"\n\n" });
    }
}

async fn follow(arrival: Arrival) -> Result<HttpResponse, Refusal> {
    let request = arrival.request(b"");
    let params = request.params()?;
    let is_fence = PLACES.iter().any(|name| params.given(name).is_some());
    if !is_fence && ["lon", "radius", "metric", "edges"].iter().any(|name| params.given(name).is_some()) {
        return Err(missing("lat").hint("a fence needs lat, lon and radius, or bbox, geohash or within"));
    }
    stream(&arrival, &request, &params, is_fence)
}

async fn watch_fence(mut arrival: Arrival) -> Result<HttpResponse, Refusal> {
    let body = arrival.json_body().await?;
    let request = arrival.request(&body);
    let mut params = request.params()?;
    body::read_known(&body, FENCE_MEMBERS, &mut params)?;
    stream(&arrival, &request, &params, true)
}

fn stream(
    arrival: &Arrival,
    request: &Request<'_>,
    params: &Params<'_>,
    is_fence: bool,
) -> Result<HttpResponse, Refusal> {
    let name = request.collection()?;
    let number = arrival.engine.number_of(&name)?;
    let form = form(request, params, number)?;
    let since = since(request, params, number)?;
    let wait = params.read("wait", wait)?;
    let left = params.read("limit", question::limit)?.map_or(u64::MAX, |limit| limit.get() as u64);
    let engine = arrival.engine.clone();
    let source = if is_fence {
        let query = question::query(params, engine.metric_of(&name)?)?;
        let query = crate::query::Query { near: query.near.map(|near| near_without_k(near, params)), ..query };
        let fence = Fence::new(&query).map_err(|error| Refusal::new(Code::BadFence, error.to_string()))?;
        Source::Fence(Box::new(engine.watch(&name, fence, since)?))
    } else {
        let since = since.map_or_else(|| engine.snapshot(&name).map(|snapshot| snapshot.seq()), Ok)?;
        Source::All(engine.follow(&name, since)?)
    };
    if *arrival.http.method() == Method::HEAD {
        // There is nobody to tell anything: the stream would go on unheard, and nothing else on its connection would be answered.
        return Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, form.media_type())).finish());
    }
    let state = Stream {
        engine,
        _room: arrival.service.streams().enter(1)?,
        ending: arrival.service.ending(),
        longest: arrival.service.options().limits.query,
        lists: arrival.service.lists().clone(),
        turn: None,
        source: Some(source),
        form,
        wait,
        left,
        over: false,
    };
    let pieces = unfold(state, |mut state| async move {
        let piece = state.next().await?;
        Some((Ok::<Bytes, std::io::Error>(piece), state))
    });
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, form.media_type()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Proxies that gather answers would gather this one for ever.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(pieces))
}

/// A question without a radius means the nearest; a fence does not.
fn near_without_k(near: crate::query::Near, params: &Params<'_>) -> crate::query::Near {
    match params.given("k") {
        None => crate::query::Near { k: None, ..near },
        Some(_) => near,
    }
}

/// How long a stream stays open while nothing happens: not at all, or so long.
fn wait(text: &str) -> Result<Duration, Refusal> {
    if ["0", "0s"].contains(&text.trim()) {
        return Ok(Duration::ZERO);
    }
    parse_duration(text).map_err(|error| Refusal::new(Code::BadTime, error.to_string()).hint("write it as in wait=30s"))
}

fn form(request: &Request<'_>, params: &Params<'_>, collection: u32) -> Result<Form, Refusal> {
    let offered = [Form::Sse(collection), Form::Ndjson];
    let named = params.read("f", |text| choice(text, ["sse", "ndjson"].into_iter().zip(offered)))?;
    let accept = request.header(header::ACCEPT).unwrap_or_default();
    let range = |form: &Form| {
        let media_type = form.media_type();
        let kind = media_type.split('/').next().unwrap_or_default();
        let ranges = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
        ranges.into_iter().any(|range| range == media_type || range == "*/*" || range == format!("{kind}/*"))
    };
    match (named, accept.is_empty()) {
        (Some(form), _) => Ok(form),
        (None, true) => Ok(offered[0]),
        (None, false) => offered.into_iter().find(range).ok_or_else(|| {
            Refusal::new(Code::NotAcceptable, format!("no changes are written as {accept}"))
                .value(&accept)
                .hint("accept text/event-stream or application/x-ndjson, or leave it to f=")
        }),
    }
}

/// After which change the client wants to go on: where it stopped, when it comes again by itself.
fn since(request: &Request<'_>, params: &Params<'_>, collection: u32) -> Result<Option<u64>, Refusal> {
    let name = header::HeaderName::from_static("last-event-id");
    let Some(text) = request.header(name) else {
        return params.read("since", |text| Moment::read(text)?.seq_in(collection));
    };
    let blamed = |refusal: Refusal| refusal.at("last-event-id").value(&text);
    let moment = Moment::read(&text)
        .map_err(|_| blamed(Refusal::new(Code::BadHeader, "this is no id of an event of this collection")))?;
    moment.seq_in(collection).map(Some).map_err(blamed)
}

impl From<FollowError> for Refusal {
    fn from(error: FollowError) -> Refusal {
        match error {
            FollowError::Trimmed { oldest, .. } => Refusal::new(Code::ChangesGone, error.to_string())
                .at("since")
                .hint(format!("read the collection anew, and go on with since={oldest} or later")),
            FollowError::Ahead { head, .. } => Refusal::new(Code::NumberOutOfRange, error.to_string())
                .at("since")
                .hint(format!("the last change is {head}; was the service restored from a backup?")),
            FollowError::Dropped { name } => Refusal::new(Code::CollectionNotFound, format!("{name} was dropped")),
            FollowError::Engine(error) => error.into(),
            other => EngineError::ReadOnly { reason: other.to_string() }.into(),
        }
    }
}

/// Where events come from.
enum Source {
    All(Follower),
    Fence(Box<Watcher>),
}

impl Source {
    fn seq(&self) -> Option<u64> {
        match self {
            Source::All(follower) => Some(follower.seq()),
            Source::Fence(watcher) => watcher.resume(),
        }
    }

    /// How many changes there are to read; a list that is not at its end is many.
    fn behind(&self) -> u64 {
        match self {
            Source::All(follower) => follower.behind(),
            Source::Fence(watcher) => watcher.behind(),
        }
    }

    async fn moved(&self) {
        match self {
            Source::All(follower) => follower.moved().await,
            Source::Fence(watcher) => watcher.moved().await,
        }
    }

    /// Whether what comes next is a part of a list, which takes a search.
    fn is_listing(&self) -> bool {
        matches!(self, Source::Fence(watcher) if watcher.is_listing())
    }

    /// Writes the next events, and says how many. No part of a list may take longer than a question.
    fn write(
        &mut self,
        engine: &Engine,
        form: Form,
        most: usize,
        longest: Duration,
    ) -> Result<(Vec<u8>, u64), FollowError> {
        let mut out = Vec::new();
        match self {
            Source::All(follower) => {
                let found = follower.next(most)?;
                for event in &found {
                    let name = events::change_name(&event.what);
                    form.write(&mut out, Some(event.seq), name, |out| events::write_change(out, event));
                }
                Ok((out, found.len() as u64))
            }
            Source::Fence(watcher) => {
                let found = engine
                    .healing(|| watcher.next_within(most, &Budget::unlimited().until(Instant::now() + longest)))??;
                for event in &found {
                    let name = events::sighting_name(&event.what);
                    form.write(&mut out, event.resume, name, |out| events::write_sighting(out, event));
                }
                Ok((out, found.len() as u64))
            }
        }
    }
}

/// The wait for a turn to make a part of a list.
type Turn = dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>>;

/// A stream that is open.
struct Stream {
    engine: Arc<Engine>,
    /// Away while it is being read from on another thread.
    source: Option<Source>,
    form: Form,
    /// How long it stays open while nothing happens; `None` for ever.
    wait: Option<Duration>,
    /// How many events it still tells.
    left: u64,
    ending: watch::Receiver<bool>,
    /// How long a part of a list may take.
    longest: Duration,
    /// As many lists are made at once as there are cores; the others wait for their turn, which goes from hand to hand in order.
    lists: Arc<Semaphore>,
    turn: Option<Pin<Box<Turn>>>,
    over: bool,
    _room: Room,
}

impl Stream {
    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        let mut idle = Duration::ZERO;
        loop {
            if self.over || self.left == 0 || *self.ending.borrow() {
                return None;
            }
            let Ok(turn) = timeout(SIGN_OF_LIFE, self.turn()).await else { return Some(self.sign_of_life()) };
            match self.read(turn).await {
                Err(error) => {
                    self.over = true;
                    return Some(self.last_words(&error));
                }
                Ok((bytes, count)) if count > 0 => {
                    self.left = self.left.saturating_sub(count);
                    return Some(bytes.into());
                }
                // Nothing to tell, and yet there is more to look at.
                Ok(_) if self.source.as_ref().is_some_and(|source| source.behind() > 0) => continue,
                Ok(_) => {}
            }
            let source = self.source.as_ref()?;
            let patience = self.wait.map_or(SIGN_OF_LIFE, |wait| wait.saturating_sub(idle).min(SIGN_OF_LIFE));
            if patience.is_zero() {
                // What there was is told; with nothing to come, the number to go on from is worth a line.
                self.over = true;
                return Some(self.sign_of_life());
            }
            let mut ending = self.ending.clone();
            let moved = async {
                futures_util::future::select(Box::pin(source.moved()), Box::pin(ending.wait_for(|ends| *ends))).await;
            };
            if timeout(patience, moved).await.is_err() {
                idle += patience;
                if self.wait.is_none() {
                    return Some(self.sign_of_life());
                }
            }
        }
    }

    /// Waits for a turn, where one is needed.
    async fn turn(&mut self) -> Option<OwnedSemaphorePermit> {
        if !self.source.as_ref().is_some_and(Source::is_listing) {
            return None;
        }
        let lists = &self.lists;
        let turn = self.turn.get_or_insert_with(|| Box::pin(lists.clone().acquire_owned()));
        let came = turn.await;
        self.turn = None;
        came.ok()
    }

    async fn read(&mut self, turn: Option<OwnedSemaphorePermit>) -> Result<(Vec<u8>, u64), FollowError> {
        let Some(mut source) = self.source.take() else { return Ok((Vec::new(), 0)) };
        let (engine, form, longest) = (self.engine.clone(), self.form, self.longest);
        let most = if source.behind() == u64::MAX { LIST } else { PIECE };
        let most = most.min(usize::try_from(self.left).unwrap_or(most));
        if source.behind() <= FEW {
            let read = source.write(&engine, form, most, longest);
            self.source = Some(source);
            return read;
        }
        let reading = spawn_blocking(move || {
            let _turn = turn;
            let read = source.write(&engine, form, most, longest);
            (source, read)
        });
        let (source, read) = reading.await.map_err(|_| FollowError::Engine(EngineError::Closed))?;
        self.source = Some(source);
        read
    }

    /// Says that the stream lives, and from where to go on.
    fn sign_of_life(&self) -> Bytes {
        let seq = self.source.as_ref().and_then(Source::seq);
        let mut out = Vec::new();
        self.form.write(&mut out, seq, "idle", |out| {
            events::begin(out, seq, "idle");
            out.push(b'}');
        });
        out.into()
    }

    /// Says why there is no more.
    fn last_words(&self, error: &FollowError) -> Bytes {
        let (name, resume_from) = match error {
            FollowError::Trimmed { oldest, .. } => ("gone", Some(*oldest)),
            FollowError::Dropped { .. } => ("dropped", None),
            FollowError::Engine(EngineError::Query(_)) => ("too-costly", None),
            other => {
                tracing::warn!(%other, "a stream of changes ended");
                ("failed", None)
            }
        };
        let seq = self.source.as_ref().and_then(Source::seq);
        let mut out = Vec::new();
        self.form.write(&mut out, seq, name, |out| {
            events::begin(out, seq, name);
            if let Some(resume_from) = resume_from {
                out.extend_from_slice(format!(r#","resume_from":{resume_from}"#).as_bytes());
            }
            out.push(b'}');
        });
        out.into()
    }
}
