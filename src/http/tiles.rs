//! Tiles of the web map: the points of a collection as a map page draws them.
//!
//! What surprises: a tile costs about the same whatever the collection holds, so none is kept. Whoever has one asks with its tag,
//! and is told in a moment that nothing has changed.

use std::fmt::Write as _;

use actix_web::http::{StatusCode, header};

use super::error::{Code, Refusal};
use super::reply::Reply;
use super::request::Request;
use super::routes::{Access, Handler, Route};
use super::{question, tag};
use crate::engine::View;
use crate::format::mvt;
use crate::format::tilejson::{TileJson, ZOOM_MAX, write_tilejson};
use crate::geometry::Tile;
use crate::query::Filter;
use crate::query::tile::TileQuery;

/// The operation.
pub(super) const TILE: Route = Route {
    method: "GET",
    path: "/collections/{c}/tiles/{z}/{x}/{y}.mvt",
    summary: "a vector tile of the points, as clusters with exact counts where there are many",
    parameters: &["fields", "filter", "min_seq"],
    access: Access::Read,
    answer: Handler::Now(tile),
};

/// The operation.
pub(super) const TILES: Route = Route {
    method: "GET",
    path: "/collections/{c}/tiles.json",
    summary: "where the tiles are and how far they reach, as TileJSON",
    parameters: &["fields", "filter"],
    access: Access::Read,
    answer: Handler::Now(tiles),
};

fn tile(request: &Request<'_>) -> Result<Reply, Refusal> {
    let params = request.params()?;
    let (name, tile) = (request.collection()?, coordinates(request)?);
    let View { number, snapshot, .. } = request.view(&name, &params)?;
    let tag = tag::of_state(number, snapshot.seq(), &format!("{tile:?} {}", request.query));
    if tag::client_has(request, &tag) {
        return Ok(Reply::nothing(StatusCode::NOT_MODIFIED).header(header::ETAG, &tag));
    }
    let query = match params.read("filter", Filter::parse)? {
        Some(filter) => TileQuery::of(tile).matching(filter),
        None => TileQuery::of(tile),
    };
    let answer = query.run_within(&snapshot, request.budget)?;
    let mut body = Vec::new();
    mvt::write_tile(&mut body, &answer, &question::fields(&params));
    // Kept by the client, and asked about every time: the points may move.
    Ok(Reply::new(mvt::MEDIA_TYPE, body).header(header::ETAG, &tag).header(header::CACHE_CONTROL, "no-cache"))
}

/// The tile that the path names.
pub(super) fn coordinates(request: &Request<'_>) -> Result<Tile, Refusal> {
    let tail = request.path.rsplit('/').next().unwrap_or_default().strip_suffix(".mvt").unwrap_or_default();
    let z = request.segment("{z}")?.and_then(|z| z.parse().ok());
    let x = request.segment("{x}")?.and_then(|x| x.parse().ok());
    let tile = z.zip(x).zip(tail.parse().ok()).map(|((z, x), y)| Tile::new(z, x, y));
    tile.transpose()?.ok_or_else(|| {
        Refusal::new(Code::BadTile, "a tile has three whole numbers").value(request.path).hint("write /{z}/{x}/{y}.mvt")
    })
}

fn tiles(request: &Request<'_>) -> Result<Reply, Refusal> {
    request.params()?.read("filter", Filter::parse)?;
    let name = request.collection()?;
    let snapshot = request.engine.snapshot(&name)?;
    let mut tiles = format!("{}/collections/{name}/tiles/{{z}}/{{x}}/{{y}}.mvt", request.origin());
    if !request.query.is_empty() {
        let _ = write!(tiles, "?{}", request.query); // a text takes everything
    }
    let mut body = Vec::new();
    let about = TileJson { name: name.as_str(), tiles: &tiles, extent: snapshot.extent(), zoom_max: ZOOM_MAX };
    write_tilejson(&mut body, &about);
    Ok(Reply::json_text(body))
}
