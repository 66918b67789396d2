//! The index itself: its boxes, cells or stretches of the curve, for drawing.

use super::error::{Code, Refusal};
use super::params::whole;
use super::question;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, Handler, Route};
use crate::collection::Snapshot;
use crate::format::geojson;
use crate::geometry::Rect;
use crate::index::Kind;

/// How far under the root is looked when nobody says.
const LEVEL: u32 = 3;

/// Cells that are looked up and written where the request was read. More take milliseconds: as much work as is never done there.
pub(super) const FEW: usize = 500;
pub(super) const MANY: u64 = 1_000_000;

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
    let look = |most: usize| Kind::named(&name).and_then(|kind| snapshot.cells(kind, frame, level, most + 1));
    let mut found = look(limit.min(FEW));
    if limit > FEW && found.as_ref().is_some_and(|cells| cells.len() > FEW) {
        if !request.budget.spend(MANY) {
            return Err(Refusal::new(Code::TooCostly, "many cells take long"));
        }
        found = look(limit);
    }
    let mut cells = found.ok_or_else(|| no_index(&name, &snapshot))?;
    let complete = cells.len() <= limit;
    cells.truncate(limit);
    let mut body = Vec::new();
    geojson::write_cells(&mut body, &cells, complete);
    Ok(Reply::new("application/geo+json", body))
}

/// There is no index of that name; these there are.
pub(super) fn no_index(name: &str, snapshot: &Snapshot) -> Refusal {
    let kept: Vec<&str> = snapshot.kinds().iter().map(|kind| kind.name).collect();
    Refusal::new(Code::IndexNotFound, format!("there is no index {name:?}"))
        .value(name)
        .hint(format!("there are {}", kept.join(", ")))
}
