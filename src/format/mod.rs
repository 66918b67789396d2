//! Text in and out: CSV rows come in, GeoJSON polygons come in, answers go out.
//!
//! What surprises: properties pass through as the JSON **text** they came as. Nothing here builds a tree of them, so what went
//! in comes out, to the last digit.
//!
//! Absent here: HTTP, files. Readers take any [`std::io::Read`], writers append to a buffer of the caller.
//!
//! # Adding a format for answers
//!
//! One new file that ends in a constant of type [`Format`]; then two neighbouring lines below, its `mod` and its place in
//! [`FORMATS`]. The `f` parameter and the `Accept` header loop over the list.

mod append;
mod compact;
pub mod csv;
mod fields;
pub mod geojson;
pub mod mvt;
pub mod ndjson;
pub mod tilejson;

pub use fields::Fields;

use crate::query::{Answer, AnswerHit, Explain};

/// Every format of answers, the default first.
pub static FORMATS: &[Format] = &[geojson::GEOJSON, compact::JSON];

/// A way to write answers down.
#[derive(Debug)]
pub struct Format {
    /// The name users write, lower case.
    pub name: &'static str,
    /// One sentence on what it looks like.
    pub summary: &'static str,
    /// What it is called on the web.
    pub media_type: &'static str,
    /// Appends a page of answers.
    pub write_page: fn(&mut Vec<u8>, &Page<'_>),
    /// Appends one item on its own.
    pub write_item: fn(&mut Vec<u8>, &AnswerHit<'_>, &Fields),
}

/// A page of answers, and what it says besides.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The answers.
    pub answer: &'a Answer,
    /// What is shown of each.
    pub fields: &'a Fields,
    /// Where the next page is, if there is one.
    pub next: Option<&'a str>,
    /// Whether to say what the answer took.
    pub explain: bool,
}

/// Appends what an answer took, as a JSON object.
pub fn write_explain(out: &mut Vec<u8>, explain: &Explain) {
    let Explain { kind, because, segments, nodes, boxes, runs, candidates, exact_tests, elapsed_us } = explain;
    append::plain(
        out,
        format_args!(
            r#"{{"index":"{kind}","because":"{because}","segments":{segments},"nodes":{nodes},"boxes":{boxes},"runs":{runs},"#
        ),
    );
    append::plain(
        out,
        format_args!(r#""candidates":{candidates},"exact_tests":{exact_tests},"elapsed_us":{elapsed_us}}}"#),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::{Change, Collection, Id, Item};
    use crate::collection::{Properties, Snapshot};
    use crate::geometry::Point;
    use crate::query::{Limit, Query};
    use std::sync::Arc;

    /// A collection of one item, from which it is read as answers are.
    pub(super) fn stored(id: &str, lat: f64, lon: f64, properties: &str) -> Arc<Snapshot> {
        let item = Item::new(Id::new(id).unwrap(), Point::new(lat, lon).unwrap());
        let one = Collection::new();
        one.apply(1, vec![Change::Put(item.with_properties(Properties::from_json(properties).unwrap()))]);
        one.snapshot()
    }

    #[test]
    fn every_format_counts_links_to_the_next_page_and_explains() {
        let places = Collection::new();
        let put = |id: &str, lat| Change::Put(Item::new(Id::new(id).unwrap(), Point::new(lat, 0.0).unwrap()));
        places.apply(1, vec![put("a", 1.0), put("b", 2.0), put("c", 3.0)]);
        let query = Query::near(Point::new(0.0, 0.0).unwrap()).in_pages_of(Limit::new(2).unwrap());
        let answer = query.run(&places.snapshot()).unwrap();
        for format in FORMATS {
            let next = "/near?cursor=\"x\"";
            let mut out = Vec::new();
            let page = Page { answer: &answer, fields: &Fields::all(), next: Some(next), explain: true };
            (format.write_page)(&mut out, &page);
            let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
            let text = json.to_string();
            let counted = ["matched", "numberMatched"].iter().any(|name| json[name] == 3);
            assert!(counted && text.contains(r#"cursor=\"x\""#), "{}: {text}", format.name);
            assert_eq!(json["explain"]["index"], answer.explain.kind, "{}", format.name);
        }
    }

    #[test]
    fn an_empty_answer_has_empty_lists() {
        let answer = Query::default().run(&Collection::new().snapshot()).unwrap();
        for (format, list) in FORMATS.iter().zip(["features", "items"]) {
            let mut out = Vec::new();
            (format.write_page)(
                &mut out,
                &Page { answer: &answer, fields: &Fields::all(), next: None, explain: false },
            );
            let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(json[list], serde_json::json!([]), "{}", format.name);
        }
    }
}
