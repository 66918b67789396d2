//! The name of a collection, as it stands in URLs and on disk.

use std::fmt;
use std::str::FromStr;

use super::EngineError;

/// The longest name, in bytes.
const BYTES_MAX: usize = 64;

/// 1 to 64 of `a-z`, `0-9`, `_` and `-`, beginning with a letter or a digit: safe in a URL and as the name of a folder on
/// every platform, those that ignore case included.
///
/// ```
/// use nigh::engine::CollectionName;
/// assert_eq!("cafes-2".parse::<CollectionName>().unwrap().as_str(), "cafes-2");
/// assert!("Cafés".parse::<CollectionName>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectionName(Box<str>);

impl CollectionName {
    /// The collection that the short forms speak of.
    pub const DEFAULT: &str = "default";

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for CollectionName {
    fn default() -> CollectionName {
        CollectionName(CollectionName::DEFAULT.into())
    }
}

impl FromStr for CollectionName {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<CollectionName, EngineError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let sound = text.len() <= BYTES_MAX
            && text.bytes().next().is_some_and(plain)
            && text.bytes().all(|byte| plain(byte) || byte == b'_' || byte == b'-');
        if sound { Ok(CollectionName(text.into())) } else { Err(EngineError::Name { name: text.to_owned() }) }
    }
}

impl fmt::Display for CollectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_letters_digits_and_dashes_within_64_bytes() {
        for name in ["a", "0", "default", "a_b-c", &"x".repeat(64)] {
            assert_eq!(name.parse::<CollectionName>().unwrap().as_str(), name);
        }
        for name in ["", "-a", "_a", "A", "é", "a b", "a/b", "a.b", "a\0", &"x".repeat(65)] {
            let message = name.parse::<CollectionName>().unwrap_err().to_string();
            assert!(message.contains(&format!("{name:?}")), "{message}");
        }
        assert_eq!(CollectionName::default().as_str(), "default");
    }
}
