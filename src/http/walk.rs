//! The index made visible: what one query did on one index kind, cell by cell.

use super::body;
use super::cells::{FEW, MANY, no_index};
use super::error::{Code, Refusal};
use super::params::Params;
use super::question;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, Handler, Route};
use crate::engine::View;
use crate::format::geojson;
use crate::index::Kind;

/// What a body may say of the query. It has no pages, and the path names its kind.
pub const WALK_MEMBERS: &[&str] =
    &["near", "radius", "k", "metric", "within", "edges", "bbox", "geohash", "filter", "limit", "min_seq"];

/// The operation.
pub(super) const WALK: Route = Route {
    method: "GET",
    path: "/collections/{c}/indexes/{kind}/walk",
    summary: "one query on one index kind: every cell it looked at, and what became of it, as GeoJSON",
    parameters: &[
        "lat", "lon", "radius", "k", "metric", "bbox", "geohash", "within", "edges", "filter", "limit", "min_seq",
    ],
    access: Access::Read,
    answer: Handler::Now(|request| walk(request, &request.params()?)),
};

/// The operation with the query in a body.
pub(super) const WALK_SEARCH: Route = Route {
    method: "POST",
    path: "/collections/{c}/indexes/{kind}/walk",
    summary: "one search on one index kind: every cell it looked at, and what became of it, as GeoJSON",
    parameters: &[],
    access: Access::Read,
    answer: Handler::Now(walk_search),
};

fn walk_search(request: &Request<'_>) -> Result<Reply, Refusal> {
    let mut params = request.params()?;
    body::read_known(request.body, WALK_MEMBERS, &mut params)?;
    walk(request, &params)
}

fn walk(request: &Request<'_>, params: &Params<'_>) -> Result<Reply, Refusal> {
    let name = request.collection()?;
    let View { metric, snapshot, .. } = request.view(&name, params)?;
    let query = question::query(params, metric)?;
    let kind = request.segment("{kind}")?.unwrap_or_default();
    let kept = Kind::named(&kind).filter(|kind| snapshot.kinds().contains(kind));
    let kind = kept.ok_or_else(|| no_index(&kind, &snapshot))?;
    let walk = query.walk(kind, &snapshot, query.limit.get(), request.budget)?;
    if walk.cells.len() > FEW && !request.budget.spend(MANY) {
        return Err(Refusal::new(Code::TooCostly, "many cells take long"));
    }
    let mut body = Vec::new();
    geojson::write_walk(&mut body, &walk);
    Ok(Reply::new("application/geo+json", body))
}
