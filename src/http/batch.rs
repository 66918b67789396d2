//! Many searches in one request: a JSON array in, a line of JSON out for each, in order.
//!
//! What surprises: a search that is refused takes none of the others with it. Its line is the problem, with its status, and all
//! searches see the collection at one moment.

use serde_json::value::RawValue;

use super::body;
use super::cursor;
use super::error::{Code, Refusal};
use super::page::is_short_enough;
use super::params::Params;
use super::question::Question;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, Handler, Route};
use crate::format::{FORMATS, Link, Page};

/// The most searches in one request.
const SEARCHES_MAX: usize = 1000;

/// The most bytes of answers in one request: what goes beyond is refused line by line.
const BYTES_MAX: usize = 64 << 20;

/// The operation.
pub(super) const BATCH: Route = Route {
    method: "POST",
    path: "/collections/{c}/search/batch",
    summary: "many searches at once: a JSON array in, a line of compact JSON for each out, in order",
    parameters: &["min_seq"],
    access: Access::Read,
    answer: Handler::Now(batch),
};

fn batch(request: &Request<'_>) -> Result<Reply, Refusal> {
    let params = request.params()?;
    let searches: Vec<&RawValue> = serde_json::from_slice(request.body).map_err(|error| {
        Refusal::new(Code::BadBody, format!("the body is no JSON array of searches: {error}"))
            .hint(r#"as in [{"near":{"lat":48.857,"lon":2.352},"k":3}]"#)
    })?;
    if searches.len() > SEARCHES_MAX {
        return Err(Refusal::new(Code::NumberOutOfRange, format!("{} searches are too many", searches.len()))
            .hint(format!("send at most {SEARCHES_MAX} at once")));
    }
    let name = request.collection()?;
    let view = request.view(&name, &params)?;
    let compact = FORMATS.iter().find(|format| format.name == "json").expect("compact JSON is a format");
    let mut out = Vec::new();
    for search in searches {
        let before = out.len();
        let answered = (|| {
            if before > BYTES_MAX {
                return Err(Refusal::new(Code::TooCostly, "the answers before this one are long enough")
                    .hint("send the rest in another request, or ask for fewer fields"));
            }
            let mut params = Params::default();
            body::read(search.get().as_bytes(), &mut params)?;
            params.new_enough(&view)?;
            let Question { query, fields, explain } = Question::read(&params, &view)?;
            let answer = query.run_within(&view.snapshot, request.budget)?;
            // The next page of a line is the same search with a cursor in it.
            let next = answer.next.as_ref().map(|cursor| cursor::written(cursor, &query, view.number));
            let next = next.as_deref().map(|href| Link { rel: Link::NEXT, href });
            is_short_enough(&answer)?;
            (compact.write_page)(&mut out, &Page { answer: &answer, fields: &fields, links: next.as_slice(), explain });
            Ok(())
        })();
        match answered {
            Ok(()) => {}
            // The whole is begun anew where it may cost more, or when what it waits for has come.
            Err(refusal) if refusal.code == Code::TooCostly && before <= BYTES_MAX => return Err(refusal),
            Err(refusal) if refusal.code == Code::Behind => return Err(refusal),
            Err(refusal) => {
                out.truncate(before);
                out.extend_from_slice(&refusal.to_json());
            }
        }
        out.push(b'\n');
    }
    Ok(Reply::new("application/x-ndjson", out))
}
