//! The protocol of Redis, as far as a reader needs it: commands go out, values come back. Tile38 speaks it as well.
//!
//! What surprises: this is ours, though there are crates for it. A replica needs the bytes themselves, counted one by one, because the
//! place in the stream of changes is a number of bytes; no client hands them out. What is left beside that is one function that reads a
//! value.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::super::Failure;
use super::source::Trouble;

/// How long a connection may take to come about, and an answer to begin.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(60);

/// The longest text, and the most members, that are taken from a server.
const BYTES_MAX: usize = 512 << 20;
const MEMBERS_MAX: usize = 1 << 24;

/// How deep values may lie within each other.
const DEPTH_MAX: u32 = 16;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Nothing,
    Whole(i64),
    /// A text of any bytes, or a word.
    Text(Vec<u8>),
    List(Vec<Value>),
    /// What the server says is wrong.
    Error(String),
}

impl Value {
    pub(super) fn text(&self) -> Option<&[u8]> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Value]> {
        match self {
            Value::List(list) => Some(list),
            _ => None,
        }
    }
}

/// Where a server is, and who asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    /// What stands behind the port: a path and a query, unescaped.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
}

impl Address {
    /// Reads `SCHEME://[[USER]:PASSWORD@]HOST[:PORT][/PATH][?NAME=VALUE]`.
    pub(super) fn parse(text: &str, usual_port: u16) -> Result<Address, Failure> {
        let refuse = |reason: &str| Failure::Usage(format!("{text:?}: {reason}"));
        let unescaped = |text: &str| {
            let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
            decoded.map(std::borrow::Cow::into_owned).map_err(|_| refuse("what is escaped in it is no text"))
        };
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, place) = place.rsplit_once('@').map_or((None, place), |(login, place)| (Some(login), place));
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| refuse("the port is no number"))?)
            }
            _ => (place, usual_port),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(refuse("it names no host"));
        }
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, ""))) {
            Some((user, password)) => (Some(unescaped(user)?), Some(unescaped(password)?)),
            None => (None, None),
        };
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((unescaped(name)?, unescaped(value)?))
        };
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect::<Result<_, Failure>>()?;
        let user = user.filter(|user| !user.is_empty());
        Ok(Address { host: host.to_owned(), port, user, password, path: unescaped(path)?, query })
    }

    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// A connection on which one side asks and the other answers.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) input: BufReader<TcpStream>,
    place: String,
    /// Bytes that were read as values.
    pub(super) read_bytes: u64,
}

fn lost(place: &str, error: &dyn std::fmt::Display) -> Trouble {
    Trouble::Lost(format!("the connection to {place} broke: {error}"))
}

impl Wire {
    /// Connects, and says who asks.
    pub(super) fn open(address: &Address) -> Result<Wire, Trouble> {
        let place = address.place();
        let unreachable = |error: io::Error| Trouble::Lost(format!("nothing answers at {place}: {error}"));
        let mut stream = Err(io::Error::other("the name has no address"));
        for at in (&*address.host, address.port).to_socket_addrs().map_err(unreachable)? {
            stream = TcpStream::connect_timeout(&at, CONNECT);
            if stream.is_ok() {
                break;
            }
        }
        let stream = stream.map_err(unreachable)?;
        stream.set_read_timeout(Some(ANSWER)).and_then(|()| stream.set_nodelay(true)).map_err(unreachable)?;
        let mut wire = Wire { input: BufReader::with_capacity(64 << 10, stream), place, read_bytes: 0 };
        if let Some(password) = &address.password {
            let words: Vec<&[u8]> = [Some("AUTH"), address.user.as_deref(), Some(password)]
                .into_iter()
                .flatten()
                .map(str::as_bytes)
                .collect();
            wire.ask(&words)?;
        }
        Ok(wire)
    }

    /// Where the other side is.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Sends a command without waiting for its answer.
    pub(super) fn send(&mut self, words: &[&[u8]]) -> Result<(), Trouble> {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            bytes.extend_from_slice(word);
            bytes.extend_from_slice(b"\r\n");
        }
        self.input.get_mut().write_all(&bytes).map_err(|error| lost(&self.place, &error))
    }

    /// Sends a command and waits for its answer. What the server refuses is an error.
    pub(super) fn ask(&mut self, words: &[&[u8]]) -> Result<Value, Trouble> {
        self.send(words)?;
        match self.value()? {
            // It is there, and will answer in a moment.
            Value::Error(error) if error.starts_with("LOADING") || error.starts_with("MASTERDOWN") => {
                Err(lost(&self.place, &error))
            }
            Value::Error(error) => {
                let command = String::from_utf8_lossy(words.first().copied().unwrap_or_default()).into_owned();
                Err(Trouble::failed(format!("{} refuses {command}: {error}", self.place)))
            }
            value => Ok(value),
        }
    }

    /// The next value.
    pub(super) fn value(&mut self) -> Result<Value, Trouble> {
        let (value, bytes) = read_value(&mut self.input, 0).map_err(|error| lost(&self.place, &error))?;
        self.read_bytes += bytes;
        Ok(value)
    }
}

