//! Filters against an evaluator that shares nothing with them: it reads the properties into a `serde_json` tree,
//! compares numbers as endless decimal text and matches patterns by trying everything.

#![allow(clippy::unwrap_used, reason = "a panic here is a failed test")]

#[path = "../src/repeatable.rs"]
mod repeatable;

use nigh::query::filter::Filter;
use proptest::prelude::*;
use repeatable::repeatable;
use serde_json::Value;
use std::cmp::Ordering;

/// A filter as a tree, to be written as text and to be evaluated without it. A `bool` at the end says NOT.
#[derive(Debug, Clone)]
enum Tree {
    Compare(Name, &'static str, Lit),
    /// The same, written with the value first.
    Turned(Name, &'static str, Lit),
    In(Name, Vec<Lit>, bool),
    Between(Name, Lit, Lit, bool),
    Like(Name, String, bool),
    Null(Name, bool),
    Not(Box<Tree>),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Truth(bool),
}

#[derive(Debug, Clone)]
struct Name {
    parts: Vec<&'static str>,
    casei: bool,
}

#[derive(Debug, Clone)]
enum Lit {
    Number(&'static str),
    Text(String),
    Truth(bool),
}

// ---------------------------------------------------------------- writing

impl Name {
    fn write(&self) -> String {
        let quote = |part: &&str| match part.chars().all(char::is_alphanumeric) && *part != "in" {
            true => (*part).to_owned(),
            false => format!("\"{}\"", part.replace('"', "\"\"")),
        };
        let name = self.parts.iter().map(quote).collect::<Vec<_>>().join(".");
        if self.casei { format!("casei( {name} )") } else { name }
    }
}

impl Lit {
    fn write(&self) -> String {
        match self {
            Lit::Number(text) => (*text).to_owned(),
            Lit::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Lit::Truth(truth) => if *truth { "True" } else { "fAlse" }.to_owned(),
        }
    }
}

impl Tree {
    fn write(&self) -> String {
        let not = |negated: &bool| if *negated { "not " } else { "" };
        let group = |parts: &[Tree], word: &str| parts.iter().map(Tree::write_part).collect::<Vec<_>>().join(word);
        match self {
            Tree::Compare(name, op, lit) => format!("{}{op}{}", name.write(), lit.write()),
            Tree::Turned(name, op, lit) => {
                let turned: String = op
                    .chars()
                    .map(|c| {
                        if c == '<' {
                            '>'
                        } else if c == '>' {
                            '<'
                        } else {
                            c
                        }
                    })
                    .collect();
                format!("{} {} {}", lit.write(), if *op == "<>" { "<>" } else { &turned }, name.write())
            }
            Tree::In(name, lits, negated) => {
                let lits = lits.iter().map(Lit::write).collect::<Vec<_>>().join(" ,");
                format!("{} {}IN({lits})", name.write(), not(negated))
            }
            Tree::Between(name, low, high, negated) => {
                format!("{} {}Between {} and {}", name.write(), not(negated), low.write(), high.write())
            }
            Tree::Like(name, pattern, negated) => {
                format!("{} {}LIKE {}", name.write(), not(negated), Lit::Text(pattern.clone()).write())
            }
            Tree::Null(name, negated) => format!("{} is {}null", name.write(), not(negated)),
            Tree::Not(inner) => format!("NOT {}", inner.write_part()),
            Tree::And(parts) => group(parts, " AND "),
            Tree::Or(parts) => parts.iter().map(Tree::write_in_or).collect::<Vec<_>>().join("\nor "),
            Tree::Truth(truth) => Lit::Truth(*truth).write(),
        }
    }

    fn write_part(&self) -> String {
        if let Tree::And(_) | Tree::Or(_) = self { format!("({})", self.write()) } else { self.write() }
    }

    /// AND within OR needs no parentheses.
    fn write_in_or(&self) -> String {
        if let Tree::Or(_) = self { format!("({})", self.write()) } else { self.write() }
    }
}

// ---------------------------------------------------------------- evaluating

impl Name {
    fn read(&self, id: &str, properties: &Value) -> Value {
        let flat = self.parts.join(".");
        let mut value = properties.get(&flat).cloned();
        if value.is_none() && self.parts.len() > 1 {
            value = self.parts.iter().try_fold(properties, |object, part| object.get(part)).cloned();
        } else if value.is_none() && flat == "id" {
            value = Some(Value::from(id));
        }
        match value.unwrap_or(Value::Null) {
            Value::String(text) if self.casei => Value::from(fold(&text)),
            other => other,
        }
    }
}

impl Lit {
    fn compare(&self, value: &Value, folded: bool) -> Option<Ordering> {
        match (value, self) {
            (Value::Number(a), Lit::Number(b)) => Some(decimal(a).cmp(&decimal(&serde_json::from_str(b).unwrap()))),
            (Value::String(a), Lit::Text(b)) => {
                let b = if folded { fold(b) } else { b.clone() };
                Some(a.chars().cmp(b.chars()))
            }
            (Value::Bool(a), Lit::Truth(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

fn fold(text: &str) -> String {
    let upper: String = text.chars().flat_map(char::to_uppercase).collect();
    upper.chars().flat_map(char::to_lowercase).collect()
}

/// A number as something ordered like it: its digits, all of them, padded; complemented when negative.
fn decimal(number: &serde_json::Number) -> (bool, Vec<u8>) {
    let text = match (number.as_i64(), number.as_u64()) {
        (Some(integer), _) => format!("{integer}.{}", "0".repeat(1100)),
        (_, Some(integer)) => format!("{integer}.{}", "0".repeat(1100)),
        _ => format!("{:.1100}", number.as_f64().unwrap()),
    };
    let digits = format!("{:0>1500}", text.trim_start_matches('-'));
    let negative = text.starts_with('-') && digits.contains(|c: char| ('1'..='9').contains(&c));
    (!negative, digits.bytes().map(|b| if negative { 255 - b } else { b }).collect())
}

fn fits(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skip| fits(rest, &text[skip..])),
        ['_', rest @ ..] => !text.is_empty() && fits(rest, &text[1..]),
        ['\\', c, rest @ ..] | [c, rest @ ..] => text.first() == Some(c) && fits(rest, &text[1..]),
    }
}

fn accepts(op: &str, order: Ordering) -> bool {
    match op {
        "=" => order == Ordering::Equal,
        "<>" => order != Ordering::Equal,
        "<" => order == Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        _ => order != Ordering::Less,
    }
}

fn turn(truth: Option<bool>, negated: bool) -> Option<bool> {
    truth.map(|truth| truth != negated)
}

/// No, unknown and yes as 0, 1, 2: AND is the least and OR the greatest.
fn rank(answer: &Option<bool>) -> u8 {
    answer.map_or(1, |truth| if truth { 2 } else { 0 })
}

impl Tree {
    fn truth(&self, id: &str, properties: &Value) -> Option<bool> {
        let asked = |name: &Name, op: &str, lit: &Lit| {
            lit.compare(&name.read(id, properties), name.casei).map(|order| accepts(op, order))
        };
        let each = |parts: &[Tree]| parts.iter().map(|part| part.truth(id, properties)).collect::<Vec<_>>();
        match self {
            Tree::Compare(name, op, lit) | Tree::Turned(name, op, lit) => asked(name, op, lit),
            Tree::In(name, lits, negated) => {
                turn(lits.iter().map(|lit| asked(name, "=", lit)).max_by_key(rank).unwrap(), *negated)
            }
            Tree::Between(name, low, high, negated) => {
                turn([asked(name, ">=", low), asked(name, "<=", high)].into_iter().min_by_key(rank).unwrap(), *negated)
            }
            Tree::Like(name, pattern, negated) => {
                let pattern = if name.casei { fold(pattern) } else { pattern.clone() };
                let Value::String(text) = name.read(id, properties) else { return None };
                let (pattern, text): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
                Some(fits(&pattern, &text) != *negated)
            }
            Tree::Null(name, negated) => Some(name.read(id, properties).is_null() != *negated),
            Tree::Not(inner) => turn(inner.truth(id, properties), true),
            Tree::And(parts) => each(parts).into_iter().min_by_key(rank).unwrap(),
            Tree::Or(parts) => each(parts).into_iter().max_by_key(rank).unwrap(),
            Tree::Truth(truth) => Some(*truth),
        }
    }
}

// ---------------------------------------------------------------- random filters, random objects

/// Around the ends of what `f64` and 64-bit integers tell apart.
const NUMBERS: [&str; 22] = [
    "0",
    "-0",
    "1",
    "1.0",
    "10e-1",
    "-1",
    "2",
    "0.1",
    "-2.5",
    "1.5",
    "9007199254740992",
    "9007199254740993",
    "9007199254740992.0",
    "-9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890",
    "1E300",
    "5e-324",
];
const KEYS: [&str; 9] = ["a", "b", "é", "a.b", "a.b.c", "odd key", "id", "in", "q\"\\"];
const LETTERS: [char; 14] = ['a', 'b', 'A', 'é', 'É', 'ß', '日', '😀', '\'', '"', '\\', '%', '}', '['];

fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&LETTERS[..]), 0..4).prop_map(|chars| chars.into_iter().collect())
}

fn names() -> impl Strategy<Value = Name> {
    let parts = prop_oneof![
        4 => prop::sample::select(&KEYS[..]).prop_map(|key| vec![key]),
        2 => (prop::sample::select(&KEYS[..]), prop::sample::select(&KEYS[..])).prop_map(|(a, b)| vec![a, b]),
        2 => Just(vec!["a", "b"]),
        1 => Just(vec!["a", "b", "c"]),
        1 => Just(vec!["a", "b", "odd key", "a.b"]),
    ];
    (parts, prop::bool::weighted(0.2)).prop_map(|(parts, casei)| Name { parts, casei })
}

fn literals() -> impl Strategy<Value = Lit> {
    prop_oneof![
        3 => prop::sample::select(&NUMBERS[..]).prop_map(Lit::Number),
        3 => words().prop_map(Lit::Text),
        1 => any::<bool>().prop_map(Lit::Truth),
    ]
}

fn patterns() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => Just("%".to_owned()),
        2 => Just("_".to_owned()),
        1 => prop::sample::select(&["\\%", "\\_", "\\\\"][..]).prop_map(str::to_owned),
        4 => prop::sample::select(&LETTERS[..8]).prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn trees() -> impl Strategy<Value = Tree> {
    let ops = prop::sample::select(&["=", "<>", "<", "<=", ">", ">="][..]);
    let no = any::<bool>;
    let leaf = prop_oneof![
        4 => (names(), ops.clone(), literals()).prop_map(|(name, op, lit)| Tree::Compare(name, op, lit)),
        2 => (names(), ops, literals()).prop_map(|(name, op, lit)| Tree::Turned(name, op, lit)),
        2 => (names(), prop::collection::vec(literals(), 1..5), no()).prop_map(|(n, l, not)| Tree::In(n, l, not)),
        2 => (names(), literals(), literals(), no()).prop_map(|(n, a, b, not)| Tree::Between(n, a, b, not)),
        2 => (names(), patterns(), no()).prop_map(|(n, p, not)| Tree::Like(n, p, not)),
        2 => (names(), no()).prop_map(|(n, not)| Tree::Null(n, not)),
        1 => no().prop_map(Tree::Truth),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|tree| Tree::Not(Box::new(tree))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Tree::And),
            prop::collection::vec(inner, 2..4).prop_map(Tree::Or),
        ]
    })
}

