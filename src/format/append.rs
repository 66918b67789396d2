//! The smallest pieces of JSON, appended to a buffer.
//!
//! What surprises: metres are rounded to millimetres here, and never lose their order by it, because rounding is monotone.

use std::io::Write;

use crate::collection::ItemRef;

const NEVER_FAILS: &str = "a buffer in memory takes everything";

/// A text in double quotes.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect(NEVER_FAILS);
}

/// The id of an item in double quotes; most ids stand there as they are.
pub(super) fn id(out: &mut Vec<u8>, item: &ItemRef<'_>) {
    if !item.has_plain_id() {
        return text(out, item.id);
    }
    out.push(b'"');
    out.extend_from_slice(item.id.as_bytes());
    out.push(b'"');
}

/// The shortest digits that read back as the same bits.
pub(super) fn number(out: &mut Vec<u8>, number: f64) {
    serde_json::to_writer(out, &number).expect(NEVER_FAILS);
}

/// Metres with millimetres.
pub(super) fn metres(out: &mut Vec<u8>, distance_m: f64) {
    debug_assert!(distance_m >= 0.0);
    let millimetres = (distance_m * 1000.0).round() as u64;
    let thousandths = (millimetres % 1000) as u32;
    let digit = |place: u32| b'0' + (thousandths / place % 10) as u8;
    whole(out, millimetres / 1000);
    out.extend_from_slice(&[b'.', digit(100), digit(10), digit(1)]);
}

/// When an item ends, for one that does.
pub(super) fn end(out: &mut Vec<u8>, item: &ItemRef<'_>) {
    if let Some(at_ms) = item.expires_at_ms() {
        plain(out, format_args!(r#","expires_at_ms":{at_ms}"#));
    }
}

/// A whole number.
pub(super) fn whole(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Any mixture of what needs no escape.
pub(super) fn plain(out: &mut Vec<u8>, pieces: std::fmt::Arguments<'_>) {
    out.write_fmt(pieces).expect(NEVER_FAILS);
}

/// Appends items with a comma between them.
pub(super) fn separated<T>(out: &mut Vec<u8>, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut Vec<u8>, T)) {
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metres_have_three_decimals_and_keep_their_order() {
        let written = |distance_m| {
            let mut out = Vec::new();
            metres(&mut out, distance_m);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(0.0), "0.000");
        assert_eq!(written(0.000_4), "0.000");
        assert_eq!(written(9.999_6), "10.000");
        assert_eq!(written(412.318_4), "412.318");
        assert_eq!(written(20_015_114.442_1), "20015114.442");
    }
}
