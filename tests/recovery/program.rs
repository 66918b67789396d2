//! Runs a program above the preloaded library: for a trace of what it does to its disk, or with faults.
//!
//! The program finds the folder it may use in `DISK_ROOT`, and a file for what it promised in `DISK_LEDGER`; every line it
//! writes there in one call becomes a [`Note`], in order with what it does to its disk.
//!
//! What surprises: the library is compiled by the first test that needs it, with the compiler beside cargo. Tests that are
//! asked for by name build no examples, and an old library would pass for a new one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::disk::Disk;
use super::image::Image;
use super::record::Record;

/// A line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note(pub(crate) String);

/// What a program did, from the disk on that it found.
pub(crate) struct Trace {
    pub(crate) found: Disk,
    pub(crate) records: Vec<Record>,
}

/// A folder of its own, in memory where that is possible; gone when dropped.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = place.join(format!("nigh-recovery-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder for scratch can be made");
        Self(path.canonicalize().expect("it was just made"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A program's folder and ledger, and the rules its disk keeps.
pub(crate) struct Stage {
    scratch: Scratch,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let stage = Self { scratch: Scratch::new() };
        fs::create_dir(stage.root()).expect("scratch is empty");
        stage
    }

    /// A stage where something is on the disk already.
    pub(crate) fn with(image: &Image) -> Self {
        let stage = Self::new();
        image.write(&stage.root()).expect("scratch can be written");
        stage
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.scratch.0.join("root")
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.scratch.0.join("ledger")
    }

    /// The lines that are in the ledger by now, whether or not a trace is taken.
    pub(crate) fn notes(&self) -> Vec<Note> {
        notes(&fs::read(self.ledger()).unwrap_or_default())
    }

    /// The rules from now on; see `preloaded/faults.rs` for their words. A running program meets them at its next operation.
    pub(crate) fn set_rules(&self, rules: &str) {
        let (path, new) = (self.scratch.0.join("rules"), self.scratch.0.join("rules.new"));
        fs::write(&new, rules).and_then(|()| fs::rename(&new, &path)).expect("scratch can be written");
    }

    /// Starts a program above the library, with rules and without a trace.
    pub(crate) fn start(&self, mut program: Command) -> Child {
        self.prepare(&mut program).spawn().expect("the program starts")
    }

    fn prepare<'a>(&self, program: &'a mut Command) -> &'a mut Command {
        program.env("LD_PRELOAD", library()).env("DISK_ROOT", self.root());
        program.env("DISK_LEDGER", self.ledger()).env("DISK_RULES", self.scratch.0.join("rules"))
    }

    /// Runs programs one after the other on the same folder, and holds what was traced against the folder they leave.
    pub(crate) fn trace(&self, programs: impl IntoIterator<Item = Command>) -> Trace {
        let path = self.scratch.0.join("trace");
        let found = Disk::read(&self.root()).expect("the root can be read");
        for mut program in programs {
            let ended = self.prepare(&mut program).env("DISK_TRACE", &path).status().expect("the program starts");
            assert!(ended.success(), "{program:?}: {ended}");
        }
        let bytes = fs::read(&path).expect("the library was loaded and wrote a trace");
        let trace = Trace { found, records: decode(&bytes) };
        let mut disk = trace.found.clone();
        for record in &trace.records {
            disk.apply(record).expect("the model has everything that the program does");
        }
        let real = Image::read(&self.root()).expect("the root can be read");
        let unseen = real.first_difference(&disk.after_kill()).map(Path::to_owned);
        assert_eq!(unseen, None, "this reached the disk, and the library did not see it");
        trace
    }
}

fn decode(mut bytes: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    while let Some((record, rest)) = Record::decode(bytes) {
        records.push(record);
        bytes = rest;
    }
    assert_eq!(bytes.len(), 0, "the trace ends in the middle of a record");
    records
}

/// Whole lines of a ledger.
pub(crate) fn notes(text: &[u8]) -> Vec<Note> {
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    String::from_utf8_lossy(&text[..whole]).lines().map(|line| Note(line.to_owned())).collect()
}

/// The preloaded library, compiled where tests may leave files, under a name made of its sources.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recovery");
        let mut library = Image::read(&sources).expect("the sources of the tests are there");
        library.entries.retain(|path, _| path.starts_with("preloaded") || path.ends_with("record.rs"));
        let library = library.fingerprint();
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("libstopping_disk-{library:016x}.so"));
        if !library.exists() {
            compile(&sources.join("preloaded/lib.rs"), &library);
        }
        library
    })
}

fn compile(source: &Path, library: &Path) {
    let beside_cargo = Path::new(env!("CARGO")).with_file_name("rustc");
    let compiler = std::env::var_os("RUSTC").map(PathBuf::from);
    let compiler = compiler.unwrap_or(if beside_cargo.exists() { beside_cargo } else { "rustc".into() });
    // Two test programs may do this at once; each renames what is whole.
    let unfinished = library.with_extension(std::process::id().to_string());
    let ended = Command::new(compiler)
        .args(["--edition", "2024", "--crate-name", "stopping_disk", "--crate-type", "cdylib", "-O"])
        .arg(source)
        .arg("-o")
        .arg(&unfinished)
        .status()
        .expect("the compiler starts");
    assert!(ended.success(), "the preloaded library does not compile");
    fs::rename(&unfinished, library).expect("a finished library can be renamed");
}
