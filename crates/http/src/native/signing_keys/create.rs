//! `POST /v1/signing-keys`.

use actix_web::HttpRequest;
use actix_web::web::{Data, Payload};
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_auth::NewSigningKey;
use trailkeeper_domain::Result;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::json::JsonObject;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::extract::query::Query;
use crate::native::problems::{CommonProblems, TooLarge};
use crate::native::signing_keys::view::SigningKeyView;
use crate::native::{schemas, secret_response, small_body};
use crate::state::AppState;

/// A signing key to be made. Null is the same as leaving a field out.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = SigningKeyInput::sample)]
pub struct SigningKeyInput {
    /// Its name for people: what it is for. Need not be unique.
    #[schema(value_type = schemas::CredentialName)]
    name: &'static str,
    /// The one tenant it may see; absent: all.
    #[schema(value_type = Option<schemas::TenantId>)]
    tenant_id: Option<&'static str>,
}

impl SigningKeyInput {
    fn sample() -> Value {
        json!(Self { name: "shop", tenant_id: None })
    }
}

/// A new signing key.
#[derive(Serialize, ToSchema)]
#[schema(example = CreatedSigningKeyView::sample)]
pub struct CreatedSigningKeyView {
    /// The key without its secret.
    signing_key: SigningKeyView,
    /// The secret with which requests are signed. It is not shown again.
    #[schema(value_type = schemas::SecretKey)]
    secret_key: String,
}

impl CreatedSigningKeyView {
    fn sample() -> Value {
        json!({"signing_key": SigningKeyView::sample(), "secret_key": "sk_EXAMPLEexampleEXAMPLEexampleEXAMPLEexample0"})
    }
}

/// Make a signing key.
///
/// With it, SaaSus clients sign their requests; it opens the SaaSus operations only. Its secret is shown in this
/// answer and never again: it is kept sealed.
#[utoipa::path(post, path = "/v1/signing-keys", tag = "signing keys", security(("Bearer" = [])),
    request_body(content = SigningKeyInput, description = "The key.", content_type = "application/json"),
    responses(
        (status = 201, description = "The key is made.", body = CreatedSigningKeyView,
            headers(("Location" = String, description = "Where the key's record is."))),
        CommonProblems, TooLarge,
    ))]
pub async fn create_signing_key(
    caller: Caller<Administer, Native>,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let new = new_signing_key(small_body::read(&request, payload, "a signing key").await?)?;
    let context = caller.audit_context(&state);
    let (made, secret) = blocking::run(&state, move |state| state.access().create_signing_key(&context, new)).await?;
    let location = format!("/v1/signing-keys/{}", made.id);
    let view = CreatedSigningKeyView { signing_key: made.into(), secret_key: secret.expose().to_owned() };
    Ok(secret_response::created(location, view))
}

fn new_signing_key(mut json: JsonObject) -> Result<NewSigningKey> {
    let new = NewSigningKey {
        name: json.required("name", schemas::A_NAME, JsonObject::text)?,
        tenant_id: json.parsed("tenant_id", schemas::A_UUID, TenantId::parse)?,
    };
    json.finish(&["name", "tenant_id"])?;
    Ok(new)
}
