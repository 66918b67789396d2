//! Text in and out: CSV rows come in, GeoJSON answers go out, GeoJSON polygons come in.
//!
//! What surprises: properties pass through as the JSON **text** they came as. Nothing here builds a tree of them, so what went
//! in comes out, to the last digit.
//!
//! Absent here: HTTP, files, collections. Readers take any [`std::io::Read`], writers append to a buffer of the caller.

pub mod csv;
pub mod geojson;
