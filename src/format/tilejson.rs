//! TileJSON out: where the tiles of a collection are, and what is in them.
//!
//! What surprises: bounds never cross the antimeridian, because TileJSON forbids it. A collection that does has the whole girth.
//!
//! *References*: TileJSON 3.0.0.

use super::{append, mvt};
use crate::geometry::Rect;

/// What is said of a collection's tiles.
#[derive(Debug, Clone, Copy)]
pub struct TileJson<'a> {
    /// The name of the collection.
    pub name: &'a str,
    /// The URL of a tile, with `{z}`, `{x}` and `{y}` in it.
    pub tiles: &'a str,
    /// How far its items reach; `None` when there is none.
    pub extent: Option<Rect>,
    /// The deepest zoom that is worth asking for: beyond it a tile is enlarged.
    pub zoom_max: u8,
}

/// The deepest zoom that is worth asking for: a unit of such a tile is 4 cm at the equator.
pub const ZOOM_MAX: u8 = 18;

/// Appends the document.
pub fn write_tilejson(out: &mut Vec<u8>, about: &TileJson<'_>) {
    out.extend_from_slice(br#"{"tilejson":"3.0.0","name":"#);
    append::text(out, about.name);
    out.extend_from_slice(br#","tiles":["#);
    append::text(out, about.tiles);
    append::plain(out, format_args!(r#"],"minzoom":0,"maxzoom":{}"#, about.zoom_max));
    if let Some(extent) = about.extent {
        out.extend_from_slice(br#","bounds":["#);
        append::separated(out, bounds(extent).into_iter(), append::number);
        out.push(b']');
    }
    append::plain(out, format_args!(r#","vector_layers":[{{"id":"{}","fields":{{"id":"String","#, mvt::LAYER));
    out.extend_from_slice(br#""cluster":"Boolean","point_count":"Number","point_count_abbreviated":"String"}}]}"#);
}

/// West, south, east, north.
fn bounds(extent: Rect) -> [f64; 4] {
    let (west, east) = if extent.east() > 180.0 { (-180.0, 180.0) } else { (extent.west(), extent.east()) };
    [west, extent.south(), east, extent.north()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(extent: Option<Rect>) -> serde_json::Value {
        let mut out = Vec::new();
        let tiles = "http://localhost/collections/a/tiles/{z}/{x}/{y}.mvt";
        write_tilejson(&mut out, &TileJson { name: "a\"b", tiles, extent, zoom_max: ZOOM_MAX });
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn the_document_says_where_the_tiles_are_and_how_far_they_reach() {
        let json = written(Some(Rect::from_corners(-20.0, 1.5, 30.0, 2.0).unwrap()));
        assert_eq!((json["tilejson"].as_str(), json["name"].as_str()), (Some("3.0.0"), Some("a\"b")));
        assert_eq!(json["tiles"][0], "http://localhost/collections/a/tiles/{z}/{x}/{y}.mvt");
        assert_eq!((json["minzoom"].as_u64(), json["maxzoom"].as_u64()), (Some(0), Some(18)));
        assert_eq!(json["bounds"], serde_json::json!([1.5, -20.0, 2.0, 30.0]));
        assert_eq!(json["vector_layers"][0]["id"], "points");
        assert_eq!(json["vector_layers"][0]["fields"]["point_count"], "Number");
    }

    #[test]
    fn bounds_do_not_cross_the_antimeridian_and_nothing_has_none() {
        let json = written(Some(Rect::from_corners(-20.0, 170.0, 30.0, -170.0).unwrap()));
        assert_eq!(json["bounds"], serde_json::json!([-180.0, -20.0, 180.0, 30.0]));
        assert!(written(None).get("bounds").is_none());
    }
}
