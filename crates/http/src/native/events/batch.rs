//! The format of a body of `POST /v1/events`, from its headers, and the events in it.

use std::io::Read;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use trailkeeper_domain::{Error, ErrorDetail, Result, text};
use trailkeeper_parsers::cloud_events;
use trailkeeper_parsers::event_body::{self, ParsedEvent, Syntax};
use trailkeeper_parsers::gzip::Gzip;

use crate::request::body;
use crate::settings::{MAX_BODY_BYTES, MAX_EVENTS};

/// The format of a body, as its headers announce it.
#[derive(Debug)]
pub struct BodyFormat {
    syntax: BodySyntax,
    gzip: bool,
}

/// How a body holds its events.
#[derive(Debug)]
enum BodySyntax {
    /// By itself.
    Events(Syntax),
    /// With the attributes of a `CloudEvents` event in the headers: the body is its data.
    CloudEvent { attributes: Vec<(String, Vec<u8>)>, content_type: Option<String> },
}

impl BodyFormat {
    /// Reads `Content-Type` (absent: JSON), the headers of the `CloudEvents` binary mode, and `Content-Encoding` (absent:
    /// none).
    pub fn of(request: &HttpRequest) -> Result<Self> {
        let gzip = is_gzip(request)?;
        let syntax = match body::media_type(request).as_deref() {
            Some("application/cloudevents+json") => Syntax::CloudEvent,
            Some("application/cloudevents-batch+json") => Syntax::CloudEventBatch,
            _ if request.headers().contains_key("ce-specversion") => {
                return Ok(Self { syntax: BodySyntax::cloud_event(request), gzip });
            }
            None | Some("application/json") => Syntax::Json,
            Some("application/x-ndjson") => Syntax::NdJson,
            Some(other) => {
                return Err(Error::invalid(
                    "Content-Type",
                    format!(
                        "'{}' is not understood here; send application/json or application/x-ndjson, or for CloudEvents application/cloudevents+json or application/cloudevents-batch+json",
                        text::shown(other)
                    ),
                ));
            }
        };
        Ok(Self { syntax: BodySyntax::Events(syntax), gzip })
    }

    /// Whether the body is sent uncompressed.
    pub fn is_uncompressed(&self) -> bool {
        !self.gzip
    }

    /// Decompresses and parses a body, as [`event_body::parse`] does, with at most [`MAX_EVENTS`] events.
    pub fn parse(&self, bytes: &[u8]) -> Result<Vec<ParsedEvent>> {
        let decompressed;
        let bytes = if self.gzip {
            decompressed = gunzip(bytes)?;
            &decompressed
        } else {
            bytes
        };
        match &self.syntax {
            BodySyntax::Events(syntax) => event_body::parse(bytes, *syntax, MAX_EVENTS),
            BodySyntax::CloudEvent { attributes, content_type } => {
                let attributes = attributes.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
                Ok(vec![cloud_events::binary(attributes, content_type.as_deref(), bytes)])
            }
        }
    }
}

impl BodySyntax {
    fn cloud_event(request: &HttpRequest) -> Self {
        let attribute = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().strip_prefix("ce-")?.to_owned(), value.as_bytes().to_owned()))
        };
        let content_type = request.headers().get(header::CONTENT_TYPE);
        Self::CloudEvent {
            attributes: request.headers().iter().filter_map(attribute).collect(),
            content_type: content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
        }
    }
}

/// Whether the body is compressed with gzip, by `Content-Encoding`.
pub fn is_gzip(request: &HttpRequest) -> Result<bool> {
    let Some(encoding) = request.headers().get(header::CONTENT_ENCODING) else { return Ok(false) };
    let encoding = String::from_utf8_lossy(encoding.as_bytes()).trim().to_ascii_lowercase();
    match encoding.as_str() {
        "gzip" | "x-gzip" => Ok(true),
        "identity" | "" => Ok(false),
        other => Err(Error::invalid(
            "Content-Encoding",
            format!("'{}' is not understood here; send gzip, or the body as it is", text::shown(other)),
        )),
    }
}

/// Decompresses at most [`MAX_BODY_BYTES`], so that a gzip bomb cannot fill the memory.
pub fn gunzip(packed: &[u8]) -> Result<Vec<u8>> {
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
