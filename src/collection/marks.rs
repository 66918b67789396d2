//! Which slots of a segment are gone, and since when.
//!
//! What surprises: the marks outlive the segment they were made for. When a segment that was built in memory gets a file, the
//! twin that reads the file shares its marks, so nothing that goes meanwhile is lost.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// The one thing about a segment that changes.
pub(super) struct Marks {
    /// For every slot, how many changes after `base_seq` it went; 0 while it is there.
    gone: Box<[AtomicU32]>,
    gone_count: AtomicU32,
    base_seq: u64,
    /// So many of the segment's ends of life, in the order of time, are over: their slots are gone.
    ends_over: AtomicUsize,
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} of {} gone, counted from {}]", self.gone_count(), self.slots(), self.base_seq)
    }
}

impl Marks {
    /// Marks of slots that are all there; what goes later goes with numbers above `base_seq`.
    pub(super) fn new(slots: usize, base_seq: u64) -> Marks {
        // Memory that the system hands out is zero already. Not touching it makes a large segment quick to open.
        let gone = bytemuck::allocation::zeroed_slice_box(slots);
        Marks { gone, gone_count: AtomicU32::new(0), base_seq, ends_over: AtomicUsize::new(0) }
    }

    /// How many slots there are.
    pub(super) fn slots(&self) -> usize {
        self.gone.len()
    }

    /// Whether a slot is there in the snapshot of `seq`.
    #[inline]
    pub(super) fn is_there(&self, slot: u32, seq: u64) -> bool {
        // Relaxed: marks that a snapshot must see were made before it was published.
        let gone = self.gone[slot as usize].load(Ordering::Relaxed);
        gone == 0 || self.base_seq + u64::from(gone) > seq
    }

    #[inline]
    pub(super) fn is_live(&self, slot: u32) -> bool {
        self.gone[slot as usize].load(Ordering::Relaxed) == 0
    }

    #[inline]
    pub(super) fn gone_count(&self) -> u32 {
        self.gone_count.load(Ordering::Relaxed)
    }

    /// Whether a change with this number is too far from the first to be written down in a slot.
    pub(super) fn is_out_of_range(&self, seq: u64) -> bool {
        // A change that was applied before may be older than the segment.
        seq.saturating_sub(self.base_seq) >= u64::from(u32::MAX)
    }

    /// Marks a slot as gone with a change; only the one writer calls it. `false` when it was gone already.
    pub(super) fn remove(&self, slot: u32, seq: u64) -> bool {
        debug_assert!(seq > self.base_seq && !self.is_out_of_range(seq));
        let removed = self.is_live(slot);
        if removed {
            // The count first: a reader that finds the segment whole must not miss a mark that it has to see.
            self.gone_count.fetch_add(1, Ordering::Relaxed);
            self.gone[slot as usize].store((seq - self.base_seq) as u32, Ordering::Relaxed);
        }
        removed
    }

    /// How many ends of life are over.
    pub(super) fn ends_over(&self) -> usize {
        self.ends_over.load(Ordering::Relaxed)
    }

    /// Notes that so many ends of life are over. What is gone stays gone, so the most that anybody found holds.
    pub(super) fn note_ends_over(&self, count: usize) {
        self.ends_over.fetch_max(count, Ordering::Relaxed);
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.gone)
    }
}
