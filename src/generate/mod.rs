//! Points to test and measure with: everyday ones, and those that make trouble.
//!
//! A generator is a plain function of a [`Random`] stream and a count, so a failing test needs only its seed to come back.
//! The same seed gives the same bits on every platform: no clock, no operating system, and all maths through
//! [`geometry::maths`](crate::geometry::maths).
//!
//! Absent here: indexes, queries, files. This floor stands right above `geometry`.
//!
//! Adding a generator is one function and one line in [`GENERATORS`].

use crate::geometry::Point;
use crate::geometry::maths::{RADIANS, asin};

mod areas;
mod fleet;
mod places;
mod random;
mod trouble;

pub use areas::{aside, box_round, ring_round};
pub use fleet::Fleet;
pub use places::{CITIES_CSV, City, cities};
pub use random::Random;

/// Every generator, everyday ones first.
pub static GENERATORS: &[Generator] = &[
    Generator { name: "uniform", summary: "evenly over the sphere, by area", make: uniform },
    places::CLUSTERED,
    fleet::FLEET,
    places::DENSE_CITY,
    trouble::POLE_CAP,
    trouble::ANTIMERIDIAN_STRIP,
    trouble::COINCIDENT,
    trouble::ANTIPODAL,
    trouble::CELL_EDGES,
];

/// A named way to make points.
#[derive(Debug, Clone, Copy)]
pub struct Generator {
    /// The name users write, lower case.
    pub name: &'static str,
    /// What it makes, in half a sentence.
    pub summary: &'static str,
    /// Makes exactly as many points as asked for.
    pub make: fn(&mut Random, usize) -> Vec<Point>,
}

/// The generator of that name.
///
/// ```
/// use nigh::generate::{Random, generator_named};
/// let clustered = generator_named("clustered").unwrap();
/// assert_eq!((clustered.make)(&mut Random::seeded(1), 1_000).len(), 1_000);
/// ```
pub fn generator_named(name: &str) -> Option<&'static Generator> {
    GENERATORS.iter().find(|generator| generator.name == name)
}

fn uniform(random: &mut Random, count: usize) -> Vec<Point> {
    (0..count).map(|_| anywhere(random)).collect()
}

/// A place on the sphere, every square metre as likely as any other: the height over the equator is uniform
/// (Archimedes, *On the Sphere and Cylinder*).
fn anywhere(random: &mut Random) -> Point {
    let lat_deg = asin(random.between(-1.0, 1.0)) / RADIANS;
    located(lat_deg, random.between(-180.0, 180.0))
}

/// A point from numbers that rounding or a step may have carried over the rim: latitudes stop at the pole, longitudes
/// go on round.
fn located(lat_deg: f64, lon_deg: f64) -> Point {
    let lon_deg = if lon_deg > 180.0 {
        lon_deg - 360.0
    } else if lon_deg < -180.0 {
        lon_deg + 360.0
    } else {
        lon_deg
    };
    Point::new(lat_deg.clamp(-90.0, 90.0), lon_deg).expect("generators step over the rim by less than once round")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV-1a over the bits, in order.
    fn checksum(points: &[Point]) -> u64 {
        points
            .iter()
            .flat_map(|point| [point.lat_deg(), point.lon_deg()])
            .flat_map(|degrees| degrees.to_bits().to_le_bytes())
            .fold(0xCBF2_9CE4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3))
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_on_every_machine() {
        let expected = [
            ("uniform", 7_348_587_622_005_012_860),
            ("clustered", 9_725_384_961_713_075_713),
            ("fleet", 5_884_803_050_763_091_211),
            ("dense_city", 3_119_378_467_482_157_755),
            ("pole_cap", 13_940_992_608_630_009_521),
            ("antimeridian_strip", 12_656_513_500_511_419_717),
            ("coincident", 762_786_863_895_222_847),
            ("antipodal", 10_921_764_140_742_500_067),
            ("cell_edges", 7_076_687_785_654_248_832),
        ];
        let made: Vec<_> = GENERATORS
            .iter()
            .map(|generator| (generator.name, checksum(&(generator.make)(&mut Random::seeded(42), 1_000))))
            .collect();
        assert_eq!(made, expected);
    }

    #[test]
    fn every_generator_makes_as_many_as_asked_for() {
        for generator in GENERATORS {
            for count in [0, 1, 2, 3, 1_001] {
                assert_eq!((generator.make)(&mut Random::seeded(3), count).len(), count, "{}", generator.name);
            }
        }
    }

    #[test]
    fn names_are_unique_and_found() {
        for generator in GENERATORS {
            assert!(std::ptr::eq(generator_named(generator.name).unwrap(), generator), "{}", generator.name);
        }
        assert!(generator_named("Uniform").is_none());
    }

    #[test]
    fn uniform_is_by_area_and_not_by_degree() {
        let points = uniform(&mut Random::seeded(4), 100_000);
        // Half of the sphere lies within 30 degrees of the equator, and (1 - sin 60°) / 2 = 6.7 % north of 60°.
        let near_equator = points.iter().filter(|point| point.lat_deg().abs() <= 30.0).count();
        let far_north = points.iter().filter(|point| point.lat_deg() >= 60.0).count();
        let west = points.iter().filter(|point| point.lon_deg() < 0.0).count();
        assert!((49_300..=50_700).contains(&near_equator), "{near_equator}");
        assert!((6_400..=7_000).contains(&far_north), "{far_north}");
        assert!((49_300..=50_700).contains(&west), "{west}");
    }

    #[test]
    fn a_step_over_the_antimeridian_comes_in_on_the_other_side() {
        assert_eq!(located(0.0, 180.5), Point::new(0.0, -179.5).unwrap());
        assert_eq!(located(0.0, -180.5), Point::new(0.0, 179.5).unwrap());
        assert_eq!(located(91.0, 180.0), Point::new(90.0, 180.0).unwrap());
    }
}
