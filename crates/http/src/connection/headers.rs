//! Security headers of every response, which restrict what browsers do with it.

use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};

/// Policy for responses that no page shows: they may load and run nothing.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Policy for Swagger UI: its own scripts and styles, images inside them, and requests to this server. It sets styles on
/// its elements, which needs `unsafe-inline` for styles; scripts come only from files.
const DOCUMENTATION_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// One year, the minimum that the preload lists of browsers demand. Subdomains are left out: they may belong to others.
const HSTS: &str = "max-age=31536000";

const COMMON: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// The headers of a response from `path`. HSTS is only sent over TLS, because browsers ignore it elsewhere.
pub fn of(path: &str, tls: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    let documentation = path == "/docs" || path.starts_with("/docs/");
    let policy = if documentation { DOCUMENTATION_POLICY } else { POLICY };
    // The documents and Swagger UI contain no data: a browser may keep them, and asks whether they have changed.
    let cache = if documentation || path.starts_with("/openapi") { "no-cache" } else { "no-store" };
    let hsts = tls.then_some(("strict-transport-security", HSTS));
    COMMON.into_iter().chain([("content-security-policy", policy), (CACHE_CONTROL.as_str(), cache)]).chain(hsts)
}

/// Adds the headers. A `Cache-Control` that the handler has set stays.
pub fn add(headers: &mut HeaderMap, path: &str, tls: bool) {
    for (name, value) in of(path, tls) {
        if name == CACHE_CONTROL.as_str() && headers.contains_key(CACHE_CONTROL) {
            continue;
        }
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}
