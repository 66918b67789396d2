//! What a query asks for, in geometry: a circle, a box, a geohash cell, a polygon, or several at once.
//!
//! An [`Area`] answers two questions, and only these decide what is in an answer: how does a **box** lie to it
//! (conservative, for directories), and does it hold a **point** (exact, for the one refine that all kinds share).

use super::Budget;
use super::lens::Lens;
use super::points::{BLOCK, Points};
use crate::geometry::polygon::PreparedPolygon;
use crate::geometry::{GeohashCell, Overlap, Point, Rect, UnitVector};
use std::ops::Range;
use std::sync::Arc;

/// The intersection of the given shapes; the whole earth when there is none.
#[derive(Debug, Default, Clone)]
pub struct Area {
    /// A circle, or a place to look from without an end.
    pub lens: Option<Lens>,
    /// A box.
    pub rect: Option<Rect>,
    /// A geohash cell.
    pub cell: Option<GeohashCell>,
    /// A polygon.
    pub polygon: Option<Arc<PreparedPolygon>>,
}

/// A point that is in the area: its slot and, when there is a lens, its squared chord from there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The slot.
    pub slot: u32,
    /// The squared chord to the centre of the lens; 0 without a lens.
    pub chord2: f64,
}

impl Area {
    /// How a box lies to the area, and the least squared chord to it when there is a lens.
    pub fn overlap(&self, rect: Rect) -> (Overlap, f64) {
        self.overlap_within(rect, None)
    }

    /// [`Area::overlap`], for somebody who pays for the edges of a polygon that are asked.
    #[inline]
    pub fn overlap_within(&self, rect: Rect, budget: Option<&Budget<'_>>) -> (Overlap, f64) {
        let (mut overlap, mut least) = (Overlap::Inside, 0.0);
        if let Some(lens) = &self.lens {
            (overlap, least) = lens.overlap(rect);
        }
        if overlap != Overlap::Outside {
            overlap = overlap.and(self.flat_overlap(rect, budget));
        }
        (overlap, least)
    }

    fn flat_overlap(&self, rect: Rect, budget: Option<&Budget<'_>>) -> Overlap {
        let mut overlap = Overlap::Inside;
        if let Some(own) = self.rect {
            overlap = overlap.and(own.overlap(rect));
        }
        if let Some(cell) = self.cell
            && overlap != Overlap::Outside
        {
            overlap = overlap.and(match cell.rect().overlap(rect) {
                Overlap::Inside => Overlap::Boundary, // a geohash cell is half open: its edge may belong to a neighbour
                other => other,
            });
        }
        if let Some(polygon) = &self.polygon
            && overlap != Overlap::Outside
        {
            let (own, edges) = polygon.overlap_by_edges(rect);
            if budget.is_some_and(|budget| !budget.spend(edge_units(edges))) {
                return Overlap::Outside; // the walk ends here: whatever it names is good for nothing
            }
            overlap = overlap.and(own);
        }
        overlap
    }

    /// A box without a seam that holds the whole area, if one is known.
    pub fn frame(&self) -> Option<Rect> {
        // A box that only touches ±180 or a pole holds positions on the far side, under their other spelling.
        let seamless =
            |rect: &Rect| -180.0 < rect.west() && rect.east() < 180.0 && -90.0 < rect.south() && rect.north() < 90.0;
        let lens = self.lens.as_ref().and_then(Lens::frame);
        let cell = self.cell.map(GeohashCell::rect).filter(seamless);
        let polygon = self.polygon.as_ref().map(|polygon| polygon.frame()).filter(seamless);
        let frames = [lens, self.rect.filter(seamless), cell, polygon];
        let size = |rect: &Rect| (rect.east() - rect.west()).max(rect.north() - rect.south());
        frames.into_iter().flatten().min_by(|a, b| size(a).total_cmp(&size(b)))
    }

    /// Whether membership is settled by the lens alone.
    fn is_round(&self) -> bool {
        self.rect.is_none() && self.cell.is_none() && self.polygon.is_none()
    }

    /// The exact test of everything but the lens.
    fn holds_flat(&self, points: &Points, slot: u32, budget: &Budget<'_>) -> bool {
        self.holds_flat_at(points.position(slot), || points.unit(slot), budget)
    }

