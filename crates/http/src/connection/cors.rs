//! CORS: only scripts of the origins that the operator listed may read responses.
//!
//! Credentials that browsers add by themselves play no part: a script must set `Authorization` itself, so
//! `Access-Control-Allow-Credentials` is never sent.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};

/// Headers that scripts may send, in addition to those that need no permission.
const ALLOWED_HEADERS: &str =
    "Authorization, Content-Type, Content-Encoding, Last-Event-ID, X-Request-Id, X-SaaSus-Trace-Id";

/// Headers that scripts may read, in addition to those that need no permission.
const EXPOSED_HEADERS: &str = "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, RateLimit-Policy, Retry-After, \
     X-Request-Id, X-SaaSus-Trace-Id, WWW-Authenticate, Location, Content-Disposition, Export-End";

/// Seconds for which a browser may cache a permission.
const MAX_AGE_S: &str = "600";

/// A request from a script of a listed origin.
pub struct CorsRequest {
    origin: HeaderValue,
    /// Whether the browser only asks for permission.
    is_preflight: bool,
}

/// The origin of `request`, if it is one of `origins`. They are compared byte by byte, in the form that browsers send.
pub fn listed_origin(request: &ServiceRequest, origins: &[String]) -> Option<CorsRequest> {
    let origin = request.headers().get(header::ORIGIN)?;
    if !origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes()) {
        return None;
    }
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    Some(CorsRequest { origin: origin.clone(), is_preflight })
}

/// Adds the permission to a response.
///
/// A preflight was routed like any request, and the route responded with 405 and its methods in `Allow`: these become the
/// allowed methods. An unknown path stays a 404.
pub fn add_permission(
    mut response: ServiceResponse<BoxBody>,
    cors: Option<CorsRequest>,
    origins: &[String],
) -> ServiceResponse<BoxBody> {
    if origins.is_empty() {
        return response;
    }
    // Caches must not serve the response for one origin to another.
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(CorsRequest { origin, is_preflight }) = cors else { return response };
    let mut set = |name: HeaderName, value: HeaderValue| response.headers_mut().insert(name, value);
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    set(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
    if !is_preflight || response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let Some(methods) = response.headers_mut().remove(header::ALLOW).next() else { return response };
    *response.response_mut().status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE_S));
    for name in ["Access-Control-Request-Method", "Access-Control-Request-Headers"] {
        headers.append(header::VARY, HeaderValue::from_static(name));
    }
    response.map_body(|_, _| BoxBody::new(()))
}
