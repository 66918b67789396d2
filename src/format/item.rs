//! One item as JSON: in the plain form or as a GeoJSON Feature, alone in a request, on a line, or among the features of a file.
//!
//! ```text
//! {"id":"flore","lat":48.8541,"lon":2.3326,"properties":{"seats":120},"ttl":"2h"}
//! {"type":"Feature","id":"flore","geometry":{"type":"Point","coordinates":[2.3326,48.8541]},"properties":{"seats":120}}
//! ```
//!
//! What surprises: the plain form refuses members it does not know, because `lng` passed over in silence would be a lost point, while
//! a Feature may carry any: RFC 7946 calls them foreign and wants them passed over.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::geojson::{Position, Shape};
use super::moment::{parse_duration, parse_moment};
use super::rejected::{
    BAD_ENCODING, BAD_EXPIRY, BAD_ID, BAD_JSON, BAD_LATITUDE, BAD_LONGITUDE, BAD_PROPERTIES, Fault, MISSING_LATITUDE,
    MISSING_LONGITUDE, NO_FEATURE, NO_POINT, REPEATED_MEMBER, RowProblem, UNKNOWN_MEMBER, shortened,
};
use crate::collection::{Id, Item, Properties};
use crate::geometry::Point;

/// A row that can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// Its id, if it came with one.
    pub id: Option<Id>,
    /// Where it is.
    pub point: Point,
    /// What is known of it.
    pub properties: Properties,
    /// When it is due to be removed.
    pub expires: Expires,
}

/// When an item that comes in is due to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expires {
    /// Nothing is said about it.
    #[default]
    Unsaid,
    /// So long after it came.
    After(Duration),
    /// At a moment, in milliseconds since 1970.
    At(i64),
}

impl Expires {
    /// The moment in milliseconds since 1970, reckoned from the present one.
    pub fn at_ms(self, now_ms: i64) -> Option<i64> {
        match self {
            Expires::Unsaid => None,
            Expires::After(length) => {
                Some(now_ms.saturating_add(i64::try_from(length.as_millis()).unwrap_or(i64::MAX)))
            }
            Expires::At(at_ms) => Some(at_ms),
        }
    }
}

impl Incoming {
    /// The item, with a new id if it came without one; `now_ms` is the present in milliseconds since 1970.
    pub fn into_item(self, new_id: impl FnOnce() -> Id, now_ms: i64) -> Item {
        let id = self.id.unwrap_or_else(new_id);
        Item { id, point: self.point, properties: self.properties, expires_at_ms: self.expires.at_ms(now_ms) }
    }
}

/// The id of a row that came without one: the same for the same stamp and number, so that whoever brings the same rows again under the
/// same stamp brings the same items.
pub fn row_id(stamp: u64, number: u64) -> Id {
    Id::new(format!("{stamp:016x}-{number}")).expect("digits are an id")
}

/// Reads an item in the plain form or as a Feature.
///
/// ```
/// use nigh::format::read_item;
/// let flore = read_item(br#"{"id":7,"lat":48.8541,"lon":2.3326,"properties":{"a":1.0}}"#).unwrap();
/// assert_eq!((flore.id.unwrap().as_str(), flore.properties.as_json()), ("7", r#"{"a":1.0}"#));
/// let refused = read_item(br#"{"id":"a","lat":48.8,"lng":2.3}"#).unwrap_err();
/// assert_eq!((refused.code, refused.hint.as_deref()), ("unknown-member", Some("write lon")));
/// ```
pub fn read_item(json: &[u8]) -> Result<Incoming, Fault> {
    let text = std::str::from_utf8(json).map_err(|error| {
        Fault::new(BAD_ENCODING, format!("the byte at {} is not UTF-8", error.valid_up_to())).hint("save it as UTF-8")
    })?;
    let members: Members<'_> =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| of_syntax(&error, text))?;
    if let Some(name) = &members.repeated {
        return Err(Fault::new(REPEATED_MEMBER, format!("the member {name:?} stands twice")).value(name));
    }
    let point = if members.looks_like_geojson() { members.feature_point() } else { members.plain_point() }?;
    Ok(Incoming { id: members.id()?, point, properties: members.properties()?, expires: members.expires()? })
}

/// The message of the reader of JSON, with a place that makes sense in one line and in many.
fn of_syntax(error: &serde_json::Error, text: &str) -> Fault {
    let whole = error.to_string();
    let message = whole.split(" at line ").next().unwrap_or_default();
    let place = match (error.line(), error.column()) {
        (0, _) => String::new(),
        (1, column) => format!(" at column {column}"),
        (line, column) => format!(" at column {column} of its line {line}"),
    };
    Fault::new(BAD_JSON, format!("this is no JSON object: {message}{place}")).value(text.trim())
}

