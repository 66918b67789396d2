//! A filter as it is asked: a tree of [`Condition`]s, each of which holds, does not hold, or is unknown.
//!
//! The surprising part: unknown is a third answer, not a no. `NOT population > 5` does not find a place without
//! population, since nobody knows. `None` stands for it everywhere here.

use super::like::Pattern;
use super::properties::{Property, Record};
use super::value::{Comparison, Literal, Value};
use crate::query::budget::bytes;

/// What a condition is about.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) property: Property,
    /// Whether it stood in `CASEI(..)`.
    pub(super) fold_case: bool,
}

impl Subject {
    /// The value of the property; null when there is no budget left to read it.
    fn value<'a>(&self, record: &Record<'a>) -> Value<'a> {
        let value = record.value(&self.property);
        if !self.fold_case {
            return value;
        }
        // Letters are folded one by one: eight times the work of stepping over them.
        let length = if let Value::Text(text) = &value { text.len() } else { 0 };
        if record.budget.spend(length as u64) { value.folded() } else { Value::Null }
    }
}

/// One condition, made of others or about one property.
#[derive(Debug)]
pub(super) enum Condition {
    Constant(Option<bool>),
    Compare(Subject, Comparison, Literal),
    In(Subject, Vec<Literal>),
    Between(Subject, Literal, Literal),
    Like(Subject, Pattern),
    IsNull(Subject),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

impl Condition {
    /// Whether the condition holds for a record; none when that is unknown.
    pub(super) fn holds(&self, record: &Record<'_>) -> Option<bool> {
        match self {
            Condition::Constant(truth) => *truth,
            Condition::Compare(subject, comparison, literal) => compare(&subject.value(record), *comparison, literal),
            Condition::In(subject, literals) => {
                let value = subject.value(record);
                if !record.budget.spend(literals.len() as u64) {
                    return None;
                }
                any(literals.iter().map(|literal| compare(&value, Comparison::Equal, literal)))
            }
            Condition::Between(subject, low, high) => {
                let value = subject.value(record);
                all([compare(&value, Comparison::AtLeast, low), compare(&value, Comparison::AtMost, high)])
            }
            Condition::Like(subject, pattern) => match subject.value(record) {
                Value::Text(text) if record.budget.spend(bytes(text.len()) + pattern.pieces()) => {
                    Some(pattern.matches(&text))
                }
                _ => None,
            },
            Condition::IsNull(subject) => Some(subject.value(record) == Value::Null),
            Condition::Not(inner) => inner.holds(record).map(|truth| !truth),
            Condition::All(parts) => all(parts.iter().map(|part| part.holds(record))),
            Condition::Any(parts) => any(parts.iter().map(|part| part.holds(record))),
        }
    }

    /// The condition turned round, if `negated`.
    pub(super) fn negated_if(self, negated: bool) -> Condition {
        if negated { Condition::Not(Box::new(self)) } else { self }
    }
}

pub(super) fn compare(value: &Value<'_>, comparison: Comparison, literal: &Literal) -> Option<bool> {
    value.compare(literal).map(|order| comparison.accepts(order))
}

/// No as soon as one says no; else unknown if one is; else yes.
fn all(truths: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    any(truths.into_iter().map(|truth| truth.map(|truth| !truth))).map(|truth| !truth)
}

/// Yes as soon as one says yes; else unknown if one is; else no.
fn any(truths: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut answer = Some(false);
    for truth in truths {
        match truth {
            Some(true) => return Some(true),
            Some(false) => {}
            None => answer = None,
        }
    }
    answer
}
