//! Planar edges: tangles, holes, many vertices and places exactly on an edge.

use geo::{Intersects, LineString, MultiPolygon, Point as GeoPoint};
use nigh::geometry::{Edges, Polygon};

use super::shapes::{Random, Rings, candidate_lon, closed, coast, tangle, troublesome, whole_grains};
use super::whole_numbers::check_against_whole_numbers;
use super::{holds, planar};

#[test]
fn tangled_rings_anywhere_agree_with_whole_numbers() {
    for seed in 0..3_000 {
        let mut random = Random(seed);
        let vertices = 3 + random.below(14);
        let step = [0.0, 1.0, 10.0, 30.0, 45.0][random.below(5)];
        let (west, width) =
            [(-180.0, 360.0), (-360.0, 720.0), (150.0, 60.0), (-190.0, 20.0), (-5.0, 10.0)][random.below(5)];
        let (south, height) = [(-90.0, 180.0), (70.0, 20.0), (-90.0, 15.0), (-3.0, 7.0)][random.below(4)];
        let ring = tangle(&mut random, vertices, west, width, south, height, step);
        if Polygon::new(&[vec![ring.clone()]], Edges::Planar).is_ok() {
            check_against_whole_numbers(seed, &[vec![ring]], 60);
        }
    }
}

#[test]
fn multipolygons_with_holes_that_overlap_touch_and_repeat_agree_with_whole_numbers() {
    for seed in 10_000..12_000 {
        let mut random = Random(seed);
        let step = [0.0, 1.0, 5.0, 10.0][random.below(4)];
        let (west, south) = ([-180.0, 150.0, -200.0, -20.0][random.below(4)], [-90.0, 50.0, -20.0][random.below(3)]);
        let mut polygons: Vec<Rings> = vec![];
        for _ in 0..1 + random.below(4) {
            let rings = 1 + random.below(3);
            polygons.push(
                (0..rings)
                    .map(|_| {
                        let vertices = 3 + random.below(8);
                        tangle(&mut random, vertices, west, 60.0, south, 40.0, step)
                    })
                    .collect(),
            );
        }
        if random.below(4) == 0 {
            polygons.push(polygons[0].clone());
        }
        if Polygon::new(&polygons, Edges::Planar).is_ok() {
            check_against_whole_numbers(seed, &polygons, 60);
        }
    }
}

#[test]
fn rings_of_many_vertices_and_rings_round_a_pole_agree_with_whole_numbers() {
    for seed in 20_000..20_060 {
        let mut random = Random(seed);
        let vertices = 20 + random.below(400);
        let base = [-60.0, -5.0, 0.0, 30.0, 80.0][random.below(5)];
        let wild = [1.0, 8.0][random.below(2)];
        // Once (or oftener) round the axis, forwards and backwards, by uneven steps.
        let times = [1.0, 1.0, -1.0, 2.0, 3.0][random.below(5)];
        let start = random.between(-180.0, 180.0);
        let mut ring: Vec<[f64; 2]> = (0..vertices)
            .map(|i| {
                let lon = start + times * 360.0 * i as f64 / vertices as f64 + random.between(-wild, wild);
                let lat = (base + random.between(-wild, wild)).clamp(-90.0, 90.0);
                [whole_grains(candidate_lon(lon)), whole_grains(lat)]
            })
            .collect();
        if random.below(2) == 0 {
            ring[3][1] = [-90.0, 90.0][random.below(2)];
        }
        let mut polygons = vec![vec![closed(ring)]];
        if random.below(2) == 0 {
            polygons[0].push(tangle(&mut random, 12, -180.0, 360.0, -90.0, 180.0, 0.0));
        }
        if random.below(2) == 0 {
            polygons.push(vec![tangle(&mut random, 50, 120.0, 100.0, -90.0, 180.0, 5.0)]);
        }
        check_against_whole_numbers(seed, &polygons, 200);
    }
}

#[test]
fn points_exactly_on_an_edge_belong_to_the_polygon_and_their_neighbours_do_not() {
    // A thin triangle whose long edge passes exactly through multiples of (3, 1) · 2^-40.
    let unit = 1.0 / (1_u64 << 40) as f64;
    let rings = vec![vec![closed(vec![[0.0, 0.0], [3e9 * unit, 1e9 * unit], [0.0, 1.0]])]];
    let polygon = planar(&rings).prepare();
    for k in (1..1_000_000_000_u64).step_by(9_999_991) {
        let (lat, lon) = (k as f64 * unit, 3.0 * k as f64 * unit);
        assert!(holds(&polygon, lat, lon), "{k}");
        assert!(!holds(&polygon, lat.next_down(), lon), "{k}");
        assert!(holds(&polygon, lat.next_up(), lon), "{k}");
    }
}

#[test]
fn valid_polygons_agree_with_geo() {
    let mut random = Random(77);
    for vertices in [8, 60, 3_000] {
        let outer = coast(vertices, 10.0, 20.0, 30.0);
        let hole: Vec<[f64; 2]> = coast(vertices / 2, 10.0, 20.0, 8.0);
        let island = coast(vertices, -30.0, -60.0, 10.0);
        let polygons = vec![vec![outer, hole], vec![island]];
        let line = |ring: &Vec<[f64; 2]>| LineString::from(ring.iter().map(|p| (p[0], p[1])).collect::<Vec<_>>());
        let plain = MultiPolygon::new(
            polygons.iter().map(|r| geo::Polygon::new(line(&r[0]), r[1..].iter().map(line).collect())).collect(),
        );
        let prepared = planar(&polygons).prepare();
        for _ in 0..4_000 {
            let (lat, lon) = troublesome(&mut random, &polygons);
            assert_eq!(
                holds(&prepared, lat, lon),
                plain.intersects(&GeoPoint::new(lon, lat)),
                "{vertices}: {lat} {lon}"
            );
        }
    }
}
