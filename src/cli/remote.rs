//! A running service, asked over HTTP: `--url`, and the key that lets in.
//!
//! What surprises: a refusal is a value here, with its code, so that a command may know better what to do about it than to end. One that
//! nobody looks at becomes the message of the command, in the words of the service.

use std::fmt;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use ureq::http::request::Builder;
use ureq::http::{HeaderMap, Request};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, SendBody};

use super::Failure;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// How often a request that may be made again is made, and the longest wait before it is.
const TRIES: u32 = 5;
const WAIT_MAX: Duration = Duration::from_secs(5);

/// The longest refusal that is read.
const REFUSAL_BYTES_MAX: u64 = 1 << 20;

/// The variable of the environment that holds the key.
const KEY_VARIABLE: &str = "NIGH_KEY";

/// The arguments by which a command is told of a service.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct RemoteArgs {
    /// Ask the service at this address, as in http://localhost:6444, instead of a data directory
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// The key that lets into it (or in NIGH_KEY); - reads it from standard input
    #[arg(long, requires = "url")]
    key: Option<String>,
    /// Certificates to trust instead of the well-known ones, as PEM
    #[arg(long, value_name = "FILE", requires = "url")]
    ca: Option<PathBuf>,
}

impl RemoteArgs {
    /// The service, where one is named.
    pub(super) fn service(&self) -> Result<Option<Remote>, Failure> {
        let Some(url) = &self.url else { return Ok(None) };
        let key = match self.key.as_deref() {
            Some("-") => {
                let read = io::read_to_string(io::stdin().lock().take(1024));
                Some(read.map_err(|error| Failure::Failed(format!("cannot read the key: {error}")))?)
            }
            Some(key) => Some(key.to_owned()),
            None => std::env::var(KEY_VARIABLE).ok(),
        };
        let key = key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("nigh/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &self.ca {
            config = config.tls_config(TlsConfig::builder().root_certs(trusted(path)?).build());
        }
        Ok(Some(Remote { agent: config.build().new_agent(), origin: origin(url).map_err(Failure::Usage)?, key }))
    }
}

/// The certificates of a file.
fn trusted(path: &PathBuf) -> Result<RootCerts, Failure> {
    let refuse = |reason: String| Failure::Usage(format!("--ca {}: {reason}", path.display()));
    let pem = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| refuse(error.to_string()))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(refuse("there is no certificate in it".to_owned()));
    }
    Ok(certificates.into_iter().into())
}

/// Scheme and host of a service, without a slash at the end.
fn origin(url: &str) -> Result<String, String> {
    let refuse = |reason: &str| Err(format!("--url {url:?}: {reason}; write it as in http://localhost:6444"));
    let Some((scheme, rest)) = url.split_once("://") else { return refuse("it has no scheme") };
    if scheme != "http" && scheme != "https" {
        return refuse("it is neither http nor https");
    }
    let host = rest.trim_end_matches('/');
    if host.is_empty() || host.contains(['/', '?', '#', '@', ' ']) {
        return refuse("it is more than a scheme and a host");
    }
    Ok(format!("{scheme}://{host}"))
}

/// A service that is asked over HTTP.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    agent: Agent,
    origin: String,
    key: Option<String>,
}

