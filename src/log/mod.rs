//! The durable order of changes, and the store they are kept in.
//!
//! A change counts once it stands in a [`ChangeLog`]: numbered, in order, without gaps. What surprises: the log and the rows are
//! one commit. [`Local`] writes what it appends and whatever rides with it in one batch of one [`Store`], so that no crash finds a
//! change without its row or a row without its change.
//!
//! ```text
//! append(frames, rider) ─▶ one batch ─▶ fsync ─▶ high water ─▶ applied, shown, answered
//!                          records │ changes │ meta
//! ```
//!
//! Absent here: queries, HTTP, who asked, and when a commit is due. This floor writes what it is told, and says what it found.

mod change_log;
pub mod codec;
mod high_water;
mod home;
mod local;
mod sim;
pub mod store;
mod tail;

pub use change_log::{ChangeLog, Entry, Frame, Frames, Load, LogError, Step, Was};
pub use high_water::HighWater;
pub use home::{Home, HomeError};
pub use local::{COMMITS_KEY, Local};
pub use sim::{Sim, Trouble};
pub use store::{
    Batch, Fault, FjallStore, MemoryStore, Moment, Row, Rows, RowsInOrder, Settings, Space, Store, StoreError, Sync,
    When,
};
