//! The door for everything that speaks HTTP: reads requests into checked values, asks the engine, writes answers down.
//!
//! What surprises: a query is answered on the thread that read the request. Handing it to a pool and back takes longer than
//! most queries do.
//!
//! Absent here: geometry, and, for now, writes. No input makes a 500: refusals are the rows of
//! [`PROBLEMS`].

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Resource, web};

mod accept;
mod body;
mod cells;
mod collections;
mod compare;
mod distance;
mod error;
mod items;
mod near;
mod page;
mod params;
mod question;
mod routes;
mod search;
mod service;
mod stop;

pub use body::MEMBERS;
pub use error::{Code, PROBLEMS, Problem};
pub use routes::{ROUTES, Route};

use crate::engine::Engine;
use error::Refusal;
use routes::{Reply, Request};

/// The largest body that is read: a polygon of a hundred thousand positions has about four megabytes.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How long a stop waits for answers that are under way: whoever asks for it is to see it done within five seconds.
const STOP_SECONDS: u64 = 4;

/// Serves the engine until the process is told to stop; `started` learns the addresses, with the real port.
pub fn serve(
    engine: Arc<Engine>,
    listen: &[SocketAddr],
    started: impl FnOnce(&[SocketAddr]) -> io::Result<()>,
) -> io::Result<()> {
    actix_web::rt::System::new().block_on(async move {
        let stop = stop::signal()?;
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(512));
        let server = HttpServer::new(move || {
            let app = App::new().app_data(web::Data::from(engine.clone()));
            paths().fold(app, |app, path| app.service(resource(path))).default_service(web::to(nothing_here))
        })
        .workers(cores)
        .tcp_nodelay(true)
        .shutdown_timeout(STOP_SECONDS)
        .shutdown_signal(stop)
        .bind(listen)?;
        started(&server.addrs())?;
        server.run().await
    })
}

/// Every path once.
fn paths() -> impl Iterator<Item = &'static str> {
    let first = |(at, route): &(usize, &Route)| ROUTES[..*at].iter().all(|before| before.path != route.path);
    ROUTES.iter().enumerate().filter(first).map(|(_, route)| route.path)
}

fn routes_of(path: &str) -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(move |route| route.path == path)
}

/// A path with its methods; every other method is told which there are.
fn resource(path: &'static str) -> Resource {
    let mut resource = web::resource(path);
    for route in routes_of(path) {
        let method = Method::from_bytes(route.method.as_bytes()).expect("our own methods are methods");
        let answer = move |request: HttpRequest, payload: web::Payload| handle(route, request, payload);
        if method == Method::GET {
            resource = resource.route(web::head().to(answer));
        }
        resource = resource.route(web::method(method).to(answer));
    }
    resource.default_service(web::to(move |request: HttpRequest| other_method(path, request)))
}

async fn handle(route: &'static Route, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let body = match route.method {
        "GET" => Ok(web::Bytes::new()),
        _ => json_body(&request, payload).await,
    };
    match body.and_then(|body| answer(route, &request, &body)) {
        Ok(Reply { media_type, body }) => {
            HttpResponse::Ok().insert_header((header::CONTENT_TYPE, HeaderValue::from_static(media_type))).body(body)
        }
        Err(refusal) => refused(&refusal),
    }
}

fn answer(route: &'static Route, request: &HttpRequest, body: &[u8]) -> Result<Reply, Refusal> {
    let engine = request.app_data::<web::Data<Engine>>().expect("every app is given the engine");
    // A header that is there several times is one list.
    let ranges = request.headers().get_all(header::ACCEPT).filter_map(|accept| accept.to_str().ok());
    let accept = ranges.filter(|accept| !accept.trim().is_empty()).collect::<Vec<_>>().join(", ");
    let accept = Some(&*accept).filter(|accept| !accept.is_empty());
    let asked = Request { engine, route, path: request.uri().path(), query: request.query_string(), accept, body };
    // A damaged file is met wherever it is first read: in the search, or while the answer is written down.
    engine.healing(|| (route.answer)(&asked))?
}

/// The body, when it says it is JSON or says nothing.
async fn json_body(request: &HttpRequest, payload: web::Payload) -> Result<web::Bytes, Refusal> {
    let media_type = request.headers().get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or("?"));
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !(essence.is_empty() || essence == "application/json" || essence.ends_with("+json")) {
        return Err(Refusal::new(Code::UnsupportedMediaType, format!("a body of type {media_type} is not read here"))
            .value(media_type)
            .hint("send content-type: application/json, which curl --json does"));
    }
    match payload.to_bytes_limited(BODY_BYTES_MAX).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) => Err(Refusal::new(Code::BadBody, format!("the body broke off: {error}"))),
        Err(_) => Err(Refusal::new(Code::BodyTooLarge, format!("a body of more than {BODY_BYTES_MAX} bytes"))
            .hint("give large polygons fewer positions")),
    }
}

async fn other_method(path: &'static str, request: HttpRequest) -> HttpResponse {
    let known: Vec<&str> = routes_of(path)
        .flat_map(|route| if route.method == "GET" { vec!["GET", "HEAD"] } else { vec![route.method] })
        .collect();
    let known = known.join(", ");
    let method = request.method().as_str();
    let refusal = Refusal::new(Code::MethodNotAllowed, format!("{path} knows no {method}"))
        .value(method)
        .hint(format!("use {known}"));
    let mut response = refused(&refusal);
    let allow = HeaderValue::from_str(&known).expect("methods are plain text");
    response.headers_mut().insert(header::ALLOW, allow);
    response
}

async fn nothing_here(request: HttpRequest) -> HttpResponse {
    let path = request.uri().path();
    refused(
        &Refusal::new(Code::NotFound, format!("there is nothing under {path}"))
            .value(path)
            .hint("GET / lists what there is"),
    )
}

fn refused(refusal: &Refusal) -> HttpResponse {
    let status = StatusCode::from_u16(refusal.code.problem().status).expect("the table holds statuses");
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static(error::MEDIA_TYPE)))
        .body(refusal.to_json())
}
