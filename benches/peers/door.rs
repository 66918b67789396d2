//! One connection to a server, in the three tongues they speak: HTTP, Redis' and PostgreSQL's.
//!
//! What surprises: an answer is read to its end and hardly looked at. How many results it has is all that is compared, and a
//! client that did more would share the machine less fairly.

use std::io::{Read, Write};
use std::net::TcpStream;

/// What is spoken.
#[derive(Debug, Clone, Copy)]
pub enum Tongue {
    Http,
    Redis,
    Postgres,
}

/// A connection with what has come over it.
pub struct Door {
    stream: TcpStream,
    tongue: Tongue,
    bytes: Vec<u8>,
    /// What was read of them.
    at: usize,
}

impl Door {
    /// Connects, and sends each of the greetings and awaits its answer.
    pub fn open(port: u16, tongue: Tongue, greetings: &[Vec<u8>]) -> Door {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
        stream.set_nodelay(true).unwrap();
        let mut door = Door { stream, tongue, bytes: Vec::new(), at: 0 };
        for greeting in greetings {
            door.send(greeting);
            door.receive();
        }
        door
    }

    pub fn send(&mut self, request: &[u8]) {
        self.stream.write_all(request).expect("the server takes a request");
    }

    /// Reads one answer and says how many results it has.
    pub fn receive(&mut self) -> usize {
        let results = match self.tongue {
            Tongue::Http => self.http(),
            Tongue::Redis => self.redis(),
            Tongue::Postgres => self.postgres(),
        };
        self.bytes.drain(..self.at);
        self.at = 0;
        results
    }

    fn more(&mut self) {
        let len = self.bytes.len();
        self.bytes.resize(len + (64 << 10), 0);
        let read = self.stream.read(&mut self.bytes[len..]).expect("an answer");
        assert!(read > 0, "the server hung up");
        self.bytes.truncate(len + read);
    }

    fn take(&mut self, count: usize) -> &[u8] {
        while self.bytes.len() < self.at + count {
            self.more();
        }
        self.at += count;
        &self.bytes[self.at - count..self.at]
    }

    /// A line, without its end.
    fn line(&mut self) -> String {
        let mut seen = self.at;
        loop {
            match self.bytes[seen..].iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    let count = seen + end + 1 - self.at;
                    return String::from_utf8_lossy(self.take(count)).trim_end().to_owned();
                }
                None => {
                    seen = self.bytes.len();
                    self.more();
                }
            }
        }
    }

    fn http(&mut self) -> usize {
        let status = self.line();
        let mut len = 0;
        loop {
            let line = self.line().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                len = value.trim().parse().unwrap();
            }
        }
        let body = self.take(len);
        let text = String::from_utf8_lossy(&body[..len.min(100)]);
        assert!(status.contains(" 20"), "{status}: {text}");
        let matched = text.strip_prefix(r#"{"matched":"#).and_then(|rest| rest.split(',').next());
        matched.map_or(0, |matched| matched.parse().unwrap())
    }

    fn redis(&mut self) -> usize {
        let first = self.line();
        assert!(!first.starts_with('-'), "{first}");
        let count = |line: &str| line[1..].parse::<i64>().unwrap_or(0).max(0) as usize;
        let mut pending = if first.starts_with('*') { count(&first) } else { 0 };
        let results = pending;
        if first.starts_with('$') {
            self.take(count(&first) + 2);
        }
        while pending > 0 {
            pending -= 1;
            let line = self.line();
            match line.as_bytes()[0] {
                b'*' => pending += count(&line),
                b'$' => drop(self.take(count(&line) + 2).len()),
                _ => {}
            }
        }
        results
    }

    fn postgres(&mut self) -> usize {
        let mut results = 0;
        loop {
            let head = self.take(5);
            let kind = head[0];
            let len = u32::from_be_bytes(head[1..].try_into().unwrap()) as usize - 4;
            let body = self.take(len);
            match kind {
                b'E' => panic!("{}", String::from_utf8_lossy(body)),
                b'D' => results += 1,
                b'Z' => return results,
                _ => {}
            }
        }
    }
}
