//! What the benches share: contenders that take turns, the points and questions they are given, our index, and other
//! people's indexes used as their users would use them.
//!
//! What surprises: nothing here tells how fast anything *is*. A machine that does other work as well, or another
//! machine, changes every time by more than most improvements do; it hardly changes a ratio between two programs that
//! take turns within one run. So every table gives ratios, and a mark to meet is a ratio.

// Every bench is a program of its own and takes what it needs.
#![allow(dead_code, unreachable_pub)]

pub mod allocation;
pub mod ours;
pub mod peers;
pub mod questions;
pub mod rounds;

use std::env;

/// Whether this is a trial run to see that the bench works at all: few points, few rounds.
pub fn is_trial() -> bool {
    !env::args().any(|argument| argument == "--bench")
}

/// How many points to measure on: `NIGH_BENCH_POINTS`, by default a million.
pub fn point_count() -> usize {
    let asked = env::var("NIGH_BENCH_POINTS").ok().map(|count| count.replace('_', ""));
    let asked = asked.map(|count| count.parse().expect("NIGH_BENCH_POINTS is a number of points"));
    asked.unwrap_or(if is_trial() { 20_000 } else { 1_000_000 })
}

/// Whether a table was asked for: its title holds every word of the command line, or there is none.
pub fn is_wanted(title: &str) -> bool {
    env::args().skip(1).filter(|argument| !argument.starts_with('-')).all(|word| title.contains(&word))
}

/// A number with its thousands apart.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
