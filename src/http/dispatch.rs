//! The way of a request: let in, read, answered where it was read or in the pool, written down.
//!
//! What surprises: a question may be answered twice. What costs more than a little is dropped half done and begun anew in the
//! pool, and what wants to see a change that has not come yet is asked again until it has.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::rt::time::sleep;
use actix_web::web::{self, Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::admission::admit;
use super::arrival::{Arrival, json_body};
use super::error::{self, Code, Refusal};
use super::keys::Caller;
use super::origin;
use super::params::{Params, decode_segment, pieces};
use super::pool::guarded;
use super::reply::Reply;
use super::request::{OwnRequest, Request};
use super::routes::{Handler, ROUTES, Route};
use super::service::Service;
use super::watch::Watch;
use crate::query::Budget;

/// The pauses between looks for a change that has not come yet.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Units of work that are done at once, on the thread that read the request: some hundred microseconds of them.
const AT_ONCE: u64 = 30_000;

/// Bytes of a question that alone take too long to be read at once.
const LONG_BYTES: usize = 32 << 10;

/// No path of ours has more pieces than this.
const PIECES_MAX: usize = 8;

/// A path with its methods.
struct Place {
    pieces: Vec<Piece>,
    routes: Vec<&'static Route>,
}

/// Every path once, in the order of the list.
///
/// *Why not the router of actix*: it asks a regular expression for every path with a name in it, one after the other, and took as
/// long as the search for ten results.
static PLACES: LazyLock<Vec<Place>> = LazyLock::new(|| {
    let mut places: Vec<Place> = Vec::new();
    for route in ROUTES {
        match places.iter_mut().find(|place| place.routes[0].path == route.path) {
            Some(place) => place.routes.push(route),
            None => {
                places.push(Place { pieces: pieces(route.path, b'/').map(Piece::of).collect(), routes: vec![route] });
            }
        }
    }
    places
});

impl Place {
    fn at(path: &str) -> Option<&'static Place> {
        let mut given = [""; PIECES_MAX];
        let mut count = 0;
        for piece in pieces(path, b'/') {
            *given.get_mut(count)? = piece;
            count += 1;
        }
        let fits = |place: &Place| place.pieces.iter().zip(given).all(|(known, given)| known.is(given));
        let exactly = PLACES.iter().find(|place| place.pieces.len() == count && fits(place));
        exactly.or_else(|| PLACES.iter().find(|place| place.goes_on() && place.pieces.len() < count && fits(place)))
    }

    /// Whether its last piece stands for all that follows: a file in folders.
    fn goes_on(&self) -> bool {
        self.routes[0].path.ends_with("/{file}")
    }

    fn route(&self, method: &Method) -> Option<&'static Route> {
        let method = if method == Method::HEAD { "GET" } else { method.as_str() };
        self.routes.iter().copied().find(|route| route.method == method)
    }
}

