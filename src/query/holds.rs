//! Whether one item matches a query, without a search.

use super::Query;
use crate::collection::ItemRef;
use crate::geometry::Radius;
use crate::index::Lens;

impl Query {
    /// Whether an item lies where the query looks and has what it asks for. Its k, order and page do not matter.
    pub fn holds(&self, item: &ItemRef<'_>) -> bool {
        let radius_m = |radius: Option<Radius>| radius.map_or(f64::INFINITY, Radius::metres);
        let lens = self.near.as_ref().map(|near| Lens::new(near.centre, near.metric, radius_m(near.radius)));
        self.area(lens).holds(item.point())
            && self.filter.as_ref().is_none_or(|filter| filter.matches(item.id(), item.properties()))
    }
}
