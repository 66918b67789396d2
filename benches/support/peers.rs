//! Other people's indexes, as a careful user of each would use them: right answers first, then the quickest way that
//! the library offers.
//!
//! - **rstar** and **geo-index** know a plane. Longitude and latitude are that plane; a circle becomes the box that
//!   surely holds it (two boxes over the antimeridian), and the haversine of `geo` decides.
//! - *Nearest in degrees is not nearest on the ground*: at 60° north a degree of longitude is half as long. With rstar
//!   the k nearest in degrees give a distance that the true k nearest do not exceed; a circle of that radius then holds
//!   them. geo-index takes a metric, so it is given the great-circle distance to a box (the one shipped with it measures
//!   to the corner by clamping, which is no lower bound).
//! - A polygon becomes its box, and `contains` of `geo` decides.
//! - **kiddo** searches the unit sphere in three dimensions, where squared chords stand in the order of distances.

use std::num::NonZero;

use geo::{Contains, Distance, Haversine};
use geo_index::kdtree::{KDTree, KDTreeBuilder, KDTreeIndex};
use geo_index::rtree::sort::HilbertSort;
use geo_index::rtree::{NeighborsOptions, RTree as PackedRTree, RTreeBuilder, RTreeIndex, SimpleDistanceMetric};
use kiddo::{ImmutableKdTree, SquaredEuclidean};
use nigh::geometry::maths::{RADIANS, asin, atan, cos, sin, sqrt, tan};
use nigh::geometry::{Point, Rect};
use rstar::primitives::GeomWithData;
use rstar::{AABB, RTree};

use super::questions::Shape;

/// The radius of the sphere that all measure on, metres.
pub const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// What was found: its number, and its distance in metres (0 where nobody measures).
pub type Found = (u32, f64);

/// An index that answers what we answer.
pub trait Peer {
    /// What to call it in a table.
    fn name(&self) -> &str;

    /// Everything within a radius, in any order.
    fn within(&self, centre: Point, radius_m: f64, found: &mut Vec<Found>);

    /// The k nearest, in any order.
    fn nearest(&self, centre: Point, k: usize, found: &mut Vec<Found>);

    /// Everything in a box, in any order; `false` when the index has no word for it.
    fn in_rect(&self, rect: Rect, found: &mut Vec<Found>) -> bool;

    /// Everything in a polygon, in any order; `false` when the index has no word for it.
    fn in_shape(&self, shape: &Shape, found: &mut Vec<Found>) -> bool;

    /// The place of what it found among the points as given.
    fn place(&self, number: u32) -> u32 {
        number
    }
}

impl<P: Peer + ?Sized> Peer for &P {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn within(&self, centre: Point, radius_m: f64, found: &mut Vec<Found>) {
        (**self).within(centre, radius_m, found);
    }

    fn nearest(&self, centre: Point, k: usize, found: &mut Vec<Found>) {
        (**self).nearest(centre, k, found);
    }

    fn in_rect(&self, rect: Rect, found: &mut Vec<Found>) -> bool {
        (**self).in_rect(rect, found)
    }

    fn in_shape(&self, shape: &Shape, found: &mut Vec<Found>) -> bool {
        (**self).in_shape(shape, found)
    }

    fn place(&self, number: u32) -> u32 {
        (**self).place(number)
    }
}

/// West, south, east, north.
pub type Frame = [f64; 4];

/// The boxes, without a seam, that together hold a circle.
fn frames(centre: Point, radius_m: f64) -> impl Iterator<Item = Frame> {
    let angle = radius_m / EARTH_RADIUS_M;
    let half_height = angle / RADIANS + 1e-9;
    let (south, north) = (centre.lat_deg() - half_height, centre.lat_deg() + half_height);
    let half_width = if south <= -90.0 || north >= 90.0 {
        180.0
    } else {
        asin((sin(angle) / cos(centre.lat_deg() * RADIANS)).min(1.0)) / RADIANS + 1e-9
    };
    split(centre.lon_deg() - half_width, south, centre.lon_deg() + half_width, north)
}

