//! Our index kinds against each other, against a scan and against the indexes people take today, on the same points and
//! questions: radius with about 10, 100 and 1 000 answers, nearest 1, 10 and 100, a box and polygons with
//! about 100.
//!
//! Everybody does the same work: the number and the distance in metres of every answer go into a list. First all must
//! have found the same, up to one part in 10⁹ at the edge of a circle, or the bench ends there. A table marked *by
//! distance* sorts each list; only there stands the whole query on a collection, which counts exactly, orders by
//! (distance, id) and cuts a page.
//!
//! Not measured: building (see `build`), points that change (`updates`), the other metrics (`distances`), HTTP.
//!
//! ```sh
//! cargo bench --bench kinds                                     # a million points, about three minutes
//! NIGH_BENCH_POINTS=10000000 cargo bench --bench kinds          # the size that the marks are meant for
//! cargo bench --bench kinds -- clustered "radius, ~10 "         # only tables with these words in their title
//! ```

mod support;

use std::sync::Arc;

use nigh::collection::{Change, Collection, Id, Item, Snapshot};
use nigh::generate::{Random, box_round};
use nigh::geometry::{Point, Radius, Rect};
use nigh::index::Role;
use nigh::query::{K, Limit, Query};

use support::ours::{EXPECTED, Ours};
use support::peers::{Found, GeoIndexKd, GeoIndexR, Kiddo, Peer, Rstar};
use support::questions::{self, Circle, Nearest, Shape};
use support::rounds::{self, Cache, Contender, Mark, Times};
use support::{grouped, is_trial, is_wanted, point_count};

/// The four kinds among each other.
const AMONG_KINDS: Mark = Mark::AtMost(1.5);

fn main() {
    for generator in ["clustered", "uniform"] {
        if is_wanted_at_all(generator) {
            let points = questions::points(generator, point_count());
            Field::build(generator, &points).race_all();
        }
    }
}

/// Whether the words of the command line leave anything of a generator's tables.
fn is_wanted_at_all(generator: &str) -> bool {
    let other = if generator == "uniform" { "clustered" } else { "uniform" };
    !std::env::args().any(|argument| argument == other)
}

/// Points, and every index over them.
struct Field<'a> {
    generator: &'static str,
    points: &'a [Point],
    ours: Ours,
    rstar: Rstar,
    kiddo: Kiddo,
    geo_index_kd: GeoIndexKd<'a>,
    geo_index_r: GeoIndexR<'a>,
    snapshot: Arc<Snapshot>,
}

