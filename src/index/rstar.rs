//! The library everyone knows, behind the same surface: an [`rstar::RTree`] of longitude/latitude points.
//!
//! It is there to be compared with, in benches and as a second opinion in tests; collections keep one, and comparisons show
//! it, only when told to. What surprises: it knows degrees only, so it can name candidates by box but not measure.

use rstar::primitives::GeomWithData;
use rstar::{AABB, ParentNode, RTree, RTreeNode};

use super::{Area, Directory, DirectoryCell, Kind, Points, Role, Run, Sorted, Trace};
use crate::geometry::Rect;

/// The kind.
pub(super) const RSTAR: Kind = Kind {
    name: "rstar",
    summary: "the crate rstar over longitude and latitude: candidates by box, one by one; all points where that touches ±180° or a pole",
    role: Role::Baseline,
    build: |sorted: &Sorted| Box::new(Rstar::build(&sorted.points)),
    open: |_, _| None,
};

#[derive(Debug)]
struct Rstar {
    tree: RTree<GeomWithData<[f64; 2], u32>>,
}

impl Rstar {
    fn build(points: &Points) -> Rstar {
        let entry = |slot| {
            let [lat, lon] = points.position(slot);
            GeomWithData::new([lon, lat], slot)
        };
        Rstar { tree: RTree::bulk_load(points.slots().map(entry).collect()) }
    }
}

impl Directory for Rstar {
    fn cover(&self, points: &Points, area: &Area, runs: &mut Vec<Run>, trace: &mut Trace<'_>) {
        let Some(frame) = area.frame() else {
            // A frame over the seam or round a pole: rstar has no word for it.
            trace.runs += 1;
            return runs.push(Run { slots: points.slots(), inside: false, least_chord2: 0.0 });
        };
        let envelope = AABB::from_corners([frame.west(), frame.south()], [frame.east(), frame.north()]);
        for found in self.tree.locate_in_envelope(envelope) {
            trace.runs += 1;
            if !trace.spend(1) {
                return;
            }
            runs.push(Run { slots: found.data..found.data + 1, inside: false, least_chord2: 0.0 });
        }
    }

    fn cells(&self, points: &Points, _frame: Rect, _level: u32, _most: usize) -> Vec<DirectoryCell> {
        let envelope = self.tree.root().envelope();
        let ([west, south], [east, north]) = (envelope.lower(), envelope.upper());
        let rect = if points.is_empty() { Rect::WORLD } else { Rect::clamped(south, west, north, east) };
        vec![DirectoryCell { rect, level: 0, slots: points.slots(), label: None }]
    }

    fn bytes(&self) -> usize {
        bytes_under(self.tree.root())
    }
}

/// A parent holds its children in a vector of nodes; leaves stand in that vector in place.
fn bytes_under(parent: &ParentNode<GeomWithData<[f64; 2], u32>>) -> usize {
    let below = parent.children().iter().map(|node| match node {
        RTreeNode::Parent(inner) => bytes_under(inner),
        RTreeNode::Leaf(_) => 0,
    });
    size_of_val(parent.children()) + below.sum::<usize>()
}
