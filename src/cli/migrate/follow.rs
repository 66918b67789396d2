//! Both sides kept in step: all rows carried once, then the changes as they come, and everything compared again where changes were missed.
//!
//! ```text
//! begin to listen ─▶ carry all rows ─▶ changes, changes, … ─▶ in step: nothing that was changed before a moment is left
//!        ▲                                     │
//!        └──── the connection broke ◀──────────┘   listen anew, compare, carry what differs
//! ```
//!
//! What surprises: the order of the first two. What changes while rows are carried is told by the feed, and carried once more.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::compare::{Comparison, Difference, Sight, compare};
use super::progress::Progress;
use super::rejects::Rejects;
use super::source::{Event, Feed, Source, Trouble};
use super::target::Target;
use crate::collection::{Id, Item};

/// How long a source or a service may be away before the migration ends.
const AWAY_MAX: Duration = Duration::from_secs(60);

/// How long one look at the feed waits for something to come.
const LOOK: Duration = Duration::from_millis(200);

/// Ids of changed rows that are remembered while both sides are asked.
const REMEMBERED: usize = 1_000_000;

/// How often Ctrl-C was pressed, or SIGTERM came.
pub(super) static STOPS: AtomicU32 = AtomicU32::new(0);

/// A source and a target, on their way to be equal.
pub(super) struct Following {
    pub(super) source: Box<dyn Source>,
    pub(super) target: Box<dyn Target>,
    pub(super) feed: Option<Box<dyn Feed>>,
    pub(super) rejects: Rejects,
    pub(super) sight: Sight,
    pub(super) progress: Progress,
    pub(super) counts: Counts,
    /// Ids of rows that changed, while somebody wants to know.
    pub(super) changed: Option<HashSet<Id>>,
    /// The stops beyond which everything ends at once.
    pub(super) stops: u32,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub(super) struct Counts {
    /// Rows carried all at once.
    pub(super) loaded: u64,
    /// Rows put and removed since, by changes and by comparisons.
    pub(super) put: u64,
    pub(super) removed: u64,
    /// Changes that the source told.
    pub(super) changes: u64,
    /// Comparisons of both sides.
    pub(super) passes: u64,
    /// How often a connection broke and was made again.
    pub(super) reconnects: u64,
}

impl Following {
    /// Begins to listen and carries all rows.
    pub(super) fn begin(&mut self) -> Result<(), Trouble> {
        self.trying(|following| {
            following.listen()?;
            following.equalise()
        })
    }

    fn listen(&mut self) -> Result<(), Trouble> {
        self.feed = None; // first let go of the one before
        self.feed = self.source.feed()?;
        Ok(())
    }

    /// Does something until it is done, for as long as connections come back.
    pub(super) fn trying<T>(
        &mut self,
        mut work: impl FnMut(&mut Following) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let mut away: Option<Instant> = None;
        loop {
            let reason = match work(self) {
                Err(Trouble::Lost(reason)) => reason,
                done => return done,
            };
            self.counts.reconnects += 1;
            let since = away.get_or_insert_with(Instant::now);
            if since.elapsed() > AWAY_MAX || self.is_stopped() {
                return Err(Trouble::failed(format!("{reason}; run it again with --replace, which goes on from here")));
            }
            self.progress.say(format_args!("{reason}; trying again"));
            sleep((since.elapsed() / 4).clamp(Duration::from_millis(100), Duration::from_secs(5)));
        }
    }

    fn is_stopped(&self) -> bool {
        STOPS.load(Ordering::Relaxed) > self.stops
    }

    fn stop_if_told(&self) -> Result<(), Trouble> {
        if self.is_stopped() {
            return Err(Trouble::failed("stopped before both sides were in step; run it again with --replace"));
        }
        Ok(())
    }

    /// Makes both sides equal, as they are now.
    pub(super) fn equalise(&mut self) -> Result<(), Trouble> {
        if self.target.items()? == 0 {
            return self.load();
        }
        let found = self.compare(true)?;
        let found = match found.is_too_much {
            true => {
                self.load()?;
                self.compare(false)?
            }
            false => found,
        };
        self.carry(found.differing)
    }

