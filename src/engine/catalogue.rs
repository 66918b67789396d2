//! What the store knows of collections besides their rows: names, settings, checkpoints, and requests that were answered.
//!
//! ```text
//! collection/ number u32     {"name":…,"kinds":[…]}             there is such a collection
//! checkpoint/ number u32     {"seq":…,"manifest":…,"files":[…]}  what its segment files hold
//! dropped/ number u32                                            its rows are still to be swept out
//! next                       number u32                          for the next collection; numbers are never used again
//! once/ number u32, key      {"seq":…,"outcomes":"CR-",…}        a request that must not be made twice
//! loaded/ number u32, key    {"at_ms":…,"loaded":{…}}             a load that must not be made twice
//! load/ number u32           {"first_seq":…,"segments":[…]}       a load whose rows are not all in the store yet
//! ```
//!
//! What surprises: values are JSON. There is little of it, people read it when they repair, and a field can be added.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use xxhash_rust::xxh3::Xxh3Default;

use super::bulk::Loaded;
use super::{CollectionName, RequestKey, Write};
use crate::collection::{Change, Checkpoint, Id, Item, Outcome};
use crate::geometry::{METRICS, Metric, Point, metric_named};
use crate::index::Kind;
use crate::log::{Batch, Frame, Load, Space, Store, StoreError, codec};

const COLLECTION: &[u8] = b"collection/";
const CHECKPOINT: &[u8] = b"checkpoint/";
const DROPPED: &[u8] = b"dropped/";
const ONCE: &[u8] = b"once/";
const LOADED: &[u8] = b"loaded/";
const PENDING: &[u8] = b"load/";
const NEXT: &[u8] = b"next";

/// How a collection is kept.
#[derive(Debug, Clone)]
pub struct CollectionSettings {
    /// The index kinds that stand beside the points.
    pub kinds: Vec<&'static Kind>,
    /// How long an item stays when it does not say so itself, in milliseconds.
    pub ttl_ms: Option<u64>,
    /// What metres mean when a question does not say so itself.
    pub metric: &'static dyn Metric,
}

impl PartialEq for CollectionSettings {
    fn eq(&self, other: &CollectionSettings) -> bool {
        (&self.kinds, self.ttl_ms, self.metric.name()) == (&other.kinds, other.ttl_ms, other.metric.name())
    }
}

impl Default for CollectionSettings {
    fn default() -> CollectionSettings {
        CollectionSettings { kinds: Kind::offered().collect(), ttl_ms: None, metric: METRICS[0] }
    }
}

/// A collection as it stands in the store.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    name: String,
    kinds: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    ttl_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    metric: Option<String>,
}

/// A checkpoint as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    pub(super) seq: u64,
    pub(super) len: u64,
    pub(super) manifest: u64,
    pub(super) files: Vec<String>,
}

impl From<&Checkpoint> for Saved {
    fn from(checkpoint: &Checkpoint) -> Saved {
        let Checkpoint { seq, len, manifest, files } = checkpoint;
        Saved { seq: *seq, len: *len, manifest: *manifest, files: files.clone() }
    }
}

/// A load that is in the log, and of which not all rows are in the store yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) first_seq: u64,
    items: u64,
    segments: Vec<u64>,
    checksum: u64,
    pub(super) key: Option<String>,
}

impl Pending {
    pub(super) fn new(first_seq: u64, load: &Load, key: Option<&RequestKey>) -> Pending {
        let Load { items, segments, checksum } = load.clone();
        Pending { first_seq, items, segments, checksum, key: key.map(|key| key.as_str().to_owned()) }
    }

    pub(super) fn load(&self) -> Load {
        Load { items: self.items, segments: self.segments.clone(), checksum: self.checksum }
    }
}

/// A load that was answered.
#[derive(Debug, Serialize, Deserialize)]
struct AnsweredLoad {
    at_ms: i64,
    loaded: Loaded,
}

