//! What the service says of itself: where to begin, whether it lives, and its contract.

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

fn landing(request: &Request<'_>) -> Result<Reply, Refusal> {
    request.params()?;
    let operations: Vec<_> = ROUTES
        .iter()
        .map(|route| {
            json!({
                "method": route.method, "path": route.path, "summary": route.summary, "parameters": route.parameters,
            })
        })
        .collect();
    let collections: Vec<_> = request.engine.names().iter().map(CollectionName::to_string).collect();
    Ok(Reply::json(&json!({
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "try": "/near?lat=48.857&lon=2.352",
        "collections": collections,
        "operations": operations,
    })))
}

fn says(request: &Request<'_>, word: &str) -> Result<Reply, Refusal> {
    request.params()?;
    Ok(Reply::json(&json!({ word: true })))
}

fn openapi(request: &Request<'_>) -> Result<Reply, Refusal> {
    request.params()?;
    Ok(Reply { media_type: "application/yaml", body: include_bytes!("../../openapi.yaml").to_vec() })
}
