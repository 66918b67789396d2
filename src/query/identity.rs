//! What tells one query from another: a cursor of the one must not be taken by the other.
//!
//! What surprises: a page is no part of it. The index kind, the size of the page and where it begins may change from one page
//! to the next; what matches and in which order may not, because then a page would belong to no answer at all.

use std::hash::{Hash, Hasher};

use xxhash_rust::xxh3::Xxh3Default;

use super::{Filter, Near, Query};
use crate::geometry::{GeohashCell, Radius};

impl Query {
    /// A short hash of what matches and in which order, in the collection of a number: the same in every process and on every
    /// machine of one version.
    ///
    /// ```
    /// use nigh::geometry::Point;
    /// use nigh::query::{Limit, Query};
    /// let here = Query::near(Point::new(48.857, 2.352)?);
    /// let there = Query::near(Point::new(43.297, 5.365)?);
    /// assert_eq!(here.identity(3), here.clone().in_pages_of(Limit::new(7)?).identity(3));
    /// assert_ne!(here.identity(3), there.identity(3));
    /// assert_ne!(here.identity(3), here.identity(4));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// *Why 32 bits*: it guards against mistakes, not against people; who wants a page from the middle of an answer may have it.
    pub fn identity(&self, collection: u32) -> u32 {
        let mut hasher = Xxh3Default::new();
        hasher.write_u32(collection);
        // What is left out says so, or a box could be taken for a circle.
        match &self.near {
            None => hasher.write_u8(0),
            Some(Near { centre, metric, radius, k }) => {
                hasher.write_u8(1);
                degrees(&mut hasher, centre.lat_deg());
                degrees(&mut hasher, centre.lon_deg());
                metric.name().hash(&mut hasher);
                radius.map(|radius| Radius::metres(radius).to_bits()).hash(&mut hasher);
                k.map(|k| k.get() as u64).hash(&mut hasher);
            }
        }
        for rect in [self.rect, self.cell.map(GeohashCell::rect)] {
            hasher.write_u8(u8::from(rect.is_some()));
            let edges = rect.map(|rect| [rect.south(), rect.west(), rect.north(), rect.east()]);
            edges.into_iter().flatten().for_each(|edge| degrees(&mut hasher, edge));
        }
        self.polygon.hash(&mut hasher);
        self.filter.as_ref().map(Filter::text).hash(&mut hasher);
        hasher.finish() as u32
    }
}

/// -0 and 0 are one place.
fn degrees(hasher: &mut Xxh3Default, degrees: f64) {
    hasher.write_u64((degrees + 0.0).to_bits());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Edges, METRICS, Point, Polygon, Rect};
    use crate::index::KINDS;
    use crate::query::{K, Limit};

    fn square(east: f64, edges: Edges) -> Query {
        let ring = vec![[0.0, 0.0], [east, 0.0], [east, 1.0], [0.0, 1.0], [0.0, 0.0]];
        Query::in_polygon(Polygon::new(&[vec![ring]], edges).unwrap().prepare())
    }

    #[test]
    fn every_condition_makes_another_query() {
        let near = || Query::near(Point::new(1.0, 2.0).unwrap());
        let within = |metres| Radius::from_metres(metres).unwrap();
        let rect = Rect::from_corners(0.0, 0.0, 1.0, 1.0).unwrap();
        let cell = GeohashCell::from_text("s00").unwrap();
        let queries = [
            Query::default(),
            near(),
            Query::near(Point::new(2.0, 1.0).unwrap()),
            near().within(within(1.0)),
            near().within(within(2.0)),
            near().nearest(K::new(1).unwrap()),
            near().nearest(K::new(2).unwrap()),
            near().measured_by(METRICS[1]),
            Query::in_rect(rect),
            Query::in_rect(cell.rect()),
            Query { cell: Some(cell), ..Query::default() },
            square(1.0, Edges::Planar),
            square(2.0, Edges::Planar),
            square(1.0, Edges::Geodesic),
            Query { filter: Some(Filter::parse("a = 1").unwrap()), ..Query::default() },
            Query { filter: Some(Filter::parse("a = 2").unwrap()), ..Query::default() },
        ];
        for (at, one) in queries.iter().enumerate() {
            for other in &queries[..at] {
                assert_ne!(one.identity(1), other.identity(1), "{one:?}\n{other:?}");
            }
        }
    }

    #[test]
    fn pages_and_kinds_of_one_query_are_of_one_query() {
        let near = || Query::near(Point::new(0.0, 2.0).unwrap());
        let page = near().in_pages_of(Limit::new(3).unwrap()).on(&KINDS[2]);
        assert_eq!(page.identity(1), near().identity(1));
        assert_eq!(page.after("i61".parse().unwrap()).identity(1), near().identity(1));
        assert_eq!(Query::near(Point::new(-0.0, 2.0).unwrap()).identity(1), near().identity(1));
        assert_eq!(square(1.0, Edges::Planar).identity(1), square(1.0, Edges::Planar).identity(1));
    }
}
