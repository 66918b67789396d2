//! Somebody who watches a search: which cells it looks at, and what it finds in each.
//!
//! What surprises: the search that is watched is the one that answers, not one like it. It is written over its watcher, and where
//! [`Nobody`] watches nothing is left of all this.

use std::ops::Range;

use super::rank::Ranked;
use crate::collection::Segment;
use crate::index::{Area, Directory, Points, Run, Trace};

/// Somebody who watches a search.
pub(super) trait Watcher: Copy {
    /// A segment is searched now for all that lies in an area.
    #[inline(always)]
    fn begins(self, _number: u32) {}

    /// A segment is searched now for what is nearest, beginning with the neighbours of the centre in the order of the points.
    #[inline(always)]
    fn begins_with(self, _number: u32, _segment: &Segment, _neighbours: &Range<u32>) {}

    /// The segment is read from end to end: it is too small for a directory.
    #[inline(always)]
    fn reads_all(self, _segment: &Segment) {}

    /// Has a directory cover an area.
    #[inline(always)]
    fn cover(
        self,
        directory: &dyn Directory,
        points: &Points,
        area: &Area,
        runs: &mut Vec<Run>,
        trace: &mut Trace<'_>,
    ) {
        directory.cover(points, area, runs, trace);
    }

    /// Has a directory look for what is nearest.
    #[inline(always)]
    fn nearest(
        self,
        directory: &dyn Directory,
        points: &Points,
        area: &mut Area,
        visit: &mut dyn FnMut(Run, &mut Area),
        trace: &mut Trace<'_>,
    ) {
        directory.nearest(points, area, visit, trace);
    }

    /// The points of a run, or of a part of one, were taken or tested, and so many of them count.
    #[inline(always)]
    fn took(self, _run: &Run, _accepted: u64) {}

    /// These are the nearest, all of them.
    #[inline(always)]
    fn found(self, _ranked: &[Ranked]) {}
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nobody;

impl Watcher for Nobody {}