    /// A polygon is paid for by the edges that are asked; when the budget is over it holds nothing.
    fn holds_flat_at(&self, [lat, lon]: [f64; 2], unit: impl FnOnce() -> UnitVector, budget: &Budget<'_>) -> bool {
        self.rect.is_none_or(|rect| rect.holds(lat, lon))
            && self.cell.is_none_or(|cell| cell.holds(lat, lon))
            && self.polygon.as_ref().is_none_or(|polygon| {
                if budget.is_over() {
                    return false;
                }
                let (held, edges) = polygon.contains_by_edges(lat, lon, unit);
                budget.spend(edge_units(edges)) && held
            })
    }

    /// The same exact test for a point that stands in no segment.
    pub fn holds(&self, point: Point) -> bool {
        let unit = point.unit();
        let near = |lens: &Lens| {
            let chord2 = unit.chord2(lens.unit());
            chord2 <= lens.outside_chord2() && lens.holds(|| unit, chord2)
        };
        let at = [point.lat_deg(), point.lon_deg()];
        self.lens.as_ref().is_none_or(near) && self.holds_flat_at(at, || unit, &Budget::unlimited())
    }

    /// The one exact test: hands every slot of `slots` that the area holds to `hit`, in order.
    pub fn refine(&self, points: &Points, slots: Range<u32>, hit: impl FnMut(Hit)) {
        self.refine_within(points, slots, &Budget::unlimited(), hit);
    }

    /// [`Area::refine`] within a budget, from which only a polygon takes anything here: points are paid for by their piece.
    pub fn refine_within(&self, points: &Points, slots: Range<u32>, budget: &Budget<'_>, mut hit: impl FnMut(Hit)) {
        let Some(lens) = &self.lens else {
            if let Area { rect: Some(rect), cell: None, polygon: None, .. } = self {
                return in_rect(points, *rect, slots, hit);
            }
            return slots
                .filter(|&slot| self.holds_flat(points, slot, budget))
                .for_each(|slot| hit(Hit { slot, chord2: 0.0 }));
        };
        let round = self.is_round();
        for_each_chord2(points, lens, slots, lens.outside_chord2(), |slot, chord2| {
            if lens.holds(|| points.unit(slot), chord2) && (round || self.holds_flat(points, slot, budget)) {
                hit(Hit { slot, chord2 });
            }
        });
    }

    /// [`Area::refine`] for slots that are known to lie inside: only what ranking needs.
    pub fn accept(&self, points: &Points, slots: Range<u32>, mut hit: impl FnMut(Hit)) {
        match &self.lens {
            None => slots.for_each(|slot| hit(Hit { slot, chord2: 0.0 })),
            Some(lens) => for_each_chord2(points, lens, slots, f64::INFINITY, |slot, chord2| hit(Hit { slot, chord2 })),
        }
    }
}

/// What it costs to ask a polygon: finding the cell, and the edges there.
fn edge_units(edges: u32) -> u64 {
    2 + u64::from(edges / 2)
}

/// A plain box is by far the most frequent area without a lens.
fn in_rect(points: &Points, rect: Rect, slots: Range<u32>, mut hit: impl FnMut(Hit)) {
    for (slot, &[lat, lon]) in (slots.start..).zip(points.positions(slots)) {
        if rect.holds(lat, lon) {
            hit(Hit { slot, chord2: 0.0 });
        }
    }
}

/// Hands on the slots whose squared chord is at most `limit`, block by block.
#[inline]
fn for_each_chord2(points: &Points, lens: &Lens, slots: Range<u32>, limit: f64, mut each: impl FnMut(u32, f64)) {
    let mut chords2 = [0.0; BLOCK];
    let mut start = slots.start;
    while start < slots.end {
        let block = start as usize / BLOCK;
        let end = slots.end.min(((block + 1) * BLOCK) as u32);
        let near = points.chords2_up_to(block, lens.unit(), limit, &mut chords2);
        let first = start as usize % BLOCK;
        let lanes = first..first + (end - start) as usize;
        let mut near = near & mask(&lanes);
        while near != 0 {
            let lane = near.trailing_zeros();
            each((block * BLOCK) as u32 + lane, chords2[lane as usize]);
            near &= near - 1;
        }
        start = end;
    }
}

/// The bits of some lanes.
fn mask(lanes: &Range<usize>) -> u32 {
    let from = u32::MAX << lanes.start;
    let to = u32::MAX >> (BLOCK - lanes.end);
    from & to
}
