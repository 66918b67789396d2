//! The points of a segment: one copy, in Hilbert order, in blocks of 32.
//!
//! A point is known here by its **slot**, its place in that order; what it is called is not known on this floor.
//! What surprises: all four index kinds share this one array. Each kind is only a thin way to name ranges of slots,
//! because every cell of a quadtree is one stretch of the Hilbert curve, and a geohash cell at most two.
//!
//! ```text
//! blocks      x₀…x₃₁ y₀…y₃₁ z₀…z₃₁ │ x₃₂…              768 bytes a block: read whole, 8 lanes a cache line
//! positions   lat₀ lon₀ │ lat₁ lon₁ │ …                 as given, for boxes, polygons and answers
//! ruler       key of slot 0 │ key of slot 32 │ …        where a stretch of the curve begins
//! ```
//!
//! Cost: 24 + 16 + 0.25 bytes a point.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;
use wide::f64x4;

use super::map::{Damaged, Section, Stored};
use super::{Array, curve};
use crate::geometry::{Point, UnitVector};

/// Points in a block. A block is what a directory points at and what the exact test reads at once.
///
/// *Why 32*: with 16 the directories double, with 64 a small circle tests twice the points; 32 costs about 50 ns.
pub const BLOCK: usize = 32;

/// From how many points on a build is worth a second thread: waking one takes longer than sorting a few thousand.
pub const PARALLEL_FROM: usize = 1 << 14;

/// The unit vectors of 32 points, coordinate by coordinate. Unused lanes are NaN, which no test accepts.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Block {
    x: [f64; BLOCK],
    y: [f64; BLOCK],
    z: [f64; BLOCK],
}

impl Block {
    const EMPTY: Block = Block { x: [f64::NAN; BLOCK], y: [f64::NAN; BLOCK], z: [f64::NAN; BLOCK] };

    fn of(positions: &[[f64; 2]]) -> Block {
        let mut block = Block::EMPTY;
        for (lane, &position) in positions.iter().enumerate() {
            let unit = point_at(position).unit();
            (block.x[lane], block.y[lane], block.z[lane]) = (unit.x, unit.y, unit.z);
        }
        block
    }
}

fn point_at([lat_deg, lon_deg]: [f64; 2]) -> Point {
    Point::new(lat_deg, lon_deg).expect("positions come from valid points")
}

/// Points in Hilbert order.
#[derive(Debug, Clone, Default)]
pub struct Points {
    blocks: Array<Block>,
    positions: Array<[f64; 2]>,
    ruler: Ruler,
}

/// The first key of every block, and again of every 64th block, which stays in the cache.
#[derive(Debug, Clone, Default)]
struct Ruler {
    keys: Array<u64>,
    coarse: Array<u64>,
}

impl Ruler {
    const STEP: usize = 64;

    fn new(keys: Vec<u64>) -> Ruler {
        let coarse: Vec<u64> = keys.iter().step_by(Ruler::STEP).copied().collect();
        Ruler { keys: keys.into(), coarse: coarse.into() }
    }

    /// The first of `blocks` for whose first key `is_before` does not hold, or their end.
    #[inline]
    fn first_not(&self, blocks: Range<usize>, is_before: impl Fn(u64) -> bool) -> usize {
        let Range { mut start, mut end } = blocks;
        if end - start > 2 * Ruler::STEP {
            let first = start.div_ceil(Ruler::STEP);
            let among = self.coarse.slice(first..end.div_ceil(Ruler::STEP));
            let step = first + among.partition_point(|&key| is_before(key));
            start = start.max((step * Ruler::STEP).saturating_sub(Ruler::STEP));
            end = end.min(step * Ruler::STEP);
        }
        start + self.keys.slice(start..end).partition_point(|&key| is_before(key))
    }
}

/// Points just brought into order, with what the builders of directories need once.
#[derive(Debug)]
pub struct Sorted {
    /// The points.
    pub points: Points,
    /// The key of every slot, ascending.
    pub keys: Vec<u64>,
    /// For every slot, which of the given points it is.
    pub order: Vec<u32>,
}

