//! The end of the journal after a power cut: which of its batches are whole.
//!
//! What surprises: a batch that nobody was told of can keep the whole store closed. A power cut during the sync of a large batch may
//! leave its beginning and its end on the disk and a hole between; the engine sees a checksum that does not fit and refuses to open.
//! Whether such a batch was ever acknowledged it cannot know. The high-water mark does: it counts commits that are durable.
//!
//! ```text
//! batch   1 │ items u32 │ seqno u64 │ item … │ 3 │ XXH3-64 of the items │ "FJL" 3
//! item    2 │ kind u8 │ compression u8, always 0 │ keyspace u64 │ key length u16 │ value length u32, twice │ key │ value
//! ```

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3Default;

/// What the batches of a journal say, as far as they are whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Whole {
    /// Bytes of them.
    len: usize,
    /// The value that the last of them put under the key that was looked for.
    last_value: Option<u64>,
}

/// A journal that was cut.
#[derive(Debug)]
pub(in crate::log) struct Cut {
    journal: PathBuf,
    /// The journal as it was.
    pub(in crate::log) copy: PathBuf,
}

impl Cut {
    /// Puts the journal back as it was.
    pub(in crate::log) fn undo(self) -> io::Result<()> {
        fs::copy(&self.copy, &self.journal)?;
        File::open(&self.journal)?.sync_all()
    }
}

/// Cuts the newest journal of a store behind its last whole batch, after a copy was made in `aside`. It is left alone, and there is
/// nothing to undo, where it is whole, or where a batch that is not was acknowledged: `counter` is a key whose value counts
/// commits, of which at least `acknowledged` must be left.
pub(in crate::log) fn cut_unfinished(
    store: &Path,
    aside: &Path,
    counter: &[u8],
    acknowledged: u64,
) -> io::Result<Option<Cut>> {
    let Some(journal) = newest(store)? else { return Ok(None) };
    let bytes = fs::read(&journal)?;
    let whole = whole(&bytes, counter);
    let used = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    if used <= whole.len || whole.last_value.is_some_and(|commits| commits < acknowledged) {
        return Ok(None);
    }
    fs::create_dir_all(aside)?;
    let name = journal.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let copy = (1..).map(|turn| aside.join(format!("{name}.{turn}"))).find(|path| !path.exists());
    let copy = copy.expect("there is always another number");
    fs::write(&copy, &bytes[..used])?;
    File::open(&copy)?.sync_all()?;
    File::open(aside)?.sync_all()?;
    let file = OpenOptions::new().write(true).open(&journal)?;
    file.set_len(whole.len as u64)?;
    file.sync_all()?;
    Ok(Some(Cut { journal, copy }))
}

fn newest(store: &Path) -> io::Result<Option<PathBuf>> {
    let number = |path: &Path| path.file_name()?.to_str()?.strip_suffix(".jnl")?.parse::<u64>().ok();
    let mut journals = Vec::new();
    for entry in fs::read_dir(store)? {
        let path = entry?.path();
        journals.extend(number(&path).map(|number| (number, path)));
    }
    Ok(journals.into_iter().max().map(|(_, path)| path))
}

fn whole(bytes: &[u8], counter: &[u8]) -> Whole {
    let mut whole = Whole::default();
    let mut rest = bytes;
    while let Some((value, after)) = batch(rest, counter) {
        rest = after;
        whole = Whole { len: bytes.len() - rest.len(), last_value: value.or(whole.last_value) };
    }
    whole
}

/// One whole batch: the value it puts under a key, and what comes after it.
fn batch<'a>(bytes: &'a [u8], counter: &[u8]) -> Option<(Option<u64>, &'a [u8])> {
    let (&1, rest) = bytes.split_first()? else { return None };
    let (items, rest) = rest.split_first_chunk::<4>()?;
    let mut rest = rest.get(8..)?;
    let mut sum = Xxh3Default::new();
    let mut value = None;
    for _ in 0..u32::from_le_bytes(*items) {
        let (key, found, after) = item(rest)?;
        sum.update(&rest[..rest.len() - after.len()]);
        if key == counter {
            value = found.try_into().ok().map(u64::from_le_bytes);
        }
        rest = after;
    }
    let (&3, rest) = rest.split_first()? else { return None };
    let (checksum, rest) = rest.split_first_chunk::<8>()?;
    let rest = rest.strip_prefix(b"FJL\x03")?;
    (u64::from_le_bytes(*checksum) == sum.digest()).then_some((value, rest))
}