impl<'a> Field<'a> {
    fn build(generator: &'static str, points: &'a [Point]) -> Field<'a> {
        Field {
            generator,
            points,
            ours: Ours::build(points),
            rstar: Rstar::build(points),
            kiddo: Kiddo::build(points),
            geo_index_kd: GeoIndexKd::build(points),
            geo_index_r: GeoIndexR::build(points),
            snapshot: collected(points),
        }
    }

    fn race_all(&self) {
        // Marks against rstar, kiddo and geo-index, by the number of answers.
        for (count, against) in [(10, [3.0, 1.8, 3.0]), (100, [5.0, 1.8, 7.0]), (1000, [8.0, 1.8, 15.0])] {
            let radius_m = questions::radius_for(count, self.points, &self.kiddo);
            self.race_within(count, radius_m, against);
            if count == 100 {
                self.race_boxes(count, radius_m);
                self.race_shapes(count, radius_m, 8);
                self.race_shapes(count, radius_m, 100);
            }
        }
        for (k, against_kiddo) in [(1, None), (10, Some(Mark::AtLeast(1.0))), (100, None)] {
            self.race_nearest(k, against_kiddo);
        }
    }

    fn title(&self, what: &str) -> String {
        format!("{what} — {} {} points", grouped(self.points.len() as f64), self.generator)
    }

    fn race_within(&self, count: usize, radius_m: f64, [rstar, kiddo, geo_index]: [f64; 3]) {
        let centres = questions::centres(self.points, questions_for(count), count as u64);
        let circles: Vec<Circle> = centres.into_iter().map(|centre| Circle { centre, radius_m }).collect();
        let others: [(&dyn Peer, f64); 4] = [
            (&self.rstar, rstar),
            (&self.kiddo, kiddo),
            (&self.geo_index_kd, geo_index),
            (&self.geo_index_r, geo_index),
        ];
        self.check_within(&circles, &others.map(|(peer, _)| peer));
        for sorted in [false, true] {
            let title = self.title(&format!("radius, ~{count} answers{}", order(sorted)));
            if !is_wanted(&title) {
                continue;
            }
            let ask = |peer: &dyn Peer, circle: &Circle, found: &mut Vec<Found>| {
                peer.within(circle.centre, circle.radius_m, found);
            };
            let mut contenders = self.our_contenders(circles.len(), sorted, ask);
            contenders
                .extend(others.map(|(peer, least)| list(Box::new(peer), sorted, ask).marked(Mark::AtLeast(least))));
            if sorted {
                contenders.extend(self.whole_queries(|circle: &Circle| {
                    Query::near(circle.centre).within(Radius::from_metres(circle.radius_m).expect("a radius"))
                }));
            }
            print_with_spread(&title, &rounds::race(&circles, Cache::Used, contenders));
            print_counts(circles.iter().map(|circle| answers(&self.ours.kind("rtree"), circle, ask).len()));
        }
    }

    fn race_nearest(&self, k: usize, against_kiddo: Option<Mark>) {
        let centres = questions::centres(self.points, questions_for(k), 1000 + k as u64);
        let questions: Vec<Nearest> = centres.into_iter().map(|centre| Nearest { centre, k }).collect();
        let others: [(&dyn Peer, Option<Mark>); 3] =
            [(&self.rstar, None), (&self.kiddo, against_kiddo), (&self.geo_index_r, None)];
        self.check_nearest(&questions, &others.map(|(peer, _)| peer));
        let title = self.title(&format!("nearest {k}, by distance"));
        if !is_wanted(&title) {
            return;
        }
        let ask = |peer: &dyn Peer, nearest: &Nearest, found: &mut Vec<Found>| {
            peer.nearest(nearest.centre, nearest.k, found);
        };
        let mut contenders = self.our_contenders(questions.len(), true, ask);
        contenders.extend(others.map(|(peer, mark)| list(Box::new(peer), true, ask).marked(mark)));
        contenders.extend(
            self.whole_queries(|nearest: &Nearest| {
                Query::near(nearest.centre).nearest(K::new(nearest.k).expect("a k"))
            }),
        );
        print_with_spread(&title, &rounds::race(&questions, Cache::Used, contenders));
    }

    fn race_boxes(&self, count: usize, radius_m: f64) {
        let centres = questions::centres(self.points, questions_for(count), 2000);
        let boxes: Vec<Rect> = centres.into_iter().map(|centre| box_round(centre, radius_m)).collect();
        let others: [&dyn Peer; 3] = [&self.rstar, &self.geo_index_kd, &self.geo_index_r];
        let ask = |peer: &dyn Peer, rect: &Rect, found: &mut Vec<Found>| {
            peer.in_rect(*rect, found);
        };
        for rect in &boxes[..CHECKED.min(boxes.len())] {
            let reference = answers(&self.ours.kind("scan"), rect, ask);
            for peer in self.everybody(&others) {
                assert_eq!(numbers(&answers(&*peer, rect, ask)), numbers(&reference), "{} in {rect:?}", peer.name());
            }
        }
        let title = self.title(&format!("box, ~{count} answers"));
        if is_wanted(&title) {
            let mut contenders = self.our_contenders(boxes.len(), false, ask);
            contenders.extend(others.map(|peer| list(Box::new(peer), false, ask)));
            contenders.extend(self.whole_queries(|rect: &Rect| Query::in_rect(*rect)));
            print_with_spread(&title, &rounds::race(&boxes, Cache::Used, contenders));
            print_counts(boxes.iter().map(|rect| answers(&self.ours.kind("rtree"), rect, ask).len()));
        }
    }

    /// Polygons, made ready anew for every question.
    fn race_shapes(&self, count: usize, radius_m: f64, vertices: usize) {
        let centres = questions::centres(self.points, questions_for(count), 3000);
        let mut random = Random::seeded(31);
        let shape = |centre| Shape::round(centre, radius_m, vertices, &mut random);
        let shapes: Vec<Shape> = questions::inland(centres).into_iter().map(shape).collect();
        let others: [&dyn Peer; 3] = [&self.rstar, &self.geo_index_kd, &self.geo_index_r];
        let ask = |peer: &dyn Peer, shape: &Shape, found: &mut Vec<Found>| {
            peer.in_shape(shape, found);
        };
        for shape in &shapes[..CHECKED.min(shapes.len())] {
            let reference = answers(&self.ours.kind("scan"), shape, ask);
            for peer in self.everybody(&others) {
                let found = answers(&*peer, shape, ask);
                assert_eq!(numbers(&found), numbers(&reference), "{} in {:?}", peer.name(), shape.plain);
            }
        }
        let title = self.title(&format!("polygon of {vertices}, ~{count} answers"));
        if is_wanted(&title) {
            let mut contenders = self.our_contenders(shapes.len(), false, ask);
            contenders.extend(others.map(|peer| list(Box::new(peer), false, ask)));
            contenders
                .extend(self.whole_queries(|shape: &Shape| Query::in_polygon(shape.polygon.prepare_for(EXPECTED))));
            print_with_spread(&title, &rounds::race(&shapes, Cache::Used, contenders));
            print_counts(shapes.iter().map(|shape| answers(&self.ours.kind("rtree"), shape, ask).len()));
        }
    }

    /// Our four kinds and the scan.
    fn our_contenders<'s, Q: 's>(
        &'s self,
        questions: usize,
        sorted: bool,
        ask: impl Fn(&dyn Peer, &Q, &mut Vec<Found>) + Copy + 's,
    ) -> Vec<Contender<'s, Q>> {
        let own = self.ours.kinds().into_iter().map(|own| {
            let one_in = if own.kind.role == Role::Reference { questions / (rounds::rounds() + 1) } else { 1 };
            list(Box::new(own), sorted, ask).one_in(one_in.max(1))
        });
        own.collect()
    }

    /// The whole query on a collection, on the tree and on the order itself.
    fn whole_queries<'s, Q: 's>(&'s self, query: impl Fn(&Q) -> Query + Copy + 's) -> Vec<Contender<'s, Q>> {
        let kinds = ["rtree", "hilbert"].map(|name| self.ours.kind(name).kind);
        let limit = Limit::new(10_000).expect("a limit");
        let contender = |kind: &'static nigh::index::Kind| {
            Contender::new(format!("whole query, {}", kind.name), move |question: &Q| {
                let answer = query(question).on(kind).in_pages_of(limit).run(&self.snapshot).expect("an answer");
                answer.len()
            })
        };
        kinds.map(contender).into()
    }

    fn everybody<'s>(&'s self, others: &[&'s dyn Peer]) -> Vec<Box<dyn Peer + 's>> {
        let own = self.ours.kinds().into_iter().map(|own| Box::new(own) as Box<dyn Peer>);
        own.chain(others.iter().map(|&peer| Box::new(peer) as Box<dyn Peer>)).collect()
    }

    fn check_within(&self, circles: &[Circle], others: &[&dyn Peer]) {
        let ask = |peer: &dyn Peer, circle: &Circle, found: &mut Vec<Found>| {
            peer.within(circle.centre, circle.radius_m, found);
        };
        for circle in &circles[..CHECKED.min(circles.len())] {
            let reference = answers(&self.ours.kind("scan"), circle, ask);
            for peer in self.everybody(others) {
                let found = answers(&*peer, circle, ask);
                assert_same_circle(&found, &reference, circle, peer.name());
            }
            let radius = Radius::from_metres(circle.radius_m).expect("a radius");
            let whole = Query::near(circle.centre).within(radius).run(&self.snapshot).expect("an answer");
            assert_eq!(whole.matched, reference.len() as u64, "the whole query, {circle:?}");
        }
    }

    fn check_nearest(&self, questions: &[Nearest], others: &[&dyn Peer]) {
        let ask = |peer: &dyn Peer, nearest: &Nearest, found: &mut Vec<Found>| {
            peer.nearest(nearest.centre, nearest.k, found);
        };
        let distances = |peer: &dyn Peer, question: &Nearest| {
            let mut distances: Vec<f64> = answers(peer, question, ask).iter().map(|&(_, metres)| metres).collect();
            distances.sort_by(f64::total_cmp);
            distances
        };
        for question in &questions[..CHECKED.min(questions.len())] {
            let reference = distances(&self.ours.kind("scan"), question);
            for peer in self.everybody(others) {
                let found = distances(&*peer, question);
                assert_eq!(found.len(), reference.len(), "{} {question:?}", peer.name());
                for (own, other) in found.iter().zip(&reference) {
                    assert!(is_same_distance(*own, *other), "{} {question:?}: {own} and {other}", peer.name());
                }
            }
        }
    }
}

