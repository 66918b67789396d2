//! What a request asks: its parameters as a [`Query`], every value checked once.
//!
//! What surprises: one reading serves all operations. Which parameters an operation knows stands in its route; a parameter
//! that would change nothing, such as `edges` without `within`, is refused rather than passed over.

use std::sync::Arc;

use super::cursor;
use super::error::{Code, Refusal};
use super::params::{Given, Params, choice, missing, number, whole};
use crate::engine::View;
use crate::format::{FORMATS, Fields, Format, geojson};
use crate::geometry::{Edges, GeohashCell, Metric, Point, Polygon, PreparedPolygon, Radius, Rect, metric_named};
use crate::index::Kind;
use crate::query::{Answer, Filter, K, Limit, Near, Query};

/// How many of the nearest are given when nobody says how many or how far.
const NEAREST: usize = 10;

/// Of polygons with up to so many corners it is taken that few candidates will be asked about: what is made ready for many takes
/// longer than the search. Larger ones are made ready for any number.
const FEW_CORNERS: usize = 256;
const COMMON_CANDIDATES: usize = 500;

/// A query, and how its answer is to look.
pub(crate) struct Question {
    pub(crate) query: Query,
    pub(crate) fields: Fields,
    pub(crate) explain: bool,
}

impl Question {
    /// Reads a question to a collection.
    pub(super) fn read(params: &Params<'_>, view: &View) -> Result<Question, Refusal> {
        Ok(Question {
            query: page_of(params, view)?,
            fields: fields(params),
            explain: params.read("explain", truth)?.unwrap_or(false),
        })
    }

    /// Reads a question by names and values as a query string has them, for whoever asks an engine without HTTP. A refusal is what it
    /// would be over HTTP, `application/problem+json`.
    pub(crate) fn read_alone(pairs: &[(&'static str, &str)], view: &View) -> Result<Question, Vec<u8>> {
        let mut params = Params::default();
        let added = pairs.iter().try_for_each(|&(name, value)| params.add(name.into(), Given::Text(value.into())));
        added.and_then(|()| Question::read(&params, view)).map_err(|refusal| refusal.to_json())
    }

    /// The cursor of the page behind a page of the answer, as requests have it, if there is one.
    pub(crate) fn next(&self, answer: &Answer, view: &View) -> Option<String> {
        answer.next.as_ref().map(|cursor| cursor::written(cursor, &self.query, view.number))
    }
}

/// A query from where its cursor says.
pub(super) fn page_of(params: &Params<'_>, view: &View) -> Result<Query, Refusal> {
    let query = query(params, view.metric)?;
    if params.given("cursor").is_none() {
        return Ok(query);
    }
    let cursor = |text: &str| cursor::read(text, query, view.number);
    params.required("cursor", cursor)
}

/// A query from its beginning; distances are meant in `metric` when nobody says.
pub(super) fn query(params: &Params<'_>, metric: &'static dyn Metric) -> Result<Query, Refusal> {
    Ok(Query {
        near: near(params, metric)?,
        rect: params.read("bbox", rect)?,
        cell: params.read("geohash", GeohashCell::from_text)?,
        polygon: polygon(params)?,
        filter: params.read("filter", Filter::parse)?,
        kind: params.read("index", kind)?.flatten(),
        limit: params.read("limit", limit)?.unwrap_or_default(),
        cursor: None,
    })
}

fn near(params: &Params<'_>, metric: &'static dyn Metric) -> Result<Option<Near>, Refusal> {
    for aspect in ["radius", "k", "metric", "lon"] {
        params.needs(aspect, "lat")?;
    }
    let Some(lat_deg) = params.read("lat", number)? else { return Ok(None) };
    let centre = position(params, lat_deg, params.required("lon", number)?)?;
    let metric = self::metric(params, metric)?;
    let radius = params.read("radius", str::parse::<Radius>)?;
    let k = params.read("k", |text| Ok::<_, Refusal>(K::new(whole(text)?)?))?;
    let k = match (k, radius) {
        (None, None) => Some(K::new(NEAREST)?),
        (k, _) => k,
    };
    Ok(Some(Near { centre, metric, radius, k }))
}

fn position(params: &Params<'_>, lat_deg: f64, lon_deg: f64) -> Result<Point, Refusal> {
    Point::new(lat_deg, lon_deg).map_err(|error| {
        let name = if (-90.0..=90.0).contains(&lat_deg) { "lon" } else { "lat" };
        let value = params.text(name).ok().flatten().unwrap_or_default();
        Refusal::from(error).value(value)
    })
}

/// `LAT,LON` as one text.
pub(super) fn pair(text: &str) -> Result<Point, Refusal> {
    let Some((lat, lon)) = text.split_once(',') else {
        return Err(
            Refusal::new(Code::BadNumber, format!("{text:?} is no lat,lon")).hint("write it as in 48.857,2.352")
        );
    };
    Ok(Point::new(number(lat)?, number(lon)?)?)
}

/// `west,south,east,north` as one text; where it has six numbers, the heights are passed over.
pub(super) fn rect(text: &str) -> Result<Rect, Refusal> {
    let edges: Vec<f64> = text.split(',').take(7).map(number).collect::<Result<_, _>>()?;
    let ([west, south, east, north] | [west, south, _, east, north, _]) = edges[..] else {
        return Err(Refusal::new(Code::BadBox, format!("a box has four edges, not {}", edges.len()))
            .hint("write bbox=west,south,east,north"));
    };
    Ok(Rect::from_corners(south, west, north, east)?)
}

fn polygon(params: &Params<'_>) -> Result<Option<Arc<PreparedPolygon>>, Refusal> {
    params.needs("edges", "within")?;
    let edges = params.read("edges", str::parse::<Edges>)?.unwrap_or_default();
    params.read("within", |text| {
        let polygon = match params.given("within") {
            Some(Given::Area(polygons, _)) => Polygon::new(polygons, edges),
            _ => Polygon::new(&geojson::read_polygons(text)?, edges),
        };
        let polygon = polygon?;
        let expected = if polygon.vertex_count() <= FEW_CORNERS { COMMON_CANDIDATES } else { usize::MAX };
        Ok::<_, Refusal>(Arc::new(polygon.prepare_for(expected)))
    })
}

pub(super) fn limit(text: &str) -> Result<Limit, Refusal> {
    Ok(Limit::new(whole(text)?)?)
}

/// An index kind that is offered, or `auto` for whichever serves best.
fn kind(text: &str) -> Result<Option<&'static Kind>, Refusal> {
    choice(text, [("auto", None)].into_iter().chain(Kind::offered().map(|kind| (kind.name, Some(kind)))))
}

/// The metric that is asked for, or else the one that is meant when nobody says.
pub(super) fn metric(params: &Params<'_>, meant: &'static dyn Metric) -> Result<&'static dyn Metric, Refusal> {
    Ok(params.read("metric", metric_named)?.unwrap_or(meant))
}

