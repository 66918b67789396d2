//! Pages asked for while the collection goes on changing: what stays put is never skipped and never repeated.

use std::collections::HashMap;
use std::sync::Arc;

use nigh::collection::Snapshot;
use nigh::generate::Random;
use nigh::index::KINDS;
use nigh::query::Query;

use crate::asking::{WHOLE, limit, through_text};
use crate::check::{Checked, comes_before, demand, key};
use crate::earth::Verdict;
use crate::model::Model;
use crate::questions::Question;

/// A reader half-way through the pages of an answer.
#[derive(Debug)]
pub(super) struct Walk {
    question: Question,
    query: Query,
    began: Model,
    seen: Vec<(Option<f64>, String)>,
    ended: bool,
}

impl Walk {
    /// Begins to read, in about five pages.
    pub(super) fn new(question: Question, began: &Model) -> Walk {
        let matches = began.items.iter().filter(|(id, stored)| question.holds(id, stored) != Verdict::Out).count();
        let query = question.query().in_pages_of(limit((matches / 5 + 1).min(WHOLE)));
        Walk { question, query, began: began.clone(), seen: Vec::new(), ended: false }
    }

    /// Reads a page of a later moment. At the end it holds what was read against what stayed put.
    pub(super) fn read_on(&mut self, snapshot: &Arc<Snapshot>, now: &Model, random: &mut Random) -> Checked {
        self.query.kind = random.once_in(2).then(|| &KINDS[random.below(KINDS.len() as u64) as usize]);
        let page = self.query.run(snapshot).map_err(|refusal| format!("refused: {refusal}"))?;
        for hit in page.hits() {
            if let Some((distance_m, id)) = self.seen.last() {
                let (last, this) = ((*distance_m, id.as_str()), key(&hit));
                demand!(comes_before(&self.question, last, this), "{this:?} after {last:?}");
            }
            self.seen.push((hit.distance_m, hit.item.id().to_owned()));
        }
        match page.next.as_ref() {
            Some(next) => self.query.cursor = Some(through_text(next)?),
            None => {
                self.ended = true;
                self.what_stayed_was_seen_once(now)?;
            }
        }
        Ok(())
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    fn what_stayed_was_seen_once(&self, now: &Model) -> Checked {
        let mut times: HashMap<&str, u64> = HashMap::new();
        self.seen.iter().for_each(|(_, id)| *times.entry(id).or_default() += 1);
        if let Some(k) = self.question.k() {
            demand!(self.seen.len() <= k, "{} of {k} nearest", self.seen.len());
        }
        for (id, stored) in &self.began.items {
            if now.items.get(id).is_none_or(|later| later.put_seq != stored.put_seq) {
                continue;
            }
            let seen = times.get(id.as_str()).copied().unwrap_or(0);
            let least = u64::from(self.question.k().is_none());
            let expected = match self.question.holds(id, stored) {
                Verdict::In => least..=1,
                Verdict::Out => 0..=0,
                Verdict::Unsure => 0..=1,
            };
            demand!(expected.contains(&seen), "{id} stayed put at {stored:?} and was seen {seen} times");
        }
        Ok(())
    }
}
