//! Access tokens, and the forgeries that attackers send.

use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use trailkeeper_auth::jwt::{AUDIENCE, Claims, JwtError, KeyPair, issue, kid_of, verify};
use trailkeeper_auth::{MasterKey, MasterKeys, SystemEntropy};
use trailkeeper_domain::id::{AccountId, SessionId};
use trailkeeper_domain::time::{Timestamp, from_unix_seconds};
use uuid::Uuid;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "trailkeeper";
const ACCOUNT: AccountId = AccountId(Uuid::from_u128(0xa));
const SESSION: SessionId = SessionId(Uuid::from_u128(0x5));

/// RFC 8032, 7.1, test 1.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
/// The first 16 digits of the SHA-256 of the public key, computed with Python's hashlib.
const KID: &str = "21fe31dfa154a261";

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn ours() -> KeyPair {
    KeyPair::from_pkcs8(&unhex(&format!("302e020100300506032b657004220420{SEED}"))).unwrap()
}

/// The same key pair of ring itself, so that tests can sign tokens that our own code would not make.
fn raw() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&unhex(SEED)).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    from_unix_seconds("now", seconds).unwrap()
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": ACCOUNT.to_string(), "sid": SESSION.to_string(),
           "jti": "j", "iat": NOW, "nbf": NOW, "exp": NOW + 7200})
}

fn header() -> Value {
    json!({"typ": "JWT", "alg": "EdDSA", "kid": KID})
}

/// RFC 4648, 5, without padding.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    bits.chunks(6)
        .map(|six| (0..6).fold(0, |value, at| value << 1 | usize::from(six.get(at).copied().unwrap_or(0))))
        .filter_map(|value| ALPHABET.get(value))
        .map(|byte| char::from(*byte))
        .collect()
}

fn crafted(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
    let signature = base64url(&sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn signed(header: &Value, claims: &Value) -> String {
    crafted(header, claims, |message| raw().sign(message).as_ref().to_vec())
}

fn validated(token: &str) -> Result<(AccountId, SessionId), JwtError> {
    verify(token, &ours(), ISSUER, at(NOW))
}

fn with(mut object: Value, key: &str, value: Value) -> Value {
    if let Some(map) = object.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
    object
}

fn without(mut object: Value, key: &str) -> Value {
    if let Some(map) = object.as_object_mut() {
        map.remove(key);
    }
    object
}

#[test]
fn the_public_key_is_that_of_the_standard() {
    assert_eq!(ours().public(), unhex(PUBLIC));
    assert_eq!(raw().public_key().as_ref(), unhex(PUBLIC));
    assert_eq!(ours().kid(), KID);
}

#[test]
fn an_issued_token_is_valid_from_its_first_to_its_last_second() {
    let claims: Claims = serde_json::from_value(claims()).unwrap();
    let token = issue(&ours(), &claims).unwrap();
    assert_eq!(kid_of(&token).unwrap(), KID);
    for (second, answer) in [
        (NOW - 61, Err(JwtError::NotYetValid)),
        (NOW - 60, Ok((ACCOUNT, SESSION))),
        (NOW, Ok((ACCOUNT, SESSION))),
        (NOW + 7199, Ok((ACCOUNT, SESSION))),
        (NOW + 7200, Err(JwtError::Expired)),
        (NOW + 7260, Err(JwtError::Expired)),
    ] {
        assert_eq!(verify(&token, &ours(), ISSUER, at(second)), answer, "at {second}");
    }
}

#[test]
fn a_token_built_by_hand_from_the_standard_is_identical() {
    assert_eq!(validated(&signed(&header(), &claims())), Ok((ACCOUNT, SESSION)));
}

#[test]
fn other_algorithms_are_refused() {
    for none in
        ["none", "None", "NONE", "nOnE", " none", "none ", "no\u{0}ne", "n\u{f6}ne", "", "eddsa", "EDDSA", "Ed25519"]
    {
        let token = crafted(&with(header(), "alg", json!(none)), &claims(), |_| Vec::new());
        assert_eq!(validated(&token), Err(JwtError::Malformed), "{none}");
    }
    let public = unhex(PUBLIC);
    for secret in [public.as_slice(), PUBLIC.as_bytes(), b""] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let sign = |message: &[u8]| hmac::sign(&key, message).as_ref().to_vec();
        for algorithm in ["HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "ES384"] {
            let token = crafted(&with(header(), "alg", json!(algorithm)), &claims(), sign);
            assert_eq!(validated(&token), Err(JwtError::Algorithm), "{algorithm}");
        }
        assert_eq!(
            validated(&crafted(&header(), &claims(), sign)),
            Err(JwtError::Signature),
            "HMAC under the name EdDSA"
        );
    }
    assert_eq!(validated(&signed(&without(header(), "alg"), &claims())), Err(JwtError::Malformed));
}

#[test]
fn a_foreign_key_is_refused() {
    let foreign = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let sign = |message: &[u8]| foreign.sign(message).as_ref().to_vec();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(foreign.public_key().as_ref())});
    for header in [header(), with(header(), "jwk", jwk), with(header(), "jku", json!("https://evil.example/keys"))] {
        assert_eq!(validated(&crafted(&header, &claims(), sign)), Err(JwtError::Signature), "{header}");
    }
}

