//! Holds one whole answer against the map.
//!
//! Twice: against the textbook, with a band for rounding (whatever is surely inside is there, nothing that is surely
//! outside, distances right and in order); and against the definition, without any band (the metric's own distance of
//! every item, sorted by (distance, id), to the bit).

use std::collections::HashMap;

use nigh::query::AnswerHit;

use crate::earth::Verdict;
use crate::model::{Model, Stored};
use crate::questions::{Near, Question};

/// So many distances of an answer are held against the textbook one by one; of longer answers some.
const DISTANCES: usize = 250;

/// What is wrong with an answer, in words.
pub(super) type Checked = Result<(), String>;

macro_rules! demand {
    ($holds:expr, $($words:tt)+) => { if !$holds { return Err(format!($($words)+)); } };
}
pub(super) use demand;

/// Checks the hits of all pages together.
pub(super) fn check(question: &Question, model: &Model, hits: &[AnswerHit<'_>], matched: u64) -> Checked {
    demand!(matched == hits.len() as u64, "{matched} matched, {} on all pages", hits.len());
    hits_are_items(model, hits)?;
    hits_are_in_order(question, hits)?;
    let flat: Vec<Verdict> = model.items.iter().map(|(id, stored)| question.holds_flat(id, stored)).collect();
    hits_are_the_right_ones(question, model, &flat, hits)?;
    if let Some(near) = &question.near {
        distances_are_right(near, model, hits)?;
        hits_are_the_definition(near, model, &flat, hits)?;
    }
    Ok(())
}

fn hits_are_items(model: &Model, hits: &[AnswerHit<'_>]) -> Checked {
    for hit in hits {
        let stored = model.items.get(hit.item.id());
        demand!(stored.is_some_and(|stored| stored.is(&hit.item)), "{:?} should be {stored:?}", hit.item);
    }
    Ok(())
}

/// Strictly in order, so no item is there twice.
fn hits_are_in_order(question: &Question, hits: &[AnswerHit<'_>]) -> Checked {
    for pair in hits.windows(2) {
        demand!(comes_before(question, key(&pair[0]), key(&pair[1])), "{:?} comes before {:?}", pair[0], pair[1]);
    }
    Ok(())
}

/// What orders a hit.
pub(super) fn key<'a>(hit: &AnswerHit<'a>) -> (Option<f64>, &'a str) {
    (hit.distance_m, hit.item.id())
}

/// Whether one hit stands before another.
pub(super) fn comes_before(question: &Question, a: (Option<f64>, &str), b: (Option<f64>, &str)) -> bool {
    let by_id = a.1.as_bytes() < b.1.as_bytes();
    match (question.near.is_some(), a.0, b.0) {
        (true, Some(a), Some(b)) => a < b || (a == b && by_id),
        (false, None, None) => by_id,
        _ => false,
    }
}

fn hits_are_the_right_ones(question: &Question, model: &Model, flat: &[Verdict], hits: &[AnswerHit<'_>]) -> Checked {
    let found: HashMap<&str, f64> = hits.iter().map(|hit| (hit.item.id(), hit.distance_m.unwrap_or(0.0))).collect();
    let full = question.k().is_some_and(|k| hits.len() == k);
    let farthest_m = hits.last().and_then(|hit| hit.distance_m).filter(|_| full);
    let (mut sure, mut possible) = (0, 0);
    for ((id, stored), flat) in model.items.iter().zip(flat) {
        let verdict = flat.and(|| question.holds_round(stored));
        sure += usize::from(verdict == Verdict::In);
        possible += usize::from(verdict != Verdict::Out);
        let is_found = found.contains_key(id.as_str());
        demand!(!(is_found && verdict == Verdict::Out), "{id} {stored:?} is outside, and found");
        if verdict == Verdict::In && !is_found {
            let beyond = farthest_m.is_some_and(|farthest_m| is_beyond(question, stored, farthest_m));
            demand!(beyond, "{id} {stored:?} is inside, and missing");
        }
    }
    let most = question.k().unwrap_or(usize::MAX);
    let range = sure.min(most)..=possible.min(most);
    demand!(range.contains(&hits.len()), "{} found, {range:?} expected", hits.len());
    Ok(())
}

/// Whether an item may be left out because the number wanted is reached before it.
fn is_beyond(question: &Question, stored: &Stored, farthest_m: f64) -> bool {
    let Some(near) = &question.near else { return false };
    let (measure, from) = (near.measure(), near.place());
    measure.at_least_m(&from, &stored.place) >= farthest_m
        || measure.distance_m(&from, &stored.place) + 2.0 * measure.tolerance_m >= farthest_m
}

fn distances_are_right(near: &Near, model: &Model, hits: &[AnswerHit<'_>]) -> Checked {
    let (measure, from) = (near.measure(), near.place());
    for hit in hits.iter().step_by(hits.len() / DISTANCES + 1) {
        let expected_m = measure.distance_m(&from, &model.items[hit.item.id()].place);
        let found_m = hit.distance_m.unwrap_or(f64::NAN);
        let right = (found_m - expected_m).abs() <= measure.tolerance_m && found_m.to_bits() <= f64::MAX.to_bits();
        demand!(right, "{} is at {expected_m} m, not {found_m} m", hit.item.id());
    }
    Ok(())
}

/// What the answer is by definition: every item's own distance, by the metric's scalar function, sorted.
fn hits_are_the_definition(near: &Near, model: &Model, flat: &[Verdict], hits: &[AnswerHit<'_>]) -> Checked {
    let (centre, from, measure) = (near.centre.unit(), near.place(), near.measure());
    let found: HashMap<&str, ()> = hits.iter().map(|hit| (hit.item.id(), ())).collect();
    let radius_m = near.radius_m.unwrap_or(f64::INFINITY);
    let farthest_m = hits.last().and_then(|hit| hit.distance_m).filter(|_| near.k == Some(hits.len()));
    let horizon_m = radius_m.min(farthest_m.unwrap_or(f64::INFINITY));
    let mut expected: Vec<(u64, &str)> = Vec::new();
    for ((id, stored), flat) in model.items.iter().zip(flat) {
        let there = match flat {
            Verdict::In => true,
            Verdict::Out => false,
            Verdict::Unsure => found.contains_key(id.as_str()),
        };
        if there && measure.at_least_m(&from, &stored.place) <= horizon_m {
            let distance_m = near.metric.distance_m(&centre, &stored.unit);
            if distance_m <= radius_m {
                expected.push((distance_m.to_bits(), id));
            }
        }
    }
    expected.sort_unstable();
    expected.truncate(near.k.unwrap_or(usize::MAX));
    let found = hits.iter().map(|hit| (hit.distance_m.unwrap_or(f64::NAN).to_bits(), hit.item.id()));
    let differs = found.clone().zip(&expected).find(|(found, expected)| found != *expected);
    demand!(differs.is_none(), "by definition {differs:?}");
    demand!(expected.len() == hits.len(), "by definition {} hits, not {}", expected.len(), hits.len());
    Ok(())
}
