//! The one engine that walks every directory made of boxes within boxes.
//!
//! A kind says how its tree looks ([`Tree`]); the walks are written once. What surprises: neighbouring cells of a kind
//! whose leaves are stretches of the curve may share a block of points, so the nearest-first walk remembers which
//! blocks it handed out, and the covering walk leaves that to [`in_order`](super::in_order).

use std::ops::Range;

use super::look::{Closed, Eyes, Onlooker, Verdict, look, look_at_dropped, show_passed};
use super::window::Window;
use super::{Area, BLOCK, Directory, DirectoryCell, Lens, Points, Run, Section, Trace};
use crate::geometry::{Overlap, Rect};

/// A directory made of boxes within boxes.
pub trait Tree: Send + Sync + std::fmt::Debug {
    /// A node, small enough to copy.
    type Node: Copy;

    /// The node of everything, or `None` when there are no points.
    fn root(&self, points: &Points) -> Option<Self::Node>;

    /// A smaller node that surely holds every point of a box, when the kind can tell one at once.
    fn holding(&self, points: &Points, frame: Rect) -> Option<Self::Node> {
        let _ = frame;
        self.root(points)
    }

    /// Hands out the children of a node with their boxes, in the order of the tree; nothing for a leaf.
    ///
    /// Children that the window surely does not touch may be left out: a kind knows a quicker way to tell than a box.
    fn children(&self, node: Self::Node, window: &Window, each: impl FnMut(Self::Node, Rect));

    /// The box of a node, for drawing.
    fn outline(&self, node: Self::Node) -> Rect;

    /// Completes a child that the walk wants to keep: some kinds look up slots only now. `false` drops it as empty.
    fn enter(&self, points: &Points, parent: Self::Node, node: &mut Self::Node) -> bool {
        let _ = (points, parent, node);
        true
    }

    /// Whether the walk should stop here and name the slots.
    fn is_leaf(&self, node: Self::Node) -> bool;

    /// Hands out the slots that may lie in a node; `true` for those that surely do. Leaves may share slots with other
    /// leaves only in whole blocks.
    fn slots(&self, points: &Points, node: Self::Node, each: impl FnMut(Range<u32>, bool));

    /// How many levels a node lies under the root.
    fn level(&self, node: Self::Node) -> u32;

    /// What people call a node.
    fn label(&self, _node: Self::Node) -> Option<String> {
        None
    }

    /// Bytes held beyond the points.
    fn bytes(&self) -> usize;

    /// What a file has to hold of the tree: nothing of one that is not stored.
    fn sections(&self) -> Vec<Section<'_>> {
        Vec::new()
    }
}

impl<T: Tree> Directory for T {
    fn cover(&self, points: &Points, area: &Area, runs: &mut Vec<Run>, trace: &mut Trace<'_>) {
        cover_before(self, points, area, runs, trace, Closed);
    }

    fn cover_watched(
        &self,
        points: &Points,
        area: &Area,
        runs: &mut Vec<Run>,
        trace: &mut Trace<'_>,
        onlooker: &dyn Onlooker,
    ) {
        cover_before(self, points, area, runs, trace, onlooker);
    }

    fn nearest(&self, points: &Points, area: &mut Area, visit: &mut dyn FnMut(Run, &mut Area), trace: &mut Trace<'_>) {
        if let Some(start) = start(self, points, area.frame()) {
            nearest_first(self, points, area, (start, Closed), visit, trace);
        }
    }

    fn nearest_watched(
        &self,
        points: &Points,
        area: &mut Area,
        visit: &mut dyn FnMut(Run, &mut Area),
        trace: &mut Trace<'_>,
        onlooker: &dyn Onlooker,
    ) {
        if let Some(start) = start(self, points, area.frame()) {
            nearest_first(self, points, area, (start, onlooker), visit, trace);
        }
    }

