//! How the service is set up: where it listens, whom it lets in, and how much it takes on.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::tls::TlsFiles;

/// How the service is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// The file of keys; without one everybody may do everything.
    pub keys: Option<PathBuf>,
    /// Whether everybody is let in who reaches an address beyond this machine, without keys.
    pub allow_anyone: bool,
    /// Where certificate and private key are; without them it speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Origins whose pages may ask, as `https://a.example`, or `*` for all.
    pub cors: Vec<String>,
    /// Names by which browsers may call it where it has no keys, besides localhost and numbers.
    pub host_names: Vec<String>,
    /// The address of the style that the map page draws instead of its own.
    pub map_style: Option<String>,
    /// Origins from which the map page may load, besides that of its style.
    pub map_origins: Vec<String>,
    /// How many requests a second a key or an address may make.
    pub rate: Option<NonZeroU32>,
    /// How long an answer may take before it is noted in the log.
    pub slow: Duration,
    /// The file that gets a line for each request, or `-` for standard output.
    pub access_log: Option<PathBuf>,
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
    /// How long an upload may take from its beginning to its end.
    pub upload: Duration,
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
        Options {
            listen,
            keys: None,
            allow_anyone: false,
            tls: None,
            cors: Vec::new(),
            host_names: Vec::new(),
            map_style: None,
            map_origins: Vec::new(),
            rate: None,
            slow: Duration::from_millis(500),
            access_log: None,
            limits: Limits::default(),
            drain: Duration::ZERO,
        }
    }
}

impl Options {
    /// Refuses to let in everybody from everywhere, unless that was said.
    pub(super) fn check(&self) -> Result<(), String> {
        let open = self.listen.iter().find(|address| !address.ip().to_canonical().is_loopback());
        match open {
            Some(address) if self.keys.is_none() && !self.allow_anyone => Err(format!(
                "{address} can be reached from other machines, and anybody there could change everything; give --keys FILE, \
                 or --allow-anyone if that is meant"
            )),
            _ => Ok(()),
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body_bytes: 8 << 20,
            bodies_bytes: 256 << 20,
            body_patience: Duration::from_secs(15),
            upload_bytes: 64 << 30,
            upload: Duration::from_secs(6 * 3600),
            uploads: 64,
            streams: 1024,
            query: Duration::from_secs(10),
            heavy: 64,
            patience: Duration::from_secs(2),
        }
    }
}
