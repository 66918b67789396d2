use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::*;
use crate::collection::{Change, Collection, Id, Item, Properties};
use crate::generate::{GENERATORS, Random, generator_named};
use crate::geometry::tile::{EXTENT, OnMap};
use crate::index::curve;

fn put(number: usize, point: Point) -> Change {
    let properties = Properties::from_json(&format!("{{\"n\":{number}}}")).unwrap();
    Change::Put(Item::new(Id::new(format!("p{number}")).unwrap(), point).with_properties(properties))
}

fn points(generator: &str, seed: u64, count: usize) -> Vec<Point> {
    (generator_named(generator).unwrap().make)(&mut Random::seeded(seed), count)
}

/// A collection after a life: most points stand in one segment, some moved, some went, in batches of all sizes.
fn lived(generator: &str, count: usize) -> Collection {
    let collection = Collection::new();
    let mut random = Random::seeded(11);
    let first = points(generator, 1, count).into_iter().enumerate().map(|(n, point)| put(n, point));
    collection.apply(1, first.collect());
    let mut seq = 1 + count as u64;
    let mut elsewhere = points(generator, 2, count).into_iter();
    for batch in [1, count / 100, 3, count / 20] {
        let changes = (0..batch).map(|_| {
            let number = random.below(count as u64) as usize;
            match random.once_in(3) {
                true => Change::Remove(Id::new(format!("p{number}")).unwrap()),
                false => put(number, elsewhere.next().unwrap()),
            }
        });
        let changes: Vec<Change> = changes.collect();
        let next = seq + changes.len() as u64;
        collection.apply(seq, changes);
        seq = next;
    }
    collection
}

fn is_own(feature: &TileFeature<'_>) -> bool {
    (0..EXTENT).contains(&feature.x) && (0..EXTENT).contains(&feature.y)
}

/// What a plain look at every point says about a zoom, by the rule as the module states it.
struct Plain {
    z: u8,
    single: Vec<(String, Point)>,
    /// By column and row of the finest cells: the points that are shown as one.
    clusters: HashMap<(u32, u32), Vec<Point>>,
}

