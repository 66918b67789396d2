//! Who listens: comes, hears some of what there is, and is gone in the middle of it.

use std::collections::BTreeSet;

use nigh::engine::{ChangeEvent, Engine, FenceEvent, Sighting};
use nigh::generate::Random;
use nigh::query::{Crossing, Fence};

use super::vans;

/// What a listener heard of a fence.
#[derive(Debug)]
pub(super) enum Heard {
    /// What it knew is void; where it would have resumed.
    Reset(Option<u64>),
    /// Who was inside after a change.
    List(u64, BTreeSet<String>),
    Crossed(u64, String, Crossing),
}

/// Somebody at a fence, who remembers a number between two connections and nothing else.
pub(super) struct Listener {
    pub(super) fence_number: usize,
    pub(super) heard: Vec<Heard>,
    fence: Fence,
    random: Random,
    resume: Option<u64>,
    /// The list that is being told.
    list: Option<BTreeSet<String>>,
}

impl Listener {
    pub(super) fn new(seed: u64, fence_number: usize, fence: Fence, since: Option<u64>) -> Listener {
        Listener { fence_number, heard: Vec::new(), fence, random: Random::seeded(seed), resume: since, list: None }
    }

    pub(super) fn resume(&self) -> Option<u64> {
        self.resume
    }

    /// One connection.
    pub(super) fn listen(&mut self, engine: &Engine) {
        let mut watcher = engine.watch(&vans(), self.fence.clone(), self.resume).unwrap();
        self.list = None;
        for _ in 0..self.random.below(8) {
            let most = 1 + self.random.below(400) as usize;
            let events = watcher.next(most).unwrap();
            let told = events.len();
            let taken = if self.random.once_in(4) { self.random.below(told as u64 + 1) as usize } else { told };
            events.into_iter().take(taken).for_each(|event| self.take(event));
            if taken < told {
                return; // gone before the rest arrived
            }
            self.resume = watcher.resume(); // what concerned nobody is not told, but counts
        }
    }

    fn take(&mut self, FenceEvent { resume, what }: FenceEvent) {
        let id = |item: &nigh::collection::Item| item.id.as_str().to_owned();
        match what {
            Sighting::Reset => {
                self.list = Some(BTreeSet::new());
                self.heard.push(Heard::Reset(resume));
            }
            Sighting::Inside(item) if self.list.is_some() => {
                let new = self.list.as_mut().unwrap().insert(id(&item));
                assert!(new, "{} is listed twice", item.id);
            }
            Sighting::Current => {
                let list = self.list.take().expect("a list ends that began");
                self.heard.push(Heard::List(resume.unwrap(), list));
            }
            Sighting::Inside(item) => self.heard.push(Heard::Crossed(resume.unwrap(), id(&item), Crossing::Inside)),
            Sighting::Enter(item) => self.heard.push(Heard::Crossed(resume.unwrap(), id(&item), Crossing::Enter)),
            Sighting::Exit { id: gone, item } => {
                assert!(item.is_none_or(|item| item.id == gone));
                self.heard.push(Heard::Crossed(resume.unwrap(), gone.as_str().to_owned(), Crossing::Exit));
            }
        }
        self.resume = resume;
    }
}

/// Somebody who hears everything.
pub(super) struct Reader {
    pub(super) events: Vec<ChangeEvent>,
    random: Random,
}

impl Reader {
    pub(super) fn new(seed: u64) -> Reader {
        Reader { events: Vec::new(), random: Random::seeded(seed) }
    }

    pub(super) fn seq(&self) -> u64 {
        self.events.last().map_or(0, |last| last.seq)
    }

    /// One connection.
    pub(super) fn listen(&mut self, engine: &Engine) {
        let mut follower = engine.follow(&vans(), self.seq()).unwrap();
        for _ in 0..self.random.below(8) {
            let mut events = follower.next(1 + self.random.below(400) as usize).unwrap();
            assert_eq!(follower.seq(), events.last().map_or(follower.seq(), |last| last.seq));
            let told = events.len();
            if self.random.once_in(4) {
                events.truncate(self.random.below(told as u64 + 1) as usize);
            }
            let all = events.len() == told;
            self.events.extend(events);
            if !all {
                return;
            }
        }
    }
}
