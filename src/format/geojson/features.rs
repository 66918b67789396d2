//! GeoJSON in: a FeatureCollection, a list of Features, or one Feature, as a stream.
//!
//! What surprises: nobody parses the file. A scanner that knows strings and brackets finds where each feature ends, and only that
//! piece is read as JSON; so memory stays flat whatever the file's size, and a feature that is none costs no other. Where the scanner
//! itself is at a loss, between features, the rest is not read, and that is said.
//!
//! Members other than `features` and `type` are passed over, before and behind it; an object with features that says it is no
//! FeatureCollection is refused. A list may also hold items in the plain form.

use std::io::{self, BufRead, BufReader};

use crate::format::lines::{ROW_BYTES_MAX, fill};
use crate::format::rejected::{Fault, NO_FEATURE, REST_UNREAD, Rejected, TOO_LONG};
use crate::format::{Incoming, Reader, Rows, read_item};

/// The registered reader.
pub(in crate::format) const READER: Reader = Reader {
    name: "geojson",
    summary: "a GeoJSON FeatureCollection of Points, a list of Features, or one Feature",
    media_types: &["application/geo+json", "application/vnd.geo+json"],
    extensions: &["geojson", "json"],
    open: |source, _| Ok(Rows::one_by_one(Features::new(BufReader::with_capacity(64 * 1024, source)))),
};

/// No name of a member, and no type, is looked at beyond so many bytes.
const TEXT_BYTES: usize = 64;

/// The features of a file, one by one.
///
/// ```
/// use nigh::format::geojson::Features;
/// let text = r#"{"type":"FeatureCollection","features":[
///     {"type":"Feature","id":"a","geometry":{"type":"Point","coordinates":[2.352,48.857]},"properties":{}},
///     {"type":"Feature","id":"b","geometry":{"type":"LineString","coordinates":[]},"properties":{}}]}"#;
/// let mut features = Features::new(text.as_bytes());
/// assert_eq!(features.next().unwrap()?.unwrap().point.lat_deg(), 48.857);
/// let rejected = features.next().unwrap()?.unwrap_err();
/// assert_eq!((rejected.line, rejected.code), (3, "no-point"));
/// assert!(features.next().is_none());
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Features<R> {
    input: R,
    line: u64,
    place: Place,
    /// Whether the list of features is a member of an object, and whether such a list has been met.
    in_object: bool,
    listed: bool,
    /// What the outer object says it is, once it did.
    kind: Option<String>,
    /// What was passed since it was last cleared, and at most one byte more than a feature may have.
    passed: Vec<u8>,
}

/// Where in the file the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// In the outer object, before a member or its end; and behind one.
    Member,
    BehindMember,
    /// In the list, before the first feature or its end; before a further one; and behind one.
    FirstFeature,
    Feature,
    BehindFeature,
    /// Behind everything.
    Behind,
    Done,
}

/// Why the scanner cannot go on.
enum Stop {
    Io(io::Error),
    /// What is wrong.
    Syntax(String),
    /// What this is instead.
    Refused(Fault),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Io(error)
    }
}

/// A row, or nothing yet.
type Step = Result<Option<Result<Incoming, Rejected>>, Stop>;

impl<R: BufRead> Features<R> {
    /// Reads features from an input.
    pub fn new(input: R) -> Features<R> {
        Features {
            input,
            line: 1,
            place: Place::Start,
            in_object: false,
            listed: false,
            kind: None,
            passed: Vec::new(),
        }
    }

    fn step(&mut self) -> Step {
        let next = self.peek()?;
        match (self.place, next) {
            (Place::Start, Some(b'[')) => self.enter(Place::FirstFeature, false),
            (Place::Start, Some(b'{')) => {
                self.passed.clear();
                self.enter(Place::Member, true)
            }
            (Place::Start, Some(_)) => Err(self.unexpected("a GeoJSON object or a list of Features")?),
            (Place::Start, None) => Err(Stop::Syntax("the file is empty".to_owned())),
            (Place::Member, Some(b'"')) => self.member(),
            (Place::Member | Place::BehindMember, Some(b'}')) => self.end_of_object(),
            (Place::Member, _) => Err(self.unexpected("a member of the collection")?),
            (Place::BehindMember, Some(b',')) => self.enter(Place::Member, true),
            (Place::BehindMember, _) => Err(self.unexpected("a comma or }")?),
            (Place::FirstFeature | Place::BehindFeature, Some(b']')) => {
                self.enter(if self.in_object { Place::BehindMember } else { Place::Behind }, self.in_object)
            }
            (Place::FirstFeature | Place::Feature, Some(_)) => self.feature(),
            (Place::FirstFeature | Place::Feature, None) => Err(self.unexpected("a feature")?),
            (Place::BehindFeature, Some(b',')) => self.enter(Place::Feature, self.in_object),
            (Place::BehindFeature, _) => Err(self.unexpected("a comma or ]")?),
            (Place::Behind, Some(_)) => Err(Stop::Syntax("something stands behind the end of the GeoJSON".to_owned())),
            (Place::Behind | Place::Done, None) | (Place::Done, Some(_)) => {
                self.place = Place::Done;
                Ok(None)
            }
        }
    }

