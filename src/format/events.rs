//! Changes out, one line of JSON each: what happened to which item, where it is and where it was.
//!
//! What surprises: the text of properties may hold line breaks, between its members and nowhere else. They become spaces here, because a
//! line is what a client waits for.

use super::append;
use crate::collection::Item;
use crate::engine::{ChangeEvent, FenceEvent, Happened, Sighting};
use crate::geometry::Point;
use crate::log::Was;

/// The names of all events, as they stand in `event`.
pub const EVENTS: &[&str] = &[
    "put",
    "remove",
    "expire",
    "load",
    "enter",
    "inside",
    "exit",
    "reset",
    "current",
    "idle",
    "gone",
    "dropped",
    "too-costly",
    "failed",
];

/// The name of what a change did.
pub fn change_name(what: &Happened) -> &'static str {
    match what {
        Happened::Put { .. } => "put",
        Happened::Removed { .. } => "remove",
        Happened::Expired { .. } => "expire",
        Happened::Loaded { .. } => "load",
    }
}

/// The name of what was seen at a fence.
pub fn sighting_name(what: &Sighting) -> &'static str {
    match what {
        Sighting::Reset => "reset",
        Sighting::Current => "current",
        Sighting::Enter(_) => "enter",
        Sighting::Inside(_) => "inside",
        Sighting::Exit { .. } => "exit",
    }
}

/// Appends a change as a JSON object.
pub fn write_change(out: &mut Vec<u8>, event: &ChangeEvent) {
    begin(out, Some(event.seq), change_name(&event.what));
    match &event.what {
        Happened::Put { item, was } => {
            write_item(out, item);
            write_was(out, *was);
        }
        Happened::Removed { id, was } | Happened::Expired { id, was } => {
            write_id(out, id.as_str());
            write_was(out, *was);
        }
        Happened::Loaded { first_seq, items } => {
            append::plain(out, format_args!(r#","first_seq":{first_seq},"items":{items}"#));
        }
    }
    out.push(b'}');
}

/// Appends what was seen at a fence as a JSON object; `seq` is the number to resume from, if there is one.
pub fn write_sighting(out: &mut Vec<u8>, event: &FenceEvent) {
    begin(out, event.resume, sighting_name(&event.what));
    match &event.what {
        Sighting::Reset | Sighting::Current => {}
        Sighting::Enter(item) | Sighting::Inside(item) | Sighting::Exit { item: Some(item), .. } => {
            write_item(out, item);
        }
        Sighting::Exit { id, item: None } => write_id(out, id.as_str()),
    }
    out.push(b'}');
}

/// Appends the beginning of an event, without its closing brace.
pub fn begin(out: &mut Vec<u8>, seq: Option<u64>, name: &str) {
    match seq {
        Some(seq) => append::plain(out, format_args!(r#"{{"seq":{seq},"event":"{name}""#)),
        None => append::plain(out, format_args!(r#"{{"seq":null,"event":"{name}""#)),
    }
}

fn write_id(out: &mut Vec<u8>, id: &str) {
    out.extend_from_slice(br#","id":"#);
    append::text(out, id);
}

fn write_item(out: &mut Vec<u8>, item: &Item) {
    write_id(out, item.id.as_str());
    out.push(b',');
    write_place(out, item.point);
    if let Some(at_ms) = item.expires_at_ms {
        append::plain(out, format_args!(r#","expires_at_ms":{at_ms}"#));
    }
    out.extend_from_slice(br#","properties":"#);
    out.extend(item.properties.as_json().bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
}

fn write_place(out: &mut Vec<u8>, point: Point) {
    out.extend_from_slice(br#""lat":"#);
    append::number(out, point.lat_deg());
    out.extend_from_slice(br#","lon":"#);
    append::number(out, point.lon_deg());
}

/// Where the item was before: a place, `null` for nowhere, nothing where it is not known.
fn write_was(out: &mut Vec<u8>, was: Was) {
    match was {
        Was::Unknown => {}
        Was::Nowhere => out.extend_from_slice(br#","was":null"#),
        Was::At(point) => {
            out.extend_from_slice(br#","was":{"#);
            write_place(out, point);
            out.push(b'}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collection::{Id, Properties};

    fn written(what: Happened) -> String {
        let mut out = Vec::new();
        write_change(&mut out, &ChangeEvent { seq: 7, what });
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_change_is_one_line_whatever_its_properties() {
        let point = Point::new(1.0, -0.0).unwrap();
        let properties = Properties::from_json("{\n\"a\":\r\n\"x\\ny\"}").unwrap();
        let item = Item::new(Id::new("é\"").unwrap(), point).with_properties(properties);
        let line = written(Happened::Put { item, was: Was::Nowhere });
        assert_eq!(
            line,
            "{\"seq\":7,\"event\":\"put\",\"id\":\"é\\\"\",\"lat\":1.0,\"lon\":-0.0,\"properties\":{ \"a\":  \"x\\ny\"},\"was\":null}"
        );
        let id = || Id::new("a").unwrap();
        let removed = written(Happened::Removed { id: id(), was: Was::At(point) });
        assert_eq!(removed, r#"{"seq":7,"event":"remove","id":"a","was":{"lat":1.0,"lon":-0.0}}"#);
        assert_eq!(
            written(Happened::Expired { id: id(), was: Was::Unknown }),
            r#"{"seq":7,"event":"expire","id":"a"}"#
        );
        let loaded = written(Happened::Loaded { first_seq: 3, items: 5 });
        assert_eq!(loaded, r#"{"seq":7,"event":"load","first_seq":3,"items":5}"#);
    }

    #[test]
    fn what_is_seen_names_the_number_to_resume_from() {
        let item = Item::new(Id::new("a").unwrap(), Point::new(1.0, 2.0).unwrap());
        for (resume, what, line) in [
            (None, Sighting::Reset, r#"{"seq":null,"event":"reset"}"#),
            (Some(3), Sighting::Current, r#"{"seq":3,"event":"current"}"#),
            (
                Some(3),
                Sighting::Enter(item),
                r#"{"seq":3,"event":"enter","id":"a","lat":1.0,"lon":2.0,"properties":{}}"#,
            ),
        ] {
            let mut out = Vec::new();
            write_sighting(&mut out, &FenceEvent { resume, what });
            assert_eq!(String::from_utf8(out).unwrap(), line);
        }
    }
}
