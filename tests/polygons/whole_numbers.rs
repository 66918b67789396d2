//! The even-odd rule for planar edges in whole numbers.
//!
//! Every coordinate is a multiple of 2^-52 degrees, so a cross product of differences fits `i128` and is exact. Edges are
//! counted towards the *north*; the library counts towards the south.

use super::shapes::{GRAINS, Random, Rings, troublesome, whole_grains};
use super::{holds, planar};

pub(crate) fn check_against_whole_numbers(seed: u64, polygons: &[Rings], candidates: usize) {
    let mut random = Random(seed ^ 0xC0FFEE);
    let polygon = planar(polygons);
    let frame = polygon.frame();
    let (full, lean) = (polygon.prepare(), polygon.prepare_for(0));
    for _ in 0..candidates {
        let (lat, lon) = troublesome(&mut random, polygons);
        let expected = holds_exactly(polygons, lat, lon);
        let story = || format!("seed {seed}: lat {lat:?} lon {lon:?} in {polygons:?}");
        assert_eq!(holds(&full, lat, lon), expected, "{}", story());
        assert_eq!(holds(&lean, lat, lon), expected, "prepared for few: {}", story());
        assert!(!expected || frame.holds(lat, lon), "outside of the frame {frame:?}: {}", story());
    }
}

/// The same, for shapes whose coordinates come from sines: they are brought to whole grains first.
pub(crate) fn check_against_whole_numbers_rounded(seed: u64, polygons: &[Rings], candidates: usize) {
    let whole = |ring: &Vec<[f64; 2]>| ring.iter().map(|p| [whole_grains(p[0]), whole_grains(p[1])]).collect();
    let polygons: Vec<Rings> = polygons.iter().map(|rings| rings.iter().map(whole).collect()).collect();
    check_against_whole_numbers(seed, &polygons, candidates);
}

const TURN: i128 = 360 << 52;

fn grains(deg: f64) -> i128 {
    let scaled = deg * GRAINS;
    assert_eq!(scaled.fract(), 0.0, "{deg} is no multiple of 2^-52");
    scaled as i128
}

/// Positions on the unrolled earth, the closing one included.
fn unrolled(ring: &[[f64; 2]]) -> Vec<(i128, i128)> {
    let mut line: Vec<(i128, i128)> = vec![(grains(ring[0][0]), grains(ring[0][1]))];
    for pair in ring.windows(2) {
        let mut step = grains(pair[1][0]) - grains(pair[0][0]);
        while step > TURN / 2 {
            step -= TURN;
        }
        while step < -TURN / 2 {
            step += TURN;
        }
        line.push((line[line.len() - 1].0 + step, grains(pair[1][1])));
    }
    line
}

/// Whether the ring has the north pole on its inner side.
fn holds_north(line: &[(i128, i128)]) -> bool {
    let round = line[line.len() - 1].0 - line[0].0;
    assert_eq!(round % TURN, 0);
    if (round / TURN) % 2 == 0 {
        return false;
    }
    // The mean latitude has the sign of the sum weighted by the longitude covered.
    let sum: f64 = line.windows(2).map(|p| (p[0].1 + p[1].1) as f64 * (p[1].0 - p[0].0).abs() as f64).sum();
    sum >= 0.0
}

fn holds_exactly(polygons: &[Rings], lat: f64, lon: f64) -> bool {
    polygons.iter().any(|rings| holds_one(rings, lat, lon))
}

fn holds_one(rings: &Rings, lat: f64, lon: f64) -> bool {
    let mut odd = false;
    for ring in rings {
        let line = unrolled(ring);
        if lat.abs() == 90.0 && line.iter().any(|place| place.1 == grains(lat)) {
            return true;
        }
        let round = (line[line.len() - 1].0 - line[0].0) / TURN;
        // A ring that goes round holds one pole and not the other.
        odd ^= if lat == -90.0 { round % 2 != 0 && !holds_north(&line) } else { holds_north(&line) };
        if lat.abs() == 90.0 {
            continue;
        }
        for turn in -9..=9 {
            let point = (grains(lon) + turn * TURN, grains(lat));
            for pair in line.windows(2) {
                let (a, b) = if pair[0].0 <= pair[1].0 { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
                let cross = (b.0 - a.0) * (point.1 - a.1) - (b.1 - a.1) * (point.0 - a.0);
                let between_lats = a.1.min(b.1) <= point.1 && point.1 <= a.1.max(b.1);
                if cross == 0 && a.0 <= point.0 && point.0 <= b.0 && between_lats {
                    return true;
                }
                // An end counts eastwards of itself only: the other choice than the library's.
                if a.0 < point.0 && point.0 <= b.0 && cross < 0 {
                    odd = !odd;
                }
            }
        }
    }
    odd
}
