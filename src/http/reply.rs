//! An answer on its way out: a status, a body, and the few headers that matter.
//!
//! What surprises: it knows no connection. An answer made on a thread of the pool and one made where the request was read are
//! the same thing.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use crate::query::Explain;

/// An answer that is whole.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) media_type: &'static str,
    pub(super) body: Vec<u8>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// What a question took that took long, for the log.
    explain: Option<Box<Explain>>,
}

impl Reply {
    /// An answer of status 200.
    pub(super) fn new(media_type: &'static str, body: Vec<u8>) -> Reply {
        Reply { status: StatusCode::OK, media_type, body, headers: Vec::new(), explain: None }
    }

    /// Something that is JSON already.
    pub(super) fn json_text(body: Vec<u8>) -> Reply {
        Reply::new("application/json", body)
    }

    /// Something of ours, as JSON.
    pub(super) fn json(value: &impl Serialize) -> Reply {
        let body = serde_json::to_vec(value).expect("what we describe ourselves is always JSON");
        Reply::new("application/json", body)
    }

    /// No body at all.
    pub(super) fn nothing(status: StatusCode) -> Reply {
        Reply { status, ..Reply::new("", Vec::new()) }
    }

    /// The same with another status.
    pub(super) fn status(self, status: StatusCode) -> Reply {
        Reply { status, ..self }
    }

    /// The same with a header. A value that no header may hold is left out: it can only be text of a client's own.
    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Reply {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// The same with what the question took, to be logged with it.
    pub(super) fn explained(self, explain: Explain) -> Reply {
        Reply { explain: Some(Box::new(explain)), ..self }
    }

    pub(super) fn into_response(self) -> HttpResponse {
        let mut response: HttpResponseBuilder = HttpResponse::build(self.status);
        if !self.media_type.is_empty() {
            response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(self.media_type)));
        }
        for pair in self.headers {
            response.append_header(pair);
        }
        let mut response = response.body(self.body);
        if let Some(explain) = self.explain {
            response.extensions_mut().insert(*explain);
        }
        response
    }
}
