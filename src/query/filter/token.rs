//! The words of a filter: from text to [`Token`]s.
//!
//! The surprising part: a sign belongs to the number behind it, because there is no arithmetic in a filter; and
//! keywords are not told from names here, since any word with a dot or in quotes is a name.

use super::error::FilterError;
use super::value::{Comparison, Number};

/// The most parts of a dotted name: each one is a walk through the object it steps into.
const MAX_STEPS: usize = 16;

/// One word of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A bare word without dots: a keyword or a property.
    Word(String),
    /// A property in double quotes, with dots, or both: the parts between the dots that are outside quotes.
    Name(Vec<String>),
    /// Text in single quotes.
    Text(String),
    /// A number.
    Number(Number),
    /// One of the six comparisons.
    Comparison(Comparison),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// The end of the filter, where every text of tokens ends.
    End,
}

/// A token and the bytes of the filter it was read from.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// All tokens of a filter; the last one is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, FilterError> {
    let mut reader = Reader { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        reader.skip(char::is_whitespace);
        let start = reader.at;
        let token = reader.token()?;
        let ended = token == Token::End;
        tokens.push(Placed { token, start, end: reader.at });
        if ended {
            return Ok(tokens);
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Goes past what `wanted` accepts, and gives it.
    fn skip(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn refuse<T>(&self, start: usize, end: usize, expected: &'static str) -> Result<T, FilterError> {
        Err(FilterError::syntax(self.text, start, end, expected))
    }

    fn token(&mut self) -> Result<Token, FilterError> {
        let Some(first) = self.peek() else { return Ok(Token::End) };
        let signed =
            matches!(first, '+' | '-') && self.rest()[1..].starts_with(|c: char| c.is_ascii_digit() || c == '.');
        match first {
            '(' => Ok(self.symbol(1, Token::Open)),
            ')' => Ok(self.symbol(1, Token::Close)),
            ',' => Ok(self.symbol(1, Token::Comma)),
            '\'' => self
                .quoted('\'', "the closing quote is missing; a quote within text is written twice, as in 'd''Or'")
                .map(Token::Text),
            '"' => self.name(),
            _ if signed || first == '.' || first.is_ascii_digit() => self.number(),
            _ if begins_name(first) => self.name(),
            _ => self.comparison(first),
        }
    }

    fn symbol(&mut self, length: usize, token: Token) -> Token {
        self.at += length;
        token
    }

    fn comparison(&mut self, first: char) -> Result<Token, FilterError> {
        for foreign in ["==", "!=", "&&", "||"] {
            if self.rest().starts_with(foreign) {
                return self.refuse(self.at, self.at + 2, "write = for equal, <> for not equal, AND, OR");
            }
        }
        for (spelling, comparison) in Comparison::SPELLINGS {
            if self.rest().starts_with(spelling) {
                return Ok(self.symbol(spelling.len(), Token::Comparison(comparison)));
            }
        }
        let expected = match first {
            '+' | '-' | '*' | '/' | '^' | '%' => "there is no arithmetic in a filter",
            '‘' | '’' | '“' | '”' | '`' => "quotes are the plain ones: 'text' and \"name\"",
            _ => "a filter is made of names, 'text', numbers, ( ) , and = <> < <= > >=",
        };
        self.refuse(self.at, self.at + first.len_utf8(), expected)
    }

    /// What stands between two `quote`s, where two in a row are one.
    fn quoted(&mut self, quote: char, unclosed: &'static str) -> Result<String, FilterError> {
        let start = self.at;
        let mut inside = String::new();
        self.at += 1;
        loop {
            inside.push_str(self.skip(|c| c != quote));
            if self.at == self.text.len() {
                return self.refuse(start, self.at, unclosed);
            }
            self.at += 1;
            if self.peek() != Some(quote) {
                return Ok(inside);
            }
            inside.push(quote);
            self.at += 1;
        }
    }

    /// A property name: bare and quoted parts with dots between them.
    fn name(&mut self) -> Result<Token, FilterError> {
        let start = self.at;
        let mut parts = Vec::new();
        let mut bare = true;
        loop {
            let part = self.at;
            if self.peek() == Some('"') {
                bare = false;
                parts.push(self.quoted('"', "the closing double quote of the name is missing")?);
            } else if self.peek().is_some_and(begins_name) {
                parts.push(self.skip(|c| begins_name(c) || c.is_alphanumeric()).to_owned());
            } else {
                self.skip(|c| !c.is_whitespace());
                return self.refuse(part, self.at, "the name must go on behind its dot; odd names go in double quotes");
            }
            if self.peek() != Some('.') {
                break;
            }
            if parts.len() == MAX_STEPS {
                return self.refuse(start, self.at, "a name has at most 16 parts with dots between them");
            }
            self.at += 1;
        }
        debug_assert!(self.at > start);
        match parts.pop() {
            Some(word) if parts.is_empty() && bare => Ok(Token::Word(word)),
            last => Ok(Token::Name(parts.into_iter().chain(last).collect())),
        }
    }

    fn number(&mut self) -> Result<Token, FilterError> {
        let start = self.at;
        self.at += usize::from(!self.rest().starts_with(|c: char| c.is_ascii_digit() || c == '.'));
        self.skip(|c| c.is_ascii_digit() || c == '.');
        if matches!(self.peek(), Some('e' | 'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some('+' | '-')));
        }
        self.skip(|c| begins_name(c) || c.is_alphanumeric() || c == '.');
        let text = self.text[start..self.at].trim_start_matches('+');
        match Number::from_text(text) {
            Some(Number::Decimal(value)) if value.is_infinite() => {
                self.refuse(start, self.at, "the number is too large")
            }
            Some(number) => Ok(Token::Number(number)),
            None => self.refuse(start, self.at, "this is no number; text goes in single quotes"),
        }
    }
}

fn begins_name(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == ':'
}
