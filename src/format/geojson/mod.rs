//! GeoJSON out for answers, GeoJSON polygons in for questions, features in as items. Longitude comes first here, and nowhere
//! else.
//!
//! What surprises: nothing is serialised. An answer is appended to a buffer piece by piece, with the properties as the text they
//! came in, because building a tree for each point would cost more than finding it.
//!
//! *References*: RFC 7946; OGC API Features (OGC 17-069r4, 7.15) for `numberMatched`, `numberReturned` and `links`.

mod curve;
mod features;
mod plain;
mod walk;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use thiserror::Error;

use super::{Fields, Format, Page, append, write_explain};
use crate::geometry::Rect;
use crate::index::DirectoryCell;
use crate::query::AnswerHit;

pub use curve::write_curve;
pub use features::Features;
pub(super) use features::READER;
pub use plain::read_plain_polygons;
pub use walk::write_walk;

/// The registered format.
pub(super) const GEOJSON: Format = Format {
    name: "geojson",
    summary: "a GeoJSON FeatureCollection; a Feature carries `distance_m` beside its `id`",
    media_type: "application/geo+json",
    rows_only: false,
    write_page: write_feature_collection,
    write_item: write_feature,
};

/// Appends a Feature.
fn write_feature(out: &mut Vec<u8>, hit: &AnswerHit<'_>, fields: &Fields) {
    let item = &hit.item;
    out.extend_from_slice(br#"{"type":"Feature","id":"#);
    append::id(out, item);
    if let Some(distance_m) = hit.distance_m {
        out.extend_from_slice(br#","distance_m":"#);
        append::metres(out, distance_m);
    }
    fields.write_geohash(out, item);
    if fields.position() {
        append::end(out, item);
        out.extend_from_slice(br#","geometry":{"type":"Point","coordinates":["#);
        out.extend_from_slice(item.lon_lat().as_bytes());
        out.extend_from_slice(br#"]},"properties":"#);
    } else {
        out.extend_from_slice(br#","geometry":null,"properties":"#);
    }
    fields.write_properties(out, item);
    out.push(b'}');
}

/// Appends a FeatureCollection with its features in the order of the answer.
fn write_feature_collection(out: &mut Vec<u8>, page: &Page<'_>) {
    let (matched, returned) = (page.answer.matched, page.answer.len());
    append::plain(
        out,
        format_args!(r#"{{"type":"FeatureCollection","numberMatched":{matched},"numberReturned":{returned},"links":["#),
    );
    append::separated(out, page.links.iter(), |out, link| {
        append::plain(out, format_args!(r#"{{"rel":"{}","type":"application/geo+json","href":"#, link.rel));
        append::text(out, link.href);
        out.push(b'}');
    });
    out.push(b']');
    if page.explain {
        out.extend_from_slice(br#","explain":"#);
        write_explain(out, &page.answer.explain);
    }
    out.extend_from_slice(br#","features":["#);
    append::separated(out, page.answer.hits(), |out, hit| write_feature(out, &hit, page.fields));
    out.extend_from_slice(b"]}");
}

/// Appends the pieces of an index as a FeatureCollection of boxes; `complete` says whether they are all there are.
pub fn write_cells(out: &mut Vec<u8>, cells: &[DirectoryCell], complete: bool) {
    let returned = cells.len();
    append::plain(
        out,
        format_args!(r#"{{"type":"FeatureCollection","numberReturned":{returned},"complete":{complete},"features":["#),
    );
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_cell(out, cell);
    }
    out.extend_from_slice(b"]}");
}

fn write_cell(out: &mut Vec<u8>, cell: &DirectoryCell) {
    write_box(out, cell.rect);
    append::plain(out, format_args!(r#","properties":{{"level":{},"points_at_most":{}"#, cell.level, cell.slots.len()));
    if let Some(label) = &cell.label {
        out.extend_from_slice(br#","label":"#);
        append::text(out, label);
    }
    out.extend_from_slice(b"}}");
}

/// Appends the beginning of a Feature: a box of an index, which never goes over ±180.
fn write_box(out: &mut Vec<u8>, rect: Rect) {
    out.extend_from_slice(br#"{"type":"Feature","geometry":{"type":"Polygon","coordinates":[["#);
    let (south, west, north, east) = (rect.south(), rect.west(), rect.north(), rect.east());
    for (at, (lon_deg, lat_deg)) in
        [(west, south), (east, south), (east, north), (west, north), (west, south)].into_iter().enumerate()
    {
        out.extend_from_slice(if at > 0 { b",[" } else { b"[" });
        append::number(out, lon_deg);
        out.push(b',');
        append::number(out, lat_deg);
        out.push(b']');
    }
    out.extend_from_slice(b"]]}");
}

/// Why a text is no polygon. Whether the polygon makes sense is for `geometry` to say.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GeoJsonError {
    /// No JSON, or JSON that is no geometry.
    #[error("this is no GeoJSON geometry: {0}")]
    Syntax(#[source] serde_json::Error),
    /// A geometry, or something else, that is no polygon.
    #[error("type {found:?} is no area: give a Polygon or a MultiPolygon{}", feature_hint(found))]
    WrongType {
        /// The type as given.
        found: String,
    },
    /// Coordinates of the wrong shape.
    #[error("the coordinates of a {kind} are {expected}: {reason}")]
    Coordinates {
        /// `Polygon` or `MultiPolygon`.
        kind: &'static str,
        /// What they would be.
        expected: &'static str,
        /// What is wrong, and where.
        #[source]
        reason: serde_json::Error,
    },
}

fn feature_hint(found: &str) -> &'static str {
    match found {
        "Feature" => "; here that is the Feature's geometry",
        "FeatureCollection" => "; here that is the geometry of one of its features",
        _ => "",
    }
}

/// Polygons, each a list of rings, each a list of `[lon, lat]`: just as GeoJSON nests them.
pub type Polygons = Vec<Vec<Vec<[f64; 2]>>>;

/// Reads a Polygon or a MultiPolygon. A third number in a position, the height, is passed over.
///
/// ```
/// use nigh::format::geojson::read_polygons;
/// let triangle = r#"{"type":"Polygon","coordinates":[[[0,0],[10,0],[5,8],[0,0]]]}"#;
/// assert_eq!(read_polygons(triangle).unwrap()[0][0][2], [5.0, 8.0]);
/// ```
pub fn read_polygons(text: &str) -> Result<Polygons, GeoJsonError> {
    // Mostly it is plain; what is not, and what is wrong, is read again, more slowly, to say what.
    match read_plain_polygons(text) {
        Some((polygons, end)) if text[end..].trim_ascii().is_empty() => Ok(polygons),
        _ => read_any_polygons(text),
    }
}

/// The same, whichever way it is written.
fn read_any_polygons(text: &str) -> Result<Polygons, GeoJsonError> {
    // What is derived would take a list of the members' values as well.
    if text.trim_start().starts_with('[') {
        return Err(GeoJsonError::Syntax(serde::de::Error::custom("expected an object, not a list")));
    }
    let shape: Shape<'_> = serde_json::from_str(text).map_err(GeoJsonError::Syntax)?;
    let coordinates = shape.coordinates.map_or("null", RawValue::get);
    match shape.kind.as_str() {
        "Polygon" => {
            let rings: Vec<Vec<Position>> = serde_json::from_str(coordinates).map_err(|reason| {
                GeoJsonError::Coordinates { kind: "Polygon", expected: "a list of rings of [lon, lat]", reason }
            })?;
            Ok(vec![bare(rings)])
        }
        "MultiPolygon" => {
            let polygons: Vec<Vec<Vec<Position>>> =
                serde_json::from_str(coordinates).map_err(|reason| GeoJsonError::Coordinates {
                    kind: "MultiPolygon",
                    expected: "a list of polygons' lists of rings",
                    reason,
                })?;
            Ok(polygons.into_iter().map(bare).collect())
        }
        _ => Err(GeoJsonError::WrongType { found: shape.kind }),
    }
}

/// Just enough of a geometry to know how its coordinates nest; other members are none of our business.
#[derive(Deserialize)]
#[serde(expecting = "an object with type and coordinates")]
pub(super) struct Shape<'a> {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(borrow)]
    pub(super) coordinates: Option<&'a RawValue>,
}

/// Two numbers, with anything after them passed over.
pub(super) struct Position(pub(super) [f64; 2]);

fn bare(rings: Vec<Vec<Position>>) -> Vec<Vec<[f64; 2]>> {
    rings.into_iter().map(|ring| ring.into_iter().map(|position| position.0).collect()).collect()
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Position, D::Error> {
        struct Numbers;
        impl<'de> Visitor<'de> for Numbers {
            type Value = Position;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a position [lon, lat]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Position, A::Error> {
                let mut next =
                    |at| numbers.next_element::<f64>()?.ok_or_else(|| serde::de::Error::invalid_length(at, &self));
                let position = Position([next(0)?, next(1)?]);
                while numbers.next_element::<IgnoredAny>()?.is_some() {}
                Ok(position)
            }
        }
        deserializer.deserialize_seq(Numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::Snapshot;
    use crate::format::tests::stored;

    fn written(snapshot: &Snapshot, distance_m: Option<f64>, fields: &Fields) -> String {
        let item = snapshot.segments()[0].item(0);
        let mut out = Vec::new();
        write_feature(&mut out, &AnswerHit { distance_m, item }, fields);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_feature_carries_its_distance_beside_its_id() {
        let near = stored("a", 48.857, 2.352, r#"{"n":1}"#);
        let written = |fields| written(&near, Some(412.3184), &fields);
        assert_eq!(
            written(Fields::all()),
            r#"{"type":"Feature","id":"a","distance_m":412.318,"geometry":{"type":"Point","coordinates":[2.352,48.857]},"properties":{"n":1}}"#
        );
        assert_eq!(
            written(Fields::only([])),
            r#"{"type":"Feature","id":"a","distance_m":412.318,"geometry":null,"properties":{}}"#
        );
    }

    #[test]
    fn coordinates_read_back_as_the_same_bits_longitude_first() {
        for (lat, lon) in [(0.1 + 0.2, -0.0), (-90.0, 180.0), (1e-300, 5e-324), (89.999_999_999_999_99, 1.0 / 3.0)] {
            let text = written(&stored("a", lat, lon, "{}"), None, &Fields::all());
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            let read = |at: usize| json["geometry"]["coordinates"][at].as_f64().unwrap().to_bits();
            assert_eq!((read(0), read(1)), (lon.to_bits(), lat.to_bits()));
        }
    }

    #[test]
    fn ids_are_escaped_and_properties_pass_through_as_text() {
        let properties = r#"{"n":0.10,  "big":12345678901234567890}"#;
        let text = written(&stored("a\"\\\u{e9}", 1.0, 2.0, properties), None, &Fields::all());
        assert!(text.contains(r#""id":"a\"\\é""#), "{text}");
        assert!(text.contains(properties), "{text}");
    }

    #[test]
    fn a_cell_is_a_closed_ring_with_its_label() {
        let rect = crate::geometry::geohash::cell("ezs42").unwrap();
        let cell = DirectoryCell { rect, level: 5, slots: 3..10, label: Some("ezs42".to_owned()) };
        let mut out = Vec::new();
        write_cells(&mut out, &[cell], true);
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let ring = json["features"][0]["geometry"]["coordinates"][0].as_array().unwrap();
        assert_eq!((ring.len(), &ring[0]), (5, &ring[4]));
        assert_eq!(ring[0], serde_json::json!([-5.625, 42.5830078125]));
        assert_eq!(json["features"][0]["properties"]["label"], "ezs42");
        assert_eq!((&json["numberReturned"], &json["complete"]), (&1.into(), &true.into()));
    }

    #[test]
    fn polygons_are_read_with_holes_heights_and_other_members() {
        let polygon = r#"{"coordinates":[[[0,0,12.5],[1,0],[1,1],[0,0]],[[0.1,0.1],[0.2,0.1],[0.2,0.2],[0.1,0.1]]],"bbox":[0,0,1,1],"type":"Polygon"}"#;
        let polygons = read_polygons(polygon).unwrap();
        assert_eq!((polygons.len(), polygons[0].len(), polygons[0][0][0]), (1, 2, [0.0, 0.0]));
        let multi =
            r#"{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]],[[[5,5],[6,5],[6,6],[5,5]]]]}"#;
        assert_eq!(read_polygons(multi).unwrap()[1][0][1], [6.0, 5.0]);
    }

    #[test]
    fn what_is_no_polygon_is_refused_with_a_reason() {
        let cases = [
            ("", "this is no GeoJSON geometry"),
            ("[1,2]", "this is no GeoJSON geometry"),
            (r#"["Polygon",[[[0,0],[1,0],[1,1],[0,0]]]]"#, "expected an object"),
            (r#"{"coordinates":[]}"#, "missing field `type`"),
            (r#"{"type":"Point","coordinates":[1,2]}"#, "type \"Point\" is no area: give a Polygon or a MultiPolygon"),
            (r#"{"type":"Feature","geometry":null}"#, "here that is the Feature's geometry"),
            (r#"{"type":"Polygon"}"#, "the coordinates of a Polygon are a list of rings of [lon, lat]"),
            (r#"{"type":"Polygon","coordinates":[[0,0],[1,1]]}"#, "expected a position [lon, lat] at line 1 column 3"),
            (r#"{"type":"Polygon","coordinates":[[[0],[1,1]]]}"#, "invalid length 1, expected a position [lon, lat]"),
            (r#"{"type":"Polygon","coordinates":[[["0","1"]]]}"#, "invalid type: string \"0\", expected f64"),
            (r#"{"type":"MultiPolygon","coordinates":[[[0,0]]]}"#, "the coordinates of a MultiPolygon"),
            (r#"{"type":"Polygon","coordinates":[[[1e999,0]]]}"#, "number out of range"),
        ];
        for (text, expected) in cases {
            let message = read_polygons(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }
}
