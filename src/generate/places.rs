//! Points where people live: Gaussians round real cities, larger cities drawing more points and spreading wider.
//!
//! The cities stand in `data/cities.csv` and are compiled in. Real places matter: evenly scattered points hide what an
//! index costs, because no cell is ever crowded and none ever empty.

use std::sync::LazyLock;

use super::{Generator, Random, anywhere, located};
use crate::geometry::Point;
use crate::geometry::maths::{sin_cos_deg, sqrt};

/// The demo cities as they stand in `data/cities.csv`: columns `id,name,country,population,lat,lon`.
pub const CITIES_CSV: &str = include_str!("../../data/cities.csv");

/// The registered generator.
pub(super) const CLUSTERED: Generator = Generator {
    name: "clustered",
    summary: "round real cities, by population; one in twenty anywhere",
    make: clustered,
};

/// The registered generator.
pub(super) const DENSE_CITY: Generator = Generator {
    name: "dense_city",
    summary: "all within a few kilometres, to five decimals, as addresses are",
    make: dense_city,
};

/// Metres in one degree of latitude, near enough for scattering.
pub(super) const DEGREE_M: f64 = 111_195.0;

static CITIES: LazyLock<Vec<City>> = LazyLock::new(|| CITIES_CSV.lines().skip(1).map(City::from_row).collect());
static CENTRES: LazyLock<Centres> = LazyLock::new(|| Centres::weigh(&CITIES));

/// A place with its number of inhabitants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct City {
    /// Where its centre is.
    pub point: Point,
    /// How many people live there.
    pub population: u64,
}

impl City {
    /// Reads from the right: only the name, on the left, may contain a comma.
    fn from_row(row: &str) -> City {
        let mut fields = row.rsplit(',');
        let mut number = || fields.next().and_then(|field| field.parse::<f64>().ok()).expect("cities.csv is our own");
        let (lon_deg, lat_deg, population) = (number(), number(), number());
        City { point: located(lat_deg, lon_deg), population: population as u64 }
    }
}

/// The demo cities, sorted by their GeoNames id.
pub fn cities() -> &'static [City] {
    &CITIES
}

/// Where to scatter: per city the running total of inhabitants, the centre and the deviation in degrees.
struct Centres {
    up_to: Vec<u64>,
    spreads: Vec<Spread>,
}

/// A Gaussian on the ground.
#[derive(Clone, Copy)]
pub(super) struct Spread {
    centre: Point,
    lat_deviation_deg: f64,
    lon_deviation_deg: f64,
}

impl Spread {
    pub(super) fn round(centre: Point, deviation_m: f64) -> Spread {
        let (_, cos_lat) = sin_cos_deg(centre.lat_deg());
        let lat_deviation_deg = deviation_m / DEGREE_M;
        Spread { centre, lat_deviation_deg, lon_deviation_deg: lat_deviation_deg / cos_lat }
    }

    pub(super) fn draw(&self, random: &mut Random) -> Point {
        let (northward, eastward) = random.normal_pair();
        located(
            self.centre.lat_deg() + northward * self.lat_deviation_deg,
            self.centre.lon_deg() + eastward * self.lon_deviation_deg,
        )
    }
}

impl Centres {
    fn weigh(cities: &[City]) -> Centres {
        let mut total = 0;
        let up_to = cities.iter().map(|city| {
            total += city.population;
            total
        });
        let spreads = cities.iter().map(|city| Spread::round(city.point, spread_m(city.population)));
        Centres { up_to: up_to.collect(), spreads: spreads.collect() }
    }

    /// A city, as likely as its share of all inhabitants.
    fn draw(&self, random: &mut Random) -> &Spread {
        let total = *self.up_to.last().expect("there are cities");
        let inhabitant = random.below(total);
        &self.spreads[self.up_to.partition_point(|&up_to| up_to <= inhabitant)]
    }
}

/// How far a city scatters: 1 km for a small town, 4 km for a million people, about 19 km for the largest. The area
/// grows with the population, as it does on the ground.
fn spread_m(population: u64) -> f64 {
    (4.0 * sqrt(population as f64)).clamp(1_000.0, 20_000.0)
}

pub(super) fn clustered(random: &mut Random, count: usize) -> Vec<Point> {
    let centres = &*CENTRES;
    (0..count).map(|_| if random.once_in(20) { anywhere(random) } else { centres.draw(random).draw(random) }).collect()
}

fn dense_city(random: &mut Random, count: usize) -> Vec<Point> {
    let centre = Point::new(48.85341, 2.3488).expect("Paris is on the earth");
    let spread = Spread::round(centre, 1_500.0);
    let to_five_decimals = |degrees: f64| (degrees * 1e5).round() / 1e5;
    (0..count)
        .map(|_| {
            let point = spread.draw(random);
            located(to_five_decimals(point.lat_deg()), to_five_decimals(point.lon_deg()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::metric_named;

    fn share_within(points: &[Point], centre: Point, radius_m: f64) -> f64 {
        let haversine = metric_named("haversine").unwrap();
        let unit = centre.unit();
        let near = points.iter().filter(|point| haversine.distance_m(&unit, &point.unit()) <= radius_m).count();
        near as f64 / points.len() as f64
    }

    #[test]
    fn the_cities_are_read_with_commas_in_their_names() {
        assert_eq!(cities().len(), 24_323);
        assert!(cities().iter().all(|city| city.population >= 15_000));
        let quoted = CITIES_CSV.lines().position(|line| line.contains('"')).unwrap();
        assert!(cities()[quoted - 1].population >= 15_000);
    }

    #[test]
    fn clustered_points_stand_where_people_live() {
        let points = clustered(&mut Random::seeded(5), 200_000);
        let total: u64 = cities().iter().map(|city| city.population).sum();
        let shanghai = cities().iter().max_by_key(|city| city.population).unwrap();
        let expected = 0.95 * shanghai.population as f64 / total as f64;
        let found = share_within(&points, shanghai.point, 60_000.0);
        assert!((expected * 0.9..expected * 2.0).contains(&found), "expected about {expected}, found {found}");
        // Nobody lives south of 60° S, but one point in twenty lies anywhere: (1 - sin 60°) / 2 of those.
        let antarctic = points.iter().filter(|point| point.lat_deg() < -60.0).count();
        assert!((550..=800).contains(&antarctic), "{antarctic}");
    }

    #[test]
    fn a_dense_city_is_small_and_repeats_addresses() {
        let points = dense_city(&mut Random::seeded(6), 100_000);
        let centre = Point::new(48.85341, 2.3488).unwrap();
        assert!(share_within(&points, centre, 13_000.0) == 1.0);
        let mut bits: Vec<_> =
            points.iter().map(|point| (point.lat_deg().to_bits(), point.lon_deg().to_bits())).collect();
        bits.sort_unstable();
        bits.dedup();
        assert!(bits.len() < points.len(), "some addresses stand twice");
    }
}
