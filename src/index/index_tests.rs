use proptest::prelude::*;

use super::*;
use crate::geometry::{METRICS, Overlap, Point};
use crate::repeatable::repeatable;

/// Positions that love trouble: poles, the antimeridian, cell edges, one crowded place.
fn position() -> impl Strategy<Value = Point> {
    let lat = prop_oneof![6 => -90.0..=90.0, 1 => Just(90.0), 1 => Just(-90.0), 3 => 48.0..=48.01, 1 => 89.9..=90.0, 1 => Just(0.0)];
    let lon = prop_oneof![6 => -180.0..=180.0, 1 => Just(180.0), 1 => Just(-180.0), 3 => 2.0..=2.01, 1 => 179.9..=180.0, 1 => Just(-45.0)];
    (lat, lon).prop_map(|(lat, lon)| Point::new(lat, lon).unwrap())
}

fn radius() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.0..10.0, 0.0..1e4, 0.0..2.1e7, Just(f64::INFINITY)]
}

fn rect() -> impl Strategy<Value = Rect> {
    (-90.0..=90.0_f64, -90.0..=90.0_f64, -180.0..=180.0_f64, -180.0..=180.0_f64, any::<bool>()).prop_map(
        |(a, b, west, east, polar)| {
            let north = if polar { 90.0 } else { a.max(b) };
            Rect::from_corners(a.min(b), west, north, east).unwrap()
        },
    )
}

fn lens() -> impl Strategy<Value = Lens> {
    (position(), radius(), 0..METRICS.len()).prop_map(|(at, radius_m, metric)| Lens::new(at, METRICS[metric], radius_m))
}

fn area() -> impl Strategy<Value = Area> {
    prop_oneof![
        2 => lens().prop_map(|lens| Area { lens: Some(lens), ..Area::default() }),
        1 => rect().prop_map(|rect| Area { rect: Some(rect), ..Area::default() }),
        1 => (lens(), rect()).prop_map(|(lens, rect)| Area { lens: Some(lens), rect: Some(rect), ..Area::default() }),
    ]
}

fn truth(points: &Points, area: &Area) -> Vec<u32> {
    let mut slots = Vec::new();
    area.refine(points, points.slots(), |hit| slots.push(hit.slot));
    slots
}

/// What the runs of a kind hold of an area.
fn covered(kind: &Kind, sorted: &Sorted, area: &Area) -> Vec<u32> {
    let (mut runs, mut found) = (Vec::new(), Vec::new());
    (kind.build)(sorted).cover(&sorted.points, area, &mut runs, &mut Trace::default());
    in_order(&mut runs, |run| {
        if run.inside {
            found.extend(run.slots);
        } else {
            area.refine(&sorted.points, run.slots, |hit| found.push(hit.slot));
        }
    });
    found
}

proptest! {
    #![proptest_config(repeatable(400))]

    #[test]
    fn every_kind_keeps_the_contract_of_a_directory(given in proptest::collection::vec(position(), 0..3000), area in area()) {
        let sorted = Sorted::new(&given);
        let points = &sorted.points;
        let expected = truth(points, &area);
        for kind in KINDS {
            prop_assert_eq!(&covered(kind, &sorted, &area), &expected, "{}", kind.name);
        }
    }

    #[test]
    fn every_kind_visits_all_that_stays_within_reach_once(
        given in proptest::collection::vec(position(), 1..3000), area in area(), horizon in radius(),
    ) {
        let sorted = Sorted::new(&given);
        let points = &sorted.points;
        for kind in KINDS {
            let mut narrowing = area.clone();
            let mut found = Vec::new();
            (kind.build)(&sorted).nearest(points, &mut narrowing, &mut |run, area| {
                area.refine(points, run.slots, |hit| found.push(hit.slot));
                if let Some(lens) = &mut area.lens && horizon.is_finite() {
                    lens.tighten(METRICS[0].reach(horizon).outside_chord2);
                }
            }, &mut Trace::default());
            let expected = truth(points, &narrowing);
            let count = found.len();
            found.sort_unstable();
            found.dedup();
            prop_assert_eq!(found.len(), count, "{} handed a slot out twice", kind.name);
            let missing: Vec<_> = expected.iter().filter(|slot| found.binary_search(slot).is_err()).collect();
            prop_assert!(missing.is_empty(), "{}: {missing:?}", kind.name);
        }
    }

    #[test]
    fn cells_of_every_kind_cover_the_points_of_the_frame(
        given in proptest::collection::vec(position(), 1..2000), frame in rect(), level in 0_u32..8,
    ) {
        let sorted = Sorted::new(&given);
        for kind in KINDS {
            let cells = (kind.build)(&sorted).cells(&sorted.points, frame, level, usize::MAX);
            for slot in sorted.points.slots() {
                let [lat, lon] = sorted.points.position(slot);
                let covered = cells.iter().any(|cell| cell.slots.contains(&slot) && cell.rect.holds(lat, lon));
                prop_assert!(covered || !frame.holds(lat, lon), "{} {lat} {lon}", kind.name);
            }
            prop_assert!(cells.iter().all(|cell| frame.overlap(cell.rect) != Overlap::Outside || cell.level == 0));
        }
    }
}

