//! Joining segments in the background, so that writers do not wait for it and readers have few to look at.
//!
//! The thread reads segments that others go on changing: an item may go while its record is being copied. So the
//! writer notes whatever goes from a segment that is being joined, and the notes are carried over before the new
//! segment is shown. Snapshots taken before keep the old segments, and their marks, for as long as they are held.
//!
//! What surprises: a join may meet a damaged file before any query does. Then it is called off, the segments stay as they are,
//! and no other is started.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
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
    let Some(inputs) = due(&writer.segments) else { return };
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

fn due(segments: &[Arc<Segment>]) -> Option<Vec<Arc<Segment>>> {
    let sizes: Vec<usize> = segments.iter().map(|segment| segment.live_count()).collect();
    let group = tiers::to_join(&sizes, 0, tiers::SEGMENT_MAX);
    if !group.is_empty() {
        return Some(group.into_iter().map(|index| segments[index].clone()).collect());
    }
    // A large segment of which most is gone is worth writing anew by itself.
    let wasteful = |segment: &&Arc<Segment>| {
        segment.points().len() > tiers::AT_ONCE && segment.live_count() * 2 < segment.points().len()
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
