//! A collection of Tile38: its points, with fields and the properties of Features.
//!
//! What surprises: Tile38 tells changes only as a fence round a place, which says nothing of what was missed while nobody listened. So both sides are
//! compared until nothing differs. This was written from the documents of Tile38 and is tested against a double that speaks
//! as they say; it was not run against the server itself.

use super::super::Failure;
use super::resp::{Address, Value, Wire};
use super::source::{Each, Facts, Kind, Measure, Options, Question, Refused, Row, Source, Trouble, Wanted};
use crate::collection::{Item, Properties};
use crate::format::{Fault, read_item};

/// The registered source.
pub(super) const TILE38: Kind = Kind {
    form: "tile38://[:PASSWORD@]HOST[:PORT]/COLLECTION",
    names: |text| text.starts_with("tile38://"),
    open: |text, _: &Options| Ok(Box::new(Tile38::open(text)?)),
};

/// Tile38 measures on a sphere of this radius.
const EARTH_RADIUS_M: f64 = 6_371_000.0;

/// Objects that are read together.
const TOGETHER: &str = "1000";

struct Tile38 {
    address: Address,
    key: String,
}

impl Tile38 {
    fn open(text: &str) -> Result<Tile38, Failure> {
        let address = Address::parse(text, 9851)?;
        let key = address.path.clone();
        if key.is_empty() || !address.query.is_empty() {
            return Err(Failure::Usage(format!("{text:?}: write tile38://HOST:PORT/COLLECTION")));
        }
        Ok(Tile38 { address, key })
    }

    fn wire(&self) -> Result<Wire, Trouble> {
        Wire::open(&self.address)
    }
}

fn text(value: &Value) -> Option<&str> {
    std::str::from_utf8(value.text()?).ok()
}

fn foreign() -> Trouble {
    Trouble::failed("Tile38 answers otherwise than documented")
}

/// The pages of a command that goes on at a cursor.
fn pages(
    wire: &mut Wire,
    words: impl Fn(&str) -> Vec<String>,
    mut each: impl FnMut(&Value) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let mut cursor = 0;
    loop {
        let words = words(&cursor.to_string());
        let words: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
        let answer = wire.ask(&words)?;
        let Some([next, objects]) = answer.list() else { return Err(foreign()) };
        objects.list().ok_or_else(foreign)?.iter().try_for_each(&mut each)?;
        cursor = match next {
            Value::Whole(next) => *next,
            next => text(next).and_then(|next| next.parse().ok()).ok_or_else(foreign)?,
        };
        if cursor == 0 {
            return Ok(());
        }
    }
}

/// An object as `SCAN` gives it: id, GeoJSON, and fields with their values if there are any.
fn row_of(value: &Value) -> Result<Row, Trouble> {
    let parts = value.list().ok_or_else(foreign)?;
    let [id, object, rest @ ..] = parts else { return Err(foreign()) };
    let (id, object) = (id.text().ok_or_else(foreign)?, object.text().ok_or_else(foreign)?);
    let fields: Vec<&Value> = rest.first().and_then(Value::list).unwrap_or_default().iter().collect();
    Ok(item_of(id, object, &fields)
        .map_err(|fault| Refused { place: format!("object \"{}\"", id.escape_ascii()), fault }))
}

