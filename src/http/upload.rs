//! Many items in one request, as they come: read while they arrive, and taken in all at once at the end.
//!
//! ```text
//! body ─▶ a few pieces in a channel ─▶ unpacked ─▶ rows ─▶ few: one submission     all or none, at the end
//!         full: the client waits                         └▶ many: a load
//! ```
//!
//! What surprises: an upload gets its thread only when it is whole or has sent enough to be worth one. A thousand clients that
//! begin an upload and say nothing more cost a thousand small buffers.

use std::io::{self, Read};
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::rt::task::spawn_blocking;
use actix_web::web::{Bytes, Payload};
use futures_util::future::join;
use tokio::sync::mpsc;

use super::arrival::{Arrival, Pace, next_chunk};
use super::error::{Code, Refusal};
use super::gate::Room;
use super::item::now_ms;
use super::params::choice;
use super::pool::guarded;
use super::request::Request;
use super::routes::{Access, Handler, Route};
use super::taking::{OnError, Taking, broken_off, stamp};
use crate::engine::{Engine, EngineError, RequestKey};
use crate::format::{
    CODINGS, Coding, READERS, ReadOptions, Reader, coding_named, csv, reader_for_media_type, sniff_coding,
};

/// Bytes that are read before an upload gets a thread; most are whole by then.
const FIRST_BYTES: usize = 256 << 10;

/// Pieces of the body that wait to be read.
const PIECES: usize = 16;

/// Media types that say nothing: programs send them with anything.
const SILENT: &[&str] = &["", "application/octet-stream", "application/x-www-form-urlencoded", "text/plain"];

/// The operation.
pub(super) const UPLOAD: Route = Route {
    method: "POST",
    path: "/collections/{c}/items",
    summary: "put many items: CSV, NDJSON or GeoJSON, plain or packed",
    parameters: &["on_error", "lat_col", "lon_col", "id_col", "delimiter"],
    access: Access::Write,
    answer: Handler::Later(|arrival| Box::pin(upload(arrival))),
};

/// The same with the method that `curl -T` takes.
pub(super) const UPLOAD_FILE: Route = Route { method: "PUT", ..UPLOAD };

async fn upload(mut arrival: Arrival) -> Result<HttpResponse, Refusal> {
    let limits = &arrival.service.options().limits;
    let mut pace = Pace::new(limits.body_patience).within(limits.upload);
    let mut room = arrival.service.bodies().enter(0)?;
    let mut first = Vec::new();
    let mut is_whole = false;
    while first.len() < FIRST_BYTES && !is_whole {
        match next_chunk(&mut arrival.payload, &mut pace).await? {
            Some(piece) => {
                room.grow(piece.len())?;
                first.extend_from_slice(&piece);
            }
            None => is_whole = true,
        }
    }
    let taking = plan(&arrival.request(&first), arrival.engine.clone())?;
    let slot = arrival.service.uploads().enter(1)?;
    let (pieces, body) = Body::channel();
    let most = arrival.service.options().limits.upload_bytes;
    let working = spawn_blocking(move || {
        let _slot = slot;
        guarded(|| taking.take(Box::new(body), most))
    });
    let feeding = feed(&mut arrival.payload, pieces, (first.into(), is_whole), room, pace);
    let (fed, worked) = join(feeding, working).await;
    // A client that went away is told what happened to the body, not what the reader made of its end.
    fed?;
    let taken = worked.unwrap_or_else(|_| Err(EngineError::Closed.into()))?;
    Ok(taken.reply().into_response())
}

/// Sends on what comes of a body, the beginning of which has come. Without its end the rest is not taken for whole.
async fn feed(
    payload: &mut Payload,
    pieces: mpsc::Sender<Piece>,
    (first, is_whole): (Bytes, bool),
    room: Room,
    mut pace: Pace,
) -> Result<(), Refusal> {
    // Where nobody reads any more, what was found there says why.
    if pieces.send(Piece::Bytes(first)).await.is_err() {
        return Ok(());
    }
    drop(room);
    if !is_whole {
        while let Some(piece) = next_chunk(payload, &mut pace).await? {
            if pieces.send(Piece::Bytes(piece)).await.is_err() {
                return Ok(());
            }
        }
    }
    let _ = pieces.send(Piece::End).await; // likewise
    Ok(())
}

