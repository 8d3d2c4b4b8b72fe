//! The published keys. `scripts/acceptance/tokens.py` checks that other libraries can read them.

use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};
use trailkeeper_auth::OldKeys;

use crate::access::access_tokens::World;
use crate::support::{TestApp, operator};

const PATH: &str = "/.well-known/jwks.json";

/// RFC 4648, 5, without padding.
pub fn unbase64url(text: &str) -> Vec<u8> {
    let six = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => panic!("{text}"),
    };
    let bits: Vec<u8> = text.bytes().map(six).flat_map(|six| (0..6).rev().map(move |at| six >> at & 1)).collect();
    bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
}

fn kids(set: &Value) -> Vec<&str> {
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect()
}

#[test]
fn the_published_key_verifies_a_token_and_names_its_type() {
    let world = World::new();
    let answer = world.app.anon().get(PATH);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let set = answer.ok();
    let key = &set["keys"][0];
    let expected = json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "x": key["x"], "kid": key["kid"], "use": "sig", "alg": "EdDSA"}
    ]});
    assert_eq!(set, expected, "no further fields, especially no `d`");
    let (message, signature) = world.token.rsplit_once('.').unwrap();
    let header: Value = serde_json::from_slice(&unbase64url(message.split('.').next().unwrap())).unwrap();
    assert_eq!(header["kid"], key["kid"]);
    let public = unbase64url(key["x"].as_str().unwrap());
    UnparsedPublicKey::new(&ED25519, public).verify(message.as_bytes(), &unbase64url(signature)).unwrap();
    // An invalid credential does not matter.
    assert_eq!(world.app.bearer("nonsense").get(PATH).status, 200);
}

#[test]
fn a_rotation_adds_a_key_and_a_revocation_keeps_one() {
    let world = World::new();
    let before = world.app.anon().get(PATH).ok();
    let access = world.app.state.access();
    let second = access.rotate_token_key(&operator(), OldKeys::Keep).unwrap().kid;
    let set = world.app.anon().get(PATH).ok();
    assert_eq!(kids(&set), [second.as_str(), kids(&before)[0]]);
    let third = access.rotate_token_key(&operator(), OldKeys::Revoke).unwrap().kid;
    assert_eq!(kids(&world.app.anon().get(PATH).ok()), [third]);
}

#[test]
fn a_database_without_keys_publishes_none_and_creates_none() {
    let app = TestApp::new();
    assert_eq!(app.anon().get(PATH).ok(), json!({"keys": []}));
    assert!(app.state.access().token_keys().unwrap().is_empty());
}
