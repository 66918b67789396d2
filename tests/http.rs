//! The service as its users meet it: the real program on a real port, every operation, every way to be refused.
#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

mod service;
mod small_disk;

#[path = "http/bombs.rs"]
mod bombs;
#[path = "http/changes.rs"]
mod changes;
#[path = "http/collections.rs"]
mod collections;
#[path = "http/disk.rs"]
mod disk;
#[path = "http/fences.rs"]
mod fences;
#[path = "http/items.rs"]
mod items;
#[path = "http/limits.rs"]
mod limits;
#[path = "http/operations.rs"]
mod operations;
#[path = "http/page.rs"]
mod page;
#[path = "http/reading.rs"]
mod reading;
#[path = "http/refusals.rs"]
mod refusals;
#[path = "http/tiles.rs"]
mod tiles;
#[path = "http/uploads.rs"]
mod uploads;
