//! What is noted of a request, from its arrival to its answer: counts, names, and lines in logs.
//!
//! What surprises: of a common request almost nothing. Two looks at the clock and five numbers; all else is for those that were refused,
//! slow, or asked about.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::HeaderValue;
use actix_web::{HttpRequest, HttpResponse};
use tracing::Level;

use super::access_log::{AccessLog, Line, now, whole_us};
use super::counters::NO_ROUTE;
use super::dispatch::shared;
use super::error::Refusal;
use super::keys::{Caller, Key};
use super::routes::{ROUTES, Route};
use super::service::Service;
use super::{origin, trace};
use crate::query::Explain;

/// The longest query string that stands in a log line, in characters.
const QUERY_SHOWN: usize = 300;

/// A request that is being answered.
pub(super) struct Watch {
    route: usize,
    begun: Instant,
    http: HttpRequest,
    key: Option<Arc<Key>>,
    refusal: Option<Refusal>,
    ended: bool,
}

impl Watch {
    /// Notes that a request has arrived. One that no operation is for has no route.
    pub(super) fn begin(service: &Service, route: Option<&'static Route>, http: &HttpRequest) -> Watch {
        let route = route.map_or(NO_ROUTE, number_of);
        service.counters().begin(route);
        Watch { route, begun: Instant::now(), http: http.clone(), key: None, refusal: None, ended: false }
    }

    /// Notes who asks.
    pub(super) fn by(&mut self, caller: &Caller) {
        if let Caller::Holder(key) = caller {
            self.key = Some(key.clone());
        }
    }

    /// Notes that it is refused, and why.
    pub(super) fn refused(&mut self, service: &Service, refusal: &Refusal) {
        service.counters().refused(refusal.code);
        self.refusal = Some(refusal.clone());
    }

    /// Notes how it was answered, and adds to the answer what the client may need to speak about it.
    pub(super) fn end(mut self, service: &Service, response: &mut HttpResponse) {
        let (elapsed, status) = (self.begun.elapsed(), response.status().as_u16());
        service.counters().end(self.route, status, elapsed);
        self.ended = true;
        let given = trace::given(self.http.headers());
        let is_slow = elapsed >= service.options().slow && tracing::enabled!(Level::INFO);
        if given.is_some() || status >= 400 || is_slow || service.access_log().is_some() {
            let id = given.map_or_else(trace::made, str::to_owned);
            let value = HeaderValue::from_str(&id).expect("a name that was made or checked is plain text");
            response.headers_mut().insert(trace::REQUEST_ID, value);
            let explain = response.extensions().get::<Explain>().copied();
            self.log(&id, status, elapsed, is_slow, explain);
            if let Some(log) = service.access_log() {
                self.note(log, id, response, elapsed);
            }
        }
        origin::show(self.http.headers(), &service.options().cors, response);
    }

    fn log(&self, request_id: &str, status: u16, elapsed: Duration, is_slow: bool, explain: Option<Explain>) {
        let (method, path) = (self.http.method().as_str(), self.http.path());
        let trace_id = trace::trace_id(self.http.headers());
        if let Some(refusal) = &self.refusal {
            let (code, detail) = (refusal.code.problem().name, refusal.detail());
            match refusal.insight() {
                Some(reason) => {
                    tracing::warn!(request_id, trace_id, method, path, code, detail, reason, "a request was refused");
                }
                None if status >= 500 => {
                    tracing::info!(request_id, trace_id, method, path, code, detail, "a request was refused");
                }
                None => tracing::debug!(request_id, trace_id, method, path, code, detail, "a request was refused"),
            }
        }
        if is_slow {
            let query = shortened(self.http.query_string());
            let route = ROUTES.get(self.route).map(|route| route.path);
            let elapsed_ms = whole_us(elapsed) as f64 / 1000.0;
            let explain = explain.map(|explain| format!("{explain:?}"));
            tracing::info!(
                request_id,
                trace_id,
                method,
                route,
                path,
                query,
                status,
                elapsed_ms,
                explain,
                "a request was slow"
            );
        }
    }

    fn note(&self, log: &AccessLog, request_id: String, response: &HttpResponse, elapsed: Duration) {
        let target = self.http.uri().path_and_query().map(ToString::to_string);
        log.note(Line {
            time: now(),
            request_id: Some(request_id),
            trace_id: trace::trace_id(self.http.headers()).map(str::to_owned),
            address: self.http.peer_addr().map(|peer| peer.ip()),
            key: self.key.as_ref().map(|key| key.name.clone()),
            method: self.http.method().as_str().to_owned(),
            target: target.unwrap_or_default(),
            status: response.status().as_u16(),
            bytes: match response.body().size() {
                BodySize::None => Some(0),
                BodySize::Sized(bytes) => Some(bytes),
                BodySize::Stream => None,
            },
            elapsed_us: whole_us(elapsed),
        });
    }
}

impl Drop for Watch {
    /// A client that goes away takes the request with it.
    fn drop(&mut self) {
        if !self.ended {
            shared(&self.http).counters().gone(self.route, self.begun.elapsed());
        }
    }
}

/// The place of a route in the list, from where it stands in memory.
fn number_of(route: &'static Route) -> usize {
    (std::ptr::from_ref(route).addr() - ROUTES.as_ptr().addr()) / size_of::<Route>()
}

fn shortened(query: &str) -> &str {
    query.char_indices().nth(QUERY_SHOWN).map_or(query, |(end, _)| &query[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_knows_its_place() {
        for (at, route) in ROUTES.iter().enumerate() {
            assert_eq!(number_of(route), at);
        }
    }
}
