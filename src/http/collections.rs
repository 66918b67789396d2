//! What collections there are, how much is in them, and what each part of them takes in memory.

use serde::{Serialize, Serializer};

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

#[derive(Serialize)]
struct Collections {
    collections: Vec<Described>,
}

#[derive(Serialize)]
struct Described {
    name: String,
    count: usize,
    seq: u64,
    kinds: Vec<&'static str>,
    #[serde(serialize_with = "in_order")]
    bytes: Vec<(String, usize)>,
    links: [Link; 3],
}

#[derive(Serialize)]
struct Link {
    rel: &'static str,
    href: String,
}

/// Writes named parts as an object that keeps their order.
fn in_order<S: Serializer>(parts: &[(String, usize)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(parts.iter().map(|(part, bytes)| (part, bytes)))
}

fn collections(request: &Request<'_>) -> Result<Reply, Refusal> {
    request.params()?;
    let names = request.engine.names();
    let collections: Result<_, Refusal> = names.iter().map(|name| describe(request.engine, name)).collect();
    Ok(Reply::json(&Collections { collections: collections? }))
}

fn collection(request: &Request<'_>) -> Result<Reply, Refusal> {
    request.params()?;
    Ok(Reply::json(&describe(request.engine, &request.collection()?)?))
}

fn describe(engine: &Engine, name: &CollectionName) -> Result<Described, Refusal> {
    let snapshot = engine.snapshot(name)?;
    let link = |rel, below: &str| Link { rel, href: format!("/collections/{name}{below}") };
    Ok(Described {
        name: name.to_string(),
        count: snapshot.len(),
        seq: snapshot.seq(),
        kinds: snapshot.kinds().iter().map(|kind| kind.name).collect(),
        bytes: snapshot.bytes().into_iter().map(|(part, bytes)| (part.replace(' ', "_"), bytes)).collect(),
        links: [link("self", ""), link("items", "/items"), link("near", "/near")],
    })
}