fn item_of(id: &[u8], object: &[u8], fields: &[&Value]) -> Result<Item, Fault> {
    let fault = |code, value: &[u8], detail: &str| Fault {
        code,
        value: Some(value.escape_ascii().to_string().chars().take(120).collect()),
        detail: detail.to_owned(),
        hint: None,
    };
    let id = std::str::from_utf8(id).map_err(|_| fault("bad-encoding", id, "the id is not UTF-8"))?;
    let id = crate::collection::Id::new(id).map_err(|error| fault("bad-id", id.as_bytes(), &error.to_string()))?;
    let object = object.trim_ascii();
    if !object.starts_with(b"{") {
        return Err(fault("no-point", object, "the object is a text, not a place"));
    }
    // A bare geometry and a Feature are both read as a Feature.
    let is_feature = serde_json::from_slice::<serde_json::Value>(object).is_ok_and(|json| json["type"] == "Feature");
    let incoming = match is_feature {
        true => read_item(object)?,
        false => read_item(&[br#"{"type":"Feature","properties":{},"geometry":"#, object, b"}"].concat())?,
    };
    // Without its last brace, behind which the fields are written.
    let whole = incoming.properties.as_json();
    let mut json = whole[..whole.len() - 1].trim_end().to_owned();
    let known: serde_json::Value = serde_json::from_str(whole).unwrap_or_default();
    for pair in fields.chunks(2) {
        let [name, value] = pair else { break };
        let (Some(name), Some(value)) = (text(name), text(value)) else { continue };
        // A field that has the name of a property keeps it apart.
        let name = if known.get(name).is_some() { format!("field.{name}") } else { name.to_owned() };
        let value = match serde_json::from_str::<&serde_json::value::RawValue>(value) {
            Ok(json) => json.get().to_owned(),
            Err(_) => serde_json::to_string(value).expect("a text is JSON"),
        };
        let comma = if json.ends_with('{') { "" } else { "," };
        json += &format!("{comma}{}:{value}", serde_json::to_string(&name).expect("a text is JSON"));
    }
    json.push('}');
    let properties =
        Properties::from_json(&json).map_err(|error| fault("bad-properties", json.as_bytes(), &error.to_string()))?;
    Ok(Item::new(id, incoming.point).with_properties(properties))
}

impl Source for Tile38 {
    fn facts(&mut self) -> Result<Facts, Trouble> {
        let mut wire = self.wire()?;
        let stats = wire.ask(&[b"STATS", self.key.as_bytes()])?;
        let mut facts = Facts {
            source: format!("Tile38 at {}, collection {}", wire.place(), self.key),
            positions: "carried to the bit; heights are not carried".to_owned(),
            live_how: "Tile38 tells changes only as fences, which miss what happens while nobody listens; both sides are compared until nothing differs".to_owned(),
            notes: vec!["when objects end (EXPIRE) is not carried".to_owned()],
            ..Facts::default()
        };
        match stats.list().and_then(<[Value]>::first) {
            Some(Value::List(pairs)) => {
                let mut pairs = pairs.chunks(2);
                let count = pairs.find(|pair| text(&pair[0]) == Some("num_objects"));
                facts.rows = count.and_then(|pair| match pair.get(1) {
                    Some(Value::Whole(count)) => u64::try_from(*count).ok(),
                    Some(value) => text(value)?.parse().ok(),
                    None => None,
                });
            }
            _ => facts.obstacles.push(format!("there is no collection {}", self.key)),
        }
        Ok(facts)
    }

    fn scan(&mut self, each: Each<'_>) -> Result<(), Trouble> {
        let key = self.key.clone();
        let words =
            |cursor: &str| ["SCAN", &key, "CURSOR", cursor, "LIMIT", TOGETHER, "OBJECTS"].map(str::to_owned).to_vec();
        pages(&mut self.wire()?, words, |object| each(row_of(object)?))
    }

    fn measure(&self, _question: &Question) -> Measure {
        Measure::sphere(EARTH_RADIUS_M)
    }

    fn ask(&mut self, question: &Question) -> Result<Option<Vec<String>>, Trouble> {
        let (lat, lon) = (question.centre.lat_deg().to_string(), question.centre.lon_deg().to_string());
        let mut ids = Vec::new();
        let (limit, metres) = match question.wanted {
            Wanted::Within(metres) => (TOGETHER.to_owned(), Some(metres.to_string())),
            Wanted::Nearest(k) => (k.to_string(), None),
        };
        let words = |cursor: &str| {
            let mut words: Vec<String> =
                ["NEARBY", &self.key, "CURSOR", cursor, "LIMIT", &limit, "IDS", "POINT", &lat, &lon]
                    .map(str::to_owned)
                    .to_vec();
            words.extend(metres.clone());
            words
        };
        let mut wire = self.wire()?;
        if metres.is_some() {
            pages(&mut wire, words, |id| {
                ids.extend(text(id).map(str::to_owned));
                Ok(())
            })?;
            return Ok(Some(ids));
        }
        let words = words("0");
        let answer = wire.ask(&words.iter().map(String::as_bytes).collect::<Vec<_>>())?;
        let Some([_, found]) = answer.list() else { return Err(foreign()) };
        Ok(Some(found.list().ok_or_else(foreign)?.iter().filter_map(text).map(str::to_owned).collect()))
    }
}
