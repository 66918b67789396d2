//! A Redis server of our own, and many clients of it on one thread.
//!
//! What surprises: the clients need no event loop. One after the other is read and at once asked again; the server
//! answers all of them after each sync, so the one that is read next has its answer already. That leaves the processor
//! to the server.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nigh::collection::Item;
use tempfile::TempDir;

use super::{folder, gauges};

/// How a server logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    Never,
    EverySecond,
    Always,
}

/// A running server. It ends with the value.
pub struct Server {
    process: Child,
    port: u16,
    log: Log,
    folder: Option<TempDir>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// Starts a server on a port that is free; `None` where Redis is not installed.
    pub fn start(log: Log) -> Option<Server> {
        Server::start_in(folder(), log)
    }

    fn start_in(folder: TempDir, log: Log) -> Option<Server> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (append, sync) = match log {
            Log::Never => ("no", "no"),
            Log::EverySecond => ("yes", "everysec"),
            Log::Always => ("yes", "always"),
        };
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--loglevel", "warning"]);
        command.args(["--appendonly", append, "--appendfsync", sync, "--auto-aof-rewrite-percentage", "0"]);
        command.arg("--dir").arg(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().ok()?;
        let server = Server { process, port, log, folder: Some(folder) };
        while !server.answers("PING", "+PONG") {
            thread::sleep(Duration::from_millis(1));
        }
        Some(server)
    }

    /// Ends the server in good order and starts another with its files. Returns it with the time from there to the
    /// first answer.
    pub fn restarted(mut self) -> (Server, Duration) {
        let _ = self.connect().write_all(b"SHUTDOWN\r\n");
        let _ = self.process.wait();
        let started = Instant::now();
        let server = Server::start_in(self.folder.take().unwrap(), self.log).unwrap();
        (server, started.elapsed())
    }

    /// Has the log written anew, as short as it can be.
    pub fn rewrite(&self) {
        assert!(self.answers("BGREWRITEAOF", "+Background"));
        while self.answers("INFO persistence", "aof_rewrite_in_progress:1")
            || self.answers("INFO persistence", "scheduled:1")
        {
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The processor time it took so far.
    pub fn processor_time(&self) -> Duration {
        gauges::processor_time_of(self.process.id())
    }

    /// The memory it has, in bytes.
    pub fn memory(&self) -> f64 {
        gauges::memory_of(self.process.id())
    }

    /// Where its files are.
    pub fn path(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().to_owned()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Whether the answer to a command has a word in it.
    pub fn answers(&self, command: &str, word: &str) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let mut answer = [0; 4096];
        let asked = stream.write_all(format!("{command}\r\n").as_bytes());
        let read = asked.and_then(|()| stream.read(&mut answer)).unwrap_or(0);
        String::from_utf8_lossy(&answer[..read]).contains(word)
    }

    /// Clients that ask at once.
    pub fn clients(&self, count: usize) -> Vec<TcpStream> {
        (0..count).map(|_| self.connect()).collect()
    }
}

/// A command in the server's own format.
pub fn command(words: &[&str], bytes: &mut Vec<u8>) {
    write!(bytes, "*{}\r\n", words.len()).unwrap();
    words.iter().for_each(|word| write!(bytes, "${}\r\n{word}\r\n", word.len()).unwrap());
}

/// Puts an item where it is. Its properties are not in it.
pub fn geoadd(item: &Item, bytes: &mut Vec<u8>) {
    let (lon, lat) = (item.point.lon_deg().to_string(), item.point.lat_deg().clamp(-85.0, 85.0).to_string());
    command(&["GEOADD", "places", &lon, &lat, item.id.as_str()], bytes);
}

/// Keeps the properties of an item as a hash.
pub fn hset(item: &Item, bytes: &mut Vec<u8>) {
    let text = item.properties.as_json();
    let value = |name: &str| {
        let from = text.find(name).unwrap() + name.len() + 2;
        text[from..].split([',', '}']).next().unwrap().trim_matches('"').to_owned()
    };
    let [name, category, score] = ["name", "category", "score"].map(value);
    command(
        &["HSET", &format!("p:{}", item.id.as_str()), "name", &name, "category", &category, "score", &score],
        bytes,
    );
}

/// Asks with all clients for a while, each with `at_once` requests of a list, whose answers have that many bytes each.
/// Returns how many were answered.
pub fn ask(clients: &mut [TcpStream], requests: &[Vec<u8>], at_once: usize, answer: usize, window: Duration) -> usize {
    let mut requests = requests.iter().cycle();
    let mut next = move || requests.by_ref().take(at_once).flatten().copied().collect::<Vec<u8>>();
    let mut answers = vec![0; answer * at_once];
    let mut read = |client: &mut TcpStream| {
        client.read_exact(&mut answers).unwrap();
        assert_ne!(answers[0], b'-', "{}", String::from_utf8_lossy(&answers));
        at_once
    };
    let started = Instant::now();
    clients.iter_mut().for_each(|client| client.write_all(&next()).unwrap());
    let mut answered = 0;
    while started.elapsed() < window {
        for client in &mut *clients {
            answered += read(client);
            client.write_all(&next()).unwrap();
        }
    }
    answered + clients.iter_mut().map(read).sum::<usize>()
}
