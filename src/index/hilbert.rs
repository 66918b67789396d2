//! Hilbert ranges: no tree is stored at all. The order of the points is the index.
//!
//! An area is cut into cells of the curve; each cell is one stretch of keys; the ruler of the points says which blocks
//! a stretch lies in. What surprises: there is no budget of ranges to run out of (one such lost results near the
//! poles). Cutting stops when a stretch is three blocks or less, so the number of cells follows from the points.

use std::ops::Range;

use super::curve::{self, Cell};
use super::tree::Tree;
use super::window::Window;
use super::{BLOCK, Kind, Points, Role, Sorted};
use crate::geometry::Rect;

/// The kind.
pub(super) const HILBERT: Kind = Kind {
    name: "hilbert",
    summary: "cuts the area into stretches of the Hilbert curve and looks them up in the order itself",
    role: Role::Offered,
    build: |_: &Sorted| Box::new(Hilbert),
    open: |_, _| Some(Box::new(Hilbert)),
};

/// A stretch of this many slots is read rather than cut further.
const LEAF: usize = 3 * BLOCK;

#[derive(Debug)]
struct Hilbert;

/// A cell of the curve and the slots that may lie in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    cell: Cell,
    start: u32,
    end: u32,
}

impl Tree for Hilbert {
    type Node = Node;

    fn root(&self, points: &Points) -> Option<Node> {
        (!points.is_empty()).then(|| Node { cell: Cell::EARTH, start: 0, end: points.len() as u32 })
    }

    fn holding(&self, points: &Points, frame: Rect) -> Option<Node> {
        let cell = cell_round(frame);
        let slots = points.slots_of_keys(cell.first_key(), cell.last_key(), &points.slots());
        (!slots.is_empty()).then_some(Node { cell, start: slots.start, end: slots.end })
    }

    #[inline]
    fn children(&self, node: Node, window: &Window, mut each: impl FnMut(Node, Rect)) {
        for cell in node.cell.children() {
            if window.touches_cell(cell) {
                each(Node { cell, ..node }, cell.rect());
            }
        }
    }

    fn outline(&self, node: Node) -> Rect {
        node.cell.outline()
    }

    #[inline]
    fn enter(&self, points: &Points, parent: Node, node: &mut Node) -> bool {
        let among = parent.start..parent.end;
        let slots = points.slots_of_keys(node.cell.first_key(), node.cell.last_key(), &among);
        (node.start, node.end) = (slots.start, slots.end);
        !slots.is_empty()
    }

    fn level(&self, node: Node) -> u32 {
        node.cell.depth()
    }

    fn is_leaf(&self, node: Node) -> bool {
        (node.end - node.start) as usize <= LEAF || node.cell.depth() == curve::ORDER
    }

    fn slots(&self, points: &Points, node: Node, mut each: impl FnMut(Range<u32>, bool)) {
        let slots = node.start..node.end;
        let sure = points.sure_slots_of_keys(node.cell.first_key(), node.cell.last_key(), &slots);
        for (part, is_sure) in parts(&slots, &sure) {
            each(part, is_sure);
        }
    }

    fn bytes(&self) -> usize {
        0
    }
}

/// The smallest cell that surely holds every position of a box that has no seam.
pub(super) fn cell_round(frame: Rect) -> Cell {
    let low = (curve::column(frame.west()), curve::row(frame.south()));
    let high = (curve::column(frame.east()), curve::row(frame.north()));
    Cell::spanning(low, high)
}

/// The parts of `slots` before, within and after `sure` that are not empty, and whether they are sure.
pub(super) fn parts(slots: &Range<u32>, sure: &Range<u32>) -> impl Iterator<Item = (Range<u32>, bool)> {
    let parts = [(slots.start..sure.start, false), (sure.clone(), true), (sure.end.max(slots.start)..slots.end, false)];
    let parts = if sure.is_empty() { [(slots.clone(), false), (0..0, false), (0..0, false)] } else { parts };
    parts.into_iter().filter(|(part, _)| !part.is_empty())
}
