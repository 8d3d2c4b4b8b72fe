//! Request bodies: read up to a limit, and what they are announced as.

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;
use trailkeeper_domain::{Error, Fault, Result, text};

/// Reads the whole body, at most `limit` bytes: the rest of a larger one is not read.
pub async fn read(request: &HttpRequest, mut payload: Payload, limit: usize) -> Result<Bytes> {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > limit as u64) {
        return Err(too_large(limit));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|error| Error::malformed("incomplete_body", format!("the body broke off: {error}")))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The error for a body over the limit.
pub fn too_large(limit: usize) -> Error {
    Error::TooLarge(Fault::new(
        "body_too_large",
        format!("the body has more than {limit} bytes; send smaller requests"),
    ))
}

/// The media type of the body, in lower case, without parameters; `None` where the header is absent.
pub fn media_type(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(header::CONTENT_TYPE)?;
    let value = String::from_utf8_lossy(value.as_bytes());
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Checks that the body is announced as JSON, or not announced at all.
pub fn must_be_json(request: &HttpRequest) -> Result<()> {
    match media_type(request) {
        Some(media_type) if media_type != "application/json" && !media_type.ends_with("+json") => Err(Error::invalid(
            "Content-Type",
            format!("'{}' is not understood here; send application/json", text::shown(&media_type)),
        )),
        _ => Ok(()),
    }
}