#[test]
fn a_box_that_ends_at_180_holds_points_at_minus_180() {
    // The box was taken for one without a seam, and the search began in a cell of the far side.
    let given: Vec<Point> = (0..500).map(|i| Point::new(f64::from(i) * 0.1, -180.0).unwrap()).collect();
    let sorted = Sorted::new(&given);
    let rect = Rect::from_corners(10.0, 170.0, 20.0, 180.0).unwrap();
    let area = Area { rect: Some(rect), ..Area::default() };
    assert_eq!(truth(&sorted.points, &area).len(), 101);
    for kind in KINDS {
        assert_eq!(covered(kind, &sorted, &area), truth(&sorted.points, &area), "{}", kind.name);
    }
}

#[test]
fn a_geohash_cell_leaves_points_on_its_far_edges_to_its_neighbours() {
    // The boxes of an R-tree round such points lie in the closed box of the cell, and yet hold nothing of it.
    let on_north = (0..500).map(|i| Point::new(45.0, f64::from(i) * 0.05).unwrap());
    let on_east = (0..500).map(|i| Point::new(f64::from(i) * 0.05, 45.0).unwrap());
    let sorted = Sorted::new(&on_north.chain(on_east).collect::<Vec<Point>>());
    let cell = crate::geometry::GeohashCell::from_text("s").unwrap();
    let area = Area { cell: Some(cell), ..Area::default() };
    for kind in KINDS {
        assert!(covered(kind, &sorted, &area).is_empty(), "{}", kind.name);
    }
}

#[test]
fn whole_cells_inside_a_region_are_accepted_unseen() {
    let given: Vec<Point> =
        (0..100_000).map(|i| Point::new(f64::from(i % 317) * 0.01, f64::from(i / 317) * 0.01).unwrap()).collect();
    let sorted = Sorted::new(&given);
    let lens = Lens::new(Point::new(1.5, 1.5).unwrap(), METRICS[0], 100_000.0);
    let area = Area { lens: Some(lens), ..Area::default() };
    let all = truth(&sorted.points, &area).len();
    for kind in Kind::offered() {
        let mut runs = Vec::new();
        (kind.build)(&sorted).cover(&sorted.points, &area, &mut runs, &mut Trace::default());
        let inside: usize = runs.iter().filter(|run| run.inside).map(|run| run.slots.len()).sum();
        assert!(inside * 2 > all, "{}: {inside} of {all} accepted unseen", kind.name);
    }
}

#[test]
fn labels_of_geohash_cells_are_what_people_write() {
    let given: Vec<Point> = (0..2000)
        .map(|i| Point::new(42.5 + f64::from(i % 50) * 0.01, -5.7 + f64::from(i / 50) * 0.01).unwrap())
        .collect();
    let sorted = Sorted::new(&given);
    let directory = (Kind::named("geohash").unwrap().build)(&sorted);
    for cell in directory.cells(&sorted.points, Rect::WORLD, 4, 100) {
        let label = cell.label.unwrap();
        let named = crate::geometry::geohash::cell(&label).unwrap();
        assert_eq!(named, cell.rect, "{label}");
    }
}
