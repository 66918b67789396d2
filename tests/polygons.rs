//! Polygons against definitions that share no code with them: whole numbers for planar edges, arcs in space for geodesic
//! ones. Here stand what is refused, what is degenerate, and bounds that hold for every input.
//!
//! Every random case prints its seed when it fails, or the smallest polygon that does.

#![allow(clippy::unwrap_used, reason = "a test that cannot make its input should stop")]

#[path = "polygons/boxes.rs"]
mod boxes;
#[path = "polygons/costs.rs"]
mod costs;
#[path = "polygons/geodesic.rs"]
mod geodesic;
#[path = "polygons/planar.rs"]
mod planar;
#[path = "../src/repeatable.rs"]
mod repeatable;
#[path = "polygons/round_earth.rs"]
mod round_earth;
#[path = "polygons/shapes.rs"]
mod shapes;
#[path = "polygons/whole_numbers.rs"]
mod whole_numbers;

use nigh::geometry::{Edges, GeometryError, Overlap, Point, Polygon, PreparedPolygon, Rect};
use proptest::prelude::*;

use repeatable::repeatable;
use shapes::{Rings, candidate_lon, closed, coast, comb, star, whole_grains};
use whole_numbers::check_against_whole_numbers;

fn holds(polygon: &PreparedPolygon, lat: f64, lon: f64) -> bool {
    polygon.contains(lat, lon, || Point::new(lat, lon).unwrap().unit())
}

fn planar(polygons: &[Rings]) -> Polygon {
    Polygon::new(polygons, Edges::Planar).unwrap()
}

#[test]
fn stars_and_combs_stay_within_their_memory() {
    for (ring, name) in [(star(20_000), "star"), (comb(20_000), "comb"), (coast(20_000, 0.0, 0.0, 50.0), "coast")] {
        let ring: Vec<[f64; 2]> = ring.iter().map(|p| [whole_grains(p[0]), whole_grains(p[1])]).collect();
        for edges in Edges::ALL {
            let polygon = Polygon::new(&[vec![ring.clone()]], edges).unwrap();
            let bytes = polygon.prepare().memory_bytes() / polygon.vertex_count();
            assert!(bytes <= 260, "{name} {edges}: {bytes} bytes a vertex");
        }
        check_against_whole_numbers(3, &[vec![ring]], 100);
    }
}

#[test]
fn degenerate_rings_are_their_boundary() {
    for edges in Edges::ALL {
        let place = Polygon::new(&[vec![vec![[5.0, 5.0]; 4]]], edges).unwrap().prepare();
        assert!(holds(&place, 5.0, 5.0) && !holds(&place, 5.0, 5.0_f64.next_up()) && !holds(&place, 5.0001, 5.0));
        let line = closed(vec![[0.0, 0.0], [0.0, 10.0], [0.0, 4.0]]);
        let line = Polygon::new(&[vec![line]], edges).unwrap().prepare();
        assert!(holds(&line, 7.0, 0.0) && !holds(&line, 7.0, 1e-12) && !holds(&line, 10.1, 0.0));
        let pole = Polygon::new(&[vec![vec![[5.0, 90.0]; 4]]], edges).unwrap().prepare();
        assert!(holds(&pole, 90.0, -7.0) && !holds(&pole, 89.9999, 5.0));
        assert_eq!(pole.overlap(Rect::WORLD), Overlap::Boundary);
    }
}

