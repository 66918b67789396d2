//! Points to search, and questions with about as many answers as a table says.
//!
//! A centre stands some hundred metres from a point of the data, chosen at random: people ask where things are. A
//! radius is one for all centres, such that half of them find more than the number in the title and half of them less.

use geo::BoundingRect;
use nigh::generate::{self, Random, generator_named};
use nigh::geometry::{Edges, Point, Polygon};

use super::peers::{Found, Frame, Kiddo, Peer};
use super::rounds::median;

/// How far a centre stands from the point it was drawn by, about.
const ASIDE_M: f64 = 300.0;

/// A circle.
#[derive(Debug, Clone, Copy)]
pub struct Circle {
    pub centre: Point,
    pub radius_m: f64,
}

/// So many of the nearest.
#[derive(Debug, Clone, Copy)]
pub struct Nearest {
    pub centre: Point,
    pub k: usize,
}

/// A polygon, ours and as `geo` has it.
pub struct Shape {
    pub polygon: Polygon,
    pub plain: geo::Polygon,
}

impl Shape {
    /// A ring of so many vertices round a centre, now nearer and now farther than this radius: bays and capes, and from
    /// one vertex to the next the less the more there are, as on a coast.
    pub fn round(centre: Point, radius_m: f64, vertices: usize, random: &mut Random) -> Shape {
        let ring = generate::ring_round(centre, radius_m, vertices, random);
        let line = geo::LineString::from(ring.iter().map(|&[lon, lat]| (lon, lat)).collect::<Vec<_>>());
        let polygon = Polygon::new(&[vec![ring]], Edges::Planar).expect("a ring");
        Shape { polygon, plain: geo::Polygon::new(line, Vec::new()) }
    }

    /// The box round it.
    pub fn frame(&self) -> Frame {
        let rect = self.plain.bounding_rect().expect("it has vertices");
        [rect.min().x, rect.min().y, rect.max().x, rect.max().y]
    }
}

/// Centres from which a polygon of some kilometres touches neither a pole nor the antimeridian, which `geo` does not know.
pub fn inland(centres: Vec<Point>) -> Vec<Point> {
    let is_inland = |point: &Point| point.lat_deg().abs() < 80.0 && point.lon_deg().abs() < 170.0;
    let (kept, others): (Vec<Point>, Vec<Point>) = centres.into_iter().partition(is_inland);
    let again: Vec<Point> = kept.iter().copied().take(others.len()).collect();
    kept.into_iter().chain(again).collect()
}

/// Points by the name of their generator.
pub fn points(generator: &str, count: usize) -> Vec<Point> {
    (generator_named(generator).expect("a generator of that name").make)(&mut Random::seeded(1), count)
}

/// Centres near points of the data.
pub fn centres(points: &[Point], count: usize, seed: u64) -> Vec<Point> {
    let mut random = Random::seeded(seed);
    (0..count)
        .map(|_| generate::aside(points[random.below(points.len() as u64) as usize], ASIDE_M, &mut random))
        .collect()
}

/// The radius within which the median centre finds `count` points.
pub fn radius_for(count: usize, points: &[Point], kiddo: &Kiddo) -> f64 {
    let mut found: Vec<Found> = Vec::new();
    let farthest = centres(points, 501, 77).into_iter().map(|centre| {
        found.clear();
        kiddo.nearest(centre, count, &mut found);
        found.iter().map(|&(_, distance_m)| distance_m).fold(0.0, f64::max)
    });
    median(farthest.collect())
}
