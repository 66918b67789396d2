//! Items by where they are and what they are, in the order of their ids; and one item by its id.

use super::error::{Code, Refusal};
use super::routes::{Reply, Request, Route};
use super::{accept, page, question};
use crate::query::AnswerHit;

/// The operation.
pub(super) const ITEMS: Route = Route {
    method: "GET",
    path: "/collections/{c}/items",
    summary: "items in a box, a geohash cell or a polygon, with a filter, or all of them; by id",
    parameters: &["bbox", "geohash", "within", "edges", "filter", "fields", "index", "limit", "cursor", "explain", "f"],
    answer: |request| page::reply(request, &request.params()?),
};

/// The operation.
pub(super) const ITEM: Route = Route {
    method: "GET",
    path: "/collections/{c}/items/{id}",
    summary: "one item",
    parameters: &["fields", "f"],
    answer: item,
};

fn item(request: &Request<'_>) -> Result<Reply, Refusal> {
    let params = request.params()?;
    let format = accept::format(&params, request.accept)?;
    let (collection, id) = (request.collection()?, request.id()?);
    let snapshot = request.engine.snapshot(&collection)?;
    let Some(item) = snapshot.get(id.as_str()) else {
        let detail = format!("there is no item {:?} in {collection}", id.as_str());
        return Err(Refusal::new(Code::ItemNotFound, detail).value(id.as_str()));
    };
    let mut body = Vec::new();
    (format.write_item)(&mut body, &AnswerHit { distance_m: None, item }, &question::fields(&params));
    Ok(Reply { media_type: format.media_type, body })
}
