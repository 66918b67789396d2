//! Compact JSON out: the same answers in about half the bytes, latitude and longitude by name.
//!
//! What surprises: an item reads as it would be written, `{"id":..,"lat":..,"lon":..,"properties":{..}}`. Properties keep an
//! object of their own, so that one called `lat` harms nobody.

use super::{Fields, Format, Page, append, write_explain};
use crate::query::AnswerHit;

/// The registered format.
pub(super) const JSON: Format = Format {
    name: "json",
    summary: "compact JSON: items with `id`, `distance_m`, `lat`, `lon` and `properties`",
    media_type: "application/json",
    rows_only: false,
    write_page,
    write_item,
};

fn write_page(out: &mut Vec<u8>, page: &Page<'_>) {
    out.extend_from_slice(br#"{"matched":"#);
    append::whole(out, page.answer.matched);
    out.extend_from_slice(br#","returned":"#);
    append::whole(out, page.answer.len() as u64);
    out.extend_from_slice(br#","next":"#);
    match page.next() {
        Some(next) => append::text(out, next),
        None => out.extend_from_slice(b"null"),
    }
    if page.explain {
        out.extend_from_slice(br#","explain":"#);
        write_explain(out, &page.answer.explain);
    }
    out.extend_from_slice(br#","items":["#);
    append::separated(out, page.answer.hits(), |out, hit| write_item(out, &hit, page.fields));
    out.extend_from_slice(b"]}");
}

pub(super) fn write_item(out: &mut Vec<u8>, hit: &AnswerHit<'_>, fields: &Fields) {
    let item = &hit.item;
    out.extend_from_slice(br#"{"id":"#);
    append::id(out, item);
    if let Some(distance_m) = hit.distance_m {
        out.extend_from_slice(br#","distance_m":"#);
        append::metres(out, distance_m);
    }
    fields.write_geohash(out, item);
    if fields.position() {
        let (lon, lat) = item.lon_and_lat();
        out.extend_from_slice(br#","lat":"#);
        out.extend_from_slice(lat.as_bytes());
        out.extend_from_slice(br#","lon":"#);
        out.extend_from_slice(lon.as_bytes());
        append::end(out, item);
        out.extend_from_slice(br#","properties":"#);
        fields.write_properties(out, item);
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::tests::stored;

    #[test]
    fn an_item_reads_as_it_would_be_written() {
        let snapshot = stored("a", 48.857, 2.352, r#"{"lat":0.10}"#);
        let hit = AnswerHit { distance_m: Some(0.5), item: snapshot.get("a").unwrap() };
        let written = |fields| {
            let mut out = Vec::new();
            write_item(&mut out, &hit, &fields);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            written(Fields::all()),
            r#"{"id":"a","distance_m":0.500,"lat":48.857,"lon":2.352,"properties":{"lat":0.10}}"#
        );
        assert_eq!(written(Fields::only([])), r#"{"id":"a","distance_m":0.500}"#);
    }
}
