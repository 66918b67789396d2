//! A fence: an area, and what a move means to it.
//!
//! What surprises: a fence remembers nothing. Where an item was and where it is now say together whether it came, went or
//! stayed, so any number of fences cost nothing between two moves, and one that begins again in the middle tells the same.
//!
//! Properties are no part of it: what they were before a change is not known, so a fence with a filter could not say who left.

use thiserror::Error;

use super::Query;
use crate::geometry::{Point, Radius};
use crate::index::{Area, Lens};

/// Why a query is no fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FenceError {
    /// Nothing says where.
    #[error("a fence needs an area: a centre with a radius, a box, a geohash cell or a polygon")]
    NoArea,
    /// A centre without a radius.
    #[error("a fence round a place needs a radius")]
    NoRadius,
    /// A number of nearest: whether an item is among them depends on all others.
    #[error("a fence has an edge; the k nearest have none")]
    Nearest,
    /// A filter.
    #[error("a fence looks at places only; filter what it tells")]
    Filter,
}

/// What a change is to a fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crossing {
    /// The item is inside and was not.
    Enter,
    /// The item was inside and is not, or is gone.
    Exit,
    /// The item was inside and still is.
    Inside,
}

/// An area whose borders are watched: exactly the items that its query finds are inside.
///
/// ```
/// use nigh::geometry::{Point, Radius};
/// use nigh::query::{Crossing, Fence, Query};
///
/// let port = Query::near(Point::new(43.297, 5.365)?).within("500m".parse::<Radius>()?);
/// let fence = Fence::new(&port)?;
/// let (sea, quay) = (Point::new(43.28, 5.30)?, Point::new(43.296, 5.366)?);
/// assert_eq!(fence.crossing(Some(sea), Some(quay)), Some(Crossing::Enter));
/// assert_eq!(fence.crossing(Some(quay), None), Some(Crossing::Exit));
/// assert_eq!(fence.crossing(None, Some(sea)), None);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Fence {
    query: Query,
    area: Area,
}

impl Fence {
    /// The area of a query. Pages and index kinds mean nothing to it.
    pub fn new(query: &Query) -> Result<Fence, FenceError> {
        let Query { near, rect, cell, polygon, filter, .. } = query;
        if filter.is_some() {
            return Err(FenceError::Filter);
        }
        let lens = match near {
            Some(near) if near.k.is_some() => return Err(FenceError::Nearest),
            Some(near) => {
                let radius = near.radius.ok_or(FenceError::NoRadius)?;
                Some(Lens::new(near.centre, near.metric, Radius::metres(radius)))
            }
            None => None,
        };
        let query =
            Query { near: near.clone(), rect: *rect, cell: *cell, polygon: polygon.clone(), ..Query::default() };
        let area = query.area(lens);
        if area.lens.is_none() && area.rect.is_none() && area.cell.is_none() && area.polygon.is_none() {
            return Err(FenceError::NoArea);
        }
        Ok(Fence { query, area })
    }

    /// Whether a place is inside, borders included as queries have them.
    pub fn holds(&self, point: Point) -> bool {
        self.area.holds(point)
    }

    /// What it means that an item was at a place, or nowhere, and now is at another, or nowhere.
    pub fn crossing(&self, was: Option<Point>, is: Option<Point>) -> Option<Crossing> {
        let holds = |point: Option<Point>| point.is_some_and(|point| self.holds(point));
        match (holds(was), holds(is)) {
            (false, false) => None,
            (false, true) => Some(Crossing::Enter),
            (true, false) => Some(Crossing::Exit),
            (true, true) => Some(Crossing::Inside),
        }
    }

    /// The query that finds what is inside.
    pub fn query(&self) -> &Query {
        &self.query
    }
}

#[cfg(test)]
#[path = "fence_tests.rs"]
mod tests;