impl Plain {
    fn look(snapshot: &Snapshot, z: u8, crowd: u64, wanted: impl Fn(&ItemRef<'_>) -> bool) -> Plain {
        let items: Vec<(String, Point)> =
            snapshot.items().filter(wanted).map(|item| (item.id().to_owned(), item.point())).collect();
        let cell = |point: Point, deeper: u32| {
            let grid = (curve::column(point.lon_deg()), curve::row(point.lat_deg()));
            let shift = 32 - u32::from(z) - deeper;
            (u64::from(grid.0) >> shift, u64::from(grid.1) >> shift)
        };
        let mut counts: HashMap<(u32, (u64, u64)), u64> = HashMap::new();
        for (_, point) in &items {
            (0..6).for_each(|deeper| *counts.entry((deeper, cell(*point, deeper))).or_default() += 1);
        }
        let mut plain = Plain { z, single: Vec::new(), clusters: HashMap::new() };
        for (id, point) in items {
            let has_room = |deeper: u32| counts[&(deeper, cell(point, deeper))] <= (crowd / 4_u64.pow(deeper)).max(1);
            if (0..6).any(has_room) {
                plain.single.push((id, point));
            } else {
                let (column, row) = cell(point, 5);
                plain.clusters.entry((column as u32, row as u32)).or_default().push(point);
            }
        }
        plain
    }

    /// The tiles that show anything: all of them at low zooms, else those with a point and the ones above and below.
    fn tiles(&self) -> Vec<Tile> {
        let last = (1_u32 << self.z) - 1;
        if self.z <= 4 {
            return (0..=last).flat_map(|x| (0..=last).map(move |y| (x, y))).map(|(x, y)| self.tile(x, y)).collect();
        }
        let points = self.single.iter().map(|(_, point)| point).chain(self.clusters.values().flatten());
        let homes: HashSet<Tile> = points.map(|&point| OnMap::of(point).tile(self.z).unwrap()).collect();
        let rows = |tile: &Tile| (tile.y().saturating_sub(1)..=(tile.y() + 1).min(last)).collect::<Vec<u32>>();
        let near = homes.iter().flat_map(|tile| rows(tile).into_iter().map(|y| self.tile(tile.x(), y)));
        near.collect::<HashSet<Tile>>().into_iter().collect()
    }

    fn tile(&self, x: u32, y: u32) -> Tile {
        Tile::new(self.z, x, y).unwrap()
    }

    /// Holds the answers of all tiles against what is there.
    fn assert_seen(&self, snapshot: &Arc<Snapshot>, query: &TileQuery, what: &str) {
        let mut seen_from: HashMap<Tile, Vec<(&str, i32, i32)>> = HashMap::new();
        let tiles = self.tiles();
        for (id, point) in &self.single {
            let Tiles { own, beside } = around(*point, self.z);
            for tile in beside.into_iter().chain([own]) {
                let places = OnMap::of(*point).seen_from(tile).map(|(x, y)| (id.as_str(), x, y));
                seen_from.entry(tile).or_default().extend(places);
            }
        }
        let mut clusters = HashSet::new();
        for tile in tiles {
            let answer = TileQuery { tile, ..query.clone() }.run(snapshot).unwrap();
            let items = answer.features().filter_map(|seen| seen.what.item().map(|item| (item.id(), seen.x, seen.y)));
            let mut items: Vec<(&str, i32, i32)> = items.collect();
            let mut expected = seen_from.remove(&tile).unwrap_or_default();
            items.sort_unstable();
            expected.sort_unstable();
            assert_eq!(items, expected, "{what} {tile:?}");
            for seen in answer.features() {
                let Feature::Cluster { count, centre } = seen.what else { continue };
                let cell = self.finest(centre);
                self.assert_cluster(cell, count, centre);
                assert!(!is_own(&seen) || clusters.insert(cell), "{what} {tile:?} shows {cell:?} again");
            }
        }
        assert!(seen_from.values().all(Vec::is_empty) || self.z > 4, "{what}: tiles that nobody asked for");
        assert_eq!(clusters.len(), self.clusters.len(), "{what} {}", self.z);
    }

    fn finest(&self, point: Point) -> (u32, u32) {
        let shift = 32 - u32::from(self.z) - 5;
        (curve::column(point.lon_deg()) >> shift, curve::row(point.lat_deg()) >> shift)
    }

    /// A cluster counts exactly the points of its cell, and stands where they are, to an eighth of the cell.
    fn assert_cluster(&self, cell: (u32, u32), count: u64, centre: Point) {
        let points = &self.clusters[&cell];
        assert_eq!(points.len() as u64, count);
        let width_deg = 360.0 / f64::from(1 << self.z) / 32.0;
        let mean = |value: fn(Point) -> f64| points.iter().map(|&point| value(point)).sum::<f64>() / count as f64;
        // Whole numbers twice: a grid cell of a point, and one of the mean.
        let two_grid_cells = 2.0 * 360.0 / 4_294_967_296.0;
        let allowed = two_grid_cells + if count <= 64 { 0.0 } else { width_deg / 8.0 };
        assert!((mean(Point::lon_deg) - centre.lon_deg()).abs() <= allowed, "{count} at {centre:?}");
        assert!((mean(Point::lat_deg) - centre.lat_deg()).abs() <= allowed / 2.0, "{count} at {centre:?}");
    }
}

struct Tiles {
    own: Tile,
    beside: HashSet<Tile>,
}

/// The tile a point lies in, and those round it.
fn around(point: Point, z: u8) -> Tiles {
    let own = OnMap::of(point).tile(z).unwrap();
    let tiles = 1_i64 << z;
    let mut beside = HashSet::new();
    for (east, south) in [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)] {
        let (x, y) = ((i64::from(own.x()) + east).rem_euclid(tiles), i64::from(own.y()) + south);
        if (0..tiles).contains(&y) {
            beside.insert(Tile::new(z, x as u32, y as u32).unwrap());
        }
    }
    beside.remove(&own);
    Tiles { own, beside }
}

#[test]
fn every_tile_shows_what_a_plain_look_at_all_points_says() {
    for generator in GENERATORS {
        let snapshot = lived(generator.name, 1_500).snapshot();
        for (z, crowd) in [(0, 1_000), (1, 50), (3, 500), (4, 1), (9, 50), (24, 2)] {
            let query = TileQuery::of(Tile::WORLD).crowded_over(crowd);
            let plain = Plain::look(&snapshot, z, u64::from(crowd), |_| true);
            plain.assert_seen(&snapshot, &query, generator.name);
        }
    }
}

