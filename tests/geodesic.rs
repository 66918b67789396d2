//! Distances against the truth, and the promises that searches build on, for every metric in the list.
//!
//! The truth comes twice: tables with 25 digits in `data/conformance/` (see the README there), and GeographicLib on a
//! million pairs, which is good to 15 nm and, with flattening 0, knows the sphere as well.

use geographiclib_rs::{Geodesic, InverseGeodesic};
use nigh::geometry::metric::EARTH_RADIUS_M;
use nigh::geometry::{METRICS, Metric, Point, metric_named};

#[path = "geodesic/pairs.rs"]
mod pairs;

use pairs::{GENERATORS, LANDMARKS, Label, Pair, at, for_landmark_pairs, for_pairs, landmarks, near};

// ------------------------------------------------------------------------------------------- the truth

/// What a metric promises: how far it may be from the truth, and who else can tell the truth.
struct Promise {
    tolerance_m: f64,
    oracle: Geodesic,
    /// The longest distance there is.
    half_globe_m: f64,
}

fn promise_of(metric: &dyn Metric) -> Promise {
    match metric.name() {
        "haversine" => Promise {
            tolerance_m: 1e-6,
            oracle: Geodesic::new(EARTH_RADIUS_M, 0.0),
            half_globe_m: EARTH_RADIUS_M * std::f64::consts::PI,
        },
        "vincenty" => Promise { tolerance_m: 1e-4, oracle: Geodesic::wgs84(), half_globe_m: 20_003_931.458_625_4 },
        other => panic!("say here what {other} promises"),
    }
}

fn table_of(metric: &dyn Metric) -> Vec<(String, Pair, f64)> {
    let path = format!("{}/data/conformance/{}.csv", env!("CARGO_MANIFEST_DIR"), metric.name());
    let mut reader = csv::Reader::from_path(&path).expect(&path);
    let row = |record: csv::StringRecord| {
        let number = |column: usize| record[column].parse::<f64>().expect("a number");
        let pair = Pair { from: at(number(1), number(2)), to: at(number(3), number(4)) };
        (record[0].to_owned(), pair, number(5))
    };
    reader.records().map(|record| row(record.expect("a row"))).collect()
}

// ------------------------------------------------------------------------------------- right distances

#[test]
fn every_metric_agrees_with_its_table_of_many_digits() {
    for &metric in METRICS {
        let tolerance_m = promise_of(metric).tolerance_m;
        let table = table_of(metric);
        assert!(table.len() >= 250, "{}: {} rows", metric.name(), table.len());
        for (family, pair, truth_m) in table {
            let distance_m = pair.distance_m(metric);
            let error_m = (distance_m - truth_m).abs();
            assert!(error_m <= tolerance_m, "{} {family} {pair:?}: {distance_m}, truth {truth_m}", metric.name());
        }
    }
}

#[test]
fn distances_of_a_metre_keep_their_digits() {
    // An absolute tolerance says nothing about near places, so here relative to what a double can say of the places.
    for &metric in METRICS {
        for (family, pair, truth_m) in table_of(metric) {
            let error_m = (pair.distance_m(metric) - truth_m).abs();
            assert!(
                truth_m > 1e5 || error_m <= 5e-9 + truth_m * 4e-12,
                "{} {family} {pair:?}: {error_m}",
                metric.name()
            );
        }
    }
}

#[test]
fn published_geodesics_come_out() {
    let vincenty = metric_named("vincenty").unwrap();
    for (from, to, truth_m, tolerance_m) in [
        // C. F. F. Karney, "Algorithms for geodesics" (2013), section 4: the near-antipodal example.
        (at(-30.0, 0.0), at(29.9, 179.8), 19_989_832.827_610, 1e-4),
        // GeographicLib, manual of GeodSolve: New York JFK to London Heathrow.
        (at(40.6, -73.8), at(51.6, -0.5), 5_551_759.400, 1e-3),
        // A degree of the equator, and a quarter of a meridian.
        (at(0.0, 0.0), at(0.0, 1.0), 6_378_137.0 * std::f64::consts::PI / 180.0, 1e-5),
        (at(0.0, 0.0), at(90.0, 0.0), 10_001_965.729_312_7, 1e-5),
    ] {
        let distance_m = Pair { from, to }.distance_m(vincenty);
        assert!((distance_m - truth_m).abs() <= tolerance_m, "{from:?} {to:?}: {distance_m}, published {truth_m}");
    }
}

