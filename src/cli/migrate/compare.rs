//! Two sides, compared in flat memory: first by sums of buckets of ids, then row by row where sums differ.
//!
//! ```text
//! source ─▶ a count and a checksum for each of 16 384 buckets ─┐
//! target ─▶ the same                                           ├─▶ the buckets that differ ─▶ their rows, a million at a time
//! ```
//!
//! What surprises: neither side is sorted, and no list of all ids is kept. A bucket whose sums differ may turn out equal: a row that was
//! read twice, or that stands twice in a file, where the later one counts.

use std::collections::{BTreeSet, HashMap};

use xxhash_rust::xxh3::xxh3_64;

use super::rejects::Rejects;
use super::source::{Source, Trouble};
use super::target::Target;
use crate::collection::{Id, Item};
use crate::engine::checksum_of;
use crate::geometry::Point;

const BUCKETS: usize = 1 << 14;

/// Rows that are held in memory at once.
const HELD: u64 = 1_000_000;

/// Rows whose end is nearer than this are left out on both sides: they may go between the two looks.
const ENDING_MS: i64 = 120_000;

/// Points of the target that are kept as places to ask about.
const PLACES: usize = 64;

/// A row that is not the same on both sides.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    pub(super) id: Id,
    pub(super) source: Option<Item>,
    pub(super) target: Option<Item>,
}

/// What one side comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Total {
    pub(super) items: u64,
    pub(super) checksum: u64,
}

impl Total {
    fn add(&mut self, checksum: u64) {
        self.items += 1;
        self.checksum = self.checksum.wrapping_add(checksum);
    }

    fn plus(self, other: Total) -> Total {
        Total { items: self.items + other.items, checksum: self.checksum.wrapping_add(other.checksum) }
    }
}

/// What a comparison found.
#[derive(Debug, Clone, Default)]
pub(super) struct Comparison {
    pub(super) source: Total,
    pub(super) target: Total,
    pub(super) differing: Vec<Difference>,
    /// So much differs that it was not looked at row by row.
    pub(super) is_too_much: bool,
    /// Where some of the target's points are.
    pub(super) places: Vec<Point>,
}

/// What decides whether two rows are the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    /// Whether ends of rows can be seen on both sides.
    pub(super) ends: bool,
    pub(super) now_ms: i64,
}

impl Sight {
    /// Whether a row is compared at all.
    fn sees(self, item: &Item) -> bool {
        // Where the target does not tell its ends, those of the source alone say what is over.
        let margin_ms = if self.ends { ENDING_MS } else { 0 };
        item.expires_at_ms.is_none_or(|end_ms| end_ms > self.now_ms.saturating_add(margin_ms))
    }

    fn checksum(self, item: &Item) -> u64 {
        if self.ends || item.expires_at_ms.is_none() {
            return checksum_of(item);
        }
        checksum_of(&Item { expires_at_ms: None, ..item.clone() })
    }

    /// Whether a row is the same on both sides.
    pub(super) fn same(self, source: Option<&Item>, target: Option<&Item>) -> bool {
        match (source, target) {
            (Some(source), Some(target)) => self.checksum(source) == self.checksum(target),
            (None, None) => true,
            (Some(one), None) | (None, Some(one)) => !self.sees(one),
        }
    }
}

struct Ledger(Vec<Total>);

impl Ledger {
    fn new() -> Ledger {
        Ledger(vec![Total::default(); BUCKETS])
    }

    fn add(&mut self, item: &Item, sight: Sight) {
        if sight.sees(item) {
            self.0[bucket(&item.id)].add(sight.checksum(item));
        }
    }
}

fn bucket(id: &Id) -> usize {
    xxh3_64(id.as_str().as_bytes()) as usize % BUCKETS
}

/// Compares both sides. With `give_up`, buckets are not looked into when there is more in them than is held at once.
pub(super) fn compare(
    source: &mut dyn Source,
    target: &mut dyn Target,
    rejects: &mut Rejects,
    sight: Sight,
    give_up: bool,
) -> Result<Comparison, Trouble> {
    let (mut theirs, mut ours) = (Ledger::new(), Ledger::new());
    rejects.restart()?;
    source.scan(&mut |row| {
        match row {
            Ok(item) => theirs.add(&item, sight),
            Err(refused) => rejects.add(&refused)?,
        }
        Ok(())
    })?;
    let mut places = Places::default();
    target.rows(&mut |item| {
        ours.add(item, sight);
        places.note(item);
        Ok(())
    })?;
    let mut found = Comparison { places: places.kept, ..Comparison::default() };
    let mut groups: Vec<(BTreeSet<usize>, u64)> = Vec::new();
    for at in 0..BUCKETS {
        if theirs.0[at] == ours.0[at] {
            (found.source, found.target) = (found.source.plus(theirs.0[at]), found.target.plus(ours.0[at]));
            continue;
        }
        let rows = theirs.0[at].items.max(ours.0[at].items);
        match groups.last_mut().filter(|(_, held)| held + rows <= HELD) {
            Some((group, held)) => {
                group.insert(at);
                *held += rows;
            }
            None => groups.push((BTreeSet::from([at]), rows)),
        }
    }
    if give_up && groups.len() > 1 {
        return Ok(Comparison { is_too_much: true, ..found });
    }
    for (group, _) in groups {
        look_into(source, target, &group, sight, &mut found)?;
    }
    Ok(found)
}

/// Compares the rows of some buckets one by one.
fn look_into(
    source: &mut dyn Source,
    target: &mut dyn Target,
    group: &BTreeSet<usize>,
    sight: Sight,
    found: &mut Comparison,
) -> Result<(), Trouble> {
    let belongs = |item: &Item| group.contains(&bucket(&item.id)) && sight.sees(item);
    let mut rows: HashMap<Id, Item> = HashMap::new();
    source.scan(&mut |row| {
        if let Some(item) = row.ok().filter(belongs) {
            rows.insert(item.id.clone(), item);
        }
        Ok(())
    })?;
    rows.values().for_each(|item| found.source.add(sight.checksum(item)));
    target.rows(&mut |item| {
        if belongs(item) {
            found.target.add(sight.checksum(item));
            let theirs = rows.remove(&item.id);
            if !sight.same(theirs.as_ref(), Some(item)) {
                found.differing.push(Difference { id: item.id.clone(), source: theirs, target: Some(item.clone()) });
            }
        }
        Ok(())
    })?;
    let absent = rows.into_iter().map(|(id, item)| Difference { id, source: Some(item), target: None });
    found.differing.extend(absent);
    Ok(())
}

/// Some points of many, evenly spread over the order in which they come.
#[derive(Default)]
struct Places {
    kept: Vec<Point>,
    every: u64,
    seen: u64,
}

impl Places {
    fn note(&mut self, item: &Item) {
        if self.seen.is_multiple_of(self.every.max(1)) {
            self.kept.push(item.point);
        }
        self.seen += 1;
        if self.kept.len() == 2 * PLACES {
            self.every = 2 * self.every.max(1);
            let mut at = 0;
            self.kept.retain(|_| {
                at += 1;
                at % 2 == 1
            });
        }
    }
}
