//! What the kinds are asked: circles, nearest, boxes and polygons round places of the data, each made for a number of results.
//!
//! What surprises: every question gets an area of its own size. A radius that is the same everywhere has one result in the
//! country and ten thousand in town, and its latency says which of the two was asked more often.

use std::sync::Arc;

use crate::collection::Snapshot;
use crate::generate::{Random, aside, box_round, ring_round};
use crate::geometry::{Edges, METRICS, Metric, Point, Polygon, Radius};
use crate::query::{K, Limit, Query};

/// Results of the circles, and of the nearest; as far as there are twice as many points.
const CIRCLES: &[usize] = &[10, 100, 1_000, 10_000];
const NEAREST: &[usize] = &[1, 10, 100];
const AREAS: usize = 100;

/// Corners of a polygon.
const CORNERS: usize = 8;

/// A shape of question with a number of results.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task {
    pub(super) shape: Shape,
    pub(super) results: usize,
    /// Where metres matter.
    pub(super) metric: Option<&'static dyn Metric>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Radius,
    Nearest,
    Box,
    Polygon,
}

impl Shape {
    pub(super) fn name(self) -> &'static str {
        match self {
            Shape::Radius => "radius",
            Shape::Nearest => "nearest",
            Shape::Box => "box",
            Shape::Polygon => "polygon",
        }
    }
}

impl Task {
    pub(super) fn name(&self) -> String {
        let metric = self.metric.map(|metric| format!(", {}", metric.name())).unwrap_or_default();
        format!("{} {}{metric}", self.shape.name(), self.results)
    }
}

/// What so many points are asked.
pub(super) fn tasks(points: usize) -> Vec<Task> {
    let usual = |sizes: &[usize]| -> Vec<usize> {
        let fitting: Vec<usize> = sizes.iter().copied().filter(|size| 2 * size <= points).collect();
        if fitting.is_empty() { vec![points.div_ceil(2)] } else { fitting }
    };
    let measured = |shape, sizes: &[usize]| {
        let sizes = usual(sizes);
        let tasks = METRICS.iter().flat_map(|metric| {
            sizes.iter().map(move |&results| Task { shape, results, metric: Some(*metric) }).collect::<Vec<_>>()
        });
        tasks.collect::<Vec<_>>()
    };
    let mut tasks = measured(Shape::Radius, CIRCLES);
    tasks.extend(measured(Shape::Nearest, NEAREST));
    let results = usual(&[AREAS])[0];
    tasks.extend([Shape::Box, Shape::Polygon].map(|shape| Task { shape, results, metric: None }));
    tasks
}

/// Questions of a task, as many as asked for unless the data has no place for such an area.
pub(super) fn questions(
    task: &Task,
    snapshot: &Arc<Snapshot>,
    points: &[Point],
    count: usize,
    seed: u64,
) -> Vec<Query> {
    let mut random = Random::seeded(seed);
    // Beside the poles a polygon of degrees is no sensible question; half of all tries finding none is enough to give up.
    (0..2 * count).filter_map(|_| question(task, snapshot, points, &mut random)).take(count).collect()
}

fn question(task: &Task, snapshot: &Arc<Snapshot>, points: &[Point], random: &mut Random) -> Option<Query> {
    let drawn = points[random.below(points.len() as u64) as usize];
    // People ask where things are, but not on top of one: a few neighbours away.
    let centre = aside(drawn, reach_m(snapshot, drawn, METRICS[0], 10) / 2.0, random);
    let near = |metric| Query::near(centre).measured_by(metric);
    let reach_m = |metric| reach_m(snapshot, centre, metric, task.results);
    let query = match (task.shape, task.metric.unwrap_or(METRICS[0])) {
        (Shape::Radius, metric) => near(metric).within(Radius::from_metres(reach_m(metric)).ok()?),
        (Shape::Nearest, metric) => near(metric).nearest(K::new(task.results).ok()?),
        (Shape::Box, metric) => Query::in_rect(box_round(centre, reach_m(metric))),
        (Shape::Polygon, metric) => {
            let ring = ring_round(centre, reach_m(metric), CORNERS, random);
            Query::in_polygon(Polygon::new(&[vec![ring]], Edges::Planar).ok()?.prepare_for(2 * task.results))
        }
    };
    Some(query.in_pages_of(Limit::new(CIRCLES[CIRCLES.len() - 1]).expect("a page")))
}

/// How far the `count` nearest reach.
fn reach_m(snapshot: &Arc<Snapshot>, from: Point, metric: &'static dyn Metric, count: usize) -> f64 {
    let nearest = Query::near(from).measured_by(metric).nearest(K::new(count.max(1)).expect("at least one"));
    let page = Limit::new(count.clamp(1, CIRCLES[CIRCLES.len() - 1])).expect("a page");
    let answer = nearest.in_pages_of(page).run(snapshot).expect("the first kind is kept");
    answer.hits().last().and_then(|hit| hit.distance_m).unwrap_or(0.0)
}
