//! Quadtree: the earth halved both ways, again where points are dense.
//!
//! What surprises: a node is eight bytes. The children of a cell are four neighbours in the array, in the order of the
//! curve; where a cell begins among the points is stored, where it ends is where the next begins, and its place on
//! earth follows from the way down.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};

use super::curve::{self, Cell};
use super::hilbert::cell_round;
use super::tree::Tree;
use super::window::Window;
use super::{Array, Kind, Points, Role, Section, Sorted, Stored};
use crate::geometry::Rect;

/// The kind.
pub(super) const QUADTREE: Kind = Kind {
    name: "quadtree",
    summary: "adaptive quadtree: the earth quartered again wherever more than 48 points share a cell",
    role: Role::Offered,
    build: |sorted: &Sorted| Box::new(Quadtree::build(&sorted.keys)),
    open: |points, stored| Some(Box::new(Quadtree::open(points, stored)?)),
};

/// Points in a leaf, at most, unless they share one grid cell.
const LEAF: usize = 48;

#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Branch {
    /// The first slot of the cell.
    start: u32,
    /// The first of its four children; 0 for a leaf, because the root is nobody's child.
    children: u32,
}

#[derive(Debug)]
struct Quadtree {
    branches: Array<Branch>,
    len: u32,
}

impl Quadtree {
    fn build(keys: &[u64]) -> Quadtree {
        let mut branches = vec![Branch { start: 0, children: 0 }];
        let mut open = vec![(0_usize, Cell::EARTH, 0..keys.len())];
        while let Some((index, cell, slots)) = open.pop() {
            if slots.len() <= LEAF || cell.depth() == curve::ORDER {
                continue;
            }
            let first_child = branches.len();
            branches[index].children = first_child as u32;
            let mut start = slots.start;
            for (place, child) in cell.children().into_iter().enumerate() {
                let end = start + keys[start..slots.end].partition_point(|&key| key <= child.last_key());
                branches.push(Branch { start: start as u32, children: 0 });
                open.push((first_child + place, child, start..end));
                start = end;
            }
        }
        Quadtree { branches: branches.into(), len: keys.len() as u32 }
    }

    fn open(points: &Points, stored: &Stored<'_>) -> Option<Quadtree> {
        let branches = stored.array("branches").filter(|branches| !branches.is_empty())?;
        Some(Quadtree { branches, len: points.len() as u32 })
    }
}

/// A branch with what follows from the way to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    cell: Cell,
    end: u32,
    branch: Branch,
}

impl Tree for Quadtree {
    type Node = Node;

    fn root(&self, points: &Points) -> Option<Node> {
        (!points.is_empty()).then(|| Node { cell: Cell::EARTH, end: self.len, branch: *self.branches.at(0) })
    }

    fn holding(&self, points: &Points, frame: Rect) -> Option<Node> {
        let target = cell_round(frame);
        let mut node = self.root(points)?;
        while node.branch.children != 0 && node.cell.depth() < target.depth() {
            let place = target.first_key() >> (2 * (curve::ORDER - 1 - node.cell.depth())) & 3;
            node = self.child(node, place as usize);
        }
        (node.branch.start < node.end).then_some(node)
    }

    #[inline]
    fn children(&self, node: Node, window: &Window, mut each: impl FnMut(Node, Rect)) {
        if node.branch.children == 0 {
            return;
        }
        let branches = self.siblings(node.branch.children);
        for (place, cell) in node.cell.children().into_iter().enumerate() {
            let end = branches.get(place + 1).map_or(node.end, |next| next.start);
            if branches[place].start < end && window.touches_cell(cell) {
                each(Node { cell, end, branch: branches[place] }, cell.rect());
            }
        }
    }

    fn outline(&self, node: Node) -> Rect {
        node.cell.outline()
    }

    fn level(&self, node: Node) -> u32 {
        node.cell.depth()
    }

    fn is_leaf(&self, node: Node) -> bool {
        node.branch.children == 0
    }

    fn slots(&self, _points: &Points, node: Node, mut each: impl FnMut(Range<u32>, bool)) {
        each(node.branch.start..node.end, true);
    }

    fn bytes(&self) -> usize {
        self.branches.bytes()
    }

    fn sections(&self) -> Vec<Section<'_>> {
        vec![("branches", self.branches.as_bytes())]
    }
}

impl Quadtree {
    /// The four children that begin there.
    #[inline]
    fn siblings(&self, first: u32) -> &[Branch] {
        self.branches.slice(first as usize..first as usize + 4)
    }

    #[inline]
    fn child(&self, node: Node, place: usize) -> Node {
        let siblings = self.siblings(node.branch.children);
        let end = siblings.get(place + 1).map_or(node.end, |next| next.start);
        Node { cell: node.cell.children()[place], end, branch: siblings[place] }
    }
}
