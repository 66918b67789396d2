//! Tiles of the web map from a million clustered points: finding what is seen, and writing it down.
//!
//! What surprises: the whole map costs about as much as a tile of a city, because a cluster is counted without being looked at.
//!
//! Measured at a million points, two segments, on two cores that were busy with other work (load 12), so the 99 % are more the machine's
//! than ours; microseconds a tile at the middle and at 99 %:
//!
//! | zoom | none gone | one in a hundred gone |
//! |---|---|---|
//! | 0 | 2 366 / 8 551 | 4 294 / 8 245 |
//! | 3 | 2 130 / 5 540 | 2 453 / 8 539 |
//! | 6 | 739 / 1 760 | 685 / 4 904 |
//! | 10 | 132 / 1 349 | 114 / 1 183 |
//! | 14 | 27 / 150 | 27 / 61 |
//!
//! ```sh
//! cargo bench --bench tiles
//! NIGH_BENCH_POINTS=10000000 cargo bench --bench tiles
//! ```

mod support;

use std::sync::Arc;
use std::time::Instant;

use nigh::collection::{Change, Collection, Id, Item, Snapshot};
use nigh::format::{Fields, mvt};
use nigh::generate::{Random, generator_named};
use nigh::geometry::Point;
use nigh::geometry::tile::OnMap;
use nigh::query::tile::TileQuery;

use support::{grouped, is_trial, point_count};

fn main() {
    let make = generator_named("clustered").expect("a generator").make;
    let points = make(&mut Random::seeded(1), point_count());
    let collection = Collection::new();
    for (batch, some) in points.chunks(100_000).enumerate() {
        let first = batch * 100_000;
        let put = |(number, point): (usize, &Point)| {
            Change::Put(Item::new(Id::new(format!("p{number}")).expect("an id"), *point))
        };
        collection.apply(first as u64 + 1, (first..).zip(some).map(put).collect());
    }
    collection.settle();
    println!("{} clustered points; microseconds a tile, and what it holds", grouped(points.len() as f64));
    println!("zoom   segments  gone      median      p99      most   features   bytes");
    measure(&collection.snapshot(), &points);
    // One point in a hundred goes, and every count has to look for it.
    let gone =
        (0..points.len()).step_by(100).map(|number| Change::Remove(Id::new(format!("p{number}")).expect("an id")));
    collection.apply(points.len() as u64 + 1, gone.collect());
    collection.settle();
    measure(&collection.snapshot(), &points);
}

fn measure(snapshot: &Arc<Snapshot>, points: &[Point]) {
    let gone: u64 = snapshot.segments().iter().map(|segment| segment.gone_count()).sum();
    let (mut random, mut everything) = (Random::seeded(2), Vec::new());
    for z in [0, 3, 6, 10, 14] {
        let rounds = if is_trial() { 3 } else { 400 };
        let (mut times, mut features, mut bytes) = (Vec::new(), 0, 0);
        for _ in 0..rounds {
            let point = points[random.below(points.len() as u64) as usize];
            let tile = OnMap::of(point).tile(z).expect("a zoom");
            let started = Instant::now();
            let answer = TileQuery::of(tile).run(snapshot).expect("a tile");
            let mut out = Vec::new();
            mvt::write_tile(&mut out, &answer, &Fields::only([]));
            times.push(started.elapsed().as_secs_f64() * 1e6);
            features += answer.features().len();
            bytes += out.len();
        }
        everything.extend_from_slice(&times);
        let what = format!("{z:>4}   {:>8} {gone:>5}", snapshot.segments().len());
        print(&what, &mut times, features / rounds, bytes / rounds);
    }
    print(" all                  ", &mut everything, 0, 0);
}

fn print(what: &str, times: &mut [f64], features: usize, bytes: usize) {
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("{what}  {:>10.0} {:>8.0} {:>9.0}   {features:>8} {bytes:>7}", at(0.5), at(0.99), at(1.0));
}
