//! How far it is between two positions or two items, in metres, with all digits: here the distance is the answer, not an order.

use serde::Serialize;

use super::error::{Code, Refusal};
use super::item::no_item;
use super::question;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, Handler, Route};
use crate::collection::Id;
use crate::engine::View;
use crate::geometry::{METRICS, Metric, Point};

/// The operation.
pub(super) const DISTANCE: Route = Route {
    method: "GET",
    path: "/distance",
    summary: "the metres between two positions",
    parameters: &["from", "to", "metric"],
    access: Access::Anyone,
    answer: Handler::Now(distance),
};

/// The operation between items.
pub(super) const DISTANCE_BETWEEN: Route = Route {
    method: "GET",
    path: "/collections/{c}/distance",
    summary: "the metres between two items",
    parameters: &["from", "to", "metric", "min_seq"],
    access: Access::Read,
    answer: Handler::Now(distance_between),
};

#[derive(Serialize)]
struct Metres {
    distance_m: f64,
    metric: &'static str,
}

fn distance(request: &Request<'_>) -> Result<Reply, Refusal> {
    let params = request.params()?;
    let metric = question::metric(&params, METRICS[0])?;
    let from: Point = params.required("from", question::pair)?;
    let to: Point = params.required("to", question::pair)?;
    Ok(metres(metric, from, to))
}

fn distance_between(request: &Request<'_>) -> Result<Reply, Refusal> {
    let params = request.params()?;
    let name = request.collection()?;
    let View { metric, snapshot, .. } = request.view(&name, &params)?;
    let metric = question::metric(&params, metric)?;
    let place = |parameter| {
        params.required(parameter, |text| {
            let id = Id::new(text).map_err(|error| Refusal::new(Code::BadId, error.to_string()))?;
            snapshot.get(id.as_str()).map(|item| item.point()).ok_or_else(|| no_item(&id, &name))
        })
    };
    Ok(metres(metric, place("from")?, place("to")?))
}

fn metres(metric: &'static dyn Metric, from: Point, to: Point) -> Reply {
    Reply::json(&Metres { distance_m: metric.distance_m(&from.unit(), &to.unit()), metric: metric.name() })
}
