//! Many items removed at once: those in a box, a cell or a polygon, or with a filter.
//!
//! What surprises: without a condition nothing is removed. Whoever wants a collection empty can drop it, and a script that lost
//! its parameter must not.

use actix_web::HttpResponse;
use serde::Serialize;

use super::arrival::Arrival;
use super::error::{Code, Refusal};
use super::reply::Reply;
use super::routes::{Access, Handler, Route};
use super::{moment, question};
use crate::engine;

/// What can choose the items.
const CONDITIONS: &[&str] = &["bbox", "geohash", "within", "filter"];

/// The operation.
pub(super) const DELETE_MANY: Route = Route {
    method: "DELETE",
    path: "/collections/{c}/items",
    summary: "remove the items in a box, a geohash cell or a polygon, or with a filter",
    parameters: &["bbox", "geohash", "within", "edges", "filter"],
    access: Access::Write,
    answer: Handler::Later(|arrival| Box::pin(delete(arrival))),
};

#[derive(Serialize)]
struct Removed {
    removed: u64,
    seq: u64,
    moment: String,
}

async fn delete(arrival: Arrival) -> Result<HttpResponse, Refusal> {
    let request = arrival.request(b"");
    let params = request.params()?;
    if !CONDITIONS.iter().any(|name| params.given(name).is_some()) {
        return Err(Refusal::new(Code::MissingParameter, "nothing says which items are meant")
            .at("bbox")
            .hint("give bbox, geohash, within or filter; to remove everything, drop the collection"));
    }
    let name = request.collection()?;
    let query = question::query(&params, arrival.engine.metric_of(&name)?)?;
    let engine = arrival.engine.clone();
    let removed = arrival.blocking(move || Ok(engine.remove_matching(&name, &query)?)).await?;
    let engine::Removed { count, seq, number } = removed;
    Ok(Reply::json(&Removed { removed: count, seq, moment: moment::written(number, seq) }).into_response())
}