    /// Carries all rows of the source.
    fn load(&mut self) -> Result<(), Trouble> {
        self.rejects.restart()?;
        let (stopped, now_ms) = (self.stops, self.sight.now_ms);
        let Following { source, target, rejects, counts, progress, .. } = self;
        counts.loaded = 0;
        target.load(&mut |push| {
            source.scan(&mut |row| {
                if STOPS.load(Ordering::Relaxed) > stopped {
                    return Err(Trouble::failed("stopped before all rows were carried; run it again with --replace"));
                }
                match row {
                    // What has ended already need not be carried.
                    Ok(item) if item.expires_at_ms.is_some_and(|end_ms| end_ms <= now_ms) => {}
                    Ok(item) => {
                        push(&item)?;
                        counts.loaded += 1;
                        progress.rows("carried", counts.loaded);
                    }
                    Err(refused) => rejects.add(&refused)?,
                }
                Ok(())
            })
        })?;
        Ok(self.rejects.flush()?)
    }

    /// Compares both sides.
    pub(super) fn compare(&mut self, give_up: bool) -> Result<Comparison, Trouble> {
        self.stop_if_told()?;
        self.counts.passes += 1;
        self.progress.say(format_args!("comparing both sides"));
        let Following { source, target, rejects, sight, .. } = self;
        let found = compare(&mut **source, &mut **target, rejects, *sight, give_up)?;
        self.rejects.flush()?;
        Ok(found)
    }

    /// Carries rows that differ.
    pub(super) fn carry(&mut self, differing: Vec<Difference>) -> Result<(), Trouble> {
        let (mut puts, mut removes) = (Vec::new(), Vec::new());
        for Difference { id, source, .. } in differing {
            match source {
                Some(item) => puts.push(item),
                None => removes.push(id),
            }
        }
        self.write(puts, removes)
    }

    fn write(&mut self, puts: Vec<Item>, removes: Vec<Id>) -> Result<(), Trouble> {
        if puts.is_empty() && removes.is_empty() {
            return Ok(());
        }
        let (put, removed) = (puts.len() as u64, removes.len() as u64);
        self.target.write(puts, removes)?;
        self.counts.put += put;
        self.counts.removed += removed;
        Ok(())
    }

    /// Applies what the feed has next. Says how many changes that were.
    pub(super) fn pump(&mut self) -> Result<usize, Trouble> {
        let Some(feed) = &mut self.feed else { return Ok(0) };
        let events = match feed.next(LOOK) {
            Ok(events) => events,
            Err(Trouble::Lost(reason)) => {
                self.progress.say(format_args!("{reason}; trying again"));
                self.counts.reconnects += 1;
                self.begin()?;
                return Ok(1);
            }
            Err(failed) => return Err(failed),
        };
        let count = events.len();
        self.counts.changes += count as u64;
        let mut latest = &events[..];
        if let Some(at) = events.iter().rposition(|event| matches!(event, Event::Everything(_))) {
            if let Event::Everything(reason) = &events[at] {
                self.progress.say(format_args!("{reason}"));
            }
            self.trying(Following::equalise)?;
            // What was told before is older than what was just read, and must not be told again.
            latest = &events[at + 1..];
        }
        self.trying(|following| following.apply(latest))?;
        if count > 0 {
            self.progress.rows("changes", self.counts.changes);
        }
        Ok(count)
    }

