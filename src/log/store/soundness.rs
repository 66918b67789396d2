//! A look at the files of a store before they are opened.
//!
//! What surprises: opening repairs by deleting. The engine removes tables that its list of tables does not name, and whole
//! keyspaces that its catalogue does not name, without comparing that list or catalogue with the checksum it wrote beside it. One
//! flipped bit there deletes rows, or panics while a lock is held that the clean-up after the panic wants, which ends the process.
//! So the checksum is compared here, before anything is opened.
//!
//! ```text
//! version                        made last: without it, opening would make a new, empty store
//! <n>.jnl                        the journal
//! keyspaces/<n>/current          number of the list u64 │ its XXH3-128 │ 0
//! keyspaces/<n>/v<number>        the list of tables
//! ```

use std::fs;
use std::io;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

use super::{Space, StoreError};

/// Keyspace 0 is the engine's catalogue; those of [`Space::ALL`] follow, as they were created.
const KEYSPACES: usize = 1 + Space::ALL.len();

/// Refuses a store that opening would damage further, or that would make the engine panic.
pub(super) fn check(store: &Path) -> Result<(), StoreError> {
    if !store.join("version").is_file() {
        return Err(damaged(format!("{} has no file named version", store.display())));
    }
    let keyspaces = store.join("keyspaces");
    for entry in fs::read_dir(&keyspaces).map_err(|error| unread(&keyspaces, &error))? {
        let name = entry.map_err(|error| unread(&keyspaces, &error))?.file_name();
        let number: Option<usize> = name.to_str().and_then(|name| name.parse().ok());
        if number.is_none_or(|number| number >= KEYSPACES) {
            return Err(damaged(format!("{} does not belong there", keyspaces.join(name).display())));
        }
    }
    (0..KEYSPACES).try_for_each(|number| check_list(&keyspaces.join(number.to_string())))
}

fn check_list(keyspace: &Path) -> Result<(), StoreError> {
    let current = keyspace.join("current");
    let bytes = fs::read(&current).map_err(|error| unread(&current, &error))?;
    let Some((number, checksum)) = current_list(&bytes) else {
        return Err(damaged(format!("{} has {} bytes that say nothing", current.display(), bytes.len())));
    };
    let list = keyspace.join(format!("v{number}"));
    let bytes = fs::read(&list).map_err(|error| unread(&list, &error))?;
    match xxh3_128(&bytes) == checksum {
        true => Ok(()),
        false => Err(damaged(format!("the checksum of {} is not the one in {}", list.display(), current.display()))),
    }
}

/// The number and the checksum of the present list of tables.
fn current_list(bytes: &[u8]) -> Option<(u64, u128)> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    let (checksum, kind) = rest.split_first_chunk::<16>()?;
    (kind == [0]).then(|| (u64::from_le_bytes(*number), u128::from_le_bytes(*checksum)))
}

fn damaged(what: String) -> StoreError {
    StoreError::Damaged { what }
}

/// A file that is not there is damage; one that cannot be read may only be forbidden.
fn unread(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => damaged(format!("{} is missing", path.display())),
        _ => StoreError::Io { doing: "opening the store", reason: format!("{}: {error}", path.display()) },
    }
}
