//! What is noted of a request, from its arrival to its answer.

use actix_web::{HttpRequest, HttpResponse};

use super::routes::Route;
use super::service::Service;

/// A request that is being answered.
pub(super) struct Watch;

impl Watch {
    /// Notes that a request has arrived. One that no operation is for has no route.
    pub(super) fn begin(_service: &Service, _route: Option<&'static Route>, _http: &HttpRequest) -> Watch {
        Watch
    }

    /// Notes how it was answered, and adds to the answer what the client may need to speak about it.
    pub(super) fn end(self, _service: &Service, _response: &mut HttpResponse) {}
}