    /// Takes the byte that leads to another place.
    fn enter(&mut self, place: Place, in_object: bool) -> Step {
        self.pass(1);
        (self.place, self.in_object) = (place, in_object);
        Ok(None)
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            let bytes = fill(&mut self.input)?;
            // A byte-order mark can only stand at the very beginning; anywhere else it is met again as what it is.
            let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            let Some(&first) = bytes.first() else { return Ok(None) };
            match bytes.iter().position(|byte| !blank(byte)) {
                Some(0) if self.place == Place::Start && first == 0xEF => self.pass_byte_order_mark()?,
                Some(0) => return Ok(Some(first)),
                Some(spaces) => self.pass(spaces),
                None => {
                    let all = bytes.len();
                    self.pass(all);
                }
            }
        }
    }

    fn pass_byte_order_mark(&mut self) -> io::Result<()> {
        for expected in b"\xEF\xBB\xBF" {
            if fill(&mut self.input)?.first() == Some(expected) {
                self.input.consume(1);
            }
        }
        Ok(())
    }

    /// Goes on by so many bytes that have come.
    fn pass(&mut self, bytes: usize) {
        let waiting = self.input.fill_buf().unwrap_or_default();
        let passed = &waiting[..bytes.min(waiting.len())];
        self.line += passed.iter().filter(|&&byte| byte == b'\n').count() as u64;
        let room = (ROW_BYTES_MAX + 1).saturating_sub(self.passed.len());
        self.passed.extend_from_slice(&passed[..passed.len().min(room)]);
        self.input.consume(bytes);
    }

    /// Goes on to the end that a function finds among the bytes that come: how many of them, once it knows.
    fn pass_until(&mut self, mut end: impl FnMut(&[u8]) -> Option<usize>) -> Result<(), Stop> {
        loop {
            let bytes = fill(&mut self.input)?;
            let all = bytes.len();
            if all == 0 {
                return Err(Stop::Syntax("the file ends in the middle".to_owned()));
            }
            let found = end(bytes);
            self.pass(found.unwrap_or(all));
            if found.is_some() {
                return Ok(());
            }
        }
    }

    /// A member of the outer object: the features, or something to pass over.
    fn member(&mut self) -> Step {
        let name = self.string()?;
        if self.peek()? != Some(b':') {
            return Err(self.unexpected("a colon")?);
        }
        self.pass(1);
        let value = self.peek()?;
        // A Feature may have members of any name.
        if name == b"\"features\"" && self.kind.as_deref() != Some("Feature") {
            self.listed = true;
            self.is_collection()?;
            return match value {
                Some(b'[') => self.enter(Place::FirstFeature, true),
                _ => Err(self.unexpected("a list of features")?),
            };
        }
        if name == b"\"type\"" && value == Some(b'"') {
            let kind = self.string()?;
            self.kind =
                Some(serde_json::from_slice(&kind).unwrap_or_else(|_| String::from_utf8_lossy(&kind).into_owned()));
            self.is_collection()?;
        } else {
            self.value()?;
        }
        self.place = Place::BehindMember;
        Ok(None)
    }

    /// Passes a string; gives it with its quotes, or as much of it as is looked at.
    fn string(&mut self) -> Result<Vec<u8>, Stop> {
        let (mut text, mut strings) = (Vec::new(), Strings::default());
        self.pass_until(|bytes| {
            let end = bytes.iter().position(|&byte| strings.closes(byte)).map(|at| at + 1);
            let room = TEXT_BYTES.saturating_sub(text.len());
            text.extend(bytes[..end.unwrap_or(bytes.len())].iter().take(room));
            end
        })?;
        Ok(text)
    }

    /// Refuses an object with a list of features that says it is something else.
    fn is_collection(&self) -> Result<(), Stop> {
        match &self.kind {
            Some(kind) if self.listed && kind != "FeatureCollection" => Err(Stop::Refused(
                Fault::new(NO_FEATURE, format!("there are features in something of type {kind:?}"))
                    .value(kind)
                    .hint("send a FeatureCollection, a list of Features, or one Feature"),
            )),
            _ => Ok(()),
        }
    }

    /// The end of the outer object. If it held no features, it is one itself, or should be.
    fn end_of_object(&mut self) -> Step {
        let _ = self.enter(Place::Behind, false)?;
        if self.listed {
            return Ok(None);
        }
        let lines = self.passed.iter().filter(|&&byte| byte == b'\n').count() as u64;
        let first_line = if self.passed.len() > ROW_BYTES_MAX { 1 } else { self.line - lines };
        Ok(Some(self.read_passed(first_line)))
    }

    fn feature(&mut self) -> Step {
        self.passed.clear();
        let line = self.line;
        self.value()?;
        self.place = Place::BehindFeature;
        Ok(Some(self.read_passed(line)))
    }

    fn read_passed(&self, line: u64) -> Result<Incoming, Rejected> {
        let read = if self.passed.len() > ROW_BYTES_MAX {
            let beginning = String::from_utf8_lossy(&self.passed[..120]).into_owned();
            Err(Fault::new(TOO_LONG, format!("the feature has more than {ROW_BYTES_MAX} bytes")).value(&beginning))
        } else {
            read_item(&self.passed)
        };
        read.map_err(|fault| fault.at_line(line))
    }

    /// Passes a value of any kind.
    fn value(&mut self) -> Result<(), Stop> {
        match self.peek()? {
            Some(b'{' | b'[') => {
                let (mut depth, mut strings) = (0_u64, Strings::default());
                self.pass_until(|bytes| {
                    for (at, &byte) in bytes.iter().enumerate() {
                        if strings.is_inside(byte) {
                            continue;
                        }
                        match byte {
                            b'{' | b'[' => depth += 1,
                            b'}' | b']' if depth == 1 => return Some(at + 1),
                            b'}' | b']' => depth -= 1,
                            _ => {}
                        }
                    }
                    None
                })
            }
            Some(b'"') => {
                let mut strings = Strings::default();
                self.pass_until(|bytes| bytes.iter().position(|&byte| strings.closes(byte)).map(|at| at + 1))
            }
            Some(first) if first == b'-' || first.is_ascii_alphanumeric() => {
                let ends = |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'+' | b'.');
                self.pass_until(|bytes| bytes.iter().position(ends))
            }
            _ => Err(self.unexpected("a value")?),
        }
    }

    fn unexpected(&mut self, wanted: &str) -> io::Result<Stop> {
        let found = match self.peek()? {
            None => return Ok(Stop::Syntax(format!("the file ends where {wanted} should be"))),
            Some(byte) if byte.is_ascii_graphic() => format!("{:?}", char::from(byte)),
            Some(byte) => format!("the byte {byte:#04x}"),
        };
        Ok(Stop::Syntax(format!("there is {found} where {wanted} should be")))
    }
}

