//! What collections there are, how much is in them, how they are kept, and what each part of them takes.

use serde::{Serialize, Serializer};

use super::error::Refusal;
use super::moment;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, Handler, Route};
use crate::engine::{CollectionName, CollectionSettings, EngineError, View};

/// The coordinates of everything here: WGS84, longitude first.
const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";

/// The operation.
pub(super) const COLLECTIONS: Route = Route {
    method: "GET",
    path: "/collections",
    summary: "the collections",
    parameters: &["f"],
    access: Access::Read,
    answer: Handler::Now(collections),
};

/// The operation.
pub(super) const COLLECTION: Route = Route {
    method: "GET",
    path: "/collections/{c}",
    summary: "one collection: how many items, where they are, which index kinds, how many bytes",
    parameters: &["f"],
    access: Access::Read,
    answer: Handler::Now(collection),
};

#[derive(Serialize)]
struct Collections {
    links: Vec<Link>,
    collections: Vec<Described>,
}

#[derive(Serialize)]
struct Described {
    id: String,
    title: String,
    #[serde(rename = "itemType")]
    item_type: &'static str,
    crs: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    extent: Option<Extent>,
    count: usize,
    seq: u64,
    moment: String,
    settings: Kept,
    #[serde(serialize_with = "in_order")]
    bytes: Vec<(String, usize)>,
    links: Vec<Link>,
}

#[derive(Serialize)]
struct Extent {
    spatial: Spatial,
}

#[derive(Serialize)]
struct Spatial {
    bbox: [[f64; 4]; 1],
    crs: &'static str,
}

/// The settings of a collection, as they are written and read.
#[derive(Serialize)]
pub(super) struct Kept {
    kinds: Vec<&'static str>,
    metric: &'static str,
    ttl_s: Option<f64>,
}

impl Kept {
    pub(super) fn of(settings: &CollectionSettings) -> Kept {
        Kept {
            kinds: settings.kinds.iter().map(|kind| kind.name).collect(),
            metric: settings.metric.name(),
            ttl_s: settings.ttl_ms.map(|ms| ms as f64 / 1000.0),
        }
    }
}

/// A link as OGC API has it.
#[derive(Serialize)]
pub(super) struct Link {
    pub(super) rel: &'static str,
    #[serde(rename = "type")]
    pub(super) media_type: &'static str,
    pub(super) href: String,
}

/// Writes named parts as an object that keeps their order.
fn in_order<S: Serializer>(parts: &[(String, usize)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(parts.iter().map(|(part, bytes)| (part, bytes)))
}

fn collections(request: &Request<'_>) -> Result<Reply, Refusal> {
    is_json(request)?;
    let mut described = Vec::new();
    for name in request.names() {
        match describe(request, &name) {
            Ok(collection) => described.push(collection),
            // One that was dropped since is one that is not there.
            Err(EngineError::NoCollection { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let here = Link { rel: "self", media_type: "application/json", href: request.origin() + "/collections" };
    Ok(Reply::json(&Collections { links: vec![here], collections: described }))
}

fn collection(request: &Request<'_>) -> Result<Reply, Refusal> {
    is_json(request)?;
    Ok(Reply::json(&describe(request, &request.collection()?)?))
}

/// What describes the service is written in one format, which may be asked for by name.
pub(super) fn is_json(request: &Request<'_>) -> Result<(), Refusal> {
    request.params()?.read("f", |text| super::params::choice(text, [("json", ())]))?;
    Ok(())
}

fn describe(request: &Request<'_>, name: &CollectionName) -> Result<Described, EngineError> {
    let View { number, snapshot, .. } = request.engine.view(name)?;
    let settings = request.engine.settings_of(name)?;
    let origin = request.origin();
    let link =
        |rel, media_type, below: &str| Link { rel, media_type, href: format!("{origin}/collections/{name}{below}") };
    let bbox = snapshot.extent().map(|rect| [[rect.west(), rect.south(), rect.east(), rect.north()]]);
    Ok(Described {
        id: name.to_string(),
        title: name.to_string(),
        item_type: "feature",
        crs: [CRS84],
        extent: bbox.map(|bbox| Extent { spatial: Spatial { bbox, crs: CRS84 } }),
        count: snapshot.len(),
        seq: snapshot.seq(),
        moment: moment::written(number, snapshot.seq()),
        settings: Kept::of(&settings),
        bytes: snapshot.bytes().into_iter().map(|(part, bytes)| (part.replace(' ', "_"), bytes)).collect(),
        links: vec![
            link("self", "application/json", ""),
            link("items", "application/geo+json", "/items"),
            link("near", "application/geo+json", "/near"),
            link("changes", "text/event-stream", "/changes"),
            link("tiles", "application/json", "/tiles.json"),
        ],
    })
}
