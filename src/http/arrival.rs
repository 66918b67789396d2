//! A request that has arrived and is not read to its end: what an operation gets that has to wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::rt::task::spawn_blocking;
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::oneshot;

use super::error::{Code, Refusal};
use super::keys::Caller;
use super::pool::guarded;
use super::request::Request;
use super::routes::Route;
use super::service::Service;
use crate::engine::{CollectionName, Engine, EngineError, Submission, Submitted};
use crate::query::Budget;

/// A request of which the body may still be under way.
pub(super) struct Arrival {
    pub(super) service: Arc<Service>,
    pub(super) engine: Arc<Engine>,
    pub(super) route: &'static Route,
    pub(super) caller: Caller,
    pub(super) http: HttpRequest,
    pub(super) payload: Payload,
    budget: Budget<'static>,
}

impl Arrival {
    pub(super) fn new(
        service: Arc<Service>,
        engine: Arc<Engine>,
        route: &'static Route,
        caller: Caller,
        http: HttpRequest,
        payload: Payload,
    ) -> Arrival {
        Arrival { service, engine, route, caller, http, payload, budget: Budget::work(0) }
    }

    /// What was asked, with a body that was read. Searching is not what it is for: a budget for that is empty.
    pub(super) fn request<'a>(&'a self, body: &'a [u8]) -> Request<'a> {
        Request {
            budget: &self.budget,
            service: &self.service,
            engine: &self.engine,
            route: self.route,
            caller: &self.caller,
            path: self.http.uri().path(),
            query: self.http.query_string(),
            headers: self.http.headers(),
            body,
        }
    }

    /// The body, when it says it is JSON or says nothing.
    pub(super) async fn json_body(&mut self) -> Result<Bytes, Refusal> {
        json_body(&self.service, &self.http, &mut self.payload).await
    }

    /// Has changes made, and waits until they are as durable as they are to be, without holding up the thread.
    pub(super) async fn submit(
        &self,
        name: &CollectionName,
        submission: impl Into<Submission>,
    ) -> Result<Submitted, Refusal> {
        let (tell, told) = oneshot::channel();
        self.engine.submit_then(name, submission, move |made| drop(tell.send(made)))?;
        Ok(told.await.unwrap_or(Err(EngineError::Closed))?)
    }

    /// Has work done that waits for others, on a thread that may.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let room = self.service.waiting().enter(1)?;
        let done = spawn_blocking(move || {
            let _room = room;
            guarded(work)
        });
        done.await.unwrap_or_else(|_| Err(EngineError::Closed.into()))
    }
}

/// A whole body, when it says it is JSON or says nothing.
pub(super) async fn json_body(service: &Service, http: &HttpRequest, payload: &mut Payload) -> Result<Bytes, Refusal> {
    let media_type = http.headers().get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or("?"));
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !(essence.is_empty() || essence == "application/json" || essence.ends_with("+json")) {
        return Err(Refusal::new(Code::UnsupportedMediaType, format!("a body of type {media_type} is not read here"))
            .value(media_type)
            .hint("send content-type: application/json, which curl --json does"));
    }
    whole_body(service, payload).await
}

/// A body in memory, within the limits on its size and on how slowly it may come.
async fn whole_body(service: &Service, payload: &mut Payload) -> Result<Bytes, Refusal> {
    let most = service.options().limits.body_bytes;
    let mut pace = Pace::new(service.options().limits.body_patience);
    let mut first = match next_chunk(payload, &mut pace).await? {
        None => return Ok(Bytes::new()),
        Some(first) => first,
    };
    let mut gathered = BytesMut::new();
    let mut room = service.bodies().enter(0)?;
    loop {
        room.grow(first.len())?;
        if gathered.len() + first.len() > most {
            return Err(Refusal::new(Code::BodyTooLarge, format!("a body of more than {most} bytes"))
                .hint("give large polygons fewer positions, and send many items to /collections/{c}/items"));
        }
        match next_chunk(payload, &mut pace).await? {
            None if gathered.is_empty() => return Ok(first),
            None => {
                gathered.extend_from_slice(&first);
                return Ok(gathered.freeze());
            }
            Some(next) => {
                gathered.extend_from_slice(&first);
                first = next;
            }
        }
    }
}

/// The least a body has to bring, in bytes a second, once it has had time to begin.
const LEAST_BYTES_S: u64 = 256;

/// How a body comes: without long pauses, and not drop by drop.
pub(super) struct Pace {
    patience: Duration,
    /// How long was waited for the client so far, and what it sent.
    waited: Duration,
    bytes: u64,
    /// When it has to be whole, if it is to be by a moment.
    until: Option<Instant>,
}

impl Pace {
    pub(super) fn new(patience: Duration) -> Pace {
        Pace { patience, waited: Duration::ZERO, bytes: 0, until: None }
    }

    /// To be whole within so long from now, however well it comes.
    pub(super) fn within(self, length: Duration) -> Pace {
        Pace { until: Instant::now().checked_add(length), ..self }
    }

    fn is_late(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }

    fn is_too_slow(&self) -> bool {
        self.waited > self.patience && self.bytes < self.waited.as_secs() * LEAST_BYTES_S
    }
}

/// The next piece of a body; a client that sends none for so long, or next to nothing, is told so.
pub(super) async fn next_chunk(payload: &mut Payload, pace: &mut Pace) -> Result<Option<Bytes>, Refusal> {
    let slow = |what: String| Refusal::new(Code::TooSlow, what).hint("send the body without long pauses");
    // Mostly it has come already, and a clock that is set and stopped again costs more than looking.
    if let Some(came) = payload.next().now_or_never() {
        return arrived(came, pace, slow);
    }
    let begin = Instant::now();
    let left = pace.until.map_or(Duration::MAX, |until| until.saturating_duration_since(begin));
    let Ok(came) = timeout(pace.patience.min(left), payload.next()).await else {
        return Err(match pace.is_late() {
            true => late(),
            false => slow(format!("nothing of the body came for {} s", pace.patience.as_secs())),
        });
    };
    pace.waited += begin.elapsed();
    arrived(came, pace, slow)
}

fn late() -> Refusal {
    Refusal::new(Code::TooSlow, "the body took longer than an upload may").hint("send it in several parts")
}

fn arrived(
    came: Option<Result<Bytes, PayloadError>>,
    pace: &mut Pace,
    slow: impl Fn(String) -> Refusal,
) -> Result<Option<Bytes>, Refusal> {
    match came {
        None => Ok(None),
        Some(Err(error)) => Err(Refusal::new(Code::BadBody, format!("the body broke off: {error}"))),
        Some(Ok(bytes)) => {
            pace.bytes += bytes.len() as u64;
            if pace.is_late() {
                return Err(late());
            }
            if pace.is_too_slow() {
                return Err(slow(format!("{} bytes of the body came in {} s", pace.bytes, pace.waited.as_secs())));
            }
            Ok(Some(bytes))
        }
    }
}
