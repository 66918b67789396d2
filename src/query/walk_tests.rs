use std::collections::BTreeSet;

use super::*;
use crate::collection::{Change, Collection, Id, Item, Properties};
use crate::generate::{GENERATORS, Random};
use crate::geometry::{Edges, GeohashCell, METRICS, Point, Polygon, Radius};
use crate::index::{KINDS, Lens};
use crate::query::{Filter, K, Near};

/// What is drawn and what is held may differ by rounding.
const HAIR_DEG: f64 = 1e-9;

/// A collection with a history: large and small segments, items that moved and items that are gone.
fn collection(generator: &str, count: usize) -> Collection {
    let mut random = Random::seeded(11);
    let generator = GENERATORS.iter().find(|own| own.name == generator).unwrap();
    let points = (generator.make)(&mut random, count);
    let collection = Collection::with_kinds(KINDS);
    let put = |number: usize, point: Point| {
        let properties = Properties::from_json(&format!("{{\"n\":{}}}", number % 7)).unwrap();
        Change::Put(Item::new(Id::new(format!("p{number}")).unwrap(), point).with_properties(properties))
    };
    collection.apply(1, points.iter().enumerate().map(|(number, point)| put(number, *point)).collect());
    // Some move, some go, and the last changes stand in a segment too small for a directory.
    for changed in [300, 40, 40, 3] {
        let changes = (0..changed).map(|change| {
            let number = random.below(count as u64) as usize;
            match change % 3 {
                1 => Change::Remove(Id::new(format!("p{number}")).unwrap()),
                _ => put(number, points[random.below(count as u64) as usize]),
            }
        });
        // Each change has a number of its own.
        collection.apply(collection.snapshot().seq() + 1, changes.collect());
    }
    collection
}

/// A query round one of the points, of one of many forms.
fn query(number: u64, points: &[Point], random: &mut Random) -> Query {
    let centre = points[random.below(points.len() as u64) as usize];
    let metric = METRICS[random.below(METRICS.len() as u64) as usize];
    let radius = Radius::from_metres(random.magnitude(10.0, 8_000_000.0)).unwrap();
    let near = |radius, k| Some(Near { centre, metric, radius, k });
    let (lat, lon) = (centre.lat_deg(), centre.lon_deg());
    let (high, wide) = (random.magnitude(0.01, 40.0), random.magnitude(0.01, 60.0));
    let (south, north) = ((lat - high).max(-90.0), (lat + high).min(90.0));
    let (west, east) = ((lon - wide).max(-180.0), (lon + wide).min(180.0));
    let rect = Rect::from_corners(south, west, north, east).ok();
    let ring = vec![[west, south], [east, south], [(west + east) / 2.0, north], [west, south]];
    let polygon = Polygon::new(&[vec![ring]], Edges::Planar).ok().map(|polygon| Arc::new(polygon.prepare()));
    let filter = number.is_multiple_of(5).then(|| Filter::parse("n > 2").unwrap());
    let k = K::new(1 + random.below(60) as usize).ok();
    let plain = Query { filter, ..Query::default() };
    match number % 8 {
        0 | 1 => Query { near: near(Some(radius), None), ..plain },
        2 => Query { near: near(None, k), ..plain },
        3 => Query { near: near(Some(radius), k), rect, ..plain },
        4 => Query { rect, ..plain },
        5 => Query { polygon, near: near(None, k), ..plain },
        6 => Query { polygon, ..plain },
        _ => Query { cell: GeohashCell::from_text(&crate::geometry::geohash::encode(centre, 3)).ok(), ..plain },
    }
}

fn holds(rect: Rect, [lat, lon]: [f64; 2], widened_deg: f64) -> bool {
    (rect.south() - widened_deg..=rect.north() + widened_deg).contains(&lat)
        && (rect.west() - widened_deg..=rect.east() + widened_deg).contains(&lon)
}

/// Every combination of places, kinds and queries, with the walk and the answer.
fn each_walk(mut check: impl FnMut(&str, &Arc<Snapshot>, &Query, &Walk, &crate::query::Answer)) {
    for generator in ["uniform", "dense_city", "pole_cap", "antimeridian_strip", "coincident"] {
        let collection = collection(generator, 3_000);
        let snapshot = collection.snapshot();
        let sizes: Vec<usize> = snapshot.segments().iter().map(|segment| segment.points().len()).collect();
        assert!(sizes.len() > 1 && sizes.iter().any(|&size| size < 64), "{generator}: {sizes:?}");
        let items: Vec<Point> = snapshot.items().map(|item| item.point()).collect();
        let mut random = Random::seeded(5);
        for number in 0..40 {
            let query = query(number, &items, &mut random);
            if query.is_unconditional() && query.near.is_none() {
                continue;
            }
            for kind in Kind::offered() {
                let words = format!("{generator} {number} on {}", kind.name);
                let walk = query.walk(kind, &snapshot, 1_000_000, &Budget::unlimited()).unwrap();
                let answer = query.clone().on(kind).in_pages_of(Limit::most()).run(&snapshot).unwrap();
                assert!(walk.complete, "{words}");
                check(&words, &snapshot, &query, &walk, &answer);
            }
        }
    }
}

