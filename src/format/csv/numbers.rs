//! Numbers in fields: read as degrees, and told from texts.
//!
//! What surprises: two ways to read a number, and both give the same bits; see [`decimal`].

use crate::format::decimal;

/// Reads a number; the same, to the bit, as the standard library reads.
#[inline]
pub(super) fn read_number(text: &[u8]) -> Option<f64> {
    plain_number(text).or_else(|| std::str::from_utf8(text).ok()?.trim().parse().ok())
}

/// Reads digits with at most one point among them. What is longer or otherwise takes more care is left to others.
#[inline]
fn plain_number(text: &[u8]) -> Option<f64> {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    if unsigned.len() > decimal::DIGITS_MAX {
        return None;
    }
    let mut mantissa = 0; // of 19 digits at most
    let whole = take_digits(unsigned, &mut mantissa);
    let behind = match &unsigned[whole..] {
        [] => 0,
        [b'.', rest @ ..] if take_digits(rest, &mut mantissa) == rest.len() => rest.len(),
        _ => return None,
    };
    if whole + behind == 0 {
        return None;
    }
    let number = decimal::exact(mantissa, behind)?;
    Some(if unsigned.len() < text.len() { -number } else { number })
}

/// Appends the digits with which a text begins to a number, and says how many they are.
#[inline]
fn take_digits(text: &[u8], number: &mut u64) -> usize {
    let digits = text.iter().map(|byte| byte.wrapping_sub(b'0')).take_while(|digit| *digit < 10);
    let mut count = 0;
    digits.for_each(|digit| (*number, count) = (10 * *number + u64::from(digit), count + 1));
    count
}

/// Whether a field is written into JSON as it stands. It must be a number by JSON's grammar, so `007` and `+49` are
/// text; and a whole number beyond 2⁵³ is text too, because most readers of JSON would round it, and it is an id rather than an amount.
#[inline]
pub(super) fn stays_a_number(text: &[u8]) -> bool {
    // Most texts are none at their first byte.
    if !matches!(text.first(), Some(b'-' | b'0'..=b'9')) {
        return false;
    }
    let Some(Number { is_whole, is_short }) = Number::of(text) else { return false };
    // So few digits are within bounds; of more the reader of JSON has to say what they come to.
    is_short
        || serde_json::from_slice::<f64>(text).is_ok_and(|number| !is_whole || number.abs() < 9_007_199_254_740_992.0)
}

/// A text that is a number by JSON's grammar.
struct Number {
    /// Without a fraction and an exponent.
    is_whole: bool,
    /// Of at most 15 digits in front, and without an exponent.
    is_short: bool,
}

impl Number {
    fn of(text: &[u8]) -> Option<Number> {
        let unsigned = text.strip_prefix(b"-").unwrap_or(text);
        let whole = digits(unsigned);
        if whole == 0 || (whole > 1 && unsigned[0] == b'0') {
            return None;
        }
        let mut rest = &unsigned[whole..];
        let mut number = Number { is_whole: rest.is_empty(), is_short: whole <= 15 };
        if let [b'.', fraction @ ..] = rest {
            let length = digits(fraction);
            rest = &fraction[length..];
            if length == 0 {
                return None;
            }
        }
        if let [b'e' | b'E', exponent @ ..] = rest {
            let unsigned = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
            number.is_short = false;
            rest = &unsigned[digits(unsigned)..];
            if rest.len() == unsigned.len() {
                return None;
            }
        }
        rest.is_empty().then_some(number)
    }
}

/// How many digits stand at the beginning.
fn digits(text: &[u8]) -> usize {
    text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repeatable::repeatable;
    use proptest::prelude::*;

    /// The same, asked of the reader of JSON alone.
    fn is_read_as_a_number(text: &str) -> bool {
        if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) || text.trim_end() != text {
            return false;
        }
        let whole = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
        serde_json::from_str::<f64>(text).is_ok_and(|number| !whole || number.abs() < 9_007_199_254_740_992.0)
    }

    proptest! {
        #![proptest_config(repeatable(20_000))]
        #[test]
        fn a_number_is_what_the_reader_of_json_takes_for_one(text in "-?[0-9]{0,18}[-+.eE0 ]{0,2}[0-9]{0,4}[-+.eE0]{0,2}[0-9]{0,3}") {
            prop_assert_eq!(stays_a_number(text.as_bytes()), is_read_as_a_number(&text), "{}", text);
        }

        #[test]
        fn a_number_is_read_to_the_bit(text in "[-+]?[0-9]{0,20}[.]?[0-9]{0,20}([eE][-+]?[0-9]{1,3})?[ .x]{0,1}") {
            let expected: Option<f64> = text.trim().parse().ok();
            prop_assert_eq!(read_number(text.as_bytes()).map(f64::to_bits), expected.map(f64::to_bits), "{}", text);
        }

        #[test]
        fn a_coordinate_is_read_to_the_bit_in_the_short_way(whole in 0_u32..=180, behind in "[0-9]{0,12}", sign in "-?") {
            let text = format!("{sign}{whole}.{behind}");
            let expected: f64 = text.parse().unwrap();
            prop_assert_eq!(plain_number(text.as_bytes()).map(f64::to_bits), Some(expected.to_bits()), "{}", text);
        }
    }

    #[test]
    fn numbers_at_the_limits_of_the_short_way_are_read_to_the_bit() {
        for text in [
            "9007199254740992",
            "9007199254740993",
            "9007199254740993.0",
            "-9007199254740991",
            "0",
            "-0",
            "-0.0",
            ".5",
            "5.",
            ".",
            "-",
            "",
            "-.",
            "0.000000000000000001",
            "000000000000000000001",
            "1234567890123456789",
            "0.1e1",
            "1.5.",
            "--1",
            "+1",
            "inf",
            "nan",
            " 1",
            "1\u{a0}",
            "9.999999999999999",
            "0.30000000000000004",
            "179.99999999999997",
        ] {
            let expected: Option<f64> = text.trim().parse().ok();
            assert_eq!(read_number(text.as_bytes()).map(f64::to_bits), expected.map(f64::to_bits), "{text:?}");
        }
    }

    #[test]
    fn numbers_end_where_readers_would_round_or_overflow() {
        for (text, expected) in [
            ("9007199254740991", true),
            ("9007199254740992", false),
            ("-9007199254740991", true),
            ("999999999999999", true),
            ("1e308", true),
            ("1e309", false),
            ("0.1", true),
            ("00.1", false),
            ("-0", true),
            ("-", false),
            ("1.", false),
            ("1e", false),
            ("1e+5", true),
        ] {
            assert_eq!(stays_a_number(text.as_bytes()), expected, "{text}");
            assert_eq!(is_read_as_a_number(text), expected, "{text}");
        }
        let long = "1".repeat(400);
        assert!(!stays_a_number(long.as_bytes()) && !stays_a_number(format!("{long}.5").as_bytes()));
    }
}
