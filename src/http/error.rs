//! What is said when a request cannot be answered: one table of stable codes, in the form of RFC 9457.
//!
//! What surprises: `detail` and `hint` are mostly the sentence of a lower floor, cut in two. Down there a refusal says
//! what is wrong, then `; `, then what would be right.

use std::borrow::Cow;

use serde::Serialize;

use crate::engine::EngineError;
use crate::format::geojson::GeoJsonError;
use crate::format::{Fault, HeaderError};
use crate::geometry::GeometryError;
use crate::query::{FilterError, PageError, QueryError};

/// The media type of a refusal.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// The longest value that is repeated in an answer, in characters.
const SHOWN: usize = 120;

/// The longest sentence on what is wrong, in characters: it may repeat a value as well.
const SENTENCE: usize = 600;

/// What can be wrong with a request. The names in [`PROBLEMS`] are contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each has its title in the table")]
pub enum Code {
    BadEncoding,
    UnknownParameter,
    RepeatedParameter,
    MissingParameter,
    BadNumber,
    NumberOutOfRange,
    CoordinateOutOfRange,
    BadLength,
    BadBox,
    BadGeohash,
    BadPolygon,
    BadFilter,
    BadCursor,
    UnknownChoice,
    BadCollectionName,
    BadId,
    BadTime,
    BadTile,
    BadFence,
    BadHeader,
    BadItem,
    BadBody,
    Unauthorized,
    Forbidden,
    ForeignOrigin,
    NotFound,
    CollectionNotFound,
    ItemNotFound,
    IndexNotFound,
    MethodNotAllowed,
    NotAcceptable,
    TooSlow,
    ChangesGone,
    PreconditionFailed,
    BodyTooLarge,
    UnpacksTooLarge,
    UnsupportedMediaType,
    TooCostly,
    KeyReused,
    RowsRejected,
    TooManyRequests,
    InternalError,
    Overloaded,
    Starting,
    Stopping,
    Behind,
    ReadOnly,
    Unavailable,
    DiskFull,
}

/// A row of the table.
#[derive(Debug)]
pub struct Problem {
    /// Which one it is.
    pub code: Code,
    /// The code as clients read it. It never changes.
    pub name: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// The same for every occurrence.
    pub title: &'static str,
    /// After how many seconds it is worth asking again, where it is.
    pub retry_after_s: Option<u16>,
}

const fn row(code: Code, name: &'static str, status: u16, title: &'static str) -> Problem {
    Problem { code, name, status, title, retry_after_s: None }
}

const fn passing(code: Code, name: &'static str, status: u16, title: &'static str, retry_after_s: u16) -> Problem {
    Problem { code, name, status, title, retry_after_s: Some(retry_after_s) }
}

