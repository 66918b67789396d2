//! The order of all points, made visible: the Hilbert curve as a line.

use super::cells::{FEW, MANY};
use super::error::{Code, Refusal};
use super::params::whole;
use super::question;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, Handler, Route};
use crate::format::geojson;
use crate::geometry::Rect;
use crate::index::{DEEPEST, curve_through};

/// The operation. It is open to everybody, because the curve is the same whatever there is.
pub(super) const CURVE: Route = Route {
    method: "GET",
    path: "/curve",
    summary: "the Hilbert curve along which all points stand, as GeoJSON lines",
    parameters: &["bbox", "level", "limit"],
    access: Access::Anyone,
    answer: Handler::Now(curve),
};

fn curve(request: &Request<'_>) -> Result<Reply, Refusal> {
    let params = request.params()?;
    let frame = params.read("bbox", question::rect)?.unwrap_or(Rect::WORLD);
    let level = params.read("level", level)?;
    let limit = params.read("limit", question::limit)?.unwrap_or_default().get();
    if limit > FEW && !request.budget.spend(MANY) {
        return Err(Refusal::new(Code::TooCostly, "many cells take long"));
    }
    let mut body = Vec::new();
    geojson::write_curve(&mut body, &curve_through(frame, level, limit));
    Ok(Reply::new("application/geo+json", body))
}

fn level(text: &str) -> Result<u32, Refusal> {
    match whole(text)? {
        level @ 0..=DEEPEST => Ok(level),
        level => {
            let refusal = Refusal::new(Code::NumberOutOfRange, format!("level {level} is outside 0..{DEEPEST}"));
            Err(refusal.hint(format!("write a number from 0 to {DEEPEST}")))
        }
    }
}
