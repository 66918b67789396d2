//! Which format an answer takes: `f` when it is given, else the `Accept` header, else the first of the list.
//!
//! What surprises: no weights are compared between formats of one range. `*/*` is whatever stands first in [`FORMATS`], which
//! is why a browser and a bare `curl` get the same answer.

use actix_web::http::header;

use super::error::{Code, Refusal};
use super::params::Params;
use super::question;
use super::request::Request;
use crate::format::{FORMATS, Format};

/// The format that a request wants.
pub(super) fn format(request: &Request<'_>, params: &Params<'_>) -> Result<&'static Format, Refusal> {
    match (params.read("f", question::format)?, request.header(header::ACCEPT)) {
        (Some(format), _) => Ok(format),
        (None, None) => Ok(&FORMATS[0]),
        (None, Some(accept)) => best(&accept).ok_or_else(|| {
            let offered: Vec<&str> = FORMATS.iter().map(|format| format.media_type).collect();
            Refusal::new(Code::NotAcceptable, format!("no answer is written as {accept}"))
                .value(&accept)
                .hint(format!("accept one of {}, or leave it to f=", offered.join(", ")))
        }),
    }
}

/// The format of the range with the greatest weight; of several, the one named most plainly, then the first.
fn best(accept: &str) -> Option<&'static Format> {
    let mut best: Option<(f64, u8, &'static Format)> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
        let Some((plainness, format)) = matching(&name) else { continue };
        let better = best.is_none_or(|(least, plain, _)| weight > least || (weight == least && plainness > plain));
        if weight > 0.0 && better {
            best = Some((weight, plainness, format));
        }
    }
    best.map(|(_, _, format)| format)
}

fn matching(range: &str) -> Option<(u8, &'static Format)> {
    if range == "*/*" {
        return Some((0, &FORMATS[0]));
    }
    if let Some(kind) = range.strip_suffix('*') {
        let format = FORMATS.iter().find(|format| kind.ends_with('/') && format.media_type.starts_with(kind));
        return format.map(|format| (1, format));
    }
    FORMATS.iter().find(|format| format.media_type == range).map(|format| (2, format))
}

/// Whether a page is wanted rather than data: `text/html` is named, and data is not wanted as much.
///
/// Browsers name it first and take anything at a lower weight; `*/*`, which is what `curl` and most programs send, is no wish for a page.
pub(super) fn prefers_page(accept: &str) -> bool {
    let page = weight(accept, &["text/html"]).unwrap_or(0.0);
    let data = weight(accept, &["application/json", "application/*", "*/*"]).unwrap_or(0.0);
    page > 0.0 && (page > data || (page == data && weight(accept, &["application/json"]).is_none()))
}

/// The weight that a list of ranges gives to the first of some names that it has.
pub(super) fn weight(list: &str, names: &[&str]) -> Option<f64> {
    names.iter().find_map(|name| {
        list.split(',').find_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let own = parts.next().unwrap_or_default();
            let weight =
                || parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
            own.eq_ignore_ascii_case(name).then(weight)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plainest_and_heaviest_range_decides() {
        for (accept, name) in [
            ("*/*", "geojson"),
            ("application/*", "geojson"),
            ("application/json", "json"),
            ("Application/JSON; charset=utf-8", "json"),
            ("application/json, text/plain, */*", "json"),
            ("text/html,application/xhtml+xml,*/*;q=0.8", "geojson"),
            ("application/geo+json;q=0.5, application/json;q=0.9", "json"),
            ("*/*, application/json;q=0", "geojson"),
        ] {
            assert_eq!(best(accept).unwrap().name, name, "{accept}");
        }
        for accept in ["text/html", "application/json;q=0", "", "*", "*/json"] {
            assert!(best(accept).is_none(), "{accept}");
        }
    }

    #[test]
    fn a_page_is_for_those_who_name_it_first() {
        for (accept, page) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", true),
            ("text/html, */*", true),
            ("TEXT/HTML", true),
            ("text/html;q=0.2", true),
            ("application/json;q=0.5, text/html", true),
            ("*/*", false),
            ("", false),
            ("text/*", false),
            ("application/json", false),
            ("application/json, text/html", false),
            ("text/html;q=0.5, application/json", false),
            ("text/html;q=0.5, */*", false),
            ("text/html;q=0", false),
            ("text/html;q=x", false),
        ] {
            assert_eq!(prefers_page(accept), page, "{accept}");
        }
    }
}
