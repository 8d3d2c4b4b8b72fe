//! Access tokens over HTTP: every forged or altered token is a 401.

use chrono::TimeDelta;
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use trailkeeper_auth::{MasterKey, NewAccount, OldKeys};
use trailkeeper_domain::account::Role;
use trailkeeper_testkit::TestEntropy;

use crate::ops::jwks::unbase64url;
use crate::support::{TestApp, TestResponse, operator};

const EMAIL: &str = "jane@example.com";
const PASSWORD: &str = "correct horse battery";

/// A server, a valid access token, and the key that signed it.
pub struct World {
    pub app: TestApp,
    pub token: String,
    pair: Ed25519KeyPair,
}

impl World {
    pub fn new() -> Self {
        let app = TestApp::new();
        let new = NewAccount {
            email: EMAIL.to_owned(),
            display_name: None,
            password: PASSWORD.to_owned(),
            role: Role::Admin,
            tenant_id: None,
        };
        app.state.access().create_account(&operator(), new).unwrap();
        let token = Self::logged_in(&app);
        // The server of the test draws its master key before any other random value.
        let master = MasterKey::generate(&TestEntropy::default());
        let row = app.state.store().reading(|tx| tx.token_keys()).unwrap().remove(0);
        let pkcs8 = master.open(&format!("token_key:{}", row.kid), &row.sealed_private).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).unwrap();
        Self { app, token, pair }
    }

    fn logged_in(app: &TestApp) -> String {
        let body = json!({"Username": EMAIL, "Password": PASSWORD});
        app.anon().post("/api/UserAccount/Login", &body).ok()["accessToken"].as_str().unwrap().to_owned()
    }

    pub fn asked(&self, token: &str) -> TestResponse {
        self.app.bearer(token).get("/v1/tenants")
    }

    #[track_caller]
    fn refused(&self, token: &str, what: &str) {
        let answer = self.asked(token);
        assert_eq!(answer.status, 401, "{what}: {}", answer.text());
        answer.problem(401, "unauthorized", None);
        assert!(answer.header("www-authenticate").is_some(), "{what}");
    }

    /// Header and claims of the valid token.
    fn parts(&self) -> (Value, Value) {
        let mut parts =
            self.token.split('.').map(|part| serde_json::from_slice(&unbase64url(part)).unwrap_or_default());
        (parts.next().unwrap(), parts.next().unwrap())
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        crafted(&header.to_string(), &claims.to_string(), |message| self.pair.sign(message).as_ref().to_vec())
    }
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    let six = |six: &[u8]| (0..6).fold(0, |value, at| value << 1 | usize::from(six.get(at).copied().unwrap_or(0)));
    bits.chunks(6).map(|bits| char::from(ALPHABET[six(bits)])).collect()
}

