//! One query on every index kind: what each of them took, and whether the answers are the same to the bit.

use super::error::Refusal;
use super::question;
use super::routes::{Reply, Request, Route};
use crate::format::write_explain;

/// The operation.
pub(super) const COMPARE: Route = Route {
    method: "GET",
    path: "/collections/{c}/compare",
    summary: "one query on every index kind, the scan of all points first",
    parameters: &[
        "lat", "lon", "radius", "k", "metric", "bbox", "geohash", "within", "edges", "filter", "limit", "cursor",
    ],
    answer: compare,
};

fn compare(request: &Request<'_>) -> Result<Reply, Refusal> {
    let query = question::query(&request.params()?)?;
    let comparisons = request.engine.compare(&request.collection()?, &query)?;
    let identical = comparisons.iter().all(|comparison| comparison.identical);
    let reference = comparisons.first().map(|comparison| &comparison.answer);
    let (matched, returned) = reference.map_or((0, 0), |answer| (answer.matched, answer.len()));
    let mut body =
        format!(r#"{{"identical":{identical},"matched":{matched},"returned":{returned},"kinds":["#).into_bytes();
    for (at, comparison) in comparisons.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        body.extend_from_slice(format!(r#"{comma}{{"identical":{},"explain":"#, comparison.identical).as_bytes());
        write_explain(&mut body, &comparison.answer.explain);
        body.push(b'}');
    }
    body.extend_from_slice(b"]}");
    Ok(Reply { media_type: "application/json", body })
}
