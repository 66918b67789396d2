//! The walk of a query through an index, as GeoJSON for a map.

use super::write_box;
use crate::format::{append, write_explain};
use crate::query::{Fate, Walk, WalkedCell};

/// Appends a walk as a FeatureCollection of boxes, each with what became of it.
pub fn write_walk(out: &mut Vec<u8>, walk: &Walk) {
    let Walk { matched, explain, counts, cells, complete } = walk;
    append::plain(
        out,
        format_args!(
            r#"{{"type":"FeatureCollection","kind":"{}","matched":{matched},"numberReturned":{},"complete":{complete}"#,
            explain.kind,
            cells.len()
        ),
    );
    append::plain(
        out,
        format_args!(
            r#","counts":{{"pruned":{},"pruned_at_a_glance":{},"opened":{},"whole":{},"tested":{},"points_tested":{},"accepted_whole":{},"accepted_tested":{}}},"explain":"#,
            counts.pruned,
            counts.pruned_at_a_glance,
            counts.opened,
            counts.whole,
            counts.tested,
            counts.points_tested,
            counts.accepted_whole,
            counts.accepted_tested
        ),
    );
    write_explain(out, explain);
    out.extend_from_slice(br#","features":["#);
    append::separated(out, cells.iter(), write_walked);
    out.extend_from_slice(b"]}");
}

fn write_walked(out: &mut Vec<u8>, cell: &WalkedCell) {
    write_box(out, cell.rect);
    let WalkedCell { fate, level, points, accepted, segment, order, .. } = cell;
    append::plain(
        out,
        format_args!(
            r#","properties":{{"verdict":"{}","level":{level},"points":{points},"accepted":{accepted},"segment":{segment},"order":{order}"#,
            fate.name()
        ),
    );
    if *fate == Fate::Pruned {
        append::plain(out, format_args!(r#","at_a_glance":{}"#, cell.at_a_glance));
    }
    if let Some(label) = &cell.label {
        out.extend_from_slice(br#","label":"#);
        append::text(out, label);
    }
    out.extend_from_slice(b"}}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;
    use crate::query::{Explain, WalkCounts};

    #[test]
    fn a_cell_says_what_became_of_it() {
        let rect = Rect::from_corners(-10.0, 170.0, 10.0, 180.0).unwrap();
        let cell = |fate, label: Option<&str>| WalkedCell {
            fate,
            rect,
            level: 2,
            points: 32,
            accepted: 7,
            label: label.map(str::to_owned),
            segment: 1,
            order: 9,
            at_a_glance: fate == Fate::Pruned,
        };
        let counts =
            WalkCounts { pruned: 1, pruned_at_a_glance: 1, tested: 1, points_tested: 32, ..Default::default() };
        let explain = Explain { kind: "geohash", ..Explain::default() };
        let cells = vec![cell(Fate::Pruned, None), cell(Fate::Tested, Some("x\"y"))];
        let mut out = Vec::new();
        write_walk(&mut out, &Walk { matched: 7, explain, counts, cells, complete: true });
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&json["kind"], &json["matched"], &json["complete"]), (&"geohash".into(), &7.into(), &true.into()));
        assert_eq!((&json["counts"]["points_tested"], &json["explain"]["index"]), (&32.into(), &"geohash".into()));
        let [pruned, tested] = [0, 1].map(|at| &json["features"][at]["properties"]);
        assert_eq!((&pruned["verdict"], &pruned["at_a_glance"]), (&"pruned".into(), &true.into()));
        assert_eq!((&tested["verdict"], &tested["label"]), (&"tested".into(), &"x\"y".into()));
        assert!(tested["at_a_glance"].is_null() && pruned["label"].is_null());
        let ring = json["features"][0]["geometry"]["coordinates"][0].as_array().unwrap();
        assert_eq!((ring.len(), &ring[0], &ring[2]), (5, &ring[4], &serde_json::json!([180.0, 10.0])));
    }
}