/// A box that may stick out over the antimeridian on either side, in one piece or two.
fn split(west: f64, south: f64, east: f64, north: f64) -> impl Iterator<Item = Frame> {
    let pieces = if west < -180.0 {
        [Some([-180.0, south, east, north]), Some([west + 360.0, south, 180.0, north])]
    } else if east > 180.0 {
        [Some([west, south, 180.0, north]), Some([-180.0, south, east - 360.0, north])]
    } else {
        [Some([west, south, east, north]), None]
    };
    pieces.into_iter().flatten()
}

fn frames_of(rect: Rect) -> impl Iterator<Item = Frame> {
    split(rect.west(), rect.south(), rect.east(), rect.north())
}

fn geo_point(point: Point) -> geo::Point {
    geo::Point::new(point.lon_deg(), point.lat_deg())
}

/// rstar: boxes in degrees, then haversine.
pub struct Rstar {
    pub tree: RTree<GeomWithData<[f64; 2], u32>>,
}

impl Rstar {
    pub fn build(points: &[Point]) -> Rstar {
        let entry = |(number, point): (u32, &Point)| GeomWithData::new([point.lon_deg(), point.lat_deg()], number);
        Rstar { tree: RTree::bulk_load((0..).zip(points).map(entry).collect()) }
    }

    fn each_in(&self, [west, south, east, north]: Frame, mut each: impl FnMut(u32, geo::Point)) {
        for entry in self.tree.locate_in_envelope(AABB::from_corners([west, south], [east, north])) {
            each(entry.data, geo::Point::from(*entry.geom()));
        }
    }
}

impl Peer for Rstar {
    fn name(&self) -> &str {
        "rstar"
    }

    fn within(&self, centre: Point, radius_m: f64, found: &mut Vec<Found>) {
        let from = geo_point(centre);
        for frame in frames(centre, radius_m) {
            self.each_in(frame, |number, at| {
                let distance_m = Haversine.distance(from, at);
                if distance_m <= radius_m {
                    found.push((number, distance_m));
                }
            });
        }
    }

    fn nearest(&self, centre: Point, k: usize, found: &mut Vec<Found>) {
        let from = geo_point(centre);
        let in_degrees = self.tree.nearest_neighbor_iter([from.x(), from.y()]).take(k);
        let bound_m = in_degrees.map(|entry| Haversine.distance(from, geo::Point::from(*entry.geom())));
        self.within(centre, bound_m.fold(0.0, f64::max), found);
        keep_nearest(k, found);
    }

    fn in_rect(&self, rect: Rect, found: &mut Vec<Found>) -> bool {
        frames_of(rect).for_each(|frame| self.each_in(frame, |number, _| found.push((number, 0.0))));
        true
    }

    fn in_shape(&self, shape: &Shape, found: &mut Vec<Found>) -> bool {
        self.each_in(shape.frame(), |number, at| keep_in_shape(shape, number, at, found));
        true
    }
}

/// What a box around a polygon held is asked one by one.
fn keep_in_shape(shape: &Shape, number: u32, at: geo::Point, found: &mut Vec<Found>) {
    if shape.plain.contains(&at) {
        found.push((number, 0.0));
    }
}

fn keep_nearest(k: usize, found: &mut Vec<Found>) {
    if found.len() > k {
        found.select_nth_unstable_by(k - 1, |a, b| a.1.total_cmp(&b.1));
        found.truncate(k);
    }
}

/// kiddo: a k-d tree of the unit sphere.
pub struct Kiddo {
    pub tree: ImmutableKdTree<f64, 3>,
}

impl Kiddo {
    pub fn build(points: &[Point]) -> Kiddo {
        let units: Vec<[f64; 3]> = points.iter().copied().map(unit).collect();
        Kiddo { tree: ImmutableKdTree::new_from_slice(&units).expect("points build a tree") }
    }

