//! Whether both sides are the same: every row, and the answers to questions.
//!
//! ```text
//! counts and checksums of all rows     what differs is looked at again, after the changes that came meanwhile
//! radius and nearest, both sides       an id that only one side names is judged by the distance of its row
//! ```
//!
//! What surprises: a disputed answer does not make a difference by itself. Both sides hold the same position, so a distance decides: within
//! a millimetre of the edge either may be right; beyond that it is told who was wrong, and only our being wrong is a difference.

use std::collections::HashSet;

use serde::Serialize;

use super::compare::{Difference, Total};
use super::follow::Following;
use super::source::{Measure, Question, Source, Trouble, Wanted};
use crate::collection::{Id, Item};
use crate::generate::Random;
use crate::geometry::Point;

/// How near the edge of a question an answer may be left out or not, beside a billionth of the distance.
const EDGE_M: f64 = 1e-3;

/// The nearest that are asked for, at most.
const NEAREST_MAX: u64 = 50;

/// Rows that differ and are shown.
const SHOWN: usize = 10;

/// What a validation found.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Validation {
    pub(super) source: Side,
    pub(super) target: Side,
    /// Rows that are not the same.
    pub(super) differing: u64,
    pub(super) examples: Vec<String>,
    pub(super) questions: Questions,
    /// Changes of the source while this went on.
    pub(super) changed_meanwhile: u64,
}

/// What one side comes to.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Side {
    pub(super) items: u64,
    pub(super) checksum: String,
}

/// What became of the questions.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Questions {
    pub(super) asked: u64,
    pub(super) alike: u64,
    /// Answers that only one side gave, at the very edge.
    pub(super) at_the_edge: u64,
    /// Answers that the source gave or left out against its own distances.
    pub(super) source_inexact: u64,
    /// Answers about rows that changed meanwhile.
    pub(super) changed: u64,
    /// Answers that are wrong here.
    pub(super) wrong: u64,
}

impl Validation {
    /// Whether something is not the same.
    pub(super) fn found_a_difference(&self) -> bool {
        self.differing > 0 || self.questions.wrong > 0
    }
}

impl From<Total> for Side {
    fn from(total: Total) -> Side {
        Side { items: total.items, checksum: format!("{:016x}", total.checksum) }
    }
}

/// Compares both sides, with so many questions.
pub(super) fn validate(following: &mut Following, questions: u64) -> Result<Validation, Trouble> {
    following.catch_up()?;
    let changes = following.counts.changes;
    following.changed = Some(HashSet::new());
    let found = following.trying(|following| following.compare(false))?;
    let mut validation =
        Validation { source: found.source.into(), target: found.target.into(), ..Validation::default() };
    let ids = found.differing.into_iter().map(|one| one.id).collect::<Vec<Id>>();
    let differing = following.trying(|following| following.still_differing(ids.clone()))?;
    validation.differing = differing.len() as u64;
    validation.examples = differing.iter().take(SHOWN).map(in_words).collect();
    following.progress.say(format_args!("asking both sides"));
    validation.questions = ask_both(following, &found.places, questions, &mut validation.examples)?;
    following.catch_up()?;
    following.changed = None;
    validation.changed_meanwhile = following.counts.changes - changes;
    Ok(validation)
}

fn in_words(one: &Difference) -> String {
    let side = |item: &Option<Item>| match item {
        None => "absent".to_owned(),
        Some(item) => {
            let (lat, lon) = (item.point.lat_deg(), item.point.lon_deg());
            let properties: String = item.properties.as_json().chars().take(60).collect();
            format!("{lat},{lon} {properties}")
        }
    };
    format!("{}: {} in the source, {} here", one.id, side(&one.source), side(&one.target))
}

fn ask_both(
    following: &mut Following,
    places: &[Point],
    count: u64,
    examples: &mut Vec<String>,
) -> Result<Questions, Trouble> {
    let mut tally = Questions::default();
    if places.is_empty() {
        return Ok(tally);
    }
    let mut random = Random::seeded(u64::from_be_bytes(*b"migrated"));
    let mut unanswered = Vec::new();
    for number in 0..count {
        let question = following.trying(|following| draw(following, places, number, &mut random))?;
        let answered = following.trying(|following| {
            following.catch_up()?;
            let theirs = following.source.ask(&question)?;
            let measure = following.source.measure(&question);
            Ok((theirs, measure, following.target.ask(&question, measure)?))
        })?;
        match answered {
            (Some(theirs), measure, ours) => {
                judge(following, &question, measure, (theirs, ours), &mut tally, examples)?;
            }
            (None, _, _) => unanswered.push(question),
        }
    }
    if unanswered.is_empty() {
        return Ok(tally);
    }
    // A source that answers nothing is read once, for all questions.
    let measure = Measure::sphere(crate::geometry::metric::EARTH_RADIUS_M);
    let answers = following.trying(|following| by_reading(&mut *following.source, &unanswered, measure))?;
    for (question, theirs) in unanswered.into_iter().zip(answers) {
        let ours = following.trying(|following| following.target.ask(&question, measure))?;
        judge(following, &question, measure, (theirs, ours), &mut tally, examples)?;
    }
    Ok(tally)
}

