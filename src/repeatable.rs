//! How the random tests draw their cases: the same ones in every run, so that a failure belongs to the change that shows it.
//!
//! Other cases are a matter of the environment, and so are more of them:
//!
//! ```text
//! PROPTEST_RNG_SEED=7 PROPTEST_CASES=200000 cargo test --test polygons
//! ```
//!
//! What surprises: nothing is written down when a case fails. A case that is found becomes a test with a name, which says
//! what it was about and outlives any change of the generators; a file of seeds does neither.

use proptest::test_runner::{Config, RngSeed, contextualize_config};

/// Draws `cases` cases from one seed, unless the environment says otherwise.
pub(crate) fn repeatable(cases: u32) -> Config {
    let ours = Config { cases, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() };
    contextualize_config(ours)
}
