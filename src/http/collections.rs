//! What collections there are, how much is in them, and what each part of them takes in memory.

use serde_json::{Value, json};

use super::error::Refusal;
use super::routes::{Reply, Request, Route};
use crate::engine::{CollectionName, Engine};

/// The operation.
pub(super) const COLLECTIONS: Route =
    Route { method: "GET", path: "/collections", summary: "the collections", parameters: &[], answer: collections };

/// The operation.
pub(super) const COLLECTION: Route = Route {
    method: "GET",
    path: "/collections/{c}",
    summary: "one collection: how many items, which index kinds, how many bytes",
    parameters: &[],
    answer: collection,
};

fn collections(request: &Request<'_>) -> Result<Reply, Refusal> {
    request.params()?;
    let described: Result<Vec<Value>, Refusal> =
        request.engine.names().iter().map(|name| describe(request.engine, name)).collect();
    Ok(Reply::json(&json!({ "collections": described? })))
}

fn collection(request: &Request<'_>) -> Result<Reply, Refusal> {
    request.params()?;
    Ok(Reply::json(&describe(request.engine, &request.collection()?)?))
}

fn describe(engine: &Engine, name: &CollectionName) -> Result<Value, Refusal> {
    let snapshot = engine.snapshot(name)?;
    let parts = snapshot.bytes();
    let bytes: serde_json::Map<String, Value> =
        parts.iter().map(|&(part, bytes)| (part.to_owned(), bytes.into())).collect();
    Ok(json!({
        "name": name.as_str(),
        "count": snapshot.len(),
        "seq": snapshot.seq(),
        "kinds": snapshot.kinds().iter().map(|kind| kind.name).collect::<Vec<_>>(),
        "bytes": bytes,
        "links": [
            { "rel": "self", "href": format!("/collections/{name}") },
            { "rel": "items", "href": format!("/collections/{name}/items") },
        ],
    }))
}
