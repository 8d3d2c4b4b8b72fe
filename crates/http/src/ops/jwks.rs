//! The public keys of access tokens.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::web::Data;
use serde::Serialize;
use trailkeeper_auth::jwt::{Jwk, Jwks};
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::anyone::{Anyone, ReadPublic};
use crate::operation::operation;
use crate::problems::PublicProblems;
use crate::state::AppState;

/// A key changes every few weeks, and the old one stays for hours. A service that meets an unknown key id asks again.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// The public keys that verify access tokens: a JSON Web Key Set (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"keys": [sample()]}))]
pub struct JwkSet {
    /// Keys, the newest first.
    keys: Vec<JwkView>,
}

/// A public key (RFC 8037).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Jwk, example = json!(sample()))]
pub struct JwkView {
    /// Key type: always `OKP`, an octet key pair.
    kty: &'static str,
    /// Curve: always `Ed25519`.
    crv: &'static str,
    /// Public key, 32 bytes in base64url without padding.
    #[schema(min_length = 43, max_length = 43)]
    x: String,
    /// Id of the key, which tokens name in their header.
    kid: String,
    /// Purpose: always `sig`, signatures.
    r#use: &'static str,
    /// Algorithm: always `EdDSA`. A token whose header names another one is not valid.
    alg: &'static str,
}

impl From<Jwk> for JwkView {
    fn from(key: Jwk) -> Self {
        Self { kty: "OKP", crv: "Ed25519", x: key.x, kid: key.kid, r#use: "sig", alg: "EdDSA" }
    }
}

impl From<Jwks> for JwkSet {
    fn from(set: Jwks) -> Self {
        Self { keys: set.keys.into_iter().map(JwkView::from).collect() }
    }
}

/// The key of RFC 8032, 7.1, test 1.
fn sample() -> JwkView {
    let (kid, x) = ("21fe31dfa154a261", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    Jwk { kid: kid.to_owned(), x: x.to_owned() }.into()
}

/// The public keys of access tokens.
///
/// For services that verify access tokens themselves. They must also check `iss` and `aud` (both `trailkeeper`), `exp`
/// and `nbf`, and accept only `EdDSA`. Such a service does not learn that an account was disabled or that a session
/// ended; only this server knows. A new key is published five seconds before it signs, and an old one until its last
/// token has expired; a revoked key is removed within two seconds. When a token names an unknown key, request the keys
/// again. No credential needed.
#[operation(get, "/.well-known/jwks.json", tag = "operations", unknown_parameters = "ignored",
    responses(
        (status = 200, description = "The keys of valid tokens.", body = JwkSet, headers(
            ("Cache-Control" = String, description = "`public, max-age=300`."),
        )),
        PublicProblems,
    ))]
pub async fn jwks(_: Anyone<ReadPublic, Native>, state: Data<AppState>) -> ApiResult<Native> {
    let set = blocking::run(&state, |state| state.access().jwks()).await?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, CACHED)).json(JwkSet::from(set)))
}
