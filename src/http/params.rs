//! What a request was given, by name: from the query string, or from the members of a JSON body.
//!
//! What surprises: the two become one thing here. `radius=2km`, `"radius": "2km"` and `"radius": 2000` are read by the same
//! line further up, so a URL and a body cannot come to differ in what they accept.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::error::{Code, Refusal};
use super::moment::Moment;
use crate::engine::{EngineError, View};
use crate::format::geojson::Polygons;

/// Room for the parameters of a common request.
const USUAL: usize = 8;

/// A value as given.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Given<'a> {
    /// A text, or the text of something else.
    Text(Cow<'a, str>),
    /// A list of texts, from a body.
    List(Vec<String>),
    /// Polygons that were read with the body, and their text.
    Area(Box<Polygons>, &'a str),
}

/// Names and values, each name once.
#[derive(Debug, Default)]
pub(super) struct Params<'a> {
    pairs: Vec<(Key, Given<'a>)>,
    names: Vec<Cow<'a, str>>,
}

/// A name in one word: its length and its first bytes.
///
/// *Why*: a question asks for a dozen names, most of which are not there. Of a name that stands in the program the key does too, and
/// comparing words is a tenth of what comparing texts is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key(u64);

impl Key {
    #[inline(always)]
    fn of(name: &str) -> Key {
        let mut word = [0; 8];
        let beginning = name.len().min(7);
        word[..beginning].copy_from_slice(&name.as_bytes()[..beginning]);
        word[7] = name.len().min(255) as u8;
        Key(u64::from_le_bytes(word))
    }
}

impl<'a> Params<'a> {
    /// Reads a query string: `+` is a space, empty pieces are passed over, a name without `=` has an empty value. Names that are not
    /// among the known ones are refused as they come, so that no list of them grows.
    pub(super) fn of_query(query: &'a str, known: &[&'static str]) -> Result<Params<'a>, Refusal> {
        let mut params = Params { pairs: Vec::with_capacity(USUAL), names: Vec::with_capacity(USUAL) };
        let is_plain = is_plain(query);
        let decode = |piece| if is_plain { Ok(Cow::Borrowed(piece)) } else { decode(piece) };
        for pair in pieces(query, b'&').filter(|pair| !pair.is_empty()) {
            let end = pair.bytes().position(|byte| byte == b'=');
            let (name, value) = end.map_or((pair, ""), |end| (&pair[..end], &pair[end + 1..]));
            let name = decode(name)?;
            is_known(&name, known)?;
            params.add(name, Given::Text(decode(value)?))?;
        }
        Ok(params)
    }

    /// Adds a name that was not there before.
    pub(super) fn add(&mut self, name: Cow<'a, str>, given: Given<'a>) -> Result<(), Refusal> {
        if self.given(&name).is_some() {
            return Err(Refusal::new(Code::RepeatedParameter, format!("{name} is given more than once"))
                .at(name.into_owned())
                .hint("give it once"));
        }
        self.pairs.push((Key::of(&name), given));
        self.names.push(name);
        Ok(())
    }

    /// Refuses to look at a moment from before the change that `min_seq` names.
    pub(super) fn new_enough(&self, view: &View) -> Result<(), Refusal> {
        let seq = view.snapshot.seq();
        match self.read("min_seq", |text| Moment::read(text)?.seq_in(view.number))? {
            Some(asked) if asked > seq => Err(EngineError::Behind { asked, seq }.into()),
            _ => Ok(()),
        }
    }

    /// The value of a name.
    #[inline(always)]
    pub(super) fn given(&self, name: &str) -> Option<&Given<'a>> {
        let key = Key::of(name);
        let alike = |&at: &usize| self.pairs[at].0 == key && (name.len() < 8 || self.names[at] == name);
        (0..self.pairs.len()).find(alike).map(|at| &self.pairs[at].1)
    }

    /// The value of a name as text.
    #[inline(always)]
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, Refusal> {
        match self.given(name) {
            None => Ok(None),
            Some(Given::Text(text)) => Ok(Some(text)),
            Some(Given::Area(_, text)) => Ok(Some(text)),
            Some(Given::List(_)) => Err(Refusal::new(Code::BadBody, format!("{name} is a list")).at(name)),
        }
    }

    /// The value of a name, read by `read`; a refusal tells name and value.
    #[inline(always)]
    pub(super) fn read<T, E: Into<Refusal>>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        read(text).map(Some).map_err(|error| error.into().at(name).value(text))
    }

    /// The value of a name that has to be there.
    pub(super) fn required<T, E: Into<Refusal>>(
        &self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Refusal> {
        self.read(name, read)?.ok_or_else(|| missing(name))
    }

    /// Refuses a name that means nothing without another.
    #[inline(always)]
    pub(super) fn needs(&self, name: &'static str, other: &'static str) -> Result<(), Refusal> {
        if self.given(name).is_some() && self.given(other).is_none() {
            return Err(missing(other).hint(format!("{name} says something about {other}: give both or neither")));
        }
        Ok(())
    }
}

