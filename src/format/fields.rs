//! What of an item an answer shows: everything, some properties, or nothing but id and distance.
//!
//! What surprises: choosing properties parses no value. Members are stepped over, and those that are wanted are copied as
//! the text they came in, in the order they came in, a repeated one as often as it was there.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::collection::ItemRef;
use crate::geometry::geohash::{self, MAX_CHARACTERS};

/// The field that is computed from the position, and stands beside the id.
pub(super) const GEOHASH: &str = "geohash";

/// What an answer shows beside id and distance.
///
/// - nothing said: the position and all properties;
/// - names: the position, the properties of these names that are there, and for `geohash` the position's own;
/// - an empty list: nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields {
    /// `None` for all.
    names: Option<Names>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Names {
    /// Each once, in the order in which they were asked for.
    asked: Vec<String>,
    /// The same by their bytes, so that a long list costs little for each item.
    sorted: Vec<String>,
}

impl Fields {
    /// The position and all properties.
    pub fn all() -> Fields {
        Fields::default()
    }

    /// Only these.
    pub fn only(names: impl IntoIterator<Item = String>) -> Fields {
        let mut asked: Vec<String> = names.into_iter().collect();
        let mut seen = std::collections::HashSet::new();
        asked.retain(|name| seen.insert(name.clone()));
        let mut sorted = asked.clone();
        sorted.sort_unstable();
        Fields { names: Some(Names { asked, sorted }) }
    }

    /// The names in the order in which they were asked for; nothing when everything is.
    pub(super) fn asked(&self) -> Option<&[String]> {
        self.names.as_ref().map(|names| &*names.asked)
    }

    /// Whether a name was asked for.
    pub(super) fn names(&self, name: &str) -> bool {
        self.names.as_ref().is_some_and(|names| has(&names.sorted, name))
    }

    /// Whether positions are shown.
    pub(super) fn position(&self) -> bool {
        self.asked().is_none_or(|names| !names.is_empty())
    }

    /// Appends `,"geohash":".."` if it is asked for by name.
    pub(super) fn write_geohash(&self, out: &mut Vec<u8>, item: &ItemRef<'_>) {
        if self.names(GEOHASH) {
            out.extend_from_slice(br#","geohash":""#);
            out.extend_from_slice(geohash_of(item).as_bytes());
            out.push(b'"');
        }
    }

    /// The position's own geohash if it is asked for by name.
    pub(super) fn geohash(&self, item: &ItemRef<'_>) -> Option<String> {
        self.names(GEOHASH).then(|| geohash_of(item))
    }

    /// Hands on the properties that are shown, by name and as JSON text. A name that is no text is passed over.
    pub(super) fn each_property(&self, item: &ItemRef<'_>, mut each: impl FnMut(String, &str)) {
        if self.position() {
            each_member(item.properties(), |name, value| match serde_json::from_str::<String>(name) {
                Ok(name) if self.asked().is_none() || self.names(&name) => each(name, value),
                _ => {}
            });
        }
    }

    /// Appends the properties that are shown, as a JSON object.
    pub(super) fn write_properties(&self, out: &mut Vec<u8>, item: &ItemRef<'_>) {
        let Some(names) = &self.names else {
            out.extend_from_slice(item.properties_bytes());
            return;
        };
        out.push(b'{');
        if !names.sorted.is_empty() {
            let mut any = false;
            each_member(item.properties(), |name, value| {
                // A name may hold half a surrogate pair, which is JSON but no text: nobody can ask for it.
                if !serde_json::from_str::<String>(name).is_ok_and(|name| has(&names.sorted, &name)) {
                    return;
                }
                if std::mem::replace(&mut any, true) {
                    out.push(b',');
                }
                out.extend_from_slice(name.as_bytes());
                out.push(b':');
                out.extend_from_slice(value.as_bytes());
            });
        }
        out.push(b'}');
    }
}

/// The position of an item as the geohash that answers show.
pub(super) fn geohash_of(item: &ItemRef<'_>) -> String {
    geohash::encode(item.point(), MAX_CHARACTERS)
}

fn has(names: &[String], wanted: &str) -> bool {
    names.binary_search_by(|name| name.as_str().cmp(wanted)).is_ok()
}

/// Steps over the members of stored properties: the text of each name, with its quotes, and of each value.
pub(crate) fn each_member<'p>(properties: &'p str, visit: impl FnMut(&'p str, &'p str)) {
    let mut reader = serde_json::Deserializer::from_str(properties);
    reader.deserialize_map(Members(visit)).expect("stored properties are a JSON object");
}

struct Members<V>(V);

impl<'de, V: FnMut(&'de str, &'de str)> Visitor<'de> for Members<V> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        while let Some((name, value)) = members.next_entry::<&RawValue, &RawValue>()? {
            (self.0)(name.get(), value.get());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(fields: &Fields, properties: &str) -> String {
        let snapshot = crate::format::tests::stored("a", 42.605, -5.603, properties);
        let item = snapshot.get("a").unwrap();
        let mut out = Vec::new();
        fields.write_properties(&mut out, &item);
        fields.write_geohash(&mut out, &item);
        String::from_utf8(out).unwrap()
    }

    fn only(names: &[&str]) -> Fields {
        Fields::only(names.iter().map(|&name| name.to_owned()))
    }

    #[test]
    fn chosen_properties_keep_their_text_and_order() {
        let text = r#"{ "b" : 1.0e2, "a":"\u00e9", "big":12345678901234567890, "a":null }"#;
        assert_eq!(shown(&Fields::all(), text), text);
        assert_eq!(shown(&only(&["a", "b"]), text), r#"{"b":1.0e2,"a":"\u00e9","a":null}"#);
        assert_eq!(shown(&only(&["a"]), r#"{"\ud800":1,"\u0061":2}"#), r#"{"\u0061":2}"#);
        assert_eq!(shown(&only(&["big", "nothing"]), text), r#"{"big":12345678901234567890}"#);
        assert_eq!(shown(&only(&[]), text), "{}");
    }

    #[test]
    fn properties_nested_deeply_are_stepped_over() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(9000), "}".repeat(9000));
        assert!(crate::collection::Properties::from_json(&deep).is_ok());
        assert_eq!(shown(&only(&["b"]), &deep), "{}");
        assert_eq!(shown(&only(&["a"]), &deep), deep);
    }

    #[test]
    fn a_geohash_is_shown_when_named() {
        assert!(shown(&only(&["geohash"]), "{}").starts_with(r#"{},"geohash":"ezs42"#));
        assert!(!only(&[]).position() && only(&["geohash"]).position() && Fields::all().position());
    }
}
