//! What is asked, as arguments: the same conditions whichever way they come in, and all of them hold.
//!
//! What surprises: they are read twice as text and once for good. Here only their shape is looked at; what they mean is read by the lines
//! that read a request, so a data directory and a service understand the same and refuse it in the same words.

use std::io::Read;
use std::path::Path;

use clap::Args;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::cli::Failure;
use crate::geometry::METRICS;
use crate::index::Kind;

/// The longest polygon that is read.
const POLYGON_BYTES_MAX: u64 = 256 << 20;

/// Conditions that go with any place.
#[derive(Debug, Args)]
pub(super) struct Conditions {
    /// Only within this distance of the place: metres, or with a unit, as in 2km, 1.5mi, 300ft, 4nmi
    #[arg(long, value_name = "LENGTH")]
    radius: Option<String>,
    /// Only so many of the nearest
    #[arg(long)]
    k: Option<u64>,
    /// Only in this box: west,south,east,north; west beyond east crosses the antimeridian
    #[arg(long, value_name = "W,S,E,N", value_parser = numbers)]
    pub(super) bbox: Option<String>,
    /// Only in this polygon: GeoJSON, or a file of it; - reads standard input
    #[arg(long, value_name = "GEOJSON|FILE")]
    pub(super) within: Option<String>,
    /// What runs between the corners of the polygon
    #[arg(long, value_parser = ["planar", "geodesic"])]
    edges: Option<String>,
    /// Only in this geohash cell
    #[arg(long, value_name = "CELL")]
    geohash: Option<String>,
    /// Only with such properties, as in 'population > 100000 AND country = '\''FR'\'''
    #[arg(long, value_name = "CQL2")]
    filter: Option<String>,
    /// What metres mean [default: that of the collection]
    #[arg(long, value_parser = names(METRICS.iter().map(|metric| metric.name())))]
    metric: Option<String>,
    /// The index kind that answers; the answer is the same
    #[arg(long, alias = "kind", value_parser = names(["auto"].into_iter().chain(Kind::offered().map(|kind| kind.name))))]
    index: Option<String>,
    /// Only these properties, with commas between them; empty leaves id and distance
    #[arg(long, value_name = "NAMES")]
    fields: Option<String>,
    /// Answers in a page, 1 to 10000 [default: 1000]
    #[arg(long)]
    limit: Option<u64>,
    /// Where to go on: what `next` was in the answer before
    #[arg(long)]
    cursor: Option<String>,
    /// Say what the answer took
    #[arg(long)]
    pub(super) explain: bool,
    /// Ask for the same page after page, to the end
    #[arg(long, conflicts_with = "cursor")]
    pub(super) all: bool,
}

fn names(names: impl Iterator<Item = &'static str>) -> clap::builder::PossibleValuesParser {
    names.collect::<Vec<_>>().into()
}

/// Numbers with commas between them, each as its shortest digits.
pub(super) fn numbers(text: &str) -> Result<String, String> {
    let read = |number: &str| number.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let numbers: Option<Vec<f64>> = text.split(',').map(read).collect();
    let numbers = numbers.ok_or("it is not numbers with commas between them, as in -5,42,8,51")?;
    Ok(numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(","))
}

/// `LAT,LON`, each as its shortest digits.
pub(super) fn position(text: &str) -> Result<(String, String), String> {
    let numbers = numbers(text).map_err(|_| "write LAT,LON as in 48.857,2.352")?;
    match numbers.split_once(',') {
        Some((lat, lon)) if !lon.contains(',') => Ok((lat.to_owned(), lon.to_owned())),
        _ => Err("write LAT,LON as in 48.857,2.352".to_owned()),
    }
}

impl Conditions {
    /// The same with the place of a subcommand, which may not be given in two ways.
    pub(super) fn pairs(&self, near: Option<(String, String)>) -> Result<Pairs, Failure> {
        let mut pairs = Vec::new();
        if let Some((lat, lon)) = near {
            pairs.extend([("lat", lat), ("lon", lon)]);
        }
        let text = |text: &Option<String>| text.clone();
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let given = [
            ("radius", text(&self.radius).map(|radius| radius.trim().to_owned())),
            ("k", number(self.k)),
            ("bbox", text(&self.bbox)),
            ("within", self.within.as_deref().map(polygon).transpose()?),
            ("edges", text(&self.edges)),
            ("geohash", text(&self.geohash)),
            ("filter", text(&self.filter)),
            ("metric", text(&self.metric)),
            ("index", text(&self.index)),
            ("fields", text(&self.fields)),
            ("limit", number(self.limit)),
            ("cursor", text(&self.cursor)),
            ("explain", self.explain.then(|| "true".to_owned())),
        ];
        pairs.extend(given.into_iter().filter_map(|(name, value)| Some((name, value?))));
        Ok(Pairs(pairs))
    }
}

