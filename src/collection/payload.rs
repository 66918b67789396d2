//! Everything about an item that is not its point: one record a slot, one after the other.
//!
//! ```text
//! record   flags u8 │ id length - 1 u8 │ place length u8 │ put seq u64 │ [expires at i64] │ id │ lon,lat │ properties
//! where    base u64 every 32 records, offset from it u32 each: 4.25 bytes a slot
//! ```
//!
//! What surprises: the position stands here a second time, as the text an answer shows. Writing two numbers down takes
//! longer than finding the item, so it is done once, when the item comes, and not for every answer.
//!
//! Little-endian, and the same bytes in memory and in a file.

use super::item::NewItem;
use crate::geometry::Point;
use crate::index::{Array, Section, Stored, fetch};

/// The item expires: eight bytes more before its id.
const EXPIRES: u8 = 1;
/// The id stands in JSON as it is.
const PLAIN_ID: u8 = 2;

/// Where the sequence number stands.
const SEQ: usize = 3;

/// Bytes before the id of a record that does not expire, and of one that does.
const HEAD: usize = 11;
const HEAD_EXPIRES: usize = HEAD + 8;

/// No id ends later than this in its record.
const ID_ENDS_BY: usize = HEAD_EXPIRES + 256;

/// How far ahead records are fetched that are about to be copied, and bytes that come from memory at once.
const FETCHED: usize = 16;
const LINE: usize = 64;

/// Records to a base; their sizes add up to less than 32 × (64 KiB + 400), which fits 32 bits.
const GROUP: usize = 32;

/// A record, read in place, each part when it is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a>(&'a [u8]);

/// Appends the record of an item.
pub(super) fn write_record<'i>(item: impl Into<NewItem<'i>>, seq: u64, bytes: &mut Vec<u8>) {
    let item = item.into();
    let id = item.id();
    let head = bytes.len();
    let expires = if item.expires_at_ms().is_some() { EXPIRES } else { 0 };
    let plain = if is_plain(id) { PLAIN_ID } else { 0 };
    bytes.extend([expires | plain, (id.len() - 1) as u8, 0]);
    bytes.extend(seq.to_le_bytes());
    if let Some(at) = item.expires_at_ms() {
        bytes.extend(at.to_le_bytes());
    }
    bytes.extend(id.as_bytes());
    let place = bytes.len();
    write_lon_lat(item.point(), bytes);
    bytes[head + 2] = (bytes.len() - place) as u8; // two numbers of at most 24 characters
    bytes.extend(item.properties().as_bytes());
}

/// Whether an id stands in JSON as it is. Ids hold no control characters.
fn is_plain(id: &str) -> bool {
    !id.bytes().any(|byte| byte == b'"' || byte == b'\\')
}

/// The shortest digits that read back as the same bits, the longitude first, as GeoJSON wants them.
fn write_lon_lat(point: Point, bytes: &mut Vec<u8>) {
    const NEVER_FAILS: &str = "a buffer in memory takes every number";
    serde_json::to_writer(&mut *bytes, &point.lon_deg()).expect(NEVER_FAILS);
    bytes.push(b',');
    serde_json::to_writer(bytes, &point.lat_deg()).expect(NEVER_FAILS);
}

fn eight(bytes: &[u8]) -> [u8; 8] {
    bytes[..8].try_into().expect("eight bytes")
}

impl<'a> Record<'a> {
    /// The record in its bytes.
    #[inline]
    pub(super) fn of(bytes: &'a [u8]) -> Record<'a> {
        Record(bytes)
    }

    pub(super) fn id(self) -> &'a str {
        text(self.id_bytes())
    }