#[test]
fn wrong_claims_are_refused_even_with_our_signature() {
    for (key, value, refusal) in [
        ("iss", json!("another"), JwtError::Issuer),
        ("iss", json!(""), JwtError::Issuer),
        ("iss", json!([ISSUER]), JwtError::Malformed),
        ("aud", json!("another"), JwtError::Audience),
        ("aud", json!([AUDIENCE]), JwtError::Malformed),
        ("aud", json!([AUDIENCE, "another"]), JwtError::Malformed),
        ("exp", json!(NOW), JwtError::Expired),
        ("exp", json!(-1), JwtError::Expired),
        ("exp", json!(0), JwtError::Expired),
        ("exp", json!("1800007200"), JwtError::Malformed),
        ("exp", json!(1.8e12), JwtError::Malformed),
        ("exp", json!(u64::MAX), JwtError::Malformed),
        ("exp", json!(null), JwtError::Malformed),
        ("nbf", json!(NOW + 61), JwtError::NotYetValid),
        ("nbf", json!(i64::MAX), JwtError::NotYetValid),
        ("sub", json!("admin"), JwtError::Malformed),
        ("sub", json!(1), JwtError::Malformed),
        ("sid", json!(""), JwtError::Malformed),
    ] {
        let token = signed(&header(), &with(claims(), key, value.clone()));
        assert_eq!(validated(&token), Err(refusal), "{key} = {value}");
    }
    for key in ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"] {
        assert_eq!(validated(&signed(&header(), &without(claims(), key))), Err(JwtError::Malformed), "without {key}");
    }
    for claims in [json!([]), json!("x"), json!(null), json!({})] {
        assert_eq!(validated(&signed(&header(), &claims)), Err(JwtError::Malformed), "{claims}");
    }
}

#[test]
fn no_character_of_a_token_can_be_changed() {
    let token = signed(&header(), &claims());
    for at in 0..token.len() {
        for replacement in ["A", "B", "-", ".", "=", "é", ""] {
            let changed = format!("{}{replacement}{}", &token[..at], &token[at + 1..]);
            if changed != token {
                assert!(validated(&changed).is_err(), "position {at}: {changed}");
            }
        }
    }
    // The last character of the signature carries four unused bits; they must be zero.
    let last = token.chars().last().unwrap();
    for c in ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']).filter(|c| *c != last) {
        assert!(validated(&format!("{}{c}", &token[..token.len() - 1])).is_err(), "{c}");
    }
}

#[test]
fn headers_without_a_key_id_or_with_critical_extensions_are_refused() {
    for kid in [json!(""), json!("short"), json!("../../../etc/key"), json!("' OR 1=1 --     "), json!("a".repeat(17))]
    {
        assert_eq!(kid_of(&signed(&with(header(), "kid", kid.clone()), &claims())), Err(JwtError::Malformed), "{kid}");
    }
    assert_eq!(kid_of(&signed(&without(header(), "kid"), &claims())), Err(JwtError::Malformed));
    // Each one is refused by itself too, whether its extension is a registered one or not.
    for crit in [json!([]), json!(["exp"]), json!(["kid"])] {
        assert!(validated(&signed(&with(header(), "crit", crit.clone()), &claims())).is_err(), "{crit}");
    }
    let critical = signed(&with(header(), "crit", json!(["b64"])), &claims());
    assert_eq!(kid_of(&critical), Err(JwtError::Critical));
    assert_eq!(validated(&critical), Err(JwtError::Critical));
}

