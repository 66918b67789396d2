//! The list of operations, and what an operation is.
//!
//! What surprises: most operations are plain functions from what was asked to a buffer. They do not wait and know no actix; a
//! query takes microseconds, so handing it to another thread would cost more than answering it. Only what has to wait, for the
//! disk or for the client, is a future.
//!
//! # Adding an operation
//!
//! A function and a constant of type [`Route`] in the file it belongs to, a line in [`ROUTES`], and its description in
//! `openapi.yaml`, which a test holds equal to this list.

use std::future::Future;
use std::pin::Pin;

use actix_web::HttpResponse;
use serde::Serialize;

use super::arrival::Arrival;
use super::error::Refusal;
use super::reply::Reply;
use super::request::Request;
use super::service::Service;
use super::{
    batch, cells, changes, collections, compare, curve, delete, distance, item, items, map_page, metrics, near,
    operations, search, settings, tiles, upload, walk,
};

/// Every operation, in the order people should meet them.
pub static ROUTES: &[Route] = &[
    operations::LANDING,
    near::NEAR,
    near::NEAR_IN,
    items::ITEMS,
    search::SEARCH,
    batch::BATCH,
    upload::UPLOAD,
    upload::UPLOAD_FILE,
    delete::DELETE_MANY,
    item::READ,
    item::PUT,
    item::PATCH,
    item::DELETE,
    changes::CHANGES,
    changes::WATCH,
    compare::COMPARE,
    compare::COMPARE_SEARCH,
    cells::CELLS,
    walk::WALK,
    walk::WALK_SEARCH,
    curve::CURVE,
    distance::DISTANCE,
    distance::DISTANCE_BETWEEN,
    tiles::TILE,
    tiles::TILES,
    collections::COLLECTIONS,
    collections::COLLECTION,
    settings::CONFIGURE,
    settings::DROP,
    operations::LIVEZ,
    operations::READYZ,
    metrics::PAGE,
    operations::CONFORMANCE,
    operations::OPENAPI,
    map_page::BASEMAP,
    map_page::FILE,
];

/// An operation: one method on one path.
#[derive(Debug, Serialize)]
pub struct Route {
    /// `GET`, which answers `HEAD` as well, or another.
    pub method: &'static str,
    /// The path, with names in braces for what varies; `{file}` at the end stands for all that follows.
    pub path: &'static str,
    /// One sentence on what it is for.
    pub summary: &'static str,
    /// The query parameters it knows.
    pub parameters: &'static [&'static str],
    /// Who may ask for it.
    pub access: Access,
    #[serde(skip)]
    pub(super) answer: Handler,
}

/// Who may ask for an operation, where the service has keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Everybody.
    Anyone,
    /// Those who may read the collection, or any where the path names none.
    Read,
    /// Those who may read every collection.
    #[serde(rename = "read all")]
    ReadAll,
    /// Those who may change its items.
    Write,
    /// Those who may make, set and drop it.
    Admin,
}

/// What answers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Handler {
    /// At once, even while there is no engine yet.
    Always(fn(&Service) -> Result<Reply, Refusal>),
    /// At once, on the thread that read the request; in the pool when it turns out to cost much.
    Now(fn(&Request<'_>) -> Result<Reply, Refusal>),
    /// After waiting for something: a write, or the rest of the request.
    Later(fn(Arrival) -> Answering),
}

/// An answer that is waited for.
pub(super) type Answering = Pin<Box<dyn Future<Output = Result<HttpResponse, Refusal>>>>;
