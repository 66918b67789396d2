//! Exact, ranked answers.

pub mod filter;
