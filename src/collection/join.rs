//! Joining segments in the background, so that writers do not wait for it and readers have few to look at.
//!
//! The thread reads segments that others go on changing: an item may go while its record is being copied. So the
//! writer notes whatever goes from a segment that is being joined, and the notes are carried over before the new
//! segment is shown. Snapshots taken before keep the old segments, and their marks, for as long as they are held.
//!
//! What surprises: a join may meet a damaged file before any query does. Then it is called off, the segments stay as they are,
//! and no other is started.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use super::draft::Draft;
use super::segment::Segment;
use super::writer::{Joining, Writer};
use super::{Shared, sweep, tiers};
use crate::index::Damaged;

/// Starts a join in the background if one is due and none runs.
pub(super) fn start_if_due(shared: &Arc<Shared>, writer: &mut Writer) {
    if writer.is_joining() || writer.joins_barred {
        return;
    }
    let Some(inputs) = due(&writer.segments, MOST_BYTES.load(Ordering::Relaxed)) else { return };
    let number = begin(writer, inputs.clone());
    let base_seq = writer.seq;
    let shared = shared.clone();
    JOINER.spawn(move || {
        // Nothing is left half-done by a join that panics: it only reads.
        let joined = catch_unwind(AssertUnwindSafe(|| join(number, &inputs, &shared, base_seq)));
        drop(inputs);
        match joined {
            Ok(joined) => finish(&shared, number, joined),
            Err(panic) if panic.is::<Damaged>() => call_off(&shared, number),
            Err(panic) => resume_unwind(panic),
        }
    });
}

/// One thread for the joins of all collections: what a join does in parallel, it does one after the other here, so that a
/// busy writer keeps its processor and readers theirs.
static JOINER: LazyLock<rayon::ThreadPool> = LazyLock::new(|| {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(1).thread_name(|_| "nigh-join".to_owned());
    builder.build().expect("a thread can be started for joining segments")
});

/// How much memory a join may take, about.
static MOST_BYTES: AtomicUsize = AtomicUsize::new(usize::MAX);

/// How many times the bytes of its segments a join takes, about: what it sorts, and what it makes.
const BUILDING: usize = 2;

/// Bounds the memory of all joins of this process, which has one thread for them. Segments that would take more when joined stay
/// apart, until a process with more memory opens them.
pub fn limit_joins(bytes: usize) {
    MOST_BYTES.store(bytes, Ordering::Relaxed);
}

/// How many points may be joined within so much memory, by what a point takes in files: segments in memory are small, and asked about
/// after every write.
fn most(segments: &[Arc<Segment>], most_bytes: usize) -> usize {
    let (mut points, mut bytes) = (0, 0);
    for segment in segments.iter().filter(|segment| segment.mapped_bytes() > 0) {
        points += segment.points().len();
        bytes += segment.mapped_bytes();
    }
    let most = most_bytes as u128 * points as u128 / (bytes * BUILDING).max(1) as u128;
    let is_told = points > 0 && most_bytes < usize::MAX;
    if is_told { usize::try_from(most).unwrap_or(usize::MAX).min(tiers::SEGMENT_MAX) } else { tiers::SEGMENT_MAX }
}

fn begin(writer: &mut Writer, inputs: Vec<Arc<Segment>>) -> u64 {
    let number = writer.next_number();
    writer.joining = Some(Joining { number, inputs, gone_since: Vec::new() });
    number
}

/// Ends a join that met damage.
fn call_off(shared: &Shared, number: u64) {
    if let Ok(mut writer) = shared.writer.lock() {
        writer.joining.take_if(|joining| joining.number == number);
        writer.joins_barred = true;
    }
    shared.settled.notify_all();
}

fn due(segments: &[Arc<Segment>], most_bytes: usize) -> Option<Vec<Arc<Segment>>> {
    let sizes: Vec<usize> = segments.iter().map(|segment| segment.live_count()).collect();
    let most = most(segments, most_bytes);
    let group = tiers::to_join(&sizes, 0, most);
    if !group.is_empty() {
        return Some(group.into_iter().map(|index| segments[index].clone()).collect());
    }
    // A large segment of which most is gone is worth writing anew by itself.
    let wasteful = |segment: &&Arc<Segment>| {
        let live = segment.live_count();
        segment.points().len() > tiers::AT_ONCE && live * 2 < segment.points().len() && live <= most
    };
    segments.iter().find(wasteful).map(|segment| vec![segment.clone()])
}

fn join(number: u64, inputs: &[Arc<Segment>], shared: &Shared, base_seq: u64) -> Segment {
    let mut draft = Draft::default();
    inputs.iter().for_each(|segment| draft.push_live(segment));
    draft.build(number, &shared.kinds, base_seq)
}

/// Carries over what went meanwhile, shows the new segment, and sees whether another join is due.
fn finish(shared: &Arc<Shared>, number: u64, joined: Segment) {
    let Ok(mut writer) = shared.writer.lock() else {
        return shared.settled.notify_all(); // a writer failed half-way: nothing is written any more
    };
    // Kept until the lock is let go: freeing a large segment takes time.
    let ours = writer.joining.take_if(|joining| joining.number == number);
    if let Some(joining) = &ours {
        for (id, seq) in &joining.gone_since {
            if let Some(slot) = joined.slot_named(id) {
                joined.marks.remove(slot, *seq);
            }
        }
        let joined = (joined.live_count() > 0).then(|| Arc::new(joined));
        writer.replace_in_place(&joining.inputs, joined);
        shared.publish(&mut writer);
        start_if_due(shared, &mut writer);
        sweep::start_if_due(shared, &mut writer);
    }
    drop(writer);
    shared.settled.notify_all();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::{Collection, Id, Item, SegmentDraft};
    use crate::geometry::Point;

    #[test]
    fn no_more_is_joined_than_memory_allows() {
        let (collection, folder) = (Collection::new(), tempfile::tempdir().unwrap());
        let segment = |count: u32| {
            let mut draft = SegmentDraft::new();
            for n in 0..count {
                let point = Point::new(f64::from(n % 170) - 85.0, f64::from(n % 359) - 179.0).unwrap();
                draft.push(&Item::new(Id::new(n.to_string()).unwrap(), point), 1);
            }
            draft.write(&collection, folder.path()).unwrap()
        };
        let segments = [5_000, 1_000, 900].map(segment);
        let bytes =
            |segments: &[Arc<Segment>]| -> usize { segments.iter().map(|segment| segment.mapped_bytes()).sum() };
        let joined =
            |most_bytes| due(&segments, most_bytes).map(|inputs| inputs.iter().map(|one| one.live_count()).collect());
        assert_eq!(joined(usize::MAX), Some(vec![900, 1_000]));
        assert_eq!(joined(BUILDING * bytes(&segments)), Some(vec![900, 1_000]));
        assert_eq!(joined(BUILDING * bytes(&segments[1..2])), None::<Vec<usize>>);
        assert_eq!(joined(0), None);
    }
}