    fn apply(&mut self, events: &[Event]) -> Result<(), Trouble> {
        let mut latest: HashMap<&Id, &Event> = HashMap::new();
        for event in events {
            let id = match event {
                Event::Put(Item { id, .. }) | Event::Remove(id) | Event::Look(id) => id,
                Event::Refused(id, refused) => {
                    self.rejects.add(refused)?;
                    let Some(id) = id else { continue };
                    id
                }
                Event::Everything(_) => continue,
            };
            latest.insert(id, event);
        }
        if let Some(changed) = self.changed.as_mut().filter(|changed| changed.len() < REMEMBERED) {
            changed.extend(latest.keys().copied().cloned());
        }
        let (mut puts, mut removes, mut looks) = (Vec::new(), Vec::new(), Vec::new());
        for (id, event) in latest {
            match event {
                Event::Put(item) => puts.push(item.clone()),
                Event::Look(id) => looks.push(id.clone()),
                _ => removes.push(id.clone()),
            }
        }
        if !looks.is_empty() {
            let mut found = self.source.find(&looks)?;
            for id in looks {
                match found.remove(&id) {
                    Some(item) => puts.push(item),
                    None => removes.push(id),
                }
            }
        }
        self.write(puts, removes)
    }

    /// Applies changes until everything that was changed before this call is here; gives how long that took.
    pub(super) fn catch_up(&mut self) -> Result<Duration, Trouble> {
        let begun = Instant::now();
        'anew: loop {
            let passes = self.counts.passes;
            let Some(feed) = &mut self.feed else { return Ok(begun.elapsed()) };
            let mark = match feed.mark() {
                Ok(mark) => mark,
                Err(Trouble::Lost(reason)) => {
                    self.progress.say(format_args!("{reason}; trying again"));
                    self.counts.reconnects += 1;
                    self.begin()?;
                    continue 'anew;
                }
                Err(failed) => return Err(failed),
            };
            while self.feed.as_ref().is_some_and(|feed| feed.reached() < mark) {
                self.stop_if_told()?;
                self.pump()?;
                if self.counts.passes != passes {
                    continue 'anew; // marks of the feed before say nothing about the one that is followed now
                }
            }
            return Ok(begun.elapsed());
        }
    }

    /// Looks at certain rows on both sides; gives those that are not the same, after giving changes some time to come.
    pub(super) fn still_differing(&mut self, ids: Vec<Id>) -> Result<Vec<Difference>, Trouble> {
        const LOOKS: u32 = 20;
        let mut left = ids;
        let mut differing = Vec::new();
        for look in 0..LOOKS {
            if left.is_empty() {
                return Ok(Vec::new());
            }
            if look > 0 {
                if self.feed.is_none() {
                    break; // nothing is going to come
                }
                sleep(Duration::from_millis(20 * u64::from(look)));
            }
            self.catch_up()?;
            let (mut theirs, mut ours) = (self.source.find(&left)?, self.target.find(&left)?);
            differing = std::mem::take(&mut left)
                .into_iter()
                .map(|id| Difference { source: theirs.remove(&id), target: ours.remove(&id), id })
                .filter(|one| !self.sight.same(one.source.as_ref(), one.target.as_ref()))
                .collect();
            left = differing.iter().map(|one| one.id.clone()).collect();
        }
        Ok(differing)
    }

    /// Where rejected rows are written, if there are any.
    pub(super) fn rejects_path(&self) -> Option<&Path> {
        self.rejects.path().map(std::path::PathBuf::as_path)
    }
}

/// Counts Ctrl-C and SIGTERM from now on.
pub(super) fn listen_for_stops() {
    use actix_web::rt::{System, signal};
    std::thread::spawn(|| {
        System::new().block_on(async {
            #[cfg(unix)]
            let Ok(mut told) = signal::unix::signal(signal::unix::SignalKind::terminate()) else { return };
            loop {
                #[cfg(unix)]
                {
                    use futures_util::future::{Either, select};
                    let (pressed, told) = (std::pin::pin!(signal::ctrl_c()), std::pin::pin!(told.recv()));
                    if let Either::Left((Err(_), _)) | Either::Right((None, _)) = select(pressed, told).await {
                        return;
                    }
                }
                #[cfg(not(unix))]
                if signal::ctrl_c().await.is_err() {
                    return;
                }
                if STOPS.fetch_add(1, Ordering::Relaxed) >= 2 {
                    std::process::exit(130); // told three times
                }
            }
        });
    });
}