/// With two values of one name, the signature would not say which of them counts.
#[test]
fn repeated_names_are_refused() {
    let signed_text = |header: &str, claims: &str| {
        let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
        let signature = base64url(raw().sign(message.as_bytes()).as_ref());
        format!("{message}.{signature}")
    };
    let (head, body) = (header().to_string(), claims().to_string());
    assert_eq!(validated(&signed_text(&head, &body)), Ok((ACCOUNT, SESSION)));
    let nobody = Uuid::nil();
    for twice in [
        format!("\"sub\":\"{nobody}\""),
        format!("\"sid\":\"{nobody}\""),
        format!("\"exp\":{}", NOW + 999_999),
        format!("\"nbf\":{NOW}"),
        format!("\"aud\":\"{AUDIENCE}\""),
        format!("\"iss\":\"{ISSUER}\""),
    ] {
        for body in [format!("{{{twice},{}", &body[1..]), format!("{},{twice}}}", &body[..body.len() - 1])] {
            assert_eq!(validated(&signed_text(&head, &body)), Err(JwtError::Malformed), "{body}");
        }
    }
    for twice in ["\"alg\":\"none\"", "\"alg\":\"EdDSA\"", "\"kid\":\"0000000000000000\""] {
        for head in [format!("{{{twice},{}", &head[1..]), format!("{},{twice}}}", &head[..head.len() - 1])] {
            assert_eq!(validated(&signed_text(&head, &body)), Err(JwtError::Malformed), "{head}");
        }
    }
}

#[test]
fn a_cut_or_extended_token_is_refused() {
    let token = signed(&header(), &claims());
    for end in 0..token.len() {
        assert!(validated(&token[..end]).is_err(), "cut at {end}");
    }
    for more in ["A", "=", "==", ".", " ", "\n", "\0", ".AAAA"] {
        assert!(validated(&format!("{token}{more}")).is_err(), "{more:?} after it");
        assert!(validated(&format!("{more}{token}")).is_err(), "{more:?} before it");
    }
}

#[test]
fn malformed_tokens_of_any_size_are_refused() {
    let long = signed(&with(header(), "x", json!("y".repeat(4096))), &claims());
    for junk in
        ["", ".", "..", "...", "a.b.c", "é.é.é", "null.null.null", "e30.e30.", "{}.{}.{}", &long, &".".repeat(5000)]
    {
        assert_eq!(kid_of(junk), Err(JwtError::Malformed), "{junk}");
        assert_eq!(validated(junk), Err(JwtError::Malformed), "{junk}");
    }
}

#[test]
fn a_sealed_key_pair_opens_to_the_same_pair() {
    let entropy = SystemEntropy::new();
    let master = MasterKeys::from(MasterKey::generate(&entropy));
    let pair = KeyPair::generate(&entropy).unwrap();
    let row = pair.seal(&master, &entropy, at(NOW)).unwrap();
    assert_eq!((row.kid.as_str(), row.public.as_slice()), (pair.kid(), pair.public()));
    let opened = KeyPair::open(&master, &row).unwrap();
    let claims: Claims = serde_json::from_value(claims()).unwrap();
    let token = issue(&opened, &claims).unwrap();
    assert_eq!(verify(&token, &pair, ISSUER, at(NOW)), Ok((ACCOUNT, SESSION)));

    assert!(KeyPair::open(&MasterKey::generate(&entropy).into(), &row).is_err(), "another master key");
    let other = KeyPair::generate(&entropy).unwrap();
    let mut swapped = row.clone();
    swapped.public = other.public().to_vec();
    assert!(KeyPair::open(&master, &swapped).is_err(), "another public key than that of the sealed private key");
    let mut renamed = row.clone();
    renamed.kid = other.kid().to_owned();
    assert!(KeyPair::open(&master, &renamed).is_err(), "the id of another row");
    assert!(!format!("{pair:?}").contains("encoding"));
}
