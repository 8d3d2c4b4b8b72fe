//! Scripts of other origins: none may read answers, except those of the origins that the operator listed.
//!
//! Credentials of browsers play no part: ours stand in `Authorization`, which a script must set itself, so
//! `Access-Control-Allow-Credentials` is never sent.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};

/// The headers that scripts may send besides those that need no permission.
const ALLOWED_HEADERS: &str = "Authorization, Content-Type, Content-Encoding, X-Request-Id, X-SaaSus-Trace-Id";

/// The headers that scripts may read besides those that need no permission.
const EXPOSED_HEADERS: &str = "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, RateLimit-Policy, Retry-After, \
     X-Request-Id, X-SaaSus-Trace-Id, WWW-Authenticate, Location";

/// Seconds for which a browser may remember a permission.
const REMEMBERED_S: &str = "600";

/// A request from a script of a listed origin.
pub struct Asked {
    origin: HeaderValue,
    /// Whether the browser asks for permission first.
    preflight: bool,
}

/// Whether `request` comes from one of `origins`, which are compared as browsers write them, byte by byte.
pub fn asked(request: &ServiceRequest, origins: &[String]) -> Option<Asked> {
    let origin = request.headers().get(header::ORIGIN)?;
    if !origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes()) {
        return None;
    }
    let preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    Some(Asked { origin: origin.clone(), preflight })
}

/// Adds the permission. A preflight went to the route like every request, which answered 405 with the methods of the
/// path in `Allow`: those are what is allowed, and a path that does not exist stays a 404.
pub fn answered(
    mut response: ServiceResponse<BoxBody>,
    asked: Option<Asked>,
    origins: &[String],
) -> ServiceResponse<BoxBody> {
    if origins.is_empty() {
        return response;
    }
    // Caches must not give one origin's answer to another.
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(Asked { origin, preflight }) = asked else { return response };
    let mut set = |name: HeaderName, value: HeaderValue| response.headers_mut().insert(name, value);
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    set(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
    if !preflight || response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let Some(methods) = response.headers_mut().remove(header::ALLOW).next() else { return response };
    *response.response_mut().status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED_S));
    for name in ["Access-Control-Request-Method", "Access-Control-Request-Headers"] {
        headers.append(header::VARY, HeaderValue::from_static(name));
    }
    response.map_body(|_, _| BoxBody::new(()))
}
