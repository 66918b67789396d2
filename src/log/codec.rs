//! Rows and frames as bytes.
//!
//! What surprises: a row has no checksum and a frame has. The store checks its blocks; a frame may also travel to other machines.
//!
//! ```text
//! row     format and flags u8 │ seq u64 │ lat f64 │ lon f64 │ [expires at i64] │ properties      under collection u32 BE, id
//! frame   format u8 │ kind u8 │ count u64 │ body │ XXH3-64 of all before it      under stream u32 BE, first number u64 BE
//!
//! changes    each: what and was u8 │ id length - 1 u8 │ id │ [lat f64 │ lon f64] where it was │ rest
//!              put       lat f64 │ lon f64 │ [expires at i64] │ properties length u32 │ properties
//!              remove    nothing
//!              expire    number of the put u64
//! load       checksum u64 │ segment u64 each
//! ```
//!
//! Of the byte of a change, the lower half says what it does and the upper half where its item was before: 0 not known, as in the
//! first frames ever written, 1 nowhere, 2 at the place that follows the id.
//!
//! Numbers are little-endian, floats are their bits. In keys they are big-endian, so that keys are in the order of numbers.
//! Reading never trusts: bytes of any kind give an item, a frame, or what is wrong with them.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::change_log::{Entry, Frame, Load, Step, Was};
use super::store::StoreError;
use crate::collection::{Change, Id, Item, ItemRef, Properties};
use crate::geometry::Point;

/// Of rows, in the upper half of a byte whose lower half are flags.
const ROW_FORMAT: u8 = 1;
const EXPIRES: u8 = 1;

/// Of frames.
const FRAME_FORMAT: u8 = 1;
const CHANGES: u8 = 1;
const LOAD: u8 = 2;
const HEAD_BYTES: usize = 10;
const CHECKSUM_BYTES: usize = 8;

const PUT: u8 = 1;
const PUT_EXPIRING: u8 = 2;
const REMOVE: u8 = 3;
const EXPIRE: u8 = 4;

/// In the upper half of the byte that says what a change does.
const WAS_UNKNOWN: u8 = 0;
const WAS_NOWHERE: u8 = 1;
const WAS_AT: u8 = 2;

/// A frame larger than this is cut, unless it is one change.
const FRAME_BYTES: usize = 64 * 1024;

/// The key of an item's row.
pub fn record_key(collection: u32, id: &str) -> Vec<u8> {
    [&collection.to_be_bytes(), id.as_bytes()].concat()
}

/// Writes the key and the row of an item that is stored elsewhere, in place of what the two hold.
pub fn write_key_and_row(collection: u32, item: &ItemRef<'_>, key: &mut Vec<u8>, bytes: &mut Vec<u8>) {
    key.clear();
    key.extend(collection.to_be_bytes());
    key.extend(item.id().as_bytes());
    bytes.clear();
    write_row_onto(item.point(), item.expires_at_ms(), item.properties_bytes(), item.seq, bytes);
}

/// The collection and the id in the key of a row.
pub fn read_record_key(key: &[u8]) -> Result<(u32, &str), StoreError> {
    let parts = key.split_first_chunk::<4>().and_then(|(collection, id)| {
        let id = std::str::from_utf8(id).ok()?;
        Some((u32::from_be_bytes(*collection), id))
    });
    parts.ok_or_else(|| damaged(format!("the key {} is not one of a row", key.escape_ascii())))
}

/// The key of a frame.
pub fn change_key(stream: u32, first_seq: u64) -> Vec<u8> {
    [&stream.to_be_bytes()[..], &first_seq.to_be_bytes()].concat()
}

/// The stream and the first number in the key of a frame.
pub fn read_change_key(key: &[u8]) -> Result<(u32, u64), StoreError> {
    let parts = key
        .split_first_chunk::<4>()
        .and_then(|(stream, first)| Some((u32::from_be_bytes(*stream), u64::from_be_bytes(first.try_into().ok()?))));
    parts.ok_or_else(|| damaged(format!("the key {} is not one of a frame", key.escape_ascii())))
}

/// The row of an item that was put by change `seq`.
pub fn write_row(item: &Item, seq: u64) -> Vec<u8> {
    row(item.point, item.expires_at_ms, item.properties.as_json(), seq)
}

/// The row of an item that is stored elsewhere.
pub fn write_row_of(item: &ItemRef<'_>) -> Vec<u8> {
    row(item.point(), item.expires_at_ms(), item.properties(), item.seq)
}

fn row(point: Point, expires_at_ms: Option<i64>, properties: &str, seq: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(33 + properties.len());
    write_row_onto(point, expires_at_ms, properties.as_bytes(), seq, &mut bytes);
    bytes
}

fn write_row_onto(point: Point, expires_at_ms: Option<i64>, properties: &[u8], seq: u64, bytes: &mut Vec<u8>) {
    bytes.push(ROW_FORMAT << 4 | if expires_at_ms.is_some() { EXPIRES } else { 0 });
    bytes.extend(seq.to_le_bytes());
    write_place(point, expires_at_ms, bytes);
    bytes.extend(properties);
}

