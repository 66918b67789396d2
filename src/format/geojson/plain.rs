//! Polygons as nearly everybody writes them, read in one pass.
//!
//! What surprises: a reader of JSON stands right beside it. This one knows a `type`, `coordinates` and nothing else; it judges no
//! polygon and explains no mistake. Whatever it does not know it leaves to the other, which is three times as slow and says why.
//!
//! *Why*: of a request with a polygon of a hundred corners, reading its four kilobytes was a third. Knowing where a value ends,
//! before it is read, reads it twice, and so does `f64::from_str` with each number.

use super::Polygons;
use crate::format::decimal;

/// The end of a ring is looked for in so many bytes, to make room for its positions, which take about so many each.
const USUAL_RING_BYTES: usize = 4 << 10;
const USUAL_POSITION_BYTES: usize = 20;

/// Reads a Polygon or a MultiPolygon at the beginning of a text, and says where it ends; `None` for anything that is less plain.
///
/// ```
/// use nigh::format::geojson::read_plain_polygons;
/// let text = r#"{"type":"Polygon","coordinates":[[[0,0],[10,0],[5,8],[0,0]]]},"k":5}"#;
/// let (polygons, end) = read_plain_polygons(text).unwrap();
/// assert_eq!((polygons[0][0][2], &text[end..]), ([5.0, 8.0], ",\"k\":5}"));
/// ```
pub fn read_plain_polygons(text: &str) -> Option<(Polygons, usize)> {
    let mut scan = Scan { whole: text, text: text.as_bytes(), at: 0 };
    let (mut kind, mut coordinates) = (None, None);
    scan.take(b'{')?;
    loop {
        let member = scan.word()?;
        scan.take(b':')?;
        match member {
            b"type" if kind.is_none() => kind = Some(scan.word()?),
            b"coordinates" if coordinates.is_none() => coordinates = Some(scan.polygons()?),
            _ => return None,
        }
        if scan.take(b',').is_none() {
            break;
        }
    }
    scan.take(b'}')?;
    let (polygons, wanted) = coordinates?;
    (kind? == wanted).then_some((polygons, scan.at))
}

/// A place in a text.
struct Scan<'a> {
    whole: &'a str,
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.text.get(self.at)? {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    /// A string of letters.
    fn word(&mut self) -> Option<&'a [u8]> {
        self.take(b'"')?;
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|byte| !byte.is_ascii_alphabetic())?;
        self.at += length + 1;
        (rest[length] == b'"').then_some(&rest[..length])
    }

    /// Coordinates, and the type that nests them so.
    fn polygons(&mut self) -> Option<(Polygons, &'static [u8])> {
        let mut ahead = Scan { ..*self };
        let depth = std::iter::from_fn(|| ahead.take(b'[')).take(4).count();
        match depth {
            3 => Some((vec![self.list(1, Scan::ring)?], b"Polygon")),
            4 => Some((self.list(1, |scan| scan.list(1, Scan::ring))?, b"MultiPolygon")),
            _ => None,
        }
    }

    fn ring(&mut self) -> Option<Vec<[f64; 2]>> {
        let rest = &self.text[self.at..];
        let end = memchr::memmem::find(&rest[..rest.len().min(USUAL_RING_BYTES)], b"]]");
        self.list(1 + end.unwrap_or(0) / USUAL_POSITION_BYTES, Scan::position)
    }

    /// A list that is not empty.
    #[inline]
    fn list<T>(&mut self, room: usize, each: impl Fn(&mut Scan<'a>) -> Option<T>) -> Option<Vec<T>> {
        self.take(b'[')?;
        let mut found = Vec::with_capacity(room);
        found.push(each(self)?);
        while self.take(b',').is_some() {
            found.push(each(self)?);
        }
        self.take(b']')?;
        Some(found)
    }

    fn position(&mut self) -> Option<[f64; 2]> {
        self.take(b'[')?;
        let lon = self.number()?;
        self.take(b',')?;
        let lat = self.number()?;
        while self.take(b',').is_some() {
            self.number()?;
        }
        self.take(b']')?;
        Some([lon, lat])
    }

    /// A number as JSON has it, `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`, that is finite.
    #[inline]
    fn number(&mut self) -> Option<f64> {
        self.peek()?;
        let text = &self.text[self.at..];
        let is_negative = text[0] == b'-';
        let from = usize::from(is_negative);
        let (point, mut digits) = digits(text, from, 0);
        let (whole, mut end, mut behind) = (point - from, point, 0);
        if whole == 0 || (whole > 1 && text[from] == b'0') {
            return None;
        }
        if text.get(point) == Some(&b'.') {
            (end, digits) = self::digits(text, point + 1, digits);
            behind = end - point - 1;
            (behind > 0).then_some(())?;
        }
        let has_exponent = matches!(text.get(end), Some(b'e' | b'E'));
        if !has_exponent
            && whole + behind <= decimal::DIGITS_MAX
            && let Some(number) = decimal::exact(digits, behind)
        {
            self.at += end;
            return Some(if is_negative { -number } else { number });
        }
        if has_exponent {
            let exponent = end + 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
            (end, _) = self::digits(text, exponent, 0);
            (end > exponent).then_some(())?;
        }
        let number: f64 = self.whole[self.at..self.at + end].parse().ok()?;
        self.at += end;
        number.is_finite().then_some(number)
    }
}