    pub fn build_parallel(points: &[Point]) -> Kiddo {
        let units: Vec<[f64; 3]> = points.iter().copied().map(unit).collect();
        Kiddo { tree: ImmutableKdTree::new_from_slice_parallel(&units).expect("points build a tree") }
    }
}

fn unit(point: Point) -> [f64; 3] {
    let unit = point.unit();
    [unit.x, unit.y, unit.z]
}

fn metres(chord2: f64) -> f64 {
    2.0 * EARTH_RADIUS_M * asin((sqrt(chord2) / 2.0).min(1.0))
}

impl Peer for Kiddo {
    fn name(&self) -> &str {
        "kiddo"
    }

    fn within(&self, centre: Point, radius_m: f64, found: &mut Vec<Found>) {
        let chord = 2.0 * sin((radius_m / (2.0 * EARTH_RADIUS_M)).min(std::f64::consts::FRAC_PI_2));
        let query = unit(centre);
        let hits = self.tree.query(&query).within::<SquaredEuclidean<f64>>(chord * chord).unsorted().execute();
        found.extend(hits.iter().map(|hit| (hit.item, metres(hit.distance))));
    }

    fn nearest(&self, centre: Point, k: usize, found: &mut Vec<Found>) {
        let k = NonZero::new(k).expect("at least one");
        let hits = self.tree.query(&unit(centre)).nearest_n::<SquaredEuclidean<f64>>(k).execute();
        found.extend(hits.iter().map(|hit| (hit.item, metres(hit.distance))));
    }

    fn in_rect(&self, _rect: Rect, _found: &mut Vec<Found>) -> bool {
        false
    }

    fn in_shape(&self, _shape: &Shape, _found: &mut Vec<Found>) -> bool {
        false
    }
}

/// geo-index, k-d tree: boxes in degrees, then haversine.
pub struct GeoIndexKd<'a> {
    pub tree: KDTree<f64>,
    points: &'a [Point],
}

impl GeoIndexKd<'_> {
    pub fn build(points: &[Point]) -> GeoIndexKd<'_> {
        let mut builder = KDTreeBuilder::new(points.len() as u32);
        for point in points {
            builder.add(point.lon_deg(), point.lat_deg());
        }
        GeoIndexKd { tree: builder.finish(), points }
    }
}

impl Peer for GeoIndexKd<'_> {
    fn name(&self) -> &str {
        "geo-index k-d tree"
    }

    fn within(&self, centre: Point, radius_m: f64, found: &mut Vec<Found>) {
        for [west, south, east, north] in frames(centre, radius_m) {
            keep_within(self.points, &self.tree.range(west, south, east, north), centre, radius_m, found);
        }
    }

    fn nearest(&self, _centre: Point, _k: usize, _found: &mut Vec<Found>) {
        unreachable!("its k-d tree has no nearest");
    }

    fn in_rect(&self, rect: Rect, found: &mut Vec<Found>) -> bool {
        for [west, south, east, north] in frames_of(rect) {
            found.extend(self.tree.range(west, south, east, north).into_iter().map(|number| (number, 0.0)));
        }
        true
    }

    fn in_shape(&self, shape: &Shape, found: &mut Vec<Found>) -> bool {
        let [west, south, east, north] = shape.frame();
        for number in self.tree.range(west, south, east, north) {
            keep_in_shape(shape, number, geo_point(self.points[number as usize]), found);
        }
        true
    }
}

fn keep_within(points: &[Point], candidates: &[u32], centre: Point, radius_m: f64, found: &mut Vec<Found>) {
    let from = geo_point(centre);
    for &number in candidates {
        let distance_m = Haversine.distance(from, geo_point(points[number as usize]));
        if distance_m <= radius_m {
            found.push((number, distance_m));
        }
    }
}

