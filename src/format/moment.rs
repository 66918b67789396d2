//! When an item ends, as people write it: after a while, or at a moment.
//!
//! What surprises: a while of nothing is refused. Some systems read 0 as "at once" and others as "never", and either would be wrong for
//! half of those who write it.

use std::time::Duration;

use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Units, each with its milliseconds.
const UNITS: &[(&str, f64)] =
    &[("ms", 1.0), ("s", 1e3), ("m", 60e3), ("h", 3_600e3), ("d", 86_400e3), ("w", 7.0 * 86_400e3)];

/// A hundred years: what is meant to stay longer stays.
const LONGEST_MS: f64 = 36_525.0 * 86_400e3;

/// Why a text is no duration or no moment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MomentError {
    /// No duration.
    #[error(
        "{text:?} is no duration; write a number and ms, s, m, h, d or w, as in 90s or 7d; a bare number is seconds"
    )]
    Duration {
        /// The text as given.
        text: String,
    },
    /// A duration of nothing, or of longer than a hundred years.
    #[error("the duration {text:?} is not between 1ms and 36525d; leave it out for what is to stay")]
    Length {
        /// The text as given.
        text: String,
    },
    /// No moment.
    #[error(
        "{text:?} is no moment; write it as RFC 3339 has it, as in 2030-01-31T12:00:00Z or 2030-01-31T13:00:00+01:00"
    )]
    Moment {
        /// The text as given.
        text: String,
    },
}

/// Reads a duration: a number with `ms`, `s`, `m`, `h`, `d` or `w`, or a number of seconds.
///
/// ```
/// use nigh::format::parse_duration;
/// use std::time::Duration;
/// assert_eq!(parse_duration("15m"), Ok(Duration::from_secs(900)));
/// assert_eq!(parse_duration("1.5"), Ok(Duration::from_millis(1500)));
/// assert!(parse_duration("0s").is_err() && parse_duration("soon").is_err());
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, MomentError> {
    let text = text.trim();
    let shown = || super::rejected::shortened(text);
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = if digits.len() == text.len() { "s" } else { &text[digits.len()..] };
    let number = digits.trim_end();
    // The plain grammar of decimals; Rust's own would take `inf`, `1e3` and a sign as well.
    let plain = number.starts_with(|first: char| first.is_ascii_digit())
        && number.ends_with(|last: char| last.is_ascii_digit())
        && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value = number.parse::<f64>().ok().filter(|_| plain);
    let unit = UNITS.iter().find(|(name, _)| *name == unit);
    let (Some(value), Some((_, unit_ms))) = (value, unit) else {
        return Err(MomentError::Duration { text: shown() });
    };
    let length_ms = (value * unit_ms).round();
    if !(1.0..=LONGEST_MS).contains(&length_ms) {
        return Err(MomentError::Length { text: shown() });
    }
    Ok(Duration::from_millis(length_ms as u64))
}

/// Reads a moment as RFC 3339 has it, in milliseconds since 1970; what is finer than that is cut off.
///
/// ```
/// use nigh::format::parse_moment;
/// assert_eq!(parse_moment("1970-01-01T01:00:01.5+01:00"), Ok(1500));
/// assert!(parse_moment("2030-01-31").is_err());
/// ```
pub fn parse_moment(text: &str) -> Result<i64, MomentError> {
    let text = text.trim();
    let moment = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| MomentError::Moment { text: super::rejected::shortened(text) })?;
    let nanoseconds = moment.unix_timestamp_nanos();
    Ok(i64::try_from(nanoseconds.div_euclid(1_000_000)).expect("four digits of a year fit milliseconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        let millis = |text: &str| parse_duration(text).map(|length| length.as_millis());
        for (text, expected) in [
            ("90s", 90_000),
            ("90", 90_000),
            (" 2 h ", 7_200_000),
            ("7d", 604_800_000),
            ("1w", 604_800_000),
            ("250ms", 250),
            ("0.5m", 30_000),
            ("36525d", 3_155_760_000_000),
        ] {
            assert_eq!(millis(text), Ok(expected), "{text}");
        }
        for text in
            ["", "s", "-1s", "+1s", "1e3s", "inf", "nan", "1.s", ".5s", "1.2.3s", "5 years", "1h30m", "1H", "٣s"]
        {
            assert!(matches!(millis(text), Err(MomentError::Duration { .. })), "{text}");
        }
        for text in ["0", "0d", "0.4ms", "36526d", "99999999999999999999999w"] {
            assert!(matches!(millis(text), Err(MomentError::Length { .. })), "{text}");
        }
    }

    #[test]
    fn moments_are_rfc_3339() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-21T08:00:00Z", 1_795_248_000_000),
            ("2026-11-21t09:30:00.123456789+01:30", 1_795_248_000_123),
            ("1969-12-31T23:59:59.9999Z", -1),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000),
            ("9999-12-31T23:59:59-23:59", 253_402_387_139_000),
        ] {
            assert_eq!(parse_moment(text), Ok(expected), "{text}");
        }
        let long = "1".repeat(500);
        for text in ["", "1790000000", "2026-11-21", "2026-11-21T08:00:00", "2026-02-30T00:00:00Z", "tomorrow", &long] {
            let message = parse_moment(text).unwrap_err().to_string();
            assert!(message.len() < 400, "{message}");
        }
    }
}
