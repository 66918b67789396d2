//! A moment of a collection as clients hold it: which collection, and its last change.
//!
//! ```text
//! 3.1042      after change 1042 of collection number 3
//! 1042        after change 1042 of whichever collection bears the name now
//! ```
//!
//! What surprises: the second form is the weaker one. A collection that is dropped and made anew counts from 1 again, and a number
//! alone cannot tell the two apart; so answers give both, and whoever hands back the first form is told.

use super::error::{Code, Refusal};
use super::params::whole;

/// The text of a moment.
pub(super) fn written(collection: u32, seq: u64) -> String {
    format!("{collection}.{seq}")
}

/// A moment as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    collection: Option<u32>,
    seq: u64,
}

impl Moment {
    /// Reads either form.
    pub(super) fn read(text: &str) -> Result<Moment, Refusal> {
        let text = text.trim();
        let read = match text.split_once('.') {
            Some((collection, seq)) => {
                whole(collection).and_then(|of| Ok(Moment { collection: Some(of), seq: whole(seq)? }))
            }
            None => whole(text).map(|seq| Moment { collection: None, seq }),
        };
        read.map_err(|_| {
            Refusal::new(Code::BadNumber, format!("{text:?} is no moment of a collection"))
                .hint("write the seq of an answer, as in 1042, or its moment, as in 3.1042")
        })
    }

    /// The number of the change, when it is one of this collection.
    pub(super) fn seq_in(self, collection: u32) -> Result<u64, Refusal> {
        match self.collection {
            Some(of) if of != collection => {
                Err(Refusal::new(Code::ChangesGone, "the collection was dropped and made anew since")
                    .hint("read the collection anew, and go on from the moment that its answers tell"))
            }
            _ => Ok(self.seq),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_one_of_its_own_collection() {
        let moment = Moment::read(&written(3, 1042)).unwrap();
        assert_eq!(moment.seq_in(3), Ok(1042));
        assert_eq!(moment.seq_in(4).unwrap_err().code, Code::ChangesGone);
        assert_eq!(
            Moment::read("1042").unwrap().seq_in(4),
            Ok(1042),
            "a number is one of whichever collection there is"
        );
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in ["", ".", "3.", ".7", "3.x", "x", "-1", "3.7.9", "1.5e3", "4294967296.1", "é"] {
            assert_eq!(Moment::read(text).unwrap_err().code, Code::BadNumber, "{text:?}");
        }
    }
}
