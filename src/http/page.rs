//! A question answered as a page, with the way to the next one.
//!
//! What surprises: the link is the request itself. Its query string is kept as it came, byte for byte, and only the cursor is
//! put in place of the one before.

use actix_web::http::header::{self, HeaderName};

use super::accept;
use super::cursor;
use super::error::{Code, Refusal};
use super::params::{Params, names};
use super::question::Question;
use super::reply::Reply;
use super::request::Request;
use crate::format::{FORMATS, Format, Link, Page};
use crate::query::Answer;

/// Room for a common page, and for each item in it, so that the buffer is not moved while it grows. Up to a kilobyte an allocator has at hand.
const USUAL_BYTES: usize = 256;
const USUAL_ITEM_BYTES: usize = 56;

/// Bytes of properties in a page, at most; and answers that have fewer however long theirs are.
const BYTES_MAX: usize = 128 << 20;
const SURELY_SHORT: usize = 2000;

/// Answers that are written down without counting what that costs, and the units of work that each costs.
const WRITTEN_AT_ONCE: usize = 100;
const WRITING: u64 = 25;

/// Asks the collection of the path, and writes the page in the format that is wanted.
pub(super) fn reply(request: &Request<'_>, params: &Params<'_>) -> Result<Reply, Refusal> {
    let format = accept::format(request, params)?;
    let name = request.collection()?;
    let view = request.view(&name, params)?;
    let Question { query, fields, explain } = Question::read(params, &view)?;
    let answer = query.run_within(&view.snapshot, request.budget)?;
    is_short_enough(&answer)?;
    // Ten thousand answers take longer to write down than to find.
    if answer.len() > WRITTEN_AT_ONCE && !request.budget.spend(answer.len() as u64 * WRITING) {
        return Err(Refusal::new(Code::TooCostly, "writing the answer down takes long"));
    }
    let next = answer.next.as_ref().map(|cursor| cursor::written(cursor, &query, view.number));
    let next = next.map(|cursor| next_link(request.path, request.query, &cursor));
    let reply = write(request, format, &Page { answer: &answer, fields: &fields, links: &[], explain }, next);
    let is_slow = u128::from(answer.explain.elapsed_us) >= request.service.options().slow.as_micros();
    Ok(if is_slow { reply.explained(answer.explain) } else { reply })
}

/// Writes a page with the links that its format has room for; where it has none, they stand in the head.
fn write(request: &Request<'_>, format: &Format, page: &Page<'_>, next: Option<String>) -> Reply {
    let mut body = Vec::with_capacity(USUAL_BYTES + page.answer.len() * USUAL_ITEM_BYTES);
    if format.rows_only {
        (format.write_page)(&mut body, page);
        let reply = Reply::new(format.media_type, body);
        let reply = reply.header(HeaderName::from_static("nigh-matched"), &page.answer.matched.to_string());
        return match next {
            Some(next) => reply.header(header::LINK, &format!("<{next}>; rel=\"next\"")),
            None => reply,
        };
    }
    // Compact JSON is for programs that know where they asked; GeoJSON is read by those that follow whole addresses.
    let is_whole = format.name == FORMATS[0].name;
    let origin = if is_whole { request.origin() } else { String::new() };
    let next = next.map(|next| format!("{origin}{next}"));
    let here = if is_whole { format!("{origin}{}?{}", request.path, request.query) } else { String::new() };
    let links = [
        Link { rel: Link::SELF, href: here.trim_end_matches('?') },
        Link { rel: Link::NEXT, href: next.as_deref().unwrap_or_default() },
    ];
    let links = &links[usize::from(!is_whole)..1 + usize::from(next.is_some())];
    (format.write_page)(&mut body, &Page { links, ..*page });
    Reply::new(format.media_type, body)
}

/// Refuses a page that would be too long to send at once.
pub(super) fn is_short_enough(answer: &Answer) -> Result<(), Refusal> {
    if answer.len() <= SURELY_SHORT {
        return Ok(());
    }
    let bytes: usize = answer.hits().map(|hit| hit.item.properties_bytes().len()).sum();
    if bytes <= BYTES_MAX {
        return Ok(());
    }
    let detail = format!("the page has {} answers with {bytes} bytes of properties", answer.len());
    Err(Refusal::new(Code::TooCostly, detail).hint("ask for a smaller limit, or for fewer fields"))
}

/// The same request with another cursor, relative to the host.
fn next_link(path: &str, query: &str, cursor: &str) -> String {
    let mut link = String::with_capacity(path.len() + query.len() + cursor.len() + 9);
    link.push_str(path);
    link.push('?');
    for pair in query.split('&').filter(|pair| !pair.is_empty() && !names(pair, "cursor")) {
        link.push_str(pair);
        link.push('&');
    }
    link.push_str("cursor=");
    link.push_str(cursor);
    link
}

#[cfg(test)]
mod tests {
    use super::next_link;

    #[test]
    fn the_next_link_keeps_the_query_as_it_came() {
        assert_eq!(next_link("/near", "", "i61"), "/near?cursor=i61");
        assert_eq!(
            next_link("/near", "lat=1&filter=a%20%3D%20'+'&cursor=d0&&lon=2", "i61"),
            "/near?lat=1&filter=a%20%3D%20'+'&lon=2&cursor=i61"
        );
        assert_eq!(next_link("/near", "%63ursor=d0&k=1", "i61"), "/near?k=1&cursor=i61");
    }
}
