use proptest::prelude::*;

use super::*;
use crate::geometry::METRICS;
use crate::geometry::maths::{cos, sin};
use crate::repeatable::repeatable;

#[test]
fn the_polynomials_lie_on_their_side() {
    for step in 0..=10_000 {
        let x = f64::from(step) * std::f64::consts::FRAC_PI_2 / 10_000.0;
        let (sine2, cosine) = (sin(x) * sin(x), cos(x));
        assert!(sin2_below(x) <= sine2 + 1e-15, "{x}");
        assert!(sin2_above(x) >= sine2 - 1e-15, "{x}");
        assert!(cos_below(x) <= cosine + 1e-15, "{x}");
        assert!(cos_above(x) >= cosine - 1e-15, "{x}");
    }
}

fn latitude() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -90.0..=90.0, 1 => Just(90.0), 1 => Just(-90.0), 1 => 89.99..=90.0, 1 => -1e-6..=1e-6]
}

fn longitude() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -180.0..=180.0, 1 => Just(180.0), 1 => Just(-180.0), 1 => 179.999..=180.0, 1 => -180.0..=-179.999]
}

fn span() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.0..1e-9, 0.0..1e-3, 0.0..1.0, 0.0..180.0]
}

/// A box and a position in it.
fn box_and_position() -> impl Strategy<Value = (Rect, f64, f64)> {
    (latitude(), longitude(), span(), span(), 0.0..=1.0, 0.0..=1.0).prop_map(|(lat, lon, height, width, up, right)| {
        let rect = Rect::clamped(
            lat - height * up,
            lon - width * right,
            lat + height * (1.0 - up),
            lon + width * (1.0 - right),
        );
        (rect, lat, lon)
    })
}

fn radius() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.0..1e-3, 0.0..1.0, 0.0..1e3, 0.0..1e5, 0.0..1e7, 1.9e7..2.1e7]
}

proptest! {
    #![proptest_config(repeatable(20_000))]

    #[test]
    fn a_box_never_hides_a_point(
        (rect, lat, lon) in box_and_position(),
        (from_lat, from_lon) in (latitude(), longitude()),
        radius_m in radius(),
    ) {
        let point = Point::new(lat, lon).unwrap();
        for metric in METRICS {
            let lens = Lens::new(Point::new(from_lat, from_lon).unwrap(), *metric, radius_m);
            let chord2 = lens.unit().chord2(&point.unit());
            let within = lens.holds(|| point.unit(), chord2);
            let (overlap, least) = lens.overlap(rect);
            prop_assert!(overlap != Overlap::Outside || !within, "hidden");
            prop_assert!(overlap != Overlap::Inside || within, "claimed");
            prop_assert!(overlap == Overlap::Outside || least <= widened(chord2), "{least} {chord2}");
            if let Some(frame) = lens.frame() {
                prop_assert!(!within || frame.holds(lat, lon), "outside the frame");
            }
        }
    }

    #[test]
    fn a_tightened_lens_keeps_what_is_nearer(
        (rect, lat, lon) in box_and_position(),
        (from_lat, from_lon) in (latitude(), longitude()),
        horizon in radius(),
    ) {
        let point = Point::new(lat, lon).unwrap();
        let mut lens = Lens::new(Point::new(from_lat, from_lon).unwrap(), METRICS[0], f64::INFINITY);
        lens.tighten(METRICS[0].reach(horizon).outside_chord2);
        let chord2 = lens.unit().chord2(&point.unit());
        let counts = lens.holds(|| point.unit(), chord2) && chord2 <= lens.outside_chord2();
        prop_assert!(lens.overlap(rect).0 != Overlap::Outside || !counts);
    }
}

#[test]
fn far_boxes_are_told_apart() {
    // A bound that is always `Boundary` would be safe and useless.
    let lens = Lens::new(Point::new(48.0, 2.0).unwrap(), METRICS[0], 10_000.0);
    let (mut vague, mut all) = (0, 0);
    for north in -80..80 {
        for east in -170..170 {
            let rect = Rect::clamped(f64::from(north), f64::from(east), f64::from(north) + 0.5, f64::from(east) + 0.5);
            vague += usize::from(lens.overlap(rect).0 == Overlap::Boundary);
            all += 1;
        }
    }
    assert!(vague <= 2, "{vague} of {all}");
    let near = Rect::clamped(48.0, 2.0, 48.01, 2.01);
    assert_eq!(lens.overlap(near).0, Overlap::Inside);
}