/// Steps over digits from a place on. Says where they end, and which number they make with those before.
#[inline(always)]
fn digits(text: &[u8], from: usize, before: u64) -> (usize, u64) {
    let (mut at, mut number) = (from, before);
    while let Some(byte) = text.get(at) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    (at, number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::geojson::read_any_polygons;
    use crate::repeatable::repeatable;
    use proptest::prelude::*;

    fn bits(polygons: &Polygons) -> Vec<Vec<Vec<[u64; 2]>>> {
        let ring = |ring: &Vec<[f64; 2]>| ring.iter().map(|place| place.map(f64::to_bits)).collect();
        polygons.iter().map(|rings| rings.iter().map(ring).collect()).collect()
    }

    /// Whatever is read here the other reader reads the same; whether it is read.
    fn is_plain(text: &str) -> bool {
        let Some((polygons, end)) = read_plain_polygons(text) else { return false };
        let whole = read_any_polygons(&text[..end]).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(bits(&polygons), bits(&whole), "{text}");
        true
    }

    proptest! {
        #![proptest_config(repeatable(512))]

        #[test]
        fn plain_polygons_are_read_as_by_the_other_reader(
            rings in prop::collection::vec(prop::collection::vec(prop::array::uniform2(any::<f64>().prop_filter("finite", |n| n.is_finite())), 1..9), 1..4),
            many in any::<bool>(), first in any::<bool>(), space in "[ \n\t\r]{0,2}",
        ) {
            let rings = serde_json::to_string(&rings).unwrap().replace(',', &format!("{space},{space}"));
            let (kind, coordinates) = if many { ("MultiPolygon", format!("[{rings},{space}{rings}]")) } else { ("Polygon", rings) };
            let text = match first {
                true => format!(r#"{space}{{{space}"type"{space}:{space}"{kind}",{space}"coordinates":{coordinates}}} x"#),
                false => format!(r#"{{"coordinates":{space}{coordinates}{space},"type":"{kind}"{space}}}"#),
            };
            prop_assert!(is_plain(&text), "{}", text);
        }

        #[test]
        fn what_is_broken_anywhere_is_read_as_by_the_other_reader_or_left_to_it(at in 0_usize..90, with in "[\\[\\]{},:\"eE.+0-9 -]|é|\\\\") {
            let text = r#"{"type":"Polygon","coordinates":[[[0,-0.5],[1.25e2,0],[10,8,3],[0,-0.5]],[[1,2],[3,4]]]}"#;
            let at = at.min(text.len() - 1);
            for until in [at, at + 1] {
                is_plain(&format!("{}{with}{}", &text[..at], &text[until..]));
            }
        }
    }

    #[test]
    fn what_is_less_plain_is_left_to_the_other_reader() {
        let good = r#"{"type":"Polygon","coordinates":[[[0,-0.0],[1E+2,0e-1],[5,8,3],[0,-0]]]}"#;
        assert!(is_plain(good));
        for (from, to) in [
            ("Polygon", "Point"),
            ("Polygon", "MultiPolygon"),
            (r#""type""#, r#""typ\u0065""#),
            (r#"{"type""#, r#"{"bbox":[1],"type""#),
            (r#"{"type""#, r#"{"type":"Polygon","type""#),
            ("[0,-0]", "[00,-0]"),
            ("[0,-0]", "[0]"),
            ("[0,-0]", "[+0,0]"),
            ("[0,-0]", "[0.,0]"),
            ("[0,-0]", "[.5,0]"),
            ("[0,-0]", "[0,1e]"),
            ("[0,-0]", "[0,1e999]"),
            ("[0,-0]", "[0,NaN]"),
            ("[0,-0]", "[0,\"1\"]"),
            ("[[[0", "[[0"),
            ("}", ""),
        ] {
            assert_eq!(read_plain_polygons(&good.replacen(from, to, 1)), None, "{from} as {to}");
        }
        for text in ["", "{", "{}", "[]", r#"{"type":"Polygon"}"#, r#"{"type":"Polygon","coordinates":[[[]]]}"#] {
            assert_eq!(read_plain_polygons(text), None, "{text}");
        }
    }
}
