//! Request signatures of the SaaSus clients (`SAASUSSIGV1`).
//!
//! `Sig` is the lower-case hex of HMAC-SHA256 with the secret key over these parts, with nothing between them:
//! `YYYYMMDDHHMM` (now, UTC), `APIKey`, method, host with its port, path with its query, body. The minute is not sent, and
//! clients sign hosts and paths in different forms, so the server tries several candidates: this minute and its
//! neighbours, the host with and without its port and the public host names of the settings, the path as sent, with its
//! percent escapes in either case, and decoded.
//!
//! Because nothing stands between the parts, a thief of a signed request could move text from one part into the next. So a
//! host must look like one (`is_host`), a decoded path must have the boundaries of the sent one (`decoded`), and a
//! request to an operation without a body must have none: the server checks that before it verifies the signature.

use chrono::Duration;
use percent_encoding::percent_decode_str;
use ring::hmac;
use trailkeeper_domain::account::SpentSignature;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use crate::hex;

/// The largest number of candidates that are tried for one request: each hashes the whole body.
const MAX_CANDIDATES: usize = 150;

/// The time for which a signature is stored whose request must take effect only once. A signature is valid in its minute
/// and the two next to it, which is less than three minutes; the rest is for servers whose clocks differ.
const SPENT_KEPT: Duration = Duration::minutes(5);

/// The longest `SaaSID` or `APIKey`, in characters.
const MAX_ID: usize = 128;

/// The parts of a request that are signed.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The header `Host` as received, with its port if it has one.
    pub host: &'a str,
    /// Path and query, raw as on the wire.
    pub path_and_query: &'a str,
    /// The body as received, still compressed if it was.
    pub body: &'a [u8],
}

/// The credentials of the scheme `SAASUSSIGV1` in the header `Authorization`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// The signature.
    pub sig: [u8; 32],
    /// The id of the SaaS operator. Not signed: it must equal that of the key.
    pub saas_id: &'a str,
    /// The public id of the key.
    pub api_key: &'a str,
}

/// The record of a signature that was accepted at `now`, so that it is accepted only once.
pub fn spent(signature: [u8; 32], now: Timestamp) -> SpentSignature {
    SpentSignature { signature, until: now + SPENT_KEPT }
}

impl<'a> Credentials<'a> {
    /// Parses `Sig=<hex>, SaaSID=<id>, APIKey=<key>`, in any order, with names in any case.
    ///
    /// [`Error::Unauthenticated`] when a part is missing, unknown, repeated or malformed.
    pub fn parse(value: &'a str) -> Result<Self> {
        let refused = || {
            Error::unauthenticated(
                "the header Authorization is not complete; send 'SAASUSSIGV1 Sig=<64 hexadecimal digits>, SaaSID=<id>, APIKey=<key>'",
            )
        };
        let (mut sig, mut saas_id, mut api_key) = (None, None, None);
        for part in value.split(',') {
            let (name, value) = part.split_once('=').ok_or_else(refused)?;
            let (name, value) = (name.trim(), value.trim());
            let slot = match name {
                name if name.eq_ignore_ascii_case("sig") => &mut sig,
                name if name.eq_ignore_ascii_case("saasid") => &mut saas_id,
                name if name.eq_ignore_ascii_case("apikey") => &mut api_key,
                _ => return Err(refused()),
            };
            // A proxy in front of the server could pick the other value of a repeated name.
            if slot.replace(value).is_some() {
                return Err(refused());
            }
        }
        let id = |value: Option<&'a str>| {
            value.filter(|v| (1..=MAX_ID).contains(&v.len()) && v.bytes().all(|b| b.is_ascii_graphic()))
        };
        Ok(Self {
            sig: sig.and_then(hex::decode).ok_or_else(refused)?,
            saas_id: id(saas_id).ok_or_else(refused)?,
            api_key: id(api_key).ok_or_else(refused)?,
        })
    }
}

