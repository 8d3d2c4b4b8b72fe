//! The response headers `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset` and `RateLimit-Policy`, in the form
//! of the IETF drafts that clients parse.

use actix_web::HttpMessage;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{HeaderName, HeaderValue};

use super::window::{LimitStatus, WINDOW_S};

/// Adds the headers to the response of a request that was counted.
pub fn add_headers<B>(response: &mut ServiceResponse<B>) {
    let Some(status) = response.request().extensions().get::<LimitStatus>().copied() else { return };
    let headers = response.headers_mut();
    for (name, number) in [
        ("ratelimit-limit", status.limit),
        ("ratelimit-remaining", status.remaining),
        ("ratelimit-reset", status.reset_s),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(number));
    }
    // Digits, `;` and `w` are always valid in a header.
    if let Ok(policy) = HeaderValue::from_str(&format!("{};w={WINDOW_S}", status.limit)) {
        headers.insert(HeaderName::from_static("ratelimit-policy"), policy);
    }
}
