//! Entity tags of items: which version of an item an answer shows, and which one a change is meant for.
//!
//! ```text
//! "3.1042"          the item put by change 1042 of collection number 3
//! "3.1042-9a2f"     the same, shown with other fields or in another format
//! ```
//!
//! What surprises: the number of the collection is part of it. A collection that is dropped and made anew counts its changes
//! from 1 again, and a tag of the old one must not fit an item of the new.

use std::hash::{BuildHasher, Hasher};

use actix_web::http::header;

use super::error::{Code, Refusal};
use super::request::Request;
use crate::engine::Condition;

/// The tag of an item as an answer shows it; `shown` is what chooses how, empty for the common way.
pub(super) fn of_item(collection: u32, seq: u64, shown: &str) -> String {
    if shown.is_empty() {
        return format!("\"{collection}.{seq}\"");
    }
    let mut hasher = foldhash::fast::FixedState::default().build_hasher();
    hasher.write(shown.as_bytes());
    format!("\"{collection}.{seq}-{:08x}\"", hasher.finish() as u32)
}

/// The tag of something that follows from the state of a collection and from what chooses how it is shown.
pub(super) fn of_state(collection: u32, seq: u64, shown: &str) -> String {
    of_item(collection, seq, shown)
}

/// Whether the client has what bears this tag.
pub(super) fn client_has(request: &Request<'_>, tag: &str) -> bool {
    let Some(list) = request.header(header::IF_NONE_MATCH) else { return false };
    list.split(',').map(str::trim).any(|have| have == "*" || have.strip_prefix("W/").unwrap_or(have) == tag)
}

/// What must hold for a change, as `If-Match` and `If-None-Match` say.
pub(super) fn condition(request: &Request<'_>, collection: Option<u32>) -> Result<Condition, Refusal> {
    // An empty condition would hold always, which is the opposite of what whoever sends it wants.
    for name in [header::IF_MATCH, header::IF_NONE_MATCH] {
        if request.headers.contains_key(&name) && request.header(name.clone()).is_none() {
            return Err(Refusal::new(Code::BadHeader, format!("{name} is empty")).at(name.as_str().to_owned()));
        }
    }
    let (wanted, unwanted) = (request.header(header::IF_MATCH), request.header(header::IF_NONE_MATCH));
    match (wanted.as_deref().map(str::trim), unwanted.as_deref().map(str::trim)) {
        (None, None) => Ok(Condition::Always),
        (Some("*"), None) => Ok(Condition::Present),
        (Some(tag), None) => version(tag, collection),
        (None, Some("*")) => Ok(Condition::Absent),
        (None, Some(other)) => Err(Refusal::new(Code::BadHeader, "for a change, if-none-match can only be *")
            .at("if-none-match")
            .value(other)
            .hint("write if-none-match: * to make an item only when there is none")),
        (Some(tag), Some(_)) => Err(Refusal::new(Code::BadHeader, "if-match and if-none-match exclude each other")
            .at("if-match")
            .value(tag)),
    }
}

fn version(tag: &str, collection: Option<u32>) -> Result<Condition, Refusal> {
    let refuse =
        |hint: &str| Refusal::new(Code::BadHeader, "this is no tag of an item").at("if-match").value(tag).hint(hint);
    if tag.starts_with("W/") {
        return Err(refuse("a change needs a strong tag: take it as it stands in etag"));
    }
    let inner = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let inner = inner.ok_or_else(|| refuse("take it with its quotes, as it stands in etag"))?;
    let (number, seq) = inner.split('-').next().unwrap_or_default().split_once('.').unwrap_or_default();
    match (number.parse::<u32>(), seq.parse::<u64>()) {
        // A tag of another collection fits no item of this one, whatever its number.
        (Ok(number), Ok(_)) if Some(number) != collection => Ok(Condition::Version(u64::MAX)),
        (Ok(_), Ok(seq)) => Ok(Condition::Version(seq)),
        _ => Err(refuse("take it as it stands in etag; several are not understood")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_leads_back_to_its_version() {
        for shown in ["", "f=json", "fields=a"] {
            let tag = of_item(3, 1042, shown);
            assert_eq!(version(&tag, Some(3)), Ok(Condition::Version(1042)), "{tag}");
            assert_eq!(version(&tag, Some(4)), Ok(Condition::Version(u64::MAX)), "{tag}");
        }
        assert_ne!(of_item(3, 1, "f=json"), of_item(3, 1, "f=csv"));
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for tag in ["", "3.1", "\"\"", "\"3\"", "\"3.x\"", "W/\"3.1\"", "\"3.1\", \"3.2\"", "\"-3.1\""] {
            assert_eq!(version(tag, Some(3)).unwrap_err().code, Code::BadHeader, "{tag}");
        }
    }
}
