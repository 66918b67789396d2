//! A disk that can stop at any write or sync: after every stop, what is found is a prefix of the changes that were accepted,
//! and every acknowledged one is in it.
//!
//! A history is a program: this one, started again with a word in its environment. A library loaded before it writes down
//! what it does to its disk, and every state that a kill or a power cut could leave is rebuilt from that and checked.
//!
//! What surprises: nothing is killed here, and nothing sleeps. A program that ran once, to its end, has been stopped at every
//! place.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

#[cfg(target_os = "linux")]
#[path = "recovery/mod.rs"]
mod recovery;

#[cfg(not(target_os = "linux"))]
#[test]
fn stops_are_tried_on_linux_only() {
    println!("skipped: stops at every write, because they need a library loaded before the program as Linux loads it");
}