/// JSON text of any value, with spaces and escapes where nobody needs them.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => prop::sample::select(&NUMBERS[..]).prop_map(str::to_owned),
        4 => (words(), any::<u8>()).prop_map(|(text, how)| quoted(&text, how)),
        1 => prop::sample::select(&["true", "false", "null"][..]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(" , "))),
            2 => objects(inner),
        ]
    })
}

/// Objects, now and then with one name twice.
fn objects(values: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let member = (prop::sample::select(&KEYS[..]), any::<u8>(), values, prop::sample::select(&["", " ", "\n\t"][..]))
        .prop_map(|(key, how, value, space)| format!("{space}{}{space}:{space}{value}{space}", quoted(key, how)));
    prop::collection::vec(member, 0..7).prop_map(|members| format!("{{{}}}", members.join(",")))
}

fn quoted(text: &str, how: u8) -> String {
    let escape = |(at, c): (usize, char)| match c {
        _ if how >> (at % 8) & 1 == 1 => {
            c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
        }
        '"' | '\\' => format!("\\{c}"),
        plain => plain.to_string(),
    };
    format!("\"{}\"", text.chars().enumerate().map(escape).collect::<String>())
}

proptest! {
    #![proptest_config(repeatable(10_000))]

    #[test]
    fn filters_and_the_other_evaluator_agree(
        tree in trees(), objects in prop::collection::vec(objects(json()), 6), id in words(),
    ) {
        let text = tree.write();
        let filter = Filter::parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        for properties in &objects {
            let value: Value = serde_json::from_str(properties).unwrap();
            let expected = tree.truth(&id, &value) == Some(true);
            prop_assert_eq!(filter.matches(&id, properties), expected, "{} on {} of {}", text, properties, id);
        }
    }
}
