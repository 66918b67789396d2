//! Keys: who holds one, what it lets its holder do, and in which collections.
//!
//! What surprises: a plain SHA-256 guards them, and no slow hash as for passwords. A slow hash makes guessing dear where people choose
//! the secret; ours is 32 bytes from the system's randomness, which nobody guesses at any speed. That is why keys are made here and
//! never taken from outside: the file holds hashes alone, so nobody can write a weak secret into it.
//!
//! ```text
//! nigh_cafes-import_5d0f…e1      what is sent, once shown: nigh, the name, 64 hexadecimal digits
//! [[key]]                        what the file holds
//! name = "cafes-import"
//! hash = "sha256:9b0c…"
//! scope = "write"
//! collections = ["cafes"]
//! ```

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::routes::Access;
use crate::engine::CollectionName;

/// The word that stands for every collection.
const EVERY: &str = "*";

/// Bytes of a secret.
const SECRET_LEN: usize = 32;

const NAME_LONGEST: usize = 32;

/// What a key lets its holder do; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Ask.
    Read,
    /// Change items.
    Write,
    /// Make, set and drop collections.
    Admin,
}

impl Scope {
    /// Every scope by its word.
    pub const ALL: [(&'static str, Scope); 3] =
        [("read", Scope::Read), ("write", Scope::Write), ("admin", Scope::Admin)];
}

/// A key as the file holds it: without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    name: String,
    hash: String,
    scope: Scope,
    collections: Vec<String>,
}

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    key: Vec<KeyEntry>,
}

impl KeyEntry {
    /// Makes a key: what its holder sends, and what goes into the file. Refuses names that are none.
    pub fn make(name: &str, scope: Scope, collections: &[String]) -> Result<(String, KeyEntry), String> {
        let mut secret = [0; SECRET_LEN];
        SystemRandom::new().fill(&mut secret).map_err(|_| "the system gives no random bytes".to_owned())?;
        let text = format!("nigh_{name}_{}", hex(&secret));
        let hash = format!("sha256:{}", hex(&hash_of(&text)));
        let entry = KeyEntry { name: name.to_owned(), hash, scope, collections: collections.to_vec() };
        Key::of(&entry)?;
        Ok((text, entry))
    }

    /// The lines to add to the file.
    pub fn to_toml(&self) -> String {
        let KeyEntry { name, hash, scope, collections } = self;
        let (scope, _) = Scope::ALL.into_iter().find(|(_, other)| other == scope).expect("every scope has its word");
        // What was checked needs no escapes, and so is written alike in Rust and TOML.
        format!("[[key]]\nname = {name:?}\nhash = {hash:?}\nscope = {scope:?}\ncollections = {collections:?}\n")
    }
}

/// A key that was checked.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: String,
    hash: [u8; SHA256_OUTPUT_LEN],
    scope: Scope,
    /// `None` for all of them.
    collections: Option<Vec<CollectionName>>,
}

impl Key {
    fn of(entry: &KeyEntry) -> Result<Key, String> {
        let KeyEntry { name, hash, scope, collections } = entry;
        let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > NAME_LONGEST || !name.bytes().all(sound) {
            return Err(format!("{name:?} cannot name a key; write 1 to {NAME_LONGEST} of a-z, 0-9 and -"));
        }
        let hash = hash.strip_prefix("sha256:").and_then(unhex).ok_or_else(|| {
            format!("the hash of key {name} is no sha256: and 64 hexadecimal digits; nigh key new writes one")
        })?;
        if collections.is_empty() {
            return Err(format!("key {name} names no collection; write collections = [\"{EVERY}\"] for all"));
        }
        let named = |text: &String| {
            text.parse().map_err(|_| format!("key {name}: {text:?} cannot be the name of a collection; {EVERY} is all"))
        };
        let every = collections.iter().any(|collection| collection == EVERY);
        let listed = (!every).then(|| collections.iter().map(named).collect::<Result<_, _>>()).transpose()?;
        Ok(Key { name: name.clone(), hash, scope: *scope, collections: listed })
    }
}

/// Every key of a file, by name.
#[derive(Debug)]
pub(super) struct Keys {
    named: HashMap<String, Arc<Key>>,
}