/// The item of a row, and the number of the change that put it.
pub fn read_row(id: &str, bytes: &[u8]) -> Result<(Item, u64), StoreError> {
    let mut reader = Reader(bytes);
    let row = (|| {
        let head = reader.byte()?;
        if head >> 4 != ROW_FORMAT || head & 0xf & !EXPIRES != 0 {
            return Err(format!("format {} is not known", head >> 4));
        }
        let seq = reader.u64()?;
        let (point, expires_at_ms) = reader.place(head & EXPIRES != 0)?;
        let properties = properties(reader.0)?;
        let id = Id::new(id).map_err(|error| error.to_string())?;
        Ok((Item { id, point, properties, expires_at_ms }, seq))
    })();
    row.map_err(|reason: String| damaged(format!("the row of {id:?}: {reason}")))
}

/// What an item adds to the checksum of a load: a hash of all of it but its number. Sums of these wrap, so that their order does not
/// matter.
pub fn checksum_of(id: &str, point: Point, properties: impl AsRef<[u8]>, expires_at_ms: Option<i64>) -> u64 {
    let mut place = [0; 25];
    place[..8].copy_from_slice(&point.lat_deg().to_bits().to_le_bytes());
    place[8..16].copy_from_slice(&point.lon_deg().to_bits().to_le_bytes());
    if let Some(at) = expires_at_ms {
        place[16] = EXPIRES;
        place[17..].copy_from_slice(&at.to_le_bytes());
    }
    // One part seeds the next, so that no byte can move from one part to another unseen, and nothing is copied.
    xxh3_64_with_seed(properties.as_ref(), xxh3_64_with_seed(&place, xxh3_64(id.as_bytes())))
}

/// A frame as values for the store, none above 64 KiB unless it is a single change: each with its first number.
pub fn write_frames(frame: &Frame) -> Vec<(u64, Vec<u8>)> {
    let steps = match &frame.entry {
        Entry::Changes(steps) => steps,
        Entry::Load(load) => return vec![(frame.first_seq, write_load(load))],
    };
    let mut parts = Vec::new();
    let (mut bytes, mut count) = (head(CHANGES), 0_u64);
    let mut first_seq = frame.first_seq;
    for step in steps {
        let before = bytes.len();
        write_step(step, &mut bytes);
        if bytes.len() + CHECKSUM_BYTES > FRAME_BYTES && count > 0 {
            let step = bytes.split_off(before);
            let full = std::mem::replace(&mut bytes, head(CHANGES));
            parts.push((first_seq, finish(full, count)));
            bytes.extend(step);
            first_seq += count;
            count = 0;
        }
        count += 1;
    }
    if count > 0 {
        parts.push((first_seq, finish(bytes, count)));
    }
    parts
}

/// The frame that begins at a place of the log.
pub fn read_frame(stream: u32, first_seq: u64, bytes: &[u8]) -> Result<Frame, StoreError> {
    let entry = read_entry(bytes);
    let in_range = |entry: Entry| {
        let frame = Frame { stream, first_seq, entry };
        let sound = !frame.is_empty() && first_seq.checked_add(frame.len()).is_some();
        sound.then_some(frame).ok_or("its count is out of range".to_owned())
    };
    entry.and_then(in_range).map_err(|reason| damaged_frame(stream, first_seq, &reason))
}

/// How many numbers the frame in these bytes takes, by its head alone: the rest is not looked at.
pub fn frame_count(stream: u32, first_seq: u64, bytes: &[u8]) -> Result<u64, StoreError> {
    let mut reader = Reader(bytes);
    let count = reader.head().and_then(|(_, count)| {
        let sound = count > 0 && first_seq.checked_add(count).is_some();
        sound.then_some(count).ok_or("its count is out of range".to_owned())
    });
    count.map_err(|reason| damaged_frame(stream, first_seq, &reason))
}

fn damaged_frame(stream: u32, first_seq: u64, reason: &str) -> StoreError {
    damaged(format!("the frame of collection {stream} at change {first_seq}: {reason}"))
}

fn damaged(what: String) -> StoreError {
    StoreError::Damaged { what }
}

fn head(kind: u8) -> Vec<u8> {
    let mut bytes = vec![0; HEAD_BYTES];
    bytes[..2].copy_from_slice(&[FRAME_FORMAT, kind]);
    bytes
}

fn finish(mut bytes: Vec<u8>, count: u64) -> Vec<u8> {
    bytes[2..HEAD_BYTES].copy_from_slice(&count.to_le_bytes());
    bytes.extend(xxh3_64(&bytes).to_le_bytes());
    bytes
}

fn write_load(load: &Load) -> Vec<u8> {
    let mut bytes = head(LOAD);
    bytes.extend(load.checksum.to_le_bytes());
    load.segments.iter().for_each(|segment| bytes.extend(segment.to_le_bytes()));
    finish(bytes, load.items)
}