/// geo-index, packed R-tree: boxes in degrees, then haversine; nearest by its own search with a metric.
pub struct GeoIndexR<'a> {
    pub tree: PackedRTree<f64>,
    points: &'a [Point],
}

impl GeoIndexR<'_> {
    pub fn build(points: &[Point]) -> GeoIndexR<'_> {
        let mut builder = RTreeBuilder::new(points.len() as u32);
        for point in points {
            let (lon, lat) = (point.lon_deg(), point.lat_deg());
            builder.add(lon, lat, lon, lat);
        }
        GeoIndexR { tree: builder.finish::<HilbertSort>(), points }
    }
}

impl Peer for GeoIndexR<'_> {
    fn name(&self) -> &str {
        "geo-index R-tree"
    }

    fn within(&self, centre: Point, radius_m: f64, found: &mut Vec<Found>) {
        for [west, south, east, north] in frames(centre, radius_m) {
            keep_within(self.points, &self.tree.search(west, south, east, north), centre, radius_m, found);
        }
    }

    fn nearest(&self, centre: Point, k: usize, found: &mut Vec<Found>) {
        let (lon, lat, options) = (centre.lon_deg(), centre.lat_deg(), NeighborsOptions::k(k));
        let near = self.tree.neighbors_with_simple_distance(lon, lat, options, &GreatCircle);
        found.extend(near.into_iter().map(|(number, haversin)| (number, metres(4.0 * haversin))));
    }

    fn in_rect(&self, rect: Rect, found: &mut Vec<Found>) -> bool {
        for [west, south, east, north] in frames_of(rect) {
            found.extend(self.tree.search(west, south, east, north).into_iter().map(|number| (number, 0.0)));
        }
        true
    }

    fn in_shape(&self, shape: &Shape, found: &mut Vec<Found>) -> bool {
        let [west, south, east, north] = shape.frame();
        for number in self.tree.search(west, south, east, north) {
            keep_in_shape(shape, number, geo_point(self.points[number as usize]), found);
        }
        true
    }
}

/// Great-circle distance for a search in the plane, as the haversine of the angle: no arcsine before the end.
///
/// *References*: V. Agafonkin, geoflatbush, function `boxDist`.
struct GreatCircle;

fn haversin(deg: f64) -> f64 {
    let sine = sin(deg * RADIANS / 2.0);
    sine * sine
}

/// The haversine of the angle between two places, given that of their difference in longitude.
fn haversin_between(haversin_dlon: f64, lat: f64, other_lat: f64) -> f64 {
    cos(lat * RADIANS) * cos(other_lat * RADIANS) * haversin_dlon + haversin(lat - other_lat)
}

impl SimpleDistanceMetric<f64> for GreatCircle {
    fn distance(&self, lon: f64, lat: f64, other_lon: f64, other_lat: f64) -> f64 {
        haversin_between(haversin(lon - other_lon), lat, other_lat)
    }

    fn distance_to_bbox(&self, lon: f64, lat: f64, west: f64, south: f64, east: f64, north: f64) -> f64 {
        if west == east && south == north {
            return self.distance(lon, lat, west, south);
        }
        if (west..=east).contains(&lon) {
            return haversin((south - lat).max(lat - north).max(0.0));
        }
        let haversin_dlon = haversin(lon - west).min(haversin(lon - east));
        // On the meridian of the nearer side, the place where a great circle from here meets it at a right angle.
        let cos_dlon = 1.0 - 2.0 * haversin_dlon;
        let nearest =
            if cos_dlon > 0.0 { atan(tan(lat * RADIANS) / cos_dlon) / RADIANS } else { 90.0_f64.copysign(lat) };
        if nearest > south && nearest < north {
            return haversin_between(haversin_dlon, lat, nearest);
        }
        haversin_between(haversin_dlon, lat, south).min(haversin_between(haversin_dlon, lat, north))
    }
}