#[test]
fn what_is_no_polygon_is_refused_with_its_values() {
    let refusal = |ring: Vec<[f64; 2]>, edges| Polygon::new(&[vec![ring]], edges).unwrap_err().to_string();
    for (ring, words) in [
        (vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], "first position is [0, 0] and the last [0, 1]"),
        (vec![[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]], "3 positions are too few"),
        (vec![[0.0, f64::NAN]; 4], "latitude NaN"),
        (vec![[0.0, 91.0]; 4], "latitude 91 is outside -90..90"),
        (vec![[361.0, 1.0]; 4], "longitude 361 is outside -360..360"),
        (vec![[f64::INFINITY, 1.0]; 4], "longitude inf"),
        (
            closed(vec![[-180.0, -60.0], [180.0, -60.0], [180.0, 60.0], [-180.0, 60.0]]),
            "[-180, -60], [0, -60], [180, -60]",
        ),
    ] {
        for edges in Edges::ALL {
            let message = refusal(ring.clone(), edges);
            assert!(message.contains(words) && message.starts_with("polygon 0, ring 0: "), "{message}");
        }
    }
    let antipodal = closed(vec![[0.0, 10.0], [180.0, -10.0], [90.0, 0.0]]);
    assert!(refusal(antipodal.clone(), Edges::Geodesic).contains("[0, 10] and [180, -10] are antipodal"));
    assert!(Polygon::new(&[vec![antipodal]], Edges::Planar).is_ok());
    assert_eq!(Polygon::new(&[], Edges::Planar).unwrap_err(), GeometryError::EmptyPolygon);
    assert_eq!(Polygon::new(&[vec![]], Edges::Geodesic).unwrap_err(), GeometryError::EmptyPolygon);
    assert_eq!("geodesic".parse::<Edges>().unwrap(), Edges::Geodesic);
    assert!("round".parse::<Edges>().unwrap_err().to_string().contains("planar or geodesic"));
}

fn any_coordinate() -> impl Strategy<Value = f64> {
    let odd = [0.0, -0.0, 90.0, -90.0, 180.0, -180.0, 360.0, -360.0, 1e-300, 5e-324, 90.0_f64.next_down(), 1e-14];
    prop_oneof![
        6 => proptest::sample::select(odd.to_vec()),
        6 => -90.0..90.0_f64,
        2 => -360.0..360.0_f64,
        1 => proptest::num::f64::ANY
    ]
}

/// Longitudes in a few narrow bundles, so that edges stand nearly or quite along a meridian.
fn bundled_lon() -> impl Strategy<Value = f64> {
    let bundle = prop_oneof![Just(0.0), Just(45.1), Just(180.0), Just(-180.0), Just(-135.0), -180.0..180.0_f64];
    let exponent = prop_oneof![-16..=-7_i32, -20..0_i32, Just(-300), Just(-400)];
    let beside = (exponent, -2.0..2.0_f64).prop_map(|(exponent, times)| times * 10.0_f64.powi(exponent));
    let least = prop_oneof![Just(5e-324), Just(-5e-324), Just(0.0)];
    (bundle, prop_oneof![3 => beside, 1 => least]).prop_map(|(at, beside)| at + beside)
}

fn any_lat() -> impl Strategy<Value = f64> {
    prop_oneof![6 => -90.0..=90.0_f64, 1 => 89.8..=90.0_f64, 2 => -1e-9..1e-9_f64, 1 => Just(90.0), 1 => Just(-90.0)]
}

