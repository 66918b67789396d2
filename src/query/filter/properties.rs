//! Finding the few properties that a filter speaks of in the text of a JSON object, in one pass and without a tree.
//!
//! The surprising part: nothing here checks the JSON. It was checked when it came in, and is only stepped over; text
//! that is no JSON object has no properties, or those before its first fault. Of two members with one name the last
//! counts, as it does for everyone else who reads the object.

use super::value::{Value, unquote};
use crate::query::budget::{Budget, bytes};
use std::borrow::Cow;

/// The top-level names to look for.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The place of a name, which is added if it is new.
    fn place(&mut self, name: &str) -> usize {
        self.0.iter().position(|known| known == name).unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        })
    }

    /// Writes the JSON text of each name's value to its place.
    pub(super) fn find<'a>(&self, object: &'a str, found: &mut [Option<&'a str>]) {
        for (key, value) in Members::of(object) {
            let place = match key.contains('\\') {
                false => self.0.iter().position(|name| name.as_bytes() == &key.as_bytes()[1..key.len() - 1]),
                true => unquote(key).and_then(|key| self.0.iter().position(|name| *name == key)),
            };
            if let Some(place) = place {
                found[place] = Some(value);
            }
        }
    }
}

/// A property as a filter names it.
#[derive(Debug)]
pub(super) struct Property {
    /// The place of the full name.
    flat: usize,
    /// For `a.b.c`, when no property has the full name: the place of `a`, and the names to step into.
    nested: Option<(usize, Vec<String>)>,
    is_id: bool,
}

impl Property {
    /// A property from the parts of its name between dots.
    pub(super) fn new(mut parts: Vec<String>, names: &mut Names) -> Property {
        let full = parts.join(".");
        let flat = names.place(&full);
        let nested = (parts.len() > 1).then(|| (names.place(&parts[0]), parts.split_off(1)));
        Property { flat, is_id: nested.is_none() && full == "id", nested }
    }
}

/// What a filter is asked about: an id, and the JSON text of the properties that were found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) id: &'a str,
    pub(super) found: &'a [Option<&'a str>],
    /// Who pays for what is read again.
    pub(super) budget: &'a Budget<'a>,
}

impl<'a> Record<'a> {
    pub(super) fn value(&self, property: &Property) -> Value<'a> {
        let json = self.found[property.flat].or_else(|| {
            let (head, path) = property.nested.as_ref()?;
            path.iter().try_fold(self.found[*head]?, |object, name| {
                if self.budget.spend(bytes(object.len())) { member(object, name) } else { None }
            })
        });
        match json {
            Some(json) if !self.budget.spend(1 + bytes(json.len())) => Value::Null,
            Some(json) => Value::from_json(json),
            None if property.is_id => Value::Text(Cow::Borrowed(self.id)),
            None => Value::Null,
        }
    }
}

fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    Members::of(object).filter(|(key, _)| unquote(key).is_some_and(|key| key == name)).map(|(_, value)| value).last()
}

/// The members of a JSON object: keys with their quotes, values as they stand.
struct Members<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Members<'a> {
    fn of(object: &'a str) -> Members<'a> {
        let mut members = Members { text: object, at: 0 };
        // A text without an opening brace has no members: start at its end.
        members.step_over(b'{').unwrap_or_else(|| members.at = object.len());
        members
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn step_over(&mut self, wanted: u8) -> Option<()> {
        self.skip_space();
        (self.byte()? == wanted).then(|| self.at += 1)
    }

    /// Goes past a string, from its opening to behind its closing quote.
    fn skip_string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            self.at += rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
            if self.byte()? == b'"' {
                self.at += 1;
                return Some(());
            }
            self.at += 2;
        }
    }

    /// Goes past an array or object, counting brackets instead of recursing: depth costs nothing.
    fn skip_nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.byte()? {
                b'"' => {
                    self.skip_string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn value(&mut self) -> Option<&'a str> {
        self.skip_space();
        let start = self.at;
        match self.byte()? {
            b'"' => self.skip_string()?,
            b'{' | b'[' => self.skip_nested()?,
            _ => {
                let rest = &self.text.as_bytes()[start..];
                self.at +=
                    rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r'))?;
            }
        }
        self.text.get(start..self.at)
    }

    fn member(&mut self) -> Option<(&'a str, &'a str)> {
        self.skip_space();
        let start = self.at;
        if self.byte()? != b'"' {
            return None;
        }
        self.skip_string()?;
        let key = self.text.get(start..self.at)?;
        self.step_over(b':')?;
        let value = self.value()?;
        // Behind the last member stands a brace, and the next call stops there.
        let _ = self.step_over(b',');
        Some((key, value))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        self.member()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(object: &str) -> Vec<(&str, &str)> {
        Members::of(object).collect()
    }

    #[test]
    fn members_are_found_whatever_stands_between_them() {
        let object = r#" { "a" : 1 , "b":"x,}\"]" ,"c":{"d":[1,"]}",{}]},"e\u0041":null, "f":[ ] } "#;
        assert_eq!(
            members(object),
            [
                (r#""a""#, "1"),
                (r#""b""#, r#""x,}\"]""#),
                (r#""c""#, r#"{"d":[1,"]}",{}]}"#),
                (r#""e\u0041""#, "null"),
                (r#""f""#, "[ ]")
            ]
        );
    }

    #[test]
    fn what_is_no_object_has_no_members_and_does_no_harm() {
        for text in [
            "",
            " ",
            "{}",
            "[1]",
            "null",
            "\"a\"",
            "{\"",
            "{\"a",
            "{\"a\\",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":\"",
            "{\"a\":[",
            "{1:2}",
            "é",
        ] {
            assert_eq!(members(text), [], "{text}");
        }
        assert_eq!(members(r#"{"a":1,"b"#), [(r#""a""#, "1")]);
    }
}