    /// The bytes of the id, which is all that comparing needs.
    #[inline]
    pub(super) fn id_bytes(self) -> &'a [u8] {
        let start = head(self.0);
        &self.0[start..start + self.id_len()]
    }

    /// Whether the id stands in JSON as it is.
    #[inline]
    pub(super) fn has_plain_id(self) -> bool {
        self.0[0] & PLAIN_ID != 0
    }

    pub(super) fn lon_lat(self) -> &'a str {
        let end = self.place_end();
        text(&self.0[end - usize::from(self.0[2])..end])
    }

    pub(super) fn properties(self) -> &'a str {
        text(self.properties_bytes())
    }

    #[inline]
    pub(super) fn properties_bytes(self) -> &'a [u8] {
        &self.0[self.place_end()..]
    }

    #[inline]
    pub(super) fn seq(self) -> u64 {
        u64::from_le_bytes(eight(&self.0[SEQ..]))
    }

    #[inline]
    pub(super) fn expires_at_ms(self) -> Option<i64> {
        (self.0[0] & EXPIRES != 0).then(|| i64::from_le_bytes(eight(&self.0[HEAD..])))
    }

    #[inline]
    fn id_len(self) -> usize {
        usize::from(self.0[1]) + 1
    }

    #[inline]
    fn place_end(self) -> usize {
        head(self.0) + self.id_len() + usize::from(self.0[2])
    }
}

/// Reading a whole record as text took an eighth of the time of an answer; so every part is, and only where text is needed.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("records are written from text")
}

#[inline]
fn head(bytes: &[u8]) -> usize {
    if bytes[0] & EXPIRES == 0 { HEAD } else { HEAD_EXPIRES }
}

/// The records of a segment, by slot.
#[derive(Debug, Default)]
pub(super) struct Payload {
    bytes: Array<u8>,
    bases: Array<u64>,
    offsets: Array<u32>,
    /// What has to be added to the sequence numbers in the records: those of a load are written before its numbers are known.
    before_seq: u64,
}