fn agrees_with_geographiclib(name: &str, count: u64) {
    for &metric in METRICS {
        let promise = promise_of(metric);
        for_pairs(name, count, |pair, label| {
            let Pair { from, to } = pair;
            let truth_m: f64 = promise.oracle.inverse(from.lat_deg(), from.lon_deg(), to.lat_deg(), to.lon_deg());
            let distance_m = pair.distance_m(metric);
            let error_m = (distance_m - truth_m).abs();
            assert!(error_m <= promise.tolerance_m, "{label} {} {pair:?}: {distance_m}, {truth_m}", metric.name());
            assert!(distance_m <= promise.half_globe_m + promise.tolerance_m, "{label} {pair:?}: {distance_m}");
        });
    }
}

#[test]
fn a_million_pairs_agree_with_geographiclib() {
    agrees_with_geographiclib("uniform", 1_000_000);
}

#[test]
fn near_antipodal_pairs_agree_with_geographiclib() {
    agrees_with_geographiclib("antipodal", 200_000);
}

#[test]
fn polar_pairs_agree_with_geographiclib() {
    agrees_with_geographiclib("polar", 200_000);
}

#[test]
fn equatorial_pairs_agree_with_geographiclib() {
    agrees_with_geographiclib("equatorial", 200_000);
}

#[test]
fn meridional_pairs_agree_with_geographiclib() {
    agrees_with_geographiclib("meridional", 200_000);
}

#[test]
fn pairs_of_every_scale_agree_with_geographiclib() {
    agrees_with_geographiclib("every_scale", 200_000);
    agrees_with_geographiclib("antimeridian", 100_000);
}

// ------------------------------------------------------------------------------------ ambiguous places

#[test]
fn a_pole_is_as_far_under_every_longitude() {
    for &metric in METRICS {
        for pole in [90.0, -90.0] {
            for to in landmarks() {
                let distance_m = Pair { from: at(pole, 0.0), to }.distance_m(metric);
                for lon in [-180.0, -90.0, -77.7, -0.0, 5e-324, 1e-9, 123.4, 180.0] {
                    assert_eq!(Pair { from: at(pole, lon), to }.distance_m(metric), distance_m, "{lon} {to:?}");
                }
            }
        }
    }
}

#[test]
fn plus_and_minus_180_are_one_meridian_for_distances() {
    for &metric in METRICS {
        for lat in [-90.0, -33.3, -0.0, 0.0, 1e-300, 66.6, 90.0] {
            assert_eq!(Pair { from: at(lat, 180.0), to: at(lat, -180.0) }.distance_m(metric), 0.0);
            for to in landmarks() {
                let east = Pair { from: at(lat, 180.0), to }.distance_m(metric);
                assert_eq!(east, Pair { from: at(lat, -180.0), to }.distance_m(metric), "{lat} {to:?}");
            }
        }
    }
}

#[test]
fn minus_zero_is_zero() {
    for &metric in METRICS {
        for to in landmarks() {
            let distances = [(0.0, 0.0), (-0.0, 0.0), (0.0, -0.0), (-0.0, -0.0)]
                .map(|(lat, lon)| Pair { from: at(lat, lon), to }.distance_m(metric).to_bits());
            assert!(distances.iter().all(|bits| *bits == distances[0]), "{to:?} {distances:?}");
        }
    }
}

#[test]
fn coincident_places_are_exactly_0_apart_and_others_are_not() {
    for_landmark_pairs(|metric, from, to| {
        let (a, b) = (from.unit(), to.unit());
        let distance_m = metric.distance_m(&a, &b);
        assert!(distance_m.is_finite() && distance_m.is_sign_positive(), "{from:?} {to:?} {distance_m}");
        if a == b {
            assert_eq!(distance_m, 0.0);
        }
        assert_eq!(distance_m == 0.0, a.chord2(&b) == 0.0, "{from:?} {to:?} {distance_m}");
    });
}

