//! Pages: how many answers at once, and where the next page goes on.
//!
//! A [`Cursor`] names the last answer of a page by what orders it, (distance, id) or id, not by its position. So a
//! page that is asked for later, when items have come, gone and moved, neither repeats nor skips an item that stayed
//! where it was.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::collection::Id;

/// The most answers in a page, and the number when nobody says.
const LIMIT_MAX: usize = 10_000;
const LIMIT_DEFAULT: usize = 1_000;

/// The most that "k nearest" may ask for.
const K_MAX: usize = 1_000_000;

/// Why a page or a number of answers was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PageError {
    /// A page size out of range.
    #[error("limit {limit} is outside 1..10000; ask for further pages instead")]
    Limit {
        /// The size as given.
        limit: usize,
    },
    /// A number of nearest out of range.
    #[error("k {k} is outside 1..1000000")]
    K {
        /// The number as given.
        k: usize,
    },
    /// A cursor that was not made here.
    #[error(
        "cursor {text:?} was not made here; take it whole from the answer before, or leave it out for the first page"
    )]
    Cursor {
        /// The text as given.
        text: String,
    },
    /// A cursor of another order than the query's.
    #[error("the cursor belongs to a query ordered by {cursor}; this one is ordered by {query}")]
    Order {
        /// What the cursor orders by.
        cursor: &'static str,
        /// What the query orders by.
        query: &'static str,
    },
}

/// The size of a page: 1 to 10 000, by default 1 000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(usize);

impl Limit {
    /// The largest page.
    pub(super) fn most() -> Limit {
        Limit(LIMIT_MAX)
    }

    /// Checks a page size.
    pub fn new(limit: usize) -> Result<Limit, PageError> {
        if (1..=LIMIT_MAX).contains(&limit) { Ok(Limit(limit)) } else { Err(PageError::Limit { limit }) }
    }

    /// The number.
    pub fn get(self) -> usize {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Limit {
        Limit(LIMIT_DEFAULT)
    }
}

/// How many of the nearest: 1 to 1 000 000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct K(usize);

impl K {
    /// Checks a number of nearest.
    pub fn new(k: usize) -> Result<K, PageError> {
        if (1..=K_MAX).contains(&k) { Ok(K(k)) } else { Err(PageError::K { k }) }
    }

    /// The number.
    pub fn get(self) -> usize {
        self.0
    }
}

/// Where a page ended.
///
/// As text it is safe in a URL: `d` or `i`, then hexadecimal.
///
/// ```
/// use nigh::query::Cursor;
/// let text = "i616263";
/// assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text);
/// assert!("i6".parse::<Cursor>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Cursor {
    /// In an order by distance.
    Distance {
        /// The last distance, to the bit.
        distance_m: f64,
        /// The last id.
        id: Id,
        /// How many answers the pages so far held: what remains of k follows from it.
        served: u64,
    },
    /// In an order by id.
    Id {
        /// The last id.
        id: Id,
    },
}

impl Cursor {
    /// What it orders by.
    pub(super) fn order(&self) -> &'static str {
        match self {
            Cursor::Distance { .. } => "distance",
            Cursor::Id { .. } => "id",
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = match self {
            Cursor::Distance { distance_m, id, served } => {
                write!(f, "d{:016x}{served:016x}", distance_m.to_bits())?;
                id
            }
            Cursor::Id { id } => {
                write!(f, "i")?;
                id
            }
        };
        id.as_str().bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Cursor {
    type Err = PageError;

    fn from_str(text: &str) -> Result<Cursor, PageError> {
        read(text).ok_or_else(|| PageError::Cursor { text: text.chars().take(80).collect() })
    }
}

fn read(text: &str) -> Option<Cursor> {
    if let Some(id) = text.strip_prefix('i') {
        return Some(Cursor::Id { id: read_id(id)? });
    }
    let rest = text.strip_prefix('d')?;
    let distance_m = f64::from_bits(read_word(rest.get(..16)?)?);
    let served = read_word(rest.get(16..32)?)?;
    let sound = distance_m.is_finite() && distance_m.is_sign_positive() && served <= K_MAX as u64 * LIMIT_MAX as u64;
    sound.then_some(Cursor::Distance { distance_m, id: read_id(rest.get(32..)?)?, served })
}

fn read_word(hex: &str) -> Option<u64> {
    hex.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u64::from_str_radix(hex, 16).ok())?
}

fn read_id(hex: &str) -> Option<Id> {
    let digits: Option<Vec<u32>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    let (pairs, rest) = digits.as_ref()?.as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| (high * 16 + low) as u8).collect();
    let id = String::from_utf8(bytes).ok().filter(|_| rest.is_empty())?;
    Id::new(id).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repeatable::repeatable;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(repeatable(256))]

        #[test]
        fn a_cursor_comes_back_to_the_bit(distance_m in 0.0..3e7_f64, id in "[^\\p{Cc}]{1,60}", served in 0_u64..1_000_000) {
            let id = Id::new(id).unwrap();
            for cursor in [Cursor::Distance { distance_m, id: id.clone(), served }, Cursor::Id { id }] {
                let text = cursor.to_string();
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
                prop_assert_eq!(text.parse::<Cursor>().unwrap(), cursor);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}", hex in "[di][0-9a-f+é]{0,80}") {
            let _ = (text.parse::<Cursor>(), hex.parse::<Cursor>());
        }
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        assert!(Limit::new(0).unwrap_err().to_string().contains("limit 0"));
        assert!(Limit::new(10_001).is_err() && Limit::new(10_000).is_ok());
        assert!(K::new(0).unwrap_err().to_string().contains("k 0"));
        assert!(K::new(1_000_001).is_err());
    }
}
