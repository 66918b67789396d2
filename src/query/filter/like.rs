//! `LIKE` patterns: `%` for any text, also none, `_` for one character, `\` before either, or before itself, for the
//! character as it is.
//!
//! The surprising part: there is no backtracking. Between two `%` the first place that fits is always good enough, so
//! a pattern costs at most its length times the text's, and a piece without `_` only the text's (the standard
//! library's search is linear).

/// A pattern, cut at each `%`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    /// What the text begins with; all of the text when there is no `%`.
    first: Piece,
    /// What follows, in this order, each after any text; the last one ends the text.
    others: Vec<Piece>,
}

/// What stands between two `%`.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Plain(String),
    /// With `_`, which is none here.
    Holes(Vec<Option<char>>),
}

impl Pattern {
    /// Reads a pattern; none when a backslash stands before something else than `%`, `_` or a backslash.
    pub(super) fn parse(text: &str) -> Option<Pattern> {
        let mut pieces = vec![Vec::new()];
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let piece = match c {
                '%' => {
                    pieces.push(Vec::new());
                    continue;
                }
                '_' => None,
                '\\' => Some(chars.next().filter(|next| matches!(next, '%' | '_' | '\\'))?),
                plain => Some(plain),
            };
            pieces.last_mut()?.push(piece);
        }
        let mut pieces = pieces.into_iter().map(Piece::new);
        Some(Pattern { first: pieces.next()?, others: pieces.collect() })
    }

    /// Whether the whole text fits.
    pub(super) fn matches(&self, text: &str) -> bool {
        let Some(mut rest) = self.first.strip_from_start(text) else { return false };
        let Some((last, middle)) = self.others.split_last() else { return rest.is_empty() };
        for piece in middle {
            match piece.strip_from_first_fit(rest) {
                Some(behind) => rest = behind,
                None => return false,
            }
        }
        last.ends(rest)
    }
}

impl Piece {
    fn new(chars: Vec<Option<char>>) -> Piece {
        chars.iter().copied().collect::<Option<String>>().map_or(Piece::Holes(chars), Piece::Plain)
    }

    /// What follows this piece, if the text begins with it.
    fn strip_from_start<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Piece::Plain(plain) => text.strip_prefix(plain.as_str()),
            Piece::Holes(wanted) => {
                let mut chars = text.chars();
                wanted.iter().all(|want| chars.next().is_some_and(|c| fits(*want, c))).then_some(chars.as_str())
            }
        }
    }

    /// What follows the first place where this piece fits.
    fn strip_from_first_fit<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Piece::Plain(plain) => text.find(plain.as_str()).map(|at| &text[at + plain.len()..]),
            Piece::Holes(_) => text.char_indices().find_map(|(at, _)| self.strip_from_start(&text[at..])),
        }
    }

    fn ends(&self, text: &str) -> bool {
        match self {
            Piece::Plain(plain) => text.ends_with(plain.as_str()),
            Piece::Holes(wanted) => {
                let mut chars = text.chars().rev();
                wanted.iter().rev().all(|want| chars.next().is_some_and(|c| fits(*want, c)))
            }
        }
    }
}

fn fits(want: Option<char>, c: char) -> bool {
    want.is_none_or(|want| want == c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_characters_and_not_bytes() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("%%", "é", true),
            ("_", "é", true),
            ("_", "", false),
            ("_", "ab", false),
            ("__", "日本", true),
            ("a%", "abc", true),
            ("%c", "abc", true),
            ("%b%", "abc", true),
            ("a%a", "a", false),
            ("a%a", "aa", true),
            ("%ab%ab", "ab", false),
            ("%ab%b", "abab", true),
            ("%a_c%e", "xxabcde", true),
            ("%_", "", false),
            ("_%_", "ab", true),
            ("_%_", "a", false),
            (r"100\%", "100%", true),
            (r"100\%", "1000", false),
            (r"a\_b", "a_b", true),
            (r"a\_b", "axb", false),
            (r"\\", r"\", true),
            ("%aab%", "aaaab", true),
            ("%a_b%", "aaaaab", true),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn a_backslash_before_anything_else_is_refused() {
        assert_eq!(Pattern::parse(r"C:\temp"), None);
        assert_eq!(Pattern::parse(r"end\"), None);
    }
}
