//! By which names a request is spoken of: its own, from the client or made here, and that of the trace it belongs to.
//!
//! What surprises: most requests never get a name. It is made when a log line or a refusal needs it.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries the name of a request, both ways.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const LONGEST: usize = 128;

/// The name that the client gave, if it is one that can stand in a log.
pub(super) fn given(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(&REQUEST_ID)?.to_str().ok()?;
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
    ((1..=LONGEST).contains(&given.len()) && given.bytes().all(sound)).then_some(given)
}

/// A name that no other request has.
pub(super) fn made() -> String {
    static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // An odd factor maps different numbers to different ones.
    let number = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{:016x}", number.wrapping_add(*SEED))
}

/// The trace of a W3C `traceparent`: version, 32 hexadecimal digits, 16 of the caller, flags.
pub(super) fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut parts = headers.get("traceparent").map(HeaderValue::to_str)?.ok()?.split('-');
    let (version, trace, parent) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |text: &str, length| {
        text.len() == length && text.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit))
    };
    let zero = |text: &str| text.bytes().all(|digit| digit == b'0');
    let flags = parts.next().is_some_and(|flags| digits(flags, 2));
    let sound = digits(version, 2) && version != "ff" && digits(trace, 32) && digits(parent, 16) && flags;
    (sound && !zero(trace) && !zero(parent)).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        [(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())].into_iter().collect()
    }

    #[test]
    fn a_name_that_could_forge_a_line_is_not_taken() {
        for (value, fine) in [("7b2f-1", true), ("a b", false), ("a\"b", false), ("", false), (&"x".repeat(129), false)]
        {
            assert_eq!(given(&headers("x-request-id", value)).is_some(), fine, "{value}");
        }
        let mut names: Vec<String> = (0..1000).map(|_| made()).collect();
        names.sort();
        names.dedup();
        assert_eq!((names.len(), names[0].len()), (1000, 16));
    }

    #[test]
    fn the_trace_is_read_as_w3c_has_it() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let read = |value: &str| trace_id(&headers("traceparent", value)).map(str::to_owned);
        assert_eq!(read(&format!("00-{trace}-00f067aa0ba902b7-01")).as_deref(), Some(trace));
        assert_eq!(read(&format!("01-{trace}-00f067aa0ba902b7-01-later")).as_deref(), Some(trace));
        let upper = trace.to_uppercase();
        for wrong in [
            format!("ff-{trace}-00f067aa0ba902b7-01"),
            format!("00-{trace}-00f067aa0ba902b7"),
            format!("00-{trace}-0000000000000000-01"),
            format!("00-{upper}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            "x".to_owned(),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
    }
}