/// How many questions are checked before a race; each costs a scan.
const CHECKED: usize = 20;

/// How many questions a race has in all: fewer when they have more answers.
fn questions_for(answers: usize) -> usize {
    let a_round = if is_trial() { 2 } else { (20_000 / (answers + 90)).max(16) };
    a_round * (rounds::rounds() + 1)
}

fn order(sorted: bool) -> &'static str {
    if sorted { ", by distance" } else { "" }
}

/// A contender that puts its answers into a list, sorted or not.
fn list<'a, Q: 'a>(
    peer: Box<dyn Peer + 'a>,
    sorted: bool,
    ask: impl Fn(&dyn Peer, &Q, &mut Vec<Found>) + 'a,
) -> Contender<'a, Q> {
    let mut found = Vec::new();
    Contender::new(peer.name().to_owned(), move |question: &Q| {
        found.clear();
        ask(&*peer, question, &mut found);
        if sorted {
            // Distances are not negative, so their bits stand in their order, and compare quicker.
            found.sort_unstable_by_key(|&(number, distance_m): &Found| (distance_m.to_bits(), number));
        }
        found.len()
    })
}

/// What a peer finds, by the places of the points as given.
fn answers<Q>(peer: &dyn Peer, question: &Q, ask: impl Fn(&dyn Peer, &Q, &mut Vec<Found>)) -> Vec<Found> {
    let mut found = Vec::new();
    ask(peer, question, &mut found);
    let mut placed: Vec<Found> = found.into_iter().map(|(number, metres)| (peer.place(number), metres)).collect();
    placed.sort_unstable_by_key(|&(place, _)| place);
    placed
}

