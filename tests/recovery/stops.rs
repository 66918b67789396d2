//! Every stop of a program: rebuilds the disk as it would be found, and asks a check about it.
//!
//! Two kinds of stop, before and after every operation. A *kill* leaves everything the program did; of the write it was in,
//! nothing, half or all. A *power cut* leaves what was synced and some of the rest, as [`disk`](super::disk) says: nothing,
//! all names, all data, all lengths with zeros, or parts drawn from a seed.
//!
//! What surprises: most stops are the same disk. A sync changes nothing for a kill and a write nothing for a power cut, so only
//! disks that differ, or that come with other promises, are checked.

use std::collections::HashSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};

use super::disk::{Disk, Survivors};
use super::image::Image;
use super::program::{Note, Scratch, Trace, notes};
use super::record::Record;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Model {
    Kill,
    /// Half of the write that comes next is there.
    TornKill,
    /// Nothing that is not safe.
    Least,
    /// All names, and no data that are not safe.
    Names,
    /// All data, and no names that are not safe.
    Data,
    /// All names and lengths; zeros where data are not safe.
    Zeros,
    /// Names up to some point, and some of the data, drawn from this seed.
    Some(u64),
    /// The same, with names in any order: more than ext4 and xfs do.
    AnyOrder(u64),
}

/// Both kinds of stop, with two draws of what a power cut leaves.
pub(crate) const USUAL: &[Model] = &[
    Model::Kill,
    Model::TornKill,
    Model::Least,
    Model::Names,
    Model::Data,
    Model::Zeros,
    Model::Some(1),
    Model::Some(2),
];

/// A stop that the check complained about.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// How many records of the trace came before the stop.
    pub(crate) before: usize,
    pub(crate) next: String,
    pub(crate) model: Model,
    pub(crate) complaint: String,
}

#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) stops: usize,
    /// Different disks, and how many of them were checked.
    pub(crate) disks: usize,
    pub(crate) checks: usize,
    pub(crate) findings: Vec<Finding>,
}

impl fmt::Display for Findings {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stops, disks, checks, findings } = self;
        writeln!(to, "{stops} stops, {checks} of {disks} different disks, {} complaints", findings.len())?;
        for Finding { before, next, model, complaint } in findings.iter().take(40) {
            writeln!(to, "  after {before} operations, {model:?}, before {next}: {complaint}")?;
        }
        Ok(())
    }
}

/// What is asked about a rebuilt root, and the notes that came before the stop.
pub(crate) type Check<'a> = &'a (dyn Fn(&Path, &[Note]) -> Result<(), String> + Sync);

struct Stop {
    image: Image,
    notes: usize,
    before: usize,
    next: String,
    model: Model,
}

/// Stops before every operation, in all of these models, and after the last one. With `every` above one, power cuts and
/// torn writes are tried at each so many-th stop only.
pub(crate) fn every_stop(trace: &Trace, models: &[Model], every: usize, check: Check<'_>) -> Findings {
    some_stops(trace, models, every, usize::MAX, check)
}

/// The same, with about this many checks at most, spread evenly.
pub(crate) fn some_stops(trace: &Trace, models: &[Model], every: usize, most: usize, check: Check<'_>) -> Findings {
    let stride = match most {
        usize::MAX => 1,
        _ => make_stops(trace, models, every.max(1), |_| {}).1.div_ceil(most).max(1),
    };
    let all_notes: Vec<Note> = trace.records.iter().flat_map(note_of).collect();
    let found = Mutex::new(Findings::default());
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let (send, receive) = sync_channel::<Stop>(2 * workers);
    let receive = Mutex::new(receive);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| work(&receive, &all_notes, check, &found));
        }
        let mut at = 0;
        let (stops, disks) = make_stops(trace, models, every.max(1), |stop| {
            if at % stride == 0 {
                send.send(stop).expect("workers wait until the end");
            }
            at += 1;
        });
        drop(send);
        let mut found = found.lock().expect("workers catch panics");
        (found.stops, found.disks, found.checks) = (stops, disks, disks.div_ceil(stride));
    });
    let mut found = found.into_inner().expect("workers catch panics");
    found.findings.sort_by_key(|finding| (finding.before, finding.model));
    found
}

/// The disks that some stops leave, with the notes before each: where a program may go on.
pub(crate) fn images(trace: &Trace, models: &[Model], every: usize) -> Vec<(usize, Model, Image, Vec<Note>)> {
    let all_notes: Vec<Note> = trace.records.iter().flat_map(note_of).collect();
    let mut images = Vec::new();
    make_stops(trace, models, every, |stop| {
        images.push((stop.before, stop.model, stop.image, all_notes[..stop.notes].to_vec()));
    });
    images
}

