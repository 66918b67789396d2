//! A collection of a running service as the place where rows go.
//!
//! What surprises: the service does not tell when items end, so ends are written there and not compared.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::remote::{Answer, Remote, RemoteError, Sent, escaped};
use super::source::{Measure, Question, Trouble, Wanted};
use super::target::{Push, Target};
use crate::collection::{Id, Item, Properties};
use crate::engine::CollectionName;
use crate::geometry::Point;

/// Bytes and rows that are sent in one upload.
const UPLOAD_BYTES: usize = 4 << 20;
const UPLOAD_ROWS: usize = 20_000;

/// The collection.
pub(super) struct Service {
    remote: Remote,
    name: CollectionName,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    items: Vec<PageItem<'a>>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct PageItem<'a> {
    id: String,
    lat: Option<f64>,
    lon: Option<f64>,
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Uploaded {
    rejected: u64,
}

#[derive(Deserialize)]
struct Collection {
    count: u64,
    settings: CollectionSettings,
}

#[derive(Deserialize)]
struct CollectionSettings {
    ttl_s: Option<f64>,
}

fn troubled(error: RemoteError) -> Trouble {
    match error {
        RemoteError::Unreachable(reason) => Trouble::Lost(reason),
        RemoteError::Refused(refusal) if refusal.status == 503 => Trouble::Lost(refusal.to_string()),
        refused => Trouble::Failed(refused.into()),
    }
}

fn foreign(what: impl std::fmt::Display) -> Trouble {
    Trouble::failed(format!("the service answers otherwise than nigh does: {what}"))
}

impl PageItem<'_> {
    fn item(&self) -> Result<Item, Trouble> {
        let (Some(lat), Some(lon)) = (self.lat, self.lon) else { return Err(foreign("an item has no position")) };
        let id = Id::new(&*self.id).map_err(foreign)?;
        let properties = self.properties.map_or("{}", RawValue::get);
        let properties = Properties::checked_before(properties).ok_or_else(|| foreign("properties are no object"))?;
        Ok(Item::new(id, Point::new(lat, lon).map_err(foreign)?).with_properties(properties))
    }
}

/// An item as a line.
fn write_line(out: &mut Vec<u8>, item: &Item) {
    let text = |text: &str| serde_json::to_string(text).expect("a text is JSON");
    let (lat, lon) = (item.point.lat_deg(), item.point.lon_deg());
    let end = item.expires_at_ms.map(|end_ms| format!(r#","expires_at_ms":{end_ms}"#)).unwrap_or_default();
    let id = text(item.id.as_str());
    out.extend_from_slice(format!(r#"{{"id":{id},"lat":{lat:?},"lon":{lon:?}{end},"#).as_bytes());
    let properties = item.properties.as_json();
    // A line has no line breaks; between members they are kept in a text.
    match properties.contains(['\n', '\r']) {
        true => out.extend_from_slice(format!(r#""properties_text":{}"#, text(properties)).as_bytes()),
        false => out.extend_from_slice(format!(r#""properties":{properties}"#).as_bytes()),
    }
    out.extend_from_slice(b"}\n");
}

impl Service {
    pub(super) fn new(remote: Remote, name: CollectionName) -> Service {
        Service { remote, name }
    }

    fn path(&self, rest: &str) -> String {
        format!("/collections/{}{rest}", self.name)
    }

    /// An answer; `None` where there is no such collection or item.
    fn get(&self, target: &str) -> Result<Option<Answer>, Trouble> {
        match self.remote.get(target) {
            Ok(answer) => Ok(Some(answer)),
            Err(RemoteError::Refused(refusal)) if refusal.status == 404 => Ok(None),
            Err(error) => Err(troubled(error)),
        }
    }

    fn upload(&self, lines: &[u8]) -> Result<(), Trouble> {
        let headers = [("content-type", "application/x-ndjson")];
        let asked = self.remote.ask("POST", &self.path("/items?on_error=abort"), &headers, Sent::Bytes(lines));
        let uploaded: Uploaded = asked.and_then(Answer::json).map_err(troubled)?;
        if uploaded.rejected > 0 { Err(foreign("it refuses rows that were checked before")) } else { Ok(()) }
    }

    /// Every page, from a first one on.
    fn pages(&self, first: String, mut each: impl FnMut(PageItem<'_>) -> Result<(), Trouble>) -> Result<(), Trouble> {
        let mut target = first;
        loop {
            let Some(answer) = self.get(&target)? else { return Ok(()) };
            let bytes = answer.bytes().map_err(troubled)?;
            let page: Page<'_> = serde_json::from_slice(&bytes).map_err(foreign)?;
            page.items.into_iter().try_for_each(&mut each)?;
            match page.next {
                // With or without the origin before it.
                Some(next) => target = next.find("/collections/").map_or(next.clone(), |at| next[at..].to_owned()),
                None => return Ok(()),
            }
        }
    }

    fn collection(&self) -> Result<Option<Collection>, Trouble> {
        self.get(&self.path(""))?.map(|answer| answer.json().map_err(troubled)).transpose()
    }
}

impl Target for Service {
    fn words(&self) -> String {
        format!("collection {} of {}", self.name, self.remote.origin())
    }

    fn items(&mut self) -> Result<u64, Trouble> {
        Ok(self.collection()?.map_or(0, |collection| collection.count))
    }

    fn ttl_ms(&mut self) -> Result<Option<u64>, Trouble> {
        Ok(self.collection()?.and_then(|collection| collection.settings.ttl_s).map(|ttl_s| (ttl_s * 1000.0) as u64))
    }

    fn tells_ends(&self) -> bool {
        false
    }

    fn load(&mut self, give: &mut dyn FnMut(Push<'_>) -> Result<(), Trouble>) -> Result<(), Trouble> {
        let (mut lines, mut rows) = (Vec::new(), 0);
        give(&mut |item| {
            write_line(&mut lines, item);
            rows += 1;
            if lines.len() >= UPLOAD_BYTES || rows >= UPLOAD_ROWS {
                self.upload(&lines)?;
                lines.clear();
                rows = 0;
            }
            Ok(())
        })?;
        if rows > 0 { self.upload(&lines) } else { Ok(()) }
    }

    fn write(&mut self, puts: Vec<Item>, removes: Vec<Id>) -> Result<(), Trouble> {
        self.load(&mut |push| puts.iter().try_for_each(&mut *push))?;
        for id in removes {
            let target = self.path(&format!("/items/{}", escaped(id.as_str())));
            match self.remote.ask("DELETE", &target, &[], Sent::Nothing) {
                Err(RemoteError::Refused(refusal)) if refusal.status == 404 => {}
                asked => _ = asked.map_err(troubled)?,
            }
        }
        Ok(())
    }

    fn rows(&mut self, each: Push<'_>) -> Result<(), Trouble> {
        self.pages(self.path("/items?f=json&limit=1000"), |item| each(&item.item()?))
    }

    fn find(&mut self, ids: &[Id]) -> Result<HashMap<Id, Item>, Trouble> {
        let mut found = HashMap::new();
        for id in ids {
            let target = self.path(&format!("/items/{}?f=json", escaped(id.as_str())));
            if let Some(answer) = self.get(&target)? {
                let bytes = answer.bytes().map_err(troubled)?;
                let item = serde_json::from_slice::<PageItem<'_>>(&bytes).map_err(foreign)?.item()?;
                found.insert(id.clone(), item);
            }
        }
        Ok(found)
    }

    fn ask(&mut self, question: &Question, measure: Measure) -> Result<Vec<String>, Trouble> {
        let (lat, lon) = (question.centre.lat_deg(), question.centre.lon_deg());
        let wanted = match question.wanted {
            Wanted::Within(metres) => format!("radius={}", metres / measure.scale),
            Wanted::Nearest(k) => format!("k={k}"),
        };
        let metric = measure.metric.name();
        let target = format!("/near?lat={lat}&lon={lon}&{wanted}&metric={metric}&fields=&f=json&limit=10000");
        let mut ids = Vec::new();
        self.pages(self.path(&target), |item| {
            ids.push(item.id);
            Ok(())
        })?;
        Ok(ids)
    }

    fn close(&mut self) -> Result<(), Trouble> {
        Ok(())
    }
}
