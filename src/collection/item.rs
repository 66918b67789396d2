//! A thing at a place: its id, its point, its properties, and when it ends.
//!
//! Properties are kept as the text they came as: numbers keep their digits, keys their order, and nothing is parsed
//! again until somebody filters by it.

use std::fmt;

use serde_json::value::RawValue;
use thiserror::Error;

use super::payload::Record;
use crate::geometry::Point;
use crate::index::Points;

/// The longest id, in bytes.
pub const ID_BYTES_MAX: usize = 256;

/// The longest properties text, in bytes.
pub const PROPERTIES_BYTES_MAX: usize = 64 * 1024;

/// Why an id or properties were refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ItemError {
    /// An id of no bytes.
    #[error("the id is empty; an id has 1 to 256 bytes")]
    EmptyId,
    /// An id of more than 256 bytes.
    #[error("the id beginning {beginning:?} has {bytes} bytes; an id has 1 to 256")]
    LongId {
        /// Its first characters.
        beginning: String,
        /// Its length.
        bytes: usize,
    },
    /// An id with a control character.
    #[error("the id {id:?} has a control character; use printable text")]
    ControlInId {
        /// The id as given.
        id: String,
    },
    /// Properties of more than 64 KiB.
    #[error("the properties have {bytes} bytes; at most 65536 are kept with an item")]
    LongProperties {
        /// Their length.
        bytes: usize,
    },
    /// Properties that are not a JSON object.
    #[error("the properties beginning {beginning:?} are not a JSON object: {reason}")]
    NoObject {
        /// Their first characters.
        beginning: String,
        /// What is wrong.
        reason: String,
    },
}

/// The name of an item, unique in its collection, ordered by bytes: 1 to 256 bytes of UTF-8 without control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(Box<str>);

impl Id {
    /// Checks an id.
    ///
    /// ```
    /// use nigh::collection::Id;
    /// assert_eq!(Id::new("café-17").unwrap().as_str(), "café-17");
    /// assert!(Id::new("").is_err());
    /// ```
    pub fn new(text: impl Into<Box<str>>) -> Result<Id, ItemError> {
        let text: Box<str> = text.into();
        Id::check(&text).map(|()| Id(text))
    }

    /// Says whether a text could be an id, without making one of it.
    pub(crate) fn check(text: &str) -> Result<(), ItemError> {
        if text.is_empty() {
            return Err(ItemError::EmptyId);
        }
        if text.len() > ID_BYTES_MAX {
            return Err(ItemError::LongId { beginning: beginning(text), bytes: text.len() });
        }
        // All bytes are looked at, without a way out: that is one instruction for many. Nearly every id is printable ASCII.
        let is_printable = text.bytes().fold(true, |so_far, byte| so_far & matches!(byte, b' '..=b'~'));
        if !is_printable && text.chars().any(char::is_control) {
            return Err(ItemError::ControlInId { id: text.to_owned() });
        }
        Ok(())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The properties of an item: the text of a JSON object, at most 64 KiB, kept as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Properties(Box<str>);

impl Properties {
    /// No properties: `{}`.
    pub fn none() -> Properties {
        Properties("{}".into())
    }

    /// Checks that a text is one JSON object.
    ///
    /// ```
    /// use nigh::collection::Properties;
    /// assert_eq!(Properties::from_json(r#"{"height": 1.50}"#).unwrap().as_json(), r#"{"height": 1.50}"#);
    /// assert!(Properties::from_json("[1]").is_err());
    /// ```
    pub fn from_json(text: &str) -> Result<Properties, ItemError> {
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        if text.len() > PROPERTIES_BYTES_MAX {
            return Err(ItemError::LongProperties { bytes: text.len() });
        }
        let refuse = |reason: String| Err(ItemError::NoObject { beginning: beginning(text), reason });
        if !text.starts_with('{') {
            return refuse("it does not begin with {".to_owned());
        }
        match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => Ok(Properties(text.into())),
            Err(error) => refuse(error.to_string()),
        }
    }

    /// Takes a text that was checked when it came in, and that a checksum says is still the same: reading it again would take
    /// longer than all else about it. What is not even within braces is no such text.
    pub(crate) fn checked_before(text: &str) -> Option<Properties> {
        let looks_right = text.starts_with('{') && text.ends_with('}') && text.len() <= PROPERTIES_BYTES_MAX;
        looks_right.then(|| Properties(text.into()))
    }

    /// The text.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

fn beginning(text: &str) -> String {
    text.chars().take(40).collect()
}

/// What is stored: an id at a point, with properties, for ever or until a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its name.
    pub id: Id,
    /// Where it is.
    pub point: Point,
    /// What is known of it.
    pub properties: Properties,
    /// When it is due to be removed, in milliseconds since 1970; `None` for never.
    pub expires_at_ms: Option<i64>,
}

impl Item {
    /// An item without properties that stays.
    pub fn new(id: Id, point: Point) -> Item {
        Item { id, point, properties: Properties::none(), expires_at_ms: None }
    }

    /// The same item with properties.
    #[must_use]
    pub fn with_properties(self, properties: Properties) -> Item {
        Item { properties, ..self }
    }

    /// The same item with an end.
    #[must_use]
    pub fn expiring_at(self, expires_at_ms: i64) -> Item {
        Item { expires_at_ms: Some(expires_at_ms), ..self }
    }
}

/// An item on its way into a collection, its texts where they were read: many can be handed in without memory of their own.
///
/// ```
/// use nigh::collection::{Id, Item, NewItem};
/// use nigh::geometry::Point;
/// let item = Item::new(Id::new("flore").unwrap(), Point::new(48.854, 2.333).unwrap());
/// assert_eq!(NewItem::from(&item).to_item(), item);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NewItem<'a> {
    id: &'a str,
    point: Point,
    properties: &'a str,
    expires_at_ms: Option<i64>,
}

