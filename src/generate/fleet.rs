//! Things that move: vehicles that start where people live and report a new position every second.
//!
//! Each keeps its heading and turns a little, so a step is small and follows the last one. That is what an index under
//! updates really meets, and quite unlike deleting one random point and inserting another.

use super::places::{DEGREE_M, clustered};
use super::{Generator, Random, located};
use crate::geometry::Point;
use crate::geometry::maths::sin_cos_deg;

/// The registered generator.
pub(super) const FLEET: Generator =
    Generator { name: "fleet", summary: "the trails of vehicles, sixteen reports each", make: trails };

/// Vehicles under way.
///
/// ```
/// use nigh::generate::{Fleet, Random};
/// let mut random = Random::seeded(1);
/// let mut fleet = Fleet::parked(&mut random, 100);
/// let (vehicle, position) = fleet.next_move(&mut random);
/// assert_eq!(fleet.positions()[vehicle], position);
/// ```
#[derive(Debug, Clone)]
pub struct Fleet {
    positions: Vec<Point>,
    headings_deg: Vec<f64>,
}

impl Fleet {
    /// A fleet at its starting places, round real cities.
    pub fn parked(random: &mut Random, vehicles: usize) -> Fleet {
        let positions = clustered(random, vehicles);
        let headings_deg = positions.iter().map(|_| random.between(0.0, 360.0)).collect();
        Fleet { positions, headings_deg }
    }

    /// Where every vehicle is now.
    pub fn positions(&self) -> &[Point] {
        &self.positions
    }

    /// Moves one vehicle, chosen at random, and says which and where to. The fleet must not be empty.
    pub fn next_move(&mut self, random: &mut Random) -> (usize, Point) {
        let vehicle = random.below(self.positions.len() as u64) as usize;
        (vehicle, self.advance(vehicle, random))
    }

    /// One second of driving: 0 to 25 m, turning by some ten degrees.
    fn advance(&mut self, vehicle: usize, random: &mut Random) -> Point {
        let (turn, _) = random.normal_pair();
        let heading_deg = (self.headings_deg[vehicle] + 10.0 * turn).rem_euclid(360.0);
        let (sine, cosine) = sin_cos_deg(heading_deg);
        let step_deg = random.between(0.0, 25.0) / DEGREE_M;
        let from = self.positions[vehicle];
        // Near a pole a metre is many degrees of longitude; a tenth of a degree is as far as a vehicle ever goes.
        let (_, cos_lat) = sin_cos_deg(from.lat_deg());
        let east_deg = (step_deg * sine / cos_lat.max(1e-3)).clamp(-0.1, 0.1);
        let to = located(from.lat_deg() + step_deg * cosine, from.lon_deg() + east_deg);
        self.headings_deg[vehicle] = heading_deg;
        self.positions[vehicle] = to;
        to
    }
}

fn trails(random: &mut Random, count: usize) -> Vec<Point> {
    const REPORTS: usize = 16;
    let mut fleet = Fleet::parked(random, count.div_ceil(REPORTS));
    (0..count).map(|report| fleet.advance(report / REPORTS, random)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::metric_named;

    #[test]
    fn a_move_is_a_small_step_of_one_vehicle() {
        let haversine = metric_named("haversine").unwrap();
        let mut random = Random::seeded(8);
        let mut fleet = Fleet::parked(&mut random, 50);
        for _ in 0..10_000 {
            let before = fleet.positions().to_vec();
            let (moved, to) = fleet.next_move(&mut random);
            assert!(haversine.distance_m(&before[moved].unit(), &to.unit()) <= 25.1);
            for (vehicle, position) in fleet.positions().iter().enumerate() {
                assert_eq!(*position == before[vehicle], vehicle != moved || to == before[moved]);
            }
        }
    }
}
