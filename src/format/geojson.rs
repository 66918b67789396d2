//! GeoJSON out for answers, GeoJSON polygons in for questions. Longitude comes first here, and nowhere else.
//!
//! What surprises: nothing is serialised. An answer is appended to a buffer piece by piece, with the properties as the text they
//! came in, because building a tree for each point would cost more than finding it.
//!
//! *References*: RFC 7946; OGC API Features (OGC 17-069r4, 7.15) for `numberMatched`, `numberReturned` and `links`.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::geometry::Point;

/// What a [`write_feature`] writes.
#[derive(Debug, Clone, Copy)]
pub struct Feature<'a> {
    /// The id.
    pub id: &'a str,
    /// Where it is.
    pub point: Point,
    /// How far it is from the place that was asked about, if one was.
    pub distance_m: Option<f64>,
    /// The properties, as the text of a JSON object.
    pub properties_json: &'a str,
}

/// What a collection says about itself besides its features.
#[derive(Debug, Clone, Copy)]
pub struct Summary<'a> {
    /// How many features match, on all pages together.
    pub matched: u64,
    /// Where the next page is, if there is one.
    pub next: Option<&'a str>,
}

/// Appends a Feature.
///
/// ```
/// use nigh::format::geojson::{Feature, write_feature};
/// use nigh::geometry::Point;
/// let mut out = Vec::new();
/// let point = Point::new(48.857, 2.352).unwrap();
/// write_feature(&mut out, &Feature { id: "a", point, distance_m: Some(412.3184), properties_json: "{}" });
/// assert_eq!(
///     String::from_utf8(out).unwrap(),
///     r#"{"type":"Feature","id":"a","distance_m":412.318,"geometry":{"type":"Point","coordinates":[2.352,48.857]},"properties":{}}"#
/// );
/// ```
pub fn write_feature(out: &mut Vec<u8>, feature: &Feature<'_>) {
    out.extend_from_slice(br#"{"type":"Feature","id":"#);
    write_text(out, feature.id);
    if let Some(distance_m) = feature.distance_m {
        out.extend_from_slice(br#","distance_m":"#);
        write_metres(out, distance_m);
    }
    out.extend_from_slice(br#","geometry":{"type":"Point","coordinates":["#);
    write_number(out, feature.point.lon_deg());
    out.push(b',');
    write_number(out, feature.point.lat_deg());
    out.extend_from_slice(br#"]},"properties":"#);
    out.extend_from_slice(feature.properties_json.as_bytes());
    out.push(b'}');
}

/// Appends a FeatureCollection with its features in the order given.
pub fn write_feature_collection<'a>(
    out: &mut Vec<u8>,
    summary: Summary<'_>,
    features: impl ExactSizeIterator<Item = Feature<'a>>,
) {
    let counts = format!(
        r#"{{"type":"FeatureCollection","numberMatched":{},"numberReturned":{},"links":["#,
        summary.matched,
        features.len()
    );
    out.extend_from_slice(counts.as_bytes());
    if let Some(next) = summary.next {
        out.extend_from_slice(br#"{"rel":"next","type":"application/geo+json","href":"#);
        write_text(out, next);
        out.push(b'}');
    }
    out.extend_from_slice(br#"],"features":["#);
    for (at, feature) in features.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_feature(out, &feature);
    }
    out.extend_from_slice(b"]}");
}

/// Metres with millimetres. Rounding is monotone, so what is printed is in order if the distances are.
pub fn write_metres(out: &mut Vec<u8>, distance_m: f64) {
    debug_assert!(distance_m >= 0.0);
    let millimetres = (distance_m * 1000.0).round() as u64;
    out.extend_from_slice(format!("{}.{:03}", millimetres / 1000, millimetres % 1000).as_bytes());
}

/// The shortest digits that read back as the same bits.
fn write_number(out: &mut Vec<u8>, number: f64) {
    serde_json::to_writer(out, &number).expect("a buffer in memory takes everything");
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a buffer in memory takes everything");
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
struct Shape<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    coordinates: Option<&'a RawValue>,
}

/// Two numbers, with anything after them passed over.
struct Position([f64; 2]);

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

    fn feature(id: &str, lat: f64, lon: f64) -> Feature<'_> {
        Feature { id, point: Point::new(lat, lon).unwrap(), distance_m: None, properties_json: "{}" }
    }

    fn written(feature: &Feature<'_>) -> String {
        let mut out = Vec::new();
        write_feature(&mut out, feature);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn coordinates_read_back_as_the_same_bits_longitude_first() {
        for (lat, lon) in [(0.1 + 0.2, -0.0), (-90.0, 180.0), (1e-300, 5e-324), (89.999_999_999_999_99, 1.0 / 3.0)] {
            let json: serde_json::Value = serde_json::from_str(&written(&feature("a", lat, lon))).unwrap();
            let read = |at: usize| json["geometry"]["coordinates"][at].as_f64().unwrap().to_bits();
            assert_eq!((read(0), read(1)), (lon.to_bits(), lat.to_bits()));
        }
    }

    #[test]
    fn ids_are_escaped_and_properties_pass_through_as_text() {
        let odd = Feature {
            properties_json: r#"{"n":0.10,  "big":12345678901234567890}"#,
            ..feature("a\"\\\u{e9}", 1.0, 2.0)
        };
        let text = written(&odd);
        assert!(text.contains(r#""id":"a\"\\é""#), "{text}");
        assert!(text.contains(odd.properties_json), "{text}");
    }

    #[test]
    fn metres_have_three_decimals_and_keep_their_order() {
        let metres = |distance_m| {
            let mut out = Vec::new();
            write_metres(&mut out, distance_m);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(metres(0.0), "0.000");
        assert_eq!(metres(0.000_4), "0.000");
        assert_eq!(metres(9.999_6), "10.000");
        assert_eq!(metres(412.318_4), "412.318");
        assert_eq!(metres(20_015_114.442_1), "20015114.442");
    }

    #[test]
    fn a_collection_counts_and_links_to_the_next_page() {
        let features = [feature("a", 1.0, 2.0), feature("b", 3.0, 4.0)];
        let mut out = Vec::new();
        let summary = Summary { matched: 17, next: Some("/collections/c/items?cursor=\"x\"") };
        write_feature_collection(&mut out, summary, features.iter().copied());
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(json["numberMatched"], 17);
        assert_eq!(json["numberReturned"], 2);
        assert_eq!(json["links"][0]["rel"], "next");
        assert_eq!(json["links"][0]["href"], "/collections/c/items?cursor=\"x\"");
        assert_eq!(json["features"][1]["id"], "b");
    }

    #[test]
    fn an_empty_collection_has_empty_lists() {
        let mut out = Vec::new();
        write_feature_collection(&mut out, Summary { matched: 0, next: None }, [].into_iter());
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(json["features"], serde_json::json!([]));
        assert_eq!(json["links"], serde_json::json!([]));
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
