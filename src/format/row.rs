//! An item as it leaves: for export, and for answers that have come over the network.
//!
//! What surprises: everything in it is text as it stands in the store or in the answer. Nothing is read as a number on the way, so what
//! went in comes out to the last bit.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::append;
use crate::collection::ItemRef;

/// An item as texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row<'a> {
    /// Its id.
    pub id: Cow<'a, str>,
    /// Metres from the place that was asked about.
    pub distance_m: Option<&'a str>,
    /// Its geohash, where that was asked for.
    pub geohash: Option<Cow<'a, str>>,
    /// Latitude and longitude, unless they are not shown.
    pub position: Option<(&'a str, &'a str)>,
    /// When it ends, in milliseconds since 1970.
    pub expires_at_ms: Option<i64>,
    /// Its properties as JSON, unless they are not shown.
    pub properties: Option<&'a str>,
}

/// The members of an item in compact JSON.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    distance_m: Option<&'a RawValue>,
    #[serde(borrow)]
    geohash: Option<Cow<'a, str>>,
    #[serde(borrow)]
    lat: Option<&'a RawValue>,
    #[serde(borrow)]
    lon: Option<&'a RawValue>,
    expires_at_ms: Option<i64>,
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
}

impl<'a> Row<'a> {
    /// A stored item, whole.
    pub fn of(item: &ItemRef<'a>) -> Row<'a> {
        let (lon, lat) = item.lon_and_lat();
        Row {
            id: Cow::Borrowed(item.id()),
            distance_m: None,
            geohash: None,
            position: Some((lat, lon)),
            expires_at_ms: item.expires_at_ms(),
            properties: Some(item.properties()),
        }
    }

    /// An item of an answer in compact JSON.
    ///
    /// ```
    /// use nigh::format::Row;
    /// let row = Row::from_json(r#"{"id":"a","lat":1.50,"lon":2,"properties":{"x":1.0}}"#)?;
    /// assert_eq!((row.position, row.properties), (Some(("1.50", "2")), Some(r#"{"x":1.0}"#)));
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    pub fn from_json(item: &'a str) -> Result<Row<'a>, serde_json::Error> {
        let members: Members<'a> = serde_json::from_str(item)?;
        Ok(Row {
            id: members.id,
            distance_m: members.distance_m.map(RawValue::get),
            geohash: members.geohash,
            position: members.lat.map(RawValue::get).zip(members.lon.map(RawValue::get)),
            expires_at_ms: members.expires_at_ms,
            properties: members.properties.map(RawValue::get),
        })
    }

    /// What is shown of the properties; none is an empty object.
    pub(super) fn shown_properties(&self) -> &'a str {
        self.properties.unwrap_or("{}")
    }

    /// Appends it as compact JSON has it, without the end of a line.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        self.write_head(out, br#"{"id":"#);
        if let Some((lat, lon)) = self.position {
            append::plain(out, format_args!(r#","lat":{lat},"lon":{lon}"#));
        }
        self.write_end(out);
        if let Some(properties) = self.properties {
            out.extend_from_slice(br#","properties":"#);
            out.extend_from_slice(properties.as_bytes());
        }
        out.push(b'}');
    }

    /// Appends it as a GeoJSON Feature; when it ends is a member of its own, which comes back as such.
    pub fn write_feature(&self, out: &mut Vec<u8>) {
        self.write_head(out, br#"{"type":"Feature","id":"#);
        self.write_end(out);
        match self.position {
            Some((lat, lon)) => append::plain(
                out,
                format_args!(r#","geometry":{{"type":"Point","coordinates":[{lon},{lat}]}},"properties":"#),
            ),
            None => out.extend_from_slice(br#","geometry":null,"properties":"#),
        }
        out.extend_from_slice(self.shown_properties().as_bytes());
        out.push(b'}');
    }

    /// Appends it as a line that [`Lines`](super::ndjson::Lines) reads back to the bit.
    pub fn write_line(&self, out: &mut Vec<u8>) {
        let properties = self.shown_properties();
        if !properties.contains(['\n', '\r']) {
            self.write_json(out);
        } else {
            Row { properties: None, ..self.clone() }.write_json(out);
            out.pop(); // its brace
            out.extend_from_slice(br#","properties_text":"#);
            append::text(out, properties);
            out.push(b'}');
        }
        out.push(b'\n');
    }

    fn write_head(&self, out: &mut Vec<u8>, beginning: &[u8]) {
        out.extend_from_slice(beginning);
        append::text(out, &self.id);
        if let Some(distance_m) = self.distance_m {
            append::plain(out, format_args!(r#","distance_m":{distance_m}"#));
        }
        if let Some(geohash) = &self.geohash {
            append::plain(out, format_args!(r#","geohash":"{geohash}""#));
        }
    }

    fn write_end(&self, out: &mut Vec<u8>) {
        if let Some(at_ms) = self.expires_at_ms {
            append::plain(out, format_args!(r#","expires_at_ms":{at_ms}"#));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::ndjson::Lines;
    use crate::format::read_item;
    use crate::format::tests::stored;

    #[test]
    fn an_answer_that_came_is_written_as_it_came() {
        for text in [
            r#"{"id":"a\"b","distance_m":0.500,"geohash":"u09","lat":48.857,"lon":-2.0,"expires_at_ms":-7,"properties":{"a": 1.0}}"#,
            r#"{"id":"é","distance_m":1.000}"#,
        ] {
            let mut out = Vec::new();
            Row::from_json(text).unwrap().write_json(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn lines_and_features_come_back_to_the_bit() {
        for properties in ["{}", r#"{ "b" : 1.0e2, "a":"\u00e9", "b":null }"#, "{\"a\":\r\n1}"] {
            let snapshot = stored("a", -0.0, -179.999_999_999_999_97, properties);
            let row = Row { expires_at_ms: Some(i64::MIN), ..Row::of(&snapshot.get("a").unwrap()) };
            let (mut line, mut feature) = (Vec::new(), Vec::new());
            row.write_line(&mut line);
            row.write_feature(&mut feature);
            let line = Lines::new(&line[..]).next().unwrap().unwrap().unwrap();
            for came in [line, read_item(&feature).unwrap()] {
                assert_eq!(came.properties.as_json(), properties);
                assert_eq!(came.expires, crate::format::Expires::At(i64::MIN));
                let bits = [came.point.lat_deg(), came.point.lon_deg()].map(f64::to_bits);
                assert_eq!(bits, [-0.0, -179.999_999_999_999_97].map(f64::to_bits));
            }
        }
    }
}
