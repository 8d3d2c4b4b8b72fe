//! Request bodies, read up to a limit, and their media types.

use std::time::Duration;

use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Data, Payload};
use actix_web::{HttpMessage, HttpRequest};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};
use trailkeeper_domain::{Error, ErrorDetail, Result, text};

use crate::body_budget::{BodyShare, Sender};
use crate::settings::ConnectionSettings;
use crate::state::AppState;

/// How long a sender may pause inside a body.
const PAUSE: Duration = Duration::from_secs(30);

/// How long a body may take before its rate is checked, because connections start slowly.
const GRACE: Duration = Duration::from_secs(10);

/// The lowest rate of a body, in bytes per second.
const MIN_RATE: u64 = 1024;

/// How fast a body must arrive. A slower sender must not occupy a connection and the memory of its body.
struct Pace {
    pause: Duration,
    grace: Duration,
    /// Time for the whole body.
    total: Duration,
}

impl Pace {
    fn of(request: &HttpRequest) -> Self {
        let settings = request.app_data::<Data<AppState>>().map(|state| state.settings.connections);
        let ConnectionSettings { body_timeout, .. } = settings.unwrap_or_default();
        Self { pause: PAUSE, grace: GRACE, total: body_timeout }
    }

    /// When the next bytes must arrive, after `bytes` bytes since `began`, the last of them now.
    fn deadline(&self, began: Instant, bytes: usize) -> Instant {
        let at_rate = began + self.grace + Duration::from_secs(bytes as u64 / MIN_RATE);
        (Instant::now() + self.pause).min(at_rate).min(began + self.total)
    }

    fn exceeded(&self, began: Instant, bytes: usize) -> Error {
        Error::TimedOut(ErrorDetail::new(
            "body_too_slow",
            format!(
                "{bytes} bytes of the body came in {} seconds; send at least {MIN_RATE} bytes per second, and all of it within {} seconds",
                began.elapsed().as_secs(),
                self.total.as_secs(),
            ),
        ))
    }
}

/// Reads the whole body, at most `limit` bytes. The rest of a larger body is not read. The request holds a share of the
/// budget for bodies until it is dropped.
///
/// [`Error::Overloaded`] if the budget has not enough left.
pub async fn read(request: &HttpRequest, payload: Payload, limit: usize, sender: Sender) -> Result<Bytes> {
    if announced_length(request).is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let state = request.app_data::<Data<AppState>>().ok_or_else(|| Error::internal("a request without the state"))?;
    let mut share = state.body_share(sender);
    let body = collect(payload, limit, &Pace::of(request), &mut share).await?;
    request.extensions_mut().insert(share);
    Ok(body)
}

/// Counts the body of the request as that of a verified sender, once its signature is verified.
pub fn sender_is_verified(request: &HttpRequest) {
    if let Some(share) = request.extensions_mut().get_mut::<BodyShare>() {
        share.verified();
    }
}

/// Checks that the request has no body. [`Error::Invalid`] with the code `unexpected_body` otherwise.
pub async fn must_be_absent(request: &HttpRequest, payload: Payload) -> Result<()> {
    let unexpected = || {
        Error::malformed(
            "unexpected_body",
            "this operation takes no body, and the signature of a request to it covers none; send the request without a body",
        )
    };
    match read(request, payload, 0, Sender::Unverified).await {
        Err(Error::TooLarge(_)) => Err(unexpected()),
        read => read.map(|_| ()),
    }
}

/// The length of the body as the head of the request states it, in bytes.
fn announced_length(request: &HttpRequest) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn collect<E>(
    mut payload: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limit: usize,
    pace: &Pace,
    share: &mut BodyShare,
) -> Result<Bytes> {
    let began = Instant::now();
    let mut body = BytesMut::new();
    loop {
        let deadline = pace.deadline(began, body.len());
        let chunk = timeout_at(deadline, payload.next()).await.map_err(|_| pace.exceeded(began, body.len()))?;
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(|_| incomplete("the body broke off before its end"))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        share.draw(chunk.len())?;
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn incomplete(what: &str) -> Error {
    Error::malformed("incomplete_body", format!("{what}; send the request again"))
}

/// The error for a body over the limit.
pub fn too_large(limit: usize) -> Error {
    Error::TooLarge(ErrorDetail::new(
        "body_too_large",
        format!("the body has more than {limit} bytes; send smaller requests"),
    ))
}

/// The media type of the body, in lower case, without parameters; `None` if the header is absent.
pub fn media_type(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(header::CONTENT_TYPE)?;
    let value = String::from_utf8_lossy(value.as_bytes());
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Rejects a body that is announced as anything but JSON. The header may be absent.
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
    use std::sync::Arc;

    use actix_web::rt::System;
    use futures_util::stream;

    use super::*;
    use crate::body_budget::BodyBudget;

    const NO_PAUSE: Pace = Pace { pause: Duration::ZERO, grace: GRACE, total: PAUSE };

    fn read(payload: stream::BoxStream<'static, Result<Bytes, ()>>, limit: usize, pace: &Pace) -> Result<Bytes, Error> {
        let budget = Arc::new(BodyBudget::new(1 << 20));
        System::new().block_on(collect(payload, limit, pace, &mut budget.share(Sender::Verified)))
    }

    fn start() -> stream::BoxStream<'static, Result<Bytes, ()>> {
        stream::iter([Ok(Bytes::from_static(b"{"))]).boxed()
    }

    #[test]
    fn a_body_that_is_too_large_or_breaks_off_is_rejected() {
        assert_eq!(read(start(), 1, &NO_PAUSE).unwrap(), Bytes::from_static(b"{"));
        assert!(matches!(read(start(), 0, &NO_PAUSE), Err(Error::TooLarge(_))));
        let broken = read(start().chain(stream::iter([Err(())])).boxed(), 9, &NO_PAUSE).unwrap_err();
        assert_eq!(broken.to_string(), "the body broke off before its end; send the request again");
    }

    #[test]
    fn a_body_that_pauses_or_is_too_slow_or_takes_too_long_is_rejected() {
        let paces = [
            NO_PAUSE,
            Pace { pause: PAUSE, grace: Duration::ZERO, total: PAUSE },
            Pace { pause: PAUSE, grace: GRACE, total: Duration::ZERO },
        ];
        for pace in paces {
            let slow = read(start().chain(stream::pending()).boxed(), 9, &pace).unwrap_err();
            assert!(matches!(slow, Error::TimedOut(_)), "{slow}");
            assert!(slow.to_string().starts_with("1 bytes of the body came in 0 seconds"), "{slow}");
        }
    }

    #[test]
    fn received_bytes_extend_the_deadline_at_the_minimum_rate() {
        let pace = Pace { pause: Duration::from_hours(1), grace: GRACE, total: Duration::from_mins(2) };
        System::new().block_on(async {
            let began = Instant::now();
            assert_eq!(pace.deadline(began, 0), began + GRACE);
            assert_eq!(pace.deadline(began, 20 * 1024), began + GRACE + Duration::from_secs(20));
            assert_eq!(pace.deadline(began, 8 << 20), began + Duration::from_mins(2));
        });
    }
}
