//! Sweeps the caches of the processor, so that whoever comes first does not fetch the points for those who follow.

use std::hint::black_box;

/// More memory than a cache holds, to be read once.
#[derive(Debug)]
pub struct Broom(Vec<u64>);

impl Broom {
    /// A broom of 64 MiB, or of a share of that.
    pub fn new(share: f64) -> Broom {
        const WORDS: usize = (64 << 20) / size_of::<u64>();
        Broom(vec![1; ((WORDS as f64 * share) as usize).max(1)])
    }

    /// How much it reads.
    pub fn bytes(&self) -> usize {
        size_of_val(self.0.as_slice())
    }

    /// Reads all of it, line by line.
    pub fn sweep(&mut self) {
        const A_LINE: usize = 64 / size_of::<u64>();
        self.0.iter_mut().step_by(A_LINE).for_each(|word| *word = word.wrapping_add(1));
        black_box(&self.0);
    }
}