impl Payload {
    /// Copies records, slot by slot, and says which slots expire. With each record comes what has to be added to its sequence
    /// number.
    pub(super) fn gather<'a>(records: impl ExactSizeIterator<Item = (&'a [u8], u64)> + Clone) -> (Payload, Vec<u32>) {
        let mut bytes: Vec<u8> = Vec::with_capacity(records.clone().map(|(record, _)| record.len()).sum());
        let mut bases: Vec<u64> = Vec::with_capacity(records.len().div_ceil(GROUP) + 1);
        let mut offsets: Vec<u32> = Vec::with_capacity(records.len());
        let mut expiring = Vec::new();
        let mut base = 0;
        // They lie anywhere in memory.
        let mut ahead = records.clone().skip(FETCHED);
        for (slot, (record, before_seq)) in records.enumerate() {
            if slot % GROUP == 0 {
                base = bytes.len() as u64;
                bases.push(base);
            }
            let start = bytes.len();
            offsets.push((start as u64 - base) as u32);
            if let Some((first, rest)) = ahead.next().and_then(|(record, _)| record.split_first()) {
                fetch(first);
                rest.get(LINE..).and_then(<[u8]>::first).into_iter().for_each(fetch);
            }
            bytes.extend(record);
            if before_seq > 0 {
                let moved = (Record::of(record).seq() + before_seq).to_le_bytes();
                bytes[start + SEQ..start + SEQ + 8].copy_from_slice(&moved);
            }
            if record[0] & EXPIRES != 0 {
                expiring.push(slot as u32);
            }
        }
        bases.push(bytes.len() as u64);
        (Payload { bytes: bytes.into(), bases: bases.into(), offsets: offsets.into(), before_seq: 0 }, expiring)
    }

    /// What a file has to hold of them.
    pub(super) fn sections(&self) -> Vec<Section<'_>> {
        vec![("bytes", self.bytes.as_bytes()), ("bases", self.bases.as_bytes()), ("offsets", self.offsets.as_bytes())]
    }

    /// The records of so many slots in a file, if the lengths of its sections fit; `before_seq` is added to their sequence
    /// numbers.
    pub(super) fn open(stored: &Stored<'_>, len: usize, before_seq: u64) -> Option<Payload> {
        let bases = stored.array_of("bases", len.div_ceil(GROUP) + 1)?;
        Some(Payload { bytes: stored.array("bytes")?, bases, offsets: stored.array_of("offsets", len)?, before_seq })
    }

    /// What is added to the sequence numbers in the records.
    pub(super) fn before_seq(&self) -> u64 {
        self.before_seq
    }

    #[inline]
    fn start(&self, slot: usize) -> usize {
        *self.bases.at(slot / GROUP) as usize + *self.offsets.at(slot) as usize
    }

    /// Has the processor fetch what says where the record of a slot is.
    #[inline]
    pub(super) fn fetch_start(&self, slot: u32) {
        self.bases.fetch(slot as usize / GROUP);
        self.offsets.fetch(slot as usize);
    }

    /// Has the processor fetch the beginning of a record.
    #[inline]
    pub(super) fn fetch(&self, slot: u32) {
        self.bytes.fetch(self.start(slot as usize));
    }

    #[inline]
    pub(super) fn record_bytes(&self, slot: u32) -> &[u8] {
        let slot = slot as usize;
        let end = if slot + 1 < self.offsets.len() { self.start(slot + 1) } else { self.bytes.len() };
        self.bytes.slice(self.start(slot)..end)
    }

    #[inline]
    pub(super) fn id_bytes(&self, slot: u32) -> &[u8] {
        let start = self.start(slot as usize);
        Record::of(self.bytes.slice(start..self.bytes.len().min(start + ID_ENDS_BY))).id_bytes()
    }

    /// The record of a slot; what is in [`Payload::before_seq`] is not yet added to its sequence number.
    #[inline]
    pub(super) fn record(&self, slot: u32) -> Record<'_> {
        Record::of(self.record_bytes(slot))
    }

    /// The sequence number of the change that put the item there.
    pub(super) fn seq(&self, slot: u32) -> u64 {
        self.record(slot).seq() + self.before_seq
    }

    /// When the item is due to be removed.
    pub(super) fn expires_at_ms(&self, slot: u32) -> Option<i64> {
        self.record(slot).expires_at_ms()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.bytes() + self.bases.bytes() + self.offsets.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::{Id, Item, Properties};
    use crate::geometry::Point;

    #[test]
    fn records_come_back_as_written() {
        let items: Vec<Item> = (0..100)
            .map(|i| {
                let id = Id::new("i".repeat(1 + (i * 37) % 256)).unwrap();
                let item = Item::new(id, Point::new(0.0, 0.0).unwrap());
                let item = item.with_properties(Properties::from_json(&format!("{{\"n\":{i}}}")).unwrap());
                if i % 3 == 0 { item.expiring_at(-(i as i64)) } else { item }
            })
            .collect();
        let written: Vec<Vec<u8>> = items
            .iter()
            .enumerate()
            .map(|(i, item)| {
                let mut bytes = Vec::new();
                write_record(item, i as u64 + 7, &mut bytes);
                bytes
            })
            .collect();
        let (payload, expiring) = Payload::gather(written.iter().map(|record| (record.as_slice(), 0)));
        assert_eq!(expiring, (0..100).step_by(3).collect::<Vec<u32>>());
        for (slot, item) in items.iter().enumerate() {
            let record = payload.record(slot as u32);
            assert_eq!((record.id(), record.properties()), (item.id.as_str(), item.properties.as_json()));
            assert_eq!((record.seq(), record.expires_at_ms()), (slot as u64 + 7, item.expires_at_ms));
            assert_eq!(payload.id_bytes(slot as u32), item.id.as_str().as_bytes());
            assert_eq!(
                (payload.seq(slot as u32), payload.expires_at_ms(slot as u32)),
                (record.seq(), record.expires_at_ms())
            );
        }
    }

    #[test]
    fn a_record_knows_its_place_as_text_and_whether_its_id_needs_escaping() {
        for (id, plain) in [("a", true), ("é-1", true), ("a\"", false), ("\\", false)] {
            for (lat, lon, text) in
                [(48.857, 2.352, "2.352,48.857"), (-90.0, -0.0, "-0.0,-90.0"), (1e-300, 5e-324, "5e-324,1e-300")]
            {
                let mut bytes = Vec::new();
                write_record(&Item::new(Id::new(id).unwrap(), Point::new(lat, lon).unwrap()), 1, &mut bytes);
                let record = Record::of(&bytes);
                assert_eq!(
                    (record.id(), record.has_plain_id(), record.lon_lat(), record.properties()),
                    (id, plain, text, "{}")
                );
            }
        }
    }
}