/// Every code with its status and title, in the order of [`Code`].
pub static PROBLEMS: &[Problem] = &[
    row(Code::BadEncoding, "bad-encoding", 400, "The URL is not UTF-8 once percent-decoded"),
    row(Code::UnknownParameter, "unknown-parameter", 400, "There is no such parameter here"),
    row(Code::RepeatedParameter, "repeated-parameter", 400, "A parameter is given more than once"),
    row(Code::MissingParameter, "missing-parameter", 400, "A parameter is missing"),
    row(Code::BadNumber, "bad-number", 400, "A parameter is not the number it should be"),
    row(Code::NumberOutOfRange, "number-out-of-range", 400, "A number is too small or too large"),
    row(Code::CoordinateOutOfRange, "coordinate-out-of-range", 400, "A position is not on the earth"),
    row(Code::BadLength, "bad-length", 400, "A length cannot be used"),
    row(Code::BadBox, "bad-box", 400, "A box cannot be used"),
    row(Code::BadGeohash, "bad-geohash", 400, "A geohash cannot be read"),
    row(Code::BadPolygon, "bad-polygon", 400, "A polygon cannot be used"),
    row(Code::BadFilter, "bad-filter", 400, "A filter cannot be read"),
    row(Code::BadCursor, "bad-cursor", 400, "A cursor does not belong to this query"),
    row(Code::UnknownChoice, "unknown-choice", 400, "A parameter is none of the words it may be"),
    row(Code::BadCollectionName, "bad-collection-name", 400, "This cannot be the name of a collection"),
    row(Code::BadId, "bad-id", 400, "This cannot be the id of an item"),
    row(Code::BadTime, "bad-time", 400, "A time or a duration cannot be read"),
    row(Code::BadTile, "bad-tile", 400, "There is no such tile"),
    row(Code::BadFence, "bad-fence", 400, "This cannot be a fence"),
    row(Code::BadHeader, "bad-header", 400, "A header cannot be used"),
    row(Code::BadItem, "bad-item", 400, "This cannot be an item"),
    row(Code::BadBody, "bad-body", 400, "The body cannot be read"),
    row(Code::Unauthorized, "unauthorized", 401, "A key is needed"),
    row(Code::Forbidden, "forbidden", 403, "The key does not allow this"),
    row(Code::ForeignOrigin, "foreign-origin", 403, "A page of another site may not ask this"),
    row(Code::NotFound, "not-found", 404, "There is nothing under this path"),
    row(Code::CollectionNotFound, "collection-not-found", 404, "There is no such collection"),
    row(Code::ItemNotFound, "item-not-found", 404, "There is no such item"),
    row(Code::IndexNotFound, "index-not-found", 404, "There is no such index"),
    row(Code::MethodNotAllowed, "method-not-allowed", 405, "This path has other methods"),
    row(Code::NotAcceptable, "not-acceptable", 406, "No format of answers is among those accepted"),
    row(Code::TooSlow, "too-slow", 408, "The body did not come"),
    row(Code::ChangesGone, "changes-gone", 410, "Changes from so long ago are not kept"),
    row(Code::PreconditionFailed, "precondition-failed", 412, "The item is not as the request wants it"),
    row(Code::BodyTooLarge, "body-too-large", 413, "The body is too large"),
    row(Code::UnpacksTooLarge, "unpacks-too-large", 413, "The body unpacks to far more than it came as"),
    row(Code::UnsupportedMediaType, "unsupported-media-type", 415, "The body is of a type that is not read here"),
    row(Code::TooCostly, "too-costly", 422, "Answering would take too long"),
    row(Code::KeyReused, "key-reused", 422, "The idempotency key belongs to another request"),
    row(Code::RowsRejected, "rows-rejected", 422, "Rows were rejected, so nothing was taken"),
    passing(Code::TooManyRequests, "too-many-requests", 429, "Too many requests from one place", 1),
    row(Code::InternalError, "internal-error", 500, "The service made a mistake"),
    passing(Code::Overloaded, "overloaded", 503, "Too much is asked at once", 1),
    passing(Code::Starting, "starting", 503, "The service is starting", 1),
    passing(Code::Stopping, "stopping", 503, "The service is stopping", 5),
    passing(Code::Behind, "behind", 503, "A change that the request wants to see has not come yet", 1),
    passing(Code::ReadOnly, "read-only", 503, "Nothing can be written", 60),
    passing(Code::Unavailable, "unavailable", 503, "This cannot be done now", 10),
    row(Code::DiskFull, "disk-full", 507, "The disk is full"),
];

impl Code {
    /// The row of this code.
    pub fn problem(self) -> &'static Problem {
        &PROBLEMS[self as usize]
    }
}

/// A request that is not answered, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Code,
    detail: String,
    parameter: Option<Cow<'static, str>>,
    value: Option<String>,
    hint: Option<String>,
    retry_after_s: Option<u16>,
    /// What is for those who keep the service, not for those who ask it.
    insight: Option<Box<str>>,
}

impl Refusal {
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Refusal {
        let (parameter, value, hint, retry_after_s, insight) = (None, None, None, None, None);
        Refusal { code, detail: shortened(detail.into(), SENTENCE), parameter, value, hint, retry_after_s, insight }
    }

    /// From a sentence of a lower floor: what is wrong; what would be right.
    fn saying(code: Code, sentence: &impl ToString) -> Refusal {
        let sentence = sentence.to_string();
        match sentence.rsplit_once("; ") {
            Some((detail, hint)) => Refusal::new(code, detail).hint(hint),
            None => Refusal::new(code, sentence),
        }
    }

    /// The parameter that is to blame.
    pub(super) fn at(self, parameter: impl Into<Cow<'static, str>>) -> Refusal {
        let parameter = match parameter.into() {
            Cow::Borrowed(ours) => Cow::Borrowed(ours),
            Cow::Owned(given) => Cow::Owned(shortened(given, SHOWN)),
        };
        Refusal { parameter: Some(parameter), ..self }
    }

