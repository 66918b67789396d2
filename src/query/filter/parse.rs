//! From tokens to [`Condition`]s, by recursive descent: one function for each line of the grammar.
//!
//! ```text
//! any       = all { OR all }
//! all       = negation { AND negation }
//! negation  = { NOT } ( '(' any ')' | predicate )
//! predicate = subject comparison value | value comparison subject | value comparison value | TRUE | FALSE
//!           | subject [NOT] IN '(' value { ',' value } ')' | subject [NOT] BETWEEN value AND value
//!           | subject [NOT] LIKE value | subject IS [NOT] NULL
//! subject   = name | CASEI '(' name ')'
//! value     = 'text' | number | TRUE | FALSE | CASEI '(' 'text' ')'
//! ```
//!
//! The surprising part: two properties cannot be compared, though CQL2 has an optional class for it. `city = Paris` and
//! `city = "Paris"` would be such comparisons, and silently find nothing; they are mistakes far more often than wishes.

use super::condition::{Condition, Subject, compare};
use super::error::{FilterError, position};
use super::like::Pattern;
use super::properties::{Names, Property};
use super::token::{Placed, Token, tokens};
use super::value::{Comparison, Literal};
use super::{MAX_DEPTH, MAX_FILTER_BYTES, MAX_PROPERTIES};

const KEYWORDS: [&str; 10] = ["AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "IS", "NULL", "TRUE", "FALSE"];

/// Reads a filter: its condition, and the properties it speaks of.
pub(super) fn parse(text: &str) -> Result<(Condition, Names), FilterError> {
    if text.len() > MAX_FILTER_BYTES {
        return Err(FilterError::TooLong { bytes: text.len() });
    }
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0, names: Names::default() };
    let condition = parser.any()?;
    if parser.token() != &Token::End {
        return parser.refuse("AND, OR or the end of the filter would be right here");
    }
    Ok((condition, parser.names))
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Placed>,
    next: usize,
    depth: usize,
    names: Names,
}

/// Either side of a comparison.
enum Side {
    Subject(Subject),
    Value(Literal),
}