impl<'a> NewItem<'a> {
    /// Takes texts that were checked as those of an [`Id`] and of [`Properties`] are.
    pub(crate) fn checked_before(
        id: &'a str,
        point: Point,
        properties: &'a str,
        expires_at_ms: Option<i64>,
    ) -> NewItem<'a> {
        NewItem { id, point, properties, expires_at_ms }
    }

    /// Its name.
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// Where it is.
    pub fn point(&self) -> Point {
        self.point
    }

    /// The text of its properties.
    pub fn properties(&self) -> &'a str {
        self.properties
    }

    /// When it is due to be removed, in milliseconds since 1970.
    pub fn expires_at_ms(&self) -> Option<i64> {
        self.expires_at_ms
    }

    /// The same item with an end.
    #[must_use]
    pub fn expiring_at(self, expires_at_ms: i64) -> NewItem<'a> {
        NewItem { expires_at_ms: Some(expires_at_ms), ..self }
    }

    /// The same with memory of its own.
    pub fn to_item(self) -> Item {
        let (id, properties) = (Id(self.id.into()), Properties(self.properties.into()));
        Item { id, point: self.point, properties, expires_at_ms: self.expires_at_ms }
    }
}

impl<'a> From<&'a Item> for NewItem<'a> {
    fn from(item: &'a Item) -> NewItem<'a> {
        let Item { id, point, properties, expires_at_ms } = item;
        NewItem { id: &id.0, point: *point, properties: &properties.0, expires_at_ms: *expires_at_ms }
    }
}

/// A stored item, read in place.
///
/// Its place and properties are read when they are asked for: an answer that shows nothing but ids never touches them.
#[derive(Clone, Copy)]
pub struct ItemRef<'a> {
    /// The sequence number of the change that put it there.
    pub seq: u64,
    record: Record<'a>,
    points: &'a Points,
    slot: u32,
}

impl<'a> ItemRef<'a> {
    /// The item that a record and a point make; `before_seq` is added to the number in the record.
    pub(super) fn new(record: Record<'a>, points: &'a Points, slot: u32, before_seq: u64) -> ItemRef<'a> {
        ItemRef { seq: record.seq() + before_seq, record, points, slot }
    }

    /// Its name.
    pub fn id(&self) -> &'a str {
        self.record.id()
    }

    /// The same as bytes, which are not looked at to know that they are text.
    #[inline]
    pub fn id_bytes(&self) -> &'a [u8] {
        self.record.id_bytes()
    }

    /// Whether the id stands in JSON as it is, without escapes.
    #[inline]
    pub fn has_plain_id(&self) -> bool {
        self.record.has_plain_id()
    }

    /// Where it is.
    #[inline]
    pub fn point(&self) -> Point {
        self.points.point(self.slot)
    }

    /// The same as text, `lon,lat`: the shortest digits that read back as the same bits.
    pub fn lon_lat(&self) -> &'a str {
        self.record.lon_lat()
    }

    /// Longitude and latitude as text.
    pub fn lon_and_lat(&self) -> (&'a str, &'a str) {
        self.lon_lat().split_once(',').expect("two numbers with a comma between them")
    }

    /// The text of its properties.
    pub fn properties(&self) -> &'a str {
        self.record.properties()
    }

    /// The same as bytes, which are not looked at to know that they are text.
    #[inline]
    pub fn properties_bytes(&self) -> &'a [u8] {
        self.record.properties_bytes()
    }

    /// When it is due to be removed, in milliseconds since 1970.
    #[inline]
    pub fn expires_at_ms(&self) -> Option<i64> {
        self.record.expires_at_ms()
    }
}

impl PartialEq for ItemRef<'_> {
    fn eq(&self, other: &ItemRef<'_>) -> bool {
        let head = |item: &ItemRef<'_>| (item.seq, item.point(), item.expires_at_ms());
        self.id_bytes() == other.id_bytes()
            && head(self) == head(other)
            && self.properties_bytes() == other.properties_bytes()
    }
}

impl fmt::Debug for ItemRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemRef")
            .field("id", &self.id())
            .field("point", &self.point())
            .field("properties", &self.properties())
            .field("seq", &self.seq)
            .field("expires_at_ms", &self.expires_at_ms())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked_once() {
        assert_eq!(Id::new(""), Err(ItemError::EmptyId));
        assert!(Id::new("x".repeat(256)).is_ok());
        assert!(Id::new("x".repeat(257)).unwrap_err().to_string().contains("257 bytes"));
        assert!(Id::new("a\nb").unwrap_err().to_string().contains(r#""a\nb""#));
        assert!(Id::new("a\u{85}b").is_err());
    }

    #[test]
    fn properties_keep_their_text() {
        let text = r#"{ "b" : 1.0e2, "a":"\u00e9", "a":null }"#;
        assert_eq!(Properties::from_json(text).unwrap().as_json(), text);
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_beginning() {
        for text in ["", "null", "[]", "{", r#"{"a":}"#, "{} {}", r#"{"a":1}x"#, "\"{}\""] {
            assert!(matches!(Properties::from_json(text), Err(ItemError::NoObject { .. })), "{text}");
        }
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(PROPERTIES_BYTES_MAX));
        assert!(matches!(Properties::from_json(&long), Err(ItemError::LongProperties { .. })));
    }

    #[test]
    fn deep_properties_do_not_overflow_the_stack() {
        let deep = format!("{}{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        assert!(Properties::from_json(&deep).is_err());
    }
}
