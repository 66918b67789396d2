//! The real service on a real port, and the smallest client that can talk to it.
//!
//! Every test starts its own, so none can see what another did; whatever happens, it is killed with the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A running `nigh serve`.
pub(super) struct Service {
    process: Child,
    address: String,
    /// Its data, where it has a directory of its own.
    _data: tempfile::TempDir,
}

/// Runs what has to end by itself, soon.
#[allow(dead_code, reason = "not every test runs such")]
pub(super) fn ends(command: &mut Command) -> Output {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut process = spawned.expect("nigh runs");
    let begun = Instant::now();
    while process.try_wait().expect("it can be waited for").is_none() {
        if begun.elapsed() > Duration::from_secs(30) {
            let _ = process.kill();
            panic!("it does not end: {:?}", process.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    process.wait_with_output().expect("it ended")
}

/// An answer.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

#[allow(dead_code, reason = "not every test asks in every way")]
impl Service {
    /// Starts the service on a free port.
    pub(super) fn start(arguments: &[&str]) -> Service {
        let data = tempfile::tempdir().expect("a folder can be made");
        let listen: &[&str] = if arguments.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let mut process = Command::new(env!("CARGO_BIN_EXE_nigh"))
            .arg("serve")
            .args(listen)
            .arg("--data-dir")
            .arg(data.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().expect("piped")).read_line(&mut line).expect("it says something");
        let address = line.trim().rsplit("://").next().expect("the line ends with an address").to_owned();
        Service { process, address, _data: data }
    }

    /// With the demo collections.
    pub(super) fn with_demo() -> Service {
        Service::start(&[])
    }

    pub(super) fn get(&self, target: &str) -> Response {
        self.ask("GET", target, &[], "")
    }

    pub(super) fn post(&self, target: &str, body: &str) -> Response {
        self.ask("POST", target, &["content-type: application/json"], body)
    }

    /// One request on a connection of its own.
    pub(super) fn ask(&self, method: &str, target: &str, headers: &[&str], body: &str) -> Response {
        let mut head = format!("{method} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        for header in headers {
            head += &format!("{header}\r\n");
        }
        if !body.is_empty() {
            head += &format!("content-length: {}\r\n", body.len());
        }
        let mut stream = TcpStream::connect(&self.address).expect("the service listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
        stream.write_all(format!("{head}\r\n").as_bytes()).expect("the head is taken");
        // A body that is too large may be refused before it is read whole.
        let _ = stream.write_all(body.as_bytes());
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        Response::parse(&String::from_utf8(text).expect("answers are UTF-8"))
    }

    /// Where it listens.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Sends it a signal by name.
    pub(super) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// A connection on which a request has begun and does not go on.
    pub(super) fn begin(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("the service listens");
        stream.write_all(request.as_bytes()).expect("the beginning is taken");
        stream
    }

    /// Asks it to stop, and tells its exit code and what it wrote to standard error.
    pub(super) fn stop(self) -> (Option<i32>, String) {
        self.signal("TERM");
        self.ended()
    }

    /// Waits for it to end, and tells the same.
    pub(super) fn ended(mut self) -> (Option<i32>, String) {
        let status = self.process.wait().expect("it ends");
        let mut log = String::new();
        self.process.stderr.take().expect("piped").read_to_string(&mut log).expect("its log is text");
        (status.code(), log)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[allow(dead_code, reason = "not every test looks at all of it")]
impl Response {
    fn parse(text: &str) -> Response {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no whole answer: {text:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Response { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The JSON of an answer that must be fine.
    pub(super) fn fine(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()
    }
}
