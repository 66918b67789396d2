use super::*;
use crate::generate::Random;

fn item(id: &str, lat_deg: f64, lon_deg: f64) -> Item {
    Item::new(Id::new(id).unwrap(), Point::new(lat_deg, lon_deg).unwrap())
}

fn items() -> Vec<Item> {
    let properties = Properties::from_json(r#"{"name":"café","n":1.50}"#).unwrap();
    vec![
        item("a", -0.0, 180.0),
        item(&"x".repeat(256), 90.0, -180.0).with_properties(properties.clone()),
        item("é", 1e-300, 0.1).expiring_at(i64::MIN),
        item("b", 48.85, 2.35).with_properties(properties).expiring_at(1_700_000_000_000),
    ]
}

fn frame(entry: Entry) -> Frame {
    Frame { stream: 7, first_seq: 41, entry }
}

fn changes() -> Vec<Change> {
    let mut changes: Vec<Change> = items().into_iter().map(Change::Put).collect();
    changes.push(Change::Remove(Id::new("b").unwrap()));
    changes.push(Change::Expire { id: Id::new("é").unwrap(), put_seq: u64::MAX });
    changes
}

/// The same changes thrice: after places that nobody wrote down, after nothing, after places.
fn steps() -> Entry {
    let places = items().into_iter().cycle().map(|item| Was::At(item.point));
    let after = |was: Was| changes().into_iter().map(move |change| Step { change, was });
    let at_places = changes().into_iter().zip(places).map(|(change, was)| Step { change, was });
    Entry::Changes(after(Was::Unknown).chain(after(Was::Nowhere)).chain(at_places).collect())
}

fn bits(item: &Item) -> (u64, u64) {
    (item.point.lat_deg().to_bits(), item.point.lon_deg().to_bits())
}

#[test]
fn a_row_comes_back_to_the_last_bit() {
    for (seq, item) in items().into_iter().enumerate() {
        let bytes = write_row(&item, seq as u64);
        let (read, read_seq) = read_row(item.id.as_str(), &bytes).unwrap();
        assert_eq!((&read, read_seq, bits(&read)), (&item, seq as u64, bits(&item)));
    }
    assert_eq!(write_row(&items()[0], 1).len(), 25 + 2);
}

#[test]
fn a_row_that_is_wrong_is_named() {
    let bytes = write_row(&items()[3], 5);
    let refused = |at: usize, byte: u8, words: &str| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        let message = read_row("b", &bytes).unwrap_err().to_string();
        assert!(message.contains("the row of \"b\"") && message.contains(words), "{message}");
    };
    refused(0, 0x21, "format 2 is not known");
    refused(0, 0x13, "format 1 is not known");
    refused(16, 0x7f, "latitude");
    refused(33, b'[', "not a JSON object");
    refused(33, 0xff, "utf-8");
    assert!(read_row("b", &bytes[..20]).unwrap_err().to_string().contains("ends early"));
    assert!(read_row("", &bytes).is_err());
}

#[test]
fn frames_come_back_as_they_were() {
    let load = Load { items: u64::MAX - 41, segments: vec![3, 9], checksum: 12 };
    for entry in [steps(), Entry::Load(load), Entry::Load(Load { items: 1, segments: vec![], checksum: 0 })] {
        let frame = frame(entry);
        let parts = write_frames(&frame);
        assert_eq!((parts.len(), parts[0].0), (1, 41));
        assert_eq!(read_frame(7, 41, &parts[0].1).unwrap(), frame);
        assert_eq!(frame_count(7, 41, &parts[0].1).unwrap(), frame.len());
    }
    assert_eq!(write_frames(&frame(Entry::from(vec![]))), []);
}

/// Requests that were answered before an update are known again by a hash of these bytes.
#[test]
fn changes_without_a_place_are_written_as_the_first_version_wrote_them() {
    let point = Point::new(1.0, -2.0).unwrap();
    let changes = vec![Change::Put(Item::new(Id::new("a").unwrap(), point)), Change::Remove(Id::new("b").unwrap())];
    let bytes = write_frames(&frame(changes.into())).remove(0).1;
    let [lat, lon] = [1.0_f64, -2.0].map(f64::to_le_bytes);
    let body =
        [&[1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, b'a'][..], &lat, &lon, &[2, 0, 0, 0], b"{}", &[3, 0, b'b']].concat();
    assert_eq!(bytes[..bytes.len() - CHECKSUM_BYTES], body);
}

