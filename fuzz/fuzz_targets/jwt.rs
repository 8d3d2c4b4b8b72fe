//! Access tokens: no arbitrary text is valid, and of the tokens that the server's own key signed only those with the
//! right claims are valid. The input has the lines: header, claims.
#![no_main]

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use libfuzzer_sys::fuzz_target;
use ring::signature::Ed25519KeyPair;
use serde_json::Value;
use trailkeeper_auth::jwt::{AUDIENCE, Claims, KeyPair, kid_of, verify};
use trailkeeper_domain::id;
use trailkeeper_fuzz::{lines, now};

const ISSUER: &str = "https://trail.example";
/// The text in the header that is replaced with the key's id, so that a seed need not contain the id.
const KID: &str = "KID";

fuzz_target!(|data: &[u8]| {
    let (key, signer) = keys();
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(kid) = kid_of(text) {
            assert!(kid.len() == 16 && kid.bytes().all(|byte| byte.is_ascii_hexdigit()), "{kid:?}");
        }
        assert!(verify(text, key, ISSUER, now()).is_err(), "nobody guesses a signature");
    }
    let Some([header, claims]) = lines(data) else { return };
    let header = String::from_utf8_lossy(header).replace(KID, key.kid());
    let front = format!("{}.{}", BASE64.encode(&header), BASE64.encode(claims));
    let signature = signer.sign(front.as_bytes());
    let token = format!("{front}.{}", BASE64.encode(signature.as_ref()));
    let Ok((account, session)) = verify(&token, key, ISSUER, now()) else {
        assert!(!is_right(&header, claims, key), "a right token is refused: {token}");
        return;
    };
    header_holds(&header);
    let claims: Value = serde_json::from_slice(claims).expect("claims are JSON");
    claims_hold(&claims);
    assert_eq!(text(&claims, "sub").to_lowercase(), account.to_string());
    assert_eq!(text(&claims, "sid").to_lowercase(), session.to_string());
    forgeries_do_not_hold(&token, key);
});

fn header_holds(header: &str) {
    let header: Value = serde_json::from_str(header).expect("a header is JSON");
    assert_eq!(text(&header, "alg"), "EdDSA");
    assert!(header["crit"].is_null(), "an extension that nobody knows");
}

/// Whether the token has the form and the claims of a token that the server makes.
fn is_right(header: &str, claims: &[u8], key: &KeyPair) -> bool {
    let now = now().timestamp();
    let usual = format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"{}"}}"#, key.kid());
    let right = |claims: Claims| {
        (claims.iss.as_str(), claims.aud.as_str()) == (ISSUER, AUDIENCE)
            && (claims.nbf <= now && now < claims.exp)
            && [claims.sub, claims.sid].iter().all(|id| id::parse_uuid("id", id).is_ok())
    };
    header == usual && serde_json::from_slice(claims).is_ok_and(right)
}

fn claims_hold(claims: &Value) {
    let now = now().timestamp();
    assert_eq!((text(claims, "iss"), text(claims, "aud")), (ISSUER, AUDIENCE));
    assert!(claims["exp"].as_i64().is_some_and(|exp| exp > now), "{claims}");
    assert!(claims["nbf"].as_i64().is_some_and(|nbf| nbf <= now + 60), "{claims}");
    for name in ["sub", "sid"] {
        id::parse_uuid(name, text(claims, name)).expect("a UUID");
    }
}

/// Checks that the token is invalid with another key, for another issuer, and after a change of every 7th character,
/// one at a time.
fn forgeries_do_not_hold(token: &str, key: &KeyPair) {
    let other = KeyPair::from_pkcs8(&pkcs8(2)).expect("a key pair");
    assert!(verify(token, &other, ISSUER, now()).is_err(), "another key");
    assert!(verify(token, key, "https://other.example", now()).is_err(), "another issuer");
    for at in (0..token.len()).step_by(7) {
        let mut forged = token.as_bytes().to_vec();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).expect("ASCII");
        assert!(verify(&forged, key, ISSUER, now()).is_err(), "{forged}");
    }
}

fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}

fn keys() -> (&'static KeyPair, &'static Ed25519KeyPair) {
    static KEYS: OnceLock<(KeyPair, Ed25519KeyPair)> = OnceLock::new();
    let (key, signer) = KEYS.get_or_init(|| {
        let pkcs8 = pkcs8(1);
        let signer = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).expect("a key pair");
        (KeyPair::from_pkcs8(&pkcs8).expect("a key pair"), signer)
    });
    (key, signer)
}

/// The PKCS#8 form of a key whose seed is this byte, repeated 32 times.
fn pkcs8(seed: u8) -> Vec<u8> {
    let front = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    [front.as_slice(), &[seed; 32]].concat()
}
