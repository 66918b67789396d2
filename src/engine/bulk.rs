//! Many items at once: one job, all or nothing, without holding up anybody for long.
//!
//! ```text
//! push ─▶ drafts ─▶ segment files, which nobody sees         as many as it takes; memory stays flat
//! finish ─▶ read back and compared ─▶ one line in the log ─▶ shown       here the job is done, or never was
//!                                       └─▶ rows into the store, sorted, beside its journal ─▶ answered
//! ```
//!
//! What surprises: the log holds one line for ten million items. The items stand in the segment files, which are durable before
//! the line is; should the process end before their rows are in the store, the next start puts them there from the files.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::commit::now_ms;
use super::hosted::Hosted;
use super::load::Rows;
use super::{CollectionName, Engine, EngineError, RequestKey};
use crate::collection::{FileError, Item, ItemRef, NewItem, Segment, SegmentDraft};
use crate::log::{Load, codec};

/// What became of a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    /// Items that were handed in.
    pub received: u64,
    /// Items that are new.
    pub created: u64,
    /// Items that took the place of older ones, of the collection or of the load itself.
    pub replaced: u64,
    /// The number of the collection's last change after the load.
    pub seq: u64,
    /// The sum of the checksums of all items that were handed in, in any order, as if none had an end: [`checksum_of`] gives each.
    pub checksum: u64,
    /// The number of the collection; one that is made later under its name has another.
    #[serde(skip)]
    pub number: u32,
    /// Whether this is the answer to an earlier load with the same key, and nothing was changed now.
    #[serde(skip)]
    pub repeated: bool,
}

/// What an item adds to the checksum of a load.
pub fn checksum_of<'i>(item: impl Into<NewItem<'i>>) -> u64 {
    let item = item.into();
    codec::checksum_of(item.id(), item.point(), item.properties(), item.expires_at_ms())
}

fn checksum_of_ref(item: &ItemRef<'_>) -> u64 {
    codec::checksum_of(item.id(), item.point(), item.properties_bytes(), item.expires_at_ms())
}

/// A load under way. Dropped before [`finish`](Bulk::finish) it leaves nothing behind.
#[derive(Debug)]
pub struct Bulk<'a> {
    engine: &'a Engine,
    hosted: Arc<Hosted>,
    folder: PathBuf,
    key: Option<RequestKey>,
    /// How long an item stays that does not say so itself.
    ttl_ms: Option<u64>,
    draft: SegmentDraft,
    segments: Vec<Arc<Segment>>,
    received: u64,
    /// Items of the load that later ones of the same draft replaced.
    superseded: u64,
    sent: u64,
    kept: u64,
}

impl Engine {
    /// Begins to load many items into a collection, which the end of the load makes if it is not there.
    ///
    /// Nobody sees an item before all of them are there. A later item takes the place of an earlier one with its id. With a key,
    /// the load is made once: repeating it gives the first answer.
    pub fn bulk(&self, name: &CollectionName, key: Option<RequestKey>) -> Result<Bulk<'_>, EngineError> {
        self.shared.health().writable()?;
        let Some(home) = &self.shared.home else { return Err(EngineError::NoDirectory { what: "a bulk load" }) };
        let of = name.clone();
        let hosted = self.in_turn(move |committer| committer.begin_load(&of))?;
        let folder = home.segments_path(hosted.number);
        let (draft, segments, ttl_ms) = (SegmentDraft::new(), Vec::new(), hosted.settings.load().ttl_ms);
        let (received, superseded, sent, kept) = (0, 0, 0, 0);
        Ok(Bulk { engine: self, hosted, folder, key, ttl_ms, draft, segments, received, superseded, sent, kept })
    }
}

