//! What a user hands in to be written, and what comes back.
//!
//! What surprises: conditions are not checked where the request is read. The one thread that numbers changes checks them, so that
//! nothing can come between the look and the write.

use std::fmt;

use super::EngineError;
use crate::collection::{Change, Outcome};

/// The longest key of a request, in bytes.
const KEY_BYTES_MAX: usize = 255;

/// What must hold for a change to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Condition {
    /// Nothing.
    #[default]
    Always,
    /// There is no item with that id.
    Absent,
    /// There is one.
    Present,
    /// There is one, put by the change with this number.
    Version(u64),
}

impl Condition {
    /// Whether it holds for an item that was put by that change, or for none.
    pub(super) fn holds(self, present: Option<u64>) -> bool {
        match self {
            Condition::Always => true,
            Condition::Absent => present.is_none(),
            Condition::Present => present.is_some(),
            Condition::Version(wanted) => present == Some(wanted),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Always => f.write_str("anything"),
            Condition::Absent => f.write_str("that there is none"),
            Condition::Present => f.write_str("that there is one"),
            Condition::Version(seq) => write!(f, "version {seq}"),
        }
    }
}

/// A change, and what must hold for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// The change.
    pub change: Change,
    /// What must hold just before it.
    pub condition: Condition,
}

impl From<Change> for Write {
    fn from(change: Change) -> Write {
        Write { change, condition: Condition::Always }
    }
}

/// Changes that are made all or none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Submission {
    /// The changes, in order; later ones see earlier ones.
    pub writes: Vec<Write>,
    /// A name for this request: handing it in again within a day changes nothing and gives the first answer.
    pub key: Option<RequestKey>,
    /// What else belongs to the request and does not show in the changes, as a hash: a repeat has the same.
    pub besides: u64,
}

impl Submission {
    /// The same changes under a name.
    #[must_use]
    pub fn once(self, key: RequestKey) -> Submission {
        Submission { key: Some(key), ..self }
    }

    /// The same for a request of which the changes do not show all.
    #[must_use]
    pub fn besides(self, besides: u64) -> Submission {
        Submission { besides, ..self }
    }

    /// Whether what is there now decides about them, or has to be told.
    pub(super) fn looks(&self) -> bool {
        let looks =
            |write: &Write| write.condition != Condition::Always || matches!(write.change, Change::Expire { .. });
        self.key.is_some() || self.writes.iter().any(looks)
    }
}

impl From<Vec<Change>> for Submission {
    fn from(changes: Vec<Change>) -> Submission {
        Submission { writes: changes.into_iter().map(Write::from).collect(), ..Submission::default() }
    }
}

impl From<Change> for Submission {
    fn from(change: Change) -> Submission {
        vec![change].into()
    }
}

impl From<Write> for Submission {
    fn from(write: Write) -> Submission {
        Submission { writes: vec![write], ..Submission::default() }
    }
}

/// A name that a client gives to a request, so that it can be repeated safely: 1 to 255 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey(Box<str>);

impl RequestKey {
    /// Checks a key.
    ///
    /// ```
    /// use nigh::engine::RequestKey;
    /// assert_eq!(RequestKey::new("upload-7").unwrap().as_str(), "upload-7");
    /// assert!(RequestKey::new("").is_err());
    /// ```
    pub fn new(text: &str) -> Result<RequestKey, EngineError> {
        let sound = (1..=KEY_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if sound { Ok(RequestKey(text.into())) } else { Err(EngineError::Key { bytes: text.len() }) }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What became of changes that were submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// What each change did, in order.
    pub outcomes: Vec<Outcome>,
    /// The number of the last of them; of the collection's last change when there were none.
    pub seq: u64,
    /// The number of the collection; one that is made later under its name has another.
    pub number: u32,
    /// Whether this is the answer to an earlier request with the same key, and nothing was changed now.
    pub repeated: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_look_at_what_is_there() {
        for (condition, none, one, other) in [
            (Condition::Always, true, true, true),
            (Condition::Absent, true, false, false),
            (Condition::Present, false, true, true),
            (Condition::Version(7), false, true, false),
        ] {
            let held = [None, Some(7), Some(8)].map(|present| condition.holds(present));
            assert_eq!(held, [none, one, other], "{condition}");
        }
    }

    #[test]
    fn keys_are_printable_and_not_too_long() {
        for key in ["a", "A b~", &"x".repeat(255)] {
            assert_eq!(RequestKey::new(key).unwrap().as_str(), key);
        }
        for key in ["", "é", "a\n", &"x".repeat(256)] {
            assert!(RequestKey::new(key).is_err(), "{key:?}");
        }
    }
}