/// The polygon itself, or what is in the file.
fn polygon(given: &str) -> Result<String, Failure> {
    if given.trim_start().starts_with('{') {
        return Ok(given.to_owned());
    }
    let mut text = String::new();
    let read = match given {
        "-" => std::io::stdin().lock().take(POLYGON_BYTES_MAX).read_to_string(&mut text),
        path => {
            std::fs::File::open(Path::new(path)).and_then(|file| file.take(POLYGON_BYTES_MAX).read_to_string(&mut text))
        }
    };
    read.map_err(|error| Failure::Failed(format!("cannot read the polygon in {given}: {error}")))?;
    Ok(text)
}

/// Names and values, as a query string has them.
#[derive(Debug, Clone)]
pub(super) struct Pairs(Vec<(&'static str, String)>);

impl Pairs {
    /// The same from where a page ended.
    pub(super) fn after(&self, cursor: &str) -> Pairs {
        let others = self.0.iter().filter(|(name, _)| *name != "cursor").cloned();
        Pairs(others.chain([("cursor", cursor.to_owned())]).collect())
    }

    pub(super) fn as_texts(&self) -> Vec<(&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    /// The body of a search that asks the same.
    pub(super) fn to_body(&self) -> Result<Vec<u8>, Failure> {
        let mut body = Map::new();
        let mut near = Map::new();
        let mut within = None;
        let raw = |text: &str| text.parse::<serde_json::Number>().map_or(Value::from(text), Value::Number);
        for (name, value) in &self.0 {
            match *name {
                "lat" | "lon" => drop(near.insert((*name).to_owned(), raw(value))),
                "within" => within = Some(value),
                "k" | "limit" => drop(body.insert((*name).to_owned(), raw(value))),
                "bbox" => drop(body.insert((*name).to_owned(), value.split(',').map(raw).collect())),
                "explain" => drop(body.insert((*name).to_owned(), Value::Bool(true))),
                "fields" => {
                    let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
                    body.insert((*name).to_owned(), names.collect());
                }
                _ => drop(body.insert((*name).to_owned(), Value::from(value.as_str()))),
            }
        }
        if !near.is_empty() {
            body.insert("near".to_owned(), Value::Object(near));
        }
        let mut text = serde_json::to_string(&body).expect("texts and numbers are always JSON");
        if let Some(polygon) = within {
            // As it is: a polygon of a million corners is not read here.
            let polygon: &RawValue = serde_json::from_str(polygon)
                .map_err(|error| Failure::Usage(format!("--within: this is no GeoJSON: {error}")))?;
            text.pop();
            let comma = if body.is_empty() { "" } else { "," };
            text.push_str(&format!("{comma}\"within\":{polygon}}}"));
        }
        Ok(text.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_two_numbers() {
        assert_eq!(position(" -33.80,151").unwrap(), ("-33.8".to_owned(), "151".to_owned()));
        for wrong in ["1", "1,2,3", "a,b", "1,nan", ""] {
            assert!(position(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_body_asks_what_the_pairs_ask() {
        let pairs = Pairs(vec![
            ("lat", "1.5".to_owned()),
            ("lon", "-2".to_owned()),
            ("radius", "2km".to_owned()),
            ("k", "7".to_owned()),
            ("bbox", "-5,42,8,51".to_owned()),
            ("fields", "a, b".to_owned()),
            ("within", r#"{"type":"Polygon","coordinates":[]}"#.to_owned()),
            ("cursor", "i61".to_owned()),
        ]);
        let body: Value = serde_json::from_slice(&pairs.after("i62").to_body().unwrap()).unwrap();
        let expected = serde_json::json!({"near": {"lat": 1.5, "lon": -2}, "radius": "2km", "k": 7, "bbox": [-5, 42, 8, 51],
            "fields": ["a", "b"], "within": {"type": "Polygon", "coordinates": []}, "cursor": "i62"});
        assert_eq!(body, expected);
        let alone = Pairs(vec![("within", "{}".to_owned())]).to_body().unwrap();
        assert_eq!(alone, br#"{"within":{}}"#);
        assert!(Pairs(vec![("within", "{".to_owned())]).to_body().is_err());
    }
}
