//! Redis and PostgreSQL, each in a folder of its own on a free port, for as long as a test holds them.
//!
//! What surprises: PostgreSQL is one for all tests that run at the same time, with a database for each; it takes seconds to make. Where a
//! server is not installed, a test says so and passes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::sleep;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use tempfile::TempDir;

use crate::postgres_server::PostgresServer;

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < until, "{what} does not come");
        sleep(Duration::from_millis(20));
    }
}

/// Tells writers to stop, also when the test that started them fails.
pub(crate) struct Stopping<'a>(pub(crate) &'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A Redis without a disk.
pub(crate) struct Redis {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Redis {
    /// Starts it; `None`, with a word, where there is none.
    pub(crate) fn start() -> Option<Redis> {
        let (folder, port) = (TempDir::new().unwrap(), free_port());
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes", "--dir"]).arg(folder.path());
        let Ok(process) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            println!("skipped: redis-server is not installed");
            return None;
        };
        let redis = Redis { process, port, _folder: folder };
        wait_until("redis-server", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(redis)
    }

    pub(crate) fn url(&self, key: &str) -> String {
        format!("redis://127.0.0.1:{}/0?key={key}", self.port)
    }

    pub(crate) fn connect(&self) -> RedisClient {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        RedisClient(BufReader::new(stream))
    }
}

/// The smallest client. Nested answers come out flat.
pub(crate) struct RedisClient(BufReader<TcpStream>);

impl RedisClient {
    pub(crate) fn ask<W: AsRef<[u8]>>(&mut self, words: &[W]) -> Vec<Vec<u8>> {
        self.send(words);
        self.answer()
    }

    /// A command given as words with spaces between them.
    pub(crate) fn say(&mut self, line: &str) -> Vec<Vec<u8>> {
        self.ask(&line.split(' ').collect::<Vec<_>>())
    }

    pub(crate) fn send<W: AsRef<[u8]>>(&mut self, words: &[W]) {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words.iter().map(AsRef::as_ref) {
            bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            bytes.extend_from_slice(word);
            bytes.extend_from_slice(b"\r\n");
        }
        self.0.get_mut().write_all(&bytes).unwrap();
    }

    pub(crate) fn answer(&mut self) -> Vec<Vec<u8>> {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).unwrap();
        let text = String::from_utf8_lossy(&line[1..]).trim_end().to_owned();
        match line[0] {
            b'$' => match text.parse::<i64>().unwrap() {
                -1 => vec![Vec::new()],
                length => {
                    let mut text = vec![0; length as usize + 2];
                    self.0.read_exact(&mut text).unwrap();
                    text.truncate(length as usize);
                    vec![text]
                }
            },
            b'*' => (0..text.parse::<i64>().unwrap().max(0)).flat_map(|_| self.answer()).collect(),
            b'-' => panic!("Redis says: {text}"),
            _ => vec![text.into_bytes()],
        }
    }
}

/// PostgreSQL with PostGIS.
struct Postgres(PostgresServer);

static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database of a test's own.
pub(crate) struct Database {
    server: Arc<Postgres>,
    name: String,
}

impl Postgres {
    fn start() -> Option<Postgres> {
        const SETTINGS: &str = "-c fsync=off -c wal_level=logical -c max_replication_slots=20 -c max_wal_senders=20 \
            -c shared_buffers=32MB -c autovacuum=off";
        let server = Postgres(PostgresServer::start(&["--no-sync", "-E", "UTF8", "--locale=C"], SETTINGS)?);
        let mut client = server.connect("postgres");
        client.batch_execute("CREATE DATABASE places; ").unwrap();
        // Whatever of PostGIS is not there is told once, here.
        server.connect("places").batch_execute("CREATE EXTENSION postgis").ok()?;
        Some(server)
    }

    fn connect(&self, database: &str) -> Client {
        let address = format!("postgres://postgres@127.0.0.1:{}/{database}", self.0.port);
        Client::connect(&address, NoTls).unwrap_or_else(|error| panic!("{error:?}"))
    }
}

impl Database {
    /// A database on the server that the tests share; `None`, with a word, where there is none.
    pub(crate) fn create() -> Option<Database> {
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let server = match shared.upgrade() {
            Some(server) => server,
            None => {
                let Some(server) = Postgres::start().map(Arc::new) else {
                    println!("skipped: PostgreSQL with PostGIS is not installed, or does not start");
                    return None;
                };
                *shared = Arc::downgrade(&server);
                server
            }
        };
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::SeqCst));
        server.connect("postgres").batch_execute(&format!("CREATE DATABASE {name} TEMPLATE places")).unwrap();
        Some(Database { server, name })
    }

    pub(crate) fn connect(&self) -> Client {
        self.server.connect(&self.name)
    }

    pub(crate) fn url(&self, table: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{}?table={table}", self.server.0.port, self.name)
    }
}