pub(super) fn format(text: &str) -> Result<&'static Format, Refusal> {
    choice(text, FORMATS.iter().map(|format| (format.name, format)))
}

fn truth(text: &str) -> Result<bool, Refusal> {
    choice(text, [("true", true), ("false", false)])
}

/// Property names; empty for none of them.
pub(super) fn fields(params: &Params<'_>) -> Fields {
    match params.given("fields") {
        None => Fields::all(),
        Some(Given::List(names)) => Fields::only(names.iter().cloned()),
        Some(_) => {
            let text = params.text("fields").ok().flatten().unwrap_or_default();
            Fields::only(text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned))
        }
    }
}

/// Refuses a request without a place to look from.
pub(super) fn needs_a_place(params: &Params<'_>) -> Result<(), Refusal> {
    for name in ["lat", "lon"] {
        if params.given(name).is_none() {
            return Err(missing(name).hint("as in lat=48.857&lon=2.352"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::Collection;
    use crate::geometry::METRICS;

    fn asked(query: &str) -> Result<Question, Refusal> {
        const KNOWN: &[&str] = &[
            "lat", "lon", "radius", "k", "metric", "edges", "within", "limit", "index", "explain", "bbox", "geohash",
            "filter", "cursor", "fields",
        ];
        let (number, snapshot) = (1, Collection::new().snapshot());
        Question::read(&Params::of_query(query, KNOWN).unwrap(), &View { number, metric: METRICS[0], snapshot })
    }

    fn refusal(query: &str) -> Refusal {
        asked(query).err().unwrap()
    }

    fn read(query: &str) -> Question {
        asked(query).unwrap()
    }

    #[test]
    fn without_radius_and_k_the_ten_nearest_are_asked_for() {
        let k = |query: &str| read(query).query.near.unwrap().k.map(K::get);
        assert_eq!(k("lat=1&lon=2"), Some(10));
        assert_eq!(k("lat=1&lon=2&radius=2km"), None);
        assert_eq!(k("lat=1&lon=2&k=7&radius=2km"), Some(7));
    }

    #[test]
    fn every_value_is_refused_in_its_own_words() {
        for (query, code) in [
            ("lat=1", Code::MissingParameter),
            ("lon=1", Code::MissingParameter),
            ("radius=2km", Code::MissingParameter),
            ("edges=planar", Code::MissingParameter),
            ("lat=x&lon=2", Code::BadNumber),
            ("lat=nan&lon=2", Code::BadNumber),
            ("lat=48,8&lon=2", Code::BadNumber),
            ("lat=91&lon=2", Code::CoordinateOutOfRange),
            ("lat=1&lon=2&k=0", Code::NumberOutOfRange),
            ("lat=1&lon=2&k=-1", Code::BadNumber),
            ("lat=1&lon=2&radius=-1", Code::BadLength),
            ("lat=1&lon=2&radius=2miles", Code::BadLength),
            ("lat=1&lon=2&metric=manhattan", Code::UnknownChoice),
            ("limit=10001", Code::NumberOutOfRange),
            ("limit=99999999999999999999", Code::BadNumber),
            ("index=rstar", Code::UnknownChoice),
            ("explain=yes", Code::UnknownChoice),
            ("bbox=1,2,3", Code::BadBox),
            ("bbox=0,9,1,2", Code::BadBox),
            ("geohash=a", Code::BadGeohash),
            ("filter=x =", Code::BadFilter),
            ("cursor=x", Code::BadCursor),
            ("within={}", Code::BadPolygon),
        ] {
            assert_eq!(refusal(query).code, code, "{query}");
        }
    }

    #[test]
    fn fields_are_names_between_commas() {
        let fields = |query: &str| read(query).fields;
        assert_eq!(fields(""), Fields::all());
        assert_eq!(fields("fields="), Fields::only([]));
        assert_eq!(fields("fields=a, b"), Fields::only(["a".to_owned(), "b".to_owned()]));
    }
}
