//! What the engine says when it fails, in the words of this floor.
//!
//! What surprises: a short file does not say so. It answers that a place in it lies before its beginning, which as an error of the
//! system reads "invalid argument".

use std::any::Any;
use std::io;

use ::fjall::{Error, LsmError};

use super::{Space, StoreError};

/// Like [`what_failed`], of a read in a table.
pub(super) fn what_failed_in(space: Space, error: Error) -> StoreError {
    match what_failed("reading the store", error) {
        StoreError::Damaged { what } => StoreError::Damaged { what: format!("in {}: {what}", space.name()) },
        other => other,
    }
}

/// The error for what the engine says.
pub(super) fn what_failed(doing: &'static str, error: Error) -> StoreError {
    match error {
        Error::Poisoned => StoreError::Stopped,
        Error::Locked => StoreError::Io { doing, reason: "another process has it open".to_owned() },
        Error::Io(error) | Error::Storage(LsmError::Io(error)) => match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { doing },
            // The last two are what a short file answers, and a place in it that lies before its beginning.
            io::ErrorKind::NotFound
            | io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidInput => StoreError::Damaged { what: format!("{doing}: {error}") },
            _ => StoreError::Io { doing, reason: error.to_string() },
        },
        Error::Storage(error) => StoreError::Damaged { what: format!("{doing}: {error:?}") },
        error => StoreError::Damaged { what: format!("{doing}: {error:?}") },
    }
}

/// The words of a panic.
pub(super) fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_sorted() {
        let said = |number| what_failed("writing", Error::Io(io::Error::from_raw_os_error(number)));
        assert_eq!(said(28), StoreError::Full { doing: "writing" });
        assert!(matches!(said(5), StoreError::Io { doing: "writing", reason } if reason.contains("os error 5")));
        assert!(matches!(said(2), StoreError::Damaged { what } if what.contains("No such file")));
        let storage = Error::Storage(LsmError::Io(io::Error::from_raw_os_error(28)));
        assert_eq!(what_failed("flushing", storage), StoreError::Full { doing: "flushing" });
        assert_eq!(what_failed("writing", Error::Poisoned), StoreError::Stopped);
        let damaged = what_failed_in(Space::Meta, Error::InvalidTrailer).to_string();
        assert!(damaged.contains("in meta: reading the store: InvalidTrailer"), "{damaged}");
    }
}