fn write_place(point: Point, expires_at_ms: Option<i64>, bytes: &mut Vec<u8>) {
    bytes.extend(point.lat_deg().to_bits().to_le_bytes());
    bytes.extend(point.lon_deg().to_bits().to_le_bytes());
    bytes.extend(expires_at_ms.map(i64::to_le_bytes).as_ref().map_or(&[][..], |at| at));
}

fn write_step(Step { change, was }: &Step, bytes: &mut Vec<u8>) {
    let what = match change {
        Change::Put(Item { expires_at_ms: None, .. }) => PUT,
        Change::Put(_) => PUT_EXPIRING,
        Change::Remove(_) => REMOVE,
        Change::Expire { .. } => EXPIRE,
    };
    let how = match was {
        Was::Unknown => WAS_UNKNOWN,
        Was::Nowhere => WAS_NOWHERE,
        Was::At(_) => WAS_AT,
    };
    let id = change.id().as_str().as_bytes();
    bytes.extend([how << 4 | what, (id.len() - 1) as u8]);
    bytes.extend(id);
    if let Was::At(point) = was {
        write_place(*point, None, bytes);
    }
    match change {
        Change::Put(item) => {
            write_place(item.point, item.expires_at_ms, bytes);
            let properties = item.properties.as_json().as_bytes();
            bytes.extend((properties.len() as u32).to_le_bytes());
            bytes.extend(properties);
        }
        Change::Remove(_) => {}
        Change::Expire { put_seq, .. } => bytes.extend(put_seq.to_le_bytes()),
    }
}

fn properties(bytes: &[u8]) -> Result<Properties, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    Properties::from_json(text).map_err(|error| error.to_string())
}

fn read_entry(bytes: &[u8]) -> Result<Entry, String> {
    let (body, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or("it ends early")?;
    let mut reader = Reader(body);
    let (kind, count) = reader.head()?;
    if xxh3_64(body) != u64::from_le_bytes(*checksum) {
        return Err("its checksum does not fit".to_owned());
    }
    match kind {
        CHANGES => {
            // No room is made for a count that the bytes may not hold.
            let mut steps = Vec::with_capacity(count.min(reader.0.len() as u64 / 3) as usize);
            for _ in 0..count {
                steps.push(reader.step()?);
            }
            reader.end().map(|()| Entry::Changes(steps))
        }
        LOAD => {
            let checksum = reader.u64()?;
            let (segments, rest) = reader.0.as_chunks::<8>();
            Reader(rest).end()?;
            let segments = segments.iter().map(|number| u64::from_le_bytes(*number)).collect();
            Ok(Entry::Load(Load { items: count, segments, checksum }))
        }
        kind => Err(format!("kind {kind} is not known")),
    }
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or("it ends early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (taken, rest) = self.0.split_first_chunk().ok_or("it ends early")?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        self.chunk().map(|[byte]| byte)
    }

    fn u64(&mut self) -> Result<u64, String> {
        self.chunk().map(u64::from_le_bytes)
    }

    fn end(&self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err(format!("{} bytes too many", self.0.len())) }
    }

    fn head(&mut self) -> Result<(u8, u64), String> {
        let [format, kind] = self.chunk()?;
        match format {
            FRAME_FORMAT => Ok((kind, self.u64()?)),
            _ => Err(format!("format {format} is not known")),
        }
    }

    fn place(&mut self, expires: bool) -> Result<(Point, Option<i64>), String> {
        let (lat_deg, lon_deg) = (f64::from_bits(self.u64()?), f64::from_bits(self.u64()?));
        let point = Point::new(lat_deg, lon_deg).map_err(|error| error.to_string())?;
        Ok((point, if expires { Some(i64::from_le_bytes(self.chunk()?)) } else { None }))
    }

    fn step(&mut self) -> Result<Step, String> {
        let [what, length] = self.chunk()?;
        let id = std::str::from_utf8(self.take(usize::from(length) + 1)?).map_err(|error| error.to_string())?;
        let id = Id::new(id).map_err(|error| error.to_string())?;
        let was = match what >> 4 {
            WAS_UNKNOWN => Was::Unknown,
            WAS_NOWHERE => Was::Nowhere,
            WAS_AT => Was::At(self.place(false)?.0),
            how => return Err(format!("a place before a change of kind {how} is not known")),
        };
        Ok(Step { change: self.change(what & 0xf, id)?, was })
    }

    fn change(&mut self, what: u8, id: Id) -> Result<Change, String> {
        match what {
            PUT | PUT_EXPIRING => {
                let (point, expires_at_ms) = self.place(what == PUT_EXPIRING)?;
                let bytes = u32::from_le_bytes(self.chunk()?) as usize;
                let text = std::str::from_utf8(self.take(bytes)?).map_err(|error| error.to_string())?;
                let properties = Properties::checked_before(text).ok_or("its properties are no object")?;
                Ok(Change::Put(Item { id, point, properties, expires_at_ms }))
            }
            REMOVE => Ok(Change::Remove(id)),
            EXPIRE => Ok(Change::Expire { id, put_seq: self.u64()? }),
            what => Err(format!("a change of kind {what} is not known")),
        }
    }
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
