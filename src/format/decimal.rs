//! Decimal numbers of few digits, without a reader of numbers.
//!
//! What surprises: the result is what the standard library reads, to the bit. A whole number up to 2⁵³ is a float as it stands, and so
//! is a power of ten up to 10²²; a quotient of two exact numbers is rounded once, which is all that is promised of any decimal
//! (Clinger, "How to read floating point numbers accurately", 1990). Every coordinate that anybody writes is such a number.

/// The largest whole number below which floats leave none out.
const EXACT_UP_TO: u64 = 1 << 53;

/// Digits that surely fit 64 bits.
pub(super) const DIGITS_MAX: usize = 19;

/// 10⁰ to 10¹⁹, as many as can stand behind a point.
const POWERS_OF_TEN: [f64; DIGITS_MAX + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19];

/// The number whose digits, read as a whole one, are `digits`, with so many of them behind the point; nothing where that is not exact.
#[inline]
pub(super) fn exact(digits: u64, behind_point: usize) -> Option<f64> {
    let power = POWERS_OF_TEN.get(behind_point)?;
    (digits <= EXACT_UP_TO).then(|| digits as f64 / power)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repeatable::repeatable;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(repeatable(20_000))]

        #[test]
        fn what_is_exact_is_read_to_the_bit(digits in prop_oneof![0..=EXACT_UP_TO + 2, 0..1_000_000_000_u64], behind in 0..22_usize) {
            let expected: f64 = format!("{digits}e-{behind}").parse().unwrap();
            match exact(digits, behind) {
                Some(number) => prop_assert_eq!(number.to_bits(), expected.to_bits()),
                None => prop_assert!(digits > EXACT_UP_TO || behind > DIGITS_MAX),
            }
        }
    }
}