/// The members of an object that mean something here, each as its text.
#[derive(Default)]
struct Members<'a> {
    id: Option<&'a RawValue>,
    lat: Option<&'a RawValue>,
    lon: Option<&'a RawValue>,
    kind: Option<&'a RawValue>,
    geometry: Option<&'a RawValue>,
    properties: Option<&'a RawValue>,
    properties_text: Option<&'a RawValue>,
    ttl: Option<&'a RawValue>,
    expires_at: Option<&'a RawValue>,
    expires_at_ms: Option<&'a RawValue>,
    /// What an answer says besides, which is passed over when it comes back.
    answered: [Option<&'a RawValue>; 2],
    unknown: Option<String>,
    repeated: Option<String>,
}

impl<'a> Members<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<&'a RawValue>> {
        Some(match name {
            "id" => &mut self.id,
            "lat" => &mut self.lat,
            "lon" => &mut self.lon,
            "type" => &mut self.kind,
            "geometry" => &mut self.geometry,
            "properties" => &mut self.properties,
            "properties_text" => &mut self.properties_text,
            "ttl" => &mut self.ttl,
            "expires_at" => &mut self.expires_at,
            "expires_at_ms" => &mut self.expires_at_ms,
            "distance_m" => &mut self.answered[0],
            "geohash" => &mut self.answered[1],
            _ => return None,
        })
    }

    fn add(&mut self, name: &str, value: &'a RawValue) {
        let Some(slot) = self.slot(name) else {
            self.unknown.get_or_insert_with(|| name.to_owned());
            return;
        };
        if slot.replace(value).is_some() {
            self.repeated.get_or_insert_with(|| name.to_owned());
        }
    }

    fn looks_like_geojson(&self) -> bool {
        self.geometry.is_some() || self.kind.is_some_and(|kind| is_geojson_type(kind.get()))
    }

    fn plain_point(&self) -> Result<Point, Fault> {
        if let Some(name) = self.unknown.as_deref().or(self.kind.map(|_| "type")) {
            let hint = match &*name.to_ascii_lowercase() {
                "latitude" | "y" | "lat" => "write lat",
                "lng" | "long" | "longitude" | "x" | "lon" => "write lon",
                _ => "put it into properties",
            };
            return Err(Fault::new(UNKNOWN_MEMBER, format!("{name:?} is no member of an item")).value(name).hint(hint));
        }
        let lat_deg = degrees(self.lat, "lat", MISSING_LATITUDE, BAD_LATITUDE)?;
        let lon_deg = degrees(self.lon, "lon", MISSING_LONGITUDE, BAD_LONGITUDE)?;
        Point::new(lat_deg, lon_deg).map_err(|error| Fault::of_position(&error))
    }

    fn feature_point(&self) -> Result<Point, Fault> {
        let kind = self.kind.map_or("null", RawValue::get);
        if kind != "\"Feature\"" {
            let hint = match kind {
                "\"FeatureCollection\"" => "here that is one of its features; a whole collection is sent as a file",
                _ => r#"wrap the geometry: {"type":"Feature","geometry":..,"properties":{..}}"#,
            };
            return Err(Fault::new(NO_FEATURE, format!("the type is {kind}, not Feature")).value(kind).hint(hint));
        }
        let geometry = self.geometry.map_or("null", RawValue::get);
        let no_point = |detail: String| {
            Fault::new(NO_POINT, detail).value(geometry).hint(r#"write {"type":"Point","coordinates":[lon,lat]}"#)
        };
        if !geometry.starts_with('{') {
            return Err(no_point("the Feature has no geometry".to_owned()));
        }
        let shape: Shape<'_> =
            serde_json::from_str(geometry).map_err(|_| no_point("the geometry has no type".to_owned()))?;
        if shape.kind != "Point" {
            return Err(no_point(format!("the geometry is a {}", shortened(&shape.kind))));
        }
        let coordinates = shape.coordinates.map_or("null", RawValue::get);
        let Position([lon_deg, lat_deg]) = serde_json::from_str(coordinates)
            .map_err(|_| no_point("the coordinates are not two numbers".to_owned()).value(coordinates))?;
        Point::new(lat_deg, lon_deg).map_err(|error| Fault::of_position(&error))
    }

    fn id(&self) -> Result<Option<Id>, Fault> {
        let Some(given) = present(self.id) else { return Ok(None) };
        let text = match given.as_bytes()[0] {
            b'"' => text(given).ok_or_else(|| Fault::new(BAD_ID, "the id is no text").value(given))?,
            b'-' | b'0'..=b'9' => given.to_owned(),
            _ => return Err(Fault::new(BAD_ID, "the id is neither a text nor a number").value(given)),
        };
        Id::new(&*text).map(Some).map_err(|error| Fault::of_id(&error, &text))
    }

    fn properties(&self) -> Result<Properties, Fault> {
        let (json, escaped) = (present(self.properties), present(self.properties_text));
        match (json, escaped) {
            (Some(_), Some(_)) => {
                Err(Fault::new(BAD_PROPERTIES, "it has properties and properties_text").hint("write one of them"))
            }
            // What the reader of JSON handed over is JSON; that it is an object and not too long is left to see.
            (Some(json), None) => Properties::checked_before(json).map_or_else(
                || Properties::from_json(json).map_err(|error| Fault::of_properties(&error).value(json)),
                Ok,
            ),
            (None, Some(escaped)) => {
                let json = text(escaped)
                    .ok_or_else(|| Fault::new(BAD_PROPERTIES, "properties_text is no text").value(escaped))?;
                Properties::from_json(&json).map_err(|error| Fault::of_properties(&error).value(&json))
            }
            (None, None) => Ok(Properties::none()),
        }
    }

    fn expires(&self) -> Result<Expires, Fault> {
        let given = [("ttl", self.ttl), ("expires_at", self.expires_at), ("expires_at_ms", self.expires_at_ms)];
        let mut given = given.into_iter().filter_map(|(name, value)| Some((name, present(value)?)));
        let Some((name, value)) = given.next() else { return Ok(Expires::Unsaid) };
        if let Some((other, _)) = given.next() {
            return Err(Fault::new(BAD_EXPIRY, format!("it has {name} and {other}")).hint("write one of them"));
        }
        let refuse = |detail: String| Fault::new(BAD_EXPIRY, detail).value(value);
        let as_text = text(value);
        match (name, as_text) {
            ("ttl", as_text) => read_ttl(as_text.as_deref().unwrap_or(value)),
            ("expires_at", Some(text)) => read_expires_at(&text),
            ("expires_at", None) => Err(refuse("expires_at is no text".to_owned())),
            _ => value.parse().map(Expires::At).map_err(|_| refuse("expires_at_ms is no whole number".to_owned())),
        }
    }
}

