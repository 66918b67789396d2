//! What making a polygon ready costs grows with its vertices and no faster, however hostile the shape. Counted in edges laid,
//! never in time.
//!
//! What surprises: three of these shapes once took memory by the square of their vertices, and ended the process at 100 000.

use nigh::geometry::{Edges, Polygon};

use super::shapes::{Random, Rings, closed, comb, star};

/// The most times that a vertex is laid into a grid.
const TIMES: usize = 100;

fn box_of([west, south, east, north]: [f64; 4]) -> Vec<[f64; 2]> {
    closed(vec![[west, south], [east, south], [east, north], [west, north]])
}

fn islands(count: usize, edges: impl Fn(f64) -> [f64; 4]) -> Vec<Rings> {
    (0..count).map(|number| vec![box_of(edges(number as f64))]).collect()
}

/// Specks on the degrees from `west` and `south`, with so much between them.
fn specks(count: usize, west: f64, south: f64, step: [f64; 2]) -> Rings {
    let speck = |number: usize| {
        let (lon, lat) = (west + (number % 50) as f64 * step[0], south + (number / 50) as f64 * step[1]);
        box_of([lon, lat, lon + step[0] / 2.0, lat + step[1] / 2.0])
    };
    (0..count).map(speck).collect()
}

/// Shapes of about so many vertices.
fn hostile(vertices: usize) -> Vec<(&'static str, Vec<Rings>)> {
    let (quarter, mut random) = (vertices / 4, Random(7));
    let tangle = |random: &mut Random, count: usize, [west, south, east, north]: [f64; 4]| {
        closed((0..count).map(|_| [random.between(west, east), random.between(south, north)]).collect())
    };
    let few = (vertices as f64).sqrt() as usize * 4;
    let there_and_back = |from: [f64; 2], to: [f64; 2], by: f64| {
        closed((0..few).map(|at| if at % 2 == 0 { [from[0], from[1] + at as f64 * by] } else { to }).collect())
    };
    vec![
        ("a star", vec![vec![star(vertices)]]),
        ("a comb", vec![vec![comb(vertices)]]),
        ("a tangle", vec![vec![tangle(&mut random, vertices, [-170.0, -80.0, 170.0, 80.0])]]),
        ("a tangle at a pole", vec![vec![tangle(&mut random, vertices, [-180.0, 89.91, 180.0, 89.99])]]),
        ("islands that are one", islands(quarter, |_| [-5.0, -5.0, 5.0, 5.0])),
        (
            "islands within islands",
            islands(quarter, |n| [-5.0 - n * 1e-4, -5.0 - n * 1e-4, 5.0 + n * 1e-4, 5.0 + n * 1e-4]),
        ),
        ("islands with one eastern coast", islands(quarter, |n| [n * 1e-7, -10.0, 50.0, 10.0])),
        ("tall islands within islands", islands(quarter, |n| [-1e-9 * n, -50.0, 1e-9 * n, 50.0])),
        ("arcs over a pole, and specks", {
            let mut rings = vec![there_and_back([0.0, 5.0], [179.0, 5.0], 1e-6)];
            rings.extend(specks(quarter, 60.0, 10.0, [1.0, 0.1]));
            vec![rings]
        }),
        ("a tangle at a pole, and specks", {
            let mut rings = vec![tangle(&mut random, few, [-180.0, 89.91, 180.0, 89.99])];
            rings.extend(specks(quarter, -170.0, 89.92, [6.0, 1e-5]));
            vec![rings]
        }),
        ("everything within a hundredth of a millimetre", {
            let mut rings = vec![there_and_back([0.0, 0.0], [1e-10, 1e-10], 1e-15)];
            rings.extend(specks(quarter, 0.0, 0.0, [2e-12, 2e-13]));
            vec![rings]
        }),
    ]
}

#[test]
fn making_a_polygon_ready_costs_in_proportion_to_its_vertices() {
    for vertices in [1_000, 40_000] {
        for (name, polygons) in hostile(vertices) {
            for edges in Edges::ALL {
                let polygon = Polygon::new(&polygons, edges).unwrap();
                let laid = polygon.prepare().times_laid();
                assert!(laid <= TIMES * polygon.vertex_count(), "{name}, {edges}, {vertices}: {laid}");
            }
        }
    }
}
