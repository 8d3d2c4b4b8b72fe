//! `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset` and `RateLimit-Policy`, as the drafts of the IETF
//! had them and clients read them.

use actix_web::HttpMessage;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{HeaderName, HeaderValue};

use super::window::{Verdict, WINDOW_S};

/// Adds the headers to the response of a request that was counted.
pub fn add_to<B>(response: &mut ServiceResponse<B>) {
    let Some(verdict) = response.request().extensions().get::<Verdict>().copied() else { return };
    let headers = response.headers_mut();
    for (name, number) in [
        ("ratelimit-limit", verdict.limit),
        ("ratelimit-remaining", verdict.remaining),
        ("ratelimit-reset", verdict.reset_s),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(number));
    }
    // Digits, so that it always is a value of a header.
    if let Ok(policy) = HeaderValue::from_str(&format!("{};w={WINDOW_S}", verdict.limit)) {
        headers.insert(HeaderName::from_static("ratelimit-policy"), policy);
    }
}
