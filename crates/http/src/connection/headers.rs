//! Headers of every answer, for browsers: what they must not do with it.

use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};

/// For answers that no page shows: nothing may be loaded or run from them.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// For Swagger UI: its own scripts and styles, pictures inside them, and questions to this server. It sets styles on its
/// elements, which needs `unsafe-inline` for styles; scripts come from files alone.
const DOCUMENTATION_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A year, the shortest that browsers' lists ask for. Subdomains are not ours to speak for.
const HSTS: &str = "max-age=31536000";

const COMMON: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// The headers of an answer from `path`; HSTS with `tls` alone, since browsers ignore it elsewhere.
pub fn of(path: &str, tls: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    let documentation = path == "/docs" || path.starts_with("/docs/");
    let policy = if documentation { DOCUMENTATION_POLICY } else { POLICY };
    // Documents and their pages hold no data; a browser may keep them and ask whether they changed.
    let cache = if documentation || path.starts_with("/openapi") { "no-cache" } else { "no-store" };
    let hsts = tls.then_some(("strict-transport-security", HSTS));
    COMMON.into_iter().chain([("content-security-policy", policy), (CACHE_CONTROL.as_str(), cache)]).chain(hsts)
}

/// Adds them. A handler that chose how long its answer may be kept knows better.
pub fn add(headers: &mut HeaderMap, path: &str, tls: bool) {
    for (name, value) in of(path, tls) {
        if name == CACHE_CONTROL.as_str() && headers.contains_key(CACHE_CONTROL) {
            continue;
        }
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}