    /// Its value as given.
    pub(super) fn value(self, value: &str) -> Refusal {
        let end = value.char_indices().nth(SHOWN + 1).map_or(value.len(), |(end, _)| end);
        Refusal { value: Some(shortened(value[..end].to_owned(), SHOWN)), ..self }
    }

    /// What would be right.
    pub(super) fn hint(self, hint: impl Into<String>) -> Refusal {
        Refusal { hint: Some(hint.into()), ..self }
    }

    /// After how many seconds it is worth asking again, where that is known better than by the table.
    pub(super) fn retry_after(self, seconds: u16) -> Refusal {
        Refusal { retry_after_s: Some(seconds), ..self }
    }

    /// What goes to the log, and not to the client.
    fn noting(self, insight: impl Into<Box<str>>) -> Refusal {
        Refusal { insight: Some(insight.into()), ..self }
    }

    pub(super) fn retry_after_s(&self) -> Option<u16> {
        self.retry_after_s.or(self.code.problem().retry_after_s)
    }

    pub(super) fn insight(&self) -> Option<&str> {
        self.insight.as_deref()
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// The body of the answer.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let Problem { name, status, title, .. } = *self.code.problem();
        let body = Body {
            kind: format!("/problems/{name}"),
            title,
            status,
            detail: &self.detail,
            code: name,
            parameter: self.parameter.as_deref(),
            value: self.value.as_deref(),
            hint: self.hint.as_deref(),
        };
        serde_json::to_vec(&body).expect("texts and a number are always JSON")
    }
}

