//! Everything about an item that is not its point: one record a slot, one after the other.
//!
//! ```text
//! record   flags u8 │ id length - 1 u8 │ put seq u64 │ [expires at i64] │ id │ properties
//! where    base u64 every 32 records, offset from it u32 each: 4.25 bytes a slot
//! ```
//!
//! Little-endian, so that the same bytes can stand in a file.

use super::item::Item;

const EXPIRES: u8 = 1;

/// Records to a base; their sizes add up to less than 32 × (64 KiB + 300), which fits 32 bits.
const GROUP: usize = 32;

/// A record, read in place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Record<'a> {
    pub(super) id: &'a str,
    pub(super) properties: &'a str,
    pub(super) seq: u64,
    pub(super) expires_at_ms: Option<i64>,
}

/// Appends the record of an item.
pub(super) fn write_record(item: &Item, seq: u64, bytes: &mut Vec<u8>) {
    let id = item.id.as_str().as_bytes();
    bytes.push(if item.expires_at_ms.is_some() { EXPIRES } else { 0 });
    bytes.push((id.len() - 1) as u8);
    bytes.extend(seq.to_le_bytes());
    if let Some(at) = item.expires_at_ms {
        bytes.extend(at.to_le_bytes());
    }
    bytes.extend(id);
    bytes.extend(item.properties.as_json().as_bytes());
}

fn eight(bytes: &[u8]) -> [u8; 8] {
    bytes[..8].try_into().expect("eight bytes")
}

impl<'a> Record<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Record<'a> {
        let (expires_at_ms, names) = if bytes[0] & EXPIRES == 0 {
            (None, &bytes[10..])
        } else {
            (Some(i64::from_le_bytes(eight(&bytes[10..]))), &bytes[18..])
        };
        let (id, properties) = names.split_at(usize::from(bytes[1]) + 1);
        let text = |part| std::str::from_utf8(part).expect("records are written from text");
        Record {
            id: text(id),
            properties: text(properties),
            seq: u64::from_le_bytes(eight(&bytes[2..])),
            expires_at_ms,
        }
    }

    /// The bytes of the id alone, which is all that comparing needs.
    #[inline]
    pub(super) fn id_bytes(bytes: &'a [u8]) -> &'a [u8] {
        let start = if bytes[0] & EXPIRES == 0 { 10 } else { 18 };
        &bytes[start..start + usize::from(bytes[1]) + 1]
    }
}

/// The records of a segment, by slot.
#[derive(Debug, Default)]
pub(super) struct Payload {
    bytes: Vec<u8>,
    bases: Vec<u64>,
    offsets: Vec<u32>,
}

impl Payload {
    /// Copies records, slot by slot.
    pub(super) fn gather<'a>(records: impl ExactSizeIterator<Item = &'a [u8]> + Clone) -> Payload {
        let mut payload = Payload {
            bytes: Vec::with_capacity(records.clone().map(<[u8]>::len).sum()),
            bases: Vec::with_capacity(records.len() / GROUP + 2),
            offsets: Vec::with_capacity(records.len()),
        };
        for (slot, record) in records.enumerate() {
            if slot % GROUP == 0 {
                payload.bases.push(payload.bytes.len() as u64);
            }
            let base = *payload.bases.last().expect("the first slot pushes a base");
            payload.offsets.push((payload.bytes.len() as u64 - base) as u32);
            payload.bytes.extend(record);
        }
        payload.bases.push(payload.bytes.len() as u64);
        payload
    }

    fn start(&self, slot: usize) -> usize {
        match self.offsets.get(slot) {
            Some(&offset) => self.bases[slot / GROUP] as usize + offset as usize,
            None => self.bytes.len(),
        }
    }

    #[inline]
    pub(super) fn record_bytes(&self, slot: u32) -> &[u8] {
        &self.bytes[self.start(slot as usize)..self.start(slot as usize + 1)]
    }

    #[inline]
    pub(super) fn id_bytes(&self, slot: u32) -> &[u8] {
        Record::id_bytes(&self.bytes[self.start(slot as usize)..])
    }

    pub(super) fn record(&self, slot: u32) -> Record<'_> {
        Record::read(self.record_bytes(slot))
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.len() + size_of_val(&*self.bases) + size_of_val(&*self.offsets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::{Id, Properties};
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
        let payload = Payload::gather(written.iter().map(Vec::as_slice));
        for (slot, item) in items.iter().enumerate() {
            let record = payload.record(slot as u32);
            assert_eq!((record.id, record.properties), (item.id.as_str(), item.properties.as_json()));
            assert_eq!((record.seq, record.expires_at_ms), (slot as u64 + 7, item.expires_at_ms));
            assert_eq!(payload.id_bytes(slot as u32), item.id.as_str().as_bytes());
        }
    }
}
