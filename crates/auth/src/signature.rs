//! Request signatures of the SaaSus clients (`SAASUSSIGV1`).
//!
//! `Sig` is the lower-case hex of HMAC-SHA256 with the secret key over these parts, with nothing between them:
//! `YYYYMMDDHHMM` (now, UTC), `APIKey`, method, host with its port, path with its query, body. The minute is not sent, and
//! clients sign hosts and paths in different forms, so the server tries several candidates: this minute and its
//! neighbours, the host with and without its port and the public host names of the settings, the path as sent and with
//! its percent escapes in either case.

use chrono::Duration;
use ring::hmac;
use trailkeeper_domain::account::SpentSignature;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use crate::hex;

/// The largest number of candidates that are tried for one request: each hashes the whole body.
const MAX_CANDIDATES: usize = 96;

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

/// The distinct host names that the client may have signed: the one it sent, then the configured ones.
fn hosts<'a>(received: &'a str, public: &'a [String]) -> Vec<&'a str> {
    let mut hosts = Vec::with_capacity(2 + 2 * public.len());
    for written in std::iter::once(received).chain(public.iter().map(String::as_str)) {
        for host in [written, without_port(written)] {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
    }
    hosts
}

/// `example.com:8080` → `example.com`, `[::1]:8080` → `[::1]`.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The path as received, and with its percent escapes in upper and in lower case, where that differs.
fn paths(received: &str) -> Vec<String> {
    let mut paths = vec![received.to_owned()];
    for fold in [u8::to_ascii_uppercase as fn(&u8) -> u8, u8::to_ascii_lowercase] {
        let path = with_escapes(received, fold);
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
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
