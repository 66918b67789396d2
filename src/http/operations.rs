//! What the service says of itself: where to begin, whether it lives, what it conforms to, and its contract.

use actix_web::http::header;
use serde::Serialize;
use serde_json::json;

use super::accept::prefers_page;
use super::collections::{Link, is_json};
use super::error::Refusal;
use super::map_page;
use super::params::choice;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, Handler, ROUTES, Route};
use super::service::Service;
use crate::engine::CollectionName;

/// The operation.
pub(super) const LANDING: Route = Route {
    method: "GET",
    path: "/",
    summary: "the map page for browsers, and for all others what there is to ask",
    parameters: &["f"],
    access: Access::Anyone,
    answer: Handler::Now(landing),
};

/// The operation. It needs no engine: a process that is still opening its data lives.
pub(super) const LIVEZ: Route = Route {
    method: "GET",
    path: "/livez",
    summary: "whether the process lives",
    parameters: &[],
    access: Access::Anyone,
    answer: Handler::Always(|_| Ok(Reply::json(&json!({ "live": true })))),
};

/// The operation.
pub(super) const READYZ: Route = Route {
    method: "GET",
    path: "/readyz",
    summary: "whether requests should be sent here",
    parameters: &[],
    access: Access::Anyone,
    answer: Handler::Always(readyz),
};

/// The operation.
pub(super) const CONFORMANCE: Route = Route {
    method: "GET",
    path: "/conformance",
    summary: "which parts of OGC API Features this service conforms to",
    parameters: &["f"],
    access: Access::Anyone,
    answer: Handler::Now(conformance),
};

/// The operation.
pub(super) const OPENAPI: Route = Route {
    method: "GET",
    path: "/openapi.yaml",
    summary: "this contract, as OpenAPI 3.1",
    parameters: &[],
    access: Access::Anyone,
    answer: Handler::Now(openapi),
};

#[derive(Serialize)]
struct Landing {
    title: &'static str,
    description: &'static str,
    version: &'static str,
    r#try: &'static str,
    links: Vec<Link>,
    collections: Vec<String>,
    operations: &'static [Route],
}

fn landing(request: &Request<'_>) -> Result<Reply, Refusal> {
    let asked = request.params()?.read("f", |text| choice(text, [("json", false), ("html", true)]))?;
    let prefers = || request.header(header::ACCEPT).is_some_and(|accept| prefers_page(&accept));
    let reply = if asked.unwrap_or_else(prefers) { map_page::page(request)? } else { operations(request) };
    Ok(reply.header(header::VARY, "accept"))
}

fn operations(request: &Request<'_>) -> Reply {
    let origin = request.origin();
    let link = |rel, media_type, path: &str| Link { rel, media_type, href: format!("{origin}{path}") };
    Reply::json(&Landing {
        title: env!("CARGO_PKG_NAME"),
        description: env!("CARGO_PKG_DESCRIPTION"),
        version: env!("CARGO_PKG_VERSION"),
        r#try: "/near?lat=48.857&lon=2.352",
        links: vec![
            link("self", "application/json", "/"),
            link("service-desc", "application/vnd.oai.openapi;version=3.1", "/openapi.yaml"),
            link("conformance", "application/json", "/conformance"),
            link("data", "application/json", "/collections"),
        ],
        collections: request.names().iter().map(CollectionName::to_string).collect(),
        operations: ROUTES,
    })
}

fn readyz(service: &Service) -> Result<Reply, Refusal> {
    service.readiness().map(|()| Reply::json(&json!({ "ready": true })))
}

/// The classes of OGC API Features, part 1, that this service has.
const CLASSES: [&str; 2] = [
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
];

fn conformance(request: &Request<'_>) -> Result<Reply, Refusal> {
    is_json(request)?;
    Ok(Reply::json(&json!({ "conformsTo": CLASSES })))
}

fn openapi(request: &Request<'_>) -> Result<Reply, Refusal> {
    request.params()?;
    Ok(Reply::new("application/yaml", include_bytes!("../../openapi.yaml").to_vec()))
}