proptest! {
    #![proptest_config(repeatable(4_000))]
    #[test]
    fn no_input_makes_it_panic(
        rings in proptest::collection::vec(proptest::collection::vec([any_coordinate(), any_coordinate()], 0..9), 0..3),
        close in any::<bool>(),
        lat in -90.0..=90.0_f64,
        lon in -180.0..=180.0_f64,
    ) {
        let close_it = |ring: Vec<[f64; 2]>| if close && !ring.is_empty() { closed(ring) } else { ring };
        let rings: Rings = rings.into_iter().map(close_it).collect();
        for edges in Edges::ALL {
            if let Ok(polygon) = Polygon::new(std::slice::from_ref(&rings), edges) {
                let prepared = polygon.prepare();
                let inside = holds(&prepared, lat, lon);
                prop_assert_eq!(inside, holds(&polygon.prepare_for(0), lat, lon));
                prop_assert!(!inside || polygon.frame().holds(lat, lon));
                let here = Rect::from_corners(lat, lon, lat, lon).unwrap();
                let wrong = if inside { Overlap::Outside } else { Overlap::Inside };
                prop_assert_ne!(prepared.overlap(here), wrong);
                for &[lon, lat] in rings.iter().flatten() {
                    prop_assert!(holds(&prepared, lat, candidate_lon(lon)), "vertex {} {}", lat, lon);
                }
            }
        }
    }

    #[test]
    fn edges_along_a_meridian_are_the_same_in_every_grid(
        rings in proptest::collection::vec(proptest::collection::vec((bundled_lon(), any_lat()), 3..12), 1..3),
        others in proptest::collection::vec((bundled_lon(), any_lat()), 4),
    ) {
        let rings: Rings = rings.iter().map(|ring| closed(ring.iter().map(|&(lon, lat)| [lon, lat]).collect())).collect();
        for edges in Edges::ALL {
            let Ok(polygon) = Polygon::new(std::slice::from_ref(&rings), edges) else { continue };
            let (fine, coarse) = (polygon.prepare(), polygon.prepare_for(0));
            for &[lon, lat] in rings.iter().flatten() {
                let lon = candidate_lon(lon);
                prop_assert!(holds(&fine, lat, lon) && holds(&coarse, lat, lon), "{} vertex {} {}", edges, lat, lon);
                let here = Rect::from_corners(lat, lon, lat, lon).unwrap();
                prop_assert!(polygon.frame().holds(lat, lon) && fine.overlap(here) != Overlap::Outside);
            }
            let mixed = rings.iter().flatten().zip(&others).map(|(vertex, other)| (vertex[0], other.1));
            for (lon, lat) in others.iter().copied().chain(mixed) {
                let lon = candidate_lon(lon);
                let inside = holds(&fine, lat, lon);
                prop_assert_eq!(inside, holds(&coarse, lat, lon), "{} {} {}", edges, lat, lon);
                let here = Rect::from_corners(lat, lon, lat, lon).unwrap();
                let wrong = if inside { Overlap::Outside } else { Overlap::Inside };
                prop_assert!(fine.overlap(here) != wrong && coarse.overlap(here) != wrong, "{} {} {}", edges, lat, lon);
            }
        }
    }
}

#[test]
fn the_ends_of_an_edge_too_narrow_for_a_slope_belong_to_it() {
    // Between meridians less than a rounding error apart an arc has any slope, and the grid left out one of its ends.
    for ring in [
        vec![[5e-324, -30.215222789450124], [360.0, 0.0], [0.0, 1e-300]],
        vec![[5e-324, 0.0], [5e-324, 1e-300], [360.0, 24.324632629938993]],
    ] {
        for edges in Edges::ALL {
            let polygon = Polygon::new(&[vec![closed(ring.clone())]], edges).unwrap().prepare();
            for &[lon, lat] in &ring {
                assert!(holds(&polygon, lat, candidate_lon(lon)), "{edges} {lon} {lat} of {ring:?}");
            }
        }
    }
}

#[test]
fn places_along_an_edge_too_narrow_for_a_slope_are_the_same_in_every_grid() {
    let spike = vec![[0.0, 89.8], [-5e-324, -73.84380647275285], [83.19661151065283, 0.0], [0.0, -90.0], [45.1, 0.0]];
    let ring = closed(spike.into_iter().chain([[-180.0, 0.0]]).collect());
    for edges in Edges::ALL {
        let polygon = Polygon::new(&[vec![ring.clone()]], edges).unwrap();
        for lat in [-49.8909166288596, -80.0, -10.0, 0.0, 10.0, 80.0] {
            let (fine, coarse) = (polygon.prepare(), polygon.prepare_for(0));
            assert_eq!(holds(&fine, lat, 0.0), holds(&coarse, lat, 0.0), "{edges} {lat}");
        }
    }
}
