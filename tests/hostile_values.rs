//! The doors of `geometry` against any number and any text: nothing panics, what is let in keeps its promises, and
//! each refusal names the value it refuses.

#[path = "../src/repeatable.rs"]
mod repeatable;

use nigh::geometry::{GeohashCell, GeometryError, Point, Radius, Rect, geohash, parse_metres};
use proptest::prelude::*;
use repeatable::repeatable;

/// Any `f64`, and more often those that make trouble.
fn numbers() -> impl Strategy<Value = f64> {
    let trouble = prop::sample::select(
        &[
            0.0,
            -0.0,
            90.0,
            -90.0,
            180.0,
            -180.0,
            360.0,
            540.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            5e-324,
            -5e-324,
        ][..],
    );
    let beside = (trouble.clone(), any::<bool>()).prop_map(|(x, up)| if up { x.next_up() } else { x.next_down() });
    prop_oneof![trouble, beside, prop::num::f64::ANY, -100.0..100.0, -600.0..600.0]
}

/// Any text, and texts made of what lengths and geohashes are made of.
fn texts() -> impl Strategy<Value = String> {
    let short = prop_oneof![Just(String::new()), "[ -~]{0,14}", "[0-9b-z]{1,14}", "[0-9A-Z]{1,12}", "\\PC{0,13}"];
    let length =
        (numbers(), "(| |\t)", "(m|km|mi|ft|nmi|M|kM|e|inf||é)").prop_map(|(x, gap, unit)| format!("{x:e}{gap}{unit}"));
    prop_oneof![short, length, any::<String>(), "[-+.0-9eE]{0,12} ?[kmifnt]{0,3}"]
}

proptest! {
    #![proptest_config(repeatable(20_000))]

    #[test]
    fn a_position_is_kept_to_the_bit_or_refused_by_name(lat in numbers(), lon in numbers()) {
        let fine = (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon);
        match Point::new(lat, lon) {
            Ok(point) => {
                prop_assert!(fine);
                prop_assert_eq!(point.lat_deg().to_bits(), lat.to_bits());
                prop_assert_eq!(point.lon_deg().to_bits(), lon.to_bits());
                let unit = point.unit();
                prop_assert!((unit.dot(&unit) - 1.0).abs() < 1e-15);
            }
            Err(refusal) => {
                prop_assert!(!fine);
                let message = refusal.to_string();
                let named = message.contains(&format!("latitude {lat} ")) || message.contains(&format!("longitude {lon} "));
                prop_assert!(named, "{message}");
            }
        }
    }

    #[test]
    fn a_box_holds_its_corners_or_is_refused_by_name(s in numbers(), w in numbers(), n in numbers(), e in numbers()) {
        match Rect::from_corners(s, w, n, e) {
            Ok(rect) => {
                prop_assert!(rect.south() <= rect.north() && rect.west() <= rect.east());
                prop_assert!(rect.east() - rect.west() <= 360.0);
                prop_assert!(rect.holds(s, w) && rect.holds(n, w));
                let again = Rect::from_corners(rect.south(), rect.west(), rect.north(), rect.east());
                // What lies beyond the seam is shown turned round by 360, which may round it; the edges shown stay.
                let edges = |rect: Rect| (rect.south(), rect.west(), rect.north(), rect.east());
                prop_assert_eq!(again.map(edges), Ok(edges(rect)));
                if w > e {
                    let beyond = e.next_up();
                    prop_assert!(rect.holds(s, e));
                    prop_assert!(beyond >= w || s.abs() == 90.0 || !rect.holds(s, beyond));
                }
            }
            Err(refusal) => {
                let message = refusal.to_string();
                prop_assert!(message.contains(&format!("box {w},{s},{e},{n} ")), "{message}");
            }
        }
    }

    #[test]
    fn a_radius_is_finite_and_not_negative_or_refused_by_name(metres in numbers()) {
        match Radius::from_metres(metres) {
            Ok(radius) => {
                prop_assert!(metres.is_finite() && radius.metres() == metres && radius.metres().is_sign_positive());
            }
            Err(refusal) => {
                prop_assert!(!metres.is_finite() || metres < 0.0);
                prop_assert!(refusal.to_string().contains(&format!("radius {metres} ")), "{refusal}");
            }
        }
    }

    #[test]
    fn a_length_is_finite_or_refused_with_its_text(text in texts()) {
        match parse_metres(&text) {
            Ok(metres) => {
                prop_assert!(metres.is_finite() && metres.to_bits() != (-0.0_f64).to_bits(), "{text}");
                prop_assert_eq!(text.parse::<Radius>().is_ok(), metres >= 0.0);
            }
            Err(refusal) => {
                prop_assert!(refusal.to_string().contains(&format!("{text:?}")), "{refusal}");
                prop_assert_eq!(text.parse::<Radius>(), Err(refusal));
            }
        }
    }

    #[test]
    fn a_finite_number_of_metres_is_read_back_to_the_bit(metres in numbers()) {
        if !metres.is_finite() {
            return Ok(());
        }
        for text in [format!("{metres}"), format!("{metres:e}m"), format!(" {metres} m ")] {
            prop_assert_eq!(parse_metres(&text).unwrap().to_bits(), (metres + 0.0).to_bits(), "{}", text);
        }
    }

    #[test]
    fn a_geohash_is_a_cell_or_refused_with_its_text(text in texts()) {
        match GeohashCell::from_text(&text) {
            Ok(cell) => {
                let rect = cell.rect();
                prop_assert_eq!(geohash::cell(&text), Ok(rect));
                prop_assert!(cell.holds(rect.south(), rect.west()));
                let corner = Point::new(rect.south(), rect.west()).unwrap();
                prop_assert_eq!(geohash::encode(corner, text.len()), text.to_ascii_lowercase());
            }
            Err(refusal) => {
                let is_geohash = matches!(refusal, GeometryError::Geohash { .. });
                prop_assert!(is_geohash);
                prop_assert!(refusal.to_string().contains(&format!("{text:?}")), "{refusal}");
            }
        }
    }

    #[test]
    fn every_position_has_a_geohash_of_any_length(lat in -90.0..=90.0, lon in numbers(), characters in any::<usize>()) {
        let Ok(point) = Point::new(lat, lon) else { return Ok(()) };
        let text = geohash::encode(point, characters);
        prop_assert_eq!(text.len(), characters.clamp(1, geohash::MAX_CHARACTERS));
        prop_assert!(GeohashCell::from_text(&text).unwrap().holds(lat, lon));
    }

    #[test]
    fn a_cell_may_be_asked_about_any_number(lat in numbers(), lon in numbers()) {
        let cell = GeohashCell::from_text("z").unwrap();
        let on_earth = Point::new(lat, lon).is_ok();
        prop_assert!(!on_earth || cell.holds(lat, lon) == (lat >= 45.0 && lon >= 135.0));
    }
}
