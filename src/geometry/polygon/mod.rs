//! stub
use super::{Overlap, Rect, UnitVector};
/// stub
#[derive(Debug, Clone)]
pub struct PreparedPolygon;
impl PreparedPolygon {
    /// stub
    pub fn frame(&self) -> Rect {
        Rect::WORLD
    }
    /// stub
    pub fn overlap(&self, _: Rect) -> Overlap {
        Overlap::Boundary
    }
    /// stub
    pub fn contains(&self, _: f64, _: f64, _: impl FnOnce() -> UnitVector) -> bool {
        true
    }
}