fn note_of(record: &Record) -> Vec<Note> {
    if let Record::Note { text } = record { notes(text) } else { Vec::new() }
}

fn make_stops(trace: &Trace, models: &[Model], every: usize, mut send: impl FnMut(Stop)) -> (usize, usize) {
    let mut disk = trace.found.clone();
    let mut known = HashSet::new();
    let (mut stops, mut checks, mut notes) = (0, 0, 0);
    for before in 0..=trace.records.len() {
        let next = trace.records.get(before);
        if let Some(record @ Record::Note { .. }) = next {
            notes += note_of(record).len();
            continue;
        }
        stops += 1;
        for model in models.iter().filter(|model| **model == Model::Kill || stops % every == 0) {
            let Some(image) = image(&disk, *model, next, before) else { continue };
            if known.insert((image.fingerprint(), notes)) {
                checks += 1;
                send(Stop { image, notes, before, next: describe(next), model: *model });
            }
        }
        if let Some(record) = next {
            disk.apply(record).expect("this trace was replayed once already");
        }
    }
    (stops, checks)
}

fn image(disk: &Disk, model: Model, next: Option<&Record>, before: usize) -> Option<Image> {
    let fixed = |name: bool, data: bool, zeros: bool| {
        disk.after_power_cut(&mut Survivors {
            name: &mut || name,
            data: &mut || data,
            length: &mut || data || zeros,
            longer_with_zeros: zeros,
            names_in_any_order: false,
        })
    };
    Some(match model {
        Model::Kill => disk.after_kill(),
        Model::TornKill => torn(disk.after_kill(), disk, next?)?,
        Model::Least => fixed(false, false, false),
        Model::Names => fixed(true, false, false),
        Model::Data => fixed(false, true, false),
        Model::Zeros => fixed(true, false, true),
        Model::Some(seed) | Model::AnyOrder(seed) => {
            let state = std::cell::Cell::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ before as u64);
            let draw = |of: u64| draw(&state).is_multiple_of(of);
            // A hole in what is otherwise whole deceives more than a loss of half.
            let missing = if draw(2) { 2 } else { 16 };
            disk.after_power_cut(&mut Survivors {
                name: &mut || !draw(3),
                data: &mut || !draw(missing),
                length: &mut || draw(2),
                longer_with_zeros: draw(2),
                names_in_any_order: matches!(model, Model::AnyOrder(_)),
            })
        }
    })
}

/// The disk with half of the next write.
fn torn(mut image: Image, disk: &Disk, next: &Record) -> Option<Image> {
    let Record::Write { inode, offset, data } = next else { return None };
    let path = disk.path_of(*inode)?;
    let contents = image.entries.get_mut(&path)?.as_mut()?;
    std::sync::Arc::make_mut(contents).write(*offset, &data[..data.len() / 2]);
    Some(image)
}

/// SplitMix64.
fn draw(state: &std::cell::Cell<u64>) -> u64 {
    state.set(state.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
    let mut mixed = state.get();
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// An operation in words; data are only counted.
pub(crate) fn describe(record: Option<&Record>) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match record {
        None => "the end".to_owned(),
        Some(Record::Write { inode, offset, data }) => format!("{} bytes to inode {inode} at {offset}", data.len()),
        Some(Record::Create { inode, path }) => format!("inode {inode} made as {}", text(path)),
        Some(Record::MakeFolder { inode, path }) => format!("folder {inode} made as {}", text(path)),
        Some(Record::Rename { from, to }) => format!("rename {} to {}", text(from), text(to)),
        Some(Record::Link { from, to }) => format!("link {} as {}", text(from), text(to)),
        Some(Record::Remove { path }) => format!("remove {}", text(path)),
        Some(other) => format!("{other:?}"),
    }
}

fn work(stops: &Mutex<Receiver<Stop>>, notes: &[Note], check: Check<'_>, found: &Mutex<Findings>) {
    let scratch = Scratch::new();
    let root = scratch.0.join("root");
    loop {
        let next = stops.lock().expect("nothing panics while it is held").recv();
        let Ok(stop) = next else { return };
        stop.image.write(&root).expect("scratch can be written");
        let answer = catch_unwind(AssertUnwindSafe(|| check(&root, &notes[..stop.notes])));
        let complaint = match answer {
            Ok(Ok(())) => continue,
            Ok(Err(complaint)) => complaint,
            Err(panic) => format!("panic: {}", panic_text(panic.as_ref())),
        };
        let Stop { before, next, model, .. } = stop;
        found.lock().expect("nothing panics while it is held").findings.push(Finding {
            before,
            next,
            model,
            complaint,
        });
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words").to_owned()
}
