//! `LIKE` patterns: `%` for any text, also none, `_` for one character, `\` before either, or before itself, for the
//! character as it is.
//!
//! The surprising part: there is no backtracking, and every pattern takes time in proportion to the text, however both
//! were made. Between two `%` the first place that fits is always good enough; a piece without `_` is found by the
//! standard library's linear search, and one with `_` by following all its beginnings at once, one bit for each. That
//! is why such a piece has at most 64 characters.
//!
//! *References*: R. Baeza-Yates and G. Gonnet, "A new approach to text searching", 1992, for the bits.

/// The most characters of a piece with `_` between two `%`: the bits of its state.
const MAX_HOLES_PIECE: usize = 64;

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
    Holes(Holes),
}

/// A piece with `_`.
#[derive(Debug, Clone, PartialEq)]
struct Holes {
    /// The characters in order; none is `_`.
    wanted: Vec<Option<char>>,
    /// For each character of the piece, in their order: bit i is set if it may stand at place i.
    bits: Vec<(char, u64)>,
    /// The same for all other characters, which may only stand at `_`.
    bits_of_others: u64,
}

impl Pattern {
    /// Reads a pattern, or says what would be right.
    pub(super) fn parse(text: &str) -> Result<Pattern, &'static str> {
        let pieces = cut(text).ok_or(r"a backslash in a pattern stands before %, _ or another backslash: \% \_ \\")?;
        let mut pieces = pieces.into_iter().map(Piece::new);
        let first = pieces.next().unwrap_or(Piece::Plain(String::new()));
        let others: Vec<_> = pieces.collect();
        let middle = others.split_last().map_or(&[][..], |(_, middle)| middle);
        let too_long = |piece: &Piece| matches!(piece, Piece::Holes(holes) if holes.wanted.len() > MAX_HOLES_PIECE);
        if middle.iter().any(too_long) {
            return Err("between two % there may be at most 64 characters if _ is among them");
        }
        Ok(Pattern { first, others })
    }

    /// How many pieces may be looked for.
    pub(super) fn pieces(&self) -> u64 {
        1 + self.others.len() as u64
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

/// The characters between each two `%`; none when a backslash stands before anything but `%`, `_` or a backslash.
fn cut(text: &str) -> Option<Vec<Vec<Option<char>>>> {
    let mut pieces = vec![Vec::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let wanted = match c {
            '%' => {
                pieces.push(Vec::new());
                continue;
            }
            '_' => None,
            '\\' => Some(chars.next().filter(|next| matches!(next, '%' | '_' | '\\'))?),
            plain => Some(plain),
        };
        pieces.last_mut()?.push(wanted);
    }
    Some(pieces)
}

impl Piece {
    fn new(wanted: Vec<Option<char>>) -> Piece {
        match wanted.iter().copied().collect() {
            Some(plain) => Piece::Plain(plain),
            None => Piece::Holes(Holes::new(wanted)),
        }
    }

    /// What follows this piece, if the text begins with it.
    fn strip_from_start<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Piece::Plain(plain) => text.strip_prefix(plain.as_str()),
            Piece::Holes(holes) => {
                let mut chars = text.chars();
                holes.wanted.iter().all(|want| fits(*want, chars.next())).then_some(chars.as_str())
            }
        }
    }

    /// What follows the first place where this piece fits.
    fn strip_from_first_fit<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Piece::Plain(plain) => text.find(plain.as_str()).map(|at| &text[at + plain.len()..]),
            Piece::Holes(holes) => holes.strip_from_first_fit(text),
        }
    }

    fn ends(&self, text: &str) -> bool {
        match self {
            Piece::Plain(plain) => text.ends_with(plain.as_str()),
            Piece::Holes(holes) => {
                let mut chars = text.chars().rev();
                holes.wanted.iter().rev().all(|want| fits(*want, chars.next()))
            }
        }
    }
}

fn fits(want: Option<char>, found: Option<char>) -> bool {
    found.is_some_and(|found| want.is_none_or(|want| want == found))
}

impl Holes {
    fn new(wanted: Vec<Option<char>>) -> Holes {
        // Of a longer piece, which begins or ends a pattern, the bits are never asked for.
        let places = &wanted[..wanted.len().min(MAX_HOLES_PIECE)];
        let bits_of =
            |c| places.iter().rev().fold(0, |bits, want| (bits << 1) | u64::from(want.is_none_or(|want| want == c)));
        let mut chars: Vec<char> = places.iter().copied().flatten().collect();
        chars.sort_unstable();
        chars.dedup();
        let bits = chars.into_iter().map(|c| (c, bits_of(c))).collect();
        let bits_of_others = places.iter().rev().fold(0, |bits, want| (bits << 1) | u64::from(want.is_none()));
        Holes { bits, bits_of_others, wanted }
    }

    /// Bit i of `begun` says that the first i + 1 characters of the piece have just been seen.
    fn strip_from_first_fit<'a>(&self, text: &'a str) -> Option<&'a str> {
        debug_assert!((1..=MAX_HOLES_PIECE).contains(&self.wanted.len()));
        let complete = 1_u64 << (self.wanted.len() - 1);
        let mut begun = 0;
        for (at, c) in text.char_indices() {
            let known = self.bits.binary_search_by_key(&c, |(known, _)| *known);
            begun = ((begun << 1) | 1) & known.map_or(self.bits_of_others, |place| self.bits[place].1);
            if begun & complete != 0 {
                return Some(&text[at + c.len_utf8()..]);
            }
        }
        None
    }
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
            ("%é_日%c", "éé日éé日日c", true),
            ("%é_日%éc", "éé日日c", false),
            ("%__%_", "ab", false),
            ("%__%_", "abc", true),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn a_backslash_before_anything_else_is_refused() {
        assert!(Pattern::parse(r"C:\temp").unwrap_err().contains("backslash"));
        assert!(Pattern::parse(r"end\").unwrap_err().contains("backslash"));
    }

    #[test]
    fn a_piece_with_holes_between_two_percents_is_at_most_64_characters() {
        let holes = format!("%{}_%", "a".repeat(63));
        assert!(Pattern::parse(&holes).unwrap().matches(&"a".repeat(64)));
        assert!(!Pattern::parse(&holes).unwrap().matches(&"a".repeat(63)));
        assert!(Pattern::parse(&format!("%a{}", &holes[1..])).unwrap_err().contains("at most 64"));
        assert!(Pattern::parse(&holes[1..]).unwrap().matches(&"a".repeat(65)));
        assert!(Pattern::parse(&"_".repeat(1000)).unwrap().matches(&"a".repeat(1000)));
    }
}
