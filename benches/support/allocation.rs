//! Counts the bytes that are allocated, so that indexes which do not tell their size can be weighed.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator with a counter. Install it with `#[global_allocator]`.
pub struct Counting;

// SAFETY: every call is handed on unchanged to the system's allocator; the counters touch no memory of its own.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`; `memory` came from `System` above.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// What an expression makes, the bytes that it holds afterwards, and the most that were held beside them meanwhile.
pub fn weigh<T>(make: impl FnOnce() -> T) -> (T, usize, usize) {
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let made = make();
    let held = HELD.load(Ordering::Relaxed).saturating_sub(before);
    (made, held, MOST.load(Ordering::Relaxed).saturating_sub(before))
}
