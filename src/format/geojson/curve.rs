//! The curve along which all points stand, as GeoJSON lines for a map.

use crate::format::append;
use crate::geometry::Point;
use crate::index::{CurveLine, Stretch};

/// Appends the curve in a frame as a FeatureCollection of lines. A single cell is no line, and left out.
pub fn write_curve(out: &mut Vec<u8>, curve: &CurveLine) {
    let CurveLine { level, stretches, complete } = curve;
    let lines = || stretches.iter().filter(|stretch| stretch.line.len() > 1);
    let returned = lines().count();
    append::plain(
        out,
        format_args!(
            r#"{{"type":"FeatureCollection","level":{level},"numberReturned":{returned},"complete":{complete},"features":["#
        ),
    );
    append::separated(out, lines(), write_stretch);
    out.extend_from_slice(b"]}");
}

fn write_stretch(out: &mut Vec<u8>, stretch: &Stretch) {
    out.extend_from_slice(br#"{"type":"Feature","geometry":{"type":"LineString","coordinates":["#);
    append::separated(out, stretch.line.iter(), write_position);
    let Stretch { first, cells, .. } = stretch;
    append::plain(out, format_args!(r#"]}},"properties":{{"first":{first},"cells":{cells}}}}}"#));
}

fn write_position(out: &mut Vec<u8>, point: &Point) {
    out.push(b'[');
    append::number(out, point.lon_deg());
    out.push(b',');
    append::number(out, point.lat_deg());
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;
    use crate::index::curve_through;

    #[test]
    fn the_first_level_is_one_line_through_four_cells() {
        let mut out = Vec::new();
        write_curve(&mut out, &curve_through(Rect::WORLD, Some(1), 10));
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&json["level"], &json["complete"], &json["numberReturned"]), (&1.into(), &true.into(), &1.into()));
        assert_eq!(
            json["features"][0]["geometry"]["coordinates"],
            serde_json::json!([[-90.0, -45.0], [-90.0, 45.0], [90.0, 45.0], [90.0, -45.0]])
        );
        assert_eq!(json["features"][0]["properties"], serde_json::json!({"first": 0, "cells": 4}));
        out.clear();
        write_curve(&mut out, &curve_through(Rect::WORLD, Some(0), 10));
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(json["features"], serde_json::json!([]));
    }
}
