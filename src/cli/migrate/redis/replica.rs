//! The changes of Redis, as a replica gets them: every command that changed something, in order, with its place in bytes.
//!
//! ```text
//! PSYNC ? -1 ─▶ FULLRESYNC id place ─▶ a dump, of nothing where Redis can filter it ─▶ commands, commands, …
//! the connection breaks ─▶ PSYNC id place ─▶ CONTINUE: the commands that were missed, or FULLRESYNC: everything has to be compared
//! ```
//!
//! What surprises: `MONITOR` shows commands as well, but also the reads and those that failed, scripts as they were called, and it drops
//! clients that are slow; notifications of the keyspace name the key and no member, and are lost while nobody listens. A
//! replica is told the effects of scripts and of keys that end, and can ask for what it missed.

use std::io::{self, BufRead, Read};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use super::super::resp::{Address, Value, Wire, read_line};
use super::super::source::{Event, Feed, Trouble};
use super::command::{Told, told};
use super::{Place, event_of};

/// Changes that wait to be applied; when there are more, both sides are compared instead.
const WAITING_MAX: usize = 1_000_000;

/// How often the source is told how far we are, and how long it may be away.
const TELL: Duration = Duration::from_secs(1);
const AWAY_MAX: Duration = Duration::from_secs(60);

/// A replica that keeps nothing.
pub(super) struct Replica {
    shared: Arc<Shared>,
    place: Place,
    reached: u64,
    reading: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    came: Condvar,
    stop: AtomicBool,
    offset: AtomicU64,
}

#[derive(Default)]
struct State {
    events: Vec<Event>,
    /// How far the events go.
    offset: u64,
    failed: Option<String>,
    stream: Option<TcpStream>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a stream stands.
struct Stream {
    wire: Wire,
    id: String,
    offset: u64,
    /// The database that commands run on.
    database: u32,
    /// What a transaction that is under way told so far.
    transaction: Option<Vec<Event>>,
}

impl Replica {
    /// Begins to listen; `None` where Redis does not let us.
    pub(super) fn begin(place: &Place) -> Result<Option<Replica>, Trouble> {
        let Some(stream) = synchronise(&place.address)? else { return Ok(None) };
        let shared = Arc::new(Shared {
            state: Mutex::new(State { offset: stream.offset, ..State::default() }),
            came: Condvar::new(),
            stop: AtomicBool::new(false),
            offset: AtomicU64::new(stream.offset),
        });
        let reached = stream.offset;
        let (ours, of) = (shared.clone(), place.clone());
        let reading = spawn(move || read_on(&ours, &of, stream));
        Ok(Some(Replica { shared, place: place.clone(), reached, reading: Some(reading) }))
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        if let Some(stream) = self.shared.state().stream.take() {
            let _ = stream.shutdown(Shutdown::Both); // it is gone already
        }
        if let Some(reading) = self.reading.take() {
            let _ = reading.join(); // it tells nobody any more
        }
    }
}

impl Feed for Replica {
    fn next(&mut self, patience: Duration) -> Result<Vec<Event>, Trouble> {
        let state = self.shared.state();
        let nothing = |state: &mut State| state.events.is_empty() && state.failed.is_none();
        let waited = self.shared.came.wait_timeout_while(state, patience, nothing);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let events = std::mem::take(&mut state.events);
        self.reached = state.offset;
        match state.failed.take().filter(|_| events.is_empty()) {
            Some(reason) => Err(Trouble::Lost(reason)),
            None => Ok(events),
        }
    }

    fn mark(&mut self) -> Result<u64, Trouble> {
        let text = super::information(&mut Wire::open(&self.place.address)?, "replication")?;
        let offset = super::named(&text, "master_repl_offset").and_then(|number| number.parse().ok());
        offset.ok_or_else(|| Trouble::failed(format!("{} does not say how far it is", self.place.address.place())))
    }