impl Bulk<'_> {
    /// Hands in an item. Where the collection says how long items stay, one that says nothing itself stays that long from now.
    pub fn push<'i>(&mut self, item: impl Into<NewItem<'i>>) -> Result<(), EngineError> {
        let item = item.into();
        // Of what was handed in, without its end: the same load, made again later, has the same sum, and lifetimes that end later.
        let endless = codec::checksum_of(item.id(), item.point(), item.properties(), None);
        self.sent = self.sent.wrapping_add(endless);
        let Some(ttl_ms) = self.ttl_ms.filter(|_| item.expires_at_ms().is_none()) else {
            let checksum = if item.expires_at_ms().is_none() { endless } else { checksum_of(item) };
            return self.keep(item, checksum);
        };
        let item = item.expiring_at(now_ms().saturating_add_unsigned(ttl_ms));
        self.keep(item, checksum_of(item))
    }

    /// Adds to the checksum of the load what belongs to the request and does not show in its items: a repeat has the same.
    pub fn besides(&mut self, besides: u64) {
        self.sent = self.sent.wrapping_add(besides);
    }

    fn keep(&mut self, item: NewItem<'_>, checksum: u64) -> Result<(), EngineError> {
        self.received += 1;
        self.kept = self.kept.wrapping_add(checksum);
        if let Some(before) = self.draft.push(item, self.received) {
            self.superseded += 1;
            self.kept = self.kept.wrapping_sub(checksum_of(&before));
        }
        if self.draft.bytes() >= self.engine.shared.settings.load_bytes {
            self.write_draft()?;
        }
        Ok(())
    }

    /// Hands in rows as they come from a reader; those it refused go to `reject`, and the others are not touched by it.
    pub fn extend<R>(
        &mut self,
        rows: impl IntoIterator<Item = Result<Item, R>>,
        mut reject: impl FnMut(R),
    ) -> Result<(), EngineError> {
        for row in rows {
            match row {
                Ok(item) => self.push(&item)?,
                Err(rejected) => reject(rejected),
            }
        }
        Ok(())
    }

    /// The same, with rows read on all cores: `read` makes the rows of a piece of the input, several pieces at a time, and they are
    /// handed in in the order of the pieces. Reading the next pieces and taking in the last go on side by side.
    pub fn extend_in_parallel<P: Send, R: Send>(
        &mut self,
        pieces: impl IntoIterator<Item = P>,
        read: impl Fn(P) -> Vec<Result<Item, R>> + Sync,
        mut reject: impl FnMut(R) + Send,
    ) -> Result<(), EngineError> {
        let mut pieces = pieces.into_iter();
        let mut came: Vec<Vec<Result<Item, R>>> = Vec::new();
        loop {
            let next: Vec<P> = pieces.by_ref().take(rayon::current_num_threads()).collect();
            if next.is_empty() && came.is_empty() {
                return Ok(());
            }
            let taken = std::mem::take(&mut came);
            let take_in = || self.extend(taken.into_iter().flatten(), &mut reject);
            let (done, read) = rayon::join(take_in, || next.into_par_iter().map(&read).collect());
            done?;
            came = read;
        }
    }

    fn write_draft(&mut self) -> Result<(), EngineError> {
        if !self.draft.is_empty() {
            let draft = std::mem::take(&mut self.draft);
            let written = draft.write(&self.hosted.collection(), &self.folder).map_err(|error| refused(&error))?;
            self.segments.push(written);
        }
        Ok(())
    }

    /// Makes all items durable and visible at once, and says what became of them. After an error none of them is there.
    pub fn finish(mut self) -> Result<Loaded, EngineError> {
        self.write_draft()?;
        self.read_back()?;
        // One after the other: what is put beside the journal must not be put over what a later load put there.
        let turn = self.engine.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let files = self.segments.drain(..).map(|segment| segment.file_number().expect("drafts are written to files"));
        let load = Load { items: self.received, segments: files.collect(), checksum: self.sent };
        let job = Job { hosted: self.hosted.clone(), folder: self.folder.clone(), key: self.key.clone(), load };
        let (loaded, rows) = self.engine.in_turn(move |committer| committer.load(job))?;
        let loaded = Loaded { number: self.hosted.number, ..loaded };
        if let Some(Rows { store, space, rows }) = rows {
            let hosted = self.hosted.clone();
            let put = rows.ingest(&*store, space, hosted.number);
            drop(store); // it may be closed and opened again from here on
            // The load is made by now. What hinders this stops writing; the rows are put there with the next start, or once a full disk
            // has room: who hands in the items again would have those without ids twice.
            if let Err(error) = self.engine.in_turn(move |committer| committer.settle_load(&hosted, put)) {
                tracing::warn!(%error, "the rows of a load have to wait before they are in the store");
            }
        }
        drop(turn);
        Ok(loaded)
    }

    /// Compares what stands in the files with what was handed in.
    fn read_back(&self) -> Result<(), EngineError> {
        let (mut count, mut sum) = (0_u64, 0_u64);
        for segment in &self.segments {
            segment.scrub().map_err(|damaged| refused(&damaged.into()))?;
            for slot in segment.points().slots() {
                count += 1;
                sum = sum.wrapping_add(checksum_of_ref(&segment.item(slot)));
            }
        }
        if (count, sum) == (self.received - self.superseded, self.kept) {
            return Ok(());
        }
        let reason = format!("{count} items were written of {}, or others", self.received - self.superseded);
        Err(EngineError::Load { reason })
    }
}

impl Drop for Bulk<'_> {
    fn drop(&mut self) {
        // What was written and not loaded is removed with the next checkpoint, or with the collection that was to be made, once nobody loads.
        self.hosted.loads.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A load that could not be written: nothing of it is there.
fn refused(error: &FileError) -> EngineError {
    EngineError::Load { reason: error.to_string() }
}

/// A load whose files are ready.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) hosted: Arc<Hosted>,
    pub(super) folder: PathBuf,
    pub(super) key: Option<RequestKey>,
    pub(super) load: Load,
}