#[test]
fn a_place_is_to_the_last_bit_and_of_a_kind_that_is_known() {
    let point = Point::new(-0.0, 180.0).unwrap();
    let entry = Entry::Changes(vec![Step { change: Change::Remove(Id::new("b").unwrap()), was: Was::At(point) }]);
    let bytes = write_frames(&frame(entry)).remove(0).1;
    let Entry::Changes(steps) = read_frame(7, 41, &bytes).unwrap().entry else { panic!("changes") };
    let Was::At(read) = steps[0].was else { panic!("{steps:?}") };
    assert_eq!([read.lat_deg().to_bits(), read.lon_deg().to_bits()], [(-0.0_f64).to_bits(), 180.0_f64.to_bits()]);
    for (what, words) in [(0x33, "kind 3 is not known"), (0x2f, "kind 15 is not known")] {
        let mut body = bytes[..bytes.len() - CHECKSUM_BYTES].to_vec();
        body[HEAD_BYTES] = what;
        let message = read_frame(7, 41, &finish(body, 1)).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn long_frames_are_cut_and_a_single_change_never_is() {
    let put = |bytes: usize| {
        let text = format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        Change::Put(item("a", 1.0, 2.0).with_properties(Properties::from_json(&text).unwrap()))
    };
    let changes = vec![put(40_000), put(20_000), put(20_000), put(65_536), put(10), put(100)];
    let parts = write_frames(&frame(Entry::from(changes.clone())));
    assert_eq!(parts.iter().map(|(first, _)| *first).collect::<Vec<_>>(), [41, 43, 44, 45]);
    assert!(parts.iter().all(|(_, bytes)| bytes.len() <= crate::log::store::VALUE_BYTES_MAX));
    assert!(parts.iter().filter(|(_, bytes)| bytes.len() > FRAME_BYTES).count() == 1);
    let read = parts.iter().flat_map(|(first, bytes)| match read_frame(7, *first, bytes).unwrap().entry {
        Entry::Changes(steps) => steps.into_iter().map(|step| step.change),
        Entry::Load(load) => panic!("{load:?}"),
    });
    assert_eq!(read.collect::<Vec<_>>(), changes);
}

#[test]
fn the_longest_change_fits_a_value() {
    let text = format!("{{\"a\":\"{}\"}}", "x".repeat(65_536 - 8));
    let properties = Properties::from_json(&text).unwrap();
    let item = item(&"x".repeat(256), 1.0, 2.0).with_properties(properties).expiring_at(1);
    assert!(write_row(&item, 1).len() <= crate::log::store::VALUE_BYTES_MAX);
    let was = Was::At(item.point);
    let parts = write_frames(&frame(Entry::Changes(vec![Step { change: Change::Put(item), was }])));
    assert!(parts[0].1.len() <= crate::log::store::VALUE_BYTES_MAX);
}

#[test]
fn every_flipped_bit_of_a_frame_is_noticed() {
    let bytes = write_frames(&frame(steps())).remove(0).1;
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let message = read_frame(7, 41, &flipped).unwrap_err().to_string();
        assert!(message.contains("the frame of collection 7 at change 41"), "{message}");
    }
    for length in 0..bytes.len() {
        assert!(read_frame(7, 41, &bytes[..length]).is_err());
    }
}

/// Bytes at random would fail at the checksum, so a right one is put behind them.
#[test]
fn arbitrary_bytes_do_no_harm() {
    let mut random = Random::seeded(1);
    let sound = write_frames(&frame(steps())).remove(0).1;
    for _ in 0..100_000 {
        let mut bytes = sound[..sound.len() - CHECKSUM_BYTES].to_vec();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len() as u64) as usize;
            match random.below(3) {
                0 => bytes[at] = random.bits() as u8,
                1 => bytes.truncate(at + 1),
                _ => bytes.insert(at, [0, 0xff, 1, 2][random.below(4) as usize]),
            }
        }
        let _ = read_row("a", &bytes);
        let _ = read_record_key(&bytes);
        let _ = read_change_key(&bytes);
        let _ = frame_count(7, 41, &bytes);
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        if let Ok(frame) = read_frame(7, 41, &bytes) {
            assert_eq!(read_frame(7, 41, &write_frames(&frame)[0].1).unwrap().len(), frame.len());
        }
    }
}

#[test]
fn a_count_that_the_bytes_do_not_hold_makes_no_room() {
    for count in [u64::MAX, u64::MAX / 2, 1 << 40, 0] {
        let bytes = finish([head(CHANGES), vec![REMOVE, 0, b'a']].concat(), count);
        assert!(read_frame(7, 41, &bytes).is_err(), "{count}");
    }
}

#[test]
fn keys_are_in_the_order_of_their_numbers() {
    assert!(change_key(1, 255) < change_key(1, 256) && change_key(1, u64::MAX) < change_key(2, 0));
    assert_eq!(read_change_key(&change_key(3, 9)).unwrap(), (3, 9));
    assert_eq!(read_record_key(&record_key(3, "é")).unwrap(), (3, "é"));
    for wrong in [&b"abc"[..], b"abcdefg", b"abcdefghijklm"] {
        assert!(read_change_key(wrong).is_err());
    }
    assert!(read_record_key(b"abcd\xff").is_err());
}

#[test]
fn the_checksum_of_an_item_depends_on_all_of_it() {
    let point = Point::new(1.0, 2.0).unwrap();
    let checksums = [
        checksum_of("a", point, "{}", None),
        checksum_of("b", point, "{}", None),
        checksum_of("a", Point::new(2.0, 1.0).unwrap(), "{}", None),
        checksum_of("a", point, "{ }", None),
        checksum_of("a", point, "{}", Some(0)),
        checksum_of("a", Point::new(0.0, 2.0).unwrap(), "{}", None),
        checksum_of("a", Point::new(-0.0, 2.0).unwrap(), "{}", None),
    ];
    let distinct: std::collections::BTreeSet<u64> = checksums.into_iter().collect();
    assert_eq!(distinct.len(), checksums.len());
    // On record: it is compared between machines and versions.
    assert_eq!(checksums[0], 12_357_666_184_140_450_974);
}
