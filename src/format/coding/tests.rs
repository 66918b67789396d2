//! Compressed bytes, whole, in pieces, one behind the other, and broken.

use super::*;
use std::io::{Read, Write};

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A way to compress, for tests.
type Compress = fn(&[u8]) -> Vec<u8>;

fn compressed() -> [(&'static Coding, Compress); 2] {
    [(coding_named("gzip").unwrap(), gzip), (coding_named("ZSTD").unwrap(), zstd)]
}

fn plain() -> Vec<u8> {
    (0..40_000_u32).flat_map(|at| format!("{at},{}\n", at.wrapping_mul(2_654_435_761)).into_bytes()).collect()
}

fn decode(coding: &Coding, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    (coding.decode)(Box::new(io::Cursor::new(bytes.to_vec()))).read_to_end(&mut out)?;
    Ok(out)
}

/// Hands over one byte at a time, and is interrupted before each.
struct Drip(Vec<u8>, usize, bool);

impl Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.2 = !self.2;
        if self.2 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let Some(&byte) = self.0.get(self.1) else { return Ok(0) };
        buffer[0] = byte;
        self.1 += 1;
        Ok(1)
    }
}

#[test]
fn what_was_compressed_comes_out_whole_in_drops_and_in_parts() {
    let plain = plain();
    for (coding, compress) in compressed() {
        let bytes = compress(&plain);
        assert!(bytes.len() < plain.len() && std::ptr::eq(sniff_coding(&bytes).unwrap(), coding));
        assert!(decode(coding, &bytes).unwrap() == plain, "{}", coding.name);
        let (first, second) = plain.split_at(10_000);
        let parts = [compress(first), compress(b""), compress(second)].concat();
        assert!(decode(coding, &parts).unwrap() == plain, "{}", coding.name);
        let mut out = Vec::new();
        (coding.decode)(Box::new(Drip(parts, 0, false))).read_to_end(&mut out).unwrap();
        assert!(out == plain, "{}", coding.name);
    }
    assert!(sniff_coding(b"lat,lon").is_none() && sniff_coding(b"").is_none());
    assert_eq!(coding_for_file("a.csv.GZ").map(|(coding, rest)| (coding.name, rest)), Some(("gzip", "a.csv")));
    assert!(coding_for_file("gz").is_none() && coding_named("br").is_none());
    assert_eq!(coding_named(" x-gzip").unwrap().name, "gzip");
}

#[test]
fn frames_that_are_to_be_skipped_are() {
    let bytes = [b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec(), zstd(b"a"), b"\x5f\x2a\x4d\x18\0\0\0\0".to_vec()].concat();
    assert_eq!(decode(&zstd::ZSTD, &bytes).unwrap(), b"a");
    assert!(decode(&zstd::ZSTD, b"\x50\x2a\x4d\x18\x04\0\0\0abc").is_err());
}

#[test]
fn bytes_that_break_off_or_were_changed_are_an_error_of_the_data() {
    let plain = plain();
    for (coding, compress) in compressed() {
        let bytes = compress(&plain);
        for end in [3, 10, bytes.len() / 2, bytes.len() - 1] {
            let error = decode(coding, &bytes[..end]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{} {end}: {error}", coding.name);
            assert!(error.to_string().contains(coding.name), "{error}");
        }
        let mut changed = bytes.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 0x10;
        assert!(decode(coding, &changed).is_err(), "{}: a checksum notices", coding.name);
        assert!(decode(coding, &[&bytes[..], b"lat,lon"].concat()).is_err(), "{}", coding.name);
    }
}

#[test]
fn an_error_of_the_source_is_not_blamed_on_the_data() {
    struct Gone;
    impl Read for Gone {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "gone"))
        }
    }
    for (coding, compress) in compressed() {
        let bytes = compress(&plain());
        let mut decoded = (coding.decode)(Box::new(io::Cursor::new(bytes[..bytes.len() / 2].to_vec()).chain(Gone)));
        let error = decoded.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (io::ErrorKind::ConnectionReset, "gone".to_owned()));
    }
}

#[test]
fn a_frame_that_wants_gigabytes_of_memory_is_refused() {
    // A frame of one empty block, whose window is 2^(10 + exponent) bytes.
    let frame = |exponent: u8| [&b"\x28\xb5\x2f\xfd\x00"[..], &[exponent << 3], b"\x01\0\0"].concat();
    assert_eq!(decode(&zstd::ZSTD, &frame(13)).unwrap(), b"", "8 MiB");
    for exponent in [14, 17, 20, 31] {
        assert!(decode(&zstd::ZSTD, &frame(exponent)).is_err(), "{exponent}");
    }
    // The same as one segment, which says its size in eight bytes.
    let single = [&b"\x28\xb5\x2f\xfd\xe0"[..], &u64::MAX.to_le_bytes(), b"\x01\0\0"].concat();
    assert!(decode(&zstd::ZSTD, &single).is_err());
}
