//! A JSON merge patch of an item (RFC 7396), member by member.
//!
//! What surprises: nothing is parsed into a tree. Members that the patch does not name are copied as the text they are, so that a
//! price of `1.50` is still `1.50` after somebody changed the name beside it.

use std::fmt::Write as _;

use serde_json::value::RawValue;

use super::body::Members;
use super::error::{Code, Refusal};
use crate::collection::{Id, Item, ItemRef};
use crate::format::{Incoming, read_item};

/// How deep objects are merged; what lies deeper is refused.
const DEPTH_MAX: usize = 64;

/// An item after a patch.
pub(super) struct Patched {
    incoming: Incoming,
    /// When the item ends that was there, unless the patch says otherwise.
    expires_at_ms: Option<i64>,
}

impl Patched {
    pub(super) fn into_item(self, id: Id, now_ms: i64) -> Item {
        let Incoming { point, properties, expires, .. } = self.incoming;
        let item = Item::new(id, point).with_properties(properties);
        match expires.at_ms(now_ms).or(self.expires_at_ms) {
            Some(at_ms) => item.expiring_at(at_ms),
            None => item,
        }
    }
}

/// What a patch makes of an item.
pub(super) fn patched(item: &ItemRef<'_>, patch: &[u8]) -> Result<Patched, Refusal> {
    let Members(members) = members_of(patch)?;
    let names = |name: &str| members.iter().any(|(other, _)| other == name);
    for (at, (name, _)) in members.iter().enumerate() {
        if !["lat", "lon", "properties", "ttl", "expires_at"].contains(&&**name) {
            return Err(Refusal::new(Code::BadItem, format!("{name:?} is no member of an item"))
                .at(name.clone().into_owned())
                .hint(r#"as in {"lat":48.857,"properties":{"open":true,"old":null}}"#));
        }
        if members[..at].iter().any(|(before, _)| before == name) {
            return Err(Refusal::new(Code::RepeatedParameter, format!("{name} is given more than once"))
                .at(name.clone().into_owned()));
        }
    }
    let (lon, lat) = item.lon_and_lat();
    let whole = format!(r#"{{"lat":{lat},"lon":{lon},"properties":{}}}"#, item.properties());
    let mut out = String::new();
    merge(&whole, std::str::from_utf8(patch).map_err(|_| no_json("it is not UTF-8"))?, 0, &mut out)?;
    let incoming = read_item(out.as_bytes())?;
    let renewed = names("ttl") || names("expires_at");
    Ok(Patched { incoming, expires_at_ms: item.expires_at_ms().filter(|_| !renewed) })
}

fn no_json(reason: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::BadBody, format!("the body is no JSON object: {reason}"))
        .hint(r#"as in {"properties":{"open":true}}"#)
}

fn members_of(text: &[u8]) -> Result<Members<'_>, Refusal> {
    serde_json::from_slice(text).map_err(no_json)
}

/// Writes what a patch makes of a value.
fn merge(target: &str, patch: &str, depth: usize, out: &mut String) -> Result<(), Refusal> {
    if !patch.trim_start().starts_with('{') {
        out.push_str(patch);
        return Ok(());
    }
    if depth > DEPTH_MAX {
        return Err(no_json(format!("it is nested deeper than {DEPTH_MAX}")));
    }
    let Members(changes) = members_of(patch.as_bytes())?;
    let Members(there) = match target.trim_start().starts_with('{') {
        true => members_of(target.as_bytes())?,
        false => Members(Vec::new()),
    };
    // Of members that stand twice the last one counts, as wherever JSON is read.
    let last = |name: &str| changes.iter().rev().find(|(other, _)| other == name).map(|(_, value)| *value);
    let is_last = |at: usize, name: &str| changes[at + 1..].iter().all(|(other, _)| other != name);
    out.push('{');
    let begin = out.len();
    let member = |name: &str, target: &str, patch: Option<&RawValue>, out: &mut String| -> Result<(), Refusal> {
        if patch.is_some_and(|patch| patch.get() == "null") {
            return Ok(());
        }
        if out.len() > begin {
            out.push(',');
        }
        let _ = write!(out, "{}:", serde_json::Value::from(name)); // a text takes everything
        match patch {
            None => out.push_str(target),
            Some(patch) => merge(target, patch.get(), depth + 1, out)?,
        }
        Ok(())
    };
    for (name, value) in &there {
        member(name, value.get(), last(name), out)?;
    }
    for (at, (name, value)) in changes.iter().enumerate() {
        if is_last(at, name) && there.iter().all(|(other, _)| other != name) {
            member(name, "null", Some(value), out)?;
        }
    }
    out.push('}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(target: &str, patch: &str) -> String {
        let mut out = String::new();
        merge(target, patch, 0, &mut out).unwrap();
        out
    }

    #[test]
    fn the_cases_of_the_standard_are_met() {
        // RFC 7396, appendix A, those that are objects.
        for (target, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            assert_eq!(merged(target, patch), result, "{target} {patch}");
        }
    }

    #[test]
    fn what_is_not_named_keeps_its_text() {
        let text = r#"{"price":1.50,"big":12345678901234567890,"b":{ "x" : 1e2 }}"#;
        assert_eq!(
            merged(text, r#"{"name":"é"}"#),
            r#"{"price":1.50,"big":12345678901234567890,"b":{ "x" : 1e2 },"name":"é"}"#
        );
    }

    #[test]
    fn a_patch_nested_deeply_is_refused() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
        assert!(merge("{}", &deep, 0, &mut String::new()).is_err());
    }
}
