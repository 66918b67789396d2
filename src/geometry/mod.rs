//! Pure maths on points, boxes, circles, polygons and distances.
//!
//! Absent here: indexes, ids, collections, queries, text formats. This floor has never heard of them.

pub mod error;
pub mod geohash;
pub mod length;
pub mod maths;
pub mod metric;
pub mod point;
pub mod polygon;
pub mod rect;
pub mod tile;

pub use error::GeometryError;
pub use geohash::GeohashCell;
pub use length::{Radius, parse_metres};
pub use metric::{METRICS, Metric, Reach, metric_named};
pub use point::{Point, UnitVector};
pub use polygon::{Edges, Polygon, PreparedPolygon};
pub use rect::{Overlap, Rect};
pub use tile::Tile;
