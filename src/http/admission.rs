//! Who is let in: the first thing that is decided about a request, before anything of it is read.

use actix_web::HttpRequest;

use super::error::Refusal;
use super::routes::Route;
use super::service::Service;

/// Lets a request in, or says why not.
pub(super) fn admit(_service: &Service, _route: &Route, _http: &HttpRequest) -> Result<(), Refusal> {
    Ok(())
}
