//! Plain values in a row, in memory of their own or in a mapped file.
//!
//! Everything a segment holds is an [`Array`]. What surprises: it cannot be changed and does not lend itself whole as a
//! `Vec` does. Readers say which values they want ([`Array::at`], [`Array::slice`]), because values in a file are compared
//! with its checksums when somebody first touches them, and touching all would read the whole file.
//!
//! ```text
//! Array   start │ length │ doubtful?     at(i) = one comparison, one branch on the flag, one read
//!           │                  └─ true only for files, until all of their blocks have been checked
//!           └─▶ a box of its own, or somewhere in a Map
//! ```
//!
//! The values lie in files as they lie in memory, lowest byte first. This is one of two modules that use `unsafe`.
#![allow(unsafe_code, reason = "a slice whose memory belongs either to a box or to a file cannot be said in safe Rust")]

use std::fmt;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytemuck::Pod;

use super::map::{Damaged, Map};

#[cfg(target_endian = "big")]
compile_error!(
    "files hold numbers lowest byte first and are read in place; a big-endian machine would have to copy them"
);

/// Values in a row that never change.
pub struct Array<T: Pod> {
    start: NonNull<T>,
    len: usize,
    /// Whether some values may lie in blocks of a file that nobody has checked yet.
    doubtful: AtomicBool,
    /// Where the values lie; `None` for memory of their own.
    map: Option<Arc<Map>>,
}

/// Has the processor fetch a value from memory, without waiting for it.
#[inline]
pub(crate) fn fetch<T>(value: &T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch has no effect that a program can see and cannot fail, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = value;
}

// SAFETY: without a map an array owns its values as a box does; with one it shares bytes that nobody writes. Values of
// `T: Pod` are plain numbers without pointers or cells, and the one thing that changes, `doubtful`, is atomic.
unsafe impl<T: Pod> Send for Array<T> {}
// SAFETY: as above.
unsafe impl<T: Pod> Sync for Array<T> {}

impl<T: Pod> Array<T> {
    /// The values of a section of a file, if it holds a whole number of them and begins where such a value may.
    pub fn mapped(map: &Arc<Map>, bytes: Range<usize>) -> Option<Array<T>> {
        let values: &[T] = bytemuck::try_cast_slice(map.bytes().get(bytes)?).ok()?;
        let (start, len) = (NonNull::from(values).cast(), values.len());
        Some(Array { start, len, doubtful: AtomicBool::new(!map.is_proven()), map: Some(map.clone()) })
    }

    /// How many values there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value at a place; it must exist.
    #[inline]
    pub fn at(&self, place: usize) -> &T {
        let value = &self.unchecked()[place];
        if self.doubtful.load(Ordering::Relaxed) {
            self.check(place..place + 1);
        }
        value
    }

    /// The value at a place, if there is one.
    #[inline]
    pub fn get(&self, place: usize) -> Option<&T> {
        (place < self.len).then(|| self.at(place))
    }

    /// The values of some places; all must exist.
    #[inline]
    pub fn slice(&self, places: Range<usize>) -> &[T] {
        let values = &self.unchecked()[places.clone()];
        if self.doubtful.load(Ordering::Relaxed) {
            self.check(places);
        }
        values
    }

    /// Has the processor fetch a value from memory, if there is one, without waiting for it. It is a hint and no more: nothing is
    /// read, so nothing is compared with a checksum either.
    #[inline]
    pub fn fetch(&self, place: usize) {
        if let Some(value) = self.unchecked().get(place) {
            fetch(value);
        }
    }

    /// All values, which reads all of them in a file that is not proven yet.
    pub fn whole(&self) -> &[T] {
        self.slice(0..self.len)
    }

