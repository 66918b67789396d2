//! What was asked, in the pieces that operations look at.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Bytes;

use super::admission::may_see;
use super::error::{Code, Refusal};
use super::keys::Caller;
use super::params::{Params, decode_segment, pieces};
use super::routes::Route;
use super::service::Service;
use crate::collection::Id;
use crate::engine::{CollectionName, Engine, View};
use crate::query::Budget;

/// A request on its way to an answer.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) service: &'a Service,
    pub(super) engine: &'a Engine,
    pub(super) route: &'static Route,
    pub(super) caller: &'a Caller,
    /// The path as it came, percent-encoded.
    pub(super) path: &'a str,
    /// The query string as it came.
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    /// The body; empty when the method has none.
    pub(super) body: &'a [u8],
    /// How much work the answer may cost.
    pub(super) budget: &'a Budget<'a>,
}

impl<'a> Request<'a> {
    /// The parameters of the query string, all of them known to the route.
    pub(super) fn params(&self) -> Result<Params<'a>, Refusal> {
        Params::of_query(self.query, self.route.parameters)
    }

    /// The collection that the path names; the default one when it names none. It is one that the caller may see.
    pub(super) fn collection(&self) -> Result<CollectionName, Refusal> {
        let name = collection_in(self.route, self.path)?;
        may_see(self.caller, &name)?;
        Ok(name)
    }

    /// The names of the collections that the caller may see, in order.
    pub(super) fn names(&self) -> Vec<CollectionName> {
        let mut names = self.engine.names();
        names.retain(|name| self.caller.sees(name));
        names
    }

    /// The collection as it is now, at least as new as the request wants it.
    pub(super) fn view(&self, name: &CollectionName, params: &Params<'_>) -> Result<View, Refusal> {
        let view = self.engine.view(name)?;
        params.new_enough(&view)?;
        Ok(view)
    }

    /// The item that the path names.
    pub(super) fn id(&self) -> Result<Id, Refusal> {
        let text = self.segment("{id}")?.unwrap_or_default();
        Id::new(&*text).map_err(|error| Refusal::new(Code::BadId, error.to_string()).value(&text))
    }

    /// The piece of the path that stands where the route has this name, decoded here, once, from the path as it came.
    pub(super) fn segment(&self, name: &str) -> Result<Option<Cow<'a, str>>, Refusal> {
        segment_in(self.route, self.path, name)
    }

    /// A header as text; several of one name are one list. What is no text is shown as such, for a header that is passed over because
    /// nobody can read it would be a condition that is not asked about.
    pub(super) fn header(&self, name: header::HeaderName) -> Option<Cow<'a, str>> {
        let mut values = self.headers.get_all(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let first = values.next().filter(|value| !value.trim().is_empty());
        match (first, values.next()) {
            (first, None) => first,
            (first, Some(second)) => {
                let all = first.into_iter().chain([second]).chain(values).filter(|value| !value.trim().is_empty());
                let list = all.collect::<Vec<_>>().join(", ");
                Some(Cow::Owned(list)).filter(|list: &Cow<'_, str>| !list.is_empty())
            }
        }
    }

    /// Where this service is, as the client named it: `http://localhost:6444`. Empty when it did not say.
    pub(super) fn origin(&self) -> String {
        let sound = |host: &&str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte));
        let host = self.headers.get(header::HOST).and_then(|host| host.to_str().ok()).filter(sound);
        host.map_or_else(String::new, |host| format!("{}://{host}", self.service.scheme()))
    }
}

/// The collection that a path names; the default one when its route names none.
pub(super) fn collection_in(route: &Route, path: &str) -> Result<CollectionName, Refusal> {
    match segment_in(route, path, "{c}")? {
        Some(name) => Ok(name.parse()?),
        None => Ok(CollectionName::default()),
    }
}

fn segment_in<'a>(route: &Route, path: &'a str, name: &str) -> Result<Option<Cow<'a, str>>, Refusal> {
    let mut both = pieces(route.path, b'/').zip(pieces(path, b'/'));
    both.find(|(known, _)| *known == name).map(|(_, given)| decode_segment(given)).transpose()
}

/// The same, held by itself, for a thread of the pool.
pub(super) struct OwnRequest {
    pub(super) service: Arc<Service>,
    pub(super) engine: Arc<Engine>,
    route: &'static Route,
    caller: Caller,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Bytes,
}

impl OwnRequest {
    pub(super) fn new(request: &Request<'_>, service: Arc<Service>, engine: Arc<Engine>, body: Bytes) -> OwnRequest {
        let Request { route, caller, path, query, headers, .. } = *request;
        OwnRequest {
            service,
            engine,
            route,
            caller: caller.clone(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.clone(),
            body,
        }
    }

    /// What was asked, to be answered within a budget.
    pub(super) fn within<'a>(&'a self, budget: &'a Budget<'a>) -> Request<'a> {
        Request {
            budget,
            service: &self.service,
            engine: &self.engine,
            route: self.route,
            caller: &self.caller,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        }
    }
}
