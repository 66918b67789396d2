//! Which schema the rows have: a number in the store, so that an older version refuses what it would misread.
//!
//! What surprises: it is not the format of the directory. That says where things lie; this says how rows, frames and small values
//! are written, and could change while the directory stays as it is.

use super::OpenError;
use super::commit::Logged;
use crate::log::{Batch, Space, Store, StoreError, Sync};

/// The schema of a directory that this version makes.
const SCHEMA: u32 = 1;

/// The newest it reads. Tests know two more, which are written alike, so that there is something to migrate to.
const NEWEST: u32 = if cfg!(test) { SCHEMA + 2 } else { SCHEMA };

/// Where it stands in [`Space::Meta`]: a big-endian u32.
const KEY: &[u8] = b"schema";

/// Refuses rows of a newer schema.
pub(super) fn check(store: &dyn Store) -> Result<(), OpenError> {
    match read(store)? {
        Some(found) if found > NEWEST => Err(OpenError::NewerSchema { found, known: NEWEST }),
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

/// Refuses to go from the schema there is to one that is not later, or that this version could not read afterwards.
pub(super) fn check_step(store: &dyn Store, to: u32) -> Result<(), String> {
    let found = read(store).map_err(|error| error.to_string())?.unwrap_or(SCHEMA);
    if to > found && to <= NEWEST {
        return Ok(());
    }
    Err(format!("the rows have schema {found}, and {to} is not one of {} to {NEWEST}", found + 1))
}

/// Writes that the rows have a schema from now on.
pub(super) fn put(batch: &mut Batch, schema: u32) {
    batch.put(Space::Meta, KEY, schema.to_be_bytes());
}

fn read(store: &dyn Store) -> Result<Option<u32>, StoreError> {
    let found = store.get(Space::Meta, KEY)?;
    let number = found.map(|bytes| bytes.try_into().map(u32::from_be_bytes)).transpose();
    number.map_err(|bytes| StoreError::Damaged { what: format!("the schema has {} bytes, not 4", bytes.len()) })
}
