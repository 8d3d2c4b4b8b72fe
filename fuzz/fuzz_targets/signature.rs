//! `SAASUSSIGV1`: the header, and requests that are signed in each of the ways that clients use. The input has the
//! lines: header, method, host, path, public hosts (separated by commas), body.
#![no_main]

use chrono::Duration;
use libfuzzer_sys::fuzz_target;
use ring::hmac;
use trailkeeper_auth::signature::{Credentials, SignedRequest, verify};
use trailkeeper_fuzz::{lines, now, refused};

const SECRET: &[u8] = b"sk_secret";

fuzz_target!(|data: &[u8]| {
    let Some([header, method, host, path, public, body]) = lines(data) else { return };
    let texts = [header, method, host, path, public].map(|line| std::str::from_utf8(line).ok());
    let [Some(header), Some(method), Some(host), Some(path), Some(public)] = texts else { return };
    let request = SignedRequest { method, host, path_and_query: path, body };
    let public: Vec<String> = public.split(',').filter(|host| !host.is_empty()).take(4).map(str::to_owned).collect();
    let credentials = match Credentials::parse(header) {
        Ok(credentials) => credentials,
        Err(error) => {
            refused(&error);
            Credentials { sig: [7; 32], saas_id: "s", api_key: "k" }
        }
    };
    reads_itself(&credentials);
    assert!(!verify(SECRET, &credentials, &request, &public, now()), "nobody guesses a signature");
    let credentials = Credentials { sig: [0; 32], ..credentials };
    every_reading_holds(&credentials, &request, &public);
    tampering_shows(&credentials, &request, &public);
});

fn reads_itself(credentials: &Credentials<'_>) {
    let Credentials { sig, saas_id, api_key } = credentials;
    for id in [saas_id, api_key] {
        assert!((1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id:?}");
    }
    let sig: String = sig.iter().map(|byte| format!("{byte:02X}")).collect();
    let written = format!("apikey={api_key},SAASID= {saas_id} , Sig={sig}");
    assert_eq!(Credentials::parse(&written).expect("what we write is read"), *credentials);
    let twice = format!("{written},sig={sig}");
    Credentials::parse(&twice).expect_err("a name that comes twice is ambiguous");
}

/// The signature over these parts, as the contract defines it.
fn signed(credentials: &Credentials<'_>, minutes: i64, request: &SignedRequest<'_>) -> [u8; 32] {
    let minute = (now() + Duration::minutes(minutes)).format("%Y%m%d%H%M").to_string();
    let text = [minute.as_str(), credentials.api_key, request.method, request.host, request.path_and_query].concat();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    let tag = hmac::sign(&key, &[text.as_bytes(), request.body].concat());
    tag.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn every_reading_holds(credentials: &Credentials<'_>, request: &SignedRequest<'_>, public: &[String]) {
    let hosts = std::iter::once(request.host).chain(public.iter().map(String::as_str));
    let hosts: Vec<&str> = hosts.flat_map(|host| [host, without_port(host)]).collect();
    let received = request.path_and_query;
    for path in [Some(received.to_owned()), folded(received, true), folded(received, false)].into_iter().flatten() {
        for host in &hosts {
            let meant = SignedRequest { host, path_and_query: &path, ..*request };
            for minutes in -2..=2 {
                let credentials = Credentials { sig: signed(credentials, minutes, &meant), ..*credentials };
                let held = verify(SECRET, &credentials, request, public, now());
                let expected = minutes.abs() < 2 && (is_host(request.host) || is_public(host, public));
                assert_eq!(held, expected, "{minutes} {host:?} {path:?}");
            }
        }
    }
}

fn tampering_shows(credentials: &Credentials<'_>, request: &SignedRequest<'_>, public: &[String]) {
    let right = Credentials { sig: signed(credentials, 0, request), ..*credentials };
    assert!(!verify(b"sk_other", &right, request, public, now()), "another secret");
    for bit in [0, 100, 255] {
        let mut wrong = right.clone();
        wrong.sig[bit / 8] ^= 1 << (bit % 8);
        assert!(!verify(SECRET, &wrong, request, public, now()), "another signature");
    }
    let mut body = request.body.to_vec();
    if let Some(last) = body.last_mut() {
        *last ^= 1;
        assert!(!verify(SECRET, &right, &SignedRequest { body: &body, ..*request }, public, now()), "another body");
    }
}

/// Whether a part of the path cannot hide in the host.
fn is_host(host: &str) -> bool {
    host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:[]".contains(c))
}

fn is_public(host: &str, public: &[String]) -> bool {
    public.iter().any(|public| host == public || host == without_port(public))
}

fn without_port(host: &str) -> &str {
    let name = host.trim_end_matches(|c: char| c.is_ascii_digit());
    name.strip_suffix(':').filter(|_| name.len() < host.len()).unwrap_or(host)
}

/// The path with all its escapes in upper or lower case; `None` if a `%` begins no escape.
fn folded(path: &str, upper: bool) -> Option<String> {
    let mut parts = path.split('%');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        out.push('%');
        out.push_str(&if upper { digits.to_ascii_uppercase() } else { digits.to_ascii_lowercase() });
        out.push_str(rest);
    }
    Some(out)
}
