//! `nigh` answers one question: **what is near here?**

pub mod generate;
pub mod geometry;
pub mod index;
