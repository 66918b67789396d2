//! What is near here: by radius, by number, or both, nearest first.

use super::error::Refusal;
use super::page;
use super::question::needs_a_place;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, Handler, Route};

const PARAMETERS: &[&str] =
    &["lat", "lon", "radius", "k", "metric", "index", "filter", "fields", "limit", "cursor", "explain", "min_seq", "f"];

/// The operation on the default collection.
pub(super) const NEAR: Route = Route {
    method: "GET",
    path: "/near",
    summary: "what is near here, in the default collection",
    parameters: PARAMETERS,
    access: Access::Read,
    answer: Handler::Now(near),
};

/// The operation.
pub(super) const NEAR_IN: Route = Route {
    method: "GET",
    path: "/collections/{c}/near",
    summary: "what is near here, nearest first",
    parameters: PARAMETERS,
    access: Access::Read,
    answer: Handler::Now(near),
};

fn near(request: &Request<'_>) -> Result<Reply, Refusal> {
    let params = request.params()?;
    needs_a_place(&params)?;
    page::reply(request, &params)
}
