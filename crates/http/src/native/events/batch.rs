//! The format of a body of `POST /v1/events`, from its headers, and the events in it.

use std::io::Read;

use actix_web::HttpRequest;
use actix_web::http::header;
use trailkeeper_domain::{Error, ErrorDetail, Result, text};
use trailkeeper_parsers::event_body::{self, ParsedEvent, Syntax};
use trailkeeper_parsers::gzip::Gzip;

use crate::request::body;
use crate::settings::{MAX_BODY_BYTES, MAX_EVENTS};

/// The format of a body, as its headers announce it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyFormat {
    syntax: Syntax,
    gzip: bool,
}

impl BodyFormat {
    /// Reads `Content-Type` (absent: JSON) and `Content-Encoding` (absent: none).
    pub fn of(request: &HttpRequest) -> Result<Self> {
        let syntax = match body::media_type(request).as_deref() {
            None | Some("application/json") => Syntax::Json,
            Some("application/x-ndjson") => Syntax::NdJson,
            Some(other) => {
                return Err(Error::invalid(
                    "Content-Type",
                    format!(
                        "'{}' is not understood here; send application/json or application/x-ndjson",
                        text::shown(other)
                    ),
                ));
            }
        };
        let Some(encoding) = request.headers().get(header::CONTENT_ENCODING) else {
            return Ok(Self { syntax, gzip: false });
        };
        let encoding = String::from_utf8_lossy(encoding.as_bytes()).trim().to_ascii_lowercase();
        match encoding.as_str() {
            "gzip" | "x-gzip" => Ok(Self { syntax, gzip: true }),
            "identity" | "" => Ok(Self { syntax, gzip: false }),
            other => Err(Error::invalid(
                "Content-Encoding",
                format!("'{}' is not understood here; send gzip, or the body as it is", text::shown(other)),
            )),
        }
    }

    /// Whether the body is sent uncompressed.
    pub fn is_uncompressed(self) -> bool {
        !self.gzip
    }

    /// Decompresses and parses a body, as [`event_body::parse`] does, with at most [`MAX_EVENTS`] events.
    pub fn parse(self, bytes: &[u8]) -> Result<Vec<ParsedEvent>> {
        let decompressed;
        let bytes = if self.gzip {
            decompressed = gunzip(bytes)?;
            &decompressed
        } else {
            bytes
        };
        event_body::parse(bytes, self.syntax, MAX_EVENTS)
    }
}

/// Decompresses at most [`MAX_BODY_BYTES`], so that a gzip bomb cannot fill the memory.
fn gunzip(packed: &[u8]) -> Result<Vec<u8>> {
    let limit = MAX_BODY_BYTES as u64;
    let mut unpacked = Vec::new();
    Gzip::new(packed).take(limit + 1).read_to_end(&mut unpacked).map_err(|error| {
        Error::Invalid(ErrorDetail::of(
            "Content-Encoding",
            "invalid_gzip",
            format!("is gzip, but the body is not: {error}; compress it again, or send it as it is without the header"),
        ))
    })?;
    if unpacked.len() > MAX_BODY_BYTES { Err(body::too_large(MAX_BODY_BYTES)) } else { Ok(unpacked) }
}
