//! Why a filter was refused: where in the text, what stands there, and what would be right.

use super::{MAX_DEPTH, MAX_FILTER_BYTES, MAX_PROPERTIES};
use thiserror::Error;

/// The longest piece of the filter that a message repeats.
const MAX_FOUND: usize = 40;

/// Why a filter was refused. Positions count characters, the first is 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FilterError {
    /// Something stands where it cannot be understood.
    #[error("filter, character {position}: found {found}; {expected}")]
    Syntax {
        /// Which character of the filter, from 1.
        position: usize,
        /// What stands there.
        found: String,
        /// What would be right.
        expected: &'static str,
    },
    /// Parentheses in parentheses, too many of them.
    #[error("filter, character {position}: parentheses stand more than {MAX_DEPTH} deep; take some away")]
    TooDeep {
        /// Which character of the filter, from 1.
        position: usize,
    },
    /// A filter that speaks of too many properties.
    #[error("filter, character {position}: a filter may name at most {MAX_PROPERTIES} different properties")]
    TooManyProperties {
        /// Which character of the filter, from 1: the first name too many.
        position: usize,
    },
    /// A filter of too many bytes.
    #[error("the filter is {bytes} bytes long; at most {MAX_FILTER_BYTES} are read")]
    TooLong {
        /// Its length as given.
        bytes: usize,
    },
}

impl FilterError {
    /// The bytes `start..end` of `text` are wrong.
    pub(super) fn syntax(text: &str, start: usize, end: usize, expected: &'static str) -> FilterError {
        let found = match text[start..end].char_indices().nth(MAX_FOUND) {
            _ if start == end => "the end".to_owned(),
            Some((cut, _)) => format!("{}…", &text[start..start + cut]),
            None => text[start..end].to_owned(),
        };
        FilterError::Syntax { position: position(text, start), found, expected }
    }
}

/// The number of the character that begins at byte `at`, from 1.
pub(super) fn position(text: &str, at: usize) -> usize {
    text[..at].chars().count() + 1
}