/// A text without what goes beyond so many characters.
fn shortened(mut text: String, characters: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(characters) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A refusal as RFC 9457 has it; the last four members are ours.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

impl From<GeometryError> for Refusal {
    fn from(error: GeometryError) -> Refusal {
        use GeometryError as E;
        let (code, parameter) = match &error {
            E::Latitude { .. } => (Code::CoordinateOutOfRange, "lat"),
            E::Longitude { .. } => (Code::CoordinateOutOfRange, "lon"),
            E::Box { .. } => (Code::BadBox, "bbox"),
            E::Radius { .. } | E::Length { .. } => (Code::BadLength, "radius"),
            E::Ring { .. } | E::EmptyPolygon => (Code::BadPolygon, "within"),
            E::UnknownEdges { .. } => (Code::UnknownChoice, "edges"),
            E::Geohash { .. } => (Code::BadGeohash, "geohash"),
            E::UnknownMetric { .. } => (Code::UnknownChoice, "metric"),
            E::Zoom { .. } => (Code::BadTile, "z"),
            E::Tile { .. } => (Code::BadTile, "z"),
        };
        Refusal::saying(code, &error).at(parameter)
    }
}

impl From<GeoJsonError> for Refusal {
    fn from(error: GeoJsonError) -> Refusal {
        Refusal::saying(Code::BadPolygon, &error)
    }
}

impl From<FilterError> for Refusal {
    fn from(error: FilterError) -> Refusal {
        Refusal::saying(Code::BadFilter, &error)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        let Fault { code, value, detail, hint } = fault;
        let (code, parameter) = match code {
            "missing-latitude" => (Code::BadItem, Some("lat")),
            "missing-longitude" => (Code::BadItem, Some("lon")),
            "bad-latitude" => (Code::CoordinateOutOfRange, Some("lat")),
            "bad-longitude" => (Code::CoordinateOutOfRange, Some("lon")),
            "bad-id" => (Code::BadId, Some("id")),
            "bad-properties" => (Code::BadItem, Some("properties")),
            "bad-expiry" => (Code::BadTime, None),
            "bad-json" => (Code::BadBody, None),
            _ => (Code::BadItem, None),
        };
        let refusal = Refusal::new(code, detail);
        let refusal = parameter.into_iter().fold(refusal, Refusal::at);
        let refusal = value.iter().fold(refusal, |refusal, value| refusal.value(value));
        hint.into_iter().fold(refusal, Refusal::hint)
    }
}

impl From<HeaderError> for Refusal {
    fn from(error: HeaderError) -> Refusal {
        match error {
            HeaderError::Unusable(fault) => Refusal { code: Code::BadBody, ..fault.into() },
            other => Refusal::new(Code::BadBody, format!("the body cannot be read: {other}")),
        }
    }
}

impl From<PageError> for Refusal {
    fn from(error: PageError) -> Refusal {
        let (code, parameter) = match &error {
            PageError::Limit { .. } => (Code::NumberOutOfRange, "limit"),
            PageError::K { .. } => (Code::NumberOutOfRange, "k"),
            PageError::Cursor { .. } | PageError::Order { .. } => (Code::BadCursor, "cursor"),
        };
        Refusal::saying(code, &error).at(parameter)
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Refusal {
        match error {
            QueryError::KindNotKept { .. } => Refusal::saying(Code::UnknownChoice, &error).at("index"),
            // How many units of work those were is our own affair.
            QueryError::OverBudget { .. } => {
                Refusal::new(Code::TooCostly, "answering takes more time than one request may")
                    .hint("ask for a smaller area, fewer answers or a simpler filter")
            }
            QueryError::TooManyToFilter { .. } => Refusal::saying(Code::BadFilter, &error),
            QueryError::Page(page) => page.into(),
        }
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Refusal {
        use EngineError as E;
        match error {
            E::Name { ref name } => Refusal::saying(Code::BadCollectionName, &error).value(name),
            E::NoCollection { ref name, .. } => Refusal::saying(Code::CollectionNotFound, &error).value(name.as_str()),
            E::Query(query) => query.into(),
            E::Key { .. } => Refusal::saying(Code::BadHeader, &error).at("idempotency-key"),
            E::KeyReused { ref key } => Refusal::saying(Code::KeyReused, &error).at("idempotency-key").value(key),
            E::Condition { ref id, .. } => Refusal::saying(Code::PreconditionFailed, &error).value(id.as_str()),
            E::Busy => Refusal::saying(Code::Overloaded, &error),
            E::Behind { asked, .. } => Refusal::saying(Code::Behind, &error)
                .at("min_seq")
                .value(&asked.to_string())
                .hint("ask again in a moment"),
            E::DiskFull => Refusal::saying(Code::DiskFull, &error),
            E::ReadOnly { reason } => Refusal::new(Code::ReadOnly, "nothing is written any more; reads go on")
                .hint("tell who keeps the service")
                .noting(reason),
            E::Closed => Refusal::saying(Code::Stopping, &error),
            other => Refusal::new(Code::Unavailable, "this could not be done")
                .hint("the log of the service says why")
                .noting(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Point;

    #[test]
    fn every_code_stands_in_its_row_with_a_name_of_its_own() {
        for (at, problem) in PROBLEMS.iter().enumerate() {
            assert_eq!(problem.code as usize, at, "{}", problem.name);
            assert!(
                (400..500).contains(&problem.status) || [500, 503, 507].contains(&problem.status),
                "{}",
                problem.name
            );
            assert_eq!(PROBLEMS.iter().filter(|other| other.name == problem.name).count(), 1);
        }
        assert_eq!(Code::DiskFull as usize + 1, PROBLEMS.len());
    }

    #[test]
    fn a_swapped_position_reads_as_the_contract_says() {
        let refusal = Refusal::from(Point::new(151.2, -33.8).unwrap_err()).value("151.2");
        let json: serde_json::Value = serde_json::from_slice(&refusal.to_json()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "type": "/problems/coordinate-out-of-range", "title": "A position is not on the earth", "status": 400,
                "detail": "latitude 151.2 is outside -90..90", "code": "coordinate-out-of-range", "parameter": "lat",
                "value": "151.2", "hint": "lat and lon look swapped: try lat=-33.8&lon=151.2",
            })
        );
    }

    #[test]
    fn what_the_disk_cannot_do_now_is_no_fault_of_the_request() {
        for (error, status) in [(EngineError::DiskFull, 507), (EngineError::Busy, 503), (EngineError::Closed, 503)] {
            assert_eq!(Refusal::from(error).code.problem().status, status);
        }
        let refusal = Refusal::from(EngineError::ReadOnly { reason: "/var/lib/nigh: Input/output error".to_owned() });
        assert_eq!(refusal.code, Code::ReadOnly);
        assert!(!String::from_utf8(refusal.to_json()).unwrap().contains("/var"), "our insides stay inside");
    }

    #[test]
    fn a_long_value_is_not_sent_back_whole() {
        let refusal = Refusal::new(Code::BadNumber, "x").value(&"é".repeat(5000));
        assert_eq!(refusal.value.unwrap().chars().count(), SHOWN + 1);
    }
}
