//! The index itself: its boxes, cells or stretches of the curve, for drawing.

use super::error::{Code, Refusal};
use super::params::whole;
use super::question;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, Handler, Route};
use crate::format::geojson;
use crate::geometry::Rect;
use crate::index::Kind;

/// How far under the root is looked when nobody says.
const LEVEL: u32 = 3;

/// The operation.
pub(super) const CELLS: Route = Route {
    method: "GET",
    path: "/collections/{c}/indexes/{kind}/cells",
    summary: "the boxes or cells of an index at a level, as GeoJSON",
    parameters: &["bbox", "level", "limit"],
    access: Access::Read,
    answer: Handler::Now(cells),
};

fn cells(request: &Request<'_>) -> Result<Reply, Refusal> {
    let params = request.params()?;
    let frame = params.read("bbox", question::rect)?.unwrap_or(Rect::WORLD);
    let level = params.read("level", whole::<u32>)?.unwrap_or(LEVEL);
    let limit = params.read("limit", question::limit)?.unwrap_or_default().get();
    let snapshot = request.engine.snapshot(&request.collection()?)?;
    let name = request.segment("{kind}")?.unwrap_or_default();
    // One more than is shown tells whether there are more.
    let found = Kind::named(&name).and_then(|kind| snapshot.cells(kind, frame, level, limit + 1));
    let Some(mut cells) = found else {
        let kept: Vec<&str> = snapshot.kinds().iter().map(|kind| kind.name).collect();
        return Err(Refusal::new(Code::IndexNotFound, format!("there is no index {name:?}"))
            .value(&name)
            .hint(format!("there are {}", kept.join(", "))));
    };
    let complete = cells.len() <= limit;
    cells.truncate(limit);
    let mut body = Vec::new();
    geojson::write_cells(&mut body, &cells, complete);
    Ok(Reply::new("application/geo+json", body))
}
