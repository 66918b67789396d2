//! Distances by themselves, against the crates people take for them, and what a metric costs in a search.
//!
//! - *a distance*: ours from unit vectors, as an index has them, and from points, as somebody without an index does;
//! - *membership*: how many points lie within a radius, on the R-tree and on the order itself, by each metric;
//! - *a polygon*: whether it holds a point of its box, with 10 to 100 000 vertices, made ready beforehand;
//! - *making a polygon ready*, for many candidates and for few, and what it says of boxes afterwards;
//! - each of our own functions once more under criterion, which compares with its last run on the same machine.
//!
//! Not measured: accuracy, which is tested (`tests/geodesic.rs`); answers in order.

mod support;

use std::hint::black_box;

use criterion::Criterion;
use geo::{Contains, Distance, Geodesic, Haversine, VincentyDistance};
use geographiclib_rs::InverseGeodesic;
use nigh::generate::{Random, generator_named};
use nigh::geometry::{METRICS, Metric, Overlap, Point, Rect, UnitVector, metric_named};

use support::ours::Ours;
use support::peers::Kiddo;
use support::questions::{self, Circle, Shape};
use support::rounds::{self, Cache, Contender, Mark};
use support::{grouped, is_trial, is_wanted, point_count};

/// Pairs that are measured between two looks at the clock.
const PAIRS: usize = 256;

/// Searching by Vincenty over searching by haversine.
const MEMBERSHIP: Mark = Mark::AtMost(1.3);

fn main() {
    for (title, longest_deg) in [("up to some 10 km", Some(0.05)), ("anywhere to anywhere", None)] {
        let pairs = Pairs::made(longest_deg, (rounds::rounds() + 1) * if is_trial() { 1 } else { 20 });
        race_haversine(title, &pairs);
        race_vincenty(title, &pairs);
    }
    race_membership();
    race_polygons();
    race_preparation();
    under_criterion();
}

/// A handful of pairs.
struct Handful {
    points: Vec<(Point, Point)>,
    units: Vec<(UnitVector, UnitVector)>,
}

struct Pairs {
    handfuls: Vec<Handful>,
}

impl Pairs {
    /// Pairs up to some degrees apart, or any.
    fn made(longest_deg: Option<f64>, handfuls: usize) -> Pairs {
        let mut random = Random::seeded(11);
        let anywhere = generator_named("uniform").expect("a generator").make;
        let mut handful = || {
            let (from, to) = (anywhere(&mut random, PAIRS), anywhere(&mut random, PAIRS));
            let near = |(from, to): (Point, Point)| match longest_deg {
                Some(deg) => (from, aside(from, deg, &mut random)),
                None => (from, to),
            };
            let points: Vec<(Point, Point)> = from.into_iter().zip(to).map(near).collect();
            let units = points.iter().map(|(from, to)| (from.unit(), to.unit())).collect();
            Handful { points, units }
        };
        Pairs { handfuls: (0..handfuls).map(|_| handful()).collect() }
    }
}

fn aside(from: Point, deg: f64, random: &mut Random) -> Point {
    let lat = (from.lat_deg() + random.between(-deg, deg)).clamp(-90.0, 90.0);
    let lon = (from.lon_deg() + random.between(-deg, deg)).clamp(-180.0, 180.0);
    Point::new(lat, lon).expect("clamped to the earth")
}

fn by_units(metric: &'static dyn Metric) -> impl Fn(&Handful) -> usize {
    move |handful| sum(handful.units.iter().map(|(from, to)| metric.distance_m(from, to)))
}

fn by_points(metric: &'static dyn Metric) -> impl Fn(&Handful) -> usize {
    move |handful| sum(handful.points.iter().map(|(from, to)| metric.distance_m(&from.unit(), &to.unit())))
}

fn by_geo(distance_m: impl Fn(geo::Point, geo::Point) -> f64) -> impl Fn(&Handful) -> usize {
    let at = |point: Point| geo::Point::new(point.lon_deg(), point.lat_deg());
    move |handful| sum(handful.points.iter().map(|&(from, to)| distance_m(at(from), at(to))))
}

fn sum(distances_m: impl Iterator<Item = f64>) -> usize {
    distances_m.sum::<f64>() as usize
}

fn named(name: &str) -> &'static dyn Metric {
    metric_named(name).expect("one of our metrics")
}

fn race_haversine(title: &str, pairs: &Pairs) {
    let haversine = named("haversine");
    let contenders = vec![
        Contender::new("ours, from unit vectors", by_units(haversine)),
        Contender::new("ours, from points", by_points(haversine)),
        Contender::new("geo Haversine", by_geo(|from, to| Haversine.distance(from, to))),
    ];
    race_pairs(&format!("haversine, {title}"), pairs, contenders);
}

fn race_vincenty(title: &str, pairs: &Pairs) {
    let vincenty = named("vincenty");
    let geographic = geographiclib_rs::Geodesic::wgs84();
    let karney = move |handful: &Handful| {
        sum(handful.points.iter().map(|(from, to)| -> f64 {
            geographic.inverse(from.lat_deg(), from.lon_deg(), to.lat_deg(), to.lon_deg())
        }))
    };
    let contenders = vec![
        Contender::new("ours, from unit vectors", by_units(vincenty)),
        Contender::new("ours, from points", by_points(vincenty)),
        Contender::new("geographiclib-rs", karney),
        Contender::new("geo Geodesic", by_geo(|from, to| Geodesic.distance(from, to))),
        Contender::new("geo vincenty_distance", by_geo(|from, to| from.vincenty_distance(&to).unwrap_or(0.0))),
    ];
    race_pairs(&format!("vincenty, {title}"), pairs, contenders);
}