fn numbers(found: &[Found]) -> Vec<u32> {
    found.iter().map(|&(number, _)| number).collect()
}

fn is_same_distance(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-6 + 1e-9 * other
}

/// Two lists sorted by number agree, but for points on the very edge.
fn assert_same_circle(found: &[Found], reference: &[Found], circle: &Circle, who: &str) {
    let on_edge = |&&(_, metres): &&Found| (metres - circle.radius_m).abs() <= 1e-9 * circle.radius_m;
    let only_in = |one: &[Found], other: &[Found]| {
        let missing = |own: &&Found| other.binary_search_by_key(&own.0, |&(number, _)| number).is_err();
        one.iter().filter(missing).filter(|own| !on_edge(own)).count()
    };
    let (extra, lost) = (only_in(found, reference), only_in(reference, found));
    assert_eq!((extra, lost), (0, 0), "{who} found too much, too little in {circle:?}");
    for (number, metres) in found {
        if let Ok(place) = reference.binary_search_by_key(number, |&(number, _)| number) {
            assert!(is_same_distance(*metres, reference[place].1), "{who}: {metres} and {}", reference[place].1);
        }
    }
}

/// The table, and how far apart the four kinds are.
fn print_with_spread(title: &str, times: &[Times]) {
    rounds::print(title, times);
    let kinds: Vec<f64> = times[..4].iter().map(Times::median_ns).collect();
    let (least, most) =
        (kinds.iter().copied().fold(f64::INFINITY, f64::min), kinds.iter().copied().fold(0.0, f64::max));
    rounds::print_ratio("slowest of the four kinds / fastest", most / least, Some(AMONG_KINDS));
}

/// How many answers there were: where people live the mean lies well above the median.
fn print_counts(counts: impl Iterator<Item = usize>) {
    let counts: Vec<f64> = counts.map(|count| count as f64).collect();
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    println!("  (answers to a question: median {}, mean {mean:.0})", rounds::median(counts));
}

/// The points as a collection in one segment, with ids and no properties.
fn collected(points: &[Point]) -> Arc<Snapshot> {
    let put = |(number, point): (usize, &Point)| {
        Change::Put(Item::new(Id::new(format!("p{number}")).expect("an id"), *point))
    };
    let collection = Collection::new();
    collection.apply(1, points.iter().enumerate().map(put).collect());
    collection.settle();
    collection.snapshot()
}