fn crafted(header: &str, claims: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
    let signature = base64url(&sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn with(object: &Value, key: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[key] = value;
    object
}

#[test]
fn a_correct_handmade_token_is_valid() {
    let world = World::new();
    let (header, claims) = world.parts();
    assert_eq!(world.asked(&world.token).status, 200);
    // Otherwise the tests below could pass because every handmade token is invalid.
    assert_eq!(world.asked(&world.signed(&header, &claims)).status, 200);
}

#[test]
fn other_algorithms_are_401() {
    let world = World::new();
    let (header, claims) = world.parts();
    let public = world.pair.public_key().as_ref();
    for none in ["none", "None", "NONE", "nOnE", "", "null"] {
        let header = with(&header, "alg", json!(none)).to_string();
        world.refused(&crafted(&header, &claims.to_string(), |_| Vec::new()), none);
        world.refused(&crafted(&header, &claims.to_string(), |m| world.pair.sign(m).as_ref().to_vec()), none);
    }
    let hex: String = public.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", base64url(public));
    for secret in [public, hex.as_bytes(), base64url(public).as_bytes(), pem.as_bytes(), b""] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        for algorithm in ["HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA"] {
            let header = with(&header, "alg", json!(algorithm)).to_string();
            let token = crafted(&header, &claims.to_string(), |m| hmac::sign(&key, m).as_ref().to_vec());
            world.refused(&token, algorithm);
        }
    }
    for algorithm in [json!("RS256"), json!("ES512"), json!(["EdDSA"]), json!(null), json!(0)] {
        world.refused(&world.signed(&with(&header, "alg", algorithm.clone()), &claims), &algorithm.to_string());
    }
}

#[test]
fn claims_of_another_audience_or_time_are_401() {
    let world = World::new();
    let (header, claims) = world.parts();
    let now = world.app.now().timestamp();
    for (key, value) in [
        ("aud", json!("another")),
        ("aud", json!(["trailkeeper", "another"])),
        ("aud", json!(["trailkeeper"])),
        ("aud", json!("Trailkeeper")),
        ("aud", json!(null)),
        ("iss", json!("https://evil.example")),
        ("iss", json!("trailkeeper ")),
        ("iss", json!(["trailkeeper"])),
        ("exp", json!(now)),
        ("exp", json!(now - 1)),
        ("exp", json!(0)),
        ("exp", json!("9999999999")),
        ("exp", json!(1e300)),
        ("nbf", json!(now + 61)),
        ("sub", json!("00000000-0000-0000-0000-000000000000")),
        ("sub", json!("' OR 1=1 --")),
        ("sid", json!("00000000-0000-0000-0000-000000000000")),
        ("sid", claims["sub"].clone()),
    ] {
        let what = format!("{key} = {value}");
        world.refused(&world.signed(&header, &with(&claims, key, value)), &what);
    }
    for twice in ["\"sub\":\"00000000-0000-0000-0000-000000000000\"", "\"exp\":9999999999", "\"aud\":\"trailkeeper\""] {
        let claims = claims.to_string();
        for claims in [format!("{{{twice},{}", &claims[1..]), format!("{},{twice}}}", &claims[..claims.len() - 1])] {
            let token = crafted(&header.to_string(), &claims, |m| world.pair.sign(m).as_ref().to_vec());
            world.refused(&token, &claims);
        }
    }
}

#[test]
fn foreign_keys_are_401_from_every_source() {
    let world = World::new();
    let (header, claims) = world.parts();
    let foreign = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(foreign.public_key().as_ref())});
    for header in [
        header.clone(),
        with(&header, "jwk", jwk),
        with(&header, "jku", json!("http://127.0.0.1:1/keys")),
        with(&header, "x5u", json!("http://127.0.0.1:1/keys")),
        with(&header, "kid", json!("0000000000000000")),
        with(&header, "kid", json!("../../../dev/null")),
        with(&header, "kid", json!(["x"])),
    ] {
        let token = crafted(&header.to_string(), &claims.to_string(), |m| foreign.sign(m).as_ref().to_vec());
        world.refused(&token, &header.to_string());
    }
    for header in [
        with(&header, "crit", json!(["exp"])),
        with(&header, "crit", json!(["b64"])),
        with(&with(&header, "b64", json!(false)), "crit", json!(["b64"])),
    ] {
        world.refused(&world.signed(&header, &claims), &header.to_string());
    }
}

#[test]
fn changed_cut_and_oversized_tokens_are_401() {
    let world = World::new();
    let (header, claims) = world.parts();
    let parts: Vec<&str> = world.token.split('.').collect();
    let forged = base64url(with(&claims, "sub", json!("00000000-0000-0000-0000-000000000001")).to_string().as_bytes());
    for (what, token) in [
        ("another payload", format!("{}.{forged}.{}", parts[0], parts[2])),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("four parts", format!("{}.{}", world.token, parts[2])),
        ("padding", format!("{}=", world.token)),
        ("cut", world.token[..world.token.len() - 1].to_owned()),
        ("cut in the middle", world.token[..world.token.len() / 2].to_owned()),
        ("dots", "..".to_owned()),
        ("another kind", "rt_AAAA".to_owned()),
        ("oversized header", world.signed(&with(&header, "x", json!("y".repeat(8192))), &claims)),
        ("oversized claims", world.signed(&header, &with(&claims, "x", json!("y".repeat(8192))))),
    ] {
        world.refused(&token, what);
    }
}

#[test]
fn tokens_of_a_removed_key_and_of_their_last_second_are_401() {
    let world = World::new();
    world.app.clock.advance(TimeDelta::seconds(7_199));
    assert_eq!(world.asked(&world.token).status, 200);
    world.app.clock.advance(TimeDelta::seconds(1));
    world.refused(&world.token, "expired");

    let fresh = World::logged_in(&world.app);
    assert_eq!(world.asked(&fresh).status, 200);
    world.app.state.access().rotate_token_key(&operator(), OldKeys::Revoke).unwrap();
    world.refused(&fresh, "signed with a key that was removed");
    let (header, claims) = world.parts();
    let claims = with(&claims, "exp", json!(world.app.now().timestamp() + 60));
    world.refused(&world.signed(&header, &claims), "signed now with a key that was removed");
    assert_eq!(world.asked(&World::logged_in(&world.app)).status, 200);
}
