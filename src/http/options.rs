//! How the service is set up: where it listens, whom it lets in, and how much it takes on.

use std::net::SocketAddr;
use std::time::Duration;

/// How the service is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// How much it takes on.
    pub limits: Limits,
    /// How long it goes on answering after it was told to stop, so that those who look at `/readyz` send nobody any more.
    pub drain: Duration,
}

/// How much the service takes on. What goes beyond is refused with a code of its own.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a body that is held in memory: a polygon of a hundred thousand positions has about four million.
    pub body_bytes: usize,
    /// Bytes of all such bodies together.
    pub bodies_bytes: usize,
    /// How long a client may pause while it sends a body.
    pub body_patience: Duration,
    /// Bytes of an upload, once it is unpacked.
    pub upload_bytes: u64,
    /// Uploads under way at once.
    pub uploads: usize,
    /// Open streams of changes.
    pub streams: usize,
    /// How long a question may take.
    pub query: Duration,
    /// Questions that cost much, under way or waiting.
    pub heavy: usize,
    /// How long a question waits for the change that it wants to see.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Options {
        let listen = vec![SocketAddr::from(([127, 0, 0, 1], 6444))];
        Options { listen, limits: Limits::default(), drain: Duration::ZERO }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body_bytes: 8 << 20,
            bodies_bytes: 256 << 20,
            body_patience: Duration::from_secs(15),
            upload_bytes: 64 << 30,
            uploads: 64,
            streams: 1024,
            query: Duration::from_secs(10),
            heavy: 64,
            patience: Duration::from_secs(2),
        }
    }
}