impl<R: BufRead> Iterator for Features<R> {
    type Item = io::Result<Result<Incoming, Rejected>>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.place != Place::Done {
            match self.step() {
                Ok(None) => {}
                Ok(Some(row)) => return Some(Ok(row)),
                Err(stop) => {
                    self.place = Place::Done;
                    return Some(match stop {
                        Stop::Io(error) => Err(error),
                        Stop::Refused(fault) => Ok(Err(fault.at_line(self.line))),
                        Stop::Syntax(detail) => Ok(Err(Fault::new(REST_UNREAD, detail)
                            .hint("what stands behind this place was not read; mend it and send the file again")
                            .at_line(self.line))),
                    });
                }
            }
        }
        None
    }
}

/// Whether the bytes that pass are inside a string.
#[derive(Default)]
struct Strings {
    inside: bool,
    escaped: bool,
}

impl Strings {
    /// Takes a byte: whether it belongs to a string, its quotes included.
    #[inline]
    fn is_inside(&mut self, byte: u8) -> bool {
        if !self.inside {
            self.inside = byte == b'"';
            return self.inside;
        }
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.inside = false;
        }
        true
    }

    /// Takes a byte: whether it is the quote that ends the string.
    fn closes(&mut self, byte: u8) -> bool {
        let was_inside = self.inside;
        self.is_inside(byte);
        was_inside && !self.inside
    }
}

#[cfg(test)]
#[path = "features_tests.rs"]
mod tests;