#[test]
fn over_all_tiles_of_a_zoom_every_item_is_counted_once() {
    for generator in ["clustered", "pole_cap", "antimeridian_strip", "cell_edges"] {
        let snapshot = lived(generator, 30_000).snapshot();
        for z in 0..=5_u8 {
            let mut counted = 0;
            for (x, y) in (0..1 << z).flat_map(|x| (0..1 << z).map(move |y| (x, y))) {
                let answer = TileQuery::of(Tile::new(z, x, y).unwrap()).run(&snapshot).unwrap();
                counted += answer.features().filter(is_own).map(|seen| seen.what.count()).sum::<u64>();
            }
            assert_eq!(counted, snapshot.len() as u64, "{generator} {z}");
        }
    }
}

#[test]
fn a_filter_chooses_before_anything_is_counted() {
    let snapshot = lived("clustered", 6_000).snapshot();
    let query = TileQuery::of(Tile::WORLD).matching(Filter::parse("n < 1500").unwrap()).crowded_over(100);
    let is_wanted = |item: &ItemRef<'_>| item.id()[1..].parse::<u32>().unwrap() < 1500;
    for z in [0, 3, 10] {
        Plain::look(&snapshot, z, 100, is_wanted).assert_seen(&snapshot, &query, "filtered");
    }
    let narrow = TileQuery { filtered_max: 5_000, ..query };
    let refusal = narrow.run(&snapshot).unwrap_err().to_string();
    assert!(refusal.contains("5000") && refusal.contains("zoom in"), "{refusal}");
    let inland = OnMap::of(Point::new(48.85, 2.35).unwrap()).tile(12).unwrap();
    assert!(TileQuery { tile: inland, ..narrow }.run(&snapshot).is_ok());
}

#[test]
fn a_tile_does_not_tell_how_its_segments_came_about() {
    let lived = lived("clustered", 5_000).snapshot();
    let anew = Collection::new();
    let mut items: Vec<Change> = lived.items().map(|item| put(item.id()[1..].parse().unwrap(), item.point())).collect();
    items.reverse();
    anew.apply(1, items);
    let anew = anew.snapshot();
    assert!(lived.segments().len() > 1 && anew.segments().len() == 1);
    for (z, x, y) in [(0, 0, 0), (2, 2, 1), (5, 16, 11), (8, 129, 88)] {
        let query = TileQuery::of(Tile::new(z, x, y).unwrap()).crowded_over(60);
        let tell = |snapshot: &Arc<Snapshot>| {
            let answer = query.run(snapshot).unwrap();
            let tell = |seen: TileFeature<'_>| match seen.what {
                Feature::Item(item) => format!("{} {} {}", seen.x, seen.y, item.id()),
                Feature::Cluster { count, centre } => format!("{} {} {count} {centre:?}", seen.x, seen.y),
            };
            answer.features().map(tell).collect::<Vec<String>>()
        };
        assert_eq!(tell(&lived), tell(&anew));
    }
}

#[test]
fn ten_thousand_at_one_place_are_one_cluster_at_every_zoom() {
    let place = Point::new(51.5, -0.12).unwrap();
    let crowd = Collection::new();
    crowd.apply(1, (0..10_000).map(|number| put(number, place)).collect());
    let snapshot = crowd.snapshot();
    for z in 0..=24 {
        let tile = OnMap::of(place).tile(z).unwrap();
        let answer = TileQuery::of(tile).run(&snapshot).unwrap();
        let features: Vec<TileFeature<'_>> = answer.features().collect();
        assert_eq!(features.len(), 1, "{z}");
        assert_eq!(features[0].what.count(), 10_000);
        // 2 000 of them would be shown one by one.
        let answer = TileQuery::of(tile).crowded_over(10_000).run(&snapshot).unwrap();
        assert_eq!(answer.features().filter_map(|seen| seen.what.item()).count(), 10_000);
    }
}

#[test]
fn an_empty_collection_has_empty_tiles() {
    let answer = TileQuery::of(Tile::WORLD).run(&Collection::new().snapshot()).unwrap();
    assert_eq!(answer.features().len(), 0);
}
