//! Where the points lie, as a grid shaded by number, once; and over it the cells of each kind.

use std::fmt::Write;

use super::markup::{Look, coordinate, figure, text};
use crate::geometry::Rect;
use crate::geometry::maths::ln;
use crate::measure::{CellsOfKind, Map, figure as digits};

const WIDTH: f64 = 420.0;

/// Room below for the names of the edges.
const EDGE: f64 = 20.0;

/// Shades, the lightest first.
const SHADES: [&str; 5] = ["d1", "d2", "d3", "d4", "d5"];

/// A map for each kind that can be chosen.
pub(super) fn maps(map: &Map, looks: &[Look<'_>]) -> String {
    let height = WIDTH / map.shape;
    let mut out =
        format!(r#"<svg class="store" aria-hidden="true"><symbol id="points">{}</symbol></svg>"#, shaded(map, height));
    for own in &map.kinds {
        let class = looks.iter().find(|look| look.name == own.kind).map_or("kr", |look| look.class);
        out += &one(map, own, class, height);
    }
    out
}

fn one(map: &Map, own: &CellsOfKind, class: &str, height: f64) -> String {
    let [west, south, east, north] = edges(map.frame);
    let mut outlines = String::new();
    for cell in &own.cells {
        outlines += &outline(map.frame, *cell, height);
    }
    let mut drawn = format!(r#"<rect class="sheet" width="{WIDTH}" height="{}"/>"#, coordinate(height));
    drawn += r##"<use href="#points"/>"##;
    // A String takes everything.
    let _ = write!(drawn, r#"<path class="cells {class}" d="{outlines}"/>"#);
    drawn += &text(0.0, height + 15.0, "tick", &format!("{west} to {east}"));
    drawn += &text(WIDTH, height + 15.0, "tick end", &format!("{south} to {north}"));
    let count = own.cells.len();
    let caption = match own.level {
        0 => "No cells: the whole is one.".to_owned(),
        level => format!(
            "{} cells, {level} levels under the root, as the directory has them.",
            digits(count as f64).replace(".00", "").replace(".0", "")
        ),
    };
    let described = format!("Map of the points with the cells of {}", own.kind);
    figure(own.kind, &described, WIDTH, height + EDGE, &drawn, &caption)
}

/// Runs of equal shade become one rectangle each, all of a shade one path.
fn shaded(map: &Map, height: f64) -> String {
    let most = map.counts.iter().copied().max().unwrap_or(0);
    let shade = |count: u32| match count {
        0 => None,
        _ if most <= 1 => Some(2),
        _ => Some(((ln(f64::from(count)) / ln(f64::from(most)) * SHADES.len() as f64) as usize).min(SHADES.len() - 1)),
    };
    let mut paths = [const { String::new() }; SHADES.len()];
    for (row, counts) in map.counts.chunks(map.columns).enumerate() {
        let mut column = 0;
        for run in counts.chunk_by(|a, b| shade(*a) == shade(*b)) {
            if let Some(shade) = shade(run[0]) {
                let width = run.len();
                let _ = write!(paths[shade], "M{column} {row}h{width}v1h-{width}z");
            }
            column += run.len();
        }
    }
    let (wide, high) = (WIDTH / map.columns as f64, height / map.rows as f64);
    let mut out = format!(r#"<g transform="scale({wide:.5} {high:.5})">"#);
    for (class, path) in SHADES.iter().zip(&paths).filter(|(_, path)| !path.is_empty()) {
        let _ = write!(out, r#"<path class="{class}" d="{path}"/>"#);
    }
    out + "</g>"
}

/// The outline of a cell, in two where it crosses the antimeridian.
fn outline(frame: Rect, cell: Rect, height: f64) -> String {
    let mut out = String::new();
    for turn_deg in [0.0, -360.0] {
        let x = |lon_deg: f64| {
            ((lon_deg + turn_deg - frame.west()) / (frame.east() - frame.west())).clamp(0.0, 1.0) * WIDTH
        };
        let y = |lat_deg: f64| ((frame.north() - lat_deg) / (frame.north() - frame.south())).clamp(0.0, 1.0) * height;
        let (left, right, top, bottom) = (x(cell.west()), x(cell.east()), y(cell.north()), y(cell.south()));
        if right > left || (turn_deg == 0.0 && bottom > top) {
            let (wide, high) = (coordinate(right - left), coordinate(bottom - top));
            let _ = write!(out, "M{} {}h{wide}v{high}h-{wide}z", coordinate(left), coordinate(top));
        }
    }
    out
}

/// The edges of a map as people write them.
fn edges(frame: Rect) -> [String; 4] {
    let degrees = |value: f64, ahead: &str, behind: &str| {
        let decimals = if frame.north() - frame.south() > 5.0 { 0 } else { 3 };
        format!("{:.decimals$}° {}", value.abs(), if value < 0.0 { behind } else { ahead })
    };
    [
        degrees(frame.west(), "E", "W"),
        degrees(frame.south(), "N", "S"),
        degrees(frame.east(), "E", "W"),
        degrees(frame.north(), "N", "S"),
    ]
}
