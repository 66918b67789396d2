//! What can be wrong with a piece of geometry, in words that say the value and what would be right.

use thiserror::Error;

/// Why a coordinate, length or shape was refused.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum GeometryError {
    /// A latitude that is not a number within -90..=90.
    #[error("latitude {lat_deg} is outside -90..90{}", swap_hint(*.lat_deg, *.lon_deg))]
    Latitude {
        /// The latitude as given.
        lat_deg: f64,
        /// The longitude that came with it, to tell whether the two were swapped.
        lon_deg: f64,
    },
    /// A longitude that is not a number within -180..=180.
    #[error("longitude {lon_deg} is outside -180..180{}", wrap_hint(*.lon_deg))]
    Longitude {
        /// The longitude as given.
        lon_deg: f64,
    },
    /// A box whose edges do not make a box.
    #[error("box {west},{south},{east},{north} (west,south,east,north): {reason}")]
    Box {
        /// Western edge in degrees, as given.
        west: f64,
        /// Southern edge in degrees, as given.
        south: f64,
        /// Eastern edge in degrees, as given.
        east: f64,
        /// Northern edge in degrees, as given.
        north: f64,
        /// What is wrong, and what would be right.
        reason: &'static str,
    },
    /// A radius that is not a finite length of zero or more.
    #[error("radius {metres} is not a finite length of 0 metres or more")]
    Radius {
        /// The radius in metres, as given.
        metres: f64,
    },
    /// A length that cannot be read.
    #[error("length {text:?}: {reason}; a bare number is metres, and m, km, mi, ft, nmi are understood, as in 2km")]
    Length {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A polygon that cannot be used.
    #[error("polygon {polygon}, ring {ring}: {reason}")]
    Ring {
        /// Which polygon of a multipolygon, from 0.
        polygon: usize,
        /// Which ring of that polygon: 0 is the outer one.
        ring: usize,
        /// What is wrong, with the value, and what would be right.
        reason: String,
    },
    /// A polygon without any ring, or a multipolygon without any polygon.
    #[error("the polygon is empty: give at least one ring of four or more positions")]
    EmptyPolygon,
    /// A kind of edges that is not known.
    #[error("edges {name:?} is not known; use planar or geodesic")]
    UnknownEdges {
        /// The name as given.
        name: String,
    },
    /// A text that is not a geohash.
    #[error("geohash {text:?}: {reason}; use 1 to 12 of 0-9 b-h j k m n p-z, as in ezs42")]
    Geohash {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A zoom that no tile has.
    #[error("zoom {z} is outside 0..24")]
    Zoom {
        /// The zoom as given.
        z: u8,
    },
    /// A column or row that a zoom does not have.
    #[error("tile {z}/{x}/{y} is outside the map: at zoom {z}, x and y lie in 0..{last}")]
    Tile {
        /// The zoom.
        z: u8,
        /// The column as given.
        x: u32,
        /// The row as given.
        y: u32,
        /// The last column and row there is.
        last: u32,
    },
    /// A metric that is not in the list.
    #[error("metric {name:?} is not known; use one of {known}")]
    UnknownMetric {
        /// The name as given.
        name: String,
        /// The names that would be right.
        known: String,
    },
}

fn swap_hint(lat_deg: f64, lon_deg: f64) -> String {
    if lat_deg.abs() <= 180.0 && lon_deg.abs() <= 90.0 {
        format!("; lat and lon look swapped: try lat={lon_deg}&lon={lat_deg}")
    } else {
        String::new()
    }
}

fn wrap_hint(lon_deg: f64) -> String {
    if lon_deg.is_finite() && lon_deg.abs() <= 540.0 {
        let turned = lon_deg - 360.0 * lon_deg.signum();
        format!("; the same meridian within the range is {turned}")
    } else {
        String::new()
    }
}
