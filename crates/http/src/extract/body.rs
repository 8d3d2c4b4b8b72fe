//! Request bodies: read up to a limit, and what they are announced as.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;
use trailkeeper_domain::{Error, Fault, Result, text};

/// How long a sender may pause inside a body. Whoever has stopped sending must not hold a connection, and
/// what was read of the body, for ever.
const PAUSE: Duration = Duration::from_secs(30);

/// Reads the whole body, at most `limit` bytes: the rest of a larger one is not read.
pub async fn read(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Bytes> {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > limit as u64) {
        return Err(too_large(limit));
    }
    gathered(payload, limit, PAUSE).await
}

async fn gathered<E>(
    mut payload: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limit: usize,
    pause: Duration,
) -> Result<Bytes> {
    let mut body = BytesMut::new();
    loop {
        let chunk = timeout(pause, payload.next())
            .await
            .map_err(|_| incomplete(&format!("nothing more of the body came for {} seconds", pause.as_secs())))?;
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(|_| incomplete("the body broke off before its end"))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn incomplete(what: &str) -> Error {
    Error::malformed("incomplete_body", format!("{what}; send the request again"))
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

#[cfg(test)]
mod tests {
    use actix_web::rt::System;
    use futures_util::stream;

    use super::*;

    #[test]
    fn a_body_that_stops_or_breaks_off_is_refused() {
        let start = || stream::iter([Ok::<_, ()>(Bytes::from_static(b"{"))]);
        let read = |payload: stream::BoxStream<'static, Result<Bytes, ()>>, limit| {
            System::new().block_on(gathered(payload, limit, Duration::ZERO)).map_err(|error| error.to_string())
        };
        assert_eq!(read(start().boxed(), 1), Ok(Bytes::from_static(b"{")));
        assert!(read(start().boxed(), 0).unwrap_err().contains("more than 0 bytes"));
        let stopped = read(start().chain(stream::pending()).boxed(), 9).unwrap_err();
        assert!(stopped.contains("nothing more of the body came"), "{stopped}");
        let broken = read(start().chain(stream::iter([Err(())])).boxed(), 9).unwrap_err();
        assert_eq!(broken, "the body broke off before its end; send the request again");
    }
}