    fn reached(&self) -> u64 {
        self.reached
    }
}

/// Reads commands until nobody wants them, connecting anew where need be.
fn read_on(shared: &Shared, place: &Place, mut stream: Stream) {
    loop {
        let broke = follow(shared, place, &mut stream);
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        match again(shared, place, &stream, &broke) {
            Some(next) => stream = next,
            None => return,
        }
    }
}

/// Reads commands until the connection breaks; says why.
fn follow(shared: &Shared, place: &Place, stream: &mut Stream) -> String {
    let Ok(handle) = stream.wire.input.get_ref().try_clone() else { return "too many files are open".to_owned() };
    let Ok(telling) = handle.try_clone() else { return "too many files are open".to_owned() };
    shared.state().stream = Some(handle);
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| tell(shared, telling, &ended));
        let broke = loop {
            if shared.stop.load(Ordering::SeqCst) {
                break String::new();
            }
            if let Err(error) = read_command(shared, place, stream) {
                break match error {
                    Trouble::Lost(reason) => reason,
                    Trouble::Failed(failure) => failure.to_string(),
                };
            }
        };
        ended.store(true, Ordering::SeqCst);
        broke
    })
}

/// Tells the source how far we are, so that it keeps the connection.
fn tell(shared: &Shared, mut to: TcpStream, ended: &AtomicBool) {
    let mut last = None::<Instant>;
    while !ended.load(Ordering::SeqCst) {
        if last.is_none_or(|last| last.elapsed() >= TELL) {
            let offset = shared.offset.load(Ordering::SeqCst).to_string();
            let text = format!("*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n${}\r\n{offset}\r\n", offset.len());
            if io::Write::write_all(&mut to, text.as_bytes()).is_err() {
                return;
            }
            last = Some(Instant::now());
        }
        sleep(Duration::from_millis(20));
    }
}

fn read_command(shared: &Shared, place: &Place, stream: &mut Stream) -> Result<(), Trouble> {
    let before = stream.wire.read_bytes;
    let value = stream.wire.value()?;
    stream.offset += stream.wire.read_bytes - before;
    shared.offset.store(stream.offset, Ordering::SeqCst);
    let words: Vec<&[u8]> = value.list().unwrap_or_default().iter().filter_map(Value::text).collect();
    let mut events = Vec::new();
    match words.first().map(|command| command.to_ascii_uppercase()).as_deref() {
        Some(b"SELECT") => {
            let database = words.get(1).and_then(|number| std::str::from_utf8(number).ok()?.parse().ok());
            stream.database = database.unwrap_or(stream.database);
        }
        Some(b"MULTI") => stream.transaction = Some(Vec::new()),
        Some(b"EXEC") => events = stream.transaction.take().unwrap_or_default(),
        _ => {
            let told = told(&words, &place.key, stream.database == place.database);
            events.extend(told.into_iter().map(|told| match told {
                Told::Put(member, score) => event_of(member, Some(score)),
                Told::Remove(member) | Told::Look(member) if std::str::from_utf8(member).is_err() => {
                    event_of(member, None)
                }
                Told::Remove(member) => super::with_id(member, Event::Remove),
                Told::Look(member) => super::with_id(member, Event::Look),
                Told::Everything(reason) => Event::Everything(reason),
            }));
        }
    }
    if let Some(transaction) = &mut stream.transaction {
        transaction.append(&mut events);
        return Ok(()); // it is told as a whole
    }
    let mut state = shared.state();
    state.events.append(&mut events);
    if state.events.len() > WAITING_MAX {
        let reason = format!("more than {WAITING_MAX} changes wait");
        state.events = vec![Event::Everything(reason)];
    }
    state.offset = stream.offset;
    drop(state);
    shared.came.notify_all();
    Ok(())
}

/// Connects anew: where it left off if the source still knows what was missed, otherwise from now on.
fn again(shared: &Shared, place: &Place, stream: &Stream, broke: &str) -> Option<Stream> {
    let begun = Instant::now();
    while begun.elapsed() < AWAY_MAX && !shared.stop.load(Ordering::SeqCst) {
        if let Ok(Some(next)) = resume(&place.address, stream) {
            return Some(next);
        }
        match synchronise(&place.address) {
            Ok(Some(next)) => {
                let mut state = shared.state();
                state.events = vec![Event::Everything("Redis no longer knows which changes were missed".to_owned())];
                state.offset = next.offset;
                drop(state);
                shared.came.notify_all();
                return Some(next);
            }
            Ok(None) => break,
            Err(_) => sleep(Duration::from_millis(200)),
        }
    }
    shared.state().failed = Some(broke.to_owned());
    shared.came.notify_all();
    None
}

fn word(value: &Value) -> String {
    String::from_utf8_lossy(value.text().unwrap_or_default()).into_owned()
}

