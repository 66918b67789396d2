//! One query on every index kind: what each of them took, and whether the answers are the same to the bit.

use super::error::{Code, Refusal};
use super::params::{Params, whole};
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, Handler, Route};
use super::{body, question};
use crate::format::write_explain;
use crate::query::Comparison;

/// The most times that each kind is asked.
const REPEAT_MAX: usize = 25;

/// The operation.
pub(super) const COMPARE: Route = Route {
    method: "GET",
    path: "/collections/{c}/compare",
    summary: "one query on every index kind, the scan of all points first",
    parameters: &[
        "lat", "lon", "radius", "k", "metric", "bbox", "geohash", "within", "edges", "filter", "limit", "cursor",
        "min_seq", "repeat",
    ],
    access: Access::Read,
    answer: Handler::Now(|request| compare(request, &request.params()?)),
};

/// The operation with the query in a body.
pub(super) const COMPARE_SEARCH: Route = Route {
    method: "POST",
    path: "/collections/{c}/compare",
    summary: "a search on every index kind, the scan of all points first",
    parameters: &["cursor", "repeat"],
    access: Access::Read,
    answer: Handler::Now(compare_search),
};

fn compare_search(request: &Request<'_>) -> Result<Reply, Refusal> {
    let mut params = request.params()?;
    body::read(request.body, &mut params)?;
    compare(request, &params)
}

fn compare(request: &Request<'_>, params: &Params<'_>) -> Result<Reply, Refusal> {
    let name = request.collection()?;
    let view = request.view(&name, params)?;
    let query = question::page_of(params, &view)?;
    let times = params.read("repeat", repeat)?.unwrap_or(1);
    let comparisons = query.compare_repeatedly(times, &view.snapshot, request.budget)?;
    let identical = comparisons.iter().all(|comparison| comparison.identical);
    let reference = comparisons.first().map(|comparison| &comparison.answer);
    let (matched, returned) = reference.map_or((0, 0), |answer| (answer.matched, answer.len()));
    let mut body =
        format!(r#"{{"identical":{identical},"matched":{matched},"returned":{returned},"kinds":["#).into_bytes();
    for (at, comparison) in comparisons.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let Comparison { identical, elapsed_ns, repeated, .. } = comparison;
        body.extend_from_slice(
            format!(r#"{comma}{{"identical":{identical},"elapsed_ns":{elapsed_ns},"repeated":{repeated},"explain":"#)
                .as_bytes(),
        );
        write_explain(&mut body, &comparison.answer.explain);
        body.push(b'}');
    }
    body.extend_from_slice(b"]}");
    Ok(Reply::new("application/json", body))
}

fn repeat(text: &str) -> Result<usize, Refusal> {
    match whole(text)? {
        times @ 1..=REPEAT_MAX => Ok(times),
        times => {
            let refusal = Refusal::new(Code::NumberOutOfRange, format!("repeat {times} is outside 1..{REPEAT_MAX}"));
            Err(refusal.hint(format!("write a number from 1 to {REPEAT_MAX}")))
        }
    }
}
