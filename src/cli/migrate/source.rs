//! What a migration asks of the place that rows come from.
//!
//! What surprises: nobody asks a source for a copy of one moment. Rows are read while they change; every change that came meanwhile is
//! told by the [`Feed`], which was begun before, or found by the next comparison. What counts is that both sides end up equal.
//!
//! # Adding a source
//!
//! One new file that ends in a constant of type [`Kind`]; then two neighbouring lines in `migrate/mod.rs`, its `mod` and its place in
//! the list.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::Serialize;

use super::super::Failure;
use crate::collection::{Id, Item};
use crate::format::Fault;
use crate::geometry::{METRICS, Metric, Point};

/// Opens a source by how it is written.
type Open = fn(&str, &Options) -> Result<Box<dyn Source>, Failure>;

/// A kind of source.
pub(super) struct Kind {
    /// How it is written.
    pub(super) form: &'static str,
    /// Whether a text names one.
    pub(super) names: fn(&str) -> bool,
    pub(super) open: Open,
}

/// What the command line says about a source besides its name.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    pub(super) key: Option<String>,
    pub(super) table: Option<String>,
    pub(super) id: Option<String>,
    pub(super) geometry: Option<String>,
    /// What reads a file, where that is said.
    pub(super) reader: Option<&'static crate::format::Reader>,
    pub(super) read: crate::format::ReadOptions,
    /// From when lifetimes in files count: one moment for the whole migration, so that every reading gives the same rows.
    pub(super) now_ms: i64,
}

/// Why something could not be done.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The connection to the source, or to the service that takes the rows, broke: it may be there again in a moment.
    Lost(String),
    /// It cannot be done.
    Failed(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Failed(failure)
    }
}

impl Trouble {
    pub(super) fn failed(message: impl Into<String>) -> Trouble {
        Trouble::Failed(Failure::Failed(message.into()))
    }

    /// The same for those who do not try again.
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Trouble::Lost(reason) => Failure::Failed(reason),
            Trouble::Failed(failure) => failure,
        }
    }
}

/// A row that cannot be carried.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refused {
    /// Where it stands in the source: a line, or an id as it is there.
    pub(super) place: String,
    pub(super) fault: Fault,
}

/// A row of the source.
pub(super) type Row = Result<Item, Refused>;

/// Takes the rows one by one.
pub(super) type Each<'a> = &'a mut dyn FnMut(Row) -> Result<(), Trouble>;

/// A place that rows come from.
pub(super) trait Source {
    /// Looks at it, and changes nothing.
    fn facts(&mut self) -> Result<Facts, Trouble>;

    /// Reads all rows. A row that was there all the time is read; one that came, went or changed meanwhile may be read as it was or as
    /// it is. A row may come twice.
    fn scan(&mut self, each: Each<'_>) -> Result<(), Trouble>;

    /// The rows with certain ids, as they are now. Rows that cannot be carried are not there.
    fn find(&mut self, ids: &[Id]) -> Result<HashMap<Id, Item>, Trouble> {
        let wanted: HashSet<&Id> = ids.iter().collect();
        let mut found = HashMap::new();
        self.scan(&mut |row| {
            if let Some(item) = row.ok().filter(|item| wanted.contains(&item.id)) {
                found.insert(item.id.clone(), item);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Begins to listen to changes; `None` where the source does not tell them.
    fn feed(&mut self) -> Result<Option<Box<dyn Feed>>, Trouble> {
        Ok(None)
    }

    /// How the source measures what it is asked.
    fn measure(&self, _question: &Question) -> Measure {
        Measure { metric: METRICS[0], scale: 1.0 }
    }

    /// The ids that answer a question; `None` where the source answers none, and is read instead.
    fn ask(&mut self, _question: &Question) -> Result<Option<Vec<String>>, Trouble> {
        Ok(None)
    }
}

/// How distances of a source compare with ours: its metres are ours by a metric, times a scale.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    pub(super) metric: &'static dyn Metric,
    pub(super) scale: f64,
}

impl Measure {
    /// A sphere of another radius.
    pub(super) fn sphere(radius_m: f64) -> Measure {
        Measure { metric: METRICS[0], scale: radius_m / crate::geometry::metric::EARTH_RADIUS_M }
    }

    /// The metres of the source between two places.
    pub(super) fn metres(self, from: Point, to: Point) -> f64 {
        self.metric.distance_m(&from.unit(), &to.unit()) * self.scale
    }
}

/// A question that both sides are asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Question {
    pub(super) centre: Point,
    pub(super) wanted: Wanted,
}

/// What is wanted round a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Wanted {
    /// All within so many metres, as the source measures them.
    Within(f64),
    /// So many of the nearest.
    Nearest(usize),
}

/// Changes of a source, in order.
pub(super) trait Feed {
    /// What came since the last call; waits a while for something to come.
    fn next(&mut self, patience: Duration) -> Result<Vec<Event>, Trouble>;

    /// A mark of the present: when [`reached`](Feed::reached) is there, everything that was changed before was handed out.
    fn mark(&mut self) -> Result<u64, Trouble>;

    /// How far the changes go that were handed out.
    fn reached(&self) -> u64;
}

/// What happened in a source.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    /// A row is there, like this.
    Put(Item),
    /// A row is gone.
    Remove(Id),
    /// Something happened to a row, and the source has to be asked what.
    Look(Id),
    /// Something happened to a row that cannot be carried; what is here under that id goes.
    Refused(Option<Id>, Refused),
    /// Something happened to many rows, or was missed: both sides have to be compared.
    Everything(String),
}

/// What a look at a source found.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Facts {
    /// What it is, in words.
    pub(super) source: String,
    /// How many rows it says it has, where it is cheap to say.
    pub(super) rows: Option<u64>,
    /// What becomes of positions.
    pub(super) positions: String,
    /// Whether changes can be followed while they are made.
    pub(super) live: bool,
    /// How, or what it would need.
    pub(super) live_how: String,
    /// What is worth knowing.
    pub(super) notes: Vec<String>,
    /// What stands in the way.
    pub(super) obstacles: Vec<String>,
}