#[test]
fn antipodes_are_half_the_globe_apart() {
    for from in landmarks() {
        let to = near(-from.lat_deg(), from.lon_deg() + 180.0);
        for &metric in METRICS {
            let promise = promise_of(metric);
            let distance_m = Pair { from, to }.distance_m(metric);
            assert!((distance_m - promise.half_globe_m).abs() <= promise.tolerance_m, "{from:?} {to:?} {distance_m}");
        }
    }
}

#[test]
fn from_beside_a_pole_to_beside_the_other_is_a_meridian_less_two_steps() {
    // Differences of latitude were once taken from sines, which are all 1 there: up to 4 cm wrong.
    for &metric in METRICS {
        let promise = promise_of(metric);
        for (north, south) in [(0.0, 2.18e-6), (4e-7, 3.2e-8), (1e-8, 1.2e-8), (1.2e-8, 1e-8), (1e-6, 1e-6)] {
            let from_pole = |step: f64| Pair { from: at(90.0, 0.0), to: at(90.0 - step, 0.0) }.distance_m(metric);
            let from = at(90.0 - north, 20.0);
            let same_side = Pair { from, to: at(south - 90.0, 20.0) };
            let other_side = Pair { from, to: at(south - 90.0, -160.0) };
            for (pair, less_m) in
                [(same_side, from_pole(north) + from_pole(south)), (other_side, from_pole((north - south).abs()))]
            {
                let truth_m = promise.half_globe_m - less_m;
                let distance_m = pair.distance_m(metric);
                assert!((distance_m - truth_m).abs() <= promise.tolerance_m, "{pair:?}: {distance_m}, {truth_m}");
            }
        }
    }
}

#[test]
fn a_radius_of_0_reaches_coincident_places_only() {
    for_landmark_pairs(|metric, from, to| {
        let (a, b) = (from.unit(), to.unit());
        assert_eq!(metric.within(&a, &b, 0.0), a.chord2(&b) == 0.0, "{from:?} {to:?}");
        assert!(a.chord2(&b) <= metric.reach(0.0).outside_chord2 || !metric.within(&a, &b, 0.0));
    });
}

#[test]
fn half_the_globe_reaches_everything() {
    for &metric in METRICS {
        let half_globe_m = promise_of(metric).half_globe_m;
        for radius_m in [half_globe_m + 0.001, half_globe_m + 1.0, 1e8, f64::MAX] {
            assert_eq!(metric.reach(radius_m).inside_chord2, f64::INFINITY);
            assert_eq!(metric.reach(radius_m).outside_chord2, f64::INFINITY);
        }
        let short = metric.reach(half_globe_m - 100_000.0);
        assert!(short.inside_chord2 < 4.0, "{}: not everything is within less", metric.name());
    }
    for_landmark_pairs(|metric, from, to| {
        assert!(metric.within(&from.unit(), &to.unit(), promise_of(metric).half_globe_m + 0.001), "{from:?} {to:?}");
    });
}

#[test]
fn both_ways_are_equally_long_to_the_last_bit() {
    let check = |metric: &dyn Metric, pair: Pair, label: Label<'_>| {
        let (from, to) = pair.units();
        let distance_m = metric.distance_m(&from, &to);
        assert_eq!(distance_m.to_bits(), metric.distance_m(&to, &from).to_bits(), "{label} {pair:?}");
        // Mirrored at the equator, and seen from behind.
        let mirror = |p: Point| at(-p.lat_deg(), -p.lon_deg()).unit();
        assert_eq!(
            distance_m.to_bits(),
            metric.distance_m(&mirror(pair.from), &mirror(pair.to)).to_bits(),
            "{label} {pair:?}"
        );
    };
    for_landmark_pairs(|metric, from, to| check(metric, Pair { from, to }, LANDMARKS));
    for &metric in METRICS {
        for (name, _) in GENERATORS {
            for_pairs(name, 20_000, |pair, label| check(metric, pair, label));
        }
    }
}

// ------------------------------------------------------------------------------ what searches build on

