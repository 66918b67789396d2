//! `openapi.yaml` is true: it says what the routes say, its examples work, and real answers are as it describes them.
#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

mod service;

#[path = "openapi/answers.rs"]
mod answers;
#[path = "openapi/contract.rs"]
mod contract;
#[path = "openapi/examples.rs"]
mod examples;
#[path = "openapi/lists.rs"]
mod lists;
