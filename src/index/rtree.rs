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
use super::{BLOCK, Kind, PARALLEL_FROM, Points, Role, Sorted};
use crate::geometry::Rect;

/// The kind.
pub(super) const RTREE: Kind = Kind {
    name: "rtree",
    summary: "packed R-tree: boxes round the points, 16 to a node, leaves of 32",
    role: Role::Offered,
    build: |sorted: &Sorted| Box::new(RTree::build(&sorted.points)),
};

/// Boxes in a node: with 32 the tree is a level lower but a descent compares more boxes than it saves misses.
const FANOUT: usize = 16;

#[derive(Debug)]
struct RTree {
    /// Level 0 holds a box for every block of points; the last level holds one box.
    levels: Vec<Vec<LooseBox>>,
    len: u32,
}

impl RTree {
    fn build(points: &Points) -> RTree {
        let positions = points.positions(points.slots());
        let leaves = if positions.len() < PARALLEL_FROM {
            positions.chunks(BLOCK).map(LooseBox::round).collect()
        } else {
            positions.par_chunks(BLOCK).map(LooseBox::round).collect()
        };
        let mut levels: Vec<Vec<LooseBox>> = vec![leaves];
        while let Some(last) = levels.last()
            && last.len() > 1
        {
            levels.push(last.chunks(FANOUT).map(LooseBox::round_all).collect());
        }
        RTree { levels, len: points.len() as u32 }
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
        (!points.is_empty()).then(|| Node { level: self.levels.len() as u32 - 1, index: 0 })
    }

    #[inline]
    fn children(&self, node: Node, window: &Window, mut each: impl FnMut(Node, Rect)) {
        let Some(level) = node.level.checked_sub(1) else { return };
        let boxes = &self.levels[level as usize];
        let first = node.index as usize * FANOUT;
        let last = boxes.len().min(first + FANOUT);
        for (place, own) in boxes[first..last].iter().enumerate() {
            if window.touches(*own) {
                each(Node { level, index: (first + place) as u32 }, own.rect());
            }
        }
    }

    fn outline(&self, node: Node) -> Rect {
        self.levels[node.level as usize][node.index as usize].rect()
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
        self.levels.iter().map(|boxes| size_of_val(&**boxes)).sum()
    }
}
