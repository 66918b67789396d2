//! Collections made, set and dropped by name.
//!
//! What surprises: a `PUT` says all there is to say. A setting that it leaves out goes back to its default, so that putting the
//! same twice gives the same, whatever was there.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde::Deserialize;
use serde_json::Value;

use super::arrival::Arrival;
use super::collections::Kept;
use super::error::{Code, Refusal};
use super::params::choice;
use super::reply::Reply;
use super::routes::{Access, Handler, Route};
use crate::engine::CollectionSettings;
use crate::format::parse_duration;
use crate::geometry::metric_named;
use crate::index::Kind;

/// The operation.
pub(super) const CONFIGURE: Route = Route {
    method: "PUT",
    path: "/collections/{c}",
    summary: "make a collection, or set which index kinds it keeps, its metric, and how long items stay",
    parameters: &[],
    access: Access::Admin,
    answer: Handler::Later(|arrival| Box::pin(configure(arrival))),
};

/// The operation.
pub(super) const DROP: Route = Route {
    method: "DELETE",
    path: "/collections/{c}",
    summary: "drop a collection and all in it",
    parameters: &[],
    access: Access::Admin,
    answer: Handler::Later(|arrival| Box::pin(drop_it(arrival))),
};

/// What a body may say.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Wanted {
    kinds: Option<Vec<String>>,
    metric: Option<String>,
    ttl: Option<Value>,
}

/// Every kind that can be kept, as a list in JSON has them.
fn kinds_in_quotes() -> String {
    Kind::offered().map(|kind| format!("{:?}", kind.name)).collect::<Vec<_>>().join(",")
}

fn read(body: &[u8]) -> Result<CollectionSettings, Refusal> {
    if body.trim_ascii().is_empty() {
        return Ok(CollectionSettings::default());
    }
    let wanted: Wanted = serde_json::from_slice(body).map_err(|error| {
        Refusal::new(Code::BadBody, format!("these are no settings: {error}"))
            .hint(format!(r#"as in {{"kinds":[{}],"metric":"vincenty","ttl":"7d"}}"#, kinds_in_quotes()))
    })?;
    let mut settings = CollectionSettings::default();
    if let Some(kinds) = &wanted.kinds {
        let known = || Kind::offered().map(|kind| (kind.name, kind));
        let kept = kinds.iter().map(|name| choice(name, known()).map_err(|refusal| refusal.at("kinds").value(name)));
        settings.kinds = kept.collect::<Result<_, _>>()?;
        let mut once = Vec::new();
        settings.kinds.retain(|kind| {
            !once.contains(&kind.name) && {
                once.push(kind.name);
                true
            }
        });
    }
    if let Some(metric) = &wanted.metric {
        settings.metric = metric_named(metric).map_err(|error| Refusal::from(error).value(metric))?;
    }
    settings.ttl_ms = wanted.ttl.as_ref().map(lasting_ms).transpose()?;
    Ok(settings)
}

/// A duration as text, or a number of seconds: the same is understood either way.
fn lasting_ms(ttl: &Value) -> Result<u64, Refusal> {
    let text = match ttl {
        Value::String(text) => text.clone(),
        Value::Number(seconds) => seconds.to_string(),
        other => {
            return Err(Refusal::new(Code::BadBody, "ttl is no duration")
                .at("ttl")
                .value(&other.to_string())
                .hint("write it as in \"7d\", or in seconds"));
        }
    };
    let lasting = parse_duration(&text);
    let lasting = lasting.map_err(|error| Refusal::new(Code::BadTime, error.to_string()).at("ttl").value(&text))?;
    Ok(u64::try_from(lasting.as_millis()).unwrap_or(u64::MAX))
}

async fn configure(mut arrival: Arrival) -> Result<HttpResponse, Refusal> {
    let body = arrival.json_body().await?;
    let request = arrival.request(&body);
    request.params()?;
    let (name, settings) = (request.collection()?, read(&body)?);
    let engine = arrival.engine.clone();
    let is_new = engine.snapshot(&name).is_err();
    let reply = Reply::json(&Kept::of(&settings));
    let location = format!("/collections/{name}");
    arrival.blocking(move || Ok(engine.configure(&name, settings)?)).await?;
    let reply = match is_new {
        true => reply.status(StatusCode::CREATED).header(header::LOCATION, &location),
        false => reply,
    };
    Ok(reply.into_response())
}

async fn drop_it(arrival: Arrival) -> Result<HttpResponse, Refusal> {
    let request = arrival.request(b"");
    request.params()?;
    let (name, engine) = (request.collection()?, arrival.engine.clone());
    arrival.blocking(move || Ok(engine.drop_collection(&name)?)).await?;
    Ok(Reply::nothing(StatusCode::NO_CONTENT).into_response())
}
