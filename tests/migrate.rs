//! Migrations from other servers, real ones where they are installed: while they are written to, cut off and killed, nothing is lost.
#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

mod postgres_server;
mod service;

#[path = "migrate/files.rs"]
mod files;
#[path = "migrate/postgis.rs"]
mod postgis;
#[path = "migrate/redis.rs"]
mod redis;
#[path = "migrate/run.rs"]
mod run;
#[path = "migrate/servers.rs"]
mod servers;
#[path = "migrate/tile38.rs"]
mod tile38;