impl Sorted {
    /// Brings points into Hilbert order; equal keys keep the order in which they were given.
    ///
    /// At most 2³² - 1 points: slots are `u32`.
    pub fn new(given: &[Point]) -> Sorted {
        assert!(given.len() < u32::MAX as usize, "a segment holds fewer than 2^32 points");
        let keyed = |(index, point): (usize, &Point)| (curve::key_of(point.lat_deg(), point.lon_deg()), index as u32);
        let mut pairs: Vec<(u64, u32)>;
        if given.len() < PARALLEL_FROM {
            pairs = given.iter().enumerate().map(keyed).collect();
            pairs.sort_unstable();
        } else {
            pairs = given.par_iter().enumerate().map(keyed).collect();
            pairs.par_sort_unstable();
        }
        let keys: Vec<u64> = pairs.iter().map(|&(key, _)| key).collect();
        let order: Vec<u32> = pairs.into_iter().map(|(_, index)| index).collect();
        Sorted { points: Points::gather(given, &order, &keys), keys, order }
    }

    /// Points that were brought into order before, for building a directory that their file lacks.
    pub fn again(points: &Points) -> Sorted {
        let key = |slot: u32| {
            let [lat, lon] = points.position(slot);
            curve::key_of(lat, lon)
        };
        let keys = points.slots().into_par_iter().map(key).collect();
        Sorted { points: points.clone(), keys, order: points.slots().collect() }
    }
}

impl Points {
    fn gather(given: &[Point], order: &[u32], keys: &[u64]) -> Points {
        let position = |&index: &u32| {
            let point = given[index as usize];
            [point.lat_deg(), point.lon_deg()]
        };
        let ruler = Ruler::new(keys.iter().step_by(BLOCK).copied().collect());
        if order.len() < PARALLEL_FROM {
            let positions: Vec<[f64; 2]> = order.iter().map(position).collect();
            let blocks: Vec<Block> = positions.chunks(BLOCK).map(Block::of).collect();
            return Points { blocks: blocks.into(), positions: positions.into(), ruler };
        }
        let positions: Vec<[f64; 2]> = order.par_iter().map(position).collect();
        let blocks: Vec<Block> = positions.par_chunks(BLOCK).map(Block::of).collect();
        Points { blocks: blocks.into(), positions: positions.into(), ruler }
    }

