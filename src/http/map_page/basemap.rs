//! The base map: land and borders as vector tiles, from one archive that is part of the page.
//!
//! What surprises: tiles are kept packed and mostly go out so. Only for a client that takes no gzip is one unpacked.

use std::io::Read;
use std::sync::LazyLock;

use actix_web::http::{StatusCode, header};
use flate2::read::GzDecoder;
use xxhash_rust::xxh3::xxh3_64;

use super::archive::Archive;
use super::{files, guarded};
use crate::format::mvt;
use crate::http::accept::weight;
use crate::http::error::{Code, Refusal};
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::http::routes::{Access, Handler, Route};
use crate::http::{tag, tiles};

/// The name of the archive among the files of the page.
pub(super) const ARCHIVE: &str = "basemap.tiles";

/// No tile is longer than this, unpacked.
const TILE_BYTES: u64 = 16 << 20;

/// A week: coasts move slowly, and a new version of the program is noticed after that.
const KEPT: &str = "public, max-age=604800";

/// The operation.
pub(in crate::http) const BASEMAP: Route = Route {
    method: "GET",
    path: "/page/basemap/{z}/{x}/{y}.mvt",
    summary: "a vector tile of the base map: land and borders",
    parameters: &[],
    access: Access::Anyone,
    answer: Handler::Now(tile),
};

/// The archive, looked at once. A page without a base map, or with one that cannot be read, has no tiles.
static TILES: LazyLock<Option<Archive<'static>>> = LazyLock::new(|| {
    let opened = Archive::open(files::bytes(ARCHIVE)?);
    opened.inspect_err(|reason| tracing::error!(%reason, "the base map cannot be read")).ok()
});

fn tile(request: &Request<'_>) -> Result<Reply, Refusal> {
    request.params()?;
    let tile = tiles::coordinates(request)?;
    let found = TILES.as_ref().and_then(|archive| archive.tile(tile.z(), tile.x(), tile.y()));
    let reply = match found {
        None => Reply::nothing(StatusCode::NO_CONTENT),
        Some(packed) => shown(request, packed)?,
    };
    Ok(guarded(request, reply.header(header::CACHE_CONTROL, KEPT).header(header::VARY, "accept-encoding")))
}

/// A tile, packed or not, as whoever asks accepts it.
fn shown(request: &Request<'_>, packed: &[u8]) -> Result<Reply, Refusal> {
    let accepted = request.header(header::ACCEPT_ENCODING);
    let takes_gzip = accepted.and_then(|list| weight(&list, &["gzip", "*"])).is_some_and(|weight| weight > 0.0);
    let coding = if takes_gzip { "-gzip" } else { "" };
    let tag = format!("\"{:016x}{coding}\"", xxh3_64(packed));
    if tag::client_has(request, &tag) {
        return Ok(Reply::nothing(StatusCode::NOT_MODIFIED).header(header::ETAG, &tag));
    }
    let reply = match takes_gzip {
        true => Reply::new(mvt::MEDIA_TYPE, packed.to_vec()).header(header::CONTENT_ENCODING, "gzip"),
        false => {
            let damaged = || Refusal::new(Code::NotFound, "this tile of the base map cannot be unpacked");
            Reply::new(mvt::MEDIA_TYPE, unpacked(packed).ok_or_else(damaged)?)
        }
    };
    Ok(reply.header(header::ETAG, &tag))
}

fn unpacked(packed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = GzDecoder::new(packed).take(TILE_BYTES + 1).read_to_end(&mut bytes).ok()?;
    (length as u64 <= TILE_BYTES).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn a_tile_is_unpacked_and_nothing_else_is() {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(b"a tile").unwrap();
        let packed = packer.finish().unwrap();
        assert_eq!(unpacked(&packed), Some(b"a tile".to_vec()));
        assert_eq!(unpacked(&packed[..packed.len() - 9]), None);
        assert_eq!(unpacked(b"a tile"), None);
    }

    #[test]
    fn a_tile_that_would_fill_the_memory_is_given_up() {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        let zeros = vec![0; 1 << 20];
        (0..17).for_each(|_| packer.write_all(&zeros).unwrap());
        assert_eq!(unpacked(&packer.finish().unwrap()), None);
    }

    #[test]
    fn the_base_map_of_the_page_is_sound() {
        let Some(bytes) = files::bytes(ARCHIVE) else { return };
        let archive = Archive::open(bytes).unwrap();
        assert!(archive.len() > 0 && TILES.is_some());
        assert!(archive.tile(0, 0, 0).and_then(unpacked).is_some_and(|tile| !tile.is_empty()));
    }
}
