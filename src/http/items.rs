//! Items by where they are and what they are, in the order of their ids.

use super::error::{Code, Refusal};
use super::page;
use super::params::Params;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, Handler, Route};
use crate::format::parse_moment;

/// The operation.
pub(super) const ITEMS: Route = Route {
    method: "GET",
    path: "/collections/{c}/items",
    summary: "items in a box, a geohash cell or a polygon, with a filter, or all of them; by id",
    parameters: &[
        "bbox", "geohash", "within", "edges", "filter", "fields", "index", "limit", "cursor", "explain", "min_seq",
        "datetime", "f",
    ],
    access: Access::Read,
    answer: Handler::Now(items),
};

fn items(request: &Request<'_>) -> Result<Reply, Refusal> {
    let params = request.params()?;
    check_datetime(&params)?;
    page::reply(request, &params)
}

/// Items have no time of their own, and by OGC API Features what has none is in every interval; one that cannot be read is
/// refused all the same.
fn check_datetime(params: &Params<'_>) -> Result<(), Refusal> {
    params.read("datetime", |text| {
        let ends: Vec<&str> = text.split('/').collect();
        let is_open = |end: &&str| end.is_empty() || *end == "..";
        let sound = match &ends[..] {
            [instant] => parse_moment(instant).is_ok(),
            [begin, end] => [begin, end].into_iter().all(|end| is_open(end) || parse_moment(end).is_ok()),
            _ => false,
        };
        if sound {
            Ok(())
        } else {
            Err(Refusal::new(Code::BadTime, "this is no instant and no interval")
                .hint("write it as in 2026-01-01T00:00:00Z/.."))
        }
    })?;
    Ok(())
}
