//! stub
use crate::collection::{Id, Properties};
use crate::geometry::Point;
pub enum Expires {
    Never,
}
impl Expires {
    pub fn at_ms(&self, _now: i64) -> Option<i64> {
        None
    }
}
pub struct Incoming {
    pub id: Option<Id>,
    pub point: Point,
    pub properties: Properties,
    pub expires: Expires,
}
#[derive(Debug)]
pub struct Rejected {
    pub detail: String,
}
pub fn read_item(json: &[u8]) -> Result<Incoming, Rejected> {
    let v: serde_json::Value = serde_json::from_slice(json).map_err(|e| Rejected { detail: e.to_string() })?;
    let n = |k: &str| v[k].as_f64().ok_or(Rejected { detail: format!("no {k}") });
    let point = Point::new(n("lat")?, n("lon")?).map_err(|e| Rejected { detail: e.to_string() })?;
    let properties = match &v["properties"] {
        serde_json::Value::Null => Properties::none(),
        other => Properties::from_json(&other.to_string()).map_err(|e| Rejected { detail: e.to_string() })?,
    };
    Ok(Incoming { id: None, point, properties, expires: Expires::Never })
}
