//! Text in and out: items come in as CSV, lines of JSON or GeoJSON, polygons as GeoJSON, and answers go out.
//!
//! What surprises: properties pass through as the JSON **text** they came as. Nothing here builds a tree of them, so what went
//! in comes out, to the last digit.
//!
//! Absent here: HTTP, files. Readers take any [`std::io::Read`], writers append to a buffer of the caller.
//!
//! ```
//! use nigh::format::{ReadOptions, sniff, sniff_coding};
//! let bytes = b"id,lat,lon,ttl\na,48.857,2.352,2h\nb,91,2.3,\n";
//! assert!(sniff_coding(bytes).is_none(), "not compressed");
//! let reader = sniff(bytes).unwrap();
//! let rows = (reader.open)(Box::new(&bytes[..]), &ReadOptions::default())?;
//! let (mut items, mut rejected) = (Vec::new(), Vec::new());
//! for row in rows {
//!     match row? {
//!         Ok(item) => items.push(item),
//!         Err(row) => rejected.push((row.line, row.code)),
//!     }
//! }
//! assert_eq!((items.len(), rejected), (1, vec![(3, "bad-latitude")]));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Adding a format for answers
//!
//! One new file that ends in a constant of type [`Format`]; then two neighbouring lines below, its `mod` and its place in
//! [`FORMATS`]. The `f` parameter and the `Accept` header loop over the list.
//!
//! # Adding a format for items that come in
//!
//! The same with a constant of type [`Reader`] and [`READERS`], and how [`sniff`] knows it. A compression is a [`Coding`] in
//! [`CODINGS`].

mod ahead;
mod append;
mod batch;
mod coding;
mod compact;
pub mod csv;
mod decimal;
pub mod events;
mod fields;
pub mod geojson;
mod item;
mod lines;
mod moment;
pub mod mvt;
pub mod ndjson;
mod reader;
mod rejected;
mod row;
pub mod tilejson;

pub use ahead::read_ahead;
pub use batch::{Batch, RowRef};
pub use coding::{CODINGS, Coding, coding_for_file, coding_named, sniff_coding};
pub use fields::Fields;
pub(crate) use fields::each_member;
pub use item::{Expires, Incoming, read_item, row_id};
pub use moment::{MomentError, parse_duration, parse_moment};
pub use reader::{
    Batches, FILE_PROBLEMS, HeaderError, ReadOptions, Reader, Rows, Source, reader_for_file, reader_for_media_type,
    reader_named, sniff,
};
pub use rejected::{Fault, ROW_PROBLEMS, Rejected, RowProblem};
pub use row::Row;

use crate::query::{Answer, AnswerHit, Explain};

/// Every format of answers, the default first.
pub static FORMATS: &[Format] = &[geojson::GEOJSON, compact::JSON, ndjson::NDJSON, csv::CSV];

/// Every format of items that come in.
pub static READERS: &[Reader] = &[csv::READER, ndjson::READER, geojson::READER];

/// What stands before the name of a property in CSV when the name alone would mean something else.
const PROPERTIES_PREFIX: &str = "properties.";

/// A way to write answers down.
#[derive(Debug)]
pub struct Format {
    /// The name users write, lower case.
    pub name: &'static str,
    /// One sentence on what it looks like.
    pub summary: &'static str,
    /// What it is called on the web.
    pub media_type: &'static str,
    /// Whether a page is its items and nothing else: counts, links and what the answer took have no place in it.
    pub rows_only: bool,
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
    /// Where this page and its neighbours are; the next one is there if there are more answers.
    pub links: &'a [Link<'a>],
    /// Whether to say what the answer took.
    pub explain: bool,
}

impl<'a> Page<'a> {
    /// Where the next page is, if there is one.
    fn next(&self) -> Option<&'a str> {
        self.links.iter().find(|link| link.rel == Link::NEXT).map(|link| link.href)
    }
}

/// Where something that belongs to a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link<'a> {
    /// What it is to the page, such as [`Link::NEXT`].
    pub rel: &'static str,
    /// Where it is.
    pub href: &'a str,
}

impl Link<'_> {
    /// The page after this one.
    pub const NEXT: &'static str = "next";
    /// This page.
    pub const SELF: &'static str = "self";
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

    fn page_of(answer: &Answer, links: &[Link<'_>], format: &Format) -> String {
        let mut out = Vec::new();
        (format.write_page)(&mut out, &Page { answer, fields: &Fields::all(), links, explain: true });
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_format_with_room_counts_links_to_the_next_page_and_explains() {
        let places = Collection::new();
        let put = |id: &str, lat| Change::Put(Item::new(Id::new(id).unwrap(), Point::new(lat, 0.0).unwrap()));
        places.apply(1, vec![put("a", 1.0), put("b", 2.0), put("c", 3.0)]);
        let query = Query::near(Point::new(0.0, 0.0).unwrap()).in_pages_of(Limit::new(2).unwrap());
        let answer = query.run(&places.snapshot()).unwrap();
        let links =
            [Link { rel: Link::SELF, href: "/near?a=\"b\"" }, Link { rel: Link::NEXT, href: "/near?cursor=\"x\"" }];
        for format in FORMATS.iter().filter(|format| !format.rows_only) {
            let text = page_of(&answer, &links, format);
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            let counted = ["matched", "numberMatched"].iter().any(|name| json[name] == 3);
            assert!(counted && text.contains(r#"cursor=\"x\""#), "{}: {text}", format.name);
            assert_eq!(json["explain"]["index"], answer.explain.kind, "{}", format.name);
        }
        for format in FORMATS.iter().filter(|format| format.rows_only) {
            let text = page_of(&answer, &links, format);
            assert!(!text.contains("cursor") && text.contains('a') && text.contains('b'), "{}: {text}", format.name);
        }
    }

    #[test]
    fn an_empty_answer_has_empty_lists_or_no_rows() {
        let answer = Query::default().run(&Collection::new().snapshot()).unwrap();
        let pages: Vec<String> = FORMATS.iter().map(|format| page_of(&answer, &[], format)).collect();
        for (page, list) in pages.iter().zip(["features", "items"]) {
            let json: serde_json::Value = serde_json::from_str(page).unwrap();
            assert_eq!(json[list], serde_json::json!([]));
        }
        assert_eq!(pages[2..], ["", "id,lat,lon\n"]);
    }
}
