//! How a box lies to a polygon: never more than is true, and seldom less than can be known.

use nigh::geometry::{Edges, Overlap, Polygon, Rect};

use super::shapes::{Random, Rings, candidate_lon, closed, coast, tangle, troublesome};
use super::whole_numbers::check_against_whole_numbers_rounded;
use super::{holds, planar};

/// A box somewhere about a polygon, of any size.
fn some_box(random: &mut Random, polygons: &[Rings]) -> Rect {
    let (lat, lon) = troublesome(random, polygons);
    let size = 180.0 * 0.5_f64.powi(random.below(20) as i32);
    let (height, width) = (size * random.share(), (2.0 * size * random.share()).min(360.0));
    let west = if random.below(9) == 0 { -180.0 } else { lon };
    let south = (lat - if random.below(2) == 0 { height } else { 0.0 }).max(-90.0);
    let north = if random.below(9) == 0 { 90.0 } else { (lat + height).min(90.0) };
    Rect::from_corners(south, west, north, west + width).unwrap()
}

fn check_overlap(seed: u64, polygons: &[Rings], boxes: usize) {
    let mut random = Random(seed ^ 0xB0);
    for edges in Edges::ALL {
        let Ok(polygon) = Polygon::new(polygons, edges) else { continue };
        for prepared in [polygon.prepare(), polygon.prepare_for(0)] {
            for _ in 0..boxes {
                let rect = some_box(&mut random, polygons);
                let overlap = prepared.overlap(rect);
                for sample in 0..30 {
                    let share = |random: &mut Random| [0.0, 1.0, random.share()][random.below(3)];
                    let lat = rect.south() + (rect.north() - rect.south()) * share(&mut random);
                    let lon = candidate_lon(rect.west() + (rect.east() - rect.west()) * share(&mut random));
                    let (lat, lon) = if sample < 20 { (lat, lon) } else { troublesome(&mut random, polygons) };
                    if !rect.holds(lat, lon) {
                        continue;
                    }
                    let inside = holds(&prepared, lat, lon);
                    let wrong = overlap == if inside { Overlap::Outside } else { Overlap::Inside };
                    assert!(
                        !wrong,
                        "seed {seed} {edges}: {overlap:?} {rect:?} but {lat:?} {lon:?} is {inside} in {polygons:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn overlap_never_says_more_than_is_true() {
    for seed in 60_000..60_400 {
        let mut random = Random(seed);
        let (west, width) = [(-180.0, 360.0), (150.0, 60.0), (-10.0, 20.0)][random.below(3)];
        let (south, height) = [(-90.0, 180.0), (70.0, 20.0), (-3.0, 7.0)][random.below(3)];
        let step = [0.0, 1.0, 10.0][random.below(3)];
        let mut polygons = vec![];
        for _ in 0..1 + random.below(2) {
            let vertices = 3 + random.below(40);
            polygons.push(vec![tangle(&mut random, vertices, west, width, south, height, step)]);
        }
        check_overlap(seed, &polygons, 30);
    }
}

#[test]
fn overlap_is_seldom_vague_on_a_coast() {
    for vertices in [10, 100, 3_000] {
        let polygons = vec![vec![coast(vertices, 10.0, 20.0, 30.0)]];
        let mut random = Random(vertices as u64);
        let prepared = planar(&polygons).prepare();
        let (mut uniform, mut vague) = (0, 0);
        for _ in 0..5_000 {
            // A hundredth of the frame on a side, as leaves of an index are.
            let (south, west) = (random.between(-25.0, 45.0), random.between(-15.0, 55.0));
            let rect = Rect::from_corners(south, west, south + 0.6, west + 0.6).unwrap();
            let mut seen = [false; 2];
            for i in 0..=20 {
                for j in 0..=20 {
                    seen[usize::from(holds(&prepared, south + 0.03 * f64::from(i), west + 0.03 * f64::from(j)))] = true;
                }
            }
            if seen != [true, true] {
                uniform += 1;
                vague += usize::from(prepared.overlap(rect) == Overlap::Boundary);
            }
        }
        println!("{vertices} vertices: {vague} of {uniform} boxes of one kind are called boundary");
        assert!(vague * 100 < uniform * 3, "{vertices}: {vague} of {uniform}");
    }
}

#[test]
fn a_detailed_island_far_away_is_divided_by_itself() {
    let polygons = vec![
        vec![closed(vec![[-60.0, -10.0], [60.0, -10.0], [60.0, 60.0], [-60.0, 60.0]])],
        vec![coast(5_000, -20.0, 160.0, 0.01)],
    ];
    check_against_whole_numbers_rounded(9, &polygons, 3_000);
    check_overlap(9, &polygons, 300);
}
