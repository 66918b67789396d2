//! How far it is between two positions, in metres, with all digits: here the distance is the answer, not an order.

use serde::Serialize;

use super::error::Refusal;
use super::question;
use super::routes::{Reply, Request, Route};
use crate::geometry::Point;

/// The operation.
pub(super) const DISTANCE: Route = Route {
    method: "GET",
    path: "/distance",
    summary: "the metres between two positions",
    parameters: &["from", "to", "metric"],
    answer: distance,
};

#[derive(Serialize)]
struct Metres {
    distance_m: f64,
    metric: &'static str,
}

fn distance(request: &Request<'_>) -> Result<Reply, Refusal> {
    let params = request.params()?;
    let metric = question::metric(&params)?;
    let from: Point = params.required("from", question::pair)?;
    let to: Point = params.required("to", question::pair)?;
    let distance_m = metric.distance_m(&from.unit(), &to.unit());
    Ok(Reply::json(&Metres { distance_m, metric: metric.name() }))
}
