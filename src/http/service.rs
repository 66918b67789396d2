//! What the service says of itself: where to begin, whether it lives, and its contract.

use serde::Serialize;
use serde_json::json;

use super::error::Refusal;
use super::routes::{ROUTES, Reply, Request, Route};
use crate::engine::CollectionName;

/// The operation.
pub(super) const LANDING: Route =
    Route { method: "GET", path: "/", summary: "what there is to ask", parameters: &[], answer: landing };

/// The operation.
pub(super) const LIVEZ: Route = Route {
    method: "GET",
    path: "/livez",
    summary: "whether the process lives",
    parameters: &[],
    answer: |request| says(request, "live"),
};

/// The operation. The port is opened when everything is loaded, so there is no moment at which it says no.
pub(super) const READYZ: Route = Route {
    method: "GET",
    path: "/readyz",
    summary: "whether questions can be answered",
    parameters: &[],
    answer: |request| says(request, "ready"),
};

/// The operation.
pub(super) const OPENAPI: Route = Route {
    method: "GET",
    path: "/openapi.yaml",
    summary: "this contract, as OpenAPI 3.1",
    parameters: &[],
    answer: openapi,
};

#[derive(Serialize)]
struct Landing {
    name: &'static str,
    version: &'static str,
    r#try: &'static str,
    collections: Vec<String>,
    operations: &'static [Route],
}

fn landing(request: &Request<'_>) -> Result<Reply, Refusal> {
    request.params()?;
    Ok(Reply::json(&Landing {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        r#try: "/near?lat=48.857&lon=2.352",
        collections: request.engine.names().iter().map(CollectionName::to_string).collect(),
        operations: ROUTES,
    }))
}

fn says(request: &Request<'_>, word: &str) -> Result<Reply, Refusal> {
    request.params()?;
    Ok(Reply::json(&json!({ word: true })))
}

fn openapi(request: &Request<'_>) -> Result<Reply, Refusal> {
    request.params()?;
    Ok(Reply { media_type: "application/yaml", body: include_bytes!("../../openapi.yaml").to_vec() })
}
