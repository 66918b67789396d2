//! A search in a JSON body: any combination of conditions, all of which hold.
//!
//! What surprises: the next page is the same body, posted to the `next` link, which carries the cursor.

use super::error::Refusal;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, Handler, Route};
use super::{body, page};

/// The operation.
pub(super) const SEARCH: Route = Route {
    method: "POST",
    path: "/collections/{c}/search",
    summary: "any combination of place, radius, number, box, cell, polygon and filter, as a JSON body",
    parameters: &["cursor", "f"],
    access: Access::Read,
    answer: Handler::Now(search),
};

fn search(request: &Request<'_>) -> Result<Reply, Refusal> {
    let mut params = request.params()?;
    body::read(request.body, &mut params)?;
    page::reply(request, &params)
}
