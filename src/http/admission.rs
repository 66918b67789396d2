//! Who is let in: the first thing that is decided about a request, before anything of it is read.
//!
//! What surprises: the limit on how often one may ask is counted before the key is judged. Whoever tries keys out is slowed down by
//! address, and learns no more after that.

use actix_web::HttpRequest;
use actix_web::http::header;

use super::error::{Code, Refusal};
use super::keys::Caller;
use super::origin;
use super::request::collection_in;
use super::routes::{Handler, Route};
use super::service::Service;
use crate::engine::CollectionName;

/// Lets a request in and tells who asks, or says why not.
pub(super) fn admit(service: &Service, route: &Route, http: &HttpRequest) -> Result<Caller, Refusal> {
    let options = service.options();
    if is_probe(route) {
        return Ok(Caller::Nobody);
    }
    let caller = caller(service, http);
    if let Some(rate) = service.rate() {
        match &caller {
            Ok(Caller::Holder(key)) => rate.of_key(&key.name)?,
            _ => rate.of_address(http.peer_addr().map(|peer| peer.ip()))?,
        }
    }
    origin::check(http, &options.cors)?;
    let caller = caller?;
    match &caller {
        Caller::Anyone => origin::check_host(http, &options.host_names)?,
        caller => allowed(caller, route, http)?,
    }
    Ok(caller)
}

/// Probes come often, from machines that hold no key, and must be answered by a service that refuses all others.
fn is_probe(route: &Route) -> bool {
    route.access == super::routes::Access::Anyone && matches!(route.answer, Handler::Always(_))
}

/// Who asks. A key that is none of ours is refused even where none is needed: its holder should know.
fn caller(service: &Service, http: &HttpRequest) -> Result<Caller, Refusal> {
    let keys = service.keys();
    let Some(keys) = keys.as_ref() else { return Ok(Caller::Anyone) };
    let mut sent = http.headers().get_all(header::AUTHORIZATION);
    let (Some(first), None) = (sent.next(), sent.next()) else {
        return Ok(Caller::Nobody);
    };
    let bearer = first.to_str().ok().and_then(|value| value.split_once(' '));
    let key = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, key)| key.trim());
    key.and_then(|key| keys.find(key)).map(Caller::Holder).ok_or_else(|| {
        Refusal::new(Code::Unauthorized, "this key is not known here").at("authorization").hint(SEND_A_KEY)
    })
}

const SEND_A_KEY: &str = "send authorization: Bearer KEY, with a key that nigh key new made";

fn allowed(caller: &Caller, route: &Route, http: &HttpRequest) -> Result<(), Refusal> {
    let Caller::Holder(key) = caller else {
        return match caller.may(route.access) {
            true => Ok(()),
            false => Err(Refusal::new(Code::Unauthorized, "a key is needed here").hint(SEND_A_KEY)),
        };
    };
    if !caller.may(route.access) {
        let detail = format!("key {} does not allow to {} {}", key.name, route.method, route.path);
        return Err(
            Refusal::new(Code::Forbidden, detail).hint("ask whoever gave you the key for one with a wider scope")
        );
    }
    match route.path.contains("{c}") {
        true => collection_in(route, http.uri().path()).and_then(|name| may_see(caller, &name)),
        // Short forms name the default collection as they are read.
        false => Ok(()),
    }
}

/// Refuses a collection that a key is not for, whether it is there or not.
pub(super) fn may_see(caller: &Caller, name: &CollectionName) -> Result<(), Refusal> {
    match caller {
        caller if caller.sees(name) => Ok(()),
        Caller::Holder(key) => {
            Err(Refusal::new(Code::Forbidden, format!("key {} is not for collection {name}", key.name))
                .value(name.as_str())
                .hint("GET /collections lists those it is for"))
        }
        _ => Err(Refusal::new(Code::Unauthorized, "a key is needed here").hint(SEND_A_KEY)),
    }
}
