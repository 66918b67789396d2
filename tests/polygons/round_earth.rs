//! The earth is round: poles, the 180th meridian, and edges half way round.

use nigh::geometry::{Edges, Overlap, Polygon, Rect};

use super::shapes::{Random, candidate_lon, closed};
use super::whole_numbers::check_against_whole_numbers;
use super::{holds, planar};

#[test]
fn edges_of_exactly_180_degrees_go_as_written() {
    let world = |lons: [f64; 3]| {
        let [w, m, e] = lons;
        vec![vec![vec![[w, -80.0], [m, -80.0], [e, -80.0], [e, 80.0], [m, 80.0], [w, 80.0], [w, -80.0]]]]
    };
    for lons in [[-180.0, 0.0, 180.0], [0.0, 180.0, 360.0], [-270.0, -90.0, 90.0], [180.0, 0.0, -180.0]] {
        check_against_whole_numbers(1, &world(lons), 500);
        let polygon = planar(&world(lons)).prepare();
        for lon in [-180.0, -135.0, -90.0, 0.0, 45.0, 90.0, 180.0] {
            assert!(holds(&polygon, 10.0, lon) && holds(&polygon, 80.0, lon) && !holds(&polygon, 80.5, lon), "{lon}");
        }
        assert_eq!((polygon.frame().west(), polygon.frame().east()), (-180.0, 180.0));
    }
}

#[test]
fn every_spelling_of_the_180th_meridian_is_one_polygon() {
    let spellings = [
        [[176.0, -20.0], [182.0, -20.0], [182.0, -15.0], [176.0, -15.0]],
        [[176.0, -20.0], [-178.0, -20.0], [-178.0, -15.0], [176.0, -15.0]],
        [[-184.0, -20.0], [-178.0, -20.0], [-178.0, -15.0], [-184.0, -15.0]],
        [[-184.0, -20.0], [182.0, -20.0], [-178.0, -15.0], [176.0, -15.0]],
    ];
    for spelling in spellings {
        let rings = vec![vec![closed(spelling.to_vec())]];
        check_against_whole_numbers(2, &rings, 300);
        let polygon = planar(&rings);
        assert_eq!(polygon.frame(), Rect::from_corners(-20.0, 176.0, -15.0, 182.0).unwrap());
        let polygon = polygon.prepare();
        for (lat, lon, expected) in [
            (-17.0, 180.0, true),
            (-17.0, -180.0, true),
            (-20.0, -180.0, true),
            (-17.0, -178.0, true),
            (-17.0, 176.0, true),
            (-17.0, -177.999, false),
            (-17.0, 175.999, false),
            (-17.0, 0.0, false),
        ] {
            assert_eq!(holds(&polygon, lat, lon), expected, "{lat} {lon}");
        }
    }
}

#[test]
fn a_ring_round_a_pole_holds_the_pole_of_its_mean_latitude() {
    for edges in Edges::ALL {
        for (lat, north) in [(60.0, true), (-70.0, false), (1.0, true), (-1.0, false)] {
            let ring: Vec<[f64; 2]> = (0..36).map(|i| [candidate_lon(f64::from(i) * 10.0), lat]).collect();
            let polygon = Polygon::new(&[vec![closed(ring)]], edges).unwrap();
            assert_eq!((polygon.frame().west(), polygon.frame().east()), (-180.0, 180.0));
            let polygon = polygon.prepare();
            assert_eq!(holds(&polygon, 90.0, 33.0), north);
            assert_eq!(holds(&polygon, -90.0, -33.0), !north);
            assert!(holds(&polygon, if north { 89.0 } else { -89.0 }, 77.7));
            assert!(!holds(&polygon, if north { -89.0 } else { 89.0 }, 77.7));
            // Arcs between points of one latitude bulge polewards: at most 0.4 % here.
            let beyond = lat + if north { 1.0 } else { -1.0 };
            assert!(holds(&polygon, beyond, -45.0) && !holds(&polygon, 2.0 * lat - beyond, -45.0));
        }
    }
}

/// Forwards along 10° N, back along 60° N, and forwards again: the signed area under such a ring is south of the equator.
#[test]
fn a_tangle_in_the_north_does_not_hold_the_south_pole() {
    let forth = (0..8).map(|i| [candidate_lon(f64::from(i) * 100.0), 10.0]);
    let back = (1..5).map(|i| [candidate_lon(700.0 - f64::from(i) * 100.0), 60.0]);
    let ring = closed(forth.chain(back).collect());
    for edges in Edges::ALL {
        let polygon = Polygon::new(&[vec![ring.clone()]], edges).unwrap().prepare();
        assert!(holds(&polygon, 90.0, 0.0) && !holds(&polygon, -90.0, 0.0) && !holds(&polygon, 5.0, 33.0), "{edges}");
    }
    check_against_whole_numbers(4, &[vec![ring]], 300);
}

/// The eastern edge beyond 180 was rounded when 360 was added to it, and the vertex there fell out of the frame.
#[test]
fn the_frame_keeps_every_bit_of_its_easternmost_vertex() {
    let east = -44.219_803_770_348_99;
    let ring = closed(vec![[east, -84.8], [152.06, -76.0], [18.5, -81.6], [-162.1, -79.2]]);
    let polygon = planar(&[vec![ring]]);
    assert!(polygon.frame().holds(-84.8, east) && !polygon.frame().holds(-84.8, east.next_up()));
    let here = Rect::from_corners(-84.8, east, -84.8, east).unwrap();
    assert_ne!(polygon.prepare().overlap(here), Overlap::Outside);
}

#[test]
fn antarctica_cut_at_the_antimeridian_is_the_antarctica_that_goes_round() {
    let coast = |i: i32| [f64::from(i), -70.0 - 2.0 * f64::from(i.rem_euclid(7))];
    let round = closed((-18..18).map(|i| coast(i * 10)).collect());
    let mut cut: Vec<[f64; 2]> = (-18..18).map(|i| coast(i * 10)).collect();
    cut.extend([[180.0, coast(-180)[1]], [180.0, -90.0], [-180.0, -90.0]]);
    for edges in Edges::ALL {
        let (round, cut) = (
            Polygon::new(&[vec![round.clone()]], edges).unwrap().prepare(),
            Polygon::new(&[vec![closed(cut.clone())]], edges).unwrap().prepare(),
        );
        let mut random = Random(5);
        for _ in 0..5_000 {
            let (lat, lon) = (random.between(-90.0, -60.0), random.between(-180.0, 180.0));
            assert_eq!(holds(&round, lat, lon), holds(&cut, lat, lon), "{edges} {lat} {lon}");
        }
        assert!(holds(&round, -90.0, 0.0) && holds(&cut, -90.0, 0.0));
    }
}

#[test]
fn a_pole_is_one_place_under_every_longitude() {
    let wedge = vec![vec![[10.0, 80.0], [20.0, 80.0], [20.0, 90.0], [10.0, 90.0], [10.0, 80.0]]];
    for edges in Edges::ALL {
        let polygon = Polygon::new(std::slice::from_ref(&wedge), edges).unwrap().prepare();
        for lon in [-180.0, -15.0, 0.0, 15.0, 180.0] {
            assert!(holds(&polygon, 90.0, lon) && !holds(&polygon, -90.0, lon), "{edges} {lon}");
        }
        assert!(holds(&polygon, 89.0, 15.0) && !holds(&polygon, 89.0, 25.0));
        let polar_box = Rect::from_corners(89.0, -100.0, 90.0, -90.0).unwrap();
        assert_eq!(polygon.overlap(polar_box), Overlap::Boundary);
    }
}
