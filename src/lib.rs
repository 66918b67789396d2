//! `nigh` answers one question: **what is near here?**

pub mod collection;
pub mod geometry;
pub mod index;