/// What is sent along with a request.
pub(super) enum Sent<'a> {
    Nothing,
    /// A body in memory: the request can be made again.
    Bytes(&'a [u8]),
    /// A body as it comes, of so many bytes where that is known. It is sent once.
    Stream(&'a mut dyn Read, Option<u64>),
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum RemoteError {
    /// Nobody is there, or the connection broke.
    Unreachable(String),
    /// The service said no.
    Refused(Box<Refusal>),
}

/// What a service says when it says no, as RFC 9457 has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// The stable word; empty when it was no service of ours that answered.
    pub(super) code: String,
    title: String,
    detail: Option<String>,
    parameter: Option<String>,
    value: Option<String>,
    hint: Option<String>,
    /// All it says, as it came.
    #[serde(skip)]
    pub(super) body: Vec<u8>,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

/// An answer that is no refusal. Its body is read as it comes.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: HeaderMap,
    body: ureq::Body,
    origin: String,
}

impl Remote {
    /// Where it is, for messages.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Asks for a path with its query. A service that is busy for the moment is asked again, a few times.
    pub(super) fn get(&self, target: &str) -> Result<Answer, RemoteError> {
        self.ask("GET", target, &[], Sent::Nothing)
    }

    /// Asks for a path with its query, once, whatever comes of it.
    pub(super) fn get_once(&self, target: &str) -> Result<Answer, RemoteError> {
        self.ask_once("GET", target, &[], &mut Sent::Nothing)
    }

    /// Makes a request. Unless its body is a stream, it is made again where the service says that it is busy for the moment.
    pub(super) fn ask(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        mut sent: Sent<'_>,
    ) -> Result<Answer, RemoteError> {
        let mut tries = TRIES;
        loop {
            tries -= 1;
            let refusal = match self.ask_once(method, target, headers, &mut sent) {
                Err(RemoteError::Refused(refusal)) => refusal,
                done => return done,
            };
            let wait = refusal.retry_after.filter(|_| tries > 0 && !matches!(sent, Sent::Stream(..)));
            let Some(wait) = wait else { return Err(RemoteError::Refused(refusal)) };
            std::thread::sleep(wait.min(WAIT_MAX));
        }
    }

    fn ask_once(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        sent: &mut Sent<'_>,
    ) -> Result<Answer, RemoteError> {
        let mut request = Request::builder().method(method).uri(format!("{}{target}", self.origin));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let send = |request: Builder, body: SendBody<'_>| self.agent.run(request.body(body)?);
        let response = match sent {
            Sent::Nothing => send(request, SendBody::none()),
            Sent::Bytes(bytes) => {
                let mut rest = *bytes;
                send(request.header("content-length", bytes.len()), SendBody::from_reader(&mut rest))
            }
            Sent::Stream(reader, None) => send(request, SendBody::from_reader(reader)),
            Sent::Stream(reader, Some(bytes)) => {
                send(request.header("content-length", *bytes), SendBody::from_reader(reader))
            }
        };
        let response = response.map_err(|error| RemoteError::Unreachable(unreachable(&self.origin, &error)))?;
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        let answer = Answer { status, headers: head.headers, body, origin: self.origin.clone() };
        if head.status.is_success() { Ok(answer) } else { Err(RemoteError::Refused(Box::new(answer.refusal()))) }
    }
}

fn untrusted(origin: &str, error: &dyn fmt::Display) -> String {
    format!("{origin} cannot be trusted: {error}; --ca names the certificates to trust")
}

/// What went wrong on the way, and what would help.
fn unreachable(origin: &str, error: &ureq::Error) -> String {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, UnexpectedEof};
    match error {
        ureq::Error::Io(error) if error.kind() == ConnectionRefused => {
            format!("nothing listens at {origin}; start the service with nigh serve, or name another with --url")
        }
        ureq::Error::Io(error)
            if [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof].contains(&error.kind()) =>
        {
            format!("{origin} ended the connection before it had answered; it may have been stopped, or speak https")
        }
        ureq::Error::HostNotFound => format!("there is no host of the name in {origin}"),
        ureq::Error::Timeout(_) => format!("{origin} does not answer in time"),
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => untrusted(origin, error),
        // What the handshake finds comes as a failure of the connection.
        ureq::Error::Io(error)
            if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) =>
        {
            untrusted(origin, error)
        }
        ureq::Error::Protocol(_) => format!("what answers at {origin} does not speak HTTP as --url says: {error}"),
        ureq::Error::Io(error) => format!("asking {origin} failed: {error}"),
        error => format!("asking {origin} failed: {error}"),
    }
}

impl Answer {
    /// The value of a header, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as it comes. An error of it says where it came from.
    pub(super) fn into_reader(self) -> impl Read + Send + 'static {
        Body { body: self.body.into_with_config().limit(u64::MAX).reader(), origin: self.origin }
    }

    /// The whole body.
    pub(super) fn bytes(self) -> Result<Vec<u8>, RemoteError> {
        let mut bytes = Vec::new();
        let read = self.into_reader().read_to_end(&mut bytes);
        read.map_err(|error| RemoteError::Unreachable(error.to_string()))?;
        Ok(bytes)
    }

    /// The whole body, as JSON of a known shape.
    pub(super) fn json<T: for<'de> Deserialize<'de>>(self) -> Result<T, RemoteError> {
        let origin = self.origin.clone();
        let foreign = |error| RemoteError::Unreachable(format!("{origin} answers otherwise than nigh does: {error}"));
        serde_json::from_slice(&self.bytes()?).map_err(foreign)
    }

    fn refusal(self) -> Refusal {
        let status = self.status;
        let retry_after = self.header("retry-after").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let mut body = Vec::new();
        // What cannot be read says nothing more than the status does.
        let _ = self.into_reader().take(REFUSAL_BYTES_MAX).read_to_end(&mut body);
        let told = Refusal::read(&body);
        Refusal { status, retry_after, body, ..told }
    }
}