    fn cells(&self, points: &Points, frame: Rect, level: u32, most: usize) -> Vec<DirectoryCell> {
        let mut cells = Vec::new();
        let mut open: Vec<(T::Node, u32)> = self.root(points).map(|root| (root, 0)).into_iter().collect();
        while let Some((node, depth)) = open.pop() {
            if cells.len() >= most {
                break;
            }
            if depth < level && !self.is_leaf(node) {
                let first = open.len();
                self.children(node, &Window::round(None), |mut child, rect| {
                    if frame.overlap(rect) != Overlap::Outside && self.enter(points, node, &mut child) {
                        open.push((child, depth + 1));
                    }
                });
                open[first..].reverse(); // so that cells come out in the order of the tree
            } else {
                let mut slots = 0..0;
                self.slots(points, node, |part, _| slots = hull(&slots, &part));
                cells.push(DirectoryCell { rect: self.outline(node), level: depth, slots, label: self.label(node) });
            }
        }
        cells
    }

    fn bytes(&self) -> usize {
        Tree::bytes(self)
    }

    fn sections(&self) -> Vec<Section<'_>> {
        Tree::sections(self)
    }
}

/// The stretch from the first to the last slot of two.
fn hull(a: &Range<u32>, b: &Range<u32>) -> Range<u32> {
    if a.is_empty() { b.clone() } else { a.start.min(b.start)..a.end.max(b.end) }
}

/// The smallest node at hand that holds the whole area.
fn start<T: Tree>(tree: &T, points: &Points, frame: Option<Rect>) -> Option<T::Node> {
    match frame {
        Some(frame) => tree.holding(points, frame),
        None => tree.root(points),
    }
}

/// Names the slots of all nodes that touch the area.
fn cover_before<T: Tree>(
    tree: &T,
    points: &Points,
    area: &Area,
    runs: &mut Vec<Run>,
    trace: &mut Trace<'_>,
    eyes: impl Eyes,
) {
    let frame = area.frame();
    let Some(start) = start(tree, points, frame) else { return };
    let before = runs.len();
    cover_from(tree, points, area, (start, &Window::round(frame), eyes), runs, trace);
    trace.runs += (runs.len() - before) as u64;
}

/// Names the slots of a node that touches the area, in the order of the tree.
fn cover_from<T: Tree, E: Eyes>(
    tree: &T,
    points: &Points,
    area: &Area,
    (start, window, eyes): (T::Node, &Window, E),
    runs: &mut Vec<Run>,
    trace: &mut Trace<'_>,
) {
    let budget = trace.budget();
    let mut open: Vec<(T::Node, Overlap, f64)> = Vec::with_capacity(64);
    open.push((start, Overlap::Boundary, 0.0));
    while let Some((node, overlap, least_chord2)) = open.pop() {
        let inside = overlap == Overlap::Inside;
        if inside || tree.is_leaf(node) {
            eyes.see(runs.len(), || look(tree, points, node, Verdict::Named));
            tree.slots(points, node, |slots, sure| runs.push(Run { slots, inside: inside && sure, least_chord2 }));
            continue;
        }
        trace.nodes += 1;
        eyes.see(runs.len(), || look(tree, points, node, Verdict::Opened));
        let (first, boxes_before) = (open.len(), trace.boxes);
        let mut handed_out = Vec::new();
        tree.children(node, window, |mut child, rect| {
            trace.boxes += 1;
            if E::OPEN {
                handed_out.push(tree.outline(child));
            }
            let (overlap, least) = area.overlap_within(rect, budget);
            if overlap != Overlap::Outside && tree.enter(points, node, &mut child) {
                open.push((child, overlap, least));
            } else {
                eyes.see(runs.len(), || look_at_dropped(tree, points, node, child));
            }
        });
        if E::OPEN {
            show_passed(tree, points, node, handed_out, eyes, runs.len());
        }
        if !trace.spend(node_units(trace.boxes - boxes_before)) {
            return;
        }
        open[first..].reverse(); // so that runs come out in the order of the tree
    }
}