/// Asks for what was missed; `None` when the source does not know.
fn resume(address: &Address, stream: &Stream) -> Result<Option<Stream>, Trouble> {
    let mut wire = Wire::open(address)?;
    wire.ask(&[b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"])?;
    let next = (stream.offset + 1).to_string();
    let answer = word(&wire.ask(&[b"PSYNC", stream.id.as_bytes(), next.as_bytes()])?);
    let Some(rest) = answer.strip_prefix("CONTINUE") else { return Ok(None) };
    let id = if rest.trim().is_empty() { stream.id.clone() } else { rest.trim().to_owned() };
    let (offset, database, transaction) = (stream.offset, stream.database, stream.transaction.clone());
    Ok(Some(Stream { wire, id, offset, database, transaction }))
}

/// Begins a stream from now on, and passes over the dump before it; `None` where Redis does not let us.
fn synchronise(address: &Address) -> Result<Option<Stream>, Trouble> {
    let mut wire = Wire::open(address)?;
    let mut refuses = |words: &[&[u8]]| -> Result<Option<String>, Trouble> {
        wire.send(words)?;
        match wire.value()? {
            Value::Error(error) if error.contains("NOMASTERLINK") || error.starts_with("LOADING") => {
                Err(Trouble::Lost(error))
            }
            Value::Error(_) => Ok(None),
            value => Ok(Some(word(&value))),
        }
    };
    if refuses(&[b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"])?.is_none() {
        return Ok(None);
    }
    // From version 7 on the dump can be one of nothing. An older one sends all of it, and it is passed over.
    refuses(&[b"REPLCONF", b"rdb-filter-only", b""])?;
    let Some(answer) = refuses(&[b"PSYNC", b"?", b"-1"])? else { return Ok(None) };
    let mut words = answer.split(' ');
    let (Some("FULLRESYNC"), Some(id), Some(offset)) = (words.next(), words.next(), words.next()) else {
        return Ok(None);
    };
    let (id, Ok(offset)) = (id.to_owned(), offset.trim().parse()) else { return Ok(None) };
    let broke = |error: io::Error| Trouble::Lost(format!("the connection to {} broke: {error}", address.place()));
    skip_dump(&mut wire.input).map_err(broke)?;
    Ok(Some(Stream { wire, id, offset, database: 0, transaction: None }))
}

/// Passes over a dump: of a length that is told, or up to a mark.
fn skip_dump(input: &mut impl BufRead) -> io::Result<()> {
    let head = loop {
        let (line, _) = read_line(input)?;
        if !line.is_empty() {
            break line; // empty lines say that it is being made
        }
    };
    let text = String::from_utf8_lossy(&head).into_owned();
    let foreign = || io::Error::new(io::ErrorKind::InvalidData, format!("{text:?} begins no dump"));
    let rest = text.strip_prefix('$').ok_or_else(foreign)?;
    if let Some(mark) = rest.strip_prefix("EOF:") {
        return skip_to(input, mark.as_bytes());
    }
    let length: u64 = rest.parse().map_err(|_| foreign())?;
    match io::copy(&mut input.take(length), &mut io::sink())? {
        copied if copied == length => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Reads up to the end of a mark, and nothing behind it.
fn skip_to(input: &mut impl BufRead, mark: &[u8]) -> io::Result<()> {
    let mut tail: Vec<u8> = Vec::new();
    loop {
        let bytes = input.fill_buf()?;
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (before, length) = (tail.len(), bytes.len());
        tail.extend_from_slice(bytes);
        let found = tail.windows(mark.len()).position(|window| window == mark);
        input.consume(found.map_or(length, |at| at + mark.len() - before));
        if found.is_some() {
            return Ok(());
        }
        tail.drain(..tail.len().saturating_sub(mark.len() - 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_passed_over_to_the_byte() {
        let mark = "0123456789012345678901234567890123456789";
        for dump in [format!("\n\n$EOF:{mark}\r\nREDIS…{mark}*1"), "$3\r\nabc*1".to_owned()] {
            for room in [1, 7, 41, 4096] {
                let mut input = io::BufReader::with_capacity(room, dump.as_bytes());
                skip_dump(&mut input).unwrap();
                let mut rest = String::new();
                input.read_to_string(&mut rest).unwrap();
                assert_eq!(rest, "*1", "{dump} by {room}");
            }
        }
        for broken in ["$5\r\nab", "$EOF:0123\r\nab", "+OK\r\n", ""] {
            assert!(skip_dump(&mut broken.as_bytes()).is_err(), "{broken}");
        }
    }
}