/// A body whose errors say where it came from.
struct Body {
    body: ureq::BodyReader<'static>,
    origin: String,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            kind => io::Error::new(kind, unreachable(&self.origin, &error.into())),
        })
    }
}

impl Refusal {
    /// Reads a refusal; what is none says nothing.
    pub(super) fn read(problem: &[u8]) -> Refusal {
        serde_json::from_slice(problem).unwrap_or_default()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.code.is_empty() {
            return write!(f, "the answer is a plain status {}: this may be no service of nigh", self.status);
        }
        let what = self.detail.as_deref().unwrap_or(&self.title);
        write!(f, "{what}")?;
        match (&self.parameter, &self.value) {
            // What the sentence does not say itself.
            (Some(name), Some(value)) if !what.contains(value.as_str()) => write!(f, " ({name}={value})")?,
            (Some(name), None) if !what.contains(name.as_str()) => write!(f, " ({name})")?,
            _ => {}
        }
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        write!(f, " [{}]", self.code)
    }
}

impl From<RemoteError> for Failure {
    /// A request that the service calls wrong was asked wrongly here; everything else failed.
    fn from(error: RemoteError) -> Failure {
        match error {
            RemoteError::Unreachable(reason) => Failure::Failed(reason),
            RemoteError::Refused(refusal) if [400, 422].contains(&refusal.status) && !refusal.code.is_empty() => {
                Failure::Usage(refusal.to_string())
            }
            RemoteError::Refused(refusal) => match refusal.status {
                401 | 403 if !refusal.code.is_empty() => {
                    Failure::Failed(format!("{refusal}; --key or {KEY_VARIABLE} gives a key"))
                }
                _ => Failure::Failed(refusal.to_string()),
            },
        }
    }
}

/// The text as a piece of a URL.
pub(super) fn escaped(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b',');
    utf8_percent_encode(text, PLAIN).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_scheme_and_a_host() {
        assert_eq!(origin("http://localhost:6444/").unwrap(), "http://localhost:6444");
        assert_eq!(origin("https://[::1]:1").unwrap(), "https://[::1]:1");
        for wrong in ["localhost:6444", "ftp://a", "http://", "http://a/near", "http://a?b", "http://me@a"] {
            assert!(origin(wrong).unwrap_err().ends_with("write it as in http://localhost:6444"), "{wrong}");
        }
    }

    #[test]
    fn a_refusal_is_told_with_everything_that_helps_once() {
        let told = |json: &str| serde_json::from_str::<Refusal>(json).unwrap().to_string();
        assert_eq!(
            told(
                r#"{"status":400,"code":"bad-number","title":"t","detail":"\"x\" is not a number","parameter":"lat","value":"x","hint":"write it as in 1"}"#
            ),
            "\"x\" is not a number; write it as in 1 [bad-number]"
        );
        assert_eq!(
            told(r#"{"code":"missing","title":"t","detail":"something is missing","parameter":"lat"}"#),
            "something is missing (lat) [missing]"
        );
        assert!(Refusal { status: 502, ..Refusal::default() }.to_string().contains("status 502"));
    }

    #[test]
    fn what_was_asked_wrongly_is_told_from_what_failed() {
        let refused = |status, code: &str| {
            Failure::from(RemoteError::Refused(Box::new(Refusal {
                status,
                code: code.to_owned(),
                ..Refusal::default()
            })))
            .exit_code()
        };
        assert_eq!((refused(400, "bad-filter"), refused(404, "not-found"), refused(400, "")), (2, 1, 1));
    }

    #[test]
    fn texts_are_escaped_for_urls() {
        assert_eq!(escaped("a b+c&d=é,1"), "a%20b%2Bc%26d%3D%C3%A9,1");
    }
}