/// Visits leaves nearest first; a node that the lens no longer reaches is dropped unopened.
fn nearest_first<T: Tree, E: Eyes>(
    tree: &T,
    points: &Points,
    area: &mut Area,
    (start, eyes): (T::Node, E),
    visit: &mut dyn FnMut(Run, &mut Area),
    trace: &mut Trace<'_>,
) {
    let reaches = |area: &Area, least: f64| area.lens.as_ref().is_none_or(|lens| lens.may_reach(least));
    let (budget, mut seen) = (trace.budget(), SeenBlocks::default());
    let mut open: Vec<(T::Node, f64)> = Vec::with_capacity(64);
    open.push((start, 0.0));
    let mut window = Window::round(area.frame());
    while let Some((node, least_chord2)) = open.pop() {
        if !reaches(area, least_chord2) {
            eyes.see(0, || look(tree, points, node, Verdict::Pruned));
            continue;
        }
        if tree.is_leaf(node) {
            eyes.see(0, || look(tree, points, node, Verdict::Named));
            let before = horizon(area);
            tree.slots(points, node, |slots, _| {
                seen.each_new(slots, |slots| {
                    trace.runs += 1;
                    visit(Run { slots, inside: false, least_chord2 }, area);
                });
            });
            if trace.is_over() {
                return;
            }
            if horizon(area) < before {
                window = Window::round(area.frame());
            }
            continue;
        }
        trace.nodes += 1;
        eyes.see(0, || look(tree, points, node, Verdict::Opened));
        let (first, boxes_before) = (open.len(), trace.boxes);
        let mut handed_out = Vec::new();
        tree.children(node, &window, |mut child, rect| {
            trace.boxes += 1;
            if E::OPEN {
                handed_out.push(tree.outline(child));
            }
            let (overlap, least) = area.overlap_within(rect, budget);
            if overlap != Overlap::Outside && tree.enter(points, node, &mut child) {
                open.push((child, least));
            } else {
                eyes.see(0, || look_at_dropped(tree, points, node, child));
            }
        });
        if E::OPEN {
            show_passed(tree, points, node, handed_out, eyes, 0);
        }
        if !trace.spend(node_units(trace.boxes - boxes_before)) {
            return;
        }
        // The nearest child last, where `pop` takes it.
        open[first..].sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
    }
}

/// What it costs to open a node: its own part, and that of each box compared, entered or named.
fn node_units(boxes: u64) -> u64 {
    4 + 4 * boxes
}

fn horizon(area: &Area) -> f64 {
    area.lens.as_ref().map_or(f64::INFINITY, Lens::outside_chord2)
}

/// Which slots were handed out, so that none is twice.
#[derive(Debug, Default)]
struct SeenBlocks {
    /// Leaves that are not whole blocks belong to a kind whose leaves never overlap; only whole blocks are remembered.
    few: Vec<u32>,
    many: std::collections::HashSet<u32, foldhash::fast::FixedState>,
}

impl SeenBlocks {
    /// How many blocks are looked for one by one before a set takes over.
    const FEW: usize = 24;

    fn each_new(&mut self, slots: Range<u32>, mut each: impl FnMut(Range<u32>)) {
        if !(slots.start as usize).is_multiple_of(BLOCK) {
            return each(slots);
        }
        let mut start = slots.start;
        while start < slots.end {
            let end = slots.end.min(start + BLOCK as u32);
            if self.first_time(start) {
                each(start..end);
            }
            start = end;
        }
    }

    fn first_time(&mut self, block: u32) -> bool {
        if self.few.len() < SeenBlocks::FEW {
            let new = !self.few.contains(&block);
            if new {
                self.few.push(block);
            }
            return new;
        }
        if self.many.is_empty() {
            self.many.extend(self.few.iter().copied());
        }
        self.many.insert(block)
    }
}
