//! A library that stands between a program and its disk: it writes down what the program does to one folder, in order, or
//! lets chosen operations fail. Loaded with `LD_PRELOAD`; told what to do by the environment:
//!
//! | variable | meaning |
//! |---|---|
//! | `DISK_ROOT` | the folder that is watched; without it nothing happens |
//! | `DISK_LEDGER` | a file outside it; what is written there goes into the trace as a note |
//! | `DISK_TRACE` | a file outside it that takes the trace |
//! | `DISK_RULES` | a file outside it with rules for faults, read again whenever it is replaced; see `faults.rs` |
//!
//! What surprises: the library uses ordinary files itself. Its own files stand outside the root, so its calls come back in
//! through its own door and pass it unseen. And it sees what goes through the C library only: a program that makes system
//! calls by itself goes by, which the reader of the trace notices, because it compares the end with the real folder.
//!
//! This is built twice: by cargo as an example, so that it is checked like all code, and by the tests with the compiler
//! alone, because `cargo test --test recovery` builds no examples. So it has no dependencies.
#![cfg(target_os = "linux")]

#[macro_use]
mod real;
mod calls;
mod contents;
mod door;
mod faults;
mod files;
mod names;
#[allow(dead_code, missing_docs)]
#[path = "../record.rs"]
mod record;
