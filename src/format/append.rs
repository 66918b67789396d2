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
        return text(out, item.id());
    }
    out.push(b'"');
    out.extend_from_slice(item.id_bytes());
    out.push(b'"');
}

/// The shortest digits that read back as the same bits.
pub(super) fn number(out: &mut Vec<u8>, number: f64) {
    serde_json::to_writer(out, &number).expect(NEVER_FAILS);
}

/// Metres with millimetres.
pub(super) fn metres(out: &mut Vec<u8>, distance_m: f64) {
    debug_assert!(distance_m >= 0.0);
    let exact = distance_m * 1000.0;
    // By hand, because rounding is a call into a library on processors of any age.
    let below = exact as u64;
    let millimetres = below + u64::from(exact - below as f64 >= 0.5);
    let thousandths = (millimetres % 1000) as u32;
    let Ok(mut metres) = u32::try_from(millimetres / 1000) else {
        return plain(out, format_args!("{}.{thousandths:03}", millimetres / 1000));
    };
    // From the last digit to the first, two at a time.
    let mut digits = [b'.'; METRES_DIGITS];
    let mut first = METRES_DIGITS - 4;
    digits[first + 1] = b'0' + (thousandths / 100) as u8;
    digits[first + 2..].copy_from_slice(pair(thousandths % 100));
    while metres >= 10 {
        first -= 2;
        digits[first..first + 2].copy_from_slice(pair(metres % 100));
        metres /= 100;
    }
    if metres > 0 || first == METRES_DIGITS - 4 {
        first -= 1;
        digits[first] = b'0' + metres as u8;
    }
    out.extend_from_slice(&digits[first..]);
}

/// Digits of the most metres that fit 32 bits, a point, and millimetres.
const METRES_DIGITS: usize = 10 + 4;

/// Two digits of a number below a hundred.
#[inline]
fn pair(below_hundred: u32) -> &'static [u8; 2] {
    &PAIRS[below_hundred as usize]
}

static PAIRS: [[u8; 2]; 100] = {
    let (mut pairs, mut number) = ([[0; 2]; 100], 0);
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

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
    use crate::repeatable::repeatable;
    use proptest::prelude::*;

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
        assert_eq!(written(4_294_967_296.25), "4294967296.250");
    }

    proptest! {
        #![proptest_config(repeatable(20_000))]

        #[test]
        fn metres_are_written_as_the_standard_library_rounds_them(
            distance_m in prop_oneof![0.0..1e3_f64, 0.0..2.1e7_f64, (0..3_000_000_u32).prop_map(|halves| f64::from(halves) / 2000.0)],
        ) {
            let mut out = Vec::new();
            metres(&mut out, distance_m);
            let millimetres = (distance_m * 1000.0).round() as u64;
            let expected = format!("{}.{:03}", millimetres / 1000, millimetres % 1000);
            prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
