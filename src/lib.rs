//! `nigh` answers one question: **what is near here?**

pub mod cli;
pub mod collection;
pub mod design;
pub mod engine;
pub mod format;
pub mod generate;
pub mod geometry;
pub mod http;
pub mod index;
pub mod query;