/// What stands between two slashes of a path.
enum Piece {
    /// This.
    Word(&'static str),
    /// Anything with this ending.
    Any(&'static str),
}

impl Piece {
    fn of(text: &'static str) -> Piece {
        let name = text.strip_prefix('{').and_then(|name| name.split_once('}'));
        name.map_or(Piece::Word(text), |(_, ending)| Piece::Any(ending))
    }

    fn is(&self, given: &str) -> bool {
        match self {
            Piece::Any(ending) => given.len() > ending.len() && given.ends_with(ending),
            Piece::Word(word) => {
                *word == given || given.contains('%') && decode_segment(given).is_ok_and(|given| given == *word)
            }
        }
    }
}

/// Everything that arrives.
pub(super) async fn arrive(http: HttpRequest, payload: Payload) -> HttpResponse {
    match Place::at(http.uri().path()) {
        None => nothing_here(&http),
        Some(place) => match place.route(http.method()) {
            Some(route) => handle(route, http, payload).await,
            None => other_method(place, &http),
        },
    }
}

async fn handle(route: &'static Route, http: HttpRequest, payload: Payload) -> HttpResponse {
    let service = shared(&http);
    let mut watch = Watch::begin(&service, Some(route), &http);
    let answered = match admit(&service, route, &http) {
        Ok(caller) => {
            watch.by(&caller);
            let keeps_names = !caller.sees_all();
            let answered = answered(&service, route, http, caller, payload).await;
            answered.map_err(|refusal| if keeps_names { unnamed(refusal) } else { refusal })
        }
        Err(refusal) => Err(refusal),
    };
    watched(&service, watch, answered)
}

/// The answer, noted.
fn watched(service: &Service, mut watch: Watch, answered: Result<HttpResponse, Refusal>) -> HttpResponse {
    let mut response = answered.unwrap_or_else(|refusal| {
        watch.refused(service, &refusal);
        refused(&refusal)
    });
    watch.end(service, &mut response);
    response
}

/// Whoever may not see every collection is not told which there are.
fn unnamed(refusal: Refusal) -> Refusal {
    match refusal.code {
        Code::CollectionNotFound => refusal.hint("GET /collections lists those that your key is for"),
        _ => refusal,
    }
}

/// What all threads share.
pub(super) fn shared(http: &HttpRequest) -> Arc<Service> {
    http.app_data::<web::Data<Service>>().expect("every app is given the service").clone().into_inner()
}

async fn answered(
    service: &Arc<Service>,
    route: &'static Route,
    http: HttpRequest,
    caller: Caller,
    payload: Payload,
) -> Result<HttpResponse, Refusal> {
    match route.answer {
        Handler::Always(answer) => {
            Params::of_query(http.query_string(), route.parameters)?;
            answer(service).map(Reply::into_response)
        }
        Handler::Now(answer) => now(service, route, &http, &caller, payload, answer).await.map(Reply::into_response),
        Handler::Later(answer) => {
            let (service, engine) = (service.clone(), service.engine()?.clone());
            answer(Arrival::new(service, engine, route, caller, http, payload)).await
        }
    }
}

type Answer = fn(&Request<'_>) -> Result<Reply, Refusal>;

async fn now(
    service: &Arc<Service>,
    route: &'static Route,
    http: &HttpRequest,
    caller: &Caller,
    mut payload: Payload,
    answer: Answer,
) -> Result<Reply, Refusal> {
    let body = match route.method {
        "GET" => Bytes::new(),
        _ => Box::pin(json_body(service, http, &mut payload)).await?,
    };
    let engine = service.engine()?;
    let (path, query, headers) = (http.uri().path(), http.query_string(), http.headers());
    let is_long = query.len() + body.len() > LONG_BYTES;
    let budget = Budget::work(0);
    let request = Request { service, engine, route, caller, path, query, headers, body: &body, budget: &budget };
    if !is_long && let Some(answered) = at_once(&request, answer).await {
        return answered;
    }
    let own = OwnRequest::new(&request, service.clone(), engine.clone(), body.clone());
    // Boxed, because it is rare: what every request would carry along for it costs more than the box.
    Box::pin(in_pool(own, answer)).await
}

async fn in_pool(own: OwnRequest, answer: Answer) -> Result<Reply, Refusal> {
    let service = own.service.clone();
    let until = Instant::now() + service.options().limits.query;
    // The flag is raised when nobody waits for the answer any more.
    let gone = Gone::default();
    let flag = gone.0.clone();
    let work = move || answer_healed(&own.within(&Budget::unlimited().until(until).unless(&flag)), answer);
    service.pool().run(work).await
}

/// Answers where the request was read; nothing when that would cost too much.
async fn at_once(request: &Request<'_>, answer: Answer) -> Option<Result<Reply, Refusal>> {
    let (mut pause, mut until) = (FIRST_PAUSE, None);
    loop {
        let budget = Budget::work(AT_ONCE);
        match answer_healed(&Request { budget: &budget, ..*request }, answer) {
            Err(refusal) if refusal.code == Code::TooCostly => return None,
            Err(refusal) if refusal.code == Code::Behind => {
                let patience = request.service.options().limits.patience;
                if Instant::now() >= *until.get_or_insert_with(|| Instant::now() + patience) {
                    return Some(Err(refusal));
                }
                sleep(pause).await;
                pause = LONGEST_PAUSE.min(pause * 2);
            }
            answered => return Some(answered),
        }
    }
}

/// Raises its flag when it is dropped: when the answer is there, and when the client went away before it.
#[derive(Default)]
struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A damaged file is met wherever it is first read: in the search, or while the answer is written down.
fn answer_healed(request: &Request<'_>, answer: Answer) -> Result<Reply, Refusal> {
    guarded(|| request.engine.healing(|| answer(request))?)
}

/// A request that no operation is for; a browser may ask in this way whether it may ask.
fn stray(http: &HttpRequest, refusal: Refusal) -> HttpResponse {
    let service = shared(http);
    let watch = Watch::begin(&service, None, http);
    watched(&service, watch, origin::preflight(http, &service.options().cors).ok_or(refusal))
}

fn other_method(place: &Place, http: &HttpRequest) -> HttpResponse {
    let path = place.routes[0].path;
    let known: Vec<&str> = place
        .routes
        .iter()
        .flat_map(|route| if route.method == "GET" { vec!["GET", "HEAD"] } else { vec![route.method] })
        .collect();
    let known = known.join(", ");
    let method = http.method().as_str();
    let refusal = Refusal::new(Code::MethodNotAllowed, format!("{path} knows no {method}"))
        .value(method)
        .hint(format!("use {known}"));
    let mut response = stray(http, refusal);
    let allow = HeaderValue::from_str(&known).expect("methods are plain text");
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

fn nothing_here(http: &HttpRequest) -> HttpResponse {
    let path = http.uri().path();
    let refusal = Refusal::new(Code::NotFound, format!("there is nothing under {path}"))
        .value(path)
        .hint("GET / lists what there is");
    stray(http, refusal)
}

pub(super) fn refused(refusal: &Refusal) -> HttpResponse {
    let problem = refusal.code.problem();
    let status = StatusCode::from_u16(problem.status).expect("the table holds statuses");
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(error::MEDIA_TYPE)));
    if refusal.code == Code::Unauthorized {
        response.insert_header((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"nigh\"")));
    }
    if let Some(seconds) = refusal.retry_after_s() {
        response.insert_header((header::RETRY_AFTER, HeaderValue::from(seconds)));
    }
    response.body(refusal.to_json())
}