/// A request that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answered {
    /// What was asked, in 64 bits.
    pub(super) fingerprint: u64,
    pub(super) seq: u64,
    pub(super) at_ms: i64,
    outcomes: String,
}

impl Answered {
    pub(super) fn new(fingerprint: u64, seq: u64, at_ms: i64, outcomes: &[Outcome]) -> Answered {
        Answered { fingerprint, seq, at_ms, outcomes: outcomes.iter().copied().map(letter).collect() }
    }

    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        self.outcomes.chars().map(outcome).collect()
    }
}

fn letter(outcome: Outcome) -> char {
    match outcome {
        Outcome::Created => 'C',
        Outcome::Replaced => 'R',
        Outcome::Removed => 'D',
        Outcome::Absent => '-',
        Outcome::Repeated => '=',
    }
}

fn outcome(letter: char) -> Outcome {
    match letter {
        'C' => Outcome::Created,
        'R' => Outcome::Replaced,
        'D' => Outcome::Removed,
        '-' => Outcome::Absent,
        _ => Outcome::Repeated,
    }
}

fn numbered(prefix: &[u8], number: u32) -> Vec<u8> {
    [prefix, &number.to_be_bytes()].concat()
}

/// The key under which a request of a collection is remembered.
fn once(number: u32, key: &str) -> Vec<u8> {
    [&*numbered(ONCE, number), key.as_bytes()].concat()
}

/// A prefix and the first key after all that begin with it.
fn all_of(prefix: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut end = prefix.to_vec();
    *end.last_mut().expect("prefixes are not empty") += 1; // they end in '/', which has a successor
    (prefix.to_vec(), end)
}

fn text(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain values can be written as JSON")
}

fn read<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::Damaged { what: format!("{what}: {error}") })
}

/// Writes that there is a collection, and that the next one has a higher number.
pub(super) fn put_collection(batch: &mut Batch, number: u32, name: &CollectionName, settings: &CollectionSettings) {
    let kinds = settings.kinds.iter().map(|kind| kind.name.to_owned()).collect();
    let metric = (settings.metric.name() != METRICS[0].name()).then(|| settings.metric.name().to_owned());
    let entry = Entry { name: name.as_str().to_owned(), kinds, ttl_ms: settings.ttl_ms, metric };
    batch.put(Space::Meta, numbered(COLLECTION, number), text(&entry));
}

/// Writes which number the next collection has.
pub(super) fn put_next(batch: &mut Batch, next: u32) {
    batch.put(Space::Meta, NEXT, next.to_be_bytes());
}

/// Writes that a collection is gone, and its rows are to be swept out.
pub(super) fn drop_collection(batch: &mut Batch, number: u32) {
    batch.remove(Space::Meta, numbered(COLLECTION, number));
    batch.remove(Space::Meta, numbered(CHECKPOINT, number));
    batch.remove(Space::Meta, numbered(PENDING, number));
    batch.put(Space::Meta, numbered(DROPPED, number), *b"");
}

/// Writes that a dropped collection is swept out.
pub(super) fn forget_dropped(batch: &mut Batch, number: u32) {
    batch.remove(Space::Meta, numbered(DROPPED, number));
}

/// Writes what the segment files of a collection hold.
pub(super) fn put_checkpoint(batch: &mut Batch, number: u32, saved: &Saved) {
    batch.put(Space::Meta, numbered(CHECKPOINT, number), text(saved));
}

/// Writes that no segment files of a collection are to be relied on.
pub(super) fn forget_checkpoint(batch: &mut Batch, number: u32) {
    batch.remove(Space::Meta, numbered(CHECKPOINT, number));
}

/// Whether a key is the one of a checkpoint.
pub(super) fn is_checkpoint(key: &[u8]) -> bool {
    key.starts_with(CHECKPOINT)
}