/// Refuses a name that is not among the known ones.
pub(super) fn is_known(name: &str, known: &[&'static str]) -> Result<(), Refusal> {
    if known.contains(&name) {
        return Ok(());
    }
    Err(Refusal::new(Code::UnknownParameter, format!("{name:?} is not known here"))
        .at(name.to_owned())
        .hint(hint_for(name, known)))
}

/// Whether a piece of a query string gives the value of a name.
pub(super) fn names(pair: &str, wanted: &str) -> bool {
    decode(pair.split_once('=').map_or(pair, |(name, _)| name)).is_ok_and(|name| name == wanted)
}

pub(super) fn missing(name: &'static str) -> Refusal {
    Refusal::new(Code::MissingParameter, format!("{name} is missing")).at(name)
}

/// The pieces of a text between separators, like `split`: which takes four times as long to find a single byte in short texts.
pub(super) fn pieces(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.bytes().position(|byte| byte == separator);
        rest = end.map(|end| &text[end + 1..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

/// Whether a text stands for itself: it has no escapes.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |plain, byte| plain & (byte != b'%') & (byte != b'+'))
}

/// Percent-decodes a piece of a query string. A `%` that begins no escape stays, as in `LIKE 'Caf%'`.
fn decode(piece: &str) -> Result<Cow<'_, str>, Refusal> {
    let decoded = if piece.contains('+') {
        let spaced = piece.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8().map(|text| Cow::Owned(text.into_owned()))
    } else {
        percent_decode_str(piece).decode_utf8()
    };
    decoded.map_err(|_| bad_encoding(piece))
}

/// Percent-decodes a piece of a path, where `+` is itself.
pub(super) fn decode_segment(segment: &str) -> Result<Cow<'_, str>, Refusal> {
    if is_plain(segment) {
        return Ok(Cow::Borrowed(segment));
    }
    percent_decode_str(segment).decode_utf8().map_err(|_| bad_encoding(segment))
}

fn bad_encoding(piece: &str) -> Refusal {
    Refusal::new(Code::BadEncoding, "a percent-encoded text is not UTF-8").value(piece).hint("encode text as UTF-8")
}

/// What people write who mean something that we know.
const MEANT: &[(&str, &[&str])] = &[
    ("lon", &["lng", "long", "longitude", "x"]),
    ("lat", &["latitude", "y"]),
    ("radius", &["r", "dist", "distance", "max_distance", "radius_m", "within_m"]),
    ("k", &["n", "nearest", "neighbors", "neighbours"]),
    ("limit", &["count", "size", "page_size", "per_page", "max", "top"]),
    ("cursor", &["offset", "page", "skip", "start", "after", "token"]),
    ("f", &["format", "output"]),
    ("filter", &["q", "where", "query", "cql"]),
    ("fields", &["select", "properties", "attributes"]),
    ("bbox", &["box", "bounds", "rect"]),
    ("geohash", &["hash"]),
    ("within", &["polygon", "geometry", "intersects"]),
    ("index", &["kind", "algorithm"]),
    ("metric", &["measure", "formula"]),
];

fn hint_for(name: &str, known: &[&'static str]) -> String {
    let lower = name.to_lowercase();
    if ["unit", "units"].contains(&&*lower) && known.contains(&"radius") {
        return "write the unit with the length, as in radius=2km".to_owned();
    }
    let same = known.iter().find(|known| **known == lower);
    let meant = || MEANT.iter().find(|(ours, theirs)| known.contains(ours) && theirs.contains(&&*lower));
    match same.copied().or_else(|| meant().map(|(ours, _)| *ours)) {
        Some(ours) => format!("write {ours}"),
        None if known.is_empty() => "no parameters are known here".to_owned(),
        None => format!("known here: {}", known.join(", ")),
    }
}

/// A finite number as people write it.
pub(super) fn number(text: &str) -> Result<f64, Refusal> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| {
        let hint = if text.contains(',') { "write a decimal point, as in 48.857" } else { "write it as in 48.857" };
        Refusal::new(Code::BadNumber, format!("{text:?} is not a number")).hint(hint)
    })
}

/// A whole number of zero or more.
pub(super) fn whole<T: TryFrom<u64>>(text: &str) -> Result<T, Refusal> {
    let number = text.trim().parse::<u64>().ok().and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| {
        Refusal::new(Code::BadNumber, format!("{text:?} is not a whole number in range")).hint("write it as in 10")
    })
}

/// One of some words.
pub(super) fn choice<'w, T>(
    text: &str,
    words: impl IntoIterator<Item = (&'w str, T), IntoIter: Clone>,
) -> Result<T, Refusal> {
    let words = words.into_iter();
    if let Some((_, value)) = words.clone().find(|(word, _)| *word == text) {
        return Ok(value);
    }
    let known: Vec<&str> = words.map(|(word, _)| word).collect();
    Err(Refusal::new(Code::UnknownChoice, format!("{text:?} is not known"))
        .hint(format!("use one of {}", known.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(query: &str, known: &[&'static str]) -> Code {
        Params::of_query(query, known).unwrap_err().code
    }

    #[test]
    fn values_are_decoded_once() {
        let params = Params::of_query("a=1%2B1+x&&b&c=%2525=2&d=Caf%'&", &["a", "b", "c", "d"]).unwrap();
        for (name, value) in [("a", "1+1 x"), ("b", ""), ("c", "%25=2"), ("d", "Caf%'")] {
            assert_eq!(params.given(name), Some(&Given::Text(value.into())));
        }
    }

    #[test]
    fn what_is_repeated_unknown_or_not_text_is_refused() {
        assert_eq!(code("k=1&k=1", &["k"]), Code::RepeatedParameter);
        assert_eq!(code("k=1&%6b=1", &["k"]), Code::RepeatedParameter);
        assert_eq!(code("k=1&K=1", &["k"]), Code::UnknownParameter);
        assert_eq!(code("k=%FF", &["k"]), Code::BadEncoding);
    }

    #[test]
    fn hints_name_what_was_meant() {
        let known = ["lat", "lon", "radius"];
        assert_eq!(hint_for("lng", &known), "write lon");
        assert_eq!(hint_for("Radius", &known), "write radius");
        assert_eq!(hint_for("units", &known), "write the unit with the length, as in radius=2km");
        assert_eq!(hint_for("polygon", &known), "known here: lat, lon, radius");
    }
}
