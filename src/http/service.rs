//! What all threads of the service share: the engine, how it is set up, and how far along its life it is.
//!
//! What surprises: the engine may not be there yet. The port is open while the data is still being opened, so that whoever
//! watches can tell a slow start from none.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

use super::error::{Code, Refusal};
use super::gate::Gate;
use super::options::Options;
use super::pool::Pool;
use crate::engine::{Engine, Health};

/// Threads that may wait for others at once: for collections being made and dropped, and for removals of many.
const WAITING_MAX: usize = 64;

/// What all threads of the service share.
#[derive(Debug)]
pub(super) struct Service {
    options: Options,
    engine: OnceLock<Arc<Engine>>,
    pool: Pool,
    bodies: Gate,
    uploads: Gate,
    streams: Gate,
    waiting: Gate,
    draining: AtomicBool,
    /// Says `true` once streams have to end.
    ending: watch::Sender<bool>,
}

impl Service {
    pub(super) fn new(options: Options) -> Service {
        let limits = &options.limits;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Service {
            engine: OnceLock::new(),
            pool: Pool::new(cores, limits.heavy),
            bodies: Gate::new(limits.bodies_bytes, "bytes of bodies"),
            uploads: Gate::new(limits.uploads, "uploads"),
            streams: Gate::new(limits.streams, "streams of changes"),
            waiting: Gate::new(WAITING_MAX, "requests that wait for others"),
            draining: AtomicBool::new(false),
            ending: watch::channel(false).0,
            options,
        }
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// `http`, or `https` where it speaks TLS.
    pub(super) fn scheme(&self) -> &'static str {
        "http"
    }

    /// Where questions are answered that cost much.
    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Bytes of bodies that are held in memory.
    pub(super) fn bodies(&self) -> &Gate {
        &self.bodies
    }

    /// Uploads under way.
    pub(super) fn uploads(&self) -> &Gate {
        &self.uploads
    }

    /// Streams of changes that are open.
    pub(super) fn streams(&self) -> &Gate {
        &self.streams
    }

    /// Requests that hold a thread while they wait for others.
    pub(super) fn waiting(&self) -> &Gate {
        &self.waiting
    }

    /// The engine, once it is open.
    pub(super) fn engine(&self) -> Result<&Arc<Engine>, Refusal> {
        self.engine
            .get()
            .ok_or_else(|| Refusal::new(Code::Starting, "the data is still being opened").hint("ask again in a moment"))
    }

    /// Begins to answer questions.
    pub(super) fn open(&self, engine: Arc<Engine>) {
        // A second engine would be a mistake, and the first goes on.
        let _ = self.engine.set(engine);
    }

    /// Says from now on that nobody should be sent here any more.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Has open streams end.
    pub(super) fn end_streams(&self) {
        self.ending.send_replace(true);
    }

    /// Tells when streams have to end.
    pub(super) fn ending(&self) -> watch::Receiver<bool> {
        self.ending.subscribe()
    }

    /// Whether requests should be sent here; if not, why.
    pub(super) fn readiness(&self) -> Result<(), Refusal> {
        let engine = self.engine()?;
        if self.draining.load(Ordering::Relaxed) {
            return Err(Refusal::new(Code::Stopping, "the service is being stopped").hint("ask another, or later"));
        }
        match engine.health() {
            Health::Ready => Ok(()),
            Health::DiskFull => Err(crate::engine::EngineError::DiskFull.into()),
            Health::ReadOnly { reason } => Err(crate::engine::EngineError::ReadOnly { reason }.into()),
            Health::Closing => Err(crate::engine::EngineError::Closed.into()),
        }
    }
}
