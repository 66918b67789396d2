//! What a property or a filter's literal is worth, and how two worths compare.
//!
//! The surprising part: numbers are compared by their mathematical value, never by way of a rounded copy. An integer
//! of up to 64 bits is exact, so identifiers beyond 2^53 are told apart; every other number is the `f64` nearest to
//! its text, and `9007199254740993 > 9007199254740992.0` holds.

use std::borrow::Cow;
use std::cmp::Ordering;

/// The six comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Comparison {
    /// How each is written; the longer ones first, since `<` begins three of them.
    pub(super) const SPELLINGS: [(&'static str, Comparison); 6] = [
        ("<>", Comparison::NotEqual),
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
        ("=", Comparison::Equal),
    ];

    pub(super) fn accepts(self, order: Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::AtMost => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::AtLeast => order.is_ge(),
        }
    }

    /// The comparison that says the same with its sides exchanged.
    pub(super) fn flipped(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::AtMost => Comparison::AtLeast,
            Comparison::Greater => Comparison::Less,
            Comparison::AtLeast => Comparison::AtMost,
            same => same,
        }
    }
}

/// A number, as exact as its kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    /// A whole number written without point or exponent, from -2^63 to 2^64 - 1.
    Integer(i128),
    /// Any other.
    Decimal(f64),
}

impl Number {
    /// Reads decimal text; the words `f64` would read, such as `inf`, are no numbers.
    pub(super) fn from_text(text: &str) -> Option<Number> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return None;
        }
        // The common case first: no reading of more than 20 digits into an integer, so `i128` cannot overflow.
        if digits.len() <= 20 && digits.bytes().all(|b| b.is_ascii_digit()) {
            let size = digits.bytes().fold(0_i128, |size, b| size * 10 + i128::from(b - b'0'));
            let value = if digits.len() < text.len() { -size } else { size };
            if (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value) {
                return Some(Number::Integer(value));
            }
        }
        text.parse().ok().map(Number::Decimal)
    }

    fn compare(self, other: Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Integer(a), Number::Integer(b)) => Some(a.cmp(&b)),
            (Number::Decimal(a), Number::Decimal(b)) => a.partial_cmp(&b),
            (Number::Integer(a), Number::Decimal(b)) => compare_exactly(a, b),
            (Number::Decimal(a), Number::Integer(b)) => compare_exactly(b, a).map(Ordering::reverse),
        }
    }
}

/// A 64-bit integer against a decimal, without rounding either.
fn compare_exactly(integer: i128, decimal: f64) -> Option<Ordering> {
    const BEYOND: f64 = 36_893_488_147_419_103_232.0; // 2^65, out of reach of every integer here
    if decimal.is_nan() {
        return None;
    }
    let whole = decimal.clamp(-BEYOND, BEYOND).floor();
    let fraction = if decimal > whole { Ordering::Less } else { Ordering::Equal };
    Some(integer.cmp(&(whole as i128)).then(fraction))
}

/// A value written in a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Number(Number),
    Text(String),
    Bool(bool),
}

/// A value of a property.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    /// Missing, or null.
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    /// An array or an object: present, and not comparable with anything.
    Other,
}

impl<'a> Value<'a> {
    /// The value of a piece of JSON.
    pub(super) fn from_json(json: &'a str) -> Value<'a> {
        match json.as_bytes().first() {
            Some(b'"') => unquote(json).map_or(Value::Other, Value::Text),
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'n') => Value::Null,
            _ => Number::from_text(json).map_or(Value::Other, Value::Number),
        }
    }

    /// The value with its text brought to one case; what is no text stays as it is.
    pub(super) fn folded(self) -> Value<'a> {
        match self {
            Value::Text(text) => Value::Text(Cow::Owned(fold_case(&text))),
            other => other,
        }
    }

    /// How the value stands to a literal; none when their types differ, or when there is no value.
    pub(super) fn compare(&self, literal: &Literal) -> Option<Ordering> {
        match (self, literal) {
            (Value::Number(a), Literal::Number(b)) => a.compare(*b),
            // The bytes of UTF-8 are ordered as their code points are.
            (Value::Text(a), Literal::Text(b)) => Some(a.as_ref().cmp(b)),
            (Value::Bool(a), Literal::Bool(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

impl Literal {
    pub(super) fn folded(self) -> Literal {
        match self {
            Literal::Text(text) => Literal::Text(fold_case(&text)),
            other => other,
        }
    }

    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Literal::Number(number) => Value::Number(*number),
            Literal::Text(text) => Value::Text(Cow::Borrowed(text)),
            Literal::Bool(truth) => Value::Bool(*truth),
        }
    }
}

/// The text of a JSON string, quotes included; none when it has half a surrogate pair, which is no text.
pub(super) fn unquote(json: &str) -> Option<Cow<'_, str>> {
    if json.contains('\\') {
        return serde_json::from_str(json).ok().map(Cow::Owned);
    }
    json.strip_prefix('"')?.strip_suffix('"').map(Cow::Borrowed)
}

/// Upper case and then lower case, letter by letter: so ς is σ and ß is ss, wherever they stand in a word.
pub(super) fn fold_case(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}
