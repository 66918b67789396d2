//! The door for everything that speaks HTTP: reads requests into checked values, asks the engine, writes answers down.
//!
//! What surprises: a query is answered on the thread that read the request. Handing it to a pool and back takes longer than
//! most queries do.
//!
//! Absent here: geometry, files, and any decision about data. No input makes a 500: refusals are the rows of
//! [`PROBLEMS`].

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::rt::task::spawn_blocking;
use actix_web::{App, HttpServer, web};
use thiserror::Error;

mod accept;
mod access_log;
mod admission;
mod arrival;
mod batch;
mod body;
mod cells;
mod changes;
mod collections;
mod compare;
mod counters;
mod cursor;
mod curve;
mod delete;
mod dispatch;
mod distance;
mod error;
mod gate;
mod item;
mod items;
mod keys;
mod map_page;
mod metrics;
mod moment;
mod near;
mod operations;
mod options;
mod origin;
mod page;
mod params;
mod patch;
mod pool;
mod question;
mod rate;
mod reply;
mod request;
mod routes;
mod search;
mod service;
mod settings;
mod stop;
mod tag;
mod taking;
mod tiles;
mod tls;
mod trace;
mod upload;
mod walk;
mod watch;

pub use body::MEMBERS;
pub use changes::FENCE_MEMBERS;
pub use error::{Code, PROBLEMS, Problem};
pub use keys::{KeyEntry, Scope};
pub use metrics::{SERIES, Series};
pub use options::{Limits, Options};
pub(crate) use question::Question;
pub use routes::{Access, ROUTES, Route};
pub use tls::TlsFiles;
pub use walk::WALK_MEMBERS;

use crate::engine::Engine;
use dispatch::arrive;
use service::Service;

/// How long a stop waits for answers that are under way: whoever asks for it is to see it done within five seconds.
const STOP_SECONDS: u64 = 4;

/// Why the service does not serve.
#[derive(Debug, Error)]
pub enum ServeError<E> {
    /// What was set up cannot be used, or would let in everybody.
    #[error("{0}")]
    Setup(String),
    /// The address cannot be listened on.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The engine could not be opened.
    #[error("the engine could not be opened")]
    Open(E),
}

/// Serves the engine that `open` opens until the process is told to stop.
///
/// The port is open first, so that those who watch see a start that takes long. `started` learns the engine and the addresses, with the
/// real port, once questions are answered.
pub fn serve<E: Send + 'static>(
    options: Options,
    open: impl FnOnce() -> Result<Arc<Engine>, E> + Send + 'static,
    started: impl FnOnce(&Arc<Engine>, &[SocketAddr]) -> io::Result<()>,
) -> Result<(), ServeError<E>> {
    actix_web::rt::System::new().block_on(async move {
        let service = web::Data::new(Service::new(options).map_err(ServeError::Setup)?);
        let stop = stop::signal(service.clone().into_inner())?;
        actix_web::rt::spawn(stop::reloads(service.clone().into_inner())?);
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(512));
        let shared = service.clone();
        let server = HttpServer::new(move || App::new().app_data(shared.clone()).default_service(web::to(arrive)))
            .workers(cores)
            .tcp_nodelay(true)
            .shutdown_timeout(STOP_SECONDS)
            .shutdown_signal(stop);
        let listen = &*service.options().listen;
        let server = match service.certificate() {
            Some(certificate) => {
                server.bind_rustls_0_23(listen, certificate.clone().speaking().map_err(ServeError::Setup)?)?
            }
            None => server.bind(listen)?,
        };
        let addresses = server.addrs();
        let server = actix_web::rt::spawn(server.run());
        let engine = spawn_blocking(open).await.map_err(io::Error::other)?.map_err(ServeError::Open)?;
        service.open(engine.clone());
        started(&engine, &addresses)?;
        stop::supervisor("READY=1");
        Ok(server.await.map_err(io::Error::other)??)
    })
}

#[cfg(test)]
mod hostile_tests;
