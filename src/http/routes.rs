//! The list of operations, and what an operation is.
//!
//! What surprises: an operation is a plain function from what was asked to a buffer. It does not wait and knows no actix; a
//! query takes microseconds, so handing it to another thread would cost more than answering it.
//!
//! # Adding an operation
//!
//! A function and a constant of type [`Route`] in the file it belongs to, a line in [`ROUTES`], and its description in
//! `openapi.yaml`, which a test holds equal to this list.

use std::borrow::Cow;

use serde::Serialize;

use super::error::{Code, Refusal};
use super::params::{Params, decode_segment};
use super::{cells, collections, compare, distance, items, near, search, service};
use crate::collection::Id;
use crate::engine::{CollectionName, Engine};

/// Every operation, in the order people should meet them.
pub static ROUTES: &[Route] = &[
    service::LANDING,
    near::NEAR,
    near::NEAR_IN,
    items::ITEMS,
    items::ITEM,
    search::SEARCH,
    compare::COMPARE,
    cells::CELLS,
    collections::COLLECTIONS,
    collections::COLLECTION,
    distance::DISTANCE,
    service::LIVEZ,
    service::READYZ,
    service::OPENAPI,
];

/// An operation: one method on one path.
#[derive(Debug, Serialize)]
pub struct Route {
    /// `GET`, which answers `HEAD` as well, or another.
    pub method: &'static str,
    /// The path, with names in braces for what varies.
    pub path: &'static str,
    /// One sentence on what it is for.
    pub summary: &'static str,
    /// The query parameters it knows.
    pub parameters: &'static [&'static str],
    #[serde(skip)]
    pub(super) answer: fn(&Request<'_>) -> Result<Reply, Refusal>,
}

/// A request on its way to an answer.
pub(super) struct Request<'a> {
    pub(super) engine: &'a Engine,
    pub(super) route: &'static Route,
    /// The path as it came, percent-encoded.
    pub(super) path: &'a str,
    /// The query string as it came.
    pub(super) query: &'a str,
    /// The `Accept` header.
    pub(super) accept: Option<&'a str>,
    /// The body; empty when the method has none.
    pub(super) body: &'a [u8],
}

impl Request<'_> {
    /// The parameters of the query string, all of them known to the route.
    pub(super) fn params(&self) -> Result<Params<'_>, Refusal> {
        let params = Params::of_query(self.query)?;
        params.only(self.route.parameters)?;
        Ok(params)
    }

    /// The collection that the path names; the default one when it names none.
    pub(super) fn collection(&self) -> Result<CollectionName, Refusal> {
        match self.segment("{c}")? {
            Some(name) => Ok(name.parse()?),
            None => Ok(CollectionName::default()),
        }
    }

    /// The item that the path names.
    pub(super) fn id(&self) -> Result<Id, Refusal> {
        let text = self.segment("{id}")?.unwrap_or_default();
        Id::new(&*text).map_err(|error| Refusal::new(Code::BadId, error.to_string()).value(&text))
    }

    /// The piece of the path that stands where the route has this name, decoded here, once, from the path as it came.
    pub(super) fn segment(&self, name: &str) -> Result<Option<Cow<'_, str>>, Refusal> {
        let mut pieces = self.route.path.split('/').zip(self.path.split('/'));
        pieces.find(|(known, _)| *known == name).map(|(_, given)| decode_segment(given)).transpose()
    }
}

/// An answer on its way out. Its status is 200.
pub(super) struct Reply {
    pub(super) media_type: &'static str,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn json(value: &impl Serialize) -> Reply {
        let body = serde_json::to_vec(value).expect("what we describe ourselves is always JSON");
        Reply { media_type: "application/json", body }
    }
}
