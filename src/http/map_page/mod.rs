//! The map page: files that were built before and are part of the program, and what the page has to know of this service.
//!
//! ```text
//! /                                 index.html, to whoever prefers a page to JSON
//! /page/settings.json               what the page has to know
//! /page/basemap/{z}/{x}/{y}.mvt     land and borders, out of basemap.tiles
//! /page/…                           every other file, under the name it has in web/dist
//! ```
//!
//! What surprises: nothing here knows its own address. The page names everything relative to itself, so it works behind a proxy
//! that puts a path before all of ours.
//!
//! The page is open to everybody, also where there are keys: it holds no data, and asks for a key before it asks for some.

use std::borrow::Cow;

use actix_web::http::{StatusCode, header};
use serde_json::json;

use super::error::{Code, Refusal};
use super::params::{decode_segment, pieces};
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, Handler, Route};
use super::tag;

mod archive;
mod basemap;
mod files;
mod policy;

pub(super) use basemap::BASEMAP;

/// What stands before the names of files in the path.
const BEFORE: &str = "/page/";

/// The page itself, which is answered under `/`.
const PAGE: &str = "index.html";

/// What the page asks first.
const SETTINGS: &str = "settings.json";

/// The operation.
pub(super) const FILE: Route = Route {
    method: "GET",
    path: "/page/{file}",
    summary: "a file of the map page, and its settings",
    parameters: &[],
    access: Access::Anyone,
    answer: Handler::Now(file),
};

/// The page itself.
pub(super) fn page(request: &Request<'_>) -> Result<Reply, Refusal> {
    embedded(request, PAGE)
}

fn file(request: &Request<'_>) -> Result<Reply, Refusal> {
    request.params()?;
    match &*name(request.path)? {
        // They have a place of their own, where what they name relative to themselves is there.
        name @ (PAGE | basemap::ARCHIVE) => Err(nothing(name)),
        SETTINGS => Ok(settings(request)),
        name => embedded(request, name),
    }
}

/// The name of the file that a path asks for: all that stands behind `/page/`.
fn name(path: &str) -> Result<Cow<'_, str>, Refusal> {
    let named = pieces(path, b'/').nth(2).map_or("", |first| {
        let begins = first.as_ptr().addr() - path.as_ptr().addr();
        &path[begins..]
    });
    decode_segment(named)
}

fn nothing(name: &str) -> Refusal {
    let shown = format!("{BEFORE}{name}");
    Refusal::new(Code::NotFound, format!("the page has no file {name:?}")).value(&shown).hint("the page is at /")
}

fn embedded(request: &Request<'_>, name: &str) -> Result<Reply, Refusal> {
    let accepted = request.header(header::ACCEPT_ENCODING);
    let Some(file) = files::find(name, accepted.as_deref()) else { return Err(nothing(name)) };
    let reply = match tag::client_has(request, &file.tag) {
        true => Reply::nothing(StatusCode::NOT_MODIFIED),
        false => Reply::new(file.media_type, file.bytes.to_vec()),
    };
    let reply = match file.coding {
        Some(coding) => reply.header(header::CONTENT_ENCODING, coding),
        None => reply,
    };
    let reply = if file.is_coded { reply.header(header::VARY, "accept-encoding") } else { reply };
    let kept = if file.is_named_by_content { "public, max-age=31536000, immutable" } else { "no-cache" };
    Ok(guarded(request, reply.header(header::ETAG, &file.tag).header(header::CACHE_CONTROL, kept)))
}

fn settings(request: &Request<'_>) -> Reply {
    let reply = Reply::json(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "map_style": request.service.options().map_style,
        "collections_need_key": request.service.keys().is_some(),
    }));
    guarded(request, reply.header(header::CACHE_CONTROL, "no-cache"))
}

/// The same with what keeps a browser from doing more with it than we meant.
///
/// Every file says so, not only the page: a worker goes by the policy that its own script came with.
fn guarded(request: &Request<'_>, reply: Reply) -> Reply {
    let options = request.service.options();
    reply
        .header(header::CONTENT_SECURITY_POLICY, &policy::of(options.map_style.as_deref(), &options.map_origins))
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::REFERRER_POLICY, "no-referrer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_all_that_stands_behind_the_prefix() {
        for (path, expected) in [
            ("/page/a.js", "a.js"),
            ("/page/assets/a%2Db.js", "assets/a-b.js"),
            ("/%70age/assets%2Fa.js", "assets/a.js"),
            ("/page/../a", "../a"),
            ("/page/", ""),
            ("/page", ""),
        ] {
            assert_eq!(name(path).unwrap(), expected, "{path}");
        }
        assert_eq!(name("/page/%FF").unwrap_err().code, Code::BadEncoding);
    }
}