/// A value that is there and not `null`.
fn present(value: Option<&RawValue>) -> Option<&str> {
    value.map(RawValue::get).filter(|value| *value != "null")
}

fn text(json: &str) -> Option<String> {
    json.starts_with('"').then(|| serde_json::from_str(json).ok())?
}

fn is_geojson_type(kind: &str) -> bool {
    const TYPES: &[&str] = &[
        "\"Feature\"",
        "\"FeatureCollection\"",
        "\"Point\"",
        "\"MultiPoint\"",
        "\"LineString\"",
        "\"MultiLineString\"",
        "\"Polygon\"",
        "\"MultiPolygon\"",
        "\"GeometryCollection\"",
    ];
    TYPES.contains(&kind)
}

fn degrees(
    value: Option<&RawValue>,
    name: &str,
    missing: &'static RowProblem,
    bad: &'static RowProblem,
) -> Result<f64, Fault> {
    let Some(given) = present(value) else { return Err(Fault::new(missing, format!("there is no {name}"))) };
    serde_json::from_str(given).map_err(|_| {
        let hint = if given.starts_with('"') { "write it without quotes, as in" } else { "write degrees as in" };
        let detail = format!("{name} is {}, which is no number", shortened(given));
        Fault::new(bad, detail).value(given).hint(format!("{hint} 48.857"))
    })
}

/// A duration as an item's end.
pub(super) fn read_ttl(text: &str) -> Result<Expires, Fault> {
    parse_duration(text).map(Expires::After).map_err(|error| Fault::new(BAD_EXPIRY, error.to_string()).value(text))
}

/// A moment as an item's end.
pub(super) fn read_expires_at(text: &str) -> Result<Expires, Fault> {
    parse_moment(text).map(Expires::At).map_err(|error| Fault::new(BAD_EXPIRY, error.to_string()).value(text))
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'de>, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Members::default();
                while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    let quoted = name.get();
                    match quoted.contains('\\') {
                        false => members.add(&quoted[1..quoted.len() - 1], value),
                        // A name with half a surrogate pair is JSON but no text; it is none of ours.
                        true => members.add(&text(quoted).unwrap_or_else(|| quoted.to_owned()), value),
                    }
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
#[path = "item_tests.rs"]
mod tests;
