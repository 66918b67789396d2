//! R-tree: boxes round the points as they lie, packed bottom up.
//!
//! What surprises: nothing is ever inserted. The points are in Hilbert order already, so every 32 make a leaf, every
//! 16 boxes make the next box, and the tree needs no pointers: the children of box `i` are the boxes `16·i …` one
//! level down. (Kamel and Faloutsos, "On Packing R-trees", 1993.)
//!
//! Boxes are `f32`, rounded outwards: 16 bytes for 32 points.

use std::ops::Range;

use rayon::prelude::*;

use super::tree::Tree;
use super::window::{LooseBox, Window};
use super::{Array, BLOCK, Kind, PARALLEL_FROM, Points, Role, Section, Sorted, Stored};
use crate::geometry::Rect;

/// The kind.
pub(super) const RTREE: Kind = Kind {
    name: "rtree",
    summary: "packed R-tree: boxes round the points, 16 to a node, leaves of 32",
    role: Role::Offered,
    build: |sorted: &Sorted| Box::new(RTree::build(&sorted.points)),
    open: |points, stored| Some(Box::new(RTree::open(points, stored)?)),
};

/// Boxes in a node: with 32 the tree is a level lower but a descent compares more boxes than it saves misses.
const FANOUT: usize = 16;

#[derive(Debug)]
struct RTree {
    /// All levels one after the other. Level 0 holds a box for every block of points; the last level holds one box.
    boxes: Array<LooseBox>,
    /// Where each level begins in `boxes`, and where the last one ends.
    levels: Vec<u32>,
    len: u32,
}

/// Where the levels of a tree over so many points begin, and where the last one ends.
fn levels(points: usize) -> Vec<u32> {
    let (mut levels, mut count) = (vec![0], points.div_ceil(BLOCK));
    while count > 0 {
        levels.push(levels[levels.len() - 1] + count as u32);
        count = if count > 1 { count.div_ceil(FANOUT) } else { 0 };
    }
    levels
}

impl RTree {
    fn build(points: &Points) -> RTree {
        let positions = points.positions(points.slots());
        let mut boxes: Vec<LooseBox> = if positions.len() < PARALLEL_FROM {
            positions.chunks(BLOCK).map(LooseBox::round).collect()
        } else {
            positions.par_chunks(BLOCK).map(LooseBox::round).collect()
        };
        let levels = levels(positions.len());
        for below in levels.windows(2).take(levels.len().saturating_sub(2)) {
            for first in (below[0]..below[1]).step_by(FANOUT) {
                let last = below[1].min(first + FANOUT as u32);
                boxes.push(LooseBox::round_all(&boxes[first as usize..last as usize]));
            }
        }
        RTree { boxes: boxes.into(), levels, len: points.len() as u32 }
    }

    fn open(points: &Points, stored: &Stored<'_>) -> Option<RTree> {
        let levels = levels(points.len());
        let boxes = stored.array_of("boxes", levels[levels.len() - 1] as usize)?;
        Some(RTree { boxes, levels, len: points.len() as u32 })
    }
}

/// A box of a level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    level: u32,
    index: u32,
}

impl Tree for RTree {
    type Node = Node;

    fn root(&self, points: &Points) -> Option<Node> {
        (!points.is_empty()).then(|| Node { level: self.levels.len() as u32 - 2, index: 0 })
    }

    #[inline]
    fn children(&self, node: Node, window: &Window, mut each: impl FnMut(Node, Rect)) {
        let Some(level) = node.level.checked_sub(1) else { return };
        let (start, end) = (self.levels[level as usize], self.levels[level as usize + 1]);
        let first = node.index * FANOUT as u32;
        let last = end.min(start + first + FANOUT as u32);
        for (index, own) in (first..).zip(self.boxes.slice((start + first) as usize..last as usize)) {
            if window.touches(*own) {
                each(Node { level, index }, own.rect());
            }
        }
    }

    fn outline(&self, node: Node) -> Rect {
        self.boxes.at((self.levels[node.level as usize] + node.index) as usize).rect()
    }

    fn level(&self, node: Node) -> u32 {
        self.levels.len() as u32 - 2 - node.level
    }

    fn is_leaf(&self, node: Node) -> bool {
        node.level == 0
    }

    fn slots(&self, _points: &Points, node: Node, mut each: impl FnMut(Range<u32>, bool)) {
        let width = (BLOCK * FANOUT.pow(node.level)) as u64;
        let start = u64::from(node.index) * width;
        each(start as u32..(start + width).min(self.len.into()) as u32, true);
    }

    fn bytes(&self) -> usize {
        self.boxes.bytes()
    }

    fn sections(&self) -> Vec<Section<'_>> {
        vec![("boxes", self.boxes.as_bytes())]
    }
}