/// Whether what stands under a key says what it should. Keys of others are theirs to judge.
pub(super) fn is_readable(key: &[u8], value: &[u8]) -> bool {
    let of = |prefix: &[u8]| key.starts_with(prefix);
    if of(COLLECTION) {
        return number_at(key).is_ok_and(|number| read("", value).and_then(|entry| opened(number, entry)).is_ok());
    }
    match key {
        NEXT => number_at(value).is_ok(),
        _ if of(CHECKPOINT) => read::<Saved>("", value).is_ok(),
        _ if of(PENDING) => read::<Pending>("", value).is_ok(),
        _ if of(ONCE) => read::<Answered>("", value).is_ok(),
        _ if of(LOADED) => read::<AnsweredLoad>("", value).is_ok(),
        _ => super::rows::is_readable(key, value),
    }
}

/// Writes that a request was answered.
pub(super) fn put_answered(batch: &mut Batch, number: u32, key: &RequestKey, answered: &Answered) {
    batch.put(Space::Meta, once(number, key.as_str()), text(answered));
}

/// Writes that a load is under way.
pub(super) fn put_pending(batch: &mut Batch, number: u32, pending: &Pending) {
    batch.put(Space::Meta, numbered(PENDING, number), text(pending));
}

/// Writes that it no longer is.
pub(super) fn forget_pending(batch: &mut Batch, number: u32) {
    batch.remove(Space::Meta, numbered(PENDING, number));
}

/// The load that is under way in a collection.
pub(super) fn pending(store: &dyn Store, number: u32) -> Result<Option<Pending>, StoreError> {
    let found = store.get(Space::Meta, &numbered(PENDING, number))?;
    found.map(|bytes| read("a load", &bytes)).transpose()
}

fn of_load(number: u32, key: &str) -> Vec<u8> {
    [&*numbered(LOADED, number), key.as_bytes()].concat()
}

/// Writes that a load was answered.
pub(super) fn put_loaded(batch: &mut Batch, number: u32, key: &str, at_ms: i64, loaded: &Loaded) {
    let answered = AnsweredLoad { at_ms, loaded: loaded.clone() };
    batch.put(Space::Meta, of_load(number, key), text(&answered));
}

/// What a load was answered, if it was made before.
pub(super) fn loaded(store: &dyn Store, number: u32, key: &RequestKey) -> Result<Option<Loaded>, StoreError> {
    let found = store.get(Space::Meta, &of_load(number, key.as_str()))?;
    found.map(|bytes| Ok(read::<AnsweredLoad>("a remembered load", &bytes)?.loaded)).transpose()
}

/// Writes that a request is remembered no longer, by its key in the store.
pub(super) fn forget_answered(batch: &mut Batch, stored_key: Vec<u8>) {
    batch.remove(Space::Meta, stored_key);
}

/// What a request was answered, if it was made before.
pub(super) fn answered(store: &dyn Store, number: u32, key: &RequestKey) -> Result<Option<Answered>, StoreError> {
    let found = store.get(Space::Meta, &once(number, key.as_str()))?;
    found.map(|bytes| read("a remembered request", &bytes)).transpose()
}

/// When the requests and loads that are remembered were answered, by their keys in the store.
pub(super) fn all_answered(store: &dyn Store) -> Result<Vec<(Vec<u8>, i64)>, StoreError> {
    #[derive(Deserialize)]
    struct At {
        at_ms: i64,
    }
    let mut all = Vec::new();
    for (first, end) in [all_of(ONCE), all_of(LOADED)] {
        for row in store.scan(Space::Meta, &first..&end) {
            let (key, value) = row?;
            all.push((key, read::<At>("a remembered request", &value)?.at_ms));
        }
    }
    Ok(all)
}

/// Writes that some of the requests to a collection are remembered no longer.
pub(super) fn forget_answers_of(
    store: &dyn Store,
    number: u32,
    most: usize,
    batch: &mut Batch,
) -> Result<(), StoreError> {
    for prefix in [ONCE, LOADED] {
        let (first, end) = (numbered(prefix, number), numbered(prefix, number + 1));
        for row in store.scan(Space::Meta, &first..&end).take(most) {
            forget_answered(batch, row?.0);
        }
    }
    Ok(())
}

