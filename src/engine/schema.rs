//! Which schema the rows have: a number in the store, so that an older version refuses what it would misread.
//!
//! What surprises: it is not the format of the directory. That says where things lie; this says how rows, frames and small values
//! are written, and could change while the directory stays as it is.

use super::OpenError;
use super::commit::Logged;
use crate::log::{Batch, Space, Store, StoreError, Sync};

/// The schema this version writes, and the newest it reads.
const SCHEMA: u32 = 1;

/// Where it stands in [`Space::Meta`]: a big-endian u32.
const KEY: &[u8] = b"schema";

/// Refuses rows of a newer schema.
pub(super) fn check(store: &dyn Store) -> Result<(), OpenError> {
    match read(store)? {
        Some(found) if found > SCHEMA => Err(OpenError::NewerSchema { found, known: SCHEMA }),
        _ => Ok(()),
    }
}

/// Writes which schema the rows have, once.
pub(super) fn write(logged: &Logged) -> Result<(), OpenError> {
    if read(&*logged.store)?.is_none() {
        let mut batch = Batch::new();
        batch.put(Space::Meta, KEY, SCHEMA.to_be_bytes());
        logged.log.append(&[], batch, Sync::Now)?;
    }
    Ok(())
}

fn read(store: &dyn Store) -> Result<Option<u32>, StoreError> {
    let found = store.get(Space::Meta, KEY)?;
    let number = found.map(|bytes| bytes.try_into().map(u32::from_be_bytes)).transpose();
    number.map_err(|bytes| StoreError::Damaged { what: format!("the schema has {} bytes, not 4", bytes.len()) })
}
