//! Which points a query wants, by their properties: conditions in CQL2 Text, the filter language of the OGC.
//!
//! The surprising part: there are three answers. A comparison with a property that is missing or null, or of another
//! type, is *unknown*; so is its negation; and what is unknown is not found. Ask with `IS NULL` for what is missing.
//!
//! | written | meaning |
//! |---|---|
//! | `=` `<>` `<` `<=` `>` `>=` | a property and a value, either first; numbers by value, text by code point, FALSE < TRUE |
//! | `IN (a, b)` `BETWEEN a AND b` | any of these; from a to b, both included; `NOT` before either |
//! | `LIKE 'Caf%'` | `%` is any text, `_` one character, `\` before either of them, or itself, the plain one; `NOT LIKE` |
//! | `IS NULL` `IS NOT NULL` | missing or null; present |
//! | `AND` `OR` `NOT` `( )` | NOT binds most, OR least |
//! | `name`, `address.city`, `"opening hours"` | a property; see below |
//! | `'d''Or'`, `-1.5e3`, `TRUE`, `FALSE` | text, number, truth |
//! | `CASEI(name) = 'paris'` | without regard to case, whether or not the value stands in CASEI as well |
//!
//! - **Names**: `address.city` is the property of that full name if there is one, else what `address` holds under
//!   `city`. Dots within double quotes are only themselves. `id` is the point's id unless a property has that name.
//! - **Numbers**: integers of up to 64 bits are exact, all others the nearest `f64`; both are compared by their
//!   mathematical value, so `1`, `1.0` and `1e0` are equal, and 2^53 + 1 is more than 2^53.
//! - **Keywords** in any case; a property named like one goes in double quotes.
//! - Not here: functions but CASEI, arithmetic, geometry (a query has its own words for that), dates as a type (as
//!   ISO 8601 text of one form they compare rightly), and comparing two properties: see the module `parse`.
//!
//! # Why not the `cql2` crate
//!
//! Measured with `cql2` 0.6.0 and the filter `price < 20` on properties of 105 bytes, release builds on one machine:
//! 2 450 ns a candidate from JSON text and 1 370 ns from a ready tree (it clones the filter for each), here 150 ns from
//! text. It adds 68 crates, among them a JSON Schema validator, a SQL parser and a second geometry library, and 2.5 MB
//! of program. Its numbers are all `f64`; a missing property makes an error, not an unknown; `x = NULL` is accepted;
//! 5 000 parentheses overflow the stack and end the process. For geometry, dates and arithmetic in filters, or CQL2 in
//! its JSON form, it would be the place to begin; a text it has parsed could still be evaluated here.

mod condition;
mod error;
mod like;
mod parse;
mod properties;
mod token;
mod value;

pub use error::FilterError;

use super::budget::{Budget, bytes};
use condition::Condition;
use properties::{Names, Record};
use std::fmt;
use std::sync::Arc;

/// The longest filter that is read, in bytes.
pub const MAX_FILTER_BYTES: usize = 16 * 1024;

/// How deep parentheses may stand in parentheses.
pub const MAX_DEPTH: usize = 64;

/// How many different properties a filter may name (a dotted name counts twice): each one is looked for among all
/// properties of every candidate.
pub const MAX_PROPERTIES: usize = 64;

/// Up to so many properties a candidate costs no allocation.
const FEW: usize = 8;

/// What asking a point costs, beside the bytes of its properties.
const POINT_UNITS: u64 = 8;

/// A condition on properties, parsed once and asked often; a clone shares it.
///
/// ```
/// use nigh::query::filter::Filter;
/// let filter = Filter::parse("cuisine IN ('thai', 'lao') AND NOT seats < 20").unwrap();
/// assert!(filter.matches("a1", r#"{"cuisine": "thai", "seats": 32}"#));
/// assert!(!filter.matches("a2", r#"{"cuisine": "thai"}"#));
///
/// let refusal = Filter::parse("city = Paris").unwrap_err().to_string();
/// assert!(refusal.starts_with("filter, character 8: found Paris; text goes in single quotes, as in 'Paris'"));
/// ```
#[derive(Clone)]
pub struct Filter {
    parsed: Arc<Parsed>,
}

struct Parsed {
    text: String,
    condition: Condition,
    names: Names,
}

impl Filter {
    /// Reads a filter; what cannot be understood is refused with its place and what would be right there.
    pub fn parse(text: &str) -> Result<Filter, FilterError> {
        let (condition, names) = parse::parse(text)?;
        Ok(Filter { parsed: Arc::new(Parsed { text: text.to_owned(), condition, names }) })
    }

    /// Whether a point with this id and these properties is wanted; unknown is no.
    ///
    /// `properties_json` is the text of a JSON object, or empty for none. It is stepped over once, and of other text
    /// whatever can be read counts; nothing panics.
    pub fn matches(&self, id: &str, properties_json: &str) -> bool {
        self.matches_within(id, properties_json, &Budget::unlimited())
    }

    /// [`Filter::matches`] within a budget; when that is over, the answer is no and means nothing.
    ///
    /// *Cost*: the properties are stepped over once, and each condition may read again what it is about. A filter of 16 KiB
    /// has room for a thousand `LIKE`s, so one point with 64 KiB of text can cost as much as 10 million others.
    pub fn matches_within(&self, id: &str, properties_json: &str, budget: &Budget<'_>) -> bool {
        if !budget.spend(POINT_UNITS + bytes(properties_json.len())) {
            return false;
        }
        let count = self.parsed.names.len();
        if count <= FEW {
            self.ask(id, properties_json, budget, &mut [None; FEW][..count])
        } else {
            self.ask(id, properties_json, budget, &mut vec![None; count])
        }
    }

    fn ask<'a>(
        &self,
        id: &'a str,
        properties_json: &'a str,
        budget: &'a Budget<'a>,
        found: &mut [Option<&'a str>],
    ) -> bool {
        self.parsed.names.find(properties_json, found);
        self.parsed.condition.holds(&Record { id, found, budget }) == Some(true)
    }

    /// The filter as it was written.
    pub fn text(&self) -> &str {
        &self.parsed.text
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.text()).finish()
    }
}