/// Whether the signature is that of one of the request's candidates.
///
/// Each comparison takes constant time. The number of candidates that were tried shows in the total time; it reveals only
/// which client software was used.
pub fn verify(
    secret: &[u8],
    credentials: &Credentials<'_>,
    request: &SignedRequest<'_>,
    public_hosts: &[String],
    now: Timestamp,
) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let minutes = &[0, -1, 1].map(|offset| (now + Duration::minutes(offset)).format("%Y%m%d%H%M").to_string());
    let hosts = &hosts(request.host, public_hosts);
    let paths = paths(request.path_and_query);
    // ring compares tags in constant time only while it computes one of them, so both sides are hashed once more: they
    // are equal afterwards only if they were equal before.
    let expected = hmac::sign(&key, &credentials.sig);
    // The documented form comes first, so that a client that signs it costs one hash.
    let candidates = paths
        .iter()
        .flat_map(|path| hosts.iter().flat_map(move |host| minutes.iter().map(move |minute| (path, *host, minute))))
        .take(MAX_CANDIDATES);
    for (path, host, minute) in candidates {
        let mut context = hmac::Context::with_key(&key);
        for part in [minute, credentials.api_key, request.method, host, path] {
            context.update(part.as_bytes());
        }
        context.update(request.body);
        if hmac::verify(&key, context.sign().as_ref(), expected.as_ref()).is_ok() {
            return true;
        }
    }
    false
}

/// The distinct host names that the client may have signed: the one it sent, if it is one, then the configured ones.
fn hosts<'a>(received: &'a str, public: &'a [String]) -> Vec<&'a str> {
    let mut hosts = Vec::with_capacity(2 + 2 * public.len());
    let received = Some(received).filter(|received| is_host(received));
    for written in received.into_iter().chain(public.iter().map(String::as_str)) {
        for host in [written, without_port(written)] {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
    }
    hosts
}

/// Whether the text has only characters of a host name or address with a port. The host `example.com/v1` before the path
/// `/x` would have the signature of the path `/v1/x`.
fn is_host(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']'))
}

/// `example.com:8080` → `example.com`, `[::1]:8080` → `[::1]`.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The path as received; and, where they differ from it, the path with its percent escapes in upper and in lower case, with
/// a decoded path, and with decoded path and query.
fn paths(received: &str) -> Vec<String> {
    let cased =
        [u8::to_ascii_uppercase as fn(&u8) -> u8, u8::to_ascii_lowercase].map(|fold| with_escapes(received, fold));
    let mut paths = vec![received.to_owned()];
    for path in cased.into_iter().chain(decoded_forms(received)) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// The forms of a client that signs the text from which its library makes the URL: the decoded path with the query as sent,
/// and with the decoded query.
fn decoded_forms(received: &str) -> Vec<String> {
    let (path, query) = received.split_at(received.find('?').unwrap_or(received.len()));
    let Some(path) = decoded(path, "%/?#") else { return Vec::new() };
    let query_decoded = decoded(query, "%/?#&=+;");
    [Some(query), query_decoded.as_deref()].into_iter().flatten().map(|query| format!("{path}{query}")).collect()
}

/// The text that the percent escapes of a path or query stand for. `None` if an escape stands for a character of
/// `separators`, for a control character, or for no UTF-8: the decoded text would then be that of a different request as
/// well.
fn decoded(text: &str, separators: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    let special = |text: &str| text.chars().filter(|c| c.is_control() || separators.contains(*c)).count();
    // Each escape has one `%`; every other special character of the decoded text must have been there before.
    let escapes = text.matches('%').count();
    (special(&decoded) + escapes == special(text)).then(|| decoded.into_owned())
}

fn with_escapes(path: &str, fold: fn(&u8) -> u8) -> String {
    let mut out = String::with_capacity(path.len());
    let mut digits_left = 0;
    for c in path.chars() {
        if c == '%' {
            digits_left = 2;
            out.push(c);
        } else if digits_left > 0 {
            digits_left -= 1;
            out.push(u8::try_from(c).map_or(c, |byte| char::from(fold(&byte))));
        } else {
            out.push(c);
        }
    }
    out
}