/// How a body is to be read and where it goes, from what the head says and how the body begins.
fn plan(request: &Request<'_>, engine: Arc<Engine>) -> Result<Taking, Refusal> {
    let params = request.params()?;
    let on_error = |text: &str| choice(text, [("skip", OnError::Skip), ("abort", OnError::Abort)]);
    let coding = coding(request)?;
    let column = |name| Ok::<_, Refusal>(params.text(name)?.map(str::to_owned));
    let key = key(request)?;
    let options = ReadOptions {
        lat_column: column("lat_col")?,
        lon_column: column("lon_col")?,
        id_column: column("id_col")?,
        delimiter: params.read("delimiter", delimiter)?,
    };
    Ok(Taking {
        engine,
        name: request.collection()?,
        stamp: stamp(key.as_ref()),
        key,
        on_error: params.read("on_error", on_error)?.unwrap_or(OnError::Skip),
        coding,
        reader: reader(request)?.or_else(|| options.reader()),
        options,
        now_ms: now_ms(),
    })
}

fn delimiter(text: &str) -> Result<u8, Refusal> {
    csv::delimiter_named(text).ok_or_else(|| {
        Refusal::new(Code::UnknownChoice, format!("{text:?} cannot stand between fields"))
            .hint("write one character of ASCII that is no quote and no line break, or tab")
    })
}

/// The name of the request. One that is no text is refused as any other that cannot be, not passed over.
fn key(request: &Request<'_>) -> Result<Option<RequestKey>, Refusal> {
    let given = request.headers.get("idempotency-key");
    Ok(given.map(|key| RequestKey::new(key.to_str().unwrap_or_default())).transpose()?)
}

/// How the body is packed: as its head says, or as it looks.
fn coding(request: &Request<'_>) -> Result<Option<&'static Coding>, Refusal> {
    let said = request.header(header::CONTENT_ENCODING).map(|said| said.trim().to_ascii_lowercase());
    match said.as_deref() {
        None | Some("" | "identity") => Ok(sniff_coding(request.body)),
        Some(said) => coding_named(said).map(Some).ok_or_else(|| {
            let known: Vec<&str> = CODINGS.iter().map(|coding| coding.name).collect();
            Refusal::new(Code::UnsupportedMediaType, format!("a body packed as {said} is not read here"))
                .at("content-encoding")
                .value(said)
                .hint(format!("pack it as {}, or not at all", known.join(" or ")))
        }),
    }
}

/// What reads the body, where its head says what it is; otherwise it is looked at once it is unpacked.
fn reader(request: &Request<'_>) -> Result<Option<&'static Reader>, Refusal> {
    let said = request.header(header::CONTENT_TYPE).unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if SILENT.contains(&&*essence) {
        return Ok(None);
    }
    if let Some(reader) = reader_for_media_type(&essence) {
        return Ok(Some(reader));
    }
    // A packed file may be called by the name of its packing.
    if CODINGS.iter().any(|coding| essence.contains(coding.name)) {
        return Ok(None);
    }
    let known: Vec<&str> = READERS.iter().flat_map(|reader| reader.media_types).copied().collect();
    Err(Refusal::new(Code::UnsupportedMediaType, format!("a body of type {essence} is not read here"))
        .at("content-type")
        .value(&said)
        .hint(format!("send one of {}, or the file as it is with curl -T", known.join(", "))))
}

/// A piece of a body, or that it is whole.
enum Piece {
    Bytes(Bytes),
    End,
}

/// A body as a reader on another thread sees it.
struct Body {
    pieces: mpsc::Receiver<Piece>,
    current: Bytes,
    ended: bool,
}

impl Body {
    fn channel() -> (mpsc::Sender<Piece>, Body) {
        let (sender, pieces) = mpsc::channel(PIECES);
        (sender, Body { pieces, current: Bytes::new(), ended: false })
    }
}

impl Read for Body {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => self.current = bytes,
                Some(Piece::End) => self.ended = true,
                None => return Err(broken_off()),
            }
        }
        let taken = self.current.len().min(out.len());
        out[..taken].copy_from_slice(&self.current.split_to(taken));
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_without_its_end_is_not_whole() {
        let read = |pieces: Vec<Piece>| {
            let (sender, mut body) = Body::channel();
            pieces.into_iter().for_each(|piece| assert!(sender.blocking_send(piece).is_ok()));
            drop(sender);
            let mut text = String::new();
            body.read_to_string(&mut text).map(|_| text)
        };
        let bytes = |text: &'static str| Piece::Bytes(Bytes::from_static(text.as_bytes()));
        assert_eq!(read(vec![bytes("a"), bytes(""), bytes("bc"), Piece::End]).unwrap(), "abc");
        assert!(read(vec![bytes("abc")]).is_err());
        assert!(read(vec![]).is_err());
    }
}
