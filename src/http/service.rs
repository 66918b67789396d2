//! What all threads of the service share: the engine, how it is set up, and how far along its life it is.
//!
//! What surprises: the engine may not be there yet. The port is open while the data is still being opened, so that whoever
//! watches can tell a slow start from none.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use arc_swap::{ArcSwapOption, Guard};
use tokio::sync::{Semaphore, watch};

use super::access_log::AccessLog;
use super::counters::Counters;
use super::error::{Code, Refusal};
use super::gate::Gate;
use super::keys::Keys;
use super::options::Options;
use super::pool::Pool;
use super::rate::Rate;
use super::tls::Certificate;
use crate::engine::{Engine, Health};

/// Threads that may wait for others at once: for collections being made and dropped, and for removals of many.
const WAITING_MAX: usize = 64;

/// What all threads of the service share.
#[derive(Debug)]
pub(super) struct Service {
    options: Options,
    began: SystemTime,
    engine: OnceLock<Arc<Engine>>,
    /// `None` where everybody may do everything.
    keys: ArcSwapOption<Keys>,
    certificate: Option<Arc<Certificate>>,
    rate: Option<Rate>,
    counters: Counters,
    access_log: Option<AccessLog>,
    pool: Pool,
    bodies: Gate,
    uploads: Gate,
    streams: Gate,
    lists: Arc<Semaphore>,
    waiting: Gate,
    draining: AtomicBool,
    /// Says `true` once streams have to end.
    ending: watch::Sender<bool>,
}

impl Service {
    /// Sets the service up, and reads the files that belong to it. What cannot be used is told in a sentence.
    pub(super) fn new(options: Options) -> Result<Service, String> {
        options.check()?;
        let limits = &options.limits;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let keys = options.keys.as_ref().map(|path| {
            Keys::read(path).map(Arc::new).map_err(|reason| format!("the keys in {}: {reason}", path.display()))
        });
        let log = options
            .access_log
            .as_ref()
            .map(|path| AccessLog::open(path).map_err(|error| format!("the access log {}: {error}", path.display())));
        let certificate = options.tls.as_ref().map(|files| Certificate::read(files).map(Arc::new));
        Ok(Service {
            began: SystemTime::now(),
            engine: OnceLock::new(),
            keys: ArcSwapOption::new(keys.transpose()?),
            certificate: certificate.transpose()?,
            rate: options.rate.map(Rate::new),
            counters: Counters::new(cores),
            access_log: log.transpose()?,
            pool: Pool::new(cores, limits.heavy),
            bodies: Gate::new(limits.bodies_bytes, "bytes of bodies"),
            uploads: Gate::new(limits.uploads, "uploads"),
            lists: Arc::new(Semaphore::new(cores)),
            streams: Gate::new(limits.streams, "streams of changes"),
            waiting: Gate::new(WAITING_MAX, "requests that wait for others"),
            draining: AtomicBool::new(false),
            ending: watch::channel(false).0,
            options,
        })
    }

    /// Reads keys and certificate anew, and opens the access log anew. What cannot be used leaves what was there before.
    pub(super) fn reload(&self) {
        if let Some(path) = &self.options.keys {
            match Keys::read(path) {
                Ok(keys) => self.keys.store(Some(Arc::new(keys))),
                Err(reason) => {
                    tracing::error!(path = %path.display(), reason, "the keys cannot be read anew; those before stay");
                }
            }
        }
        if let Some(Err(reason)) = self.certificate.as_ref().map(|certificate| certificate.reload()) {
            tracing::error!(reason, "the certificate cannot be read anew; the one before stays");
        }
        if let Some(log) = &self.access_log {
            log.reopen();
        }
        tracing::info!("keys, certificate and access log were read anew");
    }

    /// When the process began.
    pub(super) fn began(&self) -> SystemTime {
        self.began
    }

    /// The keys that are let in.
    pub(super) fn keys(&self) -> Guard<Option<Arc<Keys>>> {
        self.keys.load()
    }

    /// The certificate, where it speaks TLS.
    pub(super) fn certificate(&self) -> Option<&Arc<Certificate>> {
        self.certificate.as_ref()
    }

    /// How often one place may ask, where that is limited.
    pub(super) fn rate(&self) -> Option<&Rate> {
        self.rate.as_ref()
    }

    /// What is counted.
    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Where a line for each request goes, if anywhere.
    pub(super) fn access_log(&self) -> Option<&AccessLog> {
        self.access_log.as_ref()
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// `http`, or `https` where it speaks TLS.
    pub(super) fn scheme(&self) -> &'static str {
        if self.certificate.is_some() { "https" } else { "http" }
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

    /// Turns to make a part of the first list of a fence.
    pub(super) fn lists(&self) -> &Arc<Semaphore> {
        &self.lists
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

    /// Whether it was told to stop.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
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
        if self.is_draining() {
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