fn race_pairs(title: &str, pairs: &Pairs, contenders: Vec<Contender<'_, Handful>>) {
    let title = format!("a distance: {title} (ns for {PAIRS} pairs)");
    if is_wanted(&title) {
        rounds::print(&title, &rounds::race(&pairs.handfuls, Cache::Warm, contenders));
    }
}

fn race_membership() {
    let points = questions::points("clustered", point_count());
    let (ours, kiddo) = (Ours::build(&points), Kiddo::build(&points));
    for count in [10, 100, 1000] {
        let radius_m = questions::radius_for(count, &points, &kiddo);
        let share = if is_trial() { 2 } else { 20_000 / (count + 90) };
        let centres = questions::centres(&points, share * (rounds::rounds() + 1), 21);
        let circles: Vec<Circle> = centres.into_iter().map(|centre| Circle { centre, radius_m }).collect();
        for kind in ["rtree", "hilbert"] {
            let title =
                format!("membership, ~{count} within, {kind} — {} clustered points", grouped(points.len() as f64));
            let own = ours.kind(kind);
            let contender = |metric: &&'static dyn Metric| {
                let metric = *metric;
                let mark = (metric.name() == "vincenty").then_some(MEMBERSHIP);
                let count = move |circle: &Circle| own.count_within(metric, circle.centre, circle.radius_m);
                Contender::new(metric.name(), count).marked(mark)
            };
            if is_wanted(&title) {
                rounds::print(&title, &rounds::race(&circles, Cache::Used, METRICS.iter().map(contender).collect()));
            }
        }
    }
}

/// Candidates all over the box of a polygon; marks are nanoseconds a candidate.
fn race_polygons() {
    for (vertices, most_ns) in [(10, None), (1_000, Some(25.0)), (100_000, Some(60.0))] {
        let title = format!("a polygon of {} vertices (ns for {PAIRS} candidates)", grouped(f64::from(vertices)));
        if !is_wanted(&title) {
            continue;
        }
        let mut random = Random::seeded(13);
        let centre = Point::new(47.0, 8.0).expect("on the earth");
        let shape = Shape::round(centre, 300_000.0, vertices as usize, &mut random);
        let ready = shape.polygon.prepare();
        let [west, south, east, north] = shape.frame();
        let mut candidate =
            || Point::new(random.between(south, north), random.between(west, east)).expect("in the box");
        let mut handful = || (0..PAIRS).map(|_| candidate()).collect::<Vec<Point>>();
        let handfuls: Vec<Vec<Point>> = (0..rounds::rounds() + 1).map(|_| handful()).collect();
        let holds = |at: &&Point| ready.contains(at.lat_deg(), at.lon_deg(), || at.unit());
        let plain = |at: &&Point| shape.plain.contains(&geo::Point::new(at.lon_deg(), at.lat_deg()));
        let times = rounds::race(
            &handfuls,
            Cache::Warm,
            vec![
                Contender::new("ours", |points: &Vec<Point>| points.iter().filter(holds).count()),
                Contender::new("geo contains", |points: &Vec<Point>| points.iter().filter(plain).count()),
            ],
        );
        rounds::print(&title, &times);
        let own_ns = times[0].median_ns() / PAIRS as f64;
        rounds::print_ratio("ours, ns a candidate", own_ns, most_ns.map(Mark::AtMost));
    }
}

/// What a polygon costs before the first candidate, a vertex, and what a box costs afterwards.
fn race_preparation() {
    for vertices in [10, 1_000, 100_000] {
        let title = format!("making a polygon of {} vertices ready (ns)", grouped(f64::from(vertices)));
        if !is_wanted(&title) {
            continue;
        }
        let mut random = Random::seeded(17);
        let centre = Point::new(47.0, 8.0).expect("on the earth");
        let shape = Shape::round(centre, 300_000.0, vertices as usize, &mut random);
        let ready = shape.polygon.prepare();
        let [west, south, east, north] = shape.frame();
        let mut small_box = || {
            let (lat, lon) = (random.between(south, north), random.between(west, east));
            Rect::from_corners(lat, lon, lat + 0.05, lon + 0.05).expect("a box on the earth")
        };
        let handfuls: Vec<Vec<Rect>> =
            (0..rounds::rounds() + 1).map(|_| (0..PAIRS).map(|_| small_box()).collect()).collect();
        let vague = |rect: &&Rect| ready.overlap(**rect) == Overlap::Boundary;
        let times = rounds::race(
            &handfuls,
            Cache::Warm,
            vec![
                Contender::new("for many candidates", |_| shape.polygon.prepare().memory_bytes()),
                Contender::new("for 256 candidates", |_| shape.polygon.prepare_for(256).memory_bytes()),
                Contender::new(format!("{PAIRS} boxes"), |boxes: &Vec<Rect>| boxes.iter().filter(vague).count()),
            ],
        );
        rounds::print(&title, &times);
        rounds::print_ratio("for many, ns a vertex", times[0].median_ns() / f64::from(vertices), None);
        rounds::print_ratio("ns a box", times[2].median_ns() / PAIRS as f64, None);
    }
}

fn under_criterion() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .without_plots()
        .warm_up_time(std::time::Duration::from_millis(300))
        .measurement_time(std::time::Duration::from_secs(1));
    for (title, longest_deg) in [("near", Some(0.05)), ("far", None)] {
        let pairs = Pairs::made(longest_deg, 1);
        for metric in METRICS {
            let measure = by_units(*metric);
            criterion.bench_function(&format!("{} {title}, {PAIRS} pairs", metric.name()), |bencher| {
                bencher.iter(|| measure(black_box(&pairs.handfuls[0])));
            });
        }
    }
    criterion.final_summary();
}