/// One item: its key, its value, and what comes after it.
fn item(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (&2, rest) = bytes.split_first()? else { return None };
    let (&[_, 0], rest) = rest.split_first_chunk::<2>()? else { return None };
    let rest = rest.get(8..)?;
    let (key, rest) = rest.split_first_chunk::<2>()?;
    let (_, rest) = rest.split_first_chunk::<4>()?;
    let (value, rest) = rest.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*key)))?;
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*value) as usize)?;
    Some((key, value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Batch, FjallStore, Settings, Space, Store, StoreError, Sync};

    const COUNTER: &[u8] = b"counter";

    /// A store of so many commits, the last of them large, and where it is.
    fn written(commits: u64) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = FjallStore::create(&path, &Settings::default()).unwrap();
        for commit in 1..=commits {
            let mut batch = Batch::new();
            batch.put(Space::Meta, COUNTER, commit.to_le_bytes());
            batch.put(Space::Records, format!("row-{commit}"), vec![7; if commit == commits { 60_000 } else { 100 }]);
            store.commit(batch, Sync::Now).unwrap();
        }
        drop(store);
        (folder, path)
    }

    fn open(path: &Path) -> Result<FjallStore, StoreError> {
        FjallStore::open(path, &Settings::default())
    }

    fn counter(store: &FjallStore) -> u64 {
        let bytes = store.get(Space::Meta, COUNTER).unwrap().unwrap();
        u64::from_le_bytes(bytes.try_into().unwrap())
    }

    /// Zeroes in the last value, as a power cut leaves them.
    fn with_a_hole(path: &Path) {
        let journal = newest(path).unwrap().unwrap();
        let mut bytes = fs::read(&journal).unwrap();
        let used = bytes.iter().rposition(|&byte| byte != 0).unwrap();
        bytes[used - 20_000..used - 10_000].fill(0);
        fs::write(&journal, bytes).unwrap();
    }

    #[test]
    fn every_batch_of_a_sound_journal_is_whole() {
        let (_folder, path) = written(9);
        let bytes = fs::read(newest(&path).unwrap().unwrap()).unwrap();
        let used = bytes.iter().rposition(|&byte| byte != 0).unwrap() + 1;
        assert_eq!(whole(&bytes, COUNTER), Whole { len: used, last_value: Some(9) });
        for cut in [0, 1, 5, 40, used / 2, used - 1] {
            assert!(whole(&bytes[..cut], COUNTER).len <= cut);
        }
    }

    #[test]
    fn a_hole_in_a_batch_that_nobody_was_told_of_is_cut_off() {
        let (folder, path) = written(5);
        with_a_hole(&path);
        assert!(matches!(open(&path), Err(StoreError::Damaged { .. })));
        let cut = cut_unfinished(&path, &folder.path().join("aside"), COUNTER, 4).unwrap().unwrap();
        assert!(fs::metadata(&cut.copy).unwrap().len() > 60_000);
        assert_eq!(counter(&open(&path).unwrap()), 4);
    }

    #[test]
    fn a_hole_in_an_acknowledged_batch_is_left_alone() {
        let (folder, path) = written(5);
        with_a_hole(&path);
        assert!(cut_unfinished(&path, &folder.path().join("aside"), COUNTER, 5).unwrap().is_none());
        assert!(matches!(open(&path), Err(StoreError::Damaged { .. })));
    }

    #[test]
    fn a_cut_can_be_undone() {
        let (folder, path) = written(5);
        with_a_hole(&path);
        let journal = newest(&path).unwrap().unwrap();
        let before = fs::read(&journal).unwrap();
        cut_unfinished(&path, &folder.path().join("aside"), COUNTER, 4).unwrap().unwrap().undo().unwrap();
        let after = fs::read(&journal).unwrap();
        assert!(before.starts_with(&after) && before[after.len()..].iter().all(|&byte| byte == 0));
    }
}