impl Parser<'_> {
    fn placed(&self) -> &Placed {
        &self.tokens[self.next]
    }

    fn token(&self) -> &Token {
        &self.placed().token
    }

    /// The token, which is passed; the last one never is.
    fn take(&mut self) -> Token {
        let token = self.token().clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn refuse<T>(&self, expected: &'static str) -> Result<T, FilterError> {
        self.refuse_at(self.next, expected)
    }

    fn refuse_at<T>(&self, index: usize, expected: &'static str) -> Result<T, FilterError> {
        let Placed { start, end, .. } = self.tokens[index];
        Err(FilterError::syntax(self.text, start, end, expected))
    }

    /// Passes a token, if it is there.
    fn pass(&mut self, wanted: &Token) -> bool {
        let there = self.token() == wanted;
        if there {
            self.take();
        }
        there
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self.token(), Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn pass_keyword(&mut self, keyword: &str) -> bool {
        let there = self.is_keyword(keyword);
        if there {
            self.take();
        }
        there
    }

    fn any(&mut self) -> Result<Condition, FilterError> {
        let first = self.all()?;
        if !self.is_keyword("OR") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.pass_keyword("OR") {
            parts.push(self.all()?);
        }
        Ok(Condition::Any(parts))
    }

    fn all(&mut self) -> Result<Condition, FilterError> {
        let first = self.negation()?;
        if !self.is_keyword("AND") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.pass_keyword("AND") {
            parts.push(self.negation()?);
        }
        Ok(Condition::All(parts))
    }

    fn negation(&mut self) -> Result<Condition, FilterError> {
        let mut negated = false;
        while self.pass_keyword("NOT") {
            negated = !negated;
        }
        let condition = if self.token() == &Token::Open { self.parenthesis()? } else { self.predicate()? };
        Ok(condition.negated_if(negated))
    }

    fn parenthesis(&mut self) -> Result<Condition, FilterError> {
        if self.depth == MAX_DEPTH {
            return Err(FilterError::TooDeep { position: position(self.text, self.placed().start) });
        }
        self.depth += 1;
        self.take();
        let inside = self.any()?;
        if !self.pass(&Token::Close) {
            return self.refuse("AND, OR or a closing parenthesis would be right here");
        }
        self.depth -= 1;
        Ok(inside)
    }

    fn predicate(&mut self) -> Result<Condition, FilterError> {
        match self.side()? {
            Side::Subject(subject) => self.about(subject),
            Side::Value(value) => self.behind_value(value),
        }
    }

    /// `5 < population`, `1 = 1`, or TRUE alone.
    fn behind_value(&mut self, value: Literal) -> Result<Condition, FilterError> {
        let Token::Comparison(comparison) = *self.token() else {
            return match value {
                Literal::Bool(truth) => Ok(Condition::Constant(Some(truth))),
                _ => self.refuse("a comparison is missing behind the value: = <> < <= > >="),
            };
        };
        self.take();
        match self.side()? {
            Side::Value(other) => Ok(Condition::Constant(compare(&value.value(), comparison, &other))),
            Side::Subject(subject) => Ok(compare_with(subject, comparison.flipped(), value)),
        }
    }

    /// What is said about a property.
    fn about(&mut self, subject: Subject) -> Result<Condition, FilterError> {
        if let Token::Comparison(comparison) = *self.token() {
            self.take();
            let value = self.value()?;
            return Ok(compare_with(subject, comparison, value));
        }
        if self.pass_keyword("IS") {
            let negated = self.pass_keyword("NOT");
            if !self.pass_keyword("NULL") {
                return self.refuse("IS NULL or IS NOT NULL would be right; values are compared with =");
            }
            return Ok(Condition::IsNull(subject).negated_if(negated));
        }
        let negated = self.pass_keyword("NOT");
        let condition = if self.pass_keyword("IN") {
            self.list(subject)?
        } else if self.pass_keyword("BETWEEN") {
            self.between(subject)?
        } else if self.pass_keyword("LIKE") {
            self.like(subject)?
        } else if negated {
            return self.refuse("IN, BETWEEN or LIKE would be right behind NOT");
        } else {
            return self.refuse("a comparison is missing behind the name: = <> < <= > >= IN BETWEEN LIKE IS NULL");
        };
        Ok(condition.negated_if(negated))
    }

    fn list(&mut self, subject: Subject) -> Result<Condition, FilterError> {
        if !self.pass(&Token::Open) {
            return self.refuse("the values behind IN go in parentheses, as in IN (1, 2)");
        }
        let mut values = vec![fold_with(&subject, self.value()?)];
        while self.pass(&Token::Comma) {
            values.push(fold_with(&subject, self.value()?));
        }
        if !self.pass(&Token::Close) {
            return self.refuse("a comma or a closing parenthesis would be right here");
        }
        Ok(Condition::In(subject, values))
    }

    fn between(&mut self, subject: Subject) -> Result<Condition, FilterError> {
        let low = fold_with(&subject, self.value()?);
        if !self.pass_keyword("AND") {
            return self.refuse("AND and the upper bound are missing, as in BETWEEN 1 AND 2");
        }
        let high = fold_with(&subject, self.value()?);
        Ok(Condition::Between(subject, low, high))
    }

    fn like(&mut self, subject: Subject) -> Result<Condition, FilterError> {
        let at = self.next;
        let Literal::Text(text) = fold_with(&subject, self.value()?) else {
            return self.refuse_at(at, "the pattern behind LIKE is text in single quotes, as in 'Caf%'");
        };
        match Pattern::parse(&text) {
            Ok(pattern) => Ok(Condition::Like(subject, pattern)),
            Err(expected) => self.refuse_at(at, expected),
        }
    }

    /// A value, where a property would be a mistake.
    fn value(&mut self) -> Result<Literal, FilterError> {
        let at = self.next;
        match self.token() {
            Token::Word(word) if word.eq_ignore_ascii_case("NULL") => {
                self.refuse("nothing compares with NULL; write IS NULL or IS NOT NULL")
            }
            Token::Number(_) | Token::Text(_) | Token::Word(_) | Token::Name(_) => match self.side()? {
                Side::Value(value) => Ok(value),
                Side::Subject(_) => self.refuse_at(
                    at,
                    "text goes in single quotes, as in 'Paris'; a property is compared with a value, not with a property",
                ),
            },
            _ => self.refuse("a value is missing: 'text', a number, TRUE or FALSE"),
        }
    }

    fn side(&mut self) -> Result<Side, FilterError> {
        let at = self.next;
        match self.take() {
            Token::Number(number) => Ok(Side::Value(Literal::Number(number))),
            Token::Text(text) => Ok(Side::Value(Literal::Text(text))),
            Token::Word(word) if word.eq_ignore_ascii_case("TRUE") => Ok(Side::Value(Literal::Bool(true))),
            Token::Word(word) if word.eq_ignore_ascii_case("FALSE") => Ok(Side::Value(Literal::Bool(false))),
            Token::Word(word) if KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) => {
                self.refuse_at(at, "a name or value is missing; a property named like a keyword goes in double quotes")
            }
            Token::Word(word) if self.token() == &Token::Open => self.function(at, &word),
            Token::Word(word) => self.property(at, vec![word]),
            Token::Name(parts) if self.token() != &Token::Open => self.property(at, parts),
            Token::Name(_) => self.function(at, ""),
            _ => self.refuse_at(at, "a condition is missing, such as population > 1000 or name LIKE 'Caf%'"),
        }
    }

    fn property(&mut self, at: usize, parts: Vec<String>) -> Result<Side, FilterError> {
        let property = Property::new(parts, &mut self.names);
        if self.names.len() > MAX_PROPERTIES {
            return Err(FilterError::TooManyProperties { position: position(self.text, self.tokens[at].start) });
        }
        Ok(Side::Subject(Subject { property, fold_case: false }))
    }

    fn function(&mut self, at: usize, name: &str) -> Result<Side, FilterError> {
        if !name.eq_ignore_ascii_case("CASEI") {
            return self.refuse_at(at, "CASEI is the only function; dates are compared as text");
        }
        self.take();
        let inside = match self.take() {
            Token::Text(text) => Side::Value(Literal::Text(text).folded()),
            Token::Word(word) => self.property(at, vec![word])?,
            Token::Name(parts) => self.property(at, parts)?,
            _ => return self.refuse_at(at + 2, "CASEI takes a property or text, as in CASEI(name)"),
        };
        if !self.pass(&Token::Close) {
            return self.refuse("a closing parenthesis would be right here");
        }
        Ok(match inside {
            Side::Subject(subject) => Side::Subject(Subject { fold_case: true, ..subject }),
            value => value,
        })
    }
}

fn compare_with(subject: Subject, comparison: Comparison, value: Literal) -> Condition {
    let value = fold_with(&subject, value);
    Condition::Compare(subject, comparison, value)
}

/// A value to be compared with a subject: what stands in CASEI is never equal to an upper-case letter, so the value
/// is folded too, whether or not the filter says so.
fn fold_with(subject: &Subject, value: Literal) -> Literal {
    if subject.fold_case { value.folded() } else { value }
}