/// What a request asks for, in 64 bits. When items end is left out: the same request made again comes later, and so do its lifetimes end.
pub(super) fn fingerprint(writes: &[Write]) -> u64 {
    let endless = |write: &Write| match write.change.clone() {
        Change::Put(item) => Change::Put(Item { expires_at_ms: None, ..item }),
        other => other,
    };
    let changes: Vec<Change> = writes.iter().map(endless).collect();
    let frame = Frame { stream: 0, first_seq: 1, entry: changes.into() };
    let mut hash = Xxh3Default::new();
    for (_, bytes) in codec::write_frames(&frame) {
        hash.update(&bytes);
    }
    for Write { condition, .. } in writes {
        hash.update(condition.to_string().as_bytes());
    }
    hash.digest()
}

/// The number of the change that put the item of an id, as its row has it.
pub(super) fn version(store: &dyn Store, rows: Space, number: u32, id: &Id) -> Result<Option<u64>, StoreError> {
    let row = store.get(rows, &codec::record_key(number, id.as_str()))?;
    row.map(|bytes| Ok(codec::read_row(id.as_str(), &bytes)?.1)).transpose()
}

/// Where the item of an id is, as its row has it.
pub(super) fn place(store: &dyn Store, rows: Space, number: u32, id: &Id) -> Result<Option<Point>, StoreError> {
    let row = store.get(rows, &codec::record_key(number, id.as_str()))?;
    row.map(|bytes| Ok(codec::read_row(id.as_str(), &bytes)?.0.point)).transpose()
}

/// The number of the next collection.
pub(super) fn next(store: &dyn Store) -> Result<u32, StoreError> {
    match store.get(Space::Meta, NEXT)? {
        None => Ok(1),
        Some(bytes) => number_at(&bytes),
    }
}

/// The last four bytes of a key, as a number.
fn number_at(key: &[u8]) -> Result<u32, StoreError> {
    let last = key.last_chunk::<4>();
    last.map(|four| u32::from_be_bytes(*four))
        .ok_or_else(|| StoreError::Damaged { what: format!("the number of a collection in {key:?}") })
}

/// The collections there are: number, name, settings.
pub(super) fn collections(store: &dyn Store) -> Result<Vec<(u32, CollectionName, CollectionSettings)>, StoreError> {
    let (first, end) = all_of(COLLECTION);
    let rows = store.scan(Space::Meta, &first..&end);
    rows.map(|row| row.and_then(|(key, value)| Ok((number_at(&key)?, read("a collection", &value)?))))
        .map(|entry| entry.and_then(|(number, entry)| opened(number, entry)))
        .collect()
}

fn opened(number: u32, entry: Entry) -> Result<(u32, CollectionName, CollectionSettings), StoreError> {
    let name =
        entry.name.parse().map_err(|error| StoreError::Damaged { what: format!("collection {number}: {error}") })?;
    // A kind that this version does not know is a kind it cannot build; the others answer the same.
    let kinds = entry.kinds.iter().filter_map(|name| Kind::named(name)).collect();
    // But another metric would be another answer.
    let metric = entry.metric.as_deref().map_or(Ok(METRICS[0]), metric_named);
    let metric = metric.map_err(|error| StoreError::Damaged { what: format!("collection {number}: {error}") })?;
    Ok((number, name, CollectionSettings { kinds, ttl_ms: entry.ttl_ms, metric }))
}

/// What the segment files of a collection hold.
pub(super) fn checkpoint(store: &dyn Store, number: u32) -> Result<Option<Saved>, StoreError> {
    let found = store.get(Space::Meta, &numbered(CHECKPOINT, number))?;
    found.map(|bytes| read("a checkpoint", &bytes)).transpose()
}

/// The numbers of collections that were dropped and are still to be swept out.
pub(super) fn dropped(store: &dyn Store) -> Result<Vec<u32>, StoreError> {
    let (first, end) = all_of(DROPPED);
    store.scan(Space::Meta, &first..&end).map(|row| number_at(&row?.0)).collect()
}
