//! `nigh` answers one question: **what is near here?**

pub mod geometry;
pub mod query;
