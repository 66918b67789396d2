//! Whether the engine takes changes, and if not, why.
//!
//! What surprises: there is no way back from a failed write but opening the store again. What a disk holds after it refused a write
//! is not known, and asking it again has lied to many.

use super::EngineError;
use crate::log::{LogError, StoreError};

/// How an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It answers and takes changes.
    Ready,
    /// It answers; the disk is full.
    DiskFull,
    /// It answers and takes no changes.
    ReadOnly {
        /// Why.
        reason: String,
    },
    /// It is being closed.
    Closing,
}

impl Health {
    /// Whether changes are taken.
    pub(super) fn writable(&self) -> Result<(), EngineError> {
        match self {
            Health::Ready => Ok(()),
            Health::DiskFull => Err(EngineError::DiskFull),
            Health::ReadOnly { reason } => Err(EngineError::ReadOnly { reason: reason.clone() }),
            Health::Closing => Err(EngineError::Closed),
        }
    }

    /// How an engine is after its log failed.
    pub(super) fn after(error: &LogError) -> Health {
        match error {
            LogError::Store(StoreError::Full { .. }) => Health::DiskFull,
            other => Health::ReadOnly { reason: other.to_string() },
        }
    }
}