/// The next line, without its end, and how many bytes that were.
pub(super) fn read_line(input: &mut impl BufRead) -> io::Result<(Vec<u8>, u64)> {
    let mut line = Vec::new();
    input.take(64 << 10).read_until(b'\n', &mut line)?;
    let bytes = line.len() as u64;
    match line.pop() {
        Some(b'\n') => {}
        Some(_) => return Err(foreign("a line has no end")),
        None => return Err(io::ErrorKind::UnexpectedEof.into()),
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok((line, bytes))
}

fn foreign(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it does not speak the protocol of Redis: {what}"))
}

/// The next value, and how many bytes it took.
pub(super) fn read_value(input: &mut impl BufRead, depth: u32) -> io::Result<(Value, u64)> {
    let (line, mut bytes) = read_line(input)?;
    let Some((kind, rest)) = line.split_first() else { return Err(foreign("a line is empty")) };
    let text = String::from_utf8_lossy(rest);
    let number = || text.parse::<i64>().map_err(|_| foreign("a length is no number"));
    let value = match kind {
        b'+' => Value::Text(rest.to_vec()),
        b'-' => Value::Error(text.into_owned()),
        b':' => Value::Whole(number()?),
        b'$' => match usize::try_from(number()?) {
            Err(_) => Value::Nothing,
            Ok(length) if length > BYTES_MAX => return Err(foreign("a text is too long")),
            Ok(length) => {
                let mut text = Vec::new();
                input.take(length as u64 + 2).read_to_end(&mut text)?;
                if text.len() != length + 2 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                bytes += text.len() as u64;
                text.truncate(length);
                Value::Text(text)
            }
        },
        b'*' => match usize::try_from(number()?) {
            Err(_) => Value::Nothing,
            Ok(length) if length > MEMBERS_MAX || depth > DEPTH_MAX => return Err(foreign("a list is too long")),
            Ok(length) => {
                let mut list = Vec::new();
                for _ in 0..length {
                    let (value, more) = read_value(input, depth + 1)?;
                    bytes += more;
                    list.push(value);
                }
                Value::List(list)
            }
        },
        _ => return Err(foreign("a value is of no kind that is known")),
    };
    Ok((value, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_to_the_byte() {
        let text = b"*4\r\n$3\r\na\r\n\r\n:-7\r\n*1\r\n$-1\r\n+OK\r\n-ERR no\r\n";
        let mut input = &text[..];
        let (value, bytes) = read_value(&mut input, 0).unwrap();
        let list = vec![
            Value::Text(b"a\r\n".to_vec()),
            Value::Whole(-7),
            Value::List(vec![Value::Nothing]),
            Value::Text(b"OK".to_vec()),
        ];
        assert_eq!((value, bytes), (Value::List(list), text.len() as u64 - 9));
        assert_eq!(read_value(&mut input, 0).unwrap(), (Value::Error("ERR no".to_owned()), 9));
        for broken in ["", "$5\r\nab", "*2\r\n:1\r\n", "hello\r\n", "$x\r\n", "\r\n", "$99999999999\r\n", ":1"] {
            assert!(read_value(&mut broken.as_bytes(), 0).is_err(), "{broken:?}");
        }
        assert!(read_value(&mut "*1\r\n".repeat(100).as_bytes(), 0).is_err(), "lists in lists end somewhere");
    }

    #[test]
    fn an_address_has_its_parts() {
        let parse = |text: &str| Address::parse(text, 6379).unwrap();
        let whole = parse("redis://me:p%40ss@[::1]:7000/2?key=a%20b&x");
        assert_eq!((&*whole.host, whole.port, &*whole.path), ("::1", 7000, "2"));
        assert_eq!((whole.user.as_deref(), whole.password.as_deref()), (Some("me"), Some("p@ss")));
        assert_eq!(whole.query, [("key".to_owned(), "a b".to_owned()), ("x".to_owned(), String::new())]);
        assert_eq!(parse("redis://h").port, 6379);
        assert_eq!(parse("redis://:secret@h").user, None);
        assert!(Address::parse("redis://:99999x", 1).is_err() && Address::parse("redis:///0", 1).is_err());
    }
}
