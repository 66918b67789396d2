//! A source of numbers that look random and are not: the same seed gives the same bits everywhere, for ever.
//!
//! It is written here, in twenty lines, so that no update of a library can change a test's points or a bench's figures.
//!
//! *References*: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014),
//! the generator called SplitMix; G. E. P. Box, M. E. Muller, "A note on the generation of random normal deviates"
//! (1958).

use crate::geometry::maths::{ln, sin_cos_deg, sqrt};

/// A stream of pseudo-random numbers. Not for secrets.
///
/// ```
/// use nigh::generate::Random;
/// let (mut one, mut other) = (Random::seeded(7), Random::seeded(7));
/// assert_eq!(one.bits(), other.bits());
/// ```
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of this seed. Every seed is as good as any other.
    pub fn seeded(seed: u64) -> Random {
        Random { state: seed }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number in 0..1, a multiple of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A number in `low..high`; rounding may reach `high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number in `0..bound`. `bound` must not be 0. Off even odds by less than `bound` / 2⁶⁴.
    pub fn below(&mut self, bound: u64) -> u64 {
        debug_assert!(bound > 0);
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// +1 or -1.
    pub fn sign(&mut self) -> f64 {
        if self.once_in(2) { 1.0 } else { -1.0 }
    }

    /// Two independent numbers from the normal distribution of mean 0 and deviation 1; none beyond 8.6.
    pub fn normal_pair(&mut self) -> (f64, f64) {
        // 1 - unit() is never 0, so the logarithm is finite.
        let length = sqrt(-2.0 * ln(1.0 - self.unit()));
        let (sine, cosine) = sin_cos_deg(360.0 * self.unit());
        (length * cosine, length * sine)
    }

    /// A number in `low..high` whose order of magnitude is even: as many between 1 and 10 as between 10 and 100.
    ///
    /// Made by halving, without `exp`, so `low` is reached only to within a factor of two.
    pub fn magnitude(&mut self, low: f64, high: f64) -> f64 {
        debug_assert!(0.0 < low && low < high);
        let mut halvings = 0;
        let mut scale = high;
        while scale > low {
            scale /= 2.0;
            halvings += 1;
        }
        let mut value = high * self.between(0.5, 1.0);
        for _ in 0..self.below(halvings) {
            value /= 2.0;
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        // The first outputs of SplitMix64 for seed 1234567, as other implementations print them.
        let mut random = Random::seeded(1_234_567);
        let first: Vec<u64> = (0..5).map(|_| random.bits()).collect();
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }

    #[test]
    fn unit_numbers_fill_the_unit_evenly() {
        let mut random = Random::seeded(1);
        let mut tenths = [0; 10];
        for _ in 0..100_000 {
            tenths[(random.unit() * 10.0) as usize] += 1;
        }
        assert!(tenths.iter().all(|&count| (9_600..=10_400).contains(&count)), "{tenths:?}");
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_deviation_one() {
        let mut random = Random::seeded(2);
        let numbers: Vec<f64> = (0..100_000).flat_map(|_| <[f64; 2]>::from(random.normal_pair())).collect();
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let variance = numbers.iter().map(|number| number * number).sum::<f64>() / numbers.len() as f64;
        approx::assert_abs_diff_eq!(mean, 0.0, epsilon = 0.01);
        approx::assert_abs_diff_eq!(variance, 1.0, epsilon = 0.01);
    }

    #[test]
    fn magnitudes_are_as_often_small_as_large() {
        let mut random = Random::seeded(3);
        let values: Vec<f64> = (0..10_000).map(|_| random.magnitude(1e-6, 1.0)).collect();
        assert!(values.iter().all(|&value| (0.4e-6..=1.0).contains(&value)));
        let small = values.iter().filter(|&&value| value < 1e-3).count();
        assert!((4_500..=5_500).contains(&small), "{small}");
    }
}
