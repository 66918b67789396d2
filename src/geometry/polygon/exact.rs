//! On which side of a straight line a point lies, as if computed without any rounding.
//!
//! The surprising part: an edge across the 180th meridian cannot be written in `f64` without loss (100.1 - 360 has no
//! exact value there). Its ends are kept as longitude *and* turn, and the turns enter the sum as numbers of their own.
//!
//! *References*: J. R. Shewchuk (1997), Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric
//! Predicates: Two-Sum (figure 3), Two-Product (theorem 18), Grow-Expansion (theorem 10).

use robust::{Coord, orient2d};

/// A place on the unrolled earth: longitude `lon + 360 * turn`, exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) lon: f64,
    pub(super) turn: f64,
    pub(super) lat: f64,
}

/// Coordinates are multiplied by this (exactly) so that products of tiny ones do not underflow: the sign is exact as
/// long as no coordinate has a bit below 2^-600 degrees.
const LIFT: f64 = (1_u128 << 100) as f64;

/// Positive when `c` lies to the left of the line from `a` to `b`, negative to the right, 0 on it.
pub(super) fn orientation(a: Place, b: Place, c: Place) -> f64 {
    if a.turn == b.turn && b.turn == c.turn {
        let lifted = |place: Place| Coord { x: place.lon * LIFT, y: place.lat * LIFT };
        return orient2d(lifted(a), lifted(b), lifted(c));
    }
    // x_a (y_b - y_c) + x_b (y_c - y_a) + x_c (y_a - y_b), every product apart.
    let mut sum = Expansion::default();
    for (x, plus, minus) in [(a, b, c), (b, c, a), (c, a, b)] {
        for x_part in [x.lon, 360.0 * x.turn] {
            sum.add_product(x_part * LIFT, plus.lat * LIFT);
            sum.add_product(-x_part * LIFT, minus.lat * LIFT);
        }
    }
    sum.sign()
}

/// A number as the exact sum of parts that do not overlap, smallest first.
struct Expansion {
    parts: [f64; 24],
    len: usize,
}

impl Default for Expansion {
    fn default() -> Expansion {
        Expansion { parts: [0.0; 24], len: 0 }
    }
}

impl Expansion {
    fn add_product(&mut self, a: f64, b: f64) {
        let product = a * b;
        let ((a_high, a_low), (b_high, b_low)) = (split(a), split(b));
        let lost = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low);
        self.add(lost);
        self.add(product);
    }

    /// Twelve products of two parts each: 24 calls at most, and each call lengthens the expansion by at most one.
    fn add(&mut self, number: f64) {
        let mut carry = number;
        let mut kept = 0;
        for at in 0..self.len {
            let (sum, lost) = two_sum(carry, self.parts[at]);
            if lost != 0.0 {
                self.parts[kept] = lost;
                kept += 1;
            }
            carry = sum;
        }
        if carry != 0.0 {
            self.parts[kept] = carry;
            kept += 1;
        }
        self.len = kept;
    }

    /// The largest part decides: all smaller ones together do not reach its last bit.
    fn sign(&self) -> f64 {
        self.parts[..self.len].last().copied().unwrap_or(0.0)
    }
}

fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_virtual = sum - a;
    let a_virtual = sum - b_virtual;
    (sum, (a - a_virtual) + (b - b_virtual))
}

/// Two halves of 26 bits each, whose products are exact.
fn split(a: f64) -> (f64, f64) {
    const SPLITTER: f64 = 134_217_729.0;
    let big = SPLITTER * a;
    let high = big - (big - a);
    (high, a - high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lon: f64, turn: f64, lat: f64) -> Place {
        Place { lon, turn, lat }
    }

    #[test]
    fn without_turns_it_is_the_orientation_of_robust() {
        // The midpoint of two doubles with one bit to spare lies exactly on their line.
        let (a, b) = (at(10.1, 0.0, 20.3), at(12.3, 0.0, 24.7));
        let middle = at((a.lon + b.lon) / 2.0, 0.0, (a.lat + b.lat) / 2.0);
        let beside = at(middle.lon, 0.0, middle.lat.next_up());
        assert!(orientation(a, b, beside) > 0.0);
        assert!(orientation(b, a, beside) < 0.0);
    }

    #[test]
    fn a_turn_is_worth_360_degrees_without_rounding() {
        // 100.1 - 360 is not a double; the point at a quarter of the way is, in turns, exactly on the line.
        let (a, b) = (at(100.1, 0.0, 0.0), at(100.1, 1.0, 64.0));
        for quarter in 0..=4 {
            let c = at(100.1, f64::from(quarter) / 4.0, 16.0 * f64::from(quarter));
            assert_eq!(orientation(a, b, c), 0.0, "{quarter}");
        }
        assert!(orientation(a, b, at(100.1, 0.25, 16.0_f64.next_up())) > 0.0);
        assert!(orientation(a, b, at(100.1, 0.25, 16.0_f64.next_down())) < 0.0);
        assert!(orientation(a, b, at(100.1_f64.next_up(), 0.25, 16.0)) < 0.0);
    }

    #[test]
    fn tiny_coordinates_do_not_underflow() {
        let tiny = 1e-170;
        assert!(orientation(at(0.0, 0.0, 0.0), at(tiny, 0.0, 0.0), at(0.0, 0.0, tiny)) > 0.0);
        assert!(orientation(at(0.0, 0.0, 0.0), at(tiny, 0.0, tiny), at(tiny, 0.0, tiny.next_down())) < 0.0);
    }
}