    /// What a file has to hold of them.
    pub fn sections(&self) -> Vec<Section<'_>> {
        vec![
            ("blocks", self.blocks.as_bytes()),
            ("positions", self.positions.as_bytes()),
            ("ruler", self.ruler.keys.as_bytes()),
            ("coarse", self.ruler.coarse.as_bytes()),
        ]
    }

    /// As many points as a file is said to hold, if the lengths of its sections fit.
    pub fn open(stored: &Stored<'_>, len: usize) -> Option<Points> {
        let blocks = len.div_ceil(BLOCK);
        let ruler = Ruler {
            keys: stored.array_of("ruler", blocks)?,
            coarse: stored.array_of("coarse", blocks.div_ceil(Ruler::STEP))?,
        };
        let (blocks, positions) = (stored.array_of("blocks", blocks)?, stored.array_of("positions", len)?);
        Some(Points { blocks, positions, ruler })
    }

    /// Compares everything that a build over these points reads with the checksums of its file.
    pub fn prove(&self) -> Result<(), Damaged> {
        self.blocks.prove()?;
        self.positions.prove()?;
        self.ruler.keys.prove()
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Every slot.
    pub fn slots(&self) -> Range<u32> {
        0..self.len() as u32
    }

    /// Latitude and longitude of a slot, in degrees, exactly as given.
    #[inline]
    pub fn position(&self, slot: u32) -> [f64; 2] {
        *self.positions.at(slot as usize)
    }

    /// The positions of some slots.
    pub fn positions(&self, slots: Range<u32>) -> &[[f64; 2]] {
        self.positions.slice(slots.start as usize..slots.end as usize)
    }

    /// The position of a slot as a point.
    pub fn point(&self, slot: u32) -> Point {
        point_at(self.position(slot))
    }

    /// Has the processor fetch the position of a slot, if there is one.
    #[inline]
    pub fn fetch(&self, slot: u32) {
        self.positions.fetch(slot as usize);
    }

    /// The unit vector of a slot.
    #[inline]
    pub fn unit(&self, slot: u32) -> UnitVector {
        let (block, lane) = (self.blocks.at(slot as usize / BLOCK), slot as usize % BLOCK);
        UnitVector { x: block.x[lane], y: block.y[lane], z: block.z[lane] }
    }

    /// Reckons the squared chords from `from` to the 32 points of a block, the same bits as [`UnitVector::chord2`], and
    /// tells which of them are at most `limit`: one bit a lane.
    ///
    /// *Why four at a time*: comparing lane by lane costs more than reckoning (600 against 210 instructions a block).
    #[inline]
    pub fn chords2_up_to(&self, block: usize, from: &UnitVector, limit: f64, chords2: &mut [f64; BLOCK]) -> u32 {
        let Block { x, y, z } = self.blocks.at(block);
        let (x, y, z) = (x.as_chunks::<4>().0, y.as_chunks::<4>().0, z.as_chunks::<4>().0);
        let (from_x, from_y, from_z) = (f64x4::splat(from.x), f64x4::splat(from.y), f64x4::splat(from.z));
        let limit = f64x4::splat(limit);
        let mut near = 0;
        for (four, out) in chords2.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let dx = f64x4::new(x[four]) - from_x;
            let dy = f64x4::new(y[four]) - from_y;
            let dz = f64x4::new(z[four]) - from_z;
            let sum = dx * dx + dy * dy + dz * dz;
            near |= sum.simd_le(limit).to_bitmask() << (4 * four);
            *out = sum.to_array();
        }
        near
    }

    /// The slots that may hold keys in `first..=last`, in whole blocks, looked for among the blocks of `among`.
    ///
    /// `among` must be the answer for a stretch that contains this one, or all slots.
    #[inline]
    pub fn slots_of_keys(&self, first: u64, last: u64, among: &Range<u32>) -> Range<u32> {
        let (low, high) = (among.start as usize / BLOCK, (among.end as usize).div_ceil(BLOCK));
        // The block before the first one that begins at or after `first` may end with keys of the stretch.
        let begin = self.ruler.first_not(low..high, |key| key < first).saturating_sub(1).max(low);
        let end = self.ruler.first_not(begin..high, |key| key <= last);
        (begin * BLOCK) as u32..((end * BLOCK) as u32).min(among.end)
    }

    /// Of the slots that [`Points::slots_of_keys`] named, those in blocks that surely hold no other key.
    #[inline]
    pub fn sure_slots_of_keys(&self, first: u64, last: u64, slots: &Range<u32>) -> Range<u32> {
        if slots.is_empty() {
            return slots.clone();
        }
        let (low, high) = (slots.start as usize / BLOCK, (slots.end as usize).div_ceil(BLOCK));
        let begin = low + usize::from(*self.ruler.keys.at(low) < first);
        // The last block is sure when the next one still begins in the stretch, or when the stretch has no end.
        let whole = self.ruler.keys.get(high).map_or(last == u64::MAX, |&next| next <= last);
        let end = if whole { slots.end } else { ((high - 1) * BLOCK) as u32 };
        let start = (begin * BLOCK) as u32;
        start..end.max(start)
    }

    /// The first slot of `among` whose key is not less than `key`; their end if there is none.
    ///
    /// The ruler names the block, and within it at most six keys are reckoned.
    pub fn first_slot_at(&self, key: u64, among: &Range<u32>) -> u32 {
        if among.is_empty() {
            return among.end;
        }
        let (low, high) = (among.start as usize / BLOCK, (among.end as usize).div_ceil(BLOCK));
        let begin = self.ruler.first_not(low..high, |first| first < key).saturating_sub(1).max(low) * BLOCK;
        let block = among.start.max(begin as u32)..among.end.min((begin + BLOCK) as u32);
        let is_before = |&[lat, lon]: &[f64; 2]| curve::key_of(lat, lon) < key;
        block.start + self.positions(block).partition_point(is_before) as u32
    }

    /// The slots of the blocks round the place where a position would stand: about `count`, fewer at the ends.
    pub fn neighbourhood(&self, at: Point, count: usize) -> Range<u32> {
        let key = curve::key_of(at.lat_deg(), at.lon_deg());
        let home = self.ruler.first_not(0..self.ruler.keys.len(), |first| first <= key).saturating_sub(1);
        let around = count.div_ceil(BLOCK) / 2;
        let start = home.saturating_sub(around) * BLOCK;
        let end = (home + around + 1) * BLOCK;
        start.min(self.len()) as u32..end.min(self.len()) as u32
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.blocks.bytes() + self.positions.bytes() + self.ruler.keys.bytes() + self.ruler.coarse.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lattice() -> Vec<Point> {
        (0..4000)
            .map(|i| Point::new(f64::from(i % 61) * 2.9 - 88.0, f64::from(i % 173) * 2.0 - 175.0).unwrap())
            .collect()
    }

    #[test]
    fn slots_are_in_the_order_of_the_curve_and_lose_nothing() {
        let given = lattice();
        let sorted = Sorted::new(&given);
        assert!(sorted.keys.is_sorted());
        let mut order = sorted.order.clone();
        order.sort_unstable();
        assert_eq!(order, (0..4000).collect::<Vec<u32>>());
        for slot in sorted.points.slots() {
            let point = given[sorted.order[slot as usize] as usize];
            assert_eq!(sorted.points.point(slot), point);
            assert_eq!(sorted.points.unit(slot), point.unit());
        }
    }

    #[test]
    fn a_block_gives_the_same_chords_as_its_points() {
        let sorted = Sorted::new(&lattice()[..100]);
        let from = Point::new(12.0, 34.0).unwrap().unit();
        let mut chords2 = [0.0; BLOCK];
        for block in 0..4 {
            let near = sorted.points.chords2_up_to(block, &from, 1.0, &mut chords2);
            for (lane, chord2) in chords2.iter().enumerate() {
                let slot = block * BLOCK + lane;
                assert_eq!(near >> lane & 1 == 1, *chord2 <= 1.0);
                if slot < 100 {
                    assert_eq!(*chord2, sorted.points.unit(slot as u32).chord2(&from));
                } else {
                    assert!(chord2.is_nan());
                }
            }
        }
    }

    #[test]
    fn a_stretch_of_keys_is_found_and_its_sure_part_holds_nothing_else() {
        let Sorted { points, keys, .. } = Sorted::new(&lattice());
        for i in (0..4000).step_by(37) {
            for length in [1, 30, 64, 500] {
                let (first, last) = (keys[i], keys[(i + length).min(3999)]);
                let slots = points.slots_of_keys(first, last, &points.slots());
                let sure = points.sure_slots_of_keys(first, last, &slots);
                for slot in 0..4000 {
                    let within = (first..=last).contains(&keys[slot as usize]);
                    assert!(!within || slots.contains(&slot));
                    assert!(within || !sure.contains(&slot));
                }
                assert!(sure.start >= slots.start && sure.end <= slots.end.max(sure.start));
                assert!(slots.len() as u32 <= (length as u32 + 1) + 3 * BLOCK as u32 + duplicates(&keys, first, last));
            }
        }
    }

    #[test]
    fn the_first_slot_at_a_key_is_exact() {
        let mut given = lattice();
        given.extend([Point::new(1.0, 2.0).unwrap(); 100]);
        let Sorted { points, keys, .. } = Sorted::new(&given);
        let asked = keys.iter().flat_map(|&key| [key.saturating_sub(1), key, key + 1]).chain([0, u64::MAX]);
        for (number, key) in asked.enumerate() {
            let start = (number * 61 % 4100) as u32;
            for among in [points.slots(), start..(start + 300).min(4100), start..start] {
                let span = &keys[among.start as usize..among.end as usize];
                let expected = among.start + span.partition_point(|&own| own < key) as u32;
                assert_eq!(points.first_slot_at(key, &among), expected, "{key} {among:?}");
            }
        }
    }

    fn duplicates(keys: &[u64], first: u64, last: u64) -> u32 {
        keys.iter().filter(|&&key| key == first || key == last).count() as u32
    }
}
