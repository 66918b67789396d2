//! The real service on a real port, and the smallest client that can talk to it.
//!
//! Every test starts its own, so none can see what another did; whatever happens, it is killed with the test.
#![allow(dead_code, reason = "each file of tests looks at its own part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A running `nigh serve`.
pub(crate) struct Service {
    process: Child,
    address: String,
    /// Its data, where it has a directory of its own.
    _data: Option<tempfile::TempDir>,
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
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    raw_head: String,
    pub(crate) body: String,
    pub(crate) bytes: Vec<u8>,
}

impl Service {
    /// Starts the service on a free port.
    pub(crate) fn start(arguments: &[&str]) -> Service {
        let data = tempfile::tempdir().expect("a folder can be made");
        let command = Command::new(env!("CARGO_BIN_EXE_nigh"));
        let mut service = Service::run(command, data.path(), arguments);
        service._data = Some(data);
        service
    }

    /// The same by a command of the caller's, which is given the rest of the line, on a directory of the caller's.
    pub(crate) fn run(mut command: Command, data: &std::path::Path, arguments: &[&str]) -> Service {
        let listen: &[&str] = if arguments.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let mut process = command
            .arg("serve")
            .args(listen)
            .arg("--data-dir")
            .arg(data)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().expect("piped")).read_line(&mut line).expect("it says something");
        let address = line.trim().rsplit("://").next().expect("the line ends with an address").to_owned();
        Service { process, address, _data: None }
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Kills it as it stands.
    pub(crate) fn kill(mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ends");
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// With the demo collections.
    pub(crate) fn with_demo() -> Service {
        Service::start(&[])
    }

    pub(crate) fn get(&self, target: &str) -> Response {
        self.ask("GET", target, &[], "")
    }

    pub(crate) fn put(&self, target: &str, body: &str) -> Response {
        self.ask("PUT", target, &[], body)
    }

    pub(crate) fn patch(&self, target: &str, body: &str) -> Response {
        self.ask("PATCH", target, &["content-type: application/merge-patch+json"], body)
    }

    pub(crate) fn delete(&self, target: &str) -> Response {
        self.ask("DELETE", target, &[], "")
    }

    pub(crate) fn post(&self, target: &str, body: &str) -> Response {
        self.ask("POST", target, &["content-type: application/json"], body)
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(&self, method: &str, target: &str, headers: &[&str], body: &str) -> Response {
        self.ask_bytes(method, target, headers, body.as_bytes())
    }

    /// The same with a body that need not be text.
    pub(crate) fn ask_bytes(&self, method: &str, target: &str, headers: &[&str], body: &[u8]) -> Response {
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
        let _ = stream.write_all(body);
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        Response::parse(&text)
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// A connection on which a request has begun and does not go on.
    pub(crate) fn begin(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("the service listens");
        stream.write_all(request.as_bytes()).expect("the beginning is taken");
        stream
    }

    /// Asks it to stop, and tells its exit code and what it wrote to standard error.
    pub(crate) fn stop(self) -> (Option<i32>, String) {
        self.signal("TERM");
        self.ended()
    }

    /// Waits for it to end, and tells the same.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
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

impl Response {
    pub(crate) fn parse(bytes: &[u8]) -> Response {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no whole answer: {:?}", String::from_utf8_lossy(bytes)));
        let raw_head = String::from_utf8(bytes[..end].to_vec()).expect("a head is text");
        let (head, mut bytes) = (raw_head.to_lowercase(), bytes[end + 4..].to_vec());
        if head.contains("\r\ntransfer-encoding: chunked") {
            bytes = whole_of_chunks(&bytes);
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Response { status, head, raw_head, body: String::from_utf8_lossy(&bytes).into_owned(), bytes }
    }

    /// The lines of a body, each as JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.body
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
            .collect()
    }

    /// A header with its capitals.
    pub(crate) fn header_as_it_is(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| line.to_lowercase().starts_with(&format!("{name}: "));
        self.raw_head.lines().find(named).map(|line| &line[name.len() + 2..])
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The JSON of an answer that must be fine.
    pub(crate) fn fine(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()
    }
}

/// The ids of a page, in order.
pub(crate) fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().or(page["features"].as_array()).expect("a page lists its items");
    items.iter().map(|item| item["id"].as_str().expect("an item has an id").to_owned()).collect()
}

/// A body that came in chunks.
fn whole_of_chunks(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.expect("a chunk has a size");
        whole.extend_from_slice(&bytes[end + 2..(end + 2 + size).min(bytes.len())]);
        bytes = bytes.get(end + 4 + size..).unwrap_or_default();
    }
    whole
}
