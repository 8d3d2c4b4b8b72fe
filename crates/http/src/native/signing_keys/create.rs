//! `POST /v1/signing-keys`.

use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_auth::NewSigningKey;
use trailkeeper_domain::id::TenantId;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::signing_keys::view::SigningKeyView;
use crate::native::{schemas, secret_response};
use crate::operation::{Body, FromBody, operation};
use crate::problems::{BodyProblems, CommonProblems};
use crate::state::AppState;

/// The signing key to create. Null is the same as leaving a field out.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "a signing key")]
#[schema(example = SigningKeyInput::sample)]
pub struct SigningKeyInput {
    /// The display name, for example its purpose. It need not be unique.
    #[schema(value_type = schemas::CredentialName)]
    #[body(expected = schemas::A_NAME)]
    name: String,
    /// The only tenant that it may see; absent: all tenants.
    #[schema(value_type = Option<schemas::TenantId>)]
    tenant_id: Option<TenantId>,
}

impl SigningKeyInput {
    fn sample() -> Value {
        json!({"name": "shop", "tenant_id": null})
    }
}

impl From<SigningKeyInput> for NewSigningKey {
    fn from(input: SigningKeyInput) -> Self {
        let SigningKeyInput { name, tenant_id } = input;
        Self { name, tenant_id }
    }
}

/// A new signing key.
#[derive(Serialize, ToSchema)]
#[schema(example = CreatedSigningKeyView::sample)]
pub struct CreatedSigningKeyView {
    /// The key without its secret.
    signing_key: SigningKeyView,
    /// The secret for signing requests. It is not shown again.
    #[schema(value_type = schemas::SecretKey)]
    secret_key: String,
}

impl CreatedSigningKeyView {
    fn sample() -> Value {
        json!({"signing_key": SigningKeyView::sample(), "secret_key": "sk_EXAMPLEexampleEXAMPLEexampleEXAMPLEexample0"})
    }
}

/// Create a signing key.
///
/// SaaSus clients sign their requests with the key. It gives access only to the SaaSus operations. The secret is shown
/// in this answer and never again: the server keeps it sealed.
#[operation(post, "/v1/signing-keys", tag = "signing keys", body = "The key.",
    responses(
        (status = 201, description = "The key is made.", body = CreatedSigningKeyView,
            headers(("Location" = String, description = "The address of the key's record."))),
        CommonProblems, BodyProblems,
    ))]
pub async fn create_signing_key(
    caller: Caller<Administer, Native>,
    FromBody(input): FromBody<SigningKeyInput>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    let (made, secret) =
        blocking::run(&state, move |state| state.access().create_signing_key(&context, input.into())).await?;
    let location = format!("/v1/signing-keys/{}", made.id);
    let view = CreatedSigningKeyView { signing_key: made.into(), secret_key: secret.expose().to_owned() };
    Ok(secret_response::created(location, view))
}