impl Keys {
    /// Reads a file of keys, all of it or nothing.
    pub(super) fn read(path: &Path) -> Result<Keys, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        Keys::of(&text)
    }

    fn of(text: &str) -> Result<Keys, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut named = HashMap::new();
        for entry in &file.key {
            if named.insert(entry.name.clone(), Arc::new(Key::of(entry)?)).is_some() {
                return Err(format!("two keys are named {}; give each its own", entry.name));
            }
        }
        if named.is_empty() {
            return Err("it holds no key; nigh key new makes one".to_owned());
        }
        Ok(Keys { named })
    }

    /// The key that a request sends, if it is one of ours.
    pub(super) fn find(&self, sent: &str) -> Option<Arc<Key>> {
        let (name, _) = sent.strip_prefix("nigh_")?.split_once('_')?;
        let key = self.named.get(name)?;
        // The time this takes says nothing about how much of the hash is right.
        bool::from(hash_of(sent)[..].ct_eq(&key.hash[..])).then(|| key.clone())
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub(super) enum Caller {
    /// Whoever it is, where the service has no keys.
    Anyone,
    /// Somebody without a key, where it has.
    Nobody,
    /// The holder of a key.
    Holder(Arc<Key>),
}

impl Caller {
    /// Whether a collection is there for this caller.
    pub(super) fn sees(&self, name: &CollectionName) -> bool {
        match self {
            Caller::Anyone => true,
            Caller::Nobody => false,
            Caller::Holder(key) => key.collections.as_ref().is_none_or(|listed| listed.contains(name)),
        }
    }

    /// Whether every collection is there for this caller.
    pub(super) fn sees_all(&self) -> bool {
        match self {
            Caller::Anyone => true,
            Caller::Nobody => false,
            Caller::Holder(key) => key.collections.is_none(),
        }
    }

    /// Whether the caller may ask for what needs this access, apart from where.
    pub(super) fn may(&self, access: Access) -> bool {
        let needed = match access {
            Access::Anyone => return true,
            Access::Read | Access::ReadAll => Scope::Read,
            Access::Write => Scope::Write,
            Access::Admin => Scope::Admin,
        };
        match self {
            Caller::Anyone => true,
            Caller::Nobody => false,
            Caller::Holder(key) => key.scope >= needed && (access != Access::ReadAll || self.sees_all()),
        }
    }
}

fn hash_of(text: &str) -> [u8; SHA256_OUTPUT_LEN] {
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref().try_into().expect("a SHA-256 has 32 bytes")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a String takes everything
        text
    })
}

fn unhex(text: &str) -> Option<[u8; SHA256_OUTPUT_LEN]> {
    let mut bytes = [0; SHA256_OUTPUT_LEN];
    if text.len() != 2 * bytes.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(scope: Scope, collections: &[&str]) -> Caller {
        let collections: Vec<String> = collections.iter().map(|&name| name.to_owned()).collect();
        let (sent, entry) = KeyEntry::make("k", scope, &collections).unwrap();
        Caller::Holder(Keys::of(&entry.to_toml()).unwrap().find(&sent).unwrap())
    }

    #[test]
    fn a_key_is_found_by_all_of_it_and_nothing_else() {
        let (sent, entry) = KeyEntry::make("cafes-import", Scope::Write, &["cafes".into()]).unwrap();
        let (other, _) = KeyEntry::make("cafes-import", Scope::Write, &["cafes".into()]).unwrap();
        let keys = Keys::of(&entry.to_toml()).unwrap();
        assert_eq!(sent.len(), "nigh_cafes-import_".len() + 64);
        assert_eq!(keys.find(&sent).unwrap().name, "cafes-import");
        let short = &sent[..sent.len() - 1];
        for wrong in [&other, short, &sent.to_uppercase(), "", "nigh_", "nigh_cafes-import_", "nigh_nobody_00"] {
            assert!(keys.find(wrong).is_none(), "{wrong}");
        }
        assert!(!entry.to_toml().contains(sent.rsplit('_').next().unwrap()), "the file holds no secret");
    }

    #[test]
    fn a_scope_includes_those_before_it_in_its_own_collections() {
        let (cafes, default) = ("cafes".parse().unwrap(), CollectionName::default());
        let writer = holder(Scope::Write, &["cafes"]);
        let allowed = [Access::Anyone, Access::Read, Access::Write, Access::Admin, Access::ReadAll];
        assert_eq!(allowed.map(|access| writer.may(access)), [true, true, true, false, false]);
        assert_eq!([&cafes, &default].map(|name| writer.sees(name)), [true, false]);
        let admin = holder(Scope::Admin, &["*"]);
        assert_eq!((allowed.map(|access| admin.may(access)), admin.sees(&default)), ([true; 5], true));
        assert_eq!(allowed.map(|access| Caller::Nobody.may(access)), [true, false, false, false, false]);
        assert_eq!((Caller::Nobody.sees(&default), Caller::Nobody.sees_all()), (false, false));
    }

    #[test]
    fn a_file_that_says_anything_doubtful_is_refused_whole() {
        let (_, entry) = KeyEntry::make("k", Scope::Read, &["*".into()]).unwrap();
        let sound = entry.to_toml();
        assert!(Keys::of(&sound).is_ok());
        for (broken, message) in [
            (String::new(), "it holds no key"),
            (format!("{sound}\n{sound}"), "two keys are named k"),
            (sound.replace("\"read\"", "\"root\""), "unknown variant"),
            (sound.replace("scope", "scopes"), "unknown field"),
            (sound.replace("sha256:", "md5:"), "nigh key new writes one"),
            (sound.replace("sha256:", "sha256:0"), "64 hexadecimal digits"),
            (sound.replace("\"*\"", "\"A b\""), "cannot be the name of a collection"),
            (sound.replace("\"*\"", ""), "names no collection"),
            (sound.replace("\"k\"", "\"a_b\""), "cannot name a key"),
        ] {
            let refused = Keys::of(&broken).unwrap_err();
            assert!(refused.contains(message), "{message}: {refused}");
        }
    }
}
