//! Distance metrics: what "metres" means. The metric decides membership **and** order.
//!
//! Each metric has one scalar function, and every answer is decided by it. What surprises: almost no point ever meets
//! that function, because a comparison of squared chords settles it first; see [`Reach`].
//!
//! Adding a metric is one file and one line in [`METRICS`].

use super::error::GeometryError;
use super::point::UnitVector;

mod antipodal;
mod auxiliary;
mod chord;
mod ellipsoid;

mod haversine;
mod vincenty;
pub use haversine::{EARTH_RADIUS_M, HAVERSINE};
pub use vincenty::VINCENTY;

/// Every metric, in the order users should read them; the first is the default.
pub static METRICS: &[&dyn Metric] = &[&HAVERSINE, &VINCENTY];

/// Two squared unit chords that settle most of "is it within the radius?" without a distance.
///
/// The contract is a proof obligation for each metric, with rounding included: for any two unit vectors made by
/// [`Point::unit`](super::Point::unit), `chord2 <= inside_chord2` implies `distance_m <= radius_m`, and
/// `chord2 > outside_chord2` implies `distance_m > radius_m`. Between the two, ask [`Metric::within`].
///
/// A search for the nearest needs nothing more: once the k best are known, `reach(distance_of_the_kth).outside_chord2`
/// is the chord beyond which every place is *strictly* farther, so no tie by id can be lost by not looking there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach {
    /// At or under this squared chord, surely within. Negative when nothing is sure.
    pub inside_chord2: f64,
    /// Over this squared chord, surely not within. `INFINITY` when everything may be.
    pub outside_chord2: f64,
}

impl Reach {
    /// No place is too far.
    pub const EVERYTHING: Reach = Reach { inside_chord2: f64::INFINITY, outside_chord2: f64::INFINITY };
}

/// A way to measure distance in metres between two positions given by their normals.
pub trait Metric: Sync + Send + std::fmt::Debug {
    /// The name users write, lower case.
    fn name(&self) -> &'static str;

    /// One sentence on what it measures and how exactly.
    fn summary(&self) -> &'static str;

    /// The distance. Finite, never negative, 0 for equal vectors, the same bits for the same input and for both ways.
    fn distance_m(&self, from: &UnitVector, to: &UnitVector) -> f64;

    /// The distance, where the squared chord of the two alone tells it: the same bits as [`Metric::distance_m`].
    ///
    /// A search has the chords already, and asking for them again would fetch the points a second time.
    fn distance_of_chord2_m(&self, _chord2: f64) -> Option<f64> {
        None
    }

    /// The squared chords that settle membership in a radius; any finite `radius_m >= 0`.
    fn reach(&self, radius_m: f64) -> Reach;

    /// Whether `distance_m(from, to) <= radius_m`: the same answer, perhaps sooner.
    fn within(&self, from: &UnitVector, to: &UnitVector, radius_m: f64) -> bool {
        self.distance_m(from, to) <= radius_m
    }
}

/// The metric of that name.
pub fn metric_named(name: &str) -> Result<&'static dyn Metric, GeometryError> {
    METRICS.iter().copied().find(|metric| metric.name() == name).ok_or_else(|| GeometryError::UnknownMetric {
        name: name.to_owned(),
        known: METRICS.iter().map(|metric| metric.name()).collect::<Vec<_>>().join(", "),
    })
}
