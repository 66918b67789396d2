//! The one door that every operation on the watched folder goes through: ask the rules, do it, write it down.
//!
//! What surprises: while a trace is taken, one lock is held from before the operation until it is written down. Without it two
//! threads could finish in one order and be written down in the other, and a rebuilt disk would show what never was. Reads
//! and delays stay outside that lock.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::faults::{Kind, Rules, Verdict};
use crate::names;
use crate::real;
use crate::record::Record;

pub(crate) struct Door {
    root: Vec<u8>,
    ledger: Option<Vec<u8>>,
    trace: Option<Mutex<Trace>>,
    rules: Option<Mutex<Rules>>,
}

/// Where a path leads, as far as this library cares.
pub(crate) enum Place {
    Outside,
    Ledger,
    /// The path below the root.
    Inside(Vec<u8>),
}

static DOOR: OnceLock<Option<Door>> = OnceLock::new();

/// The door, if the environment asks for one.
pub(crate) fn door() -> Option<&'static Door> {
    DOOR.get_or_init(Door::from_environment).as_ref()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Door {
    fn from_environment() -> Option<Self> {
        let path =
            |name| std::env::var_os(name).and_then(|value: OsString| names::absolute(names::HERE, &value.into_vec()));
        let trace = path("DISK_TRACE").map(|path| Mutex::new(Trace { path, file: None }));
        let rules = path("DISK_RULES").map(|path| Mutex::new(Rules::new(path)));
        Some(Self { root: path("DISK_ROOT")?, ledger: path("DISK_LEDGER"), trace, rules })
    }

    pub(crate) fn place(&self, folder: i32, path: &[u8]) -> Place {
        let Some(whole) = names::absolute(folder, path) else { return Place::Outside };
        if self.ledger.as_ref() == Some(&whole) {
            return Place::Ledger;
        }
        names::below(&self.root, &whole).map_or(Place::Outside, |below| Place::Inside(below.to_vec()))
    }

    pub(crate) fn inode(&self, below: &[u8]) -> Option<u64> {
        names::inode(&[&self.root, b"/".as_slice(), below].concat())
    }

    pub(crate) fn takes_trace(&self) -> bool {
        self.trace.is_some()
    }

    /// Lets one operation through. `operate` gets the number of bytes it may write, and adds what it did to the records.
    pub(crate) fn pass(
        &self,
        kind: Kind,
        path: &[u8],
        size: usize,
        operate: impl FnOnce(usize, &mut Vec<Record>) -> isize,
    ) -> isize {
        let verdict = self.judge(kind, path, size);
        if let Some(errno) = verdict.errno {
            real::set_errno(errno);
            return -1;
        }
        let order = self.trace.as_ref().map(locked);
        let mut records = Vec::new();
        let done = operate(verdict.bytes, &mut records);
        if let Some(mut trace) = order
            && done >= 0
        {
            trace.write(&records);
        }
        if verdict.then_kill {
            real::kill_self();
        }
        done
    }

    /// What the rules say; waits and dies here if they say so.
    pub(crate) fn judge(&self, kind: Kind, path: &[u8], size: usize) -> Verdict {
        let Some(rules) = &self.rules else { return Verdict::free(size) };
        let verdict = locked(rules).judge(kind, path, size);
        if !verdict.delay.is_zero() {
            std::thread::sleep(verdict.delay);
        }
        if verdict.kill {
            real::kill_self();
        }
        verdict
    }

    /// Writes something into the trace that is no operation on the root.
    pub(crate) fn mention(&self, record: Record) {
        if let Some(trace) = &self.trace {
            locked(trace).write(&[record]);
        }
    }
}

/// The trace file. It is opened when it is first written to: opening comes through the door, which must stand by then.
struct Trace {
    path: Vec<u8>,
    file: Option<File>,
}

impl Trace {
    fn write(&mut self, records: &[Record]) {
        let file = self.file.get_or_insert_with(|| {
            let path = OsString::from_vec(self.path.clone());
            File::options().append(true).create(true).open(path).expect("the trace can be opened")
        });
        let mut bytes = Vec::new();
        for record in records {
            record.encode(&mut bytes);
        }
        file.write_all(&bytes).expect("the trace can be written");
    }
}