#[test]
fn a_walk_tells_what_the_query_took() {
    each_walk(|words, _, _, walk, answer| {
        let counts = walk.counts;
        let explain = Explain { elapsed_us: walk.explain.elapsed_us, ..answer.explain };
        assert_eq!(walk.explain, explain, "{words}");
        assert_eq!((counts.opened, counts.points_tested), (explain.nodes, explain.exact_tests), "{words}");
        let of = |fate| walk.cells.iter().filter(move |cell| cell.fate == fate);
        let points = of(Fate::Whole).chain(of(Fate::Tested)).map(|cell| cell.points).sum::<u64>();
        assert_eq!(points, explain.candidates, "{words}");
        // Each box that was compared is a cell that was told, and each segment begins with a cell nobody compared; so do the neighbours.
        let orders: BTreeSet<u64> = walk.cells.iter().filter(|cell| !cell.at_a_glance).map(|cell| cell.order).collect();
        let beginnings = orders.len() as u64 - explain.boxes;
        assert!(beginnings <= explain.segments + 1, "{words}: {beginnings}");
    });
}

#[test]
fn what_was_accepted_is_the_answer() {
    each_walk(|words, _, _, walk, answer| {
        let counts = walk.counts;
        assert_eq!(walk.matched, answer.matched, "{words}");
        assert_eq!(counts.accepted_whole + counts.accepted_tested, answer.matched, "{words}");
        let of = |fate| walk.cells.iter().filter(move |cell| cell.fate == fate);
        for (fate, cells, accepted) in [
            (Fate::Pruned, counts.pruned, 0),
            (Fate::Opened, counts.opened, 0),
            (Fate::Whole, counts.whole, counts.accepted_whole),
            (Fate::Tested, counts.tested, counts.accepted_tested),
        ] {
            assert_eq!(of(fate).count() as u64, cells, "{words} {}", fate.name());
            assert_eq!(of(fate).map(|cell| cell.accepted).sum::<u64>(), accepted, "{words} {}", fate.name());
        }
        let glances = walk.cells.iter().filter(|cell| cell.at_a_glance).count() as u64;
        assert_eq!(glances, counts.pruned_at_a_glance, "{words}");
        assert!(walk.cells.is_sorted_by_key(|cell| cell.order), "{words}");
    });
}

#[test]
fn cells_are_what_they_are_said_to_be() {
    let mut met = [0; 3];
    each_walk(|words, snapshot, query, walk, answer| {
        let lens = query
            .near
            .as_ref()
            .map(|near| Lens::new(near.centre, near.metric, near.radius.map_or(f64::INFINITY, Radius::metres)));
        let area = query.area(lens);
        let answers: BTreeSet<(u32, u32)> = answer.ranked.iter().map(|hit| (hit.segment, hit.slot)).collect();
        let mut covered = BTreeSet::new();
        for cell in &walk.cells {
            let points = snapshot.segments()[cell.segment as usize].points();
            for slot in points.slots() {
                let (position, hit) = (points.position(slot), answers.contains(&(cell.segment, slot)));
                if hit && cell.fate != Fate::Pruned && holds(cell.rect, position, HAIR_DEG) {
                    covered.extend([(cell.segment, slot)].into_iter().filter(|_| cell.fate != Fate::Opened));
                }
                if !holds(cell.rect, position, -HAIR_DEG) {
                    continue;
                }
                match cell.fate {
                    Fate::Whole => assert!(area.holds(points.point(slot)), "{words}: {cell:?} {position:?}"),
                    Fate::Pruned => assert!(!hit, "{words}: {cell:?} {position:?}"),
                    Fate::Opened | Fate::Tested => {}
                }
            }
            met[0] += usize::from(cell.fate == Fate::Whole);
            met[1] += usize::from(cell.fate == Fate::Pruned && cell.points > 0);
            met[2] += usize::from(cell.label.as_deref().is_some_and(|label| label.starts_with('u')));
        }
        assert_eq!(covered, answers, "{words}");
    });
    assert!(met.iter().all(|&count| count > 100), "{met:?}");
}

#[test]
fn counts_are_exact_however_few_cells_are_kept() {
    let snapshot = collection("uniform", 3_000).snapshot();
    let query = Query::near(Point::new(48.0, 2.0).unwrap()).within(Radius::from_metres(3e6).unwrap());
    for kind in Kind::offered() {
        let whole = query.walk(kind, &snapshot, 1_000_000, &Budget::unlimited()).unwrap();
        for most in [1, 7, whole.cells.len() - 1, whole.cells.len(), whole.cells.len() + 1] {
            let walk = query.walk(kind, &snapshot, most, &Budget::unlimited()).unwrap();
            assert_eq!(walk.counts, whole.counts, "{}", kind.name);
            assert_eq!(walk.cells, whole.cells[..most.min(whole.cells.len())], "{}", kind.name);
            assert_eq!(walk.complete, most >= whole.cells.len(), "{} {most}", kind.name);
        }
    }
}

#[test]
fn a_walk_over_its_budget_tells_nothing() {
    let snapshot = collection("uniform", 3_000).snapshot();
    let query = Query::near(Point::new(48.0, 2.0).unwrap()).within(Radius::from_metres(3e6).unwrap());
    for kind in Kind::offered() {
        let refused = query.walk(kind, &snapshot, 1_000, &Budget::work(100));
        assert!(matches!(refused, Err(QueryError::OverBudget { .. })), "{}", kind.name);
    }
}

#[test]
fn kinds_that_are_no_trees_show_what_they_hand_out() {
    let snapshot = collection("uniform", 3_000).snapshot();
    let query = Query::near(Point::new(48.0, 2.0).unwrap()).within(Radius::from_metres(3e6).unwrap());
    for kind in KINDS.iter().filter(|kind| kind.role != crate::index::Role::Offered) {
        for query in [query.clone(), query.clone().nearest(K::new(5).unwrap())] {
            let walk = query.walk(kind, &snapshot, 1_000_000, &Budget::unlimited()).unwrap();
            assert_eq!(walk.counts.accepted_tested, walk.matched, "{}", kind.name);
            assert_eq!(walk.counts.points_tested, walk.explain.candidates, "{}", kind.name);
        }
    }
}
