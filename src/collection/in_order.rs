//! Items of several segments in the order of their ids.
//!
//! What surprises: nothing is sorted. Every segment knows the order of its ids, and there are few segments.

use std::sync::Arc;

use super::segment::{AHEAD, fetch};
use super::{ItemRef, Segment};

/// The items of some segments in the order of ids: of those that `stays` lets pass, and of the same ids the last segment's.
pub(crate) fn in_order<'a>(
    segments: &'a [Arc<Segment>],
    stays: impl Fn(&Segment, u32) -> bool + Copy + 'a,
) -> impl Iterator<Item = ItemRef<'a>> {
    let slots = |segment: &'a Arc<Segment>| fetched(segment).filter(move |&slot| stays(segment, slot)).peekable();
    let mut heads: Vec<_> = segments.iter().map(slots).collect();
    std::iter::from_fn(move || {
        // Most loads are one segment, and nothing has to be compared.
        if let [head] = &mut heads[..] {
            return head.next().map(|slot| segments[0].item(slot));
        }
        let mut least: Option<(usize, u32)> = None;
        for (at, head) in heads.iter_mut().enumerate() {
            let Some(&slot) = head.peek() else { continue };
            let id = segments[at].id_bytes(slot);
            // Not above, so that of the same ids the last segment's is taken.
            if least.is_none_or(|(of, other)| id <= segments[of].id_bytes(other)) {
                least = Some((at, slot));
            }
        }
        let (from, slot) = least?;
        let id = segments[from].id_bytes(slot);
        for (at, head) in heads.iter_mut().enumerate() {
            head.next_if(|&slot| segments[at].id_bytes(slot) == id);
        }
        Some(segments[from].item(slot))
    })
}

/// The slots of a segment in the order of ids, what is stored there on its way from memory: it lies in the order of places.
fn fetched(segment: &Segment) -> impl Iterator<Item = u32> {
    let len = segment.points().len() as u32;
    (0..len).step_by(AHEAD).flat_map(move |first| {
        let slots = segment.slots_by_rank(first).take(AHEAD);
        fetch(slots.clone().map(|slot| (segment, slot)));
        slots.clone().for_each(|slot| segment.points().fetch(slot));
        slots
    })
}
