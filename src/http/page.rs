//! A question answered as a page, with the way to the next one.
//!
//! What surprises: the link is the request itself. Its query string is kept as it came, byte for byte, and only the cursor is
//! put in place of the one before.

use super::accept;
use super::error::Refusal;
use super::params::Params;
use super::question::Question;
use super::routes::{Reply, Request};
use crate::format::{Link, Page};

/// Room for a common page, so that the buffer is not moved while it grows.
const USUAL_BYTES: usize = 8 * 1024;

/// Asks the collection of the path, and writes the page in the format that is wanted.
pub(super) fn reply(request: &Request<'_>, params: &Params<'_>) -> Result<Reply, Refusal> {
    let format = accept::format(params, request.accept)?;
    let Question { query, fields, explain } = Question::read(params)?;
    let answer = request.engine.ask(&request.collection()?, &query)?;
    let next = answer.next.as_ref().map(|cursor| next_link(request.path, request.query, &cursor.to_string()));
    let mut body = Vec::with_capacity(USUAL_BYTES);
    let next = next.as_deref().map(|href| Link { rel: Link::NEXT, href });
    (format.write_page)(&mut body, &Page { answer: &answer, fields: &fields, links: next.as_slice(), explain });
    Ok(Reply { media_type: format.media_type, body })
}

/// The same request with another cursor, relative to the host.
fn next_link(path: &str, query: &str, cursor: &str) -> String {
    let mut link = String::with_capacity(path.len() + query.len() + cursor.len() + 9);
    link.push_str(path);
    link.push('?');
    for pair in query.split('&').filter(|pair| !pair.is_empty() && !names_the_cursor(pair)) {
        link.push_str(pair);
        link.push('&');
    }
    link.push_str("cursor=");
    link.push_str(cursor);
    link
}

fn names_the_cursor(pair: &str) -> bool {
    Params::of_query(pair).is_ok_and(|params| params.given("cursor").is_some())
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