/// A question round one of the places. How far is drawn by how many are near, so that crowded places do not answer with everything.
fn draw(following: &mut Following, places: &[Point], number: u64, random: &mut Random) -> Result<Question, Trouble> {
    let place = places[random.below(places.len() as u64) as usize];
    let aside = |deg: f64, most: f64| (deg + random_step(number)).clamp(-most, most);
    let centre = Point::new(aside(place.lat_deg(), 90.0), aside(place.lon_deg(), 180.0)).expect("clamped");
    let nearest = 1 + random.below(NEAREST_MAX) as usize;
    let wanted = Wanted::Nearest(nearest);
    let question = Question { centre, wanted };
    if number.is_multiple_of(2) {
        return Ok(question);
    }
    let measure = following.source.measure(&Question { centre, wanted: Wanted::Within(0.0) });
    let ids = following.target.ask(&question, measure)?;
    let last = ids.last().and_then(|id| Id::new(&**id).ok());
    let found = following.target.find(last.as_slice())?;
    let far = found.values().next().map_or(1000.0, |item| measure.metres(centre, item.point));
    let metres = (far * random.between(0.9, 1.1)).max(1.0);
    Ok(Question { centre, wanted: Wanted::Within(metres) })
}

/// Every third centre is a little beside the place, so that not all are rows themselves.
fn random_step(number: u64) -> f64 {
    if number.is_multiple_of(3) { 0.0 } else { 1e-3 * (number % 7) as f64 }
}

/// The answers of a source that is only read: each row is measured.
fn by_reading(source: &mut dyn Source, questions: &[Question], measure: Measure) -> Result<Vec<Vec<String>>, Trouble> {
    let mut near: Vec<Vec<(f64, String)>> = vec![Vec::new(); questions.len()];
    let sort = |near: &mut Vec<(f64, String)>| {
        near.sort_by(|one, other| one.0.total_cmp(&other.0).then_with(|| one.1.cmp(&other.1)));
        near.dedup_by(|one, other| one.1 == other.1);
    };
    source.scan(&mut |row| {
        let Ok(item) = row else { return Ok(()) };
        for (question, near) in questions.iter().zip(&mut near) {
            let metres = measure.metres(question.centre, item.point);
            match question.wanted {
                Wanted::Within(radius) if metres > radius => {}
                Wanted::Within(_) => near.push((metres, item.id.as_str().to_owned())),
                Wanted::Nearest(k) => {
                    near.push((metres, item.id.as_str().to_owned()));
                    if near.len() >= 4 * k + 64 {
                        sort(near);
                        near.truncate(k);
                    }
                }
            }
        }
        Ok(())
    })?;
    let ids = |(question, mut near): (&Question, Vec<(f64, String)>)| {
        sort(&mut near);
        if let Wanted::Nearest(k) = question.wanted {
            near.truncate(k);
        }
        near.into_iter().map(|(_, id)| id).collect()
    };
    Ok(questions.iter().zip(near).map(ids).collect())
}

/// Holds two answers against each other.
fn judge(
    following: &mut Following,
    question: &Question,
    measure: Measure,
    (theirs, ours): (Vec<String>, Vec<String>),
    tally: &mut Questions,
    examples: &mut Vec<String>,
) -> Result<(), Trouble> {
    tally.asked += 1;
    let (theirs, ours): (HashSet<String>, Vec<String>) = (theirs.into_iter().collect(), ours);
    let ours_set: HashSet<&String> = ours.iter().collect();
    let disputed: Vec<Id> = theirs
        .iter()
        .filter(|id| !ours_set.contains(id))
        .chain(ours.iter().filter(|id| !theirs.contains(*id)))
        .filter_map(|id| Id::new(&**id).ok())
        .collect();
    if disputed.is_empty() {
        tally.alike += 1;
        return Ok(());
    }
    let last: Option<Id> = ours.last().and_then(|id| Id::new(&**id).ok());
    let found = following.trying(|following| {
        following.catch_up()?;
        let asked: Vec<Id> = disputed.iter().chain(&last).cloned().collect();
        Ok((following.source.find(&disputed)?, following.target.find(&asked)?))
    })?;
    let edge = match question.wanted {
        Wanted::Within(metres) => metres,
        Wanted::Nearest(k) if ours.len() < k => f64::INFINITY,
        Wanted::Nearest(_) => {
            last.and_then(|id| found.1.get(&id)).map_or(0.0, |item| measure.metres(question.centre, item.point))
        }
    };
    let changed = |id: &Id| following.changed.as_ref().is_some_and(|changed| changed.contains(id));
    let mut wrong = 0;
    for id in &disputed {
        let (Some(theirs), Some(item)) = (found.0.get(id), found.1.get(id)) else {
            // A row that is on neither side, or that came or went, was answered from another moment, or cannot be carried.
            tally.changed += 1;
            continue;
        };
        let metres = measure.metres(question.centre, item.point);
        let is_ours = ours_set.contains(&id.as_str().to_owned());
        match () {
            () if changed(id) || theirs.point != item.point => tally.changed += 1,
            () if (metres - edge).abs() <= EDGE_M + edge * 1e-9 => tally.at_the_edge += 1,
            () if (metres < edge) == is_ours => tally.source_inexact += 1,
            () => {
                wrong += 1;
                if examples.len() < SHOWN {
                    let (lat, lon) = (question.centre.lat_deg(), question.centre.lon_deg());
                    examples
                        .push(format!("{id}: {metres} m from {lat},{lon}, {:?}, answered otherwise", question.wanted));
                }
            }
        }
    }
    tally.wrong += wrong;
    if wrong == 0 {
        tally.alike += 1;
    }
    Ok(())
}
