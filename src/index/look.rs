//! What a walk through a directory looks at, told to whoever watches.
//!
//! What surprises: nobody pays for being watched who is not. A walk is written once, over the eyes that follow it; closed eyes see nothing,
//! and what is told to them compiles to nothing.

use std::ops::Range;

use super::Points;
use super::tree::Tree;
use super::window::{LooseBox, Window};
use crate::geometry::Rect;

/// What became of a node that a walk looked at. Every node is told once, when that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was dropped with a few comparisons of edges: nothing that is looked for can be there.
    Passed,
    /// It was compared with the area and dropped: it holds nothing that counts, or nothing at all.
    Pruned,
    /// Its children were looked at.
    Opened,
    /// Its slots were handed out.
    Named,
}

/// A node that a walk looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// What became of it.
    pub verdict: Verdict,
    /// Its box, for drawing.
    pub outline: Rect,
    /// How many levels under the root.
    pub level: u32,
    /// Points that may lie in it, those of blocks that it shares with its neighbours among them.
    pub points: u32,
    /// What people call it, when it has a name.
    pub label: Option<String>,
}

impl Look {
    /// Slots that no node stands for: the box round their points.
    pub fn at_slots(points: &Points, slots: Range<u32>) -> Look {
        let positions = points.positions(slots.clone());
        let outline = if positions.is_empty() { Rect::WORLD } else { LooseBox::round(positions).rect() };
        Look { verdict: Verdict::Named, outline, level: 0, points: slots.len() as u32, label: None }
    }
}

/// Somebody who watches a walk.
pub trait Onlooker {
    /// A node was looked at. Runs that are handed out from now on are those of the last one that was [`Verdict::Named`].
    fn looks(&self, look: Look, runs: usize);
}

/// The eyes that follow a walk.
pub(super) trait Eyes: Copy {
    /// Whether they see anything.
    const OPEN: bool;

    /// Shows them a node, when so many runs have been handed out.
    fn see(self, runs: usize, look: impl FnOnce() -> Look);
}

/// Eyes that see nothing.
#[derive(Clone, Copy)]
pub(super) struct Closed;

impl Eyes for Closed {
    const OPEN: bool = false;

    #[inline(always)]
    fn see(self, _runs: usize, _look: impl FnOnce() -> Look) {}
}

impl Eyes for &dyn Onlooker {
    const OPEN: bool = true;

    fn see(self, runs: usize, look: impl FnOnce() -> Look) {
        self.looks(look(), runs);
    }
}

/// A node that the walk has completed.
pub(super) fn look<T: Tree>(tree: &T, points: &Points, node: T::Node, verdict: Verdict) -> Look {
    let mut held = 0;
    tree.slots(points, node, |slots, _| held += slots.len() as u32);
    let label = tree.label(node).filter(|label| !label.is_empty());
    Look { verdict, outline: tree.outline(node), level: tree.level(node), points: held, label }
}

/// A child that is dropped, perhaps before it was completed.
pub(super) fn look_at_dropped<T: Tree>(tree: &T, points: &Points, parent: T::Node, mut child: T::Node) -> Look {
    if tree.enter(points, parent, &mut child) {
        return look(tree, points, child, Verdict::Pruned);
    }
    let label = tree.label(child).filter(|label| !label.is_empty());
    Look { verdict: Verdict::Pruned, outline: tree.outline(child), level: tree.level(child), points: 0, label }
}

/// Shows the children of a node that the window kept from being handed out, as far as there is anything in them.
pub(super) fn show_passed<T: Tree>(
    tree: &T,
    points: &Points,
    parent: T::Node,
    mut handed_out: Vec<Rect>,
    eyes: impl Eyes,
    runs: usize,
) {
    tree.children(parent, &Window::round(None), |mut child, _| {
        let outline = tree.outline(child);
        match handed_out.iter().position(|other| *other == outline) {
            Some(at) => {
                handed_out.swap_remove(at);
            }
            None if tree.enter(points, parent, &mut child) => {
                eyes.see(runs, || look(tree, points, child, Verdict::Passed));
            }
            None => {}
        }
    });
}
