//! Whether one item matches a query, without a search.

use super::Query;
use crate::collection::ItemRef;
use crate::geometry::Point;

impl Query {
    /// Whether an item lies where the query looks and has what it asks for. Its k, order and page do not matter.
    pub fn holds(&self, item: &ItemRef<'_>) -> bool {
        self.holds_point(item.point)
            && self.filter.as_ref().is_none_or(|filter| filter.matches(item.id, item.properties))
    }

    /// Whether a point lies where the query looks.
    pub fn holds_point(&self, point: Point) -> bool {
        let (lat, lon) = (point.lat_deg(), point.lon_deg());
        let near = self.near.as_ref().and_then(|near| near.radius.map(|radius| (near, radius)));
        near.is_none_or(|(near, radius)| near.metric.within(&near.centre.unit(), &point.unit(), radius.metres()))
            && self.rect.is_none_or(|rect| rect.holds(lat, lon))
            && self.cell.is_none_or(|cell| cell.holds(lat, lon))
            && self.polygon.as_ref().is_none_or(|polygon| polygon.contains(lat, lon, || point.unit()))
    }
}