/// Radii that ask the question where it is hardest: at the distance, a few bits off, and by every relative step.
fn radii_round(distance_m: f64) -> Vec<f64> {
    let (up, down) = (f64::next_up(distance_m), if distance_m > 0.0 { f64::next_down(distance_m) } else { 0.0 });
    let mut radii = vec![0.0, 5e-324, distance_m, up, down, f64::next_up(up), distance_m + 1e-9, distance_m + 1e-3];
    radii.extend([distance_m - 1e-9, distance_m - 1e-3, 20_003_931.458, 20_015_114.0].iter().filter(|r| **r >= 0.0));
    for power in 1..16 {
        let step = 10f64.powi(-power);
        for factor in [1.0, 3.0, 6.0] {
            radii.extend([distance_m * (1.0 + factor * step), distance_m * (1.0 - factor * step).max(0.0)]);
        }
    }
    radii
}

fn keeps_reach(metric: &dyn Metric, pair: Pair, label: Label<'_>) {
    let (from, to) = pair.units();
    let (chord2, distance_m) = (from.chord2(&to), metric.distance_m(&from, &to));
    for radius_m in radii_round(distance_m) {
        let reach = metric.reach(radius_m);
        let said =
            || format!("{label} {} {pair:?}: {distance_m} against {radius_m}, {chord2} {reach:?}", metric.name());
        assert!(reach.inside_chord2 <= reach.outside_chord2, "{}", said());
        assert!(chord2 > reach.inside_chord2 || distance_m <= radius_m, "{}", said());
        assert!(chord2 <= reach.outside_chord2 || distance_m > radius_m, "{}", said());
    }
}

#[test]
fn squared_chords_never_settle_membership_wrongly() {
    for_landmark_pairs(|metric, from, to| keeps_reach(metric, Pair { from, to }, LANDMARKS));
    for &metric in METRICS {
        for (name, _) in GENERATORS {
            for_pairs(name, 20_000, |pair, label| keeps_reach(metric, pair, label));
        }
    }
}

#[test]
fn whatever_a_nearest_search_prunes_is_strictly_farther() {
    // Two places and a third: when the chord to the second is over the reach of the first's distance, it is farther.
    for &metric in METRICS {
        for (name, _) in GENERATORS {
            for_pairs(name, 20_000, |pair, label| {
                let (from, first) = pair.units();
                let distance_m = metric.distance_m(&from, &first);
                let bound = metric.reach(distance_m).outside_chord2;
                assert!(from.chord2(&first) <= bound, "{label}");
                for step in [1e-14, 1e-12, 1e-9, 1e-6, 1e-3] {
                    let second = near(pair.to.lat_deg() + step, pair.to.lon_deg() - step).unit();
                    assert!(from.chord2(&second) <= bound || metric.distance_m(&from, &second) > distance_m, "{label}");
                }
            });
        }
    }
}

#[test]
fn bounds_are_tight_enough_to_be_of_use() {
    for &metric in METRICS {
        for radius_m in [1.0, 100.0, 2e3, 1e5, 3e6, 9e6] {
            let reach = metric.reach(radius_m);
            assert!(reach.inside_chord2 > 0.97 * reach.outside_chord2, "{} {radius_m} {reach:?}", metric.name());
        }
    }
}

#[test]
fn within_is_distance_compared_with_radius_exactly() {
    let check = |metric: &dyn Metric, pair: Pair, label: Label<'_>| {
        let (from, to) = pair.units();
        let distance_m = metric.distance_m(&from, &to);
        for radius_m in radii_round(distance_m) {
            let within = metric.within(&from, &to, radius_m);
            assert_eq!(within, distance_m <= radius_m, "{label} {} {pair:?}: {distance_m} {radius_m}", metric.name());
            assert_eq!(within, metric.within(&to, &from, radius_m), "{label} {pair:?}");
        }
    };
    for_landmark_pairs(|metric, from, to| check(metric, Pair { from, to }, LANDMARKS));
    for &metric in METRICS {
        for (name, _) in GENERATORS {
            for_pairs(name, 10_000, |pair, label| check(metric, pair, label));
        }
    }
}
