//! Rules that make chosen operations fail. One a line, `action name=value …`:
//!
//! ```text
//! fail kind=sync path=.jnl nth=3 errno=5 times=forever until=/run/mended
//! short kind=write nth=2            half of it is written, and the count says so
//! tear kind=write nth=2             half of it is written, then the process is killed
//! kill kind=any nth=57              killed instead
//! slow kind=sync ms=5000 times=forever
//! budget bytes=100000               writes and allocations in all; then "no space left"
//! farther bytes=64000000 path=.jnl  whoever makes the file longer seems to have written so much more
//! ```
//!
//! `kind` (any), `path` (a part of the path, any), `nth` (1) and `times` (1) have those defaults; a rule with `until`
//! rests once that file exists. Removing a line ends its rule; lines that stay go on counting.
//!
//! What surprises: `any` does not mean reads. A count of operations that changes with what the cache holds would be no
//! count. And `farther` is no fault at all: it makes a program believe that its file is large, and do in a small history
//! what it does to large files.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Position,
    Open,
    Create,
    Write,
    Length,
    Allocate,
    Sync,
    Rename,
    Link,
    Remove,
    MakeFolder,
}

const KINDS: &[(&str, Kind)] = &[
    ("read", Kind::Read),
    ("open", Kind::Open),
    ("create", Kind::Create),
    ("write", Kind::Write),
    ("length", Kind::Length),
    ("allocate", Kind::Allocate),
    ("sync", Kind::Sync),
    ("rename", Kind::Rename),
    ("link", Kind::Link),
    ("remove", Kind::Remove),
    ("mkdir", Kind::MakeFolder),
];

const NO_SPACE_LEFT: i32 = 28;

/// What becomes of one operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    pub(crate) delay: Duration,
    pub(crate) errno: Option<i32>,
    /// How many bytes may be written.
    pub(crate) bytes: usize,
    pub(crate) kill: bool,
    pub(crate) then_kill: bool,
    /// Added to a position.
    pub(crate) farther: i64,
}

impl Verdict {
    pub(crate) fn free(bytes: usize) -> Self {
        Self { delay: Duration::ZERO, errno: None, bytes, kill: false, then_kill: false, farther: 0 }
    }
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Fail(i32),
    Short,
    Tear,
    Kill,
    Slow(Duration),
    Budget(u64),
    Farther(i64),
}

#[derive(Debug)]
struct Rule {
    line: String,
    action: Action,
    kind: Option<Kind>,
    path: String,
    nth: u64,
    times: u64,
    until: Option<PathBuf>,
    /// Operations that it fitted so far, or bytes spent of a budget.
    seen: u64,
}

impl Rule {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        let values: Vec<_> = words.filter_map(|word| word.split_once('=')).collect();
        let value = |name| values.iter().find(|(found, _)| *found == name).map(|(_, value)| *value);
        let number = |name, default: u64| match value(name) {
            None => Some(default),
            Some("forever") => Some(u64::MAX),
            Some(text) => text.parse().ok(),
        };
        let action = match name {
            "fail" => Action::Fail(value("errno")?.parse().ok()?),
            "short" => Action::Short,
            "tear" => Action::Tear,
            "kill" => Action::Kill,
            "slow" => Action::Slow(Duration::from_millis(number("ms", 0)?)),
            "farther" => Action::Farther(value("bytes")?.parse().ok()?),
            "budget" => Action::Budget(value("bytes")?.parse().ok()?),
            _ => return None,
        };
        let kind = match value("kind") {
            None | Some("any") => None,
            Some(name) => Some(KINDS.iter().find(|(found, _)| *found == name)?.1),
        };
        Some(Self {
            line: line.to_owned(),
            action,
            kind,
            path: value("path").unwrap_or("").to_owned(),
            nth: number("nth", 1)?,
            times: number("times", 1)?,
            until: value("until").map(PathBuf::from),
            seen: 0,
        })
    }

    fn fits(&self, kind: Kind, path: &[u8]) -> bool {
        let of_kind = match (self.action, self.kind) {
            (Action::Farther(_), _) => kind == Kind::Position,
            (_, Some(own)) => kind == own,
            (_, None) => kind != Kind::Read && kind != Kind::Position,
        };
        of_kind
            && String::from_utf8_lossy(path).contains(&self.path)
            && !self.until.as_deref().is_some_and(Path::exists)
    }

    fn apply(&mut self, verdict: &mut Verdict, kind: Kind) {
        if let Action::Budget(bytes) = self.action {
            return self.spend(bytes, verdict, kind);
        }
        if let Action::Farther(bytes) = self.action {
            verdict.farther += bytes;
            return;
        }
        self.seen += 1;
        if self.seen < self.nth || self.seen - self.nth >= self.times {
            return;
        }
        match self.action {
            Action::Fail(errno) => verdict.errno = Some(errno),
            Action::Short => verdict.bytes = verdict.bytes.div_ceil(2),
            Action::Tear => (verdict.bytes, verdict.then_kill) = (verdict.bytes.div_ceil(2), true),
            Action::Kill => verdict.kill = true,
            Action::Slow(delay) => verdict.delay += delay,
            Action::Budget(_) | Action::Farther(_) => {}
        }
    }

    /// A write gets what is left, an allocation all or nothing.
    fn spend(&mut self, budget: u64, verdict: &mut Verdict, kind: Kind) {
        let left = usize::try_from(budget.saturating_sub(self.seen)).unwrap_or(usize::MAX);
        let granted = match kind {
            Kind::Write => verdict.bytes.min(left),
            Kind::Allocate if verdict.bytes <= left => verdict.bytes,
            Kind::Allocate => 0,
            _ => return,
        };
        if granted == 0 && verdict.bytes > 0 {
            verdict.errno = Some(NO_SPACE_LEFT);
        } else {
            verdict.bytes = granted;
        }
        self.seen += granted as u64;
    }
}

/// The rules of one file, and the state of that file when they were read.
pub(crate) struct Rules {
    path: PathBuf,
    read: Option<(u64, u64, Option<SystemTime>)>,
    rules: Vec<Rule>,
}

impl Rules {
    pub(crate) fn new(path: Vec<u8>) -> Self {
        Self { path: OsString::from_vec(path).into(), read: None, rules: Vec::new() }
    }

    pub(crate) fn judge(&mut self, kind: Kind, path: &[u8], size: usize) -> Verdict {
        self.read_if_replaced();
        let mut verdict = Verdict::free(size);
        for rule in self.rules.iter_mut().filter(|rule| rule.fits(kind, path)) {
            rule.apply(&mut verdict, kind);
        }
        verdict
    }

    fn read_if_replaced(&mut self) {
        let now = std::fs::metadata(&self.path).ok();
        let now = now.map(|now| (now.ino(), now.len(), now.modified().ok()));
        if now == self.read {
            return;
        }
        self.read = now;
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        let mut old = std::mem::take(&mut self.rules);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let kept = old.iter().position(|rule| rule.line == line).map(|at| old.swap_remove(at));
            let rule = kept.or_else(|| Rule::parse(line));
            self.rules.push(rule.unwrap_or_else(|| panic!("not a rule for the disk: {line}")));
        }
    }
}
