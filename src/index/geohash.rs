//! Geohash cells: the grid people write as `u09tvw`, 32 children to a cell.
//!
//! What surprises: the points need not be in geohash order. A cell of an even number of characters is a square of the
//! grid and one stretch of the Hilbert curve; one of an odd number is two squares side by side, north over south, and
//! so at most two stretches. (G. Niemeyer, geohash.org, 2008: bits of longitude and latitude in turn, longitude first.)

use std::ops::{Range, RangeInclusive};

use super::curve::{self, grid_outline, grid_rect, upper_bits};
use super::hilbert::parts;
use super::tree::Tree;
use super::window::Window;
use super::{BLOCK, Kind, Points, Role, Sorted};
use crate::geometry::Rect;

/// The kind.
pub(super) const GEOHASH: Kind = Kind {
    name: "geohash",
    summary: "geohash cells of 1 to 12 characters, looked up as stretches of the order",
    role: Role::Offered,
    build: |_: &Sorted| Box::new(Geohash),
    open: |_, _| Some(Box::new(Geohash)),
};

/// A cell with this many slots or fewer is read rather than cut into 32: looking up two stretches for each of the children
/// costs as much as reading a block.
///
/// *Why 16 blocks*: at 10 M clustered points a circle of a thousand answers takes 1.7 times as long as on the R-tree with 5
/// blocks, 1.6 with 8, 1.3 with 16.
const LEAF: usize = 16 * BLOCK;

/// The most characters: 60 bits.
const CHARACTERS: u32 = 12;

const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

#[derive(Debug)]
struct Geohash;

/// Of the children that split `parent_bits` to `child_bits` along one axis, those that touch the window, as the bits
/// that they add to the parent's.
#[inline]
fn touched(parent: u32, parent_bits: u32, child_bits: u32, window: &RangeInclusive<u32>) -> RangeInclusive<u32> {
    let last = (1 << (child_bits - parent_bits)) - 1;
    let place = |edge: u32| (edge.saturating_sub(parent) >> (curve::ORDER - child_bits)).min(last);
    // A window that lies beyond the parent touches none, but its parent would not have been opened then.
    place(*window.start())..=place(*window.end())
}

/// A geohash cell and the slots of its two halves; the second is empty for a square cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    column: u32,
    row: u32,
    characters: u32,
    halves: [(u32, u32); 2],
}

impl Node {
    /// Leading bits of column and row that the cell fixes.
    fn bits(self) -> (u32, u32) {
        let bits = 5 * self.characters;
        (bits.div_ceil(2), bits / 2)
    }

    fn rect(self) -> Rect {
        grid_rect((self.column, self.row), self.bits())
    }

    /// The stretches of keys of the one or two squares that make the cell.
    #[inline]
    fn stretches(self) -> [Option<(u64, u64)>; 2] {
        let (lon_bits, lat_bits) = self.bits();
        let northern = || curve::stretch(self.column, self.row | 1 << (curve::ORDER - lon_bits), lon_bits);
        [Some(curve::stretch(self.column, self.row, lon_bits)), (lon_bits > lat_bits).then(northern)]
    }

    fn len(self) -> usize {
        self.halves.iter().map(|(start, end)| (end - start) as usize).sum()
    }
}

impl Tree for Geohash {
    type Node = Node;

    fn root(&self, points: &Points) -> Option<Node> {
        let halves = [(0, points.len() as u32), (0, 0)];
        (!points.is_empty()).then_some(Node { column: 0, row: 0, characters: 0, halves })
    }

    fn holding(&self, points: &Points, frame: Rect) -> Option<Node> {
        let (west, south) = (curve::column(frame.west()), curve::row(frame.south()));
        let lon_bits = (west ^ curve::column(frame.east())).leading_zeros();
        let lat_bits = (south ^ curve::row(frame.north())).leading_zeros();
        let fits = |characters: &u32| (5 * characters).div_ceil(2) <= lon_bits && 5 * characters / 2 <= lat_bits;
        let characters = (1..=CHARACTERS).rev().find(fits).unwrap_or(0);
        let mut node = Node { characters, ..self.root(points)? };
        let (lon_bits, lat_bits) = node.bits();
        (node.column, node.row) = (west & upper_bits(lon_bits), south & upper_bits(lat_bits));
        let root = self.root(points)?;
        self.enter(points, root, &mut node).then_some(node)
    }

    #[inline]
    fn children(&self, node: Node, window: &Window, mut each: impl FnMut(Node, Rect)) {
        if node.characters == CHARACTERS {
            return;
        }
        let below = Node { characters: node.characters + 1, ..node };
        let (lon_bits, lat_bits) = below.bits();
        let columns = touched(node.column, node.bits().0, lon_bits, &window.columns);
        let rows = touched(node.row, node.bits().1, lat_bits, &window.rows);
        for row in rows {
            for column in columns.clone() {
                let child = Node {
                    column: node.column | column << (curve::ORDER - lon_bits),
                    row: node.row | row << (curve::ORDER - lat_bits),
                    ..below
                };
                each(child, child.rect());
            }
        }
    }

    fn outline(&self, node: Node) -> Rect {
        grid_outline((node.column, node.row), node.bits())
    }

    #[inline]
    fn enter(&self, points: &Points, parent: Node, node: &mut Node) -> bool {
        // A parent of two halves offers both as one stretch; the lookup is a few steps longer for it.
        let (first, second) = (parent.halves[0], parent.halves[1]);
        let among = if second.0 == second.1 { first.0..first.1 } else { first.0.min(second.0)..first.1.max(second.1) };
        node.halves = node.stretches().map(|stretch| {
            let Some((first, last)) = stretch else { return (0, 0) };
            let slots = points.slots_of_keys(first, last, &among);
            (slots.start, slots.end)
        });
        node.len() > 0
    }

    fn level(&self, node: Node) -> u32 {
        node.characters
    }

    fn is_leaf(&self, node: Node) -> bool {
        node.len() <= LEAF || node.characters == CHARACTERS
    }

    fn slots(&self, points: &Points, node: Node, mut each: impl FnMut(Range<u32>, bool)) {
        if node.characters == 0 {
            return each(points.slots(), true);
        }
        for (stretch, (start, end)) in node.stretches().into_iter().zip(node.halves) {
            let Some((first, last)) = stretch else { continue };
            let slots = start..end;
            let sure = points.sure_slots_of_keys(first, last, &slots);
            for (part, is_sure) in parts(&slots, &sure) {
                each(part, is_sure);
            }
        }
    }

    fn label(&self, node: Node) -> Option<String> {
        let (lon_bits, lat_bits) = node.bits();
        let mut bits = 0_u64;
        for place in 0..lon_bits + lat_bits {
            let word = if place % 2 == 0 { node.column } else { node.row };
            bits = bits << 1 | u64::from(word >> (curve::ORDER - 1 - place / 2) & 1);
        }
        let letter = |place: u32| char::from(ALPHABET[(bits >> (5 * (node.characters - 1 - place)) & 31) as usize]);
        Some((0..node.characters).map(letter).collect())
    }

    fn bytes(&self) -> usize {
        0
    }
}