    /// All values as bytes, for a file.
    pub fn as_bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self.whole())
    }

    /// The first place whose value does not satisfy `is_before`, which must hold for a beginning of the array and for no more.
    ///
    /// Only the values that are asked about are read.
    #[inline]
    pub fn partition_point(&self, is_before: impl Fn(&T) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(self.at(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Compares all values with the checksums of their file.
    pub fn prove(&self) -> Result<(), Damaged> {
        match &self.map {
            Some(map) => map.prove(self.place_in(map, 0..self.len)),
            None => Ok(()),
        }
    }

    /// Bytes of the values.
    pub fn bytes(&self) -> usize {
        self.len * size_of::<T>()
    }

    /// The values, proven or not: whoever hands them on checks them first.
    #[inline]
    fn unchecked(&self) -> &[T] {
        // SAFETY: `start` and `len` come from a slice of `T`, of a box that `self` owns and frees only when dropped, or of a
        // map that `self` keeps alive and that never moves its bytes. Nobody writes to either. Any bytes are a valid `T`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// Panics with a [`Damaged`] if the blocks that hold these values are not as they were written.
    #[inline(never)]
    fn check(&self, places: Range<usize>) {
        let Some(map) = &self.map else { return };
        if map.is_proven() {
            return self.doubtful.store(false, Ordering::Relaxed);
        }
        if let Err(damaged) = map.prove(self.place_in(map, places)) {
            std::panic::panic_any(damaged);
        }
    }

    /// The bytes of the map that hold these values.
    fn place_in(&self, map: &Map, places: Range<usize>) -> Range<usize> {
        let first = self.start.as_ptr().addr() - map.bytes().as_ptr().addr();
        first + places.start * size_of::<T>()..first + places.end * size_of::<T>()
    }
}

impl<T: Pod> From<Vec<T>> for Array<T> {
    fn from(values: Vec<T>) -> Array<T> {
        let len = values.len();
        let start = NonNull::from(Box::leak(values.into_boxed_slice())).cast();
        Array { start, len, doubtful: AtomicBool::new(false), map: None }
    }
}

impl<T: Pod> Drop for Array<T> {
    fn drop(&mut self) {
        if self.map.is_none() {
            let values = std::ptr::slice_from_raw_parts_mut(self.start.as_ptr(), self.len);
            // SAFETY: without a map, `start` and `len` are those of the box that `from` leaked, which nobody else frees.
            drop(unsafe { Box::from_raw(values) });
        }
    }
}

impl<T: Pod> Default for Array<T> {
    fn default() -> Array<T> {
        Vec::new().into()
    }
}

impl<T: Pod> Clone for Array<T> {
    /// Copies memory of its own, and shares a file.
    fn clone(&self) -> Array<T> {
        let Array { start, len, ref doubtful, ref map } = *self;
        match map {
            Some(_) => {
                Array { start, len, doubtful: AtomicBool::new(doubtful.load(Ordering::Relaxed)), map: map.clone() }
            }
            None => self.unchecked().to_vec().into(),
        }
    }
}

impl<T: Pod> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.map.is_some() { "mapped" } else { "owned" };
        write!(f, "[{} × {} {place}]", std::any::type_name::<T>(), self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::map::test_map;

    #[test]
    fn an_array_gives_back_what_it_was_made_of() {
        let array: Array<u32> = vec![3, 1, 4, 1, 5].into();
        assert_eq!((array.len(), *array.at(2), array.get(5), array.slice(1..3)), (5, 4, None, &[1, 4][..]));
        assert_eq!(array.clone().whole(), array.whole());
        assert!(Array::<u64>::default().is_empty());
        assert_eq!(array.as_bytes()[..5], [3, 0, 0, 0, 1]);
    }

    #[test]
    fn an_array_in_a_file_reads_like_one_in_memory_and_outlives_the_handle() {
        let values: Vec<u64> = (0..20_000).map(|i| i * 7).collect();
        let map = test_map(bytemuck::cast_slice(&values), &[]);
        let array: Array<u64> = Array::mapped(&map, map.section("all").unwrap()).unwrap();
        drop(map);
        let copy = array.clone();
        assert_eq!((*array.at(19_999), array.slice(8_000..8_002)), (19_999 * 7, &[56_000, 56_007][..]));
        assert_eq!(array.partition_point(|&value| value < 700), 100);
        assert_eq!(copy.whole(), values);
        assert!(Array::<[u64; 3]>::mapped(copy.map.as_ref().unwrap(), 0..64).is_none(), "no whole number of them");
        assert!(Array::<u64>::mapped(copy.map.as_ref().unwrap(), 4..12).is_none(), "not where a u64 may begin");
    }

    #[test]
    fn a_flag_is_dropped_once_the_whole_file_is_proven() {
        let map = test_map(&[7; 300_000], &[]);
        let array: Array<u8> = Array::mapped(&map, map.section("all").unwrap()).unwrap();
        assert!(array.doubtful.load(Ordering::Relaxed));
        map.prove_all().unwrap();
        assert_eq!(*array.at(5), 7);
        assert!(!array.doubtful.load(Ordering::Relaxed));
    }

    #[test]
    fn damage_is_met_by_the_first_reader_of_its_block_and_by_nobody_else() {
        let map = test_map(&[7; 300_000], &[70_000]);
        let array: Array<u8> = Array::mapped(&map, map.section("all").unwrap()).unwrap();
        assert_eq!((array.at(65_535), array.at(131_072), array.slice(200_000..300_000).len()), (&7, &7, 100_000));
        for places in [65_536..65_537, 65_536..65_537, 10..65_537, 131_071..200_000] {
            let touch = std::panic::AssertUnwindSafe(|| array.slice(places).len());
            let payload = std::panic::catch_unwind(touch).unwrap_err();
            let damaged = payload.downcast_ref::<Damaged>().unwrap();
            assert_eq!((damaged.section.as_str(), damaged.block), ("all", 1));
        }
        assert_eq!(array.prove().unwrap_err().block, 1);
    }
}
