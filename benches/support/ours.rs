//! Our index without the house above it: a directory names runs, the area decides, and what it holds goes into a list.
//!
//! This is what other people's indexes are compared with, because it does what they do and no more: no exact count, no
//! order by (distance, id), no page, no removals. What it finds is named by its slot, as theirs by its number.

use std::collections::BinaryHeap;
use std::sync::Arc;

use nigh::geometry::{METRICS, Metric, Point, Rect};
use nigh::index::{Area, Directory, KINDS, Kind, Lens, Role, Run, Sorted, Trace, in_order};

use super::peers::{Found, Peer};
use super::questions::Shape;

/// How many candidates a polygon is made ready for: more than it will see costs more than it saves.
pub const EXPECTED: usize = 256;

/// Points with all directories but those of other people.
pub struct Ours {
    pub sorted: Sorted,
    directories: Vec<(&'static Kind, Box<dyn Directory>)>,
}

impl Ours {
    pub fn build(points: &[Point]) -> Ours {
        let sorted = Sorted::new(points);
        let own = KINDS.iter().filter(|kind| kind.role != Role::Baseline);
        let directories = own.map(|kind| (kind, (kind.build)(&sorted))).collect();
        Ours { sorted, directories }
    }

    /// Each kind, the scan last.
    pub fn kinds(&self) -> Vec<OurKind<'_>> {
        let all =
            self.directories.iter().map(|(kind, directory)| OurKind { kind, directory: &**directory, ours: self });
        let (scan, mut kinds): (Vec<_>, Vec<_>) = all.partition(|own| own.kind.role == Role::Reference);
        kinds.extend(scan);
        kinds
    }

    /// The kind of that name.
    pub fn kind(&self, name: &str) -> OurKind<'_> {
        self.kinds().into_iter().find(|own| own.kind.name == name).expect("one of ours")
    }
}

/// One of our kinds over its points.
#[derive(Clone, Copy)]
pub struct OurKind<'a> {
    pub kind: &'static Kind,
    directory: &'a dyn Directory,
    ours: &'a Ours,
}

impl OurKind<'_> {
    /// Hands every slot of an area to `each`, with its squared chord from the lens.
    pub fn search(&self, area: &Area, mut each: impl FnMut(u32, f64)) {
        let points = &self.ours.sorted.points;
        let (mut runs, mut trace) = (Vec::new(), Trace::default());
        self.directory.cover(points, area, &mut runs, &mut trace);
        in_order(&mut runs, |run| {
            if run.inside {
                area.accept(points, run.slots, |hit| each(hit.slot, hit.chord2));
            } else {
                area.refine(points, run.slots, |hit| each(hit.slot, hit.chord2));
            }
        });
    }

    /// How many points of a circle there are, by a metric: membership and nothing else.
    pub fn count_within(&self, metric: &'static dyn Metric, centre: Point, radius_m: f64) -> usize {
        let mut count = 0;
        self.search(&round(metric, centre, radius_m), |_, _| count += 1);
        count
    }
}

fn round(metric: &'static dyn Metric, centre: Point, radius_m: f64) -> Area {
    Area { lens: Some(Lens::new(centre, metric, radius_m)), ..Area::default() }
}

impl Peer for OurKind<'_> {
    fn name(&self) -> &str {
        self.kind.name
    }

    fn within(&self, centre: Point, radius_m: f64, found: &mut Vec<Found>) {
        let points = &self.ours.sorted.points;
        let (metric, from) = (METRICS[0], centre.unit());
        self.search(&round(metric, centre, radius_m), |slot, chord2| {
            let short_way = metric.distance_of_chord2_m(chord2);
            found.push((slot, short_way.unwrap_or_else(|| metric.distance_m(&from, &points.unit(slot)))));
        });
    }

    fn nearest(&self, centre: Point, k: usize, found: &mut Vec<Found>) {
        let points = &self.ours.sorted.points;
        let (metric, from) = (METRICS[0], centre.unit());
        let mut area = round(metric, centre, f64::INFINITY);
        let mut first = Best::of(k);
        first.take(Run { slots: points.neighbourhood(centre, k), inside: false, least_chord2: 0.0 }, self, &mut area);
        let mut best = Best::of(k);
        let mut visit = |run: Run, area: &mut Area| best.take(run, self, area);
        self.directory.nearest(points, &mut area, &mut visit, &mut Trace::default());
        let measured = best.heap.iter().map(|&(bits, slot)| {
            let short_way = metric.distance_of_chord2_m(f64::from_bits(bits));
            (slot, short_way.unwrap_or_else(|| metric.distance_m(&from, &points.unit(slot))))
        });
        found.extend(measured);
    }

    fn in_rect(&self, rect: Rect, found: &mut Vec<Found>) -> bool {
        let area = Area { rect: Some(rect), ..Area::default() };
        self.search(&area, |slot, _| found.push((slot, 0.0)));
        true
    }

    fn in_shape(&self, shape: &Shape, found: &mut Vec<Found>) -> bool {
        let polygon = Some(Arc::new(shape.polygon.prepare_for(EXPECTED)));
        self.search(&Area { polygon, ..Area::default() }, |slot, _| found.push((slot, 0.0)));
        true
    }

    fn place(&self, number: u32) -> u32 {
        self.ours.sorted.order[number as usize]
    }
}

/// The nearest so far: squared chords are not negative, so their bits stand in their order.
struct Best {
    k: usize,
    heap: BinaryHeap<(u64, u32)>,
}

impl Best {
    fn of(k: usize) -> Best {
        Best { k, heap: BinaryHeap::with_capacity(k + 1) }
    }

    fn take(&mut self, run: Run, own: &OurKind<'_>, area: &mut Area) {
        area.refine(&own.ours.sorted.points, run.slots, |hit| {
            let candidate = (hit.chord2.to_bits(), hit.slot);
            if self.heap.len() < self.k {
                self.heap.push(candidate);
            } else if let Some(mut worst) = self.heap.peek_mut()
                && candidate < *worst
            {
                *worst = candidate;
            }
        });
        if self.heap.len() == self.k
            && let (Some(&(bits, _)), Some(lens)) = (self.heap.peek(), &mut area.lens)
        {
            lens.tighten(f64::from_bits(bits));
        }
    }
}
