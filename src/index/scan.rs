//! The reference: names every slot. Whatever it finds is what every other kind must find.

use super::{Area, Directory, DirectoryCell, Kind, Points, Role, Run, Sorted, Trace};
use crate::geometry::Rect;

/// The reference kind.
pub(super) const SCAN: Kind = Kind {
    name: "scan",
    summary: "looks at every point; what the others are measured against",
    role: Role::Reference,
    build: |_: &Sorted| Box::new(Scan),
    open: |_, _| Some(Box::new(Scan)),
};

#[derive(Debug)]
struct Scan;

impl Directory for Scan {
    fn cover(&self, points: &Points, _area: &Area, runs: &mut Vec<Run>, trace: &mut Trace<'_>) {
        trace.runs += 1;
        runs.push(Run { slots: points.slots(), inside: false, least_chord2: 0.0 });
    }

    fn cells(&self, points: &Points, _frame: Rect, _level: u32, _most: usize) -> Vec<DirectoryCell> {
        vec![DirectoryCell { rect: Rect::WORLD, level: 0, slots: points.slots(), label: None }]
    }

    fn bytes(&self) -> usize {
        0
    }
}
